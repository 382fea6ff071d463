"""Who had a part in the first decision about an application, and so has none in the second."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, Subquery, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from grants.applications.models import Application, EligibilityCheck, EligibilityLetter, EligibilityResult
from grants.applications.states import ApplicationState
from grants.awards.models import (
    Complaint,
    DecisionLetter,
    LetterLeftOut,
    LetterMailing,
    LetterText,
    PanelItem,
    PanelMember,
    PanelMinutes,
    ResultsPublication,
    Selection,
    SelectionMove,
    SelectionScenario,
)
from grants.awards.states import MailingState
from grants.core.audit import AuditEvent
from grants.core.together import Asking, ask, reader
from grants.evaluation.models import (
    Assignment,
    ConflictDeclaration,
    Consensus,
    ConsensusVersion,
    ConsensusWriting,
    DetectedConflict,
    Evaluator,
    ScoreShift,
)


@reader
def involved_in(application_id: UUID) -> Asking[dict[UUID, str]]:
    """Whoever had a part in the first decision about an application, with the part as words to them. One statement."""
    parts = _parts([application_id])
    found = yield from ask(select(parts.c.user_id, parts.c.words))
    return {row.user_id: row.words for row in sorted(found, key=str, reverse=True) if row.user_id is not None}


@reader
def had_part(application_ids: Collection[UUID], user_ids: Collection[UUID]) -> Asking[frozenset[tuple[UUID, UUID]]]:
    """(person, application) of those of these people who had a part in the first decision about one. One statement."""
    parts = _parts(application_ids)
    wanted = select(parts.c.user_id, parts.c.application_id).where(parts.c.user_id.in_(user_ids)).distinct()
    found = yield from ask(wanted)
    return frozenset((row.user_id, row.application_id) for row in found)


def _parts(ids: Collection[UUID]) -> Subquery:
    """Application, person and the part they had, a row for each part.

    Whoever judged it, chose how and by whom it was judged, signed what came of that, or told it. Where the newest complaint is
    about its eligibility only what led to that counts: the desk with its letter, and what was ruled before the letter. Seats,
    scores, lists and what tells them came after it, or had nothing to do with it. Whether a complaint is admissible is the first
    step of the second decision, and no part in the first.
    """
    later = _not_about_eligibility(ids)
    return union_all(
        *(*_checked(ids), *_ruled(ids), *_decided_before(ids, later)),
        *(*_judged(later), *_seated(later), *_listed(later), *_told(later), *_dropped(later)),
    ).subquery()


def _not_about_eligibility(ids: Collection[UUID]) -> Select[Any]:
    """Those of these applications whose newest complaint is about what came after the desk, or that have none."""
    found = select(aliased(Application, name="complained").id)
    key = found.selected_columns[0]
    return found.where(
        key.in_(ids), _of_newest(key, Complaint.about).is_distinct_from(ApplicationState.INELIGIBLE.value)
    )


def _judged(ids: Select[Any]) -> list[Select[Any]]:
    """Sheets, consensus, panel and board."""
    consensus = Consensus.application_id
    return [
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
        _part(PanelItem.application_id, PanelMember.user_id, "you sat on the panel that discussed it", ids).join(
            PanelMember, PanelItem.meeting_id == PanelMember.meeting_id
        ),
        *(
            _part(PanelItem.application_id, person, "you stand behind the minutes of its panel", ids).join(
                PanelMinutes, PanelItem.meeting_id == PanelMinutes.meeting_id
            )
            for person in (PanelMinutes.frozen_by, PanelMinutes.chair_signed_by, PanelMinutes.second_signed_by)
        ),
        *(
            _part(ScoreShift.application_id, person, "you moved its score", ids)
            for person in (ScoreShift.proposed_by, ScoreShift.decided_by)
        ),
    ]


def _seated(ids: Select[Any]) -> list[Select[Any]]:
    """Who chose its evaluators: whoever ran the assignment that gave, moved or took a seat of it, or did so by hand or by a file.

    A seat does not keep whose it is: the record does. Seats of a repeated evaluation follow from the complaint.
    """
    seat = Assignment.application_id
    return [
        _part(seat, AuditEvent.user_id, "you gave its evaluators their seats", ids)
        .join(
            AuditEvent,
            and_(AuditEvent.object_kind == Assignment.__tablename__, AuditEvent.object_id == Assignment.id),
        )
        .where(AuditEvent.verb.in_(GIVES_SEATS), _before_complaint(seat, AuditEvent.recorded_at)),
    ]


def _ruled(ids: Collection[UUID]) -> list[Select[Any]]:
    """Who ruled on whom a conflict keeps away."""
    return [
        _part(of, person, "you ruled on a conflict of interest with it", ids).where(_before_complaint(of, at))
        for of, person, at in (
            (ConflictDeclaration.application_id, ConflictDeclaration.ruled_by, ConflictDeclaration.ruled_at),
            (DetectedConflict.application_id, DetectedConflict.decided_by, DetectedConflict.decided_at),
        )
    ]


def _decided_before(ids: Collection[UUID], later: Select[Any]) -> list[Select[Any]]:
    """The second decision on an earlier complaint; where the newest is about eligibility, on one that was about it too."""
    further = aliased(Complaint)
    of_it = further.application_id == Complaint.application_id
    newest = select(func.max(further.number)).where(of_it).scalar_subquery()
    led = or_(Complaint.application_id.in_(later), Complaint.about == ApplicationState.INELIGIBLE.value)
    return [
        _part(Complaint.application_id, person, "you decided an earlier complaint about it", ids).where(
            Complaint.number < newest, led
        )
        for person in (Complaint.proposed_by, Complaint.confirmed_by, Complaint.settlement_by, Complaint.settled_by)
    ]


def _checked(ids: Collection[UUID]) -> list[Select[Any]]:
    """The desk: each answer, the verdict with its second person, and its letter."""
    decided = "you decided on its eligibility"
    check = EligibilityCheck.application_id
    return [
        _part(
            EligibilityLetter.application_id, EligibilityLetter.sent_by, "you sent the letter on its eligibility", ids
        ),
        *(
            _part(check, person, decided, ids)
            for person in (
                *(EligibilityCheck.decided_by, EligibilityCheck.confirmed_by),
                *(EligibilityCheck.proposed_by, EligibilityCheck.returned_by),
            )
        ),
        _part(check, EligibilityResult.answered_by, decided, ids).join(
            EligibilityResult, EligibilityResult.check_id == EligibilityCheck.id
        ),
    ]


def _listed(ids: Select[Any]) -> list[Select[Any]]:
    """The ranked lists, one that was returned too: who froze, confirmed or returned it, who drew, and who made its scenario."""
    return [
        *(
            _part(Application.id, person, "you decided the ranked list", ids).join(
                Selection, Selection.call_id == Application.call_id
            )
            for person in (
                *(Selection.decided_by, Selection.confirmed_by),
                *(Selection.returned_by, Selection.draw_refused_by),
            )
        ),
        _part(Application.id, SelectionScenario.made_by, "you made the scenario that was chosen", ids)
        .join(Selection, Selection.call_id == Application.call_id)
        .join(SelectionScenario, SelectionScenario.id == Selection.scenario_id),
        *(
            _part(SelectionMove.application_id, person, "you decided a move from the reserve list", ids)
            for person in (SelectionMove.decided_by, SelectionMove.confirmed_by, SelectionMove.returned_by)
        ),
    ]


def _told(ids: Select[Any]) -> list[Select[Any]]:
    """Its letters of decision: whose words, who prepared them and had them sent; and who made the results public."""
    letter, left_out = DecisionLetter.application_id, LetterLeftOut.application_id
    return [
        *(
            _part(letter, person, words, ids)
            .join(LetterMailing, LetterMailing.id == DecisionLetter.mailing_id)
            .where(_before_complaint(letter, at))
            for person, words, at in (
                (LetterMailing.prepared_by, "you prepared its letter of decision", LetterMailing.prepared_at),
                (LetterMailing.confirmed_by, "you had its letter of decision sent", LetterMailing.confirmed_at),
                (LetterMailing.returned_by, "you returned its letter of decision", LetterMailing.returned_at),
            )
        ),
        _part(letter, LetterText.written_by, "you wrote the words of its letter of decision", ids)
        .join(LetterMailing, LetterMailing.id == DecisionLetter.mailing_id)
        .join(
            LetterText,
            and_(
                *(LetterText.call_id == LetterMailing.call_id, LetterText.outcome == DecisionLetter.outcome),
                LetterText.number == _newest_words(),
            ),
        )
        .where(_before_complaint(letter, LetterMailing.prepared_at)),
        *(
            _part(left_out, person, words, ids).where(_before_complaint(left_out, at))
            for person, words, at in (
                (LetterLeftOut.left_out_by, LEFT_OUT, LetterLeftOut.left_out_at),
                (LetterLeftOut.told_by, LEFT_OUT, LetterLeftOut.told_at),
                (LetterLeftOut.ended_by, "you took its letter of decision in again", LetterLeftOut.ended_at),
            )
        ),
        *(
            _part(Application.id, person, "you published its result", ids)
            .join(ResultsPublication, ResultsPublication.call_id == Application.call_id)
            .where(ResultsPublication.state == MailingState.CONFIRMED.value, _before_complaint(Application.id, at))
            for person, at in (
                (ResultsPublication.prepared_by, ResultsPublication.prepared_at),
                (ResultsPublication.confirmed_by, ResultsPublication.confirmed_at),
            )
        ),
    ]


def _dropped(ids: Select[Any]) -> list[Select[Any]]:
    """Who dropped it after it was selected: a decision against it, which the record alone keeps at this stage."""
    return [
        _part(Application.id, AuditEvent.user_id, "you dropped it before its grant agreement was signed", ids)
        .join(
            AuditEvent,
            and_(AuditEvent.object_kind == Application.__tablename__, AuditEvent.object_id == Application.id),
        )
        .where(AuditEvent.verb == DROPS, _before_complaint(Application.id, AuditEvent.recorded_at)),
    ]


def _newest_words() -> Any:
    """The version of the words that stood when the letters of a mailing were prepared; those before it are in no letter of it."""
    stood = aliased(LetterText)
    return (
        select(func.max(stood.number))
        .where(
            *(stood.call_id == LetterMailing.call_id, stood.outcome == DecisionLetter.outcome),
            stood.written_at <= LetterMailing.prepared_at,
        )
        .correlate(LetterMailing, DecisionLetter)
        .scalar_subquery()
    )


def _before_complaint(application: Any, moment: Any) -> ColumnElement[bool]:
    """Whether something was done before the newest complaint was sent: what follows from a complaint is no first decision.

    Without it the letter that must leave before a complaint can be decided would take its committee from it. Of one about
    eligibility it was done before that decision reached the team.
    """
    reached = (Complaint.about == ApplicationState.INELIGIBLE.value, Complaint.reached_at)
    newest = _of_newest(application, case(reached, else_=Complaint.sent_at))
    return or_(newest.is_(None), moment <= newest)


def _of_newest(application: Any, told: Any) -> ScalarSelect[Any]:
    """A value of the newest complaint that was sent about an application, NULL where there is none."""
    found = select(told).where(Complaint.application_id == application, Complaint.sent_at.is_not(None))
    return found.order_by(Complaint.sent_at.desc()).limit(1).correlate_except(Complaint).scalar_subquery()


# What a person does to seats; that a seat falls empty because its evaluator leaves it or has a conflict is nobody’s choice.
GIVES_SEATS = ("assignment.run", "assignment.adjust", "assignment.import")
# The act of a later stage that takes a selected application out for good.
DROPS = "agreement.drop"
WROTE = "you wrote the consensus on it"
LEFT_OUT = "you left out its letter of decision"


def _part(
    application: ColumnElement[UUID] | Any, person: Any, words: str, ids: Collection[UUID] | Select[Any]
) -> Select[Any]:
    columns = (application.label("application_id"), person.label("user_id"), literal(words).label("words"))
    return select(*columns).select_from(application.class_).where(application.in_(ids))
