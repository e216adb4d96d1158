"""OpenSSH: checked only if an engine or the ledger uses it, or an agent signs votes."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.git.command import Git
from promoter.adapters.ledgers.git.location import find
from promoter.adapters.ssh import client
from promoter.model.errors import PromoterError
from promoter.model.pattern import pattern

_SCP = pattern(r"(?:[^@/:]+@)?([^:/@]+):(?!//)")


def check(subject: Subject) -> Iterator[Finding]:
    hosts = tuple(dict.fromkeys([*_engines(subject), *_ledger(subject)]))
    if not hosts:
        return
    version = client.version()
    if version is None:
        reached = ", ".join(host for host, _ in hosts)
        yield Finding("ssh", False, True, f"not on PATH, but {reached} needs it", "install openssh-client")
        return
    yield Finding("ssh", True, True, version)
    yield _agent(client.agent_keys())
    for host, port in hosts:
        yield _host(host, port, known=client.knows(host, port))


def _engines(subject: Subject) -> Iterator[tuple[str, int | None]]:
    for address in subject.engines:
        parts = urlsplit(address or "")
        if parts.scheme == "ssh" and parts.hostname:
            yield parts.hostname, parts.port


def _ledger(subject: Subject) -> Iterator[tuple[str, int | None]]:
    """Return the host that a ledger in Git is pushed to."""
    url, git = subject.ledger_url or "", Git()
    if not url.startswith("git:"):
        return
    try:
        target = find(git, subject.directory, url)
    except PromoterError:
        return  # the ledger's check reports it
    if target.remote is None:
        return
    address = git.run(subject.directory, ("remote", "get-url", "--push", target.remote)).line or target.remote
    parts = urlsplit(address)
    if parts.scheme in ("ssh", "git+ssh") and parts.hostname:
        yield parts.hostname, parts.port
    elif (match := _SCP.match(address)) and not parts.netloc:
        yield match[1], None


def _agent(keys: tuple[str, ...] | None) -> Finding:
    """Report the agent. It is optional: a key file without a passphrase works as well."""
    if keys is None:
        return Finding("ssh agent", True, False, "no agent runs; key files are used")
    held = "holds no key" if not keys else f"holds {len(keys)} key{'s' if len(keys) > 1 else ''}"
    return Finding("ssh agent", bool(keys), False, held, None if keys else "run ssh-add, unless you use a key file")


def _host(host: str, port: int | None, *, known: bool | None) -> Finding:
    part = f"host key {host}"
    if known is None:
        return Finding(part, True, True, "reached through another host or program, which checks the host key itself")
    reach = f"ssh {f'-p {port} ' if port else ''}{host}"
    remedy = f"connect once by hand and compare the fingerprint: {reach}"
    return Finding(
        part,
        known,
        True,
        "known" if known else "not in known_hosts, and ssh cannot ask here",
        None if known else remedy,
    )
