"""What an agreement consists of and when it may be offered and signed: pure values, sums, schedules, account numbers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, assert_never
from uuid import UUID

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from grants.agreements.states import (
    BankAccountState,
    CheckAnswer,
    ContactRole,
    GrantState,
    MilestoneState,
    PaymentKind,
    Side,
)
from grants.calls.rules import TimeLimits
from grants.core import clock, encoding, faults
from grants.core.errors import Invalid, Problem, Refused
from grants.core.money import ZERO, Money, Rounding, total

# What is looked at before a grant agreement is offered (domain.md 10, grant preparation): key and words.
DUE_DILIGENCE: tuple[tuple[str, str], ...] = (
    ("legal_entity", "The legal entity of every beneficiary is validated against a public register"),
    ("power_to_sign", "The signatory of the coordinator has the power to sign, valid on the day of signature"),
    ("council_decision", "The council or another competent body has taken its decision, where one is needed"),
    ("exclusion", "The declaration on exclusion grounds is signed, and the sanctions lists were checked"),
    ("consortium_agreement", "The consortium agreement is signed, or its effective date is agreed"),
    ("financial_capacity", "The financial capacity of beneficiaries that are not public bodies was assessed"),
    ("state_aid", "State aid and de minimis are declared"),
    ("double_funding", "No cost of the work plan is paid by another grant"),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the project officer fixes for a grant in preparation; the limits follow from the call's percentages."""

    starts_on: date
    months: int
    shares: tuple[Share, ...]
    milestones: tuple[PlannedMilestone, ...]
    amount_note: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """The most one beneficiary may receive."""

    organisation_id: UUID
    maximum: Money


@dataclass(frozen=True, slots=True)
class NamedShare:
    """A beneficiary as the agreement names it."""

    organisation_id: UUID
    name: str
    country_code: str
    is_coordinator: bool
    maximum: Money


@dataclass(frozen=True, slots=True)
class PlannedMilestone:
    """A milestone with the written criterion by which it is accepted."""

    title: str
    criterion: str
    due_on: date


@dataclass(frozen=True, slots=True)
class Percentages:
    """The call's payment rules as exact percentages of the maximum grant: ``Fraction(40)`` is 40 %."""

    prefinancing: Fraction
    interim_ceiling: Fraction
    retention: Fraction


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts that follow from the maximum grant; rounded down, so that none is ever above its percentage."""

    prefinancing: Money
    interim_ceiling: Money
    retention: Money


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One planned payment."""

    number: int
    kind: PaymentKind
    report_number: int | None
    planned: Money
    due_on: date


@dataclass(frozen=True, slots=True)
class CheckInput:
    """The answer to one due-diligence item."""

    key: str
    answer: CheckAnswer
    note: str | None = None
    evidence_on: date | None = None
    # Of the item as it was shown.
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ContactInput:
    """A person of the coordinator, and what they do for the grant."""

    name: str
    email: str
    role: ContactRole


@dataclass(frozen=True, slots=True)
class DismissInput:
    """Whose part ends and why, and whether the person does not belong to the coordinator at all."""

    handle: str
    role: ContactRole
    reason: str
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class ContactView:
    """A person who acts for the coordinator; the handle stands in addresses of pages."""

    user_id: UUID
    handle: str
    name: str
    email: str
    role: ContactRole


@dataclass(frozen=True, slots=True)
class AccountInput:
    """A payee's account as typed."""

    holder: str
    iban: str
    bic: str | None = None


def limits(maximum: Money, percentages: Percentages) -> Limits:
    """The exact limits of a grant.

    >>> limits(Money(600_000_00), Percentages(Fraction(40), Fraction(90), Fraction(5))).interim_ceiling.cents
    54000000
    """
    return Limits(
        prefinancing=_percent(maximum, percentages.prefinancing),
        interim_ceiling=_percent(maximum, percentages.interim_ceiling),
        retention=min(_percent(maximum, percentages.retention), _percent(maximum, percentages.prefinancing)),
    )


def _percent(amount: Money, percent: Fraction) -> Money:
    return amount.share(percent / 100, rounding=Rounding.DOWN)


def schedule(maximum: Money, allowed: Limits, starts_on: date, report_dues: Sequence[date]) -> tuple[ScheduleLine, ...]:
    """The payments a grant can expect: pre-financing, one after each interim report, the balance after the final one.

    ``report_dues`` are the due days of the periodic reports in order, the last one the final report's.
    What lies between pre-financing and the interim ceiling is planned in equal parts; planned amounts
    always sum to the maximum.
    """
    assert report_dues, "a grant has at least its final report"
    lines: list[ScheduleLine] = []
    if allowed.prefinancing:
        lines.append(
            ScheduleLine(1, PaymentKind.PREFINANCING, None, allowed.prefinancing - allowed.retention, starts_on)
        )
    interims = list(report_dues[:-1])
    between = allowed.interim_ceiling - allowed.prefinancing
    if interims and between:
        parts = between.split([1] * len(interims))
        for report_number, (due, part) in enumerate(zip(interims, parts, strict=True), 1):
            lines.append(ScheduleLine(len(lines) + 1, PaymentKind.INTERIM, report_number, part, due))
    rest = maximum - total(line.planned for line in lines)
    lines.append(ScheduleLine(len(lines) + 1, PaymentKind.BALANCE, len(report_dues), rest, report_dues[-1]))
    assert total(line.planned for line in lines) == maximum, "the schedule pays exactly the maximum"
    return tuple(lines)


