"""The verifier and the real ssh-keygen, in both directions: it accepts what ssh-keygen accepts, and is never more tolerant."""

import base64
import hashlib
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from promoter.gates.approval.ssh.allowed_signers import read_signers
from promoter.gates.approval.ssh.revocation import read_revocations
from promoter.gates.approval.ssh.trust import Trust
from promoter.gates.approval.ssh.verify import Bad, Good, verify
from promoter.gates.approval.ssh.wire import string

pytestmark = pytest.mark.process

MESSAGE, SPACE, ANA = b'{"a":"statement"}', "promoter-approval", "ana@example.com"
KINDS = {
    "ed25519": ["-t", "ed25519"],
    "p256": ["-t", "ecdsa", "-b", "256"],
    "p384": ["-t", "ecdsa", "-b", "384"],
    "p521": ["-t", "ecdsa", "-b", "521"],
    "rsa": ["-t", "rsa", "-b", "2048"],
    "rsa-short": ["-t", "rsa", "-b", "1024"],
    "other": ["-t", "ed25519"],
    "authority": ["-t", "ed25519"],
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    for name, options in KINDS.items():
        subprocess.run(["ssh-keygen", "-q", *options, "-N", "", "-C", name, "-f", made / name], check=True)
    return made


def public(directory: Path, name: str) -> str:
    return " ".join((directory / f"{name}.pub").read_text().split()[:2])


def sign(directory: Path, key: str, message: bytes = MESSAGE, space: str = SPACE, hash_: str = "sha512") -> str:
    command = ["ssh-keygen", "-Y", "sign", "-f", str(directory / key), "-n", space, "-O", f"hashalg={hash_}"]
    return subprocess.run(command, input=message, capture_output=True, check=True).stdout.decode()


def certify(directory: Path, key: str, name: str, *options: str, principals: str = ANA) -> None:
    """Make a certificate NAME-cert.pub for a copy of `key`, signed by the authority."""
    for end in ("", ".pub"):
        (directory / f"{name}{end}").write_bytes((directory / f"{key}{end}").read_bytes())
    (directory / name).chmod(0o600)
    named = ["-n", principals] if principals else []
    command = ["ssh-keygen", "-q", "-s", directory / "authority", "-I", f"id-{name}", *named, *options, directory / f"{name}.pub"]
    subprocess.run(command, check=True, capture_output=True)


def theirs(tmp: Path, allowed: str, signature: str, message: bytes, principal: str, revoked: bytes, at: datetime | None) -> bool:
    (tmp / "allowed").write_text(allowed)
    (tmp / "sig").write_text(signature)
    (tmp / "revoked").write_bytes(revoked)
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", principal, "-n", SPACE, "-s", "sig"]
    command += ["-r", "revoked"] if revoked else []
    command += ["-O", f"verify-time={at:%Y%m%d%H%M%S}"] if at else []
    done = subprocess.run(command, cwd=tmp, input=message, capture_output=True, check=False, env={**os.environ, "TZ": "UTC"})
    return done.returncode == 0


def ours(allowed: str, signature: str, message: bytes, principal: str, revoked: bytes, at: datetime | None) -> bool:
    signers, _ = read_signers(allowed, UTC)
    trust = Trust(signers, read_revocations(revoked))
    return isinstance(verify(message, signature, principal, trust, at or datetime.now(UTC)), Good)


def both(
    tmp: Path,
    allowed: str,
    signature: str,
    message: bytes = MESSAGE,
    principal: str = ANA,
    revoked: bytes = b"",
    at: datetime | None = None,
) -> tuple[bool, bool]:
    found = ours(allowed, signature, message, principal, revoked, at)
    return found, theirs(tmp, allowed, signature, message, principal, revoked, at)


@pytest.mark.parametrize("hash_", ["sha256", "sha512"])
@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "p521", "rsa"])
def test_every_kind_of_key_is_taken_by_both(directory, tmp_path, kind, hash_):
    signature = sign(directory, kind, hash_=hash_)
    assert both(tmp_path, f"{ANA} {public(directory, kind)}\n", signature) == (True, True)


@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "p521", "rsa"])
def test_one_changed_byte_is_refused_by_both(directory, tmp_path, kind):
    signature = sign(directory, kind)
    assert both(tmp_path, f"{ANA} {public(directory, kind)}\n", signature, MESSAGE + b"\r") == (False, False)


