"""Errors of git, ssh and their servers, explained as what is missing."""

import re

from promoter.model.errors import LedgerError
from promoter.model.pattern import pattern

_RIGHT = (
    "give this account permission to push: in GitHub Actions `permissions: {contents: write}`, else a key or token "
    "with write access"
)
_FREE = "the branch's rule may forbid force pushes and deletion, but must allow this account to push"
_EXPLANATIONS: tuple[tuple[tuple[str, ...], str, str, bool], ...] = (
    (
        ("dubious ownership",),
        "is in a repository that belongs to another user",
        "if you trust it: git config --global --add safe.directory DIRECTORY",
        False,
    ),
    (
        ("Host key verification failed", "host key is known"),
        "is on a host whose key is not known here",
        "connect once with ssh by hand and compare the fingerprint, or add the key to known_hosts",
        False,
    ),
    (
        ("Permission denied (", "Too many authentication failures"),
        "is on a host that does not accept this ssh key",
        "load the right key (ssh-add), or register it there",
        False,
    ),
    (
        ("Authentication failed", "could not read Username", "could not read Password", "Invalid username", "error: 401"),
        "needs credentials that git does not have here",
        "set a credential helper or a token for git; git cannot ask here",
        False,
    ),
    (
        ("returned error: 301", "returned error: 302", "returned error: 307", "returned error: 308"),
        "is at an address that redirects to another one",
        "write the final address into the remote: promoter sends `ledger_token` only to the host that the remote names",
        False,
    ),
    (("GH006", "GH013", "protected branch", "Protected branch", "protected by"), "is on a protected branch", _FREE, False),
    (("hook declined", "remote rejected"), "is on a branch that its server does not allow this account to push to", _FREE, False),
    (
        (
            "error: 403",
            "Write access to repository not granted",
            "denied to",
            "not allowed to push",
            "read-only",
            "Read-only",
            "receive-pack not permitted",
            "service not enabled",
            "marked as read only",
        ),
        "may not be written to",
        _RIGHT,
        False,
    ),
    (
        ("access denied or repository not exported",),
        "is on a server that does not allow writing, or does not show it",
        _RIGHT,
        False,
    ),
    (("No space left",), "cannot grow", "free some space, then run the same command again", True),
    (
        ("nsufficient permission", "unable to create temporary", "unpacker error", "unable to write", "Permission denied"),
        "may not be written to",
        _RIGHT + "; for a directory, write permission there",
        False,
    ),
    (
        (
            "Repository not found",
            "repository not found",
            "does not appear to be a git repository",
            "not a git repository",
            "does not exist",
            "' not found",
        ),
        "is in a repository that does not exist, or that this account cannot see",
        "fix the address, or give this account read access",
        False,
    ),
    (
        (".lock': File exists",),
        "is being written by another git process, or one was killed",
        "when no git process runs any more, remove the lock file",
        True,
    ),
)
_NOISE = pattern(r"^(?:remote: *|hint: .*|To .*|fatal: the remote end hung up unexpectedly)$")
_ADVICE = "make sure that this machine can reach it, then run the same command again"


def explain(where: str, output: str) -> LedgerError:
    """Make the error for git's output. Unknown errors may come from the network, so they are retried."""
    text = short(output)
    for words, cause, hint, retryable in _EXPLANATIONS:
        if any(word in output for word in words):
            return LedgerError(f"the ledger {where} {cause}: {text}", hint=hint, retryable=retryable)
    return LedgerError(f"the ledger {where} cannot be reached: {text}", hint=_ADVICE, retryable=True)


def short(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    message = " ".join(line for line in lines if line and not _NOISE.match(line)) or " ".join(lines)
    return re.sub(r"//[^/@\s]*@", "//", message)[:400] or "git gave no reason"
