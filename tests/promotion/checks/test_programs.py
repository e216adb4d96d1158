"""Scanners and cosign: what runs, and that only a complete, understood answer about the digest passes."""

import pytest

from promoter.gates.context import CheckResult
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from promoter.promotion.ports.probes import ToolResult
from tests.gates.reports import cosign, grype, trivy
from tests.promotion.checks.site import Bench, image

PEM = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
SIGNED = SignatureCheck(key=PEM)


def scan(**fields: object) -> ScanCheck:
    return ScanCheck.model_validate({"severity": "high", **fields})


def outcome(result: CheckResult) -> tuple[bool, bool]:
    return result.passed, result.timed_out


def test_a_report_below_the_threshold_passes_with_a_summary() -> None:
    bench = Bench()
    bench.probes.installed("trivy", trivy(image(), ("CVE-1", "LOW", ""), ("CVE-2", "MEDIUM", "2")))
    result = bench.run_check(scan())
    assert result.passed
    assert result.sentence == "scan all services for high or worse: trivy: web: 1 medium, 1 low"


def test_findings_close_the_gate_and_are_listed_worst_first() -> None:
    bench = Bench()
    many = [(f"CVE-{number}", "HIGH", "") for number in range(9)]
    bench.probes.installed("trivy", trivy(image(), *many, ("CVE-bad", "CRITICAL", "3.0.2")))
    result = bench.run_check(scan())
    assert outcome(result) == (False, False)
    assert "trivy finds web: CVE-bad critical in openssl 3.0.1, fixed in 3.0.2; web: CVE-0 high" in result.sentence
    assert "and 5 more (web: 1 critical, 9 high)" in result.sentence
    assert result.seen.count("CVE-") == 10


def test_auto_takes_what_is_installed_and_a_named_scanner_must_be() -> None:
    bench = Bench()
    bench.probes.installed("grype", grype(image()))
    assert bench.run_check(scan()).passed
    assert not bench.run_check(scan(scanner="trivy")).passed
    bench.probes.installed("trivy", trivy(image()))
    assert "trivy: web" in bench.run_check(scan()).sentence


def test_without_a_scanner_nothing_passes() -> None:
    assert "neither trivy nor grype is on this machine: install trivy or grype" in Bench().run_check(scan()).sentence
    result = Bench().run_check(scan(scanner="grype"))
    assert (result.passed, "grype is not on this machine" in result.sentence) == (False, True)


BROKEN = [
    (ToolResult(1, b"", "FATAL\tcannot pull: unauthorized\n", 0.1), "exit 1: FATAL\tcannot pull: unauthorized", False),
    (ToolResult(2, b"", "", 0.1), "exit 2: no output", False),
    (ToolResult(137, b"", "", 0.1), "exit 137", False),
    (ToolResult(127, b"", "", 0.1), "is not on this machine", False),
    (ToolResult(None, b"", "", 600.0), "timed out, after 10m", True),
    (ToolResult(0, None, "", 0.1), "its output is too long to read", False),
    (ToolResult(0, b"", "", 0.1), "its report is empty", False),
    (ToolResult(0, b"{}", "", 0.1), "its report is empty", False),
    (ToolResult(0, b"INFO done", "", 0.1), "its report is not JSON", False),
    (ToolResult(0, trivy(image(hexdigit="b")).encode(), "", 0.1), "is about registry.example.com/shop/web@sha256:bbb", False),
    (ToolResult(0, trivy(image(), Results=[]).encode(), "", 0.1), "found no operating system and no packages", False),
    (ToolResult(1, trivy(image()).encode(), "", 0.1), "exit 1", False),
]


@pytest.mark.parametrize(("answer", "why", "late"), BROKEN)
def test_a_scanner_that_fails_never_passes(answer: ToolResult, why: str, late: bool) -> None:
    bench = Bench()
    bench.probes.installed("trivy", answer)
    result = bench.run_check(scan())
    assert outcome(result) == (False, late)
    assert why in result.sentence


def test_every_image_is_scanned_once_where_the_release_has_it() -> None:
    web, api = image("web"), image("api", hexdigit="b")
    bench = Bench(web=web, worker=web, api=api)
    bench.probes.installed("trivy", trivy(web), trivy(api, ("CVE-1", "HIGH", "")))
    result = bench.run_check(scan())
    assert [words[-1] for words, _, _ in bench.probes.tools if words[1] == "image"] == [str(web), str(api)]
    assert not result.passed
    assert "(web, worker: no findings; api: 1 high)" in result.sentence
    bench.probes.installed("trivy", trivy(web))
    assert bench.run_check(scan(service="web")).passed


