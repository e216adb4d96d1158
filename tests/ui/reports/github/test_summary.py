"""The step summary and the annotations: what a release manager reads, whatever text others write into it."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from promoter.model.errors import Diagnostic
from promoter.model.release import Release, Source
from promoter.model.verdict import ReasonCode
from promoter.model.visible_text import visible
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.github.annotations import annotation, level
from promoter.ui.reports.github.markdown import fitting, md, pre
from promoter.ui.reports.github.mermaid import picture
from promoter.ui.reports.github.summary import summary, summary_of_failure
from promoter.ui.reports.run_report import RunReport
from tests.fakes.promoter import EARLIER, IMAGE, RELEASE, environment, planned, result
from tests.runner import Runner

GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
NEEDS = {"dev": (), "test": ("dev",), "prod": ("test",)}
WORDS = "<b>|`*_[a](http://x)~~#1 @ana :tada: \\ &amp; $x$ www.x.y\n\n# no heading\n</pre><script>"
SIZE_LIMIT = 1 << 20


class Seen(HTMLParser):
    """Collects tags and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def text(*environments: EnvironmentResult, urls: Mapping[str, str] | None = None) -> str:
    report = RunReport("run", result(*environments), options="-f pipeline.yaml", needs=NEEDS, urls=urls or {})
    return summary(report, SIZE_LIMIT)


