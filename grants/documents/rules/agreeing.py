"""Sums that must be the same wherever they are read: what a statement agrees with, and its refusal where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grants.core.errors import Refused
from grants.core.money import Money
from grants.documents.rules.figures import Column, ColumnKind, Table


@dataclass(frozen=True, slots=True)
class Check:
    """One amount of a statement and the same amount read another way."""

    what: str
    here: Money
    where: str
    there: Money

    @property
    def agrees(self) -> bool:
        """To the cent."""
        return self.here == self.there


def agreeing(checks: Sequence[Check]) -> Table:
    """The checks as the last table of a statement; raises :class:`Refused` with the first that does not agree."""
    refuse_disagreeing(checks)
    return Table(
        "Agrees with",
        (
            Column("Figure", share=4),
            Column("Here", ColumnKind.MONEY),
            Column("Read from", share=5),
            Column("There", ColumnKind.MONEY),
        ),
        tuple((check.what, check.here, check.where, check.there) for check in checks),
        note="Every figure was read a second way before this statement was written. A statement whose figures differ by a cent is not made.",
    )


def refuse_disagreeing(checks: Sequence[Check]) -> None:
    """Refuse to state what the books, read another way, do not say."""
    for check in checks:
        if not check.agrees:
            raise Refused(
                f"The statement was not made: “{check.what}” is {check.here} by its own rows and {check.there} by {check.where}. "
                "Run “grants ledger verify” and tell the auditor."
            )
