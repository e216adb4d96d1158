"""What a CI's later steps read: the answer as a few named values. Which environment's they are, is decided here."""

import json
from collections.abc import Mapping
from typing import Any

from promoter.promotion.results import EnvironmentResult, RunResult, Status

_ASIDE = (Status.UNCHANGED, Status.NOT_REACHED)


def outputs(result: RunResult, named: str | None, url: str | None) -> dict[str, str]:
    """`named` is the environment that the command named; `url` is that of the one that matters."""
    environment = matters(result, named)
    images = {name: str(ref) for name, ref in sorted(result.release.images.items())} if result.release else {}
    digests = [str(ref.digest) for _, ref in sorted(result.release.images.items())] if result.release else []
    document = result.document()
    return {
        "status": str(document["decision"]),
        "reason-code": str(document["reason_code"]),
        "release": result.release.id if result.release else "",
        "digest": digests[0] if digests else "",
        "images": one_line(images),
        "plan-digest": (environment.plan_digest or "") if environment else "",
        "previous": (environment.previous or "") if environment else "",
        "url": url or "",
        "result": one_line(document),
    }


def outputs_of_failure(document: Mapping[str, Any]) -> dict[str, str]:
    """A command that failed before there was a result; `document` is the JSON form of the error."""
    return {"status": document["decision"], "reason-code": document["reason_code"] or "", "result": one_line(document)}


def matters(result: RunResult, named: str | None) -> EnvironmentResult | None:
    """The environment that was named; else the last one that something happened to or that waits; else the last."""
    found = [one for one in result.environments if one.name == named]
    happened = [one for one in result.environments if one.status not in _ASIDE]
    return next(iter(found or happened[-1:] or result.environments[-1:]), None)


def one_line(document: object) -> str:
    """JSON without a line end anywhere."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
