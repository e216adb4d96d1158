"""The bases of all gates and of all checks. `dry_run` runs and reports a check without blocking."""

from typing import ClassVar

from promoter.config.spec import Shape


class GateShape(Shape):
    """One gate or check. `kind` is its key in the pipeline file."""

    kind: ClassVar[str]


class CheckShape(GateShape):
    """One check. `subject` names what it checks, in a few words."""

    dry_run: bool = False

    def subject(self) -> str:
        raise NotImplementedError

    def title(self) -> str:
        return f"{self.subject()} (dry run)" if self.dry_run else self.subject()
