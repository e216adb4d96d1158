# ruff: noqa: E501 (files and complaints read best in one line each)
import json
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoter.gates.approval.rule import Approval
from promoter.gates.checks import CommandCheck, ContainerCheck, HttpCheck
from promoter.model.errors import CallerError, InvalidFile
from promoter.model.images import Reference, Repository
from promoter.model.release import Source
from promoter.model.secrets import CommandSource, EnvSource, FileSource
from promoter.pipeline.loader import validate
from promoter.pipeline.model import BuilderChoice, OnFailure, Strategy, ToBuild, ToPin
from tests.pipeline.pipeline_files import GOOD, SOURCE, complaints, read, write

ROOT = Path(__file__).parents[2]
RELEASE = "ab" * 32
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGJlIGJvbGQsIGJlIHRydWUsIGJlIGtpbmQsIGJlIGl0"


def resolve(loaded, environment, source=SOURCE):
    return loaded.resolve(environment, source, RELEASE)


def test_the_top_of_the_file(tmp_path):
    text = GOOD.replace(
        "services:",
        "ledger: git:ledger\nbuilder: engine\napprovers: keys\nroles: {rm: [a@example.com, a@example.com], x: b@example.com}\n"
        "secrets: {A: {env: AA}, B: {file: s/b}, C: {command: [pass, c]}, D: {environment: DD}}\nservices:",
        1,
    )
    file = write(
        tmp_path,
        text,
        keys=f'a@example.com,c@example.com ssh-ed25519 {KEY}\n# no\n\na@example.com ssh-ed25519 {KEY}\n"b@example.com" cert-authority ssh-ed25519 {KEY}\n',
    )
    pipeline = read(file).pipeline
    assert (pipeline.name, pipeline.file, pipeline.directory) == ("shop", file, tmp_path)
    assert (pipeline.ledger, pipeline.builder, pipeline.approvers) == ("git:ledger", BuilderChoice.ENGINE, tmp_path / "keys")
    assert pipeline.signers == ("a@example.com", "c@example.com", "b@example.com")
    assert pipeline.roles == {"rm": ("a@example.com",), "x": ("b@example.com",)}
    assert pipeline.secrets == {
        "A": EnvSource("AA"),
        "B": FileSource("s/b"),
        "C": CommandSource(("pass", "c")),
        "D": EnvSource("DD"),
    }
    assert dict(pipeline.needs) == {"dev": (), "test": ("dev",), "prod": ("test",)}


@pytest.mark.parametrize(
    ("text", "compose", "expected"),
    [
        (GOOD, "", False),
        (GOOD.replace("{port: 18081}", "{port: \"{{ env('PORT', '1') }}\"}"), "", True),
        (
            GOOD.replace("build: ./web", "build: ./web\n    command: [echo, $HOME]"),
            "",
            False,
        ),  # a `$` in the pipeline file is only a `$`
        ("COMPOSE", "services: {web: {image: nginx}}\n", False),
        ("COMPOSE", "services: {web: {image: 'nginx:${TAG:-1}'}}\n", True),
    ],
)
def test_a_file_knows_whether_it_reads_variables(tmp_path, text, compose, expected):
    if text == "COMPOSE":
        text = "name: shop\nregistry: registry.example.com/acme\nservices: compose.yaml\nenvironments: {dev: {}}\n"
    loaded = read(write(tmp_path, text, **({"compose.yaml": compose} if compose else {})))
    assert loaded.reads_variables is expected


def test_needs_default_to_the_environment_above(tmp_path):
    text = GOOD.replace(
        "  prod:\n", "  free: {needs: [], vars: {port: 1}}\n  both: {needs: [dev, free], vars: {port: 2}}\n  prod:\n"
    )
    assert dict(read(write(tmp_path, text)).pipeline.needs) == {
        "dev": (),
        "test": ("dev",),
        "free": (),
        "both": ("dev", "free"),
        "prod": ("both",),
    }


