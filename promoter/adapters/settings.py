"""Settings: flags over PROMOTER_* variables over `.promoter/settings.toml` beside the pipeline file; and who is acting.

A settings file that git tracks comes with the branch, and may set comfort only: `tracked.py`.

What a setting means is not decided here. pydantic-settings is slow to import, so it is asked only when there is
something to read: a PROMOTER_* variable or the file.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from promoter.adapters.tracked_settings import forbidden
from promoter.config.regular_file import read_regular
from promoter.config.spec import Duration
from promoter.model.duration import format_duration
from promoter.model.errors import Diagnostic, InvalidFile
from promoter.model.pattern import pattern
from promoter.pipeline.model import BuilderChoice

SETTINGS_FILE = ".promoter/settings.toml"
PREFIX = "PROMOTER_"
_SECRET = pattern(r"(?<=ledger_token)\b.*")
"""The rest of a line that must not be shown."""
SHORTEST_LEASE = timedelta(seconds=3)


def _by_commas(value: object) -> object:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _long_enough(value: timedelta) -> timedelta:
    from promoter.ledger.store import LONGEST_LEASE  # few settings have a lease, and `validate` needs no ledger

    if value < SHORTEST_LEASE:
        raise ValueError(
            f"a lease of {format_duration(value)} expires between two heartbeats: write {format_duration(SHORTEST_LEASE)} or more"
        )
    if value > LONGEST_LEASE:
        raise ValueError(
            f"a lease of {format_duration(value)} blocks runs too long after a crash: "
            f"write {format_duration(LONGEST_LEASE)} or less"
        )
    return value


def _startable(value: str) -> str:
    from promoter.usecases.ports.platform import parse_target  # few settings start a CI job

    parse_target(value)
    return value


class Ci(StrEnum):
    """The CI platform whose log commands and reports are written."""

    AUTO = "auto"
    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


class Settings(BaseModel):
    """The settings. None or empty: use the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ledger: str | None = None
    ledger_token: Annotated[str | None, Field(repr=False)] = None
    """For the https server of a ledger in Git. A secret."""
    actor: str | None = None
    wait: Duration | None = None
    wait_lock: Duration | None = None
    lease_ttl: Annotated[Duration, AfterValidator(_long_enough)] | None = None
    key: str | None = None
    policy_ref: str | None = None
    builder: BuilderChoice | None = None
    insecure_registries: Annotated[tuple[str, ...], BeforeValidator(_by_commas)] = ()
    accept_engine: Annotated[tuple[str, ...], BeforeValidator(_by_commas)] = ()
    accept_ledger: Annotated[tuple[str, ...], BeforeValidator(_by_commas)] = ()
    dispatch: Annotated[str, AfterValidator(_startable)] | None = None
    deployments: bool = False
    ci: Ci | None = None
    summary: bool = True
    annotations: bool = True
    junit: str | None = None
    dotenv: str | None = None

    def known_secrets(self) -> dict[str, str]:
        """Return the values that no output may show. A token may have its user before it: USER:TOKEN."""
        return {"ledger_token": self.ledger_token.rpartition(":")[2]} if self.ledger_token else {}

    def token_for(self, named: str | None) -> str | None:
        """Return the token for the ledger; `named` is the ledger of the pipeline file, which comes with the branch.

        A remote of the checkout is not a part of the branch, but an address is: it could name any server.
        """
        return self.ledger_token if self.ledger or "://" not in (named or "") else None

    def over(self, *, ledger: str | None = None, actor: str | None = None) -> "Settings":
        """With the flags of one call on top."""
        return self.model_copy(update={"ledger": ledger or self.ledger, "actor": actor or self.actor})


def load_settings(directory: Path) -> Settings:
    """Return the settings for a pipeline file in `directory`. Raise InvalidFile with all complaints at once."""
    file = directory / SETTINGS_FILE
    text = _read(file)
    variables = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    if text is None and not any(os.environ.get(name) for name in variables):
        return Settings()
    table = _table(file, text or "")
    _refuse_tracked_keys(file, table, text or "")
    return _merge(file, table, text or "")


