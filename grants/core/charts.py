"""The geometry of charts, in per cent of their box: scales, marks and labels. Pure: who draws them decides colour and letters.

Nothing here is a pixel, so that one drawing fits a screen, a phone and paper; a level is a horizontal line, a change a
vertical one, and a bar a width. Every chart has a sentence that says the same, and its table stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grants.core.money import ZERO, Money

# The box in which levels are drawn, in hundredths of a per cent: above it is room for a name, below it for the months.
TOP, BOTTOM = 800, 8_800
WHOLE = 10_000
# Two names on top of each other cannot be read: so far apart are they at least, where they end near each other.
NAMES_APART, NAMES_WIDE = 800, 3_500
TICKS_MAX = 6
NAMES_OF_COLUMNS_MAX = 4


def percent(hundredths: int) -> str:
    """Hundredths of a per cent as SVG reads them.

    >>> percent(6_364)
    '63.64'
    """
    return f"{hundredths // 100}.{hundredths % 100:02}"


@dataclass(frozen=True, slots=True)
class Series:
    """One line: what it is called, and its level in each column; None where there is nothing to say (yet, or any more)."""

    key: str
    name: str
    levels: tuple[Money | None, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A straight line of a series, from corner to corner, in hundredths of a per cent."""

    key: str
    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def attributes(self) -> dict[str, str]:
        """As SVG takes them."""
        corners = (("x1", self.x1), ("y1", self.y1), ("x2", self.x2), ("y2", self.y2))
        return {name: f"{percent(value)}%" for name, value in corners}


@dataclass(frozen=True, slots=True)
class Label:
    """Words at a place; ``key`` is the series they name, or what they belong to."""

    key: str
    text: str
    x: int
    y: int

    @property
    def at(self) -> tuple[str, str]:
        """Its place, as SVG takes it."""
        return f"{percent(self.x)}%", f"{percent(self.y)}%"


@dataclass(frozen=True, slots=True)
class Steps:
    """Levels over columns of time: marks, the grid behind them, what stands at the axes, and one sentence that says it all."""

    marks: tuple[Mark, ...]
    names: tuple[Label, ...]
    grid: tuple[Mark, ...]
    ticks: tuple[Label, ...]
    columns: tuple[Label, ...]
    # Where now is, between the columns that were and those to come.
    now: int | None
    summary: str

    @property
    def now_at(self) -> str:
        """Where now is, as SVG takes it."""
        return "" if self.now is None else f"{percent(self.now)}%"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: how long it is of the longest, and what stands beside it."""

    key: str
    name: str
    amount: Money
    note: str
    width: int

    @property
    def length(self) -> str:
        """As SVG takes it."""
        return f"{percent(self.width)}%"


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars from the same edge, and one sentence that says it all."""

    bars: tuple[Bar, ...]
    summary: str


def steps(columns: Sequence[str], series: Sequence[Series], *, now: int | None = None) -> Steps:
    """Levels over columns; ``now`` is the number of columns that are over or running.

    >>> drawn = steps(("May", "June"), [Series("paid", "Paid", (Money(100), Money(200)))])
    >>> [(mark.x1, mark.y1, mark.x2, mark.y2) for mark in drawn.marks]
    [(0, 4800, 5000, 4800), (5000, 4800, 5000, 800), (5000, 800, 10000, 800)]
    """
    assert all(len(each.levels) == len(columns) for each in series), "a level for each column, or None"
    top = _top(max((level for each in series for level in each.levels if level is not None), default=ZERO))
    ticks = _ticks(top)
    return Steps(
        marks=tuple(mark for each in series for mark in _levels(each, len(columns), top)),
        names=_names(series, len(columns), top),
        grid=tuple(Mark("grid", 0, y, WHOLE, y) for y in (_height(each, top) for each in ticks)),
        ticks=tuple(Label("tick", rounded(each), 0, _height(each, top)) for each in ticks),
        columns=_columns(columns),
        now=None if now is None else _edge(now, len(columns)),
        summary=". ".join(_ends(each, columns) for each in series if any(level is not None for level in each.levels)),
    )


