"""The hosts of an environment: their names, engines and labels, and how a release is rolled out over them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from promoter.config.spec import Duration, Shape
from promoter.config.spec_errors import misfit
from promoter.model.dataclass import dataclass

HOST_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_ADDRESS = r"(?:unix|tcp|ssh)://\S+|context:\S+"
_BATCH = r"^(?:[1-9][0-9]*|(?:[1-9][0-9]?|100)%)$"


@dataclass(frozen=True)
class Host:
    """A machine with an engine, or a whole swarm. `name` is empty for the only host of an environment without a name.

    `engine` is the address; None is the local engine, as the docker CLI chooses it. `managers` are the addresses of the
    managers, if this is a swarm: `engine` is the first of them.
    """

    name: str = ""
    engine: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    managers: tuple[str | None, ...] = ()

    @property
    def shown(self) -> str:
        """Return the host for people: its name and where its engine is."""
        if self.managers:
            return f"the swarm at {', '.join(one or 'the default engine' for one in self.managers)}"
        return f"{self.name} ({self.engine})" if self.name else self.engine or "the default engine"

    @property
    def engines(self) -> tuple[str | None, ...]:
        """Return the addresses of all engines by which this host is reached."""
        return self.managers or (self.engine,)

    def document(self) -> object:
        """Return plain JSON data: the addresses of a swarm's managers, or only the address, if the host has no name."""
        if self.managers:
            return {"swarm": [_address(one) for one in self.managers]}
        if not self.name:
            return _address(self.engine)
        return {"name": self.name, "engine": self.engine, **({"labels": dict(self.labels)} if self.labels else {})}


LOCAL = Host()
_DEFAULT = "default"


def _address(engine: str | None) -> str:
    return engine or _DEFAULT


def _engine(address: str) -> str | None:
    return None if address == _DEFAULT else address


def swarm(managers: Sequence[str | None]) -> Host:
    """Return the swarm with these managers."""
    return Host(engine=managers[0], managers=tuple(managers))


def read_host(document: object) -> Host:
    """Return the host of `Host.document`. Raise TypeError or KeyError for other data."""
    if isinstance(document, str):
        return Host(engine=_engine(document))
    if not isinstance(document, Mapping):
        raise TypeError(f"{document!r} is not a host")
    if "swarm" in document:
        return swarm([_engine(str(one)) for one in document["swarm"]])
    return Host(str(document["name"]), document["engine"], dict(document.get("labels", {})))


def _check_name(value: str) -> str:
    if not re.fullmatch(HOST_NAME, value):
        raise misfit(
            f"{value!r} is not the name of a host", "use letters, digits, `.`, `_` and `-`, and begin with a letter or digit"
        )
    return value


def _check_address(value: str) -> str:
    if not re.fullmatch(_ADDRESS, value):
        raise misfit(f"{value!r} is not the address of an engine", "write unix://…, tcp://…, ssh://… or context:NAME")
    return value


class HostForm(Shape):
    """One host. Without a name, it is named after its address."""

    name: Annotated[str, AfterValidator(_check_name)] | None = None
    engine: Annotated[str, AfterValidator(_check_address)]
    labels: dict[str, str] = {}


def _read_hosts(value: object) -> object:
    """Read one address or host, or a list of them."""
    several = value if isinstance(value, list | tuple) else [value]
    return tuple({"engine": one} if isinstance(one, str) else one for one in several)


def _check_some(value: tuple[HostForm, ...]) -> tuple[HostForm, ...]:
    if not value:
        raise misfit("`engine` names no host", "name an address, or leave `engine` out")
    return value


Hosts = Annotated[
    tuple[HostForm, ...],
    BeforeValidator(_read_hosts, json_schema_input_type=str | HostForm | list[str | HostForm]),
    AfterValidator(_check_some),
]


def named(forms: tuple[HostForm, ...]) -> tuple[Host, ...]:
    """Return the hosts. Of several, each has a name; a single one has only the name that the file gives it."""
    if not forms:
        return (LOCAL,)
    alone = len(forms) == 1
    return tuple(Host(one.name or ("" if alone else name_of(one.engine)), one.engine, one.labels) for one in forms)


def name_of(address: str) -> str:
    """Return the name of a host after its address: the machine, the context, or the file of the socket."""
    scheme, _, rest = address.partition("://")
    if address.startswith("context:"):
        found = address.removeprefix("context:")
    elif scheme == "unix":
        found = rest.rstrip("/").rpartition("/")[2].removesuffix(".sock")
    else:
        machine = rest.partition("/")[0].rpartition("@")[2]
        found = machine[1:].partition("]")[0] if machine.startswith("[") else machine.partition(":")[0]
    return re.sub(r"[^A-Za-z0-9_.-]", "-", found).strip("-._") or "host"


def _check_batch(value: str) -> str:
    if not re.fullmatch(_BATCH, value):
        raise misfit(f"{value!r} is not the size of a batch", "write a number of hosts, or a percentage such as 30%")
    return value


def _check_batches(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise misfit("`batches` is empty", "write for example [1, 30%, 100%]")
    return value


class Rollout(Shape):
    """How a release is rolled out over several hosts.

    `batches` are the sizes of the batches; the last one is repeated. `bake` is the wait after the first batch, after which the
    `verify` checks run again. `max_failures` is how many hosts may fail: they get their earlier release back, and the others
    go on. `unreachable`: fail, or skip hosts whose engine does not answer.
    """

    batches: Annotated[tuple[Annotated[str, AfterValidator(_check_batch)], ...], AfterValidator(_check_batches)] = ("1", "100%")
    bake: Duration = timedelta(0)
    max_failures: Annotated[int, Field(ge=0)] = 0
    unreachable: Literal["fail", "skip"] = "fail"


def batches(sizes: tuple[str, ...], count: int) -> Iterator[int]:
    """Yield the number of hosts of each batch, for `count` hosts. A percentage of all hosts is rounded down to at least one."""
    left, index = count, 0
    while left:
        text = sizes[min(index, len(sizes) - 1)]
        wanted = count * int(text[:-1]) // 100 if text.endswith("%") else int(text)
        size = min(left, max(1, wanted))
        yield size
        left -= size
        index += 1
