"""The ranked list as its page shows it, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from grants.awards.rules.decision import SelectionView, redraw_words, repeats_words
from grants.awards.rules.moving import NOTHING_FREED, ReservePage
from grants.awards.rules.plan import Plan, departures
from grants.awards.states import AmountBasis, Outcome, SelectionKind, SelectionState
from grants.calls.rules import (
    PLAIN_SCORING,
    PLAIN_SELECTION,
    Criterion,
    Half,
    Marking,
    SelectionRules,
    exact_words,
)
from grants.calls.states import ScoreMethod
from grants.core.kept import ByIdentity
from grants.core.money import ZERO, Money, total
from grants.core.paging import ROWS_ON_A_PAGE


@dataclass(frozen=True, slots=True)
class RankingRow:
    """One row of the ranking page."""

    application_id: UUID
    reference: str
    title: str
    cities: str
    country: str
    rank: int | None
    score: Fraction | None
    halves: Mapping[str, Half] | None
    totals_half: tuple[int, ...]
    consensus_half: Half | None
    requested: Money
    amount_basis: AmountBasis
    running_total: Money
    outcome: Outcome
    straddles: bool
    missing: Money
    tie_sentences: tuple[str, ...]
    threshold_words: str
    line_after: bool = False
    # What the score is made of, and what the panel moved it by.
    basis: str = ""
    shift_words: str = ""
    # How many marks were changed after the sheets of others could be read.
    changed: int = 0
    # Which rule kept it out or brought it in; what is recommended, and on which conditions.
    rule_words: str = ""
    amount: Money = ZERO
    conditions: str = ""
    # It was on the reserve list of a confirmed list and has money since.
    moved_up: bool = False
    # How it stands at the line, where it is the first that the money does not reach.
    line_said: str = ""

    @property
    def score_words(self) -> str:
        """The score in words, made for rows that are shown or leave as a file: of a thousand a page shows a part."""
        return "" if self.score is None else exact_words(self.score)

    @property
    def tie_words(self) -> str:
        """How its ties were decided, in one cell of a file."""
        return " ".join(self.tie_sentences)

    @property
    def is_cut(self) -> bool:
        """Whether less is recommended than was asked for."""
        return self.amount != self.requested


def is_picked(outcomes: Iterable[Outcome]) -> bool:
    """Whether somebody gets money below one who does not, so that the sum of all that is asked for says nothing.

    >>> is_picked((Outcome.SELECTED, Outcome.RESERVE)), is_picked((Outcome.RESERVE, Outcome.SELECTED))
    (False, True)
    """
    order = [outcome is Outcome.SELECTED for outcome in outcomes]
    return sorted(order, reverse=True) != order


def line_said(amount: Money, missing: Money, many: int) -> str:
    """How the first row stands that the money does not reach, or each of those that share its rank.

    >>> line_said(Money(100), ZERO, 1), line_said(Money(100), Money(100), 1), line_said(Money(100), ZERO, 3)
    ('First below the line.', 'First below the line: EUR 1.00 short.', 'Straddles the line with 2 others.')
    """
    if many > 1:
        others = f"Straddles the line with {many - 1} other{'s' if many > 2 else ''}"
        return f"{others}: together {missing} short." if missing else f"{others}."
    if not missing:
        return "First below the line."
    return f"{'Straddles the line' if missing < amount else 'First below the line'}: {missing} short."


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """An application without an official score yet, or not in evaluation at all, and so without a rank; and what is missing."""

    reference: str
    title: str
    cities: str
    missing: str = ""


UNDECLARED = (
    "You have not declared about every application of this list, or a doubt of yours waits for a ruling. "
    "Declare first whether you have a conflict of interest with each of them."
)
UNDECLARED_RESULTS = (
    "You have not declared about every application of this call, or a doubt of yours waits for a ruling. Whoever publishes "
    "its results, or returns them, reads who is named. About what is in evaluation declare first, under "
    "“Conflicts”, and have a doubt ruled on; about what is decided nobody declares any more, so somebody else must publish them."
)
WHY_PARTIAL = "You have a conflict of interest with an application of this list, or take part in one."


@dataclass(frozen=True, slots=True)
class RankingPage:
    """Everything on the ranking and decision pages.

    ``partial`` is a viewer with a conflict, or who has not declared about ``undeclared`` applications: no ranks, no totals.
    """

    call_id: UUID
    call_slug: str
    call_title: str
    call_reference: str
    criteria: tuple[Criterion, ...]
    marking: Marking
    total_threshold_half: int | None
    weighted: bool
    tie_words: str
    rows: tuple[RankingRow, ...]
    waiting: tuple[WaitingRow, ...]
    budget: Money
    used: Money
    line_words: str
    list_hash: str
    undecided_ties: tuple[tuple[UUID, ...], ...]
    selection: SelectionView | None
    earlier: tuple[SelectionView, ...]
    partial: bool
    score_most: str
    undeclared: int = 0
    # Applications a list would forget: not checked, or eligible without evaluators; and whether there are any at all.
    forgotten: tuple[WaitingRow, ...] = ()
    forgotten_words: str = ""
    complete: bool = True
    # Whether this person may move scores of this list, by the rules of the call.
    moves_scores: bool = False

    @property
    def refused_draws(self) -> tuple[SelectionView, ...]:
        """The lists of this call whose draw by lot was refused, the first first."""
        views = (*((self.selection,) if self.selection else ()), *self.earlier)
        return tuple(sorted((view for view in views if view.draw_refused_at), key=lambda view: view.number))

    @property
    def redraw_words(self) -> str:
        """What the next decision needs after a draw was refused; empty while a list stands, and where none was."""
        return "" if self.selection else redraw_words([view.number for view in self.refused_draws])

    @property
    def repeats_words(self) -> str:
        """Which of a confirmed list are evaluated again after a complaint; empty where none is."""
        return repeats_words(self.selection.number, [each[0] for each in self.repeats]) if self.selection else ""

    @property
    def by_consensus(self) -> bool:
        """Whether an application is ranked by what its evaluators agreed on."""
        return self.marking.scoring.method is ScoreMethod.CONSENSUS

    @property
    def bases(self) -> tuple[str, ...]:
        """What the scores of the list are made of, each basis once."""
        return self._sums.bases

    @property
    def how_words(self) -> str:
        """How a score is made, where it is more than the sum of what was agreed."""
        if self.marking.scoring == PLAIN_SCORING:
            said = "The score is weighted; thresholds are tested on the marks before any weight."
            return said if self.weighted else ""
        shift = self.marking.scoring.board_shift_half
        most = f"The highest score is {self.score_most}"
        most += f", and {exact_words(self.marking.score_max + Fraction(shift, 2))} with the panel." if shift else "."
        return " ".join((*self.marking.scoring.sentences, most))

    # Minima no choice can reach; the list is not decided while there are any.
    relaxed: tuple[str, ...] = ()
    rules: SelectionRules = PLAIN_SELECTION
    # By what a frozen list, or that of a scenario, is selected; None where it is not theirs to read.
    plan: Plan | None = None
    # Of a confirmed list: those whose evaluation is repeated, each with the number of its complaint.
    repeats: tuple[tuple[str, int], ...] = ()
    # Of a confirmed list: what came free, and who of the reserve list is next.
    reserve: ReservePage = NOTHING_FREED
    # What of the list is drawn by lot, in sentences.
    drawing: tuple[str, ...] = ()
    # Some of its rows are drawn by lot, and were not yet.
    undrawn: bool = False
    # Nobody worked out yet what the rules select: no outcome of a row counts.
    unsolved: bool = False
    # The question that waits for an answer then, by its hash.
    question_sha256: bytes = b""
    # What is withheld from this person, wherever else it would be told.
    shut: frozenset[UUID] = frozenset()

    @property
    def lasts(self) -> bool:
        """Whether its rows are the same from look to look: those of a frozen list, or of a part of one, are made for each."""
        return not self.selection and not self.partial

    @property
    def tells_outcomes(self) -> bool:
        """Whether it is told what becomes of a row.

        Before the list is confirmed whoever sees a part of it is not told: from what the others would get of a budget
        everybody knows, they would work out what stands between.
        """
        confirmed = self.selection is not None and self.selection.state is not SelectionState.DECIDED
        return not self.unsolved and (not self.partial or confirmed)

    @property
    def departures(self) -> tuple[str, ...]:
        """What of the published rules is set aside, each with its reason; nothing for who sees a part of the list."""
        if self.plan is None:
            return ()
        return self.selection.departures if self.selection else departures(self.plan, self.rules)

    @property
    def _sums(self) -> _Figures:
        reckon = _figures if self.lasts else _figures_of_one_look
        return reckon(ByIdentity(self.rows))

    @property
    def has_cuts(self) -> bool:
        """Whether less is recommended than was asked for anywhere on the list; totals then add what is recommended."""
        return self._sums.has_cuts

    @property
    def running_words(self) -> str:
        """What the running total adds up: what everybody asks for, or only what is selected where that is no plain beginning."""
        found = self._sums
        if not self.partial and found.is_picked:
            return "Running total of selected"
        return "Running total of recommended" if found.has_cuts else "Running total"

    @property
    def by_country(self) -> tuple[tuple[str, int, int, Money], ...]:
        """Each country with how many of its applications are on the list, how many selected, and their money."""
        return self._sums.by_country

    @property
    def by_strand(self) -> tuple[tuple[str, int, int, Money, Money], ...]:
        """Each strand with how many of its applications are on the list, how many selected, their money and its ceiling."""
        found = []
        for strand in self.rules.strands:
            inside = [row for row in self.rows if self.rules.strand_of(row.requested) == strand]
            taken = [row for row in inside if row.outcome is Outcome.SELECTED]
            found.append((strand.name, len(inside), len(taken), total(row.amount for row in taken), strand.ceiling))
        return tuple(found)

    @property
    def why_partial(self) -> str:
        """Why this person sees a part of the list, in words; empty for whoever sees it whole."""
        if self.undeclared:
            return UNDECLARED
        return WHY_PARTIAL if self.partial else ""

    @property
    def selected(self) -> tuple[RankingRow, ...]:
        """The rows that get money."""
        return tuple(row for row in self.rows if row.outcome is Outcome.SELECTED)

    @property
    def so_far_words(self) -> str:
        """What a row that gets money is called while somebody still waits for a score; empty once that is settled."""
        return "Above the line so far" if self.waiting and self.selection is None else ""

    @property
    def bare_threshold_half(self) -> int | None:
        """The threshold in all where it is one of the bare marks, as evaluators' totals are."""
        return None if self.weighted else self.total_threshold_half

    @property
    def apart_words(self) -> str:
        """What it means that evaluators are marked as far apart on this list."""
        said = "Bold: how far apart, where evaluators’ totals differ by a sixth of all points or more"
        astride = ", or lie on both sides of the threshold in all" if self.bare_threshold_half is not None else ""
        return f"{said}{astride}."

    @property
    def line_first(self) -> bool:
        """Whether the line stands above every row: the money does not reach the first, or nobody is above the thresholds."""
        ranked = self.selection is None or self.selection.kind is SelectionKind.RANKED
        return ranked and bool(self.line_words) and not any(row.line_after for row in self.rows)

    @property
    def selected_words(self) -> str:
        """How many are selected of how many that have a score, and how many have none yet."""
        said = f"{len(self.selected)} of {len(self.rows)}{', before the draw by lot' if self.undrawn else ''}"
        waiting = len(self.waiting)
        return f"{said} with a score; {waiting} {'waits' if waiting == 1 else 'wait'} for one" if waiting else said

    @property
    def below(self) -> int:
        """How many lie below a threshold."""
        return sum(row.outcome is Outcome.BELOW_THRESHOLD for row in self.rows)

    @property
    def left(self) -> Money:
        """What stays free at the line."""
        return self.budget - self.used

    @property
    def whole(self) -> bool:
        """Whether rules may be tried on the list: nobody waits or is forgotten, somebody is on it, and none stands."""
        whole = self.complete and not self.waiting and not self.partial
        return bool(self.rows) and whole and self.selection is None

    @property
    def ready(self) -> bool:
        """Whether the list can be decided as it stands here."""
        return self.whole and not self.relaxed and not self.unsolved


