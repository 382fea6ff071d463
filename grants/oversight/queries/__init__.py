"""Reads across stages: duties, the record of who did what, whether the books and the program are right. Never writes."""

from grants.applications.queries import told_by
from grants.oversight.queries.books import HELD_ELSEWHERE, check_ledger, verify_ledger
from grants.oversight.queries.health import health
from grants.oversight.queries.home import duties, first_steps, lately, overview, waiting
from grants.oversight.queries.organisations import organisation_hub
from grants.oversight.queries.proofs import deliveries, proofs, request_waits
from grants.oversight.queries.sentences import Line, to_team
from grants.oversight.queries.spending import call_spending, grant_money
from grants.oversight.queries.stages import later
from grants.oversight.queries.trail import kept_from, record, record_rows, story, things

# The page of an application shows them.
told_by(later)

__all__ = [
    "HELD_ELSEWHERE",
    "Line",
    "call_spending",
    "check_ledger",
    "deliveries",
    "duties",
    "first_steps",
    "grant_money",
    "health",
    "kept_from",
    "lately",
    "organisation_hub",
    "overview",
    "proofs",
    "record",
    "record_rows",
    "request_waits",
    "story",
    "things",
    "to_team",
    "verify_ledger",
    "waiting",
]
