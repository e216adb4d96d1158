"""Waiting without using minutes, end to end: run, review, promote in a later job of the run, and a vote that starts a job."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.platforms.forge_server import JOB, PROJECT, REPOSITORY, TOKEN, Answer, ForgeServer, forge_server
from tests.conftest import Cli, Ran
from tests.documents import value_at
from tests.live.app import App, statuses

REVIEWED = "[{approval: {from: [ana@example.com, ben@example.com], grade: platform, exclude: [requester]}}]"
PEOPLE = "identities: {ana@example.com: [ana-dev], ben@example.com: [ben-dev], eve@example.com: [eve-dev]}\n"


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with forge_server() as made:
        yield made


@pytest.fixture
def shop(app: App, server: ForgeServer) -> App:
    """The application in a checkout with one commit, in the jobs of GitHub's run 4711."""
    for words in (
        ("init", "-q"),
        ("add", "pipeline.yaml", "Dockerfile", "www"),
        ("-c", "user.name=Dee", "-c", "user.email=dee@example.com", "commit", "-q", "-m", "a"),
    ):
        subprocess.run(["git", *words], cwd=app.cli.cwd, check=True)
    app.write(gates=REVIEWED, secrets=PEOPLE)
    app.cli.env |= in_run(server, "4711")
    return app


def in_run(server: ForgeServer, run: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": run,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_ACTOR": "eve-dev",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_API_URL": server.address,
        "GITHUB_TOKEN": TOKEN,
    }


def kinds(shop: App, *wanted: str) -> list[dict[str, object]]:
    return [fact for fact in shop.facts() if fact["kind"] in wanted]


def clean(ran: Ran) -> Ran:
    """Check that the output does not contain the token."""
    assert TOKEN not in ran.stdout + ran.stderr, ran.text
    return ran


def test_a_run_is_reviewed_and_its_later_job_promotes(shop: App, server: ForgeServer) -> None:
    ran = clean(shop.cli("--json", "run"))
    assert (ran.exit_code, statuses(ran)) == (3, {"dev": "deployed", "prod": "pending"}), ran.text
    page = "https://github.com/acme/shop/actions/runs/4711"
    (asked,) = [fact for fact in kinds(shop, "requested") if fact["environment"] == "prod"]
    assert (asked["run"], asked["requested_by"]) == (page, "eve@example.com")
    output = shop.cli("explain", "prod").stdout
    assert f"ana@example.com, ben@example.com: review the deployment on {page}" in output
    assert f"next: review the deployment on {page}" in shop.cli("promote", "--to", "prod").stdout

    result = clean(shop.cli("promote", "--to", "prod", "--reviews"))
    assert result.exit_code == 3 and f"no new review of {page}" in result.stderr

    server.review("ana-dev", comment="seen\x1b[2J on dev")
    server.review("mallory")
    server.review("eve-dev")
    done = clean(shop.cli("--json", "promote", "--to", "prod", "--reviews"))
    assert (done.exit_code, statuses(done)["prod"]) == (0, "deployed"), done.text
    assert "mallory may not vote here; these may: ana@example.com, ben@example.com" in done.stderr
    assert "eve-dev (eve@example.com) may not vote here" in done.stderr
    again = clean(shop.cli("promote", "--to", "prod", "--reviews"))
    assert again.exit_code == 0 and "does not wait in prod" in again.stderr
    (vote,) = kinds(shop, "approved", "rejected")
    assert (vote["principal"], vote["grade"], vote["review"]) == (
        "ana@example.com",
        "platform",
        {"platform": "github", "run": page, "environment": "prod", "user": "ana-dev", "state": "approved", "mark": "1"},
    )
    (started,) = [fact for fact in kinds(shop, "started") if fact["environment"] == "prod"]
    approvals = started["approvals"]
    assert isinstance(approvals, list) and len(approvals) == 1
    history = shop.cli("history", "prod").stdout
    assert "approved: ana@example.com" in history and "\x1b" not in history


