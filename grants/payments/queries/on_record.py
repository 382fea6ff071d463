"""Whether the record of acts says of every money object what stands, by whom and why (I16)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    case,
    column,
    func,
    literal,
    or_,
    select,
    union_all,
)

from grants.core.audit import AuditEvent
from grants.core.db import Row, db
from grants.core.errors import Problem
from grants.payments.models import (
    Distribution,
    LateInterest,
    PaymentBatch,
    PaymentCancellation,
    PaymentOffset,
    PaymentOrder,
    PaymentRequest,
    Recovery,
    RecoveryReceipt,
)
from grants.payments.states import (
    BatchState,
    OrderState,
    RecoveryState,
    RequestState,
)

PROBLEMS_MAX = 100

# What the record of acts must say of each money object as it stands: the columns that make its state.
RECORDED: tuple[tuple[type[Row], str], ...] = (
    (PaymentRequest, "state"),
    (PaymentRequest, "suspended_on"),
    (PaymentOrder, "state"),
    (PaymentOrder, "amount"),
    (PaymentBatch, "state"),
    (PaymentBatch, "total"),
    (Recovery, "state"),
    (Recovery, "amount"),
    (RecoveryReceipt, "amount"),
    (PaymentOffset, "amount"),
    (PaymentCancellation, "amount"),
    (LateInterest, "amount"),
    (Distribution, "state"),
    (Distribution, "amount"),
)
_WORDS = {"suspended_on": "day of suspension"}

# States that nobody brings about without saying why.
WITH_REASON = (
    RequestState.RETURNED.value,
    RequestState.REJECTED.value,
    RequestState.PARTLY_APPROVED.value,
    OrderState.CANCELLED.value,
    OrderState.BANK_REJECTED.value,
    OrderState.RETURNED.value,
    BatchState.DISCARDED.value,
    RecoveryState.PROPOSED.value,
    RecoveryState.OBSERVED.value,
    RecoveryState.CONFIRMED.value,
    RecoveryState.WAIVED.value,
)

# What the record calls an order that left, from before there were files.
EXPORTED = "exported"

# What it calls a debt that was established in one step, from before there were several: its debit note was out at once.
ESTABLISHED = "established"

# A file is made and checked by the program, as the person who built it asked.
BY_THE_PROGRAM = (BatchState.READY.value, BatchState.REFUSED.value)

# What an amended agreement or a moved maximum makes of a request that was verified for another amount; the program says why.
FOLLOWED, FELL_BACK = "payment_request.follow_agreement", (RequestState.VERIFIED.value, RequestState.REGISTERED.value)


def unrecorded() -> list[Problem]:
    """I16: what is entered on the record, less what is left again, is what stands, for each state of each money object.

    A state changed by force leaves the record one behind, a change recorded twice one ahead; an object that is gone, or
    that no act made, is named too. The order in which acts of one moment stand in the record does not matter.
    """
    every = union_all(_on_record(), *(_as_it_stands(model, name) for model, name in RECORDED)).subquery()
    off = (
        select(every.c.kind, every.c.name, every.c.id, every.c.value, func.sum(every.c.step).label("off"))
        .group_by(every.c.kind, every.c.name, every.c.id, every.c.value)
        .having(func.sum(every.c.step) != 0)
        .order_by(every.c.kind, every.c.id, every.c.name, every.c.value)
        .limit(PROBLEMS_MAX)
    )
    rows = db.session.execute(off).all()
    names = _references({(kind, object_id) for kind, _, object_id, _, _ in rows})
    return [
        Problem(
            names.get((kind, object_id), f"{kind.replace('_', ' ')} {object_id}"),
            f"I16: its {_WORDS.get(name, name)} {value} stands without an act that is on the record."
            if step < 0
            else f"I16: the record of acts says that its {_WORDS.get(name, name)} is {value}, or says it more than once.",
        )
        for kind, name, object_id, value, step in rows
    ]


def _on_record() -> Any:
    """Each value of those columns that the record says was entered (one step up) or left (one down); it is read once.

    Of an event only the columns of its kind are taken out, each once (the bare OFFSET keeps PostgreSQL from taking them out for
    every value): to take out all that changed costs three times as much.
    """
    columns = _columns_by_kind()
    places = range(max(len(names) for names in columns.values()))
    names = [
        case(
            {kind: each[place] for kind, each in columns.items() if place < len(each)},
            value=AuditEvent.object_kind,
        )
        for place in places
    ]
    event = (
        select(
            *(AuditEvent.object_kind.label("kind"), AuditEvent.object_id.label("id")),
            *(name.label(f"name{place}") for place, name in enumerate(names)),
            *(AuditEvent.changes[name].label(f"pair{place}") for place, name in enumerate(names)),
        )
        .where(AuditEvent.object_kind.in_(columns))
        .offset(0)
        .subquery("event")
    )
    # Both sides of each pair. No VALUES: SQLAlchemy keeps no statement that has one, and would write this anew each time.
    sides = (
        func.generate_series(0, 2 * len(places) - 1).table_valued(column("number", Integer)).render_derived().c.number
    )
    said_at = select((sides // 2).label("place"), (sides % 2).label("side")).subquery("said_at")

    def of_place(word: str) -> ColumnElement[Any]:
        return case({place: event.c[f"{word}{place}"] for place in places}, value=said_at.c.place)

    said = of_place("pair").op("->>", return_type=Text())(said_at.c.side)
    value = case(
        ((event.c.kind == PaymentOrder.__tablename__) & (said == EXPORTED), literal(OrderState.SENT.value)),
        ((event.c.kind == Recovery.__tablename__) & (said == ESTABLISHED), literal(RecoveryState.ISSUED.value)),
        else_=said,
    )
    return (
        select(
            event.c.kind,
            of_place("name").label("name"),
            event.c.id,
            value.label("value"),
            case((said_at.c.side == 1, 1), else_=-1).label("step"),
        )
        .select_from(event)
        .join(said_at, said.is_not(None))
    )


def _columns_by_kind() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for model, name in RECORDED:
        found.setdefault(model.__tablename__, []).append(name)
    return found


def _as_it_stands(model: type[Row], name: str) -> Any:
    stands = getattr(model, name)
    statement = select(
        literal(model.__tablename__).label("kind"),
        literal(name).label("name"),
        model.id.label("id"),
        stands.cast(Text).label("value"),
        literal(-1).label("step"),
    ).where(stands.is_not(None))
    if (model, name) == (PaymentBatch, "state"):
        # The lists of before files were checked left as they were made: they had no state to record, and get no other.
        # What was entered by the record of a file sent elsewhere has no account either, and an id of its own.
        entered = PaymentBatch.message_id != PaymentBatch.reference
        statement = statement.where(PaymentBatch.own_account_id.is_not(None) | entered)
    return statement


def _references(wanted: set[tuple[str, UUID]]) -> dict[tuple[str, UUID], str]:
    found: dict[tuple[str, UUID], str] = {}
    for model in (PaymentRequest, PaymentOrder, PaymentBatch, Recovery):
        ids = [object_id for kind, object_id in wanted if kind == model.__tablename__]
        for object_id, reference in db.session.execute(select(model.id, model.reference).where(model.id.in_(ids))):
            found[model.__tablename__, object_id] = reference
    return found


def without_reason() -> list[Problem]:
    """I16: changes of state after the first that no person made, and those to a state that needs a reason without one.

    A clock is stopped and goes on by a person with a reason. What was verified for another amount falls back by the program.
    """
    state = AuditEvent.changes["state"]
    kinds = [model.__tablename__ for model, name in RECORDED if name == "state"]
    # What is taken out of an event is taken out once.
    event = (
        select(
            *(AuditEvent.id, AuditEvent.recorded_at, AuditEvent.object_kind, AuditEvent.object_id),
            *(AuditEvent.verb, AuditEvent.user_id, AuditEvent.reason),
            *(state[0].astext.label("before"), state[1].astext.label("after")),
            AuditEvent.changes.has_key("suspended_on").label("held"),
        )
        .where(AuditEvent.object_kind.in_(kinds))
        .offset(0)
        .subquery("event")
        .c
    )
    # A partner that confirms what was passed on to it gives no reason; its refusal has one by a check of its table.
    needed = event.after.in_(WITH_REASON) & (event.object_kind != Distribution.__tablename__)
    fell_back = (event.verb == FOLLOWED) & (event.before == FELL_BACK[0]) & (event.after == FELL_BACK[1])
    due: ColumnElement[bool] = (needed | event.held | fell_back) & event.reason.is_(None)
    moved = event.before.is_not(None) & event.after.not_in(BY_THE_PROGRAM) & ~fell_back
    nobody: ColumnElement[bool] = (moved | event.held) & event.user_id.is_(None)
    statement = (
        select(event.object_kind, event.object_id, event.after, nobody)
        .where(or_(due, nobody))
        .order_by(event.recorded_at, event.id)
        .limit(PROBLEMS_MAX)
    )
    rows = db.session.execute(statement).all()
    names = _references({(kind, object_id) for kind, object_id, *_ in rows})
    return [
        Problem(
            names.get((kind, object_id), f"{kind.replace('_', ' ')} {object_id}"),
            f"I16: {_became(value)} by {'nobody' if alone else 'an act that gives no reason'}.",
        )
        for kind, object_id, value, alone in rows
    ]


def _became(state: str | None) -> str:
    return f"it became {state}" if state else "its clock was stopped or let go on"
