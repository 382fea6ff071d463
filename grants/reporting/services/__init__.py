"""Acts of reporting: milestones, the report's two parts, sending, the officer's answer."""

from __future__ import annotations

from grants.reporting.services.reports import (
    accept,
    accept_judged,
    accept_milestone,
    declare_receipts,
    enter_costs,
    expect_milestone,
    give_back,
    in_hand,
    open_reports,
    refuse_own,
    reject,
    report_milestone,
    return_milestone,
    set_expected,
    submit,
    write_section,
)

__all__ = [
    "accept",
    "accept_judged",
    "accept_milestone",
    "declare_receipts",
    "enter_costs",
    "expect_milestone",
    "give_back",
    "in_hand",
    "open_reports",
    "refuse_own",
    "reject",
    "report_milestone",
    "return_milestone",
    "set_expected",
    "submit",
    "write_section",
]
