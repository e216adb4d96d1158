# ruff: noqa: E501 (a file beside its result)
"""Real Compose files in `services:` of a pipeline file: several, extended, included, with profiles and links."""

import pytest

from promoter.pipeline.model import ToBuild
from tests.pipeline.pipeline_files import SOURCE, complaints, read, write

RELEASE = "ab" * 32
ENVIRONMENTS = "environments: {dev: , prod: }\n"


def resolve(loaded, environment):
    return loaded.resolve(environment, SOURCE, RELEASE)


def services(tmp_path, compose, *, environ=None, head="", environment="dev", **files):
    file = write(
        tmp_path,
        f"name: shop\nregistry: r.example.com\nservices: compose.yaml\n{head}{ENVIRONMENTS}",
        **{"compose.yaml": compose},
        **files,
    )
    return resolve(read(file, environ), environment).services


def remarks(file, environ=None):
    loaded = read(file, environ)
    loaded.builds(SOURCE)
    for environment in loaded.pipeline.needs:
        resolve(loaded, environment)
    return [(f"{c.file.rpartition('/')[2]}:{c.line}:{c.column}", c.message) for c in loaded.remarks]


# ------------------------------------------------------------ several files
BASE = """\
services:
  web: {image: "web:1", command: [a, b], environment: {A: "1", B: "2"}, ports: ["8080:80"], volumes: ["./data:/data"]}
  db: {image: "db:1"}
networks: {default: {labels: {a: "1"}, driver: bridge}}
"""
OVER = """\
services:
  web: {command: [c], environment: [B=3], ports: !override ["9090:80"], volumes: ["./other:/data:ro"], depends_on: [db]}
  db: !reset null
  cache: {image: "cache:1"}
networks: {default: {labels: {b: "2"}}}
"""


def test_several_files_are_merged_in_order_by_composes_rules(tmp_path):
    text = "name: shop\nservices: [deploy/a.yaml, deploy/sub/b.yaml]\nenvironments: {dev: }\n"
    file = write(tmp_path, text, **{"deploy__a.yaml": BASE, "deploy__sub__b.yaml": OVER.replace(", depends_on: [db]", "")})
    environment = resolve(read(file), "dev")
    web = environment.services["web"]
    assert list(environment.services) == ["web", "cache"]
    assert (web.command, web.environment, [p.published for p in web.ports]) == (("c",), {"A": "1", "B": "3"}, [9090])
    assert [(m.source, m.read_only) for m in web.volumes] == [(str(tmp_path / "deploy/other"), True)]
    assert environment.networks["shop-dev"].labels == {"a": "1", "b": "2"} and environment.networks["shop-dev"].driver == "bridge"


def test_a_complaint_names_the_file_of_the_list_that_it_is_in(tmp_path):
    file = write(
        tmp_path,
        f"name: shop\nservices: [a.yaml, b.yaml, c.yaml]\n{ENVIRONMENTS}",
        **{"a.yaml": BASE, "b.yaml": OVER},
    )
    assert (
        complaints(file) == [("3:28".replace("3", "2"), "file c.yaml not found")]
        or complaints(file)[0][1] == "file c.yaml not found"
    )
    file = write(tmp_path, f"name: shop\nservices: [a.yaml, b.yaml]\n{ENVIRONMENTS}", **{"a.yaml": BASE, "b.yaml": OVER})
    assert ("b.yaml:2:117", "unknown service `db`") in complaints(file)
    file = write(tmp_path, f"name: shop\nservices: [a.yaml, 3]\n{ENVIRONMENTS}")
    assert ("2:20", "expected a Compose file, got the number 3") in complaints(file)


# ------------------------------------------------------------ extends
EXTENDED = """\
services:
  base: {image: "base:1", environment: {A: "1", B: "2"}, volumes: ["./b:/b"], profiles: [never]}
  web: {extends: base, environment: {B: "3"}, profiles: !reset []}
  far: {extends: {service: common, file: other/common.yaml}, build: {args: {X: "1"}}}
"""
COMMON = """\
services:
  common: {extends: {service: root}, environment: {C: "${TAG:-none}"}, volumes: ["./c:/c"], build: ./app}
  root: {environment: {R: "r"}}
"""


