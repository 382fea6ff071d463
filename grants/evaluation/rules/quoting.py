"""Passages of an application quoted in a comment, and the place each was taken from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

# Shorter ones are figures of speech, and may stand anywhere.
QUOTED_WORDS_MIN = 2
QUOTES_MAX = 20
SHORT_CHARACTERS_MAX = 48
# A passage this long is found on another page by its beginning and its end: it may go over several paragraphs.
WHOLE_WORDS_MAX = 12
ENDS_WORDS = 5
# Within a quotation marks are written otherwise than in the passage itself.
_MARKS = str.maketrans(dict.fromkeys('\u2018\u2019\u201c\u201d"', "'"))
_QUOTED = re.compile("\u201c([^\u201c\u201d]+)\u201d")


@dataclass(frozen=True, slots=True)
class Quote:
    """A passage as it was quoted, and the part of the page in which it stands."""

    words: str
    place: str

    @property
    def short(self) -> str:
        """Its beginning, for a link.

        >>> Quote("Two streets begin; the third watches, and decides after the winter", "").short
        'Two streets begin; the third watches, and…'
        """
        if len(self.words) <= SHORT_CHARACTERS_MAX:
            return self.words
        return f"{self.words[: SHORT_CHARACTERS_MAX - 1].rpartition(' ')[0]}\u2026"

    @property
    def anchor(self) -> str:
        """The part of another page it stands in, and for browsers that mark a text what to mark there.

        >>> Quote("Two streets begin", "answer-plan").anchor
        'answer-plan:~:text=Two%20streets%20begin'
        """
        words = self.words.split()
        parts = [words] if len(words) <= WHOLE_WORDS_MAX else [words[:ENDS_WORDS], words[-ENDS_WORDS:]]
        # A hyphen at an end of it would have a meaning of its own.
        told = (quote(" ".join(part), safe="").replace("-", "%2D") for part in parts)
        return f"{self.place}:~:text={','.join(told)}"


def passages(text: str) -> tuple[str, ...]:
    """What a text quotes, each once, in its order.

    >>> passages("It says “two streets begin” and “no”.")
    ('two streets begin',)
    """
    found = (" ".join(each.split()) for each in _QUOTED.findall(text))
    long = [each for each in found if len(each.split()) >= QUOTED_WORDS_MIN]
    return tuple(dict.fromkeys(long))[:QUOTES_MAX]


def quotes_in(typed: Mapping[str, str], texts: Iterable[tuple[str, str]]) -> dict[str, tuple[Quote, ...]]:
    """By field what its text quotes of these texts, each with the place of the first that holds it; only fields that quote.

    >>> quotes_in({"remark": "“Two  streets begin”"}, [("answer-plan", "First Two streets begin here")])
    {'remark': (Quote(words='Two streets begin', place='answer-plan'),)}
    """
    quoted = {name: passages(text) for name, text in typed.items()}
    if not any(quoted.values()):
        return {}
    plain = [(place, " ".join(text.split()).translate(_MARKS)) for place, text in texts]
    found = {name: _placed(each, plain) for name, each in quoted.items()}
    return {name: each for name, each in found.items() if each}


def _placed(quoted: Sequence[str], plain: Sequence[tuple[str, str]]) -> tuple[Quote, ...]:
    first = ((words, _place(words.translate(_MARKS), plain)) for words in quoted)
    return tuple(Quote(words, place) for words, place in first if place)


def _place(words: str, plain: Sequence[tuple[str, str]]) -> str:
    return next((place for place, text in plain if words in text), "")
