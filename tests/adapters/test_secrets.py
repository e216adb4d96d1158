import base64
import html
import json
import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.adapters.secrets import DeclaredSecrets
from promoter.model.errors import Interrupted, SecretError
from promoter.model.secrets import CommandSource, EnvSource, FileSource, handle

SALT = "5a" * 16


@pytest.fixture
def env(monkeypatch):
    def declare(**values: str) -> DeclaredSecrets:
        for name, value in values.items():
            monkeypatch.setenv(f"TEST_{name}", value)
        return DeclaredSecrets({name: EnvSource(f"TEST_{name}") for name in values}, Path())

    return declare


def script(directory: Path, text: str) -> CommandSource:
    path = directory / "tell"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return CommandSource(("./tell",))


# ---------------------------------------------------------------- sources
def test_values_come_from_variables_files_and_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_A", "from a variable\n")
    (tmp_path / "b").write_text("from a file\n\n")
    secrets = DeclaredSecrets(
        {"A": EnvSource("TEST_A"), "B": FileSource("b"), "C": script(tmp_path, "echo from $(basename $PWD)")}, tmp_path
    )
    text = f"{handle('A')}|{handle('B')}|{handle('C')}|{handle('B')}"
    assert secrets.reveal(text) == f"from a variable\n|from a file\n|from {tmp_path.name}|from a file\n"
    assert secrets.reveal("nothing secret") == "nothing secret"


def test_a_value_is_had_late_and_once(tmp_path):
    source = script(tmp_path, "echo again >> count; echo value")
    secrets = DeclaredSecrets({"A": source}, tmp_path)
    assert not (tmp_path / "count").exists()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(secrets.reveal, [handle("A")] * 8)) == {"value"}
    secrets.prove(["A"])
    secrets.keyed_hash("A", SALT)
    assert (tmp_path / "count").read_text() == "again\n"


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        (EnvSource("TEST_NOWHERE"), "the variable TEST_NOWHERE is not set", "set TEST_NOWHERE"),
        (EnvSource("TEST_EMPTY"), "is empty: the variable TEST_EMPTY", "put the value there"),
        (EnvSource("TEST_BYTES"), "is not UTF-8 text", "base64"),
        (FileSource("missing"), "missing cannot be read: No such file", "write the value into that file"),
        (FileSource("."), "cannot be read: Is a directory", "write the value into that file"),
        (FileSource("empty"), "is empty: the file empty", "put the value there"),
        (FileSource("bytes"), "is not UTF-8 text", "base64"),
        (FileSource("nul"), "holds a NUL byte", "base64"),
        (CommandSource(("./refuse", "x")), "./refuse ended with exit code 3; its output is not shown", "run ./refuse by hand"),
        (CommandSource(("no-such-program",)), "no-such-program was not found (exit code 127)", "run no-such-program by hand"),
    ],
)
def test_what_cannot_be_had_is_named_with_its_source_and_remedy(tmp_path, monkeypatch, source, message, hint):
    monkeypatch.setenv("TEST_EMPTY", "")
    monkeypatch.setitem(os.environb, b"TEST_BYTES", b"hunter2\xff")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"hunter2\xff")
    (tmp_path / "nul").write_bytes(b"hunter2\0")
    (tmp_path / "refuse").write_text("#!/bin/sh\necho hunter2; echo no token in /vault >&2; exit 3\n")
    (tmp_path / "refuse").chmod(0o755)
    secrets = DeclaredSecrets({"TOKEN": source}, tmp_path)
    for act in (
        lambda: secrets.prove(["TOKEN"]),
        lambda: secrets.reveal(handle("TOKEN")),
        lambda: secrets.keyed_hash("TOKEN", SALT),
    ):
        with pytest.raises(SecretError) as error:
            act()
        assert "secret TOKEN" in error.value.message and message in error.value.message
        assert hint in error.value.hint
        assert "hunter2" not in f"{error.value.message} {error.value.hint} {error.value.__cause__!r}"


def test_a_program_that_never_ends_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("promoter.adapters.secrets._TIMEOUT", 0.1)
    secrets = DeclaredSecrets({"A": script(tmp_path, "exec sleep 600")}, tmp_path)
    with pytest.raises(SecretError, match=r"did not finish within 0\.1 s"):
        secrets.prove(["A"])


def test_an_interruption_ends_a_program(tmp_path):
    def interrupted() -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        DeclaredSecrets({"A": script(tmp_path, "exec sleep 600")}, tmp_path, interrupted).prove(["A"])


