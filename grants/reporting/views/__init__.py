"""Pages of reports and milestones; here is what the program takes from them."""

from __future__ import annotations

from grants.reporting.views import lines, reports
from grants.reporting.views.frame import bp

__all__ = ["bp", "lines", "reports"]
