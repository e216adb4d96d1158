"""Names of people that look alike: one person must not count as two, nor one be taken for another.

A name is refused when it holds what nobody sees or letters of two alphabets in one word; two names are alike when one
could be read as the other.
"""

import re
import unicodedata

from promoter.model.visible_text import visible

_LOOK_ALIKE = str.maketrans(
    "авекмнорстухіјѕһԁԛԝӏ" "αβεικνορτυχγωη" "ɑɡıɩʟօսհոցքֆ",
    "abekmhopctyxijshdqwl" "abeikvoptuxywn" "agiilouhngqf",
)  # fmt: skip
"""Small letters of other alphabets that are read as Latin ones; large ones are made small first."""
_MIXED = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")
"""Alphabets with letters that look like Latin ones."""
_WORDS = re.compile(r"[^\W\d_]+")


def skeleton(name: str) -> str:
    """The same for two names that look the same."""
    if name.isascii():
        return name.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in folded.translate(_LOOK_ALIKE) if not _is_hidden(c))


def fault_in(name: str) -> str | None:
    """Why nobody can be called so, as the end of a sentence; None for a good name."""
    if name.isascii() and name.isprintable():
        return None
    hidden = next((c for c in name if _is_hidden(c) or not c.isprintable()), None)
    if hidden is not None:
        return f"it holds a character that nobody sees (U+{ord(hidden):04X})"
    for word in _WORDS.findall(unicodedata.normalize("NFKC", name)):
        found = {unicodedata.name(letter, "?").split()[0] for letter in word}
        other = next((script for script in _MIXED if script in found), None)
        if other is not None and len(found & {"LATIN", *_MIXED}) > 1:
            return f"{word} mixes letters of two alphabets, of which some look the same ({other.capitalize()})"
    return None


def spelled(name: str) -> str:
    """For people: with the characters that differ made plain."""
    if name.isascii():
        return name
    odd = ", ".join(f"U+{ord(c):04X}" for c in name if not c.isascii())
    return f"{visible(name)} ({odd})"


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cc", "Zl", "Zp", "Cs", "Co", "Cn") or visible(character) != character \
        or 0xFE00 <= ord(character) <= 0xFE0F  # fmt: skip
