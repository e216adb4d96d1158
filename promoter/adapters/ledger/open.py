"""From what people write for a ledger to the ledger: the one place that knows the spellings."""

from pathlib import Path

from promoter.adapters.ledger.sqlite import SqliteLedger
from promoter.model.errors import CallerError
from promoter.ports import Ledger

_DEFAULT = Path(".promoter") / "ledger.db"
_LATER = ("postgresql:", "postgres:", "git:")
_HINT = "write sqlite:PATH (relative to the pipeline file), or leave it out for sqlite:.promoter/ledger.db"


def open_ledger(url: str | None, directory: Path) -> Ledger:
    """The ledger that `url` names, seen from the pipeline's `directory`; None is the default. Makes nothing yet."""
    if url is None:
        return SqliteLedger(directory / _DEFAULT)
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "sqlite" and rest.strip("/"):
        return SqliteLedger(directory / Path(rest).expanduser())
    if url.startswith(_LATER):
        raise CallerError(
            f"the ledger {_without_password(url)!r}: this version of promoter keeps its ledger in SQLite", hint=_HINT
        )
    raise CallerError(f"the ledger {_without_password(url)!r} is not one that promoter knows", hint=_HINT)


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    scheme, slashes, _ = head.partition("//")
    return f"{scheme}{slashes}…@{tail}" if at and slashes else url