def test_all_that_are_missing_are_named_together(env):
    secrets = env(A="value", B="")
    with pytest.raises(SecretError) as error:
        secrets.prove(["A", "B", "C", "B"])
    assert error.value.message.count("secret B") == 1
    assert "secret C is not declared" in error.value.message and "`secrets: {C: {env: C}}`" in error.value.hint
    assert "secret A" not in error.value.message


# ---------------------------------------------------------------- never shown
def test_values_are_not_in_the_repr(env):
    secrets = env(A="hunter2")
    secrets.reveal(handle("A"))
    assert repr(secrets) == "DeclaredSecrets(A)"
    assert "hunter2" not in f"{secrets!s} {secrets!r}"


def test_only_what_was_had_can_be_redacted(env):
    secrets = env(A="hunter2")
    assert secrets.redact("it is hunter2") == "it is hunter2"
    secrets.prove(["A"])
    assert secrets.redact("it is hunter2") == "it is [secret A]"


VALUE = 'pä ss/w+"ord?&'


@pytest.mark.parametrize(
    "spelling",
    [
        VALUE,
        quote(VALUE),
        quote(VALUE, safe=""),
        quote_plus(VALUE),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        VALUE.encode().hex(),
        VALUE.encode().hex().upper(),
        html.escape(VALUE),
        shlex.quote(VALUE).strip("'"),
        repr(VALUE)[1:-1],
    ],
)
def test_every_spelling_is_redacted(env, spelling):
    secrets = env(A=VALUE)
    secrets.prove(["A"])
    assert secrets.redact(f"<{spelling}>") == "<[secret A]>"


@pytest.mark.parametrize("lead", ["", "a", "ab", "abc", "ana:"])
@pytest.mark.parametrize("value", ["xyz9", "hunter2", "hunter22", "hunter222"])
def test_base64_of_something_longer_does_not_reveal_it(env, lead, value):
    """What remains of the group at either end shows at most four characters."""
    secrets = env(A=value)
    secrets.prove(["A"])
    for tail in ("", "!", "!!", "!!!"):
        left = secrets.redact(base64.b64encode(f"{lead}{value}{tail}".encode()).decode())
        assert "[secret A]" in left
        assert len(left.replace("[secret A]", "")) <= len(base64.b64encode(f"{lead}{tail}".encode())) + 4


def test_each_line_of_a_long_value_is_redacted(env):
    secrets = env(KEY="-----BEGIN KEY-----\n  first line\r\n\nab\nsecond line\n-----END KEY-----")
    secrets.prove(["KEY"])
    text = "key: first line\n| second line |\nab"
    assert secrets.redact(text) == "key: [secret KEY]\n| [secret KEY] |\nab"


def test_the_longest_wins_and_overlaps_leave_no_rest(env):
    secrets = env(A="hunter2", B="hunter2-and-more", C="more-yet", D="axa")
    secrets.prove(["A", "B", "C", "D"])
    assert secrets.redact("axaxa") == "[secret D]"
    assert secrets.redact("hunter2, hunter2-and-more") == "[secret A], [secret B]"
    assert secrets.redact("hunter2-and-more-yet") == "[secret B]"


def test_tiny_values_would_shred_the_text(env):
    secrets = env(A="ab", B="abc")
    secrets.prove(["A", "B"])
    assert secrets.redact("ab abc") == "ab [secret B]"


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=3, max_size=30), st.text(), st.text()
)
def test_no_value_survives_redaction(value, before, after):
    with TemporaryDirectory() as directory:
        (Path(directory) / "value").write_bytes(f"{value}\n".encode())
        secrets = DeclaredSecrets({"A": FileSource("value")}, Path(directory))
        secrets.prove(["A"])
    assert all(value not in piece for piece in secrets.redact(before + value + after).split("[secret A]"))


# ---------------------------------------------------------------- hashes
def test_the_keyed_hash_differs_by_value_salt_and_name(env):
    secrets = env(A="hunter2", B="hunter2", C="hunter3")
    output = {secrets.keyed_hash(name, salt) for name in "ABC" for salt in (SALT, "", "5b" * 16)}
    assert len(output) == 9
    assert all(len(digest) == 64 and int(digest, 16) >= 0 for digest in output)
    assert secrets.keyed_hash("A", SALT) in output


def test_another_machine_computes_the_same_hash(env):
    assert env(A="hunter2").keyed_hash("A", SALT) == "1adb410b695632192d5f6e14b73286d5d05164dbaeb30373d291eefe95193b39"


def test_a_hash_is_computed_once(env, monkeypatch):
    secrets = env(A="hunter2")
    first = secrets.keyed_hash("A", SALT)
    monkeypatch.setattr("promoter.adapters.secrets.hashlib", None)
    assert secrets.keyed_hash("A", SALT) == first
