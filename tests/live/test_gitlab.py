"""On GitLab, with the real engine: sections that no container can begin or end, and reports that every parser reads."""

import re
from xml.etree import ElementTree as ET

from tests.live.app import SERVER, App
from tests.live.test_github import SERVE

FORGED = "\x1b[0Ksection_end:1:promoter_1\r\x1b[0K\x1b[0Ksection_start:2:x[collapsed=true]\r\x1b[0Kgone\x00\x08\n"
SECTION = re.compile(r"section_(start|end):\d+:([a-zA-Z0-9_.-]+)(?:\[collapsed=true\])?\s\x1b\[0K")
"""A carriage return comes before the last escape sequence. The fixture converts it to a line feed."""


def test_a_failing_container_forges_no_section_and_breaks_no_report(app: App) -> None:
    job = {"GITLAB_CI": "true"}
    good = app.cli("run", env=job)
    assert good.exit_code == 0, good.text
    suites = ET.parse(app.cli.cwd / ".promoter" / "junit.xml").getroot()
    assert [(suite.get("name"), suite.get("failures"), suite.get("skipped")) for suite in suites] == [
        ("dev", "0", "0"),
        ("prod", "0", "0"),
    ]
    address = f"http://127.0.0.1:{app.ports['dev']}/"
    names = {case.get("name") for case in suites[0]}
    assert {"before: container web: sh -c echo migrated", f"verify: http GET {address}"} <= names
    (app.cli.cwd / "www" / "says").write_bytes(FORGED.encode())
    app.dockerfile(SERVER.replace(SERVE, 'CMD ["sh", "-c", "cat /www/says; exit 3"]'))
    ran = app.cli("run", env=job)
    assert ran.exit_code == 6, ran.text
    marks = [found.groups() for found in SECTION.finditer(ran.stderr)]
    assert [word for word, _ in marks] == ["start", "end"] * 2
    assert [name for _, name in marks[::2]] == [name for _, name in marks[1::2]]
    for text in (ran.stdout, app.cli("logs", ran.stdout.split("release ")[1][:12], env=job).stdout):
        assert "section_start:2:x" in text and "\x1b" not in text
    (dev, prod) = ET.parse(app.cli.cwd / ".promoter" / "junit.xml").getroot()
    (failure,) = dev.iter("failure")
    assert failure.get("type") == "start_failed" and "section_end:1:promoter_1" in (failure.text or "")
    assert [case.get("name") for case in prod] == ["promotion: not reached"]
    report = dict(line.split("=", 1) for line in (app.cli.cwd / ".promoter" / "promoter.env").read_text().splitlines())
    assert report["PROMOTER_STATUS"] == "rolled_back" and report["PROMOTER_URL"] == address
