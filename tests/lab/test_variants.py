"""Engines of other versions beside the lab's own: used where they are available, otherwise reported with the reason."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
from parts import engine, lab_state, sources, swarm, variants
from parts.errors import LabError, NotAvailableError
from parts.lab_state import tag
from parts.talk import engine_silent, engine_version

SCRIPT = Path(__file__).resolve().parents[2] / "lab/engines.py"
OLDEST = variants.VARIANTS["docker-20.10"]
DOCKER, PODMAN = {"Components": [{"Name": "Engine"}]}, {"Components": [{"Name": "Podman Engine"}]}


@pytest.fixture
def state(lab: Mapping[str, str]) -> Iterator[Path]:
    """A lab's directory with a short path, as a socket requires. It has the address of this lab's registry."""
    made = Path(mkdtemp(prefix="lab-", dir="/var/tmp"))
    lab_state.remember(made, {"engine": lab["PROMOTER_LAB_ENGINE"], "registry": lab["PROMOTER_LAB_REGISTRY"]})
    yield made
    variants.down_all(made)
    rmtree(made, ignore_errors=True)


def run(state: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PROMOTER_LAB_STATE": str(state)}
    return subprocess.run([sys.executable, "-B", str(SCRIPT), *words], env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["docker-20.10", "podman"])
def test_one_starts_as_a_second_engine_and_leaves_nothing(state: Path, name: str, engine_url: str) -> None:
    up = run(state, "up", name)
    if up.returncode == 3:
        pytest.skip(up.stderr)
    assert up.returncode == 0, up.stderr
    own = engine.url(variants.home(state, name))
    assert f"export DOCKER_HOST={own}\n" in run(state, "env", name).stdout
    assert engine_version(own)["Version"].startswith(variants.VARIANTS[name].version)
    assert run(state, "down", name).returncode == 0
    assert engine_silent(own) is not None
    assert engine_silent(engine_url) is None
    assert not variants.home(state, name).exists()
    links = subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    assert tag(variants.home(state, name)) not in links


def test_one_that_no_suite_has_is_not_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "_version", lambda _: "29.0")
    monkeypatch.setattr(variants, "_fetch", lambda *_: "29.1.1+dfsg")
    with pytest.raises(NotAvailableError, match=r"docker-28 is not available here: .* forky has 29\.1\.1\+dfsg, sid has"):
        variants.up(tmp_path, "docker-28")


def test_the_machines_own_programs_are_used_if_they_are_of_that_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(variants, "_version", lambda _: "20.10.24")
    assert variants._provide(tmp_path, OLDEST) == []
    monkeypatch.setattr(variants, "_version", lambda _: "28.0.4")
    monkeypatch.setattr(variants, "_fetch", lambda *_: "20.10.24+dfsg1")
    assert variants._provide(tmp_path, OLDEST)[0] == str(tmp_path / "packages/engine-bookworm/usr/sbin")


@pytest.mark.parametrize(
    ("name", "found"), [("docker-20.10", DOCKER | {"Version": "26.1"}), ("docker-20.10", PODMAN | {"Version": "20.10.1"})]
)
def test_what_answers_must_be_the_engine_that_was_asked_for(name: str, found: dict[str, object]) -> None:
    with pytest.raises(LabError, match=r"docker-20\.10 was started, and "):
        variants._prove(name, variants.VARIANTS[name], found)
    variants._prove(name, OLDEST, DOCKER | {"Version": "20.10.24"})


def test_the_variants_are_named(tmp_path: Path) -> None:
    wrong = run(tmp_path, "up", "docker-19")
    assert wrong.returncode == 2
    assert all(name in wrong.stderr for name in variants.VARIANTS)
    early = run(tmp_path, "up", "podman")
    assert (early.returncode, "`lab/lab.py up` first" in early.stderr) == (1, True)


def test_a_machine_without_sources_of_debian_reads_debians_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "release", lambda: {"ID": "ubuntu", "VERSION_CODENAME": "noble"})
    monkeypatch.setattr(sources, "KEYRING", tmp_path)
    monkeypatch.setattr(sources, "run", lambda _: "")
    sources.debian_options(tmp_path, "trixie", tmp_path)
    assert f"Suites: trixie\nComponents: main\nSigned-By: {tmp_path}\n" in (tmp_path / "other.sources").read_text()


def test_a_swarm_runs_with_the_programs_and_settings_of_an_engine_of_the_lab(tmp_path: Path) -> None:
    kind = {"programs": ["/usr/libexec/other"], "settings": {"features": {"containerd-snapshotter": True}}}
    lab_state.remember(tmp_path, kind | {"registry": "127.0.0.1:5000"})
    assert swarm.kind_of(f"unix://{tmp_path}/engine/docker.sock") == kind
    assert swarm.kind_of("unix:///var/run/docker.sock") == {}
