"""What every sub-command stands on: settings, the program on them, and errors told as one sentence."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, assert_never

import click
import psycopg
from flask import current_app
from sqlalchemy.exc import OperationalError, ProgrammingError

from grants import local
from grants.core import filling, home
from grants.core.db import db
from grants.core.errors import GrantsError, NotFound, Refused
from grants.core.filling import Filling, Phase
from grants.core.permissions import Actor, Permission, system_actor

ROOT = Path(__file__).resolve().parents[2]
NO_TABLES = "The database has no tables yet, or older ones. Run `grants db upgrade` first."


class Commands(click.Group):
    """A group that answers what a person can cause by one sentence and exit code 1, never by a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except NotFound as error:
            words = (
                str(error)
                if error.args and str(error) != str(NotFound())
                else "Nothing here has that name or reference."
            )
            raise click.ClickException(words) from error
        except (GrantsError, local.LocalError) as error:
            fields = getattr(error, "problems", {})
            raise click.ClickException("\n".join([str(error), *fields.values()])) from error
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != "42P01":
                raise
            raise click.ClickException(NO_TABLES) from error
        except OperationalError as error:
            raise click.ClickException(f"The database does not answer. {_database_words(error)}") from error


def _database_words(error: OperationalError) -> str:
    """The driver's first line, which names host and role but never a password."""
    return _first_line(error.orig) if error.orig else ""


def _first_line(error: BaseException) -> str:
    words = (str(error).strip().splitlines() or [""])[0]
    if "no password supplied" in words:
        # Where pages run, the owner's address stands without it on purpose.
        words += ". If this is DATABASE_OWNER_URL: give this command the whole address, with its password."
    return words


@dataclass(frozen=True, slots=True)
class Program:
    """How a command gets its settings and the program on them."""

    load_config: Callable[[], Any]
    make_app: Callable[[Any], Any]

    def settings(self) -> Any:
        try:
            return self.load_config()
        except ValueError as error:
            raise click.ClickException(f"{error}\n`grants doctor` looks at everything else.") from error

    @contextlib.contextmanager
    def running(self, **changed: Any) -> Iterator[local.Addresses]:
        """The whole program on its servers: configured ones, running embedded ones, or embedded ones just for this."""
        settings = self.settings()
        with local.servers(settings) as addresses:
            # What is made here bears the demo's mark, and leads to the address, as what the running program makes does.
            as_it_runs = {
                "DATABASE_URL": addresses.database,
                "REDIS_URL": addresses.queue,
                "GRANTS_DEMO": settings.GRANTS_DEMO or _is_demo(addresses),
                "BASE_URL": settings.BASE_URL or local.Home(settings.home).runs_at(),
            }
            on = replace(settings, **{**as_it_runs, **changed})
            with self.make_app(on).app_context():
                try:
                    yield addresses
                finally:
                    db.session.remove()
                    db.engine.dispose()


def _is_demo(addresses: local.Addresses) -> bool:
    """Whether the database says so itself, or will once it is whole."""
    try:
        return local.demo_mark(addresses.database) in (local.DEMO_MARK, local.DEMO_UNFINISHED)
    except psycopg.OperationalError as error:
        raise click.ClickException(f"The database does not answer. {_first_line(error)}") from error


def operator(*permissions: Permission) -> Actor:
    """Whoever holds this machine: named in the audit by the account they use on it. Acts of theirs wait for a demo too."""
    _refuse_while_filling()
    return system_actor(
        f"command line ({os.environ.get('SUDO_USER') or os.environ.get('USER') or os.geteuid()})", permissions
    )


def _refuse_while_filling() -> None:
    """A deed does not come into the middle of the demo's stories, from here as little as from a page."""
    found = filling.read(home.folder())
    if found is None:
        if local.demo_mark(current_app.config["DATABASE_URL"]) != local.DEMO_UNFINISHED:
            return
        # Filled from another machine, or ended half-way there: how far it is cannot be seen here.
        raise Refused(f"The demo is being filled. {_WAIT}.")
    match found.phase:
        case Phase.PREPARING:
            raise Refused(f"The demo is being prepared. {_WAIT}, {found.wait}.")
        case Phase.FILLING:
            refuse_filling(found)
        case Phase.INTERRUPTED:
            raise Refused(
                "The demo was begun and never completed, and nothing is changed in a part of one. `make run` or "
                "`grants demo reset` begins it anew."
            )
        case _:
            assert_never(found.phase)


def refuse_filling(found: Filling | None) -> None:
    """Whoever fills it goes on; with their step, so that nobody wonders whether anything happens."""
    if found is not None and found.phase is Phase.FILLING:
        how_far = f": {found.done} of {found.total}" if found.total else ""
        raise Refused(f"The demo is being filled{how_far}. {_WAIT}, {found.wait}.")


_WAIT = "Nothing is changed until it is whole"