def test_an_environment_has_its_variables_filled_in(tmp_path):
    text = GOOD.replace(
        "    build: ./web",
        "    build: ./web\n    environment: {E: '{{ environment }}', R: '{{ release.id }}', S: '{{ source.short_sha }}', N: '{{ n + 1 }}'}",
    )
    text = (
        text.replace("port: 18082", "port: '{{ env(\"PORT\") }}', n: 4")
        .replace("{port: 18081", "{n: 1, port: 18081")
        .replace("{port: 18083", "{n: 1, port: 18083")
    )
    test = resolve(read(write(tmp_path, text), {"PORT": "9"}), "test")
    assert test.services["web"].environment == {"E": "test", "R": RELEASE, "S": SOURCE.short_sha, "N": "5"}
    assert [(p.published, p.target, p.host_ip) for p in test.services["web"].ports] == [(9, 8080, "127.0.0.1")]
    assert (test.engines, test.registry, test.strategy, test.on_failure) == (
        (None,),
        "registry.example.com/acme",
        Strategy.RECREATE,
        OnFailure.ROLLBACK,
    )


def test_services_have_no_image_and_use_the_default_network(tmp_path):
    dev = resolve(read(write(tmp_path)), "dev")
    assert (dev.services["web"].image, dev.services["web"].build) == (None, None)
    assert list(dev.services["web"].networks) == ["shop-dev"]
    assert {name: network.external for name, network in dev.networks.items()} == {"shop-dev": False}


TWO_ENVIRONMENTS = """\
name: shop
services:
  a:
    image: x
    networks: {default: {aliases: [alpha]}, back: {}, outside: {}, named: {}}
    volumes: ["data:/data", "cache:/cache", "ext:/ext", "/anonymous", "./here:/here:ro"]
    configs: [motd, {source: page, target: www/index.html, mode: 0o400}]
    secrets: [TOKEN, {source: TOKEN, target: /etc/token, uid: "7"}]
  b: {image: x, network_mode: none}
networks:
  back: {driver: bridge, driver_opts: {a: 1}, internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}, labels: [x=y]}
  outside: {external: true}
  named: {name: "net-{{ environment }}"}
  unused: {}
volumes:
  data: {labels: {b: c}}
  cache: {name: shared-cache}
  ext: {external: true}
configs:
  motd: {content: "hello {{ environment }} {{ secret('TOKEN') }}"}
  page: {file: page.html}
secrets: {TOKEN: {env: T}}
environments: {live: }
"""


def test_networks_volumes_and_files_get_the_engines_names(tmp_path):
    live = resolve(read(write(tmp_path, TWO_ENVIRONMENTS, **{"page.html": "<p>\n"})), "live")
    a = live.services["a"]
    assert list(a.networks) == ["shop-live", "shop-live-back", "outside", "net-live"]
    assert a.networks["shop-live"].aliases == ("alpha",)
    assert set(live.networks) == {"shop-live", "shop-live-back", "outside", "net-live"}
    back = live.networks["shop-live-back"]
    assert (back.driver, back.options, back.internal, back.labels) == ("bridge", {"a": "1"}, True, {"x": "y"})
    assert back.ipam == {"config": [{"subnet": "10.9.0.0/24"}]}
    assert live.networks["outside"].external
    assert [m.source for m in a.volumes] == ["shop-live-data", "shared-cache", "ext", None, str(tmp_path / "here")]
    assert set(live.volumes) == {"shop-live-data", "shared-cache", "ext"}
    assert [(c.source, c.target, c.mode) for c in a.configs] == [("motd", "/motd", 0o444), ("page", "/www/index.html", 0o400)]
    assert [(s.source, s.target, s.uid) for s in a.secrets] == [("TOKEN", "/run/secrets/TOKEN", 0), ("TOKEN", "/etc/token", 7)]
    assert live.contents == {
        "config:motd": "hello live {{ secret('TOKEN') }}",
        "config:page": "<p>\n",
        "secret:TOKEN": "{{ secret('TOKEN') }}",
    }
    assert (live.services["b"].networks, live.services["b"].network_mode) == ({}, "none")


def test_files_cannot_be_mounted_where_nothing_can_be_written(tmp_path):
    text = TWO_ENVIRONMENTS.replace("  a:\n", "  a:\n    read_only: true\n")
    assert complaints(write(tmp_path, text, **{"page.html": ""})) == [
        ("9:14", "with `read_only: true` the engine cannot place the files of `secrets`")
    ]


