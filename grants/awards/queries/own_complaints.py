"""Complaints as the team of an application reads them: whether it may complain, what it began and sent, what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.applications import queries as applications
from grants.applications.models import Application, EligibilityLetter
from grants.applications.rules import ApplicationView, Complained
from grants.applications.states import ApplicationState
from grants.awards.models import Complaint
from grants.awards.queries import letters
from grants.awards.queries.complaint_views import views_of
from grants.awards.rules import complaints as rules
from grants.awards.rules.complaints import ComplaintView, Window
from grants.awards.states import ComplaintState
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader


@reader
def reached_at(application: ApplicationView, at: datetime) -> Asking[datetime | None]:
    """When the result of an application reached its team; None while it has not.

    A verdict of the desk reaches it by its letter; what the evaluation came to by the newest letter of decision, so that
    the day its letter names is the day that counts; where the results become public after it, the reasons are read only
    then, and the time runs anew. Who was told by no letter reads the result once the results are public. A state that
    changed later has reached the team since then; one that it does not know yet moves no day. One statement.
    """
    sent = select(func.max(EligibilityLetter.sent_at)).where(EligibilityLetter.application_id == application.id)
    since = select(applications.state_since_to_team()).where(Application.id == application.id)
    desk, told = yield from both(
        ask(select(sent.scalar_subquery().label("verdict"), since.scalar_subquery().label("changed"))),
        letters.reached_at.asking([application.id]),
    )
    verdict, changed, letter = desk[0].verdict, desk[0].changed, told.get(application.id)
    match application.state:
        case ApplicationState.INELIGIBLE:
            return verdict or changed
        case ApplicationState.DROPPED:
            return changed
    public = application.call.results_public_at if application.call.results_are_public(at) else None
    return max(filter(None, (letter, public, changed))) if letter or public else None


def window_of(application: ApplicationView, at: datetime) -> Window:
    """Whether one may complain about an application now."""
    return rules.window(application, reached_at(application, at), at)


@dataclass(frozen=True, slots=True)
class OwnPage:
    """What the team reads: its complaints, newest first, and whether it may complain now."""

    application: ApplicationView
    window: Window
    complaints: tuple[ComplaintView, ...]

    @property
    def draft(self) -> ComplaintView | None:
        """What was begun and not sent."""
        return next((each for each in self.complaints if each.state is ComplaintState.DRAFT), None)

    @property
    def sent(self) -> tuple[ComplaintView, ...]:
        """What was sent."""
        return tuple(each for each in self.complaints if each.state is not ComplaintState.DRAFT)

    @property
    def repeated(self) -> bool:
        """Whether the evaluation is being repeated after one of them."""
        return any(each.waits_for_result for each in self.complaints)

    @property
    def may_write(self) -> bool:
        """Whether a complaint can be begun: in time, and none about this result was sent."""
        standing = [e for e in self.sent if e.about is self.window.about and e.state is not ComplaintState.WITHDRAWN]
        return not standing and not self.window.why_not

    @property
    def is_written(self) -> bool:
        """Whether the form of a complaint stands on the page: one can be begun, or was."""
        return self.may_write or self.draft is not None


@reader
def own_page(actor: Actor, reference: str, at: datetime) -> Asking[OwnPage]:
    """The complaints of one application for its team; :class:`NotFound` for everybody else."""
    application = applications.view_for_team(applications.team_id_of(actor, reference))
    wanted = select(Complaint).where(Complaint.application_id == application.id).order_by(Complaint.number.desc())
    reached, found = yield from both(reached_at.asking(application, at), views_of.asking(wanted))
    # Who handles it is nobody's business outside the programme.
    return OwnPage(application, rules.window(application, reached, at), tuple(map(_for_team, found)))


def _for_team(view: ComplaintView) -> ComplaintView:
    open_still = view.state not in (ComplaintState.UPHELD, ComplaintState.REJECTED)
    hidden = replace(
        view, checked_by="", committee=(), proposed_name="", confirmed_name="", return_reason="", despite=""
    )
    # What is proposed of an outcome is the committee’s until it is settled.
    hidden = replace(hidden, settlement_by=None, settlement_name="")
    hidden = hidden if hidden.settled_at else replace(hidden, settlement=None)
    return replace(hidden, decision="", upholds=None, remedy=None, proposed_by=None) if open_still else hidden


@reader
def told_of(application_id: UUID) -> Asking[Complained | None]:
    """What became of the newest complaint that was sent about an application, for its team, else of its draft; one statement."""
    rows = yield from ask(
        select(
            *(Complaint.state, Complaint.about, Complaint.remedy, Complaint.sent_at, Complaint.checked_at),
            *(Complaint.decide_at, Complaint.decided_at, Complaint.withdrawn_at, Complaint.settled_at),
            Complaint.due_at,
            applications.state_to_team().label("application_state"),
        )
        .join(Application, Application.id == Complaint.application_id)
        .where(Complaint.application_id == application_id)
        .order_by(Complaint.state == ComplaintState.DRAFT.value, Complaint.number.desc())
        .limit(1)
    )
    return rules.told(rows[0]) if rows else None


@reader
def own_way(application: ApplicationView, at: datetime) -> Asking[tuple[Complained | None, datetime | None]]:
    """What became of the newest complaint of a team, and until when it may begin one about the result that stands.

    None for the moment where it may not: no negative result that was decided here and reached it, too late, or one is
    sent already. One statement.
    """
    told, reached = yield from both(told_of.asking(application.id), reached_at.asking(application, at))
    found = rules.window(application, reached, at)
    if told is not None and told.unsent and not found.why_not:
        # While it can be sent, the way to complain leads to it.
        told = None
    return told, None if found.why_not or (told is not None and told.stands) else found.due_at
