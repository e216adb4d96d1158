"""Settings: which source wins, the message for a wrong one, and who the actor is without a setting."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from promoter.adapters.actor import who
from promoter.adapters.settings import Settings, load_settings, passed_over
from promoter.adapters.tracked_settings import COMFORT
from promoter.model.errors import InvalidFile
from promoter.pipeline.model import BuilderChoice


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
    with pytest.raises(InvalidFile) as caught:
        load_settings(directory)
    return [f"{c.line}:{c.column} {c.message} {c.hint}" for c in caught.value.complaints]


def test_without_settings_the_defaults_apply(tmp_path: Path) -> None:
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


def test_an_empty_variable_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'actor = "file"\n')
    monkeypatch.setenv("PROMOTER_ACTOR", "")
    assert load_settings(tmp_path).actor == "file"


def test_unknown_keys_are_refused_with_their_position_all_at_once(tmp_path: Path) -> None:
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
    ("span", "message"),
    [("2s", "expires between two heartbeats: write 3s or more"), ("2h", "blocks runs too long after a crash: write 1h or less")],
)
def test_a_lease_is_longer_than_its_heartbeat_and_not_much_longer(tmp_path: Path, span: str, message: str) -> None:
    write(tmp_path, f'lease_ttl = "{span}"\n')
    assert message in faults(tmp_path)[0]


def test_a_bad_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMOTER_BUILDER", "magic")
    with pytest.raises(InvalidFile, match=r"environment variable PROMOTER_BUILDER.*'auto', 'engine' or 'buildx'"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "position"), [('wait = "1m"\nactor = \n', "2:9"), ("wait", "1:5"), (b"\xff\xfe", "1:1"), ("a = 1\na = 2", "2:6")]
)
def test_invalid_toml_is_reported_with_its_position(tmp_path: Path, text: str | bytes, position: str) -> None:
    write(tmp_path, text)
    assert [line.split()[0] for line in faults(tmp_path)] == [position]


def test_pydantic_settings_is_imported_only_when_there_is_something_to_read(tmp_path: Path) -> None:
    code = "import sys, pathlib; from promoter.adapters.settings import load_settings; load_settings(pathlib.Path(sys.argv[1]))"
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


# ---------------------------------------------------------------- a file that comes with the branch
def checkout(directory: Path, text: str, *, tracked: bool = True) -> Path:
    git(directory, "init", "-q")
    write(directory, text)
    if tracked:
        git(directory, "add", "-f", ".promoter/settings.toml")
    return directory


def git(directory: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True)


SERIOUS = {
    "actor": '"robot"',
    "ledger": '"sqlite:mine.db"',
    "ledger_token": '"ghs_0123"',
    "key": '"k"',
    "dispatch": '"event:promoter"',
    "policy_ref": '"work"',
    "accept_engine": '["prod"]',
    "accept_ledger": '["prod"]',
    "insecure_registries": '["a:5000"]',
}


@pytest.mark.parametrize("key", SERIOUS)
def test_break_9_a_tracked_file_sets_comfort_only(tmp_path: Path, key: str) -> None:
    checkout(tmp_path, f'wait = "30m"\n{key} = {SERIOUS[key]}\n')
    (output,) = faults(tmp_path)
    assert output.startswith(f"2:1 `{key}` cannot be set in a file that git tracks")
    assert f"PROMOTER_{key.upper()}=" in output
    assert "git rm --cached .promoter/settings.toml" in output


def test_break_9_every_setting_is_comfort_or_is_refused(tmp_path: Path) -> None:
    assert COMFORT | set(SERIOUS) == set(Settings.model_fields)
    checkout(tmp_path, "".join(f"{key} = {value}\n" for key, value in SERIOUS.items()))
    assert len(faults(tmp_path)) == len(SERIOUS)


@pytest.mark.parametrize(
    "text", ['ledger_token = "ghs_0123"\n', '"ledger_token" = "ghs_0123" x\n', "ledger_token = ['ghs_0123']\n"]
)
def test_no_complaint_shows_the_token(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        load_settings(checkout(tmp_path, text))
    assert "ledger_token" in str(caught.value)
    assert "ghs_0123" not in str(caught.value)


def test_the_token_is_not_in_the_form_of_the_settings(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, 'ledger_token = "ana:ghs_0123"\n'))
    assert "ghs_0123" not in repr(settings)
    assert settings.known_secrets() == {"ledger_token": "ghs_0123"}


def test_a_tracked_file_may_set_harmless_keys_and_an_untracked_file_any_key(tmp_path: Path) -> None:
    assert load_settings(checkout(tmp_path, 'wait = "30m"\nci = "none"\nbuilder = "buildx"\n')).wait == timedelta(minutes=30)
    other = tmp_path / "other"
    other.mkdir()
    assert load_settings(checkout(other, 'actor = "ana"\n', tracked=False)).actor == "ana"


@pytest.mark.parametrize("key", ["junit", "dotenv"])
@pytest.mark.parametrize(
    "path", ["../../escaped.xml", "/tmp/escaped.xml", "link/escaped.xml", ".git/config", ".promoter/witness.json"]
)
def test_break_9_a_report_does_not_leave_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, path: str
) -> None:
    (tmp_path / "shop" / "inner").mkdir(parents=True)
    checkout(tmp_path / "shop", f'{key} = "{path}"\n')
    (tmp_path / "shop" / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "shop")
    (output,) = faults(tmp_path / "shop")
    assert f"`{key}` of a file that git tracks must be a path inside the checkout" in output
    (tmp_path / "shop/.promoter/settings.toml").write_text(f'{key} = "reports/junit.xml"\n')
    assert getattr(load_settings(tmp_path / "shop"), key) == "reports/junit.xml"


def test_break_9_a_link_does_not_hide_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "settings.toml").write_text('actor = "robot"\n')
    (tmp_path / ".promoter").symlink_to("conf")
    for tracked in ("conf", ".promoter"):
        git(tmp_path, "add", "-f", tracked)
        assert "`actor` cannot be set" in faults(tmp_path)[0]
        git(tmp_path, "rm", "-rq", "--cached", tracked)
    assert load_settings(tmp_path).actor == "robot"


def test_break_9_without_git_the_file_counts_as_tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout(tmp_path, 'actor = "robot"\n', tracked=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "`actor` cannot be set" in faults(tmp_path)[0]


@pytest.mark.parametrize(
    "ci", [{"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ana"}, {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ana"}]
)
def test_break_9_in_ci_the_actor_comes_from_the_platform(tmp_path: Path, ci: dict[str, str]) -> None:
    assert who(Settings(actor="robot"), tmp_path, ci) == "ana"
    assert who(Settings(actor="robot"), tmp_path, ci, flag="cyd") == "cyd"
    assert "PROMOTER_ACTOR or `actor` (robot) is ignored" in (passed_over(Settings(actor="robot"), ci, None) or "")
    assert passed_over(Settings(actor="ana"), ci, None) is None
    assert passed_over(Settings(actor="robot"), ci, "cyd") is None
    assert passed_over(Settings(actor="robot"), {}, None) is None
