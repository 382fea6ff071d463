"""Pages of reports and milestones: what a grant owes, writing, sending, and the officer's answer."""

from __future__ import annotations

from grants.reporting.views import packages, reports
from grants.reporting.views.frame import bp

__all__ = ["bp", "packages", "reports"]
