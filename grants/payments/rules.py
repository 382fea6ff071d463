"""How a payment request is decided and an order kept in its circuit: amounts, due days, four eyes. Pure.

Amounts come from the balances of the ledger, read under the locks of call and grant; what is decided
here is what is posted there, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from grants.agreements.states import GrantState, PaymentKind
from grants.calls.rules import TimeLimits
from grants.core import clock
from grants.core.errors import Invalid, Problem, Refused
from grants.core.money import ZERO, Money, total
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, Event
from grants.payments.states import BEFORE_EXPORT, DECIDED, OrderState, RecoveryState, RequestState, Step

WORDS: Mapping[PaymentKind, str] = {
    PaymentKind.PREFINANCING: "Pre-financing",
    PaymentKind.INTERIM: "Interim payment",
    PaymentKind.BALANCE: "Payment of the balance",
}

STEP_PEOPLE: Mapping[Step, str] = {
    Step.PREPARED: "the initiator",
    Step.VERIFIED: "the verifier",
    Step.AUTHORISED: "the authorising officer",
    Step.EXPORTED: "the accounting officer",
}


# --- Days -----------------------------------------------------------------------------------------------------------


def prefinancing_due_on(in_force_on: date, starts_on: date, limits: TimeLimits) -> date:
    """So many days after entry into force or before the start, whichever is later.

    >>> prefinancing_due_on(date(2023, 5, 1), date(2023, 6, 1), TimeLimits(30, 10, 60, 90, 90))
    datetime.date(2023, 5, 31)
    """
    return max(clock.add_days(in_force_on, limits.prefinancing), clock.add_days(starts_on, -limits.before_start))


def report_due_on(kind: PaymentKind, received_on: date, limits: TimeLimits) -> date:
    """So many days after the report that opens the payment was received."""
    return clock.add_days(received_on, limits.balance if kind is PaymentKind.BALANCE else limits.interim)


def again_due_on(kind: PaymentKind, asked_on: date, limits: TimeLimits) -> date:
    """A request that is made again starts its time anew."""
    return clock.add_days(asked_on, days_of(kind, limits))


def days_of(kind: PaymentKind, limits: TimeLimits) -> int:
    """How many days the agreement gives for a payment of this kind."""
    match kind:
        case PaymentKind.PREFINANCING:
            return limits.prefinancing
        case PaymentKind.INTERIM:
            return limits.interim
        case PaymentKind.BALANCE:
            return limits.balance
        case _:
            assert_never(kind)


class Opened(StrEnum):
    """What a request counts its days from."""

    FIRST = "first"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class DueBasis:
    """What the due day of a request rests on: the grant's own time limits, and the day they count from."""

    kind: PaymentKind
    limits: TimeLimits
    limits_on: date
    counted_from: date
    starts_on: date
    opened: Opened = Opened.FIRST

    @property
    def words(self) -> str:
        """Why it is due on its day, as one sentence."""
        taken = f"time limits of the call as the agreement took them over on {clock.long_date(self.limits_on)}"
        if self.opened is Opened.AGAIN:
            return f"{days_of(self.kind, self.limits)} days after it was asked for again on {clock.long_date(self.counted_from)}; {taken}"
        if self.kind is PaymentKind.PREFINANCING:
            return (
                f"{self.limits.prefinancing} days after the agreement came into force on {clock.long_date(self.counted_from)}, "
                f"or {self.limits.before_start} days before the start on {clock.long_date(self.starts_on)} where that is later; {taken}"
            )
        return f"{days_of(self.kind, self.limits)} days after the report came in on {clock.long_date(self.counted_from)}; {taken}"


# --- Decisions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """What the grant agreement allows."""

    maximum: Money
    interim_ceiling: Money
    prefinancing: Money
    retention: Money


