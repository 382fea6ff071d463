"""Templates are compiled once: another process reads what stands, a changed one is compiled anew, and nothing fails for a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import DictLoader, Environment

from config import Config
from grants.app import create_app
from grants.web import compiled

PAGE = {"a.html": "Hello {{ name }}"}


def program(kept: compiled.Kept | None, pages: dict[str, str]) -> Environment:
    return Environment(loader=DictLoader(pages), bytecode_cache=kept)


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("it was compiled anew")


def test_another_process_reads_what_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(compiled.keeping(tmp_path), PAGE).get_template("a.html")

    later = program(compiled.keeping(tmp_path), PAGE)
    monkeypatch.setattr(later, "compile", refuse)
    assert later.get_template("a.html").render(name="Ana") == "Hello Ana"


def test_a_changed_template_is_compiled_anew(tmp_path: Path) -> None:
    program(compiled.keeping(tmp_path), PAGE).get_template("a.html")

    later = program(compiled.keeping(tmp_path), {"a.html": "Bye {{ name }}"})
    assert later.get_template("a.html").render(name="Ana") == "Bye Ana"


def test_what_an_older_program_kept_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled.keeping(tmp_path)
    (old,) = tmp_path.iterdir()
    monkeypatch.setattr(compiled, "_stamp", lambda: "another")

    assert compiled.keeping(tmp_path) is not None
    assert [each.name for each in tmp_path.iterdir()] == ["templates-another"] and not old.exists()


def test_where_nothing_can_be_kept_pages_are_made_all_the_same(tmp_path: Path) -> None:
    kept = compiled.keeping(tmp_path)
    (folder,) = tmp_path.iterdir()
    folder.rmdir()
    assert program(kept, PAGE).get_template("a.html").render(name="Ana") == "Hello Ana"

    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert compiled.keeping(in_the_way) is None


def test_the_program_keeps_them_on_the_disk_and_all_in_memory(tmp_path: Path) -> None:
    app = create_app(Config(GRANTS_HOME=str(tmp_path), DATABASE_URL=f"postgresql+psycopg://x@/x?host={tmp_path}"))

    assert isinstance(app.jinja_env.bytecode_cache, compiled.Kept)
    assert isinstance(app.jinja_env.cache, dict)


def test_templates_share_the_globals_of_the_program(app: Flask) -> None:
    env = app.jinja_env

    assert env.get_template("base.html").globals is env.globals
    # What one is given beside them stays its own.
    assert env.from_string("{{ word }}", {"word": "own"}).render() == "own" and "word" not in env.globals
