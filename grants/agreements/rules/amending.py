"""Amendments and exchanges of letters: what is asked for, until when it is answered, what the text of the agreement becomes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from grants.agreements.rules.annexes import BudgetTable, budget_table
from grants.agreements.rules.changes import (
    KINDS,
    Change,
    Effect,
    Footing,
    GrantTerms,
    MilestoneTerm,
    PartnerIn,
    PartnerOut,
    clock_warning,
    effect,
    kind_of,
)
from grants.agreements.rules.revising import fingerprint
from grants.agreements.rules.showing import GrantView
from grants.agreements.rules.terms import NamedShare, PlannedMilestone, Share
from grants.agreements.rules.text import AgreementText, AmendmentNote
from grants.agreements.states import OPEN_AMENDMENT, AmendmentKind, AmendmentState, ConditionKey, GrantState, Side
from grants.budgets import rules as budgets
from grants.budgets.rules import BudgetContent, Redline
from grants.core import clock, encoding, faults
from grants.core.errors import Conflict, Problem, Refused
from grants.identity.rules import OrganisationView


@dataclass(frozen=True, slots=True)
class AmendmentInput:
    """What a side asks to change, and why; by letters where it touches no amount, date or partner."""

    change: Change
    reason: str
    by_letter: bool = False

    @property
    def kind(self) -> AmendmentKind:
        """What it changes."""
        return kind_of(self.change)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, frozen: why, the change, the terms before and after. What is answered, offered and signed is this."""

    reason: str
    before: GrantTerms
    after: GrantTerms


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did something, and when."""

    by: UUID
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AmendmentView:
    """One amendment or exchange of letters, from its draft to its end."""

    number: int
    version: int
    reference: str
    kind: AmendmentKind
    by_letter: bool
    side: Side
    state: AmendmentState
    reason: str
    change: Change
    drafted: Deed
    sent: Sent | None = None
    sent_by: Deed | None = None
    opened: Deed | None = None
    reply_due_on: date | None = None
    answered: Deed | None = None
    answer: str = ""
    offer_no: int | None = None
    ended: Deed | None = None
    end_words: str = ""
    version_no: int | None = None
    in_force_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.state in OPEN_AMENDMENT

    @property
    def city_may_decline(self) -> bool:
        """Whether who signs for the city may say that it does not: what is offered, and what the programme proposes."""
        offered = self.state is AmendmentState.OFFERED
        return offered or (self.state is AmendmentState.SENT and self.side is Side.PROGRAMME)

    @property
    def waits_for_programme(self) -> bool:
        """Whether the programme answers it; a letter of the programme is answered by the city."""
        return not self.by_letter or self.side is Side.CITY

    @property
    def answers_itself(self) -> bool:
        """Whether the programme proposes it and another person of the programme decides: the city signs, or declines."""
        return self.side is Side.PROGRAMME and not self.by_letter

    @property
    def words(self) -> str:
        """What it is, as a heading."""
        return f"{self.kind.words}, by letters" if self.by_letter else self.kind.words

    def is_silent(self, today: date) -> bool:
        """Whether its last day to be answered has passed: silence is refusal."""
        return self.state is AmendmentState.SENT and self.reply_due_on is not None and today > self.reply_due_on


@dataclass(frozen=True, slots=True)
class Letters:
    """The two messages by which both sides agreed without signatures."""

    asked: str
    asked_by: Deed
    side: Side
    answer: str
    answered_by: Deed

    @property
    def lines(self) -> tuple[str, str, str]:
        """What stands in the place of signatures, on pages and on paper."""
        first, second = ("the city", "the programme") if self.side is Side.CITY else ("the programme", "the city")
        return (
            "Agreed by an exchange of letters; nobody signs it.",
            _message(first, self.asked_by, self.asked),
            _message(second, self.answered_by, self.answer),
        )


def _message(whose: str, by: Deed, words: str) -> str:
    day = clock.long_date(clock.in_zone(by.at).date())
    return f"For {whose}, {by.name}, {day}: {words}"


def letters_by_offer(found: Iterable[AmendmentView]) -> dict[int, Letters]:
    """The letters that were agreed, by the number of the offer that holds their text."""
    return {
        each.offer_no: Letters(each.sent.reason, each.sent_by, each.side, each.answer, each.answered)
        for each in found
        if each.by_letter and each.offer_no and each.sent and each.sent_by and each.answered
    }


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a change makes of a grant, in numbers, and what stands in its way: what is shown before anything is sent."""

    before: GrantTerms
    after: GrantTerms
    problems: tuple[Problem, ...]
    effect: Effect
    warning: str
    names: Mapping[UUID, str]

    @property
    def money(self) -> Redline | None:
        """The budget after held against the budget before; None where no amount of it moves."""
        if self.before.budget is None or self.after.budget is None or not self.effect.moves_budget:
            return None
        return budgets.compare(self.before.budget, self.after.budget)

    @property
    def fingerprint(self) -> str:
        """The hash of what is shown: what is sent is what was seen."""
        return fingerprint({"before": stored_terms(self.before), "after": stored_terms(self.after)})


