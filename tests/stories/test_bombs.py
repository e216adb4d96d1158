# ruff: noqa: E501 (files and complaints read best in one line each)
"""Files that expand without limit when they are read, things that are no files, and names and numbers beyond every limit."""

import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from promoter.adapters.engine.address import resolve
from promoter.adapters.engine.image_build import context_tar
from promoter.adapters.ledgers.open import open_ledger
from promoter.adapters.secrets import DeclaredSecrets
from promoter.adapters.settings import load_settings
from promoter.adapters.ssh.signer import SshKeygen
from promoter.config.regular_file import LARGEST, read_regular
from promoter.model.errors import BuildError, CallerError, EngineError, InvalidFile, SecretError, SigningError
from promoter.model.release import Source
from promoter.model.secrets import FileSource
from promoter.pipeline.compose.env_file import BadEnvFile, read_env_file
from promoter.pipeline.compose.interpolation import Unset, interpolate
from promoter.pipeline.loader import load
from tests.pipeline.pipeline_files import GOOD, SOURCE, complaints, read, write

DOUBLING = "A0=x\n" + "".join(f"A{n}=${{A{n - 1}}}${{A{n - 1}}}\n" for n in range(1, 32))
"""32 lines that expand to 2^31 characters."""
LONG = "n" * 300
DIGITS = "9" * 400
NOT_REGULAR = ["/dev/zero", "/dev/full", "fifo", "directory", "endless"]


@pytest.fixture(autouse=True)
def bounded():
    """Check that no bomb takes more than two seconds or 200 MB."""
    tracemalloc.start()
    began = time.process_time()
    yield
    took, most = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 6  # tracemalloc slows the code down; two seconds without it
    assert most < 200_000_000


@pytest.fixture(params=NOT_REGULAR)
def odd(request, tmp_path):
    """A path that must not be read, and the reason."""
    path = tmp_path / request.param
    if request.param == "fifo":
        os.mkfifo(path)
    elif request.param == "directory":
        path.mkdir()
    elif request.param == "endless":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    why = {"directory": "is a directory", "endless": "longer than"}.get(request.param, "not a regular file")
    return str(path), why


def with_service(more: str) -> str:
    return GOOD.replace("    build: ./web\n", f"    build: ./web\n{more}")


def test_break_17_an_env_file_that_doubles_31_times(tmp_path):
    file = write(tmp_path, with_service("    env_file: [bomb.env]\n"), **{"bomb.env": DOUBLING})
    ((position, message),) = set(complaints(file))
    assert position == "6:15"
    assert "bomb.env has an error on line 22: with its variables this has more than 1,048,576 characters" in message


def test_break_17_a_dot_env_that_doubles_31_times(tmp_path):
    text = "name: shop\nregistry: r.example.com\nservices: compose.yaml\nenvironments: {dev: {}}\n"
    file = write(tmp_path, text, **{".env": DOUBLING, "compose.yaml": "services: {web: {image: 'x:${A31}'}}\n"})
    assert complaints(file)[0] == (".env:22:1", "with its variables this has more than 1,048,576 characters")


def test_one_value_of_many_long_variables_is_not_put_together():
    with pytest.raises(Unset, match="1,048,576"):
        interpolate("$A" * 500_000, {"A": "x" * (1 << 20)})
    with pytest.raises(Unset, match="1,048,576"):
        interpolate("${B:-" + "$A" * 100_000 + "}", {"A": "x" * (1 << 20)})


def test_many_lines_that_are_each_short_enough_are_bounded_together():
    text = "A=" + "x" * (1 << 19) + "\n" + "".join(f"B{n}=${{A}}y\n" for n in range(10_000))
    with pytest.raises(BadEnvFile, match="16,777,216 characters") as caught:
        read_env_file(text, {})
    assert caught.value.line == 32


def test_a_long_variable_that_a_compose_file_uses_often_is_bounded(tmp_path):
    text = "name: shop\nregistry: r.example.com\nservices: compose.yaml\nenvironments: {dev: {}}\n"
    many = "".join(f"      L{n}: 'y${{A}}'\n" for n in range(100))
    file = write(tmp_path, text, **{"compose.yaml": f"services:\n  web:\n    image: x\n    labels:\n{many}"})
    assert "16,777,216 characters" in str(complaints(file, {"A": "x" * 500_000}))


def test_break_17_only_regular_files_are_read(odd):
    with pytest.raises(OSError) as caught:
        read_regular(Path(odd[0]))
    assert odd[1] in caught.value.strerror.lower()


