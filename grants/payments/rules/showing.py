"""Requests, orders, lists and the position of a grant as frozen values, and what acts answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grants.agreements.states import PaymentKind
from grants.core import clock
from grants.core.money import ZERO, Money
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, Event
from grants.payments.rules.amounts import Figure, amount_of
from grants.payments.rules.days import WORDS, DueBasis
from grants.payments.rules.decisions import Decision, Limits, room
from grants.payments.rules.pay_runs import FileLayout, FileLine
from grants.payments.rules.sepa.table import Finding
from grants.payments.rules.standing import Standing, request_deed
from grants.payments.states import (
    AT_BANK,
    BEFORE_FILE,
    BEFORE_SENT,
    DECIDED,
    UNDECIDED,
    BatchState,
    OrderState,
    RequestState,
    Step,
)


@dataclass(frozen=True, slots=True)
class LedgerAsk:
    """What the ledger's page shows, as people name it; ``to_on`` is the last day shown, and nothing that was recorded at
    ``known`` or later is."""

    account: Account | None = None
    events: tuple[Event, ...] = ()
    fund: str = ""
    call: str = ""
    grant_reference: str = ""
    partner: str = ""
    category: str = ""
    period: str = ""
    document: str = ""
    from_on: date | None = None
    to_on: date | None = None
    known: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """What an act on a request answers."""

    id: UUID
    reference: str
    state: RequestState


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """What an act on an order answers."""

    id: UUID
    reference: str
    state: OrderState


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What an act on a file answers."""

    id: UUID
    reference: str
    orders: int
    total: Money
    file_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ReportEvidence:
    """The settled report that opened a payment; a rejected one is no evidence for any amount."""

    number: int
    accepted: bool
    settled_on: date

    @property
    def words(self) -> str:
        """What it says for the payment.

        >>> ReportEvidence(1, False, date(2026, 10, 27)).words
        'Report 1, rejected 27 October 2026: the balance is decided without it'
        """
        day = clock.long_date(self.settled_on)
        if self.accepted:
            return f"Report {self.number}, accepted {day}"
        return f"Report {self.number}, rejected {day}: the balance is decided without it"


