"""What a search of applications looks through, and what a person's words ask for: folded words, phrases and amounts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from grants.core.text import fold

SEARCH_CHARACTERS_MAX = 200
# More words than this narrow nothing any more.
TERMS_MAX = 12

_WORD = re.compile(r"[^\W_]+")
# The second spelling of letters that many keyboards do not have: München, Muenchen.
_TWO_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Ø": "Oe", "Å": "Aa"}
)
_PHRASE = re.compile('["“„«]([^"“”„«»]*)["”“»]')
_SPACE = " \u00a0\u202f\u2009"
_AMOUNT = re.compile(
    rf"(?<![\w.,/-])(?P<before>eur\b|euros?\b|€)?\s*"
    rf"(?P<number>\d{{1,3}}(?P<parts>(?:[{_SPACE}.,'’]\d{{3}})+)(?:[.,]\d{{1,2}})?|\d+(?:[.,]\d{{1,2}})?)"
    rf"\s*(?P<unit>millions?\b|mio\b\.?|mn\b|m\b|thousand\b|k\b)?\s*(?P<after>eur\b|euros?\b|€)?(?![\w/-]|[.,]\w)",
    re.IGNORECASE,
)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text folded to plain letters, in their order.

    >>> words_of("Łódź: heat-pumps & CO₂")
    ('lodz', 'heat', 'pumps', 'co2')
    """
    return tuple(_WORD.findall(fold(text)))


def spellings(text: str) -> tuple[tuple[str, ...], ...]:
    """The same words in each spelling of their umlauts; one where there are none.

    >>> spellings("München")
    (('munchen',), ('muenchen',))
    """
    return tuple(dict.fromkeys((words_of(text), words_of(text.translate(_TWO_LETTERS)))))


def indexed(names: Iterable[str], text: str = "") -> str:
    """What is kept to be searched: names in each spelling, of a longer text only the words that are spelt differently.

    >>> indexed(["Warm Blocks", "Łódź", "Köln"], "Heat for Köln")
    'warm blocks lodz koln koeln heat for koln koeln'
    """
    found = [word for name in names for spelling in spellings(name) for word in spelling]
    plain, *others = spellings(text)
    differing = dict.fromkeys(word for spelling in others for word in spelling if word not in plain)
    return " ".join([*found, *plain, *differing])


def asked(text: str) -> str | None:
    """What a person typed as a text-search query of PostgreSQL; None where there is no word in it.

    Every word must be there, each may go on; in quotes the words stand one after the other as they are. A number finds
    the amount asked for, however its thousands are written, and the number of a reference without its noughts.

    >>> asked("Lodz heat")
    "'lodz':* & 'heat':*"
    >>> asked("“warm blocks” 2025-017")
    "('warm' <-> 'blocks') & ('2025':* | 'no2025' | 'eur2025') & ('017':* | 'no17')"
    >>> asked("EUR 1,5 million")
    "'eur1500000'"
    >>> asked("%") is None
    True
    """
    terms: list[str] = []
    rest = _PHRASE.sub(lambda found: _kept(terms, _phrases(found[1])), text[:SEARCH_CHARACTERS_MAX])
    rest = _AMOUNT.sub(lambda found: _kept(terms, _amount(found)) if _is_amount(found) else found[0], rest)
    terms += [_either(_begun(word, whole)) for word, whole in _by_spelling(rest)]
    return " & ".join(terms[:TERMS_MAX]) or None


def _kept(terms: list[str], alternatives: Iterable[str]) -> str:
    found = _either(alternatives)
    if found:
        terms.append(found)
    return " "


def _either(alternatives: Iterable[str]) -> str:
    found = tuple(dict.fromkeys(alternatives))
    return f"({' | '.join(found)})" if len(found) > 1 or any("<->" in each for each in found) else "".join(found)


def _phrases(text: str) -> Iterator[str]:
    for spelling in spellings(text):
        if spelling:
            yield " <-> ".join(f"'{word}'" for word in spelling)


def _by_spelling(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each word with its other spellings."""
    for typed in _WORD.findall(text):
        for word in words_of(typed):
            others = tuple(spelling[0] for spelling in spellings(typed) if len(spelling) == 1)
            yield word, others if word in others else (word,)


def _begun(word: str, every: tuple[str, ...]) -> Iterator[str]:
    for each in dict.fromkeys((word, *every)):
        # One letter alone begins too many words.
        yield f"'{each}':*" if len(each) > 1 else f"'{each}'"
    if word.isdecimal():
        yield f"'no{word.lstrip('0')}'"
        if not word.startswith("0"):
            yield f"'eur{word}'"


def _is_amount(found: re.Match[str]) -> bool:
    """Thousands in groups, a unit or the word euro make a number an amount; alone it may be a year or a reference."""
    return any(found[part] for part in ("before", "parts", "unit", "after"))


def _amount(found: re.Match[str]) -> Iterator[str]:
    """The whole euros, and the number as words where a text has it so."""
    number, unit = found["number"], (found["unit"] or "").lower()
    if found["parts"]:
        grouped = re.match(rf"\d+(?:[{_SPACE}.,'’]\d{{3}})+", number)
        assert grouped is not None, "the pattern found its groups"
        value = Decimal(re.sub(r"\D", "", grouped[0]))
    else:
        value = Decimal(number.replace(",", "."))
    times = 1_000_000 if unit.startswith("m") else 1_000 if unit else 1
    yield f"'eur{int(value * times)}'"
    if found["parts"] and not unit:
        yield " <-> ".join(f"'{word}'" for word in words_of(number))
