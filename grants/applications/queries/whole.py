"""One application whole: its consortium and its submitted versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from grants.applications.models import Application, ApplicationPartner, Submission
from grants.applications.queries.reach import LIST_ROWS_MAX, is_team, not_barred, state_to_team, visible
from grants.applications.rules import ApplicationView, Drafted, PartnerView, SubmissionView
from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState
from grants.calls import queries as call_queries
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.duties import every
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import EVERY, Asking, ask, both, reader, side_by_side
from grants.identity.models import Organisation, User
from grants.identity.states import OrganisationKind


@reader
def view(actor: Actor, reference: str) -> Asking[ApplicationView]:
    """One application with its call and consortium; :class:`NotFound` where this person may not see it. One statement."""
    named = Application.reference == reference
    rows, around = yield from both(ask(select(Application).where(named, visible(actor))), _around(named))
    if not rows:
        raise NotFound
    found = _view(rows[0], around)
    return as_told(found, rows[0]) if is_team(actor, found.id) else found


def as_told(found: ApplicationView, row: Any) -> ApplicationView:
    """The application as its team reads it: no outcome before its letter left, or the results are public."""
    moved = row.told_state == ApplicationState.RESERVE.value
    if row.told_state is None or (found.call.results_are_public(clock.now()) and not moved):
        return found
    return replace(found, state=ApplicationState(row.told_state), untold=True)


def view_for_team(application_id: UUID) -> ApplicationView:
    """An application as its team reads it, for later stages, which have checked that it is one of the team who asks."""
    row = get(Application, application_id)
    return as_told(view_of(row), row)


def state_told(row: Any) -> ApplicationState:
    """The state of a row of an application as its team reads it: what the acts of its team refuse by.

    No statement but where the two differ, and there nothing is written any more.
    """
    if row.told_state is None:
        return ApplicationState(row.state)
    return ApplicationState(db.session.scalars(select(state_to_team()).where(Application.id == row.id)).one())


def view_by_id(application_id: UUID) -> ApplicationView:
    """The same for acts and later stages, which have checked the scope."""
    return view_of(get(Application, application_id))


@reader
def view_of(row: Any) -> Asking[ApplicationView]:
    """A row as the frozen view; one statement."""
    return _view(row, (yield from _around(Application.id == row.id)))


def _around(wanted: ColumnElement[bool]) -> Asking[list[Any]]:
    """The calls, partners and standing versions of the applications of a condition, as they are read; one statement."""
    parts: list[Asking[Any]] = [
        call_queries.call_views.asking(select(Application.call_id).where(wanted)),
        ask(_consortia().where(ApplicationPartner.application_id.in_(select(Application.id).where(wanted)))),
        ask(select(*_SUBMISSION_COLUMNS).where(Submission.id.in_(select(Application.submission_id).where(wanted)))),
    ]
    return (yield from side_by_side(parts))


def _view(row: Any, around: list[Any]) -> ApplicationView:
    calls, consortium, standing = around
    call = calls[row.call_id].until(row.own_closes_at, row.own_closes_reason)
    return ApplicationView(
        id=row.id,
        version=row.version,
        reference=row.reference,
        title=row.title,
        acronym=row.acronym,
        summary=row.summary,
        state=ApplicationState(row.state),
        origin=Origin(row.origin),
        source_url=row.source_url,
        synthetic_note=row.synthetic_note,
        call=call,
        coordinator_id=row.coordinator_id,
        partners=tuple(map(_partner, consortium)),
        dossier_id=row.dossier_id,
        budget_id=row.budget_id,
        submission=_submission_view(standing[0]) if standing else None,
        requested=row.requested,
        withdrawn_at=row.withdrawn_at,
        created_at=row.created_at,
        call_version=row.call_version,
        call_version_read=row.call_version_read,
        drafted=Drafted(row.draft_title, row.draft_acronym, row.draft_summary) if row.draft_title is not None else None,
    )


def call_of(row: Application) -> CallView:
    """The call as it is for one application: with a deadline of its own where it has one."""
    return call_queries.call_by_id(row.call_id).until(row.own_closes_at, row.own_closes_reason)


def states_in_call(call_id: UUID) -> frozenset[ApplicationState]:
    """Every state in which an application of a call is."""
    found = db.session.scalars(select(Application.state).where(Application.call_id == call_id).distinct())
    return frozenset(ApplicationState(state) for state in found)


def in_call(call_id: UUID, reference: str) -> UUID:
    """The id of an application of a call by its reference, whether or not it was sent; :class:`NotFound`.

    For who gives more time to somebody who asked with their reference: nothing of the draft is shown.
    """
    found = db.session.scalar(
        select(Application.id).where(Application.call_id == call_id, Application.reference == reference)
    )
    if found is None:
        raise NotFound
    return found


def with_own_deadline(actor: Actor, call_id: UUID) -> tuple[tuple[str, datetime, str], ...]:
    """(reference, deadline, reason) of every application of a call with a deadline of its own, for who may give one.

    Nothing of a draft is shown but its reference, which they typed; at most 200, the newest first.
    """
    if not actor.may(Permission.CALL_EXTEND, Scope.of(("call", call_id))):
        return ()
    rows = db.session.execute(
        select(Application.reference, Application.own_closes_at, Application.own_closes_reason)
        .where(Application.call_id == call_id, Application.own_closes_at.is_not(None), *not_barred(actor))
        .order_by(Application.own_closes_at.desc(), Application.reference)
        .limit(LIST_ROWS_MAX)
    )
    return tuple((reference, until, reason or "") for reference, until, reason in rows if until)


def as_answered(call: CallView, submission: SubmissionView | None) -> CallView:
    """The call with what it asked in the version that a submission answers, for whoever judges that submission."""
    if submission is None or submission.call_version == call.version_number:
        return call
    content = call_queries.content_of_version(call.id, submission.call_version)
    return replace(call, content=content, version_number=submission.call_version)


_PARTNER_COLUMNS: tuple[Any, ...] = (
    ApplicationPartner.application_id,
    ApplicationPartner.role,
    ApplicationPartner.state,
    ApplicationPartner.contact_user_id,
    ApplicationPartner.invited_name,
    ApplicationPartner.invited_at,
    ApplicationPartner.answered_at,
    Organisation.id.label("organisation_id"),
    Organisation.name,
    Organisation.kind,
    Organisation.country_code,
    Organisation.pic,
    User.name.label("person"),
    User.email,
)


def _consortia() -> Select[Any]:
    """Partners with their organisations and the people who speak for them, each consortium in its order."""
    return (
        select(*_PARTNER_COLUMNS)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .outerjoin(User, User.id == ApplicationPartner.contact_user_id)
        .order_by(ApplicationPartner.application_id, ApplicationPartner.position, ApplicationPartner.id)
    )


@reader
def partners(application_id: UUID) -> Asking[tuple[PartnerView, ...]]:
    """The consortium in its order, the coordinator first."""
    rows = yield from ask(_consortia().where(ApplicationPartner.application_id == application_id))
    return tuple(map(_partner, rows))


def _partner(row: Any) -> PartnerView:
    return PartnerView(
        organisation_id=row.organisation_id,
        name=row.name,
        kind=OrganisationKind(row.kind),
        country_code=row.country_code,
        pic=row.pic,
        role=PartnerRole(row.role),
        state=PartnerState(row.state),
        contact_id=row.contact_user_id,
        # Who is asked by address has not said yet that they are who the lead thinks.
        contact_name=row.person if PartnerState(row.state) is PartnerState.ACCEPTED else row.invited_name,
        contact_email=row.email,
        invited_at=row.invited_at,
        answered_at=row.answered_at,
    )


# Earlier applications named one by one; any other of one's own is taken by its reference.
EARLIER_MAX = 50

_SUBMISSION_COLUMNS = (
    Submission.id,
    Submission.number,
    Submission.receipt_number,
    Submission.submitted_at,
    Submission.submitted_by,
    Submission.closes_at,
    Submission.sha256,
    Submission.requested,
    Submission.call_version,
)


@reader
def _submission(submission_id: UUID) -> Asking[SubmissionView]:
    (row,) = yield from ask(select(*_SUBMISSION_COLUMNS).where(Submission.id == submission_id))
    return _submission_view(row)


def _submission_view(row: Any) -> SubmissionView:
    return SubmissionView(
        id=row.id,
        number=row.number,
        receipt_number=row.receipt_number,
        submitted_at=row.submitted_at,
        submitted_by=row.submitted_by,
        closes_at=row.closes_at,
        sha256=row.sha256.hex(),
        requested=row.requested,
        call_version=row.call_version,
    )


def reason_of_end(actor: Actor, application: ApplicationView) -> str | None:
    """Why the preparation of its grant was dropped, or the grant declined, as its own people read it."""
    if application.state not in (ApplicationState.DROPPED, ApplicationState.DECLINED) or not is_team(
        actor, application.id
    ):
        return None
    return db.session.scalar(
        select(AuditEvent.reason)
        .where(
            AuditEvent.object_kind == "application",
            AuditEvent.object_id == application.id,
            AuditEvent.verb.in_(("agreement.drop", "agreement.decline", "agreement.lapse")),
        )
        .order_by(AuditEvent.recorded_at.desc())
        .limit(1)
    )


@reader
def submissions(actor: Actor, reference: str) -> Asking[tuple[SubmissionView, ...]]:
    """Every submitted version, newest first, at most 200: the last one stands, the others are kept."""
    rows = yield from ask(
        select(*_SUBMISSION_COLUMNS)
        .join(Application, Application.id == Submission.application_id)
        .where(Application.reference == reference, visible(actor))
        .order_by(Submission.number.desc())
        .limit(LIST_ROWS_MAX)
    )
    return tuple(_submission_view(row) for row in rows)


def earlier(actor: Actor, application_id: UUID) -> tuple[tuple[tuple[str, str], ...], int]:
    """Reference and title of other applications this person's teams wrote here, newest first, and how many more there are."""
    rows = db.session.execute(
        select(Application.reference, Application.title, EVERY)
        .where(
            Application.id.in_(actor.places(Permission.APPLICATION_READ, "application")),
            Application.id != application_id,
            Application.dossier_id.is_not(None),
            visible(actor),
        )
        .order_by(Application.created_at.desc(), Application.id)
        .limit(EARLIER_MAX)
    ).all()
    return tuple((row.reference, row.title) for row in rows), every(rows) - len(rows)


@reader
def with_versions(actor: Actor, reference: str) -> Asking[tuple[ApplicationView, tuple[SubmissionView, ...]]]:
    """One application and every submitted version of it, newest first; one statement."""
    return (yield from both(view.asking(actor, reference), submissions.asking(actor, reference)))


def submission_by_id(submission_id: UUID) -> SubmissionView:
    """One submitted version for jobs (the receipt), which run as the person who sent it."""
    return _submission(submission_id)
