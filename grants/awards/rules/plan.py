"""By what a list is selected: the rules of its call, or those of a scenario, with every departure from the list and its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from grants.awards.rules.strands import strand_words
from grants.awards.states import LineRule
from grants.calls.rules import PLAIN_SELECTION, Draw, Intervals, SelectionRules, exact_words
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, Rounding, parse_money, plain
from grants.dossiers.rules import clean_text

OVERRIDES_MAX = 200
CONDITIONS_MAX = 2_000
REASON_MAX = 2_000
GROUPS_MAX = 20
MEMBERS_MAX = 20
PLACE_DIGITS_MAX = 6


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
    """How a list is selected. ``exclusive`` are groups of references of which at most one is selected.

    ``reason`` says why its rules are others than those the call published; it is frozen with them. ``order_reason`` says
    why tied applications stand in another order than signed minutes of the panel say; empty where it is theirs.
    """

    rules: SelectionRules = PLAIN_SELECTION
    panel_order: tuple[str, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()
    overrides: tuple[Override, ...] = ()
    cut_percent: Fraction = Fraction(0)
    reason: str = ""
    # The draw by lot that put the group at the line in order; None before it is drawn, and where none is.
    draw: Draw | None = None
    order_reason: str = ""
    # By which rank intervals the group at the line was found, where the call draws by them: frozen with the decision.
    intervals: Intervals | None = None

    @property
    def is_plain(self) -> bool:
        """Whether rank and budget alone decide, each application getting what it asked for."""
        return self.rules.is_plain and not (self.exclusive or self.overrides or self.cut_percent)

    @property
    def has_minima(self) -> bool:
        """Whether it demands what rank alone may not reach, so that a solver may be asked."""
        return bool(self.rules.countries_min or self.rules.small_cities_min)

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
        if self.order_words:
            found.append(self.order_words)
        found += [f"At most one of {' and '.join(group)} is selected." for group in self.exclusive]
        if self.intervals is not None:
            found.append(self.intervals.words)
        return (*found, *(each.sentence for each in self.overrides))

    @property
    def order_words(self) -> str:
        """Who put tied applications in which order, in a sentence; empty where nobody did.

        >>> Plan(panel_order=("B", "A"), order_reason="The only island.").order_words
        'Not the panel but whoever decided the list put tied applications in this order: B, A. Reason: The only island.'
        """
        named = ", ".join(self.panel_order) or "none"
        if self.order_reason:
            return (
                "Not the panel but whoever decided the list put tied applications in this order: "
                f"{named}. Reason: {self.order_reason}"
            )
        return f"The panel put tied applications in this order: {named}." if self.panel_order else ""

    @property
    def order_told(self) -> str:
        """The same for applicants where it was not the panel: nobody else named, and without the reason.

        >>> Plan(panel_order=("B", "A"), order_reason="The only island.").order_told
        'Not the panel but whoever decided the list put tied applications in order.'
        """
        if not self.order_reason:
            return ""
        if not self.panel_order:
            return "Whoever decided the list left applications tied that the panel had put in order."
        return "Not the panel but whoever decided the list put tied applications in order."

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


def plan_of(rules: SelectionRules, panel_order: Sequence[str] = (), overrides: Sequence[Override] = ()) -> Plan:
    """The plan without a scenario: by the rules of the call alone, which nobody chooses once scores are known.

    A call that says nothing stops at the line, as its page says.
    """
    return Plan(rules, tuple(panel_order), overrides=tuple(overrides))


# The official order alone; ceilings and minima of a selection come after it.
BY_RANK = plan_of(PLAIN_SELECTION)


# What the rules are called where a scenario departs from them.
_NAMES = {
    "fund_what_fits": "what happens below the line",
    "reserve_max": "places on the reserve list",
    "country_max": "most applications from one country",
    "country_amount_max": "most money for one country",
    "countries_min": "least number of countries",
    "small_cities_min": "least number of small cities",
    "small_city_below": "what a small city is",
    "one_per_city": "one selected application for each city",
    "strands": "strands of the budget",
}


def departures(plan: Plan, call: SelectionRules) -> tuple[str, ...]:
    """Each rule of the call that a plan sets aside or adds to, and each application it moves, in sentences.

    >>> departures(Plan(SelectionRules(country_max=3), reason="Few leads"), SelectionRules(country_max=2))
    ('Most applications from one country: 3 instead of 2. Reason: Few leads',)
    """
    why = f" Reason: {plan.reason}" if plan.reason else ""
    said = [f"{words[0].upper()}{words[1:]}.{why}" for words in _other_rules(plan, call)]
    for each in plan.overrides:
        if each.rank is not None:
            said.append(f"{each.reference} is moved to place {each.rank}. Reason: {each.reason}")
    return tuple(said)


def _other_rules(plan: Plan, call: SelectionRules) -> list[str]:
    found = []
    for name, words in _NAMES.items():
        now, published = getattr(plan.rules, name), getattr(call, name)
        if now != published:
            said = _LINE_WORDS.get if name == "fund_what_fits" else _value
            found.append(f"{words}: {said(now)} instead of {said(published)}")
    return [*found, *(f"at most one of {', '.join(group)} is selected" for group in plan.exclusive)]


_LINE_WORDS = {False: "selection stops", True: "what still fits is selected"}


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return strand_words(value)
    return "no limit" if value is None else str(value)


def refuse_departures(
    plan: Plan, asked: Mapping[str, Money], call: SelectionRules, budget: Money, *, draws: bool = False
) -> None:
    """Raise :class:`Invalid` where a departure names nobody of the list, has no reason, or is more than was asked for."""
    wrong = wrong_departures(plan, asked, call, budget, draws=draws)
    if wrong:
        raise Invalid("The departures from the list cannot stand.", wrong)


def refuse_old_departures(
    plan: Plan, asked: Mapping[str, Money], call: SelectionRules, budget: Money, *, draws: bool = False
) -> None:
    """Raise :class:`Refused` where a scenario that was saved earlier may not be chosen as it is."""
    wrong = wrong_departures(plan, asked, call, budget, draws=draws)
    if wrong:
        raise Refused(f"This scenario cannot be chosen as it is. {' '.join(wrong.values())} Change it first.")


def wrong_departures(
    plan: Plan, asked: Mapping[str, Money], call: SelectionRules, budget: Money, *, draws: bool = False
) -> dict[str, str]:
    """What is wrong with the departures of a plan, at the field of the form it belongs to."""
    found = {
        "overrides": " ".join((*_wrong_overrides(plan, asked, call, budget), *_wrong_places(plan, call, draws))),
        "exclusive": " ".join(_wrong_groups(plan, asked)),
        "why": "",
    }
    other = _other_rules(plan, call)
    if len(plan.reason) > REASON_MAX:
        found["why"] = f"The reason has {len(plan.reason):,} characters; the limit is {REASON_MAX:,}. Shorten it."
    elif other and not clean_text(plan.reason):
        found["why"] = f"Write why this scenario departs from the rules of the call: {'; '.join(other)}."
    return {name: words for name, words in found.items() if words}


def read_groups(text: str) -> tuple[tuple[str, ...], ...]:
    """Groups of which at most one is selected as people type them, one a line with commas between the references.

    >>> read_groups("A-1, A-2, A-1\\n\\nA-3,A-4")
    (('A-1', 'A-2'), ('A-3', 'A-4'))
    """
    found, wrong = [], list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        group = tuple(dict.fromkeys(part.strip() for part in line.split(",") if part.strip()))
        if len(group) == 1:
            wrong.append(
                f"Line {number} names one application. Name two or more, with commas between, or empty the line."
            )
        elif group:
            found.append(group)
    if wrong:
        raise Invalid("The groups cannot be read.", {"exclusive": " ".join(wrong)})
    return tuple(dict.fromkeys(found))


def _wrong_groups(plan: Plan, asked: Mapping[str, Money]) -> list[str]:
    found = [
        _not_listed(reference)
        for group in plan.exclusive[:GROUPS_MAX]
        for reference in group[:MEMBERS_MAX]
        if reference not in asked
    ]
    if len(plan.exclusive) > GROUPS_MAX or any(len(group) > MEMBERS_MAX for group in plan.exclusive):
        found.append(
            f"At most {GROUPS_MAX} groups of at most {MEMBERS_MAX} applications can be reckoned with. Join or leave out some."
        )
    return found


def _not_listed(reference: str) -> str:
    return f"{shorten(reference)} is not on the list. Take a reference from it, or leave this one out."


def shorten(reference: str) -> str:
    """A reference as it was typed, at a length a sentence can hold."""
    return reference if len(reference) <= 40 else f"{reference[:40]}…"


def _wrong_overrides(plan: Plan, asked: Mapping[str, Money], call: SelectionRules, budget: Money) -> list[str]:
    faults = []
    for each in plan.overrides:
        if each.reference not in asked:
            faults.append(_not_listed(each.reference))
        elif each.amount is not None and not ZERO < each.amount <= asked[each.reference]:
            faults.append(
                f"{each.reference} asks for {asked[each.reference]}; recommend more than nothing and at most that."
            )
        elif each.amount is not None and each.amount > budget:
            faults.append(
                f"{each.reference} would get {each.amount}; the call has {budget} free. Recommend at most that."
            )
        if not clean_text(each.reason) and (each.rank is not None or each.amount is not None):
            faults.append(
                f"{each.reference} has no reason for its change of place or amount. Write one, or leave both as they are."
            )
        if len(each.conditions) > CONDITIONS_MAX:
            faults.append(
                f"The conditions of {shorten(each.reference)} have more than {CONDITIONS_MAX} characters. Shorten them."
            )
        if len(each.reason) > REASON_MAX:
            faults.append(f"The reason of {shorten(each.reference)} has more than {REASON_MAX} characters. Shorten it.")
    if not takes_amounts(call) and (plan.cut_percent or any(each.amount for each in plan.overrides)):
        faults.append("This call does not allow another amount than was asked for.")
    if len({each.reference for each in plan.overrides}) < len(plan.overrides) or len(plan.overrides) > OVERRIDES_MAX:
        faults.append(f"Name each application once, and at most {OVERRIDES_MAX}.")
    return faults


def _wrong_places(plan: Plan, call: SelectionRules, draws: bool) -> list[str]:
    if takes_places(call, draws) or all(each.rank is None for each in plan.overrides):
        return []
    if draws:
        # Whoever is moved to a place is not drawn.
        return ["This call draws by lot at the budget line, so nobody is moved to a place by hand."]
    return ["This call does not allow an application to be moved to another place than its rank."]


def takes_amounts(call: SelectionRules) -> bool:
    """Whether less than was asked for may be recommended."""
    return call == PLAIN_SELECTION or call.amounts


def takes_places(call: SelectionRules, draws: bool) -> bool:
    """Whether an application may be moved to another place than its rank; never in a call that draws by lot."""
    return not draws and (call == PLAIN_SELECTION or call.places)


def departing_words(call: SelectionRules, draws: bool) -> tuple[str, str]:
    """What may be recommended otherwise than the list says, and how it is typed.

    >>> departing_words(SelectionRules(country_max=2), False)[0]
    'Conditions'
    """
    amounts, places = takes_amounts(call), takes_places(call, draws)
    named = [*(["places"] if places else []), *(["recommended amounts"] if amounts else []), "conditions"]
    label = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    empty = [*([] if places else ["place"]), *([] if amounts else ["amount"])]
    said = "One a line: reference; place; amount; conditions; reason. "
    said += f"{' and '.join(empty).capitalize()} stay empty in this call. " if len(empty) > 1 else ""
    said += f"{empty[0].capitalize()} stays empty in this call. " if len(empty) == 1 else ""
    said += "Parts may stay empty. " if not empty else ""
    if len(empty) < 2:
        changed = " or ".join([*(["place"] if places else []), *(["amount"] if amounts else [])])
        said += f"Another {changed} needs its reason."
    return label.capitalize(), said.strip()


def read_overrides(text: str) -> tuple[Override, ...]:
    """Departures as people type them, one a line: reference; place; amount; conditions; reason.

    >>> read_overrides("A-1; ; 250 000; Ethics check first; The panel cut the travel costs")[0].amount
    Money(cents=25000000, currency='EUR')
    """
    found, wrong = [], list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found += [_override(number, line)] if line.strip() else []
        except Invalid as error:
            wrong.append(str(error))
    if wrong:
        raise Invalid("The departures cannot be read.", {"overrides": " ".join(wrong)})
    return tuple(found)


def _override(number: int, line: str) -> Override:
    parts = [part.strip() for part in line.split(";")]
    if len(parts) != 5 or not parts[0]:
        raise Invalid(
            f"Line {number} needs five parts between semicolons: reference; place; amount; conditions; reason."
        )
    reference, place, amount, conditions, reason = parts
    if place and not (
        place.isdecimal() and place.isascii() and len(place) <= PLACE_DIGITS_MAX and 0 < int(place) <= 5_000
    ):
        raise Invalid(f"Line {number}: the place is a whole number from 1.")
    try:
        money = parse_money(amount) if amount else None
    except Invalid as error:
        raise Invalid(f"Line {number}, amount: {error}") from error
    return Override(reference, int(place) if place else None, money, clean_text(conditions), clean_text(reason))


def override_lines(overrides: Sequence[Override]) -> str:
    """Departures as people typed them, for the form that shows them again."""
    return "\n".join(
        "; ".join((
            each.reference, str(each.rank or ""), plain(each.amount) if each.amount else "",
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


def kept_facts(found: Mapping[UUID, Facts]) -> dict[str, dict[str, Any]]:
    """Facts as they are frozen with a list."""
    return {
        str(key): {
            "country": about.country,
            "cities": sorted(about.cities),
            "inhabitants": [[city, people] for city, people in about.inhabitants],
        }
        for key, about in found.items()
    }


def facts_kept(stored: Mapping[str, Mapping[str, Any]]) -> dict[UUID, Facts]:
    """What :func:`kept_facts` froze.

    >>> found = {UUID(int=1): Facts("FI", frozenset(("Oulu",)), (("Oulu", 200_000),))}
    >>> facts_kept(kept_facts(found)) == found
    True
    """
    return {
        UUID(key): Facts(
            about["country"],
            frozenset(about["cities"]),
            tuple((city, people) for city, people in about["inhabitants"]),
        )
        for key, about in stored.items()
    }
