# ruff: noqa: E501 (input beside result)
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from promoter.config.spec import Reading
from promoter.config.spec_errors import faults_of
from promoter.config.yaml.reader import read_document
from promoter.model.secrets import handle
from promoter.pipeline.compose.definitions import Written
from promoter.pipeline.compose.ports import clash
from promoter.pipeline.compose.service import Service

READING = Reading(Path("/base"), {"HOME": "/root"})


def read(yaml: str) -> Written:
    return Written.model_validate(read_document(yaml.encode(), "f").data, context=READING, by_alias=True, by_name=False)


def document(yaml: str) -> dict[str, object]:
    return read(yaml).model_dump(mode="json", exclude_unset=True)


def messages_of(yaml: str) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        read(yaml)
    return [(fault.at, fault.message) for fault in faults_of(caught.value, Written)]


FORMS = [
    ("command: a 'b c' \"d\"", ["a", "b c", "d"]),
    ("command: [a, 1, true]", None),
    (
        "command: app --token {{ secret('T') }} 'x {{ secret('T') }}'",
        ["app", "--token", "{{ secret('T') }}", "x {{ secret('T') }}"],
    ),
    ("entrypoint: []", []),
    ("environment: [A=1, B=x=y, HOME, NOPE, C=]", {"A": "1", "B": "x=y", "HOME": "/root", "C": ""}),
    (
        "environment: {A: 1, B: true, C: 1.10, D: , HOME: , E: 0x1F}",
        {"A": "1", "B": "true", "C": "1.10", "HOME": "/root", "E": "0x1F"},
    ),
    ("labels: [a=b, c]", {"a": "b", "c": ""}),
    ("labels: {a: 1, x-y: z}", {"a": "1", "x-y": "z"}),
    ("sysctls: {net.core.somaxconn: 1024}", {"net.core.somaxconn": "1024"}),
    ("user: 1000", "1000"),
    ("mem_limit: 64m", 64 * 1024**2),
    ("mem_limit: 1.5g", 1_610_612_736),
    ("shm_size: 1024", 1024),
    ("memswap_limit: '-1'", -1),
    ("cpus: '0.5'", 0.5),
    (
        "ulimits: {nofile: 1024, core: {soft: 0, hard: 1}}",
        {"nofile": {"soft": 1024, "hard": 1024}, "core": {"soft": 0, "hard": 1}},
    ),
    (
        "devices: ['/dev/a', '/dev/a:/dev/b', '/dev/a:/dev/b:r']",
        [
            {"source": "/dev/a", "target": "/dev/a", "permissions": "rwm"},
            {"source": "/dev/a", "target": "/dev/b", "permissions": "rwm"},
            {"source": "/dev/a", "target": "/dev/b", "permissions": "r"},
        ],
    ),
    ("cpu_quota: 50000", 50_000),
    ("cpu_period: '100000'", 100_000),
    ("cpu_rt_runtime: 400ms", 400_000),
    ("device_cgroup_rules: ['c 1:3 mr', 'a 7:* rmw', 'c 1:3 mr']", ["c 1:3 mr", "a 7:* rmw"]),
    ("gpus: all", [{"count": -1}]),
    (
        "gpus: [{driver: nvidia, count: all}, {device_ids: [0, '1']}]",
        [{"driver": "nvidia", "count": -1}, {"device_ids": ["0", "1"]}],
    ),
    (
        "blkio_config: {weight: 300, device_read_bps: [{path: /dev/a, rate: 12mb}]}",
        {"weight": 300, "device_read_bps": [{"path": "/dev/a", "rate": 12 * 1024**2}]},
    ),
    ("label_file: ./labels", ["/base/labels"]),
    (
        "build: {context: ., additional_contexts: [assets=./a, base=docker-image://x:1]}",
        {"context": ".", "additional_contexts": {"assets": "/base/a", "base": "docker-image://x:1"}},
    ),
    (
        "build: {context: ., secrets: [npm, {source: pip, target: pip_conf}]}",
        {"context": ".", "secrets": {"npm": handle("npm"), "pip_conf": handle("pip")}},
    ),
    ("build: {context: ., ssh: [default, key=./k]}", {"context": ".", "ssh": {"default": "", "key": "/base/k"}}),
    ("build: {context: ., ssh: true}", {"context": ".", "ssh": {"default": ""}}),
    ("build: {context: ., no_cache_filter: one}", {"context": ".", "no_cache_filter": ["one"]}),
    (
        "ports: ['80:80', '80:80', '80:80/udp']",
        [{"target": 80, "protocol": "tcp", "published": 80}, {"target": 80, "protocol": "udp", "published": 80}],
    ),
    (
        "extra_hosts: ['a=10.0.0.1', 'a:10.0.0.2', 'b:::1', 'c=[::2]']",
        {"a": ["10.0.0.1", "10.0.0.2"], "b": ["::1"], "c": ["::2"]},
    ),
    ("extra_hosts: {a: 10.0.0.1, b: [10.0.0.2, '::1']}", {"a": ["10.0.0.1"], "b": ["10.0.0.2", "::1"]}),
    ("dns: 1.1.1.1", ["1.1.1.1"]),
    ("tmpfs: /run", ["/run"]),
    ("expose: [3000, '53/udp', 8000-8010]", ["3000", "53/udp", "8000-8010"]),
    ("cap_add: [A, B, A]", ["A", "B"]),
    ("networks: [a, b]", {"a": {}, "b": {}}),
    ("networks: {a: , b: {aliases: [c]}}", {"a": {}, "b": {"aliases": ["c"]}}),
    ("depends_on: [a]", {"a": {}}),
    ("depends_on: {a: {condition: service_healthy}}", {"a": {"condition": "service_healthy"}}),
    (
        "healthcheck: {test: curl x, interval: 1m30s, retries: '3'}",
        {"test": ["CMD-SHELL", "curl x"], "interval": "1m30s", "retries": 3},
    ),
    ("healthcheck: {disable: true}", {"disable": True}),
    ("stop_grace_period: 1h", "1h"),
    ("restart: on-failure:3", "on-failure:3"),
    ("init: yes", True),
    ("build: ./web", {"context": "./web"}),
    ("build: {args: [A=1, HOME, NOPE], shm_size: 1m}", {"args": {"A": "1", "HOME": "/root"}, "shm_size": 1024**2}),
    ("logging: {driver: json-file, options: {max-file: 3}}", {"driver": "json-file", "options": {"max-file": "3"}}),
    (
        "deploy: {replicas: '2', resources: {limits: {cpus: '1', memory: 1k, pids: 5}}, x-a: 1}",
        {"replicas": 2, "resources": {"limits": {"cpus": 1.0, "memory": 1024, "pids": 5}}},
    ),
    ("env_file: a.env", [{"path": "/base/a.env"}]),
    (
        "env_file: [a.env, {path: /b.env, required: false, format: raw}]",
        [{"path": "/base/a.env"}, {"path": "/b.env", "required": False, "format": "raw"}],
    ),
    (
        "secrets: [a, {source: b, target: c, uid: '1', mode: 0400}, {source: d, target: /e}]",
        [
            {"source": "a", "target": "/run/secrets/a"},
            {"source": "b", "target": "/run/secrets/c", "uid": 1, "mode": 0o400},
            {"source": "d", "target": "/e"},
        ],
    ),
    (
        "configs: [a, {source: b, target: c/d, mode: 0o644}, {source: b, mode: '0600'}]",
        [
            {"source": "a", "target": "/a"},
            {"source": "b", "target": "/c/d", "mode": 0o644},
            {"source": "b", "target": "/b", "mode": 0o600},
        ],
    ),
]


