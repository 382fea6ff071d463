"""What people of awards must do next."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, or_, select

from grants.applications.models import Application
from grants.applications.states import Origin
from grants.awards.models import ResultsPublication, Selection
from grants.awards.queries import complaints_work, letters_work, panel_work, withholding
from grants.awards.queries.held import EVERY, held
from grants.awards.queries.publication import WITHOUT_RESULT
from grants.awards.rules import NOT_TOLD
from grants.awards.states import MailingState, SelectionKind, SelectionState
from grants.calls.models import Call
from grants.calls.states import CallState
from grants.core.duties import DUTIES_MAX, Duty, every, with_the_rest
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.models import Consensus
from grants.evaluation.states import ConsensusState


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """Lists and moves to decide and to confirm, meetings, minutes, results to publish. At most four statements."""
    del at
    kinds = (
        (Permission.SELECTION_CONFIRM, _to_confirm),
        (Permission.SELECTION_DECIDE, _to_decide),
        (Permission.SELECTION_PUBLISH_RESULTS, _to_publish),
        (Permission.SELECTION_PUBLISH_RESULTS, letters_work.to_prepare),
        (Permission.SELECTION_CONFIRM, letters_work.to_send),
        (Permission.SELECTION_CONFIRM, letters_work.to_publish),
        (Permission.SELECTION_CONFIRM, withholding.to_confirm),
        (Permission.APPLICATION_EDIT, letters_work.to_read),
        (Permission.PANEL_READ, panel_work.to_attend),
        (Permission.PANEL_READ, panel_work.to_sign),
        (Permission.SELECTION_CONFIRM, panel_work.shifts_to_confirm),
        (Permission.SELECTION_CONFIRM, panel_work.moves_to_confirm),
        (Permission.SELECTION_DECIDE, panel_work.moves_to_decide),
        (Permission.COMPLAINT_DECIDE, complaints_work.to_handle),
        (Permission.ASSIGNMENT_DECIDE, complaints_work.to_see_through),
        (Permission.APPLICATION_SUBMIT, complaints_work.to_send),
    )
    found = yield from side_by_side(kind(actor) for permission, kind in kinds if actor.can(permission))
    return tuple(duty for duties in found for duty in duties)


def _to_confirm(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from ask(
        select(Call.slug, Call.title, Selection.number, EVERY)
        .join(Selection, Selection.call_id == Call.id)
        .where(Selection.state == SelectionState.DECIDED.value, Selection.decided_by != actor.user_id)
        .where(held(actor, Permission.SELECTION_CONFIRM))
        .order_by(Selection.decided_at)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Confirm or return the selection of {title}",
            f"The money is reserved only then. {NOT_TOLD}",
            "Open the decision",
            "awards.selection",
            {"slug": slug, "number": number},
        )
        for slug, title, number, _ in rows
    ]
    return with_the_rest(found, every(rows), "Confirm or return selections")


def _to_decide(actor: Actor) -> Asking[list[Duty]]:
    """Calls in which every application sent in has an official score by the rule of its call or is out, and no list is open or confirmed."""
    agreed = func.count(Consensus.id).filter(Consensus.state == ConsensusState.AGREED.value)
    by_mean, assessed = evaluation.by_mean(), func.count(Application.id).filter(evaluation.all_sheets_in())
    standing = (
        select(Selection.id)
        .where(
            Selection.call_id == Call.id,
            or_(
                Selection.state == SelectionState.DECIDED.value,
                and_(Selection.state == SelectionState.CONFIRMED.value, Selection.kind == SelectionKind.RANKED.value),
            ),
        )
        .exists()
    )
    rows = yield from ask(
        select(Call.slug, Call.title, by_mean.label("by_mean"), EVERY)
        .join(Application, Application.call_id == Call.id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(
            Application.state.in_(WITHOUT_RESULT),
            Application.origin == Origin.SUBMITTED_HERE.value,
            ~standing,
            held(actor, Permission.SELECTION_DECIDE),
        )
        .group_by(Call.id)
        .having(or_(agreed == func.count(Application.id), and_(by_mean, assessed == func.count(Application.id))))
        .order_by(Call.reference)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Decide the ranked list of {title}",
            "Every application has every assessment." if means else "Every application has an agreed consensus.",
            "Open the ranking",
            "awards.ranking",
            {"slug": slug},
        )
        for slug, title, means, _ in rows
    ]
    return with_the_rest(found, every(rows), "Decide ranked lists")


def _to_publish(actor: Actor) -> Asking[list[Duty]]:
    """Calls with a confirmed list whose results nobody has published, once every applicant has a result."""
    here = Selection.call_id == Call.id
    confirmed = select(Selection.id).where(here, Selection.state == SelectionState.CONFIRMED.value).exists()
    open_list = select(Selection.id).where(here, Selection.state == SelectionState.DECIDED.value).exists()
    waiting = (
        select(Application.id)
        .where(
            Application.call_id == Call.id,
            Application.origin == Origin.SUBMITTED_HERE.value,
            Application.state.in_(WITHOUT_RESULT),
        )
        .exists()
    )
    proposed = (
        select(ResultsPublication.id)
        .where(ResultsPublication.call_id == Call.id, ResultsPublication.state == MailingState.PREPARED.value)
        .exists()
    )
    rows = yield from ask(
        select(Call.slug, Call.title, EVERY)
        .where(
            held(actor, Permission.SELECTION_PUBLISH_RESULTS),
            Call.state == CallState.PUBLISHED.value,
            Call.results_public_at.is_(None),
            confirmed,
            ~open_list,
            ~waiting,
            ~proposed,
        )
        .order_by(Call.reference)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Publish the results of {title}",
            "Once every applicant has a letter. Until then people with a conflict see nothing of what they are kept from.",
            "Publish the results",
            "awards.publishing",
            {"slug": slug},
        )
        for slug, title, _ in rows
    ]
    return with_the_rest(found, every(rows), "Publish results")
