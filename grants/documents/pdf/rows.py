"""A table of a PDF drawn line by line: widths from its contents, heads on every page, linear however long it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from grants.documents.rules import Cell, ColumnKind, Table, words

INK, INK_2, HAIRLINE, TEAL = "#14232b", "#46565f", "#d5dde1", "#0b5d57"
REGULAR, BOLD = "Source", "Source-Bold"
# Tried in turn until every amount, day and reference stands on one line.
SIZES = (8.5, 7.8, 7.2, 6.6, 6.0)
PAD = 3.0
# What stands right-aligned under its head.
FIGURES = (ColumnKind.MONEY, ColumnKind.NUMBER)

# The lines of one cell, and those of all cells of one row.
Lines = Sequence[str]
Width = Callable[[str, str, float], float]


def shown(cell: Cell) -> str:
    """A cell as it stands in a table of a PDF: days are short, so that many fit beside each other."""
    return f"{cell.day} {cell:%b} {cell.year}" if isinstance(cell, date) else words(cell)


def rows_of(table: Table, width: float) -> Any:
    """The table as something to put on paper, ``width`` points wide."""
    from reportlab.pdfbase.pdfmetrics import stringWidth  # in workers only

    known: dict[tuple[str, str, float], float] = {}

    def measure(text: str, font: str, size: float) -> float:
        # Names, kinds and days come again and again; measuring them once is most of the speed.
        key = (text, font, size)
        if key not in known:
            known[key] = stringWidth(text, font, size)
        return known[key]

    texts = [[shown(cell) for cell in row] for row in table.rows]
    totals = None if table.totals is None else ["" if cell is None else shown(cell) for cell in table.totals]
    size, widths = _layout(table, texts, totals, width, measure)
    heads = [
        _broken(column.label, BOLD, size * 0.9, wide, measure)
        for column, wide in zip(table.columns, widths, strict=True)
    ]
    body = [_cells(row, REGULAR, size, widths, measure) for row in texts]
    if totals is not None:
        body.append(_cells(totals, BOLD, size, widths, measure))
    kinds = [column.kind in FIGURES for column in table.columns]
    return _flowable()(heads, body, totals is not None, size, widths, kinds, measure)


def _layout(
    table: Table, texts: Sequence[Lines], totals: Lines | None, width: float, measure: Width
) -> tuple[float, list[float]]:
    """The size of the letters, and the width of each column: what it must have, and of the rest what it can use."""
    mins: list[float] = []
    for size in SIZES:
        wants = [_wants(table, place, texts, totals, size, measure) for place in range(len(table.columns))]
        mins = [least for least, _ in wants]
        spare = width - sum(mins)
        if spare >= 0:
            return size, _shared_out(mins, [most for _, most in wants], spare)
    scale = width / sum(mins)
    return SIZES[-1], [least * scale for least in mins]


def _wants(
    table: Table, place: int, texts: Sequence[Lines], totals: Lines | None, size: float, measure: Width
) -> tuple[float, float]:
    """The least and the most width a column can use; amounts and days are never broken."""
    column = table.columns[place]
    cells = {row[place] for row in texts}
    longest = max((measure(cell, REGULAR, size) for cell in cells), default=0.0)
    if totals is not None:
        longest = max(longest, measure(totals[place], BOLD, size))
    head = max(measure(word, BOLD, size * 0.9) for word in column.label.split())
    least = longest
    if column.kind is ColumnKind.TEXT:
        least = max((measure(word, REGULAR, size) for cell in cells for word in cell.split()), default=0.0)
        least = max(least, measure("Total", BOLD, size) if place == 0 else 0.0)
    return max(least, head) + 2 * PAD, max(longest, head) + 2 * PAD


def _shared_out(mins: Sequence[float], most: Sequence[float], spare: float) -> list[float]:
    """What is left goes to columns whose text is still broken, in proportion; then to all of them alike."""
    lacking = [high - low for low, high in zip(mins, most, strict=True)]
    missing = sum(lacking)
    if missing > spare:
        return [low + spare * lack / missing for low, lack in zip(mins, lacking, strict=True)]
    rest = (spare - missing) / len(mins)
    return [high + rest for high in most]


def _cells(row: Lines, font: str, size: float, widths: Sequence[float], measure: Width) -> list[Lines]:
    return [_broken(text, font, size, wide, measure) for text, wide in zip(row, widths, strict=True)]


def _broken(text: str, font: str, size: float, width: float, measure: Width) -> Lines:
    """A text in lines that fit; broken between words, and inside one only where it is wider than its column."""
    room = width - 2 * PAD + 0.01
    if measure(text, font, size) <= room and "\n" not in text:
        return (text,)
    lines: list[str] = []
    for part in text.split("\n"):
        line = ""
        for word in _short_enough(part.split(), font, size, room, measure):
            longer = f"{line} {word}" if line else word
            if line and measure(longer, font, size) > room:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def _short_enough(parts: Sequence[str], font: str, size: float, room: float, measure: Width) -> list[str]:
    found: list[str] = []
    for word in parts:
        while len(word) > 1 and measure(word, font, size) > room:
            fits = next((end for end in range(len(word) - 1, 1, -1) if measure(word[:end], font, size) <= room), 1)
            found.append(word[:fits])
            word = word[fits:]
        found.append(word)
    return found


def _flowable() -> Any:
    from reportlab.platypus import Flowable  # in workers only

    class Rows(Flowable):
        """Rows from ``start`` up to ``end``; parted at the foot of a page without copying anything."""

        def __init__(
            self,
            heads: Sequence[Lines],
            body: Sequence[Sequence[Lines]],
            has_totals: bool,
            size: float,
            widths: Sequence[float],
            to_the_right: Sequence[bool],
            measure: Width,
        ) -> None:
            super().__init__()
            self.heads, self.body, self.has_totals, self.size = heads, body, has_totals, size
            self.widths, self.to_the_right, self.measure = widths, to_the_right, measure
            self.leading = size * 1.26
            self.heights = [max(map(len, row)) * self.leading + 2 * PAD for row in body]
            self.head_height = max(map(len, heads)) * self.leading * 0.9 + 2 * PAD
            self.start, self.end = 0, len(body)

        def wrap(self, width: float, height: float) -> tuple[float, float]:
            return sum(self.widths), self.head_height + sum(self.heights[self.start : self.end])

        def split(self, width: float, height: float) -> list[Any]:
            left, place = height - self.head_height, self.start
            while place < self.end and self.heights[place] <= left:
                left -= self.heights[place]
                place += 1
            # The sum never stands alone under a head, nor a head alone at the foot of a page.
            if self.has_totals and place == len(self.body) - 1 and place - 1 > self.start:
                place -= 1
            if place == self.start:
                return []
            return [self._part(self.start, place), self._part(place, self.end)]

        def _part(self, start: int, end: int) -> Any:
            part = self.__class__.__new__(self.__class__)
            part.__dict__.update(self.__dict__)
            # That the whole did not fit on the page before says nothing of its parts.
            part.__dict__.pop("_postponed", None)
            part.start, part.end = start, end
            return part

        def draw(self) -> None:
            height = self.wrap(0, 0)[1]
            text = self.canv.beginText()
            text.setFillColor(INK_2)
            self._row(text, self.heads, height, BOLD, self.size * 0.9)
            text.setFillColor(INK)
            y = height - self.head_height
            rules = []
            for place in range(self.start, self.end):
                is_total = self.has_totals and place == len(self.body) - 1
                self._row(text, self.body[place], y, BOLD if is_total else REGULAR, self.size)
                y -= self.heights[place]
                rules.append((0.0, y, sum(self.widths), y))
            self.canv.drawText(text)
            self._rules(rules, height - self.head_height)

        def _row(self, text: Any, cells: Sequence[Lines], top: float, font: str, size: float) -> None:
            text.setFont(font, size)
            leading = size * 1.26
            left = 0.0
            for lines, width, right in zip(cells, self.widths, self.to_the_right, strict=True):
                y = top - PAD - size
                for line in lines:
                    if line:
                        x = left + width - PAD - self.measure(line, font, size) if right else left + PAD
                        text.setTextOrigin(x, y)
                        text.textOut(line)
                    y -= leading
                left += width

        def _rules(self, rules: list[tuple[float, float, float, float]], under_head: float) -> None:
            self.canv.setLineWidth(0.4)
            self.canv.setStrokeColor(HAIRLINE)
            self.canv.lines(rules)
            self.canv.setLineWidth(1.2)
            self.canv.setStrokeColor(TEAL)
            self.canv.line(0, under_head, sum(self.widths), under_head)
            if self.has_totals and self.end == len(self.body):
                above = rules[-1][1] + self.heights[-1]
                self.canv.setStrokeColor(INK)
                self.canv.line(0, above, sum(self.widths), above)

    return Rows
