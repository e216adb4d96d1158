"""Findings of a comparison: one difference each between the record and what is there."""

from collections.abc import Iterable
from enum import StrEnum

from promoter.model.dataclass import dataclass


class FindingKind(StrEnum):
    """What kind of difference it is."""

    DIGEST = "digest"
    CONFIGURATION = "configuration"
    REPLACED = "replaced"
    MISSING = "missing"
    STOPPED = "stopped"
    EXTRA = "extra"
    ORPHANED = "orphaned"
    TAG_MOVED = "tag_moved"
    MANIFEST_GONE = "manifest_gone"
    SECRETS_CHANGED = "secret_changed"
    FILE_CHANGED = "file_changed"
    FRONT = "front"


_OF_CONTAINERS = frozenset(
    {
        FindingKind.DIGEST,
        FindingKind.CONFIGURATION,
        FindingKind.REPLACED,
        FindingKind.MISSING,
        FindingKind.STOPPED,
        FindingKind.FILE_CHANGED,
        FindingKind.FRONT,
    }
)


def affects_service(kinds: Iterable[str]) -> bool:
    """Return whether something other than what was verified runs. A moved tag, for example, changes no container."""
    return any(kind in _OF_CONTAINERS for kind in kinds)


@dataclass(frozen=True)
class Finding:
    """One difference. `path` is written as in the changes of a plan. `expected` and `found` are for people."""

    service: str
    container: str | None
    kind: FindingKind
    path: str
    expected: str | None
    found: str | None
    host: str | None = None
    """The host, in an environment with several."""

    def document(self) -> dict[str, object]:
        return {
            "service": self.service,
            "container": self.container,
            "kind": str(self.kind),
            "path": self.path,
            "expected": self.expected,
            "found": self.found,
            **({"host": self.host} if self.host is not None else {}),
        }
