"""The outputs that later CI steps read. Also decides which environment they describe."""

import json
from collections.abc import Mapping
from typing import Any

from promoter.promotion.results import EnvironmentResult, RunResult, Status

_ASIDE = (Status.UNCHANGED, Status.NOT_REACHED)


def outputs(result: RunResult, named: str | None, url: str | None) -> dict[str, str]:
    """`named` is the environment that the command named; `url` belongs to the environment that `matters` returns."""
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
    """Return the outputs of a command without a result; `document` is the JSON form of the error."""
    return {"status": document["decision"], "reason-code": document["reason_code"] or "", "result": one_line(document)}


def matters(result: RunResult, named: str | None) -> EnvironmentResult | None:
    """Return the named environment; else the last one that changed or waits; else the last one."""
    found = [one for one in result.environments if one.name == named]
    happened = [one for one in result.environments if one.status not in _ASIDE]
    return next(iter(found or happened[-1:] or result.environments[-1:]), None)


def one_line(document: object) -> str:
    """Format JSON on one line."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
