"""The data of a run's report: the result and the parts of the pipeline that it needs. Values only."""

from collections.abc import Mapping
from dataclasses import field

from promoter.model.dataclass import dataclass
from promoter.promotion.results import RunResult
from promoter.ui.reports.outputs import matters


@dataclass(frozen=True)
class RunReport:
    """How a verb ended. `named` is the environment that the command named; `options` are those that the next command needs."""

    verb: str
    result: RunResult
    named: str | None = None
    options: str = ""
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str | None:
        """Return the URL of the environment that matters."""
        environment = matters(self.result, self.named)
        return self.urls.get(environment.name) if environment else None
