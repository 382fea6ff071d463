"""A letter that tells a decision, and its evaluation summary report, as PDF: from what was frozen, nobody's name in it."""

from __future__ import annotations

from collections.abc import Iterable

from grants.awards.rules.letters import DecisionText, Hashes
from grants.documents.pdf.paper import Paper
from grants.documents.rules import Column, ColumnKind, Table


def letter(text: DecisionText, hashes: Hashes, *, synthetic: bool) -> bytes:
    """The letter as it was sent. It is read before its report may be, so its hash is the one without."""
    sha256 = hashes.letter
    if text.letterhead is None:
        return _words_alone(text, sha256, synthetic=synthetic)
    letterhead = text.letterhead
    paper = _paper(text, sha256, synthetic=synthetic, titled=False)
    paper.gap(14)
    paper.addresses(letterhead.recipient, letterhead.sender)
    paper.gap(22)
    paper.paragraph(letterhead.dated(text.sent_on))
    paper.paragraph(letterhead.subject, style="subject")
    paper.paragraph(letterhead.salutation)
    paper.gap(7)
    *said, last = filter(None, (*text.paragraphs, text.complaint_words))
    _said(paper, said)
    # Who stands under it never stands alone on a page.
    with paper.together():
        _said(paper, [last])
        paper.gap(5)
        paper.paragraph(letterhead.closing)
        paper.gap(12)
        paper.paragraph("\n".join(letterhead.signature))
    paper.gap(12)
    with paper.together():
        for line in letterhead.under:
            paper.paragraph(line, style="quiet")
        paper.gap(6)
        paper.facts([("Call", f"{text.call} ({text.call_reference})"), ("SHA-256 of the letter", sha256)])
    return paper.finished()


def _paper(text: DecisionText, sha256: str, *, synthetic: bool, titled: bool) -> Paper:
    return Paper(
        title=text.heading,
        head=f"{text.programme} · Decision letter · {text.reference}",
        foot=f"Letter {sha256[:16]}",
        synthetic=synthetic,
        titled=titled,
    )


def _words_alone(text: DecisionText, sha256: str, *, synthetic: bool) -> bytes:
    """A letter that was frozen before letters had a letterhead, to the byte as it was printed then."""
    paper = _paper(text, sha256, synthetic=synthetic, titled=True)
    paper.facts(_about(text, sha256))
    paper.gap(10)
    _said(paper, filter(None, (*text.paragraphs, text.complaint_words)))
    paper.paragraph(text.programme)
    return paper.finished()


def _said(paper: Paper, paragraphs: Iterable[str]) -> None:
    for paragraph in paragraphs:
        paper.prose(paragraph)
        paper.gap(7)


def report(text: DecisionText, hashes: Hashes, *, synthetic: bool) -> bytes:
    """The evaluation summary report that goes with a letter."""
    sha256, told = hashes.letter, text.report
    paper = Paper(
        title=f"Evaluation summary report {text.reference}",
        head=f"{text.programme} · Evaluation summary report · {text.reference}",
        foot=f"With letter {sha256[:16]}",
        synthetic=synthetic,
    )
    paper.paragraph(text.application)
    paper.gap(4)
    paper.facts([*_about(text, sha256), ("SHA-256 of both", hashes.both), ("Outcome", text.outcome.words)])
    number = ColumnKind.NUMBER
    columns = (
        Column("Criterion", share=6),
        Column("Score", number, 2),
        Column("Of", number, 2),
        Column("Needs at least", number, 2),
    )
    rows = [(row.name, row.score or "–", row.most, row.least or "–") for row in told.rows]
    if told.total:
        rows.append(("Total", told.total, told.total_most, told.total_least or "–"))
    paper.table(Table("Official scores", columns, tuple(rows), note=f"Marks: {told.marks}"))
    for words in (
        f"{told.basis}." if told.basis else "",
        f"The score is {told.score}{f' and must be {told.score_least}' if told.score_least else ''}."
        if told.score
        else "",
        " ".join(filter(None, (told.moved, f"Reason: {told.moved_why}" if told.moved_why else ""))),
    ):
        if words:
            paper.gap(4)
            paper.paragraph(words)
    paper.heading("What the evaluators agreed to tell you")
    if told.text:
        paper.prose(told.text)
    for row in told.rows:
        with paper.together():
            paper.gap(6)
            paper.paragraph(f"{row.name}{f': {row.score} of {row.most}' if row.score else ''}", style="name")
            paper.paragraph(row.question, style="quiet")
            paper.prose(row.comment or "No words for this criterion.")
    return paper.finished()


def _about(text: DecisionText, sha256: str) -> list[tuple[str, str]]:
    return [
        ("To", text.lead),
        ("Call", f"{text.call} ({text.call_reference})"),
        ("Application", text.reference),
        ("Date", text.sent_on or "Not sent"),
        ("SHA-256 of the letter", sha256),
    ]
