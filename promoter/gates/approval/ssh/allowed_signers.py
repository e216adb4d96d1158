"""Read an OpenSSH allowed_signers file: who may sign, with which key, for what, and when.

It is stricter than OpenSSH in one point: principals are names of people, never patterns, because people are counted.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, tzinfo
from typing import Any

from promoter.gates.approval.ssh.keys import Key, read_key
from promoter.gates.approval.ssh.wire import Malformed
from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern

_WILD = "*?!"
_TIME = pattern(r"([0-9]{8})(?:([0-9]{4})([0-9]{2})?)?(Z?)")
_OPTION = pattern(r'([A-Za-z-]+)(?:="([^"\\]*)")?(,(?=.)|$)')


@dataclass(frozen=True)
class Signer:
    """One line. `namespaces` are OpenSSH patterns; None means any. The key of a `cert_authority` signs certificates."""

    principals: tuple[str, ...]
    key: Key
    namespaces: tuple[str, ...] | None = None
    after: datetime | None = None
    before: datetime | None = None
    cert_authority: bool = False

    def allows(self, namespace: str) -> bool:
        """Match as OpenSSH does: at least one pattern matches, and no negated pattern matches."""
        if self.namespaces is None:
            return True
        matching = [pattern for pattern in self.namespaces if _matches(pattern.removeprefix("!"), namespace)]
        return bool(matching) and not any(pattern.startswith("!") for pattern in matching)

    def document(self) -> dict[str, object]:
        return {
            "principals": list(self.principals),
            "key": self.key.fingerprint,
            "namespaces": None if self.namespaces is None else list(self.namespaces),
            "valid_after": self.after.astimezone(UTC).isoformat() if self.after else None,
            "valid_before": self.before.astimezone(UTC).isoformat() if self.before else None,
            "cert_authority": self.cert_authority,
        }


@dataclass(frozen=True)
class LineFault:
    """An error in a line. `line` and `column` count from 1."""

    line: int
    column: int
    message: str
    hint: str | None = None


class _Wrong(ValueError):
    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def read_signers(text: str, zone: tzinfo | None = None) -> tuple[tuple[Signer, ...], tuple[LineFault, ...]]:
    """Return the valid lines, and the errors of the others. Times without a Z are in `zone`, by default this machine's."""
    signers, faults = [], []
    for number, line in enumerate(text.split("\n"), 1):
        entry = line.strip(" \t\r")
        if not entry or entry.startswith("#"):
            continue
        try:
            signers.append(_read(entry, zone))
        except _Wrong as error:
            faults.append(LineFault(number, len(line) - len(line.lstrip()) + 1, error.message, error.hint))
    return tuple(signers), tuple(faults)


def _read(entry: str, zone: tzinfo | None) -> Signer:
    if entry.startswith('"'):
        named, closed, rest = entry[1:].partition('"')
        if not closed:
            raise _Wrong("unclosed quotation mark")
    else:
        named, rest = [*re.split(r"[ \t]+", entry, maxsplit=1), ""][:2]
    principals = tuple(dict.fromkeys(name for name in named.split(",") if name))
    for name in principals:
        if any(sign in name for sign in _WILD):
            raise _Wrong(
                f"{name!r} is a pattern; name each person, because people are counted", "write one line for every person"
            )
    if not principals:
        raise _Wrong("this line has no principal", "write: PRINCIPAL ssh-ed25519 KEY")
    rest = rest.strip(" \t")
    if not rest:
        raise _Wrong("this line has no key", "write: PRINCIPAL ssh-ed25519 KEY")
    words = _words(rest)
    options = {} if _is_key_type(words[0]) else _options(words.pop(0), zone)
    if len(words) < 2:
        raise _Wrong("this line has no key", "write: PRINCIPAL ssh-ed25519 KEY")
    return Signer(principals, _key(words[0], words[1]), **options)


def _words(rest: str) -> list[str]:
    """Split at spaces outside quotation marks."""
    return re.findall(r'(?:[^ \t"]|"(?:[^"\\]|\\.)*"|")+', rest)


def _is_key_type(word: str) -> bool:
    return re.fullmatch(r"(ssh|ecdsa|sk)-[A-Za-z0-9@.-]+", word) is not None


def _key(kind: str, text: str) -> Key:
    try:
        key = read_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        problem = str(error) if isinstance(error, Malformed) else "it is not base64"
        raise _Wrong(f"cannot read this key: {problem}", "copy the line of the .pub file") from error
    if key.certificate is not None or key.kind != kind:
        raise _Wrong(f"this is not a key of type {kind[:60]}", "copy the line of the .pub file")
    return key


def _options(word: str, zone: tzinfo | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(word):
        match = _OPTION.match(word, at)
        if match is None:
            raise _Wrong(
                f"{word[at:][:60]!r} is not a valid option",
                'known options: namespaces="…", valid-after="…", valid-before="…", cert-authority',
            )
        name = match[1].lower()
        key, given = _option(name, match[2], zone)
        if key in found:
            raise _Wrong(f"duplicate option {name}")
        found[key] = given
        at = match.end()
    return found


def _option(name: str, value: str | None, zone: tzinfo | None) -> tuple[str, Any]:
    if name == "cert-authority" and value is None:
        return "cert_authority", True
    if name == "namespaces" and value:
        return "namespaces", tuple(value.split(","))
    if name in ("valid-after", "valid-before") and value:
        return name.removeprefix("valid-"), _time(value, zone)
    raise _Wrong(
        f"{name!r} is not a valid option", 'known options: namespaces="…", valid-after="…", valid-before="…", cert-authority'
    )


def _time(text: str, zone: tzinfo | None) -> datetime:
    match = _TIME.fullmatch(text)
    try:
        assert match is not None
        at = datetime.strptime(f"{match[1]}{match[2] or '0000'}{match[3] or '00'}Z", "%Y%m%d%H%M%S%z")
    except (AssertionError, ValueError) as error:
        raise _Wrong(f"{text!r} is not a time", "write YYYYMMDD or YYYYMMDDHHMM[SS], with a Z for UTC") from error
    if match[4]:
        return at
    return at.replace(tzinfo=zone) if zone else at.replace(tzinfo=None).astimezone()


def _matches(pattern: str, text: str) -> bool:
    """Compile a pattern. OpenSSH supports `*` and `?`, but no character classes."""
    signs = {"*": ".*", "?": "."}
    return (
        re.fullmatch("".join(signs.get(sign, re.escape(sign)) for sign in re.sub(r"\*+", "*", pattern)), text, re.DOTALL)
        is not None
    )
