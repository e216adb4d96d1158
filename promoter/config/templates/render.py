"""Render templates: plain names here, everything else in the sandbox."""

from functools import lru_cache

from promoter.config.templates.scope import (
    _NOT_NAMES,
    _OPENINGS,
    _PLAIN,
    _VIEWS,
    MAX_LENGTH,
    Handle,
    NameView,
    Scope,
    SourceView,
    TemplateFault,
    _placeholders,
    spell,
)
from promoter.model.dataclass import dataclass
from promoter.model.secrets import OPENING, handle


def is_template(text: str) -> bool:
    return _OPENINGS.search(text) is not None


def render(text: str, scope: Scope) -> str:
    """Fill in `text`. Secrets appear in it as handles. Raise TemplateFault on an error."""
    if len(text) > MAX_LENGTH:
        raise TemplateFault(f"expected a template of at most {MAX_LENGTH} characters, got {len(text)}")
    parts = _plain_parts(text)
    if parts is None:
        from promoter.config.templates import sandbox

        filled = sandbox.render(text, scope)
    else:
        filled = "".join(part if isinstance(part, str) else spell(_plain_value(part, scope)) for part in parts)
    if OPENING in filled:
        raise TemplateFault(
            "the value looks like the internal placeholder of a secret", "write secret('NAME') in the file itself"
        )
    return _placeholders().sub(lambda match: handle(match[1]), filled) if "<secret " in filled else filled


def render_value(text: str, scope: Scope) -> object:
    """Like `render`, but keep a text that is a single `secret(…)` as a Handle, so that a variable can hold one."""
    parts = _plain_parts(text)
    if parts is not None and len(parts) == 1 and not isinstance(parts[0], str):
        value = _plain_value(parts[0], scope)
        if isinstance(value, Handle):
            return value
    filled = render(text, scope)
    if OPENING in filled:
        raise TemplateFault(
            "a variable can be a whole secret, but cannot contain one inside other text", "put secret(…) where the text is used"
        )
    return filled


@dataclass(frozen=True)
class _Plain:
    name: str
    part: str | None = None
    arguments: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def _plain_parts(text: str) -> tuple[str | _Plain, ...] | None:
    """Split `text` into literal texts and plain names; return None if it needs Jinja2."""
    parts: list[str | _Plain] = []
    end = 0
    for match in _PLAIN.finditer(text):
        name, part, function, *words, braces = match.groups()
        literal = text[end : match.start()]
        beyond = part and (name not in _VIEWS or part.startswith("_") or part in ("explain", "PARTS"))
        if _OPENINGS.search(literal) or literal.endswith("{") or name in _NOT_NAMES or beyond:
            return None
        parts += [literal] if literal else []
        arguments = tuple(word[1:-1] for word in (words[0], *words[2:]) if word is not None)
        parts.append(braces or (_Plain(name, part) if name else _Plain(function or "env", arguments=arguments)))
        end = match.end()
    if _OPENINGS.search(text[end:]):
        return None
    return (*parts, text[end:]) if text[end:] else tuple(parts)


def _plain_value(plain: _Plain, scope: Scope) -> object:
    if plain.name not in scope.known:
        raise scope.undefined(plain.name)
    value = scope.known[plain.name]
    if plain.arguments:
        assert callable(value)
        found = value(*plain.arguments[:2])
        return found or plain.arguments[2] if len(plain.arguments) == 3 else found
    if plain.part is None:
        return value
    assert isinstance(value, SourceView | NameView)
    try:
        return getattr(value, plain.part)
    except AttributeError:
        raise TemplateFault(value.explain(plain.part)) from None
