"""The proofs by the command `grants`: made, taken out, and checked on a machine that has neither settings nor database."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from flask import Flask, current_app

from config import BadSettings, Config
from grants import local
from grants.app import create_app
from grants.cli import build_cli, seeds
from grants.cli.program import Program
from grants.core import audit_offline
from grants.core.db import db
from tests.programs import lending
from tests.worlds import World, Worlds

Grants = Callable[..., Result]


def command_on(settings: Config) -> Grants:
    """The command in this process; its own application, on the settings' database and without a queue."""
    on = replace(settings, REDIS_URL=f"unix://{settings.home}/no-queue")

    def call(*words: str) -> Result:
        db.session.rollback()
        with lending() as program_of:
            return CliRunner().invoke(build_cli(lambda: on, program_of), words, catch_exceptions=False)

    return call


@pytest.fixture
def grants(app: Flask, settings: Config) -> Grants:
    return command_on(settings)


def elsewhere(*words: str) -> Result:
    """The command of an auditor, whose machine has no settings to read."""

    def none() -> Config:
        raise BadSettings("there are no settings here")

    return CliRunner().invoke(build_cli(none, create_app), words, catch_exceptions=False)


def recorded() -> dict[str, bytes]:
    """A record with two checkpoints, and the files an auditor takes home of it."""
    known = {name: str(current_app.config[name]) for name in ("GRANTS_HOME", "DATABASE_URL", "DATABASE_OWNER_URL")}
    grants = command_on(Config(**known, GRANTS_ENV="test", GRANTS_DEMO=True))
    grants("users", "add", "ana@example.eu", "--name", "Ana Horvat", "--role", "administrator")
    assert grants("audit", "checkpoint").exit_code == 0
    assert grants("audit", "checkpoint").exit_code == 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for what, name in (("audit", "record.jsonl"), ("checkpoints", "checkpoints.txt")):
            assert grants("export", what, "--out", str(home / name)).exit_code == 0
        (home / "key.txt").write_text(grants("audit", "key").output)
        return {path.name: path.read_bytes() for path in home.iterdir()}


@pytest.fixture(scope="session")
def recorded_world(worlds: Worlds) -> World[dict[str, bytes]]:
    return worlds.of(recorded)


@pytest.fixture
def taken(app: Flask, recorded_world: World[dict[str, bytes]], tmp_path: Path) -> Path:
    """A folder with a record, its checkpoints and its key, as an auditor takes them home."""
    home = tmp_path / "home"
    home.mkdir()
    for name, data in recorded_world.told().items():
        (home / name).write_bytes(data)
    return home


def verify(home: Path, *words: str) -> Result:
    return elsewhere(
        *("audit", "verify", "--from", str(home / "record.jsonl"), "--key", str(home / "key.txt")),
        *("--checkpoints", str(home / "checkpoints.txt"), *words),
    )


def test_what_was_taken_home_holds(taken: Path) -> None:
    answer, machine = verify(taken), json.loads(verify(taken, "--json").output)

    assert answer.exit_code == 0, answer.output
    assert "2 checkpoints agree with it" in answer.output
    assert (machine["ok"], machine["checkpoints"], machine["position"]) == (True, 2, None)


def test_the_folder_of_checkpoints_is_as_good_as_their_file(taken: Path, settings: Config) -> None:
    answer = elsewhere(
        *("audit", "verify", "--from", str(taken / "record.jsonl")), "--checkpoints", str(settings.home / "checkpoints")
    )

    assert answer.exit_code == 0, answer.output
    assert "No key was given: whose signatures these are is not known." in answer.output


@pytest.mark.parametrize(
    ("spoil", "position"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"user", b"used", 1), *lines[2:]], 2),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [lines[0], lines[0], *lines[1:]], 2),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: lines[:3], 4),
    ],
    ids=["edit", "delete", "insert", "reorder", "cut"],
)
def test_what_was_changed_on_the_way_is_named_at_its_first_bad_position(
    taken: Path, spoil: Callable[[list[bytes]], list[bytes]], position: int
) -> None:
    record = taken / "record.jsonl"
    record.write_bytes(b"".join(spoil(record.read_bytes().splitlines(keepends=True))))

    answer = verify(taken, "--json")

    assert (answer.exit_code, json.loads(answer.output)["position"]) == (1, position)
    assert f"Position {position}" in verify(taken).output


def test_files_that_are_not_there_are_one_sentence(taken: Path) -> None:
    answer = elsewhere("audit", "verify", "--from", str(taken / "nothing"))
    machine = elsewhere("audit", "verify", "--json", "--from", str(taken / "nothing"))
    alone = elsewhere("audit", "verify", "--key", str(taken / "key.txt"))

    assert (answer.exit_code, answer.output) == (
        1,
        f"Error: {taken / 'nothing'} cannot be read (No such file or directory).\n",
    )
    assert (machine.exit_code, json.loads(machine.output)["ok"]) == (1, False)
    assert (alone.exit_code, "go with --from" in alone.output) == (2, True)