def test_a_service_extends_one_of_the_same_file_and_of_another_file(tmp_path):
    compose = EXTENDED.replace(", profiles: [never]", "").replace(", profiles: !reset []", "")
    files = {"other__common.yaml": COMMON, "other__app__Dockerfile": "FROM scratch\n", ".env": "TAG=7\n"}
    found = services(tmp_path, compose, **files)
    assert (found["web"].environment, found["far"].environment) == ({"A": "1", "B": "3"}, {"R": "r", "C": "7"})
    assert [m.source for m in (*found["web"].volumes, *found["far"].volumes)] == [str(tmp_path / "b"), str(tmp_path / "other/c")]
    built = read(tmp_path / "pipeline.yaml").builds(SOURCE)["far"]
    assert isinstance(built, ToBuild)
    assert (built.build.context, built.build.args) == (str(tmp_path / "other/app"), {"X": "1"})


def test_a_service_of_the_pipeline_file_itself_extends_others(tmp_path):
    text = "name: shop\nservices:\n  a: {image: x, command: ['{{ environment }}']}\n  b: {extends: a, user: '1'}\n  c: {extends: {file: c.yaml, service: d}}\n"
    file = write(tmp_path, text + ENVIRONMENTS, **{"c.yaml": "services: {d: {image: 'y:${T}', user: '2'}}\n", ".env": "T=5\n"})
    found = resolve(read(file), "prod").services
    assert (found["b"].command, found["b"].user, found["c"].user) == (("prod",), "1", "2")
    assert str(read(file).builds(SOURCE)["c"].reference) == "docker.io/library/y:5"


@pytest.mark.parametrize(
    ("compose", "position", "message"),
    [
        ("services: {a: {extends: b, image: x}}", "compose.yaml:1:25", "unknown service `b`"),
        ("services: {a: {extends: {service: b, file: c.yaml}, image: x}}", "compose.yaml:1:44", "file c.yaml not found"),
        ("services: {a: {extends: {service: b, file: o.yaml}, image: x}}", "compose.yaml:1:35", "unknown service `b` in o.yaml"),
        ("services: {a: {extends: [b], image: x}}", "compose.yaml:1:25", "expected the name of a service, got a list"),
        (
            "services: {a: {extends: {services: b}, image: x}}",
            "compose.yaml:1:25",
            "expected the name of a service, got a mapping",
        ),
        (
            "services: {a: {extends: b, image: x}, b: {extends: a, image: x}}",
            "compose.yaml:1:25",
            "`extends` has a cycle: a -> b -> a",
        ),
        ("services: {a: {extends: {service: c, file: o.yaml}}}", "o.yaml:1:32", "`user` must be a string, got a list"),
    ],
)
def test_an_invalid_extends_is_reported_at_its_position(tmp_path, compose, position, message):
    file = write(
        tmp_path,
        f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}",
        **{"compose.yaml": compose, "o.yaml": "services: {c: {image: x, user: [1]}}\n"},
    )
    assert (position, message) in complaints(file)


def test_an_override_extends_nothing_and_has_no_profiles(tmp_path):
    text = "name: shop\nservices: {a: {image: x}}\nenvironments: {dev: {services: {a: {extends: b, profiles: [c]}}}}\n"
    assert [message for _, message in complaints(write(tmp_path, text))] == [
        "an override cannot extend another service",
        "`profiles` of a service cannot differ by environment",
    ]


# ------------------------------------------------------------ include
def test_included_files_bring_their_services_directory_and_env_file(tmp_path):
    """compose.md D8."""
    compose = "include: [db/compose.yaml, {path: [x/a.yaml, x/b.yaml], project_directory: y, env_file: x.env}]\nservices: {web: {image: 'web:${V}', depends_on: [db]}}\n"
    found = services(
        tmp_path,
        compose,
        environ={"P": "process"},
        **{
            ".env": "V=main\n",
            "x.env": "V=x\nW=x\n",
            "db__.env": "V=db\nW=db\n",
            "db__compose.yaml": "services: {db: {image: d, volumes: ['./d:/d'], environment: ['V=${V}', 'W=${W}', 'P=${P}'], configs: [c]}}\nconfigs: {c: {file: ./c.txt}}\n",
            "db__c.txt": "text",
            "x__a.yaml": "services: {x: {image: x, volumes: ['./x:/x'], environment: ['W=${W}']}}\n",
            "x__b.yaml": "services: {x: {user: '5'}}\n",
        },
    )
    assert list(found) == ["db", "x", "web"]
    assert found["db"].environment == {"V": "main", "W": "db", "P": "process"}
    assert (found["x"].environment, found["x"].user) == ({"W": "x"}, "5")
    assert [m.source for m in (*found["db"].volumes, *found["x"].volumes)] == [str(tmp_path / "db/d"), str(tmp_path / "y/x")]
    assert resolve(read(tmp_path / "pipeline.yaml", {"P": "1"}), "dev").contents == {"config:c": "text"}


