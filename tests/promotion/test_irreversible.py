"""Which irreversible jobs an interrupted promotion may have started, from its recorded steps."""

import pytest

from promoter.promotion.irreversible import jobs_of_earlier_try, sentences

PLAN = {
    "before": [{"container": {"service": "web"}}, {"command": {"run": ["x"], "reversible": False}}],
    "steps": [
        {"id": "pull web", "kind": "pull"},
        {"id": "before 1", "kind": "before", "place": 0, "check": "first"},
        {"id": "before 2", "kind": "before", "place": 1, "check": "second"},
        {"id": "replace web", "kind": "replace"},
    ],
}


@pytest.mark.parametrize(
    ("done", "jobs"),
    [
        ((), {}),
        (("pull web",), {}),
        (("pull web", "before 1"), {"second": False}),
        (("pull web", "before 1", "before 2"), {"second": True}),
        (("pull web", "before 1", "before 2", "replace web"), {"second": True}),
    ],
)
def test_a_job_counts_from_the_moment_it_may_have_been_started(done: tuple[str, ...], jobs: dict[str, bool]) -> None:
    assert jobs_of_earlier_try(PLAN, done) == jobs


def test_each_job_is_reported_by_its_title() -> None:
    one, two = sentences({"first": True, "second": False})
    assert one.startswith("first has run: ")
    assert two.startswith("second was started and did not finish: ")
