"""Rules for the gates of one environment: every gate must be possible to open."""

from difflib import get_close_matches

from promoter.gates.approval.rule import Approval, electorate
from promoter.gates.soak import Soak
from promoter.model.names import fault_in, skeleton, spelled
from promoter.model.visible_text import visible
from promoter.model.vote import Grade
from promoter.pipeline.approvers import WILD
from promoter.pipeline.dag import Upstream
from promoter.pipeline.file_text import FileText
from promoter.pipeline.people import check_names
from promoter.pipeline.problems import Spot
from promoter.pipeline.resolver import Resolved
from promoter.pipeline.sources import unknown


def check_gates(text: FileText, resolved: Resolved, upstream: Upstream) -> None:
    if (policy := resolved.environment.override) is not None:
        as_gate = Approval.model_validate({"min": policy.min, "from": policy.from_, "grade": policy.grade})
        _check_approval(as_gate, resolved.text.spot / "override", text, resolved)
    for gate, spot in resolved.gates:
        match gate:
            case Approval():
                _check_approval(gate, spot, text, resolved)
            case Soak():
                _check_soak(gate, spot, text, resolved, upstream)


def _check_approval(gate: Approval, spot: Spot, text: FileText, resolved: Resolved) -> None:
    complain = resolved.filler.complain
    for index, name in enumerate(gate.from_ or ()):
        at = spot / "from" / index
        check_names(name, at, text.people, text.complaints)
        if any(sign in name for sign in WILD):
            complain(at, f"{name!r} is a pattern; name each person, because people are counted", "name people or roles")
        elif name not in text.roles:
            known = [*text.roles, *(text.signers or ()), *(one for people in text.roles.values() for one in people)]
            if (fault := fault_in(name)) is not None:
                complain(at, f"{visible(name)} is not a valid name of a person: {fault}", "type the name again by hand")
            elif (other := next((one for one in known if one != name and skeleton(one) == skeleton(name)), None)) is not None:
                complain(
                    at,
                    f"{spelled(name)} looks like {spelled(other)}, but is a different name",
                    f"write {other} if you mean that person",
                )
        if name not in text.roles and "@" not in name and (near := get_close_matches(name, text.roles, 1, 0.8)):
            complain(at, f"unknown role `{name}`", f"did you mean `{near[0]}`?")
    if gate.grade is Grade.SIGNED and text.signers is None:
        at = spot / "grade" if (spot / "grade").exists else spot
        complain(at, "only signed votes count here, but no keys are configured", "name an allowed_signers file: `approvers: …`")
    people = electorate(gate, text.roles, text.signers)
    if people is not None and text.signers is not None and gate.grade is Grade.SIGNED:
        people &= frozenset(text.signers)
    if people is not None and len(people) < gate.min:
        who = f": {', '.join(sorted(people))}" if people else ""
        at = spot / "min" if (spot / "min").exists else spot
        hint = "lower `min`, or name more people under `from`, `roles` or in the approvers file"
        complain(at, f"{gate.min} people must approve, but only {len(people)} may{who}", hint)
    for index, quota in enumerate(gate.require):
        at = spot / "require" / index
        if quota.role not in text.roles:
            complain(at / "role", *unknown(quota.role, "role", tuple(text.roles)))
            continue
        able = frozenset(text.roles[quota.role]) if people is None else people & frozenset(text.roles[quota.role])
        if len(able) < quota.min:
            message = f"{quota.min} of role {quota.role} must approve, but only {len(able)} of them may"
            complain(at, message, f"lower `min`, or name more people of {quota.role}")


def _check_soak(gate: Soak, spot: Spot, text: FileText, resolved: Resolved, upstream: Upstream) -> None:
    environment = resolved.environment.name
    if gate.in_ not in text.environments:
        resolved.filler.complain(spot / "in", *unknown(gate.in_, "environment", tuple(text.environments)))
    elif not upstream.is_upstream(gate.in_, environment):
        message = f"{gate.in_} is not upstream of {environment}: a release does not pass through it"
        resolved.filler.complain(spot / "in", message, f"name an environment that {environment} needs")
