"""The secrets and configs of a service as files. Pure.

A swarm keeps them under names of their own and cannot change them: the name there follows from the content.
"""

from promoter.model.canonical_json import fingerprint
from promoter.model.secrets import names_in
from promoter.promotion.plan import Plan
from promoter.promotion.ports.container import FileContent

_LONGEST, _HASH = 64, 12
"""Characters of a name in a swarm, and those of them that follow from the content."""


def files_of(plan: Plan, service: str) -> tuple[FileContent, ...]:
    """Return the files of a service, each with its name in the swarm if the environment is one."""
    config, contents = plan.environment.services[service], plan.environment.contents
    grants = [(True, grant) for grant in config.secrets] + [(False, grant) for grant in config.configs]
    found = []
    for secret, grant in grants:
        content = contents[f"{'secret' if secret else 'config'}:{grant.source}"]
        name = _name(plan, grant.source, content) if plan.environment.swarm is not None else ""
        found.append(FileContent(grant.target, content, grant.uid, grant.gid, grant.mode, name, secret))
    return tuple(found)


def swarm_names(plan: Plan) -> frozenset[str]:
    """Return the names of all secrets and configs that the services of a plan use in a swarm."""
    return frozenset(file.name for service in plan.environment.services for file in files_of(plan, service) if file.name)


def _name(plan: Plan, source: str, content: str) -> str:
    """Return `<pipeline>-<environment>-<source>-<hash>`. Of a secret's value, only its keyed hash is in the hash."""
    values = {name: plan.secrets.get(name) for name in names_in(content)}
    mark = fingerprint([content, values]).removeprefix("sha256:")[:_HASH]
    return f"{plan.pipeline}-{plan.environment.name}-{source}"[: _LONGEST - _HASH - 1] + f"-{mark}"
