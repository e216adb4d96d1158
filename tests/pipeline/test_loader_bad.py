import time

import pytest

from promoter.model.errors import CallerError, InvalidFile
from promoter.model.release import Source
from promoter.pipeline.loader import validate
from tests.pipeline.pipeline_files import GOOD, SOURCE, complaints, write

SERVICE = "    build: ./web\n"
DEV = "    vars: {port: 18081}\n"
TEST = "    vars: {port: 18082}\n"
PORT = '"127.0.0.1:{{ port }}:8080"'

CASES = [
    # (the text to replace, the replacement, the positions and messages)
    ("name: shop", "name: Shop", [("1:7", "'Shop' is not a valid name")]),
    ("name: shop\n", "", [("1:1", "`name` is missing")]),
    ("name: shop\n", "name: shop\nfoo: 1\n", [("2:1", "unknown key `foo`")]),
    ("name: shop\n", "name: shop\nx-foo: 1\n", []),
    ("services:", "servces:", [("1:1", "`services` is missing"), ("3:1", "unknown key `servces`")]),
    (
        "registry: registry.example.com/acme\n",
        "",
        [("3:3", "service `web` is built here, but no registry is configured to push it to")],
    ),
    (
        "registry: registry.example.com",
        "registry: https://x.example.com",
        [("2:11", "'https://x.example.com/acme' is not a registry")],
    ),
    ("name: shop", "name: shop\napprovers: nobody", [("2:12", "cannot read nobody: no such file or directory")]),
    (
        "name: shop",
        "name: shop\nbuilder: kaniko",
        [("2:10", "`builder` must be one of auto, engine, buildx, got the text 'kaniko'")],
    ),
    (
        "name: shop",
        "name: shop\nledger: \"{{ secret('X') }}\"",
        [("2:9", "a secret is not allowed here: this key is read before the secrets")],
    ),
    ("name: shop", "name: shop\nregistry: x", [("3:1", "duplicate key `registry`; the first is on line 2")]),
    (
        "name: shop",
        "name: shop\nroles: {a: [], b: ['*']}",
        [
            ("2:12", "role `a` must be a list of people, got an empty list"),
            ("2:20", "expected the name of one person, got the text '*'"),
        ],
    ),
    (
        "name: shop",
        "name: shop\nidentities: {ana@x.org: [ana, '*'], ben@x.org: [Ana, ben], ben: cy, d: 1}",
        [
            ("2:31", "expected the name of one person, got the text '*'"),
            ("2:49", "Ana is already a name of ana@x.org; a name must belong to one person"),
            ("2:54", "ben is also listed as a person; a name must belong to one person"),
            ("2:72", "the names of d must be a list, got the number 1"),
        ],
    ),
    (
        "name: shop",
        "name: shop\nroles: {rm: [ana]}\nidentities: {ana@x.org: ana}",
        [
            ("2:14", "ana is another name of ana@x.org under `identities`"),
        ],
    ),
    (
        "name: shop",
        "name: shop\nsecrets: {A: {env: X, file: y}, B: {vault: x}, C: {}, D: {command: []}}",
        [
            ("2:14", "expected exactly one of env, environment, file, command"),
            ("2:37", "unknown key `vault`"),
            ("2:51", "expected exactly one of env, environment, file, command"),
            ("2:68", "`command` names no program"),
        ],
    ),
    # services
    (SERVICE, "", [("4:3", "service `web` has neither `image` nor `build`")]),
    (SERVICE, "    biuld: ./web\n", [("4:3", "service `web` has neither `image` nor `build`"), ("5:5", "unknown key `biuld`")]),
    (SERVICE, "    build: ./wbe\n", [("5:12", "build directory ./wbe not found")]),
    (SERVICE, "    build: {context: web, dockerfile: D}\n", [("5:39", "Dockerfile web/D not found")]),
    (
        SERVICE,
        "    build: https://example.com/x.git\n",
        [("5:12", "the context https://example.com/x.git is not a directory on this machine")],
    ),
    (
        SERVICE,
        "    build: {context: wbe, isolation: hyperv, argz: 1}\n",
        [
            ("5:22", "build directory wbe not found"),
            ("5:27", "`isolation` is not supported: it is for Windows containers"),
            ("5:46", "unknown key `argz`"),
        ],
    ),
    (SERVICE, SERVICE + "    image: shop/web:1.0\n", [("6:12", "'shop/web:1.0' must be a repository without tag or digest")]),
    (
        SERVICE,
        "    image: shop/web@sha256:abc\n",
        [("5:12", "'sha256:abc' is not a digest: write sha256: and 64 lower-case hex digits")],
    ),
    (
        SERVICE,
        SERVICE + "    links: [db]\n",
        [
            ("6:13", "unknown service `db`"),
        ],
    ),
    (
        SERVICE,
        SERVICE + "    healthcheck: {test: [curl], intervall: 3s, interval: 5}\n",
        [
            ("6:25", "a test must begin with CMD, CMD-SHELL or NONE"),
            ("6:33", "unknown key `intervall`"),
            ("6:58", "5 has no unit: write for example 5s"),
        ],
    ),
    (
        SERVICE,
        SERVICE + "    stop_grace_period: soon\n",
        [
            ("6:24", "'soon' is not a duration: write for example 500ms, 30s, 1m30s or 4h"),
        ],
    ),
    (
        SERVICE,
        SERVICE + "    privileged: maybe\n    command: [1, {a: b}]\n    user: [1]\n    environment: {A: [1]}\n    cap_add: NET\n",
        [
            ("6:17", "`privileged` must be true or false, got the text 'maybe'"),
            ("7:18", "entry 2 of `command` must be a string, got a mapping"),
            ("8:11", "`user` must be a string, got a list"),
            ("9:22", "`A` must be a string, got a list"),
            ("10:14", "`cap_add` must be a list, got the text 'NET'"),
        ],
    ),
    (
        SERVICE,
        SERVICE + "    networks: [front]\n    volumes: ['data:/d', 'x/y:/z', './a:/b:wx', 'q']\n",
        [
            ("6:16", "unknown network `front`"),
            ("7:26", "'x/y' is not the name of a volume"),
            ("7:36", "'./a:/b:wx' has an unknown option `wx`"),
            ("7:49", "the target 'q' is not an absolute path in the container"),
        ],
    ),
    (SERVICE, SERVICE + "    volumes: ['data:/d']\n", [("6:15", "unknown volume `data`")]),
    (SERVICE, SERVICE + "    secrets: [TOKEN]\n    configs: [motd]\n    env_file: none.env\n", None),
    (
        SERVICE,
        SERVICE + "    depends_on: [wbe]\n    pid: service:q\n",
        [("6:18", "unknown service `wbe`"), ("7:10", "unknown service `q`")],
    ),
    (
        SERVICE,
        SERVICE + "    network_mode: host\n    networks: [default]\n",
        [
            ("7:15", "`networks` and `network_mode: host` cannot be used together"),
            ("8:12", "with `network_mode: host` no port can be published"),
        ],
    ),
    (
        SERVICE,
        SERVICE + "    deploy: {replicas: 2}\n",
        [
            ("7:12", "2 replicas run side by side, but only one container can use host port 18081 (in dev)"),
            ("7:12", "2 replicas run side by side, but only one container can use host port 18082 (in test)"),
            ("7:12", "2 replicas run side by side, but only one container can use host port 18083 (in prod)"),
        ],
    ),
    (SERVICE, SERVICE + "    container_name: x\n", [("6:21", "container name x is already used by web in dev (in test, prod)")]),
    ("  web:\n", "  _web: {image: x}\n  web:\n", [("4:3", "'_web' is not a valid service name")]),
    # ports
    (
        PORT,
        '"{{ port }}:0"',
        [
            ("6:13", "'18081:0': container port 0 is not between 1 and 65535 (in dev)"),
            ("6:13", "'18082:0': container port 0 is not between 1 and 65535 (in test)"),
            ("6:13", "'18083:0': container port 0 is not between 1 and 65535 (in prod)"),
        ],
    ),
    (PORT, "8080:80:80:80", [("6:13", "'8080:80:80:80' is not a port")]),
    (PORT, "70000", [("6:13", "'70000': container port 70000 is not between 1 and 65535")]),
    (
        PORT,
        PORT + ', "{{ port }}:80/udp", "9:9", "127.0.0.1:9:10"',
        [
            ("6:63", "host port 9 of the default engine is already used by web in dev (in test, prod)"),
            ("6:70", "host port 9 of the default engine is already used by web in dev"),
        ],
    ),
    ("port: 18082", "port: 18081", [("6:13", "host port 18081 of the default engine is already used by web in dev (in test)")]),
    ("port: 18082", "port: abc", [("6:13", "'127.0.0.1:abc:8080' is not a port (in test)")]),
    # templates
    ("port: 18082", "prt: 18082", [("6:13", "`port` is not defined (in test)")]),
    (
        "port: 18082",
        "port: 18082, a: '{{ b }}', b: x, env: y, 'x-y': 1",
        [
            ("11:28", "`b` is a variable too, and variables cannot use other variables"),
            ("11:45", "`env` is not a valid variable name"),
            ("11:53", "`x-y` is not a valid variable name"),
        ],
    ),
    (PORT, "\"{{ ''.__class__.__mro__ }}\"", [("6:13", "templates cannot use the attribute `__class__`")]),
    (PORT, '"{{ port"', [("6:13", "cannot parse this template: unexpected end of template, expected 'end of print statement'.")]),
    (PORT, "\"{{ secret('NO') }}\"", [("6:13", "the secret NO is not declared")]),
    (PORT, "\"{{ env('NO') }}\"", [("6:13", "the environment variable NO is not set")]),
    (
        SERVICE,
        "    build: {context: web, args: {P: '{{ port }}', E: '{{ environment }}', R: '{{ release }}'}}\n",
        [
            ("5:37", "`port` is a variable of an environment, but this key is the same for all environments"),
            ("5:54", "`environment` cannot be used here: this key is the same for all environments"),
            ("5:78", "`release` cannot be used here: this key is read before there is a release"),
        ],
    ),
    # environments
    (TEST, TEST + "    need: [dev]\n", [("12:5", "unknown key `need`")]),
    (TEST, TEST + "    needs: [dve]\n", [("12:13", "unknown environment `dve`")]),
    (DEV, DEV + "    needs: prod\n", [("10:12", "`needs` has a cycle: dev -> prod -> test -> dev")]),
    (DEV, DEV + "    needs: {prod: 1}\n", [("10:12", "`needs` must be a list of environments, got a mapping")]),
    (
        TEST,
        TEST + "    services: {web: {image: x}, wbe: {}}\n",
        [
            ("12:22", "`image` cannot differ by environment: one release has one image for all of them"),
            ("12:33", "unknown service `wbe`"),
        ],
    ),
    (TEST, TEST + "    services: {web: {command: [{}]}}\n", [("12:32", "entry 1 of `command` must be a string, got a mapping")]),
    (TEST, TEST + "    strategy: {swarm: {wait: 1m}}\n", [("12:30", "swarm has no option `wait`")]),
    (
        TEST,
        TEST
        + "    engine: [ssh://a, ssh://b]\n    rollout: {batches: [1, 100%], bake: 1m, max_failures: 1, unreachable: skip}\n",
        [],
    ),
    (TEST, TEST + "    engine: [{name: a}]\n", [("12:14", "`engine` is missing")]),
    (TEST, TEST + "    engine: {name: a, engine: here}\n", [("12:13", "'here' is not the address of an engine")]),
    (
        TEST,
        TEST + "    engine: [ssh://a, here]\n    rollout: {bake: 1m}\n",
        [("12:23", "'here' is not the address of an engine")],
    ),
    (TEST, TEST + "    rollout: {bake: 1m}\n", [("12:5", "`rollout` has no effect: the environment has one host")]),
    (
        TEST,
        TEST + "    engine: [ssh://a, ssh://b]\n    rollout: {batches: [1, 9%], bake: 1m, max_failures: 1, unreachable: skip}\n",
        [],
    ),
    (
        TEST,
        TEST + "    engine: [ssh://a, ssh://a]\n",
        [
            ("6:13", "host port 18082 of ssh://a is already used by web in test (in test)"),
            ("12:23", "host 2 has the same engine as host 1: ssh://a"),
        ],
    ),
    (TEST, TEST + "    engine: [ssh://x@a, ssh://y@a]\n", [("12:25", "hosts 1 and 2 have the same name: a")]),
    (TEST, TEST + "    engine: [{name: a b, engine: ssh://a}]\n", [("12:21", "'a b' is not the name of a host")]),
    (TEST, TEST + "    engine: [{name: a}]\n", [("12:14", "`engine` is missing")]),
    (TEST, TEST + "    engine: {name: a, engine: here}\n", [("12:13", "'here' is not the address of an engine")]),
    (TEST, TEST + "    engine: []\n", [("12:13", "`engine` names no host")]),
    (TEST, TEST + "    rollout: {bake: 1m}\n", [("12:5", "`rollout` has no effect: the environment has one host")]),
    (
        TEST,
        TEST + "    engine: [ssh://a, ssh://b]\n    rollout: {max_failures: 2}\n",
        [("13:29", "`max_failures` must be smaller than the number of hosts, 2")],
    ),
    (
        TEST,
        TEST + "    engine: [ssh://a, ssh://b]\n    rollout: {batches: [0, 200%]}\n",
        [("13:25", "'0' is not the size of a batch"), ("13:28", "'200%' is not the size of a batch")],
    ),
    (TEST, TEST + "    engine: [ssh://a, ssh://b]\n    rollout: {batches: []}\n", [("13:24", "`batches` is empty")]),
    (
        SERVICE,
        SERVICE + "    deploy: {placement: {constraints: [node.labels.disk == ssd]}}\n",
        [],
    ),
    (TEST, TEST + "    strategy: rolling\n", [("12:15", "`strategy` must be one of recreate, start-first, hold, swarm")]),
    (TEST, TEST + "    front: {mode: tcp}\n", [("12:5", "`front` has no effect with strategy recreate")]),
    (TEST, TEST + "    strategy: hold\n    front: {caddy: {}}\n", [("13:13", "unknown key `caddy`")]),
    (TEST, TEST + "    strategy: {hold: {max_hold: 0s}}\n", [("12:33", "a hold of less than a second cannot be kept")]),
    (TEST, TEST + "    strategy: {start-first: {max_hold: 9s}}\n", [("12:40", "start-first has no option `max_hold`")]),
    (TEST, TEST + "    strategy: {start-first: {drain: 25h}}\n", [("12:37", "this is longer than a day")]),
    (
        TEST,
        TEST + "    strategy: hold\n    front: {health: x}\n",
        [("13:21", "'x' is not the path of a page")],
    ),
    (
        TEST,
        TEST + "    strategy: hold\n    front: {image: 'UPPER CASE'}\n",
        [("13:20", "'UPPER CASE' is not an image name: use lower-case letters, digits and . _ - between slashes")],
    ),
    (TEST, TEST + "    url: example.com\n", [("12:10", "'example.com' is not a web address")]),
    (TEST, TEST + "    url: https://x/{{ nothing }}\n", [("12:10", "`nothing` is not defined")]),
    (
        TEST,
        TEST + "    on_failure: retry\n    engine: localhost\n",
        [
            ("12:17", "`on_failure` must be one of rollback, stop, got the text 'retry'"),
            ("13:13", "'localhost' is not the address of an engine"),
        ],
    ),
    (SERVICE, SERVICE + "    volumes: ['./a:/a', {type: bind, source: b, target: /b}]\n", []),
    (
        TEST,
        TEST + "    engine: ssh://x\n    services: {web: {volumes: ['./a:/a']}}\n",
        [
            ("13:32", "./a is on this machine, but ssh://x is another machine"),
        ],
    ),
    ("  dev:\n", "  Dev:\n", [("8:3", "'Dev' is not a valid environment name")]),
    # checks and gates
    (TEST, TEST + "    verify: {http: x}\n", [("12:13", "`verify` must be a list, got a mapping")]),
    (
        TEST,
        TEST + "    verify: [{htp: {url: x}}, {http: {url: ftp://x, status: 99}}, [a]]\n",
        [
            ("12:15", "unknown check `htp`"),
            ("12:44", "`url` must be an address that begins with http:// or https://, got the text 'ftp://x'"),
            ("12:61", "`status` must be at least 100, got the number 99"),
            ("12:67", "a check must be a mapping, got a list"),
        ],
    ),
    (
        TEST,
        TEST + "    before: [{container: {service: wb, command: ls}}, {container: {service: web}}]\n",
        [
            ("12:36", "unknown service `wb`"),
            ("12:67", "`command` is missing"),
        ],
    ),
    (
        TEST,
        TEST + "    verify: [{command: {run: []}}, {soak: {in: dev, for: 1h}}]\n",
        [
            ("12:30", "`run` names no program"),
            ("12:37", "unknown check `soak`"),
        ],
    ),
    (
        TEST,
        TEST + "    gates: [{quorum: {}}, {http: {url: 'http://x'}, command: {run: x}}]\n",
        [
            ("12:14", "unknown gate `quorum`"),
            ("12:27", "expected one kind of gate, got http, command"),
        ],
    ),
    (
        TEST,
        TEST + "    gates: [{soak: {in: dve, for: 4h}}, {soak: {in: prod, for: 4h}}, {soak: {in: dev, for: 4}}]\n",
        [
            ("12:25", "unknown environment `dve`"),
            ("12:53", "prod is not upstream of test: a release does not pass through it"),
            ("12:92", "4 has no unit: write for example 4s"),
        ],
    ),
    (
        TEST,
        TEST + "    gates: [{window: {timezone: Mars/X, allow: [mon 9-10]}}]\n",
        [
            ("12:33", "'Mars/X' is not a time zone: write for example UTC or Europe/Bucharest"),
            ("12:48", "'mon 9-10' is not a range: write for example mon-thu 09:00-16:00, sat 10:00-12:00 or 22:00-02:00"),
        ],
    ),
    (
        TEST,
        TEST + "    gates: [{window: {freeze: [{from: 2026-12-20, to: 2026-12-01}]}}]\n",
        [
            ("12:32", "this freeze ends on 2026-12-01, before it begins on 2026-12-20"),
        ],
    ),
    (
        TEST,
        TEST + "    gates: [{approval: {min: 3, from: [a@example.com, b@example.com], require: [{role: rm}]}}]\n",
        [
            ("12:30", "3 people must approve, but only 2 may: a@example.com, b@example.com"),
            ("12:88", "unknown role `rm`"),
        ],
    ),
    (
        TEST,
        TEST + "    gates: [{approval: {from: ['*@example.com']}}]\n",
        [
            ("12:32", "'*@example.com' is a pattern; name each person, because people are counted"),
        ],
    ),
]


