"""`grants bench`: how fast the program is, measured on throw-away servers of its own."""

from __future__ import annotations

from pathlib import Path

import click

from grants.cli.database import upgrade_database
from grants.cli.program import Program


@click.command()
@click.argument("n", type=int, required=False)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures here too, as a JSON list; all else beside it as .more.json.",
)
@click.option(
    "--lists", type=int, help="Measure the list of applications alone, at a hundredth of so many and at so many."
)
@click.option(
    "--money",
    type=int,
    help="Measure the lists of payments and of the ledger alone, at a hundredth of so many entries and at so many; then pay run, statement and check of the books.",
)
@click.option("--goals", is_flag=True, help="Measure assignment, selection and conflicts alone, without any server.")
@click.pass_obj
def bench(program: Program, n: int | None, out: Path | None, lists: int | None, money: int | None, goals: bool) -> None:
    """Seed N/10 and N applications (1,000 where N is left out), run every operation over HTTP with two workers, check the answers, print the figures.

    A wrong answer ends the run with exit code 1. A missed target is told and changes nothing.
    """
    from grants.bench.browsing import Wrong
    from grants.bench.seeding import SeedError
    from grants.bench.sitting import N_MAX, N_MIN, Bench

    _refuse_what_is_ignored(n, out, lists, money, goals)
    n = 1_000 if n is None else n
    if not N_MIN <= n <= N_MAX:
        raise click.ClickException(f"N is {n}; it may be {N_MIN:,} to {N_MAX:,}, for example make bench N=1000.")
    for word, asked in (("LISTS", lists), ("MONEY", money)):
        if asked is not None and not N_MIN <= asked <= N_MAX:
            raise click.ClickException(
                f"There may be {N_MIN:,} to {N_MAX:,} in a list, for example make bench {word}=100000."
            )
    try:
        if goals:
            from grants.bench import goals as reach
            from grants.bench import report

            click.echo(report.targets_table(tuple(reach.measured(click.echo))))
            return
        if lists is not None:
            Bench(program.settings(), program.make_app, upgrade_database).sit_for_lists(lists, click.echo)
            return
        if money is not None:
            Bench(program.settings(), program.make_app, upgrade_database).sit_for_money(money, click.echo)
            return
        Bench(program.settings(), program.make_app, upgrade_database).sit(n, click.echo, out)
    except (SeedError, Wrong) as error:
        raise click.ClickException(str(error)) from error


def _refuse_what_is_ignored(n: int | None, out: Path | None, lists: int | None, money: int | None, goals: bool) -> None:
    """Whoever asks for one part alone is told what that part does not take, rather than miss a file afterwards."""
    parts = [
        word for word, asked in (("GOALS", goals), ("LISTS", lists is not None), ("MONEY", money is not None)) if asked
    ]
    given = [name for name, value in (("N", n), ("OUT", out)) if value is not None] + parts[1:]
    if parts and given:
        raise click.ClickException(
            f"{parts[0]} is measured alone and takes no {' and no '.join(given)}. Leave that out, or leave {parts[0]} out."
        )
