"""Engines: whether they answer, how old they are, and which API they speak."""

from collections.abc import Iterator

from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.engine.info import About, about
from promoter.adapters.registry.credentials import Credentials


def title(address: str | None) -> str:
    return f"engine {address}" if address else "engine"


def asked(subject: Subject, address: str | None) -> tuple[str, About]:
    """The address as people say it, and what the engine says. Raises EngineError; asks once."""
    engine = open_engine(address, logins=Credentials().for_host, environ=subject.environ, sleep=lambda _: None)
    try:
        return engine.address, about(engine)
    finally:
        engine.close()


def look(subject: Subject, address: str | None) -> Iterator[Finding]:
    where, said = asked(subject, address)
    yield assess(title(address), where, said)


def assess(part: str, where: str, said: About) -> Finding:
    """An engine that is too old does not come so far: connecting to it fails."""
    api = f"API {said.spoken}" + (
        f" of its {said.offered}: newer than this promoter, which uses what it knows" if said.newer else ""
    )
    return Finding(part, True, True, f"Docker Engine {said.version} on {said.name}, {where}, {api}")