def test_findings_of_any_image_close_the_gate() -> None:
    web, api = image("web"), image("api", hexdigit="b")
    bench = Bench(web=web, api=api)
    bench.probes.installed("trivy", trivy(web, ("CVE-1", "HIGH", "")), trivy(api))
    assert "trivy finds web: CVE-1" in bench.run_check(scan()).sentence


def test_the_second_image_has_only_the_time_that_is_left() -> None:
    bench = Bench(web=image("web"), api=image("api", hexdigit="b"))
    bench.probes.installed("trivy", trivy(image()))
    assert outcome(bench.run_check(scan(timeout="0s"))) == (False, True)


def test_ignore_files_and_plain_registries_reach_the_scanner() -> None:
    bench = Bench()
    bench.insecure = frozenset({"registry.example.com"})
    bench.probes.installed("trivy", trivy(image()))
    bench.probes.installed("grype", grype(image()))
    assert bench.run_check(scan(scanner="trivy", ignore="CVE-1\n")).passed
    assert bench.run_check(scan(scanner="grype", ignore="ignore: []")).passed
    runs = [run for run in bench.probes.tools if run[0][1:] != ("--version",)]
    assert [run[1] for run in runs] == [{"ignore": "CVE-1\n"}, {"ignore.yaml": "ignore: []"}]
    assert "--insecure" in runs[0][0]
    assert runs[1][2]["GRYPE_REGISTRY_INSECURE_USE_HTTP"] == "true"


# ---------------------------------------------------------------- cosign
def test_every_image_must_be_signed() -> None:
    web, api = image("web"), image("api", hexdigit="b")
    bench = Bench(web=web, api=api)
    bench.probes.installed("cosign", cosign(web), cosign(api))
    result = bench.run_check(SIGNED)
    assert result.passed
    assert f"cosign verifies web {web.digest}; api {api.digest}" in result.sentence
    assert [files for _, files, _ in bench.probes.tools] == [{"cosign.pub": PEM}] * 2
    bench.probes.installed("cosign", cosign(web), ToolResult(1, b"", "Error: no signatures found\n", 0.1))
    result = bench.run_check(SIGNED)
    assert not result.passed
    assert f"cosign on {api}: exit 1: Error: no signatures found" in result.sentence


@pytest.mark.parametrize(
    ("answer", "why", "late"),
    [
        (ToolResult(12, b"", "Error: no matching signatures\n", 0.1), "exit 12: Error: no matching signatures", False),
        (ToolResult(1, cosign(image()).encode(), "", 0.1), "exit 1", False),
        (ToolResult(127, b"", "", 0.1), "cosign is not on this machine: install it", False),
        (ToolResult(None, cosign(image()).encode(), "", 60.0), "timed out, after 1m", True),
        (ToolResult(0, b"", "", 0.1), "the output of cosign is not about", False),
        (ToolResult(0, b"[]", "", 0.1), "the output of cosign is not about", False),
        (ToolResult(0, cosign(image(hexdigit="b")).encode(), "", 0.1), "the output of cosign is not about", False),
        (ToolResult(0, None, "", 0.1), "output is too long to read", False),
    ],
)
def test_a_cosign_that_fails_never_passes(answer: ToolResult, why: str, late: bool) -> None:
    bench = Bench()
    bench.probes.installed("cosign", answer)
    result = bench.run_check(SIGNED)
    assert outcome(result) == (False, late)
    assert why in result.sentence


def test_a_key_may_be_a_secret_and_no_sentence_shows_it() -> None:
    bench = Bench()
    bench.secrets.values["PUB"] = PEM
    bench.secrets.values["KMS"] = "awskms:///alias/hidden"
    bench.probes.installed("cosign", ToolResult(1, b"", "Error: getting awskms:///alias/hidden\n", 0.1))
    bench.run_check(SignatureCheck(key="{{ secret('PUB') }}"))
    result = bench.run_check(SignatureCheck(key="{{ secret('KMS') }}"))
    first, second = bench.probes.tools
    assert first[1] == {"cosign.pub": PEM}
    assert second[0][4:6] == ("--key", "awskms:///alias/hidden")
    assert "getting [secret KMS]" in result.sentence
    assert "alias/hidden" not in result.sentence + result.seen