@pytest.mark.parametrize(("yaml", "becomes"), FORMS, ids=[f[0][:50] for f in FORMS])
def test_every_form_becomes_the_canonical_one(yaml, becomes):
    key = yaml.partition(":")[0]
    if becomes is None:
        assert messages_of(yaml) == [((key, 2), "entry 3 of `command` must be a string, got true")]
        return
    found = document(yaml)
    assert found == {key: becomes}
    assert Written.model_validate(found).model_dump(mode="json", exclude_unset=True) == found


PORTS = [
    ("80", [(None, None, 80, "tcp")]),
    ("8080:80", [(None, 8080, 80, "tcp")]),
    ("'53:53/udp'", [(None, 53, 53, "udp")]),
    ("127.0.0.1:8080:80", [("127.0.0.1", 8080, 80, "tcp")]),
    ("127.0.0.1::80", [("127.0.0.1", None, 80, "tcp")]),
    ("'[::1]:8080:80'", [("::1", 8080, 80, "tcp")]),
    ("0:80", [(None, None, 80, "tcp")]),
    ("22:22", [(None, 22, 22, "tcp")]),
    ("3000-3002:4000-4002", [(None, 3000, 4000, "tcp"), (None, 3001, 4001, "tcp"), (None, 3002, 4002, "tcp")]),
    ("3000-3001", [(None, None, 3000, "tcp"), (None, None, 3001, "tcp")]),
    (
        "{target: 80, published: '8080', host_ip: 127.0.0.1, protocol: udp, name: x, app_protocol: http, mode: host}",
        [("127.0.0.1", 8080, 80, "udp")],
    ),
]


