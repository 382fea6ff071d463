"""A financial statement as PDF: what it is about and comes to, then every table, with scope, moment and hash on each page."""

from __future__ import annotations

from grants.core.money import Money
from grants.documents.pdf.paper import Paper
from grants.documents.rules import Figures, unmarked


def pdf(figures: Figures) -> bytes:
    """The statement's bytes; they follow from the figures alone."""
    foot = f"Data as of {figures.moment_words} · figures {figures.sha256[:16]}"
    paper = Paper(
        title=figures.title,
        head=f"{figures.programme} · {figures.title} · {figures.scope_reference}",
        foot=foot,
        synthetic=bool(figures.synthetic),
        wide=True,
    )
    summed = [(f"{label}, EUR" if isinstance(value, Money) else label, value) for label, value in figures.summary]
    paper.beside(figures.head, summed)
    paper.gap(6)
    for note in figures.notes:
        paper.gap(4)
        paper.paragraph(note, style="quiet")
    for table in figures.tables:
        paper.table(table if figures.synthetic else unmarked(table))
    return paper.finished()
