"""Acts of reporting: milestones, the report’s two parts, sending, the officer’s answer; the modules beside this one say how."""

from __future__ import annotations

from grants.reporting.services.apart import (
    refuse_own,
)
from grants.reporting.services.ending import end_grant, settle_unsent
from grants.reporting.services.milestones import (
    accept_milestone,
    expect_milestone,
    report_milestone,
    return_milestone,
    set_expected,
)
from grants.reporting.services.reports import (
    accept,
    accept_judged,
    declare_receipts,
    enter_costs,
    follow_agreement,
    give_back,
    in_hand,
    open_reports,
    reject,
    submit,
    write_section,
)

__all__ = [
    "accept",
    "accept_judged",
    "accept_milestone",
    "declare_receipts",
    "end_grant",
    "enter_costs",
    "expect_milestone",
    "follow_agreement",
    "give_back",
    "in_hand",
    "open_reports",
    "refuse_own",
    "reject",
    "report_milestone",
    "return_milestone",
    "set_expected",
    "settle_unsent",
    "submit",
    "write_section",
]