def terms_problems(terms: Terms, reserved: Money, parent_ends_on: date | None) -> dict[str, str]:
    """What is wrong with the terms, by field; empty when they may stand."""
    found: dict[str, str] = {}
    maximum = total(share.maximum for share in terms.shares)
    if maximum > reserved:
        found["shares"] = (
            f"The maxima of the beneficiaries sum to {maximum}, but {reserved} was reserved by the selection decision. "
            f"Lower them by {maximum - reserved}."
        )
    if maximum <= ZERO:
        found["shares"] = "Give at least one beneficiary a maximum above zero."
    if not 1 <= terms.months <= 120:
        found["months"] = "A grant runs between 1 and 120 months."
    elif parent_ends_on is not None and clock.add_months(terms.starts_on, terms.months) > parent_ends_on:
        # A warning would do in law; a grant that outlives its parent cannot be paid from it.
        found["months"] = (
            f"The grant would end after its parent grant ({clock.long_date(parent_ends_on)}). Choose an earlier start or fewer months."
        )
    if not terms.milestones:
        found["milestones"] = "Name at least one milestone with the criterion by which it is accepted."
    return found


def offer_problems(grant: GrantView) -> tuple[Problem, ...]:
    """What still stands between preparation and the offer of the agreement; empty when it may be offered."""
    found = [Problem("Due diligence", f"“{check.label}” is open.") for check in grant.checks if check.is_open]
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

    @property
    def masked(self) -> str:
        """``BE68 •••• 7034``: enough to recognise, too little to use."""
        return f"{self.iban[:4]} •••• {self.iban[-4:]}"

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
    # Given to offers that were taken back: they count for nothing and stay on record.
    earlier_signatures: tuple[SignatureView, ...] = ()

    @property
    def text(self) -> AgreementText:
        """What the agreement says: as it was offered, or as it would be offered now."""
        return self.offered_text or agreement_text(self)

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
    )


def stated(text: AgreementText) -> dict[str, Any]:
    """The text as its hash covers it; one that does not state its time limits keeps the hash it was signed with."""
    parts: dict[str, Any] = encoding.encode(text)
    if text.time_limits is None:
        del parts["time_limits"]
    return parts


def text_hash(text: AgreementText) -> str:
    """SHA-256 over the text in one spelling."""
    spelled = json.dumps(stated(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelled.encode()).hexdigest()


def account_number(text: str) -> str:
    """An IBAN without spaces, in capitals, its length and check digits right; raises :class:`Invalid`.

    Whether the bank code is known is not asked: lists of banks age (money_and_trust.md, M14).

    >>> account_number("be68 5390 0754 7034")
    'BE68539007547034'
    """
    compact = re.sub(r"[\s\u00a0\u202f]", "", text).upper()
    if not compact.isascii() or not compact.isalnum():
        raise Invalid(
            "The IBAN holds a character that is not a plain letter or digit. Copy it from the bank’s document again.",
            {"iban": "Use only the letters A to Z and the digits 0 to 9."},
        )
    try:
        return str(IBAN(compact))
    except SchwiftyException as error:
        raise Invalid(
            "The IBAN is not right.",
            {
                "iban": "This IBAN has a wrong length or wrong check digits for its country. Compare it with the bank’s document, group by group."
            },
        ) from error


def bank_code(text: str | None) -> str | None:
    """A BIC of 8 or 11 characters in capitals, or None for none; raises :class:`Invalid`."""
    compact = re.sub(r"\s", "", text or "").upper()
    if not compact:
        return None
    if not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", compact):
        raise Invalid("The BIC is not right.", {"bic": "A BIC has 8 or 11 letters and digits, for example GKCCBEBB."})
    return compact


def refuse_same_person(first: UUID, second: UUID | None, *, deed: str) -> None:
    """Four eyes: two steps the circuit keeps apart are never done by one person."""
    faults.point("four_eyes")
    if second is None or first == second:
        raise Refused(f"You entered this yourself; {deed} takes another person. Ask a colleague with that role.")


def signs(side: Side) -> str:
    """Who signs, in words."""
    match side:
        case Side.CITY:
            return "the coordinator"
        case Side.PROGRAMME:
            return "the programme"
        case _:
            assert_never(side)


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """One periodic report a grant owes: its period (half-open) and the day it is due."""

    number: int
    is_final: bool
    starts_on: date
    ends_before: date
    due_on: date


def report_plan(starts_on: date, months: int, interim_months: Sequence[int], days: int) -> tuple[ReportPlan, ...]:
    """The periodic reports of a grant: one for each interim month, and the final one at its end.

    ``interim_months`` count from the start; ``days`` is the time after a period until its report is
    due (60 in the Horizon model agreement, a parameter of the call).

    >>> [str(plan.due_on) for plan in report_plan(date(2023, 6, 1), 24, [12], 60)]
    ['2024-07-31', '2025-07-31']
    """
    ends = [clock.add_months(starts_on, month) for month in sorted({m for m in interim_months if 0 < m < months})]
    ends.append(clock.add_months(starts_on, months))
    begins = [starts_on, *ends[:-1]]
    return tuple(
        ReportPlan(number, number == len(ends), begin, end, clock.add_days(end, days))
        for number, (begin, end) in enumerate(zip(begins, ends, strict=True), 1)
    )


def default_shares(reserved: Money, requested: Sequence[tuple[UUID, Money]]) -> tuple[Share, ...]:
    """The reserved amount over the beneficiaries in proportion to what each asked for; in equal parts where nothing is known."""
    weights = [amount.cents for _, amount in requested]
    parts = reserved.split(weights if sum(weights) else [1] * len(requested))
    return tuple(Share(organisation_id, part) for (organisation_id, _), part in zip(requested, parts, strict=True))
