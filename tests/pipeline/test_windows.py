"""Windows in the file: recurring freezes, and calendars, whose content replaces their names."""

from pathlib import Path

import pytest

from promoter.gates.window.rule import Window, next_opening
from promoter.model.errors import InvalidFile
from promoter.pipeline.loader import LoadedPipeline, validate
from promoter.pipeline.mounted_files import Files
from promoter.pipeline.policy import policy_digest
from tests.gates.window.windows import at, calendar, event
from tests.pipeline.pipeline_files import SOURCE

FILE = """\
name: shop
services: {web: {image: "nginx:1"}}
environments:
  test:
  prod:
    vars: {first: 2026-12-18}
    gates:
      - window: WINDOW
"""
HOLIDAY = calendar(event("DTSTART;VALUE=DATE:20260501", "SUMMARY:May Day"))


def load(folder: Path, window: str) -> LoadedPipeline:
    file = folder / "pipeline.yaml"
    file.write_text(FILE.replace("WINDOW", window))
    return validate(file, source=SOURCE, environ={})


def gate(loaded: LoadedPipeline) -> Window:
    (found,) = loaded.resolve("prod", SOURCE, None).gates
    assert isinstance(found, Window)
    return found


def policy(loaded: LoadedPipeline) -> str:
    return policy_digest(loaded.pipeline, loaded.resolve("prod", SOURCE, None))


