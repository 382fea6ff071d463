"""What people type about milestones and about what is accepted of a report."""

from __future__ import annotations

from grants.reporting.forms.reports import (
    AcceptForm,
    AcceptMilestoneForm,
    AnswerForm,
    ExpectedForm,
    MilestoneForm,
    ReceiptsForm,
    SendForm,
    accept_form,
    field_name,
)

__all__ = [
    "AcceptForm",
    "AcceptMilestoneForm",
    "AnswerForm",
    "ExpectedForm",
    "MilestoneForm",
    "ReceiptsForm",
    "SendForm",
    "accept_form",
    "field_name",
]