def _id(case):
    return "".join(c if c.isalnum() else "_" for c in case[1].strip()[-40:]) or "nothing"


@pytest.mark.parametrize(("old", "new", "message"), CASES, ids=[f"{i}-{_id(c)}" for i, c in enumerate(CASES)])
def test_an_invalid_value_is_reported_with_its_position(tmp_path, old, new, message):
    assert old in GOOD
    found = complaints(write(tmp_path, GOOD.replace(old, new, 1)))
    if message is None:
        assert found == [
            ("6:15", "unknown secret `TOKEN`"),
            ("7:15", "unknown config `motd`"),
            ("8:15", f"cannot read the env file {tmp_path}/none.env: no such file or directory"),
        ]
    else:
        assert found == message


TEXTS = [
    (b"", "1:1", "the file is empty"),
    (b"# nothing\n", "2:1", "the file is empty"),
    (b"name:\n\tx: 1\n", "2:1", "tabs are not allowed for indentation"),
    (b"name: a\n---\nname: b\n", "2:1", "expected one document, got a second one"),
    (b"- name\n", "1:1", "expected a mapping, got a list"),
    (b"name: \xff\n", "1:7", "byte 0xff is not UTF-8"),
    (b"name: {{ x }}\n", "1:8", "a key must be a string"),
    (
        b"name: [a\nb: c\n",
        "2:2",
        "invalid YAML: did not find expected ',' or ']' while parsing a flow sequence that begins on line 1",
    ),
    (b"name: !!python/object:os.system x\n", "1:7", "unknown tag !!python/object:os.system"),
    (b"a: &a [1]\nb: *c\n", "2:4", "*c names an anchor that is not defined above"),
]


