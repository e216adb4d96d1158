"""Defects that real Compose files showed: data was lost, and services that had ended were reported as healthy."""

import json
from collections.abc import Callable

from tests.live.stage import PAGE, Stage, page


def test_d1_what_is_put_back_runs_and_is_proven_in_the_order_of_depends_on(stage: Stage) -> None:
    services = {
        "db": stage.service("trap 'exit 0' TERM; while true; do nc -l -p 6379 -e cat; done", environment={"OK": "{{ ok }}"}),
        "app": stage.service(
            "sleep 0.2; while nc -w 1 db 6379 </dev/null; do sleep 0.2; done; echo database went away; exit 1",
            depends_on=["db"],
            environment={"OK": "{{ ok }}"},
            init=False,
        ),
        "web": stage.service('test "$OK" = 1 && exec sleep 1000', depends_on=["app"], environment={"OK": "{{ ok }}"}),
    }
    stage.file(services, {"dev": {"vars": {"ok": "1"}}})
    stage.promoter("run")
    stage.document["environments"]["dev"]["vars"]["ok"] = "2"
    stage.write()
    failed = stage.promoter("promote", "--json", code=None)
    running = {name: stage.of("dev", name).status for name in services}
    assert (failed.exit_code, running) == (6, dict.fromkeys(services, "running")), failed.text
    assert stage.promoter("status", "--json").json["environments"][0]["health"] in ("running", "healthy")


def test_d1_a_service_that_cannot_be_restored_is_reported(stage: Stage) -> None:
    once = "test ! -e /seen/once && touch /seen/once && exec sleep 1000"
    services = {
        "db": stage.service(environment={"V": "{{ v }}"}),
        "app": stage.service(once, volumes=["seen:/seen"], environment={"V": "{{ v }}"}, depends_on=["db"]),
    }
    stage.file(services, {"dev": {"vars": {"v": "1"}}}, volumes={"seen": {}})
    stage.promoter("run")
    stage.document["environments"]["dev"]["vars"]["v"] = "2"
    stage.write()
    failed = stage.promoter("promote", "--json", code=1)
    reasons = " ".join(failed.json["environments"][0]["reasons"])
    assert "dev could not be restored" in reasons and "proven healthy" not in reasons


def test_d2_what_is_in_an_anonymous_volume_goes_over_to_the_next_container(stage: Stage) -> None:
    services = {"db": stage.service(volumes=["/data"], environment={"V": "{{ v }}"})}
    stage.file(services, {"dev": {"vars": {"v": "1"}}})
    stage.promoter("run")
    stage.of("dev", "db").exec_run(["sh", "-c", "echo order > /data/orders"])
    for version in ("2", "3", "4"):
        stage.document["environments"]["dev"]["vars"]["v"] = version
        stage.write()
        stage.promoter("promote")
        assert stage.of("dev", "db").exec_run(["cat", "/data/orders"]).output == b"order\n", f"version {version}"
    volume = stage.of("dev", "db").attrs["Mounts"][0]["Name"]
    stage.file({"web": stage.service()}, {"dev": {}})
    gone = stage.promoter("run")
    assert volume in gone.text, "what may hold data is named, and not removed"
    assert stage.client.volumes.get(volume)
    stage.client.containers.prune(filters={"label": f"dev.promoter.pipeline={stage.name}"})
    stage.client.volumes.get(volume).remove()


