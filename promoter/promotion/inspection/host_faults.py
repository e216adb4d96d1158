"""What is wrong with a recorded deployment, on each of its hosts."""

from promoter.ledger.deployment import Deployment
from promoter.model.labels import Namespace
from promoter.pipeline.hosts import Host
from promoter.promotion.inspection.current import faults
from promoter.promotion.inspection.hosts import RuntimeAt, ask_hosts, require_answers
from promoter.promotion.plan import Plan


def faults_on_hosts(at: RuntimeAt, namespace: Namespace, current: Deployment, plan: Plan) -> tuple[str, ...]:
    """Return a sentence for each recorded service that does not serve, and for each host without the release.

    A host that does not answer is left out if the file says to skip it. Otherwise raise EngineError.
    """

    def ask(host: Host) -> tuple[str, ...]:
        there = current.on(host.name)
        if there is None or (host.name and current.hosts[host.name].behind is not None):
            at(host).identify()
            return (f"{host.name} is behind",)
        found = faults(at(host), namespace, there, plan.on(host))
        return tuple(f"{host.name}: {sentence}" if host.name else sentence for sentence in found)

    answers = require_answers(plan.environment, ask_hosts(plan.environment.hosts, ask))
    return tuple(sentence for _, answer in answers for sentence in answer)
