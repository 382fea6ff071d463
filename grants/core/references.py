"""Human references such as PCP-2022-A-0017, and gapless numbers for receipts; both counted inside the act that uses them."""

from __future__ import annotations

from typing import cast

from sqlalchemy import BigInteger, CheckConstraint, Table
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from grants.core import acts
from grants.core.db import Base

# The kinds of things that have a reference, by the letter in it.
LETTERS = {
    "C": "call",
    "A": "application",
    "G": "grant",
    "P": "payment order",
    "R": "report",
    "S": "statement",
    "Q": "question",
}


class ReferenceCounter(Base):
    """The last number of each series; its row lock makes acts that count in the same series wait for each other."""

    __tablename__ = "reference_counter"
    __audited__ = False
    __table_args__ = (CheckConstraint("last >= 1", name="last_from_one"),)

    series: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


_counter = cast(Table, ReferenceCounter.__table__)


def new_reference(code: str, year: int, letter: str) -> str:
    """The next reference of a programme, a year and a kind of thing, for example ``PCP-2022-A-0017``."""
    assert letter in LETTERS, f"{letter} is not the letter of a kind of thing"
    series = f"{code}-{year}-{letter}"
    return f"{series}-{next_number(series):04d}"


def next_number(series: str) -> int:
    """The next number of a series, from 1, without gaps: an act that is rolled back gives its number back.

    The price is that acts counting in one series follow each other; count as late in the act as you can.
    """
    acts.running_act()
    claim = upsert(_counter).values(series=series, last=1)
    counted = claim.on_conflict_do_update(index_elements=["series"], set_={"last": _counter.c.last + 1})
    return int(acts.core_write(counted.returning(_counter.c.last)).scalar_one())
