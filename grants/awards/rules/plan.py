"""By what a list is selected: the rules of its call, or those of a scenario, with every departure from the list and its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID

from grants.awards.states import LineRule
from grants.calls.rules import PLAIN_SELECTION, SelectionRules, exact_words
from grants.core.errors import Invalid
from grants.core.money import ZERO, Money, Rounding, parse_money
from grants.dossiers.rules import clean_text

OVERRIDES_MAX = 200
CONDITIONS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Override:
    """One application that departs from the list: another place, a lower amount, conditions. It has a reason."""

    reference: str
    rank: int | None = None
    amount: Money | None = None
    conditions: str = ""
    reason: str = ""

    @property
    def sentence(self) -> str:
        """The departure in words.

        >>> Override("A-1", rank=2, reason="The only island").sentence
        'A-1: moved to place 2. Reason: The only island'
        """
        said = []
        if self.rank is not None:
            said.append(f"moved to place {self.rank}")
        if self.amount is not None:
            said.append(f"{self.amount} recommended")
        if self.conditions:
            said.append(f"condition: {self.conditions}")
        ended = "; ".join(said) or "as ranked"
        return f"{self.reference}: {ended}{'' if ended.endswith('.') else '.'}" + (
            f" Reason: {self.reason}" if self.reason else ""
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """How a list is selected. ``exclusive`` are groups of references of which at most one is selected."""

    rules: SelectionRules = PLAIN_SELECTION
    panel_order: tuple[str, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()
    overrides: tuple[Override, ...] = ()
    cut_percent: Fraction = Fraction(0)

    @property
    def is_plain(self) -> bool:
        """Whether rank and budget alone decide, each application getting what it asked for."""
        return self.rules.is_plain and not (self.exclusive or self.overrides or self.cut_percent)

    @property
    def line(self) -> LineRule:
        """What happens below the line."""
        return LineRule.SKIP if self.rules.fund_what_fits else LineRule.STOP

    @property
    def sentences(self) -> tuple[str, ...]:
        """The plan in words, with each departure from the list and its reason.

        >>> Plan(cut_percent=Fraction(5), exclusive=(("A", "B"),)).sentences[1:]
        ('Every amount is cut by 5 %.', 'At most one of A and B is selected.')
        """
        found = list(self.rules.sentences)
        if self.cut_percent:
            found.append(f"Every amount is cut by {exact_words(self.cut_percent)} %.")
        if self.panel_order:
            found.append(f"The panel put tied applications in this order: {', '.join(self.panel_order)}.")
        found += [f"At most one of {' and '.join(group)} is selected." for group in self.exclusive]
        return (*found, *(each.sentence for each in self.overrides))

    def about(self, reference: str) -> Override | None:
        """The departure of one application, if there is one."""
        return next((each for each in self.overrides if each.reference == reference), None)

    def amount(self, reference: str, asked: Money) -> Money:
        """What is recommended for an application: its own amount, else what it asked for less the cut of this plan.

        >>> Plan(cut_percent=Fraction(5)).amount("A", Money(999))
        Money(cents=949, currency='EUR')
        """
        own = self.about(reference)
        if own is not None and own.amount is not None:
            return own.amount
        return asked.share(1 - self.cut_percent / 100, rounding=Rounding.DOWN) if self.cut_percent else asked


def plan_of(
    rules: SelectionRules, line: LineRule | None, reserve_max: int | None, panel_order: Sequence[str] = ()
) -> Plan:
    """The plan without a scenario: what the call says; where it says nothing, what whoever decides chooses."""
    if rules != PLAIN_SELECTION:
        return Plan(rules, tuple(panel_order))
    return Plan(replace(rules, fund_what_fits=line is LineRule.SKIP, reserve_max=reserve_max), tuple(panel_order))


def refuse_departures(plan: Plan, asked: Mapping[str, Money], call: SelectionRules, budget: Money) -> None:
    """Raise :class:`Invalid` where a departure names nobody of the list, has no reason, or is more than was asked for."""
    faults = []
    for each in plan.overrides:
        if each.reference not in asked:
            faults.append(f"{each.reference} is not on the list.")
        elif each.amount is not None and not ZERO < each.amount <= asked[each.reference]:
            faults.append(
                f"{each.reference} asks for {asked[each.reference]}; recommend more than nothing and at most that."
            )
        elif each.amount is not None and each.amount > budget:
            faults.append(
                f"{each.reference} would get {each.amount}; the call has {budget} free. Recommend at most that."
            )
        if not clean_text(each.reason) and (each.rank is not None or each.amount is not None):
            faults.append(f"{each.reference} has no reason for its change of place or amount.")
        if len(each.conditions) > CONDITIONS_MAX:
            faults.append(f"The conditions of {each.reference} have more than {CONDITIONS_MAX} characters.")
    if (
        call != PLAIN_SELECTION
        and not call.amounts
        and (plan.cut_percent or any(each.amount for each in plan.overrides))
    ):
        faults.append("This call does not allow another amount than was asked for.")
    for group in plan.exclusive:
        faults += [f"{reference} is not on the list." for reference in group if reference not in asked]
    if len({each.reference for each in plan.overrides}) < len(plan.overrides) or len(plan.overrides) > OVERRIDES_MAX:
        faults.append(f"Name each application once, and at most {OVERRIDES_MAX}.")
    if faults:
        raise Invalid("The departures from the list cannot stand.", {"overrides": " ".join(faults)})


def read_overrides(text: str) -> tuple[Override, ...]:
    """Departures as people type them, one a line: reference; place; amount; conditions; reason.

    >>> read_overrides("A-1; ; 250 000; Ethics check first; The panel cut the travel costs")[0].amount
    Money(cents=25000000, currency='EUR')
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(";")]
        if len(parts) != 5 or not parts[0]:
            raise Invalid(
                "The departures cannot be read.",
                {
                    "overrides": f"Line {number} needs five parts between semicolons: reference; place; amount; conditions; reason."
                },
            )
        reference, place, amount, conditions, reason = parts
        if place and not (place.isdecimal() and place.isascii() and 0 < int(place[:6]) <= 5_000):
            raise Invalid(
                "The departures cannot be read.", {"overrides": f"Line {number}: the place is a whole number from 1."}
            )
        try:
            money = parse_money(amount) if amount else None
        except Invalid as error:
            raise Invalid(
                "The departures cannot be read.", {"overrides": f"Line {number}: the amount {error}"}
            ) from error
        found.append(
            Override(reference, int(place) if place else None, money, clean_text(conditions), clean_text(reason))
        )
    return tuple(found)


def override_lines(overrides: Sequence[Override]) -> str:
    """Departures as people typed them, for the form that shows them again."""
    return "\n".join(
        "; ".join((
            each.reference, str(each.rank or ""), str(each.amount).removeprefix("EUR ") if each.amount else "",
            each.conditions, each.reason,
        ))
        for each in overrides
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules of selection ask of an application beside its rank and its money."""

    country: str = ""
    cities: frozenset[str] = frozenset()
    # Inhabitants of each city that is known.
    inhabitants: tuple[tuple[str, int], ...] = ()

    def small(self, below: int) -> frozenset[str]:
        """Its cities with fewer inhabitants than that."""
        return frozenset(city for city, people in self.inhabitants if people < below)


NO_FACTS: Mapping[UUID, Facts] = {}
