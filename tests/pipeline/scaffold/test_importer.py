"""What `init` writes: ports become variables, Compose's variables become templates, nothing is dropped without a message."""

import pytest
import yaml

from promoter.config.templates.render import is_template, render
from promoter.config.templates.scope import Scope, TemplateFault
from promoter.config.yaml.scalars import Tagged
from promoter.model.release import Source
from promoter.pipeline.compose.interpolation import Unset, interpolate
from promoter.pipeline.scaffold import importer
from promoter.pipeline.scaffold.importer import name_from
from promoter.pipeline.scaffold.variables import templated
from promoter.pipeline.scaffold.writer import ScaffoldOptions, pipeline_text


def from_dockerfile(text: str, name: str) -> str:
    return pipeline_text(importer.from_dockerfile(text, name), ScaffoldOptions())


def from_compose(document: dict, name: str) -> str:
    return pipeline_text(importer.from_compose(document, name), ScaffoldOptions())


def read(text: str) -> dict:
    return yaml.safe_load(text)


@pytest.mark.parametrize(("directory", "name"), [("My App", "my-app"), ("shop", "shop"), ("--", "app"), ("a_b.c", "a-b-c")])
def test_a_name_from_a_directory(directory: str, name: str) -> None:
    assert name_from(directory) == name


def test_a_dockerfile_gives_ports_and_a_probe_of_its_last_stage() -> None:
    text = from_dockerfile(
        "FROM golang AS build\nEXPOSE 1\nFROM scratch\n# EXPOSE 2\nexpose 8080 \\\n  9090/tcp 53/udp\n"
        "HEALTHCHECK CMD wget -qO- http://localhost:8080/alive || exit 1\n",
        "app",
    )
    file = read(text)
    assert file["registry"] == "127.0.0.1:5000"
    assert file["services"]["app"] == {
        "image": "app",
        "build": ".",
        "init": True,
        "ports": ["127.0.0.1:{{ port }}:8080", "127.0.0.1:{{ port_2 }}:9090", "127.0.0.1:{{ port_3 }}:53/udp"],
    }
    assert list(file["environments"]) == ["dev", "test", "prod"]
    assert file["environments"]["dev"]["verify"] == [{"http": {"url": "http://127.0.0.1:{{ port }}/alive", "status": 200}}]
    assert file["environments"]["prod"]["gates"] == [{"approval": {"min": 1}}]
    ports = [port for environment in file["environments"].values() for port in environment["vars"].values()]
    assert len(ports) == len(set(ports)) == 9


def test_a_dockerfile_without_health_check_or_ports_gets_a_comment() -> None:
    text = from_dockerfile('FROM scratch\nCMD ["x"]\n', "app")
    assert "# The Dockerfile has no HEALTHCHECK" in text
    assert read(text)["services"]["app"] == {"image": "app", "build": ".", "init": True}
    assert "verify" not in text


COMPOSE = {
    "name": "Shop",
    "services": {
        "web": {
            "build": "./web",
            "image": "acme/web:latest",
            "container_name": "shopweb",
            "ports": [
                "8080:80",
                "127.0.0.1:${ADMIN:-9000}:9000",
                "7000",
                {"target": 22, "published": "2222"},
                "3000-3001:4000-4001/udp",
            ],
            "environment": {"URL": "${URL:?need it} $$x $SHORT", "PASS": None, "ON": "${FLAG:+yes}"},
            "logging": {"options": {"tag": "{{.Name}}"}},
            "healthcheck": {"test": ["CMD", "wget", "-qO-", "http://127.0.0.1/up?x=1"]},
        },
        "db-1": {"image": "postgres:16", "ports": ["5432:5432"]},
    },
    "volumes": {"data": {"driver": "${DRIVER}"}},
    "secrets": {"a": {"environment": "KEY"}, "b": {"file": "./b"}, "c": {"external": True}},
}


def test_a_compose_file_is_taken_over() -> None:
    text = from_compose(COMPOSE, "directory")
    file = read(text)
    web = file["services"]["web"]
    assert (file["name"], file["registry"], web["image"], web["build"]) == ("shop", "127.0.0.1:5000/shop", "web", "./web")
    assert web["ports"] == [
        "{{ web_port }}:80",
        "127.0.0.1:{{ web_port_2 }}:9000",
        "7000",
        {"target": 22, "published": "{{ web_port_3 }}"},
        "{{ web_port_4 }}:4000/udp",
        "{{ web_port_5 }}:4001/udp",
    ]
    assert web["environment"] == {
        "URL": '{{ env("URL", required="need it") }} $x {{ env("SHORT", "") }}',
        "PASS": None,
        "ON": '{{ "yes" if env("FLAG", "") else "" }}',
    }
    assert web["logging"]["options"]["tag"] == '{{ "{{" }}.Name}}'
    assert file["services"]["db-1"] == {"image": "postgres:16", "ports": ["{{ db_1_port }}:5432"]}
    assert file["volumes"] == {"data": {"driver": '{{ env("DRIVER", "") }}'}}
    assert file["environments"]["test"]["verify"] == [{"http": {"url": "http://127.0.0.1:{{ web_port }}/up?x=1", "status": 200}}]


