"""The decision on a ranked list as it stands on paper, once another person confirmed it."""

from __future__ import annotations

from dataclasses import dataclass

from grants.awards.rules.decision import SelectionView
from grants.awards.rules.plan import Plan
from grants.awards.rules.scenarios import Column
from grants.awards.rules.showing import RankingRow, by_country, told_once
from grants.calls.rules import CallView, exact_words
from grants.core.money import Money


@dataclass(frozen=True, slots=True)
class DecisionMinute:
    """Everything the minute says: the call, the list as it was frozen, by what it was selected, and who decided."""

    call: CallView
    view: SelectionView
    plan: Plan
    rows: tuple[RankingRow, ...]
    # The lists of the call whose draw was refused before this one was decided.
    refused: tuple[SelectionView, ...] = ()
    # What the list by the rules of the call and each scenario came to when it was decided.
    compared: tuple[Column, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """By what was selected, in sentences."""
        order = (self.plan.order_words,) if self.plan.order_words else ()
        return (*self.plan.rules.sentences, *order, *departures(self.plan))

    @property
    def by_country(self) -> tuple[tuple[str, int, int, Money], ...]:
        """Each country of a lead: how many of its applications are on the list, how many selected, and their money."""
        return by_country(self.rows)

    @property
    def drawing(self) -> tuple[str, ...]:
        """The draw by lot at the line, in sentences anybody can draw again by; empty where nothing was drawn."""
        return self.plan.draw.told if self.plan.draw else ()

    @property
    def ties(self) -> tuple[str, ...]:
        """How each tie was decided, once each."""
        return told_once(self.rows)


def departures(plan: Plan) -> tuple[str, ...]:
    """What a plan changes beside the rules of its call, in sentences."""
    found = [f"Of {', '.join(group)} at most one is selected." for group in plan.exclusive]
    if plan.cut_percent:
        found.append(
            f"Everybody gets {exact_words(plan.cut_percent)} % less than was asked for, unless it says otherwise."
        )
    for each in plan.overrides:
        said = [f"place {each.rank}" if each.rank else "", f"{each.amount}" if each.amount else ""]
        if each.conditions:
            said.append(f"on the condition: {each.conditions}")
        found.append(f"{each.reference}: {'; '.join(filter(None, said))}. Reason: {each.reason or 'none was given'}")
    return tuple(found)
