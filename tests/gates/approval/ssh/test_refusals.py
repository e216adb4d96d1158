"""Why a signature does not count: every refusal has its own code and its own message. A forged certificate is refused too."""

import base64
import hashlib
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from promoter.gates.approval.ssh.allowed_signers import LineFault, Signer, read_signers
from promoter.gates.approval.ssh.keys import check_signature, read_key
from promoter.gates.approval.ssh.revocation import read_revocations
from promoter.gates.approval.ssh.trust import Trust
from promoter.gates.approval.ssh.verify import Bad, Good, verify
from promoter.gates.approval.ssh.wire import Malformed, Reader, string
from promoter.model.verdict import ReasonCode
from tests.gates.approval.ssh.test_agreement import ANA, MESSAGE, SPACE, both, hardware

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY, SIGNATURE = hardware("sk-ssh-ed25519@openssh.com", 0x01)
OTHER, _ = hardware("sk-ssh-ed25519@openssh.com", 0x01)
PRINT = read_key(base64.b64decode(KEY.split()[1])).fingerprint
UNKNOWN, INVALID = ReasonCode.SIGNER_UNKNOWN, ReasonCode.SIGNATURE_INVALID


def evaluated(allowed: str, signature: str = SIGNATURE, revoked: bytes = b"", now: datetime = NOW) -> Good | Bad:
    return verify(MESSAGE, signature, ANA, Trust(read_signers(allowed, UTC)[0], read_revocations(revoked)), now)


LINES = {
    f"ben@example.com,eve@example.com {KEY}": (
        UNKNOWN,
        f"the key {PRINT} belongs to ben@example.com, eve@example.com, not to {ANA}",
    ),
    f'{ANA} namespaces="git,file" {KEY}': (UNKNOWN, f"the key of {ANA} may sign for git, file only, not for {SPACE}"),
    f'{ANA} valid-after="20260601120001Z" {KEY}': (UNKNOWN, f"the key of {ANA} is valid only after 2026-06-01 12:00:01 UTC"),
    f'{ANA} valid-before="20260601Z" {KEY}': (UNKNOWN, f"the key of {ANA} was valid until 2026-06-01 00:00:00 UTC"),
    f"{ANA} {OTHER}": (UNKNOWN, f"the key {PRINT} is not in the allowed_signers file"),
    # If several lines do not match, the message is about her own, at any position.
    f'ben@example.com {KEY}\n{ANA} namespaces="git" {KEY}': (UNKNOWN, f"the key of {ANA} may sign for git only, not for {SPACE}"),
    f'{ANA} namespaces="git" {KEY}\nben@example.com {KEY}': (UNKNOWN, f"the key of {ANA} may sign for git only, not for {SPACE}"),
    f"ben@example.com {KEY}\neve@example.com {KEY}": (UNKNOWN, f"the key {PRINT} belongs to ben@example.com, not to {ANA}"),
}


@pytest.mark.parametrize("allowed", LINES, ids=range(len(LINES)))
def test_a_line_that_does_not_apply_gives_the_reason(allowed: str) -> None:
    assert evaluated(allowed) == Bad(*LINES[allowed])


def test_a_revoked_key_is_refused() -> None:
    assert evaluated(f"{ANA} {KEY}", revoked=KEY.encode()) == Bad(ReasonCode.KEY_REVOKED, f"the key {PRINT} was revoked")


@pytest.mark.parametrize(("second", "expected"), [(-1, False), (0, True), (3599, True), (3600, False)])
def test_the_edges_of_a_key_s_time_are_not_laxer_than_ssh_keygen_s(tmp_path: Path, second: int, expected: bool) -> None:
    allowed = f'{ANA} valid-after="202606011200Z",valid-before="202606011300Z" {KEY}\n'
    ours, theirs = both(tmp_path, allowed, SIGNATURE, at=NOW + timedelta(seconds=second))
    assert ours is expected and (theirs or not ours)


