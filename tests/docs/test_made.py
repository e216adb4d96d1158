"""Generated files are up to date: the reference, the picture of the terminal. Also, the site as CI builds it."""

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT

SCRIPTS = ("script", "link", "img", "iframe", "object", "embed", "source", "video", "audio", "use", "image")
"""Elements for which a browser fetches an address by itself."""


def script(path: str) -> ModuleType:
    """Return a script of docs/, which finds its neighbours as when it is run."""
    if str(DOCS) not in sys.path:
        sys.path.append(str(DOCS))
    spec = importlib.util.spec_from_file_location(Path(path).stem, DOCS / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "text"), script("generate.py").pages().items(), ids=lambda value: value if len(value) < 30 else ""
)
def test_the_reference_is_up_to_date(name: str, text: str) -> None:
    assert (DOCS / "reference" / name).read_text() == text, "run `make reference`"


def test_the_reference_knows_every_command_and_key() -> None:
    from promoter.gates.checks import CHECKS
    from promoter.gates.registry import GATES
    from promoter.pipeline.spec import EnvironmentForm, FileForm
    from promoter.ui.cli.app import VERBS

    commands, keys = (DOCS / "reference/commands.md").read_text(), (DOCS / "reference/pipeline.md").read_text()
    assert [verb for verb in VERBS if f"\n## promoter {verb}\n" not in commands] == []
    assert list(dict.fromkeys(re.findall(r"^\| \[`promoter (\w+)[^|]*\| ", commands, re.MULTILINE))) == list(VERBS)
    wanted = {*FileForm.model_fields, *EnvironmentForm.model_fields, *CHECKS, *GATES}
    assert [key for key in wanted if f"| `{key}` |" not in keys] == []


def test_no_other_page_has_a_table_of_the_commands() -> None:
    pages = [page for page in PAGES if page != DOCS / "reference/commands.md"]
    assert [page for page in pages if len(re.findall(r"^\| \[?`promoter \w+", page.read_text(), re.MULTILINE)) > 2] == []


def test_the_picture_of_the_terminal_shows_the_output_of_the_commands() -> None:
    drawing = script("pictures/terminal.py")
    assert (DOCS / "pictures/terminal.svg").read_text() == drawing.picture(), "run `make reference`"
    drawn = re.sub(r"<[^>]+>", "", (DOCS / "pictures/terminal.svg").read_text()).replace("&#160;", " ")
    plain = re.sub(r"\x1b\[\d+m", "", drawing.shown())
    assert all(line[:60].strip() in drawn for line in plain.splitlines())
    tutorial = (DOCS / "tutorial.md").read_text()
    assert all(line in tutorial for line in plain.splitlines() if not line.startswith("$ ")), "run `make refresh-docs`"


class Fetched(HTMLParser):
    """Collects every address that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in SCRIPTS and names.get("rel") not in ("next", "prev", "canonical"):
            self.found += [names[key] or "" for key in ("src", "href", "srcset", "data") if key in names]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "-n",
        "--keep-going",
        "-d",
        str(directory / "trees"),
        "docs",
        str(directory / "html"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return directory / "html"


def test_the_site_has_every_page_and_loads_no_external_files(site: Path) -> None:
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    assert [str(page) for page in pages if not (site / page).is_file()] == []
    external = []
    for page in site.rglob("*.html"):
        fetched = Fetched()
        fetched.feed(page.read_text())
        external += [f"{page.name}: {address}" for address in fetched.found if re.match(r"(\w+:)?//", address)]
    for file in (*site.rglob("*.css"), *site.rglob("*.svg")):
        found = re.findall(r"(?:url\(|@import|href=)[\"' ]*((?:https?:)?//[^\"')]+)", file.read_text())
        external += [f"{file.name}: {address}" for address in found]
    assert external == []
