"""The names that a template can use, and the errors for all other names.

Plain names (`{{ port }}`, `{{ source.sha }}`, `{{ env('HOME') }}`, `{{ secret('TOKEN') }}`) are filled in here; anything
that needs Jinja2 goes to `sandbox.py`, which is imported only then. Both give the same result.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from difflib import get_close_matches
from functools import cache
from typing import NoReturn

from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern
from promoter.model.release import Source

MAX_LENGTH = 16_384
RESERVED = frozenset({"source", "release", "environment", "env", "secret"})
_NOT_NAMES = frozenset(("true", "false", "none", "True", "False", "None", "self", "super", "loop", "range"))
_NOT_NAMES |= {"and", "or", "not", "in", "is", "if", "else"}
UNVERSIONED = "unversioned"
"""`source.version` outside a checkout: most files use a version, and people try them before the first commit."""
_VIEWS = ("source", "environment", "release")
_OPENINGS = pattern(r"\{[{%#]")
_WORD = r"""(?:'[^'"\\{}]*'|"[^'"\\{}]*")"""
_PLAIN = pattern(
    r"\{\{\s*(?:([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?"
    rf"|(env|secret)\(\s*({_WORD})\s*\)|(env)\(\s*({_WORD})\s*,\s*({_WORD})\s*\)(?:\s*or\s*({_WORD}))?|\"(\{{+[%#]?)\")\s*\}}\}}"
)


class TemplateFault(Exception):
    """A template cannot be filled in. It has a message and may have a hint."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class Handle:
    """The value of `secret('NAME')`. It can be inserted into a text; every other use is an error."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def placeholder(self) -> str:
        return f"<secret {_nonce()} {self._name}>"

    def _refuse(self, *_: object) -> NoReturn:
        raise TemplateFault(
            f"secret('{self._name}') was used as a value",
            "a secret can only be inserted into a text unchanged: remove filters, tests and operators",
        )

    __str__ = __repr__ = __html__ = __format__ = __len__ = __iter__ = __bool__ = __contains__ = __getitem__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse
    __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __int__ = __float__ = __index__ = _refuse


class SourceView:
    """`source` in a template. A part that is unknown is undefined."""

    PARTS = ("sha", "short_sha", "branch", "version", "dirty")

    def __init__(self, get: Callable[[], Source]) -> None:
        self._get = get

    def __getattr__(self, part: str) -> object:
        source = self._get()
        if part == "version" and source.sha is None and source.version is None:
            return UNVERSIONED
        if part not in SourceView.PARTS or (value := getattr(source, part)) is None:
            raise AttributeError(part)
        return value

    def __str__(self) -> NoReturn:
        raise TemplateFault("`source` as a whole cannot be used as text", "take one part of it: source.sha")

    __repr__ = __str__

    def explain(self, part: str) -> str:
        if part not in SourceView.PARTS:
            return f"source has no `{part}`; it has {', '.join(SourceView.PARTS)}"
        if part in ("sha", "short_sha") or self._get().sha is None:
            return f"source.{part} is unknown: this is not a git checkout with a commit"
        return f"source.{part} is unknown: {'no branch is checked out' if part == 'branch' else 'git has none'}"


class NameView:
    """`environment` and `release`: in a text they give their name, which is also one of their parts."""

    def __init__(self, what: str, parts: Mapping[str, str], text: str) -> None:
        self._what, self._parts, self._text = what, parts, text

    def __getattr__(self, part: str) -> object:
        if part.startswith("_") or part not in self._parts:
            raise AttributeError(part)
        return self._parts[part]

    def __str__(self) -> str:
        return self._text

    def explain(self, part: str) -> str:
        return f"{self._what} has no `{part}`; it has {', '.join(self._parts)}"


@dataclass
class Scope:
    """The names of a template. `absent` maps names that have no meaning here to the reason."""

    source: Callable[[], Source]
    environ: Mapping[str, str]
    secrets: frozenset[str]
    variables: Mapping[str, object] = field(default_factory=dict)
    environment: str | None = None
    release: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    why_undefined: str = "declare it under `vars` of the environment"
    known: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self.known = {**self.variables, "source": SourceView(self.source), "env": self._env, "secret": self._secret}
        if self.environment is not None:
            self.known["environment"] = NameView("environment", {"name": self.environment}, self.environment)
        if self.release is not None:
            self.known["release"] = NameView("release", {"id": self.release, "short_id": self.release[:12]}, self.release)
        for name in self.absent:
            self.known.pop(name, None)

    def undefined(self, name: str) -> TemplateFault:
        """Return the error for the undefined `name`."""
        if name in self.absent:
            return TemplateFault(self.absent[name])
        near = get_close_matches(name, [n for n in self.known if n not in ("env", "secret")], 1)
        hint = f"did you mean `{near[0]}`?" if near else self.why_undefined
        return TemplateFault(f"`{name}` is not defined", hint)

    def _env(self, name: object, default: object = None, required: object = None) -> object:
        """Return an environment variable. With `required`, which gives the reason, an empty value is an error too."""
        if not isinstance(name, str):
            raise TemplateFault("env() takes the name of an environment variable", "write for example env('HOME')")
        if self.environ.get(name) or (name in self.environ and required is None):
            return self.environ[name]
        if required is not None:
            raise TemplateFault(f"the environment variable {name} is required: {required}".removesuffix(": "), f"set {name}")
        if default is not None:
            return default
        hint = f"set it, or give a default: env('{name}', '…')"
        raise TemplateFault(f"the environment variable {name} is not set", hint)

    def _secret(self, name: object) -> Handle:
        if "secret" in self.absent:
            raise TemplateFault(self.absent["secret"])
        if not isinstance(name, str):
            raise TemplateFault("secret() takes the name of a declared secret", "write for example secret('TOKEN')")
        if name in self.secrets:
            return Handle(name)
        near = get_close_matches(name, sorted(self.secrets), 1)
        hint = f"did you mean `{near[0]}`?" if near else f"declare it: `secrets: {{{name}: {{env: {name}}}}}`"
        raise TemplateFault(f"the secret {name} is not declared", hint)


def spell(value: object) -> str:
    """Return the form of a value inside a text."""
    match value:
        case Handle():
            return value.placeholder()
        case bool():
            return "true" if value else "false"
        case str() | int() | float() | NameView():
            return str(value)
        case None:
            raise TemplateFault("null value: expected a string or a number")
    what = {list: "a list", dict: "a mapping", tuple: "a list", SourceView: "`source` as a whole"}.get(type(value), "this")
    raise TemplateFault(f"{what} cannot be used as text", "take one part of it")


@cache
def _nonce() -> str:
    """Make placeholders unpredictable, so that no input can contain a valid one."""
    return os.urandom(16).hex()


@cache
def _placeholders() -> re.Pattern[str]:
    return re.compile(rf"<secret {_nonce()} ([^ <>]+)>")