@dataclass(frozen=True, slots=True)
class Decision:
    """How an approved amount is split; for a balance ``approved`` is the final amount and ``recoverable`` what was overpaid.

    What is ``deferred`` for want of room below the ceiling comes back in the balance; what is ``refused`` does not.
    """

    approved: Money
    payable: Money
    retained: Money = ZERO
    cleared: Money = ZERO
    deferred: Money = ZERO
    recoverable: Money = ZERO
    refused: Money = ZERO

    @property
    def booked(self) -> Money:
        """What is booked as accepted now (interim): paid, or covered by pre-financing."""
        return self.payable + self.cleared


def room(found: Balances, limits: Limits) -> Money:
    """What may still be authorised before the balance: the ceiling less everything that counts towards it."""
    return max(limits.interim_ceiling - found.counted_to_ceiling, ZERO)


def decide_prefinancing(found: Balances, limits: Limits, approved: Money) -> Decision:
    """Pre-financing of ``approved`` gross: the retention is kept out of it, once, and the ceiling holds."""
    if approved > limits.prefinancing:
        raise Refused(
            f"The agreement allows {limits.prefinancing} of pre-financing; {approved} is {approved - limits.prefinancing} more. "
            "Lower the amount."
        )
    if approved > room(found, limits):
        raise Refused(
            f"{room(found, limits)} is left below the ceiling of {limits.interim_ceiling}; {approved} is too much. Lower the amount."
        )
    retained = min(limits.retention, approved)
    return Decision(approved, payable=approved - retained, retained=retained)


def decide_interim(found: Balances, limits: Limits, approved: Money) -> Decision:
    """Accepted costs of ``approved``: cash up to the ceiling, the rest covered by pre-financing, what is left deferred.

    What neither the ceiling nor outstanding pre-financing can take is not lost: it counts in the final amount.
    """
    payable = min(approved, room(found, limits))
    cleared = min(approved - payable, found[Account.PREFINANCING])
    decision = Decision(approved, payable=payable, cleared=cleared, deferred=approved - payable - cleared)
    assert found.counted_to_ceiling + decision.payable <= max(limits.interim_ceiling, found.counted_to_ceiling)
    return decision


@dataclass(frozen=True, slots=True)
class FinalSteps:
    """What the balance books, in order: a correction of accepted costs up or down, then the release of the retention."""

    increase: Money
    decrease: Money
    outstanding: Money
    retention: Money
    outstanding_after: Money


def final_steps(found: Balances, final: Money) -> FinalSteps:
    """The amounts of E11 or E11b, and of E12, for a final amount."""
    accepted, outstanding = found[Account.GRANT_COSTS], found[Account.PREFINANCING]
    increase, decrease = max(final - accepted, ZERO), max(accepted - final, ZERO)
    after = outstanding + decrease - min(increase, outstanding)
    return FinalSteps(increase, decrease, outstanding, found[Account.RETENTION], after)


def decide_balance(found: Balances, limits: Limits, final: Money) -> Decision:
    """The final amount of the grant: what is still payable, or what was paid too much and is to be recovered.

    >>> paid = Balances({Account.BANK: Money(-510), Account.GRANT_COSTS: Money(350), Account.PREFINANCING: Money(190), Account.RETENTION: Money(30)})
    >>> decide_balance(paid, Limits(Money(600), Money(540), Money(240), Money(30)), Money(560)).payable
    Money(cents=50, currency='EUR')
    """
    if final > limits.maximum:
        raise Refused(
            f"The maximum of the grant is {limits.maximum}; a final amount of {final} is {final - limits.maximum} more. Lower it."
        )
    steps = final_steps(found, final)
    released = max(steps.retention - steps.outstanding_after, ZERO)
    owed = max(steps.increase - steps.outstanding, ZERO)
    recoverable = max(steps.outstanding_after - steps.retention, ZERO)
    decision = Decision(final, payable=owed + released, recoverable=recoverable)
    net = steps.increase - steps.decrease - steps.outstanding + steps.retention
    assert decision.payable - decision.recoverable == net, "what is paid in all is the final amount"
    return decision


