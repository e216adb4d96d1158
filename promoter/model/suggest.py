"""Find the most similar known name, for hints."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return `did you mean 'x'?`, or None if no name is similar."""
    import difflib

    found = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"did you mean {found[0]!r}?" if found else None
