"""One application whole: its consortium and its submitted versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application, ApplicationPartner, Submission
from grants.applications.queries.reach import LIST_ROWS_MAX, is_team, visible
from grants.applications.rules import ApplicationView, PartnerView, SubmissionView
from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState
from grants.calls import queries as call_queries
from grants.calls.rules import CallView
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader
from grants.identity.models import Organisation, User
from grants.identity.states import OrganisationKind


def view(actor: Actor, reference: str) -> ApplicationView:
    """One application with its call and consortium; :class:`NotFound` where this person may not see it."""
    row = db.session.scalars(
        select(Application).where(Application.reference == reference, visible(actor))
    ).one_or_none()
    if row is None:
        raise NotFound
    return view_of(row)


def view_by_id(application_id: UUID) -> ApplicationView:
    """The same for acts and later stages, which have checked the scope."""
    return view_of(get(Application, application_id))


def view_of(row: Application) -> ApplicationView:
    """A row as the frozen view."""
    call, consortium, submission = _parts(row.call_id, row.id, row.submission_id)
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
        partners=consortium,
        dossier_id=row.dossier_id,
        budget_id=row.budget_id,
        submission=submission,
        requested=row.requested,
        withdrawn_at=row.withdrawn_at,
        created_at=row.created_at,
    )


@reader
def _parts(
    call_id: UUID, application_id: UUID, submission_id: UUID | None
) -> Asking[tuple[CallView, tuple[PartnerView, ...], SubmissionView | None]]:
    """The call, the consortium and the version that stands; two statements."""
    sent = select(*_SUBMISSION_COLUMNS).where(Submission.id == submission_id)
    beside = both(partners.asking(application_id), ask(sent) if submission_id else _nothing())
    found, (consortium, versions) = yield from both(call_queries.call_views.asking([call_id]), beside)
    return found[call_id], consortium, _submission_view(versions[0]) if versions else None


def _nothing() -> Asking[list[Any]]:
    yield from ()
    return []


_PARTNER_COLUMNS = (
    *(ApplicationPartner.application_id, ApplicationPartner.organisation_id, ApplicationPartner.role),
    *(ApplicationPartner.state, ApplicationPartner.contact_user_id, ApplicationPartner.invited_name),
    *(ApplicationPartner.invited_at, ApplicationPartner.answered_at),
    *(Organisation.name, Organisation.kind, Organisation.country_code, Organisation.pic),
    *(User.name.label("person"), User.email.label("address")),
)


@reader
def partners(application_id: UUID) -> Asking[tuple[PartnerView, ...]]:
    """The consortium in its order, the coordinator first; one statement."""
    rows = yield from ask(
        select(*_PARTNER_COLUMNS)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .outerjoin(User, User.id == ApplicationPartner.contact_user_id)
        .where(ApplicationPartner.application_id == application_id)
        .order_by(ApplicationPartner.position, ApplicationPartner.id)
    )
    return tuple(_partner(row) for row in rows)


def _partner(row: Any) -> PartnerView:
    state = PartnerState(row.state)
    return PartnerView(
        organisation_id=row.organisation_id,
        name=row.name,
        kind=OrganisationKind(row.kind),
        country_code=row.country_code,
        pic=row.pic,
        role=PartnerRole(row.role),
        state=state,
        contact_id=row.contact_user_id,
        # Who is asked by address has not said yet that they are who the lead thinks.
        contact_name=row.person if state is PartnerState.ACCEPTED else row.invited_name,
        contact_email=row.address,
        invited_at=row.invited_at,
        answered_at=row.answered_at,
    )


_SUBMISSION_COLUMNS = (
    Submission.id,
    Submission.number,
    Submission.receipt_number,
    Submission.submitted_at,
    Submission.submitted_by,
    Submission.closes_at,
    Submission.sha256,
    Submission.requested,
)


def _submission(submission_id: UUID) -> SubmissionView:
    row = db.session.execute(select(*_SUBMISSION_COLUMNS).where(Submission.id == submission_id)).one()
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
    )


def reason_of_end(actor: Actor, application: ApplicationView) -> str | None:
    """Why the preparation of its grant was given up, as its own people read it."""
    if application.state is not ApplicationState.DROPPED or not is_team(actor, application.id):
        return None
    return db.session.scalar(
        select(AuditEvent.reason)
        .where(
            AuditEvent.object_kind == "application",
            AuditEvent.object_id == application.id,
            AuditEvent.verb == "agreement.drop",
        )
        .order_by(AuditEvent.recorded_at.desc())
        .limit(1)
    )


def submissions(actor: Actor, reference: str) -> tuple[SubmissionView, ...]:
    """Every submitted version, newest first, at most 200: the last one stands, the others are kept."""
    rows = db.session.execute(
        select(*_SUBMISSION_COLUMNS)
        .join(Application, Application.id == Submission.application_id)
        .where(Application.reference == reference, visible(actor))
        .order_by(Submission.number.desc())
        .limit(LIST_ROWS_MAX)
    ).all()
    return tuple(_submission_view(row) for row in rows)


def earlier(actor: Actor, application_id: UUID) -> tuple[tuple[str, str], ...]:
    """Reference and title of other applications this person's teams wrote here, newest first, at most 50."""
    rows = db.session.execute(
        select(Application.reference, Application.title)
        .where(
            Application.id.in_(actor.places(Permission.APPLICATION_READ, "application")),
            Application.id != application_id,
            Application.dossier_id.is_not(None),
            visible(actor),
        )
        .order_by(Application.created_at.desc(), Application.id)
        .limit(50)
    )
    return tuple((row.reference, row.title) for row in rows)


def submission_by_id(submission_id: UUID) -> SubmissionView:
    """One submitted version for jobs (the receipt), which run as the person who sent it."""
    return _submission(submission_id)


def partners_of(application_ids: Iterable[UUID]) -> dict[UUID, tuple[PartnerView, ...]]:
    """The consortium of each of many applications in one statement, for conflict lists and assignment."""
    wanted = list(application_ids)
    found: dict[UUID, list[PartnerView]] = {application_id: [] for application_id in wanted}
    if wanted:
        rows = db.session.execute(
            select(*_PARTNER_COLUMNS)
            .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
            .outerjoin(User, User.id == ApplicationPartner.contact_user_id)
            .where(ApplicationPartner.application_id.in_(wanted))
            .order_by(ApplicationPartner.application_id, ApplicationPartner.position)
        ).all()
        for row in rows:
            found[row.application_id].append(_partner(row))
    return {application_id: tuple(each) for application_id, each in found.items()}
