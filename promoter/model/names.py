"""Names of people that look the same: one person must not count as two, or be confused with another.

A name is refused if it has invisible characters, or letters of two alphabets in one word. Two names look the same if one
can be read as the other.
"""

import unicodedata

from promoter.model.pattern import pattern
from promoter.model.visible_text import visible

_CONFUSABLE = {
    **str.maketrans("авекмнорстухіјѕһԁԛԝӏ", "abekmhopctyxijshdqwl"),
    **str.maketrans("αβεικνορτυχγωη", "abeikvoptuxywn"),
    **str.maketrans("ɑɡıɩʟօսհոցքֆ", "agiilouhngqf"),
}
"""Lower-case letters of other alphabets that look like Latin ones. Capitals are converted first."""
_MIXED = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")
"""Alphabets with letters that look like Latin ones."""
_WORDS = pattern(r"[^\W\d_]+")


def skeleton(name: str) -> str:
    """Return a text that is equal for names that look the same."""
    if name.isascii():
        return name.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in folded.translate(_CONFUSABLE) if not _is_hidden(c))


def fault_in(name: str) -> str | None:
    """Return why a name is invalid, as the end of a sentence; None for a valid name."""
    if name.isascii() and name.isprintable():
        return None
    hidden = next((c for c in name if _is_hidden(c) or not c.isprintable()), None)
    if hidden is not None:
        return f"it has an invisible character (U+{ord(hidden):04X})"
    for word in _WORDS.findall(unicodedata.normalize("NFKC", name)):
        found = {unicodedata.name(letter, "?").split()[0] for letter in word}
        other = next((script for script in _MIXED if script in found), None)
        if other is not None and len(found & {"LATIN", *_MIXED}) > 1:
            return f"{word} mixes letters of two alphabets that look the same ({other.capitalize()})"
    return None


def spelled(name: str) -> str:
    """Show a name with the codes of its non-ASCII characters."""
    if name.isascii():
        return name
    odd = ", ".join(f"U+{ord(c):04X}" for c in name if not c.isascii())
    return f"{visible(name)} ({odd})"


def _is_hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cf", "Cc", "Zl", "Zp", "Cs", "Co", "Cn")
        or visible(character) != character
        or 0xFE00 <= ord(character) <= 0xFE0F
    )
