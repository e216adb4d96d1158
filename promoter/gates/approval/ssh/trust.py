"""Whom a pipeline trusts to sign: its signers, and the keys that no longer count."""

from dataclasses import dataclass

from promoter.gates.approval.ssh.allowed_signers import Signer
from promoter.gates.approval.ssh.revocation import NOTHING, Revocations


@dataclass(frozen=True)
class Trust:
    """The lines of an allowed_signers file, and what was revoked."""

    signers: tuple[Signer, ...]
    revoked: Revocations = NOTHING

    def principals(self) -> tuple[str, ...]:
        """Everybody who may sign, each once, in the order of the file."""
        return tuple(dict.fromkeys(name for signer in self.signers for name in signer.principals))

    def document(self) -> list[dict[str, object]]:
        """The lines as plain data, for the policy digest. What was revoked does not count in: it only takes away."""
        return [signer.document() for signer in self.signers]
