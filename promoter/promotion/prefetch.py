"""Pull the images of a release that waits, so that its promotion takes less time. Nothing else is changed or recorded."""

from promoter.model.errors import EngineError, PromoterError, WorldError
from promoter.model.release import Release
from promoter.pipeline.hosts import Host
from promoter.promotion import progress
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.image_pull import fetch
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.swarm.context import service_spec, timeout_of
from promoter.promotion.execution.swarm.pulling import Pulling
from promoter.promotion.inspection.current import promotion_id
from promoter.promotion.inspection.hosts import ask_hosts
from promoter.promotion.plan import Plan


def prefetch(env: EnvironmentContext, plan: Plan) -> None:
    """Pull on each host, if the file says so. A failure is only reported: the promotion pulls again."""
    if not plan.environment.prefetch:
        return

    if plan.environment.swarm is not None:
        _prefetch_on_nodes(env, plan)
        return

    def pull(host: Host) -> list[str]:
        engine, part = env.ports.engine(host.engine), plan.on(host)
        moved = []
        for service, image in part.images.items():
            platform = part.environment.services[service].platform
            if fetch(engine, env.ports.registry, plan.release.images[service], image, platform, lambda *_: None):
                moved.append(service)
        return moved

    try:
        answers = ask_hosts(plan.environment.hosts, pull)
    except PromoterError as error:
        env.emit(progress.Notice(f"{env.name}: the images could not be pulled ahead: {error.message}"))
        return
    for host, answer in answers:
        where = f"{env.name} on {host.name}" if host.name else env.name
        if isinstance(answer, EngineError):
            env.emit(progress.Notice(f"{where}: the images could not be pulled ahead: {answer.message}"))
        elif answer:
            env.emit(progress.Notice(f"{where}: pulled ahead: {', '.join(answer)}"))


def _prefetch_on_nodes(env: EnvironmentContext, plan: Plan) -> None:
    """Pull on every node of a swarm."""
    environment, ports = plan.environment, env.ports
    job = Execution(plan, promotion_id(env.ledger.state, plan), env.file.pipeline.directory, None)
    pulling = Pulling(ports.cluster(environment.hosts[0].managers), ports.registry, ports.clock, timeout_of(environment))
    try:
        for service in environment.services:
            nodes = pulling.pull(plan.release.images[service], service_spec(job, service))
            env.emit(progress.Notice(f"{env.name}: pulled ahead: {service} on {', '.join(nodes)}"))
    except (StepFailure, WorldError) as error:
        env.emit(progress.Notice(f"{env.name}: the images could not be pulled ahead: {error}"))


def prefetch_later(env: EnvironmentContext, release: Release) -> None:
    """Do the same for an environment that the release cannot reach yet."""
    try:
        plan = env.controller.plan(release)
    except PromoterError:
        return  # it is reported when the release gets there
    prefetch(env, plan)
