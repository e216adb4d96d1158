"""An emulation of GitHub's runner for tests: how it reads the output and the files of a step.

It follows the rules of the runner, and is stricter where these are ambiguous: it ignores characters that some machines do
not see (format characters). Both spellings count, `::command::` at the start of a line and `##[command]` anywhere in one.
Between `::stop-commands::TOKEN` and `::TOKEN::` everything is text.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = frozenset(
    {
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    }
)
_LINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Command:
    """One command as the runner executes it."""

    name: str
    properties: Mapping[str, str]
    data: str
    group: str | None = None
    """The group that was open when the command was read."""


@dataclass
class Runner:
    """Feed it the output of a step. `log` is what people read: masked, without commands. `fenced` is the text inside fences."""

    commands: list[Command] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    fenced: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    group: str | None = None
    token: str | None = None

    def feed(self, *texts: str) -> "Runner":
        """Read whole streams, one after the other: stdout and stderr are separate pipes."""
        for text in texts:
            for line in _LINE.split(text.removesuffix("\n")):
                self._line(line)
        return self

    def named(self, *names: str) -> list[Command]:
        return [command for command in self.commands if command.name in names]

    @property
    def annotations(self) -> list[Command]:
        return self.named("error", "warning", "notice")

    def _line(self, line: str) -> None:
        command = self._parse(line)
        if self.token is not None:
            if command is not None and command.name == self.token:
                self.token = None
            else:
                self._write(line)
                self.fenced.append(line)
        elif command is None:
            self._write(line)
        elif command.name == "stop-commands":
            assert len(command.data) >= 16 and command.data.lower() not in KNOWN, f"a weak token: {command.data!r}"
            assert command.data not in self.tokens, "a token was used twice"
            self.tokens.append(command.data)
            self.token = command.data.lower()
        else:
            self._execute(command)

    def _execute(self, command: Command) -> None:
        self.commands.append(command)
        if command.name == "group":
            assert self.group is None, f"group {command.data!r} opens inside {self.group!r}, and groups do not nest"
            self.group = command.data
            self.groups.setdefault(command.data, [])
        elif command.name == "endgroup":
            assert self.group is not None, "a group ends that never began"
            self.group = None
        elif command.name == "add-mask":
            assert command.data.strip(), "an empty mask"
            self.masks.append(command.data)

    def _write(self, line: str) -> None:
        for mask in sorted(self.masks, key=len, reverse=True):
            line = line.replace(mask, "***")
        self.log.append(line)
        if self.group is not None:
            self.groups[self.group].append(line)

    def _parse(self, line: str) -> Command | None:
        """Parse the new spelling, or else the old one. An unregistered name is no command."""
        found = self._new_spelling(line) or self._old_spelling(line)
        seen = seen_by_all(line)
        return found if found or seen == line else self._new_spelling(seen) or self._old_spelling(seen)

    def _new_spelling(self, line: str) -> Command | None:
        seen = line.lstrip()
        if not seen.startswith("::") or (end := seen.find("::", 2)) < 0:
            return None
        properties = (pair.split("=", 1) for pair in seen[2:end].partition(" ")[2].strip().split(",") if "=" in pair)
        unescaped = {name: _unescaped(value, "\r\n:,%") for name, value in properties if value}
        return self._command(seen[2:end], unescaped, _unescaped(seen[end + 2 :], "\r\n%"))

    def _old_spelling(self, line: str) -> Command | None:
        begin = line.find("##[")
        end = line.find("]", begin)
        if begin < 0 or end < 0:
            return None
        pairs = (pair.split("=", 1) for pair in line[begin + 3 : end].partition(" ")[2].split(";") if "=" in pair)
        properties = {name: _unescaped(value, ";\r\n]%") for name, value in pairs if value}
        return self._command(line[begin + 3 : end], properties, _unescaped(line[end + 1 :], ";\r\n]%"))

    def _command(self, info: str, properties: Mapping[str, str], data: str) -> Command | None:
        name = info.partition(" ")[0].lower()
        if name not in KNOWN and name != self.token:
            return None
        return Command(name, properties, data, self.group)


def seen_by_all(line: str) -> str:
    """Return the line without characters that a locale-aware comparison may ignore."""
    return "".join(c for c in line if unicodedata.category(c) != "Cf")


def _unescaped(text: str, signs: str) -> str:
    for sign in signs:
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text


def assignments(file: Path) -> dict[str, str]:
    """Return what $GITHUB_OUTPUT or $GITHUB_ENV sets; a later value wins. Raise AssertionError where the runner fails a step."""
    return read_assignments(file.read_bytes().decode())


def read_assignments(text: str) -> dict[str, str]:
    """Return the assignments in the text of such a file."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if not line:
            continue
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, value = line.split("=", 1)
        else:
            assert heredoc > 0, f"no assignment: {line!r}"
            name, delimiter = line.split("<<", 1)
            assert delimiter, f"no delimiter: {line!r}"
            value = "\n".join(_until(delimiter, lines))
        found[name] = value
    return found


def _until(delimiter: str, lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if line == delimiter:
            return
        yield line
    raise AssertionError(f"the delimiter {delimiter!r} never comes")
