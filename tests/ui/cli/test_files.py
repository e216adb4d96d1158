"""init, validate, schema, doctor: the commands that need no Promoter, on real files."""

import json
from pathlib import Path

import pytest

from promoter.ui.cli.load_file import checked
from tests.ui.cli.conftest import RunCli

COMPOSE = """\
services:
  web:
    build: ./web
    ports: ["8080:80"]
    environment: {MODE: "${MODE:-fast}", PRICE: "5$$"}
  cache:
    image: redis:7
    volumes: [data:/data]
volumes:
  data: {}
"""


@pytest.fixture
def directory(tmp_path: Path, fake: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a build context and without an engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("CI", "true")  # no questions, also if pytest was started on a terminal
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


# ------------------------------------------------------------ init
@pytest.mark.parametrize(
    ("name", "text"), [("compose.yaml", COMPOSE), ("docker-compose.yml", COMPOSE), ("Dockerfile", "FROM scratch\nEXPOSE 80\n")]
)
def test_what_init_writes_is_valid(directory: Path, run_cli: RunCli, name: str, text: str) -> None:
    (directory / name).write_text(text)
    answer = run_cli("init")
    assert answer.code == 0, answer.err
    assert answer.out.startswith(f"pipeline.yaml is written from {name}\n")
    assert run_cli("validate").code == 0
    assert list(checked(directory / "pipeline.yaml").pipeline.needs) == ["dev", "test", "prod"]


def test_init_prints_json(directory: Path, run_cli: RunCli) -> None:
    (directory / "my.yaml").write_text(COMPOSE)
    assert run_cli("init", "--from", "my.yaml", "-f", "p.yaml", "--json").json == {
        "written": "p.yaml",
        "from": "my.yaml",
        "files": ["p.yaml", ".promoter/pipeline.schema.json", ".promoter/.gitignore"],
    }


def test_init_writes_over_nothing_without_force(directory: Path, run_cli: RunCli) -> None:
    (directory / "compose.yaml").write_text(COMPOSE)
    (directory / "pipeline.yaml").write_text("mine")
    answer = run_cli("init")
    assert (answer.code, (directory / "pipeline.yaml").read_text()) == (2, "mine")
    assert "--force" in answer.err
    assert run_cli("init", "--force").code == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("init",), "no Compose file and no Dockerfile here"),
        (("init", "--from", "none.yaml"), "none.yaml cannot be read"),
        (("init", "--from", "web/Dockerfile"), "promoter init --from web/Dockerfile -f web/pipeline.yaml"),
        (("init", "--from", "list.yaml"), "list.yaml has no services"),
        (("init", "--from", "broken.yaml"), "broken.yaml:1:"),
    ],
)
def test_init_without_something_to_start_from_is_2_and_writes_nothing(
    directory: Path, run_cli: RunCli, argv: tuple[str, ...], message: str
) -> None:
    (directory / "list.yaml").write_text("a: [1]\n")
    (directory / "broken.yaml").write_text("a: [1\n")
    answer = run_cli(*argv)
    assert answer.code == 2
    assert message in answer.err
    assert not (directory / "pipeline.yaml").exists()


def test_init_reports_unsupported_compose_keys(directory: Path, run_cli: RunCli) -> None:
    (directory / "compose.yaml").write_text(
        "services: {web: {image: nginx, network_mode: 'service:x', credential_spec: {file: x}}}\n"
    )
    answer = run_cli("init")
    assert answer.code == 2
    assert "pipeline.yaml is written; edit these lines before the first run" in answer.err
    assert "credential_spec" in answer.err


# ------------------------------------------------------------ validate, schema
def test_validate_prints_the_valid_pipeline(directory: Path, run_cli: RunCli) -> None:
    (directory / "p.yaml").write_text("name: shop\nservices: {web: {image: nginx}}\nenvironments: {dev: {}, prod: {}}\n")
    assert run_cli("validate", "p.yaml").out == "p.yaml is valid: shop, dev, prod\n"
    assert run_cli("validate", "-f", "p.yaml", "--json").json == {
        "valid": True,
        "pipeline": "shop",
        "environments": ["dev", "prod"],
    }
    assert run_cli("validate", "p.yaml", "--quiet").out == ""


def test_validate_prints_all_complaints_with_positions_and_writes_nothing(directory: Path, run_cli: RunCli) -> None:
    (directory / "pipeline.yaml").write_text(
        "name: Shop\nservices: {web: {image: nginx, prots: []}}\nenvironments: {dev: {needs: [x]}}\n"
    )
    before = sorted(directory.rglob("*"))
    answer = run_cli("validate")
    assert answer.code == 2
    assert [line.split(": ")[0] for line in answer.err.splitlines() if line.startswith("pipeline.yaml:")] == [
        "pipeline.yaml:1:7",
        "pipeline.yaml:2:32",
        "pipeline.yaml:3:30",
    ]
    output = run_cli("validate", "--json").json
    assert [(c["line"], c["column"]) for c in output["error"]["complaints"]] == [(1, 7), (2, 32), (3, 30)]
    assert sorted(directory.rglob("*")) == before


