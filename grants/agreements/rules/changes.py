"""Changes of a signed agreement: what each of them makes of the terms, its effect in numbers, and what stands in its way. Pure.

What guards a partner's maximum stands in ``maxima``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import assert_never
from uuid import UUID

from grants.agreements.rules.maxima import Held, least, lowering_problem, packages_problem, raising_problem
from grants.agreements.rules.revising import asked_for
from grants.agreements.rules.terms import (
    Limits,
    Percentages,
    ReportPlan,
    ScheduleLine,
    Share,
    limits,
    report_plan,
    schedule,
)
from grants.agreements.states import AmendmentKind, PaymentKind
from grants.budgets.rules import BudgetContent, Cell
from grants.core import clock
from grants.core.errors import Problem
from grants.core.money import ZERO, Money, Rounding, total

# --- the terms that can change -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MilestoneTerm:
    """A milestone as the agreement states it."""

    number: int
    title: str
    criterion: str
    due_on: date


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What an amendment can change of a signed grant; everything else of it stands."""

    starts_on: date
    ends_before: date
    shares: tuple[Share, ...]
    milestones: tuple[MilestoneTerm, ...]
    schedule: tuple[ScheduleLine, ...]
    limits: Limits
    special_conditions: str = ""
    # What was changed of the description of the action, in words; empty for nothing.
    description: str = ""
    # Whose account is paid, its number masked.
    account: str = ""
    # The grant's own budget; None for a grant from before it had one.
    budget: BudgetContent | None = None

    @property
    def maximum(self) -> Money:
        """The maximum grant."""
        return total(share.maximum for share in self.shares)

    @property
    def months(self) -> int:
        """How long the action runs."""
        return clock.months_between(self.starts_on, self.ends_before)

    def share(self, organisation_id: UUID) -> Money:
        """The maximum of one beneficiary; nothing for who is none."""
        return next((each.maximum for each in self.shares if each.organisation_id == organisation_id), ZERO)


# --- the changes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Move:
    """Part of the budget moves from one place to another; without a giver it is added, without a taker it is dropped."""

    amount: Money
    giver: UUID | None = None
    giver_category: str = ""
    taker: UUID | None = None
    taker_category: str = ""


