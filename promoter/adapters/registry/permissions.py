"""Check the permissions at a registry before the first push.

The permission to push is checked with an upload that is started and cancelled: nothing is stored. A registry that
cannot cancel removes such an upload later.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from promoter.adapters.registry import errors
from promoter.adapters.registry.client import HttpRegistry
from promoter.adapters.registry.http import RegistryRequest
from promoter.model.errors import RegistryError
from promoter.model.images import Repository


def date_of(registry: HttpRegistry, host: str) -> datetime | None:
    """Return the clock of the registry or its proxy; None if it sends no date."""
    date = registry.greeting(host).headers.get("Date", "").split(",")
    try:
        found = parsedate_to_datetime(",".join(date[:2]))  # a proxy may add its own date after that of the registry
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def may_pull(registry: HttpRegistry, repository: Repository) -> bool:
    """Return whether the login may pull from a repository. Raise RegistryError if the registry refuses.

    False means that the repository does not exist yet; that is not an error.
    """
    what = f"pull from {repository}"
    answer = registry.proven(repository, "pull", RegistryRequest("GET", f"/v2/{repository.path}/tags/list?n=1", {}), what)
    if answer.status not in (200, 404):
        raise errors.failed(repository.host, what, answer.status, answer.body)
    return answer.status == 200


def may_push(registry: HttpRegistry, repository: Repository) -> bool:
    """Return whether the test upload could be cancelled. Raise RegistryError if the registry refuses a push."""
    what = f"push to {repository}"
    begin = RegistryRequest("POST", f"/v2/{repository.path}/blobs/uploads/", {"Content-Length": "0"}, b"")
    answer = registry.proven(repository, "pull,push", begin, what)
    if answer.status not in (201, 202):
        raise errors.failed(repository.host, what, answer.status, answer.body)
    location = urlsplit(answer.headers.get("Location", ""))
    if not location.path.startswith("/v2/"):
        return False
    try:
        path = f"{location.path}?{location.query}" if location.query else location.path
        gone = registry.proven(repository, "pull,push", RegistryRequest("DELETE", path, {}), what)
    except RegistryError:
        return False
    return gone.status in (200, 202, 204)
