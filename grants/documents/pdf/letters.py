"""The receipt of a submission and letters of decision as PDF."""

from __future__ import annotations

from datetime import datetime

from grants.applications.rules import LetterText
from grants.awards.rules.complaints import ComplaintLetter
from grants.core import clock
from grants.documents.pdf.paper import Paper
from grants.documents.rules import Column, ColumnKind, Receipt, Table, TerminationLetter

MONEY = ColumnKind.MONEY


def receipt(found: Receipt) -> bytes:
    """The receipt with the application exactly as it was sent."""
    local = clock.in_zone(found.submitted_at, found.zone)
    received = f"{clock.long_date(local.date())}, {local:%H:%M:%S} ({found.zone})"
    paper = Paper(
        title=f"Receipt {found.receipt_number} for application {found.reference}",
        head=f"{found.programme} · Receipt {found.receipt_number} · {found.reference}",
        foot=f"Version {found.version} · received {received} · content {found.sha256[:16]}",
        synthetic=found.synthetic,
    )
    paper.paragraph(f"The application “{found.title}” was received in time.")
    paper.gap()
    deadline = clock.in_zone(found.closes_at, found.zone)
    paper.facts(
        [
            ("Application", found.reference),
            ("Receipt number", str(found.receipt_number)),
            ("Version", str(found.version)),
            *found.received,
            ("Deadline", f"{clock.long_date(deadline.date())}, {deadline:%H:%M} ({found.zone})"),
            ("Sent by", found.submitted_by),
            ("Call", found.call),
            ("Coordinator", found.coordinator),
            ("Partners", ", ".join(found.partners) or "None"),
            ("Requested", found.requested),
            ("SHA-256 of the content", found.sha256),
            ("Event in the record", found.event_id),
        ]
    )
    paper.gap(4)
    paper.paragraph(
        "The hash covers the application exactly as it was sent, files included. Until the deadline a newer version may replace this one; "
        "the last version sent stands.",
        style="quiet",
    )
    _as_sent(paper, found)
    return paper.finished()


def reading_copy(found: Receipt) -> bytes:
    """An application to be read and assessed, exactly as it was sent."""
    paper = Paper(
        title=f"{found.reference} {found.title}",
        head=f"{found.programme} · {found.reference} · to be assessed",
        foot=f"Version {found.version} · content {found.sha256[:16]}",
        synthetic=found.synthetic,
    )
    paper.facts(
        [
            ("Call", found.call),
            ("Coordinator", found.coordinator),
            ("Partners", ", ".join(found.partners) or "None"),
            ("Requested", found.requested),
        ]
    )
    _as_sent(paper, found)
    return paper.finished()


def _as_sent(paper: Paper, found: Receipt) -> None:
    """The application itself: summary, answers, budget, files."""
    if found.summary:
        paper.heading("Summary")
        paper.paragraph(found.summary)
    for heading, items in found.answers:
        paper.heading(heading)
        for question, answer in items:
            paper.paragraph(question, style="head")
            paper.prose(answer or "Not provided")
            paper.gap(4)
    if found.costs:
        paper.table(found.costs)
    if found.files:
        paper.table(found.files)


def eligibility(text: LetterText, sent_at: datetime | None, *, zone: str, synthetic: bool) -> bytes:
    """The decision letter on admissibility and eligibility, as it was frozen when it was sent; one not sent says so on each page."""
    sha256, date = text.sha256.hex(), "Draft: it gets the date on which it is sent"
    if sent_at is not None:
        local = clock.in_zone(sent_at, zone)
        date = f"{clock.long_date(local.date())}, {local:%H:%M} ({zone})"
    kind = "Decision letter" if sent_at is not None else "DRAFT of a decision letter, not sent"
    paper = Paper(
        title=text.heading,
        head=f"{text.programme} · {kind} · {text.reference}",
        foot=f"Letter {sha256[:16]}",
        synthetic=synthetic,
    )
    paper.facts(
        [
            ("To", text.coordinator),
            ("Call", text.call),
            ("Application", f"{text.reference}, version {text.version}"),
            ("Date", date),
            ("SHA-256 of the letter", sha256),
        ]
    )
    paper.gap()
    for paragraph in text.paragraphs:
        paper.paragraph(paragraph)
        paper.gap(6)
    for title, rows in text.parts:
        paper.table(Table(title, (Column("Condition", share=5), Column("Answer", share=6)), rows))
    return paper.finished()


def termination(letter: TerminationLetter, *, synthetic: bool) -> bytes:
    """The letter of a confirmed termination, of a grant or of one partner’s part in it."""
    paper = Paper(
        title=letter.heading,
        head=f"{letter.programme} · Termination · {letter.reference}",
        foot=f"Termination {letter.found.number} of {letter.reference}",
        synthetic=synthetic,
    )
    paper.facts([*letter.facts])
    for heading, words in letter.paragraphs:
        paper.heading(heading)
        paper.prose(words)
        paper.gap(4)
    return paper.finished()


def complaint(text: ComplaintLetter, decided_at: datetime, sha256: str, *, zone: str, synthetic: bool) -> bytes:
    """The second decision on a complaint, as it was frozen when a committee of two stood behind it."""
    local = clock.in_zone(decided_at, zone)
    paper = Paper(
        title=text.heading,
        head=f"{text.programme} · Decision on a complaint · {text.reference}",
        foot=f"Decision {sha256[:16]}",
        synthetic=synthetic,
    )
    paper.facts(
        [
            ("To", text.coordinator),
            ("Call", text.call),
            ("Application", text.reference),
            ("First decision", text.first),
            ("Date", f"{clock.long_date(local.date())}, {local:%H:%M} ({zone})"),
            ("SHA-256 of the decision", sha256),
        ]
    )
    paper.gap()
    for paragraph in text.paragraphs:
        paper.paragraph(paragraph)
        paper.gap(6)
    return paper.finished()
