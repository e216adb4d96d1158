"""The CI platform: what a CI job needs and a laptop has already."""

from collections.abc import Iterator, Mapping

from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.git.command import Git

_TOKENS = {"GitHub Actions": ("GITHUB_TOKEN", "GH_TOKEN"), "GitLab CI": ("GITLAB_TOKEN", "CI_JOB_TOKEN")}
_WHOLE = {"GitHub Actions": "check out with `fetch-depth: 0`", "GitLab CI": 'set the variable GIT_DEPTH to "0"'}
_FOR_ALL = ("git:", "postgresql:", "postgres:")


def check(subject: Subject) -> Iterator[Finding]:
    platform = platform_of(subject.environ)
    if platform is None:
        return
    yield Finding("CI", True, False, platform)
    yield _token(platform, subject.environ)
    shallow = Git().run(subject.directory, ("rev-parse", "--is-shallow-repository")).line == "true"
    yield history(platform, shallow=shallow)
    yield home(subject.ledger_url)


def platform_of(environ: Mapping[str, str]) -> str | None:
    if environ.get("GITHUB_ACTIONS") == "true":
        return "GitHub Actions"
    return "GitLab CI" if environ.get("GITLAB_CI") == "true" else None


def _token(platform: str, environ: Mapping[str, str]) -> Finding:
    names = _TOKENS[platform]
    found = next((name for name in names if environ.get(name)), None)
    if found:
        return Finding("CI token", True, False, f"in {found}; the ledger and registry checks show its permissions")
    remedy = f"for reviews or deployments, pass it to the step as the variable {names[0]}"
    return Finding("CI token", False, False, f"{' and '.join(names)} are not set", remedy)


def history(platform: str, *, shallow: bool) -> Finding:
    if not shallow:
        return Finding("CI checkout", True, False, "has the full history")
    return Finding(
        "CI checkout", False, False, "is shallow: approvers do not see the commits between two releases", _WHOLE[platform]
    )


def home(url: str | None) -> Finding:
    """Report a ledger file on a temporary machine: it is lost with the machine."""
    if url is not None and url.startswith(_FOR_ALL):
        return Finding("CI ledger", True, True, "is shared by all machines")
    remedy = "set a shared ledger in the pipeline file: `ledger: git:promoter-ledger`; on a permanent machine a file is fine"
    sentence = "is a file on this machine: on a temporary runner it is lost with the job, and the next job starts without it"
    return Finding("CI ledger", False, False, sentence, remedy)
