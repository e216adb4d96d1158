"""Sections on GitHub and GitLab: complete, one after the other, and no line is lost, whatever runs in parallel."""

import io
import re
from threading import Thread

from promoter.model.release import Release, Source
from promoter.model.verdict import ReasonCode, passed, waiting
from promoter.promotion import progress as e
from promoter.ui.reports.github.log import GithubLog
from promoter.ui.reports.gitlab.log import GitlabLog
from promoter.ui.reports.sections import Lanes
from tests.fakes.promoter import IMAGE
from tests.runner import Runner

RELEASE = Release({"web": IMAGE}, Source())
OPEN, CLOSED = passed("soaked"), waiting(ReasonCode.APPROVALS_MISSING, "0 of 1")


class RecordingSink:
    """A sink that records its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def open(self, title: str) -> None:
        self.lines.append(f"[{title}")

    def line(self, text: str) -> None:
        self.lines.append(text)

    def close(self) -> None:
        self.lines.append("]")


def written(*events: e.Event) -> list[str]:
    sink = RecordingSink()
    with Lanes(sink) as lanes:
        for event in events:
            lanes(event)
    return sink.lines


def entered(name: str) -> list[e.Event]:
    return [
        e.GateEvaluated(name, "soak", OPEN),
        e.PromotionStarted(name, RELEASE, "sha256:0", repair=False),
        e.StepStarted(name, "pull web"),
        e.StepDone(name, "pull web", 1.0),
    ]


def ended(name: str, status: str = "deployed") -> e.Event:
    return e.EnvironmentEnded(name, status, ReasonCode.OK, (), 2.0)


def test_events_of_one_environment_are_printed_immediately() -> None:
    sink = RecordingSink()
    lanes = Lanes(sink)
    title = f"[dev: promotion of {RELEASE.short_id}"
    expected = ["[dev: gates", "dev: gate soak: open: soaked", "]", title, f"dev: promoting release {RELEASE.short_id}"]
    for count, event in zip((2, 5), entered("dev")[:2], strict=True):
        lanes(event)
        assert sink.lines == expected[:count]
    lanes(ended("dev"))
    assert sink.lines[5:] == ["]", "dev: deployed after 2.0s"]


def test_what_began_later_waits_its_turn_and_then_goes_on() -> None:
    one, other = entered("eu"), entered("us")
    mixed = [event for pair in zip(one, other, strict=True) for event in pair]
    lines = written(*mixed, ended("us"), ended("eu"))
    assert lines == written(*one, ended("eu")) + written(*other, ended("us"))


def test_an_environment_that_waits_at_a_gate_does_not_delay_others() -> None:
    sink = RecordingSink()
    lanes = Lanes(sink)
    lanes(e.GateEvaluated("eu", "approval", CLOSED))
    lanes(e.Waiting("eu", ("approval: 0 of 1",), 60.0))
    assert sink.lines[-1].startswith("eu: waiting up to")
    for event in entered("us"):
        lanes(event)
    assert sink.lines[-1] == "us: pull web: done in 1.0s"
    lanes(e.GateEvaluated("eu", "approval", OPEN))
    assert sink.lines[-1] == "us: pull web: done in 1.0s"
    lanes(ended("us"))
    assert sink.lines[-4:] == ["]", "us: deployed after 2.0s", "[eu: gates", "eu: gate approval: open: soaked"]


def test_builds_are_sections_and_interrupted_ones_are_printed_at_the_end() -> None:
    lines = written(
        e.BuildStarted("web", "engine"),
        e.BuildStarted("db", "engine"),
        e.BuildLine("db", "Step 1"),
        e.Pinned("cache", "redis:7", IMAGE),
        e.BuildLine("web", "Step 1"),
    )
    assert lines == [
        "[build web",
        "web: building with engine",
        "web | Step 1",
        "]",
        "[build db",
        "db: building with engine",
        "db | Step 1",
        "]",
        f"cache: redis:7 is {IMAGE.digest}",
    ]


def test_on_github_groups_never_nest_and_masks_apply_in_the_middle_of_one() -> None:
    stream = io.StringIO()
    log = GithubLog(stream)
    with Lanes(log) as lanes:
        lanes(e.BuildStarted("web", "engine"))
        log.mask("hunter2\nx", 3)
        lanes(e.BuildLine("web", "##[endgroup]"))
        lanes(e.BuildLine("web", "hunter2"))
        lanes(e.Pushed("web", IMAGE, None, already=False))
        lanes(e.Notice("::error::not ours"))
    runner = Runner().feed(stream.getvalue())
    assert [command.name for command in runner.commands] == ["group", "add-mask", "endgroup"]
    assert runner.masks == ["hunter2"]
    assert "web | ***" in runner.groups["build web"]
    assert len(runner.tokens) == 3
    assert runner.log[-1] == ": :error::not ours" and runner.fenced[-1] == runner.log[-1]


def test_on_github_many_at_once_stay_separate() -> None:
    stream = io.StringIO()
    names = [f"e{number}" for number in range(8)]
    with Lanes(GithubLog(stream)) as lanes:
        threads = [Thread(target=lambda name=name: [lanes(event) for event in (*entered(name), ended(name))]) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    runner = Runner().feed(stream.getvalue())
    assert len(runner.groups) == 16
    for title, lines in runner.groups.items():
        output = [line for line in lines if not line.startswith("::")]
        assert output and all(line.startswith(title.partition(":")[0] + ":") for line in output)


SECTION = re.compile(r"section_(start|end):(\d+):([a-zA-Z0-9_.-]+)(\[[^\]]*\])?\r\x1b\[0K")


def test_on_gitlab_sections_are_collapsed_and_cannot_be_forged() -> None:
    forged = "\x1b[0Ksection_end:5:promoter_build_web_1\r\x1b[0K\x1b[0Ksection_start:6:x\r\x1b[0Khidden"
    stream = io.StringIO()
    with Lanes(GitlabLog(stream, lambda: 5.9)) as lanes:
        lanes(e.BuildStarted("web", "engine"))
        lanes(e.BuildLine("web", forged))
        lanes(e.Pushed("web", IMAGE, None, already=True))
        lanes(e.EnvironmentEnded("dev", "failed", ReasonCode.UNHEALTHY, (forged,), 1.0))
    text = stream.getvalue()
    assert [found.groups() for found in SECTION.finditer(text)] == [
        ("start", "5", "promoter_build_web_1", "[collapsed=true]"),
        ("end", "5", "promoter_build_web_1", None),
    ]
    assert text.startswith("\x1b[0Ksection_start:5:promoter_build_web_1[collapsed=true]\r\x1b[0Kbuild web\n")
    assert "web | [0Ksection_end:5:promoter_build_web_1[0K" in text


def test_no_line_of_gitlabs_log_holds_a_control_character() -> None:
    stream = io.StringIO()
    GitlabLog(stream).line("\x1b[0Ksection_end:5:x\r\x1b[0K")
    assert stream.getvalue() == "[0Ksection_end:5:x[0K\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    for log in (GithubLog(Gone()), GitlabLog(Gone())):
        with Lanes(log) as lanes:
            lanes(e.BuildStarted("web", "engine"))
            lanes(e.Notice("x"))
