"""What people must do about decision letters: prepare, send, mend, read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, not_, or_, select

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards.models import (
    DecisionLetter,
    LetterLeftOut,
    LetterMailing,
    ResultsPublication,
    Selection,
    SelectionItem,
)
from grants.awards.queries.held import EVERY, held
from grants.awards.queries.letters import to_mend
from grants.awards.states import LetterState, MailingState, Outcome, SelectionKind, SelectionState
from grants.calls.models import Call
from grants.calls.states import CallState
from grants.core.duties import DUTIES_MAX, Duty, every, with_the_rest
from grants.core.permissions import Actor, Permission
from grants.core.text import ended
from grants.core.together import Asking, ask
from grants.evaluation import queries as evaluation


def _duty(title: str, why: str, row: Any) -> Duty:
    return Duty(f"{title} {row.title}", why, "Open the letters", "awards.letters", {"slug": row.slug})


def to_prepare(actor: Actor) -> Asking[list[Duty]]:
    """Calls with a confirmed list of which somebody is not told yet, as long as their results are not public, or who moved up."""
    letter = select(DecisionLetter.id).where(
        DecisionLetter.selection_id == Selection.id,
        DecisionLetter.application_id == SelectionItem.application_id,
        DecisionLetter.state != LetterState.DROPPED.value,
    )
    # Who moved up from the reserve list learns it by another letter, published or not.
    moved = Application.told_state == ApplicationState.RESERVE.value
    of_selected = letter.where(DecisionLetter.outcome == Outcome.SELECTED.value)
    out = select(LetterLeftOut.id).where(
        LetterLeftOut.application_id == SelectionItem.application_id, LetterLeftOut.ended_at.is_(None)
    )
    waiting = select(LetterMailing.id).where(
        LetterMailing.call_id == Call.id, LetterMailing.state == MailingState.PREPARED.value
    )
    # Why the newest mailing was given back; null where none was, or it was prepared again since.
    returned = (
        select(LetterMailing.return_reason)
        .where(LetterMailing.call_id == Call.id)
        .order_by(LetterMailing.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = yield from ask(
        select(
            Call.slug,
            Call.title,
            returned.label("returned"),
            func.bool_and(func.coalesce(moved, False)).label("moved"),
            EVERY,
        )
        .join(Selection, Selection.call_id == Call.id)
        .join(SelectionItem, SelectionItem.selection_id == Selection.id)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(
            Call.state == CallState.PUBLISHED.value,
            Selection.kind == SelectionKind.RANKED.value,
            Selection.state == SelectionState.CONFIRMED.value,
            or_(
                # Letters that were returned are asked for by somebody, whatever was published meanwhile.
                and_(or_(Call.results_public_at.is_(None), returned.is_not(None)), not_(letter.exists())),
                and_(moved, not_(of_selected.exists())),
            ),
            not_(out.exists()),
            not_(waiting.exists()),
            not_(evaluation.in_conflict(actor.user_id)),
            held(actor, Permission.SELECTION_PUBLISH_RESULTS),
        )
        .group_by(Call.id)
        .order_by(Call.title)
        .limit(DUTIES_MAX)
    )
    found = [
        _duty("Prepare again the letters of" if row.returned else "Prepare the decision letters of", _why(row), row)
        for row in rows
    ]
    return with_the_rest(found, every(rows), "Prepare decision letters")


def _why(row: Any) -> str:
    """What is to be done with the letters of a call now."""
    if row.returned:
        return f"They were returned: {ended(row.returned)} Mend what is asked for; another person sends them then."
    if row.moved:
        return "Who moved up from the reserve list learns it by another letter; another person sends it."
    return "The list is confirmed. Look at each letter; another person sends them."


def to_send(actor: Actor) -> Asking[list[Duty]]:
    """Letters another person prepared, and letters that could not be sent."""
    held_here = held(actor, Permission.SELECTION_CONFIRM)
    prepared, failed = yield [
        select(Call.slug, Call.title, EVERY)
        .join(LetterMailing, LetterMailing.call_id == Call.id)
        .where(
            LetterMailing.state == MailingState.PREPARED.value, LetterMailing.prepared_by != actor.user_id, held_here
        )
        .order_by(Call.title)
        .limit(DUTIES_MAX),
        select(Call.slug, Call.title, func.count().label("number"), EVERY)
        .join(Application, Application.call_id == Call.id)
        .join(DecisionLetter, DecisionLetter.application_id == Application.id)
        .where(to_mend(), not_(evaluation.in_conflict(actor.user_id)), held_here)
        .group_by(Call.id)
        .order_by(Call.title)
        .limit(DUTIES_MAX),
    ]
    why = "Another person looked at each. None leaves before you have them sent."
    found = [_duty("Send or return the decision letters of", why, row) for row in prepared]
    found = with_the_rest(found, every(prepared), "Send or return decision letters")
    mended = []
    for row in failed:
        many = "1 letter could not be sent" if row.number == 1 else f"{row.number} letters could not be sent"
        mended.append(_duty("Mend and send again decision letters of", f"{many}. The reason stands beside each.", row))
    return found + with_the_rest(mended, every(failed), "Mend and send again decision letters")


def to_publish(actor: Actor) -> Asking[list[Duty]]:
    """Publications of results another person proposed."""
    rows = yield from ask(
        select(Call.slug, Call.title, EVERY)
        .join(ResultsPublication, ResultsPublication.call_id == Call.id)
        .where(
            ResultsPublication.state == MailingState.PREPARED.value,
            ResultsPublication.prepared_by != actor.user_id,
            held(actor, Permission.SELECTION_CONFIRM),
        )
        .order_by(Call.title)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Publish or return the results of {row.title}",
            "Another person proposed from when. Nothing is public before.",
            "Open the results",
            "awards.publishing",
            {"slug": row.slug},
        )
        for row in rows
    ]
    return with_the_rest(found, every(rows), "Publish or return results")


def to_read(actor: Actor) -> Asking[list[Duty]]:
    """Letters of decision to one’s own applications that nobody of the team acknowledged."""
    own = actor.places(Permission.APPLICATION_EDIT, "application")
    rows = yield from ask(
        select(Application.reference, Application.title, EVERY)
        .join(DecisionLetter, DecisionLetter.application_id == Application.id)
        .where(
            Application.id.in_(own),
            DecisionLetter.state == LetterState.SENT.value,
            DecisionLetter.acknowledged_at.is_(None),
        )
        .group_by(Application.id)
        .order_by(Application.reference)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Read the decision on {row.title}",
            "The letter is here. Tell the programme that you have it.",
            "Open the letter",
            "awards.letter",
            {"ref": row.reference},
        )
        for row in rows
    ]
    return with_the_rest(found, every(rows), "Read decisions", ("application", "applications"), "applications.index")