OVER = """\
name: shop
services:
  web:
    image: x
    command: [a, b]
    environment: {A: "1", B: "2"}
    ports: ["{{ port }}:80"]
    env_file: [one.env]
environments:
  dev: {vars: {port: 1}}
  test:
    vars: {port: 2}
    services:
      web:
        command: c d
        environment: {B: "3", A: !reset null, PASSED: , ABSENT: }
        ports: !override ["127.0.0.1:{{ port }}:80"]
        env_file: [{path: two.env}, {path: none.env, required: false}]
"""


def test_overrides_are_merged_and_take_priority_over_env_files(tmp_path):
    file = write(tmp_path, OVER, **{"one.env": "A=file\nONE=1\nBOTH=one\n", "two.env": "BOTH=two\nB=file\n"})
    loaded = read(file, {"PASSED": "yes"})
    dev, test = (resolve(loaded, name).services["web"] for name in ("dev", "test"))
    assert (dev.command, dev.environment) == (("a", "b"), {"A": "1", "ONE": "1", "BOTH": "one", "B": "2"})
    assert test.command == ("c", "d")
    assert test.environment == {"A": "file", "ONE": "1", "BOTH": "two", "B": "3", "PASSED": "yes"}
    assert [(p.host_ip, p.published) for p in test.ports] == [("127.0.0.1", 2)]


def test_gates_and_checks_are_typed(tmp_path):
    extra = """\
    before:
      - container: {service: web, command: /bin/migrate --all}
    verify:
      - http: {url: "http://127.0.0.1:{{ port }}/", status: "{{ 200 + 4 }}", within: 5s}
      - command: {run: [./smoke.sh, "{{ environment }}"]}
    gates:
      - approval: {min: 2}
    strategy: {recreate: {}}
    on_failure: stop
    engine: [ssh://b]
    registry: other.example.com
"""
    prod = resolve(read(write(tmp_path, GOOD + extra)), "prod")
    assert prod.before == (ContainerCheck(service="web", command=("/bin/migrate", "--all")),)
    assert prod.verify == (
        HttpCheck(url="http://127.0.0.1:18083/", status=204, within=timedelta(seconds=5)),
        CommandCheck(run=("./smoke.sh", "prod")),
    )
    assert prod.gates == (Approval(min=2),)
    assert (prod.on_failure, prod.engines, prod.registry) == (
        OnFailure.STOP,
        ("ssh://b",),
        "other.example.com",
    )


def test_builds_name_the_repository_or_the_reference(tmp_path):
    text = GOOD.replace(
        "    build: ./web",
        "    build: {context: ./web, args: {V: '{{ source.version }}', K: '{{ secret(\"K\") }}'}}\n    platform: linux/amd64",
    )
    text = text.replace(
        "services:",
        "secrets: {K: {env: K}}\nservices:\n  named: {build: web, image: acme/named}\n  full: {build: web, image: ghcr.io/x/full}\n  cache: {image: 'redis:7'}",
    )
    builds = read(write(tmp_path, text)).builds(Source(version="9"))
    web = builds["web"]
    assert isinstance(web, ToBuild)
    assert (web.build.args, web.platform) == ({"V": "9", "K": "{{ secret('K') }}"}, "linux/amd64")
    repositories = {name: str(built.repository) for name, built in builds.items() if isinstance(built, ToBuild)}
    assert repositories == {
        "web": "registry.example.com/acme/shop/web",
        "named": "registry.example.com/acme/acme/named",
        "full": "ghcr.io/x/full",
    }
    assert builds["cache"] == ToPin(Reference(Repository("docker.io", "library/redis"), "7"))


def test_the_source_is_asked_once_and_only_when_a_template_wants_it(tmp_path):
    asked = []

    def source():
        asked.append(1)
        return SOURCE

    validate(write(tmp_path), source=source, environ={})
    assert not asked
    validate(write(tmp_path, GOOD.replace("port: 1808", "v: '{{ source.sha }}', port: 1808")), source=source, environ={})
    assert len(asked) == 1


def test_an_unknown_environment_is_a_caller_error(tmp_path):
    with pytest.raises(CallerError) as caught:
        resolve(read(write(tmp_path)), "dve")
    assert "dve" in caught.value.message and "dev, test, prod" in str(caught.value.hint)


def test_without_a_release_a_template_cannot_use_one(tmp_path):
    loaded = read(write(tmp_path, GOOD.replace("port: 18081", "port: 18081, r: '{{ release }}'")))
    with pytest.raises(InvalidFile, match="`release` cannot be used here"):
        loaded.resolve("dev", SOURCE, None)


