"""The contract of every Cluster, fake or real: a class of tests with a `ClusterSite`, which adds the images."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest

from promoter.model.errors import EngineError, SecretError, StartError
from promoter.model.images import Digest, ImageRef
from promoter.model.secrets import handle
from promoter.pipeline.compose.build import Ulimit
from promoter.pipeline.compose.deploy import (
    Deploy,
    Limits,
    Placement,
    Preference,
    Reservations,
    Resources,
    RestartPolicy,
    UpdateConfig,
)
from promoter.pipeline.compose.service import Attachment, Healthcheck, Logging, Mount, Port, Service
from promoter.promotion.execution.swarm.convergence import is_converged
from promoter.promotion.inspection.cluster import differing
from promoter.promotion.ports.cluster import Cluster, ClusterService, Task
from promoter.promotion.ports.container import ContainerSpec, ExecResult, FileContent, NetworkSpec, VolumeSpec
from tests.fakes.engine import Behaviour
from tests.fakes.secrets import FakeSecrets

GREET = ("sh", "-c", "echo hello; exit 4")
RUNS = Behaviour(logs="one\ntwo\nthree\n", exec={GREET: ExecResult(4, "hello\n")})
ENDS, FAILS = Behaviour(exit_code=0, logs="done\n"), Behaviour(exit_code=3, logs="broken\n")
SICK = Behaviour(health="unhealthy", healthcheck=("CMD", "false"))
QUICK = UpdateConfig(monitor=timedelta(milliseconds=200))
LABEL = "dev.promoter"
READS = 600


class ClusterSite(Protocol):
    """`cluster`, and images for it. Names that begin with `prefix` belong to the test and are cleaned up."""

    cluster: Cluster
    prefix: str
    nodes: tuple[str, ...]

    def image(self, behaviour: Behaviour) -> ImageRef:
        """Return an image with this behaviour, which the registry has."""

    def version(self, name: str) -> int:
        """Return the version of a service: each change makes another one."""

    def use_by_hand(self, name: str, image: ImageRef) -> None:
        """Change the image of a service, as a person does without promoter."""

    def alone(self, node: str) -> Cluster:
        """Return the cluster as it is reached through this manager alone."""

    def pause(self) -> None:
        """Let the swarm work between two looks."""


Make = Callable[..., ContainerSpec]


def service_of(**settings: Any) -> Service:
    """Return a service whose tasks end at once, and whose updates are short."""
    deploy = settings.pop("deploy", Deploy())
    deploy = deploy if deploy.update_config else deploy.model_copy(update={"update_config": QUICK})
    return Service(**{"init": True, "stop_grace_period": timedelta(seconds=1), **settings, "deploy": deploy})


def labels_of(site: ClusterSite, promotion: str = "p1") -> dict[str, str]:
    return {**owner_of(site), f"{LABEL}.promotion": promotion}


def owner_of(site: ClusterSite) -> dict[str, str]:
    return {f"{LABEL}.pipeline": site.prefix, f"{LABEL}.environment": "test"}


def of(spec: ContainerSpec, promotion: str, **environment: str) -> ContainerSpec:
    """Return the same service in another promotion, with more variables."""
    service = spec.service.model_copy(update={"environment": {**spec.service.environment, **environment}})
    return replace(spec, service=service, labels={**spec.labels, f"{LABEL}.promotion": promotion})


def file_of(site: ClusterSite, content: str, *, secret: bool, path: str = "/run/secrets/it") -> FileContent:
    return FileContent(path, content, 7, 8, 0o440, f"{site.prefix}-{uuid4().hex[:8]}", secret)


class ClusterContract:
    """Subclasses define the fixture `site`."""

    @pytest.fixture
    def make(self, site: ClusterSite) -> Iterator[Make]:
        """Return a function that describes a service with a name of its own."""

        def made(behaviour: Behaviour = RUNS, **settings: Any) -> ContainerSpec:
            files = settings.pop("files", ())
            volumes = settings.pop("volume_specs", {})
            name = f"{site.prefix}-{uuid4().hex[:8]}"
            service = service_of(**settings)
            return ContainerSpec(name, site.image(behaviour), service, labels_of(site), files, volumes=volumes)

        yield made
        for container in site.cluster.find(owner_of(site)):
            site.cluster.remove(container.id)
        site.cluster.remove_files(owner_of(site), ())

    def until(self, site: ClusterSite, name: str, reached: Callable[[ClusterService], bool]) -> ClusterService:
        """Look at a service until it is as expected."""
        seen = None
        for _ in range(READS):
            seen = site.cluster.service(name)
            assert seen is not None, name
            if reached(seen):
                return seen
            site.pause()
        pytest.fail(f"this did not come: {seen}")

    def converged(self, site: ClusterSite, name: str) -> ClusterService:
        return self.until(site, name, is_converged)

    def running(self, site: ClusterSite, spec: ContainerSpec, secrets: FakeSecrets | None = None) -> ClusterService:
        """Apply a service and wait until it runs."""
        site.cluster.ensure_files(spec.files, owner_of(site), secrets or FakeSecrets())
        site.cluster.apply(spec, secrets or FakeSecrets())
        return self.converged(site, spec.name)

    def ended(self, site: ClusterSite, job: str) -> int:
        for _ in range(READS):
            if (code := site.cluster.wait(job, 0.2)) is not None:
                return code
        pytest.fail("the job did not end")

    # -------------------------------------------------------------- the swarm
    def test_a_swarm_is_itself_twice(self, site):
        assert site.cluster.identify() == site.cluster.identify()
        assert site.cluster.identify().fingerprint and site.cluster.identify().keeps_containers

    def test_an_overlay_network_is_made_once_and_belongs_to_its_owner(self, site, make):
        name, owner = f"{site.prefix}-{uuid4().hex[:8]}", owner_of(site)
        for _ in range(2):
            site.cluster.ensure_network(NetworkSpec(name, owner, driver="overlay"), owner)
        with pytest.raises(StartError, match=f"network {name} is not ours") as caught:
            site.cluster.ensure_network(NetworkSpec(name, {}, driver="overlay"), {f"{LABEL}.pipeline": "other"})
        assert not caught.value.lost
        spec = make(networks={name: Attachment(aliases=("web",))}, deploy=Deploy(replicas=0))
        site.cluster.apply(spec, FakeSecrets())
        assert self.differing(site, spec) == ()
        site.cluster.remove(spec.name)

    def test_a_network_that_is_not_there_is_an_error(self, site, make):
        spec = make(networks={f"{site.prefix}-nowhere": Attachment()})
        with pytest.raises(StartError, match="nowhere"):
            site.cluster.apply(spec, FakeSecrets())
        assert site.cluster.service(spec.name) is None

    # -------------------------------------------------------------- services
    def test_a_service_is_read_as_it_was_created(self, site, make):
        spec = make(deploy=Deploy(replicas=2, labels={"team": "shop"}))
        assert site.cluster.service(spec.name) is None
        seen = self.running(site, spec)
        assert (seen.name, seen.wanted, seen.running, seen.replicas, seen.update) == (spec.name, 2, 2, 2, "")
        assert seen.labels == {**spec.labels, "team": "shop"}
        assert {(task.name, task.state, task.promotion) for task in seen.tasks} == {
            (f"{spec.name}.1", "running", "p1"),
            (f"{spec.name}.2", "running", "p1"),
        }
        assert {task.node for task in seen.tasks} <= set(site.nodes)
        assert site.cluster.digest_of(seen.id, spec.image.repository, spec.image.digest) == spec.image.digest
        shown = site.cluster.inspect(seen.id)
        assert (shown.name, shown.status, shown.health, shown.shortfall) == (spec.name, "running", None, "")
        assert site.cluster.inspect(spec.name) == shown
        assert site.cluster.service(seen.id).name == spec.name

    def test_a_service_with_a_task_on_every_node(self, site, make):
        seen = self.until(
            site,
            self.running(site, make(deploy=Deploy(mode="global"))).name,
            lambda one: len([task for task in one.tasks if task.state == "running"]) == len(site.nodes),
        )
        assert (seen.replicas, seen.wanted, seen.running) == (None, len(site.nodes), len(site.nodes))
        assert {task.node for task in seen.tasks} == set(site.nodes)

    def test_applying_it_again_changes_nothing(self, site, make):
        spec = make(environment={"LEVEL": "info"})
        first = self.running(site, spec)
        version = site.version(spec.name)
        assert site.cluster.apply(spec, FakeSecrets()) == first.id
        assert site.version(spec.name) == version
        assert [task.id for task in site.cluster.service(spec.name).tasks] == [task.id for task in first.tasks]

    def test_another_environment_updates_the_service(self, site, make):
        spec = make(environment={"LEVEL": "info"})
        first = self.running(site, spec)
        wanted = of(spec, "p2", LEVEL="debug")
        assert differing(site.cluster.observe(wanted.name, wanted)) == ("environment.LEVEL",)
        assert site.cluster.apply(wanted, FakeSecrets()) == first.id
        seen = self.until(site, spec.name, lambda one: one.update == "completed")
        assert is_converged(seen) and seen.labels[f"{LABEL}.promotion"] == "p2"
        assert [task.promotion for task in seen.tasks if task.wanted] == ["p2"]
        assert site.cluster.observe(wanted.name, wanted).found["environment.LEVEL"] == "debug"

    def test_a_restart_replaces_the_tasks_of_an_unchanged_service(self, site, make):
        spec = make()
        before = self.running(site, spec).tasks[-1].id
        site.cluster.apply(spec, FakeSecrets(), restart=True)
        seen = self.until(site, spec.name, lambda one: one.update == "completed")
        assert [task.id == before for task in seen.tasks if task.wanted] == [False]
        version = site.version(spec.name)
        site.cluster.apply(spec, FakeSecrets())
        assert site.version(spec.name) == version

    def test_another_number_of_replicas_keeps_the_tasks_that_run(self, site, make):
        spec = make()
        before = {task.id for task in self.running(site, spec).tasks}
        more = replace(
            of(spec, "p2"), service=spec.service.model_copy(update={"deploy": Deploy(replicas=2, update_config=QUICK)})
        )
        site.cluster.apply(more, FakeSecrets())
        seen = self.until(site, spec.name, lambda one: one.running == 2 and is_converged(one))
        assert {task.id for task in seen.tasks if task.wanted} > before
        assert (seen.labels, seen.template) == (more.labels, "p1")

    def test_a_task_that_fails_pauses_the_update(self, site, make):
        spec = make(deploy=Deploy(replicas=2))
        self.running(site, spec)
        bad = replace(of(spec, "p2"), image=site.image(SICK))
        bad = replace(bad, service=bad.service.model_copy(update={"healthcheck": check(*SICK.healthcheck)}))
        site.cluster.apply(bad, FakeSecrets())
        seen = self.until(site, spec.name, lambda one: one.update == "paused")
        failed = [task for task in seen.tasks if task.failed]
        assert "paused" in seen.message and "unhealthy container" in failed[0].sentence
        assert (failed[0].promotion, failed[0].node in site.nodes) == ("p2", True)
        assert [task.promotion for task in seen.tasks if task.wanted and task.state == "running"] == ["p1"]
        assert not is_converged(seen)
        assert site.cluster.inspect(spec.name).status == "degraded"
        site.cluster.revert(spec, "p2", FakeSecrets())
        assert {task.promotion for task in self.converged(site, spec.name).tasks if task.wanted} == {"p1"}

    def test_a_service_that_is_not_there_is_removed_without_an_error(self, site, make):
        spec = make()
        site.cluster.remove(spec.name)
        identifier = self.running(site, spec).id
        site.cluster.remove(identifier)
        assert site.cluster.service(spec.name) is None and site.cluster.inspect(identifier) is None
        assert site.cluster.observe(spec.name, spec) is None
        with pytest.raises(EngineError):
            site.cluster.digest_of(identifier, spec.image.repository, spec.image.digest)

    def test_services_are_found_by_their_labels(self, site, make):
        one, two = make(), replace(make(), labels={**labels_of(site), "color": "blue"})
        for spec in (one, two):
            site.cluster.apply(spec, FakeSecrets())
        found = site.cluster.labels_by_name()
        assert (found[one.name], found[two.name]) == (one.labels, two.labels)
        assert {seen.name for seen in site.cluster.find(owner_of(site))} == {one.name, two.name}
        assert [seen.name for seen in site.cluster.find({**owner_of(site), "color": "blue"})] == [two.name]
        assert site.cluster.find({f"{LABEL}.pipeline": "other"}) == ()

    # -------------------------------------------------------------- settings
    def differing(self, site: ClusterSite, spec: ContainerSpec) -> tuple[str, ...]:
        """Return the paths that differ, and require that the image is the same."""
        seen = site.cluster.observe(spec.name, spec)
        assert seen is not None and seen.digests == {spec.image.digest}
        return differing(seen)

    def test_nothing_differs_from_what_was_applied(self, site, make):
        files = (file_of(site, "x", secret=True), file_of(site, "y", secret=False, path="/etc/motd"))
        spec = make(files=files, **everything(site))
        secrets = FakeSecrets({"token": "hunter2"})
        site.cluster.ensure_files(files, owner_of(site), secrets)
        site.cluster.apply(spec, secrets)
        assert self.differing(site, spec) == ()
        version = site.version(spec.name)
        site.cluster.apply(spec, secrets)
        assert site.version(spec.name) == version
        found = site.cluster.observe(spec.name, spec).found
        assert (
            found["environment.TOKEN"] == "hunter2" and {f"secrets.{files[0].name}", f"configs.{files[1].name}"} <= found.keys()
        )

    def test_each_setting_that_differs_is_named_alone(self, site, make):
        spec = make(**everything(site))
        site.cluster.apply(spec, FakeSecrets({"token": "hunter2"}))
        for path, change in OTHERWISE.items():
            other = replace(spec, service=spec.service.model_copy(update=change(spec.service)))
            assert self.differing(site, other) == (path,), path

    def test_a_service_with_nothing_set_does_not_differ(self, site, make):
        spec = replace(make(), service=Service(command=("sleep", "1000")))
        site.cluster.apply(spec, FakeSecrets())
        assert self.differing(site, spec) == ()

    # -------------------------------------------------------------- revert
    def test_a_service_returns_to_what_it_was_without_its_secret(self, site, make):
        file = file_of(site, handle("token"), secret=True)
        spec = make(environment={"TOKEN": handle("token")}, files=(file,))
        self.running(site, spec, FakeSecrets({"token": "one"}))
        failed = replace(of(spec, "p2", LEVEL="debug"), files=())
        self.running(site, failed, FakeSecrets({"token": "two"}))
        assert site.cluster.observe(failed.name, failed).found["environment.TOKEN"] == "two"
        for _ in range(2):  # a request that is repeated changes nothing more
            site.cluster.revert(spec, "p2", FakeSecrets())
        found = site.cluster.observe(spec.name, spec)
        assert (differing(found), found.found["environment.TOKEN"]) == ((), "one")
        assert f"secrets.{file.name}" in found.found
        seen = self.converged(site, spec.name)
        assert {task.promotion for task in seen.tasks if task.wanted} == {"p1"}
        with pytest.raises(SecretError):
            site.cluster.revert(replace(spec, image=failed.image, labels=labels_of(site, "p0")), "p1", FakeSecrets())

    def test_what_was_done_by_hand_is_no_earlier_configuration(self, site, make):
        spec = make()
        self.running(site, spec)
        other = site.image(ENDS)
        site.use_by_hand(spec.name, other)
        failed = of(spec, "p2", LEVEL="debug")
        self.running(site, failed)
        site.cluster.revert(spec, "p2", FakeSecrets())
        assert site.cluster.observe(spec.name, spec).digests == {spec.image.digest}
        self.converged(site, spec.name)

    def test_a_return_may_be_quicker_than_an_update(self, site, make):
        quick = UpdateConfig(parallelism=0, order="start-first", monitor=timedelta(milliseconds=100))
        spec = make(deploy=Deploy(rollback_config=quick, update_config=QUICK))
        self.running(site, spec)
        self.running(site, of(spec, "p2", LEVEL="debug"))
        site.cluster.revert(spec, "p2", FakeSecrets(), quickly=True)
        self.converged(site, spec.name)
        assert self.differing(site, spec) == ("deploy.update_config",)
        assert "start-first" in str(site.cluster.observe(spec.name, spec).found["deploy.update_config"])
        site.cluster.revert(spec, "p2", FakeSecrets())
        assert self.differing(site, spec) == ()
        seen = self.converged(site, spec.name)
        assert [task.promotion for task in seen.tasks if task.wanted] == ["p1"]

    # -------------------------------------------------------------- jobs and pulls
    @pytest.mark.parametrize(("behaviour", "code"), [(ENDS, 0), (FAILS, 3)], ids=["0", "3"])
    def test_a_job_runs_once_and_has_an_exit_code_and_a_log(self, site, make, behaviour, code):
        spec = make(behaviour, restart="always")
        job = site.cluster.create(spec, FakeSecrets())
        site.cluster.start(job)
        assert self.ended(site, job) == code
        assert site.cluster.logs(job, 10).split() == behaviour.logs.split()
        seen = site.cluster.inspect(job)
        assert (seen.status, seen.exit_code, seen.name) == ("exited", code, spec.name)
        for _ in range(10):  # it is not started again, as a service would be
            site.pause()
            assert [task.state for task in site.cluster.service(job).tasks] == ["failed" if code else "complete"]
        with pytest.raises(StartError, match=spec.name):
            site.cluster.create(spec, FakeSecrets())
        site.cluster.remove(job)
        with pytest.raises(EngineError):
            site.cluster.wait(job, 0.1)

    def test_a_job_that_cannot_start_has_ended_with_an_error(self, site, make):
        spec = make()
        job = site.cluster.create(replace(spec, image=absent(spec.image)), FakeSecrets())
        assert self.ended(site, job) == 125
        assert "No such image" in site.cluster.inspect(job).error
        assert "No such image" in site.cluster.logs(job, 10)

    def test_a_job_brings_its_files(self, site, make):
        file = file_of(site, handle("token"), secret=True)
        job = site.cluster.create(make(ENDS, files=(file,)), FakeSecrets({"token": "hunter2"}))
        assert self.ended(site, job) == 0
        assert site.cluster.missing_files((file,)) == ()

    def test_every_node_pulls_an_image_and_runs_nothing_of_it(self, site, make):
        spec = make()
        job = site.cluster.spread(spec)
        seen = self.until(site, job, lambda one: {task.node for task in one.tasks if task.failed} == set(site.nodes))
        assert not [task for task in seen.tasks if task.state in ("running", "complete", "rejected")], seen.tasks
        assert "one" not in site.cluster.logs(job, 10)

    def test_only_the_nodes_on_which_it_may_run_pull(self, site, make):
        spec = make(deploy=Deploy(placement=Placement(constraints=(f"node.hostname == {site.nodes[1]}",))))
        seen = self.until(site, site.cluster.spread(spec), lambda one: any(task.failed for task in one.tasks))
        assert {task.node for task in seen.tasks} == {site.nodes[1]}

    def test_an_image_that_the_registry_does_not_have_is_rejected_on_every_node(self, site, make):
        spec = make()
        job = site.cluster.spread(replace(spec, image=absent(spec.image)))

        def rejected(seen: ClusterService) -> list[Task]:
            return [task for task in seen.tasks if task.state == "rejected"]

        self.until(site, job, lambda one: {task.node for task in rejected(one)} == set(site.nodes))
        for _ in range(10):  # no node tries again
            site.pause()
            seen = site.cluster.service(job)
            assert [(task.state, "No such image" in task.error) for task in seen.tasks] == [("rejected", True)] * len(site.nodes)

    # -------------------------------------------------------------- secrets and configs
    def test_secrets_and_configs_are_made_once_and_belong_to_their_owner(self, site, make):
        files = (file_of(site, handle("token"), secret=True), file_of(site, "plain", secret=False))
        owner = owner_of(site)
        assert site.cluster.missing_files(files) == files
        with pytest.raises(SecretError):
            site.cluster.ensure_files(files[:1], owner, FakeSecrets())
        site.cluster.ensure_files(files[:1], owner, FakeSecrets({"token": "hunter2"}))
        assert site.cluster.missing_files(files) == files[1:]
        site.cluster.ensure_files(files, owner, FakeSecrets())  # the value of the one that is there is not needed
        assert site.cluster.missing_files(files) == ()
        for file in files:
            kind = "secret" if file.secret else "config"
            with pytest.raises(StartError, match=f"{kind} {file.name} is not ours"):
                site.cluster.ensure_files((file,), {f"{LABEL}.pipeline": "other"}, FakeSecrets({"token": "hunter2"}))
        assert site.cluster.remove_files(owner, ()) == tuple(sorted(file.name for file in files))

    def test_files_that_are_used_or_kept_are_not_removed(self, site, make):
        used, kept, left = (file_of(site, "x", secret=True) for _ in range(3))
        owner = owner_of(site)
        site.cluster.ensure_files((used, kept, left), owner, FakeSecrets())
        spec = make(files=(used,))
        site.cluster.apply(spec, FakeSecrets())
        assert site.cluster.remove_files({f"{LABEL}.pipeline": "other"}, ()) == ()
        assert site.cluster.remove_files(owner, {kept.name}) == (left.name,)
        assert site.cluster.missing_files((used, kept, left)) == (left,)
        site.cluster.remove(spec.name)
        assert site.cluster.remove_files(owner, ()) == tuple(sorted((used.name, kept.name)))

    def test_a_service_whose_secret_is_not_there_is_refused(self, site, make):
        spec = make(files=(file_of(site, "x", secret=True),))
        with pytest.raises(StartError, match=r"(?i)secret"):
            site.cluster.apply(spec, FakeSecrets())
        assert site.cluster.service(spec.name) is None

    # -------------------------------------------------------------- tasks
    def test_the_log_has_the_lines_of_all_tasks(self, site, make):
        spec = make(deploy=Deploy(replicas=2))
        seen = self.running(site, spec)
        wanted = sorted(f"{task.name} on {task.node} | {line}" for task in seen.tasks for line in ("two", "three"))
        text = ""
        for _ in range(READS):
            text = site.cluster.logs(spec.name, 2)
            if sorted(text.splitlines()) == wanted:
                break
            site.pause()
        assert sorted(text.splitlines()) == wanted
        assert site.cluster.task_logs(seen.tasks[0].id, 1) == "three\n"
        assert site.cluster.task_logs("no-such-task", 1) == ""
        part = site.cluster.log_since(spec.name, 100, "")
        assert (part.text.count("one"), part.text.count("three")) == (2, 2)
        assert site.cluster.log_since(spec.name, 100, part.until).text == "", part

    def test_a_command_runs_in_a_replica(self, site, make):
        spec = make(deploy=Deploy(replicas=2))
        self.running(site, spec)
        heard = []
        result = site.cluster.exec(spec.name, 2, GREET, 10, lambda stream, text: heard.append((stream, text)))
        assert (result.exit_code, heard) == (4, [("stdout", "hello\n")])
        with pytest.raises(EngineError, match=f"run 2 tasks of {spec.name}, and number 3 was asked for: it runs on node-"):
            site.cluster.exec(spec.name, 3, GREET, 10)

    def test_a_command_does_not_run_on_a_node_that_is_not_asked(self, site, make):
        spec = make(deploy=Deploy(placement=Placement(constraints=(f"node.hostname == {site.nodes[1]}",))))
        self.running(site, spec)
        assert site.alone(site.nodes[1]).exec(spec.name, 1, GREET, 10).exit_code == 4
        with pytest.raises(EngineError, match=f"run 0 tasks of {spec.name}.* it runs on {site.nodes[1]}"):
            site.alone(site.nodes[0]).exec(spec.name, 1, GREET, 10)


def check(*test: str) -> Healthcheck:
    return Healthcheck(test=test, interval=timedelta(milliseconds=200), retries=1)


def absent(image: ImageRef) -> ImageRef:
    return ImageRef(image.repository, Digest("0" * 64))


def everything(site: ClusterSite) -> dict[str, Any]:
    """Return a service with every kind of setting that a swarm has. It runs on no node, so nothing has to fit."""
    volume = f"{site.prefix}-data"
    return {
        "environment": {"TOKEN": handle("token"), "LEVEL": "info", "EMPTY": ""},
        "command": ("sleep", "1000"),
        "entrypoint": ("/bin/env",),
        "user": "7:8",
        "group_add": ("9", "10"),
        "working_dir": "/bin",
        "hostname": "box",
        "labels": {"one": "1", "two": ""},
        "tty": True,
        "stdin_open": True,
        "read_only": True,
        "stop_signal": "SIGINT",
        "stop_grace_period": timedelta(seconds=3),
        "init": False,
        "cap_add": ("net_raw", "CHOWN"),
        "cap_drop": ("ALL",),
        "ulimits": {"nofile": Ulimit(soft=64, hard=128), "nproc": Ulimit(soft=5, hard=6)},
        "sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
        "extra_hosts": {"db": ("10.0.0.9",), "cache": ("10.0.0.8", "10.0.0.7")},
        "dns": ("10.0.0.1",),
        "dns_search": ("example.com",),
        "dns_opt": ("ndots:2",),
        "logging": Logging(driver="json-file", options={"max-size": "1m"}),
        "restart": "on-failure:3",
        "platform": "linux/arm64",
        "mem_limit": 64 << 20,
        "healthcheck": Healthcheck(
            test=("CMD", "true"),
            interval=timedelta(seconds=5),
            timeout=timedelta(seconds=2),
            start_period=timedelta(seconds=9),
            retries=4,
        ),
        "ports": (
            Port(target=80, published=18080, mode="host"),
            Port(target=81, mode="host", protocol="udp"),
            Port(target=82, published=18082, mode="host", name="third"),
        ),
        "tmpfs": ("/scratch:size=1m,mode=1777", "/plain"),
        "volumes": (
            Mount(type="bind", source="/tmp", target="/made", read_only=True, propagation="rslave"),
            Mount(type="volume", source=volume, target="/kept", nocopy=True),
            Mount(type="volume", target="/anonymous"),
            Mount(type="tmpfs", target="/fast", tmpfs_size=1 << 20, tmpfs_mode=0o700),
        ),
        "volume_specs": {volume: VolumeSpec(volume, owner_of(site), "local", {"type": "tmpfs", "device": "tmpfs"})},
        "deploy": Deploy(
            replicas=0,
            endpoint_mode="dnsrr",
            labels={"team": "shop", "empty": ""},
            restart_policy=RestartPolicy(condition="on-failure", max_attempts=2, delay=timedelta(seconds=1)),
            update_config=UpdateConfig(
                parallelism=0,
                delay=timedelta(seconds=1),
                monitor=timedelta(seconds=1),
                max_failure_ratio=0.25,
                order="start-first",
            ),
            rollback_config=UpdateConfig(parallelism=2, monitor=timedelta(milliseconds=300)),
            resources=Resources(limits=Limits(cpus=0.5, pids=50), reservations=Reservations(cpus=0.1, memory=8 << 20)),
            placement=Placement(
                constraints=("node.labels.zone != b", "node.hostname == nowhere"),
                preferences=(Preference(spread="node.labels.zone"),),
                max_replicas_per_node=2,
            ),
        ),
    }


def _set(**changes: Any) -> Callable[[Service], dict[str, Any]]:
    return lambda _: changes


def _deployed(**changes: Any) -> Callable[[Service], dict[str, Any]]:
    return lambda service: {"deploy": service.deploy.model_copy(update=changes)}


OTHERWISE: dict[str, Callable[[Service], dict[str, Any]]] = {
    "environment.LEVEL": lambda service: {"environment": {**service.environment, "LEVEL": "debug"}},
    "environment.NEW": lambda service: {"environment": {**service.environment, "NEW": ""}},
    "labels.one": _set(labels={"one": "2", "two": ""}),
    "init": _set(init=True),
    "user": _set(user="8:8"),
    "tty": _set(tty=False),
    "command": _set(command=("sleep", "2000")),
    "stop_grace_period": _set(stop_grace_period=timedelta(seconds=4)),
    "cap_add": _set(cap_add=("CHOWN",)),
    "group_add": _set(group_add=("9",)),
    "sysctls": _set(sysctls={}),
    "ulimits": _set(ulimits={"nofile": Ulimit(soft=64, hard=129), "nproc": Ulimit(soft=5, hard=6)}),
    "extra_hosts": _set(extra_hosts={"db": ("10.0.0.9",)}),
    "healthcheck": _set(healthcheck=Healthcheck(test=("CMD", "true"), interval=timedelta(seconds=6))),
    "ports": _set(ports=(Port(target=80, published=18081, mode="host"),)),
    "logging": _set(logging=Logging(driver="json-file", options={"max-size": "2m"})),
    "deploy.replicas": _deployed(replicas=1),
    "deploy.labels.empty": _deployed(labels={"team": "shop"}),
    "deploy.update_config": _deployed(update_config=UpdateConfig(parallelism=3)),
    "deploy.rollback_config": _deployed(rollback_config=UpdateConfig(parallelism=3)),
    "deploy.restart_policy": _deployed(restart_policy=RestartPolicy(condition="none")),
}
"""Changes of that service, each with the one path that differs then."""
