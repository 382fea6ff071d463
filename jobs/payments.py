"""Work of payments after an act: open the request a signature or an accepted report asks for, make the list of a batch."""

from __future__ import annotations

import logging
from uuid import UUID

from grants.core import jobs
from grants.core.checkpoints import FolderAway
from grants.core.errors import Refused
from grants.core.permissions import Permission
from grants.payments import services

log = logging.getLogger(__name__)


def open_prefinancing(*, grant_id: str) -> None:
    """The agreement came into force: open the request its schedule foresees."""
    services.open_prefinancing(jobs.actor(Permission.PAYMENT_REQUEST_OPEN), UUID(grant_id))


def open_for_report(*, report_id: str) -> None:
    """A report was accepted or rejected: open the request for its costs, and the balance where it was the last."""
    services.open_for_report(jobs.actor(Permission.PAYMENT_REQUEST_OPEN), UUID(report_id))


def follow_agreement(*, grant_id: str, version_no: int) -> int:
    """An amendment is in force: requests that wait for their decision follow it; a second run changes nothing."""
    return services.follow_agreement(jobs.actor(Permission.PAYMENT_REQUEST_OPEN), UUID(grant_id))


def make_batch_file(*, batch_id: str) -> None:
    """Make and check the file of a batch; a second run finds it made."""
    services.make_batch_file(jobs.actor(Permission.PAYMENT_FILE_BUILD), UUID(batch_id))


def keep_forecast() -> str:
    """Every night: keep the forecast where none was kept by the program in this month yet."""
    kept = services.keep_monthly(jobs.actor(Permission.FORECAST_KEEP_MONTHLY))
    return f"Kept as {kept}." if kept else "Kept already in this month."


def remind_of_debts() -> str:
    """Every night: remind cities of what they owe back and did not pay in time."""
    told = services.remind(jobs.actor(Permission.RECOVERY_REMIND))
    return f"{told} reminders went out."


def leave_record(*, batch_id: str) -> str:
    """Leave the record of a sent file outside the database; while the folder is away it waits, and so does the file."""
    try:
        return services.leave_record(jobs.actor(Permission.PAYMENT_FILE_PROVE), UUID(batch_id))
    except FolderAway as error:
        raise jobs.TryLater(str(error)) from error


def compare_records() -> str:
    """Hold the records of sent files outside against the database, each night and at every start."""
    new, broken = services.compare(jobs.actor(Permission.PAYMENT_FILE_PROVE))
    if not (new or broken):
        return "Every payment file that was sent is known."
    log.critical("%s payment files sent elsewhere, %s records do not hold: %s", new, len(broken), broken[:3])
    return (
        f"{new} payment files were sent that this database does not know, {len(broken)} records do not hold. See “Files sent "
        f"elsewhere”. {' '.join(broken[:3])}".strip()
    )


def check_records() -> str:
    """Whether every record outside holds; a job of its own, since what compares them is done with its act, and this fails."""
    _, broken = services.unknown_files()
    if broken:
        raise Refused(
            f"{len(broken)} records of sent payment files do not hold: {' '.join(broken[:3])} Nothing is put into a file or sent "
            "meanwhile. Bring back the sound record, or move away what is none; then retry this job. The record of a file that "
            "this database knows is left there anew in the night after."
        )
    return "Every record of a sent payment file holds."
