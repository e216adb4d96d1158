"""Verify that a signature of a message was made by a person who may sign. It returns errors and never raises."""

from datetime import datetime

from promoter.gates.approval.ssh.allowed_signers import Signer
from promoter.gates.approval.ssh.keys import USER, Key, check_signature, read_key
from promoter.gates.approval.ssh.sshsig import read_signature
from promoter.gates.approval.ssh.trust import Trust
from promoter.gates.approval.ssh.wire import Malformed
from promoter.model.dataclass import dataclass
from promoter.model.statement import NAMESPACE
from promoter.model.verdict import ReasonCode

_INVALID, _UNKNOWN = ReasonCode.SIGNATURE_INVALID, ReasonCode.SIGNER_UNKNOWN
_VERIFY = "verify-required"


@dataclass(frozen=True)
class Good:
    """A valid signature. `key` is the fingerprint of the signing key, or of the key in its certificate."""

    key: str


@dataclass(frozen=True)
class Bad:
    """Why a signature does not count."""

    code: ReasonCode
    sentence: str


def verify(message: bytes, armored: str, principal: str, trust: Trust, now: datetime, namespace: str = NAMESPACE) -> Good | Bad:
    """Verify at `now`, by the verifier's clock. Times that the signer wrote are never trusted."""
    try:
        signature = read_signature(armored)
    except Malformed as error:
        return Bad(_INVALID, f"cannot read its signature: {error}")
    if signature.namespace != namespace:
        return Bad(
            _INVALID,
            f"expected a signature for {namespace!r}, got one for {signature.namespace[:60]!r}: a signed commit does not count",
        )
    required = signature.key.certificate is not None and _VERIFY in signature.key.certificate.critical
    problem = check_signature(signature.key, signature.raw, signature.signed(message), verified=required)
    if problem is not None:
        return Bad(_INVALID, problem)
    return may_sign(signature.key, principal, trust, now, namespace)


def may_sign(key: Key, principal: str, trust: Trust, now: datetime, namespace: str = NAMESPACE) -> Good | Bad:
    """Check whether signatures of a key count for a person: return the first signer that allows it, or the best error."""
    if trust.revoked.hold(key):
        return Bad(ReasonCode.KEY_REVOKED, f"the key {key.fingerprint} was revoked")
    nearest: Bad | None = None
    for signer in trust.signers:
        if not _is_its_key(signer, key):
            continue
        problem = _objection(signer, key, namespace, principal, now)
        if problem is None:
            return Good(key.fingerprint)
        if nearest is None or principal in signer.principals:
            nearest = problem
    return nearest or Bad(_UNKNOWN, f"the key {key.fingerprint} is not in the allowed_signers file")


def _is_its_key(signer: Signer, key: Key) -> bool:
    if signer.cert_authority:
        return key.certificate is not None and key.certificate.authority == signer.key.blob
    return key.certificate is None and key.blob == signer.key.blob


def _objection(signer: Signer, key: Key, namespace: str, principal: str, now: datetime) -> Bad | None:
    if principal not in signer.principals:
        return Bad(_UNKNOWN, f"the key {key.fingerprint} belongs to {', '.join(signer.principals)}, not to {principal}")
    if not signer.allows(namespace):
        spaces = ", ".join(signer.namespaces or ())
        return Bad(_UNKNOWN, f"the key of {principal} may sign for {spaces} only, not for {namespace}")
    if signer.after is not None and now < signer.after:
        return Bad(_UNKNOWN, f"the key of {principal} is valid only after {signer.after:%Y-%m-%d %H:%M:%S %Z}")
    if signer.before is not None and now >= signer.before:
        return Bad(_UNKNOWN, f"the key of {principal} was valid until {signer.before:%Y-%m-%d %H:%M:%S %Z}")
    return _certificate_objection(key, principal, now)


def _certificate_objection(key: Key, principal: str, now: datetime) -> Bad | None:
    certificate, seconds = key.certificate, now.timestamp()
    if certificate is None:
        return None
    if certificate.kind != USER:
        return Bad(_UNKNOWN, "its certificate is a host certificate, not a user certificate")
    try:
        problem = check_signature(read_key(certificate.authority), certificate.signature, certificate.signed)
    except Malformed as error:
        problem = str(error)
    if problem is not None:
        return Bad(_INVALID, f"its certificate was not signed by its authority: {problem}")
    if principal not in certificate.principals:
        named = ", ".join(certificate.principals) or "no one"
        return Bad(_UNKNOWN, f"its certificate is for {named[:200]}, not for {principal}")
    if not certificate.after <= seconds < certificate.before:
        return Bad(_UNKNOWN, "its certificate is " + ("not valid yet" if seconds < certificate.after else "no longer valid"))
    strange = [option for option in certificate.critical if option != _VERIFY]
    return Bad(_UNKNOWN, f"its certificate has an unsupported critical option: {strange[0][:60]!r}") if strange else None
