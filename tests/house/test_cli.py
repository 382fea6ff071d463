"""The command `grants` on a database of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from config import BadSettings, Config
from grants.app import create_app
from grants.cli import COUNTS, build_cli
from grants.core import acts, audit, faults
from grants.core.db import db
from grants.core.permissions import Permission
from grants.identity import services
from grants.identity.policy import Role
from grants.identity.queries import person_by_email, users_with

Grants = Callable[..., Result]
KEYS = "calls applications cities evaluators assessments awards grants payment_orders paid_cents journal_entries audit_events jobs"


@pytest.fixture
def grants(app: Flask, settings: Config) -> Grants:
    """The command in this process; its own application, on the test's database."""
    # The queue is never reached by these commands; an address keeps the command from starting one.
    on = replace(settings, REDIS_URL=f"unix://{settings.home}/no-queue")
    runner = CliRunner()

    def call(*words: str, cli: click.Group | None = None) -> Result:
        db.session.rollback()
        return runner.invoke(cli or build_cli(lambda: on, create_app), words, catch_exceptions=False)

    return call


def ana(grants: Grants) -> Result:
    return grants("users", "add", "Ana@Example.eu", "--name", "Ana Horvat", "--role", "administrator")


def test_status_has_exactly_the_named_keys_and_starts_at_nothing(grants: Grants) -> None:
    found = json.loads(grants("status", "--json").output)

    assert list(found) == KEYS.split()
    assert {key: value for key, value in found.items() if value} == {}
    assert [*COUNTS, "jobs"] == KEYS.split()


def test_status_counts_what_is_there(grants: Grants) -> None:
    ana(grants)

    assert json.loads(grants("status", "--json").output)["audit_events"] > 0
    assert "audit events" in grants("status").output


def test_the_first_administrator_gets_a_link_that_works_once(grants: Grants, app: Flask) -> None:
    answer = ana(grants)

    assert answer.exit_code == 0
    assert answer.output.splitlines()[-1].startswith("http://127.0.0.1:8000/")
    assert [person.email for person in users_with(Permission.USER_INVITE)] == ["ana@example.eu"]


def test_adding_somebody_twice_is_one_sentence(grants: Grants) -> None:
    ana(grants)

    answer = ana(grants)

    assert answer.exit_code == 1
    assert answer.output.startswith("Error: ")
    assert "here already" in answer.output


def test_an_unknown_role_names_the_known_ones(grants: Grants) -> None:
    answer = grants("users", "add", "a@example.eu", "--name", "A", "--role", "boss")

    assert answer.exit_code == 1
    assert "“boss” is not a role" in answer.output
    assert all(role.value in answer.output for role in Role)


def test_the_last_administrator_cannot_be_disabled_but_another_can(grants: Grants) -> None:
    ana(grants)
    grants("users", "add", "eva@example.eu", "--name", "Eva Lind", "--role", "evaluator")

    last = grants("users", "disable", "ana@example.eu", "--reason", "left")
    other = grants("users", "disable", " EVA@example.eu", "--reason", "left")
    nobody = grants("users", "disable", "nobody@example.eu", "--reason", "left")

    assert (last.exit_code, other.exit_code, nobody.exit_code) == (1, 0, 1)
    assert other.output == "Eva Lind cannot sign in any more.\n"
    assert person_by_email("eva@example.eu") is not None


def test_a_sound_audit_verifies_and_says_how_many_were_sealed(grants: Grants) -> None:
    ana(grants)

    first, again = grants("audit", "verify"), grants("audit", "verify")

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.output.startswith("3 events sealed now, 3 checked.")
    assert again.output.startswith("0 events sealed now, 3 checked.")


