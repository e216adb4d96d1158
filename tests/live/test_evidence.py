"""Evidence with real programs: a Prometheus, an old and a new cosign with a registry, and the scanners that are installed."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from promoter.adapters.clock import SystemClock
from promoter.adapters.probes import OutsideProbes
from promoter.gates.checks import Check
from promoter.gates.context import CheckResult
from promoter.gates.metric import MetricCheck
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from promoter.ledger.store import never_gone
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.labels import Namespace
from promoter.model.release import Release, Source
from promoter.pipeline.compose.service import Service
from promoter.promotion.checks.runner import Checker
from promoter.promotion.checks.target import CheckTarget
from tests.conftest import Cli
from tests.contracts.registry import CONFIG, CONFIG_DIGEST, MANIFEST_KIND, manifest
from tests.fakes.secrets import FakeSecrets
from tests.live.prometheus import Prometheus, running

METRICS = 'errors_ratio 0.004\ntemperature{room="a"} 20\ntemperature{room="b"} 30\nabsent_ratio NaN\n'


def run_check(check: Check, site: CheckTarget | None = None) -> CheckResult:
    clock = SystemClock()
    world: Any = SimpleNamespace(
        clock=clock,
        probes=OutsideProbes(clock),
        secrets=FakeSecrets({"TOKEN": "hush"}),
        insecure=frozenset(),
        gone=never_gone,
    )
    return Checker(world).run(check, site or at())


def at(*images: ImageRef, fresh: bool = False) -> CheckTarget:
    named = {f"web{index or ''}": image for index, image in enumerate(images)}
    services = {name: Service(image="x") for name in named}
    nowhere: Any = None
    return CheckTarget(
        Namespace("shop", "prod"),
        Release(named, Source()),
        named,
        "gate",
        services,
        lambda _: (),
        Path("/nowhere"),
        nowhere,
        fresh,
    )


# ---------------------------------------------------------------- metric
@pytest.fixture(scope="module")
def prometheus(
    prometheus_program: str, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    with running(prometheus_program, free_port(), tmp_path_factory.mktemp("prometheus"), METRICS) as made:
        made.await_samples("errors_ratio", 4)
        yield made


def metric(prometheus: Prometheus, query: str, condition: str, **fields: object) -> MetricCheck:
    wanted = {"for": "2s", "interval": "1s", "within": "1s", "no_data": "fail", **fields}
    return MetricCheck.model_validate({"url": prometheus.url, "query": query, "condition": condition, **wanted})


@pytest.mark.parametrize(
    ("query", "condition", "passed", "message"),
    [
        ("errors_ratio", "< 0.01", True, "< 0.01 at 3 points in time, 1 series"),
        ("errors_ratio", "> 0.01", False, 'not > 0.01 at 3 of 3 points in time: errors_ratio{instance="127.0.0.1:'),
        ("temperature", "< 25", False, 'room="b"} is 30'),
        ("temperature", "< 35", True, "2 series"),
        ("scalar(errors_ratio)", "<= 0.004", True, "1 series"),
        ("42", "== 42", True, "1 series"),
        ("nothing_of_this_name", "< 1", False, "no data at any of 3 points in time"),
        ("absent_ratio", "< 1", False, "no data at any of 3 points in time"),
        ("sum(nothing_of_this_name) or vector(0)", "< 1", True, "1 series"),
        ("errors_ratio / 0", "< 1", False, "is inf"),
        ("errors_ratio offset 1h", "< 1", False, "no data"),
        ("rate(errors_ratio", "< 1", False, "bad_data: "),
        ("errors_ratio[1m]", "< 1", False, "bad_data: "),
        ('"text"', "< 1", False, "bad_data: "),
        ("temperature * on(job) temperature", "< 1", False, "execution: "),
        ("{{ secret('TOKEN') }}", "< 1", False, "no data"),
        ("{{ secret('TOKEN') }}(", "< 1", False, "bad_data: "),
    ],
)
def test_a_gate_is_evaluated_by_what_was_measured(
    prometheus: Prometheus, query: str, condition: str, passed: bool, message: str
) -> None:
    result = run_check(metric(prometheus, query, condition))
    assert (result.passed, result.timed_out) == (passed, False), result.sentence
    assert message in result.sentence
    assert "hush" not in result.sentence + result.seen


def test_one_sample_is_the_value_now(prometheus: Prometheus) -> None:
    assert run_check(metric(prometheus, "errors_ratio", "< 0.01", **{"for": "0s"})).passed
    assert "no data" in run_check(metric(prometheus, "no_such", "< 0.01", **{"for": "0s"})).sentence


def test_missing_samples_are_handled_by_the_no_data_setting(prometheus: Prometheus) -> None:
    long = {"for": "2h", "interval": "5m"}
    assert not run_check(metric(prometheus, "errors_ratio", "< 1", **long)).passed
    assert run_check(metric(prometheus, "errors_ratio", "< 1", no_data="pass", **long)).passed
    waited = run_check(metric(prometheus, "errors_ratio", "< 1", no_data="wait", **long))
    assert (waited.passed, waited.timed_out) == (False, True)
    assert "no data" in waited.sentence and "for 1s" in waited.sentence


def test_a_verification_waits_for_data_measured_after_its_start(prometheus: Prometheus) -> None:
    clock = SystemClock()
    started = clock.monotonic()
    query = f"vector(1) and on() (vector(time()) > {clock.now().timestamp() + 1:.3f})"
    result = run_check(metric(prometheus, query, "> 0", no_data="wait", within="10s"), at(fresh=True))
    assert result.passed, result.sentence
    assert clock.monotonic() - started > 2.9


def test_a_verification_ends_as_soon_as_it_has_failed(prometheus: Prometheus) -> None:
    clock = SystemClock()
    started = clock.monotonic()
    result = run_check(metric(prometheus, "errors_ratio", "> 1", **{"for": "5m"}), at(fresh=True))
    assert not result.passed
    assert clock.monotonic() - started < 10


def test_a_prometheus_that_is_down_is_never_a_pass(prometheus: Prometheus, free_port: Callable[[], int]) -> None:
    for policy in ("fail", "wait", "pass"):
        check = metric(prometheus, "errors_ratio", "< 1", no_data=policy).model_copy(
            update={"url": f"http://127.0.0.1:{free_port()}"}
        )
        result = run_check(check)
        assert (result.passed, result.timed_out) == (False, True)
        assert "nothing listens at" in result.sentence


def test_another_server_at_the_address_is_never_a_pass(registry_host: str, prometheus: Prometheus) -> None:
    result = run_check(metric(prometheus, "up", ">= 0", no_data="pass").model_copy(update={"url": f"http://{registry_host}"}))
    assert not result.passed
    assert "not from a Prometheus server" in result.sentence


# ---------------------------------------------------------------- signature
@pytest.fixture(params=["old", "new"])
def cosign(
    request: pytest.FixtureRequest, cosign_programs: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Put the program where users have it."""
    choice: str = request.param
    if choice == "new" and len(cosign_programs) < 2:
        pytest.skip("only one cosign can be had")
    program = cosign_programs[0 if choice == "old" else 1]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/cosign").symlink_to(program)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COSIGN_PASSWORD", "")
    return choice


