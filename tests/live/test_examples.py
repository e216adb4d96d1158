"""The example pipelines as a reader uses them, on the real engine: validate, run, approve, change, roll back."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import ROOT, Cli

STAND_IN = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
CMD ["sh", "-c", "trap exit TERM; httpd -p 80 -h /usr/share/nginx/html; while :; do sleep 0.1; done"]
"""


@pytest.fixture
def taken(tmp_path: Path, busybox_dir: Path, clean_engine: str) -> Callable[[str], Path]:
    """Copy an example into tmp_path under a unique name, with the busybox that its Dockerfiles need."""

    def take(example: str) -> Path:
        folder = tmp_path / example
        shutil.copytree(ROOT / "pipelines" / example, folder, ignore=shutil.ignore_patterns("busybox", ".promoter"))
        for dockerfile in folder.rglob("Dockerfile"):
            shutil.copy2(busybox_dir / "busybox", dockerfile.with_name("busybox"))
        file = folder / "pipeline.yaml"
        file.write_text(re.sub(rf"(?m)^name: {example}$", f"name: {clean_engine}", file.read_text()))
        return folder

    return take


def page(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return answer.read().decode()


def ports_for(cli: Cli, example: str, free_port: Callable[[], int]) -> dict[str, int]:
    ports = {name: free_port() for name in ("dev", "test", "prod")}
    cli.env |= {f"{example.upper()}_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    return ports


def test_hello_from_a_build_to_prod_and_back(
    cli: Cli, engine_url: str, registry_host: str, taken: Callable[[str], Path], free_port: Callable[[], int]
) -> None:
    cli.cwd = taken("hello")
    ports = ports_for(cli, "hello", free_port)
    assert cli("validate").exit_code == 0

    first = cli("run", "--json", "--actor", "ben@example.com")
    assert first.exit_code == 3, first.text
    assert [(e["name"], e["status"]) for e in first.json["environments"]] == [
        ("dev", "deployed"),
        ("test", "deployed"),
        ("prod", "pending"),
    ]
    assert page(ports["dev"]) == "Hi, this is version 1, in dev\n"

    plan = cli("plan", "--to", "prod", "--json")
    assert plan.exit_code == 0, plan.text
    assert plan.json["environments"][-1]["gates"][0]["reason_code"] == "approvals_missing"

    assert cli("approve", "prod").exit_code == 2
    approved = cli("approve", "prod", "--yes", "--actor", "ana@example.com", "--comment", "seen on test")
    assert approved.exit_code == 0, approved.text
    assert cli("promote").exit_code == 0
    assert page(ports["prod"]) == "Welcome, this is version 1, in prod\n"
    again = cli("run", "--json")
    assert (again.exit_code, again.json["reason_code"]) == (0, "nothing_to_do"), again.text

    message = cli.cwd / "web/message.txt"
    message.write_text("this is version 2\n")
    second = cli("run", "--json", "--to", "dev")
    assert second.exit_code == 0, second.text
    assert page(ports["dev"]) == "Hi, this is version 2, in dev\n"
    back = cli("rollback", "dev", "--reason", "version 1 was better")
    assert back.exit_code == 0, back.text
    assert page(ports["dev"]) == "Hi, this is version 1, in dev\n"

    status = {e["name"]: e for e in cli("status", "--json").json["environments"]}
    assert (status["dev"]["pinned"], status["prod"]["pinned"]) == (True, False)
    assert status["dev"]["health"] in {"starting", "healthy"}  # the engine's own check may not have run yet
    assert status["dev"]["release"]["id"] == status["prod"]["release"]["id"] == first.json["release"]["id"]
    assert cli("ledger", "verify").exit_code == 0
    assert cli("unpin", "dev", "--reason", "tried it").exit_code == 0


@pytest.mark.slow
def test_shop_with_a_migration_a_secret_and_an_image_of_others(
    cli: Cli, engine_url: str, registry_host: str, taken: Callable[[str], Path], free_port: Callable[[], int], unique: str
) -> None:
    shop = taken("shop")
    ports = ports_for(cli, "shop", free_port)
    cli.env |= {"SHOP_TOKEN": "s3cr3t-of-the-shop", "SHOP_PAGES_IMAGE": stand_in(cli, shop, registry_host, unique)}
    cli.cwd = shop

    first = cli("run", "--json")
    assert first.exit_code == 3, first.text
    assert first.json["release"]["images"].keys() == {"web", "worker", "pages"}
    assert page(ports["test"]) == "shop in test, schema 2, log level info\n"

    refused = cli("approve", "prod", "--yes", "--actor", "eve@example.com")
    assert refused.exit_code == 4, refused.text
    assert cli("approve", "prod", "--yes", "--actor", "ana@example.com").exit_code == 0
    promoted = cli("promote", "--json")
    assert promoted.exit_code == 0, promoted.text
    assert promoted.json["release"]["id"] == first.json["release"]["id"]
    assert page(ports["prod"]) == "shop in prod, schema 2, log level info\n"

    output = [
        cli(*words).text
        for words in (("history", "--json"), ("ledger", "export"), ("status",), ("logs", promoted.json["release"]["id"]))
    ]
    assert not any("s3cr3t" in text for text in [first.text, promoted.text, *output])
    assert "migrated to schema 2" in output[-1]
    differs = cli("diff", "test", "prod", "--json").json
    assert (differs["images"], any("replicas" in change["path"] for change in differs["changes"])) == ([], True)


def stand_in(cli: Cli, shop: Path, registry_host: str, unique: str) -> str:
    """Push an image of another project: a web server under nginx's path, by its digest. Nothing can be pulled here."""
    folder = shop.parent / "others"
    folder.mkdir()
    shutil.copy2(shop / "web/busybox", folder / "busybox")
    (folder / "Dockerfile").write_text(STAND_IN)
    (folder / "pipeline.yaml").write_text(
        f"name: {unique}\nregistry: {registry_host}/{unique}\n"
        "services: {pages: {image: pages, build: ., init: true}}\nenvironments: {dev: {}}\n"
    )
    built = cli("build", "--json", cwd=folder)
    assert built.exit_code == 0, built.text
    image = built.json["release"]["images"]["pages"]
    return f"{image['repository']}@{image['digest']}"