def counted(accepted: Money, state: RequestState | None, approved: Money | None) -> Money:
    """What a report adds to the final amount: what its request approved of what the officer accepted.

    Nothing while its request stands rejected; the whole while none is decided.

    >>> counted(Money(100), RequestState.PARTLY_APPROVED, Money(60))
    Money(cents=60, currency='EUR')
    """
    if state is RequestState.REJECTED:
        return ZERO
    return accepted if approved is None else approved


def final_amount(limits: Limits, counted: Iterable[Money]) -> Money:
    """The lower of the maximum grant and everything accepted and not refused (I9); other limits come with their forms of funding."""
    return min(limits.maximum, total(counted))


def decide(kind: PaymentKind, found: Balances, limits: Limits, approved: Money) -> Decision:
    """The decision on a request of this kind over ``approved``."""
    match kind:
        case PaymentKind.PREFINANCING:
            return decide_prefinancing(found, limits, approved)
        case PaymentKind.INTERIM:
            return decide_interim(found, limits, approved)
        case PaymentKind.BALANCE:
            return decide_balance(found, limits, approved)
        case _:
            assert_never(kind)


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """What the authoriser decides: the amount approved, and why where it is less than requested."""

    approved: Money
    reason: str = ""


def check_decision(requested: Money, given: DecisionInput, kind: PaymentKind) -> None:
    """Refuse an amount above the request, nothing at all (a final amount may be nothing), and a cut without a reason."""
    if given.approved > requested:
        raise Invalid(
            "More was approved than requested.",
            {"approved": f"{requested} was requested. Enter at most that."},
        )
    nothing = given.approved < ZERO if kind is PaymentKind.BALANCE else given.approved <= ZERO < requested
    if nothing:
        raise Invalid(
            "Nothing was approved.", {"approved": "Enter an amount above zero, or reject the request with a reason."}
        )
    if given.approved < requested and not given.reason.strip():
        raise Invalid(
            "The reason is missing.",
            {"reason": f"Say why {requested - given.approved} is refused; the coordinator will read it."},
        )


# --- The circuit of an order ----------------------------------------------------------------------------------------

Signed = Mapping[Step, UUID]


def refuse_same_person(signed: Signed, step: Step, user_id: UUID | None) -> None:
    """Four different people on each order: refuse whoever already took another step."""
    if user_id is None:
        raise Refused("A person must take this step, not the program.")
    for earlier, person in signed.items():
        if person == user_id and earlier is not step:
            raise Refused(
                f"You are {STEP_PEOPLE[earlier]} of this order; {STEP_PEOPLE[step]} must be somebody else. Ask a colleague with that role."
            )


def refuse_own_account(people: Iterable[UUID | None], user_id: UUID | None) -> None:
    """Nobody approves an order to an account he or she entered or confirmed (I15)."""
    if user_id in set(people):
        raise Refused(
            "You entered or confirmed the bank account of this order, so you cannot approve a payment to it. Ask a colleague."
        )


def refuse_over_payable(payable: Money, ordered: Money, amount: Money) -> None:
    """The orders of a request together never exceed what is payable (I12)."""
    left = payable - ordered
    if amount <= ZERO:
        raise Invalid("The amount is missing.", {"amount": "Enter an amount above zero."})
    if amount > left:
        raise Refused(
            f"{left} of {payable} is left to order; {amount} is {amount - left} more. Lower the amount, or cancel another order first."
        )


def refuse_value_date(value_on: date, exported_on: date, today: date) -> None:
    """The bank's value date lies between the day the list left and today."""
    if not exported_on <= value_on <= today:
        raise Invalid(
            "The value date cannot be right.",
            {
                "value_on": f"The list left on {clock.long_date(exported_on)}. Enter the day the bank booked the payment, from that day to today."
            },
        )


# --- Recoveries -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecoveryInput:
    """What the authoriser establishes: why the money is owed back, and until when it is to be paid."""

    reason: str
    due_on: date


@dataclass(frozen=True, slots=True)
class ReceiptInput:
    """What the accounting officer reads off the bank statement."""

    amount: Money
    value_on: date
    bank_reference: str


