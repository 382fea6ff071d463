"""Awards that are withheld from publication: which, and the reason of each for those who may read it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, select
from sqlalchemy.orm import aliased

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.awards.models import AwardWithheld, SelectionMove
from grants.awards.queries.held import EVERY, held
from grants.awards.rules.publication import Withheld
from grants.awards.states import SelectionState, WithheldGround
from grants.calls.models import Call
from grants.core.duties import DUTIES_MAX, Duty, every, with_the_rest
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader
from grants.evaluation import queries as evaluation
from grants.identity.models import User


def by_name() -> ColumnElement[bool]:
    """Applications somebody withheld from publication by name."""
    return (
        select(AwardWithheld.id)
        .where(AwardWithheld.application_id == Application.id, AwardWithheld.ended_at.is_(None))
        .exists()
    )


@reader
def reasons(call_id: UUID, selected: Collection[UUID]) -> Asking[tuple[Withheld, ...]]:
    """What is withheld of a call, by title: who decided that, when and why, and who confirmed it. One statement.

    Who moved up and has no letter yet is withheld by the move itself, whose reason two people stand behind. What somebody
    withheld by name stands here until it is ended, also where it is not selected any more.
    """
    one, two = aliased(User), aliased(User)
    moved, named = yield from both(
        ask(
            select(
                *(Application.id, Application.reference, Application.title, SelectionMove.reason),
                *(SelectionMove.confirmed_at, one.name.label("one"), two.name.label("two")),
            )
            .outerjoin(
                SelectionMove,
                and_(
                    SelectionMove.application_id == Application.id,
                    SelectionMove.state == SelectionState.CONFIRMED.value,
                ),
            )
            .outerjoin(one, one.id == SelectionMove.decided_by)
            .outerjoin(two, two.id == SelectionMove.confirmed_by)
            .where(Application.id.in_(selected), applications.untold_when_public())
        ),
        ask(
            select(
                *(Application.reference, Application.title, AwardWithheld.id, AwardWithheld.ground),
                *(AwardWithheld.reason, AwardWithheld.withheld_at, AwardWithheld.withheld_by, User.name),
                *(AwardWithheld.application_id, AwardWithheld.confirm_by, two.name.label("confirmed")),
            )
            .join(AwardWithheld, AwardWithheld.application_id == Application.id)
            .join(User, User.id == AwardWithheld.withheld_by)
            .outerjoin(two, two.id == AwardWithheld.confirmed_by)
            .where(Application.call_id == call_id, AwardWithheld.ended_at.is_(None))
        ),
    )
    found = [
        *(
            Withheld(row.application_id, row.reference, row.title, WithheldGround(row.ground).words, row.reason, row.name,
                     row.withheld_at, row.id, row.withheld_by, row.application_id in selected, row.confirm_by, row.confirmed or "")
            for row in named
        ),
        *(
            Withheld(row.id, row.reference, row.title, FIRST_TOLD, row.reason or "",
                     " and ".join(filter(None, (row.one, row.two))), row.confirmed_at)
            for row in moved
        ),
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: (each.title.lower(), each.reference)))


FIRST_TOLD = "It moved up from the reserve list, and its team still reads that it is on it: its letter tells it first"


def to_confirm(actor: Actor) -> Asking[list[Duty]]:
    """What another person withholds alone: to be confirmed or ended, the first due first. One statement.

    Nothing of what is shut to them on the page it leads to: whoever judges has declared about it first.
    """
    judged = [evaluation.clear_for(actor.user_id)] if actor.can(Permission.CONFLICT_DECLARE) else []
    rows = yield from ask(
        select(Call.slug, Call.title, Application.reference, User.name, AwardWithheld.confirm_by, EVERY)
        .join(Application, Application.call_id == Call.id)
        .join(AwardWithheld, AwardWithheld.application_id == Application.id)
        .join(User, User.id == AwardWithheld.withheld_by)
        .where(
            *(AwardWithheld.ended_at.is_(None), AwardWithheld.confirmed_at.is_(None)),
            AwardWithheld.withheld_by != actor.user_id,
            Application.id.not_in(actor.barred("application")),
            *(not_(evaluation.in_conflict(actor.user_id)), *judged),
            held(actor, Permission.SELECTION_CONFIRM),
        )
        .order_by(AwardWithheld.confirm_by, AwardWithheld.id)
        .limit(DUTIES_MAX)
    )
    found = [
        Duty(
            f"Confirm or end that the award of {row.reference} is withheld",
            f"{row.name} withheld it alone from the published results of {row.title}.",
            "Open the results",
            "awards.publishing",
            {"slug": row.slug},
            row.confirm_by,
        )
        for row in rows
    ]
    return with_the_rest(found, every(rows), "Confirm or end that awards are withheld", ("award", "awards"))
