"""Counts of payments, and the checks of all requests and orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Text,
    and_,
    case,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy import cast as as_type

from grants.agreements.models import BankAccount, Grant
from grants.agreements.states import PaymentKind
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.files import StoredFile
from grants.core.money import ZERO, Money
from grants.ledger import queries as books
from grants.ledger import rules as ledger_rules
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry
from grants.ledger.queries import Standing
from grants.ledger.rules import Balances
from grants.ledger.rules.proofs import Checked
from grants.payments import rules
from grants.payments.models import (
    PaymentBatch,
    PaymentOrder,
    PaymentOrderSignature,
    PaymentRequest,
    PaymentRequestPart,
    Recovery,
    RecoveryReceipt,
)
from grants.payments.queries import bank_proofs
from grants.payments.queries.circuit import circuits
from grants.payments.queries.finals import final_problems
from grants.payments.queries.offsets import set_off_cents
from grants.payments.queries.on_record import unrecorded, without_reason
from grants.payments.queries.orders import ROWS_MAX, order_views
from grants.payments.queries.recoveries import rejected_later
from grants.payments.states import (
    AT_BANK,
    BOOKED,
    CAME_BACK,
    BatchState,
    OrderState,
    Step,
)

PROBLEMS_MAX = 100
NOTHING = Balances({})

# What the ledger booked of an order, by its state: the last word of each key.
LEFT = (*AT_BANK, OrderState.EXECUTED, *CAME_BACK)
_AFTER_ALL = (
    select(LedgerEntry.id)
    .where(LedgerEntry.source_key == func.concat("payment_order:", PaymentOrder.id, ":after_all"))
    .correlate(PaymentOrder)
    .exists()
)
BOOKED_OF = {
    "sent": (LEFT, PaymentOrder.reissue_of.is_(None)),
    "reissued": (LEFT, PaymentOrder.reissue_of.is_not(None)),
    "booked": (BOOKED, true()),
    # What the bank carried out after it had rejected it keeps both words.
    "rejected": (
        (OrderState.BANK_REJECTED, *BOOKED),
        (PaymentOrder.state == OrderState.BANK_REJECTED.value) | _AFTER_ALL,
    ),
    "after_all": (BOOKED, _AFTER_ALL),
    "returned": ((OrderState.RETURNED,), true()),
}


def verify() -> tuple[Problem, ...]:
    """I8, I9, I11 to I16 over all requests and orders; empty is right. Assembled with the ledger's own checks in oversight."""
    return tuple(problem for each in checked() for problem in each.problems)


def checked(stands: Standing | None = None) -> Iterator[Checked]:
    """The invariants of requests, orders, files and recoveries, one after the other."""
    found = stands or books.standing()
    requests, orders, batches, recoveries, receipts = _counts()
    statement = select(Grant.id, Grant.reference, Grant.maximum, Grant.interim_ceiling, Grant.final_amount)
    grants = db.session.execute(statement.where(Grant.in_force_at.is_not(None)).order_by(Grant.reference)).all()
    final = [grant for grant in grants if grant.final_amount is not None]
    before = [grant for grant in grants if grant.final_amount is None]
    yield Checked(
        "I8",
        "Nothing above the ceiling is authorised, paid or retained before the balance.",
        len(before),
        "grants",
        tuple(_over_ceiling(before, found)),
    )
    yield Checked(
        "I9",
        "The final amount is what the balance approved, within each of its limits: maximum, accepted, rate, certificates, profit.",
        len(final),
        "grants",
        tuple(_not_final(final, found)),
    )
    yield Checked(
        "I11",
        "The parts of each decided request, by partner and category, sum to what was decided.",
        requests,
        "requests",
        tuple(_parts_off()),
    )
    booked = [*_unbooked(), *_other_days(), *_above_request()]
    yield Checked(
        "I12",
        "Each order is within its request, and the ledger booked it once and as of its value date.",
        orders,
        "orders",
        tuple(booked),
    )
    yield Checked(
        "I13",
        "Each file holds the orders and the money it says, where it was sent they left, and it is the one that was frozen.",
        batches,
        "files",
        tuple(_other_batches()),
    )
    yield bank_proofs.checked()
    yield Checked(
        "I15",
        "The people of the circuit differ, signed for this amount, and approved no account of their own.",
        orders,
        "orders",
        tuple(_circuits()),
    )
    yield Checked(
        "I16",
        "Each change of state is on the record once, by a person, with a reason where one is due.",
        requests + orders + batches + recoveries + receipts,
        "money objects",
        tuple([*unrecorded(), *without_reason()]),
    )


def _counts() -> tuple[int, ...]:
    models = (PaymentRequest, PaymentOrder, PaymentBatch, Recovery, RecoveryReceipt)
    counted = [select(func.count()).select_from(model).scalar_subquery() for model in models]
    return tuple(db.session.execute(select(*counted)).one())


