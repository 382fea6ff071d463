"""The command `grants`; each sub-command is one act, one query, or one thing an operator does to the installation."""

from __future__ import annotations

import contextlib
import csv
import importlib
import importlib.util
import json
import os
import shutil
import smtplib
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
from sqlalchemy import NullPool, create_engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from grants import local
from grants.core import acts, audit, clock, faults, triggers
from grants.core.db import db
from grants.core.errors import GrantsError, Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission, system_actor

ROOT = Path(__file__).resolve().parents[1]
FONTS = ROOT / "grants" / "web" / "static" / "vendor"
CLOCK_SECONDS_MAX = 5
DISK_BYTES_MIN = 500_000_000
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
            on = replace(settings, DATABASE_URL=addresses.database, REDIS_URL=addresses.queue, **changed)
            with self.make_app(on).app_context():
                try:
                    yield addresses
                finally:
                    db.session.remove()
                    db.engine.dispose()


def build_cli(load_config: Callable[[], Any], make_app: Callable[[Any], Any]) -> click.Group:
    """The whole command; settings are read when a sub-command needs them."""

    @click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
    @click.pass_context
    def grants(context: click.Context) -> None:
        """Pilot grant programmes for cities, from the call to the last accounted cent."""
        context.obj = Program(load_config, make_app)

    for command in (run, web, status, doctor, database, users, call, demo, ledger, audit_group, report, export):
        grants.add_command(command)
    return grants


def operator(*permissions: Permission) -> Actor:
    """Whoever holds this machine: named in the audit by the account they use on it."""
    return system_actor(
        f"command line ({os.environ.get('SUDO_USER') or os.environ.get('USER') or os.geteuid()})", permissions
    )


# --- running ------------------------------------------------------------------------------------------------


@click.command()
@click.pass_obj
def run(program: Program) -> None:
    """Start everything on this machine and keep it alive (what `make run` does)."""
    raise SystemExit(local.Supervisor(program.settings(), os.environ).run())


@click.command()
@click.option("--fd", type=int, help="A listening socket handed over by the supervisor.")
@click.pass_obj
def web(program: Program, fd: int | None) -> None:
    """The web process alone, for machines where something else keeps it alive."""
    settings = program.settings()
    listener = local.listen(settings.HOST, settings.PORT) if fd is None else socket.socket(fileno=fd)
    local.serve(program.make_app(settings), settings, listener)


# --- status and doctor --------------------------------------------------------------------------------------

# One statement per key, with the table it needs; a table that is not there yet counts nothing.
COUNTS = {
    "calls": ("call", 'SELECT count(*) FROM "call"'),
    "applications": ("application", "SELECT count(*) FROM application"),
    "cities": ("city", "SELECT count(*) FROM city"),
    "evaluators": ("evaluator", "SELECT count(*) FROM evaluator"),
    "assessments": ("assessment", "SELECT count(*) FROM assessment"),
    # Applications selected by a decision that a second person confirmed.
    "awards": (
        "selection_item",
        "SELECT count(DISTINCT item.application_id) FROM selection_item AS item JOIN selection ON "
        "selection.id = item.selection_id WHERE item.outcome = 'selected' AND selection.state = 'confirmed'",
    ),
    # Agreements signed by both sides.
    "grants": ("grant_agreement", "SELECT count(*) FROM grant_agreement WHERE state IN ('in_force', 'closed')"),
    "payment_orders": ("payment_order", "SELECT count(*) FROM payment_order"),
    "paid_cents": (
        "payment_order",
        "SELECT coalesce(sum(amount), 0)::bigint FROM payment_order WHERE state = 'executed'",
    ),
    "journal_entries": ("ledger_entry", "SELECT count(*) FROM ledger_entry"),
    "audit_events": ("audit_event", "SELECT count(*) FROM audit_event"),
}


def counts() -> dict[str, Any]:
    """What `grants status` shows."""
    with db.engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        found: dict[str, Any] = {
            key: connection.exec_driver_sql(statement).scalar_one() if table in there else 0
            for key, (table, statement) in COUNTS.items()
        }
        states = "SELECT state, count(*) FROM job GROUP BY state ORDER BY state"
        found["jobs"] = {
            state: number for state, number in (connection.exec_driver_sql(states) if "job" in there else ())
        }
    return found


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object, for machines.")
@click.pass_obj
def status(program: Program, as_json: bool) -> None:
    """How much there is of everything."""
    with program.running():
        found = counts()
    if as_json:
        click.echo(json.dumps(found))
        return
    for key, value in found.items():
        shown = ", ".join(f"{number} {state}" for state, number in value.items()) if isinstance(value, dict) else value
        click.echo(f"{key.replace('_', ' '):16}  {shown}")


