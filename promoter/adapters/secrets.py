"""Values of secrets: read late, once, and never shown.

Values shorter than three characters are not redacted: they would match in almost every line. Longer ones are found
as they are, line by line, and in base64, percent and JSON encoding.
"""

import base64
import hashlib
import json
import os
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import assert_never
from urllib.parse import quote, quote_plus

from promoter.adapters.subprocess import run
from promoter.config.regular_file import read_regular
from promoter.model.errors import SecretError
from promoter.model.secrets import CommandSource, EnvSource, FileSource, SecretSource, names_in, replace

SHORTEST = 3
"""The shortest value that is redacted; shorter ones are parts of ordinary words."""
_TIMEOUT = 30.0
MISSING = 127
"""The exit code for a missing program."""
_LARGEST = 1 << 20


class DeclaredSecrets:
    """`Secrets` from the sources that the pipeline file declares; files and programs are relative to its directory."""

    def __init__(
        self,
        sources: Mapping[str, SecretSource],
        directory: Path,
        check: Callable[[], None] = lambda: None,
        revealed: Callable[[str], None] = lambda _: None,
        known: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`revealed` is called once for each value, before it is used. `known` are more values to redact, by their names."""
        self._sources, self._directory, self._check, self._revealed = dict(sources), directory, check, revealed
        self._lock = threading.RLock()
        self._values: dict[str, str] = {}
        self._known = {(form, name) for name, value in known.items() for form in _forms(value)}
        self._forms: tuple[tuple[str, str], ...] = tuple(sorted(self._known))
        self._hashes: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"DeclaredSecrets({', '.join(sorted(self._sources))})"

    def prove(self, names: Sequence[str]) -> None:
        failures = []
        for name in dict.fromkeys(names):
            try:
                self._value(name)
            except SecretError as error:
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            hints = dict.fromkeys(error.hint for error in failures if error.hint)
            raise SecretError("; ".join(error.message for error in failures), hint="; ".join(hints))

    def reveal(self, text: str) -> str:
        return replace(text, {name: self._value(name) for name in names_in(text)})

    def redact(self, text: str) -> str:
        pieces, done = [], 0
        for begin, end, name in sorted(_spans(text, self._forms), key=lambda span: (span[0], -span[1])):
            if begin >= done:
                pieces += [text[done:begin], f"[secret {name}]"]
            done = max(done, end)
        return "".join((*pieces, text[done:]))

    def keyed_hash(self, name: str, salt: str) -> str:
        with self._lock:
            known = self._hashes.get((name, salt))
            if known is None:
                # The name is part of the salt: two secrets of one value must not be known for it.
                key, grain = self._value(name).encode(), bytes.fromhex(salt) + name.encode()
                known = hashlib.scrypt(key, salt=grain, n=2**14, r=8, p=1, maxmem=2**26, dklen=32).hex()
                self._hashes[name, salt] = known
            return known

    def _value(self, name: str) -> str:
        with self._lock:
            value = self._values.get(name)
            if value is None:
                value = self._read(name)
                self._revealed(value)
                self._values[name] = value
                forms = {(form, name) for name, value in self._values.items() for form in _forms(value)}
                self._forms = tuple(sorted(forms | self._known))
            return value

    def _read(self, name: str) -> str:
        source = self._sources.get(name)
        match source:
            case None:
                raise SecretError(
                    f"secret {name} is not declared", hint=f"write `secrets: {{{name}: {{env: {name}}}}}` in the pipeline file"
                )
            case EnvSource(variable):
                value, where = _of_environment(name, variable), f"the variable {variable}"
            case FileSource(path):
                value, where = _of_file(name, self._directory / path), f"the file {path}"
            case CommandSource(argv):
                value, where = self._of_command(name, argv), f"what {argv[0]} prints"
            case _:
                assert_never(source)
        if not value:
            raise SecretError(
                f"secret {name} is empty: {where} holds nothing",
                hint="put the value there; an empty secret is treated as missing",
            )
        if "\0" in value:
            raise SecretError(
                f"secret {name} holds a NUL byte, which no environment variable can carry",
                hint=f"encode {where}, for example with base64",
            )
        return value

    def _of_command(self, name: str, argv: tuple[str, ...]) -> str:
        """Run a program for the value. Its output is never shown on failure: it may contain the value, which is not known yet."""
        ended = run(argv, self._directory, {}, _TIMEOUT, separate=True, keep=_LARGEST, check=self._check)
        if ended.exit_code == MISSING:
            raise SecretError(
                f"secret {name} is missing: {argv[0]} was not found (exit code 127)",
                hint=f"run {argv[0]} by hand beside the pipeline file",
            )
        if ended.exit_code is None:
            raise SecretError(
                f"secret {name} is missing: {argv[0]} did not finish within {_TIMEOUT:g} s",
                hint=f"run {argv[0]} by hand beside the pipeline file: it must print the value without asking anything",
            )
        if ended.exit_code != 0:
            raise SecretError(
                f"secret {name} is missing: {argv[0]} ended with exit code {ended.exit_code}; its output is not shown",
                hint=f"run {argv[0]} by hand beside the pipeline file, and fix what it reports",
            )
        return _text(name, ended.output, f"what {argv[0]} prints")


def _of_environment(name: str, variable: str) -> str:
    value = os.environb.get(variable.encode())
    if value is None:
        raise SecretError(
            f"secret {name} is missing: the variable {variable} is not set", hint=f"set {variable} where promoter runs"
        )
    return _decoded(name, value, f"the variable {variable}")


def _of_file(name: str, path: Path) -> str:
    try:
        return _text(name, read_regular(path, _LARGEST), f"the file {path}")
    except OSError as error:
        raise SecretError(
            f"secret {name} is missing: the file {path} cannot be read: {error.strerror or error}",
            hint="write the value into that file, and make it readable only for its owner",
        ) from error


def _text(name: str, data: bytes, where: str) -> str:
    text = _decoded(name, data, where)
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _decoded(name: str, data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:  # not chained: the error holds the value
        raise SecretError(f"secret {name} is not UTF-8 text", hint=f"encode {where}, for example with base64") from None


def _spans(text: str, forms: tuple[tuple[str, str], ...]) -> Iterator[tuple[int, int, str]]:
    """Return every place of every form, including overlaps. Only text outside of all of them may be shown."""
    for form, name in forms:
        begin = text.find(form)
        while begin >= 0:
            yield begin, begin + len(form), name
            begin = text.find(form, begin + 1)


def _forms(value: str) -> set[str]:
    """Return the forms in which a value can appear in a text."""
    from html import escape  # it has a table of all entities, and many pipelines have no secret

    forms = set()
    for one in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
        if len(one) >= SHORTEST:
            forms |= {one, quote(one, safe=""), quote(one), quote_plus(one), *_json(one), *_base64(one), *_hex(one)}
            forms |= {escape(one), escape(one, quote=False), shlex.quote(one).strip("'"), repr(one)[1:-1]}
    return {form for form in forms if len(form) >= SHORTEST}


def _json(text: str) -> Iterator[str]:
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]


def _hex(text: str) -> Iterator[str]:
    digits = text.encode().hex()
    yield from (digits, digits.upper())


def _base64(text: str) -> Iterator[str]:
    """Encode a value alone and inside a longer text, where it can begin at any of three places of a group."""
    data = text.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        yield from (whole, whole.rstrip("="))
        for lead in range(3):
            inner = encode(b"\0" * lead + data).decode()[-(-lead * 4 // 3) :]
            core = inner.rstrip("=")[: (lead + len(data)) * 4 // 3 - -(-lead * 4 // 3)]
            if len(core) >= SHORTEST:
                yield core
