"""Hosts and batches in the pipeline file."""

from pathlib import Path

import pytest

from promoter.pipeline.hosts import Host, Rollout, batches, name_of, named, read_host
from promoter.pipeline.placement import allows, is_constraint
from promoter.pipeline.spec import Settings
from tests.pipeline.pipeline_files import complaints, write


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        (("1", "100%"), 10, [1, 9]),
        (("1", "30%", "100%"), 10, [1, 3, 6]),
        (("30%",), 10, [3, 3, 3, 1]),
        (("10%",), 3, [1, 1, 1]),  # at least one
        (("5",), 3, [3]),
        (("1", "100%"), 1, [1]),
        (("2", "1"), 5, [2, 1, 1, 1]),
        (("1",), 0, []),
    ],
)
def test_the_last_size_is_repeated_until_no_host_is_left(sizes: tuple[str, ...], count: int, expected: list[int]) -> None:
    assert list(batches(sizes, count)) == expected


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ssh://deploy@prod-1.example.com:2222", "prod-1.example.com"),
        ("tcp://10.0.0.1:2376", "10.0.0.1"),
        ("tcp://[fd00::1]:2376", "fd00--1"),
        ("unix:///run/one/docker.sock", "docker"),
        ("context:eu west", "eu-west"),
        ("unix:///", "host"),
    ],
)
def test_a_host_without_a_name_is_named_after_its_address(address: str, name: str) -> None:
    assert name_of(address) == name


def hosts(engine: object) -> tuple[Host, ...]:
    return named(Settings.model_validate({"engine": engine}).engine)


def test_one_address_is_a_host_without_a_name_and_several_have_names() -> None:
    assert named(()) == (Host(),)
    assert hosts("ssh://a") == hosts(["ssh://a"]) == (Host("", "ssh://a"),)
    assert hosts({"name": "one", "engine": "ssh://a"}) == (Host("one", "ssh://a"),)
    assert hosts(["ssh://a", {"name": "two", "engine": "ssh://b"}]) == (Host("a", "ssh://a"), Host("two", "ssh://b"))


@pytest.mark.parametrize("host", [Host(), Host("", "ssh://a"), Host("a", "ssh://a")])
def test_a_plan_records_a_host_and_reads_it_back(host: Host) -> None:
    assert read_host(host.document()) == host
    assert isinstance(host.document(), str) is not bool(host.name)  # plans of earlier versions have only addresses


def test_the_default_changes_one_host_first_and_allows_no_failure() -> None:
    assert Rollout().model_dump(mode="json") == {
        "batches": ["1", "100%"],
        "bake": "0s",
        "max_failures": 0,
        "unreachable": "fail",
    }


# ---------------------------------------------------------------- placement
SSD, HDD = Host("one", "ssh://a", {"disk": "ssd"}), Host("two", "ssh://b", {"disk": "hdd"})


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("node.labels.disk == ssd", [True, False]),
        ("node.labels.disk!=ssd", [False, True]),
        ("node.hostname == two", [False, True]),
        ("node.labels.zone == x", [False, False]),
        ("node.labels.zone != x", [True, True]),
    ],
)
def test_a_constraint_chooses_hosts_by_name_and_label(constraint: str, expected: list[bool]) -> None:
    assert is_constraint(constraint)
    assert [allows([constraint], host) for host in (SSD, HDD)] == expected
    assert allows([constraint], Host())  # the only host of an environment without names


@pytest.mark.parametrize("text", ["node.role == manager", "disk == ssd", "node.labels.disk = ssd", "node.labels.disk =="])
def test_other_constraints_are_not_decided(text: str) -> None:
    assert not is_constraint(text)


CONSTRAINED = """\
name: shop
services:
  web:
    image: registry.example.com/web:1
    deploy: {{placement: {{constraints: ["{web}"]}}}}
    depends_on: [db]
  db:
    image: registry.example.com/db:1
    deploy: {{placement: {{constraints: [node.labels.disk == ssd]}}}}
environments:
  prod:
    engine: {engine}
"""
HOSTS = "[{name: one, engine: ssh://a, labels: {disk: ssd}}, {name: two, engine: ssh://b}]"


@pytest.mark.parametrize(
    ("web", "engine", "expected"),
    [
        ("node.hostname == one", HOSTS, []),
        ("node.hostname == two", HOSTS, [("6:18", "`web` runs on two, where `db` does not run")]),
        ("node.hostname == three", HOSTS, [("5:25", "no host of prod fulfils the placement of `web`")]),
        ("node.role == manager", HOSTS, [("5:25", "`node.role == manager` is not a constraint that promoter can decide")]),
        ("node.role == manager", "ssh://a", []),
    ],
)
def test_validation_finds_services_that_run_nowhere(
    tmp_path: Path, web: str, engine: str, expected: list[tuple[str, str]]
) -> None:
    found = complaints(write(tmp_path, CONSTRAINED.format(web=web, engine=engine)))
    assert [position for position, _ in found] == [position for position, _ in expected]
    assert [
        (position, message) for (position, text), (_, message) in zip(found, expected, strict=True) if message in text
    ] == expected
