"""What later stages told the team of an application: the selection, the grant, the first payment. No marks, no ranks, no names."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select

from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.applications.rules import ApplicationView, Later
from grants.awards import queries as awards
from grants.awards.models import DecisionLetter, Selection, SelectionItem
from grants.awards.states import LetterState, SelectionState
from grants.calls.rules import TimeLimits
from grants.core import clock
from grants.core.together import Asking, ask, side_by_side
from grants.payments.models import PaymentOrder
from grants.payments.rules import prefinancing_due_on
from grants.payments.states import OrderState


def later(application: ApplicationView, at: datetime) -> Asking[Later]:
    """One statement; an outcome that is not told yet, by its letter or with the results, is none."""
    decided = (
        select(func.max(Selection.confirmed_at))
        .join(SelectionItem, SelectionItem.selection_id == Selection.id)
        .where(SelectionItem.application_id == application.id, Selection.state == SelectionState.CONFIRMED.value)
        # Of one that moved up the first outcome is known, by its letter.
        .where(literal(not application.outcome_unknown))
        .scalar_subquery()
    )
    paid = (
        select(func.min(PaymentOrder.value_on))
        .join(Grant, Grant.id == PaymentOrder.grant_id)
        .where(Grant.application_id == application.id, PaymentOrder.state == OrderState.EXECUTED.value)
        .scalar_subquery()
    )
    letter = (
        select(func.max(DecisionLetter.sent_at))
        .where(DecisionLetter.application_id == application.id, DecisionLetter.state == LetterState.SENT.value)
        .scalar_subquery()
    )
    about = select(
        *(Grant.reference, Grant.created_at, Grant.state, Grant.in_force_at, Grant.starts_on),
        *(Grant.prefinancing_days, Grant.before_start_days, Grant.report_days, Grant.interim_days, Grant.balance_days),
    ).where(Grant.application_id == application.id)
    asked: list[Asking[Any]] = [
        ask(select(decided.label("decided_at"), paid.label("paid_on"), letter.label("letter_sent_at"))), ask(about),
        awards.own_complaints.own_way.asking(application, at),
    ]  # fmt: skip
    (when,), grants, (complained, until) = yield from side_by_side(asked)
    for grant in grants:
        limits = TimeLimits(*grant[5:])
        signed_on = clock.in_zone(grant.in_force_at).date() if grant.in_force_at else None
        return Later(
            decided_at=when.decided_at,
            grant_reference=grant.reference,
            prepared_at=grant.created_at,
            to_sign=grant.state == GrantState.READY_TO_SIGN.value,
            signed_at=grant.in_force_at,
            starts_on=grant.starts_on,
            # What is terminated is pre-financed no more.
            payment_due_on=prefinancing_due_on(signed_on, grant.starts_on, limits)
            if signed_on and grant.state != GrantState.TERMINATED.value
            else None,
            paid_on=when.paid_on,
            complained=complained,
            complains_until=until,
            letter_sent_at=when.letter_sent_at,
        )
    return Later(
        decided_at=when.decided_at, complained=complained, complains_until=until, letter_sent_at=when.letter_sent_at
    )
