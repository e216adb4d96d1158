from pathlib import Path

import pytest
from parts.sources import derive

DEB822 = """Types: deb deb-src
# a comment
URIs: http://archive.example.com/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/example.gpg

Types: deb
URIs: http://archive.example.com/security
Suites: bookworm-security
Components: main
"""
WANTED = """Types: deb
URIs: http://archive.example.com/debian
Suites: trixie
Components: main"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_takes_the_stanza_that_names_the_suite_itself_and_leaves_updates_and_security(etc: Path) -> None:
    (etc / "sources.list.d/debian.sources").write_text(DEB822)
    assert derive(etc, "bookworm", "trixie") == f"{WANTED}\nSigned-By: /usr/share/keyrings/example.gpg\n"


@pytest.mark.parametrize(
    ("line", "derived"),
    [
        ("deb http://archive.example.com/debian bookworm main", f"{WANTED}\n"),
        (
            "deb [arch=amd64 signed-by=/usr/share/keyrings/example.gpg] http://archive.example.com/debian bookworm main # mirror",
            f"{WANTED}\nSigned-By: /usr/share/keyrings/example.gpg\n",
        ),
        ("deb http://archive.example.com/debian bookworm-updates main", ""),
        ("deb-src http://archive.example.com/debian bookworm main", ""),
        ("# deb http://archive.example.com/debian bookworm main", ""),
    ],
)
def test_reads_one_line_sources(etc: Path, line: str, derived: str) -> None:
    (etc / "sources.list").write_text(f"{line}\n")
    assert derive(etc, "bookworm", "trixie") == derived


def test_leaves_out_what_is_switched_off(etc: Path) -> None:
    (etc / "sources.list.d/debian.sources").write_text("Enabled: no\n" + DEB822.split("\n\n", maxsplit=1)[0])
    assert not derive(etc, "bookworm", "trixie")
