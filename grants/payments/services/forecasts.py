"""Keeping the forecast, so that a later one can be held against it: by a person at any time, by the program once a month."""

from __future__ import annotations

from grants.core import acts, references
from grants.core.acts import act
from grants.core.db import db
from grants.core.permissions import Actor, Permission
from grants.ledger import services as ledger
from grants.payments import queries
from grants.payments.models import ForecastLine, ForecastSnapshot
from grants.payments.rules.forecasting import first_of_month


@act("forecast.keep", needs=Permission.FORECAST_KEEP, says="kept the forecast of payments")
def keep_forecast(actor: Actor, *, note: str = "") -> str:
    """Keep the forecast of every grant as it stands now; returns its reference, ``F-20261128-1``."""
    return _keep(actor, note)


@act("forecast.keep_monthly", needs=Permission.FORECAST_KEEP_MONTHLY, says="kept the forecast of the month")
def keep_monthly(actor: Actor) -> str | None:
    """The first night of a month keeps the forecast; None where the program did so in this month already."""
    if queries.kept_by_the_program(first_of_month(acts.today())):
        return None
    return _keep(actor, "")


def _keep(actor: Actor, note: str) -> str:
    # So that the books, asked later for this moment, say what was kept.
    ledger.read_up_to(acts.moment())
    today = acts.today()
    series = f"F-{today:%Y%m%d}"
    row = ForecastSnapshot(
        reference=f"{series}-{references.next_number(series)}",
        as_of=acts.moment(),
        taken_on=today,
        taken_by=actor.user_id,
        note=note.strip() or None,
    )
    db.session.add(row)
    db.session.flush()
    db.session.add_all(
        ForecastLine(
            snapshot_id=row.id,
            position=place,
            call_id=line.call_id,
            grant_id=line.grant_id,
            kind=line.kind.value,
            report_number=line.report_number,
            amount=line.amount,
            is_reserved=line.is_reserved,
            due_on=line.due_on,
            basis=line.basis.value if line.basis else None,
            waits_for=line.waits_for or None,
        )
        for place, line in enumerate(queries.whole_forecast(today), 1)
    )
    return row.reference
