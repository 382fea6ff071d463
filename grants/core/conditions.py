"""Conditions that stand in nearly every statement, put together only when a statement is written out for the first time.

SQLAlchemy keeps the text of a statement it wrote once, but to find it the whole statement is put together again, and its
every part looked at. A condition of a hundred parts that stands in most of them took longer than the database to answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, DateTime, Uuid, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.visitors import InternalTraversal

# A value, or the column that holds it in the query the condition stands in.
Part = UUID | datetime | ColumnElement[Any] | InstrumentedAttribute[Any]
Maker = Callable[..., ColumnElement[bool]]


def made_when_written(maker: Maker, *parts: Part) -> ColumnElement[bool]:
    """The condition that ``maker`` makes of these parts, made when it is written out.

    What it is made of beside its parts must be the same each time: of two calls with other parts only those are sent.
    """
    return _Condition(maker, *(_element(part) for part in parts))


def _element(part: Part) -> ColumnElement[Any]:
    match part:
        case UUID():
            return literal(part, Uuid)
        case datetime():
            return literal(part, DateTime(timezone=True))
        case InstrumentedAttribute():
            return part.expression
        case _:
            return part


class _Condition(ColumnElement[bool]):
    """A condition as its maker and the parts it is made of: the same function of the same parts is the same condition."""

    __visit_name__ = "written_condition"
    # What tells two of them apart, so that a statement once written is kept.
    _traverse_internals = [  # noqa: RUF012 -- SQLAlchemy reads it so
        ("maker", InternalTraversal.dp_plain_obj),
        ("parts", InternalTraversal.dp_clauseelement_tuple),
    ]

    def __init__(self, maker: Maker, *parts: ColumnElement[Any]) -> None:
        self.maker, self.parts, self.type = maker, parts, Boolean()


@compiles(_Condition)
def _written(condition: _Condition, compiler: Any, **words: Any) -> str:
    # "Is true" says nothing new and keeps its parts out of the joins of the query around it: PostgreSQL took longer to
    # think through all orders of a dozen joins than to answer.
    return f"(({compiler.process(condition.maker(*condition.parts), **words)}) IS TRUE)"
