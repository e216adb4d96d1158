"""Read Compose files, with `${…}` filled in from the environment and from `.env`, and with included files."""

from collections.abc import Callable
from dataclasses import field, replace
from pathlib import Path

from promoter.config.regular_file import is_file, read_regular
from promoter.config.spec_errors import unknown_key
from promoter.config.yaml.positions import Document
from promoter.config.yaml.reader import read_documents
from promoter.config.yaml.scalars import kind_of
from promoter.model.dataclass import dataclass
from promoter.model.errors import Diagnostic, InvalidFile
from promoter.pipeline.compose.env_file import BadEnvFile, read_env_file
from promoter.pipeline.compose.unsupported import reason
from promoter.pipeline.compose_variables import Filling, Variables, rooted
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.sources import PARTS, Origin, Sheet

_KNOWN = (*PARTS, "name", "version", "include")
MAX_FILES = 100


@dataclass
class ComposeFiles:
    """Reads Compose files, once for each reference to them."""

    variables: Variables
    complaints: Complaints
    read: Callable[[Path], bytes]
    _opened: list[Path] = field(default_factory=list)

    def origin(self, named: list[tuple[str, Spot]], directory: Path) -> Origin | None:
        """Read several files in merge order. Relative paths and `.env` belong to the directory of the first file."""
        first = (directory / named[0][0]).parent
        variables = self._with_files(self.variables, [first / ".env"], str(Path(named[0][0]).parent / ".env"), named[0][1])
        sheets: list[Sheet] = []
        for shown, spot in named:
            found = self.sheets(directory / shown, shown, spot, first, variables, ()) if variables else None
            if not found:
                return None
            sheets += found
        rebased = (replace(s, parts=rooted(s.parts, s.directory)) if s.directory != first else s for s in sheets)
        return Origin(tuple(rebased), first)

    def sheets(
        self, path: Path, shown: str, named: Spot, directory: Path, variables: Variables, trail: tuple[Path, ...]
    ) -> list[Sheet] | None:
        """Read what the file includes, then the file itself. Return None after reporting that it cannot be read.

        Later documents of a file are merged over earlier ones, as Compose does.
        """
        found: list[Sheet] = []
        documents = self._documents(path, shown, named, trail)
        for document in documents:
            sheet = self._sheet(document, directory, variables)
            self._check_keys(sheet)
            included = self._included(sheet, path, shown, variables, (*trail, path))
            if included is None:
                return None
            found += [*included, sheet]
        return found or None

    def extended(self, sheet: Sheet, file: str, named: Spot) -> Sheet | None:
        """Read a file with a service that a service in `sheet` extends."""
        path, shown = sheet.directory / file, str(Path(sheet.document.file).parent / file)
        variables: Variables | None = replace(self.variables, environ=sheet.environ)
        if sheet.own:
            variables = self._with_files(self.variables, [sheet.directory / ".env"], ".env", named)
        documents = self._documents(path, shown, named, ()) if variables else ()
        if len(documents) > 1:
            self.complaints.add(named, f"{shown} has several documents", "keep the service in a file with one document")
            return None
        return self._sheet(documents[0], path.parent, variables) if documents and variables else None

    def _documents(self, path: Path, shown: str, named: Spot, trail: tuple[Path, ...]) -> tuple[Document, ...]:
        self._opened.append(path)
        if path in trail or len(self._opened) > MAX_FILES:
            problem = f"{shown} includes itself" if path in trail else f"includes lead to more than {MAX_FILES} Compose files"
            self.complaints.add(named, problem, "move the common part to a separate file")
            return ()
        try:
            return read_documents(read_bytes(path, shown, self.read), shown)
        except FileNotFoundError:
            self.complaints.add(named, f"file {shown} not found", "name a Compose file, relative to this one")
        except InvalidFile as faults:
            for complaint in faults.complaints:
                self.complaints.add_complaint(complaint)
        return ()

    def _sheet(self, document: Document, directory: Path, variables: Variables) -> Sheet:
        data = document.data
        assert isinstance(data, dict)
        filling = Filling(variables, self.complaints)
        parts = {part: filling.part(data.get(part), Spot(document, (part,))) for part in PARTS}
        return Sheet(document, directory, parts, variables.environ)

    def _check_keys(self, sheet: Sheet) -> None:
        document, data = sheet.document, sheet.document.data
        assert isinstance(data, dict)
        for key in data:
            if key in _KNOWN or key.startswith("x-"):
                continue
            if refusal := reason("Compose", key):
                message = f"`{key}` is not supported: {refusal.why}"
                self.complaints.add(Spot(document, (key,)), message, refusal.instead, on_key=True)
            else:
                self.complaints.fault(Spot(document, ()), unknown_key(key, _KNOWN, (key,)))
        if not data.get("services") and not data.get("include"):
            self.complaints.add(Spot(document, ()), "`services` is missing", "add a mapping `services` at the top level")

    def _included(
        self, sheet: Sheet, path: Path, shown: str, variables: Variables, trail: tuple[Path, ...]
    ) -> list[Sheet] | None:
        assert isinstance(sheet.document.data, dict)
        written, at = sheet.document.data.get("include"), sheet.spot("include")
        if written is None:
            return []
        if not isinstance(written, list):
            self.complaints.add(at, f"expected a list of files, got {kind_of(written)}", "write for example `include: [db.yaml]`")
            return None
        found: list[Sheet] = []
        for index, entry in enumerate(written):
            filled = Filling(variables, self.complaints).part(entry, at / index)
            one = self._include(filled, at / index, path, shown, variables, trail)
            if one is None:
                return None
            found += one
        self._check_conflicts(sheet, found)
        return found

    def _include(
        self, entry: object, at: Spot, path: Path, shown: str, variables: Variables, trail: tuple[Path, ...]
    ) -> list[Sheet] | None:
        """Read one entry of `include`: its files are merged, with their own directory and their own `.env`."""
        written = entry if isinstance(entry, dict) else {"path": entry}
        paths = _texts(written.get("path"))
        if not paths or not written.keys() <= {"path", "project_directory", "env_file"}:
            hint = "write for example `- db.yaml` or `- {path: db/compose.yaml, project_directory: db, env_file: db.env}`"
            self.complaints.add(at, "expected a file, or a mapping with `path`, `project_directory` and `env_file`", hint)
            return None
        first = path.parent / paths[0]
        directory = path.parent / str(written["project_directory"]) if written.get("project_directory") else first.parent
        parent = Path(shown).parent
        files = [path.parent / name for name in _texts(written.get("env_file"))]
        inner = self._with_files(variables, files or [directory / ".env"], str(parent / ".env"), at, must=bool(files))
        found: list[Sheet] = []
        for name in paths:
            one = self.sheets(path.parent / name, str(parent / name), at, directory, inner, trail) if inner else None
            if one is None:
                return None
            found += one
        return found

    def _check_conflicts(self, sheet: Sheet, included: list[Sheet]) -> None:
        for part in PARTS:
            theirs = {name: other for other in included for name in other.parts[part] or {}}
            for name, value in (sheet.parts[part] or {}).items():
                if name in theirs and value != theirs[name].parts[part][name]:
                    message = f"`{name}` is also defined in {theirs[name].document.file}, which is included here"
                    hint = "rename one, or merge an override file: `include: [{path: [a.yaml, b.yaml]}]`"
                    self.complaints.add(sheet.spot(part, name), message, hint, on_key=True)

    def _with_files(
        self, variables: Variables, paths: list[Path], shown: str, named: Spot, *, must: bool = False
    ) -> Variables | None:
        """Add the variables of env files, with lower priority. Return None after reporting that one cannot be read."""
        found: dict[str, str] = {}
        for path in paths:
            if not must and not is_file(path):
                continue
            try:
                text = read_bytes(path, shown, self.read).decode("utf-8", "replace")
                found |= read_env_file(text, {**found, **variables.environ})
            except FileNotFoundError:
                self.complaints.add(named, f"env file {path.name} not found", "name one, relative to this file")
                return None
            except BadEnvFile as error:
                self.complaints.add_complaint(Diagnostic(shown, error.line, 1, error.message))
                return None
            except InvalidFile as faults:
                for complaint in faults.complaints:
                    self.complaints.add_complaint(complaint)
                return None
        return variables.over(found)


def read_bytes(path: Path, shown: str, read: Callable[[Path], bytes] = read_regular) -> bytes:
    """Read a file. Raise InvalidFile if that fails."""
    try:
        return read(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        why = error.strerror or str(error)
        raise InvalidFile((Diagnostic(shown, 1, 1, f"cannot read the file: {why.lower()}"),)) from error


def _texts(value: object) -> list[str]:
    """Return one string or a list of strings as a list; take the path of an entry in the long form."""
    entries = value if isinstance(value, list) else [value]
    found = [entry.get("path") if isinstance(entry, dict) else entry for entry in entries]
    return [entry for entry in found if isinstance(entry, str)]
