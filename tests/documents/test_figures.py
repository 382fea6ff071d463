"""Figures by themselves: periods, kept and read again, hashed, compared with what was stated before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.core.errors import Invalid, Refused
from grants.core.money import Money, euros
from grants.documents.rules import (
    NO,
    SYNTHETIC,
    YES,
    Cell,
    Check,
    Column,
    ColumnKind,
    Figures,
    Format,
    Period,
    ScopeKind,
    Thing,
    agreeing,
    from_mapping,
    to_mapping,
    took_words,
    with_totals,
)
from grants.documents.sheets.pivots import by_month_and_kind

MONEY = ColumnKind.MONEY
LINES = st.lists(
    st.tuples(
        st.text("abÉő=1", max_size=6), st.dates(), st.integers(-(10**12), 10**12).map(Money), st.sampled_from([YES, NO])
    ),
    max_size=12,
)


def figures(rows: list[tuple[Cell, ...]], **changes: object) -> Figures:
    columns = (
        Column("Grant", of=Thing.GRANT),
        Column("Executed", ColumnKind.DATE),
        Column("Amount", MONEY),
        Column(SYNTHETIC),
    )
    made = Figures(
        name="test",
        title="A statement of the tests",
        scope_kind=ScopeKind.CALL,
        scope_reference="PCP-2022-C-0001",
        scope_title="Invented",
        programme="Pilot Cities Programme",
        as_of=datetime(2024, 5, 1, 10, tzinfo=UTC),
        summary=(("Paid", euros(1)), ("Movements", 3)),
        tables=(with_totals("Grants", columns, rows),),
        behind=(("B400",), ()),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of Figures


@given(LINES)
def test_what_is_kept_is_read_again_as_it_was(rows: list[tuple[Cell, ...]]) -> None:
    made = figures(rows, period=Period(date(2024, 1, 1), None), synthetic="Invented.")

    assert from_mapping(to_mapping(made)) == made
    assert from_mapping(to_mapping(made)).sha256 == made.sha256


@given(LINES, st.integers(0, 29), st.integers(1, 10**6))
def test_an_amount_that_changed_by_a_cent_or_a_row_more_contradicts_what_was_kept(
    rows: list[tuple[Cell, ...]], place: int, cents: int
) -> None:
    kept = figures(rows)
    assert not kept.contradicts(kept)
    if rows:
        row = rows[place % len(rows)]
        amount = row[2]
        assert isinstance(amount, Money)
        other = [*rows]
        other[place % len(rows)] = (row[0], row[1], amount + Money(cents), row[3])
        assert figures(other).contradicts(kept)
    assert figures([*rows, ("G", date(2024, 1, 1), Money(0), NO)]).contradicts(kept)


def test_names_that_changed_and_columns_that_were_added_do_not_contradict_what_was_kept() -> None:
    kept = figures([("G", date(2024, 1, 1), Money(5), NO)])
    columns = (*kept.tables[0].columns, Column("Retained", MONEY))
    later = replace(
        kept, tables=(with_totals("Grants", columns, [("Renamed", date(2024, 1, 1), Money(5), NO, Money(7))]),)
    )

    assert not later.contradicts(kept)


def test_figures_kept_by_an_earlier_edition_are_read_and_keep_their_hash() -> None:
    made = figures([("G", date(2024, 1, 1), Money(5), NO)], behind=())
    early = to_mapping(made)
    for later in ("period", "behind", "synthetic"):
        del early[later]
    early["tables"][0]["columns"] = [column[:3] for column in early["tables"][0]["columns"]]

    assert from_mapping(early).sha256 == made.sha256


@given(st.dates(max_value=date.max - timedelta(days=4000)), st.integers(0, 4000))
def test_a_period_that_does_not_end_after_it_begins_is_refused(starts_on: date, days: int) -> None:
    with pytest.raises(Invalid, match="ends before it begins"):
        Period(starts_on + timedelta(days=days), starts_on)


def test_a_period_is_part_of_the_hash_and_of_the_name_of_the_file() -> None:
    january = figures([], period=Period(date(2024, 1, 1), date(2024, 2, 1)))

    assert january.sha256 != figures([]).sha256 != figures([], period=Period()).sha256
    assert january.file_stem == "test_PCP-2022-C-0001_2024-01-01_before_2024-02-01_20240501T100000Z"


def test_a_figure_that_is_another_elsewhere_refuses_the_statement_with_both_amounts() -> None:
    with pytest.raises(Refused, match=r"“Paid” is EUR.1\.00 by its own rows and EUR.1\.01 by the bank"):
        agreeing([Check("Open", euros(2), "the budget", euros(2)), Check("Paid", euros(1), "the bank", Money(101))])


# The first call loads pandas.
@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("ab1", max_size=3),
            st.dates(date(2020, 1, 1), date(2030, 12, 31)),
            st.sampled_from(["Pre-financing", "Interim payment", "Paid back"]),
            st.integers(-(10**13), 10**13).map(Money),
        ),
        max_size=40,
    )
)
def test_totals_by_month_and_kind_sum_to_the_rows_to_the_cent(rows: list[tuple[Cell, ...]]) -> None:
    columns = (Column("Entry"), Column("Executed", ColumnKind.DATE), Column("Kind"), Column("Amount", MONEY))
    register = with_totals("Disbursements", columns, rows)

    found = by_month_and_kind(register)

    assert found.totals is not None and register.totals is not None
    assert found.totals[-1] == register.totals[3]
    months = sorted({cell.replace(day=1) for _, cell, _, _ in rows if isinstance(cell, date)})
    assert [row[0] for row in found.rows] == [f"{month:%B %Y}" for month in months]
    for row in found.rows:
        assert row[-1] == Money(sum(cell.cents for cell in row[1:-1] if isinstance(cell, Money)))


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "under 1 s"), (12, "12 s"), (108, "1 min 48 s")])
def test_how_long_it_took_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert took_words(timedelta(seconds=seconds)) == words
    assert took_words(None) == ""


def test_every_format_has_a_media_type() -> None:
    assert [form.media_type.partition("/")[0] for form in Format] == ["application", "application", "text"]
