"""Passwords: which are too easy to guess, and how long one waits after wrong ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

PASSWORD_CHARACTERS_MIN = 12

PASSWORD_CHARACTERS_MAX = 128

# A counter of tries begins again after so long without one.
TRIES_FORGOTTEN_AFTER = timedelta(hours=1)

WAIT_FIRST = timedelta(seconds=30)

WAIT_MAX = timedelta(minutes=15)


# Our own short list of words people reach for first; digits, signs and swapped letters around them do not help.
_OBVIOUS_WORDS = """
password passwort passphrase passw0rd motdepasse contrasena contraseña wachtwoord parola haslo heslo salasana
letmein letmeinplease welcome welcomeback willkommen bienvenue changeme changemeplease changemenow secret
topsecret administrator admin adminadmin superuser default guest login master iloveyou iloveyousomuch qwerty
qwertyuiop qwertz azerty azertyuiop asdfghjkl zxcvbnm yxcvbnm trustno correcthorsebatterystaple football
liverpool barcelona superman batman starwars sunshine princess dragon monkey shadow whatever cityofficer
cityhall climate climatecity climateneutral europe europeanunion european commission brussels horizon
horizoneurope pilotgrants pilotgrant grants grantsgrants mission missioncity missioncities
"""

_OBVIOUS = frozenset(_OBVIOUS_WORDS.split())

_SWAPPED = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})

_ROWS = (
    "1234567890",
    "0987654321",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "abcdefghijklmnopqrstuvwxyz",
)


def password_problem(password: str, *, about: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, as a sentence, or None. Length counts, composition does not.

    ``about`` are words of the person (name, address) that a guesser would try first.
    """
    count = len(password)
    if count < PASSWORD_CHARACTERS_MIN:
        return f"Use at least {PASSWORD_CHARACTERS_MIN} characters; this has {count}. A few words in a row are easy to keep in mind."
    if count > PASSWORD_CHARACTERS_MAX:
        return f"Use at most {PASSWORD_CHARACTERS_MAX} characters; this has {count}."
    if _is_repetition(password.lower()) or _is_obvious(password.lower(), _words_about(about)):
        return "This password is easy to guess. Choose other words, or let your password manager make one."
    return None


def _words_about(about: Iterable[str]) -> frozenset[str]:
    words = {word for text in about for word in re.split(r"[^\w]+", text.lower())}
    words |= {re.sub(r"[^\w]", "", text.lower()) for text in about}
    return frozenset(word for word in words if len(word) >= 4)


def _is_repetition(text: str) -> bool:
    """Whether a short piece is repeated, or the whole is a run along the keyboard or the alphabet."""
    if len(set(text)) < 5:
        return True
    if any(text == (text[:size] * len(text))[: len(text)] for size in range(1, 7)):
        return True
    return any(text[: len(row)] in row * 2 and text in (row * (len(text) // len(row) + 2)) for row in _ROWS)


def _is_obvious(text: str, about: frozenset[str]) -> bool:
    """Whether only digits, signs and obvious words remain: take out the longest words first and see what is left."""
    for spelling in (text, text.translate(_SWAPPED)):
        rest = spelling
        for word in sorted(_OBVIOUS | about, key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(re.sub(r"[^a-z]", "", rest)) <= 3 and rest != spelling:
            return True
    return False


class Counter(StrEnum):
    """What tries are counted for."""

    ACCOUNT = "account"
    ADDRESS = "address"


# An office shares one address, so an address is given more tries than an account.
_FREE_TRIES = {Counter.ACCOUNT: 5, Counter.ADDRESS: 30}


def wait_after(failures: int, counter: Counter) -> timedelta:
    """How long to wait after so many failed tries: nothing, then 30 seconds doubling up to 15 minutes.

    >>> [wait_after(tries, Counter.ACCOUNT).seconds for tries in (4, 5, 6, 7, 20)]
    [0, 30, 60, 120, 900]
    """
    beyond = failures - _FREE_TRIES[counter]
    if beyond < 0:
        return timedelta(0)
    return min(WAIT_MAX, WAIT_FIRST * 2 ** min(beyond, 10))


def counter_key(counter: Counter, value: str) -> str:
    """The name a counter is kept under: a hash, so that the table is no list of people or addresses."""
    return f"{counter}:{hashlib.sha256(value.encode()).hexdigest()}"
