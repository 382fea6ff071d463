"""The act by which one applicant gets more time than the others, for a reason everybody may read."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, EligibilityCheck
from grants.applications.services.moving import team_of
from grants.applications.states import ApplicationState
from grants.calls import rules as call_rules
from grants.calls import services as call_services
from grants.calls.models import Call
from grants.calls.rules import Deadline, DeadlineInput
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission
from grants.identity import services as people


@act(
    "application.extend_deadline",
    needs=Permission.CALL_EXTEND,
    scope=queries.scope_of,
    says="gave the applicant of {subject} more time",
)
def extend_for_one(actor: Actor, application_id: UUID, given: DeadlineInput) -> Deadline:
    """Give one application a deadline of its own, later than the one that counts for it now, with a reason.

    Its team is told by mail; the page of the call says that one applicant got more time and why, and not who. Also
    after the deadline, as long as nothing of the call is being compared. The application and its call stay locked, so
    that a submission at the same moment is judged by one deadline or the other.
    """
    application = locked(Application, application_id)
    call_row = locked(Call, application.call_id)
    call = queries.call_of(application)
    state = ApplicationState(application.state)
    rules.refuse_one_extension(state, queries.states_in_call(call.id), call_row.results_public_at)
    _refuse_judged(application)
    if call.deadline is None or call.cancelled:
        raise Refused("This call has no deadline that could be moved.")
    view = queries.view_by_id(application_id)
    rules.refuse_naming(given.reason, view)
    moved = call_rules.extended(call.deadline, given, at=acts.moment())
    rules.refuse_far_extension(moved.closes_at, next(d.closes_at for d in call.deadlines[::-1] if not d.is_own))
    application.own_closes_at, application.own_closes_reason = moved.closes_at, moved.reason
    call_services.note_one_extension(call.id, moved.reason or "")
    acts.reason(moved.reason or "")
    people.mail(
        team_of(view),
        "application_more_time",
        "application",
        application_id,
        reference=view.reference,
        title=view.title,
        call_title=call.title,
        old=rules.said(call.deadline.closes_at, call.zone),
        new=rules.said(moved.closes_at, call.zone),
        reason=moved.reason or "",
        note=moved.public_note or "",
    )
    return moved


def _refuse_judged(application: Application) -> None:
    check = db.session.scalars(
        select(EligibilityCheck)
        .where(EligibilityCheck.submission_id == application.submission_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    rules.refuse_judged_extension(
        proposed=check is not None and check.proposed_by is not None,
        decided=check is not None and check.verdict is not None,
    )
