"""`grants call` and `grants demo`: what fills a database."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click
import psycopg
from flask import current_app
from sqlalchemy import event

from grants import local
from grants.cli.database import owner_of, upgrade_database
from grants.cli.program import Program, operator, refuse_filling
from grants.core import filling
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.filling import Filling, Phase
from grants.core.home import folder_of
from grants.core.permissions import Permission


@click.group()
def call() -> None:
    """Calls for proposals."""


@call.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_call(program: Program, file: Path) -> None:
    """Import a call file (YAML); every problem is listed with its place, and then nothing is imported."""
    from grants.calls import services

    with program.running():
        made = services.import_call(operator(Permission.CALL_IMPORT), _text_of(file))
        click.echo(f"{made.reference} was imported as a draft: {made.title}. Look at it, then publish it on its page.")
        for note in made.notes:
            click.echo(note)


@call.command("export")
@click.argument("slug")
@click.pass_obj
def export_call(program: Program, slug: str) -> None:
    """Write a call as a call file (YAML) to the standard output; SLUG is the last part of its page's address."""
    from grants.calls import queries

    with program.running():
        try:
            click.echo(queries.file_text(operator(Permission.CALL_MANAGE), slug), nl=False)
        except NotFound as error:
            raise Refused(f"There is no call at /calls/{slug}. Look at the address of its page.") from error


@call.command("draw")
@click.argument("slug")
@click.pass_obj
def draw_again(program: Program, slug: str) -> None:
    """Draw the group at the budget line of a confirmed list again, from what is kept with its decision.

    Prints the rank intervals where the call draws by them, the seed and the order. Exit code 1 if it is not the one decided.
    """
    from grants.awards import queries
    from grants.awards.states import SelectionKind, SelectionState
    from grants.calls import queries as calls

    with program.running():
        try:
            view = calls.call(operator(Permission.CALL_MANAGE), slug)
        except NotFound as error:
            raise Refused(f"There is no call at /calls/{slug}. Look at the address of its page.") from error
        standing = [each for each in queries.selections(view.id) if each.kind is SelectionKind.RANKED]
        confirmed = next((each for each in standing if each.state is SelectionState.CONFIRMED), None)
        if confirmed is None or confirmed.plan is None or confirmed.plan.draw is None:
            raise Refused(f"Nothing was drawn by lot in {view.title}, or its list is not confirmed yet.")
        plan, found = queries.drawn_again(view, confirmed.id)
        assert plan.draw is not None, "it was drawn"
        for sentence in (*plan.draw.sentences, *([plan.intervals.words] if plan.intervals else [])):
            click.echo(sentence)
        for reference, low, high in plan.intervals.each if plan.intervals else ():
            click.echo(f"{reference}: rank {low} to {high}{', drawn' if reference in found.drawn else ''}")
        click.echo(f"Drawn again: {', '.join(found.drawn)}.")
        if found.drawn != plan.draw.drawn:
            click.echo(f"The list that was decided says: {', '.join(plan.draw.drawn)}.")
            raise SystemExit(1)
        click.echo("It is the order that was decided.")


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not UTF-8 text. Save it as UTF-8 and try again.") from error


@click.group()
def demo() -> None:
    """The demo programme: real calls and cities, invented people."""


@demo.command("load")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def load_demo(program: Program, yes: bool) -> None:
    """Fill an empty database with the demo."""
    _refuse_without_demo(program)
    home = program.settings().home
    with local.servers(program.settings()) as addresses:
        if not local.is_empty(addresses.database):
            raise Refused(
                "This database is not empty: the demo is loaded into an empty one only. `grants demo reset` empties a demo."
            )
        if not yes:
            click.confirm("Fill this database with the demo? Demo people sign in without a password.", abort=True)
        filling.write(home, filling.NO_TABLES)
        upgrade_database(addresses)
    with program.running(GRANTS_DEMO=True) as addresses:
        _load(addresses, home)


@demo.command("reset")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def reset_demo(program: Program, yes: bool) -> None:
    """Empty a demo and load it again; refuses every database that is not marked as one."""
    _refuse_without_demo(program)
    home, left_in = program.settings().home, program.settings().CHECKPOINT_FOLDER
    with local.servers(program.settings()) as addresses:
        _refuse_unmarked(addresses)
        if not yes:
            click.confirm("Delete everything in this demo and load it again?", abort=True)
        if left_in:
            _set_aside(addresses, folder_of(left_in))
        _empty(addresses, home)
    with program.running(GRANTS_DEMO=True) as addresses:
        _load(addresses, home)