@pytest.mark.parametrize(("text", "position", "message"), TEXTS)
def test_what_is_no_document_is_refused_at_its_position(tmp_path, text, position, message):
    assert complaints(write(tmp_path, text)) == [(position, message)]


def test_every_complaint_shows_its_line_with_a_caret_and_a_way_out(tmp_path):
    file = write(tmp_path, GOOD.replace("18082}", "18082}\n    needs: [dve]"))
    with pytest.raises(InvalidFile) as caught:
        validate(file, source=SOURCE, environ={})
    assert str(caught.value) == (
        f"{file}:12:13: unknown environment `dve`\n  12 |     needs: [dve]\n                   ^\n  did you mean `dev`?"
    )
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("strategy", "remedy"),
    [
        ("{hold: 30s}", "write `strategy: hold` or {hold: {…}}"),
        ("{recreate: {drain: 1s}}", "it has none: write `strategy: recreate`"),
        ("{start-first: {max_hold: 9s}}", "its options are drain, monitor"),
    ],
)
def test_an_option_that_a_strategy_does_not_have_is_reported_with_what_to_write(tmp_path, strategy, remedy):
    file = write(tmp_path, GOOD.replace(TEST, f"{TEST}    strategy: {strategy}\n"))
    with pytest.raises(InvalidFile) as caught:
        validate(file, source=SOURCE, environ={})
    assert str(caught.value).endswith(f"\n  {remedy}")


