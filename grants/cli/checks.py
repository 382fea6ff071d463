"""`grants ledger` and `grants audit`: whether the books and the record are what they were, and the proofs that leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from grants.cli.program import Program, operator
from grants.core import audit_offline, checkpoints, signing
from grants.core.checkpoints import OldKey
from grants.core.errors import Refused
from grants.core.permissions import Permission


@click.group()
def ledger() -> None:
    """The journal."""


@ledger.command("verify")
@click.pass_obj
def verify_ledger(program: Program) -> None:
    """Recompute every invariant of the books, and say of each what was checked and how many; exit code 1 and the first
    difference if one fails."""
    from grants.ledger import queries
    from grants.oversight import queries as across

    with program.running():
        found, entries = across.check_ledger(), queries.count_entries()
    problems = [str(problem) for each in found for problem in each.problems]
    lines = [*(str(each) for each in found), *(f"Held elsewhere: {words}" for words in across.HELD_ELSEWHERE)]
    if problems:
        # What is wrong comes first: that line is all that some readers see.
        click.echo(problems[0])
        if problems[1:]:
            click.echo(f"and {len(problems) - 1} more")
        click.echo("\n".join(lines))
        raise SystemExit(1)
    click.echo("\n".join([*lines, f"{entries} entries checked; every invariant holds."]))


@click.group("audit")
def audit_group() -> None:
    """The record of who did what."""


_FILE = click.Path(path_type=Path)


@audit_group.command("verify")
@click.option("--from", "record", type=_FILE, help="Check a record that “grants export audit” wrote, offline.")
@click.option("--checkpoints", "notes", type=_FILE, help="With --from: a file of checkpoints, or a folder of them.")
@click.option("--key", "keys", type=_FILE, help="With --from: a file with the public keys, one a line.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object, for machines.")
@click.pass_obj
def verify_audit(program: Program, record: Path | None, notes: Path | None, keys: Path | None, as_json: bool) -> None:
    """Recompute the whole chain and hold it against the checkpoints; exit code 1 and the first bad position if it is broken.

    Without --from it seals what is pending, reads the database, and compares with every checkpoint in the database and in
    the folder of checkpoints. With --from it reads files only: no settings, no database.
    """
    if record is None and (notes or keys):
        raise click.UsageError("--checkpoints and --key go with --from.")
    if record is None:
        _verify_database(program, as_json)
        return
    try:
        report = audit_offline.verify_files(record, notes, keys)
    except audit_offline.Unreadable as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "problems": [str(error)]}))
            raise SystemExit(1) from error
        raise Refused(str(error)) from error
    _tell(report, report.as_json(), as_json)


def _verify_database(program: Program, as_json: bool) -> None:
    with program.running():
        found = checkpoints.verify()
        folder = checkpoints.folder()
    chain = found.chain
    if not as_json:
        click.echo(f"{chain.sealed_now} events sealed now, {chain.checked} checked.")
        click.echo(f"{found.stored} checkpoints in the database, {found.in_folder} in {folder}.")
    seen = {"sealed_now": chain.sealed_now, "stored": found.stored, "in_folder": found.in_folder}
    _tell(chain.report, {**chain.report.as_json(), **seen}, as_json)


def _tell(report: audit_offline.Report, for_machines: Mapping[str, object], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(for_machines))
    else:
        for sentence in report.sentences():
            click.echo(sentence)
    if report.faults:
        raise SystemExit(1)


@audit_group.command("checkpoint")
@click.pass_obj
def make_checkpoint(program: Program) -> None:
    """Sign a checkpoint now, leave it in the folder, and have it mailed to the auditors."""
    from grants.oversight import services

    with program.running():
        made = services.make_checkpoint(operator(Permission.CHECKPOINT_MAKE))
        path = checkpoints.leave(made)
    click.echo(made.note, nl=False)
    click.echo(f"\nIt lies in {path}.")


@audit_group.command("key")
@click.pass_obj
def show_keys(program: Program) -> None:
    """Print the public keys of the checkpoints, the present one first; what --key of verify takes."""
    with program.running():
        keys = checkpoints.keys()
    if not keys:
        raise Refused("No checkpoint was signed yet, so there is no key. “grants audit checkpoint” makes both.")
    for key in keys:
        click.echo(key)


@audit_group.command("replace-key")
@click.option("--lost", is_flag=True, help="The old key is not there any more and cannot sign for the new one.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def replace_key(program: Program, lost: bool, yes: bool) -> None:
    """Make a new key for checkpoints. The old one signs the first checkpoint of the new one, and is then deleted."""
    from grants.oversight import services

    old = OldKey.LOST if lost else OldKey.HERE
    if not yes:
        click.confirm("Replace the key that signs checkpoints?", abort=True)
    with program.running():
        made = services.replace_checkpoint_key(operator(Permission.CHECKPOINT_KEY_REPLACE), old)
        signing.put_in_place()
        path = checkpoints.leave(made)
    click.echo(f"{made.key}\nIts first checkpoint lies in {path}. Give the new public key to the auditors.")
