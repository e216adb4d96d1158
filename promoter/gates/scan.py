"""Scan checks: the images of the release have no finding of a severity or worse.

This module has the model, the scanners' command lines, and the evaluation of their reports. A report that is not
fully understood, or is about another image, never passes. Scanners run elsewhere.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import model_validator

from promoter.config.fields import Texts
from promoter.config.spec import Duration
from promoter.config.spec_errors import misfit
from promoter.gates.check_base import CheckShape
from promoter.model.dataclass import dataclass
from promoter.model.images import ImageRef
from promoter.model.pattern import pattern

_YAML = pattern(r"^(vulnerabilities|misconfigurations|secrets|licenses):", re.MULTILINE)


class Scanner(StrEnum):
    AUTO = "auto"
    TRIVY = "trivy"
    GRYPE = "grype"


class Severity(StrEnum):
    UNKNOWN = "unknown"
    NEGLIGIBLE = "negligible"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class ScanCheck(CheckShape):
    """Scans the images of `service` (default: all) by digest; a finding of `severity` or worse fails.

    `ignore` is the path of the scanner's ignore file in the file, and its content after reading.
    """

    kind: ClassVar[str] = "scan"

    service: Texts = ()
    scanner: Scanner = Scanner.AUTO
    severity: Severity = Severity.CRITICAL
    ignore: str | None = None
    only_fixed: bool = False
    timeout: Duration = timedelta(minutes=10)

    @model_validator(mode="after")
    def _check_ignore(self) -> Self:
        if self.ignore is not None and self.scanner is Scanner.AUTO:
            hint = "set `scanner: trivy` or `scanner: grype`"
            raise misfit("`ignore` needs `scanner`: each scanner has its own format of ignore file", hint, ("ignore",))
        return self

    @property
    def scanners(self) -> tuple[Scanner, ...]:
        """Return the possible scanners. The first that is installed is used."""
        return (Scanner.TRIVY, Scanner.GRYPE) if self.scanner is Scanner.AUTO else (self.scanner,)

    @property
    def ignore_name(self) -> str:
        """Return the name of the ignore file in the scanner's directory. Both scanners recognise its format by the name."""
        return "ignore.yaml" if self.scanner is Scanner.GRYPE or _YAML.search(self.ignore or "") else "ignore"

    def subject(self) -> str:
        fixed = " that can be fixed" if self.only_fixed else ""
        return f"scan {', '.join(self.service) or 'all services'} for {self.severity} or worse{fixed}"


@dataclass(frozen=True)
class Finding:
    id: str
    package: str
    installed: str
    fixed: str
    severity: Severity

    def __str__(self) -> str:
        fix = f"fixed in {self.fixed}" if self.fixed else "no fix"
        return f"{self.id} {self.severity} in {self.package} {self.installed}, {fix}"


class BadReport(Exception):
    """A report that is not usable; the message says why."""


def command_line(scanner: Scanner, check: ScanCheck, image: ImageRef, platform: str | None, *, insecure: bool) -> tuple[str, ...]:
    """Return the command for an empty directory with the ignore file, so that no other local file has an effect.

    The scanner reads from the registry, not from a local engine: it has the image with this digest. Options that variables or a
    configuration file could set to hide findings are set explicitly.
    """
    where = ("--platform", platform) if platform else ()
    if scanner is Scanner.GRYPE:
        config = ("--config", check.ignore_name) if check.ignore is not None else ()
        return ("grype", f"registry:{image}", "-o", "json", "--quiet", *where, *config)
    return (
        "trivy",
        "image",
        "--image-src",
        "remote",
        "--scanners",
        "vuln",
        "--format",
        "json",
        "--quiet",
        "--exit-code",
        "0",
        "--severity",
        "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL",
        "--ignore-unfixed=false",
        "--ignorefile",
        check.ignore_name,
        "--timeout",
        f"{max(1, round(check.timeout.total_seconds()))}s",
        *(("--insecure",) if insecure else ()),
        *where,
        str(image),
    )


def environment(scanner: Scanner, *, insecure: bool) -> dict[str, str]:
    """Return variables for grype, which has no option for this."""
    plain = insecure and scanner is Scanner.GRYPE
    names = ("GRYPE_REGISTRY_INSECURE_SKIP_TLS_VERIFY", "GRYPE_REGISTRY_INSECURE_USE_HTTP")
    return dict.fromkeys(names, "true") if plain else {}


