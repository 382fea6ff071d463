"""Which requests pre-finance a grant that is to end: what is approved of them is not paid ahead of its costs any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Exists, Select, exists, func, select

from grants.agreements.models import AgreementTermination, Beneficiary, Grant
from grants.agreements.states import IN_ADVANCE, TerminationState
from grants.core import clock
from grants.core.money import ZERO, Money
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerLeg
from grants.ledger.queries.sums import leg_net
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.rules.ahead import HeldBack
from grants.payments.states import DECIDED


def ahead_of_end(requests: Collection[UUID]) -> Select[UUID, str, date | None]:
    """Of these requests those that pre-finance a grant whose termination as a whole is confirmed: id, reference, day."""
    return (
        select(PaymentRequest.id, PaymentRequest.reference, AgreementTermination.effective_on)
        .join(AgreementTermination, AgreementTermination.grant_id == PaymentRequest.grant_id)
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .where(
            PaymentRequest.id.in_(set(requests)),
            PaymentRequest.kind.in_([each.value for each in IN_ADVANCE]),
            AgreementTermination.organisation_id.is_(None),
            AgreementTermination.state == TerminationState.CONFIRMED.value,
        )
    )


def ends_before_its_time(grant_id: Any) -> Exists:
    """Inside a statement: whether the termination of this grant as a whole is confirmed."""
    return exists().where(
        AgreementTermination.grant_id == grant_id,
        AgreementTermination.organisation_id.is_(None),
        AgreementTermination.state == TerminationState.CONFIRMED.value,
    )


@reader
def stopped_words(requests: Collection[UUID]) -> Asking[dict[str, str]]:
    """Why nothing more of these requests is paid now, by their references; those that go on are left out.

    Once the balance is decided the acts know whether the rest of it may be paid.
    """
    about: list[Asking[Any]] = [
        ask(ahead_of_end(requests).where(Grant.final_amount.is_(None))),
        held_back.asking(requests),
    ]
    whole, parts = yield from side_by_side(about)
    by_parts = {each.reference: each.words for each in parts if each.is_confirmed}
    return by_parts | {row.reference: _words(row.effective_on) for row in whole}


@reader
def held_back(requests: Collection[UUID]) -> Asking[tuple[HeldBack, ...]]:
    """What of these requests for pre-financing falls on partners whose part ends, or is proposed to, and is not paid yet.

    What accepted costs of the partner cleared is due for them, and what left for the bank is paid: neither is held back. Of
    grants that end as a whole, and after the balance, nothing is. One statement.
    """
    ending = AgreementTermination
    until = func.coalesce(Beneficiary.left_on, ending.effective_on, ending.wanted_on)
    of_orders = select(PaymentOrder.id).where(PaymentOrder.request_id == PaymentRequest.id).correlate(PaymentRequest)
    documents = (LedgerLeg.document_id == PaymentRequest.id) | LedgerLeg.document_id.in_(of_orders)
    unpaid = _standing(Account.PAYABLE, Account.RETURNED).where(documents).scalar_subquery()
    ahead = _standing(Account.PREFINANCING).where(LedgerLeg.grant_id == Grant.id).scalar_subquery()
    statement = (
        select(
            *(PaymentRequest.id, PaymentRequest.reference, Beneficiary.organisation_id, Organisation.name),
            *(until.label("until"), unpaid.label("unpaid"), ahead.label("ahead")),
            (Beneficiary.left_on.is_not(None) | ending.effective_on.is_not(None)).label("confirmed"),
        )
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .join(Beneficiary, Beneficiary.grant_id == Grant.id)
        .join(Organisation, Organisation.id == Beneficiary.organisation_id)
        .outerjoin(
            ending,
            (ending.grant_id == Grant.id)
            & (ending.organisation_id == Beneficiary.organisation_id)
            & ending.state.in_([each.value for each in TerminationState if each is not TerminationState.WITHDRAWN])
            & ending.carried_out_at.is_(None),
        )
        .where(
            PaymentRequest.id.in_(set(requests)),
            PaymentRequest.kind.in_([each.value for each in IN_ADVANCE]),
            PaymentRequest.state.in_([each.value for each in DECIDED]),
            Grant.final_amount.is_(None),
            until.is_not(None),
            ~ends_before_its_time(Grant.id).correlate(Grant),
        )
        .order_by(PaymentRequest.reference, Beneficiary.position)
    )
    found = (
        HeldBack(
            *(row.id, row.reference, row.organisation_id, row.name, row.until),
            *(Money(min(int(row.unpaid), int(-row.ahead))), bool(row.confirmed)),
        )
        for row in (yield from ask(statement))
    )
    return tuple(each for each in found if each.amount > ZERO)


def _standing(*accounts: Account) -> Select[Any]:
    """Inside a statement about partners: what these accounts hold of one, in cents, on the credit side."""
    return (
        select(func.coalesce(func.sum(-leg_net), 0))
        .where(
            LedgerLeg.account.in_([each.value for each in accounts]),
            LedgerLeg.organisation_id == Beneficiary.organisation_id,
        )
        .correlate(PaymentRequest, Grant, Beneficiary)
    )


def _words(effective_on: date | None) -> str:
    assert effective_on is not None, "what is confirmed has its day"
    return (
        f"The termination of this grant on {clock.long_date(effective_on)} is confirmed, so nothing more of it is pre-financed. "
        "What was approved and never paid is cancelled before the balance: an order of it first, then the rest on the page of its request."
    )
