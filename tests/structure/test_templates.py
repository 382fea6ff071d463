"""Laws about templates: each compiles, holds nothing inline, imports what it uses, and names addresses that exist."""

from __future__ import annotations

import ast
import contextlib
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import StrictUndefined, TemplateError, UndefinedError, nodes

from config import Config
from grants.app import create_app
from grants.awards.views.rows import DrawnBy
from tests import programs

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "templates"
STATIC = ROOT / "grants" / "web" / "static"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*") if path.is_file())
PAGES = [name for name in TEMPLATES if name.endswith(".html")]

INLINE = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*="),
    "a style element": re.compile(r"<style[\s>]"),
    "a script without a file": re.compile(r"<script(?![^>]*\ssrc=)[\s>]"),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*="),
    "a javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "a htmx event attribute": re.compile(r"\shx-on"),
    "another site": re.compile(r"(src|href)=\"https?://"),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The program without its servers: templates need none."""
    home = tmp_path_factory.mktemp("home")
    made = create_app(Config(GRANTS_HOME=str(home), DATABASE_URL=f"postgresql+psycopg://x@/x?host={home}"))
    # What an older program compiled would hide a filter that is gone; what this run compiled, this program did.
    made.jinja_env.bytecode_cache = programs.TEMPLATES
    return made


def source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def tree(app: Flask, name: str) -> nodes.Template:
    return app.jinja_env.parse(source(name), name)


def test_a_missing_name_is_an_error_not_an_empty_place(app: Flask) -> None:
    assert app.jinja_env.undefined is StrictUndefined


# A law looks at all templates in one test: as tests of their own, two thousand of them, most of what each cost was being one.


def wrong_in(law: Callable[[str], Iterable[object]], names: Sequence[str] = PAGES) -> dict[str, list[object]]:
    """What a law finds wrong, by the template it is wrong in."""
    assert len(names) > 10
    return {name: faults for name in names if (faults := list(law(name)))}


def test_every_template_compiles(app: Flask) -> None:
    def compiles(name: str) -> Iterator[str]:
        try:
            app.jinja_env.get_template(name)
        except TemplateError as error:
            yield repr(error)

    assert wrong_in(compiles, TEMPLATES) == {}


def test_no_template_holds_anything_inline() -> None:
    assert wrong_in(lambda name: [what for what, found in INLINE.items() if found.search(source(name))]) == {}


def test_no_template_trusts_a_text_as_markup(app: Flask) -> None:
    def trusting(name: str) -> Iterator[str]:
        yield from (found.name for found in tree(app, name).find_all(nodes.Filter) if found.name in ("safe", "tojson"))
        unescaped = tree(app, name).find_all((nodes.MarkSafe, nodes.ScopedEvalContextModifier))
        yield from (type(found).__name__ for found in unescaped)

    assert wrong_in(trusting) == {}


def test_every_template_uses_every_macro_it_imports(app: Flask) -> None:
    def unused(name: str) -> set[str]:
        parsed = tree(app, name)
        imported = {
            alias if isinstance(alias, str) else alias[1]
            for found in parsed.find_all(nodes.FromImport)
            for alias in found.names
        }
        return imported - {found.name for found in parsed.find_all(nodes.Name) if found.ctx == "load"}

    assert wrong_in(unused) == {}


def literal_calls(app: Flask, name: str, function: str) -> Iterator[str]:
    """First arguments, where they are written out, of every call of that function."""
    for call in tree(app, name).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == function and call.args:
            first = call.args[0]
            yield from [str(first.value)] if isinstance(first, nodes.Const) else []


def test_every_template_names_addresses_that_exist(app: Flask) -> None:
    endpoints = set(app.view_functions)

    def gone(name: str) -> set[str]:
        targets = literal_calls(app, name, "url_for")
        return {name.split("/")[0] + to if to.startswith(".") else to for to in targets} - endpoints

    assert wrong_in(gone) == {}


def test_what_is_kept_as_it_was_drawn_says_what_it_was_given_alone(app: Flask) -> None:
    """A name from the request or the frame around it would say to the next reader what the one before was told."""

    def from_elsewhere(name: str, macro: str) -> set[str]:
        (found,) = (each for each in tree(app, name).find_all(nodes.Macro) if each.name == macro)
        names = list(found.find_all(nodes.Name))
        return {each.name for each in names if each.ctx == "load"} - {each.name for each in names if each.ctx != "load"}

    # Where the addresses of a page begin is part of what a row is kept by.
    assert from_elsewhere("awards/row.html", "ranked_row") == {"url_for", "outcome_tag", "status", "loop"}
    assert from_elsewhere("awards/list.html", "outcome_tag") == {"status"}
    assert from_elsewhere("components/status.html", "status") == set()
    by = [each for each in tree(app, "awards/row.html").find_all(nodes.Getattr) if isinstance(each.node, nodes.Name)]
    told = {each.attr for each in by if each.node.name == "by"}
    assert {"partial", "moves_scores"} <= told <= {each.name for each in fields(DrawnBy)}


def test_every_template_names_static_files_that_exist(app: Flask) -> None:
    def gone(name: str) -> list[str]:
        ours = [file for file in literal_calls(app, name, "asset") if not file.startswith("vendor/")]
        return [file for file in ours if not (STATIC / file).is_file()]

    assert wrong_in(gone) == {}


def test_every_template_is_used(app: Flask) -> None:
    """By a view, or by another template."""
    named = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("grants", "templates", "jobs")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".html", ".txt") and "static" not in path.parts
    )
    unused = [name for name in PAGES if f'"{name}"' not in named and f"'{name}'" not in named]

    assert unused == []


def styled() -> set[str]:
    """Every class our own style sheet speaks of."""
    sheet = re.sub(r"/\*.*?\*/", "", (STATIC / "app.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"\.([a-zA-Z][\w-]*)", re.sub(r"\{[^{}]*\}", "", sheet)))


def written(*kinds: str) -> str:
    """Everything a page may take the name of a class from."""
    sources = (path for folder in (FOLDER, ROOT / "grants") for path in folder.rglob("*.*"))
    return "\n".join(path.read_text("utf-8") for path in sources if path.suffix in kinds and "vendor" not in path.parts)


def test_every_class_of_the_style_sheet_is_on_some_page() -> None:
    text = written(".html", ".py", ".js")
    words = set(re.findall(r"[\w-]+", text))
    # Names put together on the page: is-{{ state }}.
    begun = tuple(set(re.findall(r"(?<![\w-])([a-z]+-+(?:[a-z]+[-_]+)*)(?=\{|\" ~|\$\{)", text)))

    assert len(styled()) > 100
    assert sorted(each for each in styled() - words if not each.startswith(begun)) == []


def test_every_class_of_ours_on_a_page_has_a_look_or_a_script() -> None:
    scripts = set(re.findall(r"[\w-]+", written(".js")))
    ours = set(
        re.findall(r"(?<![\w#-])(?<!id=\")pg-[a-z0-9]+(?:(?:-+|__)[a-z0-9]+)*(?![\w-])", written(".html", ".py"))
    )

    assert sorted(ours - styled() - scripts) == []


@functools.cache
def pages_given() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Every page of a view: the file that names it, its template where it is written out, and what it is given."""
    views = [
        path for path in (ROOT / "grants").rglob("*.py") if "views" in path.as_posix() or path.parent.name == "web"
    ]
    return tuple(
        (
            str(path.relative_to(ROOT)),
            str(node.args[0].value) if isinstance(node.args[0], ast.Constant) else "",
            tuple(each.arg for each in node.keywords if each.arg),
        )
        for path in views
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "page" and node.args
    )