def read_report(scanner: Scanner, text: bytes, image: ImageRef) -> tuple[Finding, ...]:
    """Return every finding of the report. Raise BadReport if it is incomplete or about another digest."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadReport("its report is empty" if not text.strip() else "its report is not JSON, or incomplete") from error
    if not isinstance(document, dict) or not document:
        raise BadReport("its report is empty")
    return (_read_grype if scanner is Scanner.GRYPE else _read_trivy)(document, image)


def too_severe(check: ScanCheck, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that fail the check, the worst first, each once."""
    wanted = {f for f in findings if f.severity.rank >= check.severity.rank and (f.fixed or not check.only_fixed)}
    return tuple(sorted(wanted, key=lambda f: (-f.severity.rank, not f.fixed, f.id, f.package, f.installed)))


def format_counts(findings: tuple[Finding, ...]) -> str:
    """Return a summary such as `2 high, 10 low`, the worst first."""
    counted = [(s, sum(f.severity is s for f in set(findings))) for s in reversed(Severity)]
    return ", ".join(f"{count} {severity}" for severity, count in counted if count) or "no findings"


def _read_trivy(document: dict[str, Any], image: ImageRef) -> tuple[Finding, ...]:
    if document.get("SchemaVersion") != 2:
        raise BadReport(f"expected a report with schema version 2, got {document.get('SchemaVersion')!r}")
    metadata = document.get("Metadata")
    digests = metadata.get("RepoDigests") if isinstance(metadata, dict) else None
    _same_image(digests, document.get("ArtifactName"), image)
    results = document.get("Results")
    if not isinstance(results, list) or not results:
        sentence = "it found no operating system and no packages in the image, so it checked nothing"
        raise BadReport(f"{sentence}; if that is correct, list the other services under `service`")
    return tuple(_trivy_finding(one) for result in results for one in _list(_map(result), "Vulnerabilities", optional=True))


def _trivy_finding(one: object) -> Finding:
    found = _map(one)
    return Finding(
        _text(found, "VulnerabilityID"),
        _text(found, "PkgName"),
        str(found.get("InstalledVersion") or ""),
        str(found.get("FixedVersion") or ""),
        _severity(found, "Severity"),
    )


def _read_grype(document: dict[str, Any], image: ImageRef) -> tuple[Finding, ...]:
    descriptor, source = _map(document.get("descriptor")), _map(document.get("source"))
    if descriptor.get("name") != "grype" or source.get("type") != "image":
        raise BadReport("expected grype's report on an image")
    target = _map(source.get("target"))
    _same_image(target.get("repoDigests"), None, image)
    return tuple(_grype_finding(one) for one in _list(document, "matches"))


def _grype_finding(one: object) -> Finding:
    found = _map(one)
    flaw, package = _map(found.get("vulnerability")), _map(found.get("artifact"))
    fix = _map(flaw.get("fix"))
    fixed = ", ".join(map(str, _list(fix, "versions", optional=True)))
    if fix.get("state") == "fixed" and not fixed:
        fixed = "a later version"
    return Finding(
        _text(flaw, "id"), _text(package, "name"), str(package.get("version") or ""), fixed, _severity(flaw, "severity")
    )


def _same_image(digests: object, name: object, image: ImageRef) -> None:
    """Check that the report names the digest that the scanner found in the registry, not only the requested one."""
    listed = [str(one) for one in digests] if isinstance(digests, list) else []
    if not any(one.endswith(f"@{image.digest}") for one in listed) or name not in (None, str(image)):
        about = ", ".join(listed) or name or "an image without a digest"
        raise BadReport(f"its report is about {about}, not about {image}")


def _map(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadReport("its report has an unknown format")
    return value


def _list(found: Mapping[str, Any], key: str, *, optional: bool = False) -> list[Any]:
    value = found.get(key)
    if value is None and optional:
        return []
    if not isinstance(value, list):
        raise BadReport(f"its report has an unknown format: no list `{key}`")
    return value


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise BadReport(f"its report has an unknown format: a finding without `{key}`")
    return value


def _severity(found: Mapping[str, Any], key: str) -> Severity:
    value = _text(found, key).lower()
    if value not in set(Severity):
        raise BadReport(f"its report has the unknown severity {value!r}")
    return Severity(value)
