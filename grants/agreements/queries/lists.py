"""Lists of grants, and of selected applications that have none yet."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from grants.agreements.models import (
    Grant,
)
from grants.agreements.queries.reach import visible
from grants.agreements.rules import (
    GrantRow,
)
from grants.agreements.states import (
    GrantState,
)
from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import queries as awards
from grants.awards.models import Selection, SelectionItem
from grants.awards.states import AmountBasis, SelectionState
from grants.core.db import db
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission
from grants.core.text import fold
from grants.core.together import Asking, ask, reader
from grants.identity import queries as identity

ROWS_MAX = 200


@reader
def grants(actor: Actor, page: Page, *, state: GrantState | None = None, search: str = "") -> Asking[Rows[GrantRow]]:
    """Grants the person may see, by reference, and how many there are; two statements."""
    wanted = [visible(actor)]
    if state is not None:
        wanted.append(Grant.state == state.value)
    if words := fold(search):
        wanted.append(Grant.search_text.contains(words, autoescape=True))
    statement = select(*_OF_ROW, is_declined().label("declined"), _amount_is_invented().label("invented")).where(
        *wanted
    )
    if page.after:
        statement = statement.where(Grant.reference > page.after)
    counted = select(Grant.id).where(*wanted).limit(COUNTED_MAX + 1).subquery()
    found, (count,) = yield [
        statement.order_by(Grant.reference).limit(page.limit),
        select(func.count()).select_from(counted),
    ]
    names = yield from identity.organisations.asking(row.coordinator_id for row in found)
    made = [
        GrantRow(
            row.id,
            row.reference,
            row.title,
            row.acronym,
            GrantState(row.state),
            names[row.coordinator_id].name,
            names[row.coordinator_id].country_code,
            row.maximum,
            row.starts_on,
            row.ends_before,
            row.declined,
            row.invented,
        )
        for row in found
    ]
    return cut(made, page, key=lambda row: row.reference, total=Tally.of(count[0]))


_OF_ROW = (
    Grant.id,
    Grant.reference,
    Grant.title,
    Grant.acronym,
    Grant.state,
    Grant.coordinator_id,
    Grant.maximum,
    Grant.starts_on,
    Grant.ends_before,
)


def found_by_name(actor: Actor, search: str) -> tuple[UUID, ...]:
    """Ids of the grants whose reference, title or city has these words, by reference, at most :data:`ROWS_MAX`."""
    statement = select(Grant.id).where(visible(actor), Grant.search_text.contains(fold(search), autoescape=True))
    return tuple(db.session.scalars(statement.order_by(Grant.reference).limit(ROWS_MAX)))


def is_declined() -> ColumnElement[bool]:
    """Whether the city of a grant declined it before both signed."""
    declined = ApplicationState.DECLINED.value
    return select(Application.id).where(Application.id == Grant.application_id, Application.state == declined).exists()


def _amount_is_invented() -> ColumnElement[bool]:
    """Whether a grant was selected with an amount nobody published."""
    return (
        select(SelectionItem.id)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            SelectionItem.application_id == Grant.application_id,
            SelectionItem.amount_basis == AmountBasis.SYNTHETIC.value,
            Selection.state == SelectionState.CONFIRMED.value,
        )
        .exists()
    )


@reader
def selected_without_grant(actor: Actor) -> Asking[tuple[tuple[str, str], ...]]:
    """Reference and title of selected applications whose preparation has not begun, at most 200.

    One that no letter told yet is none of them: first its letter leaves, or is left out by name.
    """
    if not actor.can(Permission.AGREEMENT_PREPARE):
        return ()
    statement = (
        select(Application.reference, Application.title)
        .where(
            Application.state == ApplicationState.SELECTED.value,
            or_(~applications.untold(), awards.letters.left_out_by_name()),
            Application.id.not_in(actor.barred("application")),
        )
        .order_by(Application.reference)
        .limit(ROWS_MAX)
    )
    if not actor.everywhere(Permission.AGREEMENT_PREPARE):
        statement = statement.where(Application.call_id.in_(actor.places(Permission.AGREEMENT_PREPARE, "call")))
    rows = yield from ask(statement)
    return tuple((row.reference, row.title) for row in rows)
