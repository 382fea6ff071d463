"""The ROR iD of a research organisation: a nought, six letters or digits, and a check number of two (ISO 7064, MOD 97-10)."""

from __future__ import annotations

import re

# Base 32 without letters that look like figures (Crockford).
_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
_FORM = re.compile(rf"0[{_SIGNS}]{{6}}[0-9]{{2}}")


def ror_id(text: str | None) -> str | None:
    """The iD in one spelling; None where nothing is given, or what is given is none.

    >>> ror_id("https://ror.org/052gg0110"), ror_id("052GG0110"), ror_id("052gg0111"), ror_id(" ")
    ('052gg0110', '052gg0110', None, None)
    """
    plain = (text or "").strip().rstrip("/").rpartition("/")[2].lower()
    if not _FORM.fullmatch(plain):
        return None
    number = 0
    for sign in plain[:7]:
        number = number * 32 + _SIGNS.index(sign)
    return plain if int(plain[7:]) == 98 - number * 100 % 97 else None
