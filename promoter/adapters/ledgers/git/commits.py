"""Commits, made without a work tree or an index: under the user's name, and signed where git is told so."""

from datetime import datetime
from functools import cached_property

from promoter.adapters.ledgers.git.errors import explain, short
from promoter.adapters.ledgers.git.remote import Wire
from promoter.model.errors import LedgerError

_NAMELESS = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "promoter"), ("EMAIL", "promoter@localhost"))
}
"""Who commits where git does not know anybody, as in CI."""


class Scribe:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def commit(self, tree: str, parent: str | None, message: str, at: datetime) -> str:
        """The new commit, in no ref yet. Raises LedgerError, also when it cannot be signed."""
        return self._made(tree, *(("-p", parent) if parent else ()), *(("-S",) if self._signs else ()), message=message, at=at)

    def note(self, message: str, at: datetime) -> str:
        """A commit of nothing but its message, never signed."""
        return self._made(self._wire.asked("mktree", given=b""), message=message, at=at)

    def _made(self, tree: str, *options: str, message: str, at: datetime) -> str:
        date = f"@{int(at.timestamp())} +0000"
        more = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, **self._name}
        command = ("-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, *options)
        answer = self._wire.git(*command, given=f"{message}\n".encode(), more=more)
        if answer.code == 0:
            return answer.text
        if "-S" not in options:
            raise explain(self._wire.name, answer.error)
        raise LedgerError(
            f"the ledger {self._wire.name} needs a signed commit, and signing failed: {short(answer.error)}",
            hint="git is told to sign (commit.gpgSign): make the key usable without a question, or set that to false here",
        )

    @cached_property
    def _name(self) -> dict[str, str]:
        known = all(self._wire.git("var", f"GIT_{role}_IDENT").code == 0 for role in ("AUTHOR", "COMMITTER"))
        return {} if known else _NAMELESS

    @cached_property
    def _signs(self) -> bool:
        return self._wire.git("config", "--type=bool", "commit.gpgSign").line == "true"