LINES = {
    "plain": ("{ana} {key}", True),
    "two people on a line": ("ben@example.com,{ana} {key}", True),
    "in quotation marks": ('"{ana}" {key}', True),
    "another person": ("ben@example.com {key}", False),
    "part of the name": ("ana@example.co {key}", False),
    "another key": ("{ana} {other}", False),
    "for this namespace": ('{ana} namespaces="promoter-approval" {key}', True),
    "for two namespaces": ('{ana} namespaces="git,promoter-approval" {key}', True),
    "for a pattern of namespaces": ('{ana} namespaces="promoter-*" {key}', True),
    "for git only": ('{ana} namespaces="git" {key}', False),
    "in capitals": ('{ana} NAMESPACES="git" {key}', False),
    "valid since": ('{ana} valid-after="20200101Z" {key}', True),
    "valid later": ('{ana} valid-after="20900101Z" {key}', False),
    "valid still": ('{ana} valid-before="20900101Z" {key}', True),
    "valid no longer": ('{ana} valid-before="20200101Z" {key}', False),
    "valid in between": ('{ana} valid-after="20200101000000",valid-before="209001010000" {key}', True),
    "an authority for plain keys": ("{ana} cert-authority {key}", False),
    "an unknown option": ("{ana} shiny {key}", False),
    "a broken option": ('{ana} valid-after="soon" {key}', False),
    "no key": ("{ana}", False),
    "a comment": ("# {ana} {key}", False),
    "nobody": ("", False),
    "the second line": ("{ana} {other}\n{ana} {key}", True),
    "the other kind's name": ("{ana} ssh-rsa {bare}", False),
}


@pytest.mark.parametrize("line", LINES)
def test_lines_of_allowed_signers_mean_the_same_to_both(directory, tmp_path, line):
    text, expected = LINES[line]
    key = public(directory, "ed25519")
    allowed = text.format(ana=ANA, key=key, bare=key.split()[1], other=public(directory, "other")) + "\n"
    assert both(tmp_path, allowed, sign(directory, "ed25519")) == (expected, expected)


def test_patterns_are_taken_by_ssh_keygen_and_not_by_us(directory, tmp_path):
    assert both(tmp_path, f"*@example.com {public(directory, 'ed25519')}\n", sign(directory, "ed25519")) == (False, True)


def test_another_namespace_is_refused_by_both(directory, tmp_path):
    allowed = f"{ANA} {public(directory, 'ed25519')}\n"
    assert both(tmp_path, allowed, sign(directory, "ed25519", space="git")) == (False, False)


def test_short_rsa_is_refused(directory, tmp_path):
    _, faults = read_signers(f"{ANA} {public(directory, 'rsa-short')}\n")
    assert "1024 bits is too short" in faults[0].message


CERTIFICATES = {
    "for her": ((), ANA, "{ana} cert-authority {authority}", True),
    "for her among others": ((), f"x@example.com,{ANA}", "{ana} cert-authority {authority}", True),
    "for somebody else": ((), "ben@example.com", "{ana} cert-authority {authority}", False),
    "for nobody in particular": ((), "", "{ana} cert-authority {authority}", False),
    "of a plain key": ((), ANA, "{ana} {authority}", False),
    "of another authority": ((), ANA, "{ana} cert-authority {other}", False),
    "her own key allowed": ((), ANA, "{ana} {key}", False),
    "expired": (("-V", "20200101:20200102"), ANA, "{ana} cert-authority {authority}", False),
    "not yet valid": (("-V", "20900101:20900102"), ANA, "{ana} cert-authority {authority}", False),
    "valid now": (("-V", "20200101:20900102"), ANA, "{ana} cert-authority {authority}", True),
    "for hosts": (("-h",), ANA, "{ana} cert-authority {authority}", False),
    "authority for git only": ((), ANA, '{ana} cert-authority,namespaces="git" {authority}', False),
    "authority no longer": ((), ANA, '{ana} cert-authority,valid-before="20200101Z" {authority}', False),
}


@pytest.mark.parametrize("kind", ["ed25519", "p256", "rsa"])
@pytest.mark.parametrize("case", CERTIFICATES)
def test_certificates_mean_the_same_to_both(directory, tmp_path, case, kind):
    options, principals, line, expected = CERTIFICATES[case]
    name = f"{kind}-{case.replace(' ', '-')}"
    certify(directory, kind, name, *options, principals=principals)
    allowed = line.format(
        ana=ANA, key=public(directory, kind), other=public(directory, "other"), authority=public(directory, "authority")
    )
    signature = sign(directory, f"{name}-cert.pub")
    assert both(tmp_path, f"{allowed}\n", signature) == (expected, expected)


def test_a_certificate_with_a_strange_critical_option_is_refused_by_us(directory, tmp_path):
    certify(directory, "ed25519", "strange", "-O", "critical:thing@example.com=x")
    allowed = f"{ANA} cert-authority {public(directory, 'authority')}\n"
    assert both(tmp_path, allowed, sign(directory, "strange-cert.pub"))[0] is False


