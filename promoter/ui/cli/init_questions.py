"""The questions of `promoter init`: answered by options, on a terminal, or by defaults. CI gets no questions."""

import os
import re
import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError
from promoter.model.pattern import pattern
from promoter.pipeline.scaffold.ci_workflow import PLATFORMS

T = TypeVar("T")
NONE = "none"
_NAME = pattern(r"[a-z0-9][a-z0-9-]*")
_WILD = ("*", "?", "!")


@dataclass(frozen=True)
class Answers:
    """`ci` is a platform or none. `registry` None: nothing is built, or the default one."""

    name: str
    registry: str | None
    environments: tuple[str, ...]
    approvers: tuple[str, ...]
    ci: str


@dataclass(frozen=True)
class GivenOptions:
    """The values of the options; None where an option is not set."""

    name: str | None
    registry: str | None
    environments: str | None
    approvers: str | None
    ci: str | None


@dataclass(frozen=True)
class Usual:
    """The proposed answers. `registry` gives the default for a platform; None where nothing is built."""

    name: str
    registry: Callable[[str], str | None]
    environments: tuple[str, ...]
    ci: str


def may_ask(*, yes: bool) -> bool:
    """Return whether questions may be asked: on a terminal, without `--yes`."""
    return not yes and not os.environ.get("CI") and sys.stdin.isatty() and sys.stderr.isatty()


def answers(given: GivenOptions, usual: Usual, *, ask: bool) -> Answers:
    """Raise CallerError for an invalid option; after an invalid answer, ask again."""
    question = _ask if ask else _take
    name = question("The pipeline's name", "--name", given.name, usual.name, check_name)
    ci = question(f"A workflow for CI ({', '.join(PLATFORMS)} or {NONE})", "--ci", given.ci, usual.ci if ask else NONE, check_ci)
    prefix = usual.registry(ci)
    registry = None
    if prefix is not None or given.registry is not None:
        registry = question("The registry that images are pushed to", "--registry", given.registry, prefix or "", check_registry)
    environments = question(
        "Environments, in order", "--environments", given.environments, ",".join(usual.environments), check_environments
    )
    wanted = f"Who approves {environments[-1]} (e-mail addresses; Enter: anyone)"
    approvers = question(wanted, "--approvers", given.approvers, "", check_approvers) if len(environments) > 1 else ()
    return Answers(name, registry, environments, approvers, ci)


def _take(_: str, option: str, given: str | None, usual: str, check: Callable[[str], T]) -> T:
    try:
        return check(usual if given is None else given)
    except ValueError as error:
        raise CallerError(f"{option}: {error}") from error


def _ask(question: str, option: str, given: str | None, usual: str, check: Callable[[str], T]) -> T:
    if given is not None:
        return _take(question, option, given, usual, check)
    while True:
        typed = typer.prompt(question, default=usual, show_default=bool(usual), err=True)
        try:
            return check(typed.strip())
        except ValueError as error:
            typer.echo(f"  {error}", err=True)


# ------------------------------------------------------------ what can be
def check_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name: use lower-case letters, digits and -, and begin with a letter or digit")
    return text


def check_ci(text: str) -> str:
    if text not in (*PLATFORMS, NONE):
        raise ValueError(f"{text!r} is not one of {', '.join(PLATFORMS)}, {NONE}")
    return text


def check_registry(text: str) -> str:
    from promoter.model.images import BadReference, Repository

    text = text.removeprefix("https://").rstrip("/")
    try:
        Repository.parse(f"{text}/x")
    except BadReference as error:
        raise ValueError(
            f"{text!r} is not a registry: write a host and optionally a path, such as registry.example.com/acme"
        ) from error
    return text


def check_environments(text: str) -> tuple[str, ...]:
    names = _split(text)
    if not names:
        raise ValueError("name at least one environment")
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for an environment: use lower-case letters, digits and -")
    if len(set(names)) != len(names):
        raise ValueError(f"an environment appears twice in {', '.join(names)}")
    return names


def check_approvers(text: str) -> tuple[str, ...]:
    people = _split(text)
    for person in people:
        if any(sign in person for sign in _WILD) or not person.isprintable():
            raise ValueError(f"{person!r} is not one person's name or address; wildcards are not allowed")
    return tuple(dict.fromkeys(people))


def _split(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text) if word)
