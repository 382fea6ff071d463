"""The fields of a consensus: its form of questions, who wrote which version, and the words of the sheets beside one criterion."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from grants.core.db import db
from grants.dossiers.queries.versions import AnswerVersionView, History
from grants.dossiers.rules import Definition, Question
from grants.evaluation import rules
from grants.evaluation.models import (
    Assessment,
    AssessmentScore,
    Assignment,
    Consensus,
    ConsensusWriting,
    Evaluator,
)
from grants.evaluation.queries.field_versions import field_in, history_of, version_of
from grants.evaluation.rules import ConsensusPage
from grants.evaluation.states import AssessmentState, SeatState
from grants.identity.models import User


def consensus_form(shown: ConsensusPage) -> Definition:
    """The consensus of a page as a form of questions."""
    return rules.asked(shown.marking, rules.CONSENSUS_WORDS)


def consensus_field(shown: ConsensusPage, name: str) -> Question:
    """One field of the consensus; :class:`~grants.core.errors.NotFound` for a name that is none."""
    return field_in(consensus_form(shown), name)


def consensus_field_history(shown: ConsensusPage, name: str, before: int | None = None) -> History:
    """Versions of one field, newest first, what one person saved within ten minutes together."""
    return history_of(consensus_field(shown, name), _versions_of(shown, name), ConsensusWriting.number, before)


def consensus_field_version(shown: ConsensusPage, name: str, number: int) -> AnswerVersionView:
    """One version of a field; :class:`~grants.core.errors.NotFound`."""
    one = _versions_of(shown, name).where(ConsensusWriting.number == number)
    return version_of(consensus_field(shown, name), one)


def _versions_of(shown: ConsensusPage, name: str) -> Select[Any]:
    return (
        select(ConsensusWriting)
        .join(Consensus, Consensus.id == ConsensusWriting.consensus_id)
        .where(Consensus.application_id == shown.head.id, ConsensusWriting.field == name)
    )


def writers(user_ids: Collection[UUID | None]) -> dict[UUID, Any]:
    """Those who wrote, by id; each has a name."""
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_([each for each in user_ids if each])))
    return {row.id: row for row in rows}


def words_on(application_id: UUID, criterion: str) -> tuple[tuple[str, str], ...]:
    """What each submitted sheet of an application says on a criterion, by name. Who may read it is checked before."""
    rows = db.session.execute(
        select(User.name, AssessmentScore.comment)
        .join(Assessment, Assessment.id == AssessmentScore.assessment_id)
        .join(Assignment, Assignment.id == Assessment.assignment_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            Assessment.state == AssessmentState.SUBMITTED.value,
            AssessmentScore.criterion == criterion,
        )
        .order_by(User.name, Assignment.id)
    )
    return tuple((name, comment) for name, comment in rows)
