"""Evaluators: what they enter, how well they fit an application, and who may not be seated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from grants.cities.rules import country_code
from grants.core import clock
from grants.core.errors import Invalid, Refused, quoted
from grants.dossiers.rules import Definition, DossierContent, QuestionKind
from grants.evaluation.rules.conflicts import Consortium, Said, stands_clear
from grants.evaluation.rules.employers import Employer, employer_words
from grants.evaluation.rules.values import EvaluatorInput
from grants.evaluation.states import CountryRule, Gender

POOL_LOAD_MAX = 500
TOWN_CHARACTERS_MAX = 100
# How well a topic is known: existing entries without a level know it best, as they counted before there were levels.
TOPIC_LEVELS = {1: "some", 2: "good", 3: "expert"}
LEVEL_OF_ENTRY = 3
# Every language that has a code of two letters (ISO 639-1).
_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
    et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki
    kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no
    nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te
    tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
LANGUAGE_CODES = frozenset(_CODES.split())
# How well a language is known, with what of the language part it is worth in percent.
LANGUAGE_LEVELS = {"reading": 60, "fluent": 90, "native": 100}
ROLES = ("finance", "technical", "citizen")


@dataclass(frozen=True, slots=True)
class PoolMember:
    """An evaluator of a call as pages show them."""

    id: UUID
    user_id: UUID
    name: str
    handle: str
    organisation: str
    organisation_id: UUID | None
    country_code: str
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    load_min: int
    load_max: int
    version: int
    load: int = 0
    submitted: int = 0
    # Seats this person may have beyond ``load``, on what is shut to whom this is shown: as many of everybody with room for them.
    unseen: int = 0
    undeclared: int = 0
    roles: tuple[str, ...] = ()
    # How well each language is known (native, fluent, reading) and each topic, 1 to 3; wishes by application, -2 to 2;
    # organisations assessed in the same programme's calls of the year before.
    levels: Mapping[str, str] = field(default_factory=dict)
    topic_levels: Mapping[str, int] = field(default_factory=dict)
    bids: Mapping[UUID, int] = field(default_factory=dict)
    met_last_year: frozenset[UUID] = frozenset()
    available_from: date | None = None
    available_until: date | None = None
    employers: tuple[Employer, ...] = ()
    # Of these, those of the register that still count: now or within the last three years when this was read.
    close_ids: frozenset[UUID] = frozenset()
    # Keys of all organisations that count, the own one and those of no register too: one in common is the same organisation.
    belongs: frozenset[str] = frozenset()
    # The version of the words of the call this person accepted, if they stand by it; whether one must be accepted first.
    accepted: int | None = None
    must_accept: bool = False
    # When this person stepped down from the call, and why; none while they are there.
    stepped_down_at: datetime | None = None
    stepped_down_why: str = ""
    load_target: int | None = None
    # What this person said of themselves, where they were asked: for themselves, who decides about the pool, and one rule.
    gender: Gender | None = None
    town: str = ""

    @property
    def carries(self) -> int:
        """How many applications this person has, or may have where some are shut to who looks."""
        return self.load + self.unseen

    @property
    def employer_text(self) -> str:
        """For whom this person works or worked, as it is typed."""
        return employer_words(self.employers)

    @property
    def language_words(self) -> str:
        """The languages with how well each is known."""
        return ", ".join(f"{one} {self.levels[one]}" if one in self.levels else one for one in self.languages)

    @property
    def topic_words(self) -> str:
        """The topics with how well each is known."""
        return ", ".join(f"{one} ({TOPIC_LEVELS[self.level_of(one)]})" for one in self.topics)

    @property
    def available_words(self) -> str:
        """From when and until when this person is there; empty where nothing is said."""
        parts = []
        if self.available_from is not None:
            parts.append(f"from {clock.long_date(self.available_from)}")
        if self.available_until is not None:
            parts.append(f"until {clock.long_date(self.available_until)}")
        return " ".join(parts)

    def level_words_of(self, topic: str) -> str:
        """The same as the form and the file of evaluators say it."""
        return TOPIC_LEVELS[self.level_of(topic)]

    def level_of(self, topic: str) -> int:
        """How well this person knows a topic of theirs, 1 to 3."""
        return self.topic_levels.get(topic, LEVEL_OF_ENTRY)

    def is_there(self, due: date) -> bool:
        """Whether this person is available on the day an assessment is due."""
        after, before = self.available_from, self.available_until
        return (after is None or after <= due) and (before is None or due <= before)


def why_not(
    member: PoolMember, about: Consortium, said: Said, *, countries: CountryRule, due: datetime | None = None,
    today: date | None = None,
) -> str:  # fmt: skip
    """The first rule that keeps an evaluator from an application, as a sentence; empty when none does.

    ``due`` is when the assessment is due, where one is set, and ``today`` the day of the run, where one gives the seats:
    see :func:`why_absent`. While something that was found waits for a decision nobody new is seated; who has a seat reads
    on meanwhile.
    """
    return next(all_why_not(member, about, said, countries=countries, due=due, today=today), "")


def why_absent(member: PoolMember, due: datetime | None, today: date | None) -> str:
    """Why somebody is not there to assess, as a sentence; empty where they are.

    Whoever is not available on the day it is due; whoever is available on no day from today until then; and where no day is
    set, whoever is not available today. By hand (without ``today``) only the day it is due counts.
    """
    there = f"{member.name} is available {member.available_words}"
    if due is None:
        if today is None or member.is_there(today):
            return ""
        return f"{there}, not today, and no day is set by which assessments are due."
    day = clock.in_zone(due).date()
    if not member.is_there(day):
        return f"{there}; the assessment is due on {clock.long_date(day)}."
    if today is not None and member.available_from is not None and today < day <= member.available_from:
        return f"{there}, on no day before the assessment is due on {clock.long_date(day)}."
    return ""


def all_why_not(
    member: PoolMember, about: Consortium, said: Said, *, countries: CountryRule, due: datetime | None = None,
    today: date | None = None,
) -> Iterator[str]:  # fmt: skip
    """Every rule that keeps an evaluator from an application, each as a sentence, the gravest first."""
    if said.is_conflict:
        yield f"{member.name} has a conflict of interest with it."
    if member.user_id in about.user_ids:
        yield f"{member.name} takes part in it."
    if member.organisation_id is not None and member.organisation_id in about.organisation_ids:
        yield f"{member.name} belongs to an organisation of the consortium."
    elif member.close_ids & about.organisation_ids:
        yield f"{member.name} belongs to an organisation of the consortium, or did within the last three years."
    if member.stepped_down_at is not None:
        yield f"{member.name} stepped down from this call."
    if member.must_accept:
        yield f"{member.name} has not accepted the contract and the confidentiality of this call."
    if not said.is_conflict:
        if said.declared is None:
            yield f"{member.name} has not declared yet whether there is a conflict."
        elif not stands_clear(said.declared, said.ruling):
            yield f"{member.name} is not sure about a conflict; the programme has not ruled yet."
        if said.waits:
            yield (
                f"Something was found that may be a conflict of {member.name} with it; nobody has decided about it yet. "
                "It waits on the page “Conflicts found”."
            )
    if countries is CountryRule.KEPT_AWAY and member.country_code in about.country_codes:
        yield f"{member.name} comes from a country of the consortium ({member.country_code})."
    if absent := why_absent(member, due, today):
        yield absent


def why_shut(member: PoolMember) -> str:
    """Why an application does not open for somebody whom no rule of :func:`why_not` keeps from it, as a sentence."""
    return (
        f"It does not open for {member.name}: they have not said of each organisation in it that there is no conflict, "
        "or belong to one of them."
    )


def topics_of(content: DossierContent) -> frozenset[str]:
    """The topics an application picked: every choice of its questions with several choices."""
    kinds = topic_questions(content.definition)
    return frozenset(value for answer in content.answers if answer.question in kinds for value in answer.picked)


def spelled(value: Any) -> bytes:
    """Plain data in one spelling: JSON in UTF-8 with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def digest(value: Any) -> bytes:
    """SHA-256 of plain data in one spelling: the hash of an input that can be recomputed."""
    return hashlib.sha256(spelled(value)).digest()


