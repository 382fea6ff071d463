"""Periodic reports: the technical part is a dossier, the financial statement a budget of actual costs; the modules beside this one say how."""

from __future__ import annotations

from grants.reporting.models.lines import (
    CostLine,
    CostList,
    CostVerdict,
)
from grants.reporting.models.reports import (
    AcceptedCost,
    PeriodicReport,
    ReportVersion,
)

__all__ = [
    "AcceptedCost",
    "CostLine",
    "CostList",
    "CostVerdict",
    "PeriodicReport",
    "ReportVersion",
]