class Level(IntEnum):
    """How bad a finding is; red first."""

    RED = 0
    WARNING = 1
    WELL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    what: str
    words: str


@click.command()
@click.option("--faults", "list_faults", is_flag=True, help="List the fault points that GRANTS_FAULT may name.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON list, for machines.")
@click.pass_obj
def doctor(program: Program, list_faults: bool, as_json: bool) -> None:
    """Look at settings, database, queue, fonts, clock, disk and mail; exit code 1 if anything is red."""
    if list_faults:
        for name, guard in sorted(faults.POINTS.items()):
            click.echo(f"{name:12}  {guard}")
        return
    found = sorted(examine(program), key=lambda finding: finding.level)
    if as_json:
        click.echo(json.dumps([{"level": f.level.name.lower(), "what": f.what, "words": f.words} for f in found]))
    else:
        colours = {Level.RED: "red", Level.WARNING: "yellow", Level.WELL: "green"}
        for finding in found:
            click.echo(
                click.style(f"{finding.level.name:8}", fg=colours[finding.level]) + f"{finding.what:12}{finding.words}"
            )
    if found[0].level is Level.RED:
        raise SystemExit(1)


def examine(program: Program) -> list[Finding]:
    """Everything that can be looked at now; bad settings leave the rest to be looked at."""
    try:
        settings = program.load_config()
    except ValueError as error:
        return [Finding(Level.RED, "settings", str(error)), _fonts(), *_disk(Path.cwd())]
    found = [Finding(Level.WELL, "settings", f"read; {settings.GRANTS_ENV}"), _fonts(), _mail(settings)]
    found += _disk(settings.home)
    embedded = not (settings.DATABASE_URL and settings.REDIS_URL)
    if embedded and not (settings.home / "servers.json").exists():
        return [*found, Finding(Level.WARNING, "database", "not made yet; `make run` makes it")]
    try:
        with local.servers(settings) as addresses:
            found += _database(program, settings, addresses)
    except local.LocalError as error:
        found.append(Finding(Level.RED, "servers", str(error)))
    return found


def _database(program: Program, settings: Any, addresses: local.Addresses) -> list[Finding]:
    """The database, the queue and the clock, through the program itself."""
    on = replace(settings, DATABASE_URL=addresses.database, REDIS_URL=addresses.queue)
    with program.make_app(on).app_context():
        from grants.oversight import queries

        try:
            found = [
                Finding(Level.WELL if check.well else Level.RED, check.name, check.words)
                for check in queries.health()
                if check.name != "disk"
            ]
            if found[0].level is Level.WELL:
                found += _rights(addresses)
        finally:
            db.session.remove()
            db.engine.dispose()
    return found


def _rights(addresses: local.Addresses) -> list[Finding]:
    with db.engine.connect() as connection:
        ask = connection.exec_driver_sql
        off = abs((ask("SELECT clock_timestamp()").scalar_one() - clock.now()).total_seconds())
        version = ask("SELECT current_setting('server_version_num')::int").scalar_one()
        owns = ask(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user"
        ).scalar_one()
    found = [
        Finding(Level.WELL, "clock", "agrees with the database's")
        if off <= CLOCK_SECONDS_MAX
        else Finding(Level.RED, "clock", f"{off:.0f} seconds apart from the database's; set both by a time server")
    ]
    if version < 150_000:
        found.append(Finding(Level.RED, "database", "older than PostgreSQL 15; use a newer server"))
    if owns:
        words = "the program signs in as the owner of its tables, whom no trigger binds; give DATABASE_URL a role of its own"
        found.append(Finding(Level.WARNING, "roles", words))
    elif not addresses.owner:
        found.append(Finding(Level.WARNING, "roles", "DATABASE_OWNER_URL is not set; `grants db upgrade` needs it"))
    return found


def _fonts() -> Finding:
    wanted = ("fonts/SourceSans3-Regular.ttf", "fonts/SourceSans3-Bold.ttf", "source-sans-3/index.css")
    missing = [name for name in wanted if not (FONTS / name).is_file()]
    if missing:
        return Finding(Level.RED, "fonts", f"{', '.join(missing)} missing; `make run` fetches the front-end files")
    return Finding(Level.WELL, "fonts", "Source Sans 3 for pages and PDFs is there")


