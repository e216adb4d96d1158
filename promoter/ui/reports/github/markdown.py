"""GitHub's Markdown from texts that others wrote: no sign in them means anything there."""

import html
import re
from collections.abc import Sequence

from promoter.ui.reports.progress_lines import clean

_SIGNS = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]<>&|~#!@$:"}


def md(text: str) -> str:
    """One line, for a cell or behind other words."""
    line = " ".join(_plain(text).split())
    return re.sub(r"www\.", "www&#46;", line.translate(_SIGNS), flags=re.IGNORECASE)


def code(text: str) -> str:
    """One line in a fixed font."""
    return f"<code>{md(text)}</code>" if text else ""


def pre(text: str) -> str:
    """Lines as they are."""
    return f"<pre>\n{html.escape(_plain(text), quote=False)}\n</pre>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Of cells that are Markdown already."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def fitting(sections: Sequence[str], limit: int) -> str:
    """As many of the sections as there is room for, in bytes; the last line says when some are missing."""
    note = "_There is more, and no room for it here: the log has all of it._\n"
    kept: list[str] = []
    left = limit - len(note.encode())
    for section in sections:
        left -= len(section.encode()) + 2
        if left < 0:
            return "".join(f"{one}\n\n" for one in kept) + (note if limit > len(note) else "")
        kept.append(section)
    return "".join(f"{one}\n\n" for one in kept)


def _plain(text: str) -> str:
    return "\n".join(clean(line) for line in text.splitlines()).encode(errors="replace").decode()
