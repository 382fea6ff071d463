"""Which requests pre-finance a grant that is to end: what is approved of them is not paid ahead of its costs any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select

from grants.agreements.models import AgreementTermination, Grant
from grants.agreements.states import IN_ADVANCE, TerminationState
from grants.core import clock
from grants.core.together import Asking, ask, reader
from grants.payments.models import PaymentRequest


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


def ends_before_its_time(grant_id: UUID) -> ColumnElement[bool]:
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
    rows = yield from ask(ahead_of_end(requests).where(Grant.final_amount.is_(None)))
    return {row.reference: _words(row.effective_on) for row in rows}


def _words(effective_on: date | None) -> str:
    assert effective_on is not None, "what is confirmed has its day"
    return (
        f"The termination of this grant on {clock.long_date(effective_on)} is confirmed, so nothing more of it is pre-financed. "
        "What was approved and never paid is cancelled before the balance: an order of it first, then the rest on the page of its request."
    )
