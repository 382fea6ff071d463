"""A financial statement as PDF: summary, then every table, with scope, moment and hash on each page."""

from __future__ import annotations

from grants.documents.pdf.paper import Paper
from grants.documents.rules import Figures


def pdf(figures: Figures) -> bytes:
    """The statement's bytes; they follow from the figures alone."""
    moment = figures.moment_words
    paper = Paper(
        title=figures.title,
        head=f"{figures.programme} · {figures.title} · {figures.scope_reference}",
        foot=f"Data as of {moment} · figures {figures.sha256[:16]}",
        wide=True,
    )
    paper.paragraph(f"{figures.scope_title} ({figures.scope_reference})")
    paper.gap()
    paper.facts([("Data as of", moment), ("Hash of the figures", figures.sha256), *figures.summary])
    for note in figures.notes:
        paper.gap(4)
        paper.paragraph(note, style="quiet")
    for table in figures.tables:
        paper.table(table)
    return paper.finished()
