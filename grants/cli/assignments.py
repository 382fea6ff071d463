"""`grants assignment`: a run of the assignment of evaluators checked again from its file, by anybody."""

from __future__ import annotations

import json
from pathlib import Path

import click

from grants.core.errors import Refused


@click.group()
def assignment() -> None:
    """The assignment of evaluators to applications."""


@assignment.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def verify_run(file: Path) -> None:
    """Check a run that was taken out as a file: its hash, every hard rule, its sums and its prices.

    Reads the file only: no settings, no database. Exit code 1 if a check does not hold.
    """
    from grants.evaluation import matching

    try:
        told = json.loads(file.read_bytes())
        if not isinstance(told, dict):
            raise matching.NotARun("It is not one JSON object.")
        found = matching.check_run(told)
    except (ValueError, RecursionError) as error:
        words = f"{file.name} is no run of the assignment as this program gives it out. {error}"
        raise Refused(words) from error
    for one in found:
        click.echo(one.words)
    broken = sum(not one.holds for one in found)
    if broken:
        click.echo(f"{broken} of {len(found)} checks {'does' if broken == 1 else 'do'} not hold.")
        raise SystemExit(1)
    click.echo(f"All {len(found)} checks hold.")