def test_calendar_files_are_replaced_by_their_content_in_the_gate(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/a.ics").write_bytes(HOLIDAY.encode())
    (tmp_path / "b.ics").write_bytes(calendar().encode())
    one = gate(load(tmp_path, "{calendar: etc/a.ics, timezone: Europe/Bucharest}"))
    assert one.calendar == (HOLIDAY,)
    assert next_opening(one, at("2026-05-01T10:00")) == at("2026-05-01T21:00")
    assert gate(load(tmp_path, "{calendar: [b.ics, etc/a.ics]}")).calendar == (calendar(), HOLIDAY)


def test_who_changes_a_calendar_changes_the_policy(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        (tmp_path / "a.ics").write_bytes(text.encode())
        return policy(load(tmp_path, "{calendar: a.ics}"))

    first, again, other = digest(HOLIDAY), digest(HOLIDAY), digest(HOLIDAY.replace("20260501", "20260502"))
    assert first == again
    assert first != other


def test_who_changes_a_freeze_changes_the_policy(tmp_path: Path) -> None:
    freezes = (
        "{from: 2026-12-18, to: 2027-01-05}",
        "{from: 2026-12-18T00:00, to: 2027-01-05}",
        "{from: 2026-12-18T00:00Z, to: 2027-01-05}",
        "{from: 2026-12-18, to: 2027-01-05, repeat: FREQ=YEARLY}",
        "{from: 2026-12-18, to: 2027-01-05, repeat: FREQ=MONTHLY}",
    )
    assert len({policy(load(tmp_path, f"{{freeze: [{freeze}]}}")) for freeze in freezes}) == len(freezes)


def test_templates_fill_in_freezes(tmp_path: Path) -> None:
    found = gate(
        load(tmp_path, """{freeze: [{from: "{{ first }}", to: "{{ first }}T23:00", repeat: "FREQ=YEARLY;INTERVAL=2"}]}""")
    )
    assert next_opening(found, at("2028-12-18T01:00")) == at("2028-12-18T23:00")
    assert next_opening(found, at("2027-12-18T01:00")) == at("2027-12-18T01:00")


@pytest.mark.parametrize(
    ("window", "at_text", "why", "todo"),
    [
        ("{calendar: gone.ics}", "gone.ics", "cannot read gone.ics as UTF-8 text", "name a file"),
        ("{calendar: [good.ics, gone.ics]}", "gone.ics", "cannot read gone.ics as UTF-8 text", "name a file"),
        ("{calendar: latin.ics}", "latin.ics", "cannot read latin.ics as UTF-8 text", "name a file"),
        ("{calendar: huge.ics}", "huge.ics", "huge.ics is longer than 1048576 bytes", "make it shorter"),
        ("{calendar: wide.ics}", "wide.ics", "wide.ics is longer than 1048576 bytes", "make it shorter"),
        ("{calendar: page.html}", "page.html", "page.html is not a usable calendar: it is not iCalendar", "name an .ics file"),
        ("{calendar: [good.ics, bad.ics]}", "bad.ics", "its event on line 4 is invalid (DTSTART", "repair the event"),
        ("{calendar: forged.ics}", "forged.ics", "looks like the internal placeholder of a secret", "write secret"),
        ("{calendar: {a: b}}", "{a: b}", "`calendar`", None),
        (
            "{freeze: [{from: 2026-01-02, to: 2026-01-01T12:00}]}",
            "{from",
            "this freeze ends on 2026-01-01 12:00, before it begins on 2026-01-02",
            "swap",
        ),
        (
            "{freeze: [{from: 2026-01-02, to: soon}]}",
            "soon",
            "'soon' is neither a date nor a time: write for example 2026-12-18",
            None,
        ),
        (
            "{freeze: [{from: 2026-01-02, to: 2026-01-02, repeat: FREQ=HOURLY}]}",
            "FREQ=HOURLY",
            "more often than daily: use FREQ=DAILY",
            None,
        ),
        (
            "{freeze: [{from: 2026-01-02, to: 2026-01-02, repeat: yearly}]}",
            "yearly",
            "'yearly' is not a recurrence rule: write for example",
            None,
        ),
        (
            "{freeze: [{from: 2026-01-02, to: 2026-01-02, repeat: FREQ=DAILY;COUNT=1}]}",
            "FREQ=DAILY",
            "does not repeat after `from`",
            "correct the rule",
        ),
    ],
)
def test_invalid_files_are_reported_with_their_position(
    tmp_path: Path, window: str, at_text: str, why: str, todo: str | None
) -> None:
    (tmp_path / "good.ics").write_text(HOLIDAY)
    (tmp_path / "bad.ics").write_text(calendar(event("DTSTART:soon")))
    (tmp_path / "latin.ics").write_bytes(HOLIDAY.replace("May", "Mäy").encode("latin-1"))
    (tmp_path / "huge.ics").write_text(calendar(event("DTSTART;VALUE=DATE:20260501", "DESCRIPTION:" + "x" * (1 << 20))))
    (tmp_path / "wide.ics").write_text(calendar(event("DTSTART;VALUE=DATE:20260501", "DESCRIPTION:" + "ä" * (1 << 19))))
    (tmp_path / "page.html").write_text("<html></html>")
    (tmp_path / "forged.ics").write_text(HOLIDAY.replace("May Day", "{{ secret('TOKEN') }}"))
    with pytest.raises(InvalidFile) as faults:
        load(tmp_path, window)
    (complaint,) = faults.value.complaints
    assert why in complaint.message
    assert (complaint.file, complaint.line) == (str(tmp_path / "pipeline.yaml"), 8)
    assert complaint.column == len("      - window: ") + window.index(at_text) + 1
    assert todo is None or (complaint.hint and complaint.hint.startswith(todo))


def test_a_calendar_may_be_as_long_as_a_mebibyte(tmp_path: Path) -> None:
    rest = (1 << 20) - len(HOLIDAY) - len("X-WR-CALDESC:\r\n")
    text = HOLIDAY.replace("BEGIN:VEVENT", "X-WR-CALDESC:" + "x" * rest + "\r\nBEGIN:VEVENT")
    (tmp_path / "a.ics").write_bytes(text.encode())
    assert len(text.encode()) == 1 << 20
    assert len(gate(load(tmp_path, "{calendar: a.ics}")).calendar[0]) == 1 << 20


def test_files_are_read_through_the_one_who_reads_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = Files.text

    def text(self: Files, path: Path) -> str | None:
        asked.append(path.name)
        return HOLIDAY if path.name == "nowhere.ics" else real(self, path)

    monkeypatch.setattr(Files, "text", text)
    assert gate(load(tmp_path, "{calendar: nowhere.ics}")).calendar == (HOLIDAY,)
    assert "nowhere.ics" in asked
