"""The page where conflicts are declared, a part at a time: which rows stand on it, and in which order they come."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from grants.core.paging import Page, Rows, cut
from grants.evaluation.rules.conflicts import ConflictPage, ConflictRow
from grants.evaluation.rules.entities import EntityRow


def place_of(entity: EntityRow, slug: str) -> str:
    """What the names of the fields of an organisation end with: another call of the same page may ask about it too."""
    return f"{entity.organisation_id}_{slug}"


def part_of(pages: Iterable[ConflictPage], page: Page) -> Rows[ConflictPage]:
    """So many applications of all calls, those that wait for an answer first, with the organisations in them.

    What is answered goes to the end of the list, so that the first page is always what comes next.
    """
    standing = tuple(pages)
    keys = sorted(row.key for one in standing for row in one.rows)
    shown = cut([key for key in keys if key > (page.after or "")], page, key=str, total=len(keys))
    kept = frozenset(shown.items)

    def stands(row: ConflictRow) -> bool:
        return row.key in kept

    def asked(one: ConflictPage, entity: EntityRow) -> bool:
        return any(stands(row) and row.application_id in entity.application_ids for row in one.rows)

    return Rows(_narrowed(standing, stands, asked), shown.next_key, shown.total, shown.first)


def about_one(pages: Iterable[ConflictPage], reference: str) -> tuple[ConflictPage, ...]:
    """One application alone, answered or not, with the organisations in it; nothing where it is not theirs to declare about."""
    return _narrowed(
        tuple(one for one in pages if any(row.reference == reference for row in one.rows)),
        lambda row: row.reference == reference,
        lambda one, entity: any(
            row.reference == reference and row.application_id in entity.application_ids for row in one.rows
        ),
    )


def rows_sent(pages: Iterable[ConflictPage], places: Collection[str]) -> tuple[ConflictPage, ...]:
    """The rows a page was sent with, wherever they stand by now: another window may have moved them."""
    return _narrowed(
        pages,
        lambda row: str(row.application_id) in places,
        lambda one, entity: place_of(entity, one.call_slug) in places,
    )


def _narrowed(
    pages: Iterable[ConflictPage],
    stands: Callable[[ConflictRow], bool],
    asked: Callable[[ConflictPage, EntityRow], bool],
) -> tuple[ConflictPage, ...]:
    parts = (
        replace(
            one,
            rows=tuple(row for row in one.rows if stands(row)),
            entities=tuple(entity for entity in one.entities if asked(one, entity)),
            whole=one,
        )
        for one in pages
    )
    return tuple(part for part in parts if part.rows or part.entities)
