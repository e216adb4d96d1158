"""The networks and volumes of one engine, created if missing."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from docker.errors import APIError

from promoter.adapters.engine.connection import Link
from promoter.adapters.engine.errors import renamed
from promoter.model.errors import StartError
from promoter.model.ownership import is_owned, not_ours
from promoter.promotion.ports.container import NetworkSpec, VolumeSpec

_IPAM = {"subnet": "Subnet", "gateway": "Gateway", "ip_range": "IPRange", "aux_addresses": "AuxiliaryAddresses"}


class Networks(Link):
    """`ensure_network` and `ensure_volume` of the Engine port."""

    def ensure_network(self, spec: NetworkSpec, owner: Mapping[str, str]) -> None:
        what = f"network {spec.name} could not be created"
        if spec.enable_ipv4 is not None and self.client().api < (1, 47):
            raise StartError(f"{what}: enable_ipv4 needs Docker Engine 27 or newer", hint="remove that key, or update the engine")
        while not self._is_there("network", "/networks/{0}", spec.name, owner):
            client = self.client()
            with renamed(what):
                try:
                    client.call("POST", "/networks/create", json=_network(spec))
                except APIError as error:
                    if error.status_code != HTTPStatus.CONFLICT:  # another run created it first: check the owner
                        raise
                else:
                    return

    def ensure_volume(self, spec: VolumeSpec, owner: Mapping[str, str]) -> None:
        if self._is_there("volume", "/volumes/{0}", spec.name, owner):
            return
        body = {
            "Name": spec.name,
            "Labels": dict(spec.labels),
            "DriverOpts": dict(spec.options),
            "Driver": spec.driver or "local",
        }
        self.ask(f"volume {spec.name} could not be created", "POST", "/volumes/create", json=body)

    def _is_there(self, kind: str, path: str, name: str, owner: Mapping[str, str]) -> bool:
        """Return whether it exists. Raise StartError if the name belongs to another owner."""
        seen = self.document(f"{kind} {name} could not be inspected", path, name)
        if seen is None or seen["Name"] != name:
            return False
        labels = seen.get("Labels") or {}
        if not is_owned(labels, owner):
            raise not_ours(kind, name, labels, owner)
        return True


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
    if spec.enable_ipv4 is not None:
        body["EnableIPv4"] = spec.enable_ipv4
    if spec.ipam:
        body["IPAM"] = _ipam(spec.ipam)
    return body


def _ipam(ipam: Mapping[str, Any]) -> dict[str, Any]:
    pools = [{_IPAM[name]: value for name, value in pool.items() if name in _IPAM} for pool in ipam.get("config") or ()]
    return {"Driver": ipam.get("driver") or "default", "Config": pools, "Options": dict(ipam.get("options") or {})}
