"""Costs of partners that the agreement does not bind, or no more, are not declared and not accepted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import faults
from grants.core.db import get
from grants.core.errors import Invalid
from grants.reporting import queries
from grants.reporting.models import PeriodicReport


def unbound_words(report: PeriodicReport, partners: Iterable[UUID]) -> list[str]:
    """Why nothing of these partners counts in the period of a report, a sentence each; the others are left out."""
    faults.point("ceiling")
    bonds = agreements.bonds(report.grant_id)
    # A lump sum stands for a package and not for a time: of who left its share of it is what its maximum left it.
    starts_on = date.min if queries.pays_lump_sums(get(Grant, report.grant_id)) else report.starts_on
    found = (bonds[who].costs_problem(starts_on) for who in sorted(set(partners), key=str) if who in bonds)
    return [words for words in found if words]


def refuse_costs_of_unbound(report: PeriodicReport, partners: Iterable[UUID]) -> None:
    """Refuse costs of a partner that has not acceded where the agreement asks it, or that left before the period."""
    if words := unbound_words(report, partners):
        raise Invalid(" ".join(words), {"costs": " ".join(words)})
