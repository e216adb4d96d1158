"""The front as a service of the environment: its configuration, its ports, and the settings of the services behind it."""

from pathlib import Path

import pytest

from promoter.model.errors import InvalidFile
from promoter.model.release import Source
from promoter.pipeline.front import CONFIG, FRONT
from promoter.pipeline.loader import load, validate
from promoter.pipeline.model import Environment, ToPin

FILE = """\
name: shop
services:
  web: {{image: "web:1", ports: ["127.0.0.1:8080:80", "8443:443"], deploy: {{replicas: 2}}{web}}}
  jobs: {{image: "jobs:1"}}
environments:
  prod:
    strategy: {strategy}
    front: {{{front}}}
"""


def written(tmp_path: Path, strategy: str = "start-first", front: str = "", web: str = "") -> Path:
    file = tmp_path / "pipeline.yaml"
    file.write_text(FILE.format(strategy=strategy, front=front, web=web))
    return file


def resolved(file: Path) -> Environment:
    return load(file, source=Source(), environ={}).resolve("prod", Source(), None)


def config_of(environment: Environment) -> list[str]:
    return [line.strip() for line in environment.contents[f"config:{FRONT}{CONFIG}"].splitlines()]


def complaints(file: Path) -> list[str]:
    with pytest.raises(InvalidFile) as error:
        validate(file, source=Source(), environ={})
    return [diagnostic.message for diagnostic in error.value.complaints]


def test_the_front_has_the_ports_of_the_services_behind_it(tmp_path: Path) -> None:
    environment = resolved(written(tmp_path))
    assert [(p.target, p.published, p.host_ip) for p in environment.services[FRONT].ports] == [
        (8000, 8080, "127.0.0.1"),
        (8001, 8443, None),
    ]
    assert environment.services["web"].ports == ()
    assert environment.services["web"].networks.keys() == environment.services[FRONT].networks.keys()
    assert [*environment.services[FRONT].depends_on] == ["web"]


def test_each_replica_has_two_servers_and_one_waits(tmp_path: Path) -> None:
    lines = config_of(resolved(written(tmp_path)))
    start = lines.index("backend web_80")
    assert lines[start + 1 : start + 6] == [
        "server blue-1 shop-prod-web-blue:80",
        "server green-1 shop-prod-web-green:80",
        "server blue-2 shop-prod-web-2-blue:80",
        "server green-2 shop-prod-web-2-green:80",
        "server wait 127.0.0.1:1 backup",
    ]


@pytest.mark.parametrize(
    ("strategy", "front", "line"),
    [
        ("start-first", "", "retries 30"),
        ("{hold: {max_hold: 7s}}", "", "retries 7"),
        ("start-first", "proxy_protocol: true", "bind :8000 accept-proxy"),
        ("start-first", "health: /up", "monitor-uri /up"),
        ("start-first", "mode: tcp", "mode tcp"),
        ("start-first", "", "retry-on conn-failure"),
        ("start-first", "", "option forwardfor"),
    ],
)
def test_options_are_in_its_configuration(tmp_path: Path, strategy: str, front: str, line: str) -> None:
    assert line in config_of(resolved(written(tmp_path, strategy, front)))


def test_a_post_is_never_sent_twice(tmp_path: Path) -> None:
    """Only failed connections are tried again: nothing was sent on them."""
    assert [line for line in config_of(resolved(written(tmp_path))) if line.startswith("retry-on")] == ["retry-on conn-failure"]


def test_its_image_is_pinned_by_the_release(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, front="image: 'mirror.example.com/haproxy:3.2'"), source=Source(), environ={})
    front = loaded.builds(Source())[FRONT]
    assert isinstance(front, ToPin)
    assert str(front.reference) == "mirror.example.com/haproxy:3.2"


def test_without_its_strategies_there_is_none(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_text(file.read_text().replace("strategy: start-first\n    front: {}", "strategy: recreate"))
    loaded = load(file, source=Source(), environ={})
    assert FRONT not in loaded.builds(Source())
    assert FRONT not in loaded.resolve("prod", Source(), None).services


@pytest.mark.parametrize(
    ("strategy", "web", "message"),
    [
        ("start-first", ", container_name: web", "only one container can have the name web"),
        ("start-first", ", networks: {default: {ipv4_address: 10.0.0.9}}", "cannot have a fixed address"),
        ("start-first", ", network_mode: host", "with `network_mode: host` no port can be published"),
        ("hold", ", container_name: web", "only one container can have the name web"),
    ],
)
def test_what_two_containers_cannot_share_is_reported(tmp_path: Path, strategy: str, web: str, message: str) -> None:
    assert any(message in found for found in complaints(written(tmp_path, strategy, web=web)))


@pytest.mark.parametrize(("strategy", "refused"), [("start-first", True), ("hold", False)])
def test_an_exclusive_volume_is_for_one_container(tmp_path: Path, strategy: str, refused: bool) -> None:
    file = written(tmp_path, strategy, web=", volumes: ['data:/data']")
    file.write_text(file.read_text() + "volumes: {data: {exclusive: true}}\n")
    if refused:
        assert any("which is `exclusive: true`" in found for found in complaints(file))
    else:
        validate(file, source=Source(), environ={})


def test_a_health_page_without_http_is_reported(tmp_path: Path) -> None:
    found = complaints(written(tmp_path, front="mode: tcp, health: /up"))
    assert found == ["`health` has no effect with `mode: tcp`: the front reads no requests then"]


def test_udp_and_a_strategy_without_ports_are_reported(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_text(file.read_text().replace('"8443:443"', '"53:53/udp"'))
    assert any("forwards TCP only, but port 53 is udp" in found for found in complaints(file))
    file.write_text(file.read_text().replace('ports: ["127.0.0.1:8080:80", "53:53/udp"], ', ""))
    assert any("needs a service that publishes a port" in found for found in complaints(file))


def test_a_service_of_its_name_and_two_images_are_reported(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_text(file.read_text().replace("  jobs:", "  front:"))
    assert any("is the name of promoter's own service" in found for found in complaints(file))
    file = written(tmp_path)
    more = "  test: {strategy: hold, needs: [], front: {image: 'haproxy:3.0'}, services: {web: {ports: !override ['9:80']}}}\n"
    file.write_text(file.read_text() + more)
    assert any("the front of test is haproxy:3.0, but that of prod is haproxy:3.2" in found for found in complaints(file))


def test_services_without_ports_are_named(tmp_path: Path) -> None:
    loaded = validate(written(tmp_path), source=Source(), environ={})
    remark = next(r for r in loaded.remarks if "publishes no port" in r.message)
    assert "service `jobs` publishes no port, so start-first replaces it as recreate does" in remark.message
