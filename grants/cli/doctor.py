"""`grants doctor`: settings, database, queue, fonts, clock, disk and mail, the red things first."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import IntEnum
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
from cryptography.hazmat.primitives.serialization import pkcs12

from grants import local
from grants.cli.program import ROOT, Program
from grants.core import clock, faults, scanning, signing, triggers
from grants.core.db import db
from grants.core.scanning import State
from grants.oversight.rules import Check

FONTS = ROOT / "grants" / "web" / "static" / "vendor"
CLOCK_SECONDS_MAX = 5
DISK_BYTES_MIN = 500_000_000
# Settings of PostgreSQL without which a commit that was answered is not on the disk, or not whole.
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


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
    found = [
        Finding(Level.WELL, "settings", f"read; {settings.GRANTS_ENV}"),
        _fonts(),
        _mail(settings),
        _scanner(program, settings),
    ]
    if settings.BASE_URL.startswith("https://") and not settings.TRUSTED_PROXIES:
        words = "TRUSTED_PROXIES is 0: behind a proxy everybody seems to come from one address; set it to 1"
        found.append(Finding(Level.WARNING, "proxy", words))
    found += [*_disk(settings.home), *_signing_key(settings), *_programme_certificate(settings)]
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
        from grants.payments import queries as payments

        try:
            # Disk and roles are looked at here more closely.
            found = [
                Finding(_level(check), check.name, check.words)
                for check in queries.health()
                if check.name not in ("disk", "roles")
            ]
            if found[0].level is Level.WELL:
                found += _rights(settings, addresses)
            if all(finding.level is Level.WELL for finding in found if finding.what in ("database", "migrations")):
                proofs = queries.proofs()
                found.append(Finding(Level.WELL if proofs.well else Level.RED, proofs.name, proofs.words))
                found += _absences()
                found += _sent_elsewhere()
                if outlasting := payments.outlasting_words():
                    found.append(Finding(Level.WARNING, "parents", outlasting))
        finally:
            db.session.remove()
            db.engine.dispose()
    return found


def _absences() -> list[Finding]:
    """Whose absence stops a payment that is due, or would."""
    from grants.payments import queries

    told = queries.absences(clock.now())
    if not told:
        return [Finding(Level.WELL, "payments", "nobody’s absence stops one that is due in the next thirty days")]
    return [Finding(Level.WARNING, "payments", words) for words in told]


def _sent_elsewhere() -> list[Finding]:
    """Payment files that were sent and that this database does not know, or whose payments still wait for a word."""
    from grants.payments import queries, services

    strange, broken = services.unknown_files()
    waiting = queries.open_payments()
    found = [Finding(Level.RED, "sent files", each) for each in broken]
    if strange:
        named = ", ".join(each[0].file.message_id for each in strange[:3])
        words = f"{len(strange)} were sent that this database does not know ({named}); a worker takes them down at its start"
        found.append(Finding(Level.RED, "sent files", words))
    if waiting:
        words = f"{waiting} payments of files sent elsewhere wait for two people; see “Files sent elsewhere”"
        found.append(Finding(Level.WARNING, "sent files", words))
    return found


def _level(check: Check) -> Level:
    if check.well:
        return Level.WELL
    return Level.RED if check.stops_pages else Level.WARNING


def _rights(settings: Any, addresses: local.Addresses) -> list[Finding]:
    with db.engine.connect() as connection:
        ask = connection.exec_driver_sql
        off = abs((ask("SELECT clock_timestamp()").scalar_one() - clock.now()).total_seconds())
        version = ask("SELECT current_setting('server_version_num')::int").scalar_one()
        owns = ask(f"SELECT {triggers.OWNS_TABLES}").scalar_one()
        durable = {name: ask(f"SELECT current_setting('{name}')").scalar_one() for name in DURABLE}
    found = [
        Finding(Level.WELL, "clock", "agrees with the database's")
        if off <= CLOCK_SECONDS_MAX
        else Finding(Level.RED, "clock", f"{off:.0f} seconds apart from the database's; set both by a time server")
    ]
    if version < 150_000:
        found.append(Finding(Level.RED, "database", "older than PostgreSQL 15; use a newer server"))
    if owns:
        words = "the program signs in as the owner of its tables, whom no trigger binds; give DATABASE_URL a role of its own"
        found.append(Finding(_serious(settings), "roles", words))
    elif not addresses.owner:
        found.append(Finding(Level.WARNING, "roles", "DATABASE_OWNER_URL is not set; `grants db upgrade` needs it"))
    return [*found, _power_loss(settings, durable)]


def _serious(settings: Any) -> Level:
    """What is put up with where one only tries, and stops where it is meant."""
    return Level.RED if settings.GRANTS_ENV == "production" else Level.WARNING


def _power_loss(settings: Any, durable: Mapping[str, str]) -> Finding:
    """Whether what the database said is kept is on the disk: a page that says “paid” must not forget it with the power."""
    if off := [name for name, value in durable.items() if value == "off"]:
        words = f"{' and '.join(off)} off: what was just paid can be lost with the power; set to on in postgresql.conf"
        return Finding(_serious(settings), "power loss", words)
    return Finding(Level.WELL, "power loss", "what is committed is on the disk before it is answered")


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


def _signing_key(settings: Any) -> list[Finding]:
    """Nothing is said where there is no key yet: the first checkpoint makes it."""
    path = signing.place_of(settings.CHECKPOINT_KEY_FILE, settings.home)
    if not path.exists() or signing.is_private(path):
        return []
    return [
        Finding(Level.WARNING, "checkpoints", f"others on this machine may read {path}, the key that signs; chmod 600")
    ]


def _programme_certificate(settings: Any) -> list[Finding]:
    """Whether agreements in force can be signed for the programme; nothing is said where no certificate is configured."""
    if not settings.PROGRAMME_SIGNING_KEY:
        return []
    key, password = Path(settings.PROGRAMME_SIGNING_KEY), Path(settings.PROGRAMME_SIGNING_PASSWORD_FILE)
    open_to_others = [
        Finding(Level.WARNING, "certificate", f"others on this machine may read {path}; chmod 600")
        for path in (key, password)
        if path.exists() and not signing.is_private(path)
    ]
    try:
        data, secret = key.read_bytes(), password.read_text(encoding="utf-8").strip()
        certificate = pkcs12.load_key_and_certificates(data, secret.encode())[1]
    except (OSError, UnicodeDecodeError) as error:
        return [*open_to_others, Finding(Level.RED, "certificate", f"the file cannot be read: {error}")]
    except ValueError:
        words = f"{key} is not opened by the password in {password}, or is no PKCS#12 file"
        return [*open_to_others, Finding(Level.RED, "certificate", words)]
    if certificate is None:
        return [*open_to_others, Finding(Level.RED, "certificate", f"{key} holds no certificate")]
    ends = certificate.not_valid_after_utc
    day = clock.long_date(clock.in_zone(ends).date())
    if ends <= clock.now():
        return [*open_to_others, Finding(Level.RED, "certificate", f"the programme’s certificate ended on {day}")]
    level = Level.WARNING if ends <= clock.now() + timedelta(days=30) else Level.WELL
    return [*open_to_others, Finding(level, "certificate", f"agreements are signed for the programme; until {day}")]


def _scanner(program: Program, settings: Any) -> Finding:
    with program.make_app(settings).app_context():
        state, words = scanning.look()
    level = {State.OFF: Level.WARNING, State.ANSWERS: Level.WELL, State.AWAY: Level.RED}[state]
    return Finding(level, "viruses", words)


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
