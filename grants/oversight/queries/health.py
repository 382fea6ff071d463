"""Whether the program is well: what taking work needs, each looked at now."""

from __future__ import annotations

import shutil
from pathlib import Path

from flask import current_app
from redis.exceptions import RedisError
from sqlalchemy import column, literal_column, select, table
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from grants.core import clock, filling, home, jobs, quarantine, scanning, triggers
from grants.core.db import db
from grants.oversight import rules
from grants.oversight.rules import Check

HEAD = Path(__file__).resolve().parents[3] / "migrations" / "HEAD"


def health() -> tuple[Check, ...]:
    """What taking work needs, each looked at now: database, migrations, queue, disk, the bell of the jobs, and in
    production whether the database's rights bind the program.
    """
    database, applied = _database()
    checks = [database]
    if database.well:
        checks += [rules.migrations_check(applied, _expected()), *_roles(), *_jobs()]
        checks += _scans()
    return (*checks, _queue(), rules.disk_check(_free_bytes()), *_demo())


def _scans() -> tuple[Check, ...]:
    """Whether uploads leave the quarantine; nothing is said where no scanner is set."""
    if not scanning.is_on():
        return ()
    try:
        waiting, oldest = quarantine.oldest_wait()
    except SQLAlchemyError:
        db.session.rollback()
        return ()
    return (rules.scans_check(waiting, oldest, clock.now()),)


def _database() -> tuple[Check, str | None]:
    """Whether it answers, and the migration it stands at; None where it has no tables yet."""
    well = Check("database", True, "answers")
    try:
        return well, db.session.scalar(select(column("version_num")).select_from(table("alembic_version")))
    except ProgrammingError:
        db.session.rollback()
        return well, None
    except SQLAlchemyError:
        db.session.rollback()
        return Check("database", False, "does not answer"), None


def _roles() -> tuple[Check, ...]:
    """Looked at again here: when the pages started the database may not have answered."""
    if current_app.config["GRANTS_ENV"] != "production":
        return ()
    owns = db.session.scalar(select(literal_column(triggers.OWNS_TABLES)))
    words = "signs in as the owner of its tables" if owns else "the program owns none of its tables"
    return (Check("roles", not owns, words),)


def _expected() -> str | None:
    """The migration this program was written for; None in a checkout without any."""
    return HEAD.read_text(encoding="utf-8").strip() if HEAD.exists() else None


def _jobs() -> tuple[Check, ...]:
    try:
        found = jobs.waiting()
    except SQLAlchemyError:
        db.session.rollback()
        return (Check("jobs", False, "their table is not there"),)
    behind = rules.machinery_checks(
        oldest_due_seconds=found.oldest_due_seconds,
        oldest_mail_seconds=found.oldest_mail_seconds,
        scheduler_seen_seconds=found.beats.get("scheduler"),
    )
    return (rules.bell_check(found.oldest_unrung_seconds), *behind)


def _queue() -> Check:
    try:
        jobs.queue_server().ping()
    except (RedisError, OSError, ValueError):
        return Check("queue", False, "does not answer")
    return Check("queue", True, "answers")


def _demo() -> tuple[Check, ...]:
    """While a demo is being filled, its people can look around and nobody can work."""
    found = filling.read(home.folder())
    if found is None:
        return ()
    words = "filling it stopped" if found.phase is filling.Phase.INTERRUPTED else "is being filled"
    no_pages = found.phase is filling.Phase.PREPARING
    return (Check("demo", False, f"{words}: {found.done} of {found.total}", stops_pages=no_pages),)


def _free_bytes() -> int:
    data = home.folder()
    # Before the first upload the folder may not be there yet: the disk it will lie on is.
    return shutil.disk_usage(next(folder for folder in (data, *data.parents) if folder.exists())).free
