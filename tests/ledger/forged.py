"""The body of a fact as a person with write access to the ledger may have written it, true or not."""

from collections.abc import Mapping
from dataclasses import field

from promoter.ledger.chain import Kind
from promoter.ledger.facts import Payload
from promoter.model.dataclass import dataclass


@dataclass(frozen=True, kw_only=True)
class Forged(Payload):
    kind: Kind  # type: ignore[misc]  # any kind, where a real body has the one of its class
    fields: Mapping[str, object] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        return dict(self.fields)
