"""Read YAML text into plain data, with the line and column of every key and value. Pure.

YAML 1.2 core schema on libyaml's parser: `yes`, `22:22` and dates are text, `012` is twelve. One pass over the events
builds the data, so that the limits for nesting, aliases and size apply early. Merge keys (`<<`) are
followed; `!reset` and `!override` become `Tagged` in the data; every other tag is refused.
"""

from typing import Any, NamedTuple, NoReturn

import yaml
from yaml._yaml import CParser

from promoter.config.yaml.positions import Document, Marks, Position, complain
from promoter.config.yaml.scalars import CORE, TYPES, Tagged, kind_of, plain
from promoter.config.yaml.syntax_errors import MAX_DEPTH, TOO_DEEP, syntax_complaint
from promoter.model.errors import Diagnostic, InvalidFile

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 500_000
MAX_FAULTS = 100
MAX_ALIASED = 250_000


def read_document(data: bytes, file: str) -> Document:
    """Read one YAML document that is a mapping. Raise InvalidFile with every error."""
    [document] = _read(_decode(data, file), file, single=True)
    return document


def read_documents(data: bytes, file: str) -> tuple[Document, ...]:
    """Read one YAML document or several, each a mapping. Raise InvalidFile with every error."""
    return _read(_decode(data, file), file, single=False)


def _read(text: str, file: str, *, single: bool) -> tuple[Document, ...]:
    builder = _Builder(text, file)
    documents: tuple[Document, ...] = ()
    try:
        documents = builder.documents(single=single)
    except _Stop:
        pass
    except yaml.YAMLError as error:
        builder.faults.append(syntax_complaint(text, file, error))
    if builder.faults or not documents:
        raise InvalidFile(tuple(sorted(builder.faults)))
    return documents


def _decode(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data) // 1_000_000} MB; the limit is {MAX_BYTES // 1_048_576} MiB"
        raise InvalidFile((Diagnostic(file, 1, 1, message, "check that this is the right file"),))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        at = Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        shown = data.decode("utf-8-sig", "replace")
        raise InvalidFile((complain(file, shown, at, message, "save the file as UTF-8"),)) from error


Event = Any  # libyaml's events, which carry no types


class _Stop(Exception):
    """Stop reading. The reason is among the faults."""


class _Anchor(NamedTuple):
    value: object
    size: int
    height: int