COMPOSE = """\
name: ignored
version: "3"
x-common: &common {restart: always}
services:
  web:
    <<: *common
    image: ${IMAGE:-nginx}:${TAG:?say which}
    build: ./app
    environment: {PRICE: "5$$", HOME_: "${HOME}", FROM: "${DOT}", E: "{{ environment }}"}
    secrets: [db-password]
    volumes: ["./data:/data", "named:/n"]
secrets:
  db-password: {file: ./pw}
volumes: {named: }
"""


def test_services_of_a_compose_file(tmp_path):
    file = write(
        tmp_path,
        "name: shop\nregistry: r.example.com\nservices: deploy/compose.yaml\nenvironments: {dev: , test: {services: {web: {restart: 'no'}}}}\n",
        **{
            "deploy__compose.yaml": COMPOSE.replace(":${TAG:?say which}", "").replace("nginx", "shop"),
            "deploy__.env": "DOT=dot\nHOME=no\n",
            "deploy__app__Dockerfile": "",
        },
    )
    loaded = read(file, {"HOME": "/root"})
    dev, test = resolve(loaded, "dev").services["web"], resolve(loaded, "test").services["web"]
    assert dev.environment == {"PRICE": "5$", "HOME_": "/root", "FROM": "dot", "E": "dev"}
    assert (dev.restart, test.restart) == ("always", "no")
    assert [m.source for m in dev.volumes] == [str(tmp_path / "deploy/data"), "shop-dev-named"]
    assert loaded.pipeline.secrets == {"db-password": FileSource("deploy/pw")}
    assert resolve(loaded, "dev").contents == {"secret:db-password": "{{ secret('db-password') }}"}
    web = loaded.builds(SOURCE)["web"]
    assert isinstance(web, ToBuild) and web.build.context == str(tmp_path / "deploy/app")


def test_complaints_about_a_compose_file_name_that_file(tmp_path):
    bad = COMPOSE + "models: {}\nserivces: {}\n"
    file = write(
        tmp_path,
        "name: shop\nregistry: r.example.com\nservices: compose.yaml\nenvironments: {dev: , prod: }\n",
        **{"compose.yaml": bad},
    )
    assert complaints(file, {"IMAGE": "{{ secret('X') }}"}) == [
        ("compose.yaml:7:12", "the environment variable TAG is required: say which"),
        ("compose.yaml:8:12", "build directory ./app not found"),
        ("compose.yaml:15:1", "`models` is not supported: it starts programs outside containers, which have no digest"),
        ("compose.yaml:16:1", "unknown key `serivces`"),
    ]
    found = complaints(file, {"IMAGE": "{{ secret('X') }}", "TAG": "1"})
    assert ("compose.yaml:7:12", "the value looks like the internal placeholder of a secret") in found


def test_a_dollar_in_the_pipeline_file_is_plain_text(tmp_path):
    loaded = read(write(tmp_path, GOOD.replace("    build: ./web", "    build: ./web\n    command: [echo, $HOME, '$$', '${X']")))
    assert resolve(loaded, "dev").services["web"].command == ("echo", "$HOME", "$$", "${X")


@pytest.mark.parametrize("value", ["{{ secret('A') }}", "x {{ secret('A') }} y", "{% if true %}{{ secret('A') }}{% endif %}"])
def test_a_secret_in_a_value_is_kept_as_its_handle(tmp_path, value):
    text = GOOD.replace(
        "    build: ./web",
        f'    build: ./web\n    command: ["{value}"]\n    entrypoint: run "{value}"\n    labels: {{a: "{value}"}}',
    )
    web = resolve(read(write(tmp_path, text.replace("services:", "secrets: {A: {env: A}}\nservices:", 1))), "dev").services["web"]
    shown = re.sub("{%.*?%}", "", value)
    assert (web.command, web.labels) == ((shown,), {"a": shown})
    assert web.entrypoint == ("run", shown)


