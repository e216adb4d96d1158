"""The schema, the forms and the manual agree."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from promoter.config.yaml.reader import read_document
from promoter.config.yaml.scalars import Tagged
from promoter.gates.checks import CHECKS
from promoter.gates.registry import GATES
from promoter.model.errors import InvalidFile
from promoter.model.labels import SCHEMA_ID
from promoter.pipeline.compose.build import Build
from promoter.pipeline.compose.definitions import ConfigForm, NetworkForm, SecretForm, VolumeForm, Written
from promoter.pipeline.compose.deploy import Deploy
from promoter.pipeline.compose.service import Service
from promoter.pipeline.json_schema import json_schema
from promoter.pipeline.loader import validate
from promoter.pipeline.spec import CheckForm, EnvironmentForm, FileForm, GateForm
from tests.pipeline.pipeline_files import GOOD, SOURCE

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "pipeline.md").read_text()
EXAMPLES = [block for block in re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL) if block.startswith("name:")]
FILES = sorted((ROOT / "pipelines").glob("*/pipeline.yaml"))
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGJlIGJvbGQsIGJlIHRydWUsIGJlIGtpbmQsIGJlIGl0"
PROMOTER = (sys.executable, "-m", "promoter")
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def plain(value):
    """Remove Compose's tags, which JSON does not have."""
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
        ("    build: ./web", "    image: x\n    isolation: process"),
        ("    build: ./web", "    image: x\n    healthcheck: {retries: three}"),
        ("    build: ./web", "    image: x\n    cap_add: A"),
        ("port: 18081}", "port: 18081}\n    verify: [{htp: {}}]"),
        ("port: 18081}", "port: 18081}\n    verify: [{http: {}}]"),
        ("port: 18081}", "port: 18081}\n    verify: [{http: {url: 'http://x', status: 99}}]"),
        ("port: 18081}", "port: 18081}\n    gates: [{approval: {}, soak: {in: a, for: 1s}}]"),
        ("port: 18081}", "port: 18081}\n    strategy: rolling"),
        ("port: 18081}", "port: 18081}\n    strategy: {recreate: {}, hold: {}}"),
        ("port: 18081}", "port: 18081}\n    strategy: {}"),
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


@pytest.mark.parametrize(
    "strategy",
    [
        "swarm",
        "{recreate: }",
        "{recreate: {}}",
        "{start-first: {drain: 10s, monitor: '{{ quiet }}'}}",
        "{hold: {max_hold: 5s, drain: 1m, monitor: 0s}}",
        "{swarm: {timeout: 5m}}",
    ],
)
def test_the_schema_has_the_options_of_each_strategy(strategy):
    assert faults(GOOD.replace("port: 18081}", f"port: 18081}}\n    strategy: {strategy}")) == []


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


# ---------------------------------------------------------------- what an editor shows
OWN = ("EnvironmentForm", "GateForm", "CheckForm", "PolicyForm", "SecretForm", "Rollback", "Override")
"""Forms of promoter, besides the kinds of gates and checks, for which an editor has examples."""


def named(schema: dict) -> dict[str, dict]:
    return {"FileForm": schema, **schema["$defs"]}


def test_every_key_and_every_shape_has_a_description():
    silent = [
        f"{name}.{key}"
        for name, shape in named(json_schema()).items()
        for key, output in shape.get("properties", {}).items()
        if not output.get("description", "").endswith((".", "]"))
    ]
    assert silent == []
    assert [name for name, shape in named(json_schema()).items() if "properties" in shape and not shape.get("description")] == []


def test_words_are_for_shapes_that_there_are():
    words = yaml.safe_load((ROOT / "promoter/pipeline/schema_words.yaml").read_text())
    examples = words.pop("examples")
    assert {*words, *examples} <= set(named(json_schema()))


@pytest.mark.parametrize("name", ["FileForm", *OWN, *(shape.__name__ for shape in GATES.values())])
def test_our_own_shapes_have_examples_that_are_good(name):
    schema = json_schema()
    examples = named(schema)[name].get("examples", [])
    assert examples
    validator = (
        VALIDATOR
        if name == "FileForm"
        else jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})
    )
    for example in examples:
        assert [error.message for error in validator.iter_errors(example)] == []


@pytest.mark.parametrize("example", named(json_schema())["FileForm"]["examples"][:1])
def test_the_first_example_of_a_file_is_one_that_promoter_takes(tmp_path, example):
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").touch()
    file = tmp_path / "pipeline.yaml"
    file.write_text(yaml.safe_dump(example, sort_keys=False))
    assert list(validate(file, source=SOURCE, environ={}).pipeline.needs) == ["dev", "prod"]


