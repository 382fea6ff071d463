"""The command `grants` on a database of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import psycopg
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from config import BadSettings, Config
from grants import demo, local
from grants.app import create_app
from grants.cli import COUNTS, build_cli
from grants.core import acts, audit, clock, faults, filling
from grants.core.db import db
from grants.core.filling import Filling, Phase
from grants.core.permissions import Permission, system_actor
from grants.core.text import csv_line
from grants.documents import queries
from grants.documents.services import statement_names
from grants.identity import services
from grants.identity.policy import Role
from grants.identity.queries import person_by_email, users_with
from grants.identity.rules import UserInput
from tests.payments.world import IN_FORCE, world
from tests.programs import lending

Grants = Callable[..., Result]
CALL_2022 = Path(__file__).resolve().parents[2] / "grants" / "calls" / "data" / "call_2022.yaml"
KEYS = "calls applications cities evaluators assessments awards grants payment_orders paid_cents journal_entries audit_events jobs"


@pytest.fixture
def grants(app: Flask, settings: Config) -> Grants:
    """The command in this process; its own application, on the test's database."""
    # The queue is never reached by these commands; an address keeps the command from starting one.
    on = replace(settings, REDIS_URL=f"unix://{settings.home}/no-queue")
    runner = CliRunner()

    def call(*words: str, cli: click.Group | None = None) -> Result:
        db.session.rollback()
        with lending() as program_of:
            return runner.invoke(cli or build_cli(lambda: on, program_of), words, catch_exceptions=False)

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


def test_the_link_leads_where_the_running_program_listens(settings: Config, app: Flask) -> None:
    """Beside `make run` on another port; without it to the port of the settings, and always to BASE_URL where that is set."""
    on = replace(settings, REDIS_URL=f"unix://{settings.home}/no-queue")
    home = local.Home(settings.home)
    home.prepare()

    def link(email: str, on: Config) -> str:
        db.session.rollback()
        words = ("users", "add", email, "--name", "A B", "--role", "evaluator")
        return CliRunner().invoke(build_cli(lambda: on, create_app), words, catch_exceptions=False).output.split()[-1]

    assert home.lock()
    home.say("run", "http://127.0.0.1:8321")
    try:
        assert link("a@example.eu", on).startswith("http://127.0.0.1:8321/")
        assert link("b@example.eu", replace(on, BASE_URL="https://grants.example.eu")).startswith("https://grants.ex")
        home.say("command")
        assert link("c@example.eu", on).startswith("http://127.0.0.1:8000/")
        home.say("run", "http://127.0.0.1:8321")
    finally:
        home.unlock()
    assert link("d@example.eu", on).startswith("http://127.0.0.1:8000/"), "what wrote that has ended"


WRITING = (
    "users add a@example.eu --name A",
    "users disable ana@example.eu --reason gone",
    f"call import {CALL_2022}",
    "audit checkpoint",
    "audit replace-key --yes",
    "export journal --out /nowhere/journal.csv",
    "report run disbursement-register --scope PCP --out /nowhere",
    "backup create {home}/all.backup",
)


def recorded() -> tuple[int, int]:
    db.session.rollback()
    return db.session.query(audit.AuditEvent).count(), db.session.query(audit.ActRow).count()


@pytest.mark.parametrize("words", WRITING)
def test_what_writes_waits_until_the_demo_is_whole(grants: Grants, settings: Config, words: str) -> None:
    ana(grants)
    before = recorded()
    filling.write(settings.home, Filling(Phase.FILLING, 12, 300, "call 2022", 40))

    answer = grants(*words.format(home=settings.home).split())

    assert (answer.exit_code, recorded()) == (1, before)
    assert answer.output == (
        "Error: The demo is being filled: 12 of 300. Nothing is changed until it is whole, in about 40 seconds.\n"
    )


def test_what_only_reads_does_not_wait_and_a_part_of_a_demo_is_told(grants: Grants, settings: Config) -> None:
    ana(grants)
    filling.write(settings.home, Filling(Phase.PREPARING))

    assert [grants(*words.split()).exit_code for words in ("status", "ledger verify", "audit verify")] == [0, 0, 0]
    assert "The demo is being prepared" in grants(*WRITING[0].split()).output
    (settings.home / filling.FILE).write_text("{")
    assert "begun and never completed" in grants(*WRITING[0].split()).output
    filling.end(settings.home)
    assert grants(*WRITING[0].split()).exit_code == 0


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
    assert len(lines) == 4
    assert b'"audit.export"' in lines[-1], "the export itself is the last act in it"


def test_journal_and_balances_are_exported_with_everything_named(grants: Grants, tmp_path: Path) -> None:
    for what, columns in (("journal", queries.JOURNAL_COLUMNS), ("balances", queries.BALANCE_COLUMNS)):
        out = tmp_path / f"{what}.csv"
        assert grants("export", what, "--out", str(out)).exit_code == 0
        assert out.read_bytes() == csv_line(columns).encode()
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["balances.csv", "journal.csv"]