def test_secret_placeholders_from_outside_are_refused(tmp_path):
    smuggled = "{{ secret('A') }}"
    text = GOOD.replace("services:", "secrets: {A: {env: A}}\nservices:", 1).replace(
        "    build: ./web",
        "    build: ./web\n    environment: {B: '{{ source.branch }}', FIRST: '{{ first }}{{ last }}'}\n    env_file: x.env\n    configs: [c]",
    )
    text = text.replace("{port", "{first: \"{{ env('F') }}\", last: \"{{ env('L') }}\", port") + "configs: {c: {file: c.txt}}\n"
    file = write(tmp_path, text, **{"x.env": f"X={smuggled}", "c.txt": smuggled})
    assert complaints(file, {"F": "{{ ", "L": "secret('A') }}"}, Source(branch=smuggled)) == [
        ("7:22", "the value looks like the internal placeholder of a secret"),
        ("7:52", "the value looks like the internal placeholder of a secret"),
        ("8:15", f"the value of X in the env file {tmp_path}/x.env looks like the internal placeholder of a secret"),
        ("18:14", "the text of config `c` looks like the internal placeholder of a secret"),
    ]


def test_a_bare_variable_does_not_bring_a_secret_either(tmp_path):
    file = write(tmp_path, GOOD.replace("    build: ./web", "    build: ./web\n    environment: {BARE: }"))
    message = "the value of the environment variable BARE looks like the internal placeholder of a secret"
    assert [output for _, output in complaints(file, {"BARE": "{{ secret('A') }}"})] == [message]
    assert "BARE" not in resolve(read(file), "dev").services["web"].environment
    assert resolve(read(file, {"BARE": "x"}), "dev").services["web"].environment == {"BARE": "x"}


def test_an_approval_counts_distinct_people(tmp_path):
    def output(gate: str, top: str = "") -> list[str]:
        text = GOOD.replace("services:", f"roles: {{rm: [a@example.com, b@example.com]}}\n{top}services:", 1)
        return [
            m
            for _, m in complaints(
                write(tmp_path, f"{text}    gates: [{{approval: {{{gate}}}}}]\n", keys=f"a@example.com ssh-ed25519 {KEY}\n")
            )
        ]

    assert output("min: 9") == []
    assert output("min: 2, from: [rm, a@example.com]") == []
    assert output("min: 3, from: [rm, a@example.com]") == ["3 people must approve, but only 2 may: a@example.com, b@example.com"]
    assert output("min: 2", "approvers: keys\n") == ["2 people must approve, but only 1 may: a@example.com"]
    assert output("min: 2, from: [rm], grade: signed", "approvers: keys\n") == [
        "2 people must approve, but only 1 may: a@example.com"
    ]
    assert output("min: 2, from: [rm, c@example.com], require: [{role: rm, min: 2}], exclude: [author]") == []
    assert output("from: [c@example.com], require: [{role: rm}]") == ["1 of role rm must approve, but only 0 of them may"]
    assert output("from: [mr]", "x-y: 1\n") == []
    assert output("from: [r-m]") == ["unknown role `r-m`"]


def test_a_pattern_among_the_approvers_is_refused(tmp_path):
    file = write(
        tmp_path,
        GOOD.replace("services:", "approvers: keys\nservices:", 1),
        keys=f"a@example.com ssh-ed25519 {KEY}\n*@example.com ssh-ed25519 {KEY}\nlonely\n",
    )
    assert complaints(file) == [
        ("keys:2:1", "'*@example.com' is a pattern; name each person, because people are counted"),
        ("keys:3:1", "this line has no key"),
    ]


@pytest.mark.parametrize("example", sorted(path.parent.name for path in (ROOT / "pipelines").glob("*/pipeline.yaml")))
def test_the_examples_are_good(example):
    file = ROOT / "pipelines" / example / "pipeline.yaml"
    loaded = validate(file, source=SOURCE, environ={})
    assert {resolve(loaded, name).name for name in loaded.pipeline.needs} == set(loaded.pipeline.needs)


def big(environments: int) -> str:
    lines = [GOOD.partition("  dev:")[0]]
    for i in range(environments):
        lines.append(
            f"  e{i}:\n    vars: {{port: {10000 + i}, level: info}}\n    services: {{web: {{environment: {{LEVEL: '{{{{ level }}}}'}}}}}}\n"
        )
        lines.append(
            "    verify: [{http: {url: 'http://127.0.0.1:{{ port }}/'}}]\n    gates: [{soak: {in: e0, for: 1s}}]\n" if i else ""
        )
    return "".join(lines)


