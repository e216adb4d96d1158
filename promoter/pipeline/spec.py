"""The models of the pipeline file, as a person writes it: they read every key, and `promoter schema` prints them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, create_model

from promoter.config.fields import Texts
from promoter.config.spec import Shape
from promoter.config.spec_errors import misfit
from promoter.gates.checks import CHECKS
from promoter.gates.override import Override, Rollback
from promoter.gates.registry import GATES
from promoter.model.secrets import OPENING
from promoter.pipeline.compose.definitions import ConfigForm, NetworkForm, SecretForm, VolumeForm, Written
from promoter.pipeline.front_spec import FrontForm, HoldForm, StartFirstForm
from promoter.pipeline.hosts import Hosts, Rollout
from promoter.pipeline.swarm_spec import SwarmForm

NAME = r"^[a-z0-9][a-z0-9-]*$"
StrategyName = Literal["recreate", "start-first", "hold", "swarm"]
STRATEGIES: tuple[str, ...] = get_args(StrategyName)
FRONTED: Mapping[str, type[StartFirstForm]] = {"start-first": StartFirstForm, "hold": HoldForm}
"""The strategies with a front, and the models of their options."""
OPTIONS: Mapping[str, type[Shape]] = {**FRONTED, "swarm": SwarmForm}


def _check_name(value: str) -> str:
    import re

    if not re.fullmatch(NAME, value):
        raise misfit(f"{value!r} is not a valid name", "use lower-case letters, digits and -, and begin with a letter or digit")
    return value


def _read_strategy(value: object) -> object:
    """Read `start-first`, or `{start-first: {…options}}`."""
    return {value: {}} if isinstance(value, str) else value


def _check_strategy(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) != 1 or next(iter(value)) not in STRATEGIES:
        raise misfit(f"`strategy` must be one of {', '.join(STRATEGIES)}", "write for example `strategy: recreate`")
    name, options = next(iter(value.items()))
    if options is not None and not isinstance(options, Mapping):
        raise misfit(f"the options of {name} must be a mapping", f"write `strategy: {name}` or {{{name}: {{…}}}}", (name,))
    known = OPTIONS[name].model_fields if name in OPTIONS else {}
    for key in options or {}:
        if key not in known:
            hint = f"its options are {', '.join(known)}" if known else f"it has none: write `strategy: {name}`"
            raise misfit(f"{name} has no option `{key}`", hint, (name, str(key)))
    return {name: dict(options or {})}


def _check_url(value: str) -> str:
    if not value.startswith(("http://", "https://")) or (OPENING not in value and len(value.split()) != 1):
        raise misfit(f"{value!r} is not a web address", "write for example https://shop.example.com/")
    return value


Name = Annotated[str, AfterValidator(_check_name), Field(json_schema_extra={"pattern": NAME})]
Strategy = Annotated[
    dict[str, Any],
    BeforeValidator(_read_strategy, json_schema_input_type=StrategyName | dict[StrategyName, Any]),
    AfterValidator(_check_strategy),
]


def _one_of(name: str, shapes: Mapping[str, type[Shape]], text: str) -> type[Shape]:
    """Return a class with an optional field for each shape, by its key in the file."""
    fields: dict[str, Any] = {key: (shape | None, None) for key, shape in shapes.items()}
    return create_model(name, __base__=Shape, __doc__=text, __module__=__name__, **fields)


if TYPE_CHECKING:
    from promoter.config.spec import Shape as CheckForm
    from promoter.config.spec import Shape as GateForm
else:
    CheckForm = _one_of("CheckForm", CHECKS, "One check, by its single key.")
    GateForm = _one_of("GateForm", GATES, "One gate, by its single key.")


class Settings(Shape):
    """An environment's simple keys: how and where a release runs there."""

    registry: str | None = None
    engine: Hosts = ()
    rollout: Rollout | None = None
    prefetch: bool = False
    strategy: Strategy = {"recreate": {}}
    front: FrontForm | None = None
    on_failure: Literal["rollback", "stop"] = "rollback"
    rollback: Rollback = Rollback()
    override: Override | None = None
    url: Annotated[str, AfterValidator(_check_url)] | None = None


class EnvironmentForm(Settings):
    """An environment, where releases run."""

    vars: dict[str, Any] = {}
    needs: Texts = ()
    profiles: Texts = ()
    services: dict[str, Written | None] = {}
    before: tuple[CheckForm, ...] = ()
    verify: tuple[CheckForm, ...] = ()
    gates: tuple[GateForm, ...] = ()


class PolicyForm(Shape):
    """A protected git ref, whose file must have the same policy."""

    ref: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$")


def _check_path(value: str) -> str:
    if not value or value != value.strip():
        raise misfit(f"{value!r} is not a path", "write a path of the report, such as services.web.environment.LEVEL")
    return value


class DriftForm(Shape):
    """What `promoter drift` leaves out."""

    ignore: tuple[Annotated[str, AfterValidator(_check_path)], ...] = ()


class FileHead(Shape):
    """The file's simple keys."""

    name: Name
    registry: str | None = None
    ledger: str | None = None
    approvers: str | None = None
    revoked_keys: str | None = None
    policy: PolicyForm | None = None
    drift: DriftForm | None = None
    builder: Literal["auto", "engine", "buildx"] = "auto"


class FileForm(FileHead):
    """A pipeline file."""

    roles: dict[str, Texts] = {}
    identities: dict[str, Texts] = {}
    secrets: dict[str, SecretForm] = {}
    services: str | tuple[str, ...] | dict[str, Written]
    profiles: Texts = ()
    environments: dict[str, EnvironmentForm | None]
    networks: dict[str, NetworkForm | None] = {}
    volumes: dict[str, VolumeForm | None] = {}
    configs: dict[str, ConfigForm] = {}