@pytest.mark.parametrize(
    ("compose", "position", "message"),
    [
        ("include: x.yaml\nservices: {a: {image: x}}", "compose.yaml:1:10", "expected a list of files, got the text 'x.yaml'"),
        ("include: [x.yaml]\nservices: {a: {image: x}}", "compose.yaml:1:11", "file x.yaml not found"),
        (
            "include: [{file: x}]\nservices: {a: {image: x}}",
            "compose.yaml:1:11",
            "expected a file, or a mapping with `path`, `project_directory` and `env_file`",
        ),
        ("include: [compose.yaml]\nservices: {a: {image: x}}", "compose.yaml:1:11", "compose.yaml includes itself"),
        (
            "include: [{path: o.yaml, env_file: no.env}]\nservices: {a: {image: x}}",
            "compose.yaml:1:11",
            "env file no.env not found",
        ),
        (
            "include: [o.yaml]\nservices: {c: {image: z}}",
            "compose.yaml:2:12",
            "`c` is also defined in o.yaml, which is included here",
        ),
    ],
)
def test_an_invalid_include_is_reported_at_its_position(tmp_path, compose, position, message):
    file = write(
        tmp_path,
        f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}",
        **{"compose.yaml": compose, "o.yaml": "services: {c: {image: x}}\n"},
    )
    assert complaints(file)[0] == (position, message)


# ------------------------------------------------------------ profiles
PROFILED = """\
services:
  web: {image: x, depends_on: {debug: {condition: service_started, required: false}}}
  debug: {image: d, profiles: [debug, all]}
  seed: {build: ./nowhere, profiles: [seed]}
"""


@pytest.mark.parametrize(
    ("head", "environ", "found"),
    [
        ("", {}, (["web"], ["web"])),
        ("profiles: [debug]\n", {}, (["web", "debug"], ["web", "debug"])),
        ("profiles: [debug]\nenvironments: {dev: {profiles: []}, prod: }\n", {}, (["web"], ["web", "debug"])),
        ("environments: {dev: {profiles: all}, prod: }\n", {}, (["web", "debug"], ["web"])),
        ("", {"COMPOSE_PROFILES": "x, all"}, (["web", "debug"], ["web", "debug"])),
        ("profiles: [debug]\n", {"COMPOSE_PROFILES": "seed"}, (["web", "debug"], ["web", "debug"])),
    ],
)
def test_profiles_select_the_services_of_an_environment(tmp_path, head, environ, found):
    text = f"name: shop\nservices: compose.yaml\n{head}" + ("" if "environments" in head else ENVIRONMENTS)
    loaded = read(write(tmp_path, text, **{"compose.yaml": PROFILED}), environ)
    assert tuple(list(resolve(loaded, name).services) for name in ("dev", "prod")) == found
    assert set(loaded.builds(SOURCE)) == {name for names in found for name in names}  # a service that runs nowhere is not built


def test_what_profiles_leave_out_is_remarked_and_a_need_of_it_is_an_error(tmp_path):
    text = "name: shop\nregistry: r.example.com\nservices: compose.yaml\nenvironments: {dev: {profiles: [seed, all]}, prod: }\n"
    file = write(tmp_path, text, **{"compose.yaml": PROFILED.replace("./nowhere", "./web")})
    assert remarks(file) == [
        ("compose.yaml:3:3", "service `debug` is left out: none of its profiles (debug, all) is selected (in prod)"),
        ("compose.yaml:4:3", "service `seed` is left out: none of its profiles (seed) is selected (in prod)"),
    ]
    needed = PROFILED.replace(", required: false", "").replace("./nowhere", "./web")
    assert complaints(write(tmp_path, text, **{"compose.yaml": needed})) == [
        ("compose.yaml:2:32", "service `debug` is left out in prod by its profiles: debug, all (in prod)")
    ]


