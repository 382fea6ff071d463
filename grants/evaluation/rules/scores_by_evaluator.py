"""How the evaluators of a call score, for who chairs: each beside all, and against those who read the same. No judgement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from grants.calls.rules import Marking
from grants.core.paging import Rows
from grants.evaluation.rules.pattern import Pattern

# The picture of one pattern: its width, where the axis begins and ends, and how high the tallest bar is.
AXIS_FROM, AXIS_TO, FOOT, TALLEST = 6, 154, 34, 28
BAR_MAX = 14


@dataclass(frozen=True, slots=True)
class EvaluatorSheet:
    """One submitted sheet: who wrote it, about what, and its marks in half points."""

    evaluator_id: UUID
    application_id: UUID
    name: str
    handle: str
    halves: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Strip:
    """The marks of one criterion as bars; ``among`` is where the mean of everybody lies on the axis."""

    pattern: Pattern
    bars: tuple[tuple[float, float, float, float], ...]
    among: float | None

    @property
    def mean_words(self) -> str:
        """The mean of the marks in points, to two decimals; a dash before the first."""
        return _mean_words(self.pattern)


@dataclass(frozen=True, slots=True)
class EvaluatorScores:
    """The scores one person gave; ``against`` is how many points a sheet lies above those of the same applications."""

    name: str
    handle: str
    sheets: int
    strips: tuple[Strip, ...]
    against: Fraction | None = None
    compared: int = 0

    @property
    def key(self) -> str:
        """What the list is in the order of."""
        return f"{self.name} {self.handle}"

    @property
    def against_words(self) -> str:
        """The difference with its sign; what is missing where nothing can be compared."""
        return "no colleague’s sheet beside one yet" if self.against is None else signed_points(self.against)

    @property
    def compared_words(self) -> str:
        """On how many applications it rests."""
        if self.against is None:
            return ""
        return f"on {self.compared} {'application' if self.compared == 1 else 'applications'}"


@dataclass(frozen=True, slots=True)
class ScoresByEvaluator:
    """How a call is scored. Nothing of others is told while own sheets are not in, or seats may still come to the reader."""

    call_slug: str
    call_title: str
    marking: Marking
    own_open: int
    in_pool: bool
    every: EvaluatorScores | None
    rows: Rows[EvaluatorScores]
    # Whether it is told how severe each is, which is for who chairs alone.
    compares: bool = True

    @property
    def most_words(self) -> str:
        """The most points one sheet can have, every criterion counted once."""
        return _points(Fraction(sum(self.marking.most_half(one) for one in self.marking.criteria), 2), 1)


def scores_by_evaluator(
    sheets: Sequence[EvaluatorSheet], marking: Marking
) -> tuple[EvaluatorScores | None, tuple[EvaluatorScores, ...]]:
    """All sheets together, and each evaluator by name; None and nothing before the first sheet is in."""
    if not sheets:
        return None, ()
    among = _patterns(sheets, marking)
    written: dict[UUID, list[EvaluatorSheet]] = defaultdict(list)
    totals: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    for sheet in sheets:
        written[sheet.evaluator_id].append(sheet)
        total = _total(sheet, marking)
        if total is not None:
            totals[sheet.application_id][sheet.evaluator_id] = total
    rows = []
    for own in written.values():
        apart = _apart(own, totals)
        rows.append(
            EvaluatorScores(
                own[0].name, own[0].handle, len(own), _strips(_patterns(own, marking), among),
                sum(apart, Fraction(0)) / len(apart) if apart else None, len(apart),
            )
        )  # fmt: skip
    every = EvaluatorScores("All together", "", len(sheets), _strips(among, among))
    return every, tuple(sorted(rows, key=lambda row: row.key))


def _patterns(sheets: Sequence[EvaluatorSheet], marking: Marking) -> tuple[Pattern, ...]:
    found = []
    for one in marking.criteria:
        counts = dict.fromkeys(marking.marks(one), 0)
        for sheet in sheets:
            half = sheet.halves.get(one.key)
            # A mark of an earlier scale is none of this one.
            if half is not None and half in counts:
                counts[half] += 1
        found.append(Pattern(one, tuple(counts), tuple(counts.values())))
    return tuple(found)


def _total(sheet: EvaluatorSheet, marking: Marking) -> int | None:
    """The sum of a sheet in half points; None where it lacks a mark of the scale as it is now: sums compare as wholes."""
    marks = [(one, sheet.halves.get(one.key)) for one in marking.criteria]
    given = [half for one, half in marks if half is not None and marking.allows(one, half)]
    return sum(given) if len(given) == len(marks) else None


def _apart(own: Sequence[EvaluatorSheet], totals: Mapping[UUID, Mapping[UUID, int]]) -> list[Fraction]:
    """Of each own sheet beside which another stands, how many points its sum lies above the mean of those others."""
    found = []
    for sheet in own:
        beside = totals.get(sheet.application_id, {})
        if sheet.evaluator_id not in beside:
            continue
        others = [total for evaluator_id, total in beside.items() if evaluator_id != sheet.evaluator_id]
        if others:
            found.append((Fraction(beside[sheet.evaluator_id]) - Fraction(sum(others), len(others))) / 2)
    return found


def _strips(patterns: Sequence[Pattern], among: Sequence[Pattern]) -> tuple[Strip, ...]:
    return tuple(Strip(one, _bars(one), _place(one, _mean(every))) for one, every in zip(patterns, among, strict=True))


def _mean(pattern: Pattern) -> Fraction | None:
    """The mean of the marks in half points."""
    total = sum(half * count for half, count in zip(pattern.marks, pattern.counts, strict=True))
    return Fraction(total, pattern.given) if pattern.given else None


def _mean_words(pattern: Pattern) -> str:
    mean = _mean(pattern)
    return "–" if mean is None else _points(mean / 2, 2)


def _bars(pattern: Pattern) -> tuple[tuple[float, float, float, float], ...]:
    """x, y, width and height of a bar for each mark that was given; the tallest of one picture is always as tall."""
    most = max(pattern.counts, default=0)
    width = min(BAR_MAX, (AXIS_TO - AXIS_FROM) / max(1, len(pattern.marks)) * 0.8)
    found = []
    for half, count in zip(pattern.marks, pattern.counts, strict=True):
        middle = _place(pattern, Fraction(half))
        if count and middle is not None:
            height = max(2.0, round(TALLEST * count / most, 1))
            found.append((round(middle - width / 2, 1), round(FOOT - height, 1), round(width, 1), height))
    return tuple(found)


def _place(pattern: Pattern, half: Fraction | None) -> float | None:
    """Where a mark stands between the lowest of the scale and the highest."""
    if half is None or not pattern.marks:
        return None
    low, high = pattern.marks[0], pattern.marks[-1]
    share = float((half - low) / (high - low)) if high > low else 0.5
    return round(AXIS_FROM + BAR_MAX / 2 + (AXIS_TO - AXIS_FROM - BAR_MAX) * share, 1)


def _points(points: Fraction, places: int) -> str:
    text = f"{float(points):.{places}f}"
    return text.rstrip("0").rstrip(".") if places == 1 else text


def signed_points(points: Fraction) -> str:
    """A difference in points with its sign; nothing has none.

    >>> signed_points(Fraction(-7, 4)), signed_points(Fraction(1, 100)), signed_points(Fraction(2))
    ('−1.8', '0.0', '+2.0')
    """
    text = f"{float(abs(points)):.1f}"
    if text == "0.0":
        return text
    return f"+{text}" if points > 0 else f"−{text}"