def check_recovery(given: RecoveryInput, today: date) -> None:
    """Refuse a recovery without a reason, or due before the city could pay."""
    problems = {}
    if not given.reason.strip():
        problems["reason"] = "Say why it is owed back and what the city answered; it reads this."
    if given.due_on <= today:
        problems["due_on"] = f"Enter a day after today, {clock.long_date(today)}, so that the city can pay in time."
    if problems:
        raise Invalid("The recovery cannot be established like this.", problems)


def check_receipt(given: ReceiptInput, owed: Money, established_on: date, today: date) -> None:
    """Refuse a receipt of nothing, of more than is owed, without the bank's reference, or on a day that cannot be."""
    problems = {}
    if given.amount <= ZERO:
        problems["amount"] = "Enter an amount above zero."
    elif given.amount > owed:
        problems["amount"] = (
            f"{owed} is still owed; {given.amount} is {given.amount - owed} more. Book {owed} here; the rest belongs to "
            "the city and is paid back to it outside this program."
        )
    if not established_on <= given.value_on <= today:
        problems["value_on"] = (
            f"The recovery stands since {clock.long_date(established_on)}. Enter the day the bank booked the money, from that day to today."
        )
    if not given.bank_reference.strip():
        problems["bank_reference"] = (
            "Enter the reference on the bank statement, so that the receipt can be found again."
        )
    if problems:
        raise Invalid("The receipt cannot be booked like this.", problems)


def recovery_next(state: RecoveryState) -> str:
    """Where a recovery stands and what comes next, as a sentence."""
    match state:
        case RecoveryState.ESTABLISHED:
            return "The city pays it back; the accounting officer books what comes in."
        case RecoveryState.PAID:
            return "It is paid back; nothing more is to be done."
        case RecoveryState.WAIVED:
            return "What was left of it is waived; nothing more is to be done."
        case _:
            assert_never(state)


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Money that came back."""

    amount: Money
    value_on: date
    bank_reference: str
    booked_by: str


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """One recovery with what came back."""

    id: UUID
    version: int
    reference: str
    state: RecoveryState
    grant_id: UUID
    grant_reference: str
    acronym: str
    payee: str
    request_reference: str
    amount: Money
    reason: str
    due_on: date
    established_at: datetime
    established_by: str
    receipts: tuple[ReceiptView, ...]
    waived: Money | None
    waived_at: datetime | None
    waived_by: str | None
    waive_reason: str | None

    @property
    def received(self) -> Money:
        """What came back so far."""
        return total(each.amount for each in self.receipts)

    @property
    def owed(self) -> Money:
        """What is still owed."""
        return self.amount - self.received - (self.waived or ZERO)

    @property
    def due_at(self) -> datetime:
        """The last moment of its due day."""
        return clock.end_of_day(self.due_on)


@dataclass(frozen=True, slots=True)
class RecoverySummary:
    """What an act on a recovery answers."""

    id: UUID
    reference: str
    state: RecoveryState
    owed: Money


# --- The ledger's page ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LedgerAsk:
    """What the ledger's page shows; ``to_on`` is the last day shown."""

    account: Account | None = None
    event: Event | None = None
    grant_reference: str = ""
    from_on: date | None = None
    to_on: date | None = None
    text: str = ""


# --- What comes next ------------------------------------------------------------------------------------------------


def order_next(state: OrderState) -> str:
    """Where an order stands and who acts on it next, as a sentence."""
    match state:
        case OrderState.PREPARED:
            return "It is prepared; the verifier looks at it next."
        case OrderState.VERIFIED:
            return "It is verified; the authorising officer signs next."
        case OrderState.AUTHORISED:
            return "It is authorised; the accounting officer exports it next."
        case OrderState.EXPORTED:
            return "It left for the bank; the accounting officer enters the value date when the bank has booked it."
        case OrderState.EXECUTED:
            return "The bank has booked it; nothing more is to be done."
        case OrderState.CANCELLED:
            return "It is cancelled; what it held can be put into a new order on the page of its request."
        case _:
            assert_never(state)


