"""GitHub and GitLab over real HTTP: exactly the documented requests, and every way in which they fail."""

import json
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from promoter.adapters.platforms.github import GitHub
from promoter.adapters.platforms.gitlab import GitLab
from promoter.adapters.platforms.token import Token
from promoter.adapters.retry import Retry
from promoter.model.errors import CallerError, ForgeError
from promoter.usecases.ports.platform import Event, PipelineAt, Platform, Workflow
from tests.adapters.platforms.forge_server import JOB, PROJECT, REPOSITORY, RUN, TOKEN, Answer, ForgeServer, forge_server
from tests.contracts.forge import IMAGE, OCCASION, RECORD, ForgeContract


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with forge_server() as made:
        yield made


class HttpForgeSite:
    def __init__(self, server: ForgeServer, platform: Platform) -> None:
        self.server, self.waits = server, list[float]()
        self.forge = self.github() if platform is Platform.GITHUB else self.gitlab()

    def github(self, token: str = TOKEN, run: str | None = RUN, timeout: float = 5.0) -> GitHub:
        retry, known = Retry(self.waits.append), Token(token, "GITHUB_TOKEN")
        return GitHub(self.server.address, REPOSITORY, known, run, retry, (5.0, timeout))

    def gitlab(self, origin: str = "GITLAB_TOKEN", job: str | None = JOB) -> GitLab:
        return GitLab(self.server.address, PROJECT, Token(TOKEN, origin), job, Retry(self.waits.append), (5.0, 5.0))

    def review(self, user: str, decision: str, comment: str) -> None:
        state = {"approve": "approved", "reject": "rejected"}[decision]
        if self.forge.platform is Platform.GITHUB:
            self.server.review(user, state, comment=comment)
        else:
            self.server.approve(user, state, comment, f"2026-11-23T18:20:{len(self.server.approvals):02}.000Z")

    def started(self) -> list[tuple[str, str]]:
        found = []
        for one in self.server.posts():
            body = one.body
            output = body.get("inputs") or body.get("client_payload")
            if output is None:
                pairs = {pair["key"]: pair["value"] for pair in body["variables"]}
                output = {"environment": pairs["PROMOTER_ENVIRONMENT"], "release": pairs["PROMOTER_RELEASE"]}
            found.append((output["environment"], output["release"]))
        return found

    def recorded(self) -> list[tuple[str, str]]:
        states = [one.body["state"] for one in self.server.posts("/statuses")]
        return [(one["environment"], state) for one, state in zip(self.server.deployments, states, strict=True)]


@pytest.fixture(params=list(Platform))
def site(request: pytest.FixtureRequest, server: ForgeServer) -> HttpForgeSite:
    return HttpForgeSite(server, request.param)


class TestForges(ForgeContract):
    pass


@pytest.fixture
def hub(server: ForgeServer) -> HttpForgeSite:
    return HttpForgeSite(server, Platform.GITHUB)


@pytest.fixture
def lab(server: ForgeServer) -> HttpForgeSite:
    return HttpForgeSite(server, Platform.GITLAB)


# ------------------------------------------------------------ the documented requests
def test_a_workflow_is_started_with_its_ref_and_inputs(hub: HttpForgeSite) -> None:
    hub.forge.dispatch(Workflow("promote.yml", "release/1"), OCCASION)
    (asked,) = hub.server.asked
    assert (asked.method, asked.path) == ("POST", "/repos/acme/shop/actions/workflows/promote.yml/dispatches")
    assert asked.body == {"ref": "release/1", "inputs": {"environment": "prod", "release": OCCASION.release}}
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Accept"] == "application/vnd.github+json"
    assert asked.headers["X-GitHub-Api-Version"] == "2022-11-28"


def test_without_a_ref_it_is_taken_from_the_default_branch(hub: HttpForgeSite) -> None:
    hub.forge.dispatch(Workflow("promote.yml"), OCCASION)
    assert [one.method for one in hub.server.asked] == ["GET", "POST"]
    assert hub.server.asked[-1].body["ref"] == "trunk"


def test_an_event_contains_pipeline_environment_release_and_plan(hub: HttpForgeSite) -> None:
    hub.forge.dispatch(Event("carry-on"), OCCASION)
    (asked,) = hub.server.asked
    payload = {"pipeline": "shop", "environment": "prod", "release": OCCASION.release, "plan_digest": OCCASION.plan_digest}
    assert (asked.path, asked.body) == ("/repos/acme/shop/dispatches", {"event_type": "carry-on", "client_payload": payload})


