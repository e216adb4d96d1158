"""Does a Dockerfile need BuildKit? Pure text work, so that the answer comes before anything is built.

It looks for what the engine's own (classic) builder refuses, and for nothing else: whether the rest of the file is
right is for the builder to say.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_FLAGS = {
    "RUN": ("mount", "network", "security", "device"),
    "COPY": ("link", "chmod", "parents", "exclude"),
    "ADD": ("link", "chmod", "parents", "exclude", "checksum", "keep-git-dir", "unpack"),
}
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
_HEREDOC = re.compile(r"""\d*<<-?["']?[A-Za-z_][\w.-]*["']?""")
_AUTOMATIC = re.compile(r"\$\{?((?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT))\b(?!:?-)")
_ARG = re.compile(r"(\w+)=")
_GIT_SOURCE = re.compile(r"(?:git@|git://)\S+|https?://\S+\.git(?:#\S*)?")


@dataclass(frozen=True, slots=True)
class Need:
    """The first line (from 1) that only BuildKit understands, and what stands there."""

    line: int
    feature: str


def needs_buildkit(dockerfile: str, given: Collection[str] = ()) -> Need | None:
    """The first place of `dockerfile` that needs BuildKit, or None. `given` names the build arguments of the request."""
    defaults = set(given)
    for line, text in _instructions(dockerfile):
        word, _, rest = text.partition(" ")
        word, rest = word.upper(), rest.strip()
        if word == "ONBUILD":
            word, _, rest = rest.partition(" ")
            word, rest = word.upper(), rest.strip()
        if word == "ARG":
            defaults.update(_ARG.findall(rest))
        feature = _feature(word, rest, defaults)
        if feature:
            return Need(line, feature)
    return None


def _feature(word: str, rest: str, defaults: set[str]) -> str | None:
    flags, rest = _split_flags(rest)
    if word == "FROM":
        automatic = _AUTOMATIC.search(flags.get("platform") or "")
        return f"FROM --platform=${automatic[1]}" if automatic and automatic[1] not in defaults else None
    if word not in _FLAGS:
        return None
    known = next((name for name in flags if name in _FLAGS[word]), None)
    if known:
        return f"{word} --{known}"
    heredoc = next((found for part in _words(rest) if (found := _HEREDOC.fullmatch(part))), None)
    if heredoc:
        return f"{word} with a here-document ({heredoc[0]})"
    if word == "ADD" and any(_GIT_SOURCE.fullmatch(part) for part in rest.split()):
        return "ADD of a git repository"
    return None


def _split_flags(rest: str) -> tuple[dict[str, str | None], str]:
    flags: dict[str, str | None] = {}
    while match := _FLAG.match(rest):
        flags[match[1]] = match[2]
        rest = rest[match.end() :]
    return flags, rest


def _instructions(dockerfile: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, text with its continuation lines joined and blanks made one), comments left out."""
    escape = _escape(dockerfile)
    start, parts = 0, list[str]()
    for number, line in enumerate(dockerfile.removeprefix("\ufeff").split("\n"), 1):
        text = line.rstrip()
        if not text or text.lstrip().startswith("#"):  # inside a continuation too: the builder drops them as well
            continue
        start = start or number
        parts.append(text.removesuffix(escape))
        if not text.endswith(escape):
            yield start, " ".join("".join(parts).split())
            start, parts = 0, []
    if parts:
        yield start, " ".join("".join(parts).split())


def _escape(dockerfile: str) -> str:
    """The line continuation character: a backslash unless a directive at the very top says a backtick."""
    for line in dockerfile.removeprefix("\ufeff").split("\n"):
        directive = _DIRECTIVE.match(line.strip())
        if not directive:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"


def _words(text: str) -> Iterator[str]:
    """Shell words, quotes kept, so that a here-document inside quotes is no here-document."""
    word, quote, skip = "", "", False
    for char in text:
        if skip:
            word, skip = word + char, False
        elif char == "\\" and quote != "'":
            word, skip = word + char, True
        elif quote:
            word, quote = word + char, "" if char == quote else quote
        elif char in "'\"":
            word, quote = word + char, char
        elif char == " ":
            yield word
            word = ""
        else:
            word += char
    yield word