def _read(file: Path) -> str | None:
    try:
        return read_regular(file).decode().replace("\r\n", "\n")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise InvalidFile((Diagnostic(str(file), 1, 1, "this file is not UTF-8", "save it as UTF-8"),)) from error
    except OSError as error:
        raise InvalidFile((Diagnostic(str(file), 1, 1, f"cannot be read: {error.strerror}"),)) from error


def _table(file: Path, text: str) -> dict[str, Any]:
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        position = re.search(r"at line (\d+), column (\d+)", str(error))
        line, column = (int(position[1]), int(position[2])) if position else _end(text)
        complaint = _complaint(file, text, line, column, f"this is not TOML: {error}", 'write lines such as wait = "30m"')
        raise InvalidFile((complaint,)) from error
    unknown = tuple(_unknown(file, text, key) for key in table if key not in Settings.model_fields)
    if unknown:
        raise InvalidFile(tuple(sorted(unknown)))
    return table


def _unknown(file: Path, text: str, key: str) -> Diagnostic:
    from difflib import get_close_matches

    near = get_close_matches(key, Settings.model_fields, 1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(Settings.model_fields)}"
    return _complaint(file, text, *_position(text, key), f"unknown setting {key!r}", hint)


def _position(text: str, key: str) -> tuple[int, int]:
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(rf"\s*\[*\s*[\"']?({re.escape(key)})\b", line)
        if found:
            return number, found.start(1) + 1
    return 1, 1


def _end(text: str) -> tuple[int, int]:
    lines = text.splitlines() or [""]
    return len(lines), len(lines[-1]) + 1


def _complaint(file: Path, text: str, line: int, column: int, message: str, hint: str) -> Diagnostic:
    lines = text.splitlines()
    shown = _SECRET.sub("…", lines[line - 1]) if line <= len(lines) else ""
    return Diagnostic(str(file), line, column, message, hint, shown)


def _merge(file: Path, table: Mapping[str, Any], text: str) -> Settings:
    from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

    class Outside(BaseSettings, Settings):
        """The same settings, read from variables, and below them from the file."""

        model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, enable_decoding=False)

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **sources: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return sources["env_settings"], InitSettingsSource(settings_cls, dict(table))

    try:
        read = Outside()
    except ValidationError as error:
        raise InvalidFile(tuple(_wrong(file, text, str(e["loc"][0]), e["msg"]) for e in error.errors())) from error
    return Settings.model_construct(**{name: getattr(read, name) for name in Settings.model_fields})


def _refuse_tracked_keys(file: Path, table: Mapping[str, Any], text: str) -> None:
    found = forbidden(file.parent.parent, SETTINGS_FILE, table)
    remedy = f"set it with a variable or a flag, or take the file out of git: `git rm --cached {SETTINGS_FILE}`"
    complaints = (
        _complaint(file, text, *_position(text, key), why, f"{remedy}; {PREFIX}{key.upper()}=…") for key, why in found.items()
    )
    if found:
        raise InvalidFile(tuple(sorted(complaints)))


def _wrong(file: Path, text: str, key: str, message: str) -> Diagnostic:
    message = message.removeprefix("Value error, ")
    variable = f"{PREFIX}{key.upper()}"
    if os.environ.get(variable):
        return Diagnostic(f"environment variable {variable}", 1, 1, message)
    return _complaint(file, text, *_position(text, key), f"{key}: {message}", "see the settings in the README")


def passed_over(settings: Settings, environ: Mapping[str, str], flag: str | None) -> str | None:
    """Return a notice if the configured actor is ignored because the CI platform names who started the job."""
    named = _actor_of_ci(environ) if in_ci(environ) else None
    if flag or named is None or settings.actor in (None, named):
        return None
    return f"in CI the platform names the actor, {named}: PROMOTER_ACTOR or `actor` ({settings.actor}) is ignored"


def in_ci(environ: Mapping[str, str]) -> bool:
    return environ.get("GITHUB_ACTIONS") == "true" or environ.get("GITLAB_CI") == "true"


def _actor_of_ci(environ: Mapping[str, str]) -> str | None:
    candidates = (environ.get(name) for name in ("GITHUB_ACTOR", "GITLAB_USER_EMAIL", "GITLAB_USER_LOGIN"))
    return next((name for name in candidates if name), None)