class _Builder:
    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.faults: list[Diagnostic] = []
        self._marks: dict[int, dict[str | int, Marks]] = {}
        self._keep: list[object] = []
        self._anchors: dict[str, _Anchor | None] = {}
        self._built = self._size = 0
        self._parser: Any = CParser(text)

    def documents(self, *, single: bool) -> tuple[Document, ...]:
        self._parser.get_event()
        found: list[Document] = []
        while not isinstance(start := self._parser.get_event(), yaml.StreamEndEvent):
            if found and single:
                self._stop(start, "expected one document, got a second one", "keep one, and remove the line `---`")
            found.append(self._document())
        if not found:
            self._stop(start, "the file is empty", "describe a pipeline here, or run `promoter init` to write a first one")
        return tuple(found)

    def _document(self) -> Document:
        self._anchors.clear()
        first = self._parser.get_event()
        value, _ = self._value(first, 1)
        self._parser.get_event()
        if value is None:
            self._stop(first, "the file is empty", "describe a pipeline here, or run `promoter init` to write a first one")
        if not isinstance(value, dict):
            self._stop(first, f"expected a mapping, got {kind_of(value)}", "write for example `name: shop`")
        return Document(self.file, self.text, value, self._marks)

    def _value(self, event: Event, depth: int) -> tuple[object, int]:
        self._built += 1
        self._size += 1
        if self._built > MAX_VALUES:
            self._stop(event, f"the file holds more than {MAX_VALUES:,} values")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        name, before = event.anchor, self._size
        if name is not None:
            self._anchors[name] = None
        if isinstance(event, yaml.ScalarEvent):
            value, height = self._scalar(event), 1
        else:
            self._check_depth(event, depth)
            value, height = self._map(depth) if isinstance(event, yaml.MappingStartEvent) else self._list(depth)
            value = self._tagged(event, value)
        if name is not None:
            self._anchors[name] = _Anchor(value, self._size - before + 1, height)
        return value, height

    def _check_depth(self, event: Event, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._stop(event, TOO_DEEP)

    def _alias(self, event: Event, depth: int) -> tuple[object, int]:
        if event.anchor not in self._anchors:
            self._stop(
                event, f"*{event.anchor} names an anchor that is not defined above", f"write &{event.anchor} before its value"
            )
        anchor = self._anchors[event.anchor]
        if anchor is None:
            self._stop(event, f"*{event.anchor} is inside its own anchor")
        self._check_depth(event, depth + anchor.height - 1)
        self._size += anchor.size
        if self._size - self._built > MAX_ALIASED:
            self._stop(event, f"aliases expand this file to more than {MAX_ALIASED:,} values", "use fewer aliases")
        return anchor.value, anchor.height

    def _list(self, depth: int) -> tuple[object, int]:
        items: list[object] = []
        marks: dict[str | int, Marks] = {}
        height = 0
        while not isinstance(event := self._parser.get_event(), yaml.SequenceEndEvent):
            at = _at(event)
            marks[len(items)] = Marks(at, at)
            value, below = self._value(event, depth + 1)
            items.append(value)
            height = max(height, below)
        self._marks[id(items)] = marks
        self._keep.append(items)
        return items, height + 1

    def _map(self, depth: int) -> tuple[object, int]:
        items: dict[str, object] = {}
        marks: dict[str | int, Marks] = {}
        merged: list[tuple[Position, object]] = []
        height = 0
        while not isinstance(event := self._parser.get_event(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(event, "a key must be a string", 'put quotes around a template: "{{ … }}"')
            key, at = event.value, _at(event)
            is_merge = key == "<<" and event.implicit[0]
            if key in items and not is_merge:
                first = marks[key].key.line
                self._fault(at, f"duplicate key `{key}`; the first is on line {first}", "keep one of the two")
            event = self._parser.get_event()
            mark = Marks(at, _at(event))
            value, below = self._value(event, depth + 1)
            height = max(height, below)
            if is_merge:
                merged += [(mark.value, v) for v in (value if isinstance(value, list) else [value])]
            elif key not in items:
                items[key], marks[key] = value, mark
        self._marks[id(items)] = marks
        self._keep.append(items)
        self._merge(items, marks, merged)
        return items, height + 1

    def _merge(self, items: dict[str, object], marks: dict[str | int, Marks], merged: list[tuple[Position, object]]) -> None:
        for at, source in merged:
            if not isinstance(source, dict):
                self._fault(at, f"`<<` must be a mapping or a list of mappings, got {kind_of(source)}")
                continue
            for key in source:
                if key not in items:
                    items[key], marks[key] = source[key], self._marks[id(source)][key]

    def _scalar(self, event: Event) -> object:
        text, tag = event.value, event.tag
        if tag is None:
            return plain(text) if event.implicit[0] else text
        if tag in ("!", f"{CORE}str"):
            return text
        value = plain(text)
        if tag in TYPES:
            if not isinstance(value, TYPES[tag]) or (isinstance(value, bool) and tag != f"{CORE}bool"):
                self._fault(_at(event), f"{text!r} does not match its tag !!{tag.removeprefix(CORE)}")
            return value
        return self._tagged(event, value if event.implicit[0] or not event.style else text)

    def _tagged(self, event: Event, value: object) -> object:
        tag = event.tag
        if tag in (None, "!", f"{CORE}map", f"{CORE}seq"):
            return value
        if tag in ("!reset", "!override"):
            return Tagged(tag[1:], value)
        shown = tag.replace(CORE, "!!")
        self._fault(_at(event), f"unknown tag {shown}", "remove it; only !reset and !override are supported")
        return value

    def _fault(self, at: Position, message: str, hint: str | None = None) -> None:
        self.faults.append(complain(self.file, self.text, at, message, hint))
        if len(self.faults) >= MAX_FAULTS:
            raise _Stop

    def _stop(self, event: Event, message: str, hint: str | None = None) -> NoReturn:
        self._fault(_at(event), message, hint)
        raise _Stop


def _at(event: Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1)
