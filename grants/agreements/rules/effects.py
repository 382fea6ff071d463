"""What is another in the terms of an agreement after a change than before it: amounts, days, words, payments. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.agreements.rules.amendable import GrantTerms
from grants.agreements.rules.moving import key_of
from grants.agreements.rules.terms import ScheduleLine
from grants.agreements.states import PaymentKind
from grants.budgets.rules import BudgetContent
from grants.core.money import ZERO, Money


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
    PaymentKind.ADDITIONAL: "Additional pre-financing",
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
        AmountEffect("Additional pre-financing", before.limits.additional, after.limits.additional),
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
        moves_budget=amounts_of(before.budget) != amounts_of(after.budget),
        other_account=before.account != after.account,
    )


def amounts_of(content: BudgetContent | None) -> dict[tuple[UUID, str, str, int], Money]:
    return {key_of(cell): cell.amount for cell in content.cells if cell.amount} if content is not None else {}


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
