"""Whom a pipeline trusts to sign: its signers, and the revoked keys."""

from promoter.gates.approval.ssh.allowed_signers import Signer
from promoter.gates.approval.ssh.revocation import NOTHING, Revocations
from promoter.model.dataclass import dataclass


@dataclass(frozen=True)
class Trust:
    """The lines of an allowed_signers file, and the revoked keys."""

    signers: tuple[Signer, ...]
    revoked: Revocations = NOTHING

    def principals(self) -> tuple[str, ...]:
        """Return all people who may sign, each once, in the order of the file."""
        return tuple(dict.fromkeys(name for signer in self.signers for name in signer.principals))

    def document(self) -> list[dict[str, object]]:
        """Return the lines as plain data, for the policy digest. Revocations are not included: they only remove keys."""
        return [signer.document() for signer in self.signers]
