"""Fill in `${…}` of a Compose file, so that its values can be read as values with templates."""

from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from promoter.config.yaml.scalars import Tagged
from promoter.model.dataclass import dataclass
from promoter.pipeline.compose.env_file import MAX_TOTAL
from promoter.pipeline.compose.interpolation import Unset
from promoter.pipeline.compose.literal import InsideTemplate, as_template, marked, unmarked
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.template_filler import Broken

PROJECT = "COMPOSE_PROJECT_NAME"
_IMAGE = ("image", "build", "platform")


@dataclass(frozen=True)
class Variables:
    """The variables for `${…}`. `project` is the default of Compose's project name."""

    environ: Mapping[str, str]
    project: str

    def over(self, files: Mapping[str, str]) -> "Variables":
        """Add variables of a file that the environment does not have."""
        return replace(self, environ={**files, **self.environ})

    @cached_property
    def once(self) -> dict[str, str]:
        """Return the variables for builds, which are the same in all environments."""
        return marked({PROJECT: self.project, **self.environ})

    @cached_property
    def running(self) -> dict[str, str]:
        """Return the variables for all else: each environment of the pipeline is a project of its own."""
        return {PROJECT: f"{self.project}-{{{{ environment }}}}", **marked(self.environ)}


@dataclass(frozen=True)
class Filling:
    """Fills in the variables of one file."""

    variables: Variables
    complaints: Complaints
    made: list[int] = field(default_factory=lambda: [0])
    """Characters filled in so far: a long variable in many places could fill the memory."""

    def part(self, value: object, spot: Spot) -> Any:
        return self._filled(value, spot, self.variables.running)

    def _filled(self, value: object, spot: Spot, environ: Mapping[str, str]) -> object:
        if isinstance(value, str):
            return self._text(value, spot, environ)
        if isinstance(value, dict):
            once = self.variables.once if len(spot.path) == 2 and spot.path[0] == "services" else environ
            return {key: self._filled(item, spot / key, once if key in _IMAGE else environ) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item, spot / index, environ) for index, item in enumerate(value)]
        return Tagged(value.tag, self._filled(value.value, spot, environ)) if isinstance(value, Tagged) else value

    def _counted(self, filled: str) -> str:
        self.made[0] += len(filled)
        if self.made[0] > MAX_TOTAL:
            raise Unset(f"the values up to here have more than {MAX_TOTAL:,} characters", "use shorter variables")
        return filled

    def _text(self, value: str, spot: Spot, environ: Mapping[str, str]) -> str:
        if "$" not in value and "{" not in value:
            return value
        try:
            return self._counted(as_template(value, environ))
        except Unset as error:
            self.complaints.add(spot, unmarked(error.message), error.hint)
        except InsideTemplate:
            hint = "write env('NAME') inside a template"
            self.complaints.add(spot, "a template cannot contain a `${…}` variable", hint)
        return Broken(value)


def rooted(parts: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Make the paths of config and secret files absolute, for Compose files in another directory."""
    return {part: _rooted(value, directory) if part in ("configs", "secrets") else value for part, value in parts.items()}


def _rooted(part: Any, directory: Path) -> Any:
    entries = part.items() if isinstance(part, dict) else ()
    changed = {
        name: {**value, "file": str(directory / file)}
        for name, value in entries
        if isinstance(value, dict) and isinstance(file := value.get("file"), str) and not isinstance(file, Broken)
    }
    return {**part, **changed} if changed else part
