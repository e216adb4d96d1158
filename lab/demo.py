"""The demo: DEV, TEST and PROD on a real engine, with the commands that a user would type, and their output.

make demo        runs it; a second run changes nothing and reports that
demo.py clear    removes what pipelines/* left on the engine and in their ledgers (`make down` does it)
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from parts import lab_state
from parts.engine import url
from parts.errors import LabError
from parts.machine import report
from parts.ports import is_free, some_port
from parts.sweep import labelled, sweep
from parts.talk import engine_silent

PIPELINES = lab_state.CHECKOUT / "pipelines"
PORTS = {"HELLO_DEV_PORT": 18081, "HELLO_TEST_PORT": 18082, "HELLO_PROD_PORT": 18083}
HELLO = Path("pipelines/hello/pipeline.yaml")
UNCHANGED, WAITING = 0, 3


def main() -> int:
    """Promote from a Dockerfile to PROD."""
    lend_busybox(PIPELINES / "hello")
    os.environ |= free_ports()
    code = step("Build once, push, and carry that digest through DEV and TEST.", "run", str(HELLO), expected=(UNCHANGED, WAITING))
    if code == WAITING:
        print("\n  Exit code 3: PROD waits for an approval, and no process waits with it. So approve, and continue:")
        step(
            "A person looks at the case and approves.", "approve", "prod", "-f", str(HELLO), "--yes", "--comment", "seen on TEST"
        )
        step("The same digest enters PROD.", "promote", "-f", str(HELLO))
    else:
        print("\n  Exit code 0: every environment is as the file wants it, and nothing waits.")
    step("What is where.", "status", "-f", str(HELLO))
    step("How it came about: facts in a chain of hashes.", "history", "-f", str(HELLO))
    print(farewell())
    return 0


def step(why: str, *words: str, expected: tuple[int, ...] = (0,)) -> int:
    print(f"\n{_bold(why)}\n$ promoter {' '.join(_quoted(word) for word in words)}", flush=True)
    program = str(Path(sys.executable).with_name("promoter"))
    code = subprocess.run([program, *words], cwd=lab_state.CHECKOUT, check=False).returncode
    if code not in expected:
        raise LabError(
            f"the demo stops here: `promoter {words[0]}` ended with exit code {code}, expected {' or '.join(map(str, expected))}."
        )
    return code


def farewell() -> str:
    env = 'eval "$(python3 lab/lab.py env)"' if os.environ["PROMOTER_LAB_ENGINE"] == url(lab_state.directory()) else ""
    lines = [f"\n{_bold('Running now:')}"]
    lines += [f"  {_name(container):<24} {url}" for container in _running() for url in _urls(container) or ["-"]]
    lines += [
        f"\n{_bold('Try next:')}",
        *([f"  {env:<58} this shell on the demo's engine"] if env else []),
        *(
            f"  {command:<58} {what}"
            for command, what in (
                (". .venv/bin/activate", "promoter on your PATH"),
                (f"promoter plan -f {HELLO}", "what promote would do now"),
                (f"promoter diff dev prod -f {HELLO}", "two environments compared"),
                (f"promoter rollback prod -f {HELLO}", "after a change: the release before it"),
                (f"promoter ledger verify -f {HELLO}", "the chain, from the first fact"),
                (f"{_editor()} pipelines/hello/web/message.txt; make demo", "a change, and its way to PROD"),
                ("docker ps", "the containers, if you have docker's command line"),
                ("make down", "all of it gone"),
            )
        ),
    ]
    return "\n".join(lines)


def clear() -> int:
    """Remove what the demo left: its ledgers, and its containers on an engine that `make down` does not end."""
    host = lab_state.recall(lab_state.directory()).get("demo_engine")
    for ledger in sorted(PIPELINES.glob("*/.promoter")):
        named = re.search(r"(?m)^name:\s*([a-z0-9-]+)", (ledger.parent / "pipeline.yaml").read_text())
        if named and host and host != url(lab_state.directory()) and engine_silent(host) is None:
            sweep(host, named[1])
        subprocess.run(["rm", "-rf", str(ledger)], check=True)
        report(f"removed what {ledger.parent.relative_to(lab_state.CHECKOUT)} left, its ledger too")
    return 0


def lend_busybox(pipeline: Path) -> None:
    """Copy busybox: images FROM scratch need a program to run. An equal file is not replaced, so that the build stays cached."""
    source = Path(os.environ["PROMOTER_LAB_BUSYBOX"]) / "busybox"
    for dockerfile in pipeline.rglob("Dockerfile*"):
        copy = dockerfile.with_name("busybox")
        if "busybox" in dockerfile.read_text() and not (copy.exists() and copy.read_bytes() == source.read_bytes()):
            copy.write_bytes(source.read_bytes())
            copy.chmod(0o755)


def free_ports() -> dict[str, str]:
    """Return the pipeline's ports, or free ones if these are used; remember them, so that the next demo changes nothing."""
    facts = lab_state.recall(lab_state.directory())
    ours = {port["PublicPort"] for container in _running() for port in container["Ports"] if "PublicPort" in port}
    kept: dict[str, int] = facts.get("ports", PORTS)
    ports = {name: port if port in ours or is_free(port) else some_port() for name, port in kept.items()}
    lab_state.remember(lab_state.directory(), {**facts, "ports": ports, "demo_engine": os.environ["PROMOTER_LAB_ENGINE"]})
    return {name: str(port) for name, port in ports.items() if name not in os.environ}


def _running() -> list[Any]:
    return sorted(labelled(os.environ["PROMOTER_LAB_ENGINE"], "containers", "hello"), key=_name)


def _name(container: Any) -> str:
    return str(container["Names"][0]).lstrip("/")


def _urls(container: Any) -> list[str]:
    return [f"http://{port['IP']}:{port['PublicPort']}/" for port in container["Ports"] if "PublicPort" in port]


def _editor() -> str:
    return Path(os.environ.get("EDITOR", "vi").split()[0]).name


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _bold(text: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\033[1m{text}\033[0m"


if __name__ == "__main__":
    try:
        sys.exit(clear() if sys.argv[1:] == ["clear"] else main())
    except LabError as error:
        report(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
