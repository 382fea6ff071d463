"""Conflicts of interest: what may be one, what a declaration says, what a ruling makes of it, and the pages of both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from grants.core.errors import Conflict, Invalid, quoted
from grants.dossiers.rules import clean_text
from grants.evaluation.rules.entities import EntityRow, clean_entities
from grants.evaluation.rules.values import Answered, AnsweredEntity, answer_mark
from grants.evaluation.states import (
    AssessmentState,
    Declared,
    DetectedKind,
    DetectedState,
    Ruled,
    Ruling,
)


def clean_declaration(answer: Answered) -> Answered:
    """The answer with its reason cleaned; raises :class:`Invalid` when a doubt has no reason."""
    reason = clean_text(answer.reason)
    if answer.declared is not Declared.NONE and not reason:
        asked = "Which conflict?" if answer.declared is Declared.CONFLICT else "What makes you unsure?"
        raise Invalid("A reason is missing.", {f"reason_{answer.application_id}": f"{asked} One sentence is enough."})
    if answer.wish is not None and not -2 <= answer.wish <= 2:
        raise Invalid("A wish is unknown.", {f"wish_{answer.application_id}": "Choose one of the five wishes."})
    return replace(answer, reason=reason if answer.declared is not Declared.NONE else "")


def clean_answers(
    answers: Iterable[Answered], entities: Iterable[AnsweredEntity]
) -> tuple[tuple[Answered, ...], tuple[AnsweredEntity, ...]]:
    """All answers cleaned; raises :class:`Invalid` with every problem of every one at once."""
    cleaned, about = [], tuple(entities)
    problems: dict[str, str] = {}
    for answer in answers:
        try:
            cleaned.append(clean_declaration(answer))
        except Invalid as error:
            problems |= error.problems
    try:
        about = clean_entities(about)
    except Invalid as error:
        problems |= error.problems
    if problems:
        raise Invalid("Some answers are not complete.", problems)
    return tuple(cleaned), about


def application_mark(declared: Declared | None, ruling: Ruling | None, reason: str, wish: int) -> str:
    """The mark of what stands of one application: a wish is shown beside “None” alone, while that stands."""
    shows = declared is Declared.NONE and stands_clear(declared, ruling)
    return answer_mark(declared or "", reason, str(wish) if shows else "")


def is_overtaken(over: str | None, now: str, said: str) -> bool:
    """Whether what stands is neither what the page showed nor what is said now, each by its mark.

    >>> is_overtaken("nothing", now="none", said="none"), is_overtaken("nothing", now="conflict", said="none")
    (False, True)
    """
    return over is not None and now not in (over, said)


def refuse_overtaken(over: str | None, now: str, said: str) -> None:
    """Raise :class:`Conflict` where another window answered since the page was made that an answer was given on."""
    if is_overtaken(over, now, said):
        raise Conflict("You answered this in another window at the same moment. Nothing of this page was stored.")


def stands_clear(declared: Declared | None, ruling: Ruling | None) -> bool:
    """Whether a person may open an application: declared free of conflict, or cleared by the manager.

    Nothing declared is not clear; a conflict the manager cleared is.
    """
    if ruling is not None:
        return ruling is Ruling.CLEARED
    return declared is Declared.NONE


def is_conflict(declared: Declared | None, ruling: Ruling | None) -> bool:
    """Whether a person is kept away: declared a conflict that was not cleared, or the manager confirmed one."""
    return ruling is Ruling.CONFIRMED or (declared is Declared.CONFLICT and ruling is None)


class Said(NamedTuple):
    """What stands between a person and an application: what was declared and ruled, and whether what was found waits."""

    declared: Declared | None = None
    ruling: Ruling | None = None
    waits: bool = False

    @property
    def is_conflict(self) -> bool:
        """Whether the person is kept away."""
        return is_conflict(self.declared, self.ruling)


@dataclass(frozen=True, slots=True)
class Consortium:
    """Who stands behind an application: what conflicts and fit are judged by."""

    application_id: UUID
    reference: str
    title: str
    coordinator: str
    partners: tuple[str, ...]
    organisation_ids: frozenset[UUID]
    country_codes: tuple[str, ...]
    towns: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    user_ids: frozenset[UUID] = frozenset()
    topics: frozenset[str] = frozenset()

    @property
    def cities(self) -> str:
        """“Neochóra, with Vila Nova da Áçora”."""
        return f"{self.coordinator}, with {', '.join(self.partners)}" if self.partners else self.coordinator


# How gladly somebody would assess an application.
WISHES: Mapping[int, str] = {
    2: "Very gladly", 1: "Gladly", 0: "No wish", -1: "Rather not", -2: "Only if nobody else can",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """One application on the page where conflicts are declared."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    noticed: str
    declared: Declared | None
    reason: str
    ruling: Ruling | None
    in_pool: bool = False
    wish: int = 0
    # Organisations of it the person was not asked about yet: it stays shut until they answered.
    waits_for: tuple[str, ...] = ()
    # Their own seat on it, by how far its sheet is; None where they have none.
    seat: AssessmentState | None = None

    @property
    def is_open(self) -> bool:
        """Whether the person has not answered yet."""
        return self.declared is None

    @property
    def waits(self) -> bool:
        """Whether something is still to be answered before it can open: about it, or about an organisation in it."""
        return self.is_open or bool(self.waits_for)

    @property
    def key(self) -> str:
        """Where it stands in the list: what waits for an answer first, then by reference."""
        return f"{int(not self.waits)} {self.reference}"

    @property
    def late_words(self) -> str:
        """What a conflict does to what they have here already, before they say that there is one."""
        match self.seat:
            case None:
                return ""
            case AssessmentState.DRAFT:
                began = "You have a seat here. If you have a conflict, it is emptied as soon as you send this, and what you wrote"
            case AssessmentState.SUBMITTED:
                began = (
                    "You sent your assessment of it. If you have a conflict, it no longer counts from when you send this, "
                    "a consensus that rests on it is a draft again, and what you wrote"
                )
        return f"{began} is kept on the record, where you do not read it again. You cannot take it back."

    @property
    def may_wish(self) -> bool:
        """Whether a wish of this person counts: in the pool, and free of conflict by what is stored."""
        return self.in_pool and self.declared is Declared.NONE and stands_clear(self.declared, self.ruling)

    @property
    def asks_wish(self) -> bool:
        """Whether they are asked how gladly they would assess it: not where they assess it already."""
        return self.may_wish and self.seat is None

    @property
    def mark(self) -> str:
        """The sign of what stands here, which the page carries."""
        return application_mark(self.declared, self.ruling, self.reason, self.wish)


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """The applications of one call a person must declare about, or a part of them; barred ones are not among them."""

    call_id: UUID
    call_slug: str
    call_title: str
    rows: tuple[ConflictRow, ...]
    entities: tuple[EntityRow, ...] = ()
    # All of the call, where this is a part.
    whole: ConflictPage | None = None

    @property
    def open_count(self) -> int:
        """How many applications are not answered yet."""
        return sum(row.is_open for row in self.rows)

    @property
    def all_of_call(self) -> ConflictPage:
        """The same with every row of the call."""
        return self.whole or self

    def split(self) -> tuple[tuple[tuple[EntityRow, ...], tuple[ConflictRow, ...]], ...]:
        """Organisations and applications that wait for an answer, and those that are answered."""
        return tuple(
            (
                tuple(each for each in self.entities if each.is_open is wanted),
                tuple(row for row in self.rows if row.is_open is wanted),
            )
            for wanted in (True, False)
        )

    def seats_at(self, entity: EntityRow) -> tuple[str, ...]:
        """The titles of the applications of an organisation on which the person has a seat."""
        rows = self.all_of_call.rows
        return tuple(row.title for row in rows if row.seat and row.application_id in entity.application_ids)

    @property
    def rest_words(self) -> str:
        """What the button for all the rest says in their name, as one sentence to agree to."""
        rows = sum(row.is_open and not row.noticed for row in self.rows)
        entities = sum(row.is_open and not row.noticed for row in self.entities)
        named = [
            f"the {what}" if number == 1 else f"the {number} {what}s"
            for number, what in ((rows, "application"), (entities, "organisation"))
            if number
        ]
        have = "has" if rows + entities == 1 else "have"
        return f"It says for you that you have no conflict with {' and '.join(named)} above that {have} no answer."

    @property
    def open_entities(self) -> int:
        """How many organisations are not answered yet."""
        return sum(row.is_open for row in self.entities)

    @property
    def left_words(self) -> str:
        """What still waits for an answer; nothing where nothing does."""
        said = _counted(self.open_count, self.open_entities)
        return f"{said} left" if said else ""

    @property
    def answered_words(self) -> str:
        """What was answered of it."""
        return _counted(len(self.rows) - self.open_count, len(self.entities) - self.open_entities)

    @property
    def said_words(self) -> str:
        """How far its applications are."""
        return f"{len(self.rows) - self.open_count} answered, {self.open_count} open."


