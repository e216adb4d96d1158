"""Progress: one line for each event. Live drawing drops no line, and no output of a container moves the cursor."""

import io
import re
from dataclasses import fields
from datetime import UTC, datetime
from threading import Thread
from typing import get_args

import pytest

from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release, Source
from promoter.model.verdict import ReasonCode, waiting
from promoter.promotion import progress as e
from promoter.ui.reports.brief import Brief
from promoter.ui.reports.plain import Plain
from promoter.ui.reports.progress_lines import seconds, sentence
from promoter.ui.reports.terminal import Terminal, size

IMAGE = ImageRef(Repository("127.0.0.1:5000", "demo/web"), Digest("ab" * 32))
RELEASE = Release({"web": IMAGE}, Source())
ONE_EACH: list[e.Event] = [
    e.BuildStarted("web", "buildx"),
    e.BuildLine("web", "Step 1/3"),
    e.BuildDone("web", 1.25),
    e.LayerProgress("web", "push", "l1", "Pushing", 500_000, 2_000_000),
    e.Pushed("web", IMAGE, "t", already=False),
    e.Pinned("db", "postgres:16", IMAGE),
    e.ReleaseMade(RELEASE, known=True),
    e.GateEvaluated(
        "prod", "approval of 1 person", waiting(ReasonCode.APPROVALS_MISSING, "0 of 1", datetime(2026, 1, 1, tzinfo=UTC))
    ),
    e.PromotionStarted("dev", RELEASE, "sha256:00", repair=False),
    e.StepStarted("dev", f"pull web {IMAGE}"),
    e.StepNote("dev", "replace web", "healthy"),
    e.StepDone("dev", "pull web", 65.0),
    e.StepFailed("dev", "replace web", ReasonCode.UNHEALTHY, ("exit code 3",)),
    e.Restoring("dev", "web"),
    e.EnvironmentEnded("dev", "rolled_back", ReasonCode.UNHEALTHY, ("exit code 3",), 12.0),
    e.Superseded("prod", "a" * 64, ("b" * 64,)),
    e.Waiting("prod", ("0 of 1",), 90.0),
    e.Notice("a sentence"),
]


def test_this_file_knows_every_event() -> None:
    assert {type(event) for event in ONE_EACH} == set(get_args(e.Event))


def test_plain_is_one_line_an_event() -> None:
    stream = io.StringIO()
    emit = Plain(stream)
    for event in ONE_EACH:
        emit(event)
    assert stream.getvalue().splitlines() == [
        "web: building with buildx",
        "web | Step 1/3",
        "web: built in 1.2s",
        f"web: pushed: {IMAGE}",
        f"db: postgres:16 is {IMAGE.digest}",
        f"release {RELEASE.short_id} (known already)",
        "prod: gate approval of 1 person: waits: 0 of 1",
        f"dev: promoting release {RELEASE.short_id}",
        "dev: pull web 127.0.0.1:5000/demo/web@sha256:abababababab… …",
        "dev: replace web: healthy",
        "dev: pull web: done in 1m05s",
        "dev: replace web: failed (unhealthy): exit code 3",
        "dev: restoring the previous web",
        "dev: rolled back after 12s: exit code 3",
        "prod: release aaaaaaaaaaaa replaces bbbbbbbbbbbb in the queue",
        "prod: waiting up to 1m30s more: 0 of 1",
        "a sentence",
    ]


@pytest.mark.parametrize(
    "event", [event for event in ONE_EACH if "text" in {f.name for f in fields(event)}], ids=lambda x: type(x).__name__
)
def test_what_others_wrote_cannot_move_the_cursor_or_break_the_line(event: e.Event) -> None:
    words = {f.name: getattr(event, f.name) for f in fields(event)} | {"text": "a\x1b[2Jb\rc\nd\x9b\te"}
    assert (sentence(type(event)(**words)) or "").endswith("a[2Jbcd    e")


def test_a_reader_that_goes_away_ends_the_output_and_nothing_else() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    emit = Plain(Gone())
    for event in ONE_EACH:
        emit(event)
    emit._stream.close()


@pytest.mark.parametrize(("span", "message"), [(0.04, "0.0s"), (9.94, "9.9s"), (12.4, "12s"), (60.0, "1m00s"), (3725, "62m05s")])
def test_seconds(span: float, message: str) -> None:
    assert seconds(span) == message


@pytest.mark.parametrize(
    ("count", "message"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_000_000, "2.0 MB"), (3_210_000_000, "3.2 GB")]
)
def test_size(count: int, message: str) -> None:
    assert size(count) == message


class Drawn:
    """A terminal 60 columns wide."""

    def __init__(self, brief: Brief | None = None) -> None:
        self.stream, self.now = io.StringIO(), 100.0
        self.terminal = Terminal(self.stream, brief, width=60, clock=lambda: self.now)

    @property
    def under_way(self) -> list[str]:
        return [str(line) for line in self.terminal.picture().renderables]

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.stream.getvalue())


