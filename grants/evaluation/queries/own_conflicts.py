"""What a person declared as a conflict, without a word of the application: that is gone for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, null, or_, select, union_all

from grants.applications.models import Application
from grants.calls.models import Call
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation.models import ConflictDeclaration, EntityDeclaration
from grants.evaluation.queries.access import ROWS_MAX
from grants.evaluation.queries.invitations import OWN_CALLS_MAX, own_pools, own_terms
from grants.evaluation.rules import OwnConflict
from grants.evaluation.states import ConflictKind, Declared, Ruling


@reader
def beside_declaring(actor: Actor, most: int = OWN_CALLS_MAX) -> Asking[dict[str, Any]]:
    """What stands beside the page of conflicts, by its names there: contracts, pools, and what was declared; one statement."""
    askings: list[Asking[Any]] = [
        own_terms.asking(actor, most),
        own_pools.asking(actor, most),
        own_conflicts.asking(actor),
    ]
    terms, own, declared = yield from side_by_side(askings)
    more = len(terms) > most or len(own) > most
    return {"terms": terms[:most], "own": own[:most], "more_calls": more, "declared": declared}


@reader
def own_conflicts(actor: Actor) -> Asking[tuple[OwnConflict, ...]]:
    """The conflicts this person declared and nobody ended, the newest first; one statement."""
    about, entity = ConflictDeclaration, EntityDeclaration
    stands = or_(
        about.ruling == Ruling.CONFIRMED.value,
        and_(about.declared == Declared.CONFLICT.value, about.ruling.is_(None)),
    )
    both = union_all(
        select(Call.slug, Call.title, about.declared_at, null().label("kind"))
        .join(Application, Application.id == about.application_id)
        .join(Call, Call.id == Application.call_id)
        .where(about.user_id == actor.user_id, about.declared != Declared.NONE.value, stands),
        select(Call.slug, Call.title, entity.declared_at, entity.kind)
        .join(Call, Call.id == entity.call_id)
        .where(entity.user_id == actor.user_id, entity.declared == Declared.CONFLICT.value),
    ).subquery("own")
    rows = yield from ask(select(both).order_by(both.c.declared_at.desc(), both.c.title).limit(ROWS_MAX))
    return tuple(_own(*row) for row in rows)


def _own(slug: str, title: str, at: datetime, kind: str | None) -> OwnConflict:
    about = "With an application" if kind is None else f"With an organisation, {ConflictKind(kind).words.lower()}"
    return OwnConflict(slug, title, at, about)
