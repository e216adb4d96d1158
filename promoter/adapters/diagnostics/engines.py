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
    """Return the address and what the engine reports. Ask once; raise EngineError."""
    engine = open_engine(address, logins=Credentials().for_host, environ=subject.environ, sleep=lambda _: None)
    try:
        return engine.address, about(engine)
    finally:
        engine.close()


def check(subject: Subject, address: str | None) -> Iterator[Finding]:
    where, info = asked(subject, address)
    yield assess(title(address), where, info)


def assess(part: str, where: str, info: About) -> Finding:
    """Report an engine. Connecting to one that is too old fails before this."""
    api = f"API {info.spoken}" + (
        f" of its {info.offered}: newer than this version of promoter, which uses the older API" if info.newer else ""
    )
    return Finding(part, True, True, f"{info.product} {info.version} on {info.name}, {where}, {api}")
