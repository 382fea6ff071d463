"""The times of a call in a sentence, and the notes at the head of its form and its budget on paper."""

from __future__ import annotations

from datetime import datetime

from grants.calls.rules.values import CallView
from grants.core import clock


def said(moment: datetime, zone: str) -> str:
    """``15 November 2022, 12:00 (Europe/Brussels)``; in the hour that comes twice, which of the two is said too."""
    local = clock.in_zone(moment, zone)
    return f"{clock.long_date(local.date())}, {local:%H:%M} ({zone_said(moment, zone)})"


def zone_said(moment: datetime, zone: str) -> str:
    """The name of the zone and, in the hour that comes twice, its distance from world time."""
    return ", ".join(filter(None, (zone, clock.offset_where_unclear(moment, zone))))


def closes_said(call: CallView) -> str:
    """When a call closes, as :func:`said`; empty while it has no deadline."""
    return said(call.closes_at, call.zone) if call.closes_at else ""


def form_notes(call: CallView) -> tuple[str, ...]:
    """What stands at the head of the form on paper."""
    return (
        f"Application form of the call “{call.title}” ({call.reference}). {_closes(call)}",
        "Write into the empty box below each question, and nowhere else. Then upload this file on the page of your "
        "application: you see what it changes before anything is changed. The budget and files are entered there too.",
    )


def budget_notes(call: CallView) -> tuple[str, ...]:
    """What stands at the head of the budget as a workbook."""
    return (
        f"Budget of the call “{call.title}” ({call.reference}). {_closes(call)}",
        "Upload the file on the page of your application’s budget: you see what it changes before anything is changed.",
    )


def _closes(call: CallView) -> str:
    return f"Deadline: {closes_said(call)}." if call.closes_at else ""