@given(st.text() | st.just(WORDS))
def test_words_of_others_are_only_words(words: str) -> None:
    cell = Seen(GITHUB.render(f"| a |\n| --- |\n| {md(words)} |"))
    assert cell.tags == ["table", "thead", "tr", "th", "tbody", "tr", "td"]
    lines = Seen(GITHUB.render(f"x\n\n{pre(words)}\n\ny"))
    assert lines.tags == ["p", "pre", "p"]
    shown = visible(re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", words))
    if "\r" not in words and shown == words:
        assert cell.text.split()[1:] == words.split()


def test_a_run_that_waits() -> None:
    gates = [
        {"gate": "approval of 1 person", "outcome": "waiting", "sentence": "0 of 1: a|b", "opens_at": None},
        {"gate": "soak", "outcome": "passed", "sentence": "soaked", "opens_at": "2026-11-23T18:20:11Z"},
    ]
    waits = EnvironmentResult(
        "prod", Status.PENDING, ReasonCode.APPROVALS_MISSING, ("0 of 1",), "sha256:0", EARLIER.id, details={"gates": gates}
    )
    page = text(environment("dev"), waits, urls={"dev": 'https://x/"|<'})
    assert (
        page.splitlines()[0]
        == f"## shop: release <code>{RELEASE.short_id}</code> (main c0ffeec0ffee, with uncommitted changes): pending"
    )
    assert '| <a href="https://x/&#34;&#124;&#60;">dev</a> | ✅ deployed | ' in page
    way = f"<code>{EARLIER.short_id}</code> → <code>{RELEASE.short_id}</code>"
    assert f"| prod | ⏳ pending | <code>{EARLIER.short_id}</code> | - | {way} | - | - |" in page
    assert "| prod | approval of 1 person | ⏳ waits | 0 of 1&#58; a&#124;b | - |" in page
    assert "| prod | soak | ✅ passed | soaked | 2026-11-23T18&#58;20&#58;11Z |" in page
    assert page.endswith("Next:\n\n<pre>\npromoter approve prod -f pipeline.yaml\n</pre>\n\n")


def test_a_failure_shows_all_reasons_and_no_next_step() -> None:
    page = text(environment("dev", Status.ROLLED_BACK, ReasonCode.UNHEALTHY, "exit code 3", "log: </pre>"))
    assert "| dev | ↩️ rolled back |" in page
    assert "### dev: rolled back (<code>unhealthy</code>)\n\n<pre>\nexit code 3\nlog: &lt;/pre&gt;\n</pre>" in page
    assert "Next:" not in page


def test_a_plan_lists_changes_and_steps() -> None:
    page = summary(RunReport("plan", planned(), options="-f p.yaml", needs=NEEDS), SIZE_LIMIT)
    assert f"### prod: <code>{EARLIER.short_id}</code> → <code>{RELEASE.short_id}</code>" in page
    assert '+ services.web.environment.A: "1"' in page and "1. pull web" in page
    assert page.endswith("<pre>\npromoter approve prod -f p.yaml\n</pre>\n\n")


def test_a_build_has_its_images_and_a_release_of_a_hostile_branch_is_only_text() -> None:
    release = Release({"web": IMAGE}, Source(sha="c0ffee" * 7, branch="a`|<img src=x>\n::error::x"))
    page = summary(RunReport("build", RunResult("shop", release, ())), SIZE_LIMIT)
    assert f"| web | <code>{IMAGE}</code> |".replace(":", "&#58;").replace("@", "&#64;") in page
    assert "img" not in Seen(GITHUB.render(page)).tags
    assert Runner().feed(page).commands == []


def test_a_failure_before_a_result_has_the_error_and_what_to_do() -> None:
    document = {"decision": "failed", "reason_code": None, "error": {"message": "no <engine>", "hint": "start it"}}
    assert summary_of_failure("run", document, SIZE_LIMIT) == (
        "## ❌ promoter run: failed\n\n<pre>\nno &lt;engine&gt;\n</pre>\n\nWhat to do:\n\n<pre>\nstart it\n</pre>\n\n"
    )


@pytest.mark.parametrize("directory", [0, 10, 70, 100, 500, 5000])
def test_the_summary_never_exceeds_the_size_limit(directory: int) -> None:
    sections = ["## ü", "x" * 90, "ü" * 1000]
    page = fitting(sections, directory)
    assert len(page.encode()) <= max(directory, 0)
    assert page.startswith("## ü") == (directory >= 100)
    assert ("This summary is cut" in page) == (70 <= directory < 5000)


def test_the_picture_follows_needs_and_holds_no_sign_that_mermaid_reads() -> None:
    ended = [environment("dev"), environment('x"]; click', Status.FAILED), environment("prod", Status.NOT_REACHED)]
    drawn = picture(ended, {"prod": ("dev", 'x"]; click', "elsewhere")})
    assert drawn.splitlines()[2:7] == [
        '  e0["dev<br>deployed"]',
        '  e1["x#34;#93;#59; click<br>failed"]',
        '  e2["prod<br>not reached"]',
        "  e0 --> e2",
        "  e1 --> e2",
    ]
    assert {"  class e0 good", "  class e1 bad", "  class e2 later"} <= set(drawn.splitlines())
    assert picture([environment("dev")], {}) == ""
    assert picture([environment(f"e{number}") for number in range(61)], {}) == ""


@pytest.mark.parametrize(
    ("status", "severity"),
    [(Status.DEPLOYED, None), (Status.UNCHANGED, None), (Status.NOT_REACHED, None), (Status.PENDING, "notice")]
    + [(s, "error") for s in (Status.FAILED, Status.REFUSED, Status.ROLLED_BACK, Status.LOCKED, Status.INTERRUPTED)],
)
def test_an_environment_that_needs_attention_is_annotated(status: Status, severity: str | None) -> None:
    assert level(environment("dev", status)) == severity


@pytest.mark.parametrize(
    ("complaint", "file", "written"),
    [
        (
            Diagnostic("p.yaml", 3, 5, "unknown key `imag`", "did you mean `image`?", "    imag: a"),
            "ci/p, 1.yaml",
            "::error file=ci/p%2C 1.yaml,line=3,col=5,endColumn=9,title=promoter::unknown key `imag`%0Adid you mean `image`?",
        ),
        (Diagnostic("p.yaml", 9, 4, "x", None, "a: ["), "p", "::error file=p,line=9,col=4,endColumn=5,title=promoter::x"),
        (Diagnostic("p.yaml", 3, 5, "x", None, "    imag: a"), None, "::error title=promoter::p.yaml:3:5: x"),
        (Diagnostic("variable PROMOTER_CI", 1, 1, "x"), None, "::error title=promoter::variable PROMOTER_CI: x"),
        (Diagnostic("p", 1, 1, "##[group]"), "p", "::error file=p,line=1,col=1,endColumn=2,title=promoter::## [group]"),
    ],
)
def test_a_complaint_points_at_its_word(complaint: Diagnostic, file: str | None, written: str) -> None:
    assert annotation("error", complaint, file, "promoter") == written
