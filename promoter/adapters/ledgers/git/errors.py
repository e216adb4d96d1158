"""What git, ssh and the servers behind them say, told as which right or which thing is missing."""

import re

from promoter.model.errors import LedgerError

_RIGHT = (
    "whoever runs this needs the right to push: in GitHub Actions `permissions: {contents: write}`, else a key or token "
    "that may write"
)
_FREE = "a rule for that branch may forbid force pushes and deletion, but must let this account push to it"
_TELLING: tuple[tuple[tuple[str, ...], str, str, bool], ...] = (
    (("dubious ownership",), "is in a repository that belongs to another user",
     "if you trust it: git config --global --add safe.directory DIRECTORY", False),
    (("Host key verification failed", "host key is known"), "is on a host whose key is not known here",
     "connect once with ssh by hand and compare the fingerprint, or add the key to known_hosts", False),
    (("Permission denied (", "Too many authentication failures"), "is on a host that lets nobody in with this ssh key",
     "load the right key (ssh-add), or register it there", False),
    (("Authentication failed", "could not read Username", "could not read Password", "Invalid username", "error: 401"),
     "wants credentials that git does not have here", "set a credential helper or a token for git; nothing is asked for", False),
    (("GH006", "GH013", "protected branch", "Protected branch", "protected by"), "is on a protected branch", _FREE, False),
    (("hook declined", "remote rejected"), "is on a branch that its server does not let us push to", _FREE, False),
    (("error: 403", "Write access to repository not granted", "denied to", "not allowed to push", "read-only", "Read-only",
      "receive-pack not permitted", "service not enabled", "marked as read only"), "may not be written to", _RIGHT, False),
    (("access denied or repository not exported",), "is on a server that lets nobody write to it, or does not show it",
     _RIGHT, False),
    (("No space left",), "cannot grow", "free some space, then run the same command again", True),
    (("nsufficient permission", "unable to create temporary", "unpacker error", "unable to write", "Permission denied"),
     "may not be written to", _RIGHT + "; of a directory, the right to write there", False),
    (("Repository not found", "repository not found", "does not appear to be a git repository", "not a git repository",
      "does not exist", "' not found"), "is in a repository that is not there, or that this account may not see",
     "mend the address, or give this account the right to read", False),
    ((".lock': File exists",), "is being written by another git process, or one died there",
     "when no git runs any more, remove the lock file that is named", True),
)  # fmt: skip
_NOISE = re.compile(r"^(?:remote: *|hint: .*|To .*|fatal: the remote end hung up unexpectedly)$")
_ADVICE = "make sure that this machine reaches it, then run the same command again"


def explain(where: str, said: str) -> LedgerError:
    """The error for what git wrote. What is in no list may be the network's: it is tried again."""
    text = short(said)
    for words, cause, hint, retryable in _TELLING:
        if any(word in said for word in words):
            return LedgerError(f"the ledger {where} {cause}: {text}", hint=hint, retryable=retryable)
    return LedgerError(f"the ledger {where} cannot be reached: {text}", hint=_ADVICE, retryable=True)


def short(said: str) -> str:
    lines = [line.strip() for line in said.splitlines()]
    told = " ".join(line for line in lines if line and not _NOISE.match(line)) or " ".join(lines)
    return re.sub(r"//[^/@\s]*@", "//", told)[:400] or "git gave no reason"