def _circuits() -> Iterator[Problem]:
    """I15 and the amounts of I12, by the pure rule, for the orders of which the database says that something may be wrong."""
    signed = {
        Step.PREPARED: PaymentOrder.prepared_by,
        Step.VERIFIED: PaymentOrder.verified_by,
        Step.AUTHORISED: PaymentOrder.authorised_by,
        Step.SENT: PaymentOrder.sent_by,
    }
    signature = PaymentOrderSignature
    agrees = signature.user_id == case(*((signature.step == step.value, person) for step, person in signed.items()))
    people = func.num_nonnulls(*signed.values())
    twice = [first == second for place, first in enumerate(signed.values()) for second in list(signed.values())[:place]]
    own = [
        person == approved
        for person in (BankAccount.entered_by, BankAccount.confirmed_by)
        for approved in (PaymentOrder.verified_by, PaymentOrder.authorised_by)
    ]
    statement = (
        select(PaymentOrder)
        .join(BankAccount, BankAccount.id == PaymentOrder.bank_account_id)
        .outerjoin(signature, and_(signature.order_id == PaymentOrder.id, signature.voided_at.is_(None)))
        .group_by(PaymentOrder.id, BankAccount.id)
        .having(
            or_(
                *(func.coalesce(each, False) for each in (*twice, *own)),
                func.count(signature.id) != people,
                func.count(signature.id).filter(agrees) != people,
                func.count(signature.id).filter(signature.amount != PaymentOrder.amount) > 0,
            )
        )
        .order_by(PaymentOrder.reference)
    )
    rows = db.session.scalars(statement).all()
    known = circuits()
    for start in range(0, len(rows), ROWS_MAX):
        for view in order_views(rows[start : start + ROWS_MAX]):
            yield from rules.circuit_problems(view, known)


def _unbooked() -> list[Problem]:
    """I12: every order that left is booked as sent, every executed one as booked, and no other."""
    expected = union_all(
        *(
            select(
                func.concat("payment_order:", PaymentOrder.id, f":{word}").label("key"), PaymentOrder.reference
            ).where(PaymentOrder.state.in_([state.value for state in states]), kind)
            for word, (states, kind) in BOOKED_OF.items()
        )
    ).subquery()
    booked = select(LedgerEntry.source_key).where(LedgerEntry.source_key.like("payment_order:%")).subquery()
    missing = expected.c.key.is_(None) | booked.c.source_key.is_(None)
    apart = (
        select(func.coalesce(expected.c.key, booked.c.source_key).label("key"))
        .select_from(expected.join(booked, booked.c.source_key == expected.c.key, full=True))
        .where(missing)
        .subquery()
    )
    named = PaymentOrder.id.cast(Text) == func.split_part(apart.c.key, ":", 2)
    statement = select(apart.c.key, PaymentOrder.reference).outerjoin(PaymentOrder, named).order_by(apart.c.key)
    return [
        Problem(reference or key, "I12: what the ledger booked is not what the order says.")
        for key, reference in db.session.execute(statement.limit(PROBLEMS_MAX))
    ]


def _above_request() -> list[Problem]:
    """I12: orders of a request that are not cancelled and did not come back, and what is set off, are no more than it is owed."""
    cents = func.sum(as_type(PaymentOrder.amount, BigInteger))
    owed = func.coalesce(as_type(PaymentRequest.payable, BigInteger), 0) - set_off_cents(PaymentRequest.id)
    statement = (
        select(PaymentRequest.reference, cents, owed)
        .join(PaymentOrder, PaymentOrder.request_id == PaymentRequest.id)
        .where(PaymentOrder.state.not_in([OrderState.CANCELLED.value, *(each.value for each in CAME_BACK)]))
        .group_by(PaymentRequest.id)
        .having(cents > owed)
        .order_by(PaymentRequest.reference)
    )
    return [
        Problem(reference, f"I12: its orders add up to {Money(int(ordered))}; {Money(int(payable))} is payable.")
        for reference, ordered, payable in db.session.execute(statement.limit(PROBLEMS_MAX))
    ]


def _parts_off() -> list[Problem]:
    """I11: the parts of a decided request sum to it, amount by amount; what was decided before parts were kept has none."""
    names = ("requested", "approved", "refused", "payable", "retained", "cleared", "deferred", "recoverable")
    wholes = [getattr(PaymentRequest, name) for name in names]
    sums = [func.sum(getattr(PaymentRequestPart, name)) for name in names]
    statement = (
        select(PaymentRequest.reference)
        .join(PaymentRequestPart, PaymentRequestPart.request_id == PaymentRequest.id)
        .group_by(PaymentRequest.id)
        .having(or_(*(part.is_distinct_from(whole) for part, whole in zip(sums, wholes, strict=True))))
        .order_by(PaymentRequest.reference)
    )
    return [
        Problem(reference, "I11: its parts by partner do not sum to what was decided.")
        for reference in db.session.scalars(statement)
    ]


