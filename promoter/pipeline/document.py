"""The parts of a pipeline file that are the same for all environments."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from promoter.config.spec import Reading
from promoter.config.spec_errors import Fault, unknown_key
from promoter.config.yaml.positions import Document
from promoter.config.yaml.scalars import kind_of
from promoter.gates.approval.ssh.trust import Trust
from promoter.model.images import BadReference, Repository
from promoter.model.release import Source
from promoter.pipeline.approvers import read_approvers, read_revoked
from promoter.pipeline.file_text import EnvironmentText, FileText, NamedFiles, no_files
from promoter.pipeline.local_files import NO_CHECKOUT, Checkout
from promoter.pipeline.networks_volumes import Parts
from promoter.pipeline.people import check_people, read_identities, read_roles
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.secret_sources import read_secrets
from promoter.pipeline.service_list import read_overrides, read_services
from promoter.pipeline.sources import entries, unknown
from promoter.pipeline.spec import NAME, EnvironmentForm, FileForm, FileHead
from promoter.pipeline.template_filler import Filler, is_map

_FEW = "use only source and env('NAME') here"


def read_file_text(
    path: Path,
    document: Document,
    environ: Mapping[str, str],
    source: Callable[[], Source],
    read: Callable[[Path], bytes],
    files: NamedFiles = no_files,
    checkout: Checkout = NO_CHECKOUT,
) -> FileText:
    complaints = Complaints(document)
    text = FileText(path, document, environ, source, complaints, read, files, checkout)
    data = document.data
    assert isinstance(data, dict)
    _check_keys(text, data)
    _read_environments(text, data.get("environments"))
    _read_head(text, data)
    text.roles = read_roles(data.get("roles"), text.spot("roles"), complaints)
    text.people = read_identities(data.get("identities"), text.spot("identities"), complaints)
    check_people(text.people, list(_named(text)), complaints)
    read_services(text, data)
    _read_secrets(text, data.get("secrets"))
    text.parts = Parts(text.origin, complaints)
    read_overrides(text)
    return text


def _named(text: FileText) -> Iterator[tuple[str, Spot]]:
    """Return all people whom the file or the approvers file names, with their positions."""
    for name in text.signers or ():
        yield name, text.spot("approvers")
    for role, members in text.roles.items():
        yield from ((name, text.spot("roles", role, index)) for index, name in enumerate(members))
    for who, names in text.people.items():
        yield from ((name, text.spot("identities", who)) for name in (who, *names))


def _check_keys(text: FileText, data: Mapping[str, Any]) -> None:
    for key in data:
        if key not in FileForm.model_fields and not key.startswith("x-"):
            text.complaints.fault(text.spot(), unknown_key(key, FileForm.model_fields, (key,)))
    for key, example in (
        ("name", "name: shop"),
        ("services", "services: {web: {build: .}}"),
        ("environments", "environments: {dev: {}}"),
    ):
        if not data.get(key):
            found = text.spot(key) if key in data else text.spot()
            text.complaints.add(found, f"`{key}` is missing", f"add for example `{example}`")


def _read_head(text: FileText, data: Mapping[str, Any]) -> None:
    head_keys = {key: data[key] for key in FileHead.model_fields if data.get(key) is not None}
    no_secret = {"secret": "a secret is not allowed here: this key is read before the secrets"}
    scope = text.scope(absent={**text.variables, **no_secret}, why_undefined=_FEW)
    filler = Filler(scope, text.complaints, None)
    head = FileHead(name="unnamed")
    for key, value in head_keys.items():
        read = filler.read(FileHead, {"name": "unnamed", key: value}, text.spot())
        if read is not None:
            head = head.model_copy(update={key: getattr(read, key)})
    if head.registry is not None and not check_registry(head.registry, text.spot("registry"), filler):
        head = head.model_copy(update={"registry": "localhost"})  # report it only once
    if head.approvers is not None:
        _read_approvers(text, head.approvers)
    if head.revoked_keys is not None:
        _read_revoked(text, head.revoked_keys)
    text.head = head


def check_registry(registry: str, spot: Spot, filler: Filler) -> bool:
    try:
        Repository.parse(f"{registry}/x")
    except BadReference:
        filler.complain(spot, f"{registry!r} is not a registry", "write a host and perhaps a path: registry.example.com/acme")
        return False
    return True


def _read_approvers(text: FileText, shown: str) -> None:
    try:
        signers, faults = read_approvers(text.read(text.directory / shown), shown)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        text.complaints.add(text.spot("approvers"), f"cannot read {shown}: {why}", "write an OpenSSH allowed_signers file there")
        return
    text.trust = Trust(signers)
    for fault in faults:
        text.complaints.add_complaint(fault)


def _read_revoked(text: FileText, shown: str) -> None:
    spot, hint = text.spot("revoked_keys"), "write public keys there, one a line, or what `ssh-keygen -k` makes"
    if text.trust is None:
        text.complaints.add(
            spot, "`revoked_keys` has no effect without `approvers`", "name an allowed_signers file: `approvers: …`"
        )
        return
    try:
        revoked, problem = read_revoked(text.read(text.directory / shown))
    except OSError as error:
        problem = f"cannot read {shown}: {(error.strerror or str(error)).lower()}"
    else:
        text.trust = Trust(text.trust.signers, revoked)
        problem = None if problem is None else f"{shown}: {problem}"
    if problem is not None:
        text.complaints.add(spot, problem, hint)


def _read_secrets(text: FileText, secrets: object) -> None:
    """Read the secrets of the pipeline file, and those that only the Compose file declares."""
    no_secret = {"secret": "a secret cannot use another secret", **text.variables}
    filler = Filler(text.scope(absent=no_secret, why_undefined=_FEW), text.complaints, None)
    found = read_secrets(secrets, text.spot("secrets"), Reading(text.directory, text.environ), text.directory, filler)
    for sheet in text.origin.sheets if not text.origin.sheets[0].own else ():
        found = {**read_secrets(sheet.parts["secrets"], sheet.spot("secrets"), sheet.reading, text.directory, filler), **found}
    text.secrets = found


def _read_environments(text: FileText, environments: object) -> None:
    before: str | None = None
    for name, value, spot in entries(environments, text.spot("environments"), text.complaints):
        raw = value if is_map(value, spot, text.complaints, f"environment `{name}`") else {}
        if not re.fullmatch(NAME, name):
            hint = "use lower-case letters, digits and -, and begin with a letter or digit"
            text.complaints.add(spot, f"{name!r} is not a valid environment name", hint, on_key=True)
        for key in raw:
            if key not in EnvironmentForm.model_fields and not key.startswith("x-"):
                text.complaints.fault(spot, unknown_key(key, EnvironmentForm.model_fields, (key,)))
        text.environments[name] = EnvironmentText(name, spot, raw, (before,) if before else (), {})
        before = name
    text.complaints.environments = tuple(text.environments)
    for environment in text.environments.values():
        if environment.raw.get("needs") is not None:
            environment.needs = _needs(text, environment)


def _needs(text: FileText, environment: EnvironmentText) -> tuple[str, ...]:
    value, spot = environment.raw["needs"], environment.spot / "needs"
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list):
        text.complaints.fault(spot, Fault((), f"`needs` must be a list of environments, got {kind_of(value)}"))
        return ()
    found = []
    for index, name in enumerate(names):
        entry = spot if isinstance(value, str) else spot / index
        if isinstance(name, str) and name in text.environments:
            found.append(name)
        else:
            text.complaints.add(entry, *unknown(str(name), "environment", tuple(text.environments)))
    return tuple(dict.fromkeys(found))