def request_next(found: RequestView) -> str:
    """Where a request stands and what comes next, as a sentence."""
    match found.state:
        case RequestState.SUBMITTED:
            return "It waits for the decision of the authorising officer."
        case RequestState.APPROVED | RequestState.PARTLY_APPROVED if found.to_order:
            return f"It is decided; the initiator prepares an order for the {found.to_order} that is in none yet."
        case RequestState.APPROVED | RequestState.PARTLY_APPROVED:
            return "It is decided and wholly in orders; it is paid when the bank has booked them."
        case RequestState.REJECTED:
            return "It is rejected and nothing is paid for it; the coordinator may answer the reason and ask again until the balance is decided."
        case RequestState.CLEARED:
            return "It is settled without a payment; nothing more is to be done."
        case RequestState.PAID:
            return "It is paid; nothing more is to be done."
        case _:
            assert_never(found.state)


def again_refusal(found: RequestView, final_amount: Money | None) -> str | None:
    """Why a request cannot be asked for again, or None where it may."""
    if found.replaced_by is not None:
        return f"It was asked for again already, as {found.replaced_by}."
    if found.state is not RequestState.REJECTED:
        return "Only a rejected request can be asked for again; this one is not rejected."
    if final_amount is not None:
        return f"The final amount of the grant is decided: {final_amount}. Nothing more can be asked for on top of it."
    return None


def close_refusal(state: GrantState) -> str | None:
    """Why a grant in this state is not closed now, and what comes first; None where it may be tried."""
    match state:
        case GrantState.IN_FORCE:
            return None
        case GrantState.CLOSED:
            return "This grant is closed already, and a closed grant is not opened again. Its payments and reports stay as they are."
        case GrantState.PREPARATION | GrantState.READY_TO_SIGN:
            return "This grant is not in force yet: its agreement is signed first. To give it up before that, drop it on its own page."
        case GrantState.DROPPED:
            return "This grant was dropped before its agreement was signed; there is nothing to close."
        case _:
            assert_never(state)


# --- Views ----------------------------------------------------------------------------------------------------------


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
    """What the export answers."""

    id: UUID
    reference: str
    orders: int
    total: Money
    file_sha256: str | None = None


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


@dataclass(frozen=True, slots=True)
class AccountLine:
    """The account of an order: masked, with who entered and confirmed it, and whether it still stands."""

    masked: str
    holder: str
    entered_by: UUID
    confirmed_by: UUID | None
    stands: bool
    paid_before: int


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
    report_accepted_on: date | None
    grant_id: UUID
    grant_reference: str
    acronym: str
    payee: str
    payee_id: UUID
    account: AccountLine
    prepared_by: UUID
    verified_by: UUID | None
    authorised_by: UUID | None
    exported_by: UUID | None
    executed_by: UUID | None
    batch_reference: str | None
    value_on: date | None
    cancel_reason: str | None
    signatures: tuple[SignatureView, ...]

    @property
    def due_at(self) -> datetime:
        """The last moment of its due day."""
        return clock.end_of_day(self.due_on)

    @property
    def signed(self) -> dict[Step, UUID]:
        """The people of the circuit so far."""
        found = {
            Step.PREPARED: self.prepared_by,
            Step.VERIFIED: self.verified_by,
            Step.AUTHORISED: self.authorised_by,
            Step.EXPORTED: self.exported_by,
        }
        return {step: person for step, person in found.items() if person is not None}

    @property
    def standing(self) -> tuple[SignatureView, ...]:
        """The signatures that count."""
        return tuple(each for each in self.signatures if each.voided_at is None)

    @property
    def reason(self) -> str:
        """Why this is paid, in words."""
        return reason_words(self.kind, self.report_number)

    @property
    def may_change(self) -> bool:
        """Whether it has not left yet."""
        return self.state in BEFORE_EXPORT


