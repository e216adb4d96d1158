"""Reports of scanners: read strictly, about the same digest, or refused; and which findings are too severe."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from promoter.gates.scan import (
    BadReport,
    Finding,
    ScanCheck,
    Scanner,
    Severity,
    command_line,
    environment,
    format_counts,
    read_report,
    too_severe,
)
from promoter.model.images import Digest, ImageRef, Repository
from tests.gates.reports import grype, trivy

IMAGE = ImageRef(Repository("registry.example.com", "shop/web"), Digest("a" * 64))
OTHER = ImageRef(IMAGE.repository, Digest("b" * 64))
BOTH = pytest.mark.parametrize(("scanner", "report"), [(Scanner.TRIVY, trivy), (Scanner.GRYPE, grype)], ids=["trivy", "grype"])
Report = Callable[..., str]


def read(scanner: Scanner, text: str) -> tuple[Finding, ...]:
    return read_report(scanner, text.encode(), IMAGE)


@BOTH
def test_findings_are_read_with_their_fixes(scanner: Scanner, report: Report) -> None:
    found = read(scanner, report(IMAGE, ("CVE-1", "CRITICAL", "3.0.2"), ("CVE-2", "Low", "")))
    assert found == (
        Finding("CVE-1", "openssl", "3.0.1", "3.0.2", Severity.CRITICAL),
        Finding("CVE-2", "openssl", "3.0.1", "", Severity.LOW),
    )
    assert [str(one) for one in found] == [
        "CVE-1 critical in openssl 3.0.1, fixed in 3.0.2",
        "CVE-2 low in openssl 3.0.1, no fix",
    ]
    assert read(scanner, report(IMAGE)) == ()


@BOTH
@pytest.mark.parametrize("text", ["", "  \n", "{}", "null", "[]", "not json", '{"matches": [', '"text"', "[" * 100_000])
def test_an_empty_or_broken_report_proves_nothing(scanner: Scanner, report: Report, text: str) -> None:
    with pytest.raises(BadReport):
        read(scanner, text)


@BOTH
def test_a_report_cut_anywhere_proves_nothing(scanner: Scanner, report: Report) -> None:
    whole = report(IMAGE, ("CVE-1", "LOW", ""))
    for end in range(len(whole)):
        with pytest.raises(BadReport):
            read(scanner, whole[:end])
        with pytest.raises(BadReport):
            read(scanner, whole[end + 1 :])


@BOTH
def test_the_report_of_the_other_scanner_is_none(scanner: Scanner, report: Report) -> None:
    with pytest.raises(BadReport):
        read(Scanner.GRYPE if scanner is Scanner.TRIVY else Scanner.TRIVY, report(IMAGE))


@BOTH
def test_a_report_about_another_digest_is_none(scanner: Scanner, report: Report) -> None:
    with pytest.raises(BadReport, match="not about"):
        read(scanner, report(OTHER))


def changed(text: str, path: list[Any], value: object) -> str:
    document = json.loads(text)
    parent = document
    for part in path[:-1]:
        parent = parent[part]
    if value is None:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["SchemaVersion"], 1),
        (["SchemaVersion"], 3),
        (["SchemaVersion"], None),
        (["ArtifactName"], str(OTHER)),
        (["ArtifactName"], "x"),
        (["Metadata"], None),
        (["Metadata", "RepoDigests"], None),
        (["Metadata", "RepoDigests"], []),
        (["Metadata", "RepoDigests"], [str(OTHER)]),
        (["Metadata", "RepoDigests"], str(IMAGE)),
        (["Results"], None),
        (["Results"], []),
        (["Results"], {}),
        (["Results", 0], "x"),
        (["Results", 0, "Vulnerabilities"], {"a": 1}),
        (["Results", 0, "Vulnerabilities"], "x"),
        (["Results", 0, "Vulnerabilities", 0], "x"),
        (["Results", 0, "Vulnerabilities", 0, "Severity"], "DIRE"),
        (["Results", 0, "Vulnerabilities", 0, "Severity"], None),
        (["Results", 0, "Vulnerabilities", 0, "VulnerabilityID"], None),
        (["Results", 0, "Vulnerabilities", 0, "PkgName"], 7),
    ],
)
def test_a_trivy_report_of_an_unknown_form_is_none(path: list[Any], value: object) -> None:
    good = trivy(IMAGE, ("CVE-1", "LOW", ""))
    assert len(read(Scanner.TRIVY, good)) == 1
    with pytest.raises(BadReport):
        read(Scanner.TRIVY, changed(good, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["descriptor"], None),
        (["descriptor", "name"], "syft"),
        (["source"], None),
        (["source", "type"], "directory"),
        (["source", "target"], "x"),
        (["source", "target", "repoDigests"], []),
        (["source", "target", "repoDigests"], None),
        (["source", "target", "repoDigests"], [str(OTHER)]),
        (["matches"], None),
        (["matches"], {}),
        (["matches", 0], 1),
        (["matches", 0, "vulnerability"], None),
        (["matches", 0, "vulnerability", "severity"], "Dire"),
        (["matches", 0, "vulnerability", "id"], ""),
        (["matches", 0, "artifact"], None),
        (["matches", 0, "artifact", "name"], None),
        (["matches", 0, "vulnerability", "fix"], None),
        (["matches", 0, "vulnerability", "fix", "versions"], "3"),
    ],
)
def test_a_grype_report_of_an_unknown_form_is_none(path: list[Any], value: object) -> None:
    good = grype(IMAGE, ("CVE-1", "Low", ""))
    assert len(read(Scanner.GRYPE, good)) == 1
    with pytest.raises(BadReport):
        read(Scanner.GRYPE, changed(good, path, value))


def finding(severity: str, fixed: str = "", name: str = "") -> Finding:
    return Finding(name or f"CVE-{severity}", "p", "1", fixed, Severity(severity))


@pytest.mark.parametrize(
    ("threshold", "count"), [("critical", 1), ("high", 2), ("medium", 3), ("low", 4), ("negligible", 5), ("unknown", 6)]
)
def test_findings_at_or_above_the_threshold_close_the_gate(threshold: str, count: int) -> None:
    found = tuple(finding(severity) for severity in Severity)
    closed = too_severe(ScanCheck(severity=Severity(threshold)), found)
    assert len(closed) == count
    assert [one.severity.rank for one in closed] == sorted((one.severity.rank for one in closed), reverse=True)


def test_what_can_be_fixed_comes_first_and_counts_once() -> None:
    found = (finding("high", name="CVE-1"), finding("high", "2", "CVE-2"), finding("high", "2", "CVE-2"), finding("low"))
    assert [one.id for one in too_severe(ScanCheck(severity=Severity.HIGH), found)] == ["CVE-2", "CVE-1"]
    assert [one.id for one in too_severe(ScanCheck(severity=Severity.HIGH, only_fixed=True), found)] == ["CVE-2"]
    assert format_counts(found) == "2 high, 1 low"
    assert format_counts(()) == "no findings"


def test_the_command_lines_ask_the_registry_for_the_digest_and_hide_nothing() -> None:
    words = command_line(Scanner.TRIVY, ScanCheck(), IMAGE, "linux/arm64", insecure=False)
    assert " ".join(words) == (
        "trivy image --image-src remote --scanners vuln --format json --quiet --exit-code 0"
        " --severity UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL --ignore-unfixed=false --ignorefile ignore --timeout 600s"
        f" --platform linux/arm64 {IMAGE}"
    )
    assert "--insecure" not in words
    assert "--insecure" in command_line(Scanner.TRIVY, ScanCheck(), IMAGE, None, insecure=True)
    assert command_line(Scanner.GRYPE, ScanCheck(), IMAGE, None, insecure=True) == (
        "grype",
        f"registry:{IMAGE}",
        "-o",
        "json",
        "--quiet",
    )
    asked = command_line(
        Scanner.GRYPE, ScanCheck(scanner=Scanner.GRYPE, ignore="ignore: []"), IMAGE, "linux/arm64", insecure=False
    )
    assert asked[-4:] == ("--platform", "linux/arm64", "--config", "ignore.yaml")
    assert environment(Scanner.GRYPE, insecure=True) == {
        "GRYPE_REGISTRY_INSECURE_SKIP_TLS_VERIFY": "true",
        "GRYPE_REGISTRY_INSECURE_USE_HTTP": "true",
    }
    assert environment(Scanner.GRYPE, insecure=False) == environment(Scanner.TRIVY, insecure=True) == {}


@pytest.mark.parametrize(
    ("scanner", "text", "name"),
    [
        ("trivy", "CVE-1\n", "ignore"),
        ("trivy", "vulnerabilities:\n  - id: CVE-1\n", "ignore.yaml"),
        ("grype", "ignore: []", "ignore.yaml"),
    ],
)
def test_the_ignore_file_has_a_name_that_its_scanner_can_read(scanner: str, text: str, name: str) -> None:
    check = ScanCheck(scanner=Scanner(scanner), ignore=text)
    assert name in command_line(check.scanner, check, IMAGE, None, insecure=False)


def test_an_ignore_file_is_for_one_scanner() -> None:
    with pytest.raises(ValidationError, match="each scanner has its own format of ignore file"):
        ScanCheck(ignore="x")


def test_titles_name_the_severity() -> None:
    assert ScanCheck().title() == "scan all services for critical or worse"
    check = ScanCheck.model_validate({"service": "web", "severity": "high", "only_fixed": True, "dry_run": True})
    assert check.title() == "scan web for high or worse that can be fixed (dry run)"


def test_what_a_report_leaves_out_is_left_out() -> None:
    """A report need not contain the installed version or the versions with the fix."""
    plain = json.loads(trivy(IMAGE, ("CVE-1", "HIGH", "3.0.2")))
    del plain["Results"][0]["Vulnerabilities"][0]["InstalledVersion"]
    assert [str(one) for one in read_report(Scanner.TRIVY, json.dumps(plain), IMAGE)] == [
        "CVE-1 high in openssl , fixed in 3.0.2"
    ]
    other = json.loads(grype(IMAGE, ("CVE-1", "High", "")))
    del other["matches"][0]["artifact"]["version"], other["matches"][0]["vulnerability"]["fix"]["versions"]
    assert [str(one) for one in read_report(Scanner.GRYPE, json.dumps(other), IMAGE)] == ["CVE-1 high in openssl , no fix"]
    other["matches"][0]["vulnerability"]["fix"]["state"] = "fixed"
    found = read_report(Scanner.GRYPE, json.dumps(other), IMAGE)
    assert [str(one) for one in found] == ["CVE-1 high in openssl , fixed in a later version"]


def test_a_report_about_another_image_is_refused_with_its_name() -> None:
    for digests, name, about in (
        (["web@sha256:0"], str(IMAGE), "web@sha256:0"),
        ([], "web:1", "web:1"),
        (None, None, "an image without a digest"),
    ):
        text = trivy(IMAGE, ArtifactName=name, Metadata={"RepoDigests": digests})
        with pytest.raises(BadReport, match=f"^its report is about {about}, not about "):
            read_report(Scanner.TRIVY, text, IMAGE)
