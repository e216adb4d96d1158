"""Run pages on the lab and write the answers into them: `python -m tests.docs.refresh docs/tutorial.md …`, `make refresh-docs`.

A page whose answers are all unchanged is not written. If one differs, all are written again, so that each id is consistent.
"""

import os
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from tests.docs.pages import DOCS
from tests.docs.session import EXECUTED, TUTORIAL, Executed, Normalizer, run_page, without_what_is_left_out
from tests.docs.world import base_image, world
from tests.ports import next_port

PICTURED = ("promoter run", "promoter status")
PICTURE = DOCS / "pictures/terminal.ansi"
_COLOUR = re.compile(r"\x1b\[\d+m")
_OF_THE_BUILD = re.compile(r"(?m)^[\w-]+(?: \| .*|: building with .*)\n")


def refresh(page: Path) -> None:
    name, engine = f"t{uuid4().hex[:10]}", os.environ["PROMOTER_LAB_ENGINE"]
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as image:
        with base_image(engine, Path(os.environ["PROMOTER_LAB_BUSYBOX"]), Path(image), name) as base:
            site = world(Path(directory), engine, os.environ["PROMOTER_LAB_REGISTRY"], base, name, next_port)
            environ = {name: value for name, value in site.environ.items() if name != "NO_COLOR"} | {"FORCE_COLOR": "1"}
            painted = list(run_page(page, site.directory, environ, site.changed))
        sys.path.insert(0, str(Path(__file__).parents[2] / "lab"))
        from parts.sweep import sweep

        sweep(engine, name)
    reported = [replace(one, output=_COLOUR.sub("", one.output)) for one in painted]
    ours, theirs = Normalizer(), Normalizer()
    answered = [(one, one.shown, without_what_is_left_out(one.output, one.shown.text)) for one in reported if one.shown]
    sys.stderr.writelines(f"{one.block}: {one.output}\n" for one in reported if one.shown is None and one.output.strip())
    same = all(ours(output) == theirs(shown.text) for _, shown, output in answered)
    if same and (page != TUTORIAL or PICTURE.exists()):
        return
    text = page.read_text()
    for one, shown, output in answered:
        fresh = _OF_THE_BUILD.sub("", output).strip("\n")
        asked = f"```{f'sh {one.block.mark}'.strip()}\n{one.block.text}```\n\n```text\n"
        text = text.replace(f"{asked}{shown.text}```", f"{asked}{fresh}\n```")
    page.write_text(text)
    if page == TUTORIAL:
        _keep_colours(painted)
    sys.stderr.write(f"{page}: written anew\n")


def _keep_colours(painted: list[Executed]) -> None:
    """Keep the coloured answers for the picture of the terminal."""
    answers = {one.block.text.splitlines()[0]: one.output for one in reversed(painted)}
    ends = "exit code 3\n"  # the page prints it after the command
    shown = [f"$ {command}\n{answers[command].removesuffix(ends).rstrip()}\n" for command in PICTURED]
    PICTURE.write_text("\n".join(shown))


if __name__ == "__main__":
    for argument in sys.argv[1:] or [DOCS / name for name in EXECUTED]:
        refresh(Path(argument).resolve())
