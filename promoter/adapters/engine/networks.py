"""Networks and volumes of one engine: made unless they are there."""

from collections.abc import Mapping
from typing import Any

from docker.errors import APIError

from promoter.adapters.engine.faults import renamed
from promoter.adapters.engine.link import Link
from promoter.ports import NetworkSpec, VolumeSpec

_IPAM = {"subnet": "Subnet", "gateway": "Gateway", "ip_range": "IPRange", "aux_addresses": "AuxiliaryAddresses"}


class Networks(Link):
    """`ensure_network` and `ensure_volume` of the Engine port."""

    def ensure_network(self, spec: NetworkSpec) -> None:
        what = f"network {spec.name} could not be made"
        seen = self.look(what, "/networks/{0}", spec.name)
        if seen is not None and seen["Name"] == spec.name:
            return
        client = self.client()
        with renamed(what):
            try:
                client.call("POST", "/networks/create", json=_network(spec))
            except APIError as error:
                if error.status_code != 409:  # somebody else was faster
                    raise

    def ensure_volume(self, spec: VolumeSpec) -> None:
        body = {
            "Name": spec.name,
            "Labels": dict(spec.labels),
            "DriverOpts": dict(spec.options),
            "Driver": spec.driver or "local",
        }
        self.ask(f"volume {spec.name} could not be made", "POST", "/volumes/create", json=body)


def _network(spec: NetworkSpec) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Name": spec.name,
        "CheckDuplicate": True,
        "Driver": spec.driver or "bridge",
        "Options": dict(spec.options),
        "Labels": dict(spec.labels),
        "Internal": spec.internal,
        "Attachable": spec.attachable,
        "EnableIPv6": spec.enable_ipv6,
    }
    if spec.ipam:
        body["IPAM"] = _ipam(spec.ipam)
    return body


def _ipam(ipam: Mapping[str, Any]) -> dict[str, Any]:
    pools = [{_IPAM[name]: value for name, value in pool.items() if name in _IPAM} for pool in ipam.get("config") or ()]
    return {"Driver": ipam.get("driver") or "default", "Config": pools, "Options": dict(ipam.get("options") or {})}
