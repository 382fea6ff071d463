"""Work of the bank's files after they were brought: read one, whole or not at all; book what explains itself."""

from __future__ import annotations

from uuid import UUID

from grants.core import jobs
from grants.core.permissions import Permission
from grants.payments import services


def read_statement(*, import_id: str) -> None:
    """Read a bank's file; a second run finds it read."""
    services.read_statement(jobs.actor(Permission.BANK_STATEMENT_IMPORT), UUID(import_id))


def book_lines(*, import_id: str) -> None:
    """Book what the lines of a bank's file explain themselves; a second run finds it booked."""
    services.book_lines(jobs.actor(Permission.BANK_STATEMENT_IMPORT), UUID(import_id))


def apply_report(*, import_id: str) -> None:
    """Apply a bank's status report; a second run finds it applied."""
    services.apply_report(jobs.actor(Permission.BANK_STATEMENT_IMPORT), UUID(import_id))
