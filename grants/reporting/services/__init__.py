"""Acts of reporting: milestones, the report's two parts, sending, the officer's answer; the modules beside this one say how."""

from __future__ import annotations

from grants.reporting.services.apart import refuse_own
from grants.reporting.services.reports import (
    accept,
    accept_milestone,
    enter_costs,
    expect_milestone,
    give_back,
    open_reports,
    reject,
    report_milestone,
    return_milestone,
    set_expected,
    submit,
    submit_problems,
    write_section,
)

__all__ = [
    "accept",
    "accept_milestone",
    "enter_costs",
    "expect_milestone",
    "give_back",
    "open_reports",
    "refuse_own",
    "reject",
    "report_milestone",
    "return_milestone",
    "set_expected",
    "submit",
    "submit_problems",
    "write_section",
]
