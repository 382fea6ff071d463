"""The look of every PDF: A4, our typeface, head and foot with page numbers, tables with repeated heads, same bytes for same input."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from grants.documents.pdf.rows import HAIRLINE, INK, INK_2, TEAL, rows_of
from grants.documents.rules import Cell, Table, words
from grants.dossiers.markup import BlockKind, blocks

_PADDINGS = ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")
HOLDS_SYNTHETIC = "holds synthetic data"
FONTS = Path(__file__).resolve().parents[2] / "web" / "static" / "vendor" / "fonts"


def fonts() -> None:
    """Register our typeface; built-in fonts lack letters that European city names have."""
    from reportlab import rl_config  # in workers only
    from reportlab.pdfbase import pdfmetrics  # in workers only
    from reportlab.pdfbase.ttfonts import TTFont  # in workers only

    # Pages as bytes, not as text: a fifth smaller, and sooner written.
    rl_config.useA85 = 0
    if "Source" in pdfmetrics.getRegisteredFontNames():
        return
    for name, file in (
        ("Source", "SourceSans3-Regular.ttf"),
        ("Source-Bold", "SourceSans3-Semibold.ttf"),
        ("Source-Italic", "SourceSans3-It.ttf"),
    ):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / file)))
    pdfmetrics.registerFontFamily("Source", normal="Source", bold="Source-Bold", italic="Source-Italic")


class Paper:
    """One document being written: add paragraphs, facts and tables, then :meth:`finished` gives its bytes."""

    def __init__(
        self, *, title: str, head: str, foot: str, synthetic: bool = False, wide: bool = False, titled: bool = True
    ) -> None:
        from reportlab.lib.pagesizes import A4, landscape  # in workers only
        from reportlab.lib.styles import ParagraphStyle  # in workers only
        from reportlab.lib.units import mm  # in workers only

        fonts()
        self.title, self.head = title, head
        # On each page, so that no page on its own passes for real.
        self.foot = f"{foot} · {HOLDS_SYNTHETIC}" if synthetic else foot
        self.size = landscape(A4) if wide else A4
        self.margin = 20 * mm
        self.width = self.size[0] - 2 * self.margin
        body = ParagraphStyle("body", fontName="Source", fontSize=10, leading=14, textColor=INK)
        self._styles = {
            "body": body,
            "name": ParagraphStyle("name", body, fontName="Source-Bold", keepWithNext=True),
            "quiet": ParagraphStyle("quiet", body, textColor=INK_2, fontSize=9, leading=12),
            "title": ParagraphStyle("title", body, fontName="Source-Bold", fontSize=20, leading=25, spaceAfter=6),
            "heading": ParagraphStyle(
                "heading", body, fontName="Source-Bold", fontSize=13, leading=17, spaceBefore=14, spaceAfter=5
            ),
            "cell": ParagraphStyle("cell", body, fontSize=8.5, leading=11),
            "head": ParagraphStyle("head", body, fontName="Source-Bold", fontSize=7.5, leading=10, textColor=INK_2),
            "figure": ParagraphStyle("figure", body, fontSize=8.5, leading=11, alignment=2),
            "subject": ParagraphStyle(
                "subject", body, fontName="Source-Bold", fontSize=11, leading=15, spaceBefore=10, spaceAfter=10
            ),
        }
        # A letter has its title in its properties alone: over its words stands who writes to whom.
        self._story: list[Any] = [self._text(title, "title")] if titled else []

    def _text(self, text: str, style: str) -> Any:
        from reportlab.platypus import Paragraph  # in workers only

        # Everything people typed is escaped: no markup, no picture and no address is ever read from it.
        return Paragraph(escape(text).replace("\n", "<br/>"), self._styles[style])

    def paragraph(self, text: str, *, style: str = "body") -> None:
        """Running text."""
        self._story.append(self._text(text, style))

    def prose(self, text: str) -> None:
        """A long answer with its paragraphs, lists and bold words, and nothing else of markup."""
        from reportlab.platypus import Paragraph  # in workers only

        for block in blocks(text):
            rows = [
                "".join(f"<b>{escape(run.text)}</b>" if run.bold else escape(run.text) for run in row)
                for row in block.rows
            ]
            match block.kind:
                case BlockKind.PARAGRAPH:
                    rows = ["<br/>".join(rows)]
                case BlockKind.BULLETS:
                    rows = [f"\u2022 {row}" for row in rows]
                case BlockKind.NUMBERS:
                    rows = [f"{number}. {row}" for number, row in enumerate(rows, 1)]
            self._story += [Paragraph(row, self._styles["body"]) for row in rows]

    def heading(self, text: str) -> None:
        """A heading, kept with what follows."""
        heading = self._text(text, "heading")
        heading.keepWithNext = True
        self._story.append(heading)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside stands on one page, where it fits on one."""
        from reportlab.platypus import KeepTogether  # in workers only

        before, self._story = self._story, []
        yield
        self._story = [*before, KeepTogether(self._story)]

    def page(self) -> None:
        """What follows begins on a new page."""
        from reportlab.platypus import PageBreak  # in workers only

        self._story.append(PageBreak())

    def gap(self, points: int = 8) -> None:
        """White space."""
        from reportlab.platypus import Spacer  # in workers only

        self._story.append(Spacer(1, points))

    def facts(self, items: Sequence[tuple[str, Cell]]) -> None:
        """Labels and values in two columns."""
        self._story.append(self._facts(items, self.width, 0.3))

    def place_to_sign(self, label: str) -> None:
        """Room for one person to sign by hand."""
        room = [(f"{label}. Name, and signs as", "\n\n"), ("Place and day", "\n\n"), ("Signature", "\n\n\n\n")]
        self.facts(room)
        self.gap(6)

    def beside(self, left: Sequence[tuple[str, Cell]], right: Sequence[tuple[str, Cell]]) -> None:
        """Two blocks of labels and values beside each other: what it is about, and what it comes to."""
        from reportlab.platypus import Table as Grid  # in workers only

        wide = self.width * 0.48
        cells = [self._facts(left, wide, 0.26), "", self._facts(right, wide, 0.62, figures=True)]
        grid = Grid([cells], colWidths=[wide, self.width * 0.04, wide])
        grid.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *((side, (0, 0), (-1, -1), 0) for side in _PADDINGS)])
        self._story.append(grid)

    def addresses(self, left: Sequence[str], right: Sequence[str]) -> None:
        """Two blocks of lines beside each other: whom a letter goes to, and who writes it."""
        from reportlab.platypus import Table as Grid  # in workers only

        wide = [self.width * 0.58, self.width * 0.42]
        grid = Grid([[self._text("\n".join(left), "body"), self._text("\n".join(right), "quiet")]], colWidths=wide)
        grid.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *((side, (0, 0), (-1, -1), 0) for side in _PADDINGS)])
        self._story.append(grid)

    def _facts(self, items: Sequence[tuple[str, Cell]], width: float, labels: float, *, figures: bool = False) -> Any:
        from reportlab.platypus import Table as Grid  # in workers only

        value_style = "figure" if figures else "cell"
        rows = [[self._text(label, "head"), self._text(words(value), value_style)] for label, value in items]
        grid = Grid(rows, colWidths=[width * labels, width * (1 - labels)])
        grid.setStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, HAIRLINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
        return grid

    def table(self, table: Table) -> None:
        """A table with its heading; heads are repeated on every page."""
        from reportlab.platypus import CondPageBreak  # in workers only

        # A heading stays with its table, which may itself go on over many pages.
        self._story.append(CondPageBreak(110))
        self._story.append(self._text(table.title, "heading"))
        if table.note:
            self.paragraph(table.note, style="quiet")
        if not table.rows:
            self.paragraph("Nothing to show.", style="quiet")
            return
        self._story.append(rows_of(table, self.width))

    def finished(self) -> bytes:
        """The document's bytes; the same input gives the same bytes."""
        from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate  # in workers only

        target = io.BytesIO()
        document = BaseDocTemplate(
            target,
            pagesize=self.size,
            leftMargin=self.margin,
            rightMargin=self.margin,
            topMargin=self.margin + 14,
            bottomMargin=self.margin,
            title=self.title,
            author="Pilot Grants",
            lang="en",
            invariant=1,
        )
        frame = Frame(
            self.margin, self.margin, self.width, self.size[1] - 2 * self.margin - 14, leftPadding=0, rightPadding=0
        )
        document.addPageTemplates([PageTemplate("page", [frame])])
        document.build(self._story, canvasmaker=_numbered(self))
        return target.getvalue()


def _numbered(paper: Paper) -> Any:
    from reportlab.pdfgen.canvas import Canvas  # in workers only

    class Numbered(Canvas):
        """Keeps every page until the number of pages is known, then writes head and foot."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, kept in enumerate(self._pages, 1):
                self.__dict__.update(kept)
                self._frame(number, len(self._pages))
                super().showPage()
            super().save()

        def _frame(self, number: int, pages: int) -> None:
            left, right = paper.margin, paper.size[0] - paper.margin
            top, bottom = paper.size[1] - paper.margin, paper.margin - 14
            self.setFont("Source", 8)
            self.setFillColor(INK_2)
            self.drawString(left, top, paper.head)
            self.setStrokeColor(TEAL)
            self.setLineWidth(1)
            self.line(left, top - 5, right, top - 5)
            self.drawString(left, bottom, paper.foot)
            self.drawRightString(right, bottom, f"Page {number} of {pages}")

    return Numbered
