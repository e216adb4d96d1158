"""The table of `make matrix` and its exit code, from results of pytest."""

import pytest
from matrix import FAILED, INCOMPLETE, Row, counted, table, verdict

JUNIT = (
    '<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1">'
    '<properties><property name="digest podman" value="sha256:1" /></properties>'
    '<testcase name="a"><failure message=\'expected tests="99"\'/></testcase></testsuite></testsuites>'
)
GOOD = Row("docker-28", version="28.5.2", passed=12, digest="sha256:1")
MISSING = Row("podman", missing="podman is not available here: no apt-get")


def test_results_are_counted_and_a_skipped_test_has_not_passed() -> None:
    assert counted(JUNIT) == (4, 6, {"digest podman": "sha256:1"})


def test_the_table_names_what_is_missing_with_its_reason() -> None:
    lines = table([GOOD, MISSING]).splitlines()
    assert lines[0].split() == ["engine", "version", "passed", "failed", "digest"]
    assert lines[1].split() == ["docker-28", "28.5.2", "12", "0", "sha256:1"]
    assert lines[2] == MISSING.missing


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([GOOD], 0),
        ([GOOD, MISSING], INCOMPLETE),
        ([MISSING], INCOMPLETE),
        ([GOOD, Row("podman", passed=12, digest="sha256:2")], FAILED),
        ([GOOD, Row("podman", passed=11, failed=1, digest="sha256:1")], FAILED),
        ([GOOD, Row("podman", passed=12)], FAILED),
        ([GOOD, Row("podman", digest="sha256:1"), MISSING], FAILED),
    ],
)
def test_the_exit_code_is_0_if_all_pass_with_one_digest(rows: list[Row], code: int) -> None:
    assert verdict(rows) == code
