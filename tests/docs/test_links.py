"""Links of the manual's pages: a target in the repository exists, with its anchor. A target elsewhere is an address."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, links

EXTERNAL = re.compile(r"^[a-z]+:")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        if EXTERNAL.match(link):
            address = urlsplit(link)
            if address.scheme != "https" or "." not in address.netloc:
                lost.append(link)
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_footnote_is_there_and_used(page: Path) -> None:
    text = page.read_text()
    output, used = set(re.findall(r"^\[\^(\w+)\]: ", text, re.MULTILINE)), set(re.findall(r"\[\^(\w+)\](?!:)", text))
    assert output == used


def test_every_page_can_be_reached_from_the_first() -> None:
    """A code host has no other navigation."""
    seen, todo = set[Path](), [ROOT / "README.md", DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        todo += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if not EXTERNAL.match(link)]
    assert {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {
        str(p.relative_to(DOCS)) for p in seen if DOCS in p.parents
    } == set()


def test_every_file_that_contributing_names_is_there() -> None:
    """A how-to that names a file which was moved is wrong."""
    folders = "promoter|tests|docs|pipelines|lab|bench|templates"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert len(named) > 60
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def claims() -> list[str]:
    return sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", (DOCS / "threat-model.md").read_text())))


def test_the_threat_model_names_many_tests() -> None:
    assert len(claims()) > 40


@pytest.mark.parametrize("claim", claims())
def test_what_the_threat_model_calls_proven_has_a_test(claim: str) -> None:
    file, _, name = claim.partition("::")
    assert (ROOT / file).is_file()
    assert not name or re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_every_claim_about_a_peer_has_a_source() -> None:
    """A source is a repository at a commit, and a path in it. Each chapter about a peer names one."""
    text = (DOCS / "comparison.md").read_text()
    for source in re.findall(r"^\[\^\w+\]: (.*)$", text, re.MULTILINE):
        assert re.match(r"[\w-]+/[\w.-]+@[0-9a-f]{7,}, `[^`]+`", source), source
    chapters = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |^\[\^)", text, re.MULTILINE | re.DOTALL))
    for peer in ("Kargo", "Kamal", "GitHub environments", "Spinnaker", "Octopus Deploy", "kpromo"):
        assert "[^" in chapters[peer], peer
    assert re.search(r"Of \d{4}-\d\d-\d\d", text)