@pytest.mark.slow
def test_the_schema_has_a_name_a_version_and_always_the_same_bytes(tmp_path):
    assert json_schema()["$id"] == SCHEMA_ID == "https://promoter.dev/schema/pipeline/v1.json"
    texts = {
        subprocess.run([*PROMOTER, "schema"], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
    file = tmp_path / "a/pipeline.schema.json"
    output = [
        subprocess.run([*PROMOTER, "schema", "--output", str(file)], capture_output=True, text=True, check=True).stdout
        for _ in "12"
    ]
    assert output == [f"{file} is written\n", f"{file} is up to date\n"]
    assert texts == {file.read_bytes()}


def test_check_jsonschema_takes_every_pipeline_file_of_the_project_with_it(tmp_path):
    """The tool that people have in their own pre-commit hooks reads all examples, and every file on a page."""
    (tmp_path / "schema.json").write_text(json.dumps(json_schema()))
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    shown = [block for page in pages for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)]
    blocks = [block for block in shown if "environments:" in block]
    assert len(blocks) >= 5
    files = []
    for number, block in enumerate(blocks):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(re.sub(r"!(reset|override) ?", "", block))  # Compose's tags, which JSON does not have
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [program, "--schemafile", tmp_path / "schema.json", *FILES, *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_validate_reads_none_of_it():
    """Descriptions are for editors: a command that only checks a file does not load them."""
    file = ROOT / "pipelines/hello/pipeline.yaml"
    code = "import sys; from promoter.ui.cli.app import run; run(sys.argv[1:]); "
    code += "sys.exit('promoter.pipeline.json_schema' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, "validate", str(file), "--quiet"],
        env={**os.environ, "PROMOTER_LAB_REGISTRY": "127.0.0.1:5000"},
        check=False,
    )
    assert done.returncode == 0


MISTAKES = {
    "no name": ("name: shop\n", ""),
    "a name with capitals": ("name: shop", "name: Shop"),
    "no environments": ("environments:", "x-environments:"),
    "environments as a list": (r"(?s)environments:.*", "environments: [dev]\n"),
    "services as a list": ("(?s)services:.*?environments:", "services: [{web: {}}]\nenvironments:"),
    "a key that is misspelled": ("    build: ./web", "    bulid: ./web"),
    "a key of Compose that is not supported": ("    build: ./web", "    build: ./web\n    isolation: process"),
    "a port as a map without a target": (r"    ports: .*", "    ports: [{published: 80}]"),
    "a gate that is not known": ("port: 18081}", "port: 18081}\n    gates: [{aproval: {min: 1}}]"),
    "two kinds in one entry": ("port: 18081}", "port: 18081}\n    gates: [{approval: {}, soak: {in: dev, for: 1h}}]"),
    "gates as a map": ("port: 18081}", "port: 18081}\n    gates: {approval: {min: 1}}"),
    "an approval of nobody": ("port: 18081}", "port: 18081}\n    gates: [{approval: {min: 0}}]"),
    "a grade that is not known": ("port: 18081}", "port: 18081}\n    gates: [{approval: {grade: sworn}}]"),
    "a check without its URL": ("port: 18081}", "port: 18081}\n    verify: [{http: {status: 200}}]"),
    "a URL without a scheme": ("port: 18081}", "port: 18081}\n    verify: [{http: {url: 'localhost:80'}}]"),
    "a command that names no program": ("port: 18081}", "port: 18081}\n    verify: [{command: {rum: [a]}}]"),
    "a strategy that is not known": ("port: 18081}", "port: 18081}\n    strategy: blue-green"),
    "an option of another strategy": ("port: 18081}", "port: 18081}\n    strategy: {start-first: {max_hold: 30s}}"),
    "an option that recreate does not have": ("port: 18081}", "port: 18081}\n    strategy: {recreate: {drain: 30s}}"),
    "an option that swarm does not have": ("port: 18081}", "port: 18081}\n    strategy: {swarm: {drain: 30s}}"),
    "options that are no mapping": ("port: 18081}", "port: 18081}\n    strategy: {hold: 30s}"),
    "a secret from nowhere": ("name: shop", "name: shop\nsecrets: {A: {}}"),
    "a policy without a ref": ("name: shop", "name: shop\npolicy: {}"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_schema_and_loader_refuse_the_same_mistakes(tmp_path, mistake):
    old, new = MISTAKES[mistake]
    text, count = re.subn(old, new, GOOD, count=1)
    assert count == 1
    assert faults(text) != []
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").touch()
    file = tmp_path / "pipeline.yaml"
    file.write_text(text)
    with pytest.raises(InvalidFile):
        validate(file, source=SOURCE, environ={})
