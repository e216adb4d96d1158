"""Identifiers are standard terms. A name that a module defines uses none of the words below.

Names that a module only uses, for example those of a library, are not checked. Neither are strings: keys, options, messages.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("promoter", "tests", "lab", "bench", "docs")
REFUSED = {
    "here": "current, local, directory, ROOT",
    "place|places|placed": "namespace, directory, path, index, position",
    "elsewhere": "other_machine, external",
    "beside": "next_to, same_directory, parent",
    "apart": "separate",
    "past": "earlier, history",
    "stands|stood|standing": "state, is",
    "begun": "started, active",
    "patience": "timeout",
    "lasting": "permanent",
    "due|owed": "deadline, missing, pending",
    "told|tell|tells|telling|retell": "report, text, refresh",
    "say|says|said|saying": "output, text, sentence, report",
    "nobody|somebody|whoever": "no one, a person, another",
    "room|rooms|house|door|doors|desk|shelf": "directory, package, or what it is",
    "workshop|yard": "harness, site",
    "unharmed": "unchanged",
    "mortal": "killable",
    "rested|robbed": "paused, lost",
    "shut|shuts": "close, closed",
    "anew": "again",
    "alike": "same, equal",
    "judge|judges|judged": "evaluate",
    "mend|mends|mended|mending": "repair",
    "walk|walks|walked": "visit, traverse",
    "look|looks|looked|looking": "read, inspect, check",
    "carry|carries|carried": "have, support, continue",
    "making": "build, create",
    "wish|wishes|wished": "requested, options",
}
"""Refused words, as whole words of a name in any case, and what to write instead."""
ALLOWED = {
    "mend": "the key `mend` of the facts `started` and `promoted`, and the fields that are read from it",
}
"""Names that keep a word, with the reason."""
REMEDIES = {word: remedy for words, remedy in REFUSED.items() for word in words.split("|")}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def words(name: str) -> list[str]:
    return [word.lower() for word in WORD.findall(name)]


def _name(node: ast.AST) -> str | None:
    """Return the name that a node of the syntax tree defines."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
            return name
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return name
        case ast.alias(asname=name) | ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return name
        case ast.MatchMapping(rest=name):
            return name
    return None


def defined(source: str) -> Iterator[tuple[int, str]]:
    """Yield each name that a module defines, with its line."""
    for node in ast.walk(ast.parse(source)):
        if (name := _name(node)) is not None:
            yield getattr(node, "lineno", 0), name


def refused(name: str) -> list[str]:
    """Return each refused word of a name, with what to write instead."""
    return [] if name in ALLOWED else [f"{name}: not `{word}`, but {REMEDIES[word]}" for word in words(name) if word in REMEDIES]


@cache
def names(folder: str) -> tuple[tuple[str, str], ...]:
    """Return each name that a module of the folder defines, after the module and the line."""
    return tuple(
        (f"{path.relative_to(ROOT)}:{line}", name)
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, name in defined(path.read_text())
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_defined_names_are_standard_terms(folder: str) -> None:
    found = {f"{spot}: {complaint}" for spot, name in names(folder) for complaint in refused(name)}
    assert sorted(found) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_of_modules_and_packages_are_standard_terms(folder: str) -> None:
    parts = {part for path in (ROOT / folder).rglob("*.py") for part in path.relative_to(ROOT).with_suffix("").parts}
    assert [complaint for name in sorted(parts) for complaint in refused(name)] == []


def test_there_are_names_to_check() -> None:
    for folder in FOLDERS:
        assert len(names(folder)) > 20, folder


def test_every_exception_is_needed() -> None:
    assert set(ALLOWED) <= {name for folder in FOLDERS for _, name in names(folder)}
    assert all(set(words(name)) & set(REMEDIES) for name in ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        "def a_place(): ...",
        "async def placeOf(): ...",
        "class Place: ...",
        "class A:\n    place: int",
        "def a(the_place): ...",
        "a = lambda *PLACE: 1",
        "_PLACE = 1",
        "a.place = 1",
        "place: int",
        "for place in a: ...",
        "a = [1 for place in a]",
        "with a as place: ...",
        "import a as place",
        "from a import b as place",
        "try: ...\nexcept a as place: ...",
        "match a:\n    case [1, *place]: ...",
        "match a:\n    case place: ...",
        "match a:\n    case {1: 2, **place}: ...",
        "(place := 1)",
        "class HTTPPlace: ...",
    ],
)
def test_a_refused_word_is_found_wherever_a_name_is_defined(source: str) -> None:
    assert [complaint for _, name in defined(source) for complaint in refused(name)] != []


@pytest.mark.parametrize("source", ["a(place=1)", "a = b.place", "a = place", "a = {'place': 1}", "import place", "replaced = 1"])
def test_a_name_that_is_only_used_is_not_checked(source: str) -> None:
    assert [complaint for _, name in defined(source) for complaint in refused(name)] == []
