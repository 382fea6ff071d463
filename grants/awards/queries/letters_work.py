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
from grants.awards.queries.letters import to_mend
from grants.awards.states import LetterState, MailingState, Outcome, SelectionKind, SelectionState
from grants.calls.models import Call
from grants.calls.states import CallState
from grants.core.duties import Duty
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask
from grants.evaluation import queries as evaluation

CALLS_MAX = 50


def _duty(title: str, why: str, row: Any) -> Duty:
    return Duty(f"{title} {row.title}", why, "Open the letters", "awards.letters", {"slug": row.slug})


def _where(actor: Actor, permission: Permission, rows: list[Any]) -> list[Any]:
    return [row for row in rows if actor.may(permission, Scope.of(("call", row.id)))]


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
    rows = yield from ask(
        select(Call.id, Call.slug, Call.title)
        .join(Selection, Selection.call_id == Call.id)
        .join(SelectionItem, SelectionItem.selection_id == Selection.id)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(
            Call.state == CallState.PUBLISHED.value,
            Selection.kind == SelectionKind.RANKED.value,
            Selection.state == SelectionState.CONFIRMED.value,
            or_(and_(Call.results_public_at.is_(None), not_(letter.exists())), and_(moved, not_(of_selected.exists()))),
            not_(out.exists()),
            not_(waiting.exists()),
            not_(evaluation.in_conflict(actor.user_id)),
        )
        .distinct()
        .order_by(Call.title)
        .limit(CALLS_MAX)
    )
    why = "The list is confirmed. Look at each letter; another person sends them."
    return [
        _duty("Prepare the decision letters of", why, row)
        for row in _where(actor, Permission.SELECTION_PUBLISH_RESULTS, rows)
    ]


def to_send(actor: Actor) -> Asking[list[Duty]]:
    """Letters another person prepared, and letters that could not be sent."""
    prepared, failed = yield [
        select(Call.id, Call.slug, Call.title)
        .join(LetterMailing, LetterMailing.call_id == Call.id)
        .where(LetterMailing.state == MailingState.PREPARED.value, LetterMailing.prepared_by != actor.user_id)
        .order_by(Call.title)
        .limit(CALLS_MAX),
        select(Call.id, Call.slug, Call.title, func.count().label("number"))
        .join(Application, Application.call_id == Call.id)
        .join(DecisionLetter, DecisionLetter.application_id == Application.id)
        .where(to_mend(), not_(evaluation.in_conflict(actor.user_id)))
        .group_by(Call.id)
        .order_by(Call.title)
        .limit(CALLS_MAX),
    ]
    why = "Another person looked at each. None leaves before you have them sent."
    found = [
        _duty("Send or return the decision letters of", why, row)
        for row in _where(actor, Permission.SELECTION_CONFIRM, prepared)
    ]
    for row in _where(actor, Permission.SELECTION_CONFIRM, failed):
        many = "1 letter could not be sent" if row.number == 1 else f"{row.number} letters could not be sent"
        found.append(_duty("Mend and send again decision letters of", f"{many}. The reason stands beside each.", row))
    return found


def to_publish(actor: Actor) -> Asking[list[Duty]]:
    """Publications of results another person proposed."""
    rows = yield from ask(
        select(Call.id, Call.slug, Call.title)
        .join(ResultsPublication, ResultsPublication.call_id == Call.id)
        .where(ResultsPublication.state == MailingState.PREPARED.value, ResultsPublication.prepared_by != actor.user_id)
        .order_by(Call.title)
        .limit(CALLS_MAX)
    )
    return [
        Duty(
            f"Publish or return the results of {row.title}",
            "Another person proposed from when. Nothing is public before.",
            "Open the results",
            "awards.publishing",
            {"slug": row.slug},
        )
        for row in _where(actor, Permission.SELECTION_CONFIRM, rows)
    ]


def to_read(actor: Actor) -> Asking[list[Duty]]:
    """Letters of decision to one’s own applications that nobody of the team acknowledged."""
    own = actor.places(Permission.APPLICATION_EDIT, "application")
    rows = yield from ask(
        select(Application.reference, Application.title)
        .join(DecisionLetter, DecisionLetter.application_id == Application.id)
        .where(
            Application.id.in_(own),
            DecisionLetter.state == LetterState.SENT.value,
            DecisionLetter.acknowledged_at.is_(None),
        )
        .distinct()
        .order_by(Application.reference)
        .limit(CALLS_MAX)
    )
    return [
        Duty(
            f"Read the decision on {row.title}",
            "The letter is here. Tell the programme that you have it.",
            "Open the letter",
            "awards.letter",
            {"ref": row.reference},
        )
        for row in rows
    ]
