"""Names, titles, mail addresses and handles: one line each, without letters nobody sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from grants.core.errors import Invalid

# A name, and what a person does.
NAME_CHARACTERS_MAX = 120

NAME_CHARACTERS_SEEN_MAX = 10_000


def normal_email(text: str) -> str:
    """The address in the one spelling that is stored; raises :class:`Invalid`.

    >>> normal_email("  Ana@Example.EU ")
    'ana@example.eu'
    """
    email = text.strip().lower()
    if len(email) > 254 or not re.fullmatch(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*", email):
        raise Invalid(
            "This is not an e-mail address.", {"email": "Enter an e-mail address like name@example.eu, without spaces."}
        )
    return email


def one_line(text: str, *, characters_max: int = 200) -> str:
    """``text`` without line breaks, control characters or characters nobody sees, for names, subjects and logs.

    Invisible ones (zero width, turning the direction of reading) would make one name look like another.

    >>> one_line("Ana\\r\\nBcc: all@example.eu")
    'Ana Bcc: all@example.eu'
    """
    # Far more than is kept, so that a name of a million signs is not looked at sign by sign.
    seen = (letter for letter in text[: 10 * characters_max] if not _unseen(letter))
    clean = "".join(" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in seen)
    return " ".join(clean.split())[:characters_max]


# Letters by their kind, and yet nothing is seen of them: fillers of Hangul, the empty sign of braille.
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"


def _unseen(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" or letter in _BLANK_LETTERS


def checked_name(text: str) -> str:
    """A person's name as it is stored; raises :class:`Invalid` when nothing is left of it."""
    name = one_line(text, characters_max=NAME_CHARACTERS_SEEN_MAX)
    if not name:
        raise Invalid("A name is missing.", {"name": "Enter the person\u2019s full name."})
    return _short_enough(name, "name", "The name")


def checked_job_title(text: str | None) -> str | None:
    """What a person does as it is stored, None where nothing is said; raises :class:`Invalid` when it is too long."""
    return (
        _short_enough(one_line(text or "", characters_max=NAME_CHARACTERS_SEEN_MAX), "job_title", "What they do")
        or None
    )


def _short_enough(text: str, field: str, what: str) -> str:
    if len(text) > NAME_CHARACTERS_MAX:
        over = len(text) - NAME_CHARACTERS_MAX
        sentence = f"{what} has {len(text)} characters; at most {NAME_CHARACTERS_MAX} fit. Cut {over}."
        raise Invalid("Something is too long.", {field: sentence})
    return text


_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i"})


def handle_of(name: str, taken: Collection[str] = ()) -> str:
    """A name for addresses of pages, numbered where others have it.

    >>> handle_of("Michał Łuczak-Ørsted", {"michal-luczak-orsted"})
    'michal-luczak-orsted-2'
    """
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS)).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or "person"
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found
