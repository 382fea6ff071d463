"""What is said to the database inside a block, for tests that hold how little it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from grants.core.db import db


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent to the database inside the block, but for the words of a transaction."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if not statement.lower().startswith("set "):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