def test_an_export_is_on_the_record_and_without_it_nothing_leaves(
    grants: Grants, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "journal.csv"
    monkeypatch.setenv("GRANTS_FAULT", "audit")
    with pytest.raises(faults.Fault):
        grants("export", "journal", "--out", str(out))
    assert not out.exists()
    monkeypatch.delenv("GRANTS_FAULT")

    assert grants("export", "journal", "--out", str(out)).exit_code == 0

    with app.app_context():
        (event,) = db.session.query(audit.AuditEvent).filter(audit.AuditEvent.verb == "ledger.export").all()
        assert event.reason == "The journal, by command"


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


def test_a_person_needs_a_real_address(grants: Grants) -> None:
    answer = grants("users", "add", "not an address", "--name", "A")

    assert answer.exit_code == 1
    assert answer.output.startswith("Error: ")
    assert json.loads(grants("status", "--json").output)["audit_events"] == 0


def test_a_command_that_lacks_an_argument_says_which(grants: Grants) -> None:
    for words in (("users", "disable", "a@example.eu"), ("export", "journal"), ("export", "nothing", "--out", "x")):
        answer = grants(*words)
        assert (answer.exit_code, "Usage: " in answer.output) == (2, True)


# --- calls


def bring_in(grants: Grants) -> str:
    """The real call of 2022 through the command; its reference."""
    answer = grants("call", "import", str(CALL_2022))
    assert answer.exit_code == 0, answer.output
    return answer.output.split()[0]


def test_a_call_file_comes_in_as_a_draft(grants: Grants) -> None:
    answer = grants("call", "import", str(CALL_2022))

    assert answer.exit_code == 0
    assert answer.output.startswith("PCP-2022-C-0001 was imported as a draft: ")
    assert json.loads(grants("status", "--json").output)["calls"] == 1


def test_a_call_goes_out_as_a_file(grants: Grants) -> None:
    bring_in(grants)

    answer = grants("call", "export", "open-call-for-pilot-cities-2022")

    assert answer.exit_code == 0
    assert "id:\n    value: NZC-H2020-202209\n" in answer.output
    assert grants("call", "export", "nowhere").exit_code == 1


def test_a_call_comes_in_once(grants: Grants) -> None:
    bring_in(grants)

    again = grants("call", "import", str(CALL_2022))

    assert again.exit_code == 1
    assert "is here already as PCP-2022-C-0001" in again.output


def test_a_bad_call_file_lists_every_problem_with_its_place_and_brings_nothing_in(
    grants: Grants, tmp_path: Path
) -> None:
    text = CALL_2022.read_text(encoding="utf-8")
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace("total: {value: 32000000", "total: {value: much") + "\nnobody_knows: 1\n")

    answer = grants("call", "import", str(bad))

    assert answer.exit_code == 1
    assert "nobody_knows" in answer.output and "total" in answer.output
    assert json.loads(grants("status", "--json").output)["calls"] == 0


def test_a_call_file_that_is_no_text_or_not_there_is_one_sentence(grants: Grants, tmp_path: Path) -> None:
    picture = tmp_path / "call.yaml"
    picture.write_bytes(b"\x89PNG\xff\xfe")

    no_text, missing = grants("call", "import", str(picture)), grants("call", "import", str(tmp_path / "none.yaml"))

    assert (no_text.exit_code, missing.exit_code) == (1, 2)
    assert "is not UTF-8 text" in no_text.output
    assert "does not exist" in missing.output


# --- reports


def test_the_reports_are_listed_with_their_kind_of_scope(grants: Grants) -> None:
    answer = grants("report", "list")

    assert answer.exit_code == 0
    assert answer.output.splitlines() == [f"{name} {scope}" for name, scope in statement_names()]


def test_a_report_is_written_again_byte_for_byte(grants: Grants, tmp_path: Path) -> None:
    scope = bring_in(grants)
    name = next(name for name, kind in statement_names() if kind == "call")
    words = ("report", "run", name, "--scope", scope, "--as-of", "2026-01-01T12:00:00+01:00", "--out")

    first, again = grants(*words, str(tmp_path / "a")), grants(*words, str(tmp_path / "b"))

    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    made = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert {Path(file).suffix for file in made} >= {".pdf", ".xlsx", ".csv"}
    assert [str(tmp_path / "a" / file) for file in made] == sorted(first.output.splitlines())
    for file in made:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_report_that_cannot_be_made_is_one_sentence_and_leaves_nothing(grants: Grants, tmp_path: Path) -> None:
    scope = bring_in(grants)
    name = next(name for name, kind in statement_names() if kind == "call")
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    refused = {
        "There is no statement called “nothing”": ("nothing", scope, "2026-01-01T12:00:00+01:00", tmp_path / "a"),
        "There is no call with the reference PCP-1900-C-0001": (
            *(name, "PCP-1900-C-0001", "2026-01-01T12:00:00+01:00", tmp_path / "a"),
        ),
        "“yesterday” is not a moment": (name, scope, "yesterday", tmp_path / "a"),
        "has no zone": (name, scope, "2026-01-01T12:00:00", tmp_path / "a"),
        "cannot be made": (name, scope, "2026-01-01T12:00:00+01:00", blocked / "inside"),
    }

    for sentence, (report, of, as_of, out) in refused.items():
        answer = grants("report", "run", report, "--scope", of, "--as-of", as_of, "--out", str(out))
        assert (answer.exit_code, sentence in answer.output) == (1, True), answer.output
    assert not (tmp_path / "a").exists()


