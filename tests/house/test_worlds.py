"""What many tests start from: made once, a copy for each, never a mixture of two."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from flask import current_app
from sqlalchemy import select

from grants.core.acts import arranging
from grants.core.db import db
from tests.conftest import Note, cloned
from tests.programs import running
from tests.servers import Cluster
from tests.standing import Databases
from tests.worlds import World, Worlds, deepest, settings_for


def test_a_world_is_made_once_and_each_test_has_rows_files_and_answer_of_its_own(
    postgres: Cluster, worlds: Worlds, tmp_path: Path
) -> None:
    made = []

    def noted() -> list[str]:
        made.append("noted")
        folder = Path(current_app.config["GRANTS_HOME"]) / "kept"
        folder.mkdir(mode=0o700)
        (folder / "file").write_text("as made")
        with arranging():
            db.session.add(Note(text="as made"))
        return ["as made"]

    noted.__name__ = f"noted_{uuid4().hex}"
    world, seen = worlds.of(noted), []
    for name in ("one", "other"):
        home = tmp_path / name
        home.mkdir()
        world.lay_files(home)
        told = worlds.of(noted).told()
        with cloned(postgres, world.database) as database, running(settings_for(postgres, database, home)):
            note = db.session.scalars(select(Note)).one()
            seen.append(
                ((home / "kept/file").read_text(), (home / "kept").stat().st_mode & 0o777, note.text, list(told))
            )
            told.append("changed")
            (home / "kept/file").write_text("changed")
            with arranging():
                db.session.scalars(select(Note)).one().text = "changed"

    assert made == ["noted"]
    assert seen == [("as made", 0o700, "as made", ["as made"])] * 2


def test_a_world_goes_on_from_another_and_a_test_starts_from_the_last(worlds: Worlds, tmp_path: Path) -> None:
    first = World[None]("first", tmp_path, ("first",))
    second = World[None]("second", tmp_path, ("first", "second"))
    stranger = World[None]("stranger", tmp_path, ("stranger",))

    assert deepest([second, first]) is second
    assert deepest([]) is None
    with pytest.raises(AssertionError, match="a test starts from one world"):
        deepest([second, stranger])


def test_a_database_that_stands_is_laid_back_to_what_it_was_and_dropped_where_that_cannot_be(
    postgres: Cluster, template: str
) -> None:
    databases, lent, kept = Databases(postgres), [], ExitStack()
    row = "INSERT INTO note (id, created_at, version, text) VALUES (gen_random_uuid(), now(), 1, %s)"
    deeds = (
        "INSERT INTO note SELECT gen_random_uuid(), now(), 1, 'three'",
        "UPDATE note SET text = 'changed' WHERE text = 'one'",
        "DELETE FROM note WHERE text = 'two'",
        "TRUNCATE note",
        "ALTER TABLE note ADD COLUMN more TEXT",
        "BEGIN; DELETE FROM note",
        "SELECT pg_advisory_lock(1)",
        "SELECT",
    )

    with kept, cloned(postgres, template) as source:
        with psycopg.connect(postgres.dsn(source)) as line:
            line.cursor().executemany(row, [["one"], ["two"]])
        for deed in deeds:
            with databases.lent(source) as name:
                line = psycopg.connect(postgres.dsn(name), autocommit=True)
                kept.callback(line.close)
                lent.append((name, line.execute("SELECT text FROM note ORDER BY text").fetchall()))
                # Numbers that are given out begin where they began.
                assert line.execute("SELECT nextval(pg_get_serial_sequence('job', 'number'))").fetchone() == (1,)
                line.execute(deed.encode())
        databases.end()

    assert [rows for _, rows in lent] == [[("one",), ("two",)]] * len(deeds)
    # A changed schema and a transaction or a lock left behind end a database; whatever else was done to it is undone.
    names = [name for name, _ in lent]
    assert [names.index(name) for name in names] == [0, 0, 0, 0, 0, 5, 6, 7]
