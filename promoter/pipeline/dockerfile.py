"""Read what is needed of a Dockerfile before a build: instructions, flags, base images.

The builder checks the file; no errors are reported here.
"""

import re
from collections.abc import Iterator, Mapping

from promoter.model.pattern import pattern

_DIRECTIVE = pattern(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_FLAG = pattern(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
_ARG = pattern(r"(\w+)=(\S+)")
_VARIABLE = pattern(r"\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")


def base_images(dockerfile: str, args: Mapping[str, str]) -> tuple[str, ...]:
    """Return the images of FROM and COPY --from, each once, with build arguments filled in and without stages of the file."""
    values: dict[str, str] = {}
    stages, found = {"scratch"}, dict[str, None]()
    for _, word, text in instructions(dockerfile):
        flags, rest = split_flags(text)
        if word == "ARG":
            values |= {name: args.get(name, value.strip("\"'")) for name, value in _ARG.findall(rest)}
        elif word == "FROM" and rest:
            name, *alias = rest.split()
            named = _expand(name, {**args, **values})
            if named.lower() not in stages:
                found[named] = None
            stages.update(stage.lower() for stage in alias[1:])
        elif word == "COPY" and (source := flags.get("from")) and source.lower() not in stages and not source.isdigit():
            found[_expand(source, {**args, **values})] = None
    return tuple(found)


def declared_volumes(dockerfile: str) -> tuple[str, ...]:
    """Return the paths of VOLUME in the last stage that contain no variable."""
    found: list[str] = []
    for _, word, text in instructions(dockerfile):
        if word == "FROM":
            found.clear()
        elif word == "VOLUME":
            found += re.findall(r'"([^"]+)"', text) if text.startswith("[") else text.split()
    return tuple(dict.fromkeys(path for path in found if "$" not in path))


def _expand(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda m: values.get(m[1] or m[2]) or m[3] or "", text)


def split_flags(rest: str) -> tuple[dict[str, str | None], str]:
    flags: dict[str, str | None] = {}
    while match := _FLAG.match(rest):
        flags[match[1]] = match[2]
        rest = rest[match.end() :]
    return flags, rest


def instructions(dockerfile: str) -> Iterator[tuple[int, str, str]]:
    """Yield (first line number, instruction in capitals, the rest), without ONBUILD, comments and line breaks."""
    escape = _escape(dockerfile)
    start, parts = 0, list[str]()
    for number, line in enumerate(dockerfile.removeprefix("\ufeff").split("\n"), 1):
        text = line.rstrip()
        if not text or text.lstrip().startswith("#"):  # inside a continuation too, as the builder does
            continue
        start = start or number
        parts.append(text.removesuffix(escape))
        if not text.endswith(escape):
            yield start, *_read("".join(parts))
            start, parts = 0, []
    if parts:
        yield start, *_read("".join(parts))


def _read(text: str) -> tuple[str, str]:
    word, _, rest = " ".join(text.split()).partition(" ")
    if word.upper() == "ONBUILD":
        word, _, rest = rest.partition(" ")
    return word.upper(), rest


def _escape(dockerfile: str) -> str:
    """Return the line continuation character: a backslash, or a backtick if a directive at the top sets it."""
    for line in dockerfile.removeprefix("\ufeff").split("\n"):
        directive = _DIRECTIVE.match(line.strip())
        if not directive:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"
