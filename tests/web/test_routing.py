"""Addresses compile what writes links to them with the first link: it is the same link as ever."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from werkzeug.routing import BuildError, Map, Rule

from config import Config
from grants.app import create_app
from grants.web.routing import Address


def test_the_first_link_and_every_later_one_are_what_the_library_writes() -> None:
    def links(kind: type[Rule]) -> list[str]:
        map_of = Map([kind("/calls/<slug>/pages/<int:number>", endpoint="page"), kind("/", endpoint="front")])
        addresses = map_of.bind("localhost")
        values = {"slug": "a b/ü", "number": 7}
        asked = [("page", values), ("page", {**values, "rule": "x", "self": "y"}), ("front", {}), ("front", {"q": "&"})]
        found = [addresses.build(*each, append_unknown=more) for each in asked for more in (True, False, True, False)]
        with pytest.raises(BuildError):
            addresses.build("page", {"slug": "a"})
        return found

    assert links(Address) == links(Rule)


def test_garbage_is_collected_again_once_the_program_is_made(tmp_path: Path) -> None:
    create_app(Config(GRANTS_HOME=str(tmp_path), DATABASE_URL="postgresql+psycopg://x@/x", GRANTS_ENV="test"))

    assert gc.isenabled()


def test_every_process_keeps_what_it_made_out_of_the_collection_in_one_way() -> None:
    root = Path(__file__).resolve().parents[2]
    places = [
        root / "wsgi.py",
        root / "docs/deploy/gunicorn.conf.py",
        root / "jobs/worker.py",
        root / "jobs/schedule.py",
    ]
    calls = [place.read_text(encoding="utf-8") for place in places]

    assert all("    keep_out_of_collection()\n" in each and "gc.freeze" not in each for each in calls)