def _other_days() -> list[Problem]:
    """I12: an order was executed, and a recovery came in, on the day as of which the ledger booked it."""
    day = LedgerEntry.effective_on
    order_key = func.concat("payment_order:", PaymentOrder.id, ":booked")
    receipt_key = func.concat("recovery_receipt:", RecoveryReceipt.id, ":received")
    orders = (
        select(PaymentOrder.reference, PaymentOrder.value_on, day)
        .join(LedgerEntry, LedgerEntry.source_key == order_key)
        .where(PaymentOrder.value_on != day)
    )
    receipts = (
        select(Recovery.reference, RecoveryReceipt.value_on, day)
        .join(Recovery, Recovery.id == RecoveryReceipt.recovery_id)
        .join(LedgerEntry, LedgerEntry.source_key == receipt_key)
        .where(RecoveryReceipt.value_on != day)
    )
    found: list[tuple[str, date, date]] = []
    for statement in (orders, receipts):
        found += [(reference, said, booked) for reference, said, booked in db.session.execute(statement) if said]
    return [
        Problem(
            reference,
            f"I12: its value date is {clock.long_date(said)}; the ledger booked it as of {clock.long_date(booked)}.",
        )
        for reference, said, booked in sorted(found)
    ]


def _over_ceiling(grants: Sequence[Any], stands: Standing) -> Iterator[Problem]:
    """I8: before the balance nothing above the ceiling of a grant."""
    for grant in grants:
        # In cents for all of them; what is wrong is said by the rule.
        if -stands.grants.net_cents(grant.id, ledger_rules.COUNTED_TO_CEILING) > grant.interim_ceiling.cents:
            found = stands.grants.get(grant.id, NOTHING)
            yield from ledger_rules.ceiling_problems(grant.reference, found, ceiling=grant.interim_ceiling)


def _not_final(grants: Sequence[Any], stands: Standing) -> Iterator[Problem]:
    """I9: once the final amount is decided, it is what the books hold as accepted, and no more than the maximum."""
    decided = select(PaymentRequest.grant_id, PaymentRequest.approved).where(
        PaymentRequest.kind == PaymentKind.BALANCE.value, PaymentRequest.approved.is_not(None)
    )
    approved = {grant_id: said for grant_id, said in db.session.execute(decided)}
    yield from final_problems()
    rejected = rejected_later()
    for grant in grants:
        final = grant.final_amount
        assert final is not None, "asked for grants whose balance is decided"
        left = final - rejected.get(grant.id, ZERO)
        # In cents for all of them; what is wrong is said by the rule.
        if stands.grants.net_cents(grant.id, (Account.GRANT_COSTS,)) != left.cents:
            yield from ledger_rules.final_problems(grant.reference, stands.grants.get(grant.id, NOTHING), final=left)
        if final > grant.maximum:
            yield Problem(grant.reference, f"I9: the final amount is {final}; the maximum is {grant.maximum}.")
        if (said := approved.get(grant.id)) is not None and said != final:
            yield Problem(grant.reference, f"I9: the final amount is {final}; the balance approved {said}.")


def _other_batches() -> Iterator[Problem]:
    """I13: a file holds as many orders and as much money as it says, a discarded one none; they left when it was sent; its
    bytes have the hash that was frozen."""
    waits = PaymentOrder.state == OrderState.IN_FILE.value
    sent = PaymentBatch.state == BatchState.SENT.value
    statement = (
        select(
            *(PaymentBatch.reference, PaymentBatch.state, PaymentBatch.orders, PaymentBatch.total),
            func.count(PaymentOrder.id).filter(waits == sent),
            func.count(PaymentOrder.id),
            func.coalesce(func.sum(as_type(PaymentOrder.amount, BigInteger)), 0),
            PaymentBatch.file_sha256,
            StoredFile.sha256,
        )
        .outerjoin(PaymentOrder, PaymentOrder.batch_id == PaymentBatch.id)
        .outerjoin(StoredFile, StoredFile.id == PaymentBatch.file_id)
        .group_by(PaymentBatch.id, StoredFile.id)
        .order_by(PaymentBatch.reference)
    )
    for reference, state, orders, said, apart, count, cents, frozen, stored in db.session.execute(statement):
        if state == BatchState.DISCARDED.value:
            if count:
                yield Problem(reference, f"I13: it was discarded, but holds {count} orders.")
        elif (orders, said.cents) != (count, int(cents)):
            words = f"I13: its file says {orders} orders and {said}, it holds {count} and {Money(int(cents))}."
            yield Problem(reference, words)
        elif apart:
            left = "did not leave" if state == BatchState.SENT.value else "left"
            yield Problem(reference, f"I13: it is {state}, but {apart} of its orders {left}.")
        if frozen != stored:
            yield Problem(reference, "I13: its file is not the one that was frozen when it was made.")
