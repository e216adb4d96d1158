"""Programs in place of the scanners, found on PATH and executed: long reports, noise, early exits, an empty directory."""

import json
import os
from pathlib import Path

import pytest

from promoter.adapters.clock import SystemClock
from promoter.adapters.probes import TAIL, OutsideProbes
from promoter.gates.context import CheckResult
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from tests.gates.reports import cosign, grype, trivy
from tests.promotion.checks.site import Bench, image


class Machine:
    def __init__(self, folder: Path) -> None:
        self.bin, self.folder = folder / "bin", folder
        self.bin.mkdir()

    def install(self, name: str, report: str, *lines: str) -> None:
        """Install a program that runs `lines`, then prints the report."""
        (self.folder / f"{name}.json").write_text(report)
        script = ["#!/bin/sh", '[ "$1" = --version ] && exit 0', f'echo "$@" > {self.folder}/{name}.words', *lines]
        program = self.bin / name
        program.write_text("\n".join([*script, f"cat {self.folder}/{name}.json"]) + "\n")
        program.chmod(0o755)

    def run_check(self, check: ScanCheck | SignatureCheck) -> CheckResult:
        return Bench().run_check(check, probes=OutsideProbes(SystemClock()))

    def words(self, name: str) -> str:
        return (self.folder / f"{name}.words").read_text()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:{os.defpath}")
    return made


def scan(scanner: str, **fields: object) -> ScanCheck:
    return ScanCheck.model_validate({"scanner": scanner, **fields})


def test_a_report_of_many_megabytes_is_read_whole(machine: Machine) -> None:
    many = [(f"CVE-{number}", "LOW", "") for number in range(20_000)]
    report = trivy(image(), ("CVE-first", "CRITICAL", ""), *many)
    assert len(report) > 20 * TAIL
    machine.install("trivy", report, "echo 'INFO  downloading' >&2")
    result = machine.run_check(scan("trivy"))
    assert not result.passed
    assert "CVE-first critical" in result.sentence and "1 critical, 20000 low" in result.sentence


@pytest.mark.parametrize(("name", "report"), [("trivy", trivy(image())), ("grype", grype(image()))])
def test_a_scanner_sees_nothing_but_its_ignore_file(machine: Machine, name: str, report: str) -> None:
    machine.install(name, report, f"ls -A > {machine.folder}/seen", f"cat ignore* >> {machine.folder}/seen 2>/dev/null")
    assert machine.run_check(scan(name, ignore="vulnerabilities: []\n")).passed
    assert (machine.folder / "seen").read_text() == "ignore.yaml\nvulnerabilities: []\n"
    assert str(image()) in machine.words(name)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("echo 'FATAL no such image' >&2", "exit 1"), "exit 1: FATAL no such image"),
        (("exit 0",), "its report is empty"),
        (("echo note",), "its report is not JSON"),
        (("kill -9 $$",), "exit 137"),
    ],
)
def test_a_scanner_that_breaks_is_no_pass(machine: Machine, lines: tuple[str, ...], why: str) -> None:
    machine.install("grype", grype(image()), *lines)
    result = machine.run_check(scan("grype"))
    assert (result.passed, result.timed_out) == (False, False)
    assert why in result.sentence


def test_a_scanner_that_does_not_end_is_ended(machine: Machine) -> None:
    machine.install("trivy", trivy(image()), f"cat {machine.folder}/trivy.json", "sleep 600")
    result = machine.run_check(scan("trivy", timeout="700ms"))
    assert (result.passed, result.timed_out) == (False, True)
    assert "timed out, after 700ms" in result.sentence


def test_a_scanner_that_may_not_be_run_is_no_pass(machine: Machine) -> None:
    machine.install("trivy", trivy(image()))
    (machine.bin / "trivy").chmod(0o644)
    assert not machine.run_check(scan("trivy")).passed


def test_cosign_finds_the_key_in_its_directory(machine: Machine) -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    machine.install("cosign", cosign(image()), f"cp cosign.pub {machine.folder}/seen", "echo 'Verification for x' >&2")
    assert machine.run_check(SignatureCheck(key=pem)).passed
    assert (machine.folder / "seen").read_text() == pem
    assert machine.words("cosign").split()[-1] == str(image())
    machine.install("cosign", json.dumps([]))
    assert not machine.run_check(SignatureCheck(key=pem)).passed
