"""The base of all checks. `dry_run` runs and reports a check without blocking."""

from promoter.config.spec import Shape


class CheckShape(Shape):
    """One check. `subject` names what it checks, in a few words."""

    dry_run: bool = False

    def subject(self) -> str:
        raise NotImplementedError

    def title(self) -> str:
        return f"{self.subject()} (dry run)" if self.dry_run else self.subject()
