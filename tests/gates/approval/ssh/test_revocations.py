"""Lists of revoked keys: every form is read completely, or is an error."""

import base64
import hashlib

import pytest

from promoter.gates.approval.ssh.keys import read_key
from promoter.gates.approval.ssh.revocation import OfAuthority, Revocations, read_revocations
from promoter.gates.approval.ssh.wire import string
from tests.gates.approval.ssh.test_agreement import hardware

KEY, OTHER = (hardware("sk-ssh-ed25519@openssh.com", 0x01)[0] for _ in range(2))
BLOB, SECOND = (base64.b64decode(text.split()[1]) for text in (KEY, OTHER))
PRINT = "SHA256:" + base64.b64encode(hashlib.sha256(BLOB).digest()).decode()


@pytest.mark.parametrize(
    "text", [KEY, f"{KEY} her laptop", PRINT, PRINT.rstrip("="), f"{PRINT.rstrip('=')} lost in May"], ids=range(5)
)
def test_a_line_holds_a_key_or_its_fingerprint(text: str) -> None:
    for lines in (text, f"# lost\n\n  # more\n{text}\n", f"{OTHER}\n{text}", f"{text}\n{OTHER}\n"):
        found = read_revocations(lines.encode())
        assert found.hold(read_key(BLOB)) and found.hold(read_key(SECOND)) is (OTHER in lines)


@pytest.mark.parametrize(
    "line",
    [
        b"ssh-ed25519",
        b"nonsense",
        PRINT[:-3].encode(),
        PRINT.encode()[:-1] + b"A=",
        f"sha256:{PRINT[7:]}".encode(),
        b"SHA256:!" + PRINT.encode(),
        f"ssh-ed25519 {KEY.split()[1]}!".encode(),
        b"\xff\xfe " + KEY.split()[1].encode() + b"\xff",
        b"SHA256:",
    ],
    ids=range(9),
)
def test_a_line_that_is_no_key_and_no_fingerprint_raises_with_its_number(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"^line 3 is neither a public key nor a SHA256: fingerprint$"):
        read_revocations(b"# a comment\n" + KEY.encode() + b"\n" + line + b"\n")


def test_an_empty_list_revokes_nothing() -> None:
    assert not read_revocations(b"# nobody yet\n").hold(read_key(BLOB))


HEAD = b"SSHKRL\n\0" + b"\0\0\0\x01" + bytes(24) + string(b"") + string(b"")


def of_authority(authority: bytes, *parts: tuple[int, bytes]) -> bytes:
    body = string(authority) + string(b"") + b"".join(bytes([kind]) + string(part) for kind, part in parts)
    return HEAD + b"\x01" + string(body)


def number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def test_a_binary_list_is_read_section_by_section() -> None:
    data = of_authority(
        b"CA",
        (0x20, number(3) + number(5)),
        (0x21, number(7) + number(9)),
        (0x22, number(20) + string(b"\x05")),
        (0x23, string(b"ana") + string(b"ben")),
    )
    data += b"\x02" + string(string(BLOB)) + b"\x03" + string(string(b"1" * 20)) + b"\x05" + string(string(b"2" * 32))
    certificates = OfAuthority(b"CA", ((3, 3), (5, 5), (7, 9)), ((20, 5),), frozenset({"ana", "ben"}))
    found = read_revocations(data)
    assert found == Revocations(frozenset({BLOB}), frozenset({b"1" * 20}), frozenset({b"2" * 32}), (certificates,))
    serials = [serial for serial in range(30) if certificates.holds(serial, "eve")]
    assert serials == [3, 5, 7, 8, 9, 20, 22]
    assert certificates.holds(1, "ana")


def test_certificates_of_any_authority_are_those_of_every_one() -> None:
    assert read_revocations(of_authority(b"", (0x20, number(3)))).certificates[0].authority is None


@pytest.mark.parametrize(
    "part", [(0x21, number(7)), (0x21, number(7) * 3), (0x22, number(1)), (0x24, b""), (0x20, b"1234"), (0x23, string(b"\xff"))]
)
def test_a_part_that_cannot_be_read_whole_is_an_error(part: tuple[int, bytes]) -> None:
    with pytest.raises(ValueError, match=r"^cannot read this revocation list: "):
        read_revocations(of_authority(b"CA", part))


def test_the_policy_digest_sees_every_key_and_no_order() -> None:
    one, two = read_revocations(f"{KEY}\n{OTHER}\n{PRINT}\n".encode()), read_revocations(f"{PRINT}\n{OTHER}\n{KEY}\n".encode())
    assert one.document() == two.document() == [*sorted([BLOB.hex(), SECOND.hex()]), hashlib.sha256(BLOB).hexdigest()]
    parts = [(0x20, number(3)), (0x21, number(7) + number(9)), (0x22, number(20) + string(b"\x05")), (0x23, string(b"ana"))]
    whole = read_revocations(of_authority(b"CA", *parts)).document()
    assert len(whole) == 1
    others = [of_authority(b"CB", *parts), *(of_authority(b"CA", *parts[:n], *parts[n + 1 :]) for n in range(4))]
    assert all(read_revocations(other).document() != whole for other in others)
    names = [of_authority(b"CA", (0x23, string(a) + string(b))) for a, b in ((b"ana", b"ben"), (b"ben", b"ana"))]
    assert read_revocations(names[0]).document() == read_revocations(names[1]).document()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (HEAD.replace(b"\0\0\0\x01", b"\0\0\0\x02", 1), "unsupported version"),
        (HEAD + b"\x04" + string(b""), "unsupported section type 4"),
        (HEAD + b"\x03" + string(string(b"short")), "a fingerprint in it has a wrong length"),
        (of_authority(b"CA", (0x24, b"")), "unsupported certificate section type 36"),
        (HEAD[:-1], "it ends too early"),
    ],
    ids=range(5),
)
def test_an_invalid_binary_list_gives_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^cannot read this revocation list: {message}$"):
        read_revocations(data)
