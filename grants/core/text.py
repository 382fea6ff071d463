"""Text made fit for a purpose: folded to plain letters for a search, kept from running in a spreadsheet. Pure."""

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


# What a spreadsheet would run as a formula when it opens a text file (OWASP ASVS 1.2.10), full-width signs too.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    >>> inert("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    """
    return f"'{text}" if text.startswith(_RISKY) else text
