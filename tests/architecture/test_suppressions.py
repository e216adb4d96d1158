"""Suppressed rules of ruff, of its formatter and of mypy: their number may only fall, and each has a reason beside it."""

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
KINDS = {
    "noqa": re.compile(r"#\s*noqa\b(?::\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?", re.IGNORECASE),
    "fmt: skip": re.compile(r"#\s*fmt:\s*(?:skip|off)\b"),
    "type: ignore": re.compile(r"#\s*type:\s*ignore\b(?:\[[^\]]*\])?"),
}
PRODUCTION = ("promoter",)
REST = ("tests", "lab", "bench", "docs")
MOST = {
    PRODUCTION: {"noqa": 14, "fmt: skip": 2, "type: ignore": 6},
    REST: {"noqa": 6, "fmt: skip": 0, "type: ignore": 1},
}
"""When a count falls, write the new number here."""


def suppressions(text: str) -> Iterator[tuple[str, int, bool]]:
    """Yield the kind and the line of each suppression, and whether a reason is beside it: after it, or in a comment above."""
    if not any(kind.search(text) for kind in KINDS.values()):
        return
    comments = {t.start[0]: t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT}
    for number, comment in comments.items():
        above = comments.get(number - 1)
        explained = above is not None and not above.line[: above.start[1]].strip()
        reason = re.sub("|".join(f"(?:{kind.pattern})" for kind in KINDS.values()), "", comment.string)
        explained = explained or len(re.findall(r"\w+", reason)) >= 2
        yield from ((kind, number, explained) for kind, pattern in KINDS.items() if pattern.search(comment.string))


def found(folders: tuple[str, ...]) -> Iterator[tuple[str, str, int, bool]]:
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            name = str(file.relative_to(ROOT))
            yield from ((name, *one) for one in suppressions(file.read_text()))


@pytest.mark.parametrize("folders", [PRODUCTION, REST], ids=["production", "rest"])
def test_the_number_of_suppressions_does_not_grow(folders: tuple[str, ...]) -> None:
    counts = Counter(kind for _, kind, _, _ in found(folders))
    assert {kind: counts[kind] for kind, most in MOST[folders].items() if counts[kind] > most} == {}


@pytest.mark.parametrize("folders", [PRODUCTION, REST], ids=["production", "rest"])
def test_each_suppression_has_a_reason(folders: tuple[str, ...]) -> None:
    assert [f"{name}:{line}: {kind}" for name, kind, line, reason in found(folders) if not reason] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("except Exception:  # noqa: BLE001", False),
        ("except Exception:  # noqa: BLE001 -- a plug-in may raise anything", True),
        ("def f(a, b):  # noqa: ARG001, FBT001", False),
        ("call(x)  # type: ignore[arg-type]", False),
        ("call(x)  # type: ignore[arg-type]  # the stubs are wrong", True),
        ("call(x)  # type: ignore[arg-type]  # noqa: S101", False),
        ("# the stubs are wrong\ncall(x)  # type: ignore", True),
        ("other()  # not a reason\ncall(x)  # type: ignore", False),
        ("TABLE = 1  # fmt: skip", False),
    ],
)
def test_a_reason_is_text_after_the_suppression_or_a_comment_above(line: str, reason: bool) -> None:
    assert {given for _, _, given in suppressions(line + "\n")} == {reason}


def test_text_in_a_string_is_no_suppression() -> None:
    assert list(suppressions('TEXT = "# noqa"\n')) == []
