"""The manual has plain words and short sentences, so that readers of any first language understand it at once."""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT
from tests.docs.plain_words import AT_MOST, REFUSED, found, long_sentences, prose

WRITTEN = [page for page in PAGES if not page.read_text().startswith("<!-- Made by docs/generate.py")]
"""Pages that people write. Generated ones contain texts from the code."""
PACKAGE = ROOT / "promoter"
RECORDS = "decisions"
"""The folder of decision records, which are not edited later: the rule of length does not apply to them."""


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_uses_plain_words(page: Path) -> None:
    assert [f"{line}: {word}" for line, word in found(prose(page.read_text()))] == []


@pytest.mark.parametrize("page", [p for p in WRITTEN if p.parent.name != RECORDS], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_has_short_sentences(page: Path) -> None:
    assert [f"{line}: {sentence}" for line, sentence in long_sentences(prose(page.read_text()))] == [], f"at most {AT_MOST}"


def _texts(module: Path) -> Iterator[tuple[int, str]]:
    """Yield messages, help texts, docstrings and comments. A text without a space is a key or a name, not a sentence."""
    source = module.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    yield from _comments(source)


def _docstrings_and_comments(module: Path) -> Iterator[tuple[int, str]]:
    """Yield each string that is a statement by itself, and each comment. Other strings of a test are its data."""
    source = module.read_text()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text
    yield from _comments(source)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("folder", sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()))
def test_messages_and_comments_use_plain_words(folder: str) -> None:
    modules = [*(PACKAGE / folder).rglob("*.py"), *PACKAGE.glob("*.py")]
    words = [
        f"{module.relative_to(ROOT)}:{start + line - 1}: {word}"
        for module in modules
        for start, text in _texts(module)
        for line, word in found(text)
    ]
    assert words == []


DEVELOPMENT = sorted({module.parent for name in ("tests", "lab", "bench") for module in (ROOT / name).rglob("*.py")})
"""Folders of code for developers only."""


@pytest.mark.parametrize("folder", DEVELOPMENT, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_docstrings_and_comments_for_developers_use_plain_words(folder: Path) -> None:
    words = [
        f"{module.relative_to(ROOT)}:{start + line - 1}: {word}"
        for module in sorted(folder.glob("*.py"))
        for start, text in _docstrings_and_comments(module)
        for line, word in found(text)
    ]
    assert words == []


def test_folders_for_developers_are_found() -> None:
    names = {str(folder.relative_to(ROOT)) for folder in DEVELOPMENT}
    assert {"tests", "tests/adapters/engine", "tests/live", "lab", "lab/parts", "bench"} <= names


CI_FILES = sorted(
    path
    for name in ("action.yml", ".github/workflows/*", ".github/*.sh", ".github/action/*", "templates/*", "pipelines/ci/*")
    for path in (*ROOT.glob(name), *(PACKAGE / "pipeline/scaffold").glob(name))
)
"""What runs in a CI: comments, descriptions and messages for users."""


@pytest.mark.parametrize("file", CI_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_for_a_ci_uses_plain_words(file: Path) -> None:
    assert [f"{line}: {word}" for line, word in found(file.read_text())] == []


def test_files_for_a_ci_are_found() -> None:
    names = {str(file.relative_to(ROOT)) for file in CI_FILES}
    scaffold = "promoter/pipeline/scaffold/templates/github.yml.j2"
    assert {"action.yml", ".github/workflows/promote.yml", ".github/action/run.sh", "pipelines/ci/crontab", scaffold} <= names


def test_a_message_and_a_comment_are_read(tmp_path: Path) -> None:
    module = tmp_path / "a.py"
    module.write_text('# it stands\nx = {"mend": f"a vote is due {said}"}\n')
    assert [found(text) for _, text in _texts(module)] == [[(1, "due")], [(1, "stands")]]


def test_a_docstring_and_a_comment_are_read_and_data_is_not(tmp_path: Path) -> None:
    module = tmp_path / "a.py"
    module.write_text('"""It stands."""\nx = 1  # due\n"""Held to it."""\ny = "a vote is due"\n')
    assert {start: found(text) for start, text in _docstrings_and_comments(module)} == {
        1: [(1, "stands")],
        2: [(1, "due")],
        3: [(1, "Held to")],
    }


def test_there_are_pages_to_check() -> None:
    assert {ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "index.md", DOCS / "how-to/check-the-record.md"} <= set(WRITTEN)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("What happened stands in a chain.", "stands"),
        ("A vote is DUE.", "DUE"),
        ("The run\ncarries\non.", "carries on"),
        ("It was done behind the ledger's back.", "behind the ledger's back"),
        ("It is judged by what was said.", "judged"),
    ],
)
def test_a_refused_word_is_found(text: str, word: str) -> None:
    assert word in [one for _, one in found(text)]


def test_other_words_are_not_found() -> None:
    assert found("A standard understands; the residue, the headroom and the doorbell hold; an amendment misjudges.") == []


@pytest.mark.parametrize("word", [pattern for pattern in REFUSED if pattern.replace(" ", "").isalpha()])
def test_every_word_of_the_list_is_found(word: str) -> None:
    assert found(f"one {word} two") == [(1, word)]


def test_the_line_of_a_word_is_the_line_of_the_page() -> None:
    page = "# A\n\n```sh\ndue\n```\n\n<!-- due -->\n`due` [shown](due.md)\nis due.\n"
    assert found(prose(page)) == [(9, "due")]


@pytest.mark.parametrize(
    "form", ["{}", "- one\n- {}", "1. {}\n2. two", "| a | b |\n|---|---|\n| c | {} |", "> {}", "# {}", "One. {}"]
)
def test_a_long_sentence_is_found_in_every_form(form: str) -> None:
    assert long_sentences(form.format("word " * AT_MOST + "end.")) != []
    assert long_sentences(form.format("word " * (AT_MOST - 1) + "end.")) == []


def test_two_bullets_two_cells_and_two_sentences_are_separate() -> None:
    half = "word " * 15
    assert long_sentences(f"- {half}\n- {half}\n\n{half}\n\n{half}\n| {half} | {half} |\n\n{half}end. {half}end.") == []


def test_an_open_backtick_hides_no_paragraph() -> None:
    assert found(prose("a ` b\n\nIt is due.\n\nc ` d\n")) == [(3, "due")]


def test_code_counts_as_one_word_and_an_address_as_none() -> None:
    assert prose("`promoter run --to prod` [the page](a.md)") == "CODE the page"


def test_the_manual_for_users_is_short_enough_to_be_read() -> None:
    """Without blocks, the generated reference, and the pages for developers."""
    pages = [page for page in WRITTEN if page.is_relative_to(DOCS) and page.parent.name not in ("dev", RECORDS)]
    words = {page.name: len(prose(page.read_text()).split()) for page in pages if page.name != "architecture.md"}
    assert sum(words.values()) <= 25_000, sorted(words.items(), key=lambda item: -item[1])[:5]