# ---------------------------------------------------------------- certificates, made here so that they can contain false values
class Authority:
    def __init__(self) -> None:
        self.secret = ed25519.Ed25519PrivateKey.generate()
        self.blob = _blob(self.secret)
        self.text = f"ssh-ed25519 {base64.b64encode(self.blob).decode()}"

    def certify(self, body: bytes) -> bytes:
        return body + string(string(b"ssh-ed25519") + string(self.secret.sign(body)))


def armored(raw: bytes) -> str:
    return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(raw).decode()}\n-----END SSH SIGNATURE-----\n"


def _blob(secret: ed25519.Ed25519PrivateKey) -> bytes:
    raw = secret.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return string(b"ssh-ed25519") + string(raw)


def _seconds(at: datetime) -> bytes:
    return int(at.timestamp()).to_bytes(8, "big")


class CertificateChanges(TypedDict, total=False):
    """The fields of a certificate that differ from the usual ones."""

    kind: int
    principals: tuple[str, ...]
    critical: tuple[str, ...]
    flags: int


def certified(
    authority: Authority,
    *,
    signer: Authority | None = None,
    kind: int = 1,
    principals: tuple[str, ...] = (ANA,),
    after: datetime = NOW,
    before: datetime = NOW + timedelta(hours=1),
    critical: tuple[str, ...] = (),
    flags: int | None = None,
) -> str:
    """Return a signature over MESSAGE by a certified key. With `flags`, it is a hardware key."""
    secret = ed25519.Ed25519PrivateKey.generate()
    raw, name = _blob(secret)[len(string(b"ssh-ed25519")) :], b"ssh-ed25519-cert-v01@openssh.com"
    if flags is not None:
        raw, name = raw + string(b"ssh:"), b"sk-ssh-ed25519-cert-v01@openssh.com"
    options = b"".join(string(option.encode()) + string(b"") for option in critical)
    body = string(name) + string(bytes(32)) + raw + (7).to_bytes(8, "big") + kind.to_bytes(4, "big") + string(b"id")
    body += string(b"".join(string(one.encode()) for one in principals)) + _seconds(after) + _seconds(before)
    body += string(options) + string(b"") + string(b"") + string(authority.blob)
    blob = (signer or authority).certify(body)
    digest = hashlib.sha512(MESSAGE).digest()
    signed = b"SSHSIG" + string(SPACE.encode()) + string(b"") + string(b"sha512") + string(digest)
    made = string(b"ssh-ed25519") + string(secret.sign(signed))
    if flags is not None:
        output = bytes([flags]) + b"\0\0\0\x05"
        over = hashlib.sha256(b"ssh:").digest() + output + hashlib.sha256(signed).digest()
        made = string(b"sk-ssh-ed25519@openssh.com") + string(secret.sign(over)) + output
    whole = b"SSHSIG\0\0\0\x01" + string(blob) + string(SPACE.encode()) + string(b"") + string(b"sha512") + string(made)
    return armored(whole)


