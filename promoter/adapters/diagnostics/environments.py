"""What each environment needs: free ports on its engine, and the values of its secrets."""

from collections.abc import Iterator, Sequence

from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.registry.credentials import Credentials
from promoter.adapters.secrets import DeclaredSecrets
from promoter.model.errors import EngineError, SecretError
from promoter.pipeline.model import Environment
from promoter.promotion.inspection.taken_ports import REMEDY, PortsInUse, ports_in_use, taken_ports


def ports(subject: Subject) -> Iterator[Finding]:
    """Name the container or process that has a port of an environment. An engine that does not answer is another finding."""
    for address in subject.engines:
        environments = [one for one in subject.environments if address in one.engines and one.swarm is None]
        used = _in_use(subject, address, environments)
        for environment in environments:
            for sentence in taken_ports(environment, subject.name, used):
                yield Finding(f"ports of {environment.name}", False, True, sentence, REMEDY)


def _in_use(subject: Subject, address: str | None, environments: Sequence[Environment]) -> PortsInUse:
    try:
        engine = open_engine(address, logins=Credentials().for_host, environ=subject.environ, sleep=lambda _: None)
    except EngineError:
        return PortsInUse()
    try:
        return ports_in_use(engine, environments)
    except EngineError:
        return PortsInUse()
    finally:
        engine.close()


def secrets(subject: Subject) -> Iterator[Finding]:
    """Check that each secret has a value here. A person who only approves needs none."""
    if subject.loaded is None:
        return
    declared = subject.loaded.pipeline.secrets
    values = DeclaredSecrets(declared, subject.directory)
    for name in declared:
        try:
            values.prove([name])
        except SecretError as error:
            yield Finding(f"secret {name}", False, False, error.message, error.hint or "promoter validate shows where it is used")
        else:
            yield Finding(f"secret {name}", True, False, "has a value here")
