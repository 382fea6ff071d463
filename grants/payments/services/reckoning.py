"""Interest on what came late, whoever owes it: reckoned by one person, decided by another. What both kinds of acts share."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select

from grants.core import acts, clock
from grants.core.db import db
from grants.core.errors import Invalid
from grants.core.permissions import Actor
from grants.dossiers.rules import clean_text
from grants.payments.models import LateInterest, PaymentRequest, Recovery, RecoveryInterest
from grants.payments.services.hands import refuse_own_reckoning
from grants.payments.states import INTEREST, InterestState
from grants.rates import queries as rates
from grants.rates.rules import EURO, held_on, interest
from grants.rates.rules.converting import Interest, InterestAsked
from grants.rates.states import RateKind

Kind = TypeVar("Kind", LateInterest, RecoveryInterest)


def reckon(asked: InterestAsked, *, rate_on: date | None = None) -> tuple[Interest, int]:
    """Interest on what came late, at the rate that held on the first day of the month it was due in, and the table of it.

    ``rate_on`` is the day it was due where a part of its days bears interest already, and the others begin later.
    """
    due_on = rate_on or asked.due_on
    known = rates.rate_views(RateKind.REFERENCE, EURO, last=due_on)
    held = held_on({each.on: each.rate for each in known}, due_on)
    if held is None:
        first = clock.long_date(due_on.replace(day=1))
        raise Invalid(f"No reference rate that held on {first} is known. Bring in a table that has it.")
    made = interest(asked, held)
    return made, next(each.table for each in known if each.on == made.reference_on)


def numbers_of(actor: Actor, asked: InterestAsked, made: Interest, table_number: int) -> dict[str, Any]:
    """What is kept of it, but for what is owed: who reckoned it, from which numbers."""
    return {
        "state": InterestState.PROPOSED.value,
        "principal": asked.principal,
        "due_on": asked.due_on,
        "paid_on": asked.paid_on,
        "days": made.days,
        "reference_on": made.reference_on,
        "reference": f"{made.reference:f}",
        "table_number": table_number,
        "margin": f"{asked.margin:f}",
        "day_count": asked.day_count,
        "booked_at": acts.moment(),
        "booked_by": actor.user_id,
    }


def grow_stale(row: PaymentRequest | Recovery) -> None:
    """What is reckoned are rows of their own: a page that shows other numbers decides on nothing by them all the same."""
    db.session.flush()
    row.version += 1


def to_decide(actor: Actor, kind: type[Kind], of: ColumnElement[bool], *, nothing: str) -> list[Kind]:
    """What waits to be decided, locked, oldest payment first; refused where nothing does, or to who reckoned it."""
    waits = select(kind).where(of, kind.state == InterestState.PROPOSED.value)
    found = list(db.session.scalars(waits.order_by(kind.paid_on, kind.id).with_for_update()))
    refuse_own_reckoning(actor, found, nothing=nothing)
    return found


def decide(actor: Actor, row: LateInterest | RecoveryInterest, verb: str) -> None:
    """It is confirmed or refused, by whom and when."""
    INTEREST.move(row, verb)
    row.decided_at, row.decided_by = acts.moment(), actor.user_id


def why_refused(reason: str) -> str:
    """Why what was reckoned is refused, kept with the act; raises :class:`Invalid` where nothing is said."""
    said = clean_text(reason)
    if not said:
        raise Invalid("The reason is missing.", {"reason": "Say what is wrong with it."})
    acts.reason(said)
    return said


__all__ = ["decide", "grow_stale", "numbers_of", "reckon", "to_decide", "why_refused"]
