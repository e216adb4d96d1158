"""Commits, made without a work tree or an index: with the user's name, and signed if git is configured so."""

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
"""The committer if git has no name, as in CI."""


class Scribe:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def commit(self, tree: str, parent: str | None, message: str, at: datetime) -> str:
        """Make a commit, without a ref. Raise LedgerError, also when it cannot be signed."""
        return self._made(tree, *(("-p", parent) if parent else ()), *(("-S",) if self._signs else ()), message=message, at=at)

    def note(self, message: str, at: datetime) -> str:
        """Make an unsigned commit that holds only a message."""
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
            hint="git is configured to sign (commit.gpgSign): make the key usable without a prompt, or turn that off here",
        )

    @cached_property
    def _name(self) -> dict[str, str]:
        known = all(self._wire.git("var", f"GIT_{role}_IDENT").code == 0 for role in ("AUTHOR", "COMMITTER"))
        return {} if known else _NAMELESS

    @cached_property
    def _signs(self) -> bool:
        return self._wire.git("config", "--type=bool", "commit.gpgSign").line == "true"
