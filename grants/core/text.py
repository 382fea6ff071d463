"""Text folded to plain letters, so that a search for \u201clodz\u201d finds \u201cŁódź\u201d. Pure."""

from __future__ import annotations

import unicodedata

# Letters that carry no separable accent.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})


def fold(text: str) -> str:
    """Lower case, without accents, spaces single.

    >>> fold("  Łódź  Kővárhely ")
    'lodz kovarhely'
    """
    parted = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return " ".join("".join(letter for letter in parted if not unicodedata.combining(letter)).split())
