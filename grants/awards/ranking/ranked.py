"""What goes into the official list and what comes out of it: rules, scored applications, rows, and the words of its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from grants.awards.states import LineRule, Outcome
from grants.calls.rules import TIE_WORDS, Half, Intervals
from grants.core.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class Bar:
    """One award criterion as the ranking needs it; the threshold is on the score before any weight.

    ``marks`` are the marks one may give for it, in half points, lowest first; without them every mark from zero is one.
    """

    key: str
    name: str
    weight: Fraction = Fraction(1)
    threshold_half: int | None = None
    marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RankingRules:
    """How a call ranks. ``tie_order`` names criteria, first the one that decides first.

    ``reserve_max`` is the length of the reserve list; None puts every application below the line on it. ``means``: scores
    are means of marks, so they may lie between two. ``total_on_score``: the threshold in all is on the weighted score
    with what the panel moved it by, not on the bare marks. ``shift_max_half`` is how far the panel may move a score.
    """

    bars: tuple[Bar, ...]
    total_threshold_half: int | None = None
    tie_order: tuple[str, ...] = ()
    line: LineRule = LineRule.STOP
    reserve_max: int | None = None
    means: bool = False
    total_on_score: bool = False
    shift_max_half: int = 0

    def __post_init__(self) -> None:
        keys = [bar.key for bar in self.bars]
        if not keys or len(set(keys)) != len(keys):
            raise ValueError("a call has one or more criteria, each with its own key")
        if not set(self.tie_order) <= {*keys, *TIE_WORDS} or len(set(self.tie_order)) != len(self.tie_order):
            raise ValueError("the order for ties names criteria of the call, each once")
        if any(bar.weight <= 0 for bar in self.bars):
            raise ValueError("a weight is above zero")


@dataclass(frozen=True, slots=True)
class Scored:
    """One application with its official scores in half points, by criterion key, and what the panel moved the sum by."""

    application_id: UUID
    reference: str
    title: str
    halves: Mapping[str, Half]
    requested: Money
    shift_half: int = 0
    # What only calls ask for whose order for ties looks at it: the topics it chose, by their labels, and its lead's country.
    topics: frozenset[str] = frozenset()
    country: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of the ranked list.

    ``rank`` is None below a threshold. Applications that stay tied share a rank. ``running_total`` adds up what
    is asked for down to this row. ``missing`` is how much too little was left for the straddling row.
    """

    application_id: UUID
    reference: str
    title: str
    halves: Mapping[str, Half]
    rank: int | None
    score: Fraction
    unweighted_half: Half
    requested: Money
    outcome: Outcome
    running_total: Money
    straddles: bool = False
    missing: Money = ZERO
    # All who share its rank, itself among them: one tuple for all of them, as a group of a thousand is no rare one.
    tied: tuple[UUID, ...] = ()
    # How its ties with those before and after it were decided: of three tied ones the middle one is told of twice.
    tie_sentences: tuple[str, ...] = ()
    threshold_words: str = ""
    shift_half: int = 0
    # Which rule kept the row out or brought it in; what is recommended where that is not what was asked for.
    rule_words: str = ""
    recommended: Money | None = None
    conditions: str = ""
    # Of a frozen list: it was on the reserve list and has money since.
    moved_up: bool = False
    # Which strand of the budget ends at it; of a frozen list this stands among the words of its rule alone.
    strand_line: str = ""

    @property
    def tied_with(self) -> tuple[UUID, ...]:
        """The others that share its rank."""
        return tuple(other for other in self.tied if other != self.application_id)

    @property
    def amount(self) -> Money:
        """What it gets if it is selected."""
        return self.requested if self.recommended is None else self.recommended


