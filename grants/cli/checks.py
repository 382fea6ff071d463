"""`grants ledger` and `grants audit`: whether the books and the record are what they were."""

from __future__ import annotations

from collections.abc import Sequence

import click

from grants.cli.program import Program
from grants.core import audit


@click.group()
def ledger() -> None:
    """The journal."""


@ledger.command("verify")
@click.pass_obj
def verify_ledger(program: Program) -> None:
    """Recompute the invariants of the journal and of the payments; exit code 1 and the first difference if one fails."""
    from grants.ledger import queries
    from grants.oversight import queries as across

    with program.running():
        found, entries = across.verify_ledger(), queries.count_entries()
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