def load_words(number: int) -> str:
    """What is wrong with a largest number of applications outside the limit."""
    return f"The largest number of applications lies between 1 and {POOL_LOAD_MAX}; this is {number}."


def checked_town(text: str, wrong: dict[str, str]) -> str:
    """The town in one spelling; what is wrong goes to ``wrong``."""
    town = " ".join(text.split())
    if len(town) > TOWN_CHARACTERS_MAX:
        wrong["town"] = (
            f"The name of a town has at most {TOWN_CHARACTERS_MAX} characters; this has {len(town)}. Write its name alone."
        )
    elif town and not any(letter.isalpha() for letter in town):
        wrong["town"] = f"{quoted(town)} is no name of a town. Write its name, or leave the field empty."
    return town


def target_words(values: EvaluatorInput) -> str:
    """What is wrong with a target outside the least and the largest number."""
    return (
        f"The number of applications aimed at lies between the least and the largest, {values.load_min} and "
        f"{values.load_max}; this is {values.load_target}. Enter a number between them, or none."
    )


def checked_member(values: EvaluatorInput) -> EvaluatorInput:
    """The pool entry in one spelling; raises :class:`Invalid`."""
    wrong: dict[str, str] = {}
    country = ""
    try:
        country = country_code(values.country_code)
    except Invalid as error:
        wrong["country_code"] = str(error)
    if not 0 <= values.load_min <= values.load_max:
        wrong["load_min"] = "The least number of applications lies between 0 and the largest number."
    if not 1 <= values.load_max <= POOL_LOAD_MAX:
        wrong["load_max"] = load_words(values.load_max)
    if values.load_target is not None and not values.load_min <= values.load_target <= values.load_max:
        wrong["load_target"] = target_words(values)
    town = checked_town(values.town, wrong)
    languages, language_levels = checked_languages(values, wrong)
    after, before = values.available
    if after is not None and before is not None and after > before:
        wrong["available_until"] = (
            f"The last day lies before the first, {clock.long_date(after)}. Enter that day or a later one."
        )
    topics = tuple(dict.fromkeys(word.strip() for word in values.topics if word.strip()))
    said = dict(values.topic_levels)
    if any(level not in TOPIC_LEVELS for level in said.values()):
        wrong["topics"] = "Choose how well each topic is known: 1, 2 or 3."
    roles = tuple(dict.fromkeys(word.strip() for word in values.roles if word.strip()))
    if any(len(word) > 60 for word in roles):
        wrong["roles"] = "A role has at most 60 characters. Write the shorter word that the call uses."
    if wrong:
        raise Invalid("The evaluator was not added.", wrong)
    return replace(
        values, country_code=country, languages=languages, topics=topics, roles=roles, language_levels=language_levels,
        topic_levels=tuple((topic, said.get(topic, LEVEL_OF_ENTRY)) for topic in topics), town=town,
    )  # fmt: skip


