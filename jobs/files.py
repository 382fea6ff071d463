"""Files: each upload shown to the virus scanner, where one is set."""

from __future__ import annotations

from uuid import UUID

from grants.core import files, jobs, scanning
from grants.core.permissions import Permission
from grants.oversight import services


def scan(*, file_id: str) -> str:
    """Ask the scanner about one upload and record what it said; while it is away, every scan waits."""
    if not scanning.is_on():
        return "No virus scanner is set: nothing was asked."
    file = files.view(UUID(file_id))
    try:
        found = scanning.scan(files.path(file))
    except scanning.ScannerAway as error:
        raise jobs.Unavailable(str(error)) from error
    services.record_scan(jobs.actor(Permission.FILE_SCAN), file.id, found)
    return f"{found.verdict.value.capitalize()}, says {found.scanner}."
