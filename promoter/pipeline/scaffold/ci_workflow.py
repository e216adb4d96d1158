"""The workflow that `promoter init --ci` writes: a run for each push, and jobs that resume a waiting run. Pure.

Each step is one command; `promoter ci` decides what an event asks for. The workflow installs what the variable
PROMOTER_INSTALL names, and fails with a message if it is not set: a bare name on a package index may belong to someone else.
It uses no action of an unknown repository.
"""

import json
import shlex
from collections.abc import Mapping

from promoter.model.dataclass import dataclass

PLATFORMS = ("github", "gitlab")
WORKFLOW_FILES: Mapping[str, str] = {"github": ".github/workflows/promote.yml", "gitlab": ".gitlab-ci.yml"}
"""Path from the root of the checkout."""
PINNED: Mapping[str, str] = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "setup_python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
}
"""Actions by full commit, because a tag can be moved."""
PYTHON = "3.13"


@dataclass(frozen=True)
class Job:
    """The inputs. `file` is the pipeline file, from the root of the checkout. `host` is the registry's, if anything is pushed.

    `last` is the last environment. `ledger` is the ledger for all machines, or None if the pipeline file names one.
    """

    platform: str
    file: str
    pipeline: str
    branch: str
    last: str
    host: str | None
    ledger: str | None
    own_registry: bool = False
    """Whether the platform's own token gives access to the registry."""

    @property
    def own_directory(self) -> str:
        """Return the directory of promoter's own files, beside the pipeline file."""
        return "/".join([*self.file.split("/")[:-1], ".promoter"])


def workflow_text(job: Job) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    texts = Environment(  # noqa: S701 -- YAML, in which every value is quoted as JSON
        loader=PackageLoader("promoter.pipeline.scaffold"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        variable_start_string="[[",
        variable_end_string="]]",
    )
    texts.filters["quoted"] = lambda value: json.dumps(value, ensure_ascii=False)
    texts.filters["shell"] = shlex.quote
    template = texts.get_template(f"{job.platform}.yml.j2")
    return template.render(job=job, python=PYTHON, pinned=PINNED)
