# ruff: noqa: E501 (one seed on each line)
"""Every parser of promoter, with initial inputs and the exceptions that it may raise."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from promoter.adapters.builders.buildkit_features import needs_buildkit
from promoter.adapters.settings import load_settings
from promoter.config.templates.render import render
from promoter.config.templates.scope import Scope, TemplateFault
from promoter.gates.approval.ssh.allowed_signers import read_signers
from promoter.gates.approval.ssh.revocation import read_revocations
from promoter.gates.approval.ssh.sshsig import read_signature
from promoter.gates.approval.ssh.wire import Malformed, string
from promoter.gates.window.icalendar import read_calendar
from promoter.ledger.chain import check_chain, read_line
from promoter.ledger.reducer import fold
from promoter.model.errors import PromoterError
from promoter.model.release import Source
from promoter.model.statement import Decision, Statement, read_statement
from promoter.pipeline.compose.env_file import BadEnvFile, read_env_file
from promoter.pipeline.dockerfile import base_images
from promoter.pipeline.loader import validate
from promoter.pipeline.scaffold.importer import from_dockerfile
from tests.fuzz.mutation import mutate, reshape

FIXTURES = Path(__file__).parents[1] / "fixtures"
LEDGER = (FIXTURES / "ledger-1.jsonl").read_bytes().splitlines()
SOURCE = Source(sha="0123456789abcdef" * 2 + "01234567", branch="main", version="1.2.0")
KEY = b"ssh-ed25519 " + base64.b64encode(string(b"ssh-ed25519") + string(b"\x01" * 32))
ENVIRON = {"A": "1", "TAG": "v1"}


@dataclass(frozen=True)
class Target:
    """`feed` passes one input to the parser; `refusals` are what it may raise. Everything else is a defect."""

    seeds: tuple[bytes, ...]
    feed: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = (PromoterError,)
    json: bool = False
    """Whether the seeds are lines of canonical JSON, in which values can be exchanged."""

    def some(self, random: Random) -> bytes:
        """Return one input."""
        seed = random.choice(self.seeds)
        return reshape(seed, random) if self.json and random.random() < 0.7 else mutate(seed, self.seeds, random)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape" if len(data) % 2 else "replace")


class _Directory:
    """A directory for parsers that read files, which is kept until the process ends."""

    def __init__(self) -> None:
        self._temporary = TemporaryDirectory(prefix="promoter-fuzz-")
        self.path = Path(self._temporary.name)

    def write(self, name: str, data: bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file


_DIRECTORY = _Directory()
_DIRECTORY.write("web/Dockerfile", b"FROM scratch\n")
_DIRECTORY.write("Dockerfile", b"FROM scratch\n")
_DIRECTORY.write("common.env", b"A=1\n")
_DIRECTORY.write("keys", b"ana@example.com " + KEY + b"\n")

PIPELINE = b"""name: shop
registry: registry.example.com/acme
approvers: keys
ledger: sqlite:.promoter/ledger.db
secrets: {TOKEN: {env: TOKEN}, FILE: {file: token}, PASS: {command: [pass, show, x]}}
roles: {owners: [ana@example.com]}
services:
  web:
    build: {context: ./web, args: {VERSION: "{{ source.version }}"}}
    ports: ["8080"]
    environment: {LEVEL: "{{ level | upper }}", TOKEN: "{{ secret('TOKEN') }}"}
    healthcheck: {test: [CMD, /bin/check], interval: 1s, retries: 3}
    volumes: ["data:/data", "./web:/www:ro"]
    expose: ["{{ port }}"]
    deploy: {replicas: 2, resources: {limits: {memory: 64M}}}
  db: {image: "postgres:16", stop_grace_period: 1m30s, env_file: [{path: none.env, required: false}]}