def pushed(host: str, name: str, word: str) -> ImageRef:
    """Push an image without use to a repository of its own."""
    repository = Repository(host, f"{name}/{word}")
    base = f"http://{host}/v2/{repository.path}"
    started = requests.post(f"{base}/blobs/uploads/", timeout=10)
    requests.put(started.headers["Location"], params={"digest": str(CONFIG_DIGEST)}, data=CONFIG, timeout=10).raise_for_status()
    body = manifest(f"{name} {word}")
    answer = requests.put(f"{base}/manifests/latest", data=body, headers={"Content-Type": MANIFEST_KIND}, timeout=10)
    answer.raise_for_status()
    return ImageRef(repository, Digest.parse(answer.headers["Docker-Content-Digest"]))


def key_pair(folder: Path) -> str:
    """Make `cosign.key`; return the public key."""
    folder.mkdir()
    subprocess.run(["cosign", "generate-key-pair"], cwd=folder, check=True, capture_output=True)
    return (folder / "cosign.pub").read_text()


def sign(image: ImageRef, folder: Path) -> None:
    """Sign with the key only and without the internet: each cosign has its own options for that."""
    made = subprocess.run(
        ["cosign", "signing-config", "create", "--out", "none.json"], cwd=folder, check=False, capture_output=True
    )
    how = ["--tlog-upload=false"] if made.returncode else ["--signing-config", "none.json"]
    words = ["cosign", "sign", "--key", "cosign.key", *how, "--yes", str(image)]
    done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_cosign_proves_who_signed_the_very_digest(cosign: str, registry_host: str, unique: str, tmp_path: Path) -> None:
    ours, theirs = key_pair(tmp_path / "ours"), key_pair(tmp_path / "theirs")
    signed, unsigned = pushed(registry_host, unique, "signed"), pushed(registry_host, unique, "unsigned")
    sign(signed, tmp_path / "ours")
    good = run_check(SignatureCheck(key=ours), at(signed))
    assert good.passed, good.sentence
    assert str(signed.digest) in good.sentence
    for check, site in (
        (SignatureCheck(key=theirs), at(signed)),
        (SignatureCheck(key=ours), at(unsigned)),
        (SignatureCheck(key=ours), at(signed, unsigned)),
        (SignatureCheck(key="-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), at(signed)),
        (SignatureCheck(key=ours), at(ImageRef(signed.repository, Digest("0" * 64)))),
    ):
        bad = run_check(check, site)
        assert not bad.passed, bad.sentence
        assert "cosign on " in bad.sentence and "exit" in bad.sentence
    assert run_check(SignatureCheck(key=ours, service=("web",)), at(signed, unsigned)).passed


def test_a_signature_that_must_be_logged_and_is_not_is_refused(
    cosign: str, registry_host: str, unique: str, tmp_path: Path
) -> None:
    ours = key_pair(tmp_path / "ours")
    image = pushed(registry_host, unique, "signed")
    sign(image, tmp_path / "ours")
    result = run_check(SignatureCheck(key=ours, transparency_log=True, timeout=timedelta(seconds=20)), at(image))
    assert not result.passed, result.sentence


PIPELINE = """\
name: {name}
registry: {registry}/{name}
services: {{web: {{build: ., init: true}}}}
environments:
  prod:
    gates:
      - metric: {{url: "{url}", query: errors_ratio, condition: "< 0.01", for: 2s, interval: 1s}}
      - scan: {{timeout: 10s, dry_run: true}}
      - signature: {{key: ours/cosign.pub}}
"""


@pytest.mark.parametrize("cosign", ["old"], indirect=True)
def test_a_release_enters_when_it_is_signed(
    cosign: str, cli: Cli, engine_url: str, registry_host: str, busybox_dir: Path, clean_engine: str, prometheus: Prometheus
) -> None:
    key_pair(cli.cwd / "ours")
    shutil.copy2(busybox_dir / "busybox", cli.cwd / "busybox")
    (cli.cwd / "Dockerfile").write_text('FROM scratch\nCOPY busybox /busybox\nCMD ["/busybox", "sleep", "600"]\n')
    text = PIPELINE.format(name=clean_engine, registry=registry_host, url=prometheus.url)
    (cli.cwd / "pipeline.yaml").write_text(text)
    env = {"PATH": os.environ["PATH"]}
    ran = cli("run", "--json", env=env)
    assert (ran.exit_code, ran.json["reason_code"]) == (3, "check_failed"), ran.text
    metric_gate, scan_gate, signature_gate = ran.json["environments"][0]["gates"]
    assert metric_gate["outcome"] == "passed"
    assert (scan_gate["outcome"], scan_gate["sentence"][:8]) == ("passed", "dry run:")
    assert "exit" in signature_gate["sentence"]
    found = ran.json["release"]["images"]["web"]
    sign(ImageRef(Repository.parse(found["repository"]), Digest.parse(found["digest"])), cli.cwd / "ours")
    ran = cli("promote", "--json", env=env)
    assert ran.exit_code == 0, ran.text
    assert "cosign verifies web" in ran.json["environments"][0]["gates"][2]["sentence"]
    (cli.cwd / "pipeline.yaml").write_text(text.replace("< 0.01", "> 0.01").replace("ours", "./ours"))
    (cli.cwd / "busybox2").write_text("another image")
    (cli.cwd / "Dockerfile").write_text('FROM scratch\nCOPY busybox busybox2 /\nCMD ["/busybox", "sleep", "600"]\n')
    ran = cli("run", "--json", env=env)
    assert (ran.exit_code, ran.json["reason_code"]) == (3, "check_failed"), ran.text
    assert "not > 0.01 at 3 of 3 points in time" in ran.json["environments"][0]["gates"][0]["sentence"]


def test_without_cosign_nothing_is_signed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run_check(SignatureCheck(key="awskms://x"), at(ImageRef(Repository("127.0.0.1:1", "x"), Digest("0" * 64))))
    assert (result.passed, "cosign is not on this machine: install it" in result.sentence) == (False, True)


# ---------------------------------------------------------------- scan
@pytest.mark.parametrize("scanner", ["trivy", "grype"])
def test_the_scanner_that_is_installed_reports_on_the_very_digest(scanner: str, registry_host: str, unique: str) -> None:
    if shutil.which(scanner) is None:
        pytest.skip(f"{scanner} is not on this machine")
    check = ScanCheck.model_validate({"scanner": scanner, "timeout": "5m"})
    result = run_check(check, at(pushed(registry_host, unique, "scanned")))
    assert scanner in result.sentence
    assert "not on this machine" not in result.sentence
