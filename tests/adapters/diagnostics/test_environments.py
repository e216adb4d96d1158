"""Secrets of the environments. tests/live/test_doctor.py checks ports with a real engine."""

from pathlib import Path

from promoter.adapters.diagnostics.environments import secrets
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.settings import Settings
from promoter.model.release import Source
from promoter.pipeline.loader import load
from tests.pipeline.pipeline_files import GOOD, write


def test_each_secret_is_checked(tmp_path: Path) -> None:
    text = GOOD.replace("services:", "secrets: {FOUND: {file: value}, MISSING: {env: NOT_SET_ANYWFOUND}}\nservices:", 1)
    file = write(tmp_path, text, value="x")
    subject = Subject(file, load(file, source=Source(), environ={}), Source(), Settings(), {})
    present, missing = secrets(subject)
    assert (present.part, present.ok, present.detail) == ("secret FOUND", True, "has a value here")
    assert (missing.part, missing.ok, missing.essential) == ("secret MISSING", False, False)
    assert "NOT_SET_ANYWFOUND is not set" in missing.detail
    assert missing.remedy == "set NOT_SET_ANYWFOUND where promoter runs"


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert list(secrets(Subject(tmp_path / "pipeline.yaml", None, Source(), Settings(), {}))) == []