volumes: {data: {}}
environments:
  dev: {vars: {port: 18081, level: debug}}
  prod:
    needs: [dev]
    vars: {port: 18083, level: info}
    gates:
      - approval: {from: [owners], min: 1, grade: signed}
      - window: {timezone: Europe/Bucharest, allow: ["mon-fri 09:00-17:00"], freeze: [{from: 2026-12-20, to: 2027-01-03, reason: x}]}
      - soak: {in: dev, for: 30m}
    services: {web: {deploy: {replicas: 3}}}
"""
CALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:1
DTSTART;TZID=Europe/Bucharest:20261220T080000
DTEND;TZID=Europe/Bucharest:20261220T180000
RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO,TU
EXDATE;TZID=Europe/Bucharest:20261227T080000
SUMMARY:Freeze
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20261224
DURATION:P3D
END:VEVENT
END:VCALENDAR
"""
DOCKERFILE = b"""# syntax=docker/dockerfile:1
ARG BASE=alpine:3.20
FROM --platform=$BUILDPLATFORM ${BASE} AS build
RUN --mount=type=secret,id=x cat /run/secrets/x \\
    && true
COPY --from=docker.io/library/busybox:1 /bin/busybox /b
FROM scratch
COPY --from=build /b /b
EXPOSE 8080/tcp 53/udp
HEALTHCHECK CMD wget -q http://127.0.0.1:8080/health
ONBUILD RUN echo <<EOF
x
EOF
"""
TEMPLATES = (
    b"{{ port }}-{{ source.short_sha }}",
    b"{{ env('A', 'x') or 'y' }}",
    b"{{ hosts | join(',') | upper }} {{ source.branch.replace('/', '-') }}",
    b"{% for h in hosts %}{{ loop.index }}{{ h }}{% if not loop.last %},{% endif %}{% endfor %}",
    b"{{ secret('TOKEN') }}",
    b"{{ 2 ** 8 + port % 7 }}",
    b"{{ 'x' * 3 ~ port ~ 1.5 }}",
    b"{{ level is defined and level in ['a', 'b'] }}",
    b"{{ db.host[0] }}{{ environment }}{{ release.short_id }}",
    b"{{ range(1, 5) | first }}",
)
ENV_FILES = (
    b"A=1\nexport B='x y'\nC=\"${A}\\n$$ ${D:-z}\" # c\nD\n",
    "\ufeffA: b\r\nÜ=ä\n".encode(),
    b"A0=x\nA1=${A0}${A0}\nA2=${A1?no}\n",
)
SIGNERS = (
    b"ana@example.com " + KEY + b" comment\n",
    b'*@example.com,!eve@example.com namespaces="promoter-approval,git",valid-after="20260101Z",valid-before="20270101" '
    + KEY
    + b"\n",
    b"# c\n\nca@example.com cert-authority " + KEY + b"\n",
)
KRL = b"SSHKRL\n\0" + b"\0\0\0\x01" + bytes(24) + string(b"") + string(b"")
KRLS = (
    KRL,
    KEY + b"\n",
    b"SHA256:" + base64.b64encode(bytes(32)).rstrip(b"=") + b"\n",
    KRL
    + b"\x01"
    + string(
        string(b"CA")
        + string(b"")
        + b"\x20"
        + string(bytes(8))
        + b"\x21"
        + string(bytes(16))
        + b"\x22"
        + string(bytes(8) + string(b"\x05"))
        + b"\x23"
        + string(string(b"ana"))
    ),
    KRL + b"\x02" + string(string(KEY)) + b"\x03" + string(string(b"1" * 20)) + b"\x05" + string(string(b"2" * 32)),
)
SIGNATURE = b"SSHSIG\0\0\0\x01" + b"".join(
    string(part)
    for part in (
        base64.b64decode(KEY.split()[1]),
        b"promoter-approval",
        b"",
        b"sha512",
        string(b"ssh-ed25519") + string(bytes(64)),
    )
)
COMPOSE = tuple(file.read_bytes() for file in sorted((FIXTURES / "compose").glob("*.yaml")))
SETTINGS = (
    b'wait = "30m"\nledger = "sqlite:x.db"\nlease_ttl = "30s"\nbuilder = "auto"\nsummary = false\ninsecure_registries = ["a", "b"]\n',
    b'actor = "ana"\n[wait]\nx = 1\n',
)


