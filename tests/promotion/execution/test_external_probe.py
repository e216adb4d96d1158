"""Which healthchecks can be run from outside, and at which address."""

import pytest

from promoter.promotion.execution.external_probe import outside_url

PUBLISHED = {"8080/tcp": ("127.0.0.1", 18080), "80/tcp": ("0.0.0.0", 18000), "9000/tcp": ("::", 19000)}


@pytest.mark.parametrize(
    ("test", "url"),
    [
        (("CMD", "wget", "-qO-", "http://127.0.0.1:8080/ok?x=1"), "http://127.0.0.1:18080/ok?x=1"),
        (("CMD", "/bin/busybox", "wget", "-q", "-O", "-", "http://localhost:8080"), "http://127.0.0.1:18080/"),
        (("CMD", "curl", "-fsS", "http://localhost/"), "http://127.0.0.1:18000/"),
        (("CMD-SHELL", "curl -f http://localhost:9000/up || exit 1"), "http://[::1]:19000/up"),
        (("CMD-SHELL", "wget -q --spider http://127.0.0.1:8080/"), "http://127.0.0.1:18080/"),
    ],
)
def test_a_page_that_is_published_is_asked_from_outside(test: tuple[str, ...], url: str) -> None:
    assert outside_url(test, PUBLISHED) == url


@pytest.mark.parametrize(
    "test",
    [
        ("CMD", "pg_isready"),
        ("CMD", "false"),
        ("CMD", "wget", "-qO-", "http://127.0.0.1:8081/"),
        ("CMD", "wget", "-qO-", "http://db:8080/"),
        ("CMD", "wget", "--header=X: y", "http://127.0.0.1:8080/"),
        ("CMD", "curl", "-k", "https://127.0.0.1:8080/"),
        ("CMD-SHELL", "wget -qO- http://127.0.0.1:8080/ | grep ready"),
        ("CMD-SHELL", "test -f /ready && curl -f http://127.0.0.1:8080/"),
    ],
)
def test_anything_else_is_run_as_it_is(test: tuple[str, ...]) -> None:
    assert outside_url(test, PUBLISHED) is None