def test_a_review_of_another_run_is_refused_until_that_run_has_asked(shop: App, server: ForgeServer) -> None:
    assert shop.cli("run").exit_code == 3
    server.review("ana-dev")
    other = in_run(server, "4712")
    for argv in (("reviews", "prod"), ("promote", "--to", "prod", "--reviews")):
        ran = shop.cli(*argv, env=other)
        assert ran.exit_code == 4, ran.text
        assert "was requested by run https://github.com/acme/shop/actions/runs/4711, not by this run" in ran.stderr
        assert "promoter promote --to prod" in ran.stderr
    assert kinds(shop, "approved") == []
    assert shop.cli("promote", "--to", "prod", env=other).exit_code == 3  # an earlier job of that run asks
    server.refuse["/runs/4712/"] = Answer(200, server.approvals)
    assert shop.cli("--json", "reviews", "prod", env=other).json["recorded"][0]["principal"] == "ana@example.com"
    first = shop.cli("--json", "reviews", "prod").json  # the run that asked first may continue too
    assert [fact["review"]["run"][-4:] for fact in first["recorded"]] == ["4711"]
    assert shop.cli("--json", "reviews", "prod").json["known"] == 1
    assert shop.cli("promote").exit_code == 0


def test_a_rejected_review_closes_the_gate(shop: App, server: ForgeServer) -> None:
    """At GitLab, the job that asks and the job that is reviewed are two jobs of one pipeline."""
    pipeline = {
        "GITHUB_RUN_ID": "",
        "GITHUB_REPOSITORY": "",
        "GITHUB_ACTOR": "",
        "GITHUB_TOKEN": "",
        "GITLAB_CI": "true",
        "CI_PROJECT_ID": PROJECT,
        "CI_API_V4_URL": server.address,
        "CI_PIPELINE_URL": "https://gitlab.com/acme/shop/-/pipelines/3",
        "GITLAB_USER_LOGIN": "eve-dev",
        "CI_JOB_TOKEN": TOKEN,
    }
    assert shop.cli("run", env=pipeline | {"CI_JOB_ID": "98", "CI_JOB_URL": "https://gitlab.com/j/98"}).exit_code == 3
    deploy = pipeline | {"CI_JOB_ID": JOB, "CI_JOB_URL": "https://gitlab.com/j/99"}
    server.approve("ana-dev")
    server.approve("ben-dev", "rejected", comment="not today")
    ran = clean(shop.cli("--json", "promote", "--to", "prod", "--reviews", env=deploy))
    assert (ran.exit_code, ran.json["reason_code"]) == (4, "rejected"), ran.text
    assert "ben@example.com rejected it: not today" in ran.json["environments"][-1]["reasons"][0]
    assert "prod-web" not in shop.all()
    assert {value_at(fact, "review", "platform") for fact in kinds(shop, "approved", "rejected")} == {"gitlab"}


def test_one_person_who_signs_and_reviews_counts_once(shop: App, server: ForgeServer, tmp_path: Path) -> None:
    key = tmp_path / "ana"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ana", "-f", key], check=True)
    public = " ".join(Path(f"{key}.pub").read_text().split()[:2])
    (shop.cli.cwd / ".promoter").mkdir(exist_ok=True)
    (shop.cli.cwd / ".promoter" / "signers").write_text(f"ana@example.com {public}\nben@example.com {public}\n")
    two = "[{approval: {min: 2, from: [ana@example.com, ben@example.com], grade: platform}}]"
    shop.write(gates=two, secrets=f"approvers: .promoter/signers\n{PEOPLE}")
    assert shop.cli("run").exit_code == 3
    server.review("ana-dev")
    assert shop.cli("promote", "--to", "prod", "--reviews").exit_code == 3
    signed = shop.cli("--actor", "ana-dev", "approve", "prod", "--key", str(key), "--yes")
    assert signed.exit_code == 0 and "approved by ana@example.com" in signed.stdout, signed.text
    still = shop.cli("--json", "promote", "--to", "prod", "--reviews")
    assert still.exit_code == 3 and "1 of 2 approvals (by ana@example.com)" in still.json["environments"][-1]["reasons"][0]
    server.review("ben-dev")
    done = shop.cli("--json", "promote", "--to", "prod", "--reviews")
    assert done.exit_code == 0, done.text


