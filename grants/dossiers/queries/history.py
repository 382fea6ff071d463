"""Every version of an answer, and what a save meets: what others changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.dossiers import merging, rules
from grants.dossiers.merging import Contested, Outcome, Piece, Shown
from grants.dossiers.models import Dossier, DossierAnswer, DossierAnswerVersion
from grants.dossiers.queries.reading import answer_of, definition_of
from grants.dossiers.rules import Answer, Question, Section

# A field's history on a page; older versions stay in the table.
VERSIONS_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class AnswerVersionView:
    """One version of an answer."""

    number: int
    answer: Answer
    shown: str
    words: int
    saved_at: datetime
    saved_by: UUID | None


@dataclass(frozen=True, slots=True)
class Sitting:
    """What one person saved of an answer within ten minutes, newest first, and what that changed word by word."""

    versions: tuple[AnswerVersionView, ...]
    pieces: tuple[Piece, ...]

    @property
    def newest(self) -> AnswerVersionView:
        """The version that stood in the end."""
        return self.versions[0]


@dataclass(frozen=True, slots=True)
class History:
    """Versions of one answer, newest first; ``before`` is the number from which earlier ones go on, None at the end."""

    sittings: tuple[Sitting, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What of a person's answers may be stored, and what others changed meanwhile."""

    to_store: tuple[Answer, ...]
    contested: tuple[Contested, ...]


def weighed(
    section: Section, rows: Mapping[str, DossierAnswer], answers: Iterable[Answer], shown: Iterable[Shown] | None
) -> Weighed:
    """Answers beside what stands: a changed one may be stored where its version was shown; one more statement where not.

    Without ``shown`` nobody looked at a form (the demo, a test), and everything may be stored.
    """
    questions = {question.key: question for question in section.questions}
    typed = {
        each.question: rules.tidy(questions[each.question], each) for each in answers if each.question in questions
    }
    numbers = None if shown is None else {each.question: each.number for each in shown}
    standing = {key: rows[key].number if key in rows else 0 for key in typed}
    seen = standing if numbers is None else {key: numbers.get(key, merging.UNSEEN) for key in typed}
    bases = _bases({rows[key].id: seen[key] for key in typed if key in rows and 0 < seen[key] < standing[key]})
    to_store, contested = [], []
    for key, answer in typed.items():
        row = rows.get(key)
        stored = answer_of(row, key) if row is not None else Answer(key)
        version = bases.get(row.id) if row is not None else None
        base = answer_of(version, key) if version is not None else Answer(key) if seen[key] == 0 else None
        match merging.judged(
            questions[key], base=base, stored=stored, typed=answer, is_shown=seen[key] == standing[key]
        ):
            case Outcome.STORE:
                to_store.append(answer)
            case Outcome.MERGED | Outcome.CONFLICT if row is not None:
                contested.append(
                    Contested(key, row.number, base or Answer(key), stored, answer, row.saved_at, row.saved_by)
                )
            case Outcome.MERGED | Outcome.CONFLICT:
                # A number of a version that never was: nothing stands that could be overwritten.
                to_store.append(answer)
            case Outcome.KEEP:
                continue
    return Weighed(tuple(to_store), tuple(contested))


def _bases(wanted: Mapping[UUID, int]) -> dict[UUID, DossierAnswerVersion]:
    if not wanted:
        return {}
    found = db.session.scalars(
        select(DossierAnswerVersion).where(
            tuple_(DossierAnswerVersion.answer_id, DossierAnswerVersion.number).in_(sorted(wanted.items()))
        )
    )
    return {row.answer_id: row for row in found}


def weighed_now(dossier_id: UUID, section_key: str, answers: Iterable[Answer], shown: Iterable[Shown]) -> Weighed:
    """The same for a page, after an act was refused."""
    definition = definition_of(get(Dossier, dossier_id))
    section = definition.section(section_key)
    if section is None:
        raise NotFound
    rows = db.session.scalars(
        select(DossierAnswer).where(DossierAnswer.dossier_id == dossier_id, DossierAnswer.section_key == section_key)
    )
    return weighed(section, {row.question_key: row for row in rows}, answers, shown)


def history(dossier_id: UUID, question: Question, *, before: int | None = None) -> History:
    """Versions of one answer, newest first, at most :data:`VERSIONS_SHOWN_MAX`, from below the number ``before``."""
    asked = (
        select(DossierAnswerVersion)
        .join(DossierAnswer, DossierAnswer.id == DossierAnswerVersion.answer_id)
        .where(DossierAnswer.dossier_id == dossier_id, DossierAnswer.question_key == question.key)
        .order_by(DossierAnswerVersion.number.desc())
        .limit(VERSIONS_SHOWN_MAX + 1)
    )
    if before is not None:
        asked = asked.where(DossierAnswerVersion.number < before)
    found = [_version(question, row) for row in db.session.scalars(asked)]
    # One more was asked for: what the oldest shown is compared with.
    older = found[VERSIONS_SHOWN_MAX:]
    versions = found[:VERSIONS_SHOWN_MAX][::-1]
    made = []
    for start, end in merging.sittings([(each.saved_by, each.saved_at) for each in versions]):
        earlier = versions[start - 1] if start else older[0] if older else None
        pieces = merging.compared(earlier.shown if earlier else "", versions[end - 1].shown)
        made.append(Sitting(tuple(versions[start:end][::-1]), pieces))
    return History(tuple(made[::-1]), versions[0].number if older else None)


def version_of(dossier_id: UUID, question: Question, number: int) -> AnswerVersionView:
    """One version of an answer; :class:`NotFound`."""
    row = db.session.scalars(
        select(DossierAnswerVersion)
        .join(DossierAnswer, DossierAnswer.id == DossierAnswerVersion.answer_id)
        .where(
            DossierAnswer.dossier_id == dossier_id,
            DossierAnswer.question_key == question.key,
            DossierAnswerVersion.number == number,
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return _version(question, row)


def _version(question: Question, row: DossierAnswerVersion) -> AnswerVersionView:
    answer = answer_of(row, question.key)
    return AnswerVersionView(
        number=row.number,
        answer=answer,
        shown=rules.shown(question, answer),
        words=rules.count_words(row.text),
        saved_at=row.saved_at,
        saved_by=row.saved_by,
    )