def test_a_host_port_with_a_default_becomes_a_variable_too() -> None:
    """Found in zammad's and mailcow's files: the default would be the same port in three environments."""
    ports = ["${EXPOSE:-8080}:${PORT:-80}", "${BIND:-}:${HTTPS:-443}:${HTTPS:-443}/tcp", "${DNS}:53/udp"]
    web = read(from_compose({"services": {"web": {"image": "nginx", "ports": ports}}}, "shop"))["services"]["web"]
    assert web["ports"] == [
        '{{ web_port }}:{{ env("PORT", "") or "80" }}',
        '{{ env("BIND", "") or "" }}:{{ web_port_2 }}:{{ env("HTTPS", "") or "443" }}/tcp',
        "{{ web_port_3 }}:53/udp",
    ]


def test_names_that_environments_of_one_engine_would_share_are_left_out_with_a_remark() -> None:
    """Two of langfuse's files name their volumes and their network: DEV, TEST and PROD would write to one volume."""
    fixed = {"name": "shop_data", "driver": "local"}
    text = from_compose(
        {**COMPOSE, "volumes": {"data": fixed, "only": {"name": "x"}, "old": {"name": "y", "external": True}}}, "directory"
    )
    assert read(text)["volumes"] == {"data": {"driver": "local"}, "only": None, "old": {"name": "y", "external": True}}
    assert "# volumes.data: name is left out; each environment has its own shop-ENVIRONMENT-data. To use one that exists," in text


def test_what_is_left_out_or_open_is_remarked() -> None:
    text = from_compose(COMPOSE, "directory")
    assert "# web: container_name is left out; containers are named shop-ENVIRONMENT-web." in text
    assert "# secret c: write where its value is" in text
    assert read(text)["secrets"] == {"a": {"env": "KEY"}, "b": {"file": "./b"}, "c": {"env": "C"}}


def test_without_build_there_is_no_registry_and_without_a_url_the_probe_is_a_suggestion() -> None:
    text = from_compose({"services": {"db": {"image": "postgres:16", "ports": ["5432:5432"]}}}, "data")
    file = read(text)
    assert "registry" not in file
    assert "    # verify:\n" in text
    assert file["environments"]["dev"] == {"vars": {"db_port": 18081}}


def test_no_ports_at_all_still_gives_three_environments() -> None:
    assert read(from_compose({"services": {"job": {"image": "x"}}}, "data"))["environments"]["dev"] == {}


def test_an_init_process_is_written_only_for_what_is_built() -> None:
    """compose.md D6: images of others with their own init (s6-overlay) must be process 1."""
    file = read(
        from_compose({"services": {"web": {"build": "."}, "old": {"build": ".", "init": False}, "s6": {"image": "s6"}}}, "x")
    )
    assert {name: service.get("init") for name, service in file["services"].items()} == {"web": True, "old": False, "s6": None}


@pytest.mark.parametrize(
    "text",
    [
        "${A:-http://h:${P:-80}/}",
        "${A-$B}",
        "${A:-d}",
        "${A-d}",
        "${A:?no}",
        "${A?no}",
        "${A+p}",
        "${A:+p}",
        "$$A $1 $",
        '${A:-"q" \\ {"x": {}}}',
        "${A}${B}",
        "${A:+${B:-c}}",
    ],
)
@pytest.mark.parametrize("environ", [{}, {"A": ""}, {"A": "a"}, {"B": "b"}, {"A": "", "B": "b", "P": "1"}])
def test_variables_mean_what_they_mean_to_compose(text: str, environ: dict) -> None:
    """compose.md D9: nested ones stayed text, and an empty value was used as a value."""
    scope = Scope(Source, environ, frozenset())
    try:
        wanted: str | None = interpolate(text, environ)
    except Unset:
        wanted = None
    try:
        found: str | None = render(templated(text), scope) if is_template(templated(text)) else templated(text)
    except TemplateFault:
        found = None
    assert found == wanted


def test_nothing_at_the_top_of_a_compose_file_is_dropped_without_a_message() -> None:
    text = from_compose({"x-base": {}, "models": {}, "strange": 1, "version": "3", "services": {"a": {"image": "x"}}}, "x")
    assert all(
        word in text for word in ("# x-base: left out", "# models is left out: it starts programs", "# strange is left out")
    )


def test_a_tag_of_an_override_in_a_lone_file_is_no_crash() -> None:
    """compose.md D16: `ports: !reset []` crashed promoter."""
    services = {
        "a": {"image": "x", "ports": Tagged("reset", []), "command": Tagged("reset", None)},
        "b": {"image": "x", "ports": Tagged("override", ["1:2"])},
    }
    file = read(from_compose({"services": services}, "x"))
    assert file["services"] == {"a": {"image": "x"}, "b": {"image": "x", "ports": ["{{ b_port }}:2"]}}


def test_one_host_port_for_tcp_and_udp_stays_one() -> None:
    """compose.md D16."""
    file = read(from_compose({"services": {"dns": {"image": "x", "ports": ["53:53/tcp", "53:53/udp", "80:80"]}}}, "x"))
    assert file["services"]["dns"]["ports"] == ["{{ dns_port }}:53/tcp", "{{ dns_port }}:53/udp", "{{ dns_port_2 }}:80"]