def test_d3_one_changed_variable_replaces_one_container(stage: Stage, free_port: Callable[[], int]) -> None:
    port = free_port()
    services = {
        "db": stage.service(volumes=["data:/data"]),
        "vote": stage.service(
            PAGE.format("$V"), ports=[f"127.0.0.1:{port}:8080"], environment={"V": "{{ v }}"}, depends_on=["db"]
        ),
        "worker": stage.service(depends_on={"vote": {"condition": "service_started", "restart": True}}),
    }
    stage.file(services, {"dev": {"vars": {"v": "one"}}}, volumes={"data": {}})
    stage.promoter("run")
    before = {name: stage.of("dev", name) for name in services}
    stage.document["environments"]["dev"]["vars"]["v"] = "two"
    stage.write()
    ran = stage.promoter("promote", "--json")
    after = {name: stage.of("dev", name) for name in services}
    assert page(port) == "two"
    assert [name for name in services if before[name].id != after[name].id] == ["vote"]
    started = {name: (before[name].attrs["State"]["StartedAt"], after[name].attrs["State"]["StartedAt"]) for name in services}
    assert started["db"][0] == started["db"][1], "not even restarted"
    assert started["worker"][0] != started["worker"][1], "depends_on says `restart: true`"
    recorded = stage.facts()[-1]["services"]
    assert {name: one["containers"] for name, one in recorded.items()} == {name: [c.id] for name, c in after.items()}
    assert ran.json["environments"][0]["gap_ms"] > 0
    assert stage.promoter("promote", "--json").json["environments"][0]["status"] == "unchanged"
    stage.promoter("rollback", "dev", code=2)  # there is only one release, and no earlier one


def test_d3_a_protected_service_is_not_restarted_by_another(stage: Stage) -> None:
    services = {
        "cache": stage.service(environment={"V": "{{ v }}"}),
        "db": stage.service(depends_on={"cache": {"condition": "service_started", "restart": True}}, protected=True),
    }
    stage.file(services, {"dev": {"vars": {"v": "one"}}})
    stage.promoter("run")
    before = stage.of("dev", "db").attrs["State"]["StartedAt"]
    stage.document["environments"]["dev"]["vars"]["v"] = "two"
    stage.write()
    stage.promoter("promote")
    assert stage.of("dev", "db").attrs["State"]["StartedAt"] == before


def test_d10_a_migration_before_the_first_promotion_finds_the_database_that_its_service_depends_on(stage: Stage) -> None:
    migrate = [{"container": {"service": "web", "command": ["sh", "-c", "nc -w 1 db 6379 </dev/null && echo migrated"]}}]
    services = {
        "db": stage.service("trap 'exit 0' TERM; while true; do nc -l -p 6379 -e true; done"),
        "web": stage.service(depends_on=["db"]),
    }
    stage.file(services, {"dev": {"before": migrate}})
    stage.promoter("run")
    assert stage.of("dev", "web").status == "running"


def test_d10_without_depends_on_the_failure_has_a_hint(stage: Stage) -> None:
    migrate = [{"container": {"service": "web", "command": ["nc", "-w", "1", "db", "6379"]}}]
    stage.file({"db": stage.service(), "web": stage.service()}, {"dev": {"before": migrate}})
    failed = stage.promoter("run", code=1)
    assert "under `depends_on`" in failed.text
    assert stage.names() == []


def test_an_earlier_container_that_was_removed_in_the_middle_is_created_from_its_record(stage: Stage) -> None:
    once = 'test "$V" = 1 && exec sleep 1000; exit 3'
    stage.file({"web": stage.service(once, environment={"V": "{{ v }}"})}, {"dev": {"vars": {"v": "1"}}})
    stage.promoter("run")
    stage.document["environments"]["dev"]["vars"]["v"] = "2"
    remover = f"docker -H {stage.cli.env['DOCKER_HOST']} rm -f {stage.name}-dev-web"
    stage.document["environments"]["dev"]["before"] = [{"command": {"run": ["sh", "-c", remover]}}]
    stage.write()
    failed = stage.promoter("promote", "--json", code=6)
    assert "nothing ran in dev before" not in failed.text
    assert "V=1" in stage.of("dev", "web").attrs["Config"]["Env"]
    assert stage.of("dev", "web").status == "running"


