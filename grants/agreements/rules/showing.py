"""A grant as its pages show it, what stands in the way of an offer, and its agreement in one spelling with its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from grants.agreements.rules.accounts import PayeeAddress, age_words, masked
from grants.agreements.rules.conditions import ConditionView, condition_problems
from grants.agreements.rules.parties import ContactView
from grants.agreements.rules.revising import revision_problems
from grants.agreements.rules.terms import Limits, NamedShare, PlannedMilestone, ScheduleLine
from grants.agreements.states import (
    BankAccountState,
    CheckAnswer,
    CheckChannel,
    ContactRole,
    GrantState,
    MilestoneState,
    PayeeMatch,
    RevisionState,
    Side,
)
from grants.calls.rules import PLAIN_CLOCK, PaymentClock, TimeLimits
from grants.core import encoding
from grants.core.errors import Problem
from grants.core.money import Money, total
from grants.programmes.rules import Beyond, passes_parent_end


def offer_problems(grant: GrantView, asked: Iterable[ConditionView]) -> tuple[Problem, ...]:
    """What still stands between preparation and the offer of the agreement; empty when it may be offered."""
    found = [*condition_problems(asked), *revision_problems(grant.revision)]
    if grant.account is None or grant.account.state is not BankAccountState.CONFIRMED:
        found.append(
            Problem("Bank account", "The coordinator’s account must be entered by one person and confirmed by another.")
        )
    if not any(each.role is ContactRole.SIGNATORY for each in grant.contacts):
        found.append(Problem("People", "Nobody is named who signs for the coordinator."))
    if not grant.milestones:
        found.append(Problem("Milestones", "There is no milestone."))
    if total(share.maximum for share in grant.beneficiaries) != grant.maximum:
        found.append(Problem("Beneficiaries", "The maxima of the beneficiaries do not sum to the maximum grant."))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class BeneficiaryView:
    """A beneficiary with its name and its maximum."""

    organisation_id: UUID
    name: str
    country_code: str
    is_coordinator: bool
    maximum: Money


@dataclass(frozen=True, slots=True)
class CheckView:
    """A due-diligence item with its answer."""

    key: str
    label: str
    answer: CheckAnswer
    note: str | None
    evidence_on: date | None
    answered_by: str | None
    answered_at: datetime | None
    version: int
    due_on: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.answer is CheckAnswer.OPEN


@dataclass(frozen=True, slots=True)
class AccountView:
    """A bank account; the number is masked for everybody who need not read it."""

    id: UUID
    version: int
    organisation_id: UUID
    holder: str
    iban: str
    bic: str | None
    state: BankAccountState
    entered_by: UUID
    entered_by_name: str
    entered_at: datetime
    confirmed_by: UUID | None
    confirmed_by_name: str | None
    confirmed_at: datetime | None
    address: PayeeAddress = field(default_factory=PayeeAddress)
    evidence_on: date | None = None
    # What the second person compared, by which way, on which day; and what the bank said of the holder.
    note: str | None = None
    channel: CheckChannel | None = None
    checked_on: date | None = None
    match: PayeeMatch | None = None
    match_name: str | None = None
    matched_on: date | None = None
    ended_by_name: str | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None

    @property
    def masked(self) -> str:
        """``BE68 •••• 7034``: enough to recognise, too little to use."""
        return masked(self.iban)

    def age(self, now: datetime) -> str:
        """How long ago it was confirmed, as part of a sentence; empty where it was not."""
        return age_words(self.confirmed_at, now) if self.confirmed_at else ""

    @property
    def grouped(self) -> str:
        """The number in groups of four, as banks print it."""
        return " ".join(self.iban[place : place + 4] for place in range(0, len(self.iban), 4))


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """A milestone as planned and as reported."""

    id: UUID
    version: int
    number: int
    title: str
    criterion: str
    due_on: date
    state: MilestoneState
    achieved_on: date | None
    report: str | None
    answer: str | None
    reported_at: datetime | None
    accepted_at: datetime | None
    # When it is expected now, where that is another day than planned, and why.
    expected_on: date | None = None
    expected_why: str | None = None

    def is_late(self, today: date) -> bool:
        """Whether it is past its day and not yet accepted or with the programme."""
        return today > self.due_on and self.state in {MilestoneState.PLANNED, MilestoneState.RETURNED}


@dataclass(frozen=True, slots=True)
class SignatureView:
    """A recorded acceptance."""

    side: Side
    name: str
    capacity: str
    signed_at: datetime
    document_sha256: str


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant with everything its pages show."""

    id: UUID
    version: int
    reference: str
    title: str
    acronym: str | None
    state: GrantState
    application_id: UUID
    application_reference: str
    call_id: UUID
    call_slug: str
    call_title: str
    fund_source_id: UUID
    fund_source: str
    coordinator_id: UUID
    coordinator: str
    maximum: Money
    amount_note: str | None
    starts_on: date
    ends_before: date
    limits: Limits
    time_limits: TimeLimits
    time_limits_on: date
    payment_clock: PaymentClock
    in_force_at: datetime | None
    closed_at: datetime | None
    final_amount: Money | None
    beneficiaries: tuple[BeneficiaryView, ...]
    checks: tuple[CheckView, ...]
    milestones: tuple[MilestoneView, ...]
    schedule: tuple[ScheduleLine, ...]
    signatures: tuple[SignatureView, ...]
    account: AccountView | None
    contacts: tuple[ContactView, ...]
    offered_text: AgreementText | None
    # A grant that ended before both signed was declined by its city, or dropped by the programme.
    declined: bool = False
    # The last day on which both may sign, and when the program dropped it because that day had passed.
    preparation_ends_on: date | None = None
    lapsed_at: datetime | None = None
    # Where its own budget and description stand; None for a grant from before it had them.
    revision: RevisionState | None = None
    budget_id: UUID | None = None
    dossier_id: UUID | None = None
    # When the parent grant ends, and the last day on which the programme reports on it, where both are known.
    parent_ends_on: date | None = None
    parent_reports_by: date | None = None
    # Given to offers that were taken back: they count for nothing and stay on record.
    earlier_signatures: tuple[SignatureView, ...] = ()

    @property
    def text(self) -> AgreementText:
        """What the agreement says: as it was offered, or as it would be offered now."""
        return self.offered_text or agreement_text(self)

    @property
    def beyond_parent(self) -> Beyond | None:
        """By how much its end with its time to report and to be paid passes the end of its parent grant."""
        limits = self.time_limits
        return passes_parent_end(
            self.ends_before,
            report_days=limits.report,
            payment_days=limits.balance,
            parent_ends_on=self.parent_ends_on,
            reports_by=self.parent_reports_by,
        )

    @property
    def signed(self) -> frozenset[Side]:
        """The sides that have signed."""
        return frozenset(signature.side for signature in self.signatures)

    def is_late(self, milestone: MilestoneView, today: date) -> bool:
        """Whether the city owes this milestone and is past its day: nothing is owed before the signature, or once a grant ended."""
        return self.state is GrantState.IN_FORCE and milestone.is_late(today)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant in a list."""

    id: UUID
    reference: str
    title: str
    acronym: str | None
    state: GrantState
    coordinator: str
    country_code: str
    maximum: Money
    starts_on: date
    ends_before: date
    # Whether its city ended it before both signed; the programme drops.
    declined: bool
    amount_is_invented: bool = False


@dataclass(frozen=True, slots=True)
class GrantSummary:
    """What an act on a grant answers."""

    id: UUID
    reference: str
    state: GrantState


@dataclass(frozen=True, slots=True)
class AgreementText:
    """Everything the agreement states. Frozen when it is offered: what both sides accept, and what the hash covers."""

    agreement: str
    application: str
    call: str
    parent_grant: str
    title: str
    coordinator: str
    starts_on: date
    ends_before: date
    maximum: Money
    amount_note: str | None
    limits: Limits
    beneficiaries: tuple[NamedShare, ...]
    milestones: tuple[PlannedMilestone, ...]
    payments: tuple[ScheduleLine, ...]
    # None in a text that was offered before agreements stated them.
    time_limits: TimeLimits | None = None
    # Stated where it is not the plain one, so that a text offered before there was another keeps its hash.
    payment_clock: PaymentClock | None = None


def agreement_text(grant: GrantView) -> AgreementText:
    """The text as the grant stands now; it counts once it is offered."""
    return AgreementText(
        agreement=grant.reference,
        application=grant.application_reference,
        call=grant.call_title,
        parent_grant=grant.fund_source,
        title=grant.title,
        coordinator=grant.coordinator,
        starts_on=grant.starts_on,
        ends_before=grant.ends_before,
        maximum=grant.maximum,
        amount_note=grant.amount_note,
        limits=grant.limits,
        beneficiaries=tuple(
            NamedShare(each.organisation_id, each.name, each.country_code, each.is_coordinator, each.maximum)
            for each in grant.beneficiaries
        ),
        milestones=tuple(PlannedMilestone(each.title, each.criterion, each.due_on) for each in grant.milestones),
        payments=grant.schedule,
        time_limits=grant.time_limits,
        payment_clock=None if grant.payment_clock == PLAIN_CLOCK else grant.payment_clock,
    )


def stated(text: AgreementText) -> dict[str, Any]:
    """The text as its hash covers it; one that does not state its time limits keeps the hash it was signed with."""
    parts: dict[str, Any] = encoding.encode(text)
    if text.time_limits is None:
        del parts["time_limits"]
    if text.payment_clock is None:
        del parts["payment_clock"]
    return parts


def text_hash(text: AgreementText) -> str:
    """SHA-256 over the text in one spelling."""
    spelled = json.dumps(stated(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelled.encode()).hexdigest()