def _disk(home: Path) -> list[Finding]:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    found = [
        Finding(Level.RED if free < DISK_BYTES_MIN else Level.WELL, "disk", f"{free // 1_000_000} MB free at {there}")
    ]
    if not os.access(there, os.W_OK):
        found.append(Finding(Level.RED, "disk", f"{there} is not writable for this user"))
    return found


def _mail(settings: Any) -> Finding:
    if not settings.SMTP_URL:
        return Finding(Level.WARNING, "mail", "SMTP_URL is not set: mails wait on the administrator's mail page")
    at = urlsplit(settings.SMTP_URL)
    kind = smtplib.SMTP_SSL if at.scheme == "smtps" else smtplib.SMTP
    try:
        with kind(at.hostname or "", at.port or (465 if at.scheme == "smtps" else 587), timeout=5) as server:
            server.ehlo()
            if at.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls()
            if at.username:
                server.login(unquote(at.username), unquote(at.password or ""))
    except (OSError, smtplib.SMTPException) as error:
        return Finding(Level.RED, "mail", f"{at.hostname} does not take mail from here ({type(error).__name__})")
    return Finding(Level.WELL, "mail", f"{at.hostname} answers")


# --- database -----------------------------------------------------------------------------------------------


@click.group("db")
def database() -> None:
    """The database's tables."""


@database.command()
@click.option("--quiet", is_flag=True, help="Say nothing when all is well.")
@click.pass_obj
def upgrade(program: Program, quiet: bool) -> None:
    """Bring the tables up to date, as the database's owner, entirely or not at all."""
    settings = program.settings()
    with local.servers(settings) as addresses:
        head = upgrade_database(addresses)
    if not quiet:
        click.echo(f"The database is up to date ({head or 'no migrations yet'}).")


