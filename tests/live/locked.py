"""A registry of one test that requires a password."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from promoter.adapters.registry.credentials import Credentials

PASSWORD = ("ana", "hunter2")
HASHED = "ana:$2b$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8."  # bcrypt of the password above
CONFIGURED = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{inmemory: {{}}}}
http: {{addr: "{host}"{more}}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


@dataclass
class Locked:
    """A registry of one test that requires a password."""

    host: str
    process: "subprocess.Popen[str]"


@contextmanager
def served(program: str, host: str, folder: Path, more: str = "") -> Iterator[Locked]:
    (folder / "htpasswd").write_text(f"{HASHED}\n")
    (folder / "registry.yml").write_text(CONFIGURED.format(host=host, folder=folder, more=more))
    process = subprocess.Popen(
        [program, "serve", str(folder / "registry.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _await(host, process)
        yield Locked(host, process)
    finally:
        process.terminate()
        process.communicate()


def _await(host: str, process: "subprocess.Popen[str]") -> None:
    """Connect with retries until the registry answers, or fail with the exit code of its process."""
    policy = requests.adapters.Retry(connect=60, backoff_factor=0.01, backoff_max=0.1)
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=policy))
        assert session.get(f"http://{host}/v2/", timeout=5).status_code in (400, 401), process.poll()


def config(folder: Path, host: str, password: str = PASSWORD[1]) -> Credentials:
    auth = base64.b64encode(f"{PASSWORD[0]}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return Credentials(folder)
