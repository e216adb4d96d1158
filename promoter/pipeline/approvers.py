"""Read who may sign: an OpenSSH allowed_signers file and a revocation list. Signatures are checked elsewhere."""

from promoter.config.yaml.positions import Position, complain
from promoter.gates.approval.ssh.allowed_signers import Signer, read_signers
from promoter.gates.approval.ssh.revocation import NOTHING, Revocations, read_revocations
from promoter.model.errors import Diagnostic

WILD = "*?!"


def read_approvers(data: bytes, shown: str) -> tuple[tuple[Signer, ...], list[Diagnostic]]:
    """Return the valid lines of the file, and diagnostics for the others."""
    text = data.decode("utf-8", "replace")
    signers, faults = read_signers(text)
    return signers, [complain(shown, text, Position(f.line, f.column), f.message, f.hint) for f in faults]


def read_revoked(data: bytes) -> tuple[Revocations, str | None]:
    """Return what was revoked, and the reason if the list cannot be read."""
    try:
        return read_revocations(data), None
    except ValueError as error:
        return NOTHING, str(error)
