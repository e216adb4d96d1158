"""D2: what an image keeps in a volume without a name is reported before anything runs."""

from pathlib import Path

from promoter.model.release import Source
from promoter.pipeline.loader import validate

FILE = """\
name: shop
registry: registry.example.com/shop
services:
  db: {image: "docker.io/library/postgres:15"}
  named: {image: "postgres:15", volumes: ["data:/var/lib/postgresql/data"]}
  cache: {image: "redis:7", tmpfs: [/data]}
  web: {build: .}
volumes: {data: {}}
environments: {dev: {}}
"""


def test_validate_remarks_on_volumes_that_no_mount_names(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(FILE)
    (tmp_path / "Dockerfile").write_text('FROM x AS one\nVOLUME /gone\nFROM y\nVOLUME ["/kept", "/kept two"]\nVOLUME /a /b\n')
    loaded = validate(tmp_path / "pipeline.yaml", source=Source(), environ={})
    output = [(one.line, one.message.partition(" keeps data in ")) for one in loaded.remarks]
    assert [(line, who, what.partition(",")[0]) for line, (who, _, what) in output] == [
        (4, "the image of `db`", "/var/lib/postgresql/data"),
        (7, "the image of `web`", "/a"),
        (7, "the image of `web`", "/b"),
        (7, "the image of `web`", "/kept two"),
        (7, "the image of `web`", "/kept"),
    ]
