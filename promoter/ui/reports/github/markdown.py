"""GitHub's Markdown from untrusted texts, with every special character escaped."""

import html
import re
from collections.abc import Sequence

from promoter.ui.reports.progress_lines import clean

_SIGNS = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]<>&|~#!@$:"}


def md(text: str) -> str:
    """Format one line, for a cell or inside a sentence."""
    line = " ".join(_plain(text).split())
    return re.sub(r"www\.", "www&#46;", line.translate(_SIGNS), flags=re.IGNORECASE)


def code(text: str) -> str:
    """Format one line as code."""
    return f"<code>{md(text)}</code>" if text else ""


def pre(text: str) -> str:
    """Format lines as a code block."""
    return f"<pre>\n{html.escape(_plain(text), quote=False)}\n</pre>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table. The cells are Markdown already."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def fitting(sections: Sequence[str], limit: int) -> str:
    """Return as many sections as fit into `limit` bytes, with a note if some are missing."""
    note = "_This summary is cut because of its size: the log has everything._\n"
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