@pytest.fixture
def drawn() -> Drawn:
    return Drawn()


def test_builds_and_layers_are_drawn_while_they_last(drawn: Drawn) -> None:
    with drawn.terminal as emit:
        emit(e.BuildStarted("web", "buildx"))
        emit(e.BuildLine("web", "Step 1/3"))
        drawn.now += 3
        assert drawn.under_way == ["  building web  3.0s  Step 1/3"]
        emit(e.BuildDone("web", 3.0))
        emit(e.LayerProgress("web", "push", "a", "Pushing", 500_000, 2_000_000))
        emit(e.LayerProgress("web", "push", "b", "Pushing", 1_000_000, 1_000_000))
        assert drawn.under_way == ["  pushing web  0.0s  2 layers, 1.5 MB of 3.0 MB"]
        emit(e.Pushed("web", IMAGE, None, already=False))
        assert drawn.under_way == []


def test_a_pull_ends_with_its_step_and_an_environment_takes_all_of_its_own_along(drawn: Drawn) -> None:
    with drawn.terminal as emit:
        emit(e.StepStarted("dev", "pull web"))
        emit(e.LayerProgress("web", "pull", "a", "Downloading", 1, 2))
        assert len(drawn.under_way) == 2
        emit(e.StepDone("dev", "pull web", 1.0))
        emit(e.StepStarted("dev", "replace web"))
        emit(e.StepNote("dev", "replace web", "starting"))
        emit(e.StepStarted("test", "replace web"))
        assert drawn.under_way == ["  dev: replace web  0.0s  starting", "  test: replace web  0.0s"]
        emit(e.EnvironmentEnded("dev", "deployed", ReasonCode.OK, (), 1.0))
        assert drawn.under_way == ["  test: replace web  0.0s"]
    assert drawn.under_way == []


def test_every_sentence_stays_and_long_ones_are_cut_to_the_width(drawn: Drawn) -> None:
    with drawn.terminal as emit:
        emit(e.BuildStarted("web", "buildx"))
        for number in range(50):
            emit(e.BuildLine("web", f"line {number} [not markup] " + "x" * 100))
    output = [line.rstrip() for line in drawn.text.replace("\r", "\n").splitlines() if line.startswith("web | line")]
    assert len(output) == 50
    assert all(len(line) == 60 and line.endswith("…") for line in output)
    assert output[7].startswith("web | line 7 [not markup] xxx")


def test_many_threads_may_report_progress_at_once(drawn: Drawn) -> None:
    def build(name: str) -> None:
        emit(e.BuildStarted(name, "buildx"))
        for number in range(40):
            emit(e.BuildLine(name, str(number)))
        emit(e.BuildDone(name, 1.0))

    with drawn.terminal as emit:
        threads = [Thread(target=build, args=(f"s{i}",)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert drawn.text.count(" | ") >= 240


# ------------------------------------------------------------ without --verbose
ENDED = e.EnvironmentEnded("dev", "deployed", ReasonCode.OK, (), 1.0)


def a_run(emit: e.Listener, *, builds: bool = True) -> None:
    emit(e.BuildStarted("web", "engine"))
    emit(e.BuildLine("web", "Step 1/3"))
    if not builds:
        return
    emit(e.BuildDone("web", 1.0))
    emit(e.StepStarted("dev", "replace web"))
    emit(e.StepDone("dev", "replace web", 1.0))
    emit(e.Notice("dev: web was slow"))
    emit(ENDED)


def test_a_pipe_gets_what_ended_and_no_steps() -> None:
    stream = io.StringIO()
    with Plain(stream, Brief()) as emit:
        a_run(emit)
    assert stream.getvalue() == "dev: web was slow\ndev: deployed after 1.0s\n"


def test_the_log_of_a_build_that_fails_is_shown() -> None:
    stream = io.StringIO()
    with Plain(stream, Brief()) as emit:
        a_run(emit, builds=False)
        assert stream.getvalue() == ""
    assert stream.getvalue() == "web | Step 1/3\n"


def test_on_a_terminal_what_ended_is_drawn_until_the_summary_replaces_it() -> None:
    drawn = Drawn(Brief())
    with drawn.terminal as emit:
        a_run(emit)
        emit(e.StepStarted("test", "replace web"))
        assert drawn.under_way == ["dev: deployed after 1.0s", "  test: replace web  0.0s"]
        assert "dev: web was slow\n" in drawn.text.replace("\r", "")
    assert drawn.under_way == []


def test_on_a_terminal_the_log_of_a_build_that_fails_is_shown() -> None:
    drawn = Drawn(Brief())
    with drawn.terminal as emit:
        a_run(emit, builds=False)
    assert drawn.text.rstrip().endswith("web | Step 1/3")
