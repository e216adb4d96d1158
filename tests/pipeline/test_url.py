"""The URL of an environment: written with templates, otherwise that of the first http verification; and where it is shown."""

from pathlib import Path

import pytest

from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release
from promoter.pipeline.loader import LoadedPipeline, load
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.plan import make_plan
from tests.pipeline.pipeline_files import GOOD, SOURCE, complaints, write

DEV = "    vars: {port: 18081}\n"
IMAGE = ImageRef(Repository("registry.example.com", "acme/shop/web"), Digest("ab" * 32))
RELEASE = Release({"web": IMAGE}, SOURCE)
HTTP = '    verify: [{{http: {{url: "{}"}}}}, {{http: {{url: "http://second/"}}}}]\n'


def loaded(directory: Path, more: str, head: str = "") -> LoadedPipeline:
    text = GOOD.replace(DEV, DEV + more).replace("services:", f"{head}services:")
    return load(write(directory, text), source=SOURCE, environ={})


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ("", None),
        (
            '    url: "https://{{ environment }}.example.com:{{ port }}/{{ release }}"\n',
            f"https://dev.example.com:18081/{RELEASE.id}",
        ),
        (HTTP.format("http://127.0.0.1:{{ port }}/"), "http://127.0.0.1:18081/"),
        (HTTP.format("http://x/") + "    url: https://said/\n", "https://said/"),
        (HTTP.format("http://x/?token={{ secret('T') }}"), "http://second/"),
        (HTTP.format("http://user:word@x/"), "http://second/"),
    ],
)
def test_the_url_of_an_environment_is_rendered(tmp_path: Path, more: str, url: str | None) -> None:
    assert loaded(tmp_path, more, "secrets: {T: {env: T}}\n").url("dev", RELEASE) == url


def test_an_address_shows_no_secret(tmp_path: Path) -> None:
    text = GOOD.replace(DEV, DEV + "    url: https://x/{{ secret('T') }}\n").replace(
        "services:", "secrets: {T: {env: T}}\nservices:"
    )
    assert complaints(write(tmp_path, text)) == [("11:10", "`url` cannot contain a secret")]


def test_it_is_only_shown_so_no_plan_depends_on_it(tmp_path: Path) -> None:
    def digest(more: str) -> str:
        environment = loaded(tmp_path, more).resolve("dev", SOURCE, RELEASE.id)
        return make_plan("shop", environment, RELEASE, lambda _: "", steps_of).digest

    assert digest("    url: https://x/\n") == digest("    url: https://y/\n") == digest("")


def test_a_complaint_about_an_environment_has_the_position_of_its_name(tmp_path: Path) -> None:
    complaint = loaded(tmp_path, "").complaint("test", "waits", "wait")
    assert (complaint.line, complaint.column, complaint.text) == (10, 3, "  test:")
    assert complaint.file == str(tmp_path / "pipeline.yaml")
