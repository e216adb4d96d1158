"""Check a settings file that git tracks: anyone who can push the branch can change it, so only harmless settings.

Who acts, which ledger counts, where a token goes: these come from flags, from variables, or from a file that git does not
track.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

COMFORT = frozenset(
    {"wait", "wait_lock", "lease_ttl", "builder", "deployments", "ci", "summary", "annotations", "junit", "dotenv"}
)
"""Settings about durations and output, not about permissions."""
_REPORTS = ("junit", "dotenv")
_OURS = frozenset({".git", ".promoter"})
_GIT_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")


def forbidden(directory: Path, file: str, table: Mapping[str, object]) -> dict[str, str]:
    """Return the settings that `file`, relative to `directory`, must not contain, each with the reason.

    The result is empty if git does not track the file.
    """
    serious = [key for key in table if key not in COMFORT or key in _REPORTS]
    if not serious:
        return {}
    root = _top(directory)
    if root is None or not _tracks(directory, file, root):
        return {}
    found = {key: f"`{key}` cannot be set in a file that git tracks: anyone who pushes a branch could set it" for key in serious}
    for key in _REPORTS:
        value = table.get(key)
        if key in found and isinstance(value, str) and _stays_inside(value, root):
            del found[key]
        elif key in found:
            found[key] = f"`{key}` of a file that git tracks must be a path inside the checkout, got {value!r}"
    return found


def _stays_inside(value: str, root: Path) -> bool:
    end = Path(os.path.realpath(value))
    return end.is_relative_to(root) and (value == "none" or _OURS.isdisjoint(end.relative_to(root).parts[:1]))


def _top(directory: Path) -> Path | None:
    """Return the checkout around the directory, even if git may not read it."""
    current = Path(os.path.realpath(directory))
    return next((parent for parent in (current, *current.parents) if (parent / ".git").exists()), None)


def _tracks(directory: Path, file: str, root: Path) -> bool:
    """Return whether git tracks the file, or a link on its path. If unknown, it counts as tracked."""
    end = Path(os.path.realpath(directory / file))
    first = Path(file).parts[0]
    inside = [str(end.relative_to(root))] if end.is_relative_to(root) else []
    current = Path(os.path.realpath(directory)).relative_to(root)
    return any(name in _listed(root, name) for name in (*inside, str(current / first), str(current / file)))


def _listed(root: Path, name: str) -> tuple[str, ...]:
    command = ["git", "--literal-pathspecs", "ls-files", "-z", "--", name]
    environ = {key: value for key, value in os.environ.items() if key not in _GIT_VARIABLES}
    try:
        done = subprocess.run(command, cwd=root, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return (name,)
    return tuple(os.fsdecode(one) for one in done.stdout.split(b"\0")) if done.returncode == 0 else (name,)
