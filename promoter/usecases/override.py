"""Emergencies: passing the gates by override, and the review by a second person that each override owes.

An override is bound, signed and used up as an approval is. It passes every gate, pin and freeze, and no veto.
"""

from promoter.gates.override import may_override
from promoter.ledger.chain import Fact
from promoter.ledger.state import PendingReview
from promoter.model.errors import CallerError, Refused
from promoter.model.statement import Decision
from promoter.model.verdict import Outcome, ReasonCode
from promoter.pipeline.model import Environment, policy_digest
from promoter.promotion.admission.evaluate import make_case
from promoter.promotion.admission.overrides import judge_owed
from promoter.promotion.plan import Plan
from promoter.usecases.approve import ApprovalCase, Voting, may_enter
from promoter.usecases.sign import VoteDraft, VoteSubject


class Emergency(Voting):
    """The part of the door for emergencies."""

    def override(self, case: ApprovalCase, reason: str, key: str | None = None) -> Fact:
        """Appends a decision to pass the gates for exactly what the case shows. Raises Refused from those who may not."""
        environment = self.loaded.resolve(case.environment, case.release.source, case.release.id)
        policy = environment.override
        if policy is None:
            raise CallerError(
                f"nobody may override the gates of {case.environment}",
                hint="name the people under `override: {from: […]}` of the environment",
            )
        people = may_override(policy, self.pipeline.roles)
        if self.actor not in people:
            raise Refused(
                f"{self.actor} may not override the gates of {case.environment}; these may: {', '.join(sorted(people))}",
                ReasonCode.ROLE_MISSING, hint="say who you are with --actor NAME or PROMOTER_ACTOR",
            )  # fmt: skip
        may_enter(case)
        matter = VoteSubject(
            case.release, case.environment, case.plan_digest, case.policy_digest, case.from_release, case.requested_by
        )
        ballot = VoteDraft(matter, Decision.OVERRIDE, reason, self._role(), policy.review_within)
        key = self.key_for((policy.grade,), key)
        return self.journal.append(lambda state: self.vote_of(ballot, key, state), case.environment, case.release.id)

    def review(self, environment: str, comment: str | None, key: str | None = None) -> Fact:
        """Looks back on the oldest override that nobody has reviewed. Raises Refused from those who made it."""
        self._known(environment)
        owed, resolved = self._to_review(environment)
        people = [vote.principal for vote in owed.overrides]
        if self.actor in people:
            raise Refused(
                f"{self.actor} passed the gates of {environment} and may not review that", ReasonCode.SELF_APPROVAL,
                hint="another person reviews it",
            )  # fmt: skip
        if self.pipeline.signers is not None and self.actor not in self.pipeline.signers:
            raise Refused(f"{self.actor} is not among the approvers of {self.name}", ReasonCode.SIGNER_UNKNOWN)
        release = self.journal.state.releases[owed.release].release
        first = owed.overrides[0]
        matter = VoteSubject(
            release, environment, owed.plan_digest, policy_digest(self.pipeline, resolved), None, first.principal
        )
        ballot = VoteDraft(matter, Decision.REVIEW, comment or "", self._role(), None, first.digest)
        key = self.key_for((resolved.override.grade,) if resolved.override else (), key)
        return self.journal.append(lambda state: self.vote_of(ballot, key, state), environment, owed.release)

    def _to_review(self, name: str) -> tuple[PendingReview, Environment]:
        state = self.facts_so_far()
        for owed in state.environment(name).owed:
            release = state.releases[owed.release].release
            environment = self.loaded.resolve(name, release.source, release.id)
            case = make_case(self.pipeline, Plan(self.name, environment, release, {}, ()), state, "", self.world.clock.now(), "")
            if judge_owed(self.pipeline, environment, state, case, owed).outcome is not Outcome.PASSED:
                return owed, environment
        raise CallerError(f"no override in {name} waits for a review", hint=f"`promoter history {name}` shows what was")

    def _role(self) -> str | None:
        return next((role for role, people in self.pipeline.roles.items() if self.actor in people), None)