def proposal(before: GrantTerms, after: GrantTerms, problems: tuple[Problem, ...], on: Footing) -> Proposal:
    """A change with its effect."""
    return Proposal(before, after, problems, effect(before, after, on.names), clock_warning(after, on), on.names)


def stored_terms(terms: GrantTerms) -> dict[str, Any]:
    """Terms as plain JSON in one spelling; equal terms are equal there, in whatever order their amounts were read."""
    stored: dict[str, Any] = encoding.encode(replace(terms, budget=None))
    return stored | {"budget": budgets.to_mapping(terms.budget) if terms.budget is not None else None}


def read_terms(stored: Mapping[str, Any]) -> GrantTerms:
    """What :func:`stored_terms` made, as frozen values again."""
    terms: GrantTerms = encoding.decode({"value": {**stored, "budget": None}}, GrantTerms)
    return replace(terms, budget=budgets.from_mapping(stored["budget"])) if stored["budget"] is not None else terms


def stored_change(change: Change) -> dict[str, Any]:
    """A change as plain JSON; its kind stands beside it."""
    stored: dict[str, Any] = encoding.encode(change)
    return stored


def read_change(kind: AmendmentKind, stored: Mapping[str, Any]) -> Change:
    """What :func:`stored_change` made."""
    change: Change = encoding.decode({"value": dict(stored)}, KINDS[kind])
    return change


def terms_of(grant: GrantView, text: AgreementText, budget: BudgetContent | None) -> GrantTerms:
    """The terms of a signed grant that an amendment can change, as they stand."""
    return GrantTerms(
        grant.starts_on,
        grant.ends_before,
        tuple(Share(each.organisation_id, each.maximum) for each in grant.beneficiaries),
        tuple(MilestoneTerm(each.number, each.title, each.criterion, each.due_on) for each in grant.milestones),
        grant.schedule,
        grant.limits,
        grant.special_conditions or "",
        text.description_changes or "",
        text.account or "",
        budget,
    )


# --- the text that is signed -------------------------------------------------------------------------------------------


def amended_text(
    text: AgreementText,
    found: AmendmentView,
    shown: Proposal,
    organisations: Mapping[UUID, OrganisationView],
    version: int,
) -> AgreementText:
    """The agreement in force with an amendment in it: everything stated anew, and what the amendment changed in sentences."""
    after, stood = shown.after, {each.organisation_id: each for each in text.beneficiaries}
    basis = f"Grant {text.agreement} with amendment {found.number}"
    lines = note_lines(found, shown)
    budget = _budget_after(text, shown, {who: each.name for who, each in organisations.items()}, basis)
    if budget != text.budget and not shown.effect.moves_budget:
        lines = (*lines, "The annex states the budget as it stands by now.")
    note = AmendmentNote(found.number, found.words, lines)
    return replace(
        text,
        ends_before=after.ends_before,
        maximum=after.maximum,
        limits=after.limits,
        beneficiaries=tuple(
            replace(stood[each.organisation_id], maximum=each.maximum)
            if each.organisation_id in stood
            else NamedShare(
                each.organisation_id,
                organisations[each.organisation_id].name,
                organisations[each.organisation_id].country_code,
                False,
                each.maximum,
            )
            for each in after.shares
        ),
        milestones=tuple(PlannedMilestone(each.title, each.criterion, each.due_on) for each in after.milestones),
        payments=after.schedule,
        version=version,
        special_conditions=after.special_conditions or None,
        budget=budget,
        description_changes=after.description or None,
        account=after.account or None,
        amendments=(*(text.amendments or ()), note),
    )


