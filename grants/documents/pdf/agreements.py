"""A grant agreement as PDF: its articles, its annexes and its signatures; one on offer says on each page that it has none yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grants.agreements.rules import (
    AgreementText,
    BudgetTable,
    Description,
    Letters,
    PlanLine,
    ScheduleLine,
    SignatureView,
)
from grants.agreements.states import PaymentKind, Side
from grants.core import clock
from grants.documents.pdf.paper import Paper
from grants.documents.rules import AgreementSheet, Column, ColumnKind, Table, with_totals

MONEY = ColumnKind.MONEY
_WHOSE = {Side.CITY: "the coordinator", Side.PROGRAMME: "the programme"}
PAYMENTS = {
    PaymentKind.PREFINANCING: "Pre-financing",
    PaymentKind.ADDITIONAL: "Additional pre-financing",
    PaymentKind.INTERIM: "Interim payment",
    PaymentKind.BALANCE: "Payment of the balance",
}


def agreement(sheet: AgreementSheet, *, synthetic: bool) -> bytes:
    """The agreement exactly as it was offered, with the signatures under it."""
    text = sheet.text
    paper = Paper(
        title=f"Grant agreement {text.agreement}",
        head=f"{text.call} · Grant agreement · {text.agreement}",
        foot=f"{sheet.standing} · Text {sheet.sha256[:16]}",
        synthetic=synthetic,
    )
    paper.paragraph(f"{text.title}, coordinated by {text.coordinator}")
    paper.gap()
    paper.facts(_facts(sheet))
    paper.gap(4)
    if text.amount_note:
        paper.paragraph(text.amount_note, style="quiet")
    _articles(paper, text)
    # The signatures never stand alone on a page: what they are given for goes over with them.
    with paper.together():
        paper.table(_milestones(text))
        with paper.together():
            paper.heading("Signatures")
            _signatures(paper, sheet)
    _annexes(paper, text)
    return paper.finished()


def _facts(sheet: AgreementSheet) -> list[tuple[str, str]]:
    text = sheet.text
    return [
        ("Standing", sheet.standing_words),
        ("Maximum grant", str(text.maximum)),
        ("Period", f"{clock.long_date(text.starts_on)} to before {clock.long_date(text.ends_before)}"),
        ("Parent grant", text.parent_grant),
        ("Application", text.application),
        ("Pre-financing", str(text.limits.prefinancing)),
        *([("Additional pre-financing", str(text.limits.additional))] if text.limits.additional else []),
        ("Kept back until the balance", str(text.limits.retention)),
        ("Ceiling before the balance", str(text.limits.interim_ceiling)),
        *([("Annexes", "\n".join(text.annex(title) for title in text.annexes))] if text.version else []),
        ("SHA-256 of the text", sheet.sha256),
    ]


def _articles(paper: Paper, text: AgreementText) -> None:
    paper.heading("Terms")
    for sentence in _terms(text):
        paper.paragraph(sentence)
        paper.gap(4)
    if text.special_conditions:
        paper.heading("Special conditions")
        paper.prose(text.special_conditions)
    if text.description_changes:
        paper.heading("Changes of the description of the action")
        paper.prose(text.description_changes)
    if text.account:
        paper.heading("Account that is paid")
        paper.paragraph(text.account)
    for note in text.amendments or ():
        paper.heading(f"Amendment {note.number}: {note.words}")
        for line in note.lines:
            paper.paragraph(line)
    paper.table(_beneficiaries(text))


def _terms(text: AgreementText) -> Iterator[str]:
    """What it lays down, a paragraph for each matter."""
    yield (
        "The coordinator receives every payment and passes the shares on; no beneficiary receives more than the amount "
        "beside its name. What is paid and kept back before the balance never exceeds the ceiling above."
    )
    if text.additional_words:
        yield f"{text.additional_words}."
    if text.time_limits is not None:
        yield f"Time limits in calendar days: {text.time_limits.words}."
    for rule in (text.payment_clock, text.passing_on, text.funding):
        if rule is not None:
            yield f"{rule.words}."
    for stated in (text.flexibility, text.reply, text.signing, text.accession):
        if stated is not None:
            yield stated.words


def _signatures(paper: Paper, sheet: AgreementSheet) -> None:
    for line in letter_lines(sheet.letters):
        paper.paragraph(line)
        paper.gap(3)
    if not sheet.signatures and sheet.letters is None:
        paper.paragraph(
            f"Nobody has signed this text of grant agreement {sheet.text.agreement} ({sheet.sha256[:16]}). It is printed to be "
            "read before it is signed: in the program, or outside it, electronically or by hand in these places."
        )
        paper.gap()
    for side, people in sheet.places:
        for number in range(1, people + 1):
            paper.place_to_sign(f"For {_WHOSE[side]}, {number}")
    for side in Side:
        whose = _WHOSE[side]
        for each in sheet.signatures:
            if each.side is side:
                paper.paragraph(_signature(each, whose))
                paper.gap(3)


def letter_lines(letters: Letters | None) -> tuple[str, ...]:
    """What stands in the place of signatures under a text that was agreed by letters; nothing under any other."""
    return letters.lines if letters is not None else ()


def _signature(given: SignatureView, whose: str) -> str:
    local = clock.in_zone(given.signed_at)
    power = f" By: {given.power}." if given.power else ""
    counted = f"{clock.long_date(local.date())}, {local:%H:%M} Brussels time"
    when = (
        f"{clock.long_date(given.signed_on)}, {given.method.words}, {counted}"
        if given.signed_on
        else f"{counted}; {given.method.words}"
    )
    return f"For {whose}: {given.name}, {given.capacity}, {when}.{power} Accepted text {given.document_sha256[:16]}."


def _annexes(paper: Paper, text: AgreementText) -> None:
    for title in text.annexes:
        heading = text.annex(title)
        match title:
            case "Description of the action":
                assert text.description is not None, "only what is there is an annex"
                _description(paper, heading, text.description)
            case "Work plan":
                paper.table(_plan(heading, text.work_plan or ()))
            case "Budget":
                assert text.budget is not None, "only what is there is an annex"
                paper.table(_budget(heading, text.budget))
            case _:
                paper.table(_schedule(heading, text))


def _description(paper: Paper, heading: str, found: Description) -> None:
    paper.page()
    paper.heading(heading)
    paper.paragraph(f"As in: {found.basis}.", style="quiet")
    if found.summary:
        paper.prose(found.summary)
    for section in found.sections:
        paper.heading(section.title)
        for question, answer in section.items:
            paper.paragraph(question, style="name")
            paper.prose(answer or "Not provided")
            paper.gap(4)


def _plan(heading: str, lines: Sequence[PlanLine]) -> Table:
    return Table(
        heading,
        (
            Column("No."),
            Column("What", share=6),
            Column("Kind"),
            Column("Responsible", share=3),
            Column("Months"),
        ),
        tuple((each.code, each.title, each.kind.capitalize(), each.owner, each.months) for each in lines),
    )


def _budget(heading: str, found: BudgetTable) -> Table:
    columns = [Column("Beneficiary", share=3), *(Column(label, MONEY) for label in found.categories)]
    return Table(
        f"{heading}, EUR",
        (*columns, Column("Total", MONEY), Column("Asked for", MONEY)),
        tuple((line.name, *line.amounts, line.total, line.requested) for line in found.lines),
        (found.totals.name, *found.totals.amounts, found.totals.total, found.totals.requested),
        f"As in: {found.basis}. What the grant pays is limited by the maximum of each beneficiary.",
    )


def _beneficiaries(text: AgreementText) -> Table:
    return with_totals(
        "Beneficiaries",
        (Column("Organisation", share=4), Column("Role"), Column("Maximum, EUR", MONEY)),
        [(each.name, "Coordinator" if each.is_coordinator else "Partner", each.maximum) for each in text.beneficiaries],
    )


def _milestones(text: AgreementText) -> Table:
    return Table(
        "Milestones",
        (
            Column("No.", ColumnKind.NUMBER, 1),
            Column("Milestone", share=4),
            Column("Accepted when", share=5),
            Column("Due on", ColumnKind.DATE),
        ),
        tuple((number, each.title, each.criterion, each.due_on) for number, each in enumerate(text.milestones, 1)),
    )


def _opened_by(line: ScheduleLine) -> str:
    if line.report_number:
        return f"Report {line.report_number} accepted"
    return "Statement of use" if line.kind is PaymentKind.ADDITIONAL else "Signature of the agreement"


def _schedule(heading: str, text: AgreementText) -> Table:
    return with_totals(
        heading,
        (
            Column("Payment", share=3),
            Column("Opened by", share=3),
            Column("Planned for", ColumnKind.DATE),
            Column("Planned, EUR", MONEY),
        ),
        [
            (
                PAYMENTS[line.kind],
                _opened_by(line),
                line.due_on,
                line.planned,
            )
            for line in text.payments
        ],
    )
