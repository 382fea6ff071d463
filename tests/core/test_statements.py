"""How statements are written: known values in them, long lists of ids as one, and conditions that are put together once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, Uuid, column, literal, not_, select, values
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.core.conditions import made_when_written
from grants.core.db import among, db

ONE, TWO = UUID(int=1), UUID(int=2)


def written(condition: Any) -> tuple[str, list[Any]]:
    found = condition.compile(dialect=postgresql.dialect())
    return str(found), list(found.params.values())


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Application.state == ApplicationState.DECLINED.value, "application.state = 'declined'"),
        (Application.state != ApplicationState.DECLINED, "application.state != 'declined'"),
        (Application.state.is_distinct_from("declined"), "application.state IS DISTINCT FROM 'declined'"),
        (Application.state.in_(["declined", "awarded"]), "application.state IN ('declined', 'awarded')"),
        (not_(aliased(Application).state.in_(("declined",))), "(application_1.state NOT IN ('declined'))"),
        (Application.state == Application.origin, "application.state = application.origin"),
        (Application.state.is_(None), "application.state IS NULL"),
    ],
)  # fmt: skip
def test_a_known_value_stands_in_the_statement(condition: Any, text: str) -> None:
    assert written(condition) == (text, [])


def test_any_other_value_is_sent_beside_it() -> None:
    text, sent = written(Application.state == "x' OR '1'='1")
    assert ("OR" in text, sent) == (False, ["x' OR '1'='1"])


def test_two_values_are_two_statements(app: Flask) -> None:
    rows = values(column("key", Uuid), name="rows").data([(ONE,), (TWO,)])
    for wanted in ("declined", "awarded", "declined"):
        state = literal(wanted, Application.__table__.c.state.type)
        found = db.session.scalars(select(state == wanted).select_from(rows)).all()
        assert found == [True, True]


def test_ids_are_sent_as_one(app: Flask) -> None:
    rows = values(column("key", Uuid), name="rows").data([(ONE,), (TWO,), (uuid4(),)])
    for wanted in ([], [TWO], [ONE, TWO, UUID(int=3)]):
        found = db.session.scalars(select(rows.c.key).where(among(rows.c.key, wanted)).order_by(rows.c.key)).all()
        assert found == [key for key in wanted if key.int < 3]
    assert len(written(among(rows.c.key, [ONE, TWO]))[1]) == 1


def test_a_condition_is_put_together_once_and_asked_of_each(app: Flask) -> None:
    made = []

    def is_the_first(one: ColumnElement[UUID], other: ColumnElement[UUID]) -> ColumnElement[bool]:
        made.append((one, other))
        return (one == other) & (literal(ONE, Uuid) == one)

    asked = [(ONE, ONE), (ONE, TWO), (TWO, TWO), (ONE, ONE)]
    found = [db.session.scalar(select(made_when_written(is_the_first, *parts))) for parts in asked]
    denied = [db.session.scalar(select(not_(made_when_written(is_the_first, *parts)))) for parts in asked]

    assert found == [True, False, False, True]
    assert denied == [not each for each in found]
    # Once for each statement it stands in, however often that is asked.
    assert len(made) == 2


def test_conditions_of_two_makers_are_two_whatever_they_are_called(app: Flask) -> None:
    def maker(wanted: UUID) -> Callable[[ColumnElement[UUID]], ColumnElement[bool]]:
        return lambda one: one == literal(wanted, Uuid)

    found = [db.session.scalar(select(made_when_written(maker(wanted), ONE))) for wanted in (TWO, ONE, TWO)]
    assert found == [False, True, False]


def test_a_column_may_be_a_part(app: Flask) -> None:
    def same(one: ColumnElement[UUID], other: ColumnElement[UUID]) -> ColumnElement[bool]:
        return one == other

    rows = values(column("key", Uuid), name="rows").data([(ONE,), (TWO,)])
    for wanted in (TWO, ONE):
        assert db.session.scalars(select(rows.c.key).where(made_when_written(same, rows.c.key, wanted))).all() == [
            wanted
        ]
