"""The Registry over HTTP with a server in a thread, which sends answers that a real one seldom sends."""

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from promoter.adapters.registry.auth import read_challenges
from promoter.adapters.registry.client import HttpRegistry
from promoter.adapters.registry.credentials import Credentials
from promoter.adapters.registry.hosts import address, is_loopback
from promoter.adapters.registry.manifest import KINDS, digest_of
from promoter.model.errors import DigestMismatch, Interrupted, RegistryError
from promoter.model.images import Digest, ImageRef, Reference, Repository
from tests.contracts.registry import MANIFEST_KIND, manifest

BODY = manifest()
DIGEST = digest_of(BODY)


@dataclass
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Reply:
    status: int = 200
    body: bytes = BODY
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None


Handler = Callable[[Asked], Reply]


class Server:
    """`host` answers with `handler`; `asked` records the requests."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.handler: Handler = lambda _: Reply()
        outer = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                asked = Asked(
                    self.command, self.path, self.headers, self.rfile.read(int(self.headers.get("Content-Length") or 0))
                )
                outer.asked.append(asked)
                reply = outer.handler(asked)
                self.send_response(reply.status)
                for name, value in {"Content-Type": MANIFEST_KIND, **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
                self.end_headers()
                self.wfile.write(reply.body)
                self.close_connection = reply.length is not None

            def do_GET(self) -> None:
                self._serve()

            def do_HEAD(self) -> None:
                self._serve()

            def do_PUT(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def log_message(self, *words: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.host = f"127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["Server"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    @property
    def image(self) -> ImageRef:
        return ImageRef(Repository(self.host, "acme/shop"), DIGEST)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server().running() as running:
        yield running


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_AUTH_CONFIG", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def registry(tmp_path: Path, waits: list[float]) -> Iterator[HttpRegistry]:
    made = HttpRegistry(Credentials(tmp_path), timeout=(2.0, 2.0), sleep=waits.append)
    yield made
    made.close()


def login(folder: Path, host: str, **entry: str) -> None:
    auth = base64.b64encode(b"ana:hunter2").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth, **entry}}}))


def error_of(call: Callable[[], object]) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        call()
    assert caught.value.hint
    return caught.value


# ------------------------------------------------------------------ bytes
def test_all_four_kinds_are_accepted_always(server: Server, registry: HttpRegistry) -> None:
    registry.manifest(server.image)
    registry.resolve(Reference(server.image.repository, "v1"))
    assert [set(asked.headers["Accept"].split(", ")) for asked in server.asked] == [set(KINDS)] * 2
    assert server.asked[1].path == "/v2/acme/shop/manifests/v1"


def test_a_manifest_with_another_digest_raises_a_mismatch(server: Server, registry: HttpRegistry, waits: list[float]) -> None:
    server.handler = lambda _: Reply(body=manifest("evil"), headers={"Docker-Content-Digest": str(DIGEST)})
    error = error_of(lambda: registry.manifest(server.image))
    assert isinstance(error, DigestMismatch) and str(DIGEST) in error.message and server.host in error.message
    assert not waits


def test_the_header_is_not_believed(server: Server, registry: HttpRegistry) -> None:
    server.handler = lambda _: Reply(headers={"Docker-Content-Digest": f"sha256:{'0' * 64}"})
    assert registry.resolve(Reference(server.image.repository, "v1")) == DIGEST


def test_a_body_that_breaks_off(server: Server, registry: HttpRegistry, waits: list[float]) -> None:
    server.handler = lambda _: Reply(body=BODY[:20], length=len(BODY))
    error = error_of(lambda: registry.manifest(server.image))
    assert "cut off its answer" in error.message and error.retryable and len(waits) == 3


def test_a_body_without_end(server: Server, registry: HttpRegistry) -> None:
    server.handler = lambda _: Reply(body=b" " * (9 * 1024 * 1024))
    assert "more than" in error_of(lambda: registry.manifest(server.image)).message


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"mediaType": "text/plain"}', b'{"config": {}}', b'{"manifests": [{"digest": "x"}]}']
)
def test_what_is_no_manifest(server: Server, registry: HttpRegistry, body: bytes) -> None:
    server.handler = lambda _: Reply(body=body, headers={"Content-Type": "text/html"})
    assert "v1" in error_of(lambda: registry.resolve(Reference(server.image.repository, "v1"))).message


def test_a_signed_manifest_of_old_is_refused(server: Server, registry: HttpRegistry) -> None:
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    server.handler = lambda _: Reply(body=b'{"schemaVersion": 1}', headers={"Content-Type": kind})
    assert kind in error_of(lambda: registry.resolve(Reference(server.image.repository, "v1"))).message


def test_a_tag_is_put_with_the_bytes_and_kind_that_were_got(server: Server, registry: HttpRegistry) -> None:
    server.handler = lambda asked: Reply(201 if asked.method == "PUT" else 200)
    registry.tag(server.image, "prod")
    put = server.asked[-1]
    assert (put.method, put.path, put.body) == ("PUT", "/v2/acme/shop/manifests/prod", BODY)
    assert put.headers["Content-Type"] == MANIFEST_KIND


def test_a_registry_that_stores_something_else_under_a_tag(server: Server, registry: HttpRegistry) -> None:
    other = {"Docker-Content-Digest": f"sha256:{'0' * 64}"}
    server.handler = lambda asked: Reply(201, headers=other) if asked.method == "PUT" else Reply()
    assert isinstance(error_of(lambda: registry.tag(server.image, "prod")), DigestMismatch)


# ------------------------------------------------------------------ troubles
@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_passes_is_tried_again(server: Server, registry: HttpRegistry, waits: list[float], status: int) -> None:
    server.handler = lambda _: Reply(status) if len(server.asked) < 3 else Reply()
    assert registry.manifest(server.image) is not None
    assert len(waits) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_permanent_server_error_is_retried_and_reported(
    server: Server, registry: HttpRegistry, waits: list[float], status: int
) -> None:
    server.handler = lambda _: Reply(status, b'{"errors": [{"code": "X", "message": "come back tomorrow"}]}')
    error = error_of(lambda: registry.manifest(server.image))
    assert error.retryable and len(waits) == 3
    assert server.host in error.message and str(status) in error.message and "come back tomorrow" in error.message


def test_what_lasts_is_not_tried_again(server: Server, registry: HttpRegistry, waits: list[float]) -> None:
    server.handler = lambda _: Reply(400, b'{"errors": [{"code": "TAG_INVALID"}]}')
    assert "TAG_INVALID" in error_of(lambda: registry.manifest(server.image)).message
    assert not waits


def test_a_registry_that_is_down(server: Server, registry: HttpRegistry, waits: list[float]) -> None:
    gone = Server()
    gone._server.server_close()
    error = error_of(lambda: registry.ping(gone.host))
    assert gone.host in error.message and "refused" in error.message.lower() and len(waits) == 3


def test_a_registry_that_does_not_answer_times_out(tmp_path: Path) -> None:
    mute = Server()  # accepts connections and never serves them
    try:
        registry = HttpRegistry(Credentials(tmp_path), timeout=(0.1, 0.1), sleep=lambda _: None)
        assert "in time" in error_of(lambda: registry.ping(mute.host)).message
    finally:
        mute._server.server_close()


def test_a_host_that_does_not_exist(registry: HttpRegistry) -> None:
    assert "nowhere.invalid" in error_of(lambda: registry.ping("nowhere.invalid")).message


def test_a_host_that_is_no_registry(server: Server, registry: HttpRegistry) -> None:
    server.handler = lambda _: Reply(404)
    assert "no registry" in error_of(lambda: registry.ping(server.host)).message


# ------------------------------------------------------------------ credentials
def basic(asked: Asked) -> Reply:
    known = asked.headers.get("Authorization") == "Basic " + base64.b64encode(b"ana:hunter2").decode()
    return Reply() if known else Reply(401, b"{}", {"WWW-Authenticate": 'Basic realm="x"'})


def test_basic_is_kept_after_the_first_challenge(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host)
    server.handler = basic
    registry.ping(server.host)
    registry.manifest(server.image)
    registry.manifest(server.image)
    assert [bool(asked.headers.get("Authorization")) for asked in server.asked] == [False, True, True, True]


def test_no_challenge_asks_for_no_credentials(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{ broken")
    registry.ping(server.host)
    assert registry.manifest(server.image) is not None
    server.handler = basic
    assert str(tmp_path / "config.json") in error_of(lambda: registry.ping(server.host)).message


def test_without_a_login(server: Server, registry: HttpRegistry) -> None:
    server.handler = basic
    for call in (lambda: registry.ping(server.host), lambda: registry.manifest(server.image)):
        error = error_of(call)
        assert "there are none" in error.message and error.hint == f"run docker login {server.host}" and not error.retryable


def test_with_a_login_that_is_refused(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host)
    server.handler = lambda _: Reply(401, b"{}", {"WWW-Authenticate": 'Basic realm="x"'})
    for call in (lambda: registry.ping(server.host), lambda: registry.manifest(server.image)):
        error = error_of(call)
        assert f"{server.host} refuses the credentials" in error.message and "hunter2" not in f"{error.message}{error.hint}"


def test_a_right_that_is_missing(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host)
    server.handler = lambda asked: Reply(403) if asked.method == "PUT" else basic(asked)
    error = error_of(lambda: registry.tag(server.image, "prod"))
    assert "refuses" in error.message and f"push {server.image.repository}:prod" in error.message


def token_service(server: Server, wanted: Callable[[Asked], bool]) -> Handler:
    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            document = {"token": f"t{len(server.asked)}", "expires_in": 300} if wanted(asked) else {}
            return Reply(200 if document else 401, json.dumps(document).encode())
        if asked.headers.get("Authorization", "").startswith("Bearer t"):
            return Reply(201 if asked.method == "PUT" else 200)
        scope = "pull,push" if asked.method == "PUT" else "pull"
        realm = f'Bearer realm="http://{server.host}/token?x=1",service="svc",scope="repository:acme/shop:{scope}"'
        return Reply(401, b"{}", {"WWW-Authenticate": realm})

    return answer


def test_a_token_is_got_by_name_and_password_and_kept(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host)
    server.handler = token_service(server, lambda asked: asked.headers.get("Authorization", "").startswith("Basic "))
    registry.manifest(server.image)
    registry.manifest(server.image)
    assert [urlsplit(asked.path).path.split("/")[1] for asked in server.asked] == ["v2", "token", "v2", "v2"]
    query = parse_qs(urlsplit(server.asked[1].path).query)
    assert query == {"x": ["1"], "service": ["svc"], "scope": ["repository:acme/shop:pull"], "account": ["ana"]}


def test_a_token_without_login(server: Server, registry: HttpRegistry) -> None:
    server.handler = token_service(server, lambda asked: "Authorization" not in asked.headers)
    registry.ping(server.host)
    assert registry.manifest(server.image) is not None


def test_a_token_to_push_is_another_one(server: Server, registry: HttpRegistry) -> None:
    server.handler = token_service(server, lambda _: True)
    registry.tag(server.image, "prod")
    scopes = [parse_qs(urlsplit(asked.path).query)["scope"] for asked in server.asked if asked.path.startswith("/token")]
    assert scopes == [["repository:acme/shop:pull"], ["repository:acme/shop:pull,push"]]


def test_an_identity_token_is_refreshed(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host, identitytoken="refresh-me")
    server.handler = token_service(server, lambda asked: asked.method == "POST")
    assert registry.manifest(server.image) is not None
    form = parse_qs(server.asked[1].body.decode())
    assert form["grant_type"] == ["refresh_token"] and form["refresh_token"] == ["refresh-me"]
    assert "Authorization" not in server.asked[1].headers


def test_a_token_that_has_expired_is_requested_again(server: Server, registry: HttpRegistry) -> None:
    server.handler = token_service(server, lambda _: True)
    registry.manifest(server.image)
    stale = server.asked[-1].headers["Authorization"]
    fresh = server.handler
    server.handler = lambda asked: (
        fresh(Asked(asked.method, asked.path, {}, asked.body)) if asked.headers.get("Authorization") == stale else fresh(asked)
    )
    assert registry.manifest(server.image) is not None
    assert server.asked[-1].headers["Authorization"] != stale


def test_a_token_service_that_refuses(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host)
    server.handler = token_service(server, lambda _: False)
    assert "refuses the credentials" in error_of(lambda: registry.manifest(server.image)).message


def test_credentials_are_not_sent_in_the_clear(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host)
    realm = 'Bearer realm="http://auth.example.com/token",service="svc"'
    server.handler = lambda _: Reply(401, b"{}", {"WWW-Authenticate": realm})
    assert "without TLS to auth.example.com" in error_of(lambda: registry.manifest(server.image)).message


def test_netrc_is_not_read_for_credentials(
    server: Server, registry: HttpRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    registry.manifest(server.image)
    assert "Authorization" not in server.asked[0].headers


def test_a_proxy_is_not_used_for_loopback(server: Server, registry: HttpRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert registry.manifest(server.image) is not None


def test_challenges_are_read() -> None:
    bearer, plain = read_challenges('Bearer realm="https://a/t",scope="repository:x:pull,push" , Basic realm=x')
    assert bearer.scheme == "bearer" and bearer.parameters == {"realm": "https://a/t", "scope": "repository:x:pull,push"}
    assert plain.scheme == "basic" and plain.parameters == {"realm": "x"}
    assert read_challenges("Negotiate abc") == () == read_challenges("")


# ------------------------------------------------------------------ schemes and hosts
@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    words = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=registry -keyout key.pem -out cert.pem"
    )
    subprocess.run(
        ["openssl", *words.split(), "-addext", "subjectAltName=IP:127.0.0.1"], cwd=folder, check=True, capture_output=True
    )
    return folder


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with Server(context).running() as running:
        yield running


def test_a_loopback_registry_with_tls(tls_server: Server, registry: HttpRegistry) -> None:
    assert registry.manifest(tls_server.image) is not None


def test_a_remote_registry_needs_valid_tls(tls_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promoter.adapters.registry.hosts.is_loopback", lambda _: False)
    strict = HttpRegistry(Credentials(tmp_path), sleep=lambda _: None)
    error = error_of(lambda: strict.ping(tls_server.host))
    assert "cannot be trusted" in error.message and "certs.d" in str(error.hint) and not error.retryable
    allowed = HttpRegistry(Credentials(tmp_path), insecure=frozenset({tls_server.host}))
    allowed.ping(tls_server.host)
    strict.close()
    allowed.close()


def test_a_remote_registry_with_plain_http_needs_permission(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promoter.adapters.registry.hosts.is_loopback", lambda _: False)
    error_of(lambda: HttpRegistry(Credentials(tmp_path), sleep=lambda _: None).ping(server.host))
    HttpRegistry(Credentials(tmp_path), insecure=frozenset({server.host})).ping(server.host)
    assert [asked.path for asked in server.asked] == ["/v2/"]


def test_a_ca_of_the_engines_folder_is_trusted(
    tls_server: Server, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "certs.d" / tls_server.host
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_bytes((certificate / "cert.pem").read_bytes())
    monkeypatch.setattr("promoter.adapters.registry.hosts.is_loopback", lambda _: False)
    monkeypatch.setattr("promoter.adapters.registry.hosts.CERTIFICATES", tmp_path / "certs.d")
    strict = HttpRegistry(Credentials(tmp_path))
    strict.ping(tls_server.host)
    strict.close()


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "127.9.9.9", "localhost", "localhost:5000", "[::1]:5000"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1:5000", "registry.example.com", "docker.io", "localhost.example.com", "[fe80::1]"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_docker_hub_has_another_registry_address() -> None:
    assert (address("docker.io"), address("registry.example.com")) == ("registry-1.docker.io", "registry.example.com")


# ------------------------------------------------------------------ threads
def test_many_threads_share_one(server: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host)
    server.handler = basic
    found: list[Digest] = []

    def read() -> None:
        found.extend(registry.resolve(Reference(server.image.repository, "v1")) for _ in range(5))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [DIGEST] * 40


# ------------------------------------------------------------------ where layers are uploaded
LAYER = b"a layer"
LAYERED = json.dumps(
    {"schemaVersion": 2, "mediaType": MANIFEST_KIND, "layers": [{"digest": str(digest_of(LAYER)), "size": len(LAYER)}]}
).encode()
LAYERED_DIGEST = digest_of(LAYERED)


def holding(asked: Asked) -> Reply:
    """A registry that has one image and serves it to everyone."""
    return Reply(body=LAYER if "/blobs/" in asked.path else LAYERED)


def taking(location: Callable[[], str]) -> Handler:
    """A registry with a password that uploads layers to another address than the requested one."""

    def answer(asked: Asked) -> Reply:
        if "Authorization" not in asked.headers:
            return Reply(401, b"{}", {"WWW-Authenticate": 'Basic realm="x"'})
        if asked.method == "POST":
            return Reply(202, b"", {"Location": location()})
        return Reply(201 if asked.method == "PUT" else 404, b"")

    return answer


@pytest.fixture
def storage() -> Iterator[Server]:
    with Server().running() as running:
        running.handler = lambda _: Reply(201, b"")
        yield running


@pytest.fixture
def site() -> Iterator[Server]:
    with Server().running() as running:
        running.handler = holding
        yield running


def copied(registry: HttpRegistry, site: Server, server: Server) -> None:
    registry.copy(ImageRef(Repository(site.host, "acme/shop"), LAYERED_DIGEST), Repository(server.host, "acme/copy"))


def test_a_password_does_not_follow_a_layer_to_another_host(
    server: Server, storage: Server, site: Server, registry: HttpRegistry, tmp_path: Path
) -> None:
    login(tmp_path, server.host)
    server.handler = taking(lambda: f"http://{storage.host}/upload?key=1")
    copied(registry, site, server)
    (sent,) = storage.asked
    assert (sent.method, sent.body, sent.headers["Content-Length"]) == ("PUT", LAYER, str(len(LAYER)))
    assert "Authorization" not in sent.headers
    assert "Transfer-Encoding" not in sent.headers
    assert sent.path == f"/upload?key=1&digest=sha256%3A{digest_of(LAYER).hex}"


def test_a_layer_is_not_sent_in_the_clear_to_another_host(
    server: Server, storage: Server, site: Server, registry: HttpRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(tmp_path, server.host)
    registry.ping(server.host)  # over plain HTTP, which is allowed for a registry on loopback
    server.handler = taking(lambda: f"http://{storage.host}/upload")
    monkeypatch.setattr(registry._endpoint(server.host), "lenient", False)
    assert f"without TLS to {storage.host}" in error_of(lambda: copied(registry, site, server)).message
    assert storage.asked == []


def test_a_registry_that_names_its_inner_scheme_gets_the_layer_by_the_one_it_speaks(
    tls_server: Server, site: Server, registry: HttpRegistry, tmp_path: Path
) -> None:
    login(tmp_path, tls_server.host)
    tls_server.handler = taking(lambda: f"http://{tls_server.host}/v2/acme/copy/blobs/uploads/1")
    copied(registry, site, tls_server)
    sent = next(asked for asked in tls_server.asked if asked.body == LAYER)
    assert sent.headers["Authorization"].startswith("Basic ")


def test_a_login_that_ends_while_a_layer_is_sent_is_repeated(
    server: Server, site: Server, registry: HttpRegistry, tmp_path: Path, waits: list[float]
) -> None:
    login(tmp_path, server.host)
    good, refused = taking(lambda: "/v2/acme/copy/blobs/uploads/1"), []

    def once(asked: Asked) -> Reply:
        if asked.body == LAYER and not refused:
            refused.append(asked)
            return Reply(401, b"{}", {"WWW-Authenticate": 'Basic realm="x"'})
        return good(asked)

    server.handler = once
    copied(registry, site, server)
    assert len(waits) == len(refused) == 1


def test_an_upload_without_a_location_is_named(server: Server, site: Server, registry: HttpRegistry, tmp_path: Path) -> None:
    login(tmp_path, server.host)
    server.handler = taking(lambda: "")
    assert "names no place to push" in error_of(lambda: copied(registry, site, server)).message


def test_an_interruption_ends_a_copy(server: Server, site: Server, tmp_path: Path) -> None:
    def interrupted() -> None:
        raise Interrupted

    login(tmp_path, server.host)
    server.handler = taking(lambda: "/v2/acme/copy/blobs/uploads/1")
    registry = HttpRegistry(Credentials(tmp_path), check=interrupted)
    with pytest.raises(Interrupted):
        copied(registry, site, server)
    registry.close()