def test_a_missing_file_exits_2_and_is_named(directory: Path, run_cli: RunCli) -> None:
    answer = run_cli("validate", "none.yaml")
    assert answer.code == 2
    assert "none.yaml" in answer.err


def test_the_schema_is_json(run_cli: RunCli) -> None:
    schema = run_cli("schema").json
    assert {"services", "environments", "name"} <= schema["properties"].keys()


# ------------------------------------------------------------ doctor
def findings(run_cli: RunCli, *argv: str) -> dict[str, dict[str, object]]:
    return {finding["part"]: finding for finding in run_cli("doctor", "--json", *argv).json["findings"]}


def test_the_doctor_names_what_is_missing_with_a_remedy_and_is_1(directory: Path, run_cli: RunCli) -> None:
    answer = run_cli("doctor")
    assert answer.code == 1
    assert "MISSING engine: " in answer.out
    assert "missing pipeline file: pipeline.yaml does not exist\n        run promoter init" in answer.out
    assert all(finding["remedy"] for finding in findings(run_cli).values() if not finding["ok"])


def test_doctor_checks_every_engine_and_registry_of_the_file(directory: Path, run_cli: RunCli) -> None:
    (directory / "pipeline.yaml").write_text(
        "name: shop\nregistry: 127.0.0.1:1/x\nservices: {web: {image: web, build: ./web}}\n"
        "environments: {dev: {}, prod: {engine: 'unix:///no/such.sock'}}\n"
    )
    output = findings(run_cli)
    assert output["pipeline file"]["ok"]
    assert {"engine", "engine unix:///no/such.sock", "registry 127.0.0.1:1"} <= output.keys()
    assert not output["registry 127.0.0.1:1"]["ok"]


def test_the_doctor_names_the_programs_that_evidence_needs(
    directory: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "bin").mkdir()
    grype = directory / "bin/grype"
    grype.write_text("#!/bin/sh\n")
    grype.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory / "bin"))
    assert not {"cosign", "trivy or grype"} & findings(run_cli).keys()
    gates = "[{signature: {key: 'k8s://a/b'}}, {scan: {}}, {scan: {scanner: trivy}}]"
    (directory / "pipeline.yaml").write_text(
        f"name: shop\nservices: {{web: {{image: 'a'}}}}\nenvironments: {{prod: {{gates: {gates}}}}}\n"
    )
    found = findings(run_cli)
    assert [found[part]["ok"] for part in ("cosign", "trivy", "trivy or grype")] == [False, False, True]
    assert "needed by: signature of all services with key k8s://a/b in prod" in found["cosign"]["detail"]
    assert "install cosign" in found["cosign"]["remedy"]
    assert found["trivy or grype"]["detail"] == str(grype)


def test_doctor_reports_an_invalid_file_and_continues(directory: Path, run_cli: RunCli) -> None:
    (directory / "pipeline.yaml").write_text("nam: shop\n")
    output = findings(run_cli)
    assert (output["pipeline file"]["ok"], output["pipeline file"]["essential"]) == (False, True)
    assert "disk" in output


def test_a_ledger_that_cannot_be_opened_is_found(directory: Path, run_cli: RunCli) -> None:
    (directory / "file").write_text("not a database, and long enough to be looked at as one" * 20)
    assert findings(run_cli)["ledger"]["ok"]
    assert not findings(run_cli, "--ledger", "sqlite:file")["ledger"]["ok"]
    assert not findings(run_cli, "--ledger", "sqlite:file/x.db")["ledger"]["ok"]
    assert "sqlite:PATH" in json.dumps(findings(run_cli, "--ledger", "drawer:third")["ledger"])


def test_validate_remarks_on_ignored_compose_keys_and_passes(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x, pull_policy: always}, debug: {image: y, profiles: [d]}}\n")
    (tmp_path / "pipeline.yaml").write_text("name: shop\nservices: compose.yaml\nenvironments: {dev: , prod: }\n")
    answer = run_cli("validate", "-f", str(tmp_path / "pipeline.yaml"))
    assert answer.code == 0
    assert answer.err.splitlines() == [
        "remark: compose.yaml:1:28: `pull_policy` is left out: images are pulled by digest, once, if they are missing",
        "remark: compose.yaml:1:50: service `debug` is left out: none of its profiles (d) is selected",
    ]
    output = run_cli("validate", "-f", str(tmp_path / "pipeline.yaml"), "--json").json["remarks"]
    assert output[0] == {"file": "compose.yaml", "line": 1, "column": 28, "message": answer.err.splitlines()[0].split(": ", 2)[2]}
    assert run_cli("validate", "-f", str(tmp_path / "pipeline.yaml"), "--quiet").err == ""
