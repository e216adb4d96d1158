"""Reports of scanners in the formats that their manuals document."""

import json
from typing import Any

from promoter.model.images import ImageRef


def trivy(image: ImageRef, *findings: tuple[str, str, str], **changed: Any) -> str:
    """Findings are id, severity and the version with the fix."""
    found = [
        {"VulnerabilityID": name, "PkgName": "openssl", "InstalledVersion": "3.0.1", "FixedVersion": fixed, "Severity": severity}
        for name, severity, fixed in findings
    ]
    document = {
        "SchemaVersion": 2,
        "ArtifactName": str(image),
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "12.5"}, "RepoDigests": [str(image)]},
        "Results": [
            {"Target": f"{image} (debian 12.5)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": found},
            {"Target": "app/go.mod", "Class": "lang-pkgs", "Type": "gobinary"},
        ],
    }
    return json.dumps(document | changed)


def grype(image: ImageRef, *findings: tuple[str, str, str], **changed: Any) -> str:
    matches = [
        {
            "vulnerability": {
                "id": name,
                "severity": severity,
                "fix": {"versions": [fixed] if fixed else [], "state": "fixed" if fixed else "not-fixed"},
            },
            "matchDetails": [],
            "artifact": {"name": "openssl", "version": "3.0.1", "type": "deb"},
        }
        for name, severity, fixed in findings
    ]
    target = {"userInput": str(image), "manifestDigest": str(image.digest), "repoDigests": [str(image)], "tags": []}
    document = {
        "matches": matches,
        "source": {"type": "image", "target": target},
        "distro": {"name": "debian", "version": "12"},
        "descriptor": {"name": "grype", "version": "0.90.0"},
    }
    return json.dumps(document | changed)


def cosign(image: ImageRef, *, signatures: int = 1) -> str:
    """What cosign prints for each signature that it verified."""
    claim = {
        "critical": {
            "identity": {"docker-reference": str(image.repository)},
            "image": {"docker-manifest-digest": str(image.digest)},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
    return json.dumps([claim] * signatures)
