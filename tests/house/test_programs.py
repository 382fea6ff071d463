"""The program that tests share: nothing of one test is met by the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment
from sqlalchemy import event
from werkzeug.exceptions import NotFound

from config import Config
from grants.core.db import db
from tests.programs import Compiled, running


def kind(home: Path) -> Config:
    """Settings that no other test has, so that the first to run here makes a program of its own."""
    return Config(GRANTS_HOME=str(home), DATABASE_URL=f"postgresql+psycopg://x@/x?host={home}", MAIL_FROM=str(home))


def test_a_program_is_lent_again_with_the_settings_asked_for(tmp_path: Path) -> None:
    with running(kind(tmp_path)) as first:
        first.config["GRANTS_DEMO"] = first.config["SOMETHING"] = True
        first.extensions["demo_people"] = first.extensions["something"] = None

    with running(kind(tmp_path)) as second:
        assert second is first
        assert (second.config["GRANTS_DEMO"], "SOMETHING" in second.config) == (False, False)
        assert (second.extensions["demo_people"] is None, "something" in second.extensions) == (False, False)


def test_a_program_that_only_answered_is_lent_again(tmp_path: Path) -> None:
    with running(kind(tmp_path)) as first:
        # Flask keeps an empty place for each kind of error it looked for a handler of.
        with first.test_request_context("/static/nowhere"):
            assert first.handle_user_exception(NotFound()) is not None
        assert first.error_handler_spec["static"][404] == {}

    with running(kind(tmp_path)) as second:
        assert second is first


def test_two_at_once_have_two_programs(tmp_path: Path) -> None:
    with running(kind(tmp_path)) as one, running(kind(tmp_path)) as other:
        assert one is not other


@pytest.mark.parametrize("part", ["route", "hook", "loader", "filter", "listener"])
def test_a_program_that_was_changed_is_never_lent_again(tmp_path: Path, part: str) -> None:
    with running(kind(tmp_path)) as changed:
        match part:
            case "route":
                changed.add_url_rule("/new", "new", lambda: "")
            case "hook":
                changed.before_request(lambda: None)
            case "loader":
                changed.jinja_env.loader = DictLoader({})
            case "filter":
                changed.jinja_env.filters["money"] = str
            case "listener":
                event.listen(db.engine, "before_cursor_execute", lambda *words: None)

    with running(kind(tmp_path)) as next_one:
        assert next_one is not changed


def test_each_test_reaches_its_own_database_only(tmp_path: Path) -> None:
    with running(kind(tmp_path)):
        assert db.engine.url.query["host"] == str(tmp_path)
        first = db.engine

    other = tmp_path / "other"
    other.mkdir()
    settings = Config(
        GRANTS_HOME=str(other), DATABASE_URL=f"postgresql+psycopg://y@/y?host={other}", MAIL_FROM=str(tmp_path)
    )
    with running(settings):
        assert db.engine is first
        assert (db.engine.url.database, db.engine.url.query["host"]) == ("y", str(other))
        with pytest.raises(Exception, match=f"{other}/.s.PGSQL"):
            db.engine.connect()


def test_what_one_process_compiled_no_other_compiles_again(tmp_path: Path) -> None:
    class Reading(Environment):
        def compile(self, *args: Any, **words: Any) -> Any:
            raise AssertionError("compiled again")

    words = DictLoader({"page": "{{ 6 * 7 }}"})
    writer, reader = Compiled(), Compiled()
    for compiled in (writer, reader):
        compiled.share(tmp_path / "templates")
    assert Environment(loader=words, bytecode_cache=writer).get_template("page").render() == "42"
    assert Reading(loader=words, bytecode_cache=reader).get_template("page").render() == "42"
    with pytest.raises(AssertionError, match="compiled again"):
        Reading(loader=DictLoader({"page": "another text"}), bytecode_cache=reader).get_template("page")
