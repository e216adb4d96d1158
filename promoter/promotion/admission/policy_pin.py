"""Compare the policy with a protected git ref, so that a branch cannot weaken the gates that it must pass.

The refs are: the one in the file, the one in the settings, and the one that the ledger last recorded from the file. So
removing the key from a branch does not remove the pin.
"""

from collections.abc import Mapping, Sequence

from promoter.model.canonical_json import canonical
from promoter.model.dataclass import dataclass
from promoter.model.diff import differences, format_change
from promoter.model.errors import CallerError, InvalidFile
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode, Verdict, passed, refused
from promoter.pipeline.loader_port import Loaded
from promoter.pipeline.model import Environment, Pipeline
from promoter.pipeline.policy import Policy, protected_policy

MANY = 50
"""The number of differences that are listed one by one."""


@dataclass(frozen=True)
class Holding:
    """The result of comparing the policy with refs, and the commit of each ref."""

    verdict: Verdict
    commits: tuple[tuple[str, str], ...] = ()

    def document(self, pipeline: Pipeline) -> dict[str, object]:
        """Return what a fact records: the pin in the file, and the refs and commits that the policy was compared with."""
        return {"ref": pipeline.policy_ref, "held_to": [{"ref": ref, "commit": commit} for ref, commit in self.commits]}


def hold_policy(
    file: Loaded, pipeline: Pipeline, environment: Environment, release: Release, refs: Sequence[str | None]
) -> Holding | None:
    """Compare the policy with `refs` (of the settings and of the ledger) and the file's own ref. Return None without any ref."""
    wanted = tuple(dict.fromkeys(ref for ref in (*refs, pipeline.policy_ref) if ref))
    if not wanted:
        return None
    local, commits = protected_policy(pipeline, environment), []
    for ref in wanted:
        try:
            there = file.policy_at(ref, environment.name, release.source, release.id)
        except InvalidFile as faults:
            first = faults.complaints[0]
            return _closed(f"the policy at {ref} cannot be read: {first.file}:{first.line}: {first.message}")
        except CallerError as error:
            return _closed(error.message + (f"; {error.hint}" if error.hint else ""))
        if canonical(there.policy) != canonical(local):
            return _closed(_policy_message(ref, environment.name, _lines(there.policy, local)))
        commits.append((ref, there.commit))
    named = ", ".join(f"{ref} ({commit[:12]})" for ref, commit in commits)
    return Holding(passed(f"gates, roles and signers are those at {named}"), tuple(commits))


def other_rules(asked: Mapping[str, object] | None, local: Policy) -> Verdict:
    """Return the refusal for a vote from a checkout whose rules are not those of the request, with the differences."""
    if asked is None:
        why = "the request has no rules, because an earlier version of promoter recorded it"
    else:
        why = "; ".join(_lines(local, asked)) + " (here -> in the request)"
    return refused(
        ReasonCode.POLICY_CHANGED,
        f"the rules (gates, roles, signers) of this checkout are not those of the request: {why}; "
        "decide from a checkout that has the rules of the request, or `promoter promote` from one that has yours asks again",
    )


def _closed(sentence: str) -> Holding:
    return Holding(refused(ReasonCode.POLICY_CHANGED, sentence))


def _lines(old: Policy, new: Policy) -> list[str]:
    lines = [format_change(change.document()) for change in differences(old, new)]
    return lines[:MANY] + ([f"and {len(lines) - MANY} more"] if len(lines) > MANY else [])


def _policy_message(ref: str, environment: str, lines: list[str]) -> str:
    return (
        f"what decides who may enter {environment} differs from {ref}: {'; '.join(lines)}; "
        f"merge the change into {ref} (and fetch), or promote from a checkout that does not have it"
    )