def test_a_database_whose_end_was_cut_and_sealed_anew_is_found_by_the_files(
    grants: Grants, taken: Path, settings: Config
) -> None:
    assert grants("audit", "verify").exit_code == 0

    guarded = ("audit_event", "audit_seal", "audit_checkpoint")
    with psycopg.connect(settings.DATABASE_OWNER_URL.replace("+psycopg", ""), autocommit=True) as owner:
        for table in guarded:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        owner.execute("DELETE FROM audit_checkpoint")
        owner.execute("CREATE TABLE cut AS SELECT event_id FROM audit_seal WHERE position > 3")
        owner.execute("DELETE FROM audit_seal WHERE position > 3")
        owner.execute("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM cut)")
        for table in guarded:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())
    grants("users", "add", "eva@example.eu", "--name", "Eva Lind", "--role", "evaluator")
    grants("users", "add", "pia@example.eu", "--name", "Pia Berg", "--role", "evaluator")
    grants("users", "add", "noa@example.eu", "--name", "Noa Lund", "--role", "evaluator")

    answer, machine = grants("audit", "verify"), json.loads(grants("audit", "verify", "--json").output)

    assert answer.exit_code == 1
    # The first checkpoint covers what was left; between it and the second the record is another one.
    assert "the record was rewritten" in answer.output
    assert (machine["ok"], machine["position"], machine["in_folder"]) == (False, 4, 2)


def test_the_key_is_replaced_by_command_and_the_first_key_still_proves_all(
    grants: Grants, taken: Path, settings: Config
) -> None:
    answer = grants("audit", "replace-key", "--yes")
    assert grants("export", "audit", "--out", str(taken / "record.jsonl")).exit_code == 0
    assert grants("export", "checkpoints", "--out", str(taken / "checkpoints.txt")).exit_code == 0

    keys = grants("audit", "key").output.splitlines()
    assert answer.exit_code == 0, answer.output
    assert (len(keys), keys[1] + "\n") == (2, (taken / "key.txt").read_text())
    assert "3 checkpoints agree" in verify(taken).output
    assert grants("audit", "verify").exit_code == 0
    assert sorted(path.name for path in settings.home.glob("checkpoint_key*")) == ["checkpoint_key"]


def test_the_checkpoints_of_a_demo_that_is_emptied_are_set_aside_and_those_of_others_stay(
    grants: Grants, taken: Path, settings: Config, tmp_path: Path
) -> None:
    outside = settings.home / "checkpoints"
    mine = sorted(path.name for path in outside.iterdir())
    other = outside / "checkpoint-0123456789abcdef-000000000009.txt"
    other.write_text("of somebody else")
    record = mine[0].split("-")[1]

    with local.servers(settings) as addresses:
        seeds._set_aside(addresses, outside)
        seeds._set_aside(addresses, tmp_path / "not there")

    assert len(mine) == 2
    assert sorted(path.name for path in outside.iterdir()) == [other.name, f"ended-{record}"]
    assert sorted(path.name for path in (outside / f"ended-{record}").iterdir()) == mine


@pytest.mark.parametrize("mark", [local.DEMO_MARK, local.DEMO_UNFINISHED, ""])
def test_what_a_command_makes_bears_the_mark_of_the_demo_it_was_made_in(
    app: Flask, settings: Config, mark: str
) -> None:
    local.set_demo_mark(settings.DATABASE_OWNER_URL, mark)
    on = replace(settings, GRANTS_DEMO=False, REDIS_URL=f"unix://{settings.home}/no-queue")

    with Program(lambda: on, create_app).running():
        assert current_app.config["GRANTS_DEMO"] is bool(mark)


def test_a_database_that_does_not_answer_is_one_sentence(settings: Config) -> None:
    nowhere = f"postgresql+psycopg://x@/x?host={settings.home}"
    on = replace(settings, DATABASE_URL=nowhere, DATABASE_OWNER_URL=nowhere, REDIS_URL="unix:///nowhere")

    answer = CliRunner().invoke(build_cli(lambda: on, create_app), ("audit", "key"), catch_exceptions=False)

    assert (answer.exit_code, answer.output.count("\n")) == (1, 1)
    assert answer.output.startswith("Error: The database does not answer.")


def test_there_is_no_key_before_the_first_checkpoint(grants: Grants) -> None:
    for words in (("audit", "key"), ("audit", "replace-key", "--yes")):
        answer = grants(*words)
        assert (answer.exit_code, answer.output.startswith("Error: No checkpoint was signed yet")) == (1, True)


def test_the_doctor_warns_of_a_key_that_others_may_read(grants: Grants, taken: Path, settings: Config) -> None:
    assert "others on this machine may read" not in grants("doctor").output
    (settings.home / "checkpoint_key").chmod(0o644)

    assert "others on this machine may read" in grants("doctor").output
    assert "checkpoints" in {line.split()[1] for line in grants("doctor").output.splitlines()}


@pytest.mark.parametrize("text", ["audit", "audit@", "@example.eu", "a b@example.eu", "a@example.eu; b@example.eu"])
def test_an_address_that_is_none_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(BadSettings, match="CHECKPOINT_MAIL_TO"):
        Config.from_env({"CHECKPOINT_MAIL_TO": f"court@example.eu, {text}"})


def test_the_exported_line_is_the_one_documented(taken: Path) -> None:
    first = (taken / "record.jsonl").read_bytes().splitlines()[0]

    found = json.loads(first)
    assert list(found) == ["position", "previous", "hash", "event"]
    event = first.partition(b',"event":')[2][:-1]
    assert audit_offline.chained(audit_offline.GENESIS, event).hex() == found["hash"]
    assert list(found["event"]) == sorted(found["event"])