CERTIFICATES: dict[str, tuple[CertificateChanges, int, Bad | None]] = {
    "its first second": ({}, 0, None),
    "its last second": ({}, 3599, None),
    "too early": ({}, -1, Bad(UNKNOWN, "its certificate is not valid yet")),
    "too late": ({}, 3600, Bad(UNKNOWN, "its certificate is no longer valid")),
    "for hosts": ({"kind": 2}, 0, Bad(UNKNOWN, "its certificate is a host certificate, not a user certificate")),
    "for others": ({"principals": ("ben", "eve")}, 0, Bad(UNKNOWN, f"its certificate is for ben, eve, not for {ANA}")),
    "for nobody": ({"principals": ()}, 0, Bad(UNKNOWN, f"its certificate is for no one, not for {ANA}")),
    "strange": (
        {"critical": ("force-command",)},
        0,
        Bad(UNKNOWN, "its certificate has an unsupported critical option: 'force-command'"),
    ),
    "a known option and a strange one": (
        {"critical": ("verify-required", "x@example.com"), "flags": 0x05},
        0,
        Bad(UNKNOWN, "its certificate has an unsupported critical option: 'x@example.com'"),
    ),
    "touched and verified": ({"critical": ("verify-required",), "flags": 0x05}, 0, None),
    "touched by nobody knows whom": (
        {"critical": ("verify-required",), "flags": 0x01},
        0,
        Bad(INVALID, "the hardware key did not verify its user, which is required"),
    ),
    "touched, and that is enough": ({"flags": 0x01}, 0, None),
    "not touched": ({"flags": 0x04}, 0, Bad(INVALID, "the hardware key was not touched: user presence is required")),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_an_invalid_certificate_gives_the_reason(tmp_path: Path, case: str) -> None:
    changes, second, expected = CERTIFICATES[case]
    authority, now = Authority(), NOW + timedelta(seconds=second)
    signature, allowed = certified(authority, **changes), f"{ANA} cert-authority {authority.text}\n"
    found = evaluated(allowed, signature, now=now)
    assert isinstance(found, Good) if expected is None else found == expected
    ours, theirs = both(tmp_path, allowed, signature, at=now)
    assert theirs or not ours


def test_a_certificate_that_names_an_authority_which_never_signed_it_is_a_forgery(tmp_path: Path) -> None:
    authority, forger = Authority(), Authority()
    forged, allowed = certified(authority, signer=forger), f"{ANA} cert-authority {authority.text}\n"
    message = "its certificate was not signed by its authority: the signature does not match: other content, or another key"
    assert evaluated(allowed, forged) == Bad(INVALID, message)
    assert both(tmp_path, allowed, forged, at=NOW) == (False, False)


def test_an_authority_with_an_unsupported_key_type_is_refused() -> None:
    weak = Authority()
    weak.blob = string(b"ssh-dss") + string(b"x")
    line = Signer((ANA,), read_key(Authority().blob), cert_authority=True)
    signature = certified(weak)
    object.__setattr__(line.key, "blob", weak.blob)
    found = verify(MESSAGE, signature, ANA, Trust((line,)), NOW)
    message = "its certificate was not signed by its authority: unsupported key type 'ssh-dss'"
    assert found == Bad(INVALID, message)


def test_a_hardware_key_needs_no_proof_of_who_touched_it_unless_required() -> None:
    secret = ed25519.Ed25519PrivateKey.generate()
    key = read_key(string(b"sk-ssh-ed25519@openssh.com") + _blob(secret)[15:] + string(b"ssh:"))
    over = hashlib.sha256(b"ssh:").digest() + b"\x01\0\0\0\x05" + hashlib.sha256(MESSAGE).digest()
    made = string(b"sk-ssh-ed25519@openssh.com") + string(secret.sign(over)) + b"\x01\0\0\0\x05"
    assert check_signature(key, made, MESSAGE) is None
    assert check_signature(key, made, MESSAGE, verified=True) == "the hardware key did not verify its user, which is required"


# ---------------------------------------------------------------- lines of the approvers file
PERSON_AND_KEY = "write: PRINCIPAL ssh-ed25519 KEY"
KNOWN = 'known options: namespaces="…", valid-after="…", valid-before="…", cert-authority'
FAULTS = {
    f"*@example.com {KEY}": (
        "'*@example.com' is a pattern; name each person, because people are counted",
        "write one line for every person",
    ),
    f", {KEY}": ("this line has no principal", PERSON_AND_KEY),
    ANA: ("this line has no key", PERSON_AND_KEY),
    f"{ANA} cert-authority": ("this line has no key", PERSON_AND_KEY),
    f'"{ANA} {KEY}': ("unclosed quotation mark", None),
    f"{ANA} ssh-ed25519 !": ("cannot read this key: it is not base64", "copy the line of the .pub file"),
    f"{ANA} ssh-ed25519 AAAA": ("cannot read this key: it ends too early", "copy the line of the .pub file"),
    f"{ANA} ssh-rsa {KEY.split()[1]}": ("this is not a key of type ssh-rsa", "copy the line of the .pub file"),
    f"{ANA} shiny {KEY}": ("'shiny' is not a valid option", KNOWN),
    f'{ANA} shiny="x" {KEY}': ("'shiny' is not a valid option", KNOWN),
    f"{ANA} namespaces {KEY}": ("'namespaces' is not a valid option", KNOWN),
    f'{ANA} namespaces="" {KEY}': ("'namespaces' is not a valid option", KNOWN),
    f'{ANA} cert-authority="x" {KEY}': ("'cert-authority' is not a valid option", KNOWN),
    f"{ANA} namespaces=git {KEY}": ("'namespaces=git' is not a valid option", KNOWN),
    f'{ANA} valid-after="soon" {KEY}': ("'soon' is not a time", "write YYYYMMDD or YYYYMMDDHHMM[SS], with a Z for UTC"),
    f'{ANA} valid-after="20260230" {KEY}': ("'20260230' is not a time", "write YYYYMMDD or YYYYMMDDHHMM[SS], with a Z for UTC"),
    f"{ANA} cert-authority,cert-authority {KEY}": ("duplicate option cert-authority", None),
}


@pytest.mark.parametrize("line", FAULTS, ids=range(len(FAULTS)))
def test_an_invalid_line_gives_position_problem_and_hint(line: str) -> None:
    signers, faults = read_signers(f"# a comment\n\n  {line}\nben@example.com {OTHER}\n")
    assert faults == (LineFault(3, 3, *FAULTS[line]),)
    assert [signer.principals for signer in signers] == [("ben@example.com",)]


def test_a_good_line_is_taken_whole_and_shown_whole() -> None:
    text = (
        f'ana,ben namespaces="promoter-*,git",valid-after="20260101Z",valid-before="202701021504",cert-authority {KEY} her laptop'
    )
    signers, faults = read_signers(text, UTC)
    assert not faults
    assert signers[0].document() == {
        "principals": ["ana", "ben"],
        "key": PRINT,
        "namespaces": ["promoter-*", "git"],
        "valid_after": "2026-01-01T00:00:00+00:00",
        "valid_before": "2027-01-02T15:04:00+00:00",
        "cert_authority": True,
    }
    plain = read_signers(f"ana {KEY}")[0][0].document()
    assert (plain["namespaces"], plain["valid_after"], plain["valid_before"], plain["cert_authority"]) == (
        None,
        None,
        None,
        False,
    )


@pytest.mark.parametrize(("text", "utc"), [("202601011200", "06:15"), ("202601011200Z", "12:00"), ("20260101", "18:15")])
def test_a_time_without_a_z_is_of_the_zone(text: str, utc: str) -> None:
    for name in ("valid-after", "valid-before"):
        line = read_signers(f'ana {name}="{text}" {KEY}', ZoneInfo("Asia/Kathmandu"))[0][0]
        at = line.after or line.before
        assert at is not None and f"{at.astimezone(UTC):%H:%M}" == utc


def test_a_time_without_a_z_is_of_this_machine_when_no_zone_is_given() -> None:
    at = read_signers(f'ana valid-after="202601011200" {KEY}')[0][0].after
    assert at is not None and at.tzinfo is not None and at.timestamp() == time.mktime((2026, 1, 1, 12, 0, 0, 0, 0, -1))


NAMESPACES = {
    "promoter-approval": True,
    "promoter-*": True,
    "*": True,
    "**l": True,
    "promoter?approval": True,
    "promoter-approva?": True,
    "promoter-approval?": False,
    "promoter.approval": False,
    "Promoter-approval": False,
    "git": False,
    "*,!git": True,
    "!*": False,
    "*,!promoter-*": False,
    "!promoter-approval": False,
}


@pytest.mark.parametrize("pattern", NAMESPACES)
def test_patterns_of_namespaces_mean_the_same_to_both(tmp_path: Path, pattern: str) -> None:
    expected = NAMESPACES[pattern]
    ours, theirs = both(tmp_path, f'{ANA} namespaces="{pattern}" {KEY}\n', SIGNATURE)
    assert ours is expected and (theirs or not ours)


# ---------------------------------------------------------------- integers in the wire format
@pytest.mark.parametrize(
    ("data", "value"),
    [(b"", 0), (b"\x01", 1), (b"\x7f", 127), (b"\0\x80", 128), (b"\0\x80\0", 32768), (b"\0\x80\x01", 32769), (b"\x01\x02", 258)],
)
def test_numbers_in_their_shortest_form_are_read(data: bytes, value: int) -> None:
    assert Reader(string(data)).mpint() == value


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"\0", "shortest"), (b"\0\x7f", "shortest"), (b"\0\x01\xff", "shortest"), (b"\x80", "negative"), (b"\xff\x01", "negative")],
)
def test_other_forms_of_numbers_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        Reader(string(data)).mpint()


