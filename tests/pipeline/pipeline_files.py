"""Write pipeline files for tests, read them, and return their complaints."""

from collections.abc import Mapping
from pathlib import Path

from promoter.model.errors import InvalidFile
from promoter.model.release import Source
from promoter.pipeline.loader import LoadedPipeline, load, validate

SOURCE = Source(sha="0123456789abcdef" * 2 + "01234567", branch="main", version="1.2.0")
GOOD = """\
name: shop
registry: registry.example.com/acme
services:
  web:
    build: ./web
    ports: ["127.0.0.1:{{ port }}:8080"]
environments:
  dev:
    vars: {port: 18081}
  test:
    vars: {port: 18082}
  prod:
    vars: {port: 18083}
"""


def write(directory: Path, text: str | bytes = GOOD, **files: str) -> Path:
    """Write the pipeline file, with a Dockerfile in ./web. Further files are passed by name, with `/` written as `__`."""
    (directory / "web").mkdir(exist_ok=True)
    (directory / "web" / "Dockerfile").write_text("FROM scratch\n")
    for name, content in files.items():
        path = directory / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    file = directory / "pipeline.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def read(file: Path, environ: Mapping[str, str] | None = None, source: Source = SOURCE) -> LoadedPipeline:
    validate(file, source=source, environ=environ or {})
    return load(file, source=source, environ=environ or {})


def complaints(file: Path, environ: Mapping[str, str] | None = None, source: Source = SOURCE) -> list[tuple[str, str]]:
    """Return `line:column` and message of each complaint, in order. A position in another file begins with its name."""
    try:
        validate(file, source=source, environ=environ or {})
    except InvalidFile as faults:
        return [(_position(c.file, c.line, c.column, file), c.message) for c in faults.complaints]
    return []


def _position(message: str, line: int, column: int, file: Path) -> str:
    return f"{line}:{column}" if message == str(file) else f"{message}:{line}:{column}"
