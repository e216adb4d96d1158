"""What the terminal can show."""

import os
from typing import TextIO


def has_colours(stream: TextIO) -> bool:
    """NO_COLOR turns colours off, FORCE_COLOR turns them on; else a terminal has them."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
