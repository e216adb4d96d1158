"""The colours of a view are written to the screen, and the texts of a case are shown without their own escape codes."""

import pytest

from promoter.ui.cli.ci.session import new_session
from promoter.ui.cli.console import complain, print_text
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.view import View
from tests.fakes.clock import START


def test_colours_pass_on_both_streams_and_other_codes_are_removed(capsys: pytest.CaptureFixture[str]) -> None:
    text = View(START, colour=True).paint(clean("deployed\x1b[2J"), "good")
    with new_session():
        print_text(text)
        complain(text)
    captured = capsys.readouterr()
    assert captured.out == captured.err == "\x1b[32mdeployed[2J\x1b[0m\n"
