"""That the owner of a lease is gone is reported only where it can be known."""

import os
import subprocess
import sys

import pytest

from promoter.adapters.process_owner import is_gone, lease_owner, run_url

PRINT_OUTPUT = "import os; from promoter.adapters.process_owner import lease_owner; print(lease_owner('ana', os.environ))"


def test_this_process_is_not_gone() -> None:
    assert not is_gone(lease_owner("ana@example.com", {}))


def test_a_local_process_that_ended_is_gone() -> None:
    owner = subprocess.run([sys.executable, "-c", PRINT_OUTPUT], capture_output=True, text=True, check=True).stdout.strip()
    assert is_gone(owner)


@pytest.mark.parametrize("change", [("(", "(f"), ("process", "proces")])
def test_of_another_machine_or_other_words_it_cannot_be_known(change: tuple[str, str]) -> None:
    owner = subprocess.run([sys.executable, "-c", PRINT_OUTPUT], capture_output=True, text=True, check=True).stdout.strip()
    assert not is_gone(owner.replace(*change))


def test_a_reused_number_is_another_process() -> None:
    owner = lease_owner("ana", {})
    assert is_gone(owner.rpartition(" ")[0] + " 1")
    assert f"process {os.getpid()} " in owner


def test_the_ci_run_is_named() -> None:
    environ = {"GITHUB_RUN_ID": "7", "GITHUB_SERVER_URL": "https://ci.example.com", "GITHUB_REPOSITORY": "acme/shop"}
    assert lease_owner("ana", environ).endswith(", https://ci.example.com/acme/shop/actions/runs/7")
    assert run_url(environ | {"GITHUB_RUN_ATTEMPT": "2"}) == "https://ci.example.com/acme/shop/actions/runs/7"


def test_a_run_is_the_same_for_all_its_jobs_and_a_lease_names_the_job() -> None:
    environ = {"CI_PIPELINE_URL": "https://ci.example.com/-/pipelines/3", "CI_JOB_URL": "https://ci.example.com/-/jobs/9"}
    assert run_url(environ) == "https://ci.example.com/-/pipelines/3"
    assert lease_owner("ana", environ).endswith(", https://ci.example.com/-/jobs/9")
    assert run_url({"BUILD_URL": "https://jenkins.example.com/1/"}) == "https://jenkins.example.com/1/"
    assert run_url({"GITHUB_RUN_ID": "", "CI_JOB_URL": ""}) is None