def test_a_changed_audit_fails_with_the_first_difference(grants: Grants, settings: Config) -> None:
    ana(grants)
    grants("audit", "verify")
    import psycopg

    with psycopg.connect(settings.DATABASE_OWNER_URL.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        owner.execute("UPDATE audit_event SET verb = 'user.forged' WHERE object_kind = 'user_account'")

    answer = grants("audit", "verify")

    assert answer.exit_code == 1
    assert "its event is not what was sealed" in answer.output


def test_an_empty_journal_verifies(grants: Grants) -> None:
    answer = grants("ledger", "verify")

    assert answer.exit_code == 0
    assert "0 entries checked" in answer.output


def test_the_audit_is_exported_as_the_bytes_its_hashes_cover(grants: Grants, app: Flask, tmp_path: Path) -> None:
    ana(grants)
    out = tmp_path / "audit.jsonl"

    answer = grants("export", "audit", "--out", str(out))

    assert answer.exit_code == 0, answer.output
    lines = out.read_bytes().splitlines()
    previous = audit.GENESIS
    for position, line in enumerate(lines, 1):
        found = json.loads(line)
        event = line.partition(b',"event":')[2][:-1]
        previous = audit.chained(previous, event)
        assert (found["position"], found["hash"]) == (position, previous.hex())
    assert len(lines) == 3


def test_journal_and_balances_are_exported_with_their_heads(grants: Grants, tmp_path: Path) -> None:
    for what, first in (("journal", "entry"), ("balances", "account")):
        out = tmp_path / f"{what}.csv"
        assert grants("export", what, "--out", str(out)).exit_code == 0
        assert out.read_text().partition(",")[0] == first
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["balances.csv", "journal.csv"]


def test_an_export_that_cannot_be_written_leaves_nothing(grants: Grants, tmp_path: Path) -> None:
    answer = grants("export", "journal", "--out", str(tmp_path / "missing" / "journal.csv"))

    assert answer.exit_code == 1
    assert "cannot be written" in answer.output


def test_doctor_shows_red_first_and_exits_1(grants: Grants) -> None:
    answer = grants("doctor")

    lines = answer.output.splitlines()
    levels = [line.split()[0] for line in lines]
    assert answer.exit_code == 1
    assert levels == sorted(levels, key=["RED", "WARNING", "WELL"].index)
    assert next(line for line in lines if "queue" in line).startswith("RED")
    assert {line.split()[1] for line in lines} >= {"settings", "database", "queue", "fonts", "clock", "disk", "mail"}


def test_doctor_works_with_bad_settings() -> None:
    def bad() -> Config:
        raise BadSettings("PORT is 0; it must lie between 1 and 65535, for example PORT=8000.")

    cli = build_cli(bad, create_app)
    answer = CliRunner().invoke(cli, ["doctor"], catch_exceptions=False)

    assert answer.exit_code == 1
    assert answer.output.splitlines()[0].split(maxsplit=2)[:2] == ["RED", "settings"]
    assert "fonts" in answer.output and "disk" in answer.output
    refused = CliRunner().invoke(cli, ["status"], catch_exceptions=False)
    assert refused.exit_code == 1
    assert "PORT is 0" in refused.output


def test_doctor_lists_the_fault_points(grants: Grants) -> None:
    listed = [line.split()[0] for line in grants("doctor", "--faults").output.splitlines()]

    assert listed == sorted(faults.POINTS)


def test_a_database_without_tables_is_one_sentence(grants: Grants, settings: Config) -> None:
    import psycopg

    with psycopg.connect(settings.DATABASE_OWNER_URL.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("DROP SCHEMA public CASCADE")
        owner.execute("CREATE SCHEMA public")
        owner.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")

    answer = ana(grants)

    assert answer.exit_code == 1
    assert answer.output == "Error: The database has no tables yet, or older ones. Run `grants db upgrade` first.\n"
    assert json.loads(grants("status", "--json").output)["audit_events"] == 0


def test_demo_reset_refuses_a_database_that_is_no_demo(grants: Grants) -> None:
    ana(grants)

    answer = grants("demo", "reset", "--yes")

    assert answer.exit_code == 1
    assert answer.output.startswith("Error: ")
    assert person_by_email("ana@example.eu") is not None


def test_every_command_explains_itself() -> None:
    cli = build_cli(lambda: Config(), create_app)
    words = [
        (name, inner)
        for name, command in cli.commands.items()
        for inner in (command.commands if isinstance(command, click.Group) else [""])
    ]

    assert {name for name, _ in words} == {
        *("run", "web", "status", "doctor", "db", "users", "call", "demo", "ledger", "audit", "report", "export")
    }
    for name, inner in words:
        answer = CliRunner().invoke(cli, [word for word in (name, inner, "--help") if word])
        assert answer.exit_code == 0
        assert len(answer.output.splitlines()) > 3


def test_the_actor_of_a_command_is_named_in_the_audit(grants: Grants, app: Flask) -> None:
    ana(grants)

    with app.app_context():
        rows = db.session.query(audit.AuditEvent.verb).distinct().all()

    assert [row.verb for row in rows] == ["user.add"]
    assert acts.REGISTRY["user.add"].name == services.add_user.__name__
