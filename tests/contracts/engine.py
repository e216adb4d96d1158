"""The contract of every Engine, fake or real: a class of tests with a `Site`, which adds the images."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from promoter.model.errors import EngineError, PullError, PushError, StartError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.pipeline.compose.service import Attachment, Healthcheck, Mount, Port, Service
from promoter.promotion.ports.container import Container, ContainerSpec, ExecResult, FileContent, NetworkSpec, VolumeSpec
from promoter.promotion.ports.engine import Engine
from tests.fakes.engine import TOO_LONG, Behaviour
from tests.fakes.secrets import FakeSecrets

PRINT_OUTPUT = ("sh", "-c", "echo out; echo err >&2; exit 3")
HANG = ("sleep", "60")
MISSING = ("/no/such/program",)
NEVER = ImageRef(Repository.parse("127.0.0.1:1/never"), Digest("0" * 64))
ANSWERS: Mapping[tuple[str, ...], ExecResult] = {
    PRINT_OUTPUT: ExecResult(3, "out\nerr\n"),
    HANG: TOO_LONG,
    MISSING: ExecResult(127, "not found"),
}
RUNS = Behaviour(exec=ANSWERS, logs="one\ntwo\nthree\n")
QUICK = timedelta(milliseconds=100)


class Site(Protocol):
    """`engine`, and images on it. Names that begin with `prefix` belong to the test and are cleaned up."""

    engine: Engine
    prefix: str

    def image(self, behaviour: Behaviour) -> ImageRef:
        """Return an image with this behaviour, which both the registry and the engine have."""

    def listener(self, address: str, port: int) -> AbstractContextManager[object]:
        """Listen in this process on a port of the engine's host. Skip the test if that is another machine."""

    def built(self) -> tuple[Repository, str]:
        """Return repository and tag of an image that was built on the engine and not pushed."""


def silent(layer: str, status: str, current: int | None, total: int | None) -> None: ...