def test_a_pipeline_is_started_with_two_variables(lab: HttpForgeSite) -> None:
    lab.forge.dispatch(PipelineAt("main"), OCCASION)
    (asked,) = lab.server.asked
    variables = [{"key": "PROMOTER_ENVIRONMENT", "value": "prod"}, {"key": "PROMOTER_RELEASE", "value": OCCASION.release}]
    assert (asked.path, asked.body) == (f"/projects/{PROJECT}/pipeline", {"ref": "main", "variables": variables})
    assert asked.headers["PRIVATE-TOKEN"] == TOKEN


def test_a_deployment_its_status_and_its_images_are_recorded(hub: HttpForgeSite) -> None:
    hub.forge.record(RECORD)
    hub.forge.record_image(IMAGE)
    made, status, image = hub.server.asked
    assert (made.path, made.body) == (
        "/repos/acme/shop/deployments",
        {
            "ref": "c" * 40,
            "environment": "prod",
            "description": "release abab serves",
            "auto_merge": False,
            "required_contexts": [],
            "payload": {"release": "ab" * 32, "plan_digest": None, "digests": {"web": IMAGE.digest}},
        },
    )
    assert (status.path, status.body) == (
        "/repos/acme/shop/deployments/1/statuses",
        {"state": "success", "description": "release abab serves", "log_url": "https://ci/1"},
    )
    assert (image.path, image.body) == (
        "/orgs/acme/artifacts/metadata/deployment-record",
        {
            "name": "registry.example.com/acme/web",
            "digest": "sha256:" + "ef" * 32,
            "status": "deployed",
            "version": "1.2",
            "logical_environment": "prod",
            "deployment_name": "shop-prod-web",
            "github_repository": "shop",
        },
    )


def test_reviews_of_other_environments_and_comments_without_a_decision_are_none(hub: HttpForgeSite) -> None:
    hub.server.review("ana-dev", environment="staging")
    hub.server.review("ana-dev", "pending")
    assert hub.forge.reviews("prod") == ()
    assert hub.server.asked[-1].path == f"/repos/acme/shop/actions/runs/{RUN}/approvals"


def test_a_jobs_own_token_reads_approvals_and_starts_nothing(lab: HttpForgeSite) -> None:
    forge = lab.gitlab("CI_JOB_TOKEN")
    lab.server.approve("ana")
    assert [one.user for one in forge.reviews("prod")] == ["ana"]
    assert lab.server.asked[0].headers["JOB-TOKEN"] == TOKEN
    assert "PRIVATE-TOKEN" not in lab.server.asked[0].headers
    with pytest.raises(CallerError, match="own token may start no pipeline"):
        forge.prove()


def test_only_the_deployment_of_this_very_job_is_read(lab: HttpForgeSite) -> None:
    with pytest.raises(CallerError, match="this job is not a deployment to prod"):
        lab.gitlab(job="1").reviews("prod")
    with pytest.raises(CallerError, match="this job is not a deployment to other"):
        lab.forge.reviews("other")


@pytest.mark.parametrize("platform", list(Platform))
def test_outside_of_a_job_there_are_no_reviews(server: ForgeServer, platform: Platform) -> None:
    site = HttpForgeSite(server, platform)
    forge = site.github(run=None) if platform is Platform.GITHUB else site.gitlab(job=None)
    with pytest.raises(CallerError, match="here to read"):
        forge.reviews("prod")


# ------------------------------------------------------------ failures
@pytest.mark.parametrize(
    ("status", "body", "message", "hint"),
    [
        (401, {"message": "Bad credentials"}, "does not accept the token of GITHUB_TOKEN", "set a new one"),
        (
            403,
            {"message": "Not accessible"},
            "does not let the token of GITHUB_TOKEN start an event of the repository: Not acc",
            "Contents: write",
        ),
        (404, {"message": "Not Found"}, "finds nothing to start an event of the repository, or does not sho", "check the names"),
        (422, {"message": "Invalid request.", "errors": ["no"]}, '(422): Invalid request.; ["no"]', "Contents: write"),
        (418, b"<html>", "refuses to start an event of the repository (418)", "Contents: write"),
    ],
)
def test_a_permanent_error_is_not_retried_and_has_a_hint(
    hub: HttpForgeSite, status: int, body: object, message: str, hint: str
) -> None:
    hub.server.next = [Answer(status, body)]
    with pytest.raises(ForgeError) as caught:
        hub.forge.dispatch(Event("promoter"), OCCASION)
    assert message in caught.value.message and hint in str(caught.value.hint)
    assert (len(hub.server.asked), hub.waits, caught.value.retryable) == (1, [], False)


def test_a_pause_that_is_asked_for_is_kept(hub: HttpForgeSite) -> None:
    hub.server.next = [Answer(429, {"message": "slow down"}, {"Retry-After": "7"}), Answer(500), Answer(503)]
    hub.forge.dispatch(Event("promoter"), OCCASION)
    assert hub.waits[0] == 7.0 and all(wait < 4 for wait in hub.waits[1:]) and len(hub.server.asked) == 4


