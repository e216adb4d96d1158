"""A job as GitHub's runner executes it: steps in order, each in a separate shell with files for its results.

`uses: $/.`, and what the examples call OWNER/promoter, is this repository's action, step by step. The test supplies the
behaviour of other actions in `others`.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.ci.expressions import as_text, fill, holds
from tests.conftest import ROOT
from tests.runner import Runner, assignments

SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
Process = subprocess.Popen[str]
Other = Callable[["Job", Mapping[str, str]], Mapping[str, str]]
"""An action of another project: its inputs, and its outputs."""


@dataclass
class Step:
    """The result of one step."""

    name: str
    outcome: str = "skipped"
    outputs: Mapping[str, str] = field(default_factory=dict)
    code: int | None = None
    log: str = ""
    summary: str = ""


@dataclass
class Job:
    """The work of one machine. `env` is the environment of the job's steps; they get nothing else from this process."""

    workspace: Path
    temp: Path
    env: dict[str, str]
    others: Mapping[str, Other] = field(default_factory=dict)
    contexts: dict[str, Any] = field(default_factory=dict)
    runner: Runner = field(default_factory=Runner)
    ran: list[Step] = field(default_factory=list)
    before: tuple[str, ...] = ()
    """The command that starts each shell: `unshare --net` removes the network."""
    files: int = 0

    @property
    def log(self) -> str:
        return "\n".join(f"--- {step.name}: {step.outcome} ({step.code})\n{step.log}" for step in self.ran)

    def action(self, folder: Path, given: Mapping[str, str]) -> Step:
        """Run `uses: folder` with these inputs."""
        definition = yaml.safe_load((folder / "action.yml").read_text())
        assert given.keys() <= definition["inputs"].keys(), "GitHub only warns of an unknown input"
        inputs = {name: given.get(name, str(spec.get("default", ""))) for name, spec in definition["inputs"].items()}
        contexts = self.contexts | {"inputs": inputs}
        whole = self.steps(definition["runs"]["steps"], contexts, {"GITHUB_ACTION_PATH": str(folder)})
        scope = contexts | {"steps": whole.steps}
        outputs = {name: fill(spec["value"], scope) for name, spec in definition["outputs"].items()}
        return Step(
            definition["name"],
            whole.outcome,
            outputs,
            whole.code,
            "".join(step.log for step in whole.ran),
            "".join(step.summary for step in whole.ran),
        )

    def workflow(self, file: Path, name: str, contexts: Mapping[str, Any]) -> "Whole":
        """Run one job of a workflow. Its outputs are those of the result."""
        spec = yaml.safe_load(file.read_text())["jobs"][name]
        whole = self.steps(spec["steps"], {**self.contexts, **contexts})
        scope = {**contexts, "steps": whole.steps}
        whole.outputs = {key: fill(value, scope) for key, value in spec.get("outputs", {}).items()}
        return whole

    def steps(self, steps: list[dict[str, Any]], contexts: Mapping[str, Any], env: Mapping[str, str] | None = None) -> "Whole":
        """Run steps in order. After a failure, run only those whose condition allows it."""
        whole = Whole()
        for number, spec in enumerate(steps):
            scope = {**contexts, "steps": whole.steps, "success": whole.outcome == "success", "env": dict(env or {})}
            name = spec.get("name") or spec.get("uses") or f"step {number}"
            step = Step(name)
            if holds(as_text(spec.get("if", "success()")), scope):
                step = self._step(name, spec, scope, env or {})
            whole.add(step, spec.get("id"))
            self.ran.append(step)
        return whole

    def _step(self, name: str, spec: Mapping[str, Any], scope: Mapping[str, Any], env: Mapping[str, str]) -> Step:
        given = {key: fill(as_text(value), scope) for key, value in spec.get("with", {}).items()}
        if "uses" not in spec:
            own = {key: fill(as_text(value), scope) for key, value in spec.get("env", {}).items()}
            return self.run(name, spec["run"], {**env, **own})
        if spec["uses"] == "$/." or spec["uses"].startswith("OWNER/promoter@"):
            return self.action(ROOT, {key: value for key, value in given.items() if value})
        outputs = self.others[spec["uses"].partition("@")[0]](self, given)
        return Step(name, "success", outputs)

    def run(self, name: str, script: str, env: Mapping[str, str], meanwhile: Callable[[Process], None] = lambda _: None) -> Step:
        """Run one `run:` step. `meanwhile` gets its process."""
        assert "${{" not in script, "a value would reach the shell as its words"
        files = self._files()
        process = self._start(script, {**env, **{variable: str(file) for variable, file in files.items()}})
        meanwhile(process)
        streams = process.communicate(timeout=300)
        self.runner.feed(*streams)
        log = "".join(streams)
        assert not files["GITHUB_PATH"].read_text(), "later steps are the caller's own"
        variables = assignments(files["GITHUB_ENV"])
        assert not (variables and "GITHUB_ACTION_PATH" in env), "later steps are the caller's own"
        self.env.update(variables)
        outcome = "success" if process.returncode == 0 else "failure"
        return Step(
            name, outcome, assignments(files["GITHUB_OUTPUT"]), process.returncode, log, files["GITHUB_STEP_SUMMARY"].read_text()
        )

    def _start(self, script: str, env: Mapping[str, str]) -> Process:
        self.files += 1
        file = self.temp / f"script-{self.files}.sh"
        file.write_text(script)
        return subprocess.Popen(
            [*self.before, *SHELL, str(file)],
            cwd=self.workspace,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 -- one thread, and no other way
        )

    def _files(self) -> dict[str, Path]:
        self.files += 1
        made = {}
        for variable in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
            made[variable] = self.temp / f"{variable.lower()}-{self.files}"
            made[variable].touch()
        return made


@dataclass
class Whole:
    """The result of a list of steps."""

    outcome: str = "success"
    code: int | None = 0
    steps: dict[str, Any] = field(default_factory=dict)
    ran: list[Step] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    def add(self, step: Step, name: str | None) -> None:
        self.ran.append(step)
        if name:
            self.steps[name] = {"outputs": dict(step.outputs), "outcome": step.outcome, "conclusion": step.outcome}
        if step.outcome == "failure":
            self.outcome, self.code = "failure", step.code


def machine(root: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a job on a runner: `root` has its home, its temporary directory and its tools."""
    for name in ("home", "temp", "tools"):
        (root / name).mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return {
        **kept,
        "HOME": str(root / "home"),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": "dev@example.com",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_RUN_ID": "7",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": "X64",
        "RUNNER_TEMP": str(root / "temp"),
        "RUNNER_TOOL_CACHE": str(root / "tools"),
        **env,
    }
