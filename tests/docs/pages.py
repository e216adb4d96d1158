"""The manual as data: its pages, their fenced blocks, headings and links. The tests beside this file check them.

The info string of a block has its kind. Code hosts and Sphinx highlight by the first word and ignore the rest:

    yaml                  a whole document: a pipeline file, a workflow, a .gitlab-ci.yml, a Compose file; recognised by its keys
    yaml part PLACE       a part of a pipeline file, or of a workflow; PLACE is one of `PARTS` in tests/docs/documents.py
    yaml other            YAML of another program, which these tests cannot check
    sh                    commands; tests/docs/test_executed_pages.py runs them on its pages, block after block, in one shell
    sh set up             commands that run before all others of their page, so that a page can begin with its main example
    sh not run            commands that are checked, and not run there: they need what no test machine has
    python                a program; tests/docs/test_python.py runs it
    text                  right after such a block: its output; anywhere else text, a picture, a message
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)
_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block. `mark` is the rest of its info string after the language."""

    page: Path
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def blocks_of(page: Path) -> tuple[Block, ...]:
    text = page.read_text()
    found = []
    for match in _FENCE.finditer(text):
        language, _, mark = match[2].strip().partition(" ")
        lines = [line.removeprefix(match[1]) for line in match[3].splitlines(keepends=True)]
        found.append(Block(page, text.count("\n", 0, match.start()) + 1, language, mark, "".join(lines)))
    return tuple(found)


def blocks(language: str) -> list[Block]:
    return [block for page in PAGES for block in blocks_of(page) if block.language == language]


def prose(page: Path) -> str:
    """Return a page without its blocks and without `code`: its sentences, with links."""
    return re.sub(r"`[^`\n]*`", "``", _FENCE.sub("", page.read_text()))


def links(page: Path) -> list[str]:
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts and MyST make them."""
    seen: dict[str, int] = {}
    made = set()
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text())):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        made.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
    return made
