"""Reads of two-stage calls: concepts that may be invited, what a person was invited to, which concept a proposal follows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import aliased

from grants.applications import rules
from grants.applications.models import Application, StageInvitation
from grants.applications.queries.reach import (
    DUTIES_MAX,
    FOR_CALL_MAX,
    is_team,
    not_barred,
    state_to_team,
    untold,
    visible,
)
from grants.applications.queries.submitted import submitted_content
from grants.applications.rules import ApplicationView, ConceptRow, Invited, PartnerView, SecondStage
from grants.applications.states import ApplicationState, PartnerState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView
from grants.calls.states import CallStage, CallState
from grants.core import clock
from grants.core.db import db
from grants.core.duties import Duty
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader
from grants.identity.models import Organisation


def concepts(actor: Actor, call: CallView) -> tuple[ConceptRow, ...]:
    """The concepts sent to the call that this one follows, by reference; those this person is barred from are left out."""
    started = aliased(Application)
    rows = db.session.execute(
        select(
            Application,
            Organisation.name,
            StageInvitation.created_at,
            started.reference.label("started"),
            untold(),
            Call.slug,
        )
        .join(Call, Call.id == Application.call_id)
        .join(Organisation, Organisation.id == Application.coordinator_id)
        .outerjoin(
            StageInvitation,
            (StageInvitation.concept_id == Application.id) & (StageInvitation.call_id == call.id),
        )
        .outerjoin(started, started.id == StageInvitation.started_id)
        .where(Application.call_id == call.follows_id, Application.submission_id.is_not(None), visible(actor))
        .order_by(Application.reference)
        .limit(FOR_CALL_MAX)
    ).all()
    return tuple(
        ConceptRow(
            row.id, row.reference, row.title, name, ApplicationState(row.state), invited_at, reference, hidden, slug
        )
        for row, name, invited_at, reference, hidden, slug in rows
    )


def invited_to(actor: Actor, call_id: UUID) -> tuple[Invited, ...]:
    """The invitations of a call to concepts that this person leads for an organisation of theirs, by reference; those that were
    turned away since and never gone on with are none any more.
    """
    started = aliased(Application)
    rows = db.session.execute(
        select(StageInvitation, Application, started.reference)
        .join(Application, Application.id == StageInvitation.concept_id)
        .outerjoin(started, started.id == StageInvitation.started_id)
        .where(
            StageInvitation.call_id == call_id,
            or_(StageInvitation.started_id.is_not(None), state_to_team().in_(rules.INVITABLE)),
            Application.coordinator_id.in_(actor.organisation_ids),
            Application.id.in_(actor.places(Permission.APPLICATION_SUBMIT, "application")),
            visible(actor),
        )
        .order_by(Application.reference)
        .limit(FOR_CALL_MAX)
    ).all()
    return tuple(
        Invited(
            made.call_id,
            row.id,
            row.reference,
            row.title,
            row.acronym,
            row.summary,
            row.coordinator_id,
            reference,
        )
        for made, row, reference in rows
    )


@reader
def second_stage(actor: Actor | None, concept: ApplicationView) -> Asking[SecondStage | None]:
    """The second stage a concept was invited to, as this reader of the concept sees it; None while it was not.

    One statement for a concept, none for every other application.
    """
    if concept.call.content.stage is not CallStage.CONCEPT:
        return None
    # The full proposal alone is looked for with what the reader may see; the concept they see already.
    seen = visible(actor) if actor else Application.id.is_(None)
    in_team = actor is not None and is_team(actor, concept.id)
    rows = yield from ask(
        select(
            *(Call.slug, Call.title, *calls.times_columns()),
            *(StageInvitation.created_at, StageInvitation.started_id, Application.reference.label("started")),
        )
        .join(Call, Call.id == StageInvitation.call_id)
        .outerjoin(Application, and_(Application.id == StageInvitation.started_id, seen))
        .where(StageInvitation.concept_id == concept.id)
        # Of several calls that follow the one that was gone on with counts, else the newest that was not cancelled.
        .order_by(
            StageInvitation.started_id.is_(None),
            Call.state == CallState.CANCELLED.value,
            StageInvitation.created_at.desc(),
        )
        .limit(1)
    )
    for row in rows:
        return SecondStage(
            slug=row.slug,
            title=row.title,
            times=calls.times(row.call_state, row.zone, row.opens_at, row.closes_at),
            lead=concept.coordinator.contact_name or "",
            leads=actor is not None
            and concept.id in actor.places(Permission.APPLICATION_SUBMIT, "application")
            and concept.coordinator_id in actor.organisation_ids,
            invited_at=row.created_at,
            is_started=row.started is not None or (row.started_id is not None and in_team),
            started=row.started,
        )
    return None


def last_invited(call_id: Any) -> ScalarSelect[Any]:
    """When a concept of the call, an id or a column, was last invited to a second stage; null where none was."""
    other = aliased(Application)
    return (
        select(func.max(StageInvitation.created_at))
        .join(other, other.id == StageInvitation.concept_id)
        .where(other.call_id == call_id)
        .scalar_subquery()
    )


@reader
def others_invited_at(concept: ApplicationView) -> Asking[datetime | None]:
    """When concepts of the same call were last invited; None where none was, or the call asks for no concepts."""
    if concept.call.content.stage is not CallStage.CONCEPT:
        return None
    ((at,),) = yield from ask(select(last_invited(concept.call.id).label("at")))
    found: datetime | None = at
    return found


@reader
def second_stage_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    """Invited concepts this person leads whose full proposal can be started now and is not; one statement."""
    *times, closes_at = calls.times_columns()
    rows = yield from ask(
        select(
            *(Application.reference, Application.title, Application.acronym),
            *(Call.slug, Call.title.label("call_title"), *times, closes_at),
        )
        .select_from(StageInvitation)
        .join(Application, Application.id == StageInvitation.concept_id)
        .join(Call, Call.id == StageInvitation.call_id)
        .where(
            StageInvitation.started_id.is_(None),
            state_to_team().in_([state.value for state in rules.INVITABLE]),
            Application.coordinator_id.in_(actor.organisation_ids),
            Application.id.in_(actor.places(Permission.APPLICATION_SUBMIT, "application")),
            Call.state == CallState.PUBLISHED.value,
            Call.opens_at <= at,
            or_(closes_at.is_(None), closes_at > at),
            *not_barred(actor),
        )
        .order_by(closes_at, Application.reference)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            what=f"Start the full proposal of \u201c{row.acronym or row.title}\u201d",
            why=f"The concept is invited to \u201c{row.call_title}\u201d. You choose which partners and answers come along.",
            button="Start the full proposal",
            endpoint="applications.full_proposal",
            values={"slug": row.slug, "ref": row.reference},
            due_at=row.closes_at,
        )
        for row in rows
    ]


def awaits_full_proposal(concept: ApplicationView, at: datetime) -> bool:
    """Whether a concept lies between two stages: sent, not turned away, nothing started from it, and a call to follow it that is
    neither closed nor cancelled. One statement, and what the calls that follow say of their deadline.
    """
    if concept.call.content.stage is not CallStage.CONCEPT or concept.state not in rules.BETWEEN_STAGES:
        return False
    rows = db.session.execute(
        select(Call.id, StageInvitation.started_id)
        .outerjoin(StageInvitation, (StageInvitation.call_id == Call.id) & (StageInvitation.concept_id == concept.id))
        .where(Call.follows_id == concept.call.id)
        .order_by(Call.created_at)
    ).all()
    if any(row.started_id is not None for row in rows):
        return False
    following = [calls.call_by_id(row.id) for row in rows]
    # A second stage that is not written yet will come: for that the concept was asked for.
    return not following or any(
        call.state is not CallState.CANCELLED and (call.closes_at is None or clock.in_time(at, call.closes_at))
        for call in following
    )


def stage_invitation(call_id: UUID, concept_id: UUID) -> StageInvitation | None:
    """The row of one invitation, for an act that holds the lock of the concept."""
    return db.session.scalars(
        select(StageInvitation).where(StageInvitation.call_id == call_id, StageInvitation.concept_id == concept_id)
    ).one_or_none()


def concept_of(application_id: UUID) -> tuple[str, str] | None:
    """Reference and title of the concept a full proposal follows; None for an application of one stage."""
    row = db.session.execute(
        select(Application.reference, Application.title)
        .join(StageInvitation, StageInvitation.concept_id == Application.id)
        .where(StageInvitation.started_id == application_id)
    ).one_or_none()
    return None if row is None else (row.reference, row.title)


def choices_of(concept: ApplicationView, call: CallView) -> tuple[tuple[PartnerView, ...], tuple[tuple[str, str], ...]]:
    """What may be taken along: the partners who took part, and the answers that fit, by short name and question."""
    content = submitted_content(concept.id)
    answers = {answer.question: answer for answer in content.dossier.answers}
    fitting = rules.carried(content.dossier.definition, call.content.definition, answers)
    partners = tuple(p for p in concept.partners if not p.leads and p.state is PartnerState.ACCEPTED)
    return partners, tuple((question.key, question.label) for _, question, _ in fitting)
