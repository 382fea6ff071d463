"""Acts by which open drafts follow a corrigendum of their call, and by which a team says that it read what changed."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries
from grants.applications.models import Application, ApplicationMember, ApplicationPartner
from grants.applications.rules import WRITABLE, ApplicationView
from grants.applications.services.drafting import refuse_before_acceptance, writable
from grants.applications.states import ApplicationState, PartnerState
from grants.budgets import services as budgets
from grants.calls import queries as calls
from grants.calls.rules import CallVersionView, DeadlineDecision
from grants.calls.rules.saying import closes_said
from grants.calls.rules.telling import told_once
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Refused
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.dossiers import services as dossiers
from grants.identity import services as people

MOVE_JOB = "jobs.calls.move_draft"


@act(
    "application.spread_corrigendum",
    needs=Permission.CALL_PUBLISH,
    scope=calls.scope_of,
    says="had open drafts moved to a new version of call {subject}",
)
def spread_corrigendum(actor: Actor, call_id: UUID, number: int) -> int:
    """Ask for one job for each application that can still be written in; returns how many. Safe to run twice."""
    # Nothing of the call itself changes: the record says which one it was.
    acts.subject("call", call_id)
    found = db.session.scalars(
        select(Application.id)
        .where(
            Application.call_id == call_id,
            Application.state.in_([state.value for state in WRITABLE]),
            Application.dossier_id.is_not(None),
            Application.call_version < number,
        )
        .order_by(Application.created_at, Application.id)
    ).all()
    for application_id in found:
        jobs.queue(
            MOVE_JOB,
            subject=("application", application_id),
            unique=f"move {application_id} {number}",
            application_id=str(application_id),
        )
    return len(found)


@act(
    "application.move_to_version",
    needs=Permission.CALL_PUBLISH,
    scope=queries.scope_of,
    says="moved the draft of application {subject} to a new version of its call",
)
def move_to_version(actor: Actor, application_id: UUID) -> int:
    """Let a draft answer the newest version of its call, with every word kept, and tell its team by mail; returns the
    version it answers. What was sent stays as it was asked. Nothing happens where the draft answers it already, or may
    not be written in any more.
    """
    application = locked(Application, application_id)
    call = queries.call_of(application)
    before = application.call_version
    if ApplicationState(application.state) not in WRITABLE or before >= call.version_number:
        return before
    assert application.dossier_id is not None and application.budget_id is not None, "what can be written in has both"
    dossiers.move(application.dossier_id, call.content.definition)
    budgets.move(application.budget_id, call.content.budget_rules)
    application.call_version = call.version_number
    acts.reason(f"version {call.version_number}")
    db.session.flush()
    versions = calls.versions_after(call.id, before)
    _tell(queries.view_of(application), versions)
    return application.call_version


def _tell(application: ApplicationView, versions: Iterable[CallVersionView]) -> None:
    told, call = tuple(versions), application.call
    people.mail(
        team_of(application),
        "application_call_changed",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        call_title=call.title,
        call_slug=call.slug,
        number=call.version_number,
        reasons=[version.reason for version in told],
        changes=[
            f"{each.what}: {', '.join(each.happened)}"
            for each in told_once(change for version in told for change in version.changes)
        ][:40],
        moved=any(version.deadline is DeadlineDecision.MOVED for version in told),
        closes_at=closes_said(call),
        sent=application.submission.number if application.submission else 0,
        sent_version=application.submission.call_version if application.submission else 0,
    )


def team_of(application: ApplicationView) -> frozenset[UUID]:
    """Everybody at work on it: who speaks for a partner that has not declined, and who has joined as a person."""
    speak = db.session.scalars(
        select(ApplicationPartner.contact_user_id).where(
            ApplicationPartner.application_id == application.id,
            ApplicationPartner.state != PartnerState.DECLINED.value,
            ApplicationPartner.contact_user_id.is_not(None),
        )
    ).all()
    joined = db.session.scalars(
        select(ApplicationMember.user_id).where(
            ApplicationMember.application_id == application.id, ApplicationMember.joined_at.is_not(None)
        )
    ).all()
    return frozenset(person for person in (*speak, *joined) if person)


@act(
    "application.read_changes",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="read what changed in the call of application {subject}",
)
def read_changes(actor: Actor, application_id: UUID, number: int) -> int:
    """Say for the team that what changed up to this version was read; returns up to which it is."""
    application = locked(Application, application_id)
    refuse_before_acceptance(actor, application_id)
    if number > application.call_version:
        raise Refused(f"This application answers version {application.call_version} of its call.")
    application.call_version_read = max(application.call_version_read, number)
    acts.reason(f"version {number}")
    return application.call_version_read


@act(
    "application.clear_dropped",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="cleared amounts without a place in the budget of application {subject}",
)
def clear_dropped(actor: Actor, application_id: UUID) -> Money:
    """Clear the amounts that have no place since the budget rules changed; lead and editors, for they see to all rows."""
    application, _ = writable(application_id)
    refuse_before_acceptance(actor, application_id)
    if not queries.writes_all(actor, application_id):
        raise Refused("These amounts are cleared by the lead or an editor. Ask one of them.")
    assert application.budget_id is not None, "what can be written in has a budget"
    return budgets.clear_dropped(application.budget_id)
