"""What machinery may write beside acts: the closed list of its tables, in a short transaction that ``acts.bookkeeping`` opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Delete, Insert, Select, Update
from sqlalchemy.engine import Connection
from sqlalchemy.engine import Row as ResultRow

from grants.core.db import BOOKKEEPING_TABLES


class WriteOutsideAct(RuntimeError):
    """A programmer's error: something was about to be written outside an act."""


class Books:
    """A short writing transaction on the closed list of machinery tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: Insert | Update | Delete, values: Any = None) -> int:
        """Run one write; returns the number of rows it touched."""
        self._check(statement)
        return self._connection.execute(statement, values).rowcount

    def scalars(self, statement: Any) -> list[Any]:
        """Run a read, or a write with RETURNING of one column."""
        self._check(statement)
        return list(self._connection.execute(statement).scalars())

    def rows(self, statement: Any, values: Any = None) -> Sequence[ResultRow[Any]]:
        """Run a read, or a write with RETURNING."""
        self._check(statement)
        return self._connection.execute(statement, values).all()

    def scalar(self, statement: Any) -> Any:
        """Run a read of one value."""
        return self._connection.execute(statement).scalar()

    def _check(self, statement: Any) -> None:
        if isinstance(statement, Select):
            return
        name = statement.table.name
        if name not in BOOKKEEPING_TABLES:
            raise WriteOutsideAct(f"{name} is not machinery: it is written by an act.")
