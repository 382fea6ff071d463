"""Whose sheet a file is: sheets of one call look alike, so only a line of its own tells which application it scores, and who does."""

from __future__ import annotations

import re
from uuid import UUID

from grants.core.errors import Invalid

# A line of a file is short; the end of an id tells people of one name apart, and never changes with it.
_NAME_CHARACTERS_MAX = 50
_ID_CHARACTERS = 8
_MARK = re.compile(r"(?P<reference>\S+) by (?P<name>.*) \((?P<id>[0-9a-f]{8})\)")


def sheet_mark(reference: str, name: str, person: UUID) -> str:
    """What the line says.

    >>> sheet_mark("PCP-2026-A-0038", "Eva Evaluator", UUID(int=7))
    'PCP-2026-A-0038 by Eva Evaluator (00000007)'
    """
    plain = re.sub(r"[\[\]\s]+", " ", name)[:_NAME_CHARACTERS_MAX].strip()
    return f"{reference} by {plain} ({_end_of(person)})"


class AnotherSheet(Invalid):
    """A file that is the sheet of another application, by its reference."""

    def __init__(self, message: str, reference: str) -> None:
        super().__init__(message)
        self.reference = reference


def refuse_another_sheet(mark: str, reference: str, name: str, person: UUID) -> None:
    """Raise :class:`Invalid` for the sheet of another application or of somebody else; a file without the line is anybody's."""
    read = _MARK.fullmatch(mark)
    scored = read["reference"] if read else mark
    if scored and scored != reference:
        raise AnotherSheet(
            f"This file is the sheet of {scored}, and here you assess {reference}. Upload it at {scored}, or download the "
            f"form of {reference} below and fill in that one.",
            scored,
        )
    if read and read["id"] != _end_of(person):
        raise Invalid(
            f"This file is the sheet of {read['name']}, and you are {name}. Everybody scores alone: download your own form "
            "below and fill in that one."
        )


def _end_of(person: UUID) -> str:
    return person.hex[-_ID_CHARACTERS:]
