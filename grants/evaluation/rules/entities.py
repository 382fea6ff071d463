"""What people declare about organisations: the rows of the page, what is asked of an answer, what follows for applications."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from grants.core.errors import Invalid, Refused
from grants.dossiers.rules import clean_text
from grants.evaluation.rules.values import Answered, AnsweredEntity
from grants.evaluation.states import ConflictKind, Declared, Ruling


@dataclass(frozen=True, slots=True)
class EntityRow:
    """One organisation on the page where conflicts are declared: asked once, whatever applications it is in."""

    organisation_id: UUID
    name: str
    country_code: str
    application_ids: frozenset[UUID]
    # Titles of the applications it takes part in, in the order of their references.
    titles: tuple[str, ...]
    declared: Declared | None
    kind: ConflictKind | None
    reason: str
    noticed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the person has not answered yet."""
        return self.declared is None


def clean_entities(answers: Iterable[AnsweredEntity]) -> tuple[AnsweredEntity, ...]:
    """The answers with their words cleaned; raises :class:`Invalid` naming each doubt without a kind or a reason."""
    cleaned, problems = [], {}
    for answer in answers:
        if answer.declared is Declared.NONE:
            cleaned.append(replace(answer, kind=None, reason=""))
            continue
        words = clean_text(answer.reason)
        if answer.kind is None:
            problems[f"kind_{answer.organisation_id}"] = "Choose what kind of tie it is."
        if not words:
            asked = "Which conflict?" if answer.declared is Declared.CONFLICT else "What makes you unsure?"
            problems[f"about_{answer.organisation_id}"] = f"{asked} One sentence is enough."
        cleaned.append(replace(answer, reason=words))
    if problems:
        raise Invalid("Some answers about organisations are not complete.", problems)
    return tuple(cleaned)


@dataclass(frozen=True, slots=True)
class Doubted:
    """What a person stands by of an organisation of an application, beside what they said and was ruled of that application."""

    application_id: UUID
    entity: str
    declared: Declared
    kind: ConflictKind
    reason: str
    told: Declared | None
    ruling: Ruling | None
    # Whether the ruling came after what was said of the organisation, and so covers it.
    covered: bool

    @property
    def follows(self) -> bool:
        """Whether what was said of the organisation is still to be said of the application."""
        if self.covered or self.ruling is Ruling.CONFIRMED or self.told is Declared.CONFLICT:
            return False
        return self.declared is Declared.CONFLICT or self.told is not Declared.UNSURE or self.ruling is not None

    @property
    def words(self) -> str:
        """“Municipality of Neochóra, family: my sister works there”."""
        return f"{self.entity}, {self.kind.words.lower()}: {self.reason}"


def said_of_applications(found: Iterable[Doubted]) -> dict[UUID, Answered]:
    """What follows for each application from what was said of its organisations: a conflict before a doubt."""
    told: dict[UUID, Answered] = {}
    for each in found:
        before = told.get(each.application_id)
        if each.follows and (before is None or before.declared is not Declared.CONFLICT):
            told[each.application_id] = Answered(each.application_id, each.declared, each.words)
    return told


def refuse_taking_back_entity(standing: Declared, said: Declared, *, ruled: bool) -> None:
    """A doubt about an organisation is settled by rulings on its applications, a conflict ends by these alone."""
    if said is Declared.NONE and standing is not Declared.NONE and not ruled:
        raise Refused(
            "You said that you are not impartial, or unsure, about one of these organisations, and the programme manager "
            "has not ruled on each of its applications. Only a ruling ends it. Nothing was changed."
        )