@dataclass(frozen=True, slots=True)
class SignatureView:
    """A step somebody took; a voided one says why it no longer counts."""

    step: Step
    user_id: UUID
    name: str
    signed_at: datetime
    amount: Money
    note: str | None
    voided_at: datetime | None
    voided_why: str | None
    # Whose role was exercised, by name, where it was not their own; and the sentences that were ticked.
    stood_in_for: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountLine:
    """The account of an order: masked, with who entered and confirmed it, whether it still stands, and what its signers must
    know of it, in words."""

    masked: str
    holder: str
    entered_by: UUID
    entered_at: datetime
    confirmed_by: UUID | None
    confirmed_at: datetime | None
    stands: bool
    paid_before: int
    # “confirmed 3 days ago”, “never paid to”.
    age: str = ""
    paid: str = ""
    # The first day on which it can be paid to, while that is to come.
    waits_until: date | None = None
    # It replaced another one shortly before the order; the same number is somebody else's too.
    changed: str = ""
    shared: str = ""
    # What the bank said of the holder; empty of accounts from before that was asked.
    match: str = ""
    address: str = ""

    @property
    def made(self) -> tuple[tuple[UUID | None, datetime | None], ...]:
        """Who entered and confirmed it, and when."""
        return (self.entered_by, self.entered_at), (self.confirmed_by, self.confirmed_at)


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order with its circuit."""

    id: UUID
    version: int
    reference: str
    state: OrderState
    amount: Money
    due_on: date
    request_reference: str
    kind: PaymentKind
    report_number: int | None
    evidence: ReportEvidence | None
    grant_id: UUID
    grant_reference: str
    acronym: str
    call_id: UUID
    payee: str
    payee_id: UUID
    account: AccountLine
    suspended_on: date | None
    prepared_by: UUID
    verified_by: UUID | None
    authorised_by: UUID | None
    sent_by: UUID | None
    executed_by: UUID | None
    batch_reference: str | None
    value_on: date | None
    cancel_reason: str | None
    signatures: tuple[SignatureView, ...]
    # Of one that the bank rejected or returned: when and why, and as what it is issued again; and what this one issues again.
    came_back_on: date | None = None
    bank_reason: str | None = None
    reissue_of: str | None = None
    issued_as: str | None = None
    # It came back, and what it paid was cancelled since: nobody issues it again.
    let_go: bool = False

    @property
    def due_at(self) -> datetime:
        """The last moment of its due day."""
        return clock.end_of_day(self.due_on)

    @property
    def clock_words(self) -> str | None:
        """What is said in place of the days left while the clock of its payment stands still."""
        return f"the clock stands still since {clock.long_date(self.suspended_on)}" if self.suspended_on else None

    @property
    def signed(self) -> dict[Step, UUID]:
        """The people of the circuit so far."""
        found = {
            Step.PREPARED: self.prepared_by,
            Step.VERIFIED: self.verified_by,
            Step.AUTHORISED: self.authorised_by,
            Step.SENT: self.sent_by,
        }
        return {step: person for step, person in found.items() if person is not None}

    @property
    def standing(self) -> tuple[SignatureView, ...]:
        """The signatures that count."""
        return tuple(each for each in self.signatures if each.voided_at is None)

    @property
    def prepared_at(self) -> datetime | None:
        """When its initiator signed last, by which its circuit is found; None where that is on no record."""
        return max((each.signed_at for each in self.signatures if each.step is Step.PREPARED), default=None)

    @property
    def reason(self) -> str:
        """Why this is paid, in words."""
        return reason_words(self.kind, self.report_number)

    @property
    def at_bank(self) -> bool:
        """Whether the bank has it and has not booked it."""
        return self.state in AT_BANK

    @property
    def may_change(self) -> bool:
        """Whether it has not left yet."""
        return self.state in BEFORE_FILE


def reason_words(kind: PaymentKind, report_number: int | None) -> str:
    """``Interim payment, report 1``."""
    return WORDS[kind] if report_number is None else f"{WORDS[kind]}, report {report_number}"


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request with its decision; ``forecast`` says what a full approval would give while it is undecided."""

    id: UUID
    version: int
    reference: str
    number: int
    kind: PaymentKind
    state: RequestState
    grant_id: UUID
    grant_reference: str
    acronym: str
    payee: str
    report_reference: str | None
    report_number: int | None
    evidence: ReportEvidence | None
    requested: Money
    submitted_at: datetime
    due_on: date
    due_basis: DueBasis
    standing: Standing
    registered_at: datetime | None
    registered_by: str | None
    verified_at: datetime | None
    verified_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None
    decision: Decision | None
    ordered: Money
    executed: Money
    set_off: Money
    reply: str | None
    replaces: str | None
    replaced_by: str | None
    guarantee_asked: bool = False
    # What of approved pre-financing was never paid and is cancelled.
    cancelled: Money = ZERO

    @property
    def due_at(self) -> datetime:
        """The last moment of its due day."""
        return clock.end_of_day(self.due_on)

    @property
    def may_be_asked_again(self) -> bool:
        """Whether it was rejected and no later request took its place."""
        return self.state is RequestState.REJECTED and self.replaced_by is None

    @property
    def is_open(self) -> bool:
        """Whether it is not decided."""
        return self.state in UNDECIDED

    @property
    def clock_words(self) -> str | None:
        """What is said in place of the days left while its clock does not run."""
        return self.standing.words if self.is_open or self.state in DECIDED else None

    @property
    def deed(self) -> str:
        """What it waits for: one word for each."""
        return request_deed(self.state, self.standing)

    @property
    def to_order(self) -> Money:
        """What is payable, not yet in an order, not set off and not cancelled."""
        if self.decision is None or self.state not in DECIDED:
            return ZERO
        return self.decision.payable - self.ordered - self.set_off - self.cancelled

    @property
    def unpaid(self) -> Money:
        """What is payable and neither paid, set off nor cancelled, in an order or not."""
        if self.decision is None or self.state not in DECIDED:
            return ZERO
        return self.decision.payable - self.executed - self.set_off - self.cancelled

    @property
    def reason(self) -> str:
        """What this request is, in words."""
        return reason_words(self.kind, self.report_number)


@dataclass(frozen=True, slots=True)
class BatchView:
    """A file of orders: what it holds, what the rules of bank files said of it, and who built, sent or discarded it."""

    id: UUID
    version: int
    reference: str
    message_id: str
    state: BatchState
    layout: FileLayout
    execution_on: date | None
    account_reference: str | None
    built_at: datetime
    built_by: str
    sent_at: datetime | None
    sent_by: str | None
    discarded_at: datetime | None
    discarded_by: str | None
    discard_reason: str | None
    orders: tuple[OrderView, ...]
    lines: tuple[FileLine, ...]
    count: int
    total: Money
    findings: tuple[Finding, ...]
    file_name: str | None
    file_sha256: str | None
    recorded_at: datetime | None = None

    @property
    def refusing(self) -> tuple[Finding, ...]:
        """What keeps it from being made."""
        return tuple(each for each in self.findings if each.refuses)

    @property
    def may_discard(self) -> bool:
        """Whether it has not left and is not void."""
        return self.state in BEFORE_SENT


@dataclass(frozen=True, slots=True)
class MoneyPosition:
    """What a grant has been granted, paid and may still be paid, from the ledger."""

    limits: Limits
    paid: Money
    on_the_way: Money
    retained: Money
    accepted: Money
    prefinancing_open: Money
    room: Money
    left: Money


def position(found: Balances, limits: Limits, *, ended: bool = False) -> MoneyPosition:
    """The figures of a grant's payments page; of a grant that ended nothing is open, its rest is with the call again."""
    paid, on_the_way, retained = (amount_of(each, found) for each in (Figure.PAID, Figure.ON_THE_WAY, Figure.RETAINED))
    return MoneyPosition(
        limits=limits,
        paid=paid,
        on_the_way=on_the_way,
        retained=retained,
        accepted=amount_of(Figure.ACCEPTED, found),
        prefinancing_open=amount_of(Figure.PREFINANCING, found),
        room=ZERO if ended else room(found, limits),
        left=ZERO if ended else limits.maximum - paid - on_the_way - retained,
    )
