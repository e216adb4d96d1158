"""Where the verifier must be strict: forms that OpenSSH refuses too, and bytes that no key signed."""

import base64
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoter.gates.approval.ssh.allowed_signers import read_signers
from promoter.gates.approval.ssh.keys import read_key
from promoter.gates.approval.ssh.revocation import OfAuthority, read_revocations
from promoter.gates.approval.ssh.trust import Trust
from promoter.gates.approval.ssh.verify import Bad, Good, verify
from promoter.gates.approval.ssh.wire import Malformed, string
from promoter.model.verdict import ReasonCode
from tests.gates.approval.ssh.test_agreement import ANA, MESSAGE, both, hardware

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY, SIGNATURE = hardware("sk-ssh-ed25519@openssh.com", 0x01)
TRUST = Trust(read_signers(f"{ANA} {KEY}\n")[0])

LINES = {
    "a negated namespace": '{ana} namespaces="*,!promoter-approval" {key}',
    "a class of characters": '{ana} namespaces="promoter-[a]pproval" {key}',
    "a value without quotation marks": "{ana} namespaces=promoter-approval {key}",
    "a comma at the end of the options": '{ana} namespaces="promoter-approval", {key}',
    "a time of ten digits": '{ana} valid-after="2020010112" {key}',
    "another blank than ASCII's": "{ana}\u00a0{key}",
}


@pytest.mark.parametrize("line", LINES)
def test_lines_that_openssh_refuses_are_refused(tmp_path: Path, line: str) -> None:
    allowed = LINES[line].format(ana=ANA, key=KEY) + "\n"
    assert both(tmp_path, allowed, SIGNATURE) == (False, False)


def test_the_very_signature_is_good() -> None:
    assert isinstance(verify(MESSAGE, SIGNATURE, ANA, TRUST, NOW), Good)


@given(position=st.integers(0, len(SIGNATURE) - 1), bit=st.integers(0, 6))
@settings(max_examples=300)
def test_no_flipped_bit_of_the_armor_verifies(position: int, bit: int) -> None:
    flipped = SIGNATURE[:position] + chr(ord(SIGNATURE[position]) ^ 1 << bit) + SIGNATURE[position + 1 :]
    assert isinstance(verify(MESSAGE, flipped, ANA, TRUST, NOW), Bad)


@given(position=st.integers(0, len(MESSAGE) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_of_the_message_verifies(position: int, bit: int) -> None:
    flipped = MESSAGE[:position] + bytes([MESSAGE[position] ^ 1 << bit]) + MESSAGE[position + 1 :]
    assert isinstance(verify(flipped, SIGNATURE, ANA, TRUST, NOW), Bad)


@given(st.data())
@settings(max_examples=300)
def test_no_flipped_bit_of_the_envelope_verifies(data: st.DataObject) -> None:
    raw = bytearray(base64.b64decode("".join(SIGNATURE.split("\n")[1:-2])))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= 1 << data.draw(st.integers(0, 7))
    assert isinstance(verify(MESSAGE, armor(bytes(raw)), ANA, TRUST, NOW), Bad)


@given(text=st.text(max_size=300), raw=st.binary(max_size=300))
@settings(max_examples=300)
def test_nothing_raises(text: str, raw: bytes) -> None:
    for armored in (text, armor(raw), armor(b"SSHSIG\0\0\0\x01" + raw), armor(b"SSHSIG\0\0\0\x01" + string(raw) + raw)):
        assert isinstance(verify(MESSAGE, armored, text, TRUST, NOW), Bad)
    read_signers(text)


def test_a_long_signature_is_not_read() -> None:
    found = verify(MESSAGE, SIGNATURE + "\n" * 70_000, ANA, TRUST, NOW)
    assert isinstance(found, Bad) and (found.code, "64 KiB" in found.sentence) == (ReasonCode.SIGNATURE_INVALID, True)


MODULUS = (1 << 2047) + 1
P256 = b"\x6b" * 32
FORMS = {
    "is not in its shortest form": string(b"ssh-rsa") + string(b"\0\x01\x00\x01") + string(b"\0" + MODULUS.to_bytes(256, "big")),
    "too long": string(b"ssh-rsa") + string(b"\x01\0\x01") + string(((1 << 16384) + 1).to_bytes(2049, "big")),
    "not in uncompressed form": string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\x02" + P256),
    "extra bytes after its end": string(b"ssh-ed25519") + string(bytes(32)) + b"\0",
    "unsupported key type": string(b"ssh-dss") + string(bytes(32)),
}


@pytest.mark.parametrize("sentence", FORMS)
def test_keys_have_one_form(sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        read_key(FORMS[sentence])


KRL = b"SSHKRL\n\0" + b"\0\0\0\x01" + bytes(24) + string(b"") + string(b"")


@pytest.mark.parametrize(
    "section", [b"\x04" + string(b""), b"\x05" + string(string(b"short")), b"\x01" + string(b"x"), b"\x02", b"\xff"]
)
def test_a_krl_that_cannot_be_read_whole_is_an_error(section: bytes) -> None:
    assert not read_revocations(KRL).blobs
    with pytest.raises(ValueError, match="cannot read this revocation list"):
        read_revocations(KRL + section)


def test_a_bitmap_may_reach_far() -> None:
    far = OfAuthority(None, (), ((5, 1 << 2_000_000),), frozenset())
    assert (far.holds(2_000_005, ""), far.holds(2_000_004, ""), far.holds(1 << 63, ""), far.holds(4, "")) == (
        True,
        False,
        False,
        False,
    )


def test_a_signed_commit_is_no_approval(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "git"]
    signed = subprocess.run(command, input=MESSAGE, capture_output=True, check=True).stdout.decode()
    found = verify(MESSAGE, signed, ANA, Trust(read_signers(f"{ANA} {(tmp_path / 'key.pub').read_text()}")[0]), NOW)
    assert isinstance(found, Bad) and "got one for 'git': a signed commit does not count" in found.sentence


def armor(raw: bytes) -> str:
    return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(raw).decode()}\n-----END SSH SIGNATURE-----\n"
