# ruff: noqa: E501 (a file beside its result)
"""`promoter init` as people and programs use it: what it writes from Compose files, what it asks, what it writes for CI."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from promoter.adapters.registry.credentials import Credentials
from promoter.model.release import Source
from promoter.pipeline.scaffold.ci_workflow import PINNED, WORKFLOW_FILES
from promoter.ui.cli.load_file import checked
from tests.conftest import Cli
from tests.repository import ENVIRONMENT
from tests.terminal import Terminal
from tests.ui.cli.conftest import RunCli

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]
COMPOSE = sorted((ROOT / "tests/fixtures/compose").glob("*.yaml"))
BIN = Path(sys.executable).parent
REFUSED = {
    "windows": ["`isolation` is not supported: it is for Windows containers"],
}
"""What promoter does not support in these is reported, all of it, and the file is written so that it can be repaired."""


@pytest.fixture
def directory(tmp_path: Path, fake: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with everything that the Compose files name."""
    for name in ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    monkeypatch.setenv("CI", "true")  # no questions, also if pytest was started on a terminal
    (tmp_path / "web").mkdir()
    for name in ("Dockerfile", "web/Dockerfile"):
        (tmp_path / name).write_text("FROM scratch AS runtime\n")
    (tmp_path / "common.env").touch()
    (tmp_path / "token.txt").touch()
    return tmp_path


@pytest.mark.parametrize("compose", COMPOSE, ids=lambda path: path.stem)
def test_each_compose_file_becomes_a_good_pipeline_or_every_reason_is_named(
    directory: Path, run_cli: RunCli, compose: Path
) -> None:
    shutil.copy(compose, directory / "compose.yaml")
    answer = run_cli("init", "--yes")
    reasons = REFUSED.get(compose.stem, [])
    assert answer.code == (2 if reasons else 0), answer.err
    assert all(reason in answer.err for reason in reasons)
    assert len([line for line in answer.err.splitlines() if line.startswith("pipeline.yaml:")]) == len(reasons)
    if not reasons:
        assert run_cli("validate").code == 0
    written = (directory / "pipeline.yaml").read_text()
    assert written.startswith("# yaml-language-server: $schema=.promoter/pipeline.schema.json\n")
    assert set(yaml.safe_load(compose.read_text())["services"]) == set(yaml.safe_load(written)["services"])


def test_there_are_ten_of_them_and_most_just_work() -> None:
    assert len(COMPOSE) >= 10
    assert len(COMPOSE) - len(REFUSED) >= 7


def test_every_copy_of_a_range_gets_ports_of_its_own(directory: Path, run_cli: RunCli) -> None:
    shutil.copy(ROOT / "tests/fixtures/compose/port-ranges.yaml", directory / "compose.yaml")
    assert run_cli("init", "--yes").code == 0
    environments = yaml.safe_load((directory / "pipeline.yaml").read_text())["environments"]
    ports = [port for environment in environments.values() for port in environment["vars"].values()]
    assert len(ports) == len(set(ports)) == 15


def test_options_answer_every_question(directory: Path, run_cli: RunCli) -> None:
    words = (
        "--name",
        "other",
        "--registry",
        "r.example.com/x",
        "--environments",
        "qa, live",
        "--approvers",
        "ana@example.com ben@example.com",
    )
    assert run_cli("init", *words).code == 0
    file = yaml.safe_load((directory / "pipeline.yaml").read_text())
    assert (file["name"], file["registry"], list(file["environments"])) == ("other", "r.example.com/x", ["qa", "live"])
    assert list(file["services"]) == ["other"]
    assert file["environments"]["live"]["gates"] == [{"approval": {"min": 1, "from": ["ana@example.com", "ben@example.com"]}}]
    assert "gates" not in file["environments"]["qa"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--name", "Shop", "'Shop' is not a name"),
        ("--registry", "http://", "is not a registry"),
        ("--registry", "a b", "is not a registry"),
        ("--environments", "dev,Prod", "'Prod' is not a name for an environment"),
        ("--environments", "a,a", "appears twice"),
        ("--environments", ",", "name at least one"),
        ("--approvers", "*@example.com", "is not one person's name or address"),
        ("--ci", "jenkins", "'jenkins' is not one of github, gitlab, none"),
        ("--ci", "github", "is not in a git checkout"),
    ],
)
def test_an_answer_that_cannot_be_is_2_and_writes_nothing(
    directory: Path, run_cli: RunCli, option: str, value: str, message: str
) -> None:
    before = sorted(directory.rglob("*"))
    answer = run_cli("init", option, value)
    assert answer.code == 2
    assert message in answer.err
    assert sorted(directory.rglob("*")) == before


