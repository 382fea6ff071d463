"""Plain helpers for acts of later stages: move an application along its states, and record a published outcome."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from grants.applications import queries
from grants.applications.models import Application, ApplicationPartner
from grants.applications.services.finding import make_findable
from grants.applications.states import APPLICATION, ApplicationState, Origin, PartnerRole, PartnerState
from grants.budgets import services as budgets
from grants.budgets.rules import Cell, Purpose
from grants.calls import queries as calls
from grants.core import acts
from grants.core.db import db, locked
from grants.core.errors import Invalid
from grants.core.money import Money
from grants.core.references import new_reference
from grants.identity import queries as identity

# How an application can stand in an outcome that was published elsewhere.
RECORDED_STATES = (
    ApplicationState.SELECTED,
    ApplicationState.NOT_FUNDED,
    ApplicationState.INELIGIBLE,
    ApplicationState.WITHDRAWN,
)


def move(application_id: UUID, verb: str) -> ApplicationState:
    """Move an application along ``verb`` inside a later stage's act, which has checked permission and scope.

    Its team reads the new state at once.
    """
    application = locked(Application, application_id)
    tell_outcome(application_id)
    return APPLICATION.move(application, verb)


def move_untold(application_id: UUID, verb: str) -> ApplicationState:
    """The same, while its team goes on to read the state it reads now, until :func:`tell_outcome`."""
    application = locked(Application, application_id)
    # The publication of the results told what stood, and wrote nothing here: it ends what is untold by the clock.
    if application.told_state is None or not queries.is_untold(application_id):
        application.told_state, application.told_since = application.state, application.state_since
    return APPLICATION.move(application, verb)


def tell_outcome(application_id: UUID) -> None:
    """From now on its team reads the state the application is in, inside an act that tells it."""
    application = locked(Application, application_id)
    application.told_state = application.told_since = None


def record_published(
    call_id: UUID,
    title: str,
    acronym: str | None,
    organisations: Sequence[UUID],
    source_url: str,
    *,
    requested: Money | None = None,
    summary: str | None = None,
    synthetic_note: str | None = None,
    cells: Sequence[Cell] = (),
    state: ApplicationState = ApplicationState.SELECTED,
) -> UUID:
    """An application whose end was published elsewhere: it enters in its ``state``, without submission, answers or scores.

    The first organisation leads. ``synthetic_note`` says on every page which of its figures are invented.
    """
    assert state in RECORDED_STATES, f"an outcome published elsewhere is not {state.value}"
    if not organisations:
        raise Invalid("A published outcome names at least the lead organisation.")
    if not source_url.strip():
        raise Invalid(
            "A published outcome names its source.", {"source_url": "Enter the address where it was published."}
        )
    call = calls.call_by_id(call_id)
    application = Application(
        call_id=call_id,
        title=title,
        acronym=acronym,
        summary=summary,
        state=state.value,
        withdrawn_at=acts.moment() if state is ApplicationState.WITHDRAWN else None,
        origin=Origin.PUBLISHED_OUTCOME.value,
        source_url=source_url.strip(),
        synthetic_note=synthetic_note,
        coordinator_id=organisations[0],
        requested=requested,
        search_text="",
        call_version=max(call.version_number, 1),
        call_version_read=max(call.version_number, 1),
    )
    ordered = list(dict.fromkeys(organisations))
    for position, organisation_id in enumerate(ordered):
        role = PartnerRole.PARTNER if position else PartnerRole.COORDINATOR
        db.session.add(
            ApplicationPartner(
                application_id=application.id,
                organisation_id=organisation_id,
                position=position,
                role=role.value,
                state=PartnerState.ACCEPTED.value,
            )
        )
    if cells:
        application.budget_id = budgets.create(
            "application", application.id, Purpose.PLANNED, call.content.budget_rules, ordered
        )
        db.session.flush()
        budgets.save_cells(application.budget_id, cells, None)
    application.reference = new_reference(call.programme.code, call.year, "A")
    known = identity.organisations(ordered)
    make_findable(application, [known[each] for each in ordered])
    db.session.add(application)
    return application.id
