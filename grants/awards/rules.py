"""Pure rules of awards: how a call's content becomes ranking rules, who may confirm, and the values pages show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from grants.applications.rules import ApplicationView
from grants.awards.states import AmountBasis, EndedElsewhere, LineRule, Outcome, SelectionKind, SelectionState
from grants.budgets.rules import Cell
from grants.calls.rules import Criterion
from grants.core import faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.dossiers.rules import clean_text

RESERVE_MAX = 500
NAMED_MAX = 5
PILOTS_MAX = 500


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """What the person who decides chooses. ``list_hash`` names the very list they saw."""

    list_hash: str
    reason: str
    line: LineRule = LineRule.STOP
    reserve_max: int | None = None
    panel_order: tuple[str, ...] = ()

    def checked(self) -> DecisionInput:
        """The input with its text cleaned; raises :class:`Invalid` with a sentence for each field."""
        wrong: dict[str, str] = {}
        reason = clean_text(self.reason)
        if not reason:
            wrong["reason"] = "Write why the list is decided as it stands, or what the panel noted."
        if self.reserve_max is not None and not 0 <= self.reserve_max <= RESERVE_MAX:
            wrong["reserve_max"] = f"The reserve list has from 0 to {RESERVE_MAX} places, or leave the field empty."
        if len(set(self.panel_order)) != len(self.panel_order):
            wrong["panel_order"] = "Name each tied application once."
        if wrong:
            raise Invalid("The list was not decided.", wrong)
        return DecisionInput(self.list_hash, reason, self.line, self.reserve_max, self.panel_order)


@dataclass(frozen=True, slots=True)
class PublishedPilot:
    """One pilot of an outcome that was published elsewhere; the first organisation leads.

    A synthetic amount says so wherever it is shown; ``synthetic_note`` says which figures are invented.
    """

    title: str
    organisations: tuple[UUID, ...]
    amount: Money
    amount_basis: AmountBasis
    acronym: str = ""
    source_url: str = ""
    summary: str = ""
    synthetic_note: str = ""
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedOther:
    """An application of an outcome published elsewhere that got no grant, and how it ended; the first organisation leads.

    ``requested`` is what it asked for; nothing is reserved for it. ``synthetic_note`` says what of it is invented.
    """

    title: str
    organisations: tuple[UUID, ...]
    ended: EndedElsewhere
    reason: str
    requested: Money = ZERO
    summary: str = ""
    synthetic_note: str = ""

    @property
    def recorded(self) -> str:
        """Its summary followed by how it ended, as its page shows it."""
        return " ".join(filter(None, (self.summary.strip(), f"{self.ended.words}: {self.reason.strip()}")))


@dataclass(frozen=True, slots=True)
class PublishedOutcome:
    """A whole outcome with the page it was published on; ``others`` are the applications that got no grant."""

    source_url: str
    source_title: str
    reason: str
    pilots: tuple[PublishedPilot, ...]
    others: tuple[PublishedOther, ...] = ()

    def checked(self) -> PublishedOutcome:
        """The same outcome; raises :class:`Invalid` when a source, a pilot or a title is missing."""
        wrong: dict[str, str] = {}
        if not self.source_url.startswith(("https://", "http://")):
            wrong["source_url"] = "Give the address of the page that published the outcome, beginning with https://."
        if not self.source_title.strip():
            wrong["source_title"] = "Give the title of that page."
        if not clean_text(self.reason):
            wrong["reason"] = "Write why the outcome is recorded here."
        if not 0 < len(self.pilots) <= PILOTS_MAX:
            wrong["pilots"] = f"An outcome has from 1 to {PILOTS_MAX} pilots."
        for number, pilot in enumerate(self.pilots, 1):
            if not pilot.title.strip():
                wrong["pilots"] = f"Pilot {number} has no title."
            if not pilot.organisations:
                wrong["pilots"] = f"“{pilot.title}” names no lead organisation."
            if pilot.amount <= ZERO:
                wrong["pilots"] = (
                    f"“{pilot.title}” has no amount above zero. Write what the pilot was granted, or leave it out."
                )
            if pilot.amount_basis is AmountBasis.REQUESTED:
                wrong["pilots"] = f"“{pilot.title}”: a published amount is published or synthetic, never requested."
        wrong |= self._wrong_others()
        if wrong:
            raise Invalid("The outcome was not recorded.", wrong)
        return self

    def _wrong_others(self) -> dict[str, str]:
        wrong: dict[str, str] = {}
        if len(self.others) > PILOTS_MAX:
            wrong["others"] = f"An outcome has at most {PILOTS_MAX} applications that got no grant."
        for number, other in enumerate(self.others, 1):
            if not other.title.strip():
                wrong["others"] = f"Application {number} without a grant has no title."
            if not other.organisations:
                wrong["others"] = f"“{other.title}” names no lead organisation."
            if not clean_text(other.reason):
                wrong["others"] = f"“{other.title}” does not say why it got no grant."
            if other.requested < ZERO:
                wrong["others"] = f"“{other.title}” asks for less than nothing."
        return wrong

    @property
    def asked(self) -> Money:
        """What all pilots get together."""
        return total(pilot.amount for pilot in self.pilots)


def refuse_same_person(decided_by: UUID, actor_id: UUID | None) -> None:
    """Two people stand behind every selection. Raises :class:`Refused` for the one who decided it."""
    faults.point("four_eyes")
    if actor_id is None or actor_id == decided_by:
        raise Refused("You decided this list; another person must confirm or return it.")


def refuse_over_budget(used: Money, free: Money) -> None:
    """Raise :class:`Refused` when the selected ask for more than the call has free."""
    faults.point("ceiling")
    if used > free:
        raise Refused(
            f"The selected applications need {used}; the call has {free} free. "
            "Raise the authorised budget, or return the list and decide it again."
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """How far the selection of a call is: what two people confirmed, what waits, who has no result yet."""

    confirmed: int
    open_list: int | None
    without_result: int
    submitted_here: int


def refuse_unpublishable(found: Decided) -> None:
    """Raise :class:`Refused` where results cannot be published yet: they are decided by two people, for everybody."""
    if found.open_list is not None:
        raise Refused(
            f"List {found.open_list} of this call waits for a second person. Results are published once it is confirmed."
        )
    if not found.confirmed:
        raise Refused(
            "The selection of this call is not decided. Results are published once one person has decided the list "
            "and another has confirmed it."
        )
    if found.without_result:
        many = found.without_result != 1
        raise Refused(
            f"{found.without_result} {'applications' if many else 'application'} of this call "
            f"{'have' if many else 'has'} no result yet. Every applicant is told first, then results are published."
        )


def list_hash(rows: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over the list in one spelling: what was seen, what was decided and what is confirmed are the same."""
    text = json.dumps(list(rows), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


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
    score_words: str
    halves: Mapping[str, int] | None
    totals_half: tuple[int, ...]
    consensus_half: int | None
    requested: Money
    amount_basis: AmountBasis
    running_total: Money
    outcome: Outcome
    straddles: bool
    missing: Money
    tie_words: str
    threshold_words: str
    line_after: bool = False


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """An application that has no agreed consensus yet, or is not in evaluation at all, and so has no rank."""

    reference: str
    title: str
    cities: str


def forgotten_words(unchecked: Sequence[str], unassigned: Sequence[str]) -> str:
    """Which applications of a call no list may forget, by reference, and the way out; empty where there are none.

    >>> forgotten_words([], ["PCP-2022-A-0104"])
    '1 eligible application of this call has no evaluators yet (PCP-2022-A-0104). Assign them, and agree its consensus.'
    """
    found = []
    if unchecked:
        one = len(unchecked) == 1
        found.append(
            f"{len(unchecked)} {'application' if one else 'applications'} of this call "
            f"{'waits for its' if one else 'wait for their'} eligibility check ({_named(unchecked)}). "
            f"Declare {'it' if one else 'each'} eligible or ineligible first."
        )
    if unassigned:
        one = len(unassigned) == 1
        found.append(
            f"{len(unassigned)} eligible {'application' if one else 'applications'} of this call "
            f"{'has' if one else 'have'} no evaluators yet ({_named(unassigned)}). "
            f"Assign them, and agree {'its' if one else 'each'} consensus."
        )
    return " ".join(found)


def _named(references: Sequence[str]) -> str:
    more = len(references) - NAMED_MAX
    return ", ".join(references[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def refuse_forgotten(unchecked: Sequence[str], unassigned: Sequence[str]) -> None:
    """Raise :class:`Refused` while an application of the call is neither evaluated nor out: a list is decided once."""
    if words := forgotten_words(unchecked, unassigned):
        raise Refused(words)


def refuse_doubts(waiting: Sequence[tuple[str, str]]) -> None:
    """Raise :class:`Refused` while somebody's doubt about a conflict of interest, given as name and reference, is not ruled on."""
    if waiting:
        one = len(waiting) == 1
        named = _named([f"{name} about {reference}" for name, reference in waiting])
        raise Refused(
            f"{len(waiting)} {'doubt' if one else 'doubts'} about a conflict of interest "
            f"{'waits' if one else 'wait'} for a ruling: {named}. A programme manager rules on "
            f"{'it' if one else 'each'} on the page of assignments; then the list can be decided."
        )


def late_words(number: int, references: Sequence[str]) -> str:
    """Which applications came after the confirmed list of a call, in words; empty where none did."""
    if not references:
        return ""
    one = len(references) == 1
    return (
        f"{len(references)} {'application' if one else 'applications'} ({_named(references)}) came after the list was "
        f"decided. A call has one ranked list and list {number} is confirmed, so {'it' if one else 'they'} cannot join "
        f"it: tell the {'applicant' if one else 'applicants'}, who can apply to another call."
    )


def refuse_second_list(number: int | None) -> None:
    """Raise :class:`Refused` where a ranked list of the call is confirmed already: a call has one."""
    if number is not None:
        raise Refused(
            f"List {number} of this call is confirmed, and a call has one ranked list. An application that came after "
            "the list was decided cannot join it: tell its applicant, who can apply to another call."
        )


@dataclass(frozen=True, slots=True)
class SelectionView:
    """A selection decision as pages show it."""

    id: UUID
    number: int
    kind: SelectionKind
    state: SelectionState
    version: int
    budget: Money
    used: Money
    line: LineRule | None
    reserve_max: int | None
    line_words: str
    list_hash: str
    reason: str
    source_url: str
    source_title: str
    decided_by: str
    decided_by_id: UUID
    decided_at: datetime
    confirmed_by: str
    confirmed_at: datetime | None
    returned_by: str
    return_reason: str

    @property
    def left(self) -> Money:
        """What stays free after it."""
        return self.budget - self.used


UNDECLARED = (
    "You have not declared about every application of this list, or a doubt of yours waits for a ruling. "
    "Declare first whether you have a conflict of interest with each of them."
)


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
    max_half: int
    total_threshold_half: int | None
    weighted: bool
    tie_words: str
    line: LineRule
    reserve_max: int | None
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

    @property
    def why_partial(self) -> str:
        """Why this person sees a part of the list, in words; empty for whoever sees it whole."""
        if self.undeclared:
            return UNDECLARED
        return "You declared a conflict of interest with an application of this list." if self.partial else ""

    @property
    def selected(self) -> tuple[RankingRow, ...]:
        """The rows that get money."""
        return tuple(row for row in self.rows if row.outcome is Outcome.SELECTED)

    @property
    def below(self) -> int:
        """How many lie below a threshold."""
        return sum(row.outcome is Outcome.BELOW_THRESHOLD for row in self.rows)

    @property
    def left(self) -> Money:
        """What stays free at the line."""
        return self.budget - self.used

    @property
    def ready(self) -> bool:
        """Whether the list can be decided: nobody waits or is forgotten, and somebody is on it."""
        whole = self.complete and not self.waiting and not self.partial
        return bool(self.rows) and whole and self.selection is None


ROWS_ON_A_PAGE = 100
# So many applications without a consensus are named on a page; the page of the consensus has them all.
WAITING_NAMED_MAX = 20


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
    def last(self) -> int:
        """The place of its last row."""
        return self.first + len(self.rows) - 1


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


@dataclass(frozen=True, slots=True)
class SelectedItem:
    """A selected application as the agreement needs it."""

    application_id: UUID
    selection_id: UUID
    call_id: UUID
    kind: SelectionKind
    outcome: Outcome
    amount: Money
    amount_basis: AmountBasis
    entry_id: UUID | None
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class ResultScore:
    """One criterion of the agreed assessment as its applicant reads it."""

    name: str
    question: str
    half: int | None
    threshold_half: int | None
    words: str


@dataclass(frozen=True, slots=True)
class ResultPage:
    """The result of one application for its team; while it is not ``public`` nothing of it but when.

    Never a rank, an assessment of one person, or anybody's name.
    """

    application: ApplicationView
    published_elsewhere: bool
    public: bool
    outcome: Outcome | None = None
    threshold_words: str = ""
    scores: tuple[ResultScore, ...] = ()
    text: str = ""
    score_words: str = ""

    @property
    def total_half(self) -> int | None:
        """The unweighted total; None where a score is not known."""
        halves = [score.half for score in self.scores if score.half is not None]
        return sum(halves) if halves and len(halves) == len(self.scores) else None


OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.SELECTED: "The application is selected for a grant.",
    Outcome.RESERVE: "The application reached every threshold and stands on the reserve list.",
    Outcome.NOT_FUNDED: "The application reached every threshold and is not funded: the budget did not reach it.",
    Outcome.BELOW_THRESHOLD: "The application is not funded: it is below a threshold.",
}

NEXT_WORDS: Mapping[Outcome, str] = {
    Outcome.SELECTED: (
        "The grant is prepared: the programme checks the organisations and prepares the grant agreement with you. "
        "The grant is awarded when both sides have signed it; until then nothing is due to you."
    ),
    Outcome.RESERVE: (
        "No money is set aside for it. If money becomes free and the programme decides to support it after all, it "
        "writes to you; nothing happens by itself."
    ),
    Outcome.NOT_FUNDED: "Nothing more happens with this application in this call. You can apply to another call.",
    Outcome.BELOW_THRESHOLD: "Nothing more happens with this application in this call. You can apply to another call.",
}


# --- drawing ----------------------------------------------------------------------------------------------------

STRIP_FROM, STRIP_TO = 6, 184
BAR_WIDTH = 90


@dataclass(frozen=True, slots=True)
class Strip:
    """Evaluators' totals as dots and the consensus as a triangle, on one scale from zero to the most."""

    dots: tuple[tuple[int, int], ...]
    first: int
    last: int
    consensus: int
    words: str


def strip(totals_half: Sequence[int], consensus_half: int, most_half: int) -> Strip:
    """Where the marks of one row stand; equal totals are stacked.

    >>> strip((10, 10, 20), 12, 20).dots
    ((95, 13), (95, 8), (184, 13))
    """
    given = sorted(totals_half) or [consensus_half]
    dots, seen = [], dict.fromkeys(given, 0)
    for half in given:
        dots.append((_place(half, most_half), 13 - 5 * seen[half]))
        seen[half] += 1
    lowest, highest = points(given[0]), points(given[-1])
    words = f"all {lowest}" if lowest == highest else f"from {lowest} to {highest}"
    return Strip(tuple(dots), dots[0][0], dots[-1][0], _place(consensus_half, most_half), words)


def _place(half: int, most_half: int) -> int:
    return STRIP_FROM + (STRIP_TO - STRIP_FROM) * half // max(1, most_half)


def points(half: int) -> str:
    """Half points as people write them."""
    return f"{half // 2}.5" if half % 2 else str(half // 2)


def bar(running: Money, budget: Money) -> tuple[int, int]:
    """How far the running total reaches, and where the budget line stands; the wider of the two fills the bar."""
    most = max(running.cents, budget.cents, 1)
    return BAR_WIDTH * running.cents // most, BAR_WIDTH * budget.cents // most
