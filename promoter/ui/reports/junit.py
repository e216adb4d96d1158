"""A run as a JUnit report: a suite for each environment; a case for each gate, step and check.

A gate has its last verdict: waiting is skipped, refused is failed. Untrusted text cannot make the XML invalid.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from threading import Lock
from typing import Any
from xml.etree import ElementTree as ET

from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern
from promoter.promotion import progress as e
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.progress_lines import cut_digests

_NO_XML = pattern("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GOOD = (Status.DEPLOYED, Status.UNCHANGED)
_LATER = (Status.PENDING, Status.NOT_REACHED)


@dataclass
class TestCase:
    """A test case; `failed` and `skipped` hold the reason. With neither, it passed."""

    seconds: float = 0.0
    failed: str | None = None
    code: str = ""
    skipped: str | None = None


@dataclass
class Record:
    """A listener that records what a report needs, by environment and name of the case."""

    clock: Callable[[], float] = time.monotonic
    suites: dict[str, dict[str, TestCase]] = field(default_factory=dict)
    _started: dict[tuple[str, str], float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, event: e.Event) -> None:
        with self._lock:
            match event:
                case e.GateEvaluated():
                    verdict = event.verdict
                    self.gate(event.environment, event.gate, str(verdict.outcome), str(verdict.code), verdict.sentence)
                case e.StepStarted():
                    self._started[event.environment, event.step] = self.clock()
                case e.StepDone():
                    self._case(event.environment, event.step, TestCase(event.seconds))
                case e.StepFailed():
                    now, reason = self.clock(), "\n".join(event.reasons) or str(event.code)
                    started = self._started.get((event.environment, event.step), now)
                    self._case(event.environment, event.step, TestCase(now - started, reason, str(event.code)))

    def gate(self, environment: str, name: str, outcome: str, code: str, sentence: str) -> None:
        failed, skipped = (sentence if outcome == word else None for word in ("refused", "waiting"))
        self._case(environment, f"gate: {name}", TestCase(0.0, failed, code, skipped))

    def _case(self, environment: str, name: str, case: TestCase) -> None:
        self.suites.setdefault(environment, {})[cut_digests(name)] = case

    def of_result(self, result: RunResult) -> bytes:
        """Make the report, including environments that were stopped before any gate or step."""
        for one in result.environments:
            gates: Any = one.details.get("gates", ())
            for gate in gates:
                self.gate(one.name, gate["gate"], gate["outcome"], gate["reason_code"], gate["sentence"])
            self._outcome(one)
        order = [one.name for one in result.environments]
        return _written(result.pipeline, {name: self.suites[name] for name in order})

    def of_failure(self, verb: str, document: Mapping[str, Any]) -> bytes:
        """Make the report of a command without a result; `document` is the JSON form of the error."""
        failure = TestCase(0.0, document["error"]["message"], document["reason_code"] or document["decision"])
        name = f"promoter {verb}"
        return _written(name, {**self.suites, name: {name: failure}})

    def _outcome(self, one: EnvironmentResult) -> None:
        """Add a case for the outcome of an environment, unless a gate or step shows it already."""
        cases = self.suites.setdefault(one.name, {})
        reason = "\n".join(one.reasons) or str(one.code)
        words = f"promotion: {str(one.status).replace('_', ' ')}"
        if one.status in _LATER:
            if not any(case.skipped for case in cases.values()):
                cases[words] = TestCase(0.0, None, "", reason)
        elif one.status not in _GOOD:
            if not any(case.failed for case in cases.values()):
                cases[words] = TestCase((one.duration_ms or 0) / 1000, reason, str(one.code))
        elif not cases:
            cases[words] = TestCase((one.duration_ms or 0) / 1000)


def _written(name: str, suites: Mapping[str, Mapping[str, TestCase]]) -> bytes:
    root = ET.Element("testsuites", {"name": _text(name)})
    for environment, cases in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": _text(environment), **_counts(cases)})
        for title, case in cases.items():
            _add(suite, environment, title, case)
    ET.indent(root)
    answer: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return answer + b"\n"


def _counts(cases: Mapping[str, TestCase]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.failed is not None for case in cases.values())),
        "errors": "0",
        "skipped": str(sum(case.skipped is not None for case in cases.values())),
        "time": f"{sum(case.seconds for case in cases.values()):.3f}",
    }


def _add(suite: ET.Element, environment: str, title: str, case: TestCase) -> None:
    attributes = {"classname": _text(environment), "name": _text(title), "time": f"{case.seconds:.3f}"}
    element = ET.SubElement(suite, "testcase", attributes)
    if case.failed is not None:
        reason = ET.SubElement(element, "failure", {"message": _text(case.failed.split("\n")[0]), "type": _text(case.code)})
        reason.text = _text(case.failed)
    if case.skipped is not None:
        ET.SubElement(element, "skipped", {"message": _text(case.skipped)})


def _text(words: str) -> str:
    """Remove characters that are invalid in XML."""
    return _NO_XML.sub("", words)
