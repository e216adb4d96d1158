"""Turn texts of a Compose file into texts with templates: find which braces are templates and which are text.

Compose has no templates, but Compose files often contain braces: Docker's own `{{.Name}}`, shell
text such as `${#A}`. So only `{{ … }}` that is not in Go's form is a template there, and all other braces are text.
"""

import re
from collections.abc import Iterator, Mapping

from promoter.model.pattern import pattern
from promoter.pipeline.compose.interpolation import interpolate

_MARK, _BRACE = "\ue010", "\ue011"
"""Markers before text that a variable inserted, and for each opening brace in it."""
_GO = (
    r"\{\{-?\s*(?:[.$]|/\*|(?:end|else|break|continue)\s*-?\}\}"
    r"|(?:else\s+)?(?:if|with|range|json|join|index|len|printf?|println|html|js|urlquery|call|slice|template|block|define|split|title"
    r"|lower|upper|pad|truncate|table|eq|ne|lt|le|gt|ge|and|or|not)\b[^{}]*?[\s(][.$]\D"
    r'|(?:printf?|println|template|block|define|env|index|join)\s+")'
)
_GO_FORM = pattern(_GO)
_TEMPLATE = pattern(r"""\{\{(?:"[^"]*"|'[^']*'|(?!\}\})[^"'])*\}\}""", re.DOTALL)
_OPENING = pattern(r"\{+[{%#]")


class InsideTemplate(ValueError):
    """A variable is used inside a template."""


def marked(environ: Mapping[str, str]) -> dict[str, str]:
    """Mark the variables, so that `as_template` sees what they insert."""
    return {name: _MARK + value.replace("{", _BRACE) if value else value for name, value in environ.items()}


def as_template(text: str, environ: Mapping[str, str]) -> str:
    """Fill in `${…}` of `text` from `marked` variables, and escape all braces that are text."""
    filled = interpolate(text, environ)
    if "{" not in filled and _MARK not in filled and _BRACE not in filled:
        return filled
    parts: list[str] = []
    end = 0
    for start, stop in _templates(filled):
        template = filled[start:stop]
        if _MARK in template or _BRACE in template:
            raise InsideTemplate
        parts += [_as_text(filled[end:start], before_template=True), template]
        end = stop
    return "".join([*parts, _as_text(filled[end:], before_template=False)])


def _templates(text: str) -> Iterator[tuple[int, int]]:
    """Find the templates. One without a correct end reaches to the end of the text, so that it is reported."""
    start = text.find("{{")
    while start >= 0:
        while text.startswith("{{{", start):
            start += 1
        after = start + 2
        if not _GO_FORM.match(text, start):
            match = _TEMPLATE.match(text, start)
            if match is None and "}}" not in text[start:]:
                return
            after = match.end() if match else len(text)
            yield start, after
        start = text.find("{{", after)


def unmarked(text: str) -> str:
    return text.replace(_MARK, "").replace(_BRACE, "{")


def _as_text(text: str, *, before_template: bool) -> str:
    plain = _OPENING.sub(lambda match: f'{{{{ "{match[0]}" }}}}', unmarked(text))
    return plain[:-1] + '{{ "{" }}' if before_template and plain.endswith("{") else plain
