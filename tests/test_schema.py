"""The schema, the shapes and the manual say the same."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from promoter.adapters.pipeline_file.load import validate
from promoter.adapters.pipeline_file.shapes import CHECKS, GATES, CheckForm, EnvironmentForm, FileForm, GateForm
from promoter.compose.service import Build, Deploy, Service
from promoter.compose.written import ConfigForm, NetworkForm, SecretForm, VolumeForm, Written
from promoter.document.reader import read_document
from promoter.document.scalars import Tagged
from promoter.schema import json_schema
from tests.adapters.pipeline_files import GOOD, SOURCE

ROOT = Path(__file__).parent.parent
MANUAL = (ROOT / "docs" / "pipeline.md").read_text()
EXAMPLES = [block for block in re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL) if block.startswith("name:")]
FILES = sorted((ROOT / "pipelines").glob("*/pipeline.yaml"))
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGJlIGJvbGQsIGJlIHRydWUsIGJlIGtpbmQsIGJlIGl0"
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def plain(value):
    """Without Compose's tags, which JSON has not."""
    if isinstance(value, Tagged):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def faults(text: str) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(plain(read_document(text.encode(), "f").data))]


def test_the_schema_is_a_schema_and_plain_json():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json.loads(json.dumps(json_schema())) == json_schema()
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("text", [GOOD, *EXAMPLES, *(path.read_text() for path in FILES)])
def test_the_schema_accepts_the_examples(text):
    assert faults(text) == []


@pytest.mark.parametrize("example", range(len(EXAMPLES)))
def test_the_examples_of_the_manual_are_good(tmp_path, example):
    for name in ("web/Dockerfile", "etc/app.conf", ".trivyignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "freezes.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    (tmp_path / "cosign.pub").write_text("-----BEGIN PUBLIC KEY-----\n")
    (tmp_path / ".promoter").mkdir()
    people = ("ana@example.com", "ben@example.com", "eve@example.com")
    (tmp_path / ".promoter" / "allowed_signers").write_text("".join(f"{person} ssh-ed25519 {KEY}\n" for person in people))
    file = tmp_path / "pipeline.yaml"
    file.write_text(EXAMPLES[example])
    loaded = validate(file, source=SOURCE, environ={})
    assert [loaded.resolve(name, SOURCE, None).name for name in loaded.pipeline.needs] == list(loaded.pipeline.needs)


def test_the_manual_has_examples():
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: shop", "name: Shop"),
        ("name: shop\n", ""),
        ("name: shop", "name: shop\nfoo: 1"),
        ("name: shop", "name: shop\nbuilder: kaniko"),
        ("name: shop", "name: shop\nsecrets: {A: {}}"),
        ("name: shop", "name: shop\nsecrets: {A: {env: x, file: y}}"),
        ("    build: ./web", "    build: [./web]"),
        ("    build: ./web", "    build: {contxt: ./web}"),
        ("    build: ./web", "    image: x\n    privileged: maybe"),
        ("    build: ./web", "    image: x\n    links: [a]"),
        ("    build: ./web", "    image: x\n    healthcheck: {retries: three}"),
        ("    build: ./web", "    image: x\n    cap_add: A"),
        ("port: 18081}", "port: 18081}\n    verify: [{htp: {}}]"),
        ("port: 18081}", "port: 18081}\n    verify: [{http: {}}]"),
        ("port: 18081}", "port: 18081}\n    verify: [{http: {url: 'http://x', status: 99}}]"),
        ("port: 18081}", "port: 18081}\n    gates: [{approval: {}, soak: {in: a, for: 1s}}]"),
        ("port: 18081}", "port: 18081}\n    strategy: rolling"),
        ("port: 18081}", "port: 18081}\n    on_failure: retry"),
        ("port: 18081}", "port: 18081}\n    nedes: []"),
    ],
)
def test_the_schema_refuses_what_is_wrong(old, new):
    assert old in GOOD
    assert faults(GOOD.replace(old, new)) != []


@pytest.mark.parametrize(
    "line",
    [
        "privileged: '{{ flag }}'",
        "healthcheck: {retries: '{{ n }}'}",
        "user: 1000",
        "deploy: {replicas: '2'}",
        "ports: [80, '80:80', {target: '80', published: '{{ port }}'}]",
        "x-anything: [1]",
        "healthcheck: {x-y: 1, test: a}",
        "command:",
        "environment: {A: , B: 1, C: true, D: 1.5}",
        "secrets: [a, {source: b, mode: 0o400}]",
    ],
)
def test_the_schema_lets_in_templates_numbers_null_and_extensions(line):
    bare = GOOD.replace('    ports: ["127.0.0.1:{{ port }}:8080"]\n', "")
    assert faults(bare.replace("    build: ./web", f"    image: x\n    {line}")) == []


def shapes() -> list[type[BaseModel]]:
    return [
        EnvironmentForm,
        GateForm,
        CheckForm,
        Written,
        Build,
        Deploy,
        NetworkForm,
        VolumeForm,
        ConfigForm,
        SecretForm,
        *GATES.values(),
    ]


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_the_keys_of_the_schema_are_those_of_the_shapes(shape):
    fields = {field.alias or name for name, field in shape.model_fields.items()}
    assert set(json_schema()["$defs"][shape.__name__]["properties"]) == fields


def test_the_top_of_the_schema_has_the_keys_of_the_file():
    assert set(json_schema()["properties"]) == set(FileForm.model_fields)


@pytest.mark.parametrize("shape", [FileForm, Service, *shapes()], ids=lambda shape: shape.__name__)
def test_the_manual_names_every_key(shape):
    named = set(re.findall(r"`([a-z0-9_]+)`", MANUAL)) | set(CHECKS) | set(GATES)
    assert {field.alias or name for name, field in shape.model_fields.items()} <= named
