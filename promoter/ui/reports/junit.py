"""A run as a JUnit report: one suite an environment, one case a gate, a step or a check. Valid whatever others wrote.

Gates are as they were judged last; a gate that waits is skipped, one that refuses has failed.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from xml.etree import ElementTree as ET

from promoter.promotion import progress as e
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.progress_lines import cut_digests

_NO_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GOOD = (Status.DEPLOYED, Status.UNCHANGED)
_LATER = (Status.PENDING, Status.NOT_REACHED)


@dataclass
class TestCase:
    """`failed` and `skipped` say why; with neither, all is well."""

    seconds: float = 0.0
    failed: str | None = None
    code: str = ""
    skipped: str | None = None


@dataclass
class Record:
    """A listener that keeps what a report needs, by environment and name of the case."""

    clock: Callable[[], float] = time.monotonic
    suites: dict[str, dict[str, TestCase]] = field(default_factory=dict)
    _begun: dict[tuple[str, str], float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, event: e.Event) -> None:
        with self._lock:
            match event:
                case e.GateEvaluated():
                    verdict = event.verdict
                    self.gate(event.environment, event.gate, str(verdict.outcome), str(verdict.code), verdict.sentence)
                case e.StepStarted():
                    self._begun[event.environment, event.step] = self.clock()
                case e.StepDone():
                    self._case(event.environment, event.step, TestCase(event.seconds))
                case e.StepFailed():
                    now, said = self.clock(), "\n".join(event.reasons) or str(event.code)
                    begun = self._begun.get((event.environment, event.step), now)
                    self._case(event.environment, event.step, TestCase(now - begun, said, str(event.code)))

    def gate(self, environment: str, name: str, outcome: str, code: str, sentence: str) -> None:
        failed, skipped = (sentence if outcome == word else None for word in ("refused", "waiting"))
        self._case(environment, f"gate: {name}", TestCase(0.0, failed, code, skipped))

    def _case(self, environment: str, name: str, case: TestCase) -> None:
        self.suites.setdefault(environment, {})[cut_digests(name)] = case

    def of_result(self, result: RunResult) -> bytes:
        """With what only the result knows: environments that were held up before any gate or step."""
        for one in result.environments:
            gates: Any = one.details.get("gates", ())
            for gate in gates:
                self.gate(one.name, gate["gate"], gate["outcome"], gate["reason_code"], gate["sentence"])
            self._outcome(one)
        order = [one.name for one in result.environments]
        return _written(result.pipeline, {name: self.suites[name] for name in order})

    def of_failure(self, verb: str, document: Mapping[str, Any]) -> bytes:
        """A command that ended before it had a result; `document` is the JSON form of the error."""
        failure = TestCase(0.0, document["error"]["message"], document["reason_code"] or document["decision"])
        name = f"promoter {verb}"
        return _written(name, {**self.suites, name: {name: failure}})

    def _outcome(self, one: EnvironmentResult) -> None:
        """A case of its own for how it ended, where no gate or step says as much."""
        cases = self.suites.setdefault(one.name, {})
        said = "\n".join(one.reasons) or str(one.code)
        words = f"promotion: {str(one.status).replace('_', ' ')}"
        if one.status in _LATER:
            if not any(case.skipped for case in cases.values()):
                cases[words] = TestCase(0.0, None, "", said)
        elif one.status not in _GOOD:
            if not any(case.failed for case in cases.values()):
                cases[words] = TestCase((one.duration_ms or 0) / 1000, said, str(one.code))
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
    told = {"classname": _text(environment), "name": _text(title), "time": f"{case.seconds:.3f}"}
    element = ET.SubElement(suite, "testcase", told)
    if case.failed is not None:
        said = ET.SubElement(element, "failure", {"message": _text(case.failed.split("\n")[0]), "type": _text(case.code)})
        said.text = _text(case.failed)
    if case.skipped is not None:
        ET.SubElement(element, "skipped", {"message": _text(case.skipped)})


def _text(words: str) -> str:
    """Without what no XML document may hold."""
    return _NO_XML.sub("", words)
