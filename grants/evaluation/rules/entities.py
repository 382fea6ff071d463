"""What people declare about organisations: the rows of the page, what is asked of an answer, what follows for applications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from grants.core.errors import Invalid, Refused
from grants.dossiers.rules import clean_text
from grants.evaluation.rules.values import Answered, AnsweredEntity, answer_mark
from grants.evaluation.states import ConflictKind, Declared, Ruling


@dataclass(frozen=True, slots=True)
class EntityRow:
    """One organisation on the page where conflicts are declared: asked once in a call, whatever applications it is in."""

    call_id: UUID
    organisation_id: UUID
    name: str
    country_code: str
    application_ids: frozenset[UUID]
    # Titles of the applications of this call it takes part in, in the order of their references.
    titles: tuple[str, ...]
    declared: Declared | None
    kind: ConflictKind | None
    reason: str
    noticed: bool = False
    # Whether a doubt about it was settled by a ruling on each of its applications, so that “none” can be said again.
    settled: bool = True

    @property
    def may_be_none(self) -> bool:
        """Whether the person can say “none” of it now."""
        return self.declared in (None, Declared.NONE) or self.settled

    @property
    def is_open(self) -> bool:
        """Whether the person has not answered yet."""
        return self.declared is None

    @property
    def mark(self) -> str:
        """The sign of what stands here, which the page carries."""
        return answer_mark(self.declared or "", self.reason, self.kind or "")


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

    user_id: UUID
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
        stands = self.ruling is Ruling.CONFIRMED or (self.told is Declared.CONFLICT and self.ruling is None)
        return not self.covered and not stands

    @property
    def words(self) -> str:
        """“Municipality of Neochóra, family: my sister works there”."""
        return f"{self.entity}, {self.kind.words.lower()}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Follows:
    """What follows for one application from its organisations: the strongest of what was said, and all the words of it."""

    declared: Declared
    words: tuple[str, ...]


def said_of_applications(found: Iterable[Doubted]) -> dict[UUID, Follows]:
    """What follows for each application from what was said of its organisations: a conflict before a doubt."""
    told: dict[UUID, list[Doubted]] = {}
    for each in found:
        if each.follows:
            told.setdefault(each.application_id, []).append(each)
    for several in told.values():
        several.sort(key=lambda each: each.declared is not Declared.CONFLICT)
    return {key: Follows(several[0].declared, tuple(each.words for each in several)) for key, several in told.items()}


def with_entities(
    said: Iterable[Answered],
    follows: Mapping[UUID, Follows],
    stored: Mapping[UUID, tuple[Answered, Ruling | None]],
) -> list[Answered]:
    """The answers about applications with what follows from organisations: the stronger one counts, the words of all stand.

    So whoever rules has everything in sight that the ruling covers. A page sends back what is stored: where that was
    ruled on, sending it again says nothing new, and what follows stands alone.
    """
    of = {each.application_id: each for each in said}
    answers = [each for key, each in of.items() if key not in follows]
    for key, entities in follows.items():
        posted, (before, ruling) = of.get(key), stored.get(key, (None, None))
        waits = before is not None and before.declared is Declared.UNSURE and ruling is None
        if posted is not None and posted.declared is Declared.NONE:
            if waits:
                # Taken back while it waits: refused like any other.
                answers.append(posted)
            posted = None
        elif posted is not None and ruling is not None and before == replace(posted, wish=None):
            posted = None
        answers.append(_together(key, posted or (before if waits else None), entities))
    return answers


def _together(application_id: UUID, own: Answered | None, entities: Follows) -> Answered:
    if own is None:
        return Answered(application_id, entities.declared, "; ".join(entities.words))
    declared = Declared.CONFLICT if Declared.CONFLICT in (own.declared, entities.declared) else Declared.UNSURE
    more = [words for words in entities.words if words not in own.reason]
    return Answered(application_id, declared, "; ".join([own.reason, *more]))


def refuse_taking_back_entity(standing: Declared, said: Declared, *, ruled: bool) -> None:
    """A doubt about an organisation is settled by rulings on its applications, a conflict ends by these alone."""
    if said is Declared.NONE and standing is not Declared.NONE and not ruled:
        raise Refused(
            "You said that you are not impartial, or unsure, about one of these organisations, and the programme manager "
            "has not cleared you for each of its applications. Only a ruling ends it. Nothing was changed."
        )