@pytest.mark.parametrize(
    ("changed", "into", "position"),
    [
        ("name: shop\n", "name: shop\napprovers: ODD\n", "2:12"),
        ("name: shop\n", "name: shop\napprovers: empty\nrevoked_keys: ODD\n", "3:15"),
        ("    build: ./web\n", "    build: ./web\n    env_file: ODD\n", "6:15"),
        ("    build: ./web\n", "    build: ./web\n    configs: [c]\nconfigs: {c: {file: ODD}}\n#", "7:21"),
        ("    vars: {port: 18083}\n", "    vars: {port: 18083}\n    gates: [{window: {calendar: ODD}}]\n", "14:33"),
        ("    vars: {port: 18083}\n", "    vars: {port: 18083}\n    gates: [{scan: {scanner: trivy, ignore: ODD}}]\n", "14:45"),
    ],
    ids=["approvers", "revoked_keys", "env_file", "config", "calendar", "ignore"],
)
def test_break_17_what_a_pipeline_file_names_is_a_regular_file(tmp_path, odd, changed, into, position):
    text = GOOD.replace(changed, into.replace("ODD", odd[0]), 1)
    if "configs" in into:
        text = text.replace('#    ports: ["127.0.0.1:{{ port }}:8080"]\n', "")
    output = complaints(write(tmp_path, text, empty=""))
    assert [(where.rpartition(",")[0] or where) for where, message in output if odd[1] in message][:1] == [position], output


def test_break_17_a_services_file_is_a_regular_file(tmp_path, odd):
    file = write(tmp_path, f"name: shop\nregistry: r.example.com\nservices: {odd[0]}\nenvironments: {{dev: {{}}}}\n")
    assert odd[1] in str(complaints(file))


def test_break_17_the_pipeline_file_is_a_regular_file(odd):
    with pytest.raises(CallerError, match=odd[1]):
        load(odd[0], source=Source(), environ={})


def test_break_17_the_settings_file_is_a_regular_file(tmp_path, odd):
    (tmp_path / ".promoter").mkdir()
    (tmp_path / ".promoter" / "settings.toml").symlink_to(odd[0])
    with pytest.raises(InvalidFile, match=f"(?i){odd[1]}"):
        load_settings(tmp_path)


def test_break_17_the_file_of_a_secret_is_a_regular_file(tmp_path, odd):
    with pytest.raises(SecretError, match=f"(?i){odd[1]}"):
        DeclaredSecrets({"A": FileSource(odd[0])}, tmp_path).prove(["A"])


def test_a_dockerfile_that_is_no_regular_file_is_not_read_by_validate(tmp_path, odd):
    text = f"name: a\nregistry: r.example.com\nservices: {{web: {{build: {{context: ., dockerfile: {odd[0]}}}}}}}\nenvironments: {{dev: {{}}}}\n"
    (tmp_path / "p.yaml").write_text(text)
    loaded = load(tmp_path / "p.yaml", source=SOURCE, environ={})
    if odd[1] == "longer than":  # the builder decides what to do with it
        loaded.check()
        return
    with pytest.raises(InvalidFile) as faults:
        loaded.check()
    assert [c.message for c in faults.value.complaints] == [f"Dockerfile {odd[0]} not found"]


def test_a_dockerignore_is_a_regular_file_and_may_be_in_any_encoding(tmp_path, odd):
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\n")
    (context / ".dockerignore").symlink_to(odd[0])
    if odd[1] == "longer than":
        with pytest.raises(BuildError, match="Longer than"):
            context_tar(context)
    else:
        context_tar(context).tar.close()
    (context / ".dockerignore").unlink()
    (context / ".dockerignore").write_bytes("Fran\u00e7ais\n".encode("latin-1"))
    context_tar(context).tar.close()


def test_the_docker_configuration_is_a_regular_file(tmp_path, odd):
    (tmp_path / "config.json").symlink_to(odd[0])
    with pytest.raises(EngineError, match=r"config\.json cannot be read"):
        resolve(None, {"DOCKER_CONFIG": str(tmp_path)})


def test_the_largest_file_is_read_and_one_byte_more_is_not(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1000)
    assert read_regular(file, 1000) == b"x" * 1000
    with pytest.raises(OSError, match="Longer than 999 bytes"):
        read_regular(file, 999)
    assert LARGEST == 16 << 20


