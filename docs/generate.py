"""Writes docs/reference/ from the code: commands, keys of the file, settings, codes, facts. `make reference` runs it.

What the code cannot say of itself is in docs/reference/words.toml. A test compares the pages with what this writes.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from shapes import NAMES, default, in_order, kind, spaced

DOCS = Path(__file__).resolve().parent
REFERENCE = DOCS / "reference"
MADE = "<!-- Made by docs/generate.py from the code; `make reference` writes it again. -->\n\n"


def pages() -> dict[str, str]:
    """Every page of the reference, by its file's name."""
    made: dict[str, Callable[[], Iterator[str]]] = {
        "commands": commands,
        "pipeline": pipeline,
        "settings": settings,
        "reason-codes": reasons,
        "exit-codes": exits,
        "facts": facts,
    }
    return {f"{name}.md": MADE + "\n".join(write()).rstrip() + "\n" for name, write in made.items()}


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines] + [""]


def readme(heading: str) -> dict[str, list[str]]:
    """Return a table of the README, by its first cell."""
    section = (DOCS.parent / "README.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line.startswith("| ")]
    return {row[0].strip("` |"): [cell.strip(" |") for cell in row] for row in rows}


# ------------------------------------------------------------ commands
def commands() -> Iterator[str]:
    from typer.main import get_command

    from promoter.ui.cli.app import VERBS, app, load

    root: Any = get_command(app)
    yield from _head("commands")
    yield from table(("command", "does"), [row for name in VERBS for row in _summary(load(name), f"promoter {name}")])
    yield "## Options of every command\n"
    yield "Write them before or after the command.\n"
    shared = [one for one in root.params if one.name != "help"]
    context = root.make_context("promoter", [], resilient_parsing=True)
    yield from table(("option", "says"), [_option(one, context) for one in shared])
    for name in VERBS:
        yield from _command(load(name), f"promoter {name}", "##", [one.opts for one in shared])


def _summary(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the row of a command in the table of all commands; for a group, the rows of its commands.

    A row has the arguments of the command and the first sentence of its help.
    """
    inner = getattr(command, "commands", {})
    for name in inner:
        yield from _summary(inner[name], f"{path} {name}")
    if not inner:
        context = command.make_context(path, [], resilient_parsing=True)
        usage = _once(" ".join(command.get_usage(context).partition("[OPTIONS]")[2].split()))
        link = f"[`{path}`](#{path.replace(' ', '-')})" + (f" `{usage}`" if usage else "")
        yield link, _prose((command.help or "").partition("\n\n")[0]).strip()


def _command(command: Any, path: str, level: str, shared: list[list[str]]) -> Iterator[str]:
    context = command.make_context(path, [], resilient_parsing=True)
    text, _, examples = (command.help or "").partition("\b\nExamples:\n")
    yield f"{level} {path}\n"
    yield _prose(text)
    usage = " ".join(command.get_usage(context).removeprefix("Usage: ").split())
    yield f"```text\n{_once(usage)}\n```\n"
    own = [one for one in command.params if one.opts not in shared and one.name != "help" and not getattr(one, "hidden", False)]
    for sort in ("argument", "option"):
        rows = [_option(one, context) for one in own if one.param_type_name == sort]
        yield from table((sort, "says"), rows) if rows else []
    if examples.strip():
        lines = "\n".join(line.strip() for line in examples.strip().splitlines())
        yield f"```sh\n{lines}\n```\n"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _command(inner, f"{path} {name}", "###", shared)


def _option(option: Any, context: Any) -> tuple[str, str]:
    names, text = option.get_help_record(context) or (option.get_usage_pieces(context)[0], option.help or "")
    return f"`{_once(names)}`", _prose(text).strip()


def _once(usage: str) -> str:
    """Write an optional argument in one pair of brackets, and without a type that repeats its name."""
    usage = re.sub(r"\{([A-Z]+)\}", r"\1", usage)
    return usage.replace("[[", "[").replace("]]", "]").replace(" <path>", "")


def _prose(text: str) -> str:
    return re.sub(r"[ \t]+", " ", re.sub(r"(?<!\n)\n(?!\n)", " ", text.replace("\b", ""))).strip() + "\n"


# ------------------------------------------------------------ the pipeline file
def pipeline() -> Iterator[str]:
    from promoter.pipeline.json_schema import json_schema
    from promoter.pipeline.spec import FileForm

    shapes = FileForm.model_json_schema(by_alias=True, mode="validation")
    words = json_schema()
    forms: dict[str, Any] = {"FileForm": shapes, **shapes["$defs"]}
    output: dict[str, Any] = {"FileForm": words, **words["$defs"]}
    reported = {
        name: _descriptions(heading)
        for name, heading in (("FileForm", "The top of the file"), ("EnvironmentForm", "Environments"))
    }
    yield from _head("pipeline")
    for name in in_order(forms):
        form = forms[name]
        if "properties" not in form:
            continue
        yield f"## {NAMES.get(name, spaced(name))}\n"
        if name != "FileForm" and form.get("description"):
            yield _prose(form["description"])
        required = set(form.get("required", ()))
        rows = [
            (
                f"`{key}`",
                kind(value, forms),
                default(value, must=key in required),
                output[name]["properties"][key].get("description") or reported.get(name, {}).get(key, ""),
            )
            for key, value in form["properties"].items()
        ]
        described = any(row[3] for row in rows)
        yield from (
            table(("key", "type", "default", "says"), rows)
            if described
            else table(("key", "type", "default"), [row[:3] for row in rows])
        )


def _descriptions(heading: str) -> dict[str, str]:
    """Return the manual's text about each key; a row may describe several keys."""
    section = (DOCS / "pipeline.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \| (.+) \|$", section, re.MULTILINE)
    return {
        key: text.replace("](", "](../").removesuffix(", below") for keys, text in rows for key in re.findall(r"`([\w-]+)`", keys)
    }


# ------------------------------------------------------------ settings, codes, facts
def settings() -> Iterator[str]:
    from promoter.adapters.settings import PREFIX, Settings

    reported = readme("Settings")
    yield from _head("settings")
    schema = Settings.model_json_schema()
    rows = []
    for name in Settings.model_fields:
        output = kind(schema["properties"][name], {**schema.get("$defs", {})})
        rows.append((f"`{name}`", f"`{PREFIX}{name.upper()}`", output, reported[name][2].replace("](docs/", "](../")))
    yield from table(("setting", "variable", "type", "means"), rows)


def reasons() -> Iterator[str]:
    from promoter.model.verdict import ReasonCode

    words = _words()["reasons"]
    yield from _head("reason-codes")
    yield from table(("code", "means", "what to do"), [(f"`{code}`", *words.pop(str(code))) for code in ReasonCode])
    assert not words, f"words.toml explains codes that are not: {sorted(words)}"


def exits() -> Iterator[str]:
    from promoter.promotion.results import Decision, exit_code

    output = readme("Exit codes")
    yield from _head("exit-codes")
    decisions: dict[int, list[str]] = {}
    for decision in Decision:
        decisions.setdefault(exit_code(decision), []).append(f"`{'failed' if decision is Decision.INTERRUPTED else decision}`")
    rows = [
        (f"`{code}`", ", ".join(decisions.get(int(code), ["-"])), cells[1]) for code, cells in output.items() if code.isdigit()
    ]
    yield from table(("code", "`decision` in JSON", "means"), rows)


def facts() -> Iterator[str]:
    from promoter.ledger.chain import Kind
    from promoter.ledger.facts import KINDS

    words = _words()["facts"]
    yield from _head("facts")
    yield from table(("kind", "means", "body"), [(f"`{kind}`", words.pop(str(kind)), _body(KINDS[kind])) for kind in Kind])
    assert not words, f"words.toml explains facts that are not: {sorted(words)}"


def _body(payload: type[Any]) -> str:
    hints = get_type_hints(payload, include_extras=True)
    parts = []
    for one in fields(payload):
        output = next(iter(getattr(hints[one.name], "__metadata__", ())), None)
        key = one.metadata.get("key", one.name) + ("?" if one.default is None else "")
        parts.append(f"`{key}`" + (f": {output}" if output else ""))
    own = payload.__dict__.get("__doc__") or ""
    return (" · ".join(parts) or "-") + (f". {own}" if own else "")


def _head(page: str) -> Iterator[str]:
    yield from (f"{part.strip()}\n" for part in _words()["pages"][page])


def _words() -> dict[str, Any]:
    return tomllib.loads((REFERENCE / "words.toml").read_text())


if __name__ == "__main__":
    for name, text in pages().items():
        (REFERENCE / name).write_text(text)
        sys.stdout.write(f"docs/reference/{name}\n")