def by_country(rows: Iterable[RankingRow]) -> tuple[tuple[str, int, int, Money], ...]:
    """Each country of a lead with how many of these rows it has, how many of them are selected, and their money."""
    found: dict[str, tuple[int, int, Money]] = {}
    for row in rows:
        listed, taken, money = found.get(row.country, (0, 0, ZERO))
        got = row.outcome is Outcome.SELECTED
        found[row.country] = (listed + 1, taken + got, money + row.amount if got else money)
    return tuple((country, *found[country]) for country in sorted(found))


# So many applications without a consensus are named on a page; the page of the consensus has them all.
WAITING_NAMED_MAX = 20


# Of so many lists what follows from the last answers is kept in a process: that of a call whose panel sits, and one more.
LISTS_KEPT = 2


class _Figures(NamedTuple):
    has_cuts: bool
    is_picked: bool
    bases: tuple[str, ...]
    by_country: tuple[tuple[str, int, int, Money], ...]


# A page asks for each several times, and the rows of a list are the same from look to look.
@lru_cache(maxsize=LISTS_KEPT)
def _figures(rows: ByIdentity[tuple[RankingRow, ...]]) -> _Figures:
    return _Figures(
        any(row.is_cut for row in rows.value),
        is_picked(row.outcome for row in rows.value),
        tuple(dict.fromkeys(row.basis for row in rows.value if row.basis)),
        by_country(rows.value),
    )


