"""Certificates before the balance and guarantees before pre-financing: what is asked for, and what each must be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never
from uuid import UUID

from grants.core import clock, faults
from grants.core.errors import Refused
from grants.core.money import ZERO, Money
from grants.payments.states import CertificateState

# The kinds under which their papers are kept.
CERTIFICATE_FILES = "financial_certificate"
GUARANTEE_FILES = "payment_guarantee"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A paper by its name and hash."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CertificateInput:
    """Who certified the financial statements, and on which day."""

    issuer: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class CertificateView:
    """The certificate of one beneficiary as its pages show it."""

    id: UUID
    version: int
    number: int
    organisation_id: UUID
    name: str
    state: CertificateState
    contribution: Money
    issuer: str | None
    issued_on: date | None
    brought_at: datetime | None
    brought_by: str | None
    judged_at: datetime | None
    judged_by: str | None
    words: str | None
    files: tuple[KeptFile, ...] = ()


@dataclass(frozen=True, slots=True)
class GuaranteeInput:
    """A guarantee as it is recorded."""

    guarantor: str
    amount: Money
    valid_until: date


@dataclass(frozen=True, slots=True)
class GuaranteeView:
    """A guarantee as its page shows it; one that ended says why."""

    id: UUID
    version: int
    number: int
    guarantor: str
    amount: Money
    valid_until: date
    recorded_at: datetime
    recorded_by_id: UUID
    recorded_by: str
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    files: tuple[KeptFile, ...] = ()


def needing_certificate(contributions: Mapping[UUID | None, Money], threshold: Money | None) -> tuple[UUID, ...]:
    """Whose contribution over the whole action reaches the sum from which a certificate is asked for; that sum does.

    >>> len(needing_certificate({UUID(int=1): Money(430), UUID(int=2): Money(429)}, Money(430)))
    1
    >>> needing_certificate({UUID(int=1): Money(430)}, None)
    ()
    """
    if threshold is None:
        return ()
    return tuple(partner for partner, amount in contributions.items() if partner is not None and amount >= threshold)


def certificate_next(state: CertificateState) -> str:
    """Where a certificate stands and what comes next, as a sentence."""
    match state:
        case CertificateState.WANTED:
            return "The city brings it; the balance waits for it."
        case CertificateState.BROUGHT:
            return "It is with the programme, which accepts it or says what is wrong with it."
        case CertificateState.ACCEPTED:
            return "It is accepted; the balance does not wait for it."
        case CertificateState.DONE_WITHOUT:
            return (
                "It is done without: of this beneficiary counts only what needs no certificate. The city may still bring it "
                "until the balance is decided."
            )
        case _:
            assert_never(state)


def certificate_problems(given: CertificateInput, today: date, *, has_file: bool) -> dict[str, str]:
    """What is wrong with a certificate as it is brought, by field; empty when it may stand."""
    found: dict[str, str] = {}
    if not given.issuer.strip():
        found["issuer"] = "Name the auditor or the independent public officer who certified."
    if given.issued_on > today:
        found["issued_on"] = "This day lies ahead. Enter the day on the certificate."
    if not has_file:
        found["file"] = "Choose the file of the certificate; the programme looks at it."
    return found


def refuse_uncertified(missing: Iterable[str]) -> None:
    """Refuse a final amount while a certificate is wanted or not judged."""
    faults.point("ceiling")
    names = list(missing)
    if names:
        raise Refused(
            f"The balance waits for the certificate on the financial statements of {', '.join(names)}. The city brings it and "
            "the project officer accepts it; where none comes, the officer decides to do without it."
        )


def guarantee_problems(given: GuaranteeInput, needed: Money, today: date, *, has_file: bool) -> dict[str, str]:
    """What is wrong with a guarantee as it is recorded, by field; empty when it may stand."""
    found: dict[str, str] = {}
    if not given.guarantor.strip():
        found["guarantor"] = "Name the bank or the body that gives the guarantee."
    if given.amount < needed:
        found["amount"] = f"The guarantee covers the pre-financing of {needed}; {needed - given.amount} is missing."
    if given.valid_until < today:
        found["valid_until"] = "This day is over. Ask for a guarantee that is still valid."
    if not has_file:
        found["file"] = "Choose the file of the guarantee; whoever decides looks at it."
    return found


def refuse_without_guarantee(
    standing: GuaranteeView | None, approved: Money, today: date, user_id: UUID | None, *, before: Money = ZERO
) -> None:
    """Pre-financing waits for a guarantee that covers it, still valid, and recorded by somebody else than who decides.

    It covers what was paid in advance ``before`` as well, as far as that is open.
    """
    faults.point("ceiling")
    if standing is None:
        raise Refused(
            "The agreement asks for a financial guarantee before pre-financing, and none is recorded. The initiator records it "
            "on the page of guarantees of this grant."
        )
    if standing.amount < approved + before:
        if before:
            raise Refused(
                f"The guarantee covers {standing.amount}, and {before} of pre-financing is open under it already; with {approved} "
                f"it is {approved + before - standing.amount} too much. Approve less."
            )
        raise Refused(
            f"The guarantee covers {standing.amount}; {approved} is {approved - standing.amount} more. Approve at most that, or "
            "have a guarantee for the whole recorded."
        )
    if standing.valid_until < today:
        raise Refused(
            f"The guarantee was valid until {clock.long_date(standing.valid_until)}. Have its renewal recorded first."
        )
    faults.point("four_eyes")
    if user_id is None or user_id == standing.recorded_by_id:
        raise Refused("You recorded the guarantee of this payment, so somebody else decides it. Ask a colleague.")