def _budget_after(text: AgreementText, shown: Proposal, names: Mapping[UUID, str], basis: str) -> BudgetTable | None:
    """The annex: as it was where it states the budget that stands, else built anew, also where a transfer moved it before.

    A text without that annex gets one only with an amendment that moves budget.
    """
    stands = shown.after.budget
    if stands is None or not stands.totals.rows or (text.budget is None and not shown.effect.moves_budget):
        return text.budget
    table = budget_table(stands, names, basis)
    same = text.budget is not None and replace(table, basis=text.budget.basis) == text.budget
    return text.budget if same else table


def note_lines(found: AmendmentView, shown: Proposal) -> tuple[str, ...]:
    """What an amendment changes, one sentence each, with what stood before."""
    made = shown.effect
    lines = [f"{each.label}: {each.new}, until now {each.old}." for each in made.amounts]
    lines += [
        f"{each.label}: {clock.long_date(each.new)}, until now {clock.long_date(each.old)}." for each in made.days
    ]
    lines += [f"{name} is a beneficiary from now on." for name in made.partners]
    if isinstance(found.change, PartnerIn) and not made.partners:
        lines.append(f"{shown.names.get(found.change.organisation_id, 'A partner')} takes part again from now on.")
    if isinstance(found.change, PartnerOut):
        who = shown.names.get(found.change.organisation_id, "A partner")
        until = clock.long_date(found.change.leaves_on)
        lines.append(
            f"{who} takes part until {until}; its maximum is what is paid to it, on its way or accepted by then."
        )
    lines += [f"{each.label}: {each.new or 'nothing any more'}" for each in made.texts]
    if made.moves_budget:
        lines.append("The budget is the one of the annex.")
    return tuple(lines)


def is_answered_in(state: GrantState, key: ConditionKey) -> bool:
    """Whether a condition is answered, accepted and returned in a state: the power to sign also later, since amendments are
    signed by the power of their day."""
    return state is GrantState.PREPARATION or (state is GrantState.IN_FORCE and key is ConditionKey.POWER_TO_SIGN)


# --- guards ------------------------------------------------------------------------------------------------------------


def refuse_silent(found: AmendmentView, today: date) -> None:
    """What was not answered in time is refused by that."""
    faults.point("deadline")
    if found.is_silent(today):
        assert found.reply_due_on is not None, "what was sent is answered by a day"
        raise Refused(
            f"It was to be answered by {clock.long_date(found.reply_due_on)}. Silence is refusal: it can be asked for anew."
        )


def refuse_own_amendment(found: AmendmentView, actor_id: UUID | None) -> None:
    """Nobody answers what they drafted or sent themselves."""
    faults.point("four_eyes")
    own = {found.drafted.by, *((found.sent_by.by,) if found.sent_by else ())}
    if actor_id is None or actor_id in own:
        raise Refused("You proposed this yourself, so you cannot answer it. A colleague who may must do it.")


def refuse_moved(found: AmendmentView, now: GrantTerms) -> None:
    """What was sent is answered and signed as long as what it changes stands as it stood then."""
    assert found.sent is not None, "only what was sent is answered and signed"
    if stored_terms(found.sent.before) != stored_terms(now):
        raise Conflict(
            "The grant was changed after this was sent: its budget, its partners or its terms stand otherwise by now. "
            "End this one, and propose it anew on what stands."
        )


def refuse_heavy(by_letter: bool, made: Effect) -> None:
    """Letters are enough only where no amount, date or partner is touched."""
    if by_letter and not made.is_light:
        raise Refused(
            "This touches an amount, a date or a partner, so letters are not enough: it takes an amendment that both sides sign."
        )