def upgrade_database(addresses: local.Addresses) -> str:
    """Run every migration that is missing and give the program's role its rights; returns where the tables stand."""
    from alembic import command
    from alembic.migration import MigrationContext

    owner = _owner(addresses)
    engine = create_engine(owner, poolclass=NullPool)
    with engine.begin() as connection:
        # Two upgrades at once wait for each other.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7261002)")
        command.upgrade(alembic_config(connection), "head")
        role = make_url(addresses.database).username
        if role is not None and role != make_url(owner).username:
            triggers.grant_program_role(connection, role)
            if inspect(connection).has_table("alembic_version"):
                quoted = connection.dialect.identifier_preparer.quote(role)
                connection.exec_driver_sql(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {quoted}")
        return MigrationContext.configure(connection).get_current_revision() or ""


@database.command(hidden=True)
@click.argument("slug")
@click.pass_obj
def draft(program: Program, slug: str) -> None:
    """For developers: write the next migration from the difference between the models and an upgraded database."""
    from alembic import command

    folder = ROOT / "migrations"
    number = 1 + max((int(path.name[:4]) for path in (folder / "versions").glob("[0-9]*.py")), default=0)
    with local.servers(program.settings()) as addresses:
        upgrade_database(addresses)
        with create_engine(_owner(addresses), poolclass=NullPool).connect() as connection:
            command.revision(alembic_config(connection), message=slug, rev_id=f"{number:04}", autogenerate=True)
    (folder / "HEAD").write_text(f"{number:04}\n")


def alembic_config(connection: Any) -> Any:
    from alembic.config import Config

    found = Config(attributes={"connection": connection})
    found.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    found.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    found.set_main_option("path_separator", "os")
    return found


def _owner(addresses: local.Addresses) -> str:
    if not addresses.owner:
        raise Refused(
            "DATABASE_OWNER_URL is not set. Set it to the address of the same database, signing in as its owner."
        )
    return addresses.owner


# --- people -------------------------------------------------------------------------------------------------


@click.group()
def users() -> None:
    """Who may sign in."""


@users.command("add")
@click.argument("email")
@click.option("--name", required=True, help="The person's name, as others see it.")
@click.option("--role", "roles", multiple=True, help="A role held everywhere, for example administrator; repeatable.")
@click.pass_obj
def add_user(program: Program, email: str, name: str, roles: Sequence[str]) -> None:
    """Add a person and print the link, good once, by which they choose a password.

    The first administrator: grants users add ana@example.eu --name "Ana Horvat" --role administrator
    """
    from grants.identity import queries, services
    from grants.identity.policy import Role
    from grants.identity.rules import UserInput

    known = {role.value for role in Role}
    for role in roles:
        if role not in known:
            raise Invalid(f"“{role}” is not a role. Roles are: {', '.join(sorted(known))}.")
    with program.running():
        actor = operator(Permission.USER_INVITE, Permission.ROLE_ASSIGN)
        added = services.add_user(actor, UserInput(name=name, email=email, roles=tuple(Role(role) for role in roles)))
        assert added.link_id is not None, "only demo people come without a link"
        address = queries.sign_in_address(added.link_id)
    click.echo(f"{name} was added. This link works once; hand it over safely:\n{address}")


@users.command("disable")
@click.argument("email")
@click.option("--reason", required=True, help="Why this person must not sign in any more; kept in the audit.")
@click.pass_obj
def disable_user(program: Program, email: str, reason: str) -> None:
    """Keep a person out at once; what they did stays theirs."""
    from grants.identity import queries, services

    with program.running():
        person = queries.person_by_email(email.strip().lower())
        if person is None:
            raise Refused(f"Nobody here has the address {email}.")
        services.disable_user(operator(Permission.USER_DISABLE), person.id, reason=reason)
        click.echo(f"{person.name} cannot sign in any more.")


# --- calls and the demo -------------------------------------------------------------------------------------


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
    with program.running(GRANTS_DEMO=True) as addresses:
        if not local.is_empty(addresses.database):
            raise Refused(
                "This database is not empty: the demo is loaded into an empty one only. `grants demo reset` empties a demo."
            )
        if not yes:
            click.confirm("Fill this database with the demo? Demo people sign in without a password.", abort=True)
        _load(addresses)


@demo.command("reset")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def reset_demo(program: Program, yes: bool) -> None:
    """Empty a demo and load it again; refuses every database that is not marked as one."""
    _refuse_without_demo(program)
    with local.servers(program.settings()) as addresses:
        if local.demo_mark(addresses.database) not in (local.DEMO_MARK, local.DEMO_UNFINISHED):
            raise Refused("This database is not marked as a demo. Nothing was changed.")
        if not yes:
            click.confirm("Delete everything in this demo and load it again?", abort=True)
        with create_engine(_owner(addresses), poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '20s'")
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
            connection.exec_driver_sql("GRANT USAGE ON SCHEMA public TO PUBLIC")
        upgrade_database(addresses)
    with program.running(GRANTS_DEMO=True) as addresses:
        _load(addresses)


def _refuse_without_demo(program: Program) -> None:
    if importlib.util.find_spec("grants.demo") is None:
        raise Refused("This version comes without a demo.")
    if program.settings().GRANTS_ENV == "production":
        raise Refused("GRANTS_ENV is production: there is no demo there.")


def _load(addresses: local.Addresses) -> None:
    """Marked first as unfinished, so that an interrupted load is begun anew at the next start."""
    owner = _owner(addresses)
    loader = importlib.import_module("grants.demo")
    local.set_demo_mark(owner, local.DEMO_UNFINISHED)
    loader.load(_show_progress)
    local.set_demo_mark(owner, local.DEMO_MARK)
    click.echo("The demo is loaded.")


def _show_progress(done: int, total: int, note: str = "") -> None:
    """One line that grows on a terminal, one line each elsewhere."""
    words = f"  {done:>4} of {total}  {note}"
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        click.echo("\r" + words[:width].ljust(width), nl=done >= total)
    else:
        click.echo(words)


# --- checks -------------------------------------------------------------------------------------------------


@click.group()
def ledger() -> None:
    """The journal."""


@ledger.command("verify")
@click.pass_obj
def verify_ledger(program: Program) -> None:
    """Recompute the invariants of the journal; exit code 1 and the first difference if one fails."""
    from grants.ledger import queries
    from grants.oversight import queries as across

    with program.running():
        # Oversight adds what needs other stages (maxima, ceilings, dimensions) to the journal's own checks.
        found = getattr(across, "verify_ledger", queries.verify)()
        entries = queries.count_entries()
    _verdict([str(problem) for problem in found], f"{entries} entries checked; every invariant holds.")


@click.group("audit")
def audit_group() -> None:
    """The record of who did what."""


@audit_group.command("verify")
@click.pass_obj
def verify_audit(program: Program) -> None:
    """Seal what is pending, then recompute the whole chain; exit code 1 and the first difference if it is broken."""
    with program.running():
        found = audit.verify()
    click.echo(f"{found.sealed_now} events sealed now, {found.checked} checked.")
    _verdict([found.problem] if found.problem else [], f"The chain holds. Its head is {found.head}.")


def _verdict(problems: Sequence[str], well: str) -> None:
    if problems:
        click.echo(problems[0])
        if len(problems) > 1:
            click.echo(f"and {len(problems) - 1} more")
        raise SystemExit(1)
    click.echo(well)


# --- reports and exports ------------------------------------------------------------------------------------


@click.group()
def report() -> None:
    """Financial reports."""


@report.command("list")
@click.pass_obj
def list_reports(program: Program) -> None:
    """A name and its kind of scope per line."""
    from grants.documents import services

    for name, scope in services.statement_names():
        click.echo(f"{name} {scope}")


@report.command("run")
@click.argument("name")
@click.option("--scope", required=True, metavar="REF", help="What it is about, for example PCP-2022-C-0001.")
@click.option("--as-of", "as_of", metavar="TIME", help="Date and time with zone; without it, now.")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder for its files."
)
@click.pass_obj
def run_report(program: Program, name: str, scope: str, as_of: str | None, out: Path) -> None:
    """Make the files of one report, byte-identical each time for the same scope and moment."""
    from grants.documents import rules, services

    wanted = rules.Wanted(name, scope, None if as_of is None else rules.read_moment(as_of))
    with program.running():
        files = services.export(operator(Permission.STATEMENT_READ), wanted)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{out} cannot be made ({error.strerror}).") from error
    for file in files:
        _write_whole(out / file.name, [file.data])
        click.echo(str(out / file.name))


@click.command()
@click.argument("what", type=click.Choice(["journal", "balances", "audit"]))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.pass_obj
def export(program: Program, what: str, out: Path) -> None:
    """Write the journal or the balances as CSV (amounts in cents), or the sealed audit as JSON lines."""
    writers = {"journal": _journal, "balances": _balances, "audit": _audit_lines}
    with program.running():
        lines = _write_whole(out, writers[what]())
        acts.note_security("data.exported", actor=operator(), what=what, lines=lines)
    click.echo(f"{out}: {lines} lines")


def _journal() -> Iterator[bytes]:
    from grants.ledger import queries

    yield from _csv_lines(queries.JOURNAL_COLUMNS, queries.journal_rows())


def _balances() -> Iterator[bytes]:
    from grants.ledger import queries

    yield from _csv_lines(queries.BALANCE_COLUMNS, queries.balance_rows())


def _csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Lines of CSV; a text that a spreadsheet would run as a formula gets an apostrophe before it."""

    class Line:
        def write(self, text: str) -> bytes:
            return text.encode()

    writer: Any = csv.writer(Line(), lineterminator="\r\n")
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    match value:
        case datetime():
            return clock.as_utc(value).isoformat()
        case str() if value.startswith(("=", "+", "-", "@", "\t", "\r")):
            return f"'{value}"
        case _:
            return value


def _audit_lines() -> Iterator[bytes]:
    """Every sealed event with its position and hash, in the order of the chain, each as the bytes its hash covers."""
    audit.seal_pending()
    events, seals = audit.AuditEvent.__table__, audit.AuditSeal.__table__
    statement = (
        select(seals.c.position, seals.c.hash, events)
        .join(events, events.c.id == seals.c.event_id)
        .order_by(seals.c.position)
        .execution_options(yield_per=2_000)
    )
    for row in db.session.execute(statement):
        event = audit.canonical({column.name: row._mapping[column] for column in events.columns})
        head = f'{{"position":{row.position},"hash":"{row.hash.hex()}","event":'.encode()
        yield head + event + b"}\n"


def _write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """A file that is complete or not there: written beside its place, then renamed. Returns how many parts it has."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    written = 0
    try:
        with fresh.open("wb") as file:
            for written, part in enumerate(parts, 1):  # noqa: B007 -- the last number is the answer
                file.write(part)
        fresh.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}).") from error
    finally:
        fresh.unlink(missing_ok=True)
    return written


def _database_words(error: OperationalError) -> str:
    """The driver's first line, which names host and role but never a password."""
    return str(error.orig).strip().splitlines()[0] if error.orig else ""
