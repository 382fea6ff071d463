"""What an agreement states, in one spelling with its hash. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from grants.agreements.rules.acceding import REMOVAL_DAYS
from grants.agreements.rules.annexes import Annexes, BudgetTable, Description, PlanLine
from grants.agreements.rules.conditions import PowerToSign
from grants.agreements.rules.showing import GrantView
from grants.agreements.rules.terminating import OBJECTION_DAYS
from grants.agreements.rules.terms import (
    FlexibilityRule,
    Limits,
    NamedShare,
    PlannedMilestone,
    ReplyRule,
    ScheduleLine,
)
from grants.calls.rules import (
    PLAIN_CLOCK,
    PLAIN_FUNDING,
    PLAIN_PASSING_ON,
    Funding,
    PassingOn,
    PaymentClock,
    TimeLimits,
)
from grants.core import encoding
from grants.core.money import Money


@dataclass(frozen=True, slots=True)
class SigningRule:
    """How many people sign for each side, and who they are for the coordinator; stated where it is not one each."""

    needs_city: int
    needs_programme: int
    city: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """As a sentence of the agreement."""
        city = f"{' and '.join(self.city)} sign together" if self.needs_city > 1 else "one person signs"
        programme = f"{self.needs_programme} people sign" if self.needs_programme > 1 else "one person signs"
        return f"For the coordinator, {city}; for the programme, {programme}."


@dataclass(frozen=True, slots=True)
class AccessionRule:
    """Within how many calendar days after the agreement enters into force each partner accedes to it."""

    days: int

    @property
    def words(self) -> str:
        """As sentences of the agreement."""
        return (
            f"Each partner accedes to this agreement within {self.days} calendar days after it enters into force, by its own "
            "signature. Where one does not, the coordinator asks for its removal within "
            f"{REMOVAL_DAYS} calendar days after that."
        )


@dataclass(frozen=True, slots=True)
class ReplyTerms:
    """Within how many calendar days what one side asks or says is answered by the other, and what silence means."""

    rule: ReplyRule
    objection_days: int

    @property
    def words(self) -> str:
        """As sentences of the agreement."""
        unopened = (
            f", which it counts as {self.rule.opened_after_days} calendar days after it was sent where nobody opens it"
            if self.rule.opened_after_days
            else ""
        )
        return (
            f"A request to amend this agreement is answered within {self.rule.reply_days} calendar days after it was received"
            f"{unopened}; silence is refusal. Before a termination the other side has at least {self.objection_days} calendar "
            "days to object."
        )


@dataclass(frozen=True, slots=True)
class AmendmentNote:
    """What an amendment changed, in sentences; the text it stands in states everything as it is since then."""

    number: int
    words: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgreementText:
    """Everything the agreement states. Frozen when it is offered: what both sides accept, and what the hash covers.

    What came to be stated later is None in a text that was offered before, and then no part of its hash (:data:`LATER`).
    """

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
    time_limits: TimeLimits | None = None
    # Stated where it is not the plain one.
    payment_clock: PaymentClock | None = None
    passing_on: PassingOn | None = None
    funding: Funding | None = None
    version: int | None = None
    signing: SigningRule | None = None
    special_conditions: str | None = None
    description: Description | None = None
    work_plan: tuple[PlanLine, ...] | None = None
    budget: BudgetTable | None = None
    # Stated where the call has partners accede.
    accession: AccessionRule | None = None
    # What amendments made of it: words on the description of the action, whose account is paid, and each of them with
    # what it changed.
    description_changes: str | None = None
    account: str | None = None
    amendments: tuple[AmendmentNote, ...] | None = None
    # What of the budget may be moved without an amendment, where the call lays down something; until when requests are answered.
    flexibility: FlexibilityRule | None = None
    reply: ReplyTerms | None = None
    # How much of the pre-financing has to be used before it is paid once more in full, where something is.
    additional_threshold: int | None = None

    @property
    def additional_words(self) -> str:
        """What is paid in advance once more, as a sentence without its full stop; empty where nothing is."""
        if not self.limits.additional or self.additional_threshold is None:
            return ""
        return (
            f"Additional pre-financing of {str(self.limits.additional).replace(' ', chr(0xA0))}, nothing of it kept back, is paid "
            "once, when the coordinator states what was used of the pre-financing that was paid; where that is less than "
            f"{self.additional_threshold}\N{NO-BREAK SPACE}% of it, it is less by what is missing to that"
        )

    @property
    def annexes(self) -> tuple[str, ...]:
        """The annexes it has, by their titles, in the order of their numbers."""
        found = (
            ("Description of the action", self.description),
            ("Work plan", self.work_plan),
            ("Budget", self.budget),
            ("Payment schedule", self.payments),
        )
        return tuple(title for title, there in found if there)

    def annex(self, title: str) -> str:
        """The heading of one of its annexes, with its number; without one in a text offered before agreements had annexes."""
        return title if self.version is None else f"Annex {self.annexes.index(title) + 1}. {title}"


# Left out of the hash where they are not stated: a text that was signed before they were known keeps the hash it was
# signed with.
LATER = (
    *("time_limits", "payment_clock", "passing_on", "funding", "version", "signing", "special_conditions"),
    *("description", "work_plan", "budget", "accession"),
    *("description_changes", "account", "amendments"),
    *("flexibility", "reply", "additional_threshold"),
)


def agreement_text(
    grant: GrantView,
    beside: Annexes,
    power: PowerToSign | None = None,
    *,
    accession_days: int | None = None,
    objection_days: int = OBJECTION_DAYS,
) -> AgreementText:
    """The text as the grant stands now; it counts once it is offered."""
    signing = signing_rule(grant, power)
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
        passing_on=None if grant.passing_on == PLAIN_PASSING_ON else grant.passing_on,
        funding=None if grant.funding == PLAIN_FUNDING else grant.funding,
        version=len(grant.versions) + 1,
        signing=None if (signing.needs_city, signing.needs_programme) == (1, 1) else signing,
        special_conditions=grant.special_conditions or None,
        description=beside.description,
        work_plan=beside.work_plan,
        budget=beside.budget,
        accession=AccessionRule(accession_days) if accession_days and len(grant.beneficiaries) > 1 else None,
        flexibility=grant.flexibility,
        reply=ReplyTerms(grant.reply, objection_days),
        additional_threshold=grant.additional_threshold if grant.limits.additional else None,
    )


def signing_rule(grant: GrantView, power: PowerToSign | None) -> SigningRule:
    """How many sign for each side: of the city as its accepted power to sign says, of the programme as its terms say."""
    together = power.names if power is not None and power.jointly else ()
    return SigningRule(max(1, len(together)), grant.programme_signatures, together)


def stated(text: AgreementText) -> dict[str, Any]:
    """The text as its hash covers it; what it does not state of what came later is no part of it."""
    return only_stated(encoding.encode(text))


def only_stated(parts: dict[str, Any]) -> dict[str, Any]:
    """A text as it is kept, without what its hash covers only where it is stated: what came later, and no additional pre-financing."""
    found = {name: part for name, part in parts.items() if part is not None or name not in LATER}
    limits = found.get("limits")
    if isinstance(limits, dict) and not limits.get("additional"):
        found["limits"] = {name: limit for name, limit in limits.items() if name != "additional"}
    return found


def text_hash(text: AgreementText) -> str:
    """SHA-256 over the text in one spelling."""
    spelled = json.dumps(stated(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelled.encode()).hexdigest()
