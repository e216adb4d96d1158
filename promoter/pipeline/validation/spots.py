"""Where parts of a service are in the file."""

from collections.abc import Iterator

from promoter.pipeline.compose.mounts import is_relative
from promoter.pipeline.compose.ports import read_ports
from promoter.pipeline.compose.service import Port
from promoter.pipeline.file_text import FileText
from promoter.pipeline.problems import Spot
from promoter.pipeline.resolver import Resolved
from promoter.pipeline.template_filler import Filler, templated


def port_spot(text: FileText, resolved: Resolved, service: str, port: Port) -> Spot:
    """Return the position of `port` in `ports`."""
    override = resolved.text.layers.get(service)
    for layer in (override, *reversed(text.layers[service].layers)):
        entries = layer.raw.get("ports") if layer else None
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            assert layer is not None
            spot = layer.spot / "ports" / index
            if _names_port(entry, port, resolved.filler, spot):
                return spot
    return text.layers[service].spot_of("ports") / "ports"


def _names_port(entry: object, port: Port, filler: Filler, spot: Spot) -> bool:
    filled = filler.fill(entry, spot)[0] if templated(entry) else entry
    try:
        ports = read_ports([filled])
    except ValueError:
        return False
    assert isinstance(ports, list)
    wanted = (str(port.published), str(port.target), port.host_ip)
    mappings = (p for p in ports if isinstance(p, dict))
    return any((str(p.get("published")), str(p.get("target")), p.get("host_ip")) == wanted for p in mappings)


def relative_sources(text: FileText, resolved: Resolved, service: str) -> Iterator[tuple[Spot, str]]:
    """Yield the sources of binds that are relative to the file, with their positions."""
    for layer in (*text.layers[service].layers, resolved.text.layers.get(service)):
        entries = layer.raw.get("volumes") if layer is not None else None
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            assert layer is not None
            spot = layer.spot / "volumes" / index
            if isinstance(entry, str) and entry[:1] in (".", "~") and ":" in entry:
                yield spot, entry.split(":")[0]
            elif isinstance(entry, dict) and entry.get("type") == "bind" and is_relative(str(entry.get("source", "/"))):
                yield spot / "source", str(entry["source"])
