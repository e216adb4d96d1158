"""The front of an environment: HAProxy as a service of its own, which has the published ports of the services behind it. Pure.

It is added to the environment like any other service. So its image is pinned in the release, its configuration is in the
plan, and a changed configuration is a step of the plan. The strategies switch its servers while it runs.

Each replica behind it has two servers, blue and green: the container that runs, and its successor. A server is found by a
name that only its container has on the network. The server `wait` refuses every connection, and is used only while no other
one can be: HAProxy then tries again every second, so requests wait instead of failing.

The file STATE has what was set last: a restarted front begins with it. The file NOW has what HAProxy does: the health check
writes it too. So who may only read from the engine sees what a person has changed in the running front.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from promoter.model.labels import Namespace, Slot, slots
from promoter.pipeline.compose.service import Port, Service
from promoter.pipeline.front_spec import Front, Route
from promoter.pipeline.model import Environment

FRONT = "front"
"""The name of the service."""
COLORS = ("blue", "green")
FOLDER = "/promoter"
ASK, PROBE, SAVE, STATE, NOW, CONFIG = (f"{FOLDER}/{name}" for name in ("ask", "probe", "save", "state", "now", "haproxy.cfg"))
FIRST_PORT = 8000
RUNTIME_PORT = 9999
_RETRIES = 30
_ASK = f"""\
# Sends one line to HAProxy's runtime socket, and prints the answer.
if command -v nc >/dev/null; then
  printf '%s\\n' "$1" | nc 127.0.0.1 {RUNTIME_PORT}
else
  exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/{RUNTIME_PORT}; printf "%s\\n" "$1" >&3; cat <&3' ask "$1"
fi
"""
_SAVE = f"""\
# Saves the states of all servers in each of the files.
state=$(sh {ASK} 'show servers state') || exit
case $state in
  1*) for file; do printf '%s\\n' "$state" > "$file"; done ;;
  *) exit 1 ;;
esac
"""
_PROBE = """\
# Sends one request to a port of this container, and prints the answer. $2 comes before the request.
request='GET / HTTP/1.0\\r\\nHost: promoter\\r\\nUser-Agent: promoter\\r\\n\\r\\n'
if command -v nc >/dev/null; then
  printf "$2$request" | nc 127.0.0.1 "$1"
else
  exec bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "$2" >&3; cat <&3' probe "$1" "$2$request"
fi
"""


def with_front(environment: Environment, pipeline: str) -> Environment:
    """Return the environment with its front, if its strategy needs one: the front takes the published ports."""
    if environment.front is None:
        return environment
    fronted = {name: service for name, service in environment.services.items() if is_behind(service)}
    routes, ports = _routes(fronted)
    front = environment.front.model_copy(update={"routes": routes})
    namespace = Namespace(pipeline, environment.name)
    texts = {
        CONFIG: configuration(front, {name: slots(namespace, name, service.replicas, None) for name, service in fronted.items()}),
        ASK: _ASK,
        PROBE: _PROBE,
        SAVE: _SAVE,
        STATE: "1\n",
        NOW: "1\n",
    }
    services = {
        name: service.model_copy(update={"ports": ()}) if name in fronted else service
        for name, service in environment.services.items()
    }
    contents = {f"config:{FRONT}{path}": text for path, text in texts.items()}
    return replace(
        environment,
        front=front,
        services={**services, FRONT: _service(fronted, ports, tuple(texts))},
        contents=dict(sorted({**environment.contents, **contents}.items())),
    )


def is_behind(service: Service) -> bool:
    """Return whether a front can have the service's ports: it publishes some, and is reached over a network."""
    return bool(service.ports) and bool(service.networks) and service.replicas > 0


def server(slot: Slot, color: str) -> str:
    """Return the name on the network that only the container of this color in this slot has."""
    return f"{slot.name}-{color}"


def _routes(fronted: Mapping[str, Service]) -> tuple[tuple[Route, ...], tuple[Port, ...]]:
    """Return the routes, and the published ports of the front in the same order."""
    wanted = [(name, port) for name, service in fronted.items() for port in service.ports]
    routes = tuple(Route(service=name, target=port.target, bind=FIRST_PORT + i) for i, (name, port) in enumerate(wanted))
    return routes, tuple(port.model_copy(update={"target": FIRST_PORT + i}) for i, (_, port) in enumerate(wanted))


def _service(fronted: Mapping[str, Service], ports: tuple[Port, ...], files: tuple[str, ...]) -> Service:
    networks: dict[str, Any] = {name: {} for service in fronted.values() for name in service.networks}
    modes = {STATE: 0o666, NOW: 0o666}
    return Service.model_validate(
        {
            "entrypoint": ["haproxy"],
            "command": ["-W", "-db", "-f", CONFIG],
            "ports": [port.model_dump() for port in ports],
            "networks": networks,
            "restart": "unless-stopped",
            "stop_signal": "SIGTERM",
            "configs": [{"source": f"{FRONT}{path}", "target": path, "mode": modes.get(path, 0o444)} for path in files],
            "healthcheck": {
                "test": ["CMD-SHELL", f"sh {SAVE} {NOW}"],
                "interval": "10s",
                "timeout": "5s",
                "retries": 3,
            },
            "depends_on": {name: {"condition": "service_started"} for name in fronted},
        }
    )


def configuration(front: Front, behind: Mapping[str, tuple[Slot, ...]]) -> str:
    """Return HAProxy's configuration. All servers may take requests at first: only a container that runs has an address."""
    retries = _RETRIES if front.max_hold is None else max(1, round(front.max_hold.total_seconds()))
    lines = [
        "global",
        f"  stats socket ipv4@127.0.0.1:{RUNTIME_PORT} level admin",
        f"  server-state-file {STATE}",
        "  fd-hard-limit 50000",
        "resolvers engine",
        "  parse-resolv-conf",
        "  timeout resolve 1s",
        "  timeout retry 1s",
        "  hold valid 1s",
        "  hold nx 2s",
        "  hold obsolete 0s",
        "defaults",
        f"  mode {front.mode}",
        "  load-server-state-from-file global",
        "  timeout connect 1s",
        "  timeout client 1h",
        "  timeout server 1h",
        "  timeout tunnel 24h",
        f"  timeout queue {retries}s",
        f"  retries {retries}",
        "  option redispatch 1",
        *(
            ("  option forwardfor", "  option http-server-close", "  timeout http-request 1m", "  retry-on conn-failure")
            if front.mode == "http"
            else ()
        ),
        "  default-server init-addr none resolvers engine resolve-prefer ipv4",
    ]
    for route in front.routes:
        lines += _backend(front, route, behind[route.service])
    return "\n".join(lines) + "\n"


def _backend(front: Front, route: Route, replicas: tuple[Slot, ...]) -> Iterator[str]:
    yield f"frontend {route.backend}_in"
    yield f"  bind :{route.bind}{' accept-proxy' if front.proxy_protocol else ''}"
    if front.health is not None:
        yield f"  monitor-uri {front.health}"
    yield f"  default_backend {route.backend}"
    yield f"backend {route.backend}"
    for number, slot in enumerate(replicas, 1):
        for color in COLORS:
            yield f"  server {color}-{number} {server(slot, color)}:{route.target}"
    yield "  server wait 127.0.0.1:1 backup"