def test_d7_a_service_in_the_network_of_another_starts_after_it_and_is_replaced_with_it(stage: Stage) -> None:
    services = {
        "app": stage.service("exec httpd -f -p 8080 -h /", network_mode="service:vpn"),
        "vpn": stage.service(environment={"V": "{{ v }}"}),
        "other": stage.service(),
    }
    verify = [{"container": {"service": "other", "command": ["wget", "-qO/dev/null", "http://vpn:8080/bin/busybox"]}}]
    stage.file(services, {"dev": {"vars": {"v": "1"}, "verify": verify}})
    stage.promoter("run")
    before = {name: stage.of("dev", name).id for name in services}
    stage.document["environments"]["dev"]["vars"]["v"] = "2"
    stage.write()
    stage.promoter("promote")
    after = {name: stage.of("dev", name).id for name in services}
    assert [name for name in services if before[name] != after[name]] == ["app", "vpn"]
    assert stage.promoter("promote", "--json").json["environments"][0]["status"] == "unchanged"
    stage.document["services"]["vpn"] |= {"command": ["sh", "-c", "exit 7"]}
    stage.write()
    stage.promoter("promote", code=6)
    assert {stage.of("dev", name).status for name in services} == {"running"}


def test_d11_a_bind_with_z_is_created(stage: Stage) -> None:
    (stage.cli.cwd / "shared").mkdir()
    stage.file({"web": stage.service(volumes=["./shared:/shared:ro,z"])}, {"dev": {}})
    stage.promoter("run")
    assert stage.of("dev", "web").attrs["HostConfig"]["Binds"] == [f"{stage.cli.cwd}/shared:/shared:ro,z"]


def test_keys_of_the_compose_specification_reach_the_engine(stage: Stage) -> None:
    keys = {
        "cpu_period": "50ms",
        "cpu_quota": 25_000,
        "device_cgroup_rules": ["c 1:3 mr"],
        "userns_mode": "host",
        "mac_address": "02:42:ac:11:00:07",
        "volumes_from": ["data:ro"],
        "label_file": "web.labels",
        "volumes": [{"type": "bind", "source": "./conf", "target": "/conf", "bind": {"recursive": "disabled"}}],
        "networks": {"low": {}, "high": {"priority": 5, "link_local_ips": ["169.254.7.7"]}},
    }
    (stage.cli.cwd / "conf").mkdir()
    (stage.cli.cwd / "web.labels").write_text("team=shop\n")
    services = {"web": stage.service(**keys), "data": stage.service(volumes=["/data"])}
    stage.file(services, {"dev": {}}, networks={"low": {}, "high": {}})
    stage.promoter("run")
    web, data = stage.of("dev", "web").attrs, stage.of("dev", "data").attrs
    host, networks = web["HostConfig"], web["NetworkSettings"]["Networks"]
    assert (host["CpuPeriod"], host["CpuQuota"], host["UsernsMode"]) == (50_000, 25_000, "host")
    assert host["DeviceCgroupRules"] == ["c 1:3 mr"] and host["NetworkMode"] == f"{stage.name}-dev-high"
    assert networks[f"{stage.name}-dev-high"]["MacAddress"] == "02:42:ac:11:00:07"
    assert networks[f"{stage.name}-dev-high"]["IPAMConfig"]["LinkLocalIPs"] == ["169.254.7.7"]
    mounts = {mount["Destination"]: mount for mount in web["Mounts"]}
    assert mounts["/data"]["Name"] == data["Mounts"][0]["Name"] and mounts["/data"]["RW"] is False
    assert host["Mounts"][0]["BindOptions"]["NonRecursive"] is True and web["Config"]["Labels"]["team"] == "shop"
    assert json.loads(stage.promoter("plan", "--json").stdout)["environments"][0]["status"] == "unchanged"


def test_a_gpu_that_the_engine_does_not_have_is_an_error_that_names_the_driver(stage: Stage) -> None:
    stage.file({"web": stage.service(gpus="all")}, {"dev": {}})
    failed = stage.promoter("run", "--json", code=1)
    [dev] = failed.json["environments"]
    assert dev["reason_code"] == "start_failed" and "gpu" in " ".join(dev["reasons"])
