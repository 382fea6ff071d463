"""Acts by which an application is sent, sent again and withdrawn; the server's time of arrival decides."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.applications import queries, rules
from grants.applications.models import Application, Submission
from grants.applications.queries import Workplace
from grants.applications.rules import ContentChanged, Receipt
from grants.applications.services.drafting import hold_call, refuse_unwritable
from grants.applications.services.finding import refresh_search_text
from grants.applications.services.privacy import refuse_sending_unread
from grants.applications.states import APPLICATION, ApplicationState, PartnerState
from grants.calls.rules.saying import closes_said
from grants.calls.services import look_for_conflicts
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid
from grants.core.permissions import Actor, Permission
from grants.core.references import next_number
from grants.identity import services as people

RECEIPT_SERIES = "receipt"


@act(
    "application.submit",
    needs=Permission.APPLICATION_SUBMIT,
    scope=queries.scope_of,
    says="submitted application {subject}",
)
def submit(actor: Actor, application_id: UUID, fingerprint: str | None = None) -> Receipt:
    """Freeze what stands now as the next submitted version and give its receipt.

    ``fingerprint`` is the hash of what the sender looked at; raises :class:`ContentChanged` when
    somebody changed anything since. Raises :class:`Refused` when it is too late or not complete.
    """
    application = locked(Application, application_id)
    refuse_unwritable(application_id, ApplicationState(application.state))
    hold_call(application.call_id)
    place = queries.workplace_of(queries.view_by_id(application_id))
    rules.refuse_late(place.application.call, acts.moment())
    if fingerprint is not None and fingerprint != place.fingerprint:
        raise ContentChanged(
            "The application was changed after you looked at it. Look at the check page again, then send it."
        )
    rules.refuse_incomplete(place.issues)
    refuse_sending_unread(actor, application)
    submission = _freeze(actor, place)
    APPLICATION.move(application, "submit")
    application.submission_id = submission.id
    sent = place.application
    application.title, application.acronym, application.summary = sent.title, sent.acronym, sent.summary
    application.draft_title = application.draft_acronym = application.draft_summary = None
    application.submitted_at = submission.submitted_at
    application.requested = submission.requested
    # Last, so that nobody waits long for the gapless number.
    submission.receipt_number = next_number(RECEIPT_SERIES)
    db.session.add(submission)
    if submission.number > 1:
        refresh_search_text(application, is_sent=True)
    receipt = _receipt(application, submission)
    jobs.queue(
        "jobs.documents.application_receipt",
        subject=("submission", submission.id),
        unique=f"receipt {submission.id}",
        submission_id=str(submission.id),
    )
    _tell_everybody(actor, place, receipt)
    return receipt


def _freeze(actor: Actor, place: Workplace) -> Submission:
    application = place.application
    content = dict(place.content)
    sha256 = rules.digest(content)
    assert sha256.hex() == place.fingerprint, "what is frozen is what was checked"
    assert application.call.closes_at is not None and actor.user_id is not None
    before = db.session.scalar(select(func.max(Submission.number)).where(Submission.application_id == application.id))
    return Submission(
        application_id=application.id,
        number=(before or 0) + 1,
        submitted_at=acts.moment(),
        submitted_by=actor.user_id,
        closes_at=application.call.closes_at,
        call_version=application.call_version,
        content=content,
        sha256=sha256,
        requested=place.budget.totals.requested,
    )


def _receipt(application: Application, submission: Submission) -> Receipt:
    return Receipt(
        application_id=application.id,
        submission_id=submission.id,
        reference=application.reference,
        number=submission.number,
        receipt_number=submission.receipt_number,
        submitted_at=submission.submitted_at,
        sha256=submission.sha256.hex(),
    )


def _tell_everybody(actor: Actor, place: Workplace, receipt: Receipt) -> None:
    application = place.application
    team = [p.contact_id for p in application.partners if p.contact_id and p.state is PartnerState.ACCEPTED]
    people.mail(
        team,
        "application_received",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        call_title=application.call.title,
        number=receipt.number,
        receipt_number=receipt.receipt_number,
        submitted_at=rules.exactly(receipt.submitted_at, application.call.zone),
        closes_at=closes_said(application.call),
        sha256=receipt.sha256,
        sent_by=actor.name,
    )


@act(
    "application.withdraw",
    needs=Permission.APPLICATION_WITHDRAW,
    scope=queries.scope_of,
    says="withdrew application {subject}",
)
def withdraw(actor: Actor, application_id: UUID, reason: str) -> None:
    """The lead takes the application back, before it is declared eligible; it can be read and not sent any more."""
    application = locked(Application, application_id)
    words = reason.strip()
    if not words:
        raise Invalid(
            "Say why you withdraw.", {"reason": "Say why you withdraw. The programme and your partners read it."}
        )
    acts.reason(words)
    # A refusal names the state its team reads.
    APPLICATION.target(queries.state_read_by_team(application_id), "withdraw")
    APPLICATION.move(application, "withdraw")
    application.withdrawn_at = acts.moment()
    # Who judges in this call and took part in it competes with the others no more.
    look_for_conflicts(application.call_id)
    view = queries.view_by_id(application_id)
    people.mail(
        [p.contact_id for p in view.partners if p.contact_id and p.state is PartnerState.ACCEPTED],
        "application_withdrawn",
        "application",
        application_id,
        reference=application.reference,
        title=application.title,
        withdrawn_by=actor.name,
        reason=words,
    )
