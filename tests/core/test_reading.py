"""A long check reads one moment, by two connections outside an act and by the act's own within one."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from grants.core.acts import arranging
from grants.core.db import db
from grants.core.reading import at_once, one_moment
from tests.conftest import Note


def notes() -> int:
    return db.session.scalar(select(func.count()).select_from(Note)) or 0


def setting(name: str) -> str:
    return str(db.session.scalar(select(func.current_setting(name))))


def backend() -> int:
    return int(db.session.scalar(select(func.pg_backend_pid())) or 0)


def written_by_somebody_else(app: Flask) -> None:
    """Committed on another connection, beside what is read here."""
    with app.app_context(), arranging():
        db.session.add(Note(text="one"))


def test_what_is_written_meanwhile_is_not_seen_on_either_connection(app: Flask) -> None:
    with one_moment():
        assert notes() == 0
        written_by_somebody_else(app)
        assert at_once(notes, notes) == (0, 0)

    assert notes() == 1


def test_the_two_readings_have_a_connection_each_and_room_to_sort_in(app: Flask) -> None:
    before = [setting(name) for name in ("work_mem", "jit", "transaction_isolation", "transaction_read_only")]

    with one_moment():
        here = backend()
        asked = at_once(lambda: (backend(), setting("work_mem")), lambda: (backend(), setting("work_mem")))
        assert asked[0][0] == here != asked[1][0]
        assert {room for _, room in asked} == {"96MB"}

    after = [setting(name) for name in ("work_mem", "jit", "transaction_isolation", "transaction_read_only")]
    assert before == after and before[0] != "96MB"


def test_within_an_act_both_see_what_it_wrote(app: Flask) -> None:
    with arranging():
        db.session.add(Note(text="one"))
        db.session.flush()
        with one_moment():
            assert at_once(notes, notes) == (1, 1)
            assert len(set(at_once(backend, backend))) == 1
        # The act goes on and writes.
        db.session.add(Note(text="two"))

    assert notes() == 2


def test_what_fails_beside_fails_here_and_leaves_both_connections_as_they_were(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), one_moment():
        at_once(notes, lambda: 1 // 0)

    assert setting("transaction_isolation") == "read committed"
    written_by_somebody_else(app)
    assert notes() == 1


def test_nothing_is_written_while_it_is_read(app: Flask) -> None:
    with pytest.raises(Exception, match="read-only transaction"), one_moment():
        db.session.connection().execute(text("DELETE FROM note"))