def _counted(applications: int, organisations: int) -> str:
    """So many applications and so many organisations, without what there is none of.

    >>> _counted(2, 1), _counted(0, 3), _counted(0, 0)
    ('2 applications and 1 organisation', '3 organisations', '')
    """
    pairs = ((applications, "application"), (organisations, "organisation"))
    return " and ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in pairs if count)


@dataclass(frozen=True, slots=True)
class OwnConflict:
    """A conflict as the person who declared it reads it again: nothing of the application stands in it.

    Not even what they wrote themselves: it often names the city, and is kept on the record.
    """

    call_slug: str
    call_title: str
    declared_at: datetime
    about: str


RULED_WORDS: Mapping[Ruled, str] = {
    Ruled.NOTHING_MORE: "The ruling is stored.",
    Ruled.SEAT_EMPTIED: "The ruling is stored. The seat is empty, and a consensus already begun is a draft again.",
    Ruled.CONSENSUS_REOPENED: (
        "The ruling is stored. The consensus this person wrote is a draft again; somebody else leads it."
    ),
    Ruled.RECORD_STANDS: (
        "The ruling is recorded. The application is no longer in evaluation: its assessments and consensus stand."
    ),
}


@dataclass(frozen=True, slots=True)
class DoubtRow:
    """A declaration the manager sees: doubts to rule on, conflicts that stand."""

    id: UUID
    person: str
    handle: str
    reference: str
    title: str
    declared: Declared
    reason: str
    declared_at: datetime
    ruling: Ruling | None
    ruling_reason: str
    version: int
    in_evaluation: bool


