"""Files of a service: env files for its environment, configs and secrets as files inside the container."""

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from promoter.config.regular_file import exists, read_regular
from promoter.model.dataclass import dataclass
from promoter.model.secrets import OPENING, handle
from promoter.pipeline.compose.definitions import ConfigForm
from promoter.pipeline.compose.env_file import BadEnvFile, read_env_file
from promoter.pipeline.problems import Spot
from promoter.pipeline.sources import Origin, unknown
from promoter.pipeline.template_filler import Filler

FORGED = "write secret('NAME') in the pipeline file itself"


@dataclass
class Files:
    """Reads files beside the pipeline file, each once."""

    environ: Mapping[str, str]
    read: Callable[[Path], bytes] = read_regular
    _texts: dict[Path, str | None] = field(default_factory=dict)
    _why: dict[Path, str] = field(default_factory=dict)
    _variables: dict[tuple[str, str, bool], dict[str, str] | str] = field(default_factory=dict)

    def text(self, path: Path) -> str | None:
        """Return the text of a file; None if it cannot be read."""
        if path not in self._texts:
            try:
                self._texts[path] = self.read(path).decode()
            except OSError as error:
                self._texts[path], self._why[path] = None, (error.strerror or str(error)).lower()
            except UnicodeDecodeError:
                self._texts[path], self._why[path] = None, "it is not UTF-8"
        return self._texts[path]

    def why(self, path: Path) -> str:
        """Return why `text` returned None."""
        return self._why[path]

    def variables(self, path: str, *, raw: bool, what: str = "env file") -> dict[str, str] | str:
        """Return the variables of a file, or an error message that calls it `what`."""
        if (path, what, raw) not in self._variables:
            self._variables[path, what, raw] = self._read(path, what, raw=raw)
        return self._variables[path, what, raw]

    def _read(self, path: str, what: str, *, raw: bool) -> dict[str, str] | str:
        text = self.text(Path(path))
        if text is None:
            return f"cannot read the {what} {path}: {self.why(Path(path))}"
        try:
            variables = read_env_file(text, self.environ, raw=raw)
        except BadEnvFile as error:
            return f"the {what} {path} has an error on line {error.line}: {error.message}"
        forged = next((name for name, value in variables.items() if OPENING in value), None)
        return (
            f"the value of {forged} in the {what} {path} looks like the internal placeholder of a secret" if forged else variables
        )


def apply_env_files(service: dict[str, Any], files: Files, spot: Spot, filler: Filler) -> dict[str, Any]:
    """Replace `env_file` by its variables. Those of `environment` have priority."""
    entries = service.get("env_file")
    if entries is None:
        return service
    variables: dict[str, str] = {}
    for entry in entries:
        if not entry.get("required", True) and not exists(Path(entry["path"])):
            continue
        found = files.variables(entry["path"], raw=entry.get("format") == "raw")
        if isinstance(found, str):
            filler.complain(
                spot / "env_file",
                found,
                "write NAME=value, one a line"
                if "has an error on line" in found
                else FORGED
                if "internal placeholder" in found
                else None,
            )
        else:
            variables |= found
    rest = {key: value for key, value in service.items() if key != "env_file"}
    return {**rest, "environment": {**variables, **service.get("environment", {})}}


def apply_label_files(service: dict[str, Any], files: Files, spot: Spot, filler: Filler) -> dict[str, Any]:
    """Replace `label_file` by its labels. Those of `labels` have priority."""
    if "label_file" not in service:
        return service
    labels: dict[str, str] = {}
    for path in service["label_file"]:
        found = files.variables(path, raw=False, what="label file")
        if isinstance(found, str):
            filler.complain(spot / "label_file", found, "write NAME=value, one a line")
        else:
            labels |= found
    rest = {key: value for key, value in service.items() if key != "label_file"}
    return {**rest, "labels": {**labels, **service.get("labels", {})}}


def contents(
    service: Mapping[str, Any],
    spots: Mapping[str, Spot],
    configs: Mapping[str, ConfigForm],
    origin: Origin,
    files: Files,
    filler: Filler,
) -> dict[str, str]:
    """Map `config:NAME` and `secret:NAME` to the text of the file, for the configs and secrets of a service."""
    found = {}
    for grant in service.get("secrets", ()):
        name = grant["source"]
        if name in filler.scope.secrets:
            found[f"secret:{name}"] = handle(name)
        else:
            message, hint = unknown(name, "secret", tuple(sorted(filler.scope.secrets)))
            filler.complain(
                (spots["secrets"] / "secrets").entry(name), message, hint or f"declare it: `secrets: {{{name}: {{env: {name}}}}}`"
            )
    for grant in service.get("configs", ()):
        name = grant["source"]
        if name not in configs:
            if name not in (origin.holder("configs", name).parts["configs"] or {}):
                filler.complain((spots["configs"] / "configs").entry(name), *unknown(name, "config", tuple(configs)))
            continue
        text = _config_text(name, configs[name], origin, files, filler)
        if text is not None:
            found[f"config:{name}"] = text
    return found


def _config_text(name: str, form: ConfigForm, origin: Origin, files: Files, filler: Filler) -> str | None:
    holder = origin.holder("configs", name)
    at = holder.spot("configs", name)
    if form.content is not None:
        return form.content
    if form.file is not None:
        text = files.text(origin.directory / form.file)
        if text is None:
            filler.complain(
                at / "file",
                f"cannot read {form.file} as UTF-8 text: {files.why(origin.directory / form.file)}",
                "name a file, relative to this one",
            )
    else:
        variable = form.environment or ""
        text = holder.environ.get(variable)
        if text is None:
            filler.complain(at / "environment", f"the environment variable {variable} is not set", "set it")
    if text is not None and OPENING in text:
        filler.complain(at, f"the text of config `{name}` looks like the internal placeholder of a secret", FORGED)
        return None
    return text