@pytest.mark.parametrize(("entry", "ports"), PORTS)
def test_ports_short_and_long(entry, ports):
    assert [(p.host_ip, p.published, p.target, p.protocol) for p in read(f"ports: [{entry}]").ports] == ports


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("a:80", "'a:80' is not a port"),
        ("'80/icmp'", "'80/icmp' has an unknown protocol 'icmp': expected tcp, udp or sctp"),
        ("70000:80", "'70000:80': host port 70000 is not between 1 and 65535"),
        ("'0'", "'0': container port 0 is not between 1 and 65535"),
        ("3000-3005:80", "'3000-3005:80' has 6 host ports for 1 container ports"),
        ("9-5", "'9-5': the range 9-5 runs backwards"),
        ("{published: 80}", "`target` is missing"),
        ("{target: 70000}", "`target` must be at most 65535, got the number 70000"),
        ("[80]", "entry 1 of `ports` must be a mapping, got a list"),
    ],
)
def test_invalid_ports_are_reported_at_their_position(entry, message):
    [(at, found)] = messages_of(f"ports: [1, {entry}]")
    assert (at[:2], found) == (("ports", 1), message.replace("entry 1", "entry 2"))


def test_a_range_does_not_shift_the_positions_of_what_follows():
    assert messages_of("ports: ['1-5:1-5', {target: x}]") == [
        (("ports", 1, "target"), "`target` must be a whole number, got the text 'x'")
    ]


def test_host_addresses_clash_when_one_is_everywhere():
    assert clash(None, "127.0.0.1") and clash("0.0.0.0", "10.0.0.1") and clash("::1", "::1")
    assert not clash("127.0.0.1", "10.0.0.1")


def test_what_compose_takes_for_no_limit_is_none():
    """compose.md section 1: `cpus: "0"` and `stop_grace_period: "0"` are in real files."""
    assert document("{cpus: '0', stop_grace_period: '0', deploy: {resources: {limits: {cpus: 0}}}}") == {
        "cpus": 0.0,
        "stop_grace_period": "0s",
        "deploy": {"resources": {"limits": {"cpus": 0.0}}},
    }


def test_an_address_may_be_empty():
    """compose.md section 1: `":80:80"` is in mailcow and immich."""
    assert document("ports: [':80:81', ':1-2:3-4/udp', ':80']")["ports"] == [
        {"target": 81, "published": 80, "protocol": "tcp"},
        {"target": 3, "published": 1, "protocol": "udp"},
        {"target": 80, "protocol": "tcp"},
        {"target": 4, "published": 2, "protocol": "udp"},
    ]


def test_one_text_may_list_several_addresses_of_a_host():
    """compose.md D16."""
    assert document("extra_hosts: {h: '10.0.0.1,[::1]', i: [10.0.0.2]}")["extra_hosts"] == {
        "h": ["10.0.0.1", "::1"],
        "i": ["10.0.0.2"],
    }
    assert document("extra_hosts: ['h=10.0.0.1,10.0.0.2', 'h:10.0.0.3']")["extra_hosts"] == {
        "h": ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    }


def test_a_mount_can_be_relabelled():
    """compose.md D11."""
    found = read("volumes: ['./a:/a:z', 'b:/b:ro,Z', {type: bind, source: /c, target: /c, bind: {selinux: z}}]").volumes
    assert [(mount.selinux, mount.read_only) for mount in found] == [("z", False), ("Z", True), ("z", False)]


MOUNTS = [
    ("data:/d", ("volume", "data", "/d", False)),
    ("data:/d:ro", ("volume", "data", "/d", True)),
    ("./a:/d", ("bind", "/base/a", "/d", False)),
    ("../a:/d:ro,rprivate", ("bind", "/a", "/d", True)),
    ("/a:/d:rw", ("bind", "/a", "/d", False)),
    ("/d", ("volume", None, "/d", False)),
    ("{type: bind, source: a, target: /d, read_only: true, bind: {create_host_path: false}}", ("bind", "/base/a", "/d", True)),
    ("{type: tmpfs, target: /d, tmpfs: {size: 1m, mode: 01777}}", ("tmpfs", None, "/d", False)),
    ("{type: volume, source: data, target: /d, volume: {nocopy: true, subpath: x}}", ("volume", "data", "/d", False)),
]


@pytest.mark.parametrize(("entry", "mount"), MOUNTS)
def test_mounts_short_and_long(entry, mount):
    [found] = read(f"volumes: [{entry}]" if entry[0] == "{" else f"volumes: ['{entry}']").volumes
    assert (found.type, found.source, found.target, found.read_only) == mount


def test_options_of_mounts_are_read():
    tmpfs, bind, volume = read(
        "volumes: [{type: tmpfs, target: /a, tmpfs: {size: 1m, mode: 01777}}, {type: bind, source: /b, target: /b, bind: {propagation: shared, create_host_path: false}},"
        " {type: volume, target: /c, volume: {nocopy: true, subpath: x}}]"
    ).volumes
    assert (tmpfs.tmpfs_size, tmpfs.tmpfs_mode) == (1024**2, 0o1777)
    assert (bind.propagation, bind.create_host_path) == ("shared", False)
    assert (volume.nocopy, volume.subpath) == (True, "x")