def reason_words(kind: PaymentKind, report_number: int | None) -> str:
    """``Interim payment, report 1``."""
    return WORDS[kind] if report_number is None else f"{WORDS[kind]}, report {report_number}"


NEXT_STEP: Mapping[OrderState, Step] = {
    OrderState.PREPARED: Step.VERIFIED,
    OrderState.VERIFIED: Step.AUTHORISED,
    OrderState.AUTHORISED: Step.EXPORTED,
}


def lock_of(order: OrderView, user_id: UUID | None) -> str | None:
    """Why this person cannot take the next step of an order, or None; the act checks it again."""
    step = NEXT_STEP.get(order.state)
    if step is None:
        return None
    if not order.account.stands:
        return "The bank account was replaced. The initiator must choose the new one."
    try:
        refuse_same_person(order.signed, step, user_id)
        if step in {Step.VERIFIED, Step.AUTHORISED}:
            refuse_own_account((order.account.entered_by, order.account.confirmed_by), user_id)
    except Refused as refusal:
        return str(refusal)
    return None


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
    report_accepted_on: date | None
    requested: Money
    submitted_at: datetime
    due_on: date
    due_basis: DueBasis
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None
    decision: Decision | None
    ordered: Money
    executed: Money
    reply: str | None
    replaces: str | None
    replaced_by: str | None

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
        """Whether it waits for its decision."""
        return self.state is RequestState.SUBMITTED

    @property
    def to_order(self) -> Money:
        """What is payable and not yet in an order."""
        if self.decision is None or self.state not in DECIDED:
            return ZERO
        return self.decision.payable - self.ordered

    @property
    def reason(self) -> str:
        """What this request is, in words."""
        return reason_words(self.kind, self.report_number)


@dataclass(frozen=True, slots=True)
class BatchView:
    """A list of orders that left together."""

    id: UUID
    reference: str
    exported_at: datetime
    exported_by: str
    orders: tuple[OrderView, ...]
    total: Money
    file_name: str | None
    file_sha256: str | None


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


def position(found: Balances, limits: Limits) -> MoneyPosition:
    """The figures of a grant's payments page."""
    on_the_way = found[Account.PAYABLE] + found[Account.IN_TRANSIT]
    return MoneyPosition(
        limits=limits,
        paid=found[Account.CONSUMED],
        on_the_way=on_the_way,
        retained=found[Account.RETENTION],
        accepted=found[Account.GRANT_COSTS],
        prefinancing_open=found[Account.PREFINANCING],
        room=room(found, limits),
        left=limits.maximum - found[Account.CONSUMED] - on_the_way - found[Account.RETENTION],
    )


def circuit_problems(order: OrderView) -> tuple[Problem, ...]:
    """I15 for one order: its people differ, each is among its standing signatures, and none approved an own account."""
    found = []
    people = list(order.signed.values())
    if len(set(people)) != len(people):
        found.append("I15: one person took two steps of the circuit.")
    if {each.step: each.user_id for each in order.standing} != order.signed and order.state is not OrderState.CANCELLED:
        found.append("I15: its people are not those of its signatures.")
    if any(each.amount != order.amount for each in order.standing):
        found.append("I12: a signature was given for another amount.")
    own = {order.account.entered_by, order.account.confirmed_by} & {order.verified_by, order.authorised_by}
    if own - {None}:
        found.append("I15: somebody approved a payment to an account he or she entered or confirmed.")
    return tuple(Problem(order.reference, sentence) for sentence in found)


def shares_of(amount: Money, still_open: Sequence[tuple[UUID | None, Money]]) -> tuple[tuple[UUID | None, Money], ...]:
    """A payment over the partners in proportion to their open commitments; never more than one has open."""
    if amount > total(each for _, each in still_open):
        raise Refused(
            f"{total(each for _, each in still_open)} of the commitment is open; {amount} cannot be paid. Look at the ledger of this grant."
        )
    parts = amount.split([each.cents for _, each in still_open])
    return tuple((partner, part) for (partner, _), part in zip(still_open, parts, strict=True) if part)
