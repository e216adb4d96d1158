"""The contract of every Registry, fake or real: a class of tests with a `RegistrySite`, which adds the images."""

import json
from typing import Protocol

import pytest

from promoter.model.canonical_json import sha256_hex
from promoter.model.errors import RegistryError
from promoter.model.images import Digest, ImageRef, Reference, Repository
from promoter.promotion.ports.registry import Registry

CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
CONFIG_DIGEST = Digest(sha256_hex(CONFIG))
MANIFEST_KIND = "application/vnd.oci.image.manifest.v1+json"
INDEX_KIND = "application/vnd.oci.image.index.v1+json"


class RegistrySite(Protocol):
    """`registry`, and a repository in it that belongs to this test."""

    registry: Registry
    repository: Repository

    def put(self, repository: Repository, tag: str, body: bytes, kind: str) -> Digest:
        """Push a manifest. The config blob is added automatically."""


def manifest(note: str = "") -> bytes:
    """Return the manifest of an image without layers. Another `note` makes another digest."""
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(CONFIG_DIGEST), "size": len(CONFIG)}
    document = {"schemaVersion": 2, "mediaType": MANIFEST_KIND, "config": config, "layers": [], "annotations": {"note": note}}
    return json.dumps(document, indent=3).encode()


def index(child: Digest, size: int) -> bytes:
    entry = {"mediaType": MANIFEST_KIND, "digest": str(child), "size": size, "platform": {"architecture": "amd64", "os": "linux"}}
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX_KIND, "manifests": [entry]}).encode()


class RegistryContract:
    """Subclasses define the fixture `site`."""

    def test_a_registry_that_is_there_answers(self, site: RegistrySite) -> None:
        assert site.registry.ping(site.repository.host) is None

    def test_a_manifest_by_its_digest(self, site: RegistrySite) -> None:
        body = manifest()
        digest = site.put(site.repository, "v1", body, MANIFEST_KIND)
        found = site.registry.manifest(ImageRef(site.repository, digest))
        assert found is not None
        assert (found.digest, found.body, found.size, found.media_type) == (digest, body, len(body), MANIFEST_KIND)
        assert (found.config, found.children) == (CONFIG_DIGEST, ())

    def test_an_index_by_its_digest(self, site: RegistrySite) -> None:
        child = site.put(site.repository, "child", manifest(), MANIFEST_KIND)
        digest = site.put(site.repository, "v1", index(child, len(manifest())), INDEX_KIND)
        found = site.registry.manifest(ImageRef(site.repository, digest))
        assert found is not None
        assert (found.digest, found.media_type, found.config, found.children) == (digest, INDEX_KIND, None, (child,))

    def test_what_is_not_held_is_none(self, site: RegistrySite) -> None:
        site.put(site.repository, "v1", manifest(), MANIFEST_KIND)
        other = Repository(site.repository.host, f"{site.repository.path}/never")
        assert site.registry.manifest(ImageRef(site.repository, Digest("0" * 64))) is None
        assert site.registry.manifest(ImageRef(other, Digest("0" * 64))) is None

    def test_a_tag_names_what_it_was_last_put_on(self, site: RegistrySite) -> None:
        first = site.put(site.repository, "v1", manifest("first"), MANIFEST_KIND)
        assert site.registry.resolve(Reference(site.repository, "v1")) == first
        second = site.put(site.repository, "v1", manifest("second"), MANIFEST_KIND)
        assert site.registry.resolve(Reference(site.repository, "v1")) == second
        assert site.registry.manifest(ImageRef(site.repository, first)) is not None

    def test_without_a_tag_latest_is_meant(self, site: RegistrySite) -> None:
        digest = site.put(site.repository, "latest", manifest(), MANIFEST_KIND)
        site.put(site.repository, "v2", manifest("other"), MANIFEST_KIND)
        assert site.registry.resolve(Reference(site.repository)) == digest

    def test_a_digest_beats_the_tag_of_the_same_reference(self, site: RegistrySite) -> None:
        first = site.put(site.repository, "v1", manifest("first"), MANIFEST_KIND)
        site.put(site.repository, "v1", manifest("second"), MANIFEST_KIND)
        assert site.registry.resolve(Reference(site.repository, "v1", first)) == first

    @pytest.mark.parametrize("digest", [None, Digest("0" * 64)])
    def test_an_image_that_was_never_pushed_has_no_digest(self, site: RegistrySite, digest: Digest | None) -> None:
        with pytest.raises(RegistryError) as caught:
            site.registry.resolve(Reference(site.repository, "never", digest))
        assert str(site.repository) in caught.value.message and caught.value.hint and not caught.value.retryable

    def test_a_tag_is_put_on_the_very_same_bytes(self, site: RegistrySite) -> None:
        digest = site.put(site.repository, "v1", manifest("first"), MANIFEST_KIND)
        site.put(site.repository, "prod", manifest("second"), MANIFEST_KIND)
        for _ in range(2):
            site.registry.tag(ImageRef(site.repository, digest), "prod")
            assert site.registry.resolve(Reference(site.repository, "prod")) == digest

    def test_an_index_is_tagged_whole(self, site: RegistrySite) -> None:
        child = site.put(site.repository, "child", manifest(), MANIFEST_KIND)
        digest = site.put(site.repository, "v1", index(child, len(manifest())), INDEX_KIND)
        site.registry.tag(ImageRef(site.repository, digest), "prod")
        assert site.registry.resolve(Reference(site.repository, "prod")) == digest

    def test_what_is_not_there_cannot_be_tagged(self, site: RegistrySite) -> None:
        with pytest.raises(RegistryError, match="does not have"):
            site.registry.tag(ImageRef(site.repository, Digest("0" * 64)), "prod")

    def test_a_copy_has_the_same_bytes_under_the_same_digest(self, site: RegistrySite) -> None:
        digest = site.put(site.repository, "v1", manifest("copied"), MANIFEST_KIND)
        to = Repository(site.repository.host, f"{site.repository.path}/elsewhere")
        for _ in range(2):  # copying an image that exists already is no error
            site.registry.copy(ImageRef(site.repository, digest), to)
        found = site.registry.manifest(ImageRef(to, digest))
        assert found is not None
        assert found.body == manifest("copied")

    def test_an_index_is_copied_with_its_children(self, site: RegistrySite) -> None:
        child = site.put(site.repository, "child", manifest("child"), MANIFEST_KIND)
        digest = site.put(site.repository, "v1", index(child, len(manifest("child"))), INDEX_KIND)
        to = Repository(site.repository.host, f"{site.repository.path}/elsewhere")
        site.registry.copy(ImageRef(site.repository, digest), to)
        for one in (digest, child):
            assert site.registry.manifest(ImageRef(to, one)) is not None

    def test_what_is_not_held_cannot_be_copied(self, site: RegistrySite) -> None:
        to = Repository(site.repository.host, f"{site.repository.path}/elsewhere")
        with pytest.raises(RegistryError, match="does not have"):
            site.registry.copy(ImageRef(site.repository, Digest("1" * 64)), to)
