"""Plain English, as in the manuals of Git and Docker: words that prose here does not use, and how long a sentence may be.

`found` works on any text, also on a message of the program. `prose` takes from Markdown what is not prose first.
"""

import re
from collections.abc import Iterator

AT_MOST = 25
"""Words of one sentence. A bullet, a heading and a cell of a table are sentences of their own."""
REFUSED = {
    r"stands?|stood": "is, is written, applies",
    r"due": "needed, expected, because of",
    r"whoever": "anyone who, a person who",
    r"nobody": "no one",
    r"somebody": "someone",
    r"told": "reported, shown",
    r"tell(s|ing)? of": "report, describe",
    r"rooms?": "space",
    r"doors?": "name the thing",
    r"shut": "closed",
    r"h[eo]ld(s|ing)? to": "compared with, checked against",
    r"cannot be had": "is not available",
    r"anew": "again",
    r"carr(y|ies|ied|ying) on": "continue",
    r"said": "configured, written, printed",
    r"mend(s|ed|ing)?": "repair, fix",
    r"judg(e|es|ed|ing)": "evaluate",
    r"wherever": "where, on any",
    r"those very": "the same",
    r"in earnest": "really",
    r"behind \S+ \S+ back": "without the ledger",
    r"liv(e|es|ed|ing) in": "run in, is in",
    r"alike": "the same, similar, both",
    r"for ever": "permanently",
}
"""Refused words, as whole words in any case and across line ends, and what to write instead."""
_REFUSED = re.compile(r"\b(?:" + "|".join(REFUSED).replace(" ", r"\s+") + r")\b", re.IGNORECASE)
_FENCE = re.compile(r"^( *)(`{3,})[^\n`]*\n.*?^\1\2$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\](?:\([^)\s]+\))")
_START = re.compile(r"^\s*(?:[-*>]|\d+\.|#{1,6}|\[\^\w+\]:)\s")
_END = re.compile(r"(?<=[.!?])[\"')*_]*\s+|\s·\s")


def found(text: str) -> list[tuple[int, str]]:
    """Return each refused word of a text, with its line."""
    return [(text.count("\n", 0, match.start()) + 1, " ".join(match[0].split())) for match in _REFUSED.finditer(text)]


def prose(markdown: str) -> str:
    """Return Markdown without blocks, comments, code and addresses. Lines keep their numbers; code counts as one word."""
    for pattern in (_COMMENT, _FENCE):
        markdown = pattern.sub(lambda match: "\n" * match[0].count("\n"), markdown)
    markdown = _CODE.sub(lambda match: "CODE" + "\n" * match[0].count("\n"), markdown)
    return _LINK.sub(lambda match: f" · {match[2]} · " if match[1] else match[2], markdown)


def long_sentences(text: str) -> list[tuple[int, str]]:
    """Return each sentence of `prose` with more than `AT_MOST` words, with the line on which its paragraph starts."""
    parts = [(line, part) for line, block in _paragraphs(text) for part in _END.split(block)]
    return [(line, " ".join(part.split())) for line, part in parts if _words(part) > AT_MOST]


def _words(sentence: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in sentence.split())


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield paragraphs, bullets, headings and cells, each with its first line."""
    start, lines = 1, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        row = line.lstrip().startswith("|")
        if row or not line.strip() or _START.match(line):
            yield start, "\n".join(lines)
            start, lines = number, []
        if row:
            yield from ((number, cell) for cell in line.split(" | "))
        elif line.strip():
            lines.append(_START.sub("", line))
    yield start, "\n".join(lines)
