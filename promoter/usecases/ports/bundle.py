"""All ports of the use cases together."""

from promoter.model.dataclass import dataclass
from promoter.promotion.ports.bundle import Ports
from promoter.usecases.ports.platform import Forges, no_forge
from promoter.usecases.ports.signer import Signer
from promoter.usecases.ports.source import SourceControl


@dataclass(frozen=True, kw_only=True)
class UseCasePorts(Ports):
    """The ports of a promotion, and those that only use cases need."""

    source: SourceControl
    signer: Signer | None = None
    forge: Forges = no_forge