def test_the_last_vote_starts_the_job_that_continues(shop: App, server: ForgeServer) -> None:
    shop.write(gates="[{approval: {min: 2}}]")
    assert shop.cli("run").exit_code == 3
    session = {"GITHUB_RUN_ID": "", "GITHUB_ACTOR": "", "PROMOTER_DISPATCH": "event:carry-on"}
    first = clean(shop.cli("--actor", "ana-dev", "approve", "prod", "--yes", env=session))
    assert first.exit_code == 0 and "event:carry-on was not started: still missing" in first.stdout, first.text
    assert server.posts() == []
    refused = clean(shop.cli("--actor", "ben-dev", "approve", "prod", "--yes", env={**session, "GITHUB_TOKEN": "wrong"}))
    assert refused.exit_code == 1 and "does not accept the token of GITHUB_TOKEN" in refused.stderr
    assert len(kinds(shop, "approved")) == 1

    server.refuse["/dispatches"] = Answer(403, {"message": "Resource not accessible by personal access token"})
    vote = clean(shop.cli("--json", "--actor", "ben-dev", "approve", "prod", "--yes", env=session))
    assert (vote.exit_code, vote.json["dispatched"], vote.json["kind"]) == (1, False, "approved"), vote.text
    release = vote.json["release"]
    assert "vote recorded" in vote.stderr and f"next: promoter promote {release[:12]} --to prod" in vote.stderr

    server.refuse.clear()
    server.asked.clear()
    last = clean(shop.cli("--actor", "eve-dev", "approve", "prod", "--yes", env=session))
    assert last.exit_code == 0 and "started event:carry-on at GitHub, acme/shop" in last.stdout, last.text
    (posted,) = server.posts()
    plan = kinds(shop, "approved")[-1]["plan_digest"]
    payload = {"pipeline": shop.name, "environment": "prod", "release": release, "plan_digest": plan}
    assert (posted.path, posted.body) == ("/repos/acme/shop/dispatches", {"event_type": "carry-on", "client_payload": payload})
    assert shop.cli("promote", release[:12], "--to", "prod").exit_code == 0


def test_deployments_are_recorded_where_that_is_enabled(shop: App, server: ForgeServer) -> None:
    shop.write(gates="[]")
    shop.cli("run", "--to", "dev")
    assert server.asked == []
    switched_on = {"PROMOTER_DEPLOYMENTS": "true"}
    ran = clean(shop.cli("--json", "run", env=switched_on))
    assert ran.exit_code == 0, ran.text
    (made,) = server.deployments
    release = ran.json["release"]
    assert (made["environment"], made["ref"]) == ("prod", release["source"]["sha"])
    assert made["payload"]["digests"] == {"web": release["images"]["web"]["digest"]}
    (status,) = server.posts("/statuses")
    assert (status.body["state"], status.body["log_url"][-5:]) == ("success", "/4711")
    (image,) = server.posts("/deployment-record")
    assert image.body["deployment_name"] == f"{shop.name}-prod-web"
    server.refuse |= {"/deployments": Answer(403, {"message": "no"}), "/orgs/": Answer(404, {"message": "Not Found"})}
    shop.page("ready two")
    denied = clean(shop.cli("run", env=switched_on))
    assert denied.exit_code == 0, denied.text
    assert "no deployment record: GitHub" in denied.stderr and "deployments: write" in denied.stderr
    assert "artifact-metadata: write" in denied.stderr
    without = clean(shop.cli("rollback", "prod", env={**switched_on, "GITHUB_TOKEN": ""}))
    assert without.exit_code == 0 and "there is no token for GitHub" in without.stderr, without.text


@pytest.mark.parametrize(("message", "complaint"), [("promote.yml", "cannot be started"), ("event:", "is not an event")])
def test_a_malformed_target_is_refused_first(cli: Cli, message: str, complaint: str) -> None:
    (cli.cwd / "pipeline.yaml").write_text("name: shop\nservices: {web: {image: nginx}}\nenvironments: {prod: {}}\n")
    ran = cli("--json", "approve", "prod", "--dispatch", "--yes", env={"PROMOTER_DISPATCH": message})
    assert ran.exit_code == 2 and complaint in ran.stderr, ran.text
    assert json.loads(ran.stdout)["decision"] == "failed"