@dataclass(frozen=True, slots=True)
class BudgetShift:
    """Maxima of the beneficiaries, and the budget behind them; their sum may rise within what the call has, or fall."""

    shares: tuple[Share, ...]
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class PartnerIn:
    """An organisation becomes a beneficiary; ``shares`` are the maxima of all, the newcomer's with them."""

    organisation_id: UUID
    # When it signed that no reason for exclusion applies to it, and when the lists of sanctions were looked through.
    declared_on: date
    checked_on: date
    shares: tuple[Share, ...]
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class PartnerOut:
    """A beneficiary leaves: what it consumed stays its maximum; ``shares`` are the maxima of the others."""

    organisation_id: UUID
    leaves_on: date
    shares: tuple[Share, ...]
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """The action ends later; milestones not reported yet may get later days."""

    ends_before: date
    milestone_days: tuple[tuple[int, date], ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What is done changes, in words: the description, special conditions, milestones not reported yet. No amount, no day."""

    description: str
    special_conditions: str
    milestones: tuple[MilestoneTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountChange:
    """The agreement states the coordinator's account that is paid now: two people have confirmed it before, as every account."""

    account_id: UUID
    words: str


Change = BudgetShift | PartnerIn | PartnerOut | Extension | Scope | AccountChange

KINDS: Mapping[AmendmentKind, type[Change]] = {
    AmendmentKind.BUDGET_SHIFT: BudgetShift,
    AmendmentKind.PARTNER_IN: PartnerIn,
    AmendmentKind.PARTNER_OUT: PartnerOut,
    AmendmentKind.EXTENSION: Extension,
    AmendmentKind.SCOPE: Scope,
    AmendmentKind.BANK_ACCOUNT: AccountChange,
}


def kind_of(change: Change) -> AmendmentKind:
    """Which kind of amendment makes a change."""
    return next(kind for kind, made in KINDS.items() if isinstance(change, made))


@dataclass(frozen=True, slots=True)
class Footing:
    """What a change stands on beside the terms: the rules of the call, and what has happened to the grant by now."""

    percentages: Percentages
    interim_months: tuple[int, ...]
    report_days: int
    payment_days: int
    today: date
    coordinator_id: UUID
    # Pre-financing is authorised: it and what was withheld of it are no longer worked out anew.
    prefinanced: bool = False
    # Milestones that were reported or accepted.
    fixed: frozenset[int] = frozenset()
    held: Mapping[UUID, Held] = field(default_factory=dict)
    # Who left it, or does not accede to it any more.
    gone: frozenset[UUID] = frozenset()
    # Work packages whose lump sum is declared or accepted.
    packages: tuple[str, ...] = ()
    counted_to_ceiling: Money = ZERO
    # What the call has available, and when its parent grant ends.
    available: Money = ZERO
    parent_ends_on: date | None = None
    final_amount: Money | None = None
    names: Mapping[UUID, str] = field(default_factory=dict)
    # The coordinator's account that is confirmed and paid now, if one is.
    paid_accounts: frozenset[UUID] = frozenset()
    # What of the newcomer the register of organisations does not know yet.
    entity_missing: str = ""

    def name(self, organisation_id: UUID) -> str:
        """Of an organisation, for sentences."""
        return self.names.get(organisation_id, "a partner")

    def of(self, organisation_id: UUID) -> Held:
        """What is bound of its maximum."""
        return self.held.get(organisation_id, Held())


# --- what a change makes of the terms ----------------------------------------------------------------------------------


def apply(terms: GrantTerms, change: Change, on: Footing) -> GrantTerms:
    """The terms as they would stand; whether they may is :func:`change_problems`. Limits and schedule follow."""
    match change:
        case BudgetShift():
            return _with_money(terms, change.shares, change.moves, on)
        case PartnerIn():
            return _with_money(terms, change.shares, change.moves, on, joins=change.organisation_id)
        case PartnerOut():
            return _without(terms, change, on)
        case Extension():
            return _extended(terms, change, on)
        case Scope():
            said = {each.number: each for each in change.milestones}
            return replace(
                terms,
                description=change.description,
                special_conditions=change.special_conditions,
                milestones=tuple(
                    replace(each, title=said[each.number].title, criterion=said[each.number].criterion)
                    if each.number in said
                    else each
                    for each in terms.milestones
                ),
            )
        case AccountChange():
            return replace(terms, account=change.words)
        case _:
            assert_never(change)


def _with_money(
    terms: GrantTerms, shares: Sequence[Share], moves: Sequence[Move], on: Footing, *, joins: UUID | None = None
) -> GrantTerms:
    budget = terms.budget
    if budget is not None and joins is not None and joins not in budget.organisations:
        budget = replace(budget, organisations=(*budget.organisations, joins))
    return _followed(
        replace(terms, shares=tuple(shares), budget=moved(budget, moves) if budget is not None else None), terms, on
    )


def _without(terms: GrantTerms, change: PartnerOut, on: Footing) -> GrantTerms:
    who = change.organisation_id
    stays = min(least(terms.share(who), on.of(who)), terms.share(who))
    given = {share.organisation_id: share.maximum for share in change.shares}
    shares = tuple(
        Share(
            each.organisation_id,
            stays if each.organisation_id == who else given.get(each.organisation_id, each.maximum),
        )
        for each in terms.shares
    )
    after = _with_money(terms, shares, change.moves, on)
    return after if after.budget is None else replace(after, budget=shrunk(after.budget, who, stays))


def _extended(terms: GrantTerms, change: Extension, on: Footing) -> GrantTerms:
    days = dict(change.milestone_days)
    budget = terms.budget
    after = replace(
        terms,
        ends_before=change.ends_before,
        milestones=tuple(replace(each, due_on=days.get(each.number, each.due_on)) for each in terms.milestones),
    )
    if budget is not None and budget.rules.period_months:
        after = replace(after, budget=replace(budget, rules=replace(budget.rules, duration_months=after.months)))
    return _followed(after, terms, on)


def _followed(after: GrantTerms, before: GrantTerms, on: Footing) -> GrantTerms:
    """The same with the limits and the schedule that follow; both stay where neither the maximum nor the end moved."""
    allowed = before.limits
    if after.maximum != before.maximum and after.maximum > ZERO:
        allowed = _limits(after.maximum, before.limits, on)
    if (after.maximum, after.ends_before) == (before.maximum, before.ends_before):
        return after
    return replace(after, limits=allowed, schedule=_schedule(after, before, allowed, on))


def _limits(maximum: Money, before: Limits, on: Footing) -> Limits:
    """The call's percentages of the new maximum; what was authorised as pre-financing stays as it was."""
    found = limits(maximum, on.percentages)
    if not on.prefinanced:
        return found
    ceiling = min(max(found.interim_ceiling, before.prefinancing), maximum)
    return Limits(before.prefinancing, ceiling, before.retention)


def report_ends(after: GrantTerms, on: Footing) -> tuple[date, ...]:
    """The due days of the reports in order: as many as were agreed, the final one after the new end."""
    owed = max(line.report_number or 0 for line in after.schedule)
    plans = reports_of(after.starts_on, after.months, on.interim_months, owed, on.report_days)
    return tuple(plan.due_on for plan in plans)


def reports_of(
    starts_on: date, months: int, interim_months: Sequence[int], owed: int, days: int
) -> tuple[ReportPlan, ...]:
    """The reports of a grant that owes so many: an extension moves the last one and adds none.

    >>> [str(plan.due_on) for plan in reports_of(date(2023, 6, 1), 30, (12, 24), 2, 60)]
    ['2024-07-31', '2026-01-30']
    """
    return report_plan(starts_on, months, sorted(interim_months)[: owed - 1], days)


def _schedule(after: GrantTerms, before: GrantTerms, allowed: Limits, on: Footing) -> tuple[ScheduleLine, ...]:
    """Payments whose day has passed stay as they were planned; the others follow, and the balance takes the rest."""
    planned = schedule(after.maximum, allowed, after.starts_on, report_ends(after, on))
    kept: dict[tuple[PaymentKind, int | None], ScheduleLine] = {
        (line.kind, line.report_number): line
        for line in before.schedule
        if line.kind is not PaymentKind.BALANCE and line.due_on <= on.today
    }
    left, lines = after.maximum, []
    for line in planned:
        now = kept.get((line.kind, line.report_number), line)
        amount = left if line.kind is PaymentKind.BALANCE else min(now.planned, left)
        left -= amount
        lines.append(replace(now, number=line.number, planned=amount))
    assert total(line.planned for line in lines) == after.maximum, "the schedule pays exactly the maximum"
    return tuple(lines)


# --- the budget behind it ----------------------------------------------------------------------------------------------


def moved(content: BudgetContent, moves: Iterable[Move]) -> BudgetContent:
    """The budget after its moves; what a giver has too little of is not taken (:func:`change_problems` says so).

    Where amounts stand by work package or period, a move takes from the last line backwards, and gives in the same one.
    """
    cells, known = {_key(cell): cell.amount for cell in content.cells}, {each.code for each in content.rules.entered}
    for move in moves:
        if not {move.giver_category or move.taker_category, move.taker_category or move.giver_category} <= known:
            continue
        for work_package, period, amount in _pieces(content, cells, move):
            if move.giver is not None:
                cells[move.giver, move.giver_category, work_package, period] -= amount
            if move.taker is not None:
                place = (move.taker, move.taker_category, work_package, period)
                cells[place] = cells.get(place, ZERO) + amount
    return replace(content, cells=_cells(cells))


def _pieces(
    content: BudgetContent, cells: Mapping[tuple[UUID, str, str, int], Money], move: Move
) -> list[tuple[str, int, Money]]:
    wanted, found = move.amount, []
    if move.giver is None:
        # Beside the other amounts of who gets it; outside all work packages where there are none.
        own = [key[2:] for key in cells if key[0] == move.taker] or [("", content.rules.periods[0])]
        work_package, period = max(own)
        return [(work_package, period, wanted)]
    lines = sorted(
        (key for key in cells if key[:2] == (move.giver, move.giver_category)),
        key=lambda key: (key[3], key[2]),
        reverse=True,
    )
    for key in lines:
        part = min(wanted, cells[key])
        if part:
            found.append((key[2], key[3], part))
            wanted -= part
    return found


def shrunk(content: BudgetContent, organisation_id: UUID, maximum: Money) -> BudgetContent:
    """The budget with one partner's amounts lowered, all alike, until it asks for no more than its maximum."""
    asked = asked_for(content).get(organisation_id, ZERO)
    if asked <= maximum:
        return content
    ratio = Fraction(maximum.cents, asked.cents)
    while ratio > 0:
        cells = {
            _key(cell): cell.amount.share(ratio, rounding=Rounding.DOWN)
            if cell.organisation_id == organisation_id
            else cell.amount
            for cell in content.cells
        }
        now = replace(content, cells=_cells(cells))
        if asked_for(now).get(organisation_id, ZERO) <= maximum:
            return now
        # A flat rate that is rounded up asks for a cent too much: one step less.
        ratio -= Fraction(1, asked.cents)
    return replace(content, cells=tuple(each for each in content.cells if each.organisation_id != organisation_id))


def _key(cell: Cell) -> tuple[UUID, str, str, int]:
    return (cell.organisation_id, cell.category, cell.work_package, cell.period)


def _cells(amounts: Mapping[tuple[UUID, str, str, int], Money]) -> tuple[Cell, ...]:
    return tuple(
        Cell(who, category, amount, work_package=work_package, period=period)
        for (who, category, work_package, period), amount in amounts.items()
    )


# --- what stands in the way --------------------------------------------------------------------------------------------


def change_problems(
    before: GrantTerms, change: Change, on: Footing, *, sent: GrantTerms | None = None
) -> tuple[Problem, ...]:
    """What stands in the way of a change, as of ``on``; empty where it may be sent, accepted and signed.

    ``sent`` are the terms it makes as they were sent; without them they are worked out anew.
    """
    if on.final_amount is not None:
        words = (
            f"The final amount of this grant is decided: {on.final_amount}. Nothing of its agreement changes any more."
        )
        return (Problem("Grant", words),)
    after = apply(before, change, on) if sent is None else sent
    found = [*_money_problems(before, after, on), *_budget_problems(before, after, change, on)]
    moves = before.shares != after.shares or _amounts(before.budget) != _amounts(after.budget)
    if moves and (words := packages_problem(on.packages)):
        found.append(Problem("Budget", words))
    match change:
        case BudgetShift():
            if {each.organisation_id for each in change.shares} != {each.organisation_id for each in before.shares}:
                found.append(
                    Problem(
                        "Beneficiaries",
                        "A shift changes nobody’s part in the grant: name all beneficiaries, and no other.",
                    )
                )
        case PartnerIn():
            found += _joining_problems(before, change, on)
        case PartnerOut():
            found += _leaving_problems(before, change, on)
        case Extension():
            found += _extension_problems(before, change, on)
        case Scope():
            found += _fixed_problems(before, after, on)
        case AccountChange():
            if change.account_id not in on.paid_accounts:
                words = (
                    "This is not the account that is confirmed and paid now, so the agreement would state another one. "
                    "Have it confirmed on the page of bank accounts first, then propose this anew."
                )
                found.append(Problem("Account", words))
        case _:
            assert_never(change)
    if after == before:
        found.append(Problem("Change", "Nothing would change. Enter what the amendment changes."))
    return tuple(found)


def _money_problems(before: GrantTerms, after: GrantTerms, on: Footing) -> list[Problem]:
    """Nobody falls below what is bound, the sum rises within what the call has, and what was paid stays within the ceiling."""
    found = [
        Problem("Beneficiaries", words)
        for share in before.shares
        if (
            words := lowering_problem(
                on.name(share.organisation_id),
                share.maximum,
                after.share(share.organisation_id),
                on.of(share.organisation_id),
            )
        )
    ]
    for share in before.shares:
        who, new = share.organisation_id, after.share(share.organisation_id)
        if words := raising_problem(on.name(who), share.maximum, new, gone=who in on.gone):
            found.append(Problem("Beneficiaries", words))
    raised = after.maximum - before.maximum
    if after.maximum <= ZERO:
        found.append(
            Problem("Beneficiaries", "Nothing would be left of the grant: that is its termination, not an amendment.")
        )
    if raised > max(on.available, ZERO):
        found.append(
            Problem(
                "Beneficiaries",
                f"The maximum grant would rise by {raised}, but the call has {on.available} available. Raise it by at most that.",
            )
        )
    if after.limits.prefinancing > after.maximum:
        found.append(
            Problem(
                "Beneficiaries",
                f"{after.limits.prefinancing} was granted as pre-financing: the maximum stays above it.",
            )
        )
    elif on.counted_to_ceiling > after.limits.interim_ceiling:
        found.append(
            Problem(
                "Beneficiaries",
                f"The ceiling before the balance would fall to {after.limits.interim_ceiling}, but {on.counted_to_ceiling} is "
                "authorised, paid or withheld already. Lower the maximum by less.",
            )
        )
    return found


def _budget_problems(before: GrantTerms, after: GrantTerms, change: Change, on: Footing) -> list[Problem]:
    moves = change.moves if isinstance(change, BudgetShift | PartnerIn | PartnerOut) else ()
    if before.budget is None or after.budget is None:
        words = (
            "This grant was made before grants had a budget of their own: only the maxima of its beneficiaries change."
        )
        return [Problem("Budget", words)] if moves else []
    found, stands = [], before.budget
    for move in moves:
        found += _move_problems(stands, move, on)
        stands = moved(stands, (move,))
    was = asked_for(before.budget)
    for who, asked in asked_for(after.budget).items():
        # What was already so before is not asked anew.
        if asked > after.share(who) and (asked, after.share(who)) != (was.get(who, ZERO), before.share(who)):
            found.append(
                Problem(
                    "Budget",
                    f"{on.name(who)} would ask for {asked} in the budget, above its maximum of {after.share(who)}. "
                    f"Move {asked - after.share(who)} of its costs away, or raise its maximum.",
                )
            )
    return found


def _move_problems(content: BudgetContent, move: Move, on: Footing) -> list[Problem]:
    if move.amount <= ZERO:
        return [Problem("Budget", "A move needs an amount above zero.")]
    if move.giver is None and move.taker is None:
        return [Problem("Budget", "A move takes from somebody, gives to somebody, or both. Choose whose costs move.")]
    if (move.giver, move.giver_category) == (move.taker, move.taker_category):
        return [Problem("Budget", "A move goes to another place than the one it comes from.")]
    entered = {category.code: category.label for category in content.rules.entered}
    for who, category in ((move.giver, move.giver_category), (move.taker, move.taker_category)):
        if who is not None and category not in entered:
            return [Problem("Budget", "Choose the cost category of each side of a move.")]
    if move.giver is None:
        return []
    has = total(
        cell.amount
        for cell in content.cells
        if (cell.organisation_id, cell.category) == (move.giver, move.giver_category)
    )
    if has >= move.amount:
        return []
    where = f"{on.name(move.giver)} has {has} under “{entered[move.giver_category]}”"
    return [Problem("Budget", f"{where}, so {move.amount} cannot be moved away. Move at most that.")]


def _joining_problems(before: GrantTerms, change: PartnerIn, on: Footing) -> list[Problem]:
    name, found = on.name(change.organisation_id), []
    if any(share.organisation_id == change.organisation_id for share in before.shares):
        found.append(Problem("Partner", f"{name} is a beneficiary of this grant already. Shift the budget instead."))
    elif {each.organisation_id for each in change.shares} != {
        *(each.organisation_id for each in before.shares),
        change.organisation_id,
    }:
        found.append(
            Problem("Beneficiaries", "Name the maximum of every beneficiary and of the newcomer, and no other.")
        )
    if on.entity_missing:
        found.append(Problem("Partner", f"{name}: {on.entity_missing}"))
    for words, day in (
        ("declaration on exclusion", change.declared_on),
        ("look through the lists of sanctions", change.checked_on),
    ):
        if day > on.today:
            found.append(Problem("Partner", f"The {words} cannot lie ahead. Enter the day on which it was done."))
    return found


def _leaving_problems(before: GrantTerms, change: PartnerOut, on: Footing) -> list[Problem]:
    who = change.organisation_id
    if who == on.coordinator_id:
        words = "The coordinator receives every payment, so it cannot leave by an amendment: that is the termination of the grant."
        return [Problem("Partner", words)]
    if all(share.organisation_id != who for share in before.shares):
        return [Problem("Partner", "This organisation is no beneficiary of the grant.")]
    if change.leaves_on < before.starts_on or change.leaves_on > before.ends_before:
        return [Problem("Partner", "It leaves on a day within the period of the grant. Enter such a day.")]
    return []


def _extension_problems(before: GrantTerms, change: Extension, on: Footing) -> list[Problem]:
    found = []
    if change.ends_before <= before.ends_before:
        words = f"The grant ends before {clock.long_date(before.ends_before)} now. Enter a later day; what ends a grant earlier is its termination."
        found.append(Problem("End", words))
    elif before.ends_before <= on.today:
        found.append(Problem("End", "The period of this grant is over, so it cannot be extended any more."))
    elif (
        clock.add_months(before.starts_on, clock.months_between(before.starts_on, change.ends_before))
        != change.ends_before
    ):
        found.append(Problem("End", "A grant runs for whole months from its start. Choose such an end."))
    elif on.parent_ends_on is not None and change.ends_before > on.parent_ends_on:
        words = (
            f"The grant would end after its parent grant ({clock.long_date(on.parent_ends_on)}). Choose an earlier end."
        )
        found.append(Problem("End", words))
    known = {each.number for each in before.milestones}
    for number, day in change.milestone_days:
        if number not in known or not before.starts_on <= day <= change.ends_before:
            found.append(
                Problem(
                    "Milestones", f"Milestone {number} is reached within the period of the grant. Enter such a day."
                )
            )
    return [*found, *_fixed_problems(before, apply(before, change, on), on)]


def _fixed_problems(before: GrantTerms, after: GrantTerms, on: Footing) -> list[Problem]:
    """What was reported or accepted is history."""
    return [
        Problem("Milestones", f"Milestone {old.number} was reported already, so nothing of it changes.")
        for old, new in zip(before.milestones, after.milestones, strict=True)
        if old != new and old.number in on.fixed
    ]


def clock_warning(after: GrantTerms, on: Footing) -> str:
    """A sentence where the time to report and to be paid passes the end of the parent grant; empty where it does not."""
    if on.parent_ends_on is None:
        return ""
    paid_by = clock.add_days(after.ends_before, on.report_days + on.payment_days)
    if paid_by <= on.parent_ends_on:
        return ""
    return (
        f"With {on.report_days} days to report and {on.payment_days} to be paid the balance may fall on "
        f"{clock.long_date(paid_by)}, after the parent grant ends ({clock.long_date(on.parent_ends_on)})."
    )


# --- its effect in numbers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AmountEffect:
    """One amount before and after."""

    label: str
    old: Money
    new: Money

    @property
    def difference(self) -> Money:
        """What is added; below zero for what is taken."""
        return self.new - self.old


@dataclass(frozen=True, slots=True)
class DayEffect:
    """One day before and after."""

    label: str
    old: date
    new: date


@dataclass(frozen=True, slots=True)
class TextEffect:
    """Words before and after; empty for none."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class PaymentEffect:
    """One planned payment before and after."""

    label: str
    old: Money
    new: Money
    old_day: date | None
    new_day: date | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What is another after than before: amounts, days, words, payments to come, who takes part."""

    amounts: tuple[AmountEffect, ...] = ()
    days: tuple[DayEffect, ...] = ()
    texts: tuple[TextEffect, ...] = ()
    payments: tuple[PaymentEffect, ...] = ()
    partners: tuple[str, ...] = ()
    # Whether amounts within the budget move; its redline says which.
    moves_budget: bool = False
    # Whether another account is paid: that is about money, whatever the amounts.
    other_account: bool = False

    @property
    def is_light(self) -> bool:
        """Whether it touches no amount, no date, no partner and no account: only then letters are enough."""
        heavy = self.amounts or self.days or self.payments or self.partners
        return not (heavy or self.moves_budget or self.other_account)


_PAYMENTS = {
    PaymentKind.PREFINANCING: "Pre-financing",
    PaymentKind.INTERIM: "Interim payment",
    PaymentKind.BALANCE: "Balance",
}


def effect(before: GrantTerms, after: GrantTerms, names: Mapping[UUID, str]) -> Effect:
    """Everything that is another after than before."""
    amounts = [
        AmountEffect("Maximum grant", before.maximum, after.maximum),
        *(
            AmountEffect(f"Maximum of {names.get(who, 'a partner')}", before.share(who), after.share(who))
            for who in dict.fromkeys(each.organisation_id for each in (*before.shares, *after.shares))
        ),
        AmountEffect("Pre-financing", before.limits.prefinancing, after.limits.prefinancing),
        AmountEffect("Ceiling before the balance", before.limits.interim_ceiling, after.limits.interim_ceiling),
        AmountEffect("Held back of the pre-financing", before.limits.retention, after.limits.retention),
    ]
    days = [DayEffect("The period ends before", before.ends_before, after.ends_before)]
    texts = [
        TextEffect("Description of the action", before.description, after.description),
        TextEffect("Special conditions", before.special_conditions, after.special_conditions),
        TextEffect("Account that is paid", before.account, after.account),
    ]
    for old, new in zip(before.milestones, after.milestones, strict=True):
        days.append(DayEffect(f"Milestone {old.number}, {new.title}", old.due_on, new.due_on))
        texts.append(TextEffect(f"Milestone {old.number}", old.title, new.title))
        texts.append(TextEffect(f"Milestone {old.number} is accepted when", old.criterion, new.criterion))
    stood = {each.organisation_id for each in before.shares}
    return Effect(
        tuple(each for each in amounts if each.old != each.new),
        tuple(each for each in days if each.old != each.new),
        tuple(each for each in texts if each.old != each.new),
        tuple(_payment_effects(before.schedule, after.schedule)),
        tuple(
            names.get(each.organisation_id, "a partner") for each in after.shares if each.organisation_id not in stood
        ),
        moves_budget=_amounts(before.budget) != _amounts(after.budget),
        other_account=before.account != after.account,
    )


def _amounts(content: BudgetContent | None) -> dict[tuple[UUID, str, str, int], Money]:
    return {_key(cell): cell.amount for cell in content.cells if cell.amount} if content is not None else {}


def _payment_effects(before: Sequence[ScheduleLine], after: Sequence[ScheduleLine]) -> list[PaymentEffect]:
    old = {(line.kind, line.report_number): line for line in before}
    new = {(line.kind, line.report_number): line for line in after}
    found = []
    for key in dict.fromkeys((*old, *new)):
        was, will = old.get(key), new.get(key)
        if was is not None and will is not None and (was.planned, was.due_on) == (will.planned, will.due_on):
            continue
        label = _PAYMENTS[key[0]] + (f" after report {key[1]}" if key[0] is PaymentKind.INTERIM else "")
        found.append(
            PaymentEffect(
                label,
                was.planned if was else ZERO,
                will.planned if will else ZERO,
                was.due_on if was else None,
                will.due_on if will else None,
            )
        )
    return found
