"""What a table of rates is of, and its states from the file to the moment it counts."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class RateKind(StrEnum):
    """Which published rates: units of a currency for one euro by day or by month, or per cent a year on euros."""

    ECB_DAILY = "ecb_daily"
    INFOREURO = "inforeuro"
    REFERENCE = "reference"


class TableState(StrEnum):
    """A file is received, read by a job, and counts only once somebody accepted what was read."""

    RECEIVED = "received"
    READ = "read"
    REFUSED = "refused"
    STANDING = "standing"
    DISCARDED = "discarded"


S = TableState

TABLE = Machine(
    "rate table",
    TableState,
    S.RECEIVED,
    [
        Transition("read", (S.RECEIVED,), S.READ, Permission.RATE_TABLE_IMPORT),
        Transition("refuse", (S.RECEIVED,), S.REFUSED, Permission.RATE_TABLE_IMPORT),
        Transition("accept", (S.READ,), S.STANDING, Permission.RATE_TABLE_IMPORT),
        Transition("discard", (S.RECEIVED, S.READ), S.DISCARDED, Permission.RATE_TABLE_IMPORT),
    ],
)
