"""Which actions and barriers of its cities' contracts an application serves: what is typed, and what is frozen of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from grants.cities.rules import DOMAIN_WORDS, KIND_WORDS, ActionView
from grants.cities.states import ActionKind, EmissionDomain
from grants.core.errors import Invalid

SENTENCE_CHARACTERS_MAX = 500
OWN_TITLE_CHARACTERS_MAX = 200
# In own words, where a city has no list; more belongs into the list.
OWN_MAX = 5
SERVED_MAX = 30


@dataclass(frozen=True, slots=True)
class ServingInput:
    """One action served: a line of a city's list, or a title in own words, with the sentence that says how.

    ``named``: whether a line of a list is ticked; words beside a line that is not are half of something.
    """

    sentence: str
    action_id: UUID | None = None
    own_title: str = ""
    named: bool = True


@dataclass(frozen=True, slots=True)
class Served:
    """The same as pages show it and a submission freezes it; city, number and kind are of the list it stands in."""

    title: str
    sentence: str
    city: str = ""
    number: str = ""
    kind: ActionKind | None = None
    domain: EmissionDomain | None = None
    action_id: UUID | None = None

    @property
    def name(self) -> str:
        """City, number and title in one line.

        >>> Served("Warm roofs", "We test it.", "Northbridge", "B-2.1").name
        'Northbridge B-2.1, Warm roofs'
        """
        return f"{self.city} {self.number}, {self.title}" if self.number else self.title

    @property
    def about(self) -> str:
        """Its kind and emission domain in words."""
        kind = KIND_WORDS[self.kind] if self.kind else "In own words"
        return f"{kind}, {DOMAIN_WORDS[self.domain].lower()}" if self.domain else kind


def checked_serving(
    given: Sequence[ServingInput], offered: Sequence[ActionView], kept: frozenset[UUID]
) -> tuple[ServingInput, ...]:
    """What is typed, tidy, without empty lines; raises :class:`Invalid` with a sentence for each field.

    Offered are the lines of the lists of the consortium's cities; what was withdrawn only where it was named before.
    """
    known = {each.id: each for each in offered}
    problems: dict[str, str] = {}
    tidy: list[ServingInput] = []
    own = 0
    for each in given:
        title, sentence = " ".join(each.own_title.split()), " ".join(each.sentence.split())
        if each.action_id is None and not title and not sentence:
            continue
        name = f"sentence_{each.action_id}" if each.action_id else f"own_sentence_{own}"
        if each.action_id is None:
            if not title or len(title) > OWN_TITLE_CHARACTERS_MAX:
                problems[f"own_title_{own}"] = (
                    f"Name the action or barrier in at most {OWN_TITLE_CHARACTERS_MAX} characters."
                )
            own += 1
        elif each.action_id not in known:
            raise Invalid("This line is not in the list of your cities any more. Reload the page to see the list.")
        elif known[each.action_id].withdrawn_on and each.action_id not in kept:
            # Only what is ticked or has words comes here: it is named, and what was typed stays on the page.
            problems[f"serves_{each.action_id}"] = (
                f"The city withdrew {known[each.action_id].number} from its list meanwhile. Untick it and empty its "
                "sentence, or name it below in your own words."
            )
            continue
        elif not each.named:
            if sentence:
                problems[f"serves_{each.action_id}"] = "You wrote how it is served: tick it too, or empty the sentence."
            continue
        if not sentence:
            problems[name] = "Say in one sentence how the application serves it."
        elif len(sentence) > SENTENCE_CHARACTERS_MAX:
            problems[name] = f"This has {len(sentence)} characters; the limit is {SENTENCE_CHARACTERS_MAX}. Shorten it."
        tidy.append(ServingInput(sentence, each.action_id, title if each.action_id is None else ""))
    if problems:
        raise Invalid("Nothing is stored yet: something is missing. All that was typed stands below.", problems)
    if len(tidy) > SERVED_MAX:
        raise Invalid(f"{len(tidy)} are named; the limit is {SERVED_MAX}. Name those the work is about.")
    return tuple(tidy)


def frozen_serving(served: Sequence[Served]) -> list[dict[str, Any]]:
    """What a submission freezes: words, never the id of a row that may change."""
    return [
        {
            "city": each.city,
            "number": each.number,
            "title": each.title,
            "kind": each.kind.value if each.kind else None,
            "domain": each.domain.value if each.domain else None,
            "sentence": each.sentence,
        }
        for each in served
    ]


def read_serving(stored: Sequence[Mapping[str, Any]]) -> tuple[Served, ...]:
    """The same read back."""
    return tuple(
        Served(
            title=each["title"],
            sentence=each["sentence"],
            city=each["city"],
            number=each["number"],
            kind=ActionKind(each["kind"]) if each["kind"] else None,
            domain=EmissionDomain(each["domain"]) if each["domain"] else None,
        )
        for each in stored
    )


def serving_mark(served: Sequence[Served]) -> str:
    """What stood when a form was made, so that two people who change it meet.

    >>> serving_mark(()) == serving_mark(()) != serving_mark((Served("A", "B"),))
    True
    """
    text = json.dumps([str([each.action_id, each.title, each.sentence]) for each in served])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
