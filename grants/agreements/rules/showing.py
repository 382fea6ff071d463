"""A grant as its pages show it, and what stands in the way of an offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from grants.agreements.rules.accounts import PayeeAddress, age_words, masked
from grants.agreements.rules.conditions import ConditionView, condition_problems, power_in, power_of
from grants.agreements.rules.holding import HoldView, held_back
from grants.agreements.rules.parties import ContactView, signs
from grants.agreements.rules.revising import revision_problems
from grants.agreements.rules.terminating import OBJECTION_DAYS, TerminationView, standing
from grants.agreements.rules.terms import PLAIN_REPLY, FlexibilityRule, Limits, ReplyRule, ScheduleLine
from grants.agreements.states import (
    RUNNING,
    BankAccountState,
    CheckAnswer,
    CheckChannel,
    ContactRole,
    GrantState,
    MilestoneState,
    OfferEnd,
    OfferSubject,
    PayeeMatch,
    RevisionState,
    Side,
    SignatureMethod,
)
from grants.calls.rules import Funding, PassingOn, PaymentClock, TimeLimits
from grants.core import faults
from grants.core.errors import Problem, Refused
from grants.core.money import Money, total
from grants.programmes.rules import Beyond, passes_parent_end


def offer_problems(grant: GrantView, asked: Sequence[ConditionView], *, signers: int) -> tuple[Problem, ...]:
    """What still stands between preparation and the offer of the agreement; empty when it may be offered.

    ``signers`` is how many people may sign it for the programme.
    """
    found = [*condition_problems(asked), *revision_problems(grant.revision)]
    power = power_in(power_of(asked))
    named = {each.user_id for each in grant.contacts if each.role is ContactRole.SIGNATORY}
    if power is not None and power.jointly and not power.signer_ids <= named:
        found.append(
            Problem("People", "Not everybody who signs together for the coordinator is named as its signatory.")
        )
    # That nobody is there yet to sign alone has always been found at the signature.
    if grant.programme_signatures > 1 and signers < grant.programme_signatures:
        found.append(
            Problem(
                "Signatures",
                f"{grant.programme_signatures} people sign for the programme, but only {signers} may sign this grant.",
            )
        )
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
    # The first day on which it takes no part any more.
    left_on: date | None = None


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
    """A recorded acceptance, and the power by which it was given."""

    side: Side
    signed_by: UUID
    name: str
    capacity: str
    signed_at: datetime
    document_sha256: str
    offer_no: int
    method: SignatureMethod = SignatureMethod.RECORDED
    # By what the person signs, as it was recorded; empty where nothing was asked for.
    power: str = ""
    # Of one on an uploaded document: the day that stands beside it; then it counts from ``signed_at`` on.
    signed_on: date | None = None


@dataclass(frozen=True, slots=True)
class OfferView:
    """One offer: what was put before both sides to be signed, and what became of it. Its text is read on its own."""

    number: int
    subject: OfferSubject
    sha256: str
    needs_city: int
    needs_programme: int
    offered_at: datetime
    offered_by: str
    ended_at: datetime | None = None
    ended_why: OfferEnd | None = None

    def needs(self, side: Side) -> int:
        """How many people of a side sign it."""
        return self.needs_city if side is Side.CITY else self.needs_programme


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of the agreement: what is in force from a day on, until the next."""

    number: int
    offer_no: int
    subject: OfferSubject
    in_force_on: date
    in_force_at: datetime
    sha256: str
    # How many days to object to a termination its text states; None where it was signed before texts stated them.
    objection_days: int | None = None


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
    passing_on: PassingOn
    funding: Funding
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
    offers: tuple[OfferView, ...] = ()
    versions: tuple[VersionView, ...] = ()
    # Words of this grant alone, and how many people sign it for the programme.
    special_conditions: str | None = None
    programme_signatures: int = 1
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
    # Given to other offers than the one that stands: to earlier versions, to what is offered now, or to what ended without effect.
    earlier_signatures: tuple[SignatureView, ...] = ()
    holds: tuple[HoldView, ...] = ()
    terminations: tuple[TerminationView, ...] = ()
    # The number of the offer whose text stands, and whose signatures count; 0 for none.
    stands: int = 0
    # How much of its budget is moved without an amendment, where its call lays down something; when requests are answered.
    flexibility: FlexibilityRule | None = None
    reply: ReplyRule = PLAIN_REPLY
    # How much of the pre-financing, in per cent, is to be used before it is paid once more in full.
    additional_threshold: int | None = None

    @property
    def offer(self) -> OfferView | None:
        """The offer whose text stands: that of the version in force; before one is, the newest, unless it was taken back."""
        return next((each for each in self.offers if each.number == self.stands), None)

    def of_offer(self, number: int) -> GrantView:
        """The same with another offer in the place of the one that stands: what an amendment puts before both sides."""
        given = (*self.signatures, *self.earlier_signatures)
        return replace(
            self,
            stands=number,
            signatures=tuple(each for each in given if each.offer_no == number),
            earlier_signatures=tuple(each for each in given if each.offer_no != number),
        )

    @property
    def running(self) -> bool:
        """Whether reports and payments of it go on: it is in force, or terminated and not closed."""
        return self.state in RUNNING

    def missing(self, side: Side) -> int:
        """How many signatures of this side the offer that stands still waits for."""
        needed = self.offer.needs(side) if self.offer else 1
        return max(0, needed - sum(each.side is side for each in self.signatures))

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

    def given_to(self, *ends: OfferEnd | None) -> tuple[SignatureView, ...]:
        """Signatures of other offers than the one that stands, by how these ended; None is an offer that is open."""
        ended = {each.number for each in self.offers if each.ended_why in ends}
        return tuple(each for each in self.earlier_signatures if each.offer_no in ended)

    @property
    def signed(self) -> frozenset[Side]:
        """The sides for which everybody who must has signed."""
        return frozenset(side for side in Side if not self.missing(side))

    def is_late(self, milestone: MilestoneView, today: date) -> bool:
        """Whether the city owes this milestone and is past its day: nothing is owed before the signature, while
        it is suspended, or once it ended, by a termination too."""
        return self.state is GrantState.IN_FORCE and milestone.is_late(today) and self.held(today) is None

    @property
    def termination(self) -> TerminationView | None:
        """Its termination as a whole, proposed or confirmed; None where there is none or it was withdrawn."""
        return standing(self.terminations)

    @property
    def objection_days(self) -> int:
        """How many calendar days the other side has at least to object to a termination, as the version in force states them."""
        stated = self.versions[-1].objection_days if self.versions else None
        return OBJECTION_DAYS if stated is None else stated

    @property
    def ended_on(self) -> date | None:
        """The first day without work, where a termination is confirmed; also before that day."""
        return self.termination.effective_on if self.termination else None

    @property
    def open_holds(self) -> tuple[HoldView, ...]:
        """The suspensions that are not lifted."""
        return tuple(each for each in self.holds if each.lifted_on is None)

    def held(self, today: date) -> HoldView | None:
        """The suspension that stops everything of it on a day; meanwhile nothing of it is called late."""
        return held_back(self.holds, today)


def refuse_signed(grant: GrantView, side: Side, user_id: UUID | None) -> None:
    """Everybody signs once, and nobody more than must."""
    faults.point("four_eyes")
    if any(each.signed_by == user_id for each in grant.signatures):
        raise Refused("You have already signed this agreement. It waits for the others, whom its page names.")
    if side in grant.signed:
        raise Refused(f"The agreement is already signed for {signs(side)}.")


def version_role(number: int) -> str:
    """The role of the file of a version; the first has the one it had before there were versions."""
    return "agreement" if number == 1 else f"agreement-{number}"


def certified_role(number: int) -> str:
    """The role of the file of a version that the programme signed by its certificate, beside the one without."""
    return certified_of(version_role(number))


def certified_of(role: str) -> str:
    """The role of any paper that the programme signed by its certificate, beside the one without."""
    return f"{role}-certified"


def offer_role(number: int) -> str:
    """The role of the file of an offer, as it is printed before it is signed."""
    return f"agreement-offer-{number}"


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
