"""Values of YAML scalars by the 1.2 core schema, keeping how a number was written; and names for kinds of values."""

from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern


class WrittenInt(int):
    """A whole number in a form that Python does not print (`0440`, `0x1F`). Its text is what was written."""

    text: str

    def __str__(self) -> str:
        return self.text


class WrittenFloat(float):
    """A number such as `1.10`. Its text is what was written."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Tagged:
    """A value under Compose's `!reset` or `!override`."""

    tag: str
    value: object


CORE = "tag:yaml.org,2002:"
TYPES: dict[str, type | tuple[type, ...]] = {
    f"{CORE}int": int,
    f"{CORE}float": (int, float),
    f"{CORE}bool": bool,
    f"{CORE}null": type(None),
}
_WORDS: dict[str, object] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = pattern(r"[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}")
_FLOAT = pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def plain(text: str) -> object:
    """Return the value of a plain scalar in the core schema."""
    if text[:1] not in "0123456789+-.":
        return _WORDS.get(text, text)
    if not text:
        return None
    if _INT.fullmatch(text):
        value = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if str(value) == text:
            return value
        written = WrittenInt(value)
        written.text = text
        return written
    if _FLOAT.fullmatch(text):
        number = WrittenFloat(
            text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf").replace(".", "", text.lower() == ".nan")
        )
        number.text = text
        return number
    return text


def kind_of(value: object) -> str:
    """Name a value for a message: `a list`, `a mapping`, `the number 5`, `the text 'x'`."""
    match value:
        case Tagged():
            return f"a value under !{value.tag}"
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return (
                f"the text {value[:57] + '…' if len(value) > 60 else value!r}"
                if len(value) <= 60
                else f"the text {value[:57]!r}…"
            )
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
    return type(value).__name__
