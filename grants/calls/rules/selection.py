"""How a call selects from its ranked list: the rule at the line, ceilings, minima, the reserve list."""

from __future__ import annotations

from dataclasses import dataclass

from grants.core.money import Money

SMALL_CITY_BELOW = 100_000


@dataclass(frozen=True, slots=True)
class StrandRule:
    """A strand of the budget with a ceiling of its own: the applications that ask for at most ``asked_max``.

    An application lies in the strand with the lowest ``asked_max`` it does not exceed, or in none.
    """

    name: str
    asked_max: Money
    ceiling: Money


@dataclass(frozen=True, slots=True)
class SelectionRules:
    """The published rules of selection; a call that says nothing stops at the line and knows no ceiling but its budget.

    A country is that of the lead organisation; a small city has fewer inhabitants than ``small_city_below``.
    ``amounts`` allows a recommended amount below what was asked for, ``places`` another place than the official one.
    """

    fund_what_fits: bool = False
    reserve_max: int | None = None
    country_max: int | None = None
    country_amount_max: Money | None = None
    countries_min: int | None = None
    small_cities_min: int | None = None
    small_city_below: int = SMALL_CITY_BELOW
    one_per_city: bool = False
    strands: tuple[StrandRule, ...] = ()
    amounts: bool = False
    places: bool = False

    @property
    def has_minima(self) -> bool:
        """Whether a row may have to come ahead of a better one."""
        return bool(self.countries_min or self.small_cities_min)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but rank and budget decides."""
        limits = (self.country_max, self.country_amount_max, self.strands or None)
        return not self.has_minima and not self.one_per_city and all(limit is None for limit in limits)

    def strand_of(self, asked: Money) -> StrandRule | None:
        """The strand of an application that asks for this much."""
        fitting = [strand for strand in self.strands if asked <= strand.asked_max]
        return min(fitting, key=lambda strand: (strand.asked_max.cents, strand.name), default=None)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The rules in words, as everybody reads them.

        >>> SelectionRules(country_max=2).sentences[1]
        'At most 2 applications with a lead from one country are selected.'
        >>> SelectionRules(country_max=1).sentences[1]
        'At most 1 application with a lead from one country is selected.'
        """
        found = [
            "Below the first application that asks for more than is left, what still fits is selected."
            if self.fund_what_fits
            else "Selection stops at the first application that asks for more than is left."
        ]
        if self.country_max is not None:
            verb = "is" if self.country_max == 1 else "are"
            found.append(f"At most {_applications(self.country_max)} with a lead from one country {verb} selected.")
        if self.country_amount_max is not None:
            found.append(f"Applications with a lead from one country get at most {self.country_amount_max} together.")
        if self.countries_min:
            found.append(f"The selected come from at least {self.countries_min} countries.")
        if self.small_cities_min:
            found.append(
                f"At least {self.small_cities_min} cities with fewer than {self.small_city_below} inhabitants are among them."
            )
        if self.one_per_city:
            found.append("A city takes part in at most one selected application.")
        found += [
            f"{strand.name}: applications that ask for up to {strand.asked_max} get at most {strand.ceiling} together."
            for strand in sorted(self.strands, key=lambda strand: (strand.asked_max.cents, strand.name))
        ]
        found += self._line_sentences
        if self.reserve_max is not None:
            found.append(f"The reserve list has {self.reserve_max} {'place' if self.reserve_max == 1 else 'places'}.")
        if self.amounts:
            found.append("The panel may recommend less than was asked for, and set conditions.")
        if self.places:
            found.append("The panel may move an application to another place of the list, with a reason.")
        return tuple(found)

    @property
    def _line_sentences(self) -> list[str]:
        """What the lines of the list and of its strands mean where more than one rule decides."""
        found = []
        if self.strands and self.amounts:
            found.append(
                "An application lies in a strand by what it asked for; where less is recommended, that counts against the strand."
            )
        if self.strands and not self.fund_what_fits:
            found.append(
                "A strand stops by itself, at its first application that asks for more than is left of it; the others go on."
            )
        if self.has_caps and not self.fund_what_fits:
            found.append("An application that another rule than the money keeps out does not stop the selection.")
        if self.has_minima and not self.fund_what_fits:
            found.append(
                "Where the selection stops, as few applications as the least numbers above need are selected below, the "
                "best-ranked first."
            )
        return found

    @property
    def has_caps(self) -> bool:
        """Whether a rule keeps some out whatever money is left."""
        return self.one_per_city or self.country_max is not None or self.country_amount_max is not None


PLAIN_SELECTION = SelectionRules()


def _applications(count: int) -> str:
    return f"{count} {'application' if count == 1 else 'applications'}"