def _pipeline(data: bytes) -> None:
    validate(_DIRECTORY.write("pipeline.yaml", data), source=SOURCE, environ=ENVIRON)


def _compose(data: bytes) -> None:
    _DIRECTORY.write("compose.yaml", data)
    text = b"name: shop\nregistry: r.example.com/x\nservices: compose.yaml\nenvironments: {dev: {}}\n"
    validate(_DIRECTORY.write("with-compose.yaml", text), source=SOURCE, environ=ENVIRON)


def _template(data: bytes) -> None:
    variables = {"port": 18081, "level": "debug", "hosts": ["a", "b"], "db": {"host": "h"}}
    scope = Scope(lambda: SOURCE, ENVIRON, frozenset({"TOKEN", "T"}), variables, environment="dev", release="0" * 64)
    filled = render(_text(data), scope)
    assert (" object at 0x" not in filled and " method " not in filled) or " method " in _text(data), "an object's address"


def _settings(data: bytes) -> None:
    _DIRECTORY.write("settings/.promoter/settings.toml", data)
    load_settings(_DIRECTORY.path / "settings")


def _dockerfile(data: bytes) -> None:
    text = _text(data)
    base_images(text, {"BASE": "x"})
    needs_buildkit(text)
    from_dockerfile(text, "shop")


def _env_file(data: bytes) -> None:
    read_env_file(_text(data), ENVIRON, raw=len(data) % 3 == 0)


def _folded(data: bytes) -> None:
    """Change bodies, but not chain and digests, as a person with write access to the ledger can do."""
    facts = []
    for seq, line in enumerate(data.splitlines(), 1):
        try:
            facts.append(replace(read_line(line), seq=seq))
        except ValueError:
            continue
    fold(facts)


def _chain(data: bytes) -> None:
    list(check_chain(data.splitlines()))


STATEMENT = Statement(
    (("registry.example.com/shop/web", "0" * 64),),
    Decision.APPROVE,
    "shop",
    "prod",
    "0" * 64,
    "sha256:1",
    None,
    "sha256:2",
    "ann",
    "ana@example.com",
    "owners",
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=UTC),
    "",
    "n",
    "sha256:3",
    4,
    "sha256:5",
)


TARGETS: Mapping[str, Target] = {
    "pipeline": Target((PIPELINE,), _pipeline),
    "compose": Target(COMPOSE, _compose),
    "templates": Target(TEMPLATES, _template, (TemplateFault,)),
    "calendars": Target((CALENDAR,), lambda data: read_calendar(_text(data)), (ValueError,)),
    "signers": Target(SIGNERS, lambda data: read_signers(_text(data)), ()),
    "revocations": Target(KRLS, read_revocations, (ValueError,)),
    "signatures": Target(
        (b"-----BEGIN SSH SIGNATURE-----\n" + base64.encodebytes(SIGNATURE) + b"-----END SSH SIGNATURE-----\n",),
        lambda data: read_signature(_text(data)),
        (Malformed,),
    ),
    "wrapped": Target(
        (SIGNATURE,),
        lambda data: read_signature(
            f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(data).decode()}\n-----END SSH SIGNATURE-----\n"
        ),
        (Malformed,),
    ),
    "lines": Target(tuple(LEDGER[:40]), read_line, (ValueError,), json=True),
    "chains": Target((b"\n".join(LEDGER[:10]),), _chain, json=True),
    "folding": Target(tuple(b"\n".join(LEDGER[at : at + 12]) for at in (0, 12, 24)), _folded, json=True),
    "statements": Target((STATEMENT.text().encode(),), lambda data: read_statement(_text(data)), (ValueError,), json=True),
    "env-files": Target(ENV_FILES, _env_file, (BadEnvFile,)),
    "dockerfiles": Target((DOCKERFILE,), _dockerfile),
    "settings": Target(SETTINGS, _settings),
}
