"""Environments on a Docker Swarm in the pipeline file: what is read, what a plan records and what is refused."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release, Source
from promoter.pipeline.compose.deploy import Deploy, UpdateConfig
from promoter.pipeline.compose.service import Attachment, Service
from promoter.pipeline.hosts import Host, read_host, swarm
from promoter.pipeline.loader import LoadedPipeline
from promoter.pipeline.model import Environment, Strategy
from promoter.pipeline.placement import is_swarm_constraint
from promoter.pipeline.swarm_spec import SwarmForm
from promoter.pipeline.validation.swarm_keys import refused_attachment, refused_keys
from promoter.promotion.plan import Plan, make_plan
from promoter.promotion.recorded_plan import recorded_plan
from tests.pipeline.pipeline_files import SOURCE, complaints, read, write

SCHEDULED = """\
    deploy:
      mode: replicated
      endpoint_mode: vip
      labels: {tier: front}
      update_config: {parallelism: 2, delay: 5s, monitor: 10s, max_failure_ratio: 0.1, order: start-first}
      rollback_config: {parallelism: 0}
      placement: {preferences: [{spread: node.labels.zone}], max_replicas_per_node: 1}
      restart_policy: {condition: on-failure, delay: 3s, window: 1m}
"""
PLAIN = """\
    deploy:
      restart_policy: {condition: on-failure}
