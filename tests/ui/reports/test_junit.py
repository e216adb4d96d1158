"""Reports for any CI: JUnit that every parser reads, and a dotenv file that contains only names and values."""

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from promoter.model.verdict import ReasonCode, passed, refused, waiting
from promoter.promotion import progress as e
from promoter.promotion.results import EnvironmentResult, Status
from promoter.ui.reports.dotenv import dotenv
from promoter.ui.reports.junit import Record
from promoter.ui.reports.outputs import matters, outputs
from tests.fakes.promoter import EARLIER, IMAGE, RELEASE, environment, result

NAMES = ["STATUS", "REASON_CODE", "RELEASE", "DIGEST", "PLAN_DIGEST", "PREVIOUS", "URL"]


def cases(suite: ET.Element) -> dict[str, tuple[str, str]]:
    """Return the result and the message by name."""
    found = {}
    for case in suite:
        (child,) = list(case) or [ET.Element("passed")]
        found[case.get("name", "")] = (child.tag, child.get("message", ""))
    return found


def test_one_suite_an_environment_and_one_case_a_gate_and_a_step() -> None:
    times = iter([10.0, 12.5])
    record = Record(clock=lambda: next(times))
    for event in (
        e.GateEvaluated("dev", "soak", waiting(ReasonCode.SOAKING, "not yet")),
        e.GateEvaluated("dev", "soak", passed("soaked")),
        e.StepDone("dev", "pull web x@sha256:" + "0" * 64, 0.25, already=True),
        e.StepStarted("dev", "verify: http GET http://x/"),
        e.StepFailed("dev", "verify: http GET http://x/", ReasonCode.VERIFY_FAILED, ("status 500", "log: no database")),
        e.GateEvaluated("prod", "approval", waiting(ReasonCode.APPROVALS_MISSING, "0 of 1")),
        e.GateEvaluated("us", "window", refused(ReasonCode.FROZEN, "frozen")),
    ):
        record(event)
    ends = [
        environment("dev", Status.ROLLED_BACK, ReasonCode.VERIFY_FAILED, "status 500"),
        environment("prod", Status.PENDING, ReasonCode.APPROVALS_MISSING, "0 of 1"),
        environment("us", Status.REFUSED, ReasonCode.FROZEN, "frozen"),
        environment("eu", Status.LOCKED, ReasonCode.LOCK_HELD, "ana holds it"),
        environment("last", Status.NOT_REACHED, ReasonCode.NOT_VERIFIED_UPSTREAM, "prod is pending"),
        environment("same", Status.UNCHANGED, ReasonCode.NOTHING_TO_DO),
    ]
    root = ET.fromstring(record.of_result(result(*ends)))
    suites = {suite.get("name"): suite for suite in root}
    assert {name: cases(suite) for name, suite in suites.items()} == {
        "dev": {
            "gate: soak": ("passed", ""),
            "pull web x@sha256:000000000000…": ("passed", ""),
            "verify: http GET http://x/": ("failure", "status 500"),
        },
        "prod": {"gate: approval": ("skipped", "0 of 1")},
        "us": {"gate: window": ("failure", "frozen")},
        "eu": {"promotion: locked": ("failure", "ana holds it")},
        "last": {"promotion: not reached": ("skipped", "prod is pending")},
        "same": {"promotion: unchanged": ("passed", "")},
    }
    dev = suites["dev"]
    counts = {name: dev.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
    assert counts == {"tests": "3", "failures": "1", "errors": "0", "skipped": "0", "time": "2.750"}
    failure = dev[2][0]
    assert (failure.get("type"), failure.text) == ("verify_failed", "status 500\nlog: no database")


def test_gates_that_only_the_result_knows_are_in_it() -> None:
    gates = [{"gate": "pin", "outcome": "waiting", "reason_code": "pinned", "sentence": "pinned by ana"}]
    one = EnvironmentResult("prod", Status.PENDING, ReasonCode.PINNED, ("pin: pinned by ana",), details={"gates": gates})
    (suite,) = ET.fromstring(Record().of_result(result(one)))
    assert cases(suite) == {"gate: pin": ("skipped", "pinned by ana")}


@given(st.text(), st.text())
def test_it_is_xml_whatever_others_wrote(title: str, reason: str) -> None:
    record = Record()
    record(e.StepFailed("dev", title, ReasonCode.UNHEALTHY, (reason,)))
    (suite,) = ET.fromstring(record.of_result(result(environment("dev", Status.FAILED, ReasonCode.UNHEALTHY, reason))))
    assert suite.get("failures") == "1"


def test_a_command_that_failed_before_a_result_is_a_case_of_its_own() -> None:
    record = Record()
    record(e.StepDone("dev", "pull web", 1.0))
    document = {"decision": "failed", "reason_code": None, "error": {"message": "the engine\x00 went away", "hint": None}}
    root = ET.fromstring(record.of_failure("run", document))
    assert {suite.get("name"): cases(suite) for suite in root} == {
        "dev": {"pull web": ("passed", "")},
        "promoter run": {"promoter run": ("failure", "the engine went away")},
    }


def read_dotenv(text: str) -> dict[str, str]:
    """Read it as GitLab does: each line is a name and a value."""
    found = {}
    for line in text.split("\n")[:-1]:
        match = re.fullmatch(r"([A-Za-z0-9_]+)=(.*)", line)
        assert match is not None, line
        found[match[1]] = match[2].strip()
    return found


def test_the_dotenv_report_has_all_names_and_plain_values() -> None:
    values = outputs(result(environment("dev")), None, "https://x.example.com/?a=$TOKEN b'\"\n=c")
    assert read_dotenv(dotenv(values)) == {
        "PROMOTER_STATUS": "complete",
        "PROMOTER_REASON_CODE": "ok",
        "PROMOTER_RELEASE": RELEASE.id,
        "PROMOTER_DIGEST": str(IMAGE.digest),
        "PROMOTER_PLAN_DIGEST": "sha256:" + "ef" * 32,
        "PROMOTER_PREVIOUS": EARLIER.id,
        "PROMOTER_URL": "https://x.example.com/?a=%24TOKEN%20b%27%22=c",
    }


@given(st.dictionaries(st.sampled_from(["status", "url", "previous"]), st.text()))
def test_no_value_ends_its_line_or_begins_another(values: dict[str, str]) -> None:
    assert list(read_dotenv(dotenv(values))) == [f"PROMOTER_{name}" for name in NAMES]


def test_the_environment_that_matters() -> None:
    done, same, later = environment("dev"), environment("test", Status.UNCHANGED), environment("prod", Status.NOT_REACHED)
    waits = environment("prod", Status.PENDING)
    assert matters(result(done, same, later), None) is done
    assert matters(result(done, same, waits), None) is waits
    assert matters(result(same, later), None) is later
    assert matters(result(done, same, waits), "test") is same
    assert matters(result(done), "elsewhere") is done
