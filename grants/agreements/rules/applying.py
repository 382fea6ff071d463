"""What each change makes of the terms of a signed agreement: limits and schedule follow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import assert_never
from uuid import UUID

from grants.agreements.rules.amendable import (
    AccountChange,
    BudgetShift,
    Change,
    Extension,
    Footing,
    GrantTerms,
    Move,
    PartnerIn,
    PartnerOut,
    Scope,
)
from grants.agreements.rules.maxima import least
from grants.agreements.rules.moving import moved, shrunk
from grants.agreements.rules.terms import Limits, ReportPlan, ScheduleLine, Share, limits, report_plan, schedule
from grants.agreements.states import PaymentKind
from grants.core.money import ZERO, Money, total


def apply(terms: GrantTerms, change: Change, on: Footing) -> GrantTerms:
    """The terms as they would stand; whether they may is ``change_problems``. Limits and schedule follow."""
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
    # What was agreed to be paid in advance once more stays as well, as far as there is room for it.
    additional = min(before.additional, max(ceiling - before.prefinancing, ZERO))
    return Limits(before.prefinancing, ceiling, before.retention, additional)


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
