"""The receipt of a submission and the text of a grant agreement as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from grants.agreements.rules import AgreementText, GrantView, text_hash
from grants.agreements.states import PaymentKind, Side
from grants.applications.rules import LetterText
from grants.awards.rules.complaints import ComplaintLetter
from grants.core import clock
from grants.documents.pdf.paper import Paper
from grants.documents.rules import Column, ColumnKind, Receipt, Table, with_totals

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


def agreement(grant: GrantView, *, synthetic: bool) -> bytes:
    """The grant agreement as it was offered, with the signatures under it."""
    text, sha256 = grant.text, text_hash(grant.text)
    paper = Paper(
        title=f"Grant agreement {text.agreement}",
        head=f"{text.call} · Grant agreement · {text.agreement}",
        foot=f"Text {sha256[:16]}",
        synthetic=synthetic,
    )
    paper.paragraph(f"{text.title}, coordinated by {text.coordinator}")
    paper.gap()
    paper.facts(
        [
            ("Maximum grant", str(text.maximum)),
            ("Runs from", text.starts_on),
            ("Ends before", text.ends_before),
            ("Parent grant", text.parent_grant),
            ("Application", text.application),
            ("Pre-financing", str(text.limits.prefinancing)),
            ("Kept back until the balance", str(text.limits.retention)),
            ("Ceiling before the balance", str(text.limits.interim_ceiling)),
            ("SHA-256 of the text", sha256),
        ]
    )
    if text.amount_note:
        paper.gap(4)
        paper.paragraph(text.amount_note, style="quiet")
    if text.time_limits is not None:
        paper.gap(4)
        paper.paragraph(f"Time limits in calendar days: {text.time_limits.words}.")
    if text.payment_clock is not None:
        paper.paragraph(f"{text.payment_clock.words}.")
    *tables, last = _tables(text)
    for table in tables:
        paper.table(table)
    # The signatures never stand alone on a page: what they are given for goes over with them.
    with paper.together():
        paper.table(last)
        with paper.together():
            _signatures(paper, grant)
    return paper.finished()


def _signatures(paper: Paper, grant: GrantView) -> None:
    paper.heading("Signatures")
    for each in grant.signatures:
        side = "the coordinator" if each.side is Side.CITY else "the programme"
        local = clock.in_zone(each.signed_at)
        paper.paragraph(
            f"For {side}: {each.name}, {each.capacity}, {clock.long_date(local.date())}, {local:%H:%M} Brussels time. "
            f"Accepted text {each.document_sha256[:16]}."
        )


def _tables(text: AgreementText) -> Sequence[Table]:
    kinds = {
        PaymentKind.PREFINANCING: "Pre-financing",
        PaymentKind.INTERIM: "Interim payment",
        PaymentKind.BALANCE: "Payment of the balance",
    }
    return (
        with_totals(
            "Beneficiaries",
            (Column("Organisation", share=4), Column("Role"), Column("Maximum, EUR", MONEY)),
            [
                (each.name, "Coordinator" if each.is_coordinator else "Partner", each.maximum)
                for each in text.beneficiaries
            ],
        ),
        with_totals(
            "Payment schedule",
            (
                Column("Payment", share=3),
                Column("Opened by", share=3),
                Column("Planned for"),
                Column("Planned, EUR", MONEY),
            ),
            [
                (
                    kinds[line.kind],
                    f"Report {line.report_number} accepted" if line.report_number else "Signature of the agreement",
                    line.due_on,
                    line.planned,
                )
                for line in text.payments
            ],
        ),
        Table(
            "Milestones",
            (
                Column("No.", ColumnKind.NUMBER, 1),
                Column("Milestone", share=4),
                Column("Accepted when", share=5),
                Column("Due on"),
            ),
            tuple((number, each.title, each.criterion, each.due_on) for number, each in enumerate(text.milestones, 1)),
        ),
    )
