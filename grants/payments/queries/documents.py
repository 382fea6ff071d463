"""The documents an entry of the ledger rests on, and who decided, accepted, signed, confirmed and carried out what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import BankAccount, Grant
from grants.applications.models import Application
from grants.calls.models import Call
from grants.core import clock
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.payments.models import (
    PaymentBatch,
    PaymentOrder,
    PaymentOrderSignature,
    PaymentRequest,
    Recovery,
)
from grants.payments.queries.requests import by_id
from grants.payments.states import RequestState, Step
from grants.reporting.models import PeriodicReport
from grants.reporting.states import ReportState


@dataclass(frozen=True, slots=True)
class Document:
    """What an entry rests on: what it is called, and the page it has; none where the person may not open it."""

    words: str
    reference: str
    endpoint: str | None
    key: str = "ref"
    # Where the page has another name in its address than the reference.
    value: str | None = None

    @property
    def address(self) -> dict[str, str]:
        """The parts of the page's address."""
        return {self.key: self.value or self.reference}


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what with a document, and when; a day where only the day is known. Who did it, in words, where it was no person."""

    user_id: UUID | None
    words: str
    on: datetime | date

    @property
    def moment(self) -> datetime | None:
        """The moment, where it is known."""
        return self.on if isinstance(self.on, datetime) else None

    @property
    def place(self) -> datetime:
        """Where it stands among others: a day counts until its end."""
        return self.moment or clock.end_of_day(self.on)


_LOOKED_UP: tuple[Any, ...] = (
    *(Call, Application, Grant, PeriodicReport, PaymentRequest, PaymentOrder, PaymentBatch, Recovery),
)


@reader
def documents_of(actor: Actor, document_ids: Iterable[UUID]) -> Asking[tuple[tuple[Document, ...], tuple[Deed, ...]]]:
    """What these ids are, what they rest on in turn, and the deeds on all of them by time. Three statements."""
    wanted = set(document_ids)
    if not wanted:
        return (), ()
    rows = yield from side_by_side(by_id.asking(model, wanted) for model in _LOOKED_UP)
    found: dict[Any, dict[UUID, Any]] = dict(zip(_LOOKED_UP, rows, strict=True))
    orders = list(found[PaymentOrder].values())
    about: list[Asking[Any]] = [
        by_id.asking(PaymentRequest, {each.request_id for each in orders}),
        by_id.asking(PaymentBatch, {each.batch_id for each in orders if each.batch_id}),
        by_id.asking(BankAccount, {each.bank_account_id for each in orders}),
        _signatures([each.id for each in orders]),
    ]
    requests, batches, accounts, signatures = yield from side_by_side(about)
    found[PaymentRequest] |= requests
    found[PaymentBatch] |= batches
    reports = {each.report_id for each in found[PaymentRequest].values() if each.report_id}
    of_recoveries = {each.grant_id for each in found[Recovery].values()}
    further = yield from side_by_side([by_id.asking(PeriodicReport, reports), by_id.asking(Grant, of_recoveries)])
    found[PeriodicReport] |= further[0]
    deeds = [*_deeds(found), *_of_accounts(accounts.values()), *_of_signatures(signatures, found[PaymentOrder])]
    return tuple(_documents(actor, found, further[1])), tuple(sorted(deeds, key=lambda deed: deed.place))


def _signatures(order_ids: list[UUID]) -> Asking[list[Any]]:
    if not order_ids:
        return []
    signature = PaymentOrderSignature
    statement = select(signature.order_id, signature.step, signature.user_id, signature.signed_at)
    standing = (signature.order_id.in_(order_ids), signature.voided_at.is_(None))
    return (yield from ask(statement.where(*standing).order_by(signature.signed_at)))


def _documents(actor: Actor, found: dict[Any, dict[UUID, Any]], grants: dict[UUID, Any]) -> Iterator[Document]:
    """What it rests on first, then what that rests on."""
    circuit = Permission.PAYMENT_ORDER_READ
    kinds: tuple[tuple[Any, str, str, Permission], ...] = (
        (Recovery, "Recovery", "payments.recovery", circuit),
        (PaymentOrder, "Payment order", "payments.order", circuit),
        (PaymentRequest, "Request", "payments.request_page", circuit),
        (PaymentBatch, "Payment file", "payments.batch", circuit),
        (PeriodicReport, "Report", "reporting.show", Permission.REPORT_READ),
        (Grant, "Grant", "agreements.show", Permission.AGREEMENT_READ),
        (Application, "Application", "applications.show", Permission.APPLICATION_READ),
        (Call, "Call", "calls.show", Permission.LEDGER_READ),
    )
    for model, words, endpoint, needed in kinds:
        for row in sorted(found[model].values(), key=lambda row: row.reference):
            may = endpoint if actor.can(needed) else None
            if model is Recovery:
                # Its page is the one of its grant.
                yield Document(words, row.reference, may, value=grants[row.grant_id].reference)
            elif model is Call:
                yield Document(words, row.reference, may, key="slug", value=row.slug)
            else:
                yield Document(words, row.reference, may)


# What was decided, in the words of the deed.
_JUDGED = {
    ReportState.ACCEPTED: "accepted report {}",
    ReportState.REJECTED: "rejected report {}",
    ReportState.RETURNED: "returned report {}",
    ReportState.SUBMITTED: "returned report {}",
    ReportState.UNSENT: "settled report {}, which never came",
}
_DECIDED = {RequestState.REJECTED.value: "rejected request {}"}
_SIGNED = {Step.PREPARED.value: "prepared", Step.VERIFIED.value: "verified", Step.AUTHORISED.value: "authorised"}


def _deeds(found: dict[Any, dict[UUID, Any]]) -> Iterator[Deed]:
    for report in found[PeriodicReport].values():
        if report.decided_at is not None:
            yield Deed(
                report.decided_by, _JUDGED[ReportState(report.state)].format(report.reference), report.decided_at
            )
    for asked in found[PaymentRequest].values():
        for by, at, words in (
            (asked.registered_by, asked.registered_at, "registered request {}"),
            (asked.verified_by, asked.verified_at, "verified request {}"),
            (asked.decided_by, asked.decided_at, _DECIDED.get(asked.state, "decided request {}")),
        ):
            if at is not None:
                yield Deed(by, words.format(asked.reference), at)
    for batch in found[PaymentBatch].values():
        if batch.sent_at is not None:
            yield Deed(batch.sent_by, f"sent payment file {batch.reference}", batch.sent_at)
    for order in found[PaymentOrder].values():
        if order.value_on is not None:
            yield Deed(order.executed_by, f"marked order {order.reference} as executed, value date", order.value_on)


def _of_accounts(accounts: Iterable[Any]) -> Iterator[Deed]:
    for account in accounts:
        masked = f"the payee's account ending in {account.iban[-4:]}"
        yield Deed(account.entered_by, f"entered {masked}", account.entered_at)
        if account.confirmed_at is not None:
            yield Deed(account.confirmed_by, f"confirmed {masked}", account.confirmed_at)


def _of_signatures(signatures: Iterable[Any], orders: dict[UUID, Any]) -> Iterator[Deed]:
    """Who sent a file stands with the file."""
    for each in signatures:
        if each.step in _SIGNED:
            yield Deed(each.user_id, f"{_SIGNED[each.step]} order {orders[each.order_id].reference}", each.signed_at)
