"""What a periodic report asks, what may be accepted of it, and how the accepted total is worked out. Pure; the modules beside this one say how."""

from __future__ import annotations

from grants.reporting.rules.reports import (
    EXPECTED_AHEAD_DAYS_MAX,
    TECHNICAL_PART,
    Decision,
    ExpectedInput,
    Judged,
    MilestoneInput,
    ReportSummary,
    ReportView,
    accepted_total,
    actual_rules,
    expected_problems,
    judgement_problems,
    milestone_next,
    report_next,
)

__all__ = [
    "EXPECTED_AHEAD_DAYS_MAX",
    "TECHNICAL_PART",
    "Decision",
    "ExpectedInput",
    "Judged",
    "MilestoneInput",
    "ReportSummary",
    "ReportView",
    "accepted_total",
    "actual_rules",
    "expected_problems",
    "judgement_problems",
    "milestone_next",
    "report_next",
]
