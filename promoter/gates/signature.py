"""Signature checks: cosign verifies that the images of the release are signed with a key or by an identity.

This module has the model, the command line and the evaluation of cosign's output. Only the exact digest counts: output
about other images is ignored. cosign runs elsewhere.
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
        anyone = any(re.fullmatch(text, word) for word in ("", "anybody at all\x00"))
    except re.error as error:
        raise misfit(f"{text!r} is not a regular expression: {error}") from error
    if anyone:
        raise misfit(f"{text!r} matches anyone", "write an expression for the people who may sign")
    return text


Regexp = Annotated[str, AfterValidator(_check_regexp)]


class Identity(Shape):
    """Who signed, by the certificate: `subject` (an address, a workflow) and `issuer` (who authenticated it).

    A regular expression must match the whole value.
    """

    subject: str | None = None
    subject_regexp: Regexp | None = None
    issuer: str | None = None
    issuer_regexp: Regexp | None = None

    @model_validator(mode="after")
    def _check_both(self) -> Self:
        for name in ("subject", "issuer"):
            given = [key for key in (name, f"{name}_regexp") if getattr(self, key)]
            if len(given) != 1:
                raise misfit(f"expected one of `{name}` and `{name}_regexp`", "write a subject and its issuer")
        return self


class SignatureCheck(CheckShape):
    """Verifies with cosign that the images of `service` (default: all) are signed with `key`, or by `identity`.

    `key` is a path in the file, and the key itself after reading; a KMS address stays as it is.
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
            raise misfit("expected one of `key` and `identity`", hint)
        if self.identity is not None and self.transparency_log is False:
            sentence = (
                "the certificate of an identity is valid only for minutes, so the transparency log must prove when it signed"
            )
            raise misfit(sentence, "remove `transparency_log`", ("transparency_log",))
        return self

    @property
    def logged(self) -> bool:
        """Return whether the signature must be in the transparency log."""
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
    """Return whether the key is an address that cosign reads, such as `awskms://…` or `k8s://…`."""
    return re.match(r"[a-z0-9]+://", key) is not None


def command_line(check: SignatureCheck, key: str, image: ImageRef, *, insecure: bool) -> tuple[str, ...]:
    """Return the command for an empty directory with the key. `key` is revealed; the options work with cosign 2 and 3."""
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
    """Return whether every signature that cosign verified names exactly this digest."""
    try:
        claims = json.loads(output)
        found = {claim["critical"]["image"]["docker-manifest-digest"] for claim in claims}
    except (ValueError, RecursionError, TypeError, KeyError):
        return False
    return found == {str(image.digest)}