@pytest.mark.parametrize("digits", ["9" * 40, DIGITS])
def test_break_17_a_duration_of_many_digits(tmp_path, monkeypatch, digits):
    file = write(tmp_path, with_service(f"    stop_grace_period: {digits}s\n"))
    ((position, message),) = set(complaints(file))
    assert position == "6:24"
    assert "is too long: write for example 4h" in message
    monkeypatch.setenv("PROMOTER_WAIT", f"{digits}s")
    with pytest.raises(InvalidFile, match=r"environment variable PROMOTER_WAIT.*is too long: write for example"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        (GOOD.replace("./web", LONG), "5:12", "build directory "),
        (GOOD.replace("build: ./web", f"build: {{context: web, dockerfile: {LONG}}}"), "5:39", "Dockerfile "),
        (with_service(f"    env_file: {LONG}\n"), "6:15", "file name too long"),
        (GOOD.replace("name: shop", f"name: shop\napprovers: {LONG}"), "2:12", "file name too long"),
        (with_service("    env_file: ~nouser/x\n"), "6:15", "cannot find the home directory for '~nouser/x'"),
        (with_service('    volumes: ["~nouser/x:/x"]\n'), "6:15", "cannot find the home directory for '~nouser/x'"),
        (with_service("    labels: {a: \"{{ 1e999('x') }}\"}\n"), "6:17", "too large"),
        (with_service('    labels: {a: "{{ source ~ 1 }}"}\n'), "6:17", "`source` as a whole cannot"),
        (with_service('    labels: {a: "{{ env ~ 1 }}"}\n'), "6:17", "cannot be used as text"),
    ],
    ids=["context", "dockerfile", "env_file", "approvers", "home-env_file", "home-volume", "1e999", "source", "env"],
)
def test_break_17_names_and_values_beyond_what_can_be_are_complained_about(tmp_path, text, position, message):
    output = complaints(write(tmp_path, text))
    assert [(where, message in words) for where, words in output][:1] == [(position, True)], output


def test_a_missing_env_file_with_a_long_name_that_is_not_required_is_left_out(tmp_path):
    read(write(tmp_path, with_service(f"    env_file: [{{path: {LONG}, required: false}}]\n")))


def test_break_17_a_time_zone_of_300_letters_in_a_calendar(tmp_path):
    event = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID={LONG}:20260101T000000\nEND:VEVENT\nEND:VCALENDAR\n"
    text = GOOD.replace("    vars: {port: 18083}\n", "    vars: {port: 18083}\n    gates: [{window: {calendar: c.ics}}]\n")
    ((position, message),) = complaints(write(tmp_path, text, **{"c.ics": event}))
    assert position.startswith("14:")
    assert "c.ics is not a usable calendar" in message


def test_homes_of_unknown_users_in_a_ledger_and_a_key(tmp_path):
    with pytest.raises(CallerError, match="cannot find the home directory for '~nouser/x'"):
        open_ledger("sqlite:~nouser/x", tmp_path, "shop")
    with pytest.raises(CallerError, match="cannot find the home directory for '~nouser/x'"):
        SshKeygen(tmp_path).sign("text", "~nouser/x")
    with pytest.raises(SigningError, match="there is no key"):
        SshKeygen(tmp_path).sign("text", LONG)


@pytest.mark.parametrize(
    "template", ["source ~ 1", "[source] ~ 1", "env ~ 1", "range ~ 1", "env | upper", "'a'.upper ~ 1", "[env] ~ ''"]
)
def test_break_17_no_address_of_an_object_gets_into_a_text(template):
    from promoter.config.templates.render import render
    from promoter.config.templates.scope import Scope, TemplateFault

    with pytest.raises(TemplateFault):
        render(f"{{{{ {template} }}}}", Scope(lambda: SOURCE, {}, frozenset()))


def test_break_17_compiled_templates_leave_no_warnings():
    code = (
        "from promoter.model.release import Source; from promoter.config.templates.render import *; from promoter.config.templates.scope import *\n"
        'try: render("{{ 1[1:2] }}", Scope(Source, {}, frozenset()))\n'
        "except TemplateFault as fault: print(fault)"
    )
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "this template fails" in done.stdout


@pytest.mark.parametrize(("ports", "refused"), [("84-14343", False), ("1-65535", True)])
def test_a_long_range_of_ports_takes_linear_time_and_is_bounded(tmp_path, ports, refused):
    file = write(tmp_path, GOOD.replace('"127.0.0.1:{{ port }}:8080"', f'"{ports}"'))
    start = time.process_time()
    found = complaints(file)
    assert time.process_time() - start < 10  # comparing each with each takes minutes
    assert [message for _, message in found] == (["the entries up to here have more than 20,000 ports"] if refused else [])
