"""`grants status`: how much there is of everything."""

from __future__ import annotations

import json
from typing import Any

import click
from sqlalchemy import inspect

from grants.cli.program import Program
from grants.core.db import db

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
    "grants": (
        "grant_agreement",
        "SELECT count(*) FROM grant_agreement WHERE state IN ('in_force', 'terminated', 'closed')",
    ),
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
    settings = program.settings()
    if not settings.DATABASE_URL and not settings.home.exists():
        # Counting must not set up an empty installation, and then count that.
        raise click.ClickException(
            f"Nothing is installed at {settings.home}. Call it where `make run` was started, or set GRANTS_HOME to its folder."
        )
    with program.running():
        found = counts()
    if as_json:
        click.echo(json.dumps(found))
        return
    for key, value in found.items():
        shown = ", ".join(f"{number} {state}" for state, number in value.items()) if isinstance(value, dict) else value
        click.echo(f"{key.replace('_', ' '):16}  {shown}")