def krl(directory: Path, tmp: Path, *what: str, authority: bool = False) -> bytes:
    command = [
        "ssh-keygen",
        "-q",
        "-k",
        "-f",
        str(tmp / "krl"),
        *(["-s", str(directory / "authority.pub")] if authority else []),
        *what,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return (tmp / "krl").read_bytes()


@pytest.mark.parametrize("form", ["list", "krl", "sha1", "sha256"])
@pytest.mark.parametrize("key", ["ed25519", "other"])
def test_revoked_keys_are_refused_by_both(directory, tmp_path, form, key):
    text = public(directory, key)
    if form == "list":
        revoked = f"{text}\n".encode()
    elif form == "krl":
        revoked = krl(directory, tmp_path, str(directory / f"{key}.pub"))
    else:
        (tmp_path / "spec").write_text(f"{form}: {text}\n")
        revoked = krl(directory, tmp_path, str(tmp_path / "spec"))
    expected = key == "other"
    assert both(tmp_path, f"{ANA} {public(directory, 'ed25519')}\n", sign(directory, "ed25519"), revoked=revoked) == (
        expected,
        expected,
    )


SPECS = {
    "serial: 7": False,
    "serial: 8": True,
    "serial: 5-9": False,
    "serial: 8-9": True,
    "id: id-numbered": False,
    "id: other": True,
    "serial: 1\nserial: 3\nserial: 5\nserial: 7\nserial: 9\nserial: 11": False,
    "serial: 1\nserial: 3\nserial: 5\nserial: 9\nserial: 11\nserial: 12": True,
}


@pytest.mark.parametrize("spec", SPECS)
def test_revoked_certificates_are_refused_by_both(directory, tmp_path, spec):
    certify(directory, "ed25519", "numbered", "-z", "7")
    (tmp_path / "spec").write_text(f"{spec}\n")
    revoked = krl(directory, tmp_path, str(tmp_path / "spec"), authority=True)
    allowed = f"{ANA} cert-authority {public(directory, 'authority')}\n"
    expected = SPECS[spec]
    assert both(tmp_path, allowed, sign(directory, "numbered-cert.pub"), revoked=revoked) == (expected, expected)


def test_a_revoked_authority_takes_its_certificates_along(directory, tmp_path):
    certify(directory, "ed25519", "orphan")
    allowed = f"{ANA} cert-authority {public(directory, 'authority')}\n"
    revoked = krl(directory, tmp_path, str(directory / "authority.pub"))
    assert both(tmp_path, allowed, sign(directory, "orphan-cert.pub"), revoked=revoked) == (False, False)


@pytest.mark.parametrize(("hour", "expected"), [(11, False), (13, True), (15, False)])
def test_both_evaluate_times_equally(directory, tmp_path, hour, expected):
    allowed = f'{ANA} valid-after="202606011200Z",valid-before="202606011400Z" {public(directory, "ed25519")}\n'
    at = datetime(2026, 6, 1, hour, tzinfo=UTC)
    assert both(tmp_path, allowed, sign(directory, "ed25519"), at=at) == (expected, expected)


# ---------------------------------------------------------------- hardware keys, simulated in software
def hardware(kind: str, flags: int, application: bytes = b"ssh:") -> tuple[str, str]:
    """Return a public key and a signature over MESSAGE, as a token makes them."""
    digest = hashlib.sha512(MESSAGE).digest()
    signed = b"SSHSIG" + string(SPACE.encode()) + string(b"") + string(b"sha512") + string(digest)
    data = hashlib.sha256(application).digest() + bytes([flags]) + b"\0\0\0\x05" + hashlib.sha256(signed).digest()
    if kind == "sk-ssh-ed25519@openssh.com":
        key = ed25519.Ed25519PrivateKey.generate()
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        blob, value = string(kind.encode()) + string(raw) + string(application), key.sign(data)
    else:
        secret = ec.generate_private_key(ec.SECP256R1())
        point = secret.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        blob = string(kind.encode()) + string(b"nistp256") + string(point) + string(application)
        r, s = utils.decode_dss_signature(secret.sign(data, ec.ECDSA(hashes.SHA256())))
        value = b"".join(string(n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (r, s))
    raw_signature = string(kind.encode()) + string(value) + bytes([flags]) + b"\0\0\0\x05"
    whole = b"SSHSIG\0\0\0\x01" + string(blob) + string(SPACE.encode()) + string(b"") + string(b"sha512") + string(raw_signature)
    text = base64.b64encode(whole).decode()
    lines = "\n".join(text[i : i + 70] for i in range(0, len(text), 70))
    armored = f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n"
    return f"{kind} {base64.b64encode(blob).decode()}", armored


@pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])
def test_hardware_keys_that_were_touched_are_accepted_by_both(tmp_path, kind):
    key, signature = hardware(kind, 0x01)
    assert both(tmp_path, f"{ANA} {key}\n", signature) == (True, True)
    assert both(tmp_path, f"{ANA} {key}\n", signature, MESSAGE + b" ") == (False, False)


@pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])
def test_hardware_keys_without_user_presence_are_refused(tmp_path, kind):
    """ssh-keygen accepts them, because sshd checks user presence. Here only promoter can check it."""
    key, signature = hardware(kind, 0x00)
    assert both(tmp_path, f"{ANA} {key}\n", signature) == (False, True)
    found = verify(MESSAGE, signature, ANA, Trust(read_signers(f"{ANA} {key}\n")[0]), datetime.now(UTC))
    assert isinstance(found, Bad) and "user presence" in found.sentence
