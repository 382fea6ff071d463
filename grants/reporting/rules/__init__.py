"""What a periodic report asks, what may be accepted of it, and how the accepted total is worked out. Pure; the modules beside this one say how."""

from __future__ import annotations

from grants.reporting.rules.reports import (
    TECHNICAL_PART,
    Decision,
    ExpectedInput,
    Judged,
    MilestoneInput,
    ReceiptsInput,
    ReportSummary,
    ReportView,
    accepted_total,
    actual_rules,
    expected_problems,
    final_after,
    judgement_problems,
    milestone_next,
    receipts_of,
    receipts_problems,
    refuse_settling_unsent,
    report_next,
)

__all__ = [
    "TECHNICAL_PART",
    "Decision",
    "ExpectedInput",
    "Judged",
    "MilestoneInput",
    "ReceiptsInput",
    "ReportSummary",
    "ReportView",
    "accepted_total",
    "actual_rules",
    "expected_problems",
    "final_after",
    "judgement_problems",
    "milestone_next",
    "receipts_of",
    "receipts_problems",
    "refuse_settling_unsent",
    "report_next",
]
