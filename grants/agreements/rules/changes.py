"""What stands in the way of a change of a signed agreement. Pure.

What a change is stands in ``amendable``, what it makes of the terms in ``applying``, of the budget in ``moving``, what is
another by it in ``effects``, and what guards a partner's maximum in ``maxima``. Their names are known here too.
"""

from __future__ import annotations

from datetime import date
from typing import assert_never

from grants.agreements.rules.amendable import (
    KINDS,
    AccountChange,
    BudgetShift,
    Change,
    Extension,
    Footing,
    GrantTerms,
    MilestoneTerm,
    Move,
    PartnerIn,
    PartnerOut,
    Scope,
    kind_of,
)
from grants.agreements.rules.applying import apply, report_ends, reports_of
from grants.agreements.rules.effects import Effect, amounts_of, effect
from grants.agreements.rules.maxima import lowering_problem, packages_problem, raising_problem
from grants.agreements.rules.moving import moved, shrunk, units_problem
from grants.agreements.rules.revising import asked_for
from grants.budgets.rules import BudgetContent
from grants.core import clock
from grants.core.errors import Problem
from grants.core.money import ZERO, total

__all__ = [
    "KINDS",
    "AccountChange",
    "BudgetShift",
    "Change",
    "Effect",
    "Extension",
    "Footing",
    "GrantTerms",
    "MilestoneTerm",
    "Move",
    "PartnerIn",
    "PartnerOut",
    "Scope",
    "apply",
    "change_problems",
    "clock_warning",
    "effect",
    "kind_of",
    "moved",
    "report_ends",
    "reports_of",
    "shrunk",
]


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
    found = [*_money_problems(before, after, change, on), *_budget_problems(before, after, change, on)]
    moves = before.shares != after.shares or amounts_of(before.budget) != amounts_of(after.budget)
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


def _money_problems(before: GrantTerms, after: GrantTerms, change: Change, on: Footing) -> list[Problem]:
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
        back = isinstance(change, PartnerIn) and change.organisation_id == who
        if words := raising_problem(on.name(who), share.maximum, new, gone=who in on.gone and not back):
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
    has = total(
        cell.amount
        for cell in content.cells
        if (cell.organisation_id, cell.category) == (move.giver, move.giver_category)
    )
    if move.giver is None or has >= move.amount:
        words = units_problem(content, move, has)
        return [Problem("Budget", words)] if words else []
    where = f"{on.name(move.giver)} has {has} under “{entered[move.giver_category]}”"
    return [Problem("Budget", f"{where}, so {move.amount} cannot be moved away. Move at most that.")]


def _joining_problems(before: GrantTerms, change: PartnerIn, on: Footing) -> list[Problem]:
    name, found = on.name(change.organisation_id), []
    stands = {share.organisation_id for share in before.shares}
    if change.organisation_id in stands - on.gone:
        found.append(Problem("Partner", f"{name} is a beneficiary of this grant already. Shift the budget instead."))
    elif {each.organisation_id for each in change.shares} != stands | {change.organisation_id}:
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
    if (left_on := on.left.get(who)) is not None:
        return _left_problems(on.name(who), left_on, change.leaves_on, on)
    if (ending_on := on.ending.get(who)) is not None:
        words = (
            f"{on.name(who)} takes no part from {clock.long_date(ending_on)} on by its termination, which is confirmed. What becomes of "
            "its share is proposed after that day, once the report about it is settled."
        )
        return [Problem("Partner", words)]
    if change.leaves_on < before.starts_on or change.leaves_on > before.ends_before:
        return [Problem("Partner", "It leaves on a day within the period of the grant. Enter such a day.")]
    return []


def _left_problems(name: str, left_on: date, leaves_on: date, on: Footing) -> list[Problem]:
    """Of a partner whose part has ended the amendment only says what becomes of its share, once all it cost is settled."""
    if leaves_on != left_on:
        words = f"{name} takes no part from {clock.long_date(left_on)} on already. Enter that day."
        return [Problem("Partner", words)]
    if on.unsettled_from is not None and on.unsettled_from < left_on:
        words = (
            f"The costs of {name} until {clock.long_date(clock.add_days(left_on, -1))} count, and a report about that time is not "
            "settled yet. What is left of its share is known once that report is accepted or rejected; propose this then."
        )
        return [Problem("Partner", words)]
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
