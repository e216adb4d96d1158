"""Shell completion: environments, releases and pipeline files. Writes no file and shows no error.

Where the file or the ledger cannot be read, nothing is offered. Environments come from the file alone.
Names with characters that a shell interprets are not offered.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import typer

from promoter.model.pattern import pattern

VARIABLE = "_PROMOTER_COMPLETE"
_NAME = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PATH = pattern(r"[A-Za-z0-9._/@+ -]+")
_ODD = pattern(r"[^A-Za-z0-9._/@+:# -]")
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv"})
_DEEP, _MANY = 3, 3000
"""Limits of the search for pipeline files: directory depth and number of names."""
_HEAD = 64 * 1024
_MARK = pattern(rb"^environments\s*:", re.MULTILINE)
Offer = tuple[str, str]
"""A word and its description."""


def quietly(main: Callable[[], object], environ: MutableMapping[str, str] = os.environ) -> NoReturn:
    """Answer the shell and exit. Nothing but the answer is written."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stderr = nowhere
        with suppress(Exception):
            if environ.get(VARIABLE) == "complete_bash":
                _join_equals(environ)
            main()
        sys.exit(0)


def environments(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Return the file's names, in its order, without those already on the command line."""
    with suppress(Exception):
        given = {value for value in ctx.params.values() if isinstance(value, str)}
        file = _file(ctx)
        table = _read(file).get("environments")
        names = [str(name) for name in table] if isinstance(table, dict) else []
        return [(name, f"environment of {_plain(file.name)}") for name in names if _fits(name, incomplete) and name not in given]
    return []


def releases(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Newest first."""
    with suppress(Exception):
        return list(_releases(_facts(ctx), incomplete, lambda _: True))
    return []


def environments_and_releases(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Return the environments, then the releases."""
    return [*environments(ctx, incomplete), *releases(ctx, incomplete)]


def verified(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Return releases verified in the named environment: the possible targets of a rollback."""
    with suppress(Exception):
        facts = _facts(ctx)
        where = _argument(ctx, "environment")
        known = {fact.get("release") for fact in facts if fact.get("kind") == "promoted" and fact.get("environment") == where}
        return list(_releases(facts, incomplete, known.__contains__))
    return []


def files(_: typer.Context, incomplete: str) -> list[Offer]:
    """Return pipeline files here and below; where none matches, the shell offers any file."""
    with suppress(Exception):
        found = sorted(_pipelines(Path(), 0, [0]))
        return [(text, "pipeline file") for text in found if text.startswith(incomplete) and _PATH.fullmatch(text)]
    return []


def any_file(_: typer.Context, _incomplete: str) -> list[Offer]:
    """Offer nothing: the shell then offers files itself."""
    return []


def _releases(facts: list[dict[str, Any]], incomplete: str, wanted: Callable[[object], bool]) -> Iterator[Offer]:
    seen = set()
    for fact in facts:
        release = str(fact.get("release") or "")
        if fact.get("kind") == "released" and release not in seen and wanted(release) and release.startswith(incomplete):
            seen.add(release)
            source = (fact.get("content") or {}).get("source") or {}
            origin = " ".join(str(word) for word in (source.get("branch"), str(source.get("sha") or "")[:7]) if word)
            yield release[: max(12, len(incomplete))], _plain(f"{origin or 'no commit'} {str(fact.get('at'))[:16]}")


def _facts(ctx: typer.Context) -> list[dict[str, Any]]:
    from promoter.adapters.ledgers.recent import glance
    from promoter.adapters.settings import load_settings

    file = _file(ctx)
    document = _read(file)
    url = _option(ctx, "global_ledger") or load_settings(file.parent).ledger or document.get("ledger")
    return [] if "{" in str(url or "") else glance(url, file.absolute().parent, str(document["name"]))


def _file(ctx: typer.Context) -> Path:
    """Find the file as `Common.pipeline` does; the shell may not have expanded a `~` yet."""
    named = _argument(ctx, "file") or _option(ctx, "global_file") or os.environ.get("PROMOTER_FILE") or "pipeline.yaml"
    return Path(named).expanduser()


def _argument(ctx: Any, name: str) -> Any:
    """Return an argument of the command line. Before an option without its value, arguments are not parsed yet."""
    names = [parameter.name for parameter in ctx.command.params if parameter.param_type_name == "argument"]
    position = names.index(name) if name in names else len(ctx.args)
    return ctx.params.get(name) or (ctx.args[position] if position < len(ctx.args) else None)


def _option(ctx: Any, name: str) -> Any:
    """Return the option's value that is nearest to the verb."""
    while ctx is not None:
        if value := ctx.params.get(name):
            return value
        ctx = ctx.parent
    return None


def _read(file: Path) -> dict[str, Any]:
    from promoter.config.regular_file import read_regular
    from promoter.config.yaml.reader import read_document

    data = read_document(read_regular(file), str(file)).data
    return data if isinstance(data, dict) else {}


def _fits(name: str, incomplete: str) -> bool:
    return name.startswith(incomplete) and _NAME.fullmatch(name) is not None


def _plain(text: str) -> str:
    """Replace odd characters: branch names are untrusted, and shells parse what is offered."""
    return _ODD.sub("_", text)


def _pipelines(directory: Path, depth: int, count: list[int]) -> Iterator[str]:
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        count[0] += 1
        if count[0] > _MANY or entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir(follow_symlinks=False) and depth < _DEEP:
            with suppress(OSError):
                yield from _pipelines(Path(entry.path), depth + 1, count)
        elif entry.name.endswith((".yaml", ".yml")) and entry.is_file() and _is_pipeline(Path(entry.path)):
            yield str(Path(entry.path))


def _is_pipeline(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return _MARK.search(file.read(_HEAD)) is not None
    return False


def _join_equals(environ: MutableMapping[str, str]) -> None:
    """Join the three words that Bash makes of `--to=pr`."""
    words, current = environ.get("COMP_WORDS", "").split("\n"), int(environ.get("COMP_CWORD", "0"))
    kept = [(position, word) for position, word in enumerate(words) if position == 0 or not _is_joint(words, position, current)]
    environ["COMP_WORDS"] = "\n".join(word for _, word in kept)
    environ["COMP_CWORD"] = str(sum(position < current for position, _ in kept))


def _is_joint(words: list[str], position: int, current: int) -> bool:
    """Return whether this is an `=` after a long option. Under the cursor it remains, as an empty word."""
    return words[position] == "=" and words[position - 1].startswith("--") and position != current