def _top(highest: Money) -> Money:
    """The first round figure that is not below the highest level."""
    if highest <= ZERO:
        return Money(1)
    size = 10 ** (len(str(highest.cents)) - 1)
    return next(Money(number * size) for number in (1, 2, 3, 4, 5, 6, 8, 10) if number * size >= highest.cents)


def _ticks(top: Money) -> tuple[Money, ...]:
    """Figures from nothing to the top that an axis says exactly: thirds of three and six, fifths of five, else quarters."""
    wanted = {"3": 3, "5": 5, "6": 3}.get(str(top.cents)[0], 4)
    parts = wanted if top.cents % wanted == 0 else 1
    return tuple(Money(top.cents // parts * place) for place in range(parts + 1))


def _height(level: Money, top: Money) -> int:
    part = min(max(level.cents, 0), top.cents)
    return BOTTOM - (BOTTOM - TOP) * part // top.cents


def _edge(place: int, columns: int) -> int:
    return WHOLE * min(max(place, 0), columns) // columns if columns else 0


def _levels(series: Series, columns: int, top: Money) -> Iterator[Mark]:
    before: int | None = None
    for place, level in enumerate(series.levels):
        height = None if level is None else _height(level, top)
        left, right = _edge(place, columns), _edge(place + 1, columns)
        if height is not None:
            if before is not None and before != height:
                yield Mark(series.key, left, before, left, height)
            yield Mark(series.key, left, height, right, height)
        before = height


def _names(series: Sequence[Series], columns: int, top: Money) -> tuple[Label, ...]:
    """Each line's name at its end, above it; lower where another name is there already, in the room the box has."""
    ends = []
    for each in series:
        places = [place for place, level in enumerate(each.levels) if level is not None]
        if places:
            level = each.levels[places[-1]] or ZERO
            ends.append((_height(level, top), _edge(places[-1] + 1, columns), each, level))
    found: list[Label] = []
    for height, x, each, level in sorted(ends, key=lambda end: end[0]):
        near = [other.y for other in found if abs(other.x - x) < NAMES_WIDE]
        y = max(height, max(near) + NAMES_APART if near else height)
        found.append(Label(each.key, f"{each.name} {rounded(level)}", x, min(y, BOTTOM)))
    return tuple(found)


def _columns(columns: Sequence[str]) -> tuple[Label, ...]:
    """The first of every so many columns, as many names as a phone has room for."""
    every = -(-len(columns) // NAMES_OF_COLUMNS_MAX) or 1
    return tuple(
        Label("column", columns[place], _edge(place, len(columns)), WHOLE) for place in range(0, len(columns), every)
    )


def _ends(series: Series, columns: Sequence[str]) -> str:
    said = [(place, level) for place, level in enumerate(series.levels) if level is not None]
    (first, begins), (last, ends) = said[0], said[-1]
    if begins == ends:
        return f"{series.name}: {ends} in {columns[last]}"
    return f"{series.name}: {begins} in {columns[first]}, {ends} in {columns[last]}"


def bars(rows: Sequence[tuple[str, str, Money, str]]) -> Bars:
    """Bars of amounts: key, name, amount and what stands beside it. Nothing, or less than nothing, has no length.

    >>> [bar.length for bar in bars([("a", "Due", Money(50), ""), ("b", "Late", Money(200), "")]).bars]
    ['25.00%', '100.00%']
    """
    longest = max((amount.cents for _, _, amount, _ in rows), default=0)
    found = tuple(
        Bar(key, name, amount, note, WHOLE * max(amount.cents, 0) // longest if longest > 0 else 0)
        for key, name, amount, note in rows
    )
    return Bars(found, ". ".join(f"{each.name}: {each.amount}" for each in found))


def rounded(amount: Money) -> str:
    """An amount as an axis says it, to a tenth of what it is counted in.

    >>> rounded(Money(31_440_000_00)), rounded(Money(240_000_00)), rounded(Money(950_00)), rounded(ZERO)
    ('31.4 million', '240 thousand', '950', '0')
    """
    for cents, word in ((1_000_000_00, " million"), (1_000_00, " thousand")):
        if amount.cents >= cents:
            tenths = (amount.cents * 10 + cents // 2) // cents
            whole, rest = divmod(tenths, 10)
            return f"{whole}.{rest}{word}" if rest else f"{whole}{word}"
    return str(amount.cents // 100)