def test_a_profile_that_no_service_has_is_an_error(tmp_path):
    text = "name: shop\nprofiles: [debgu]\nservices: {a: {image: x, profiles: [debug]}, b: {image: x}}\nenvironments: {dev: {profiles: 7}}\n"
    assert complaints(write(tmp_path, text)) == [
        ("2:12", "unknown profile debgu: no service has it"),
        ("4:32", "expected a list of profiles, got the number 7"),
    ]


# ------------------------------------------------------------ links, namespaces, ignored keys
def test_links_become_a_start_order_and_aliases(tmp_path):
    """compose.md section 1: `links` is in 7 real files."""
    compose = "services:\n  web: {image: x, links: [db, 'cache:redis'], networks: [a]}\n  db: {image: x, networks: [a]}\n  cache: {image: x, networks: [a, b]}\nnetworks: {a: , b: }\n"
    found = services(tmp_path, compose)
    assert {name: need.restart for name, need in found["web"].depends_on.items()} == {"db": True, "cache": True}
    assert {name: position.aliases for name, position in found["cache"].networks.items()} == {
        "shop-dev-a": ("redis",),
        "shop-dev-b": (),
    }
    [(position, message)] = remarks(tmp_path / "pipeline.yaml")
    assert position == "compose.yaml:2:19" and message.startswith("`links` is left out: services reach each other by name")


def test_the_name_space_of_a_service_is_that_of_its_container(tmp_path):
    """compose.md D7: `service:X` was sent to the engine unchanged, and set no start order."""
    compose = "services:\n  app: {image: x, network_mode: 'service:vpn', pid: 'service:vpn', ipc: 'service:shm'}\n  vpn: {image: x}\n  shm: {image: x, container_name: '{{ environment }}-shm'}\n"
    app = services(tmp_path, compose, environment="prod")["app"]
    assert (app.network_mode, app.pid, app.ipc) == ("container:shop-prod-vpn", "container:shop-prod-vpn", "container:prod-shm")
    assert {name: need.restart for name, need in app.depends_on.items()} == {"vpn": True, "shm": True}


def test_a_missing_namespace_is_an_error(tmp_path):
    compose = "services:\n  app: {image: x, network_mode: 'service:vpn', pid: 'service:no'}\n  vpn: {image: x, scale: 0}\n"
    file = write(tmp_path, f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}", **{"compose.yaml": compose})
    assert complaints(file) == [
        ("compose.yaml:2:33", "service `vpn` has no container here: it has 0 replicas"),
        ("compose.yaml:2:53", "unknown service `no`"),
    ]
    circle = "services:\n  a: {image: x, ipc: 'service:b'}\n  b: {image: x, links: [a]}\n"
    file = write(tmp_path, f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}", **{"compose.yaml": circle})
    assert [message for _, message in complaints(file)] == ["`depends_on` has a cycle: a -> b -> a"]


def test_what_changes_nothing_is_left_out_with_a_remark(tmp_path):
    compose = (
        "services:\n  web:\n    image: x\n    pull_policy: always\n    develop: {watch: []}\n    attach: false\n    scale: 3\n    volumes: ['a:/a:ro,cached']\n"
        "    deploy: {placement: {constraints: [a]}, restart_policy: {condition: on-failure, max_attempts: 3, delay: 5s}}\nvolumes: {a: }\n"
    )
    found = services(tmp_path, compose)["web"]
    assert found.replicas == 3 and found.volumes[0].read_only
    assert found.deploy.restart_policy is not None and found.deploy.restart_policy.max_attempts == 3
    assert [(position, message.partition(": ")[0]) for position, message in remarks(tmp_path / "pipeline.yaml")] == [
        ("compose.yaml:4:5", "`pull_policy` is left out"),
        ("compose.yaml:5:5", "`develop` is left out"),
        ("compose.yaml:6:5", "`attach` is left out"),
        ("compose.yaml:8:15", "`cached` is left out"),
        ("compose.yaml:9:14", "`placement` is left out"),
        ("compose.yaml:9:102", "`delay` is left out"),
    ]


