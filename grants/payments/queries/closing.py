"""The closing checklist of a grant, line by line; what holds a closure up is asked here and nowhere else.

Another stage or module joins by one more line in ``LINES``: a reader that takes the grant and gives lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import AgreementHold, Grant
from grants.agreements.rules import GrantView
from grants.agreements.states import GrantState
from grants.core import clock
from grants.core.db import get
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity.models import User
from grants.ledger import queries as books
from grants.payments.models import FinancialCertificate, GrantClosing, PaymentGuarantee, PaymentOrder, PaymentRequest
from grants.payments.queries.distribution import balances_of, waiting_of
from grants.payments.queries.late_interest import late_waiting
from grants.payments.queries.recoveries import unsettled_proposals
from grants.payments.queries.recovery_interest import interest_waiting
from grants.payments.queries.retaining import retained_of
from grants.payments.rules.closing import (
    HELD,
    ClosingLine,
    ClosingState,
    as_kept,
    counted,
    for_the_city,
    held_line,
)
from grants.payments.rules.distribution import closure_words
from grants.payments.states import BOOKED, CAME_BACK, CertificateState, OrderState, RequestState
from grants.reporting import queries as reports

DONE, OPEN, NOTED = ClosingState.DONE, ClosingState.OPEN, ClosingState.NOTED
_SETTLED_REQUESTS = tuple(
    each.value for each in (RequestState.PAID, RequestState.CLEARED, RequestState.REJECTED, RequestState.CANCELLED)
)
_SETTLED_CERTIFICATES = (CertificateState.ACCEPTED.value, CertificateState.DONE_WITHOUT.value)
_SETTLED_ORDERS = tuple(each.value for each in (*BOOKED, *CAME_BACK, OrderState.CANCELLED))


@dataclass(frozen=True, slots=True)
class ClosingPage:
    """The checklist as this person reads it: as it stands, or as it was kept when the grant was closed."""

    grant: GrantView
    lines: tuple[ClosingLine, ...]
    staff: bool
    closed_at: datetime | None = None
    closed_by: str = ""
    note: str = ""

    @property
    def open(self) -> tuple[ClosingLine, ...]:
        """What the closure waits for, on this list."""
        return tuple(each for each in self.lines if each.state is OPEN)


@reader
def closing_page(actor: Actor, reference: str) -> Asking[ClosingPage]:
    """The checklist for everybody who may read the agreement, the shorter one for the city; raises :class:`NotFound`.

    Six statements at most.
    """
    row = yield from agreements.readable.asking(actor, reference)
    staff = actor.may(Permission.PAYMENT_ORDER_READ, agreements.scope(row))
    about: list[Asking[Any]] = [agreements.view.asking(row), checklist.asking(row), _kept(row.id)]
    grant, lines, kept = yield from side_by_side(about)
    if kept is not None:
        lines = (*as_kept(kept.lines), *(each for each in lines if each.place == _RECORDS))
    shown = lines if staff else for_the_city(lines)
    if kept is None:
        return ClosingPage(grant, shown, staff)
    return ClosingPage(grant, shown, staff, kept.closed_at, kept.name, kept.note if staff else "")


def _kept(grant_id: UUID) -> Asking[Any]:
    rows = yield from ask(
        select(GrantClosing.lines, GrantClosing.note, GrantClosing.closed_at, User.name)
        .join(User, User.id == GrantClosing.closed_by)
        .where(GrantClosing.grant_id == grant_id)
    )
    return rows[0] if rows else None


def lines_of(grant_id: UUID) -> tuple[ClosingLine, ...]:
    """The list of a grant as it stands, for whoever closes it."""
    return checklist(get(Grant, grant_id))


@reader
def closing_lines(actor: Actor, reference: str) -> Asking[tuple[ClosingLine, ...]]:
    """The list of a grant for everybody who may read its agreement; raises :class:`NotFound`."""
    row = yield from agreements.readable.asking(actor, reference)
    return (yield from checklist.asking(row))


@reader
def checklist(grant: Grant) -> Asking[tuple[ClosingLine, ...]]:
    """Every line of the list, in the order of ``LINES``. Three statements."""
    found = yield from side_by_side([line(grant) for line in LINES])
    return tuple(chain.from_iterable(found))


Lines = Asking[tuple[ClosingLine, ...]]


def _reports(grant: Grant) -> Lines:
    late = yield from reports.unsettled.asking(grant.id)
    words = (
        f"{counted(len(late), 'report is', 'reports are')} not settled yet: accepted, rejected, or settled because it never came."
        if late
        else "Every report is settled: accepted, rejected, not owed any more, or never sent."
    )
    return (
        _line(
            "Reports", words, "reporting.index", grant, waits=bool(late), for_city=True, needs=Permission.REPORT_READ
        ),
    )


def _balance(grant: Grant) -> Lines:
    yield []
    decided = grant.final_amount is not None
    words = (
        f"The final amount is {grant.final_amount}." if decided else "The payment of the balance is not decided yet."
    )
    return (_line("Balance", words, "payments.grant", grant, waits=not decided, for_city=True),)


def _requests(grant: Grant) -> Lines:
    waiting = yield from ask(
        select(PaymentRequest.reference)
        .where(PaymentRequest.grant_id == grant.id, PaymentRequest.state.not_in(_SETTLED_REQUESTS))
        .order_by(PaymentRequest.reference)
    )
    names = ", ".join(row.reference for row in waiting)
    one = "payment request is"
    words = (
        f"{counted(len(waiting), one, 'payment requests are')} neither paid, cleared, rejected nor cancelled yet: {names}."
        if waiting
        else "Every payment request is paid, cleared, rejected or cancelled."
    )
    return (_line("Requests", words, "payments.grant", grant, waits=bool(waiting), for_city=True),)


def _orders(grant: Grant) -> Lines:
    waiting = yield from ask(
        select(PaymentOrder.reference)
        .where(PaymentOrder.grant_id == grant.id, PaymentOrder.state.not_in(_SETTLED_ORDERS))
        .order_by(PaymentOrder.reference)
    )
    names = ", ".join(row.reference for row in waiting)
    one, many = "payment order is", "payment orders are"
    words = (
        f"{counted(len(waiting), one, many)} on the way to the bank: {names}."
        if waiting
        else "Every payment order is carried out or void."
    )
    return (_line("Orders", words, "payments.grant", grant, waits=bool(waiting)),)


def _ledger(grant: Grant) -> Lines:
    stands = yield from books.of.asking(grant_id=grant.id)
    return tuple(held_line(held, stands, grant.reference) for held in HELD)


def _certificates(grant: Grant) -> Lines:
    """Told where one was asked for: the balance waits for each, so after it none is open."""
    rows = yield from ask(
        select(FinancialCertificate.number, FinancialCertificate.state)
        .where(FinancialCertificate.grant_id == grant.id)
        .order_by(FinancialCertificate.number)
    )
    waiting = [str(row.number) for row in rows if row.state not in _SETTLED_CERTIFICATES]
    if not rows:
        return ()
    words = (
        f"{counted(len(waiting), 'certificate is', 'certificates are')} neither accepted nor done without: {', '.join(waiting)}."
        if waiting
        else "Every certificate is accepted, or the programme does without it."
    )
    return (_line("Certificates", words, "payments.grant", grant, waits=bool(waiting), for_city=True),)


def _guarantee(grant: Grant) -> Lines:
    """A guarantee that still stands is to be given back; that holds nothing up."""
    ((standing,),) = yield from ask(
        select(func.count()).where(PaymentGuarantee.grant_id == grant.id, PaymentGuarantee.ended_at.is_(None))
    )
    if not standing:
        return ()
    words = "A guarantee for the pre-financing still stands. Give it back once the grant is closed."
    return (
        ClosingLine("Guarantee", "Guarantee", NOTED, words, "payments.grant", {"ref": grant.reference}, for_city=True),
    )


def _termination(grant: Grant) -> Lines:
    """A grant that is to be terminated is closed after its day, with what its last report says."""
    ends_on = yield from agreements.ended_on.asking(grant.id)
    waits = ends_on is not None and grant.state == GrantState.IN_FORCE.value
    words = (
        "Its termination is confirmed and not carried out yet; the program does it in the night of its day."
        if waits
        else "No termination waits for its day."
    )
    return (_line("Termination", words, "agreements.termination", grant, waits=waits, for_city=True),)


def _proposals(grant: Grant) -> Lines:
    waiting = yield from unsettled_proposals(grant.id)
    one = "recovery is"
    words = (
        f"{counted(len(waiting), one, 'recoveries are')} neither confirmed nor cancelled yet: {', '.join(waiting)}."
        if waiting
        else "Every recovery that was proposed is confirmed or cancelled."
    )
    return (_line("Proposed recoveries", words, "payments.recovery", grant, waits=bool(waiting), for_city=True),)


def _interest(grant: Grant) -> Lines:
    """What was reckoned waits for its second person; whether what is not reckoned yet is asked for says the programme."""
    waiting, to_reckon = yield from interest_waiting(grant.id)
    found = []
    if waiting:
        words = f"Interest on {', '.join(waiting)} was reckoned and is neither confirmed nor refused yet."
        found.append(_line("Interest", words, "payments.recovery", grant, waits=True, for_city=True))
    if to_reckon:
        words = f"{', '.join(to_reckon)} came late and bears no interest yet. Reckon it before the closure, where it is asked for."
        found.append(
            ClosingLine("Interest", "Interest to reckon", NOTED, words, "payments.recovery", {"ref": grant.reference})
        )
    return (*found, *(yield from _late_interest(grant)))


def _late_interest(grant: Grant) -> Lines:
    """What we paid late: whether interest is owed for it is decided before the closure, where it was reckoned at all."""
    waiting, to_reckon = yield from late_waiting(grant.id)
    found = []
    if waiting:
        words = f"Interest we owe for {', '.join(waiting)} was reckoned and is neither confirmed nor refused yet."
        found.append(_line("Interest we owe", words, "payments.grant", grant, waits=True))
    if to_reckon:
        words = f"We paid {', '.join(to_reckon)} late and no interest is reckoned. Reckon it before the closure."
        found.append(
            ClosingLine(
                "Interest we owe", "Interest we may owe", NOTED, words, "payments.grant", {"ref": grant.reference}
            )
        )
    return tuple(found)


def _distribution(grant: Grant) -> Lines:
    """What is held for partners stands against it by partner, unless a named person waived it."""
    balances, waiting = yield from both(balances_of.asking(grant), waiting_of(grant.id))
    told = " ".join(closure_words(balances, waiting))
    settled = "The coordinator holds nothing for its partners, or it is waived."
    return (
        _line(
            "Distribution to partners",
            told or settled,
            "payments.distribution",
            grant,
            waits=bool(told),
            for_city=True,
        ),
    )


def _suspension(grant: Grant) -> Lines:
    ((open_ones,),) = yield from ask(
        select(func.count()).where(AgreementHold.grant_id == grant.id, AgreementHold.lifted_on.is_(None))
    )
    words = (
        f"{counted(open_ones, 'suspension is', 'suspensions are')} not lifted yet."
        if open_ones
        else "Nothing of it is suspended."
    )
    return (_line("Suspension", words, "agreements.hold", grant, waits=bool(open_ones), for_city=True),)


# Not “retention”: that is money kept back until the balance.
_RECORDS = "Record keeping"


def _retention(grant: Grant) -> Lines:
    """What is told beside the rest: whether a legal hold stands is no matter of the city."""
    kept = yield from retained_of.asking(grant.id)
    for_city = (
        f"Keep what these accounts rest on until {clock.long_date(kept.until)}, or longer where the programme says so."
        if kept.until
        else f"Keep what these accounts rest on: {kept.years} years after the final payment of the parent grant, whose day is"
        " told here once it is known."
    )
    return (
        ClosingLine(_RECORDS, "Records", NOTED, kept.words, "payments.retention", needs=Permission.LEDGER_READ),
        ClosingLine(_RECORDS, "Your records", NOTED, for_city, for_city=True),
    )


# Joined by one more line: what another part of the program knows of a grant that must be settled before it is closed.
LINES: tuple[Callable[[Grant], Lines], ...] = (
    _reports,
    _balance,
    _requests,
    _orders,
    _proposals,
    _interest,
    _ledger,
    _distribution,
    _suspension,
    _termination,
    _certificates,
    _guarantee,
    _retention,
)


def _line(
    label: str,
    words: str,
    endpoint: str,
    grant: Grant,
    *,
    waits: bool,
    for_city: bool = False,
    needs: Permission | None = None,
) -> ClosingLine:
    """A line of the grant's own pages."""
    state = OPEN if waits else DONE
    return ClosingLine(label, label, state, words, endpoint, {"ref": grant.reference}, for_city=for_city, needs=needs)
