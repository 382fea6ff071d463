"""What many tests start from: made once, a copy for each, never a mixture of two."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from flask import current_app
from sqlalchemy import select

from grants.core.acts import arranging
from grants.core.db import db
from tests.conftest import Note, cloned
from tests.programs import running
from tests.servers import Cluster
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