def test_a_tag_together_with_build_is_left_out_in_a_compose_file_and_refused_in_the_pipeline_file(tmp_path):
    """compose.md section 1: fastapi and the otel demo."""
    loaded = read(
        write(
            tmp_path,
            f"name: shop\nregistry: r.example.com/x\nservices: compose.yaml\n{ENVIRONMENTS}",
            **{"compose.yaml": "services: {web: {image: 'a/web:${T:-1}', build: ./web}}"},
        )
    )
    built = loaded.builds(SOURCE)["web"]
    assert isinstance(built, ToBuild) and str(built.repository) == "r.example.com/x/a/web"
    assert remarks(tmp_path / "pipeline.yaml") == [
        ("compose.yaml:1:25", "the tag `1` is left out: promoter names built images by their digest")
    ]
    own = write(
        tmp_path, f"name: shop\nregistry: r.example.com\nservices: {{web: {{image: 'a/web:1', build: ./web}}}}\n{ENVIRONMENTS}"
    )
    assert complaints(own)[0][1] == "'a/web:1' must be a repository without tag or digest"


# ------------------------------------------------------------ texts in a Compose file
def test_the_project_is_the_environment_and_for_images_the_pipeline(tmp_path):
    """compose.md D16: it was empty."""
    compose = "services: {web: {image: '${COMPOSE_PROJECT_NAME}:1', container_name: '${COMPOSE_PROJECT_NAME}-web', hostname: $COMPOSE_PROJECT_NAME}}\n"
    assert [services(tmp_path, compose, environment=name)["web"].container_name for name in ("dev", "prod")] == [
        "shop-dev-web",
        "shop-prod-web",
    ]
    assert str(read(tmp_path / "pipeline.yaml").builds(SOURCE)["web"].reference) == "docker.io/library/shop:1"
    set_ = services(tmp_path, compose.replace("container_name", "user"), environ={"COMPOSE_PROJECT_NAME": "mine"})["web"]
    assert (set_.user, set_.hostname) == ("mine-web", "mine")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{.Name}}/{{ .ID }}", "{{.Name}}/{{ .ID }}"),
        ("{{json .}} {{ environment }}", "{{json .}} dev"),
        ("$${#A} {% x", "${#A} {% x"),
        ("{# no comment", "{# no comment"),
        ("{{ range .X }}{{end}}", "{{ range .X }}{{end}}"),
        ("${VALUE}", "{{ secret('X') }} {% if"),
        ("{${BRACE} port }}", "{{ port }}"),
        ("{{ '{{' }}.X", "{{.X"),
        ("%{http_code} $ $1", "%{http_code} $ $1"),
        ("{{ not closed", "{{ not closed"),
        ("{{{ environment }}", "{dev"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
    ],
)
def test_braces_that_are_not_ours_are_text(tmp_path, text, found):
    """compose.md D16: Docker's `{{.Name}}` was read as a template, `$${#A}` refused, and `{#` emptied the text."""
    compose = (
        f"services: {{web: {{image: x, labels: {{l: {text!r}}}}}}}\n"
        if "'" not in text
        else f'services: {{web: {{image: x, labels: {{l: "{text}"}}}}}}\n'
    )
    environ = {"VALUE": "{{ secret('X') }} {% if", "BRACE": "{"}
    if text == "${VALUE}":
        environ["VALUE"] = found = "{{ port }} {% if"
    assert services(tmp_path, compose, environ=environ)["web"].labels == {"l": found}


def test_a_variable_cannot_be_filled_in_inside_a_template(tmp_path):
    compose = "services: {web: {image: x, user: \"{{ env('${A}') }}\"}}\n"
    file = write(tmp_path, f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}", **{"compose.yaml": compose})
    assert complaints(file, {"A": "x') ~ secret('Y"}) == [("compose.yaml:1:34", "a template cannot contain a `${…}` variable")]


def test_a_local_volume_has_its_device_relative_to_the_file(tmp_path):
    """compose.md D16."""
    compose = "services: {web: {image: x, volumes: ['d:/d']}}\nvolumes: {d: {driver: local, driver_opts: {type: none, o: bind, device: ./data}}}\n"
    file = write(tmp_path, f"name: shop\nservices: deploy/compose.yaml\n{ENVIRONMENTS}", **{"deploy__compose.yaml": compose})
    assert resolve(read(file), "dev").volumes["shop-dev-d"].options["device"] == str(tmp_path / "deploy/data")


