"""The output of a program as lines without secrets, while the program writes."""

from collections.abc import Callable

from promoter.model.redaction import Redact

LONGEST = 256 * 1024
"""Characters after which an unfinished line is passed on in parts."""
OVERLAP = 64 * 1024
"""Characters that are kept back then: a secret that has only begun to arrive must not be passed on."""
WriteLine = Callable[[str, str], None]
"""(`stdout` or `stderr`, one line without its end)"""


class RedactedLines:
    """Takes text in parts that may be cut anywhere, and passes on whole lines, for each stream by itself."""

    def __init__(self, redact: Redact, write: WriteLine) -> None:
        self._redact, self._write = redact, write
        self._unfinished = dict[str, str]()

    def take(self, stream: str, text: str) -> None:
        whole, newline, rest = (self._unfinished.get(stream, "") + text).rpartition("\n")
        if newline:
            self._pass_on(stream, self._redact(whole))
        if len(rest) > LONGEST:
            known = self._redact(rest)
            self._pass_on(stream, known[:-OVERLAP])
            rest = known[-OVERLAP:]
        self._unfinished[stream] = rest

    def end(self) -> None:
        """Pass on lines that have no end."""
        for stream, rest in self._unfinished.items():
            if rest:
                self._pass_on(stream, self._redact(rest))
        self._unfinished.clear()

    def _pass_on(self, stream: str, text: str) -> None:
        for line in text.split("\n"):
            self._write(stream, line)
