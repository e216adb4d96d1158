"""Draws docs/pictures/terminal.svg: what the tutorial shows of `promoter run` and of `promoter status` after it.

The answers are those of the tutorial, with the colours that the commands write: `make refresh-docs` keeps both of one run.
No fonts and nothing else is fetched: the picture names fonts that the reader has.
"""

import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

DIRECTORY = Path(__file__).resolve().parent
WIDTH = 100
_HUES = [(248, 113, 113), (74, 222, 128), (250, 204, 21), (96, 165, 250), (192, 132, 252), (34, 211, 238)]
_DARK, _LIGHT, _GREY = (17, 24, 39), (229, 231, 235), (156, 163, 175)
THEME = TerminalTheme(_DARK, _LIGHT, [_DARK, *_HUES, _LIGHT], [_GREY, *_HUES, (255, 255, 255)])
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="promoter run and promoter status">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px; \
line-height: {line_height}px; }}
.{unique_id}-title {{ font: bold 16px ui-sans-serif, system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def shown() -> str:
    """Return the commands with their answers, with the codes of the colours."""
    return (DIRECTORY / "terminal.ansi").read_text().rstrip()


def picture() -> str:
    console = Console(
        record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="standard", legacy_windows=False
    )
    for line in shown().splitlines():
        text = Text.from_ansi(line, no_wrap=True, overflow="ellipsis")
        text.highlight_regex(r"^\$ .*", "bold")
        console.print(text, no_wrap=True, overflow="ellipsis", crop=True, highlight=False)
    return re.sub(
        r"[ \t]+$", "", console.export_svg(title="shop", theme=THEME, code_format=FORMAT, unique_id="t"), flags=re.MULTILINE
    )


if __name__ == "__main__":
    (DIRECTORY / "terminal.svg").write_text(picture())
    sys.stdout.write("docs/pictures/terminal.svg\n")
