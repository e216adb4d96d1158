"""What `promoter init` wants to know: from options, from a person on a terminal, or from what there is. Nobody is asked in CI."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import typer

from promoter.model.errors import CallerError
from promoter.pipeline.scaffold.ci_workflow import PLATFORMS

T = TypeVar("T")
NONE = "none"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_WILD = ("*", "?", "!")


@dataclass(frozen=True, slots=True)
class Answers:
    """`ci` is a platform or none. `registry` None: nothing is built, or the usual one."""

    name: str
    registry: str | None
    environments: tuple[str, ...]
    approvers: tuple[str, ...]
    ci: str


@dataclass(frozen=True, slots=True)
class Said:
    """What options say; None where nothing was said."""

    name: str | None
    registry: str | None
    environments: str | None
    approvers: str | None
    ci: str | None


@dataclass(frozen=True, slots=True)
class Usual:
    """What is proposed. `registry` gives the usual one for a platform; None where nothing is built."""

    name: str
    registry: Callable[[str], str | None]
    environments: tuple[str, ...]
    ci: str


def may_ask(*, yes: bool) -> bool:
    """Somebody sits at a terminal, and wants to be asked."""
    return not yes and not os.environ.get("CI") and sys.stdin.isatty() and sys.stderr.isatty()


def answers(said: Said, usual: Usual, *, ask: bool) -> Answers:
    """Raises CallerError for an option that cannot be; a person who types something that cannot be is asked again."""
    question = _ask if ask else _take
    name = question("The pipeline's name", "--name", said.name, usual.name, check_name)
    ci = question(f"A workflow for CI ({', '.join(PLATFORMS)} or {NONE})", "--ci", said.ci, usual.ci if ask else NONE, check_ci)
    prefix = usual.registry(ci)
    registry = None
    if prefix is not None or said.registry is not None:
        registry = question("The registry that images are pushed to", "--registry", said.registry, prefix or "", check_registry)
    environments = question(
        "Environments, in order", "--environments", said.environments, ",".join(usual.environments), check_environments
    )
    wanted = f"Who approves {environments[-1]} (e-mail addresses; Enter: anyone)"
    approvers = question(wanted, "--approvers", said.approvers, "", check_approvers) if len(environments) > 1 else ()
    return Answers(name, registry, environments, approvers, ci)


def _take(_: str, option: str, said: str | None, usual: str, check: Callable[[str], T]) -> T:
    try:
        return check(usual if said is None else said)
    except ValueError as error:
        raise CallerError(f"{option}: {error}") from error


def _ask(question: str, option: str, said: str | None, usual: str, check: Callable[[str], T]) -> T:
    if said is not None:
        return _take(question, option, said, usual, check)
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
        raise ValueError(f"{text!r} is none of {', '.join(PLATFORMS)}, {NONE}")
    return text


def check_registry(text: str) -> str:
    from promoter.model.images import BadReference, Repository

    text = text.removeprefix("https://").rstrip("/")
    try:
        Repository.parse(f"{text}/x")
    except BadReference as error:
        raise ValueError(f"{text!r} is not a registry: write a host and perhaps a path, as registry.example.com/acme") from error
    return text


def check_environments(text: str) -> tuple[str, ...]:
    names = _split(text)
    if not names:
        raise ValueError("name at least one environment")
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for an environment: use lower-case letters, digits and -")
    if len(set(names)) != len(names):
        raise ValueError(f"an environment is named twice in {', '.join(names)}")
    return names


def check_approvers(text: str) -> tuple[str, ...]:
    people = _split(text)
    for person in people:
        if any(sign in person for sign in _WILD) or not person.isprintable():
            raise ValueError(f"{person!r} does not name one person: people are counted")
    return tuple(dict.fromkeys(people))


def _split(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text) if word)