@dataclass(frozen=True, slots=True)
class RankedList:
    """The whole list: ranked rows first, best first, then those below a threshold by reference."""

    rows: tuple[Ranked, ...]
    budget: Money
    used: Money
    undecided_ties: tuple[tuple[UUID, ...], ...] = ()
    # Which minima no choice can reach, and what they would have to be.
    relaxed: tuple[str, ...] = ()
    # Where a group at the line is drawn by lot: what of it, and once it is drawn its references in drawn order.
    draw_words: str = ""
    drawn: tuple[str, ...] = ()
    # By which rank intervals that group was found, where the call draws by them.
    intervals: Intervals | None = None
    # Nobody worked out yet what its rules select: there are ranks, and no outcomes.
    unsolved: bool = False
    # The question it waits for then.
    question_sha256: bytes = b""

    @property
    def left(self) -> Money:
        """What stays free at the line."""
        return self.budget - self.used

    @property
    def selected(self) -> tuple[Ranked, ...]:
        """The rows that get money."""
        return tuple(row for row in self.rows if row.outcome is Outcome.SELECTED)

    @property
    def straddling(self) -> tuple[Ranked, ...]:
        """The first row or tied rows that ask for more than is left; empty when everything fits."""
        return tuple(row for row in self.rows if row.straddles)

    @property
    def selected_below(self) -> tuple[Ranked, ...]:
        """The rows that get money below the line: a rule brought them in, or they fit in what was still left."""
        line = next((place for place, row in enumerate(self.rows) if row.straddles), len(self.rows))
        return tuple(row for row in self.rows[line:] if row.outcome is Outcome.SELECTED)

    @property
    def line_words(self) -> str:
        """The budget line in words, and what of it is drawn by lot."""
        return self.line_so_far(0)

    def line_so_far(self, waiting: int) -> str:
        """The same while so many applications wait for a score: nobody is selected yet."""
        return " ".join(filter(None, (self._line(waiting), *self._strand_lines, self.draw_words)))

    @property
    def _strand_lines(self) -> tuple[str, ...]:
        """Where each strand ends, but for one at whose end the line of the list is drawn."""
        told = dict.fromkeys(
            f"Rank {row.rank}: {row.strand_line[0].lower()}{row.strand_line[1:]}"
            for row in self.rows
            if row.strand_line and not (row.straddles and not row.missing)
        )
        return tuple(told)

    @property
    def _left_out_words(self) -> str:
        """Who above the thresholds gets nothing although the money would reach: whom a rule keeps out, or the panel."""
        above = [row for row in self.rows if row.rank is not None]
        kept_out = [row for row in above if row.outcome is not Outcome.SELECTED]
        if not above:
            return "Nobody is above the thresholds."
        if not kept_out:
            return "Nobody above the thresholds is left out."
        first = kept_out[0]
        many = "1 is" if len(kept_out) == 1 else f"{len(kept_out)} are"
        return f"{many} left out although the money would reach, first “{first.title}” at rank {first.rank}. {first.rule_words}".rstrip()

    def _line(self, waiting: int) -> str:
        below = self.selected_below
        count = len(self.selected) - len(below)
        money = f"{self.left} left of {self.budget}"
        if below:
            money = f"{len(below)} below it with {total(row.amount for row in below)}, {money}"
        sentence = f"Budget line: {count} selected{' above it' if below else ''}, {money}."
        if waiting:
            sentence = (
                f"Budget line so far: {count} above it, {money}. {waiting} more "
                f"{'application waits' if waiting == 1 else 'applications wait'} for a score and may come above it."
            )
        elif not self.budget:
            sentence = "Budget line: 0 selected, no money is free for this call."
        if below:
            told = (
                "a rule does, or what is still left: each row says which, and what is left at its rank"
                if below[0].rule_words
                else "whatever still fits is funded"
            )
            sentence += f" Above the line rank selects; below it {told}."
        if not self.straddling:
            if waiting:
                return sentence
            return f"{sentence} {self._left_out_words}"
        if self.draw_words and not self.drawn:
            # Who of them the money does not reach is not known yet.
            return sentence
        first = self.straddling[0]
        whole = total(row.amount for row in self.straddling)
        if first.rule_words and (below or not first.missing or whole <= self.left):
            # What is left would do: a strand, or what a rule holds back, does not reach.
            why = first.rule_words.removeprefix(f"{first.strand_line} ")
            return f"{sentence} Rank {first.rank}, “{first.title}”, is the first it does not reach. {why}"
        short = f"{first.missing} more than {'the ranks above leave' if below else 'is left'}."
        if len(self.straddling) == 1:
            return f"{sentence} Rank {first.rank}, “{first.title}”, asks for {short}"
        return f"{sentence} {len(self.straddling)} applications share rank {first.rank}; together they ask for {short}"