@pytest.mark.slow
def test_a_thousand_environments_take_linear_time_and_at_most_three_seconds(tmp_path):
    def seconds(count: int) -> float:
        file = write(tmp_path, big(count))
        start = time.process_time()
        assert complaints(file) == []
        return time.process_time() - start

    few, many = min(seconds(100) for _ in range(3)), min(seconds(1000) for _ in range(2))
    assert many < 3
    assert many < 30 * few


def test_a_cycle_of_a_thousand_environments_is_reported_without_recursion_error(tmp_path):
    text = big(1000).replace("  e0:\n", "  e0:\n    needs: [e999]\n")
    [(position, message)] = complaints(write(tmp_path, text))
    assert position == "9:12"
    assert message.startswith("`needs` has a cycle: e0 -> e999 -> e998 -> ")


def test_validating_a_plain_file_imports_neither_jinja2_nor_docker(tmp_path):
    file = write(tmp_path, GOOD.replace("18081", "\"{{ env('PORT', '18081') }}\""))
    code = (
        "import sys, json; from pathlib import Path; from promoter.pipeline.loader import validate\n"
        f"validate(Path({str(file)!r}), source=None, environ={{}})\n"
        "print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"jinja2", "docker", "requests", "sqlite3", "rich"} & set(json.loads(done.stdout))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 70000)
    | st.sampled_from(["", "x", "{{ port }}", "{{ nope }}", "80:80", "/a", "./web", "1s", "{{"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["http", "source", "target", "web", "a", "x-y", "from", "image", "build"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
KEYS = (
    "image",
    "build",
    "ports",
    "volumes",
    "networks",
    "environment",
    "healthcheck",
    "secrets",
    "configs",
    "depends_on",
    "deploy",
    "command",
    "env_file",
    "ulimits",
    "devices",
    "logging",
    "extra_hosts",
    "tmpfs",
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    top=st.dictionaries(
        st.sampled_from(
            ["networks", "volumes", "configs", "secrets", "roles", "registry", "approvers", "services", "environments"]
        ),
        VALUES,
        max_size=3,
    ),
    service=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4),
    environment=st.dictionaries(
        st.sampled_from(["vars", "needs", "services", "verify", "gates", "engine", "strategy", "front", "before"]),
        VALUES,
        max_size=4,
    ),
)
def test_any_invalid_file_gives_complaints_and_no_crash(tmp_path_factory, top, service, environment):
    document = {"name": "shop", "services": {"web": service}, "environments": {"dev": environment, "prod": {}}, **top}
    file = write(tmp_path_factory.getbasetemp(), json.dumps(document))
    output = complaints(file)
    assert all(position and message for position, message in output)


def test_revoked_keys_are_read_together_with_the_approvers(tmp_path):
    line = f"a@example.com ssh-ed25519 {KEY}\n"
    text = GOOD.replace("services:", "approvers: keys\nrevoked_keys: revoked\nservices:", 1)
    file = write(tmp_path, text, keys=line, revoked=f"ssh-ed25519 {KEY}\n")
    trust = read(file).pipeline.trust
    assert trust is not None
    assert trust.revoked.hold(trust.signers[0].key)


@pytest.mark.parametrize(
    ("head", "revoked", "message"),
    [
        ("revoked_keys: revoked", "", "has no effect without `approvers`"),
        ("approvers: keys\nrevoked_keys: nothing", "", "cannot read nothing: no such file or directory"),
        ("approvers: keys\nrevoked_keys: revoked", "rubbish here\n", "line 1 is neither a public key nor"),
        ("approvers: keys\nrevoked_keys: revoked", "SSHKRL\n\0...", "cannot read this revocation list"),
    ],
)
def test_a_revocation_list_that_cannot_be_read_is_never_an_empty_one(tmp_path, head, revoked, message):
    text = GOOD.replace("services:", f"{head}\nservices:", 1)
    file = write(tmp_path, text, keys=f"a@example.com ssh-ed25519 {KEY}\n", revoked=revoked)
    assert any(message in str(complaint) for complaint in complaints(file))


def test_who_may_override_must_be_able_to(tmp_path):
    text = f"{GOOD}    override: {{from: [a@example.com], min: 2, grade: asserted}}\n"
    assert "2 people must approve, but only 1 may" in str(complaints(write(tmp_path, text)))
    text = f"{GOOD}    override: {{from: [a@example.com]}}\n"
    assert "only signed votes count here" in str(complaints(write(tmp_path, text)))