def test_a_missing_file_names_init(tmp_path):
    with pytest.raises(CallerError) as caught:
        validate(tmp_path / "nothing.yaml", source=SOURCE, environ={})
    assert "nothing.yaml" in caught.value.message
    assert "promoter init" in str(caught.value.hint)


def test_outside_a_checkout_the_source_is_not_known(tmp_path):
    file = write(tmp_path, GOOD.replace("build: ./web", "build: {context: web, args: {A: '{{ source.short_sha }}'}}"))
    assert complaints(file, source=Source()) == [
        ("5:37", "source.short_sha is unknown: this is not a git checkout with a commit")
    ]
    assert complaints(file) == []


@pytest.mark.parametrize(
    "text", ["[" * 10_000_000, "a:\n" + "".join(f"{' ' * i}-\n" for i in range(4000)), "a: " + "{b: " * 2_000_000]
)
def test_ten_megabytes_of_nesting_are_refused_within_a_second(tmp_path, text):
    file = write(tmp_path, text)
    start = time.process_time()
    [(_, message)] = complaints(file)
    assert message == "nested deeper than 64 levels"
    assert time.process_time() - start < 1


def test_an_alias_bomb_is_refused_within_a_second(tmp_path):
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    file = write(tmp_path, "a0: &a0 [x]\n" + "\n".join(levels) + "\n" + GOOD)
    start = time.process_time()
    [(_, message)] = complaints(file)
    assert message == "aliases expand this file to more than 250,000 values"
    assert time.process_time() - start < 1


