"""The ORCID iD of a person: 16 digits in four groups, the last a check digit (ISO 7064, MOD 11-2)."""

from __future__ import annotations

from grants.core.errors import Invalid

_DIGITS = 16


def checked_orcid(text: str | None) -> str | None:
    """The iD in one spelling, None where none is given; raises :class:`Invalid`.

    >>> checked_orcid("https://orcid.org/0000-0002-1825-0097"), checked_orcid(" ")
    ('0000-0002-1825-0097', None)
    """
    given = (text or "").strip().rstrip("/").rpartition("/")[2]
    if not given:
        return None
    plain = given.replace("-", "").replace(" ", "").upper()
    digits = plain.isascii() and len(plain) == _DIGITS and plain[:-1].isdecimal()
    if not digits or plain[-1] != _check_digit(plain[:-1]):
        sentence = "This is no ORCID iD. Write its 16 digits, for example 0000-0002-1825-0097, or leave it empty."
        raise Invalid("Your profile was not saved.", {"orcid": sentence})
    return "-".join(plain[start : start + 4] for start in range(0, _DIGITS, 4))


def _check_digit(digits: str) -> str:
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)