def test_no_page_hides_what_the_frame_of_every_page_reads(app: Flask) -> None:
    with app.test_request_context("/"):
        framed = {name for each in app.template_context_processors[None] for name in each()}
    given = {f"{file}: {name}" for file, _, names in pages_given() for name in names if name in framed}

    assert {"filling", "actor", "menu"} <= framed
    assert given == set()


@functools.cache
def spoken(app: Flask, name: str) -> frozenset[str]:
    """Every name a page speaks of, with the frame it stands in and the parts it includes."""
    parsed = tree(app, name)
    inside = [
        str(part.template.value)
        for part in parsed.find_all((nodes.Extends, nodes.Include))
        if isinstance(part.template, nodes.Const)
    ]
    return frozenset(found.name for found in parsed.find_all(nodes.Name)).union(*(spoken(app, each) for each in inside))


def test_no_page_is_given_what_it_does_not_use(app: Flask) -> None:
    unused = [
        f"{file}: {template} {name}"
        for file, template, names in pages_given()
        if template in PAGES
        # A form that was sent and stands nowhere on the page is given for what is wrong with it alone, which ``page`` asks.
        for name in sorted(set(names) - spoken(app, template) - {"sent"})
    ]

    assert len(pages_given()) > 100
    assert unused == []


class Said(str):
    """A sentence that stands for whatever a mail is given: also for each of many, and for what it holds."""

    def __getattr__(self, name: str) -> Said:
        return self

    def __getitem__(self, place: Any) -> Said:
        return self

    def __iter__(self) -> Iterator[str]:
        return iter((self,) if str(self) else ())


RUN_TOGETHER = re.compile(r"[^\s.!?:][.!?:][”)]*[A-ZÄÖ“][^\n]*")


def test_no_sentence_of_a_mail_runs_into_the_next(app: Flask) -> None:
    """The newline beside a tag is taken away, so a sentence that may be missing can pull its neighbours together."""
    mails = [name for name in TEMPLATES if name.startswith("mail/")]

    assert wrong_in(lambda name: run_together(app, name), mails) == {}


def run_together(app: Flask, name: str) -> set[str]:
    """Ends and beginnings of sentences of a mail with nothing between them, whatever it is given."""
    called = {each.node.name for each in tree(app, name).find_all(nodes.Call) if isinstance(each.node, nodes.Name)}
    given = {each.name for each in tree(app, name).find_all(nodes.Name)} - called
    kinds = {each.value for each in tree(app, name).find_all(nodes.Const) if isinstance(each.value, str)}
    told, silent = dict.fromkeys(given, Said("It is said.")), dict.fromkeys(given, Said())
    # All there is, nothing there is, each alone missing and alone there, and each kind of news the text tells apart.
    cases: list[dict[str, str]] = [told, silent]
    cases += [{**told, key: Said()} for key in given] + [{**silent, key: Said("It is said.")} for key in given]
    cases += [{**told, key: Said(kind)} for key in given & {"what", "state"} for kind in kinds]
    links = dict.fromkeys(called, lambda *_, **__: "https://address")
    template, wrong = app.jinja_env.get_template(name), set()
    for case in cases:
        # A word that is no kind of this news has no text.
        with contextlib.suppress(UndefinedError):
            wrong |= set(RUN_TOGETHER.findall(template.render(case, **links)))
    return wrong
