"""Applications down, evaluators across: how well each fits, who may not meet, who has the seat."""

from __future__ import annotations

from dataclasses import dataclass

from grants.core.paging import Rows

# So many people stand across: those with a seat on the applications shown first, then who fits best.
COLUMNS_MAX = 10


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """One evaluator across; the load is what the reader may know of it."""

    name: str
    handle: str
    load: int
    load_max: int


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One evaluator and one application: a seat that stands, a fit of somebody who may take one, or why they may not."""

    fit: int
    is_seat: bool = False
    is_conflict: bool = False
    is_locked: bool = False
    # Why this person cannot take a seat, as a sentence; empty where they may.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One application down; a cell for each column, in their order."""

    reference: str
    title: str
    missing: int
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True, slots=True)
class MatrixPage:
    """A few applications with those of the pool that matter for them."""

    call_slug: str
    call_title: str
    per_application: int
    columns: tuple[MatrixColumn, ...]
    rows: Rows[MatrixRow]
    # How many of the pool do not stand across.
    others: int
