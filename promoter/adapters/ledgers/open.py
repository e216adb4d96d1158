"""Open a ledger by its URL. No other file knows the schemes.

A store of another project is found by its scheme among the entry points of installed packages (group
`promoter.ledgers`): a callable that takes the URL, the pipeline's directory and its name, and returns a
`LedgerStore`.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.config.regular_file import home_of
from promoter.ledger.store import LedgerStore
from promoter.model.errors import CallerError

GROUP = "promoter.ledgers"
DEFAULT = "sqlite:.promoter/ledger.db"
_HINT = (
    "write sqlite:PATH (relative to the pipeline file), postgresql://HOST/DATABASE, git:BRANCH or git:BRANCH@WHERE; "
    "the default is sqlite:.promoter/ledger.db"
)

Opener = Callable[[str, Path, str], LedgerStore]


def open_ledger(url: str | None, directory: Path, pipeline: str, token: str | None = None) -> LedgerStore:
    """Open the ledger of `pipeline` at `url`, relative to `directory`; None is the default. Creates nothing yet.

    `token` is the setting `ledger_token`; only a ledger in Git uses it.
    """
    url = DEFAULT if url is None else url
    scheme, colon, rest = url.partition(":")
    opener = _HOMES.get(scheme) or _outside(scheme)
    if not colon or opener is None or not rest.strip("/"):
        raise CallerError(f"the ledger {_without_password(url)!r} is not supported", hint=_HINT)
    return _git(url, directory, pipeline, token) if opener is _git else opener(url, directory, pipeline)


def _sqlite(url: str, directory: Path, pipeline: str) -> LedgerStore:
    del pipeline  # a SQLite file has only one pipeline
    return SqliteLedger(directory / home_of(url.partition(":")[2]))


def _postgres(url: str, directory: Path, pipeline: str) -> LedgerStore:
    from promoter.adapters.ledgers.postgres.store import PostgresLedger

    del directory
    return PostgresLedger(url, pipeline)


def _git(url: str, directory: Path, pipeline: str, token: str | None = None) -> LedgerStore:
    from promoter.adapters.ledgers.git.store import GitLedger

    return GitLedger(url, directory, pipeline, token=token)


_HOMES: Mapping[str, Opener] = {"sqlite": _sqlite, "git": _git, "postgresql": _postgres, "postgres": _postgres}


def _outside(scheme: str) -> Opener | None:
    found = next(iter(entry_points(group=GROUP, name=scheme)), None)
    if found is None:
        return None
    try:
        opener: Opener = found.load()
    except Exception as error:  # a foreign module can raise anything when it is imported
        raise CallerError(
            f"the ledger store for {scheme}:… cannot be loaded ({found.value}): {error}",
            hint="install its package again, or use another ledger",
        ) from error
    return opener


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    scheme, slashes, _ = head.partition("//")
    return f"{scheme}{slashes}…@{tail}" if at and slashes else url