def test_odd_names_become_text_and_never_another_line(directory: Path, run_cli: RunCli) -> None:
    text = "name: 'null'\nservices:\n  \"a\\n#b\": {image: x, container_name: y, ports: ['${P:-1\n2}:80']}\n"
    (directory / "compose.yaml").write_text(text)
    run_cli("init", "--yes")
    file = yaml.safe_load((directory / "pipeline.yaml").read_text())
    assert (file["name"], list(file["environments"])) == ("null", ["dev", "test", "prod"])


# ------------------------------------------------------------ files beside it
def test_the_schema_that_the_first_line_names_is_there_and_git_keeps_only_what_is_for_all(
    directory: Path, run_cli: RunCli
) -> None:
    git(directory, "init", "-q")
    assert run_cli("init").code == 0
    schema = json.loads((directory / ".promoter/pipeline.schema.json").read_text())
    assert schema == run_cli("schema").json
    (directory / ".promoter/ledger.db").touch()
    (directory / ".promoter/allowed_signers").touch()
    seen = git(directory, "status", "--porcelain", "-uall").split()
    assert {name for name in seen if name.startswith(".promoter")} == {
        ".promoter/.gitignore",
        ".promoter/allowed_signers",
        ".promoter/pipeline.schema.json",
    }


# ------------------------------------------------------------ a workflow
def git(where: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=where, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def deploy(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory below a checkout's root, whose code is on a platform, and whose branch has its own name."""
    git(directory, "init", "-q", "-b", 'v1"];x')
    git(directory, "remote", "add", "origin", "git@github.com:Acme/Shop.git")
    nested = directory / "deploy it"
    nested.mkdir()
    shutil.copytree(directory / "web", nested / "web")
    (nested / "compose.yaml").write_text("services: {web: {build: ./web, ports: ['80:80']}, db: {image: postgres}}\n")
    monkeypatch.chdir(nested)
    return nested


def strict(*argv: object) -> None:
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_written_files_are_named_relative_to_the_working_directory(directory: Path, run_cli: RunCli) -> None:
    git(directory, "init", "-q")
    git(directory, "remote", "add", "origin", "git@github.com:acme/shop.git")
    assert "\n.github/workflows/promote.yml is written\n" in run_cli("init", "--ci", "github").out


def test_the_workflow_for_github_passes_the_strictest_checks(deploy: Path, run_cli: RunCli) -> None:
    assert run_cli("init", "--ci", "github").code == 0
    file = deploy.parent / ".github/workflows/promote.yml"
    strict(BIN / "actionlint", "-shellcheck", BIN / "shellcheck", file)
    strict(BIN / "zizmor", "--offline", "--persona", "auditor", file)
    strict(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", file)
    flow = yaml.safe_load(file.read_text())
    assert flow["permissions"] == {}
    assert (flow["concurrency"]["cancel-in-progress"], flow["concurrency"]["queue"]) == (False, "max")
    job = flow["jobs"]["promote"]
    assert job["permissions"] == {"contents": "write", "packages": "write"}
    assert job["env"] == {"PROMOTER_FILE": "deploy it/pipeline.yaml"}
    assert flow[True]["push"]["branches"] == ['v1"];x']  # YAML 1.1 reads `on` as true
    assert all("${{" not in step.get("run", "") for step in job["steps"])
    assert {f"{step['uses']}" for step in job["steps"] if "uses" in step} == {pin.split(" ")[0] for pin in PINNED.values()}
    pipeline = yaml.safe_load((deploy / "pipeline.yaml").read_text())
    assert (pipeline["registry"], pipeline["ledger"]) == ("ghcr.io/acme/shop", "git:promoter-ledger")


def test_the_pipeline_for_gitlab_passes_its_schema_and_its_scripts_are_good_shell(
    deploy: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    git(deploy, "remote", "set-url", "origin", "https://gitlab.example.com/Acme/Shop.git")
    assert run_cli("init", "--ci", "gitlab").code == 0
    file = deploy.parent / ".gitlab-ci.yml"
    strict(BIN / "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", file)
    job = yaml.safe_load(file.read_text())["promote"]
    for number, entry in enumerate(job["script"]):
        script = tmp_path / f"script{number}.sh"
        script.write_text(f"#!/bin/bash\n{entry}")
        strict(BIN / "shellcheck", script)
    assert job["artifacts"]["reports"] == {"dotenv": "deploy it/.promoter/promoter.env", "junit": "deploy it/.promoter/junit.xml"}
    assert (job["resource_group"], job["interruptible"], job["allow_failure"]) == (
        "promote-deploy-it",
        False,
        {"exit_codes": [3]},
    )
    assert job["environment"] == {"name": "prod", "url": "$PROMOTER_URL"}
    assert "CI_REGISTRY_PASSWORD" in file.read_text()
    assert yaml.safe_load((deploy / "pipeline.yaml").read_text())["registry"] == "registry.gitlab.example.com/acme/shop"


def shell_commands(file: Path) -> list[str]:
    """Return the `run` of each step, or the entries of each `script`, without comments."""
    flow = yaml.safe_load(file.read_text())
    jobs = (flow.get("jobs") or flow).values()
    steps = [step for job in jobs if isinstance(job, dict) for step in job.get("steps", ())]
    found = [step["run"] for step in steps if "run" in step]
    found += [entry for job in jobs if isinstance(job, dict) for entry in job.get("script", ())]
    return ["\n".join(line for line in one.splitlines() if not line.lstrip().startswith("#")).strip() for one in found]


CONTROL = {
    "case",
    "if",
    "for",
    "while",
    "until",
    "function",
    "select",
    "then",
    "else",
    "do",
    "set",
    "eval",
    "exit",
    "export",
    "{",
    "!",
}


@pytest.mark.parametrize(
    ("ci", "registry", "count"),
    [
        ("github", "ghcr.io/acme/shop", 3),
        ("github", "r.example.com/x", 3),
        ("github", "127.0.0.1:5000", 2),
        ("gitlab", "registry.gitlab.example.com/acme/shop", 4),
        ("gitlab", "r.example.com/x", 4),
        ("gitlab", "127.0.0.1:5000", 2),
    ],
)
def test_each_step_of_a_workflow_is_one_simple_command(deploy: Path, run_cli: RunCli, ci: str, registry: str, count: int) -> None:
    git(deploy, "remote", "set-url", "origin", f"https://{ci}.{'com' if ci == 'github' else 'example.com'}/Acme/Shop.git")
    assert run_cli("init", "--ci", ci, "--registry", registry).code == 0
    commands = shell_commands(deploy.parent / WORKFLOW_FILES[ci])
    assert len(commands) == count
    for command in commands:
        split = shlex.shlex(command, posix=True, punctuation_chars=True)
        split.whitespace_split = True
        words = list(split)
        operators = [word for word in words if set(word) <= set("();<>|&")]
        assert "\n" not in command
        assert "$(" not in command and "`" not in command
        login = "docker login" in command
        assert operators == (["|"] if login else [">"] if command.startswith("printf ") else [])
        assert not CONTROL & set(words)
    assert commands[-1].startswith("promoter ci ")
    assert all("${{" not in command for command in commands)


@pytest.mark.parametrize(
    ("wanted", "code", "words"),
    [
        ("https://r.example.com/promoter.whl#sha256=ab", 0, ["https://r.example.com/promoter.whl#sha256=ab"]),
        ("--require-hashes -r requirements/ci.txt", 0, ["--require-hashes", "-r", "requirements/ci.txt"]),
        ("", 1, None),
    ],
)
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_what_pip_installs_is_a_variable_that_must_be_set(
    deploy: Path, run_cli: RunCli, tmp_path: Path, ci: str, wanted: str, code: int, words: list[str] | None
) -> None:
    assert run_cli("init", "--ci", ci).code == 0
    command = shell_commands(deploy.parent / WORKFLOW_FILES[ci])[0]
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$WORDS"\n')
    python.chmod(0o755)
    env = {"PATH": f"{python.parent}:/usr/bin:/bin", "WORDS": str(tmp_path / "words"), "PROMOTER_INSTALL": wanted}
    done = subprocess.run(["bash", "-e", "-c", command], env=env, capture_output=True, text=True, check=False)
    assert min(done.returncode, 1) == code
    assert ("PROMOTER_INSTALL: set this variable to what pip installs" in done.stderr) == (code != 0)
    file = tmp_path / "words"
    found = file.read_text().splitlines() if file.exists() else None
    assert (found and [word for word in found if word not in ("-m", "pip", "install", "--quiet")]) == words


@pytest.mark.parametrize("registry", ["registry.gitlab.example.com/acme/shop", "r.example.com/x"])
def test_the_login_on_gitlab_is_a_file_that_promoter_reads(deploy: Path, run_cli: RunCli, tmp_path: Path, registry: str) -> None:
    git(deploy, "remote", "set-url", "origin", "https://gitlab.example.com/Acme/Shop.git")
    assert run_cli("init", "--ci", "gitlab", "--registry", registry).code == 0
    home, host = tmp_path / "home", registry.partition("/")[0]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "CI_REGISTRY": host}
    env |= {f"{prefix}REGISTRY_{name}": f"{name}%1" for prefix in ("", "CI_") for name in ("USER", "PASSWORD")}
    for command in shell_commands(deploy.parent / ".gitlab-ci.yml")[1:3]:
        subprocess.run(["sh", "-e", "-c", command], env=env, check=True)
    assert (home / ".docker/config.json").stat().st_mode & 0o777 == 0o600
    login = Credentials(home / ".docker").for_host(host)
    assert login is not None
    assert (login.username, login.password) == ("USER%1", "PASSWORD%1")


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_pipeline_file_that_is_there_stays_and_gets_its_workflow(deploy: Path, run_cli: RunCli, ci: str) -> None:
    text = "name: mine\nregistry: r.example.com/x\nservices: {web: {build: ./web}}\nenvironments: {one: {}, two: {}}\n"
    (deploy / "pipeline.yaml").write_text(text)
    answer = run_cli("init", "--ci", ci, "--json")
    assert answer.json["files"] == [
        str(deploy.parent / {"github": ".github/workflows/promote.yml", "gitlab": ".gitlab-ci.yml"}[ci])
    ]
    assert (deploy / "pipeline.yaml").read_text() == text
    written = Path(answer.json["files"][0]).read_text()
    assert 'PROMOTER_LEDGER: "git:promoter-ledger"' in written
    assert "REGISTRY_PASSWORD" in written
    again = run_cli("init", "--ci", ci)
    assert (again.code, "exists already" in again.err) == (2, True)
    assert run_cli("init", "--ci", ci, "--name", "x").code == 2


def test_break_12_a_ledger_lost_with_its_runner_is_reported(deploy: Path, run_cli: RunCli) -> None:
    text = "name: mine\nledger: sqlite:.promoter/x.db\nservices: {web: {image: nginx}}\nenvironments: {one: {}}\n"
    (deploy / "pipeline.yaml").write_text(text)
    answer = run_cli("init", "--ci", "github")
    assert answer.code == 0
    assert "the ledger sqlite:.promoter/x.db is a file: on a temporary runner it is lost after each job" in answer.err
    assert "ledger: git:promoter-ledger" in answer.err


def test_a_registry_local_to_this_machine_gets_a_comment_and_no_login(deploy: Path, run_cli: RunCli) -> None:
    git(deploy, "remote", "remove", "origin")
    assert run_cli("init", "--ci", "github").code == 0
    assert "# Change it: this one is local to each machine" in (deploy / "pipeline.yaml").read_text()
    assert "docker login" not in (deploy.parent / ".github/workflows/promote.yml").read_text()
    assert run_cli("validate").code == 0


def test_a_workflow_that_is_there_is_not_written_over_and_then_nothing_is(deploy: Path, run_cli: RunCli) -> None:
    (deploy.parent / ".gitlab-ci.yml").write_text("mine")
    assert run_cli("init", "--ci", "gitlab").code == 2
    assert not (deploy / "pipeline.yaml").exists()
    assert run_cli("init", "--ci", "gitlab", "--force").code == 0
    assert (deploy.parent / ".gitlab-ci.yml").read_text() != "mine"


def test_what_init_and_schema_read_is_in_the_wheel(tmp_path: Path) -> None:
    strict(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    for name in (
        "pipeline/schema_words.yaml",
        "pipeline/scaffold/templates/github.yml.j2",
        "pipeline/scaffold/templates/gitlab.yml.j2",
    ):
        assert f"promoter/{name}" in names


# ------------------------------------------------------------ on a terminal
@pytest.fixture
def terminal(cli: Cli, directory: Path) -> Iterator[Terminal]:
    env = {name: value for name, value in cli.env.items() if name not in ("CI", "GITHUB_ACTIONS", "GITLAB_CI")}
    with Terminal([str(BIN / "promoter"), "init"], directory, env) as terminal:
        yield terminal


def test_enter_takes_what_is_proposed(terminal: Terminal, directory: Path) -> None:
    for question in (
        "name [",
        "CI (github, gitlab or none) [none]",
        "pushed to [127.0.0.1:5000]",
        "in order [dev,test,prod]",
        "Who approves prod",
    ):
        terminal.expect(question)
        terminal.send("\n")
    terminal.expect("pipeline.yaml is written from Dockerfile")
    assert terminal.end() == 0
    assert list(yaml.safe_load((directory / "pipeline.yaml").read_text())["environments"]) == ["dev", "test", "prod"]


def test_what_cannot_be_is_asked_again(terminal: Terminal, directory: Path) -> None:
    for question, typed in (
        ("name [", "My Shop\n"),
        ("'My Shop' is not a name", ""),
        ("name [", "shop\n"),
        ("[none]", "\n"),
        ("[127.0.0.1:5000]", "r.example.com/acme/\n"),
        ("[dev,test,prod]", "test prod\n"),
        ("Who approves prod", "ana@example.com\n"),
    ):
        terminal.expect(question)
        terminal.send(typed)
    assert terminal.end() == 0
    file = yaml.safe_load((directory / "pipeline.yaml").read_text())
    assert (file["name"], file["registry"], list(file["environments"])) == ("shop", "r.example.com/acme", ["test", "prod"])


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_who_goes_away_leaves_nothing_behind(terminal: Terminal, directory: Path, key: str) -> None:
    terminal.expect("name [")
    terminal.send("\n")
    terminal.expect("[none]")
    terminal.until_it_reads()
    terminal.send(key)
    terminal.expect("nothing was written")
    assert terminal.end() == 130
    assert not (directory / "pipeline.yaml").exists()
    assert not (directory / ".promoter").exists()


@pytest.mark.parametrize(
    ("words", "env"), [(("--yes",), {}), ((), {"CI": "true"}), (("--json",), {})], ids=["--yes", "CI", "--json"]
)
def test_a_terminal_alone_is_no_person(cli: Cli, directory: Path, words: tuple[str, ...], env: dict[str, str]) -> None:
    plain = {name: value for name, value in cli.env.items() if name != "CI"} | env
    with Terminal([str(BIN / "promoter"), "init", *words], directory, plain) as terminal:
        assert terminal.end() == 0
        assert "[" not in terminal.shown or "--json" in words
    assert (directory / "pipeline.yaml").exists()
    assert os.path.lexists(directory / ".promoter/pipeline.schema.json")


# ------------------------------------------------------------ files that belong to a Compose file
FILES = {
    ".env": "PORT=8000\nPASSWORD=s3cret\n",
    "compose.yaml": "services:\n  web: {build: ./web, image: 'x/web:1', ports: ['${PORT}:80', '53:53/udp', '53:53/tcp'], environment: {P: '${PASSWORD:-none}'}}\n",
    "compose.override.yaml": "services: {web: {environment: {O: '1'}}, mail: {image: mail}}\n",
    "other.yaml": "services: {inner: {image: inner, ports: ['9000:9000']}}\n",
}


@pytest.mark.parametrize(
    ("files", "services", "message"),
    [
        ((".env",), "compose.yaml", "variables from .env"),
        (
            (".env", "compose.override.yaml"),
            ["compose.yaml", "compose.override.yaml"],
            "Compose merges compose.override.yaml over the other",
        ),
    ],
)
def test_what_belongs_to_a_compose_file_is_read_and_no_value_is_copied(
    directory: Path, run_cli: RunCli, files: tuple[str, ...], services: object, message: str
) -> None:
    """compose.md D5 and D8: `.env` and the override file were ignored without a message."""
    for name in ("compose.yaml", *files):
        (directory / name).write_text(FILES[name])
    answer = run_cli("init", "--yes")
    assert answer.code == 0, answer.err
    text = (directory / "pipeline.yaml").read_text()
    assert message in text and "s3cret" not in text
    loaded = checked(directory / "pipeline.yaml")
    web = loaded.resolve("test", Source(), None).services["web"]
    assert web.environment == {"P": "s3cret"} | ({"O": "1"} if "compose.override.yaml" in files else {})
    assert web.init and [(p.target, p.published, p.protocol) for p in web.ports] == [
        (80, 18181, "tcp"),
        (53, 18182, "udp"),
        (53, 18182, "tcp"),
    ]


def test_an_included_file_is_not_lost(directory: Path, run_cli: RunCli) -> None:
    """compose.md D8: `include` was dropped with exit code 0."""
    (directory / "other.yaml").write_text(FILES["other.yaml"])
    (directory / "compose.yaml").write_text("include: [other.yaml]\nservices: {web: {image: x}}\n")
    assert run_cli("init", "--yes").code == 0
    assert list(checked(directory / "pipeline.yaml").resolve("dev", Source(), None).services) == ["inner", "web"]


def test_the_name_of_the_project_is_that_of_each_environment(directory: Path, run_cli: RunCli) -> None:
    """compose.md D16: `${COMPOSE_PROJECT_NAME}` became an empty text."""
    (directory / "compose.yaml").write_text("services: {web: {image: x, hostname: '${COMPOSE_PROJECT_NAME}-web'}}\n")
    answer = run_cli("init", "--yes", "--name", "shop")
    assert answer.code == 0, answer.err
    assert "COMPOSE_PROJECT_NAME differs in each environment" in (directory / "pipeline.yaml").read_text()
    assert checked(directory / "pipeline.yaml").resolve("test", Source(), None).services["web"].hostname == "shop-test-web"


def test_a_malformed_variable_is_refused_at_its_position(directory: Path, run_cli: RunCli) -> None:
    """compose.md D9: `${foo!}` was used literally."""
    (directory / "compose.yaml").write_text("services: {web: {image: x, user: '${foo!}'}}\n")
    answer = run_cli("init", "--yes")
    assert answer.code == 2 and "compose.yaml:1:34: `${foo` is never closed" in answer.err
    assert not (directory / "pipeline.yaml").exists()
