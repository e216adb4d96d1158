"""The policy held to a protected git ref: the branch that is promoted cannot loosen the gates it is to pass.

Which refs hold it: the one that the file names, the one that the settings name, and the one that the ledger last saw in
the file, so that nobody lifts the pin by taking the key out of their branch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from promoter.loaded import Loaded
from promoter.model.difference import differences
from promoter.model.errors import CallerError, FileFaults
from promoter.model.release import Release
from promoter.model.verdict import ReasonCode, Verdict, passed, refused
from promoter.pipeline import Environment, Pipeline, held_policy

FEW = 5


@dataclass(frozen=True, slots=True)
class Holding:
    """The refs that hold a policy, each with its commit, and whether the policy here is theirs."""

    verdict: Verdict
    commits: tuple[tuple[str, str], ...] = ()

    def document(self, pipeline: Pipeline) -> dict[str, object]:
        """What a fact records: the pin of the file as it stands, and what it was held against."""
        return {"ref": pipeline.policy_ref, "held_to": [{"ref": ref, "commit": commit} for ref, commit in self.commits]}


def hold_policy(
    file: Loaded, pipeline: Pipeline, environment: Environment, release: Release, refs: Sequence[str | None]
) -> Holding | None:
    """None when no ref holds the policy. `refs` are those of the settings and of the ledger; the file's is added."""
    wanted = tuple(dict.fromkeys(ref for ref in (*refs, pipeline.policy_ref) if ref))
    if not wanted:
        return None
    here, commits = held_policy(pipeline, environment), []
    for ref in wanted:
        try:
            there = file.policy_at(ref, environment.name, release.source, release.id)
        except FileFaults as faults:
            first = faults.complaints[0]
            return _shut(f"the policy at {ref} cannot be read: {first.file}:{first.line}: {first.message}")
        except CallerError as error:
            return _shut(error.message + (f"; {error.hint}" if error.hint else ""))
        lines = differences(there.policy, here)
        if lines:
            return _shut(_say(ref, environment.name, lines))
        commits.append((ref, there.commit))
    said = ", ".join(f"{ref} ({commit[:12]})" for ref, commit in commits)
    return Holding(passed(f"gates, roles and signers are those at {said}"), tuple(commits))


def _shut(sentence: str) -> Holding:
    return Holding(refused(ReasonCode.POLICY_CHANGED, sentence))


def _say(ref: str, environment: str, lines: tuple[str, ...]) -> str:
    more = f"; and {len(lines) - FEW} more" if len(lines) > FEW else ""
    return (
        f"what decides who may enter {environment} is not the same here as at {ref}: {'; '.join(lines[:FEW])}{more}; "
        f"merge the change into {ref} (and fetch), or promote from a checkout that does not have it"
    )