def _refuse_without_demo(program: Program) -> None:
    if importlib.util.find_spec("grants.demo") is None:
        raise Refused("This version comes without a demo.")
    if program.settings().GRANTS_ENV == "production":
        raise Refused("GRANTS_ENV is production: there is no demo there.")
    # Who begins one anew, as the supervisor does, says before that nothing of the last one is being filled any more.
    refuse_filling(filling.read(program.settings().home))


def _refuse_unmarked(addresses: local.Addresses) -> None:
    if local.demo_mark(addresses.database) not in (local.DEMO_MARK, local.DEMO_UNFINISHED):
        raise Refused("This database is not marked as a demo. Nothing was changed.")


def _set_aside(addresses: local.Addresses, folder: Path) -> None:
    """Move the checkpoints of the record that ends now into a folder of their own, where the next one's check leaves them.

    Those of other records stay: what is strange about them is still to be told.
    """
    with local.connect(addresses.database) as connection:
        if connection.execute("SELECT to_regclass('audit_seal')").fetchone() == (None,):
            return
        first = connection.execute("SELECT encode(hash, 'hex') FROM audit_seal WHERE position = 1").fetchone()
    if first is None or not folder.is_dir():
        return
    record = first[0][:16]
    aside = folder / f"ended-{record}"
    try:
        for file in sorted(folder.glob(f"checkpoint-{record}-*.txt")):
            aside.mkdir(exist_ok=True)
            file.rename(aside / file.name)
    except OSError as error:
        raise Refused(
            f"The checkpoints of this demo in {folder} cannot be moved to {aside} ({error.strerror}), and would contradict "
            "the next record there. Make the folder writable. Nothing was changed in the database."
        ) from error


def _empty(addresses: local.Addresses, home: Path) -> None:
    """Marked first, so that whatever stops this half-way, nobody takes what is left for a demo."""
    owner = owner_of(addresses)
    filling.write(home, filling.NO_TABLES)
    local.set_demo_mark(owner, local.DEMO_UNFINISHED)
    local.empty_schema(owner)
    # They prove a record that is gone now, and would say so of the next one; a folder of somebody's own is only tidied.
    shutil.rmtree(home / "checkpoints", ignore_errors=True)
    upgrade_database(addresses)


def _load(addresses: local.Addresses, home: Path) -> None:
    """Marked first as unfinished, so that an interrupted load is begun anew at the next start."""
    owner = owner_of(addresses)
    loader = importlib.import_module("grants.demo")
    filling.write(home, filling.NOTHING_DONE)
    local.set_demo_mark(owner, local.DEMO_UNFINISHED)
    event.listen(db.engine, "connect", _do_not_wait_for_the_disk)
    # Nobody works yet whom a bell could wake; what waits at the end is rung by the schedule.
    current_app.config["REDIS_URL"] = ""
    two = len(os.sched_getaffinity(0)) > 1
    (loader.load_in_two if two else loader.load)(_Told(home))
    local.set_demo_mark(owner, local.DEMO_MARK)
    filling.end(home)
    click.echo("The demo is loaded.")


def _do_not_wait_for_the_disk(connection: psycopg.Connection[Any], record: object) -> None:
    """A thousand short transactions that nobody relies on yet; the mark that ends the load waits for all of them."""
    connection.autocommit = True
    connection.execute("SET synchronous_commit TO off")
    connection.autocommit = False


class _Told:
    """How far the load is: for whoever looks at a page meanwhile, and for whoever sits at the terminal."""

    def __init__(self, home: Path) -> None:
        self.home, self.began = home, time.monotonic()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        left = filling.seconds_left(done, total, time.monotonic() - self.began)
        filling.write(self.home, Filling(Phase.FILLING, done, total, note, left))
        self._show(done, total, note)

    def _show(self, done: int, total: int, note: str) -> None:
        """One line that grows on a terminal, one line each elsewhere."""
        words = f"  {done:>4} of {total}  {note}"
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns - 1
            bar = "#" * (20 * done // total) + "." * (20 - 20 * done // total)
            click.echo(f"\r  {bar}{words}"[: width + 1].ljust(width + 1), nl=done >= total)
        else:
            click.echo(words)
