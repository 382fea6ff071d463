"""Budgets on a real database: one version for the whole grid, nothing computed is stored, nothing disappears unseen."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from grants.budgets import queries, services
from grants.budgets.models import BudgetLine
from grants.budgets.rules import (
    BudgetChanged,
    BudgetRules,
    Category,
    Cell,
    CellKept,
    Envelope,
    Outcome,
    Purpose,
    Shown,
)
from grants.core.acts import act, arranging
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.identity.models import Organisation

pytestmark = pytest.mark.usefixtures("app")

RULES = BudgetRules(
    (
        Category("personnel", "Personnel"),
        Category("sub", "Subcontracting", in_flat_rate_base=False),
        Category("indirect", "Indirect", entered=False),
    ),
    Fraction(1, 4),
    Fraction(1),
    (Envelope("L", euros(1_500_000)),),
)
MAREK = Actor(uuid4(), "Marek", frozenset({(Permission.APPLICATION_EDIT.value, EVERYWHERE)}))


@act("test_budget.create", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def create(actor: Actor, organisations: tuple[UUID, ...]) -> UUID:
    return services.create("note", uuid4(), Purpose.PLANNED, RULES, organisations)


@act("test_budget.save", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def save(actor: Actor, budget_id: UUID, cells: tuple[Cell, ...], version: int | None) -> int:
    return services.save_cells(budget_id, cells, version)


@act("test_budget.write", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def write(
    actor: Actor, budget_id: UUID, cells: tuple[Cell, ...], shown: tuple[Shown, ...] | None
) -> tuple[CellKept, ...]:
    return services.write_cells(budget_id, cells, shown)


@act("test_budget.add", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def add(actor: Actor, budget_id: UUID, organisation_id: UUID) -> None:
    services.add_organisation(budget_id, organisation_id)


@act("test_budget.remove", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def remove(actor: Actor, budget_id: UUID, organisation_id: UUID) -> None:
    services.remove_organisation(budget_id, organisation_id)


@pytest.fixture
def cities() -> tuple[UUID, UUID]:
    with arranging():
        made = [
            Organisation(name=name, kind="municipality", country_code="RO", synthetic=True)
            for name in ("A-stad", "B-stad")
        ]
        db.session.add_all(made)
        ids = (made[0].id, made[1].id)
    return ids


def names(cities: tuple[UUID, UUID]) -> dict[UUID, str]:
    return dict(zip(cities, ("A-stad", "B-stad"), strict=True))


def test_what_is_saved_comes_back_with_totals(cities: tuple[UUID, UUID]) -> None:
    a, b = cities
    made = create(MAREK, cities)

    save(MAREK, made, (Cell(a, "personnel", euros(100)), Cell(b, "sub", euros(7))), 1)

    view = queries.budget(made, names(cities))
    assert [(row.name, row.total) for row in view.rows] == [("A-stad", euros(125)), ("B-stad", euros(7))]
    assert view.totals.requested == euros(132)
    assert (view.version, view.saved_by) == (2, MAREK.user_id)
    assert queries.entered_by(made, a) == euros(100)


def test_computed_unknown_and_foreign_cells_are_not_stored(cities: tuple[UUID, UUID]) -> None:
    a, b = cities
    made = create(MAREK, (a,))

    save(
        MAREK,
        made,
        (Cell(a, "indirect", euros(9)), Cell(a, "invented", euros(9)), Cell(b, "personnel", euros(9))),
        None,
    )

    assert db.session.scalars(select(BudgetLine)).all() == []


def test_the_second_saver_is_told_and_changes_nothing(cities: tuple[UUID, UUID]) -> None:
    a, _ = cities
    made = create(MAREK, cities)
    save(MAREK, made, (Cell(a, "personnel", euros(1)),), 1)

    with pytest.raises(BudgetChanged):
        save(MAREK, made, (Cell(a, "personnel", euros(2)),), 1)

    db.session.rollback()
    assert queries.budget(made, names(cities)).amount(a, "personnel") == euros(1)


def test_a_negative_amount_is_refused_by_its_field(cities: tuple[UUID, UUID]) -> None:
    a, _ = cities
    made = create(MAREK, cities)

    with pytest.raises(Invalid) as refused:
        save(MAREK, made, (Cell(a, "personnel", Money(-1)),), None)

    assert list(refused.value.problems) == [f"cell-{a}-personnel"]


def test_a_partner_with_amounts_is_not_taken_out(cities: tuple[UUID, UUID]) -> None:
    a, b = cities
    made = create(MAREK, (a,))
    add(MAREK, made, b)
    add(MAREK, made, b)
    save(MAREK, made, (Cell(b, "personnel", euros(3)),), None)

    with pytest.raises(Refused, match=r"EUR 3\.00"):
        remove(MAREK, made, b)
    save(MAREK, made, (Cell(b, "personnel", ZERO),), None)
    remove(MAREK, made, b)

    assert queries.budget(made, names(cities)).organisations == (a,)


# --- cell by cell -----------------------------------------------------------------------------------------------

NOTHING = Shown(0, ZERO)


def outcomes(kept: tuple[CellKept, ...]) -> list[tuple[str, int, Money]]:
    return [(cell.outcome.value, cell.number, cell.amount) for cell in kept]


def test_each_cell_has_a_number_of_its_own(cities: tuple[UUID, UUID]) -> None:
    a, b = cities
    made = create(MAREK, cities)

    first = write(MAREK, made, (Cell(a, "personnel", euros(1)),), (NOTHING,))
    other = write(MAREK, made, (Cell(b, "personnel", euros(2)),), (NOTHING,))
    again = write(MAREK, made, (Cell(a, "personnel", euros(3)),), (Shown(1, euros(1)),))

    assert [outcomes(each) for each in (first, other, again)] == [
        [("stored", 1, euros(1))],
        [("stored", 1, euros(2))],
        [("stored", 2, euros(3))],
    ]
    assert again[0].saved_by == MAREK.user_id


def test_what_somebody_else_changed_comes_back_and_the_rest_is_stored(cities: tuple[UUID, UUID]) -> None:
    a, b = cities
    made = create(MAREK, cities)
    write(MAREK, made, (Cell(a, "personnel", euros(1)), Cell(a, "sub", euros(5))), None)

    kept = write(
        MAREK,
        made,
        (Cell(a, "personnel", euros(2)), Cell(a, "sub", ZERO), Cell(b, "sub", euros(9))),
        (NOTHING, NOTHING, NOTHING),
    )

    assert outcomes(kept) == [
        (Outcome.CONTESTED.value, 1, euros(1)),
        # Nobody typed into it here: what stands, stands.
        (Outcome.STANDS.value, 1, euros(5)),
        (Outcome.STORED.value, 1, euros(9)),
    ]
    assert queries.budget(made, names(cities)).amount(a, "personnel") == euros(1)


def test_the_same_amount_again_is_nothing_new(cities: tuple[UUID, UUID]) -> None:
    a, _ = cities
    made = create(MAREK, cities)
    write(MAREK, made, (Cell(a, "personnel", euros(1)),), (NOTHING,))
    before = queries.budget(made, names(cities)).version

    again = write(MAREK, made, (Cell(a, "personnel", euros(1)),), (NOTHING,))

    assert outcomes(again) == [("stored", 1, euros(1))]
    assert queries.budget(made, names(cities)).version == before


def test_a_cell_the_budget_does_not_have_is_said_and_not_stored(cities: tuple[UUID, UUID]) -> None:
    a, b = cities
    made = create(MAREK, (a,))
    wrong = (
        Cell(a, "indirect", euros(1)),
        Cell(a, "invented", euros(1)),
        Cell(b, "personnel", euros(1)),
        Cell(a, "personnel", euros(1), "WP1"),
        Cell(a, "personnel", euros(1), "", 1),
    )

    assert {cell.outcome for cell in write(MAREK, made, wrong, None)} == {Outcome.NOT_THERE}
    assert db.session.scalars(select(BudgetLine)).all() == []
