"""What the programme ruled on the applications of a team, as lines of what happened lately."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from grants.applications import queries as applications
from grants.applications.models import Application, EligibilityCheck, EligibilityLetter
from grants.applications.states import ApplicationState, Verdict
from grants.awards.models import Complaint, DecisionLetter, Selection, SelectionItem, SelectionMove
from grants.awards.states import ComplaintState, LetterState, Outcome, Remedy, SelectionState
from grants.calls.models import Call
from grants.core.permissions import Actor
from grants.core.permissions import Permission as P
from grants.core.together import Asking
from grants.oversight import rules
from grants.oversight.queries.places import Named
from grants.oversight.queries.sentences import Line


def of_team(actor: Actor, permission: P) -> ColumnElement[bool]:
    """Applications whose own people this person belongs to, and grants that came of them."""
    return Application.id.in_(actor.places(permission, "application") - actor.barred("application"))


def verdicts(actor: Actor, rows_max: int) -> Asking[list[Line]]:
    """What the programme ruled on this person's applications, and wrote to them: eligibility, then the selection."""
    told_at = func.coalesce(EligibilityLetter.sent_at, EligibilityCheck.decided_at)
    letter_sent_at = (
        select(func.max(DecisionLetter.sent_at))
        .where(DecisionLetter.application_id == Application.id, DecisionLetter.state == LetterState.SENT.value)
        .scalar_subquery()
    )
    # Where no letter told it and something else is kept as told before, the publication did.
    published_at = case(
        (
            and_(Application.told_state.is_not(None), ~applications.untold()),
            select(Call.results_public_at).where(Call.id == Application.call_id).scalar_subquery(),
        )
    )
    # Lists from before the letters told were told when they were confirmed; so is what was published elsewhere. A move that
    # the team does not know moves no line.
    moved_at = case((applications.untold(), None), else_=SelectionMove.confirmed_at)
    confirmed_at = func.coalesce(letter_sent_at, published_at, moved_at, Selection.confirmed_at)
    # Who moved up from the reserve list learns it by another letter.
    outcome = case(
        (applications.untold(), Application.told_state),
        (SelectionMove.id.is_not(None), Outcome.SELECTED.value),
        else_=SelectionItem.outcome,
    )
    eligibility, selections, complaints = yield [
        select(
            *(EligibilityCheck.id, told_at.label("told_at"), Application.id, Application.reference),
            *(Application.title, EligibilityCheck.verdict, EligibilityCheck.reason),
        )
        .join(Application, Application.id == EligibilityCheck.application_id)
        .outerjoin(EligibilityLetter, EligibilityLetter.check_id == EligibilityCheck.id)
        .where(
            of_team(actor, P.APPLICATION_EDIT),
            EligibilityCheck.decided_at.is_not(None),
            Application.state != ApplicationState.SUBMITTED.value,
        )
        .order_by(told_at.desc(), EligibilityCheck.id)
        .limit(rows_max),
        select(
            *(SelectionItem.id, confirmed_at.label("told_at"), Application.id, Application.reference),
            *(Application.title, outcome, SelectionItem.amount),
        )
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .outerjoin(
            SelectionMove,
            and_(
                SelectionMove.application_id == SelectionItem.application_id,
                SelectionMove.selection_id == SelectionItem.selection_id,
                SelectionMove.state == SelectionState.CONFIRMED.value,
            ),
        )
        .join(Application, Application.id == SelectionItem.application_id)
        .where(of_team(actor, P.APPLICATION_EDIT), Selection.state == SelectionState.CONFIRMED.value)
        .where(or_(~applications.untold(), applications.untold_when_public()))
        .order_by(confirmed_at.desc(), SelectionItem.id)
        .limit(rows_max),
        select(
            *(Complaint.id, Complaint.decided_at.label("told_at"), Application.id, Application.reference),
            *(Application.title, Complaint.state, Complaint.remedy),
        )
        .join(Application, Application.id == Complaint.application_id)
        .where(of_team(actor, P.APPLICATION_EDIT), Complaint.decided_at.is_not(None))
        .order_by(Complaint.decided_at.desc(), Complaint.id)
        .limit(rows_max),
    ]
    told = [
        *((row, "application.send_letter", rules.declared_words(Verdict(row[5]), row[6])) for row in eligibility),
        *((row, "selection.confirm", rules.outcome_words(Outcome(row[5]), row[6])) for row in selections),
        *((row, "complaint.decide", _second(row[5], row[6])) for row in complaints),
    ]
    return [
        Line(
            row[0], row[1], "The programme", None, "", verb, before,
            Named("application", row[2], row[3], row[4], _OPENS.get(verb, "applications.show"), "ref", row[3]), "", after,
        )
        for row, verb, (before, after) in told
    ]  # fmt: skip


# Where what was told is read, unless on the page of the application.
_OPENS = {"complaint.decide": "awards.own_complaint"}


def _second(state: str, remedy: str | None) -> tuple[str, str]:
    return rules.complaint_words(ComplaintState(state), Remedy(remedy) if remedy else None)
