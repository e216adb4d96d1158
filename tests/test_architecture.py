"""The page about the architecture is correct: every path on it exists, and every folder is on it."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_every_path_on_the_page_exists() -> None:
    named = set(re.findall(r"`((?:promoter|tests|docs|lab|bench|pipelines)/[\w/.-]*)`", PAGE))
    assert len(named) > 20
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


def test_every_top_level_package_and_module_is_on_the_page() -> None:
    packages = {f"promoter/{p.name}/" for p in (ROOT / "promoter").iterdir() if any(p.glob("*.py"))}
    modules = {f"promoter/{p.name}" for p in (ROOT / "promoter").glob("*.py") if p.name != "__init__.py"}
    helpers = {"promoter/model/suggest.py", "promoter/pipeline/json_schema.py"}
    assert not [name for name in sorted(packages | modules - helpers) if f"`{name}`" not in PAGE]


def test_every_decision_has_context_and_outcome() -> None:
    records = sorted((ROOT / "docs" / "dev" / "decisions").glob("*.md"))
    assert records
    for record in records:
        assert "**Context.**" in record.read_text()
        assert "**Outcome.**" in record.read_text()


def test_every_class_of_values_is_completed_at_its_first_use() -> None:
    """A class of the standard library cannot inherit from one of promoter's, and each costs 0.4 ms at the start."""
    standard = re.compile(r"^from dataclasses import .*\bdataclass\b", re.MULTILINE)
    found = [str(path.relative_to(ROOT)) for path in (ROOT / "promoter").rglob("*.py") if standard.search(path.read_text())]
    assert found == []
    assert "promoter.model.dataclass import dataclass" in (ROOT / "promoter/model/errors.py").read_text()


def test_every_expression_of_a_module_is_compiled_at_its_first_use() -> None:
    """A start imports 50 to 70 of them, uses some; to compile them all takes 5 to 9 ms."""
    at_once = re.compile(r"^\w+ = re\.compile\(", re.MULTILINE)
    found = [str(path.relative_to(ROOT)) for path in (ROOT / "promoter").rglob("*.py") if at_once.search(path.read_text())]
    assert found == []
    assert "= pattern(" in (ROOT / "promoter/model/images.py").read_text()
