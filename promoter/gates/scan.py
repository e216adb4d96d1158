"""Scans: no finding of a severity, or a worse one, in the images of the release.

Here stand the shape, the scanners' command lines, the reading of their reports and the judgement. A report that is not
wholly understood, or is about another image, is no report: it never passes. Running is done elsewhere.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import model_validator

from promoter.config.fields import Texts
from promoter.config.spec import Duration
from promoter.config.spec_errors import misfit
from promoter.gates.check_base import CheckShape
from promoter.model.images import ImageRef

_YAML = re.compile(r"^(vulnerabilities|misconfigurations|secrets|licenses):", re.MULTILINE)


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
    """Scans the images of `service` (all, unless said) by digest; a finding of `severity` or worse fails.

    `ignore` is the path of the scanner's own ignore file where a person wrote it, and its content once it was read.
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
            hint = "say which with `scanner: trivy` or `scanner: grype`"
            raise misfit("each scanner has its own kind of ignore file, and none is named", hint, ("ignore",))
        return self

    @property
    def scanners(self) -> tuple[Scanner, ...]:
        """Those that may do it: the first that is installed does."""
        return (Scanner.TRIVY, Scanner.GRYPE) if self.scanner is Scanner.AUTO else (self.scanner,)

    @property
    def ignore_name(self) -> str:
        """What the ignore file is called in the scanner's directory: both tell by its name how to read it."""
        return "ignore.yaml" if self.scanner is Scanner.GRYPE or _YAML.search(self.ignore or "") else "ignore"

    def subject(self) -> str:
        fixed = " that can be fixed" if self.only_fixed else ""
        return f"scan {', '.join(self.service) or 'all services'} for {self.severity} or worse{fixed}"


@dataclass(frozen=True, slots=True)
class Finding:
    id: str
    package: str
    installed: str
    fixed: str
    severity: Severity

    def __str__(self) -> str:
        mend = f"fixed in {self.fixed}" if self.fixed else "no fix"
        return f"{self.id} {self.severity} in {self.package} {self.installed}, {mend}"


class BadReport(Exception):
    """A report that proves nothing; the message says why."""


def command_line(scanner: Scanner, check: ScanCheck, image: ImageRef, platform: str | None, *, insecure: bool) -> tuple[str, ...]:
    """What to run in an empty directory that holds the ignore file: nothing beside the pipeline file is picked up by chance.

    The registry is asked, not a local engine: it holds the bytes under this digest. What may be set by variables or a
    file of the scanner's own and would hide findings is said again.
    """
    where = ("--platform", platform) if platform else ()
    if scanner is Scanner.GRYPE:
        config = ("--config", check.ignore_name) if check.ignore is not None else ()
        return ("grype", f"registry:{image}", "-o", "json", "--quiet", *where, *config)
    return (
        "trivy", "image", "--image-src", "remote", "--scanners", "vuln", "--format", "json", "--quiet", "--exit-code", "0",
        "--severity", "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL", "--ignore-unfixed=false", "--ignorefile", check.ignore_name,
        "--timeout", f"{max(1, round(check.timeout.total_seconds()))}s",
        *(("--insecure",) if insecure else ()), *where, str(image),
    )  # fmt: skip


def environment(scanner: Scanner, *, insecure: bool) -> dict[str, str]:
    """Grype has variables where trivy has an option."""
    plain = insecure and scanner is Scanner.GRYPE
    names = ("GRYPE_REGISTRY_INSECURE_SKIP_TLS_VERIFY", "GRYPE_REGISTRY_INSECURE_USE_HTTP")
    return dict.fromkeys(names, "true") if plain else {}


def read_report(scanner: Scanner, text: bytes, image: ImageRef) -> tuple[Finding, ...]:
    """Every finding of the report. Raises BadReport unless it is wholly one, and about this very digest."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadReport("its report is empty" if not text.strip() else "its report is not JSON, or not whole") from error
    if not isinstance(document, dict) or not document:
        raise BadReport("its report is empty")
    return (_read_grype if scanner is Scanner.GRYPE else _read_trivy)(document, image)


def too_severe(check: ScanCheck, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that shut the gate, the worst first, each once."""
    wanted = {f for f in findings if f.severity.rank >= check.severity.rank and (f.fixed or not check.only_fixed)}
    return tuple(sorted(wanted, key=lambda f: (-f.severity.rank, not f.fixed, f.id, f.package, f.installed)))


def say_counts(findings: tuple[Finding, ...]) -> str:
    """`2 high, 10 low`; the worst first."""
    counted = [(s, sum(f.severity is s for f in set(findings))) for s in reversed(Severity)]
    return ", ".join(f"{count} {severity}" for severity, count in counted if count) or "no findings"


def _read_trivy(document: dict[str, Any], image: ImageRef) -> tuple[Finding, ...]:
    if document.get("SchemaVersion") != 2:
        raise BadReport(f"its report has schema version {document.get('SchemaVersion')!r}, and 2 is known")
    metadata = document.get("Metadata")
    digests = metadata.get("RepoDigests") if isinstance(metadata, dict) else None
    _same_image(digests, document.get("ArtifactName"), image)
    results = document.get("Results")
    if not isinstance(results, list) or not results:
        says = "it recognised neither an operating system nor packages in it, which proves nothing"
        raise BadReport(f"{says}: name the other services under `service` when that is as it should be")
    return tuple(_trivy_finding(one) for result in results for one in _list(_map(result), "Vulnerabilities", optional=True))


def _trivy_finding(one: object) -> Finding:
    found = _map(one)
    return Finding(
        _text(found, "VulnerabilityID"), _text(found, "PkgName"), str(found.get("InstalledVersion") or ""),
        str(found.get("FixedVersion") or ""), _severity(found, "Severity"),
    )  # fmt: skip


def _read_grype(document: dict[str, Any], image: ImageRef) -> tuple[Finding, ...]:
    descriptor, source = _map(document.get("descriptor")), _map(document.get("source"))
    if descriptor.get("name") != "grype" or source.get("type") != "image":
        raise BadReport("its report is not grype's report on an image")
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
    """The report must name the digest as the scanner found it in the registry, not only as it was asked for."""
    listed = [str(one) for one in digests] if isinstance(digests, list) else []
    if not any(one.endswith(f"@{image.digest}") for one in listed) or name not in (None, str(image)):
        about = ", ".join(listed) or name or "an image without a digest"
        raise BadReport(f"its report is about {about}, not about {image}")


def _map(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadReport("its report is not of a form that is known")
    return value


def _list(found: Mapping[str, Any], key: str, *, optional: bool = False) -> list[Any]:
    value = found.get(key)
    if value is None and optional:
        return []
    if not isinstance(value, list):
        raise BadReport(f"its report is not of a form that is known: no list `{key}`")
    return value


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise BadReport(f"its report is not of a form that is known: a finding without `{key}`")
    return value


def _severity(found: Mapping[str, Any], key: str) -> Severity:
    value = _text(found, key).lower()
    if value not in set(Severity):
        raise BadReport(f"its report names the severity {value!r}, which is not known")
    return Severity(value)
