"""Reading a file of rates after it came in."""

from __future__ import annotations

from uuid import UUID

from grants.core import jobs
from grants.core.permissions import Permission
from grants.rates import services


def read_table(*, table_id: str) -> None:
    """Read the file; a second run finds it read."""
    services.read(jobs.actor(Permission.RATE_TABLE_IMPORT), UUID(table_id))