KIND_WORDS: Mapping[DetectedKind, str] = {
    DetectedKind.OWN_APPLICATION: "Own application",
    DetectedKind.SAME_PERSON: "Same person under another account",
    DetectedKind.COMPETING_APPLICATION: "Competing application",
    DetectedKind.OWN_ORGANISATION: "Own organisation",
    DetectedKind.ADVISED_CITY: "Advises a city of it",
    DetectedKind.HELPED_TO_WRITE: "Helped to write it",
    DetectedKind.SAME_NUMBER: "Same number in a register",
    DetectedKind.SAME_CITY: "Same city",
    DetectedKind.SAME_COUNTRY: "Same country",
    DetectedKind.MAIL_DOMAIN: "Same e-mail domain",
    DetectedKind.PAST_CONSORTIUM: "Consortium shared before",
    DetectedKind.SIMILAR_PERSON: "Similar name",
    DetectedKind.SIMILAR_ORGANISATION: "Similar organisation",
}


@dataclass(frozen=True, slots=True)
class Detected:
    """What came of looking a call through: how many facts now wait, how many pairs are kept apart, how many are no longer so."""

    proposed: int
    confirmed: int
    gone: int


@dataclass(frozen=True, slots=True)
class DetectedSearch:
    """To what the list of what was found is narrowed: a part of a name, of a reference or title, and a kind of fact."""

    state: DetectedState = DetectedState.PROPOSED
    person: str = ""
    application: str = ""
    kind: DetectedKind | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the state was chosen."""
        return bool(self.person or self.application or self.kind)


@dataclass(frozen=True, slots=True)
class DetectedFact:
    """One fact between a person and an application, with the entity it concerns and what became of it."""

    kind: DetectedKind
    entity: str
    evidence: str
    state: DetectedState
    found_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str
    version: int
    id: UUID

    @property
    def words(self) -> str:
        """What kind of fact it is."""
        return KIND_WORDS[self.kind]

    @property
    def waits(self) -> bool:
        """Whether a person must look at it."""
        return self.state is DetectedState.PROPOSED


@dataclass(frozen=True, slots=True)
class DetectedPair:
    """A person and an application with all that was found between them; decided about in one go."""

    user_id: UUID
    application_id: UUID
    person: str
    handle: str
    reference: str
    title: str
    declared: Declared | None
    facts: tuple[DetectedFact, ...]

    @property
    def waits(self) -> bool:
        """Whether anything found still waits for a person."""
        return any(fact.waits for fact in self.facts)

    @property
    def stands(self) -> bool:
        """Whether the person is kept away by what was found."""
        return any(fact.state is DetectedState.CONFIRMED for fact in self.facts)

    @property
    def why_by_itself(self) -> str:
        """Why it is not decided about together with others: something of it stands, decided or certain by itself."""
        if self.stands:
            return "Something of it stands as a conflict already. Open it to decide about all of it."
        if any(not fact.waits for fact in self.facts):
            return "Something of it was dismissed before. Open it to decide about all of it."
        return ""

    @property
    def version(self) -> int:
        """What a form carries: it changes with any of the facts, with a new one and with one that goes."""
        return version_of(self.facts)

    @property
    def named(self) -> str:
        """Who and what it is about, in words."""
        return f"{self.person} and “{self.title}” ({self.reference})"

    @property
    def meanwhile(self) -> str:
        """What somebody else did about it since a page showed it, as far as that can be told."""
        decided = [fact for fact in self.facts if fact.decided_by and fact.decided_at]
        if not decided:
            return "something was found or decided meanwhile; not decided."
        last = max(decided, key=lambda fact: fact.decided_at or fact.found_at)
        ruled = "a conflict" if last.state is DetectedState.CONFIRMED else "no conflict"
        return (
            f"{last.decided_by} decided meanwhile that there is {ruled}: {quoted(last.reason)} Yours was not decided."
        )

    @property
    def key(self) -> str:
        """The place of the pair in the list."""
        return f"{self.reference} {self.handle}"


PAIR_GONE = "nothing found between them stands any more; not decided."


def version_of(rows: Iterable[Any]) -> int:
    """One number for several rows, of the id, version and state of each: whatever changes is another one."""
    told = sorted(f"{row.id} {row.version} {row.state}" for row in rows)
    return int.from_bytes(hashlib.sha256("\n".join(told).encode()).digest()[:7])
