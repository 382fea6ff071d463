"""Charts: marks lie in their box, names do not cover each other, and a sentence says what is drawn."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from grants.core import charts
from grants.core.charts import BOTTOM, NAMES_APART, NAMES_WIDE, TOP, WHOLE, Series
from grants.core.money import ZERO, Money

LEVELS = st.one_of(st.none(), st.integers(0, 10**12).map(Money))


@st.composite
def drawings(draw: st.DrawFn) -> tuple[list[str], list[Series]]:
    columns = draw(st.integers(0, 30))
    lines = draw(st.lists(st.lists(LEVELS, min_size=columns, max_size=columns), max_size=4))
    return [f"month {each}" for each in range(columns)], [
        Series(f"s{place}", f"Line {place}", tuple(levels)) for place, levels in enumerate(lines)
    ]


@given(drawings())
def test_every_mark_lies_in_the_box_and_is_a_level_or_a_change(drawing: tuple[list[str], list[Series]]) -> None:
    columns, series = drawing
    drawn = charts.steps(columns, series)

    for mark in (*drawn.marks, *drawn.grid):
        assert 0 <= mark.x1 <= mark.x2 <= WHOLE
        assert TOP <= min(mark.y1, mark.y2) <= max(mark.y1, mark.y2) <= BOTTOM
        assert mark.x1 == mark.x2 or mark.y1 == mark.y2
    for each in series:
        level = sum(mark.x2 - mark.x1 for mark in drawn.marks if mark.key == each.key)
        said = sum(1 for found in each.levels if found is not None)
        assert abs(level - (WHOLE * said // len(columns) if said else 0)) <= len(columns), "each level spans its column"


@given(drawings())
def test_names_stand_apart_while_there_is_room_and_ticks_are_exact(drawing: tuple[list[str], list[Series]]) -> None:
    drawn = charts.steps(*drawing)

    for one, other in pairwise(drawn.names):
        assert abs(other.x - one.x) >= NAMES_WIDE or other.y - one.y >= NAMES_APART or other.y == BOTTOM
    assert len(drawn.ticks) <= charts.TICKS_MAX
    assert len(drawn.columns) <= charts.NAMES_OF_COLUMNS_MAX
    assert drawn.ticks[0].text == "0"


@given(st.integers(1, 10**14))
def test_the_top_is_a_round_figure_not_below_the_highest_level_nor_far_above(cents: int) -> None:
    top = charts._top(Money(cents)).cents

    assert cents <= top <= 2 * cents
    assert str(top).rstrip("0") in {"1", "2", "3", "4", "5", "6", "8"}


def test_nothing_and_one_column_can_be_drawn() -> None:
    nothing, one = charts.steps((), []), charts.steps(("May",), [Series("paid", "Paid", (ZERO,))], now=1)

    assert (nothing.marks, nothing.names, nothing.columns, nothing.summary) == ((), (), (), "")
    assert [(mark.x1, mark.y1, mark.x2, mark.y2) for mark in one.marks] == [(0, BOTTOM, WHOLE, BOTTOM)]
    assert one.now_at == "100.00%"


def test_a_line_that_begins_late_is_drawn_from_there_and_said_in_words() -> None:
    drawn = charts.steps(("May", "June", "July"), [Series("forecast", "Forecast", (None, Money(1_00), Money(4_00)))])

    assert min(mark.x1 for mark in drawn.marks) == WHOLE // 3
    assert drawn.summary == "Forecast: EUR 1.00 in June, EUR 4.00 in July"


@given(st.lists(st.integers(-(10**12), 10**12), max_size=8))
def test_bars_are_as_long_as_their_amounts_and_the_longest_fills_the_box(cents: list[int]) -> None:
    drawn = charts.bars([(f"b{place}", f"Bar {place}", Money(each), "") for place, each in enumerate(cents)])

    lengths = {bar.amount.cents: bar.width for bar in drawn.bars}
    assert all(0 <= width <= WHOLE for width in lengths.values())
    assert all((width == 0) == (amount * WHOLE < max(cents)) for amount, width in lengths.items() if amount > 0)
    assert all(width == 0 for amount, width in lengths.items() if amount <= 0)
    assert not cents or max(cents) <= 0 or lengths[max(cents)] == WHOLE
