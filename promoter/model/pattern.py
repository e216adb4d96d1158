"""`pattern` as `re.compile`, but an expression is compiled when it is first used.

A command imports 50 to 70 expressions and uses some of them; to compile one takes 0.1 to 0.5 ms.
Type checkers see `re.compile`. The result has the methods of `re.Pattern`; functions of `re` do not accept it.
"""

import re
from typing import TYPE_CHECKING, Any

__all__ = ["pattern"]

if TYPE_CHECKING:
    from re import compile as pattern
else:

    def pattern(expression: str | bytes, flags: int = 0) -> "_Pattern":
        """Make an expression that is compiled at its first use."""
        return _Pattern(expression, flags)


class _Pattern:
    """An expression, and those of its methods that were used already."""

    def __init__(self, expression: str | bytes, flags: int) -> None:
        self._expression, self._flags = expression, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._expression, self._flags), name)  # `re` keeps what it compiled
        self.__dict__[name] = found
        return found
