"""Refuse an engine or containers that belong to another ledger or were not recorded, until a person accepts them."""

from promoter.gates.evaluate import GateResult
from promoter.gates.rule import Rule
from promoter.ledger.deployment import Deployment
from promoter.model.labels import Namespace, is_aside, ledger_of
from promoter.model.ownership import is_owned, owner_labels
from promoter.model.verdict import ReasonCode, refused
from promoter.promotion.ports.runtime import Runtime


def other_engine(environment: str, current: Deployment | None, engine: Runtime) -> GateResult | None:
    """Return the refusal if the engine at the address is not the recorded one."""
    if current is None or current.engine is None:
        return None
    identity = engine.identify()
    if identity.fingerprint == current.engine:
        return None
    sentence = (
        f"another engine ({identity.name}, {identity.version}) answers at {engine.address} than the one that {environment} "
        f"was promoted to; to accept it, set PROMOTER_ACCEPT_ENGINE={environment}"
    )
    return GateResult("engine", refused(ReasonCode.POLICY_CHANGED, sentence), Rule.ENGINE)


def other_ledger(namespace: Namespace, chain: str | None, location: str, engine: Runtime) -> GateResult | None:
    """Return the refusal if another ledger recorded the containers: its facts, gates and leases are not known here.

    `chain` is the digest of this ledger's first fact; None for an empty ledger.
    """
    found = engine.labels_by_name().items()
    serving = [labels for name, labels in found if is_owned(labels, owner_labels(namespace)) and not is_aside(name)]
    others = {ledger_of(labels) for labels in serving} - {None, chain}
    if not others:
        return None
    sentence = (
        f"the containers of {namespace.environment} were recorded in another ledger ({', '.join(sorted(map(str, others)))}) than "
        f"this one ({chain or 'empty'}, {location}): use that ledger; to let this one take over, set "
        f"PROMOTER_ACCEPT_LEDGER={namespace.environment}"
    )
    return GateResult("ledger", refused(ReasonCode.OTHER_LEDGER, sentence), Rule.LEDGER)
