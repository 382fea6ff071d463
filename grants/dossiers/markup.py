"""The small markup of long answers: an empty line between paragraphs, “- ” and “1. ” lists, **bold**; nothing else means anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby


class BlockKind(StrEnum):
    """What a stretch of lines is."""

    PARAGRAPH = "paragraph"
    BULLETS = "bullets"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class Run:
    """Some words of a line, and whether they are bold."""

    text: str
    bold: bool = False


class Block(tuple[str, ...]):
    """One paragraph or list as its lines; compares like the lines alone."""

    __slots__ = ()

    @property
    def kind(self) -> BlockKind:
        """What its first line says; all its lines are of one kind."""
        return kind_of(self[0])

    @property
    def rows(self) -> tuple[tuple[Run, ...], ...]:
        """Each line, or each item without its mark, as runs."""
        return tuple(runs(_MARK.sub("", line) if self.kind is not BlockKind.PARAGRAPH else line) for line in self)


class Plain(Block):
    """Lines in which no sign means anything: they are shown as they were typed."""

    __slots__ = ()

    @property
    def kind(self) -> BlockKind:
        return BlockKind.PARAGRAPH

    @property
    def rows(self) -> tuple[tuple[Run, ...], ...]:
        return tuple((Run(line),) for line in self)


_EMPTY = re.compile("\n(?:[ \t]*\n)+")
_BULLET, _NUMBER = re.compile(r"[ \t]*[-\u2022*][ \t]+\S"), re.compile(r"[ \t]*\d{1,3}[.)][ \t]+\S")
_MARK = re.compile(r"^[ \t]*(?:[-\u2022*]|\d{1,3}[.)])[ \t]+")
_OPENS, _CLOSES = re.compile(r"\*\*(?=\S)"), re.compile(r"(?<=\S)\*\*")


def kind_of(line: str) -> BlockKind:
    """What one line is, by how it begins."""
    if _BULLET.match(line):
        return BlockKind.BULLETS
    return BlockKind.NUMBERS if _NUMBER.match(line) else BlockKind.PARAGRAPH


def blocks(text: str) -> tuple[Block, ...]:
    """The text as paragraphs and lists.

    >>> blocks("a\\nb\\n\\nc")
    (('a', 'b'), ('c',))
    >>> [(block.kind.value, len(block)) for block in blocks("First:\\n- one\\n- two\\n1. three")]
    [('paragraph', 1), ('bullets', 2), ('numbers', 1)]
    """
    return tuple(block for part in _EMPTY.split(text.strip()) if part.strip() for block in _split(part))


def plain(text: str) -> tuple[Block, ...]:
    """The text as one paragraph of its lines, whatever signs stand in it.

    >>> [run.text for block in plain("**a**") for row in block.rows for run in row]
    ['**a**']
    """
    lines = [line for line in text.split("\n") if line.strip()]
    return (Plain(lines),) if lines else ()


def _split(part: str) -> Iterator[Block]:
    for _, lines in groupby(part.strip("\n").split("\n"), key=kind_of):
        yield Block(lines)


def runs(line: str) -> tuple[Run, ...]:
    """A line as runs; a lone pair of stars is only a pair of stars.

    >>> runs("a **b** c")
    (Run(text='a ', bold=False), Run(text='b', bold=True), Run(text=' c', bold=False))
    """
    found: list[Run] = []
    at = 0
    while (opens := _OPENS.search(line, at)) and (closes := _CLOSES.search(line, opens.end() + 1)):
        found += (Run(line[at : opens.start()]), Run(line[opens.end() : closes.start()], bold=True))
        at = closes.end()
    # What nothing closes, nothing later closes either: so a line is read once, whatever stands in it.
    found.append(Run(line[at:]))
    return tuple(run for run in found if run.text)
