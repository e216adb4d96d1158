"""Metrics, scans and signatures in the file: read, filled in, bound to the content of the files that they use, or refused."""

from pathlib import Path

import pytest

from promoter.gates.metric import MetricCheck
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from promoter.model.errors import InvalidFile
from promoter.model.release import Release
from promoter.pipeline.loader import LoadedPipeline, validate
from promoter.pipeline.policy import policy_digest
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.plan import make_plan, secret_names
from tests.harness import image
from tests.pipeline.pipeline_files import SOURCE

PEM = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
FILE = """\
name: shop
secrets: {TOKEN: {env: TOKEN}}
services: {web: {image: "nginx:1"}, api: {image: "nginx:2"}}
environments:
  prod:
    vars: {limit: 0.01}
    CHECKS:
      - CHECK
"""


def load(folder: Path, check: str, where: str = "gates") -> LoadedPipeline:
    file = folder / "pipeline.yaml"
    file.write_text(FILE.replace("CHECKS", where).replace("CHECK", check))
    return validate(file, source=SOURCE, environ={})


def only(loaded: LoadedPipeline, where: str = "gates") -> object:
    (found,) = getattr(loaded.resolve("prod", SOURCE, None), where)
    return found


@pytest.mark.parametrize("where", ["gates", "verify", "before"])
def test_evidence_checks_are_allowed_in_every_list_of_checks(tmp_path: Path, where: str) -> None:
    metric = """metric: {url: "http://p:9090", query: up, condition: "< {{ limit }}", headers: {A: "{{ secret('TOKEN') }}"}}"""
    loaded = load(tmp_path, metric, where)
    found = only(loaded, where)
    assert isinstance(found, MetricCheck)
    assert found.condition == "< 0.01"
    assert secret_names(loaded.resolve("prod", SOURCE, None)) == ("TOKEN",)
    assert isinstance(only(load(tmp_path, "scan:", where), where), ScanCheck)
    assert isinstance(only(load(tmp_path, "signature: {key: k8s://a/b}", where), where), SignatureCheck)


def test_files_are_replaced_by_their_content_in_the_check(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/cosign.pub").write_text(PEM)
    (tmp_path / ".trivyignore").write_text("CVE-1\n")
    signature = only(load(tmp_path, "signature: {key: keys/cosign.pub, service: [web, api]}"))
    assert isinstance(signature, SignatureCheck)
    assert (signature.key, signature.service) == (PEM, ("web", "api"))
    scan = only(load(tmp_path, "scan: {scanner: trivy, ignore: .trivyignore, service: web}"))
    assert isinstance(scan, ScanCheck)
    assert (scan.ignore, scan.service) == ("CVE-1\n", ("web",))
    inline = only(load(tmp_path, f"signature: {{key: {PEM!r}}}".replace("'", '"')))
    assert isinstance(inline, SignatureCheck)
    assert inline.key == PEM


@pytest.mark.parametrize("check", ["signature: {key: it}", "scan: {scanner: grype, ignore: it}"])
def test_who_changes_the_file_changes_plan_and_policy(tmp_path: Path, check: str) -> None:
    def digests(word: str) -> tuple[str, str]:
        (tmp_path / "it").write_text(PEM.replace("AAAA", word))
        policy = load(tmp_path, check)
        gates = policy_digest(policy.pipeline, policy.resolve("prod", SOURCE, None))
        release = Release({"web": image("web"), "api": image("api")}, SOURCE)
        plan = make_plan("shop", load(tmp_path, check, "verify").resolve("prod", SOURCE, None), release, str, steps_of)
        return gates, plan.digest

    first, again, other = digests("AAAA"), digests("AAAA"), digests("BBBB")
    assert first == again
    assert (first[0] != other[0], first[1] != other[1]) == (True, True)


def test_a_dry_run_is_another_policy(tmp_path: Path) -> None:
    def policy(check: str) -> str:
        loaded = load(tmp_path, check)
        return policy_digest(loaded.pipeline, loaded.resolve("prod", SOURCE, None))

    assert policy("scan:") != policy("scan: {dry_run: true}")
    assert policy("http: {url: 'http://x'}") != policy("http: {url: 'http://x', dry_run: true}")


@pytest.mark.parametrize(
    ("check", "at", "why"),
    [
        ('metric: {url: "http://p", query: up, condition: "<< 1"}', '"<< 1"', "'<< 1' is not a condition"),
        ('metric: {url: "http://p?x", query: up, condition: "< 1"}', '"http', "must be a server address"),
        ('metric: {url: "http://p", query: "", condition: "< 1"}', '"",', "`query` must be a non-empty string"),
        ('metric: {url: "http://p", query: up}', "{url", "`condition` is missing"),
        ('metric: {url: "http://p", query: up, condition: "< 1", failure_limit: 1}', "1}", "so this check could never fail"),
        ('metric: {url: "http://p", query: "{{ nothing }}", condition: "< 1"}', '"{{ nothing', "nothing"),
        ("scan: {service: wb}", "wb", "unknown service `wb`"),
        ("scan: {service: [web, ap]}", "ap]", "unknown service `ap`"),
        ("scan: {severity: bad}", "bad", "`severity` must be one of"),
        ("scan: {ignore: x}", "x", "each scanner has its own format of ignore file"),
        ("scan: {scanner: trivy, ignore: nofile}", "nofile", "cannot read nofile as UTF-8 text"),
        ("scan: {scanner: trivy, ignore: big}", "big", "longer than 65536"),
        ("scan: {scanner: trivy, ignore: forged}", "forged", "looks like the internal placeholder of a secret"),
        ("signature: {}", "{}", "expected one of `key` and `identity`"),
        ("signature: {key: nofile}", "nofile", "cannot read nofile as UTF-8 text"),
        ("signature: {key: private}", "private", "this is not a public key"),
        ("signature: {key: big}", "big", "longer than"),
        ("signature: {key: 'k8s://a', service: wb}", "wb", "unknown service `wb`"),
        ("signature: {identity: {subject: a}}", "{subject", "one of `issuer`"),
        ("signature: {identity: {subject: a, issuer_regexp: '.*'}}", "'.*'", "matches anyone"),
        ("http: {url: 'http://x', dry_run: perhaps}", "perhaps", "`dry_run` must be true or false"),
    ],
)
def test_invalid_files_are_reported_with_their_position(tmp_path: Path, check: str, at: str, why: str) -> None:
    (tmp_path / "big").write_text("CVE-1\n" * 20_000)
    (tmp_path / "forged").write_text("{{ secret('TOKEN') }}")
    (tmp_path / "private").write_text(PEM.replace("PUBLIC", "PRIVATE"))
    with pytest.raises(InvalidFile) as faults:
        load(tmp_path, check)
    (complaint,) = faults.value.complaints
    assert why in complaint.message
    assert (complaint.line, complaint.column) == (8, len("      - ") + check.index(at) + 1)