class EngineContract:
    """Subclasses define the fixture `site`."""

    @pytest.fixture
    def run(self, site: Site) -> Iterator[object]:
        """Return a function that makes a container and starts it, unless `start=False`."""

        def make(service: Service, behaviour: Behaviour = RUNS, *, start: bool = True, **options: object) -> str:
            name = f"{site.prefix}-{uuid4().hex[:8]}"
            labels = {"promoter.test": site.prefix}
            spec = ContainerSpec(name, site.image(behaviour), service, labels, **options)
            identifier = site.engine.create(spec, FakeSecrets())
            if start:
                site.engine.start(identifier)
            return identifier

        yield make
        for container in site.engine.find({"promoter.test": site.prefix}):
            site.engine.remove(container.id)

    # -------------------------------------------------------------- engine, images
    @pytest.mark.matrix
    def test_an_engine_is_itself_twice(self, site):
        assert site.engine.identify() == site.engine.identify()
        assert site.engine.identify().fingerprint and site.engine.identify().version

    def test_an_image_comes_and_goes_by_its_digest(self, site):
        image = site.image(RUNS)
        assert site.engine.has_image(image)
        assert site.engine.remove_image(image)
        assert not site.engine.has_image(image)
        assert not site.engine.remove_image(image)
        output = []
        site.engine.pull(image, None, lambda *words: output.append(words))
        assert site.engine.has_image(image) and output

    def test_pulling_what_is_there_is_no_error(self, site):
        image = site.image(RUNS)
        site.engine.pull(image, None, silent)
        assert site.engine.has_image(image)

    def test_a_digest_that_no_registry_holds_cannot_be_pulled(self, site):
        image = site.image(RUNS)
        with pytest.raises(PullError) as caught:
            site.engine.pull(ImageRef(image.repository, Digest("0" * 64)), None, silent)
        assert not caught.value.retryable and "0" * 64 in caught.value.message

    def test_a_digest_of_another_repository_is_another_image(self, site):
        image = site.image(RUNS)
        assert not site.engine.has_image(ImageRef(Repository(image.repository.host, "other"), image.digest))

    def test_a_push_names_the_digest(self, site):
        repository, tag = site.built()
        digest = site.engine.push(repository, tag, silent)
        assert site.engine.has_image(ImageRef(repository, digest))
        identifier = site.engine.image_id(f"{repository}:{tag}")
        assert identifier and digest in site.engine.image_digests(identifier, repository)
        assert site.engine.push(repository, tag, silent) == digest

    def test_what_was_not_built_cannot_be_pushed(self, site):
        repository, _ = site.built()
        with pytest.raises(PushError) as caught:
            site.engine.push(repository, "nothing", silent)
        assert not caught.value.retryable

    def test_an_unknown_image_has_no_id_and_no_digests(self, site):
        assert site.engine.image_id(str(NEVER)) is None
        assert site.engine.image_digests("sha256:" + "1" * 64, NEVER.repository) == ()

    def test_an_image_in_use_stays(self, site, run):
        container = run(Service(), start=False)
        assert site.engine.digest_of(container, site.image(RUNS).repository, site.image(RUNS).digest)
        assert not site.engine.remove_image(site.image(RUNS))

    # -------------------------------------------------------------- lifecycle of a container
    def test_a_container_is_made_without_being_started(self, site, run):
        container = run(Service(labels={"theirs": "yes"}), start=False)
        seen = seen_in(site, container)
        assert (seen.status, seen.running, seen.health) == ("created", False, None)
        assert seen.labels["theirs"] == "yes" and seen.labels["promoter.test"] == site.prefix
        assert [c.id for c in site.engine.find({"promoter.test": site.prefix})] == [container]
        assert site.engine.inspect(seen.name) == seen

    def test_find_wants_every_label(self, site, run):
        run(Service())
        one = run(Service(labels={"colour": "blue"}))
        found = site.engine.find({"promoter.test": site.prefix, "colour": "blue"})
        assert [c.id for c in found] == [one]
        assert len(site.engine.find({"promoter.test": site.prefix})) == 2
        assert site.engine.find({"promoter.test": site.prefix, "colour": "red"}) == ()

    def test_start_and_stop_may_be_repeated(self, site, run):
        container = run(Service())
        site.engine.start(container)
        assert seen_in(site, container).running
        site.engine.stop(container, timedelta(seconds=1))
        site.engine.stop(container, None)
        assert seen_in(site, container).status == "exited"
        site.engine.start(container)
        assert seen_in(site, container).running

    def test_rename_moves_the_name(self, site, run):
        one, two = run(Service(), start=False), run(Service(), start=False)
        old = seen_in(site, one).name
        site.engine.rename(one, f"{old}-next")
        site.engine.rename(one, f"{old}-next")
        assert site.engine.inspect(old) is None
        assert seen_in(site, f"{old}-next").id == one
        with pytest.raises(EngineError):
            site.engine.rename(two, f"{old}-next")

    def test_remove_may_be_repeated(self, site, run):
        container = run(Service())
        site.engine.remove(container)
        site.engine.remove(container)
        assert site.engine.inspect(container) is None
        assert site.engine.find({"promoter.test": site.prefix}) == ()

    def test_what_is_not_there_cannot_be_stopped_started_or_asked(self, site):
        name = f"{site.prefix}-nobody"
        assert site.engine.inspect(name) is None
        with pytest.raises(StartError):
            site.engine.start(name)
        for ask in (
            lambda: site.engine.stop(name, None),
            lambda: site.engine.rename(name, f"{name}-2"),
            lambda: site.engine.exec(name, ("true",), 1),
            lambda: site.engine.wait(name, 1),
            lambda: site.engine.logs(name, 1),
            lambda: site.engine.digest_of(name, NEVER.repository, NEVER.digest),
        ):
            with pytest.raises(EngineError):
                ask()

    # -------------------------------------------------------------- errors at the start
    def test_a_name_is_taken_once(self, site, run):
        name = seen_in(site, run(Service(), start=False)).name
        with pytest.raises(StartError, match=name):
            site.engine.create(ContainerSpec(name, site.image(RUNS), Service(), {}), FakeSecrets())

    def test_a_missing_image_makes_no_container(self, site):
        with pytest.raises(StartError, match="/never@sha256"):
            site.engine.create(ContainerSpec(f"{site.prefix}-x", NEVER, Service(), {}), FakeSecrets())
        assert site.engine.inspect(f"{site.prefix}-x") is None

    def test_a_missing_program_fails_to_start_with_the_reason(self, site, run):
        reason = "no such file or directory"
        container = run(Service(entrypoint=("/no/such/program",), init=False), Behaviour(fails_to_start=reason), start=False)
        with pytest.raises(StartError, match=reason):
            site.engine.start(container)
        assert not seen_in(site, container).running

    def test_a_host_port_is_taken_once(self, site, run):
        first = run(Service(ports=(Port(target=80, host_ip="127.0.0.1"),)))
        taken = seen_in(site, first).published["80/tcp"][1]
        second = run(Service(ports=(Port(target=80, published=taken, host_ip="127.0.0.1"),)), start=False)
        with pytest.raises(StartError, match=str(taken)):
            site.engine.start(second)

    def test_a_missing_network_fails_to_start_with_its_name(self, site, run):
        with pytest.raises(StartError, match="nowhere"):
            run(Service(networks={f"{site.prefix}-nowhere": Attachment()}))

    def test_files_and_a_read_only_root_do_not_go_together(self, site, run):
        files = (FileContent("/run/secrets/x", "y"),)
        with pytest.raises(StartError, match="read_only"):
            run(Service(read_only=True), files=files)

    # -------------------------------------------------------------- ports
    def test_ports_are_published_at_the_configured_address(self, site, run):
        container = run(Service(ports=(Port(target=80, host_ip="127.0.0.1"),)))
        host, port = seen_in(site, container).published["80/tcp"]
        assert host == "127.0.0.1" and port > 0

    def test_a_job_publishes_nothing(self, site, run):
        container = run(Service(ports=(Port(target=80, host_ip="127.0.0.1"),)), publish=False)
        assert seen_in(site, container).published == {}

    def test_a_candidate_publishes_every_tcp_port_on_loopback(self, site, run):
        ports = (Port(target=80, published=1), Port(target=53, published=1, protocol="udp"))
        container = run(Service(ports=ports, expose=("9000",)), ephemeral_ports=True)
        published = seen_in(site, container).published
        assert set(published) == {"80/tcp", "9000/tcp"}
        assert all(host == "127.0.0.1" and port > 1 for host, port in published.values())

    # -------------------------------------------------------------- inside a container
    def test_exec_gives_code_and_words(self, site, run):
        container = run(Service())
        assert site.engine.exec(container, ("true",), 10) == ExecResult(0, "")
        output = site.engine.exec(container, PRINT_OUTPUT, 10)
        assert output.exit_code == 3 and set(output.output.split()) == {"out", "err"}

    def test_exec_passes_on_each_stream(self, site, run):
        arrived = {"stdout": "", "stderr": ""}

        def take(stream: str, text: str) -> None:
            arrived[stream] += text

        result = site.engine.exec(run(Service()), PRINT_OUTPUT, 10, take)
        assert (result.exit_code, arrived) == (3, {"stdout": "out\n", "stderr": "err\n"})

    def test_exec_of_nothing_is_127(self, site, run):
        words = []
        result = site.engine.exec(run(Service()), MISSING, 10, lambda _, text: words.append(text))
        assert result.exit_code in (126, 127) and "".join(words).strip()

    def test_exec_ends_with_its_time(self, site, run):
        container = run(Service())
        for result in (site.engine.exec(container, HANG, 0.3), site.engine.exec(container, HANG, 0.3, lambda *_: None)):
            assert (result.exit_code, result.timed_out) == (124, True)

    def test_nothing_is_run_in_what_does_not_run(self, site, run):
        container = run(Service(), start=False)
        with pytest.raises(EngineError, match="not running"):
            site.engine.exec(container, ("true",), 10)

    def test_wait_gives_the_exit_code(self, site, run):
        container = run(Service(), Behaviour(exit_code=7))
        assert site.engine.wait(container, 30) == 7
        assert site.engine.wait(container, 30) == 7
        seen = seen_in(site, container)
        assert (seen.status, seen.exit_code) == ("exited", 7)

    def test_wait_gives_none_while_it_runs(self, site, run):
        assert site.engine.wait(run(Service()), 0.2) is None

    def test_logs_give_the_last_lines(self, site, run):
        container = run(Service(), Behaviour(exit_code=0, logs="one\ntwo\nthree\n"))
        site.engine.wait(container, 30)
        assert site.engine.logs(container, 100) == "one\ntwo\nthree\n"
        assert site.engine.logs(container, 2) == "two\nthree\n"

    def test_a_log_is_followed_without_a_line_twice(self, site, run):
        container = run(Service(), Behaviour(exit_code=0, logs="one\ntwo\nthree\n"))
        site.engine.wait(container, 30)
        first = site.engine.log_since(container, 2, "")
        assert first.text == "two\nthree\n"
        assert site.engine.log_since(container, 2, first.until) == ("", first.until)

    def test_the_digest_is_read_back(self, site, run):
        image = site.image(RUNS)
        container = run(Service())
        assert site.engine.digest_of(container, image.repository, image.digest) == image.digest
        assert site.engine.digest_of(container, image.repository, Digest("0" * 64)) == image.digest
        assert site.engine.digest_of(container, Repository(image.repository.host, "other"), image.digest) is None

    # -------------------------------------------------------------- health
    @pytest.mark.matrix
    def test_a_healthcheck_comes_to_healthy(self, site, run):
        container = run(Service(healthcheck=Healthcheck(test=("CMD", "true"), interval=QUICK)))
        seen = self.verdict(site, container)
        assert (seen.health, seen.healthcheck) == ("healthy", ("CMD", "true"))
        assert seen.health_log[-1].exit_code == 0

    @pytest.mark.matrix
    def test_a_healthcheck_comes_to_unhealthy(self, site, run):
        check = Healthcheck(test=("CMD-SHELL", "echo bad; exit 1"), interval=QUICK, retries=1)
        seen = self.verdict(site, run(Service(healthcheck=check), Behaviour(health="unhealthy")))
        assert (seen.health, seen.healthcheck) == ("unhealthy", ("CMD-SHELL", "echo bad; exit 1"))
        assert seen.health_log[-1].exit_code == 1 and seen.health_log[-1].output

    def test_the_image_brings_a_healthcheck_that_the_file_may_drop(self, site, run):
        behaviour = Behaviour(healthcheck=("CMD", "true"))
        assert seen_in(site, run(Service(), behaviour, start=False)).healthcheck == ("CMD", "true")
        dropped = run(Service(healthcheck=Healthcheck(disable=True)), behaviour, start=False)
        assert seen_in(site, dropped).healthcheck is None

    def test_without_a_healthcheck_there_is_no_health(self, site, run):
        seen = seen_in(site, run(Service()))
        assert seen.health is None and seen.healthcheck is None and seen.health_log == ()

    # -------------------------------------------------------------- networks, volumes
    def test_networks_and_volumes_are_made_once(self, site, run):
        mine = {"promoter.test": site.prefix}
        network, volume = f"{site.prefix}-net", f"{site.prefix}-vol"
        for _ in range(2):
            site.engine.ensure_network(NetworkSpec(network, mine), mine)
            site.engine.ensure_volume(VolumeSpec(volume, mine), mine)
        container = run(Service(networks={network: Attachment(aliases=("web",))}))
        assert seen_in(site, container).running

    def test_networks_and_volumes_of_another_owner_are_refused(self, site):
        mine, theirs = {"promoter.test": site.prefix}, {"promoter.test": site.prefix, "dev.promoter.pipeline": "other"}
        network, volume = f"{site.prefix}-net", f"{site.prefix}-vol"
        site.engine.ensure_network(NetworkSpec(network, mine), mine)
        site.engine.ensure_volume(VolumeSpec(volume, mine), mine)
        with pytest.raises(StartError, match=f"network {network} is not ours"):
            site.engine.ensure_network(NetworkSpec(network, theirs), theirs)
        with pytest.raises(StartError, match=f"volume {volume} is not ours"):
            site.engine.ensure_volume(VolumeSpec(volume, theirs), theirs)

    # -------------------------------------------------------------- data
    def test_an_anonymous_volume_is_seen_and_goes_over_to_the_next_container(self, site, run):
        mount = Mount(type="volume", target="/data")
        first = run(Service(volumes=(mount,)), start=False)
        seen = seen_in(site, first)
        assert list(seen.anonymous) == ["/data"] and len(seen.anonymous["/data"]) == 64
        second = run(Service(volumes=(mount,)), start=False, inherited=seen.anonymous)
        assert seen_in(site, second).anonymous == seen.anonymous
        third = run(Service(), start=False, inherited=seen.anonymous)
        assert seen_in(site, third).anonymous == seen.anonymous

    def test_removing_a_container_keeps_its_anonymous_volume_by_default(self, site, run):
        mount = Mount(type="volume", target="/data")
        first = run(Service(volumes=(mount,)), start=False)
        data = seen_in(site, first).anonymous
        site.engine.remove(first)
        second = run(Service(volumes=(mount,)), start=False, inherited=data)
        assert seen_in(site, second).anonymous == data
        site.engine.remove(second, volumes=True)
        third = run(Service(volumes=(mount,)), start=False, inherited=data)
        assert seen_in(site, third).anonymous == data

    def test_the_declared_volumes_of_an_image_are_read(self, site):
        assert site.engine.image_volumes(site.image(RUNS)) == ()
        assert site.engine.image_volumes(site.image(Behaviour(volumes=("/var/data",)))) == ("/var/data",)
        assert site.engine.image_volumes(NEVER) == ()

    def test_labels_are_listed_by_name_of_stopped_containers_too(self, site, run):
        container = run(Service(labels={"theirs": "yes"}), start=False)
        name = seen_in(site, container).name
        assert site.engine.labels_by_name()[name].items() >= {"theirs": "yes", "promoter.test": site.prefix}.items()

    def test_the_ports_of_running_containers_are_listed(self, site, run, free_port):
        number = free_port()
        service = Service(ports=({"target": 80, "published": number, "host_ip": "127.0.0.1"},))
        container = run(service)
        (found,) = [one for one in site.engine.published_ports() if one.port == number]
        assert (found.container, found.address, found.protocol) == (seen_in(site, container).name, "127.0.0.1", "tcp")
        assert found.labels.items() >= {"promoter.test": site.prefix}.items()
        site.engine.stop(container, None)
        assert [one for one in site.engine.published_ports() if one.port == number] == []

    @pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
    def test_the_process_that_listens_on_a_port_is_named(self, site, free_port, address):
        number = free_port()
        assert site.engine.listening_ports({number}) == ()
        with site.listener(address, number):
            (found,) = site.engine.listening_ports({number})
            assert (found.labels, found.address, found.port) == ({}, address, number)
            assert found.holder.endswith(f" (process {os.getpid()})")
            assert site.engine.listening_ports({number + 1}) == site.engine.listening_ports(()) == ()
        assert site.engine.listening_ports({number}) == ()

    def test_what_listens_for_a_published_port_is_no_other_process(self, site, run, free_port):
        number = free_port()
        run(Service(ports=({"target": 80, "published": number, "host_ip": "127.0.0.1"},)))
        assert site.engine.listening_ports({number}) == ()

    # -------------------------------------------------------------- settings of a container
    def test_a_container_matches_its_spec(self, site, run):
        service = Service(environment={"LEVEL": "info"}, command=("sleep", "30"), mem_limit=64 << 20)
        found = site.engine.inspect(run(service, start=False))
        seen = site.engine.observe(found.id, ContainerSpec("other", site.image(RUNS), service, {}))
        assert seen.wanted == seen.found
        assert (seen.found["environment.LEVEL"], seen.found["mem_limit"]) == ("info", 64 << 20)
        assert seen.digests

    def test_another_setting_is_seen(self, site, run):
        made = run(Service(environment={"LEVEL": "debug", "MORE": "1"}), start=False)
        spec = ContainerSpec("other", site.image(RUNS), Service(environment={"LEVEL": "info"}, privileged=True), {})
        seen = site.engine.observe(made, spec)
        different = {path for path in seen.wanted.keys() | seen.found.keys() if seen.wanted.get(path) != seen.found.get(path)}
        assert different == {"environment.LEVEL", "environment.MORE", "privileged"}

    def test_secrets_stay_handles_in_what_is_wanted(self, site, run):
        made = run(Service(), start=False)
        spec = ContainerSpec("other", site.image(RUNS), Service(environment={"TOKEN": "{{ secret('TOKEN') }}"}), {})
        assert site.engine.observe(made, spec).wanted["environment.TOKEN"] == "{{ secret('TOKEN') }}"

    def test_what_is_not_there_cannot_be_observed(self, site):
        assert site.engine.observe("nobody", ContainerSpec("other", NEVER, Service(), {})) is None

    @pytest.mark.matrix
    def test_a_file_is_read_from_a_container_that_was_never_started(self, site, run):
        made = run(Service(), start=False, files=(FileContent("/run/secrets/x", "one\ntwo\n"),))
        assert site.engine.read(made, "/run/secrets/x") == "one\ntwo\n"
        assert site.engine.read(made, "/no/such/file") is None
        assert site.engine.read("nobody", "/run/secrets/x") is None

    def verdict(self, site: Site, container: str) -> Container:
        """Return the container once its health is decided; `wait` pauses between two inspections."""
        for _ in range(200):
            seen = seen_in(site, container)
            if seen.health != "starting":
                return seen
            site.engine.wait(container, 0.05)
        pytest.fail("the engine's verdict did not come")


def seen_in(site: Site, reference: str) -> Container:
    seen = site.engine.inspect(reference)
    assert seen is not None
    return seen
