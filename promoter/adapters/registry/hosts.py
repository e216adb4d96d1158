"""What a registry's name says about reaching it: where it answers, how far it is trusted, by which CAs."""

import ipaddress
from pathlib import Path
from ssl import SSLContext, create_default_context
from urllib.parse import urlsplit

from promoter.model.images import DOCKER_HUB

CERTIFICATES = Path("/etc/docker/certs.d")


def address(host: str) -> str:
    """The host (and port) that answers for registry `host`."""
    return "registry-1.docker.io" if host == DOCKER_HUB else host


def is_loopback(host: str) -> bool:
    """127.0.0.0/8, ::1 and localhost, with or without a port."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def trust(host: str) -> SSLContext:
    """The machine's own CAs, and for this host those (and the client certificate) that the Docker Engine would take."""
    context = create_default_context()
    directory = CERTIFICATES / host
    for authority in sorted(directory.glob("*.crt")):
        context.load_verify_locations(authority)
    for certificate in sorted(directory.glob("*.cert")):
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context
