"""Settings: which source wins, what a wrong one is told, and who acts when nobody said."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from promoter.model.errors import FileFaults
from promoter.pipeline import BuilderChoice
from promoter.settings import Settings, load_settings, who


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PROMOTER_{name.upper()}", raising=False)


def write(directory: Path, text: str | bytes) -> Path:
    (directory / ".promoter").mkdir()
    file = directory / ".promoter" / "settings.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return directory


def faults(directory: Path) -> list[str]:
    with pytest.raises(FileFaults) as caught:
        load_settings(directory)
    return [f"{c.line}:{c.column} {c.message} {c.hint}" for c in caught.value.complaints]


def test_nothing_said_is_all_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()


def test_the_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, 'ledger = "sqlite:x.db"\nwait = "30m"\nbuilder = "buildx"\ninsecure_registries = ["a:5000", "b"]\n')
    assert load_settings(tmp_path) == Settings(
        ledger="sqlite:x.db", wait=timedelta(minutes=30), builder=BuilderChoice.BUILDX, insecure_registries=("a:5000", "b")
    )


def test_variables_win_over_the_file_and_flags_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'ledger = "file"\nactor = "file"\nwait = "1m"\n')
    monkeypatch.setenv("PROMOTER_LEDGER", "variable")
    monkeypatch.setenv("PROMOTER_INSECURE_REGISTRIES", "a:5000, b ,")
    settings = load_settings(tmp_path).over(actor="flag")
    assert (settings.ledger, settings.actor, settings.wait) == ("variable", "flag", timedelta(minutes=1))
    assert settings.insecure_registries == ("a:5000", "b")


def test_an_empty_variable_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'actor = "file"\n')
    monkeypatch.setenv("PROMOTER_ACTOR", "")
    assert load_settings(tmp_path).actor == "file"


def test_unknown_keys_are_refused_with_their_place_all_at_once(tmp_path: Path) -> None:
    write(tmp_path, '# ours\nledgr = "x"\n  colour = "red"\n')
    assert faults(tmp_path) == [
        "2:1 unknown setting 'ledgr' did you mean ledger?",
        f"3:3 unknown setting 'colour' known are {', '.join(Settings.model_fields)}",
    ]


def test_bad_values_name_the_key_in_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'actor = "a"\nwait = "soon"\n')
    assert faults(tmp_path) == [
        "2:1 wait: 'soon' is not a duration: write for example 500ms, 30s, 1m30s or 4h see the settings in the README"
    ]


@pytest.mark.parametrize(
    ("span", "says"),
    [("2s", "runs out between two heartbeats: write 3s or more"), ("2h", "keeps everybody out after a crash: write 1h or less")],
)
def test_a_lease_lives_longer_than_its_heartbeat_and_not_for_long(tmp_path: Path, span: str, says: str) -> None:
    write(tmp_path, f'lease_ttl = "{span}"\n')
    assert says in faults(tmp_path)[0]


def test_a_bad_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMOTER_BUILDER", "magic")
    with pytest.raises(FileFaults, match=r"environment variable PROMOTER_BUILDER.*'auto', 'engine' or 'buildx'"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "place"), [('wait = "1m"\nactor = \n', "2:9"), ("wait", "1:5"), (b"\xff\xfe", "1:1"), ("a = 1\na = 2", "2:6")]
)
def test_what_is_not_toml_is_told_with_its_place(tmp_path: Path, text: str | bytes, place: str) -> None:
    write(tmp_path, text)
    assert [line.split()[0] for line in faults(tmp_path)] == [place]


def test_pydantic_settings_is_imported_only_when_there_is_something_to_read(tmp_path: Path) -> None:
    code = "import sys, pathlib; from promoter.settings import load_settings; load_settings(pathlib.Path(sys.argv[1]))"
    code += "; print('pydantic_settings' in sys.modules)"

    def imported(**environ: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert (imported(), imported(PROMOTER_WAIT="1m")) == ("False", "True")


def test_who_acts(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "config", "user.email", "ana@example.com"], check=True)
    assert who(Settings(actor="ben"), tmp_path, {"GITHUB_ACTOR": "cyd"}) == "ben"
    assert who(Settings(), tmp_path, {"GITHUB_ACTOR": "cyd"}) == "cyd"
    assert who(Settings(), tmp_path, {"GITLAB_USER_LOGIN": "dan", "GITLAB_USER_EMAIL": "dan@example.com"}) == "dan@example.com"
    assert who(Settings(), tmp_path, {}) == "ana@example.com"


def test_who_acts_without_git_is_user_at_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("LOGNAME", "eve")
    assert who(Settings(), tmp_path, {}).startswith("eve@")