# Of rows that are made for one look: kept while its page asks, and in nobody's place.
_figures_of_one_look = lru_cache(maxsize=1)(_figures.__wrapped__)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a ranked list that stand on one page; places count from 1.

    ``before``, ``after`` and ``line`` are where another part begins: the one before, the next, the one with the line.
    """

    rows: tuple[RankingRow, ...]
    first: int
    total: int
    before: int | None
    after: int | None
    line: int | None

    @property
    def ties(self) -> tuple[str, ...]:
        """How each tie of these rows was decided, once each."""
        return told_once(self.rows)

    @property
    def last(self) -> int:
        """The place of its last row."""
        return self.first + len(self.rows) - 1


def told_once(rows: Iterable[RankingRow]) -> tuple[str, ...]:
    """How the ties of these rows were decided, each sentence once: of three tied ones the middle one is told of twice."""
    return tuple(dict.fromkeys(sentence for row in rows for sentence in row.tie_sentences))


def part(rows: Sequence[RankingRow], place: int) -> Part:
    """The part of a list in which a place lies; a place beyond either end is the nearest one.

    >>> part([], 7).rows
    ()
    """
    first = _begins(min(max(place, 1), max(len(rows), 1)))
    shown = tuple(rows[first - 1 : first - 1 + ROWS_ON_A_PAGE])
    lined = next((_begins(at) for at, row in enumerate(rows, 1) if row.line_after), None)
    return Part(
        shown,
        first,
        len(rows),
        first - ROWS_ON_A_PAGE if first > 1 else None,
        first + ROWS_ON_A_PAGE if first - 1 + ROWS_ON_A_PAGE < len(rows) else None,
        lined if lined != first else None,
    )


def _begins(place: int) -> int:
    return (place - 1) // ROWS_ON_A_PAGE * ROWS_ON_A_PAGE + 1


def reserve_places(ranks: Sequence[int | None]) -> tuple[str, ...]:
    """The place of each on a reserve list, in its order; neighbours that are tied share theirs, and are told so.

    >>> reserve_places((4, 5, 5, None))
    ('1', '2, shared with 1 other', '2, shared with 1 other', '4')
    """
    found: list[str] = []
    for _, group in groupby(enumerate(ranks, 1), key=lambda each: each[1] or -each[0]):
        members = list(group)
        shared = f", shared with {len(members) - 1} other{'s' if len(members) > 2 else ''}" if len(members) > 1 else ""
        found += [f"{members[0][0]}{shared}"] * len(members)
    return tuple(found)