# ---------------------------------------------------------------- RSA, which ssh-keygen signs with one hash only
@pytest.mark.parametrize(
    ("algorithm", "hash_", "message"),
    [
        (b"rsa-sha2-256", hashes.SHA256(), None),
        (b"rsa-sha2-512", hashes.SHA512(), None),
        (b"rsa-sha2-256", hashes.SHA512(), "the signature does not match: other content, or another key"),
        (b"ssh-rsa", hashes.SHA1(), "unsupported signature algorithm 'ssh-rsa': expected rsa-sha2-256 or rsa-sha2-512"),
    ],
)
def test_rsa_signs_with_sha_2(algorithm: bytes, hash_: hashes.HashAlgorithm, message: str | None) -> None:
    secret = rsa.generate_private_key(65537, 2048)
    numbers = secret.public_key().public_numbers()
    fields = b"".join(string(n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (numbers.e, numbers.n))
    key = read_key(string(b"ssh-rsa") + fields)
    made = string(algorithm) + string(secret.sign(MESSAGE, padding.PKCS1v15(), hash_))
    assert check_signature(key, made, MESSAGE) == message


def test_a_quotation_mark_ends_at_the_next_one() -> None:
    (line,), _ = read_signers(f'"ana" namespaces="git" {KEY}')
    assert (line.principals, line.namespaces) == (("ana",), ("git",))


# ---------------------------------------------------------------- messages about an invalid armor
WHOLE = base64.b64decode("".join(SIGNATURE.split("\n")[1:-2]))
BLOB = string(base64.b64decode(KEY.split()[1]))
TAIL = string(SPACE.encode()) + string(b"") + string(b"sha512") + string(b"x")
ARMORS = {
    "expected text between BEGIN and END SSH SIGNATURE": "nothing",
    "it is not base64": SIGNATURE.replace(SIGNATURE.split("\n")[1][:4], "=AAA", 1),
    "its base64 is not in canonical form": "-----BEGIN SSH SIGNATURE-----\nAB==\n-----END SSH SIGNATURE-----\n",
    "it is not an SSH signature": armored(b"SSHSIX" + WHOLE[6:]),
    "unsupported version 2": armored(b"SSHSIG\0\0\0\x02" + WHOLE[10:]),
    "its reserved part is not empty": armored(WHOLE[:10] + BLOB + TAIL.replace(string(b""), string(b"x"), 1)),
    "unsupported hash algorithm 'sha1'": armored(WHOLE[:10] + BLOB + TAIL.replace(string(b"sha512"), string(b"sha1"), 1)),
    "it has extra bytes after its end": armored(WHOLE + b"\0"),
    "it ends too early": armored(WHOLE[:-1]),
    "a text in it is not UTF-8": armored(WHOLE[:10] + BLOB + string(b"\xff") + TAIL[len(string(SPACE.encode())) :]),
    "its curve does not match its key type": armored(
        WHOLE[:10] + string(string(b"ecdsa-sha2-nistp256") + string(b"nistp384")) + TAIL
    ),
    "its point is not in uncompressed form": armored(
        WHOLE[:10] + string(string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\x02" + b"k" * 32)) + TAIL
    ),
    "it is longer than 64 KiB": SIGNATURE + "\n" * 65_536,
}


@pytest.mark.parametrize("sentence", ARMORS)
def test_an_invalid_armor_gives_the_reason(sentence: str) -> None:
    assert evaluated(f"{ANA} {KEY}", ARMORS[sentence]) == Bad(INVALID, f"cannot read its signature: {sentence}")
