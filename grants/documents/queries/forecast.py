"""The forecast of payments as it was kept last before a moment: the same whenever it is asked for, held against the ledger of then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db, get
from grants.core.money import ZERO, Money, total
from grants.documents.queries import movements
from grants.documents.queries.marks import Marks, marks
from grants.documents.queries.movements import Place
from grants.documents.queries.overview import ON_PAPER, known_at
from grants.documents.queries.payments import paid_by_orders
from grants.documents.queries.scopes import call_ids, scope_of
from grants.documents.rules import (
    SYNTHETIC,
    Cell,
    Check,
    Column,
    ColumnKind,
    Figures,
    ScopeKind,
    Table,
    Thing,
    agreeing,
    with_totals,
)
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.payments import queries as payments
from grants.payments.rules.forecasting import KeptLine, LineKind, month_words
from grants.programmes.models import Programme

NAME, TITLE = "payment-forecast", "Forecast of payments"
KINDS = (ScopeKind.CALL, ScopeKind.PROGRAMME)
MONEY, DATE = ColumnKind.MONEY, ColumnKind.DATE
DUE = (Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED)
PAID, ALL = (Account.CONSUMED.value,), (Account.BUDGET_AUTHORISED.value,)

# The parts of the ceiling in their order: words, the kinds of lines that are added, and the accounts behind them.
PARTS: tuple[tuple[str, frozenset[LineKind], tuple[str, ...]], ...] = (
    ("Paid", frozenset({LineKind.PAID}), PAID),
    ("Due", frozenset({LineKind.DUE}), tuple(account.value for account in DUE)),
    ("Forecast", frozenset({LineKind.PREFINANCING, LineKind.ADDITIONAL, LineKind.INTERIM, LineKind.BALANCE}), (Account.LEGALLY_COMMITTED.value,)),
    ("Reserved, not signed", frozenset({LineKind.RESERVED}), (Account.RESERVED.value, Account.COMMITTED.value)),
    ("Comes back at closing", frozenset({LineKind.GIVEN_BACK}), (Account.LEGALLY_COMMITTED.value,)),
    ("Free", frozenset({LineKind.FREE}), (Account.AVAILABLE.value,)),
)  # fmt: skip


def payment_forecast(reference: str, as_of: datetime) -> Figures:
    """What was forecast for a call or a programme when it was kept last, with the whole ceiling around it."""
    found = scope_of(KINDS, reference)
    ids = call_ids(found)
    snapshot, every = payments.kept_before(as_of)
    lines = [line for line in every if line.call_id in ids]
    calls = db.session.scalars(select(Call).where(Call.id.in_(ids)).order_by(Call.reference)).all()
    wanted = {line.grant_id for line in lines if line.grant_id}
    grants = db.session.scalars(select(Grant).where(Grant.id.in_(wanted)).order_by(Grant.reference)).all()
    marked = marks(calls, wanted)
    programme = get(Programme, found.id if found.kind is ScopeKind.PROGRAMME else calls[0].programme_id)
    ceiling = total(line.amount for line in lines if line.kind is LineKind.CEILING)
    kept = (
        f"{clock.long_date(clock.in_zone(snapshot.as_of).date())}, {clock.in_zone(snapshot.as_of):%H:%M}"
        if snapshot
        else ""
    )
    return Figures(
        name=NAME,
        title=TITLE,
        scope_kind=found.kind,
        scope_reference=found.reference,
        scope_title=found.title,
        programme=programme.name,
        as_of=as_of,
        summary=(("Ceiling", ceiling), *((label, _sum(lines, kinds)) for label, kinds, _ in PARTS)),
        behind=(ALL, *(accounts for _, _, accounts in PARTS)),
        tables=(
            _where_it_is(lines, calls, grants, marked),
            _by_month(lines),
            _payments_to_come(lines, grants),
            *([agreeing(_checks(lines, ids, snapshot.as_of, ceiling))] if snapshot else []),
        ),
        notes=(
            *([f"The forecast {snapshot.reference}, kept on {kept} Brussels time."] if snapshot else []),
            "Amounts in euros. Forecast is what signed grants are still expected to be paid, at most and if what it waits for comes in time.",
            "Paid, due, forecast, reserved, what comes back at closing and free are together the ceiling.",
        ),
        synthetic=marked.words,
        nothing="" if snapshot else "No forecast was kept by then; the program keeps one at the beginning of each month.",
    )  # fmt: skip


def _sum(lines: Sequence[KeptLine], kinds: frozenset[LineKind]) -> Money:
    return total(line.amount for line in lines if line.kind in kinds and not line.is_reserved)


def _where_it_is(lines: Sequence[KeptLine], calls: Sequence[Call], grants: Sequence[Grant], marked: Marks) -> Table:
    """A line for each grant, and one for each call with what is in no signed agreement: each the sum of its parts."""
    of_grant: dict[UUID | None, list[KeptLine]] = {}
    for line in lines:
        of_grant.setdefault(line.grant_id, []).append(line)
    rows: list[tuple[Cell, ...]] = []
    for grant in grants:
        own = _parts(of_grant[grant.id])
        if any(own):
            rows.append((grant.reference, grant.acronym or grant.title, total(own), *own, marked.of(grant.id)))
    for call in calls:
        own = _parts([line for line in of_grant.get(None, ()) if line.call_id == call.id])
        if any(own):
            rows.append((call.reference, "In no signed agreement", total(own), *own, marked.of(None)))
    columns = (
        Column("Grant or call", share=3),
        Column("Pilot", share=3),
        Column("Ceiling", MONEY),
        *(Column(label, MONEY) for label, _, _ in PARTS),
        Column(SYNTHETIC),
    )
    return with_totals("Where the ceiling is", columns, rows)


def _parts(lines: Sequence[KeptLine]) -> tuple[Money, ...]:
    return tuple(_sum(lines, kinds) for _, kinds, _ in PARTS)


def _to_come(lines: Sequence[KeptLine]) -> list[KeptLine]:
    return [line for line in lines if line.kind.payment is not None]


def _by_month(lines: Sequence[KeptLine]) -> Table:
    sums: dict[date, tuple[Money, Money]] = {}
    for line in _to_come(lines):
        assert line.month is not None, "a payment to come has its day"
        signed, reserved = sums.get(line.month, (ZERO, ZERO))
        sums[line.month] = (signed, reserved + line.amount) if line.is_reserved else (signed + line.amount, reserved)
    return with_totals(
        "By month",
        (Column("Month"), Column("Forecast", MONEY), Column("Of what is reserved", MONEY)),
        [(month_words(month), *sums[month]) for month in sorted(sums)],
    )


def _payments_to_come(lines: Sequence[KeptLine], grants: Sequence[Grant]) -> Table:
    names: Mapping[UUID, Grant] = {grant.id: grant for grant in grants}
    rows = [
        (line.due_on, names[line.grant_id].reference, line.name, line.because, line.amount)
        for line in sorted(_to_come(lines), key=lambda each: (each.due_on or date.max, str(each.grant_id), each.kind))
        if line.grant_id is not None and line.grant_id in names
    ]
    columns = (
        Column("Expected on", DATE),
        Column("Grant", share=3, of=Thing.GRANT),
        Column("Payment", share=3),
        Column("Waits for", share=5),
        Column("At most", MONEY),
    )
    return with_totals("Payments to come", columns, rows)


def _checks(lines: Sequence[KeptLine], ids: Sequence[UUID], moment: datetime, ceiling: Money) -> list[Check]:
    """The identity, and the books as they were known when it was kept."""
    wanted = (Account.BUDGET_AUTHORISED, *DUE)
    books = [
        row
        for row in ledger.balances(by=("call_id",), accounts=wanted, as_of=known_at(moment))
        if row.dims.call_id in ids
    ]
    there = total(row.amount for row in books if row.account is Account.BUDGET_AUTHORISED)
    due = total(row.amount for row in books if row.account in DUE)
    parts = {label: _sum(lines, kinds) for label, kinds, _ in PARTS}
    paid = paid_by_orders(Place(call_ids=tuple(ids)), movements.at(moment))
    return [
        Check("Ceiling", ceiling, "its parts: paid, due, forecast, reserved, what comes back, free", total(parts.values())),
        Check("Ceiling", ceiling, "the budget in the ledger, as known when this was kept", there),
        Check("Due", parts["Due"], "the accounts of what is payable, in transit and returned", due),
        Check("Paid", parts["Paid"], ON_PAPER, paid),
    ]  # fmt: skip
