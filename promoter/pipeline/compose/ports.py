"""Published ports in Compose's short form: `[[address:]published[-end]:]target[-end][/protocol]`.

An empty address means every address of the host.
"""

from collections.abc import Iterator

from promoter.config.spec_errors import Fault, Misfit
from promoter.model.addresses import EVERY_ADDRESS
from promoter.model.pattern import pattern

_SHORT = pattern(
    r"(?:(?P<ip>\[[0-9a-fA-F:.]+\]|\d+\.\d+\.\d+\.\d+|(?=:[\d-]*:)):)?"
    r"(?:(?P<first>\d*)(?:-(?P<last>\d+))?:)?"
    r"(?P<target>\d+)(?:-(?P<end>\d+))?(?:/(?P<protocol>[a-z]+))?"
)
MOST = 20_000
"""Ports of one service. The largest ranges in use, for voice, have about 16,000."""
_EXAMPLE = 'write for example "8080:80", "127.0.0.1:8080:80" or "53:53/udp"'


def read_ports(value: object) -> object:
    """Return each entry in its long form. Ports that a range adds come last, so that indexes keep their meaning."""
    if not isinstance(value, list | tuple):
        return value
    found: list[object] = []
    added: list[object] = []
    faults: list[Fault] = []
    for index, entry in enumerate(value):
        if not isinstance(entry, str | int | float) or isinstance(entry, bool):
            found.append(entry)
            continue
        try:
            ports = list(read_port(str(entry)))
        except ValueError as error:
            faults.append(Fault((index,), str(error), _EXAMPLE))
        else:
            found.append(ports[0])
            added += ports[1:]
        if len(found) + len(added) > MOST:
            faults.append(Fault((index,), f"the entries up to here have more than {MOST:,} ports", "publish fewer ports"))
            break
    if faults:
        raise Misfit(*faults)
    return found + added


def read_port(text: str) -> Iterator[dict[str, object]]:
    """Read a short form. Raise ValueError with the reason if `text` is not one."""
    match = _SHORT.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a port")
    protocol = match["protocol"] or "tcp"
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"{text!r} has an unknown protocol {protocol!r}: expected tcp, udp or sctp")
    targets = _range(text, match["target"], match["end"], "container")
    published = _range(text, match["first"], match["last"], "host") if match["first"] and match["first"] != "0" else None
    if published is not None and len(published) != len(targets):
        raise ValueError(f"{text!r} has {len(published)} host ports for {len(targets)} container ports")
    address = match["ip"].strip("[]") if match["ip"] else None
    for index, target in enumerate(targets):
        port: dict[str, object] = {"target": target, "protocol": protocol}
        if published is not None:
            port["published"] = published[index]
        if address:
            port["host_ip"] = address
        yield port


def _range(text: str, first: str, last: str | None, side: str) -> range:
    for number in (first, last or first):
        if not 1 <= int(number[:9]) <= 65535:
            raise ValueError(f"{text!r}: {side} port {number[:9]} is not between 1 and 65535")
    found = range(int(first), int(last or first) + 1)
    if not found:
        raise ValueError(f"{text!r}: the range {first}-{last} runs backwards")
    return found


def clash(address: str | None, other: str | None) -> bool:
    """Return whether two host addresses conflict on the same port."""
    any_address = (None, "", EVERY_ADDRESS, "::")
    return address == other or address in any_address or other in any_address
