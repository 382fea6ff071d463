"""What a call says about conflicts of interest beyond what people declare: which facts alone are one."""

from __future__ import annotations

from dataclasses import dataclass

from grants.core.yaml_schema import Record, flag, whole

# “Anybody who worked for a member of the consortium in the last three years” is the usual reading of article 61 of the
# Financial Regulation in calls of this kind.
PAST_YEARS = 3


@dataclass(frozen=True, slots=True)
class ConflictRules:
    """Which facts about a person and a consortium are a conflict by themselves in this call."""

    same_country: bool = False
    same_city: bool = False
    # Who takes part in an application judges no competing one; the key is that of calls that stand.
    competing_bid: bool = True
    past_consortium_years: int = PAST_YEARS

    @property
    def words(self) -> str:
        """What follows for people, as one sentence after the other.

        >>> ConflictRules(competing_bid=False, past_consortium_years=0).words
        'Who belongs to an organisation of a consortium does not judge its application.'
        """
        away = ["who belongs to an organisation of a consortium"]
        if self.same_country:
            away.append("who comes from one of its countries")
        if self.same_city:
            away.append("who works, or whose organisation is, in one of its cities")
        said = [f"{_listed(away).capitalize()} does not judge its application."]
        if self.competing_bid:
            said.append("Who takes part in an application of this call judges none of the others.")
        if self.past_consortium_years:
            years = "year" if self.past_consortium_years == 1 else f"{self.past_consortium_years} years"
            said.append(f"A consortium shared in the last {years} is looked at by a person.")
        return " ".join(said)


# What holds where a call says nothing.
USUAL_CONFLICT_RULES = ConflictRules()


def _listed(parts: list[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} or {last}" if first else last


CONFLICT_RULES = Record(
    ConflictRules,
    {
        "same_country": flag,
        "same_city": flag,
        "competing_bid": flag,
        "past_consortium_years": whole(0, 10),
    },
)
