"""A table of a PDF drawn line by line: widths from its contents, heads on every page, linear however long it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grants.documents.rules import ColumnKind, Table, in_table

INK, INK_2, HAIRLINE, TEAL = "#14232b", "#46565f", "#d5dde1", "#0b5d57"
REGULAR, BOLD = "Source", "Source-Bold"
# Tried in turn until every amount, day and reference stands on one line.
SIZES = (8.5, 7.8, 7.2, 6.6, 6.0)
# A table that goes on over many pages is set smaller from the start.
LONG_ROWS, LONG_SIZES = 200, (7.2, 6.6, 6.0)
PAD = 3.0
# What stands right-aligned under its head.
FIGURES = (ColumnKind.MONEY, ColumnKind.NUMBER)

# The lines of one cell.
Lines = Sequence[str]


class _Wide(dict[str, float]):
    """How wide each letter of a typeface is, as the library adds them up, asked once a letter."""

    def __init__(self, face: Any) -> None:
        super().__init__()
        self._face = face

    def __missing__(self, letter: str) -> float:
        wide: float = self._face.charWidths.get(ord(letter), self._face.defaultWidth)
        self[letter] = wide
        return wide


class _Spelt(dict[str, str | None]):
    """How a PDF spells each letter that stands among the first embedded ones; None for those that stand elsewhere.

    The library numbers letters by their first use: asked letter by letter in the order of a text they get the same numbers.
    """

    def __init__(self, font: Any, canvas: Any) -> None:
        super().__init__()
        self._font, self._canvas = font, canvas

    def __missing__(self, letter: str) -> str | None:
        ((subset, part),) = self._font.splitString(letter, self._canvas._doc)
        spelt: str | None = None if subset else self._canvas._escape(part)
        self[letter] = spelt
        return spelt


class Letters:
    """Widths and spelling of texts, each worked out once: names, kinds and days come again and again in a long table.

    Letter by letter, too: references and amounts are new in each row, and the library asks for each of their letters anew.
    """

    def __init__(self) -> None:
        self._widths: dict[tuple[str, str], float] = {}
        self._parts: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._wide: dict[str, _Wide] = {}
        self._spelt: dict[str, _Spelt] = {}

    def width(self, text: str, font: str, size: float) -> float:
        """How wide a text is in points."""
        known = self._widths.get((text, font))
        if known is None:
            if font not in self._wide:
                from reportlab.pdfbase.pdfmetrics import getFont  # in workers only

                self._wide[font] = _Wide(getFont(font).face)
            known = self._widths[text, font] = 0.001 * sum(map(self._wide[font].__getitem__, text))
        return known * size

    def spelled(self, text: str, font: str, canvas: Any) -> list[tuple[int, str]]:
        """A text as a PDF spells it: for each of its parts the number of the embedded letters, and the letters."""
        known = self._parts.get((text, font))
        if known is None:
            from reportlab.pdfbase.pdfmetrics import getFont  # in workers only

            if font not in self._spelt:
                self._spelt[font] = _Spelt(getFont(font), canvas)
            spelt = list(map(self._spelt[font].__getitem__, text))
            if None in spelt:
                parts = getFont(font).splitString(text, canvas._doc)
                known = [(subset, canvas._escape(part)) for subset, part in parts]
            else:
                known = [(0, "".join(map(str, spelt)))] if spelt else []
            self._parts[text, font] = known
        return known


def rows_of(table: Table, width: float) -> Any:
    """The table as something to put on paper, ``width`` points wide."""
    letters = Letters()
    texts = [[in_table(cell) for cell in row] for row in table.rows]
    totals = None if table.totals is None else ["" if cell is None else in_table(cell) for cell in table.totals]
    size, widths = _layout(table, texts, totals, width, letters)
    heads = [
        _broken(column.label, BOLD, size * 0.9, wide, letters)
        for column, wide in zip(table.columns, widths, strict=True)
    ]
    body = [_cells(row, REGULAR, size, widths, letters) for row in texts]
    if totals is not None:
        body.append(_cells(totals, BOLD, size, widths, letters))
    kinds = [column.kind in FIGURES for column in table.columns]
    return _flowable()(heads, body, totals is not None, size, widths, kinds, letters)


def _layout(
    table: Table, texts: Sequence[Lines], totals: Lines | None, width: float, letters: Letters
) -> tuple[float, list[float]]:
    """The size of the letters, and the width of each column: what it must have, and of the rest what it can use."""
    mins: list[float] = []
    for size in LONG_SIZES if len(texts) > LONG_ROWS else SIZES:
        wants = [_wants(table, place, texts, totals, size, letters) for place in range(len(table.columns))]
        mins = [least for least, _ in wants]
        spare = width - sum(mins)
        if spare >= 0:
            return size, _shared_out(mins, [most for _, most in wants], spare)
    scale = width / sum(mins)
    return SIZES[-1], [least * scale for least in mins]


def _wants(
    table: Table, place: int, texts: Sequence[Lines], totals: Lines | None, size: float, letters: Letters
) -> tuple[float, float]:
    """The least and the most width a column can use; amounts and days are never broken."""
    column = table.columns[place]
    cells = {row[place] for row in texts}
    longest = max((letters.width(cell, REGULAR, size) for cell in cells), default=0.0)
    if totals is not None:
        longest = max(longest, letters.width(totals[place], BOLD, size))
    head = max(letters.width(word, BOLD, size * 0.9) for word in column.label.split())
    least = longest
    if column.kind is ColumnKind.TEXT:
        least = max((letters.width(word, REGULAR, size) for cell in cells for word in cell.split()), default=0.0)
        least = max(least, letters.width("Total", BOLD, size) if place == 0 else 0.0)
    return max(least, head) + 2 * PAD, max(longest, head) + 2 * PAD


def _shared_out(mins: Sequence[float], most: Sequence[float], spare: float) -> list[float]:
    """What is left goes to columns whose text is still broken, in proportion; then to all of them alike."""
    lacking = [high - low for low, high in zip(mins, most, strict=True)]
    missing = sum(lacking)
    if missing > spare:
        return [low + spare * lack / missing for low, lack in zip(mins, lacking, strict=True)]
    rest = (spare - missing) / len(mins)
    return [high + rest for high in most]


def _cells(row: Lines, font: str, size: float, widths: Sequence[float], letters: Letters) -> list[Lines]:
    return [_broken(text, font, size, wide, letters) for text, wide in zip(row, widths, strict=True)]


def _broken(text: str, font: str, size: float, width: float, letters: Letters) -> Lines:
    """A text in lines that fit; broken between words, and inside one only where it is wider than its column."""
    room = width - 2 * PAD + 0.01
    if letters.width(text, font, size) <= room and "\n" not in text:
        return (text,)
    lines: list[str] = []
    for part in text.split("\n"):
        line = ""
        for word in _short_enough(part.split(), font, size, room, letters):
            longer = f"{line} {word}" if line else word
            if line and letters.width(longer, font, size) > room:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def _short_enough(parts: Sequence[str], font: str, size: float, room: float, letters: Letters) -> list[str]:
    found: list[str] = []
    for word in parts:
        while len(word) > 1 and letters.width(word, font, size) > room:
            fits = next(
                (end for end in range(len(word) - 1, 1, -1) if letters.width(word[:end], font, size) <= room), 1
            )
            found.append(word[:fits])
            word = word[fits:]
        found.append(word)
    return found


def _flowable() -> Any:
    from reportlab.lib.colors import HexColor  # in workers only
    from reportlab.platypus import Flowable  # in workers only

    ink, ink_2, hairline, teal = (HexColor(colour) for colour in (INK, INK_2, HAIRLINE, TEAL))

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
            letters: Letters,
        ) -> None:
            super().__init__()
            self.heads, self.body, self.has_totals, self.size = heads, body, has_totals, size
            self.widths, self.to_the_right, self.letters = widths, to_the_right, letters
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
            self.canv.setFillColor(ink_2)
            self._write([(self.heads, height)], BOLD, self.size * 0.9)
            self.canv.setFillColor(ink)
            y = height - self.head_height
            rows: list[tuple[Sequence[Lines], float]] = []
            sums: list[tuple[Sequence[Lines], float]] = []
            rules: list[float] = []
            for place in range(self.start, self.end):
                is_total = self.has_totals and place == len(self.body) - 1
                (sums if is_total else rows).append((self.body[place], y))
                y -= self.heights[place]
                rules.append(y)
            self._write(rows, REGULAR, self.size)
            self._write(sums, BOLD, self.size)
            self._rules(rules, height - self.head_height)

        def _write(self, rows: Sequence[tuple[Sequence[Lines], float]], font: str, size: float) -> None:
            """Put the cells of rows where they belong. Written as the PDF has it: a call for each cell takes thrice the time."""
            from reportlab.pdfbase.pdfmetrics import getFont  # in workers only

            code = ["BT"]
            face, standing, leading = getFont(font), -1, size * 1.26
            for cells, top in rows:
                left = 0.0
                for lines, width, right in zip(cells, self.widths, self.to_the_right, strict=True):
                    y = top - PAD - size
                    for line in lines:
                        x = left + (width - PAD - self.letters.width(line, font, size) if right else PAD)
                        code.append(f"1 0 0 1 {x:.2f} {y:.2f} Tm")
                        for subset, part in self.letters.spelled(line, font, self.canv):
                            if subset != standing:
                                code.append(f"{face.getSubsetInternalName(subset, self.canv._doc)} {size:.2f} Tf")
                                standing = subset
                            code.append(f"({part}) Tj")
                        y -= leading
                    left += width
            code.append("ET")
            self.canv._code.append(" ".join(code))

        def _rules(self, rules: Sequence[float], under_head: float) -> None:
            wide = sum(self.widths)
            self.canv.setLineWidth(0.4)
            self.canv.setStrokeColor(hairline)
            self.canv._code.append(" ".join(f"0 {y:.2f} m {wide:.2f} {y:.2f} l" for y in rules) + " S")
            self.canv.setLineWidth(1.2)
            self.canv.setStrokeColor(teal)
            self.canv.line(0, under_head, wide, under_head)
            if self.has_totals and self.end == len(self.body):
                above = rules[-1] + self.heights[-1]
                self.canv.setStrokeColor(ink)
                self.canv.line(0, above, wide, above)

    return Rows
