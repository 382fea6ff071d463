"""Who had a part in the first decision about an application, and so has none in the second."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, func, literal, select, union_all
from sqlalchemy.orm import aliased

from grants.applications.models import Application, EligibilityCheck, EligibilityLetter
from grants.awards.models import Complaint, PanelItem, PanelMember, Selection, SelectionMove
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader
from grants.evaluation.models import Assignment, Consensus, ConsensusVersion, ConsensusWriting, Evaluator, ScoreShift


@reader
def involved_in(application_id: UUID) -> Asking[dict[UUID, str]]:
    """Whoever had a part in the first decision about an application, with the part as words to them. One statement."""
    parts = _parts([application_id])
    found = yield from ask(select(parts.c.user_id, parts.c.words))
    return {row.user_id: row.words for row in sorted(found, key=str, reverse=True) if row.user_id is not None}


@reader
def had_part(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """In the first decision about which of these applications this person had a part. One statement."""
    parts = _parts(application_ids)
    found = yield from ask(select(parts.c.application_id).where(parts.c.user_id == actor.user_id).distinct())
    return frozenset(row.application_id for row in found)


def _parts(ids: Collection[UUID]) -> Subquery:
    """Application, person and the part they had, a row for each part."""
    consensus = Consensus.application_id
    decided = "you decided an earlier complaint about it"
    later = aliased(Complaint)
    newest = select(func.max(later.number)).where(later.application_id == Complaint.application_id).scalar_subquery()
    parts: list[Select[Any]] = [
        _part(Assignment.application_id, Evaluator.user_id, "you assessed the application", ids).join(
            Evaluator, Assignment.evaluator_id == Evaluator.id
        ),
        _part(consensus, ConsensusVersion.written_by, WROTE, ids).join(
            ConsensusVersion, Consensus.id == ConsensusVersion.consensus_id
        ),
        _part(consensus, Consensus.written_by, WROTE, ids),
        _part(consensus, ConsensusWriting.saved_by, WROTE, ids).join(
            ConsensusWriting, Consensus.id == ConsensusWriting.consensus_id
        ),
        *(
            _part(Complaint.application_id, person, decided, ids).where(Complaint.number < newest)
            for person in (Complaint.proposed_by, Complaint.confirmed_by, Complaint.settlement_by, Complaint.settled_by)
        ),
        _part(PanelItem.application_id, PanelMember.user_id, "you sat on the panel that discussed it", ids).join(
            PanelMember, PanelItem.meeting_id == PanelMember.meeting_id
        ),
        _part(
            EligibilityLetter.application_id, EligibilityLetter.sent_by, "you sent the letter on its eligibility", ids
        ),
        *(
            _part(EligibilityCheck.application_id, person, "you decided on its eligibility", ids)
            for person in (EligibilityCheck.decided_by, EligibilityCheck.confirmed_by, EligibilityCheck.proposed_by)
        ),
        *(
            _part(Application.id, person, "you decided the ranked list", ids).join(
                Selection, Selection.call_id == Application.call_id
            )
            for person in (Selection.decided_by, Selection.confirmed_by)
        ),
        *(
            _part(SelectionMove.application_id, person, "you decided a move from the reserve list", ids)
            for person in (SelectionMove.decided_by, SelectionMove.confirmed_by)
        ),
        *(
            _part(ScoreShift.application_id, person, "you moved its score", ids)
            for person in (ScoreShift.proposed_by, ScoreShift.decided_by)
        ),
    ]
    return union_all(*parts).subquery()


WROTE = "you wrote the consensus on it"


def _part(application: ColumnElement[UUID] | Any, person: Any, words: str, ids: Collection[UUID]) -> Select[Any]:
    columns = (application.label("application_id"), person.label("user_id"), literal(words).label("words"))
    return select(*columns).select_from(application.class_).where(application.in_(ids))
