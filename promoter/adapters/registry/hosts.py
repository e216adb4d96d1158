"""Facts that follow from a registry's name: its address, whether it is local, and the CAs to trust."""

import ipaddress
from pathlib import Path
from ssl import SSLContext, create_default_context
from urllib.parse import urlsplit

from promoter.model.images import DOCKER_HUB

CERTIFICATES = Path("/etc/docker/certs.d")


def address(host: str) -> str:
    """Return the host (and port) that answers for registry `host`."""
    return "registry-1.docker.io" if host == DOCKER_HUB else host


def is_loopback(host: str) -> bool:
    """Return whether the host is 127.0.0.0/8, ::1 or localhost, with or without a port."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def trust(host: str) -> SSLContext:
    """Return a TLS context with the CAs of this machine.

    It adds the CAs and the client certificate that the Docker Engine would use for this host.
    """
    context = create_default_context()
    directory = CERTIFICATES / host
    for authority in sorted(directory.glob("*.crt")):
        context.load_verify_locations(authority)
    for certificate in sorted(directory.glob("*.cert")):
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context
