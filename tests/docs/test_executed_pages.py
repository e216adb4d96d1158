"""The pages that are run unchanged: every block of commands, in one shell, on the lab's engine and registry."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, blocks_of
from tests.docs.session import EXECUTED, Normalizer, measured, run_page, without_what_is_left_out
from tests.docs.world import world

pytestmark = pytest.mark.slow

CHECKED_ONLY = {
    "how-to/find-drift.md": "drift of every kind; tests/live/test_drift.py makes and finds it",
    "how-to/no-failed-requests.md": "what happens to requests; tests/live/test_front.py sends them",
    "how-to/several-hosts.md": "hosts by name; tests/live/test_hosts.py has real engines",
    "how-to/swarm.md": "managers by name; tests/live/test_swarm.py has a real swarm",
    "how-to/first-host-over-ssh.md": "a host by name; tests/adapters/engine/test_connect.py goes through a real sshd",
    "how-to/ledger-in-postgresql.md": "a database by name; tests/adapters/ledgers/test_postgres.py has one of its own",
    "how-to/migrate-from-a-shell-script.md": "hosts by name; its promise is kept by tests/docs/test_migrating.py",
    "how-to/sign-with-a-hardware-key.md": "a key that wants to be touched; tests/gates/approval/ssh/test_agreement.py plays one",
}
MISSING = [program for program in ("bash", "curl", "git", "jq", "ssh-keygen") if not shutil.which(program)]


def test_every_guide_is_executed_or_listed_as_checked_only() -> None:
    followed = {"tutorial.md", *(f"how-to/{page.name}" for page in (DOCS / "how-to").glob("*.md"))}
    assert followed == {*EXECUTED, *CHECKED_ONLY}
    assert all(block.mark for name in CHECKED_ONLY for block in blocks_of(DOCS / name) if block.language == "sh")


@pytest.mark.skipif(MISSING != [], reason=f"not installed here: {', '.join(MISSING)}")
@pytest.mark.parametrize("name", EXECUTED)
def test_the_page_shows_the_real_output(
    name: str, tmp_path: Path, engine_url: str, registry_host: str, base: str, clean_engine: str, free_port: Callable[[], int]
) -> None:
    site = world(tmp_path, engine_url, registry_host, base, clean_engine, free_port)
    ours, theirs = Normalizer(), Normalizer()
    for reported in run_page(DOCS / name, site.directory, site.environ, site.changed):
        if reported.shown is None:
            assert measured(reported.output) == "", f"{reported.block} says something, and the page does not show it"
        else:
            output = without_what_is_left_out(reported.output, reported.shown.text)
            assert ours(output) == theirs(reported.shown.text), f"{reported.shown}: what comes is\n{reported.output}"
