"""What all checks share: they can be tried out with `dry_run`, which measures and reports without gating."""

from promoter.config.spec import Shape


class CheckShape(Shape):
    """One check. `subject` is what it looks at, in a few words."""

    dry_run: bool = False

    def subject(self) -> str:
        raise NotImplementedError

    def title(self) -> str:
        return f"{self.subject()} (dry run)" if self.dry_run else self.subject()
