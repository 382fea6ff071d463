"""Periodic reports: the technical part is a dossier, the financial statement a budget of actual costs."""

from __future__ import annotations

from grants.reporting.models.packages import PackageClaim
from grants.reporting.models.reports import (
    AcceptedCost,
    PeriodicReport,
    ReportVersion,
)

__all__ = [
    "AcceptedCost",
    "PackageClaim",
    "PeriodicReport",
    "ReportVersion",
]
