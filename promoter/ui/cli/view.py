"""The view of this process: the width and colours of the terminal, the local time zone, and the options of next commands."""

import os
import shutil
import sys
from datetime import datetime
from typing import TextIO

from promoter.ui.cli.global_options import Common, options
from promoter.ui.reports.view import View


def view_of(common: Common, now: datetime, stream: TextIO | None = None) -> View:
    """Return how to show a report on `stream`, stdout by default. A pipe gets whole lines without colours."""
    stream = stream or sys.stdout
    terminal = stream.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    return View(now, None, width, _has_colours(stream), common.verbose, options(common))


def _has_colours(stream: TextIO) -> bool:
    """NO_COLOR turns colours off, FORCE_COLOR turns them on; else a terminal has them."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
