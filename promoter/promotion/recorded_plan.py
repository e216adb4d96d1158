"""Read a plan back from the ledger: what was promoted, with its configuration at that time. Pure.

Rollback, repair and restore carry out a recorded plan. The rules for who may enter (gates, roles) come from today's file.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from promoter.gates.checks import CHECKS, Check
from promoter.model.errors import CallerError
from promoter.model.images import ImageRef
from promoter.model.release import Release
from promoter.pipeline.compose.service import Service
from promoter.pipeline.front_spec import Front
from promoter.pipeline.hosts import Host, Rollout, read_host
from promoter.pipeline.model import Environment, LocalFile, Network, OnFailure, Strategy, Volume
from promoter.pipeline.swarm_spec import SwarmForm
from promoter.promotion.plan import Plan, StepsOf


def recorded_plan(document: Mapping[str, Any], base: Environment, release: Release, directory: Path, steps_of: StepsOf) -> Plan:
    """Return the plan of `document`. `base` is the environment in the file: its gates and rules apply.

    Raise CallerError for a document of another version of promoter that this one cannot read.
    """
    try:
        environment = _environment(document, base, release, directory)
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise CallerError(
            f"the plan that {base.name} was promoted with cannot be read: {_first_line(error)}",
            hint="promote the release again with the configuration of the file: `promoter rollback --current-config`",
        ) from error
    return Plan(document["pipeline"], environment, release, document["secrets"], steps_of(environment, release), document)


def recorded_hosts(document: Mapping[str, Any]) -> tuple[Host, ...]:
    """Return the hosts of a recorded plan."""
    return tuple(read_host(one) for one in document["target"])


def _environment(document: Mapping[str, Any], base: Environment, release: Release, directory: Path) -> Environment:
    images = {name: ImageRef.parse(text) for name, text in document["images"].items()}
    return replace(
        base,
        hosts=recorded_hosts(document),
        services={name: _service(config, directory) for name, config in document["services"].items()},
        contents=document["contents"],
        networks={name: Network(**network) for name, network in document["networks"].items()},
        volumes={name: Volume(**volume) for name, volume in document["volumes"].items()},
        before=tuple(_check(check) for check in document["before"]),
        verify=tuple(_check(check) for check in document["verify"]),
        target_repositories={n: i.repository for n, i in images.items() if i.repository != release.images[n].repository},
        strategy=Strategy(document["strategy"]),
        front=Front.model_validate(document["front"]) if "front" in document else None,
        swarm=SwarmForm.model_validate(document["swarm"]) if "swarm" in document else None,
        on_failure=OnFailure(document["on_failure"]),
        rollout=Rollout.model_validate(document["rollout"]) if "rollout" in document else None,
        files=tuple(LocalFile(path, str(directory / path), digest) for path, digest in document.get("files", {}).items()),
    )


def _service(config: Mapping[str, Any], directory: Path) -> Service:
    mounts = [
        {**mount, "source": str(directory / mount["source"])}
        if mount["type"] == "bind" and str(mount.get("source", "")).startswith("./")
        else mount
        for mount in config.get("volumes", ())
    ]
    return Service.model_validate({**config, **({"volumes": mounts} if mounts else {})})


def _check(document: Mapping[str, Any]) -> Check:
    ((kind, content),) = document.items()
    return CHECKS[kind].model_validate(content)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
