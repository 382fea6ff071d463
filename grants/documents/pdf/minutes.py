"""The minutes of a meeting of the panel as PDF."""

from __future__ import annotations

from datetime import datetime

from grants.awards.rules.minutes import MinutesItem, MinutesText
from grants.awards.rules.panel import clock_words
from grants.awards.rules.panel_pages import MinutesView
from grants.core import clock
from grants.documents.pdf.paper import Paper
from grants.documents.rules import Column, Table


def panel(view: MinutesView) -> bytes:
    """One version of the minutes, in the copy its reader may have, with the signatures given so far."""
    text = view.text
    kind = "Minutes, copy with items left out" if view.left_out else "Minutes"
    paper = Paper(
        title=f"Minutes of {text.title}",
        head=f"{text.call} · {kind} · {text.call_reference}",
        foot=f"Version {view.number} · {view.sha256[:16]}",
        synthetic=view.synthetic,
    )
    paper.facts(
        [
            ("Call", f"{text.call} ({text.call_reference})"),
            ("Opened", moment(text.began_at, text.zone)),
            ("Ended", moment(text.ended_at, text.zone)),
            ("Quorum", str(text.quorum)),
            *(("Paused", text.span_words(each.since, each.until)) for each in text.pauses),
            ("Version", f"{view.number}, frozen by {view.frozen_by}, {moment(view.frozen_at, text.zone)}"),
            ("SHA-256 of the whole", view.sha256),
        ]
    )
    paper.gap(4)
    paper.paragraph("Written by the system from what was logged. Times are on the clock of the call.", style="quiet")
    if view.left_out:
        paper.paragraph(
            "This copy leaves out what is closed to its reader because of a conflict of interest, or of a declaration not made.",
            style="quiet",
        )
    rows = tuple(
        (
            person.name,
            person.role,
            "; ".join(text.span_words(stay.since, stay.until) for stay in person.stays) or "Not there",
        )
        for person in text.people
    )  # fmt: skip
    paper.table(
        Table("People", (Column("Name", share=4), Column("In this meeting", share=3), Column("There", share=4)), rows)
    )
    for lead in text.led:
        paper.paragraph(f"{lead.name} led the meeting from {text.span_words(lead.since, lead.until)} {lead.words}.")
    for item in text.reached:
        _item(paper, item, text)
    _changed_unopened(paper, text)
    _not_reached(paper, text)
    with paper.together():
        _signatures(paper, view)
    return paper.finished()


def _item(paper: Paper, item: MinutesItem, text: MinutesText) -> None:
    paper.heading(f"{item.title} ({item.reference})")
    closed = f", closed {text.time_words(item.closed_at)}" if item.closed_at else ""
    paper.paragraph(f"Opened {text.time_words(item.opened_at)}{closed}; {clock_words(item.seconds)} minutes in all.")
    if item.led_by:
        paper.paragraph(f"Led by {item.led_by} in the place of the chair.")
    for stay in item.out:
        back = f" and was called back at {text.time_words(stay.until)}" if stay.until else ""
        paper.paragraph(
            f"{stay.name} left the room at {text.time_words(stay.since)} because of a conflict of interest{back}."
        )
    _changes(paper, item, text)
    for vote in item.votes:
        named = [("For", vote.approve), ("Against", vote.reject), ("Abstained", vote.abstain)]
        said = " ".join(f"{label}: {', '.join(names)}." for label, names in named if names)
        paper.paragraph(f"{vote.by} put to the vote: {vote.text}. {vote.words} {said}")
    if item.decision:
        paper.paragraph(f"Decided: {item.decision}")
    if item.remark:
        paper.paragraph(f"Remark: {item.remark}")


def _changes(paper: Paper, item: MinutesItem, text: MinutesText) -> None:
    for change in item.changes:
        paper.paragraph(f"{text.time_words(change.at)}, {change.by}: {change.words} Reason: {change.reason}")


def _changed_unopened(paper: Paper, text: MinutesText) -> None:
    """What changed a score of an application that the meeting did not come to."""
    if not text.changed_unopened:
        return
    paper.heading("Scores changed of what was not opened")
    for item in text.changed_unopened:
        paper.paragraph(f"{item.title} ({item.reference})")
        _changes(paper, item, text)


def _not_reached(paper: Paper, text: MinutesText) -> None:
    """What was not reached, in one sentence and one table."""
    if not text.not_reached:
        return
    # Few left a word about what they did not reach: an empty column would stand over pages.
    remarks = any(item.remark for item in text.not_reached)
    columns = (Column("Application", share=5), Column("Reference", share=3), Column("Remark", share=4))[: 2 + remarks]
    rows = tuple((item.title, item.reference, item.remark)[: 2 + remarks] for item in text.not_reached)
    paper.table(Table("Not reached in this meeting", columns, rows, note=text.not_reached_words))


def _signatures(paper: Paper, view: MinutesView) -> None:
    paper.heading("Signatures")
    for side, signed in (("For the chair", view.chair), ("Second person", view.second)):
        words = f"{signed[0]}, {moment(signed[1], view.text.zone)}" if signed else "Not signed yet"
        paper.paragraph(f"{side}: {words}.")


def moment(at: datetime, zone: str) -> str:
    """A day and a time on the clock of a zone, which is named."""
    local = clock.in_zone(at, zone)
    return f"{clock.long_date(local.date())}, {local:%H:%M} ({zone})"
