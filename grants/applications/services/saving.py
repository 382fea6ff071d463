"""Acts by which a person keeps lists under a name: saving, renaming, sharing, taking away, and which one comes first."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.applications import queries
from grants.applications.models import FirstList, SavedList
from grants.applications.rules.saving import LISTS_MAX, SavedListInput, Sharing, checked_name
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.core.references import next_number
from grants.identity.services import one_after_the_other

SERIES = "saved list"


@act("list_view.save", needs=Permission.LIST_VIEW_KEEP, says="kept a list of applications under a name")
def save_list(actor: Actor, given: SavedListInput) -> int:
    """Keep a list; returns its number."""
    checked = given.checked()
    assert actor.user_id is not None, "a person keeps a list"
    one_after_the_other(actor.user_id)
    own = db.session.scalar(select(func.count()).select_from(SavedList).where(SavedList.owner_id == actor.user_id)) or 0
    if own >= LISTS_MAX:
        raise Refused(f"You keep {own} lists, and {LISTS_MAX} is the most. Take one away that you no longer need.")
    _refuse_taken(actor, checked.name)
    row = SavedList(owner_id=actor.user_id, name=checked.name, address=checked.address)
    _share(actor, row, checked.sharing)
    row.number = next_number(SERIES)
    db.session.add(row)
    return row.number


@act("list_view.rename", needs=Permission.LIST_VIEW_KEEP, says="renamed a list of applications")
def rename_list(actor: Actor, list_id: UUID, name: str) -> None:
    """Give an own list another name."""
    row, wanted = _own(actor, list_id), checked_name(name)
    if wanted != row.name:
        _refuse_taken(actor, wanted)
        row.name = wanted


@act("list_view.change", needs=Permission.LIST_VIEW_KEEP, says="changed what a kept list of applications shows")
def change_list(actor: Actor, list_id: UUID, address: str) -> None:
    """An own list shows from now on what this address holds."""
    row = _own(actor, list_id)
    row.address = SavedListInput(row.name, address).checked().address


@act("list_view.share", needs=Permission.LIST_VIEW_KEEP, says="changed with whom a list of applications is shared")
def share_list(actor: Actor, list_id: UUID, sharing: Sharing) -> None:
    """Share an own list with the team of a call, or with nobody any more; nobody sees more by it than they may."""
    row = _own(actor, list_id)
    _share(actor, row, sharing.checked())


@act("list_view.delete", needs=Permission.LIST_VIEW_KEEP, says="took a kept list of applications away")
def delete_list(actor: Actor, list_id: UUID) -> None:
    """Take an own list away, for everybody it was shared with too."""
    row = _own(actor, list_id)
    for first in db.session.scalars(select(FirstList).where(FirstList.list_id == list_id).order_by(FirstList.id)):
        db.session.delete(first)
    db.session.delete(row)


@act("list_view.put_first", needs=Permission.LIST_VIEW_KEEP, says="chose which list of applications comes first")
def put_first(actor: Actor, number: int | None) -> None:
    """Open the list of applications with this list from now on, with the whole one where none is named."""
    wanted = None if number is None else queries.saved_list(actor, number).id
    row = db.session.scalars(
        select(FirstList).where(FirstList.user_id == actor.user_id).with_for_update()
    ).one_or_none()
    if wanted is None:
        if row is not None:
            db.session.delete(row)
    elif row is None:
        assert actor.user_id is not None, "a person chooses"
        db.session.add(FirstList(user_id=actor.user_id, list_id=wanted))
    else:
        row.list_id = wanted


def _own(actor: Actor, list_id: UUID) -> SavedList:
    row = db.session.scalars(
        select(SavedList)
        .where(SavedList.id == list_id, SavedList.owner_id == actor.user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    acts.subject("saved_list", row.id)
    return row


def _refuse_taken(actor: Actor, name: str) -> None:
    named = select(SavedList.id).where(SavedList.owner_id == actor.user_id, SavedList.name == name)
    taken = db.session.scalar(named) is not None
    if taken:
        raise Invalid(
            "You have a list of this name.", {"name": f"You keep a list named “{name}” already. Choose another name."}
        )


def _share(actor: Actor, row: SavedList, sharing: Sharing) -> None:
    row.shared_call_id = queries.shareable_call(actor, sharing.call_slug) if sharing.call_slug else None
    row.shared_role = sharing.role or None
