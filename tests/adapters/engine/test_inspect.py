from promoter.adapters.engine import inspect
from promoter.model.images import Digest, Repository

REPOSITORY = Repository.parse("r.example.com/app")
WANTED, OTHER = Digest("a" * 64), Digest("b" * 64)
MADE_FROM = {"Image": "sha256:" + "c" * 64, "Config": {"Image": f"{REPOSITORY}@{WANTED}"}}


def image(*digests: Digest, repository: object = REPOSITORY) -> dict:
    return {"RepoDigests": ["<none>@<none>", f"x/y@{OTHER}", *(f"{repository}@{digest}" for digest in digests)]}


def running(document, seen):
    return inspect.running_digest(
        {"Config": {"Image": "app:v1"}, "Image": "sha256:" + "c" * 64} | document, seen, REPOSITORY, WANTED
    )


def test_the_expected_digest_is_found_among_several():
    assert running({}, image(OTHER, WANTED)) == WANTED


def test_a_different_running_digest_is_returned():
    assert running({}, image(OTHER)) == OTHER
    assert running(MADE_FROM, image(OTHER)) == OTHER


def test_a_tag_proves_nothing():
    assert running({}, image()) is None
    assert running({}, None) is None


def test_an_image_that_lost_its_names_is_known_by_what_the_container_was_made_from():
    assert running(MADE_FROM, image()) == WANTED


def test_an_engine_with_a_containerd_store_reports_the_digest_itself():
    assert running({"Image": str(WANTED)}, None) == WANTED
    assert running({"ImageManifestDescriptor": {"digest": str(WANTED)}}, None) == WANTED


def test_docker_hub_is_known_by_its_short_name():
    assert inspect.digests({"RepoDigests": [f"nginx@{WANTED}"]}, Repository.parse("docker.io/library/nginx")) == (WANTED,)


def test_a_container_without_optional_fields_is_read():
    document = {
        "Id": "1",
        "Name": "/one",
        "State": {"Status": "created"},
        "Config": {"Labels": None, "Healthcheck": {"Test": ["NONE"]}},
        "NetworkSettings": {"Ports": None},
    }
    seen = inspect.container(document)
    assert (seen.name, seen.labels, seen.health, seen.healthcheck, seen.published) == ("one", {}, None, None, {})


def test_ports_of_both_families_are_shown_by_the_older():
    ports = {"80/tcp": [{"HostIp": "::", "HostPort": "1"}, {"HostIp": "0.0.0.0", "HostPort": "2"}], "81/tcp": None}
    document = {
        "Id": "1",
        "Name": "/one",
        "State": {"Status": "running", "Health": {"Status": "healthy", "Log": None}},
        "Config": {},
    }
    seen = inspect.container({**document, "NetworkSettings": {"Ports": ports}})
    assert seen.published == {"80/tcp": ("0.0.0.0", 2)} and seen.health == "healthy"
