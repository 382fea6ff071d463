"""Work of payments after an act: open the request a signature or an accepted report asks for, make the list of a batch."""

from __future__ import annotations

from uuid import UUID

from grants.core import jobs
from grants.core.permissions import Permission
from grants.payments import services


def open_prefinancing(*, grant_id: str) -> None:
    """The agreement came into force: open the request its schedule foresees."""
    services.open_prefinancing(jobs.actor(Permission.PAYMENT_REQUEST_OPEN), UUID(grant_id))


def open_for_report(*, report_id: str) -> None:
    """A report was accepted or rejected: open the request for its costs, and the balance where it was the last."""
    services.open_for_report(jobs.actor(Permission.PAYMENT_REQUEST_OPEN), UUID(report_id))


def make_batch_file(*, batch_id: str) -> None:
    """Make and check the file of a batch; a second run finds it made."""
    services.make_batch_file(jobs.actor(Permission.PAYMENT_FILE_BUILD), UUID(batch_id))


def keep_forecast() -> str:
    """Every night: keep the forecast where none was kept by the program in this month yet."""
    kept = services.keep_monthly(jobs.actor(Permission.FORECAST_KEEP_MONTHLY))
    return f"Kept as {kept}." if kept else "Kept already in this month."
