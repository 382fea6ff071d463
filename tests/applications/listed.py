"""A list of applications worth searching and ordering: titles and cities of many alphabets, amounts, states and ages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from grants.applications.models import Application, ApplicationPartner
from grants.applications.queries import Stretch
from grants.applications.queries.lists import stretch_of
from grants.applications.rules import ApplicationRow, ListFilter
from grants.applications.rules.listing import Listing
from grants.applications.services.finding import make_findable
from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.identity import queries as identity
from tests import actors
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING

STATE = ApplicationState
# Reference, title, city, euros asked for, state, days ago it came into it.
ROWS = (
    (9_998, "Warm Blocks", "Łódź", 1_500_000, STATE.ELIGIBLE, 40),
    (9_999, "Heat for All", "München", 250_000, STATE.ELIGIBLE, 3),
    (10_000, "heat for all", "Århus", 250_000, STATE.SELECTED, 90),
    (10_001, "Écoquartier", "Λάρισα", None, STATE.SELECTED, 90),
    (10_002, "Quiet Streets = less noise", "Northbridge", 15_000_000, STATE.INELIGIBLE, 1),
    (20_017, "Green Roofs", "Zürich", 999_999, STATE.UNDER_EVALUATION, 12),
    (20_170, "=HYPERLINK(1)", "Lodève", 500_000, STATE.UNDER_EVALUATION, 12),
)


@dataclass(frozen=True)
class Listed:
    """The call, and the ids of what was recorded and sent to it, by title."""

    call: CallView
    ids: dict[str, UUID]


def listed(call: CallView, *, at: datetime = AFTER_CLOSING) -> Listed:
    """Seven recorded outcomes, one sent application, one draft of Ana."""
    ids = {"Sent Here": factory.submitted(call, actors.ana(), "Sent Here")}
    with arranging():
        for number, title, city, amount, state, days in ROWS:
            with clock.at(at - timedelta(days=days)):
                ids[title] = recorded(call, number, title, city, amount, state).id
                db.session.flush()
    factory.draft(call, actors.ana(), "Only a Draft")
    return Listed(call, ids)


def recorded(
    call: CallView, number: int, title: str, city: str, amount: int | None, state: ApplicationState
) -> Application:
    """One outcome published elsewhere, with its lead; inside :func:`arranging`."""
    lead_id = actors.organisation(f"City of {city}", country_code="DE" if city == "München" else "PL")
    application = Application(
        call_id=call.id,
        reference=f"PCP-2022-A-{number:04d}",
        title=title,
        summary=f"What {city} does about heating pumps.",
        state=state.value,
        origin=Origin.PUBLISHED_OUTCOME.value,
        source_url="https://example.org/outcome",
        coordinator_id=lead_id,
        requested=None if amount is None else euros(amount),
        search_text="",
    )
    db.session.add(application)
    db.session.add(
        ApplicationPartner(
            application_id=application.id, organisation_id=lead_id, position=0, role=PartnerRole.COORDINATOR.value,
            state=PartnerState.ACCEPTED.value,
        )
    )  # fmt: skip
    make_findable(application, list(identity.organisations([lead_id]).values()))
    return application


def found(actor: Actor, wanted: ListFilter, *, size: int, after: str | None = None) -> tuple[ApplicationRow, ...]:
    """What a person's list holds, newest reference first: one row more than the stretch, as every page reads it."""
    return stretch_of(actor, Listing(wanted), Stretch(size, after))