def test_a_pause_may_be_a_date_or_a_limit_that_is_used_up(hub: HttpForgeSite) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    hub.server.next = [
        Answer(403, {}, {"Retry-After": format_datetime(soon, usegmt=True)}),
        Answer(403, {}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(soon.timestamp()))}),
    ]
    hub.forge.dispatch(Event("promoter"), OCCASION)
    assert all(20 < wait <= 30 for wait in hub.waits) and len(hub.waits) == 2


def test_who_asks_for_a_long_pause_is_not_asked_again(hub: HttpForgeSite) -> None:
    hub.server.next = [Answer(429, {}, {"Retry-After": "3600"})]
    with pytest.raises(ForgeError, match="it asks to wait 3600 s"):
        hub.forge.dispatch(Event("promoter"), OCCASION)
    assert (len(hub.server.asked), hub.waits) == (1, [])


def test_what_fails_each_time_fails_at_last(hub: HttpForgeSite) -> None:
    hub.server.next = [Answer(500, {"message": "boom"})] * 9
    with pytest.raises(ForgeError, match="fails with 500 when asked to start an event of the repository: boom"):
        hub.forge.dispatch(Event("promoter"), OCCASION)
    assert len(hub.server.asked) == 4


@pytest.mark.parametrize("body", [b"{", b"<html>login</html>", {"not": "a list"}, [{"no": "environments"}], [7], b"[" * 100_000])
def test_answers_of_no_known_form_are_refused(hub: HttpForgeSite, body: object) -> None:
    hub.server.next = [Answer(200, body)]
    with pytest.raises(ForgeError, match="sends an unexpected answer"):
        hub.forge.reviews("prod")


@pytest.mark.parametrize("body", [{"not": "a list"}, b"{", [{"id": "x", "deployable": None}]])
def test_so_are_those_of_gitlab(lab: HttpForgeSite, body: object) -> None:
    lab.server.next = [Answer(200, body)]
    with pytest.raises((ForgeError, CallerError)):
        lab.forge.reviews("prod")


def test_who_hangs_is_left(hub: HttpForgeSite) -> None:
    hub.server.next = [Answer(200, hang=True)] * 9
    with pytest.raises(ForgeError, match="does not answer in time"):
        hub.github(timeout=0.1).reviews("prod")
    assert len(hub.server.asked) == 4


def test_an_unreachable_platform_is_reported(server: ForgeServer) -> None:
    forge = GitHub("http://127.0.0.1:9", REPOSITORY, Token(TOKEN, "GH_TOKEN"), RUN, Retry(lambda _: None))
    with pytest.raises(ForgeError, match=r"GitHub at 127\.0\.0\.1:9 cannot be reached"):
        forge.prove()


# ------------------------------------------------------------ the token
def test_another_host_never_gets_the_token(hub: HttpForgeSite) -> None:
    with forge_server() as other:
        hub.server.next = [Answer(307, {}, {"Location": f"{other.address}/repos/acme/shop"})]
        with pytest.raises(ForgeError, match="the token is not sent there"):
            hub.forge.prove()
        assert other.asked == []


def test_a_renamed_repository_is_followed_on_the_same_host(hub: HttpForgeSite) -> None:
    there = f"{hub.server.address}/repos/acme/shop/dispatches"
    hub.server.next = [Answer(307, {}, {"Location": there})]
    hub.forge.dispatch(Event("promoter"), OCCASION)
    assert [one.method for one in hub.server.asked] == ["POST", "POST"]
    hub.server.next = [Answer(302, {}, {"Location": there})]
    with pytest.raises(ForgeError, match="redirects to another host"):
        hub.forge.dispatch(Event("promoter"), OCCASION)


def test_no_error_text_contains_the_token(hub: HttpForgeSite) -> None:
    hub.server.next = [Answer(422, {"message": f"who are you, {TOKEN}?"})]
    with pytest.raises(ForgeError) as caught:
        hub.forge.prove()
    assert "who are you, [token]?" in caught.value.message
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(Token(TOKEN, "x")) + str(Token(TOKEN, "x"))


def test_a_netrc_file_is_ignored(hub: HttpForgeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    hub.forge.prove()
    assert hub.server.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("base", ["http://ghe.example.com/api/v3", "ftp://x", "ghe.example.com"])
def test_a_token_goes_nowhere_without_tls(base: str) -> None:
    with pytest.raises(CallerError):
        GitHub(base, REPOSITORY, Token(TOKEN, "GH_TOKEN"), RUN, Retry())


def test_bodies_are_json(hub: HttpForgeSite) -> None:
    hub.forge.dispatch(Event("promoter"), OCCASION)
    assert hub.server.asked[0].headers["Content-Type"] == "application/json"
    assert json.dumps(hub.server.asked[0].body)
