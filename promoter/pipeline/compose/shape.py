"""The base of all models of the Compose Specification."""

from promoter.config.spec import Shape, Unsupported
from promoter.pipeline.compose.unsupported import dropped, reason


class ComposeShape(Shape):
    @classmethod
    def unsupported(cls, key: str) -> Unsupported | None:
        if refusal := reason(cls.__name__, key):
            return Unsupported(refusal.why, refusal.instead)
        why = dropped(cls.__name__, key)
        return Unsupported(why, dropped=True) if why else None
