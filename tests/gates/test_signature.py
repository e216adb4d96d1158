"""Signatures: who may have signed, the arguments of cosign, and what its answer proves."""

import json
import re

import pytest
from pydantic import ValidationError

from promoter.gates.signature import Identity, SignatureCheck, command_line, proves
from promoter.model.images import Digest, ImageRef, Repository
from tests.gates.reports import cosign

IMAGE = ImageRef(Repository("registry.example.com", "shop/web"), Digest("a" * 64))
OTHER = ImageRef(IMAGE.repository, Digest("b" * 64))
PEM = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
WHO = {"subject": "ci@example.com", "issuer": "https://issuer.example.com"}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "expected one of `key` and `identity`"),
        ({"key": PEM, "identity": WHO}, "expected one of `key` and `identity`"),
        ({"identity": {"subject": "a"}}, "one of `issuer`"),
        ({"identity": {"issuer": "a"}}, "one of `subject`"),
        ({"identity": {**WHO, "subject_regexp": "^a$"}}, "one of `subject`"),
        ({"identity": {"subject": "a", "issuer_regexp": "("}}, "not a regular expression"),
        ({"identity": {"subject": "a", "issuer_regexp": ".*"}}, "matches anyone"),
        ({"identity": {"subject": "a", "issuer_regexp": "x?"}}, "matches anyone"),
        ({"identity": {"subject_regexp": "^.+$", "issuer": "a"}}, "matches anyone"),
        ({"identity": {"subject_regexp": "ci@example.com|.*", "issuer": "a"}}, "matches anyone"),
        ({"identity": WHO, "transparency_log": False}, "the transparency log must prove"),
    ],
)
def test_a_signature_by_anybody_is_refused(fields: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(why)):
        SignatureCheck.model_validate(fields)


def test_a_key_uses_the_transparency_log_only_if_set_and_an_identity_always() -> None:
    assert "--insecure-ignore-tlog=true" in command_line(SignatureCheck(key=PEM), PEM, IMAGE, insecure=False)
    logged = SignatureCheck(key=PEM, transparency_log=True)
    assert "--insecure-ignore-tlog=true" not in command_line(logged, PEM, IMAGE, insecure=False)
    identity = SignatureCheck(identity=Identity.model_validate(WHO))
    assert command_line(identity, "", IMAGE, insecure=False) == (
        "cosign",
        "verify",
        "--output",
        "json",
        "--certificate-identity",
        "ci@example.com",
        "--certificate-oidc-issuer",
        "https://issuer.example.com",
        str(IMAGE),
    )


def test_a_regular_expression_must_fit_the_whole() -> None:
    check = SignatureCheck(identity=Identity(subject_regexp="a|b", issuer_regexp="^c$"))
    words = command_line(check, "", IMAGE, insecure=False)
    assert words[words.index("--certificate-identity-regexp") + 1] == "^(?:a|b)$"
    assert words[words.index("--certificate-oidc-issuer-regexp") + 1] == "^(?:^c$)$"


def test_a_key_is_a_file_and_an_address_stays() -> None:
    assert command_line(SignatureCheck(key=PEM), PEM, IMAGE, insecure=False)[4:6] == ("--key", "cosign.pub")
    kms = "awskms:///alias/release"
    words = command_line(SignatureCheck(key=kms), kms, IMAGE, insecure=True)
    assert words[4:6] == ("--key", kms)
    assert {"--allow-http-registry", "--allow-insecure-registry"} <= set(words)
    assert "--allow-http-registry" not in command_line(SignatureCheck(key=kms), kms, IMAGE, insecure=False)


@pytest.mark.parametrize(
    ("output", "proof"),
    [
        (cosign(IMAGE), True),
        (cosign(IMAGE, signatures=3), True),
        (cosign(OTHER), False),
        (json.dumps(json.loads(cosign(IMAGE)) + json.loads(cosign(OTHER))), False),
        ("[]", False),
        ("", False),
        ("{}", False),
        ("null", False),
        ("[null]", False),
        ('[{"critical": {}}]', False),
        (cosign(IMAGE)[:-1], False),
    ],
)
def test_only_claims_about_the_very_digest_prove_anything(output: str, proof: bool) -> None:
    assert proves(output.encode(), IMAGE) is proof


def test_titles_name_the_signer() -> None:
    assert re.fullmatch("signature of all services with key [0-9a-f]{12}", SignatureCheck(key=PEM).title())
    assert SignatureCheck(key="{{ secret('COSIGN_PUB') }}").title() == "signature of all services with key secret COSIGN_PUB"
    check = SignatureCheck(service=("web", "api"), identity=Identity.model_validate(WHO))
    assert check.title() == "signature of web, api by ci@example.com, as https://issuer.example.com says"