def checked_languages(
    values: EvaluatorInput, wrong: dict[str, str]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The languages in one spelling and how well each is known; what is wrong goes to ``wrong``.

    “fr reading” is a language with its level; without one it is fluent.
    """
    said, found = dict(values.language_levels), {}
    for written in values.languages:
        language, _, level = " ".join(written.split()).lower().partition(" ")
        if language:
            found[language] = level or said.get(language, "fluent")
    if any(len(word) != 2 or not word.isascii() or not word.isalpha() for word in found):
        wrong["languages"] = "Write languages as two letters each, for example en native, fr reading."
    elif (stranger := next((word for word in found if word not in LANGUAGE_CODES), None)) is not None:
        wrong["languages"] = (
            f"{quoted(stranger)} is no code of a language. Write its two letters, for example en native."
        )
    unknown = next((level for level in found.values() if level not in LANGUAGE_LEVELS), None)
    if unknown is not None:
        wrong["languages"] = (
            f"“{unknown}” is no level of a language. After the two letters write reading, fluent or native, "
            "for example en native, fr reading."
        )
    return tuple(found), tuple(found.items())


# Who has a seat there is told to nobody it is shut to: it is counted as if each of the pool had one.
COUNTS_AS_A_SEAT = (
    "what is closed to you counts as a seat of every evaluator. Somebody who sees the whole call can decide."
)


def refuse_load(member: PoolMember, more: int = 0) -> None:
    """Raise :class:`Refused` when an evaluator already has as many applications as they may take; not how many they have.

    ``more`` are the seats given less those taken since the member was read.
    """
    if member.carries + more >= member.load_max:
        raise Refused(f"{full_words(member)} Raise the largest number, or choose somebody else.")


def full_words(member: PoolMember) -> str:
    """Why somebody takes no more. Where something is shut to who reads it, the same of everybody it could be true of."""
    if member.unseen:
        return f"{member.name} takes no more than {member.load_max} and may have as many: {COUNTS_AS_A_SEAT}"
    return f"{member.name} takes no more than {member.load_max} and has as many."


def lowers_too_far(member: PoolMember, load_max: int) -> str:
    """What is wrong with a new largest number, empty where nothing is; without how many applications the person has."""
    if load_max >= min(member.carries, member.load_max):
        return ""
    if member.unseen:
        return f"{member.name} may have more applications than that already: {COUNTS_AS_A_SEAT}"
    return f"{member.name} has more applications than that already."


def topic_questions(definition: Definition) -> tuple[str, ...]:
    """The questions whose choices are topics: those of which several may be picked."""
    return tuple(
        question.key
        for section in definition.sections
        for question in section.questions
        if question.kind is QuestionKind.MULTICHOICE
    )


def topic_choices(definition: Definition) -> tuple[tuple[str, str], ...]:
    """Value and label of every topic an application can pick: what evaluators are asked to know."""
    return tuple(
        (choice.value, choice.label)
        for section in definition.sections
        for question in section.questions
        if question.kind is QuestionKind.MULTICHOICE
        for choice in question.choices
    )