# ------------------------------------------------------------ keys of the Compose Specification, from its own tests
def test_later_documents_of_a_file_are_merged_over_the_first(tmp_path):
    found = services(
        tmp_path, "services:\n  web: {image: 'web:1', environment: {A: '1'}}\n---\nservices:\n  web: {environment: {B: '2'}}\n"
    )
    assert found["web"].environment == {"A": "1", "B": "2"}


def test_a_service_may_have_the_name_of_an_extension(tmp_path):
    found = services(
        tmp_path,
        "services:\n  web: {image: 'web:1', depends_on: [x-db]}\n  x-db: {image: 'db:1'}\n  x-common: {restart: always}\n",
    )
    assert list(found) == ["web", "x-db"]


def test_external_networks_and_volumes_in_the_older_form(tmp_path):
    compose = """\
services: {web: {image: "web:1", networks: [front], volumes: ["data:/data"]}}
networks: {front: {external: {name: shared-front}}}
volumes: {data: {external: {name: shared-data}}}
"""
    file = write(tmp_path, f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}", **{"compose.yaml": compose})
    environment = resolve(read(file), "dev")
    assert [(n.name, n.external) for n in environment.networks.values()] == [("shared-front", True)]
    assert [(v.name, v.external) for v in environment.volumes.values()] == [("shared-data", True)]


def test_labels_of_a_file_have_less_priority_than_labels(tmp_path):
    found = services(
        tmp_path, "services: {web: {image: 'web:1', label_file: web.labels, labels: {b: own}}}", **{"web.labels": "a=1\nb=2\n"}
    )
    assert found["web"].labels == {"a": "1", "b": "own"}


def test_a_missing_label_file_is_an_error(tmp_path):
    file = write(
        tmp_path,
        f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}",
        **{"compose.yaml": "services: {web: {image: 'web:1', label_file: none}}"},
    )
    assert any("cannot read the label file" in str(one) for one in complaints(file))


def test_volumes_from_names_the_containers_and_starts_them_first(tmp_path):
    compose = "services:\n  web: {image: 'web:1', volumes_from: ['data:ro', 'container:other']}\n  data: {image: 'data:1', volumes: [/data]}\n"
    web = services(tmp_path, compose)["web"]
    assert web.volumes_from == ("shop-dev-data:ro", "other")
    assert list(web.depends_on) == ["data"]


def test_volumes_from_of_an_unknown_service_is_an_error(tmp_path):
    file = write(
        tmp_path,
        f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}",
        **{"compose.yaml": "services: {web: {image: 'web:1', volumes_from: [dat]}}"},
    )
    assert any("unknown service `dat`" in str(one) for one in complaints(file))


def test_the_mac_address_of_a_service_is_that_of_its_first_network(tmp_path):
    compose = "services: {web: {image: 'web:1', mac_address: '02:42:ac:11:00:03', networks: {a: , b: {priority: 10}}}}\nnetworks: {a: , b: }\n"
    web = services(tmp_path, compose)["web"]
    assert [(name, a.mac_address) for name, a in web.networks.items()] == [
        ("shop-dev-b", "02:42:ac:11:00:03"),
        ("shop-dev-a", None),
    ]


def test_cores_are_limited_in_one_way(tmp_path):
    file = write(
        tmp_path,
        f"name: shop\nservices: compose.yaml\n{ENVIRONMENTS}",
        **{"compose.yaml": "services: {web: {image: 'web:1', cpus: 0.5, cpu_quota: 50ms}}"},
    )
    assert any("`cpus` and `cpu_quota` cannot be used together" in str(one) for one in complaints(file))


def test_a_secret_of_a_build_must_be_declared(tmp_path):
    text = "name: shop\nregistry: r.example.com\nservices: {web: {build: {context: ., secrets: [npm]}}}\nenvironments: {dev: }\n"
    assert any("unknown secret `npm`" in str(one) for one in complaints(write(tmp_path, text, Dockerfile="FROM scratch\n")))


def test_the_owner_of_a_build_secret_is_left_out_with_a_remark(tmp_path):
    text = "name: shop\nregistry: r.example.com\nservices: {web: {build: {context: ., secrets: [{source: npm, uid: '1'}]}}}\nsecrets: {npm: {env: NPM}}\nenvironments: {dev: }\n"
    found = remarks(write(tmp_path, text, Dockerfile="FROM scratch\n"))
    assert [message for _, message in found] == ["`uid` is left out: the `RUN --mount` of the Dockerfile sets it"]