"""


def file(service: str = "", environment: str = "", rest: str = "", strategy: str = "swarm", name: str = "shop") -> str:
    """Return a file with the service `web` and the environment `prod`. Further lines of the service begin on line 5."""
    return (
        f"name: {name}\nservices:\n  web:\n    image: registry.example.com/web:1\n{service}"
        f"environments:\n  prod:\n    strategy: {strategy}\n{environment}{rest}"
    )


def resolved(directory: Path, text: str) -> Environment:
    return loaded(directory, text).resolve("prod", SOURCE, None)


def loaded(directory: Path, text: str) -> LoadedPipeline:
    return read(write(directory, text))


def release() -> Release:
    image = ImageRef(Repository.parse("registry.example.com/web"), Digest.parse(f"sha256:{'a' * 64}"))
    return Release(images={"web": image}, source=Source())


def plan_of(environment: Environment) -> Plan:
    return make_plan("shop", environment, release(), lambda name: name, lambda *_: ())


# ---------------------------------------------------------------- what is read
def test_an_environment_on_a_swarm_is_one_host_with_all_managers(tmp_path: Path) -> None:
    found = resolved(tmp_path, file(environment="    engine: [ssh://a, ssh://b]\n"))
    assert found.strategy is Strategy.SWARM
    assert found.hosts == (Host(engine="ssh://a", managers=("ssh://a", "ssh://b")),)
    assert found.engines == ("ssh://a", "ssh://b")
    assert (found.rollout, found.front, found.swarm) == (None, None, SwarmForm())
    assert {name: network.driver for name, network in found.networks.items()} == {"shop-prod": "overlay"}
    assert set(found.on(found.hosts[0]).services) == {"web"}


def test_without_an_engine_the_local_one_is_the_manager(tmp_path: Path) -> None:
    assert resolved(tmp_path, file()).hosts == (Host(managers=(None,)),)


def test_the_timeout_is_an_option_of_the_strategy(tmp_path: Path) -> None:
    assert resolved(tmp_path, file(strategy="{swarm: {timeout: 10m}}")).swarm == SwarmForm(timeout=timedelta(minutes=10))
    assert resolved(tmp_path, file(strategy="recreate")).swarm is None


def test_another_strategy_has_neither_a_swarm_nor_overlay_networks(tmp_path: Path) -> None:
    found = resolved(tmp_path, file(environment="    engine: [ssh://a, ssh://b]\n", strategy="recreate"))
    assert [host.managers for host in found.hosts] == [(), ()]
    assert {network.driver for network in found.networks.values()} == {None}


def test_an_external_network_keeps_its_own_driver(tmp_path: Path) -> None:
    networks = "networks: {out: {external: true}, back: {}}\n"
    found = resolved(tmp_path, file("    networks: [back, out]\n", rest=networks)).networks
    assert {name: network.driver for name, network in found.items()} == {"shop-prod-back": "overlay", "out": None}


def test_a_swarm_keeps_every_key_of_deploy(tmp_path: Path) -> None:
    deploy = resolved(tmp_path, file(SCHEDULED)).services["web"].deploy
    update = UpdateConfig(
        parallelism=2,
        delay=timedelta(seconds=5),
        monitor=timedelta(seconds=10),
        max_failure_ratio=0.1,
        order="start-first",
    )
    assert (deploy.update_config, deploy.rollback_config, deploy.labels) == (
        update,
        UpdateConfig(parallelism=0),
        {"tier": "front"},
    )
    assert [one.spread for one in deploy.placement.preferences] == ["node.labels.zone"]
    assert deploy.placement.max_replicas_per_node == 1
    assert deploy.restart_policy is not None and deploy.restart_policy.delay == timedelta(seconds=3)
    assert Deploy() == Deploy(mode="replicated", endpoint_mode="vip")


@pytest.mark.parametrize("host", [swarm([None]), swarm(["ssh://a", "ssh://b"])])
def test_a_plan_records_a_swarm_and_reads_it_back(host: Host) -> None:
    assert read_host(json.loads(json.dumps(host.document()))) == host


def test_a_swarm_is_shown_by_the_addresses_of_its_managers() -> None:
    assert swarm(["ssh://a", "ssh://b"]).document() == {"swarm": ["ssh://a", "ssh://b"]}
    assert swarm([None]).document() == {"swarm": ["default"]}
    assert swarm(["ssh://a", "ssh://b"]).shown == "the swarm at ssh://a, ssh://b"


def test_a_recorded_plan_of_a_swarm_is_read_back_whole(tmp_path: Path) -> None:
    text = file(SCHEDULED, "    engine: [ssh://a, ssh://b]\n", strategy="{swarm: {timeout: 90s}}")
    made = plan_of(resolved(tmp_path, text))
    document = json.loads(json.dumps(made.document()))
    assert (document["swarm"], document["target"]) == ({"timeout": "1m30s"}, [{"swarm": ["ssh://a", "ssh://b"]}])
    today = replace(made.environment, strategy=Strategy.RECREATE, swarm=None, hosts=(Host(),), networks={}, services={})
    again = recorded_plan(document, today, release(), tmp_path, lambda *_: ())
    assert again.digest == made.digest
    assert again.environment.swarm == made.environment.swarm
    assert again.environment.hosts == made.environment.hosts
    assert again.environment.networks == made.environment.networks
    assert plan_of(again.environment).document() == document


# ---------------------------------------------------------------- without a swarm
@pytest.mark.parametrize("engine", ["", "    engine: [ssh://a, ssh://b]\n"])
def test_outside_a_swarm_its_keys_change_no_plan_and_are_remarked(tmp_path: Path, engine: str) -> None:
    with_keys = loaded(tmp_path, file(SCHEDULED, engine, strategy="recreate"))
    made = plan_of(with_keys.resolve("prod", SOURCE, None))
    assert made.document()["services"] == {
        "web": {"networks": {"shop-prod": {}}, "deploy": {"restart_policy": {"condition": "on-failure"}}}
    }
    assert made.digest == plan_of(resolved(tmp_path, file(PLAIN, engine, strategy="recreate"))).digest
    assert [(remark.line, remark.column, remark.message.partition(": ")[0]) for remark in with_keys.remarks] == [
        (6, 7, "`mode` is left out"),
        (7, 7, "`endpoint_mode` is left out"),
        (8, 7, "`labels` is left out"),
        (9, 7, "`update_config` is left out"),
        (10, 7, "`rollback_config` is left out"),
        (11, 19, "`preferences` is left out"),
        (11, 62, "`max_replicas_per_node` is left out"),
        (12, 47, "`delay` is left out"),
        (12, 58, "`window` is left out"),
    ]


def test_one_service_keeps_its_keys_only_in_the_environment_of_the_swarm(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        file("    deploy: {mode: global}\n", rest="  test:\n    services: {web: {deploy: {labels: {a: b}}}}\n"),
    )
    assert found.resolve("prod", SOURCE, None).services["web"].deploy.mode == "global"
    assert found.resolve("test", SOURCE, None).services["web"].deploy == Deploy()
    assert [(one.line, one.column, one.message) for one in found.remarks] == [
        (5, 14, "`mode` is left out: only a swarm's scheduler reads it (in test)"),
        (10, 31, "`labels` is left out: they belong to a swarm service, not to its containers"),
    ]


def test_with_named_hosts_the_constraints_stay(tmp_path: Path) -> None:
    deploy = (
        "    deploy: {placement: {constraints: [node.hostname == a], preferences: [{spread: node.labels.zone}]}}\n"
        "    restart: always\n"
    )
    several = resolved(tmp_path, file(deploy, "    engine: [ssh://a, ssh://b]\n", strategy="recreate"))
    assert several.services["web"].document()["deploy"] == {"placement": {"constraints": ["node.hostname == a"]}}
    assert "deploy" not in resolved(tmp_path, file(deploy, strategy="recreate")).services["web"].document()


# ---------------------------------------------------------------- what is refused
SERVICE_KEYS = {
    "container_name": "shop",
    "domainname": "example.com",
    "network_mode": "host",
    "devices": ["/dev/fuse"],
    "device_cgroup_rules": ["c 1:3 mr"],
    "gpus": "all",
    "privileged": "true",
    "userns_mode": "host",
    "ipc": "host",
    "pid": "host",
    "uts": "host",
    "cgroup": "private",
    "cgroup_parent": "m",
    "runtime": "runsc",
    "volumes_from": ["container:data"],
    "external_links": ["db"],
    "storage_opt": {"size": "1G"},
    "shm_size": "64m",
    "security_opt": ["no-new-privileges:true"],
    "mac_address": "02:42:ac:11:65:43",
    "annotations": {"a": "b"},
    "blkio_config": {"weight": 300},
    "cpuset": "0",
    "cpu_shares": "9",
    "cpu_period": "100000",
    "cpu_quota": "50000",
    "cpu_rt_period": "950000",
    "cpu_rt_runtime": "950000",
    "mem_swappiness": "0",
    "memswap_limit": "1g",
    "oom_kill_disable": "true",
    "oom_score_adj": "5",
    "trial": "true",
}
ATTACHMENT_KEYS = {
    "ipv4_address": "172.16.0.2",
    "ipv6_address": "fd00::2",
    "mac_address": "02:42:ac:11:65:43",
    "link_local_ips": ["169.254.1.1"],
    "gw_priority": "1",
    "interface_name": "eth7",
    "priority": "1",
}


@pytest.mark.parametrize("key", SERVICE_KEYS)
def test_a_key_that_a_swarm_service_cannot_have_is_refused(tmp_path: Path, key: str) -> None:
    line = f"    {key}: {json.dumps(SERVICE_KEYS[key])}\n"
    [(position, message)] = complaints(write(tmp_path, file(line)))
    assert position == "5:5"
    assert message.startswith(f"a Swarm service cannot have `{key}`: ")
    assert complaints(write(tmp_path, file(line, strategy="recreate"))) == []


@pytest.mark.parametrize("key", ATTACHMENT_KEYS)
def test_a_key_of_an_attachment_that_swarm_does_not_have_is_refused(tmp_path: Path, key: str) -> None:
    line = f"    networks: {{default: {{{key}: {json.dumps(ATTACHMENT_KEYS[key])}}}}}\n"
    [(position, message)] = complaints(write(tmp_path, file(line)))
    assert position == "5:26"
    assert message.startswith(f"a Swarm service cannot have `{key}`: ")


def test_every_key_of_the_tables_is_tested() -> None:
    everything = Service.model_validate(SERVICE_KEYS)
    assert {one.key for one in refused_keys(everything)} == set(SERVICE_KEYS)
    assert {one.key for one in refused_attachment(Attachment.model_validate(ATTACHMENT_KEYS))} == set(ATTACHMENT_KEYS)
    assert list(refused_keys(Service())) == list(refused_attachment(Attachment())) == []


REPLICAS = "    deploy: {replicas: 2}\n"
DATA = "    volumes: [data:/data]\n"
DNS = "letters, digits, - and _, and must end with a letter or digit"
EXCLUSIVE = "volumes: {data: {exclusive: true}}\n"
REFUSED = {
    "rollout": (
        file(environment="    rollout: {bake: 1m}\n"),
        [("8:5", "`rollout` has no effect with strategy swarm: Swarm chooses the nodes")],
    ),
    "front": (file(environment="    front: {mode: tcp}\n"), [("8:5", "`front` has no effect with strategy swarm")]),
    "name of a manager": (
        file(environment="    engine: [{name: a, engine: ssh://a}]\n"),
        [("8:15", "with strategy swarm an entry of `engine` is a manager and has no `name`")],
    ),
    "labels of the only manager": (
        file(environment="    engine: {engine: ssh://a, labels: {a: b}}\n"),
        [("8:31", "with strategy swarm an entry of `engine` is a manager and has no `labels`")],
    ),
    "a manager twice": (
        file(environment="    engine: [ssh://a, ssh://b, ssh://a]\n"),
        [("8:32", "manager 3 has the same address as manager 1: ssh://a")],
    ),
    "reserved devices": (
        file("    deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}\n"),
        [("5:41", "a Swarm service cannot have `devices`: a task gets nothing of the node that it runs on")],
    ),
    "an address of a port": (
        file('    ports: ["80", "127.0.0.1:8080:80"]\n'),
        [("5:19", "Swarm publishes port 80 on every address of the nodes, not only on 127.0.0.1")],
    ),
    "an ingress port without a virtual address": (
        file('    ports: ["8080:80"]\n    deploy: {endpoint_mode: dnsrr}\n'),
        [("5:13", "port 80 has `mode: ingress`, which needs `endpoint_mode: vip`")],
    ),
    "files beside the pipeline file": (
        file("    volumes: [./web:/web, {type: bind, source: web, target: /w}]\n"),
        [
            ("5:15", "./web is on this machine, not on the nodes of the swarm"),
            ("5:48", "web is on this machine, not on the nodes of the swarm"),
        ],
    ),
    "labels of SELinux": (file("    volumes: [/a:/a:z]\n"), [("5:14", "a mount of a Swarm service cannot have `selinux`: /a")]),
    "an option of a tmpfs": (
        file("    tmpfs: [/a, '/b:size=1m,mode=700', '/c:size=1m,noexec']\n"),
        [("5:12", "a Swarm service has no tmpfs option noexec: /c:size=1m,noexec")],
    ),
    "a size and a mode that are none": (
        file("    tmpfs: ['/a:size=big', '/b:mode=rwx']\n"),
        [
            ("5:12", "'mode=rwx' is not a mode of a tmpfs: /b:mode=rwx"),
            ("5:12", "'size=big' is not a size of a tmpfs: /a:size=big"),
        ],
    ),
    "a rollback by the engine": (
        file("    deploy: {update_config: {failure_action: rollback}}\n"),
        [("5:46", "`failure_action: rollback` would return or replace this service alone")],
    ),
    "a service that is to complete": (
        file("    depends_on: {job: {condition: service_completed_successfully}}\n  job: {image: busybox:1}\n"),
        [("5:18", "`web` waits for `job` to complete, and a Swarm service does not complete")],
    ),
    "replicas on each node": (
        file("    deploy: {mode: global, replicas: 2}\n"),
        [("5:28", "`mode: global` runs one task on each node, so `replicas` has no effect")],
    ),
    "scale on each node": (
        file("    deploy: {mode: global}\n    scale: 2\n"),
        [("6:5", "`mode: global` runs one task on each node, so `replicas` has no effect")],
    ),
    "another driver": (
        file("    networks: [back]\n", rest="networks: {back: {driver: bridge}}\n"),
        [("9:27", "the driver of network `back` is bridge, but services of a swarm need overlay")],
    ),
    "another driver of the default network": (
        file(rest="networks: {default: {driver: macvlan}}\n"),
        [("8:30", "the driver of network `default` is macvlan, but services of a swarm need overlay")],
    ),
    "an exclusive volume of two tasks": (
        file(REPLICAS + DATA, rest=EXCLUSIVE),
        [("6:14", "several tasks use the volume at /data, which is `exclusive: true`")],
    ),
    "an exclusive volume on each node": (
        file("    deploy: {mode: global}\n" + DATA, rest=EXCLUSIVE),
        [("6:14", "several tasks use the volume at /data, which is `exclusive: true`")],
    ),
    "an exclusive volume of a new task and an old one": (
        file("    deploy: {update_config: {order: start-first}}\n" + DATA, rest=EXCLUSIVE),
        [("6:14", "several tasks use the volume at /data, which is `exclusive: true`")],
    ),
    "another constraint": (
        file("    deploy: {placement: {constraints: [node.role == worker, disk == ssd]}}\n"),
        [("5:61", "`disk == ssd` is not a constraint of Swarm")],
    ),
    "a long name of a service": (
        file(name="s" * 55),
        [("3:3", f"Swarm refuses the service name {'s' * 55}-prod-web: it has 64 characters, more than 63")],
    ),
    "a long name of a network": (
        file("    networks: [back]\n", rest=f"networks: {{back: {{name: {'n' * 64}}}}}\n"),
        [("9:12", f"Swarm refuses the network name {'n' * 64}: it has 64 characters, more than 63")],
    ),
    "a long name of a job": (
        file(name="s" * 50, environment="    before: [{container: {service: web, command: [x]}}]\n"),
        [("8:5", f"Swarm refuses the service name {'s' * 50}-prod-before-1: it has 64 characters, more than 63")],
    ),
    "a dot in a name": (
        file(rest="networks: {default: {name: a.b}}\n"),
        [("8:12", f"Swarm refuses the network name a.b: it may only have {DNS}")],
    ),
    "less than a second": (file(strategy="{swarm: {timeout: 0s}}"), [("7:33", "no service converges in less than a second")]),
    "another option": (file(strategy="{swarm: {drain: 1s}}"), [("7:31", "swarm has no option `drain`")]),
    "a part of more than all": (
        file("    deploy: {update_config: {max_failure_ratio: 2}}\n"),
        [("5:49", "`max_failure_ratio` must be at most 1.0, got the number 2")],
    ),
    "one name of a service and a job": (
        file(environment="    before: [{container: {service: before-1, command: [x]}}]\n").replace("  web:", "  before-1:"),
        [("8:5", "service name shop-prod-before-1 is already used by before-1 in prod")],
    ),
    "a port of two environments": (
        file(
            '    ports: ["8080:80"]\n',
            "    engine: [ssh://a, ssh://b]\n",
            "  test:\n    strategy: swarm\n    engine: [ssh://b, ssh://a]\n",
        ),
        [("5:13", "host port 8080 of the swarm at ssh://b, ssh://a is already used by web in prod (in test)")],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_swarm_cannot_do_is_refused(tmp_path: Path, name: str) -> None:
    text, expected = REFUSED[name]
    assert complaints(write(tmp_path, text)) == expected


def test_a_strategy_that_this_version_does_not_support_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promoter.pipeline.validation.services.SUPPORTED", frozenset({Strategy.RECREATE}))
    assert complaints(write(tmp_path, file())) == [("7:15", "this version does not support strategy swarm")]


ACCEPTED = {
    "networks of a swarm": file(
        "    networks: [back, out]\n", rest="networks: {back: {driver: overlay}, out: {external: true, driver: weave}}\n"
    ),
    "replicas of one port": file('    ports: ["8080:80/udp"]\n' + REPLICAS),
    "a port of the node without a virtual address": file(
        "    ports: [{target: 80, published: 8080, mode: host}]\n    deploy: {endpoint_mode: dnsrr}\n"
    ),
    "one port of different nodes": file(
        "    ports: [{target: 80, published: 80, mode: host}]\n", rest="  test: {strategy: swarm, needs: []}\n"
    ),
    "one task with an exclusive volume": file(DATA, rest=EXCLUSIVE),
    "two tasks with a volume that is not exclusive": file(REPLICAS + DATA, rest="volumes: {data: {}}\n"),
    "absolute paths": file("    volumes: [/srv/data:/data]\n", "    engine: ssh://a\n"),
    "files without a writable root": file(
        "    read_only: true\n    configs: [motd]\n    tmpfs: [/tmp]\n",
        "    prefetch: true\n",
        "configs: {motd: {content: hi}}\n",
    ),
    "a pause": file("    deploy: {update_config: {failure_action: pause}}\n"),
    "one task on each node": file("    deploy: {mode: global}\n"),
    "names of exactly 63 characters": file(name="s" * 54),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_a_swarm_can_do_is_accepted(tmp_path: Path, name: str) -> None:
    assert complaints(write(tmp_path, ACCEPTED[name])) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("node.id == 2ivku8v2gvtg4", True),
        ("node.hostname != node-2", True),
        ("node.role==manager", True),
        ("node.role == leader", False),
        ("node.ip == 10.0.0.0/8", True),
        ("node.platform.os == linux", True),
        ("node.platform.arch == x86_64", True),
        ("node.platform.kernel == 6", False),
        ("node.labels.disk == ssd", True),
        ("engine.labels.com.example.rack!=r 1", True),
        ("Node.Labels.Disk == ssd", True),
        ("node.labels.disk = ssd", False),
        ("node.labels.disk ==", False),
        ("node.labels. == ssd", False),
        ("disk == ssd", False),
    ],
)
def test_the_forms_of_a_constraint_are_those_of_docker(text: str, expected: bool) -> None:
    assert is_swarm_constraint(text) is expected
