"""Signatures: the images of the release are signed, as cosign verifies it, with a key or by an identity.

Here stand the shape, the command line and the reading of what cosign says. Only the very digest counts: what cosign
prints about anything else proves nothing. Running is done elsewhere.
"""

import json
import re
from datetime import timedelta
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, model_validator

from promoter.config.fields import Texts
from promoter.config.spec import Duration, Shape
from promoter.config.spec_errors import misfit
from promoter.gates.check_base import CheckShape
from promoter.model.canonical_json import sha256_hex
from promoter.model.images import ImageRef
from promoter.model.secrets import names_in

KEY = "cosign.pub"
"""The name of the key's file in cosign's directory."""
PEM = "-----BEGIN "


def _check_regexp(text: str) -> str:
    try:
        anybody = any(re.fullmatch(text, word) for word in ("", "anybody at all\x00"))
    except re.error as error:
        raise misfit(f"{text!r} is not a regular expression: {error}") from error
    if anybody:
        raise misfit(f"{text!r} fits anybody", "say who may sign")
    return text


Regexp = Annotated[str, AfterValidator(_check_regexp)]


class Identity(Shape):
    """Who signed, by the certificate: `subject` (an address, a workflow) and `issuer` (who vouched for it).

    A regular expression must fit the whole of it.
    """

    subject: str | None = None
    subject_regexp: Regexp | None = None
    issuer: str | None = None
    issuer_regexp: Regexp | None = None

    @model_validator(mode="after")
    def _check_both(self) -> Self:
        for name in ("subject", "issuer"):
            said = [key for key in (name, f"{name}_regexp") if getattr(self, key)]
            if len(said) != 1:
                raise misfit(f"one of `{name}` and `{name}_regexp` is due", "an identity is a subject and its issuer")
        return self


class SignatureCheck(CheckShape):
    """Verifies with cosign that the images of `service` (all, unless said) are signed with `key`, or by `identity`.

    `key` is a path where a person wrote one, and the key itself once it was read; a KMS address stays as it is.
    """

    kind: ClassVar[str] = "signature"

    service: Texts = ()
    key: str | None = None
    identity: Identity | None = None
    transparency_log: bool | None = None
    timeout: Duration = timedelta(minutes=1)

    @model_validator(mode="after")
    def _check_who(self) -> Self:
        if (self.key is None) == (self.identity is None):
            hint = "write for example `key: cosign.pub`"
            raise misfit("a signature is verified with a `key` or by an `identity`, one of the two", hint)
        if self.identity is not None and self.transparency_log is False:
            says = "an identity's certificate lives for minutes: only the transparency log proves when it signed"
            raise misfit(says, "leave `transparency_log` out", ("transparency_log",))
        return self

    @property
    def logged(self) -> bool:
        """Whether the signature must stand in the transparency log."""
        return self.identity is not None if self.transparency_log is None else self.transparency_log

    def subject(self) -> str:
        return f"signature of {', '.join(self.service) or 'all services'} {self._by()}"

    def _by(self) -> str:
        if self.identity is not None:
            who = self.identity
            return f"by {who.subject or who.subject_regexp}, as {who.issuer or who.issuer_regexp} says"
        key = self.key or ""
        names = names_in(key)
        return f"with key {f'secret {names[0]}' if names else sha256_hex(key.encode())[:12] if is_pem(key) else key}"


def is_pem(key: str) -> bool:
    return key.lstrip().startswith(PEM)


def is_address(key: str) -> bool:
    """`awskms://…`, `k8s://…`: cosign fetches it."""
    return re.match(r"[a-z0-9]+://", key) is not None


def command_line(check: SignatureCheck, key: str, image: ImageRef, *, insecure: bool) -> tuple[str, ...]:
    """What to run in an empty directory that holds the key. `key` is the revealed one; the words fit cosign 2 and 3."""
    words = ["cosign", "verify", "--output", "json"]
    if check.identity is not None:
        who = check.identity
        for flag, exact, pattern in (
            ("--certificate-identity", who.subject, who.subject_regexp),
            ("--certificate-oidc-issuer", who.issuer, who.issuer_regexp),
        ):
            words += [flag, exact] if exact else [f"{flag}-regexp", f"^(?:{pattern})$"]
    else:
        words += ["--key", KEY if is_pem(key) else key]
    if not check.logged:
        words.append("--insecure-ignore-tlog=true")
    if insecure:
        words += ["--allow-insecure-registry", "--allow-http-registry"]
    return (*words, str(image))


def proves(output: bytes, image: ImageRef) -> bool:
    """Whether what cosign printed names this very digest, and no other, in every signature that it verified."""
    try:
        claims = json.loads(output)
        found = {claim["critical"]["image"]["docker-manifest-digest"] for claim in claims}
    except (ValueError, RecursionError, TypeError, KeyError):
        return False
    return found == {str(image.digest)}
