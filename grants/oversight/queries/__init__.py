"""Reads across stages: duties, the record of who did what, whether the books and the program are right. Never writes."""

from grants.oversight.queries.books import verify_ledger
from grants.oversight.queries.health import health
from grants.oversight.queries.home import duties, first_steps, lately, waiting
from grants.oversight.queries.trail import Line, record, record_rows, story, things

__all__ = [
    "Line",
    "duties",
    "first_steps",
    "health",
    "lately",
    "record",
    "record_rows",
    "story",
    "things",
    "verify_ledger",
    "waiting",
]
