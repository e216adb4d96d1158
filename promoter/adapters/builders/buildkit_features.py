"""Detect whether a Dockerfile needs BuildKit. Pure, so that the answer is known before anything is built.

It detects only what the engine's own (classic) builder refuses; the builder checks the rest of the file.
"""

from collections.abc import Collection, Iterator

from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern
from promoter.pipeline.dockerfile import instructions, split_flags

_FLAGS = {
    "RUN": ("mount", "network", "security", "device"),
    "COPY": ("link", "chmod", "parents", "exclude"),
    "ADD": ("link", "chmod", "parents", "exclude", "checksum", "keep-git-dir", "unpack"),
}
_HEREDOC = pattern(r"""\d*<<-?["']?[A-Za-z_][\w.-]*["']?""")
_AUTOMATIC = pattern(r"\$\{?((?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT))\b(?!:?-)")
_ARG = pattern(r"(\w+)=")
_GIT_SOURCE = pattern(r"(?:git@|git://)\S+|https?://\S+\.git(?:#\S*)?")


@dataclass(frozen=True)
class Need:
    """The first line (from 1) that only BuildKit understands, and the feature in it."""

    line: int
    feature: str


def needs_buildkit(dockerfile: str, given: Collection[str] = ()) -> Need | None:
    """Return the first place of `dockerfile` that needs BuildKit, or None. `given` names the request's build arguments."""
    defaults = set(given)
    for line, word, rest in instructions(dockerfile):
        if word == "ARG":
            defaults.update(_ARG.findall(rest))
        feature = _feature(word, rest, defaults)
        if feature:
            return Need(line, feature)
    return None


def _feature(word: str, rest: str, defaults: set[str]) -> str | None:
    flags, rest = split_flags(rest)
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


def _words(text: str) -> Iterator[str]:
    """Split shell words and keep quotes: `<<` inside quotes is not a here-document."""
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