def test_aliases_cannot_pile_up_depth(tmp_path):
    def nest(inner: str) -> str:
        return "[" * 40 + inner + "]" * 40

    [(_, message)] = complaints(write(tmp_path, f"a: &a {nest('x')}\nb: {nest('*a')}\n" + GOOD))
    assert message == "nested deeper than 64 levels"


@pytest.mark.parametrize("line", ["scale: {}", "deploy: {{replicas: {}}}"])
def test_a_number_of_replicas_that_fills_the_memory_is_refused(tmp_path, line):
    number = "9" * 40
    [(_, message)] = complaints(write(tmp_path, GOOD.replace("  web:\n", f"  web:\n    {line.format(number)}\n", 1)))
    assert message.endswith(f"must be at most 1000, got the number {number}"), message


@pytest.mark.parametrize("name", ['""', "."])
def test_a_list_of_compose_files_with_an_empty_name(tmp_path, name):
    text = f"name: shop\nregistry: registry.example.com/acme\nservices: [{name}]\nenvironments: {{dev: {{}}}}\n"
    assert complaints(write(tmp_path, text)) != []


@pytest.mark.parametrize("value", ["2147483648", "true", "{a: b}", "[[a]]"])
def test_profiles_of_any_kind_are_read_or_reported(tmp_path, value):
    """A number is a name. Everything else that is not a list of names is reported, and does not end the command."""
    found = complaints(write(tmp_path, GOOD.replace("  web:\n", f"  web:\n    profiles: {value}\n", 1)))
    assert all("profiles" in message or "service" in message for _, message in found), found