# --- where nothing is


def test_counting_where_nothing_is_installed_sets_nothing_up(settings: Config, tmp_path: Path) -> None:
    nowhere = replace(settings, GRANTS_HOME=str(tmp_path / "nowhere"), DATABASE_URL="", DATABASE_OWNER_URL="")

    answer = CliRunner().invoke(build_cli(lambda: nowhere, create_app), ["status", "--json"])

    assert (answer.exit_code, "Nothing is installed at" in answer.output) == (1, True)
    assert not (tmp_path / "nowhere").exists()


# --- the ledger


def test_a_journal_changed_by_force_fails_with_the_first_difference(
    grants: Grants, app: Flask, settings: Config
) -> None:
    with clock.at(IN_FORCE):
        world()
    *lines, last = grants("ledger", "verify").output.splitlines()
    assert last == "4 entries checked; every invariant holds."
    assert lines[0].startswith("I1   holds           4 entries. Every entry balances")
    assert any(line.startswith("I20  nothing yet") for line in lines)
    with psycopg.connect(settings.DATABASE_OWNER_URL.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE ledger_leg SET cents = cents + 1 WHERE account = 'B100' AND side = 'credit'")

    answer = grants("ledger", "verify")

    assert answer.exit_code == 1
    assert "I1: the budget ledger is off by" in answer.output.splitlines()[0]


# --- the demo


@pytest.fixture
def marked(grants: Grants, settings: Config) -> Iterator[Grants]:
    """The command on a database that is marked as a demo."""
    local.set_demo_mark(settings.DATABASE_OWNER_URL, local.DEMO_MARK)
    yield grants


def _one_person(progress: Callable[[int, int, str], None]) -> None:
    """A demo that takes no minute; the whole one is loaded once a run, by its own tests."""
    founder = system_actor("the demo", (Permission.USER_INVITE, Permission.ROLE_ASSIGN))
    services.add_user(founder, UserInput("Ada Berg", "ada@demo.example", (Role.ADMINISTRATOR,), is_demo=True))
    progress(1, 1, "Ready")


def test_a_demo_is_emptied_and_loaded_again(marked: Grants, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "load", _one_person)
    monkeypatch.setattr(demo, "load_in_two", _one_person)
    ana(marked)

    answer = marked("demo", "reset", "--yes")

    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines()[-1] == "The demo is loaded."
    db.session.rollback()
    assert person_by_email("ana@example.eu") is None
    assert person_by_email("ada@demo.example") is not None
    assert marked("ledger", "verify").exit_code == 0


@pytest.mark.parametrize("verb", ["load", "reset"])
def test_a_demo_that_is_being_filled_is_not_filled_a_second_time(
    marked: Grants, settings: Config, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(demo, "load", _one_person)
    monkeypatch.setattr(demo, "load_in_two", _one_person)
    filling.write(settings.home, Filling(Phase.FILLING, 1, 4))

    answer = marked("demo", verb, "--yes")

    assert (answer.exit_code, "The demo is being filled: 1 of 4." in answer.output) == (1, True)
    assert person_by_email("ada@demo.example") is None


def test_a_demo_stays_when_the_question_is_answered_no(marked: Grants) -> None:
    ana(marked)

    answer = marked("demo", "reset")

    assert answer.exit_code == 1
    assert "Delete everything in this demo" in answer.output
    assert person_by_email("ana@example.eu") is not None


def test_there_is_no_demo_in_production(settings: Config) -> None:
    on = replace(settings, GRANTS_ENV="production", REDIS_URL="unix:///nowhere")
    for deed in ("load", "reset"):
        answer = CliRunner().invoke(build_cli(lambda: on, create_app), ["demo", deed, "--yes"], catch_exceptions=False)
        assert (answer.exit_code, "GRANTS_ENV is production" in answer.output) == (1, True)


def test_a_demo_is_loaded_into_an_empty_database_only(grants: Grants) -> None:
    ana(grants)

    answer = grants("demo", "load", "--yes")

    assert answer.exit_code == 1
    assert "This database is not empty" in answer.output


def test_every_command_explains_itself() -> None:
    cli = build_cli(lambda: Config(), create_app)
    words = [
        (name, inner)
        for name, command in cli.commands.items()
        for inner in (command.commands if isinstance(command, click.Group) else [""])
    ]

    assert {name for name, _ in words} == {
        *("run", "web", "status", "doctor", "db", "users", "call", "demo"),
        *("ledger", "audit", "assignment", "report", "export", "backup", "bench"),
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