@pytest.mark.parametrize(
    ("yaml", "at", "message"),
    [
        (
            "volumes: [{type: bind, source: a, target: /b, bind: {selinux: z, create_host_path: false}}]",
            ("volumes", 0),
            "`selinux` needs permission to create the host path",
        ),
        (
            "volumes: [{type: volume, source: a, target: /b, volume: {subpath: x}, bind: {selinux: z}}]",
            ("volumes", 0),
            "`selinux` does not work with `subpath`",
        ),
        ("volumes: ['a:/b:cached']", ("volumes", 0), "`cached` is left out: only Docker Desktop uses it"),
        ("volumes: ['a:/b:wx']", ("volumes", 0), "'a:/b:wx' has an unknown option `wx`"),
        ("volumes: ['a:b']", ("volumes", 0), "the target 'b' is not an absolute path in the container"),
        ("volumes: ['a/b:/c']", ("volumes", 0), "'a/b' is not the name of a volume"),
        ("volumes: [{type: bind, target: /a}]", ("volumes", 0), "a bind mount needs a `source`"),
        ("volumes: [{type: tmpfs, source: x, target: /a}]", ("volumes", 0), "a tmpfs mount cannot have a `source`"),
        ("volumes: [{type: bind, source: a, target: /a, nocopy: true}]", ("volumes", 0, "nocopy"), "unknown key `nocopy`"),
        (
            "volumes: [{type: npipe, source: a, target: /a}]",
            ("volumes", 0, "type"),
            "`type` must be one of bind, volume, tmpfs, got the text 'npipe'",
        ),
        ("volumes: [7]", ("volumes", 0), "a mount must be a string or a mapping, got the number 7"),
        ("configs: [{source: a, mode: 440}]", ("configs", 0, "mode"), "440 is not read as octal"),
        ("configs: [{source: a, mode: '9'}]", ("configs", 0, "mode"), "'9' is not a mode"),
        ("secrets: [1]", ("secrets", 0), "expected a name or a mapping, got the number 1"),
        ("mem_limit: lots", ("mem_limit",), "'lots' is not a size"),
        ('command: "a \'b"', ("command",), "cannot split this command into words: no closing quotation"),
        ("healthcheck: {test: [curl]}", ("healthcheck", "test"), "a test must begin with CMD, CMD-SHELL or NONE"),
        ("healthcheck: {interval: 5}", ("healthcheck", "interval"), "5 has no unit: write for example 5s"),
        ("restart: maybe", ("restart",), "'maybe' is not a restart policy"),
        ("expose: [http]", ("expose", 0), "'http' is not a port"),
        ("devices: [ttyUSB0]", ("devices", 0), "'ttyUSB0' is not a device"),
        ("extra_hosts: [db]", ("extra_hosts", 0), "'db' is not a host and an address"),
        ("environment: ['=x']", ("environment", 0), "'=x' has no name"),
        ("environment: {A: [x]}", ("environment", "A"), "`A` must be a string, got a list"),
        ("environment: x", ("environment",), "`environment` must be a mapping or a list, got the text 'x'"),
        ("labels: [[x]]", ("labels", 0), "an entry must be a string, got a list"),
        ("cpus: .inf", ("cpus",), "`cpus` must be a number, got the number .inf"),
        ("ulimits: {nofile: {soft: 1}}", ("ulimits", "nofile"), "`hard` is missing"),
        (
            "depends_on: {a: {condition: ready}}",
            ("depends_on", "a", "condition"),
            "`condition` must be one of service_started, service_healthy, service_completed_successfully, got the text 'ready'",
        ),
        ("networks: {a: {alias: x}}", ("networks", "a", "alias"), "unknown key `alias`"),
        ("deploy: {resources: {limits: {memoyr: 1}}}", ("deploy", "resources", "limits", "memoyr"), "unknown key `memoyr`"),
        ("user: [1]", ("user",), "`user` must be a string, got a list"),
        ("hostname: true", ("hostname",), "`hostname` must be a string, got true"),
    ],
)
def test_an_unknown_form_is_reported_at_its_position(yaml, at, message):
    assert messages_of(yaml) == [(at, message)]


def test_a_service_reads_its_own_document_back():
    service = Service.model_validate(
        read(
            "{command: a b, ports: ['1-3:1-3'], volumes: ['./a:/b:ro'], mem_limit: 1g, stop_grace_period: 90s, ulimits: {a: 1}}"
        ).model_dump(exclude_unset=True)
    )
    assert Service.model_validate(service.document()) == service
    assert service.stop_grace_period == timedelta(seconds=90)
    assert service.document()["stop_grace_period"] == "1m30s"
