"""The page of the advice beside the official list: its words, and where its marks stand. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.awards.rules.robustness import RobustnessView
from grants.awards.states import AdviceKind
from grants.core.errors import Invalid

PLACES_MAX = 2_000
ADVISED_IN_PART = (
    "The advice is worked out over every application of the call, and something of it is closed to you. Somebody who sees "
    "the whole call asks for it and reads it."
)
INTERVALS_MISSING = (
    "This call draws by lot among the applications whose rank interval crosses the line, and the advice was not worked out from "
    "the score sheets as they are. A chair asks for it on the page of the advice; decide the list after that."
)
AXIS_FROM, AXIS_TO = 6, 194


def refuse_places(places: int | None) -> int:
    """How many could be funded, as typed; raises :class:`Invalid`.

    >>> refuse_places(25)
    25
    """
    if places is None or not 1 <= places <= PLACES_MAX:
        raise Invalid(
            "How many could be funded is missing.", {"places": f"Write a whole number from 1 to {PLACES_MAX}."}
        )
    return places


def refuse_more_places(places: int, applications: int) -> None:
    """Raise :class:`Invalid` where more could be funded than there are applications with sheets.

    >>> refuse_more_places(5, 5)
    """
    if places > applications:
        many = "application has" if applications == 1 else "applications have"
        said = f"{applications} {many} a score sheet, so at most {applications} can be funded. Write a smaller number."
        raise Invalid("More could be funded than there are applications.", {"places": said})


def chance_words(chance: float) -> str:
    """A probability as people read it; never certain.

    >>> [chance_words(one) for one in (0.0, 0.254, 0.999)]
    ['under 1 %', '25 %', 'over 99 %']
    """
    percent = round(100 * chance)
    if percent < 1:
        return "under 1 %"
    return "over 99 %" if percent > 99 else f"{percent} %"


def signed(points: float) -> str:
    """A difference in points with its sign; nothing has none.

    >>> signed(-0.777), signed(0.001)
    ('−0.78', '0.00')
    """
    text = f"{abs(points):.2f}"
    if text == "0.00":
        return text
    return f"+{text}" if points > 0 else f"−{text}"


def share_words(share: float | None) -> str:
    """A reliability to two decimals; no words where there is none.

    >>> share_words(0.3349)
    '0.33'
    """
    return "none" if share is None else f"{share:.2f}"


@dataclass(frozen=True, slots=True)
class RankMark:
    """Where the marks of one application stand on the axis of ranks: 90 %, 50 %, the expected rank, the official one."""

    wide: tuple[int, int]
    half: tuple[int, int]
    expected: int
    official: int | None


@dataclass(frozen=True, slots=True)
class AdviceRow:
    """One application beside its official rank. ``effect`` and what follows are None where they are withheld."""

    reference: str
    title: str
    official: int | None
    sheets: int
    mean: float
    effect: float | None
    rank: float | None
    bounds: tuple[int, ...] | None
    fundable: float | None
    sucra: float | None
    percentile: float | None
    # In what share of the draws it is selected, and whether the list selects it now.
    stays: float | None = None
    taken: bool = False

    @property
    def stays_words(self) -> str:
        """In what share of the draws it is selected."""
        return "" if self.stays is None else chance_words(self.stays)

    @property
    def standing_words(self) -> str:
        """SUCRA and PCER: 1 is certainly first, and the expected rank as a share of all."""
        if self.sucra is None or self.percentile is None:
            return ""
        return f"SUCRA {self.sucra:.2f}, PCER {self.percentile:.0f} %"

    @property
    def rank_words(self) -> str:
        """The expected rank to one decimal."""
        return "" if self.rank is None else f"{self.rank:.1f}"

    @property
    def mean_words(self) -> str:
        """The mean of its sheets in points."""
        return f"{self.mean:.2f}"

    @property
    def effect_words(self) -> str:
        """How far it lies above or below the mean of all, drawn towards it, in points."""
        return "" if self.effect is None else signed(self.effect)

    @property
    def interval_words(self) -> str:
        """The ranks it lies between, with 50 and with 90 %."""
        if self.bounds is None:
            return ""
        half, wide = _between(*self.bounds[:2]), _between(*self.bounds[2:])
        return f"{half} with 50 %, {wide} with 90 %"

    @property
    def fundable_words(self) -> str:
        """How likely it is among those that could be funded."""
        return "" if self.fundable is None else chance_words(self.fundable)

    def mark(self, count: int) -> RankMark | None:
        """The marks of this row where ranks go from 1 to ``count``."""
        if self.rank is None or self.bounds is None:
            return None
        at = [_place(bound, count) for bound in self.bounds]
        official = None if self.official is None else _place(self.official, count)
        return RankMark((at[2], at[3]), (at[0], at[1]), _place(self.rank, count), official)


def _between(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _place(rank: float, count: int) -> int:
    share = (min(max(rank, 1.0), count) - 1) / max(1, count - 1)
    return round(AXIS_FROM + (AXIS_TO - AXIS_FROM) * share)


@dataclass(frozen=True, slots=True)
class SeverityRow:
    """One evaluator: points fewer or more than colleagues would give; None where too few sheets tell anything."""

    name: str
    sheets: int
    effect: float | None
    low: float | None
    high: float | None

    @property
    def words(self) -> str:
        """The difference in points with its limits."""
        if self.effect is None or self.low is None or self.high is None:
            return "too few sheets"
        return f"{signed(self.effect)} ({signed(self.low)} to {signed(self.high)})"

    @property
    def clear(self) -> str:
        """Whether the difference is more than chance, in words."""
        if self.effect is None or self.low is None or self.high is None:
            return ""
        if self.low <= 0 <= self.high:
            return "not told from chance"
        return "severe" if self.effect < 0 else "mild"

    def mark(self, most: float) -> tuple[int, int, int] | None:
        """Where low limit, difference and high limit stand on an axis from ``-most`` to ``most``."""
        if self.effect is None or self.low is None or self.high is None:
            return None
        low, middle, high = (_across(value, most) for value in (self.low, self.effect, self.high))
        return low, middle, high


def _across(value: float, most: float) -> int:
    share = (min(max(value / most, -1.0), 1.0) + 1) / 2 if most else 0.5
    return round(AXIS_FROM + (AXIS_TO - AXIS_FROM) * share)


@dataclass(frozen=True, slots=True)
class AdvicePage:
    """The newest run of a call; ``number`` is None where there is none.

    Whoever sees a part of the applications is shown no run, since it was made of all of them; only the means of the sheets
    of that part, as they are in now.
    """

    call_id: UUID
    call_slug: str
    call_title: str
    partial: bool
    why_partial: str
    places_likely: int
    number: int | None = None
    made_at: datetime | None = None
    kind: AdviceKind = AdviceKind.NOTHING
    reason: str = ""
    places: int = 0
    applications: int = 0
    evaluators: int = 0
    sheets: int = 0
    rows: tuple[AdviceRow, ...] = ()
    people: tuple[SeverityRow, ...] = ()
    reliability: Mapping[str, float | None] | None = None
    most: float = 0.0
    each: int = 1
    milliseconds: int = 0
    input_hash: str = ""
    # In how many simulated orders each stays selected, where somebody asked; and whether it may be asked for.
    robustness: RobustnessView | None = None
    may_ask_robustness: bool = False

    @property
    def shows_robustness(self) -> bool:
        """Whether the rows say in what share of the simulated orders they are selected."""
        return self.robustness is not None and not self.robustness.stale and not self.partial

    @property
    def why(self) -> str:
        """Why the method says less than all."""
        return self.reason

    @property
    def most_words(self) -> str:
        """The most points of a sheet."""
        return f"{self.most:g}"

    @property
    def reach(self) -> float:
        """How far the axis of severity goes to either side."""
        ends = [abs(end) for one in self.people for end in (one.low, one.high) if end is not None]
        return max(ends, default=1.0)

    @property
    def reach_words(self) -> str:
        """How far that is, in points."""
        return f"{self.reach:.1f}"

    @property
    def agreement(self) -> tuple[tuple[str, str], ...]:
        """The measures of reliability with their words."""
        held = self.reliability or {}
        if not held:
            return ()
        found = [
            ("One sheet (ICC)", share_words(held.get("icc"))),
            (f"Mean of {self.each} sheets (ICC)", share_words(held.get("icc_mean"))),
        ]
        if held.get("icc_low") is not None:
            found = [
                (found[0][0], f"{found[0][1]}, {_limits(held, 'icc_low', 'icc_high')}"),
                (found[1][0], f"{found[1][1]}, {_limits(held, 'icc_mean_low', 'icc_mean_high')}"),
            ]
        return (*found, ("Krippendorff’s alpha", share_words(held.get("alpha"))))

    @property
    def agreement_facts(self) -> tuple[tuple[str, str, None], ...]:
        """The same for a strip of facts."""
        return tuple((label, words, None) for label, words in self.agreement)

    @property
    def agreement_words(self) -> str:
        """What the reliability of the mean says about an order made from it."""
        share = (self.reliability or {}).get("icc_mean")
        if share is None:
            return ""
        percent = round(100 * share)
        return (
            f"Of the differences between the means of {self.each} sheets, about {percent} % are differences between applications; "
            "the rest is who scored, and chance."
        )


def _limits(held: Mapping[str, float | None], low: str, high: str) -> str:
    return f"{share_words(held.get(low))} to {share_words(held.get(high))} with 95 %"
