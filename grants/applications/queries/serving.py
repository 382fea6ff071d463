"""Which actions and barriers of its cities' contracts an application serves, and which lines of their lists it may name."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application, ApplicationServing
from grants.applications.queries.reach import visible
from grants.applications.rules import ApplicationView, Served
from grants.cities import queries as cities
from grants.cities.models import City, CityAction
from grants.cities.rules import ActionView
from grants.cities.states import ActionKind, EmissionDomain
from grants.core.db import db
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader

SHOWN_MAX = 50


@reader
def served(application_id: UUID) -> Asking[tuple[Served, ...]]:
    """What an application names, in its order."""
    rows = yield from ask(
        select(
            ApplicationServing.action_id,
            ApplicationServing.own_title,
            ApplicationServing.sentence,
            CityAction.number,
            CityAction.title,
            CityAction.kind,
            CityAction.domain,
            City.name,
        )
        .outerjoin(CityAction, CityAction.id == ApplicationServing.action_id)
        .outerjoin(City, City.id == CityAction.city_id)
        .where(ApplicationServing.application_id == application_id)
        .order_by(ApplicationServing.position)
    )
    return tuple(
        Served(
            title=row.own_title or row.title,
            sentence=row.sentence,
            city=row.name or "",
            number=row.number or "",
            kind=ActionKind(row.kind) if row.kind else None,
            domain=EmissionDomain(row.domain) if row.domain else None,
            action_id=row.action_id,
        )
        for row in rows
    )


def offered_actions(application: ApplicationView) -> tuple[ActionView, ...]:
    """The lists of the cities of its consortium, what was withdrawn included."""
    return cities.actions_of_organisations(partner.organisation_id for partner in application.partners)


def serving_city(actor: Actor, actions: Sequence[ActionView]) -> tuple[tuple[str, str, str], ...]:
    """Reference, title and number of the line, of applications that serve lines of a list and that this person may see."""
    numbers = {each.id: each.number for each in actions}
    rows = db.session.execute(
        select(Application.reference, Application.title, ApplicationServing.action_id)
        .join(ApplicationServing, ApplicationServing.application_id == Application.id)
        .where(ApplicationServing.action_id.in_(numbers), visible(actor))
        .order_by(Application.reference.desc(), ApplicationServing.position)
        .limit(SHOWN_MAX)
    )
    return tuple((row.reference, row.title, numbers[row.action_id]) for row in rows)
