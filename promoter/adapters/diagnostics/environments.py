"""What each environment needs: free ports on its engine, and the values of its secrets."""

from collections.abc import Iterator

from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.registry.credentials import Credentials
from promoter.adapters.secrets import DeclaredSecrets
from promoter.model.errors import EngineError, SecretError
from promoter.promotion.inspection.taken_ports import taken_ports
from promoter.promotion.ports.engine import PublishedPort


def ports(subject: Subject) -> Iterator[Finding]:
    """Name the container that has a port of an environment. An engine that does not answer is a finding of its own."""
    for address in subject.engines:
        there = _published(subject, address)
        for environment in (one for one in subject.environments if one.engines[0] == address):
            for sentence in taken_ports(environment, subject.name, there):
                remedy = "stop that container, or give the service another port"
                yield Finding(f"ports of {environment.name}", False, True, sentence, remedy)


def _published(subject: Subject, address: str | None) -> tuple[PublishedPort, ...]:
    try:
        engine = open_engine(address, logins=Credentials().for_host, environ=subject.environ, sleep=lambda _: None)
    except EngineError:
        return ()
    try:
        return engine.published_ports()
    except EngineError:
        return ()
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
