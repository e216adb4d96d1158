"""The manual as a site: `make docs-site`. The pages are plain Markdown and read as well on a code host."""

import re
from pathlib import Path
from typing import Any

from promoter import __version__

project, version, release, html_title = "promoter", __version__, __version__, "promoter"
extensions = ["myst_parser"]
myst_heading_anchors = 4
highlight_language = "text"
html_theme = "furo"
html_static_path, html_css_files = ["_static"], ["site.css"]
html_theme_options: dict[str, Any] = {"top_of_page_buttons": []}
html_show_copyright = html_copy_source = html_show_sourcelink = html_show_sphinx = False

DIRECTORY = Path(__file__).parent
GUIDES = ("pipeline", "commands", "approvals", "ledger", "troubleshooting")
SEPARATE = {
    "index",
    "one-page",
    "install",
    "tutorial",
    "threat-model",
    "comparison",
    "architecture",
    "python",
    "glossary",
    *GUIDES,
}
CHAPTERS = {
    "Learn": ["one-page", "install", "tutorial"],
    "Guides": [*GUIDES, *(page.stem for page in sorted(DIRECTORY.glob("*.md")) if page.stem not in SEPARATE)],
    "How to": [f"how-to/{page.stem}" for page in sorted((DIRECTORY / "how-to").glob("*.md"))],
    "Reference": [*(f"reference/{page.stem}" for page in sorted((DIRECTORY / "reference").glob("*.md"))), "python", "glossary"],
    "Understand": [
        *(f"explanation/{page.stem}" for page in sorted((DIRECTORY / "explanation").glob("*.md"))),
        "threat-model",
        "comparison",
    ],
    "Developing promoter": ["architecture", *(f"dev/{page.stem}" for page in sorted((DIRECTORY / "dev").glob("*.md")))],
}


def _read(_app: object, page: str, source: list[str]) -> None:
    """Change a page for the site only: add the side bar, and replace links that lead out of docs/ by text."""
    if page == "index":
        source[0] += "".join(_chapter(title, pages) for title, pages in CHAPTERS.items())
    if page == "dev/decisions":
        source[0] += _chapter(
            "Decisions", [f"decisions/{record.stem}" for record in sorted((DIRECTORY / "dev/decisions").glob("0*.md"))]
        )
    up = "../" * (page.count("/") + 1)
    source[0] = re.sub(rf"\[([^\]]+)\]\({re.escape(up)}([^)#]+)[^)]*\)", r"\1 (`\2`)", source[0])


def _chapter(title: str, pages: list[str]) -> str:
    return f"\n\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(pages) + "\n```\n"


def setup(app: Any) -> None:
    app.connect("source-read", _read)
