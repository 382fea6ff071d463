"""Acts of the applicant on a complaint: a draft that loses no word, files, sending it once in time, withdrawing it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.rules import ApplicationView
from grants.awards import queries
from grants.awards.models import Complaint
from grants.awards.queries.complaint_views import FILES
from grants.awards.rules import complaints as rules
from grants.awards.rules.complaints import ComplaintInput
from grants.awards.states import COMPLAINT, ComplaintState
from grants.calls import queries as calls
from grants.calls.rules import CallView, ComplaintRules
from grants.core import acts, clock, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission, Scope
from grants.core.scanning import Clearance
from grants.evaluation import queries as evaluation
from grants.identity import queries as identity
from grants.identity import services as people

reads = queries.complaints
# Beyond this nobody types; what is longer than a complaint may be is kept all the same.
DRAFT_CHARACTERS_MAX = 60_000


@act(
    "complaint.save",
    needs=Permission.APPLICATION_EDIT,
    scope=applications.scope_of,
    says="wrote a complaint about the result of {subject}",
)
def save(actor: Actor, application_id: UUID, given: ComplaintInput, version: int | None = None) -> int:
    """Keep the draft of a complaint, begun where there is none; too long or late, it is kept all the same."""
    assert actor.user_id is not None, "a person complains, by name"
    if len(given.text) > DRAFT_CHARACTERS_MAX:
        said = f"This has {len(given.text)} characters; not even a draft may have more than {DRAFT_CHARACTERS_MAX}."
        raise Invalid(said, {"text": said})
    row = _draft_of(application_id)
    if row is not None:
        check_version(row, version)
        _run_anew(row, applications.view_for_team(application_id))
    else:
        if version:
            raise Conflict("The draft was sent or taken away meanwhile. Look at what stands now.")
        row = _begun(actor, application_id)
    row.text, row.grounds, row.drafted_by = given.text, list(given.grounds), actor.user_id
    db.session.flush()
    return row.version


def _draft_of(application_id: UUID) -> Complaint | None:
    return db.session.scalars(
        select(Complaint)
        .where(
            Complaint.application_id == application_id,
            Complaint.state == ComplaintState.DRAFT.value,
            # One about a result that no longer stands is left behind: it has its own last day.
            Complaint.about
            == select(applications.state_to_team()).where(Application.id == application_id).scalar_subquery(),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _begun(actor: Actor, application_id: UUID) -> Complaint:
    application = applications.view_for_team(application_id)
    found = queries.own_complaints.window_of(application, acts.moment())
    if found.why_not or found.about is None or found.reached_at is None or found.due_at is None:
        raise Refused(found.why_not)
    standing = db.session.scalars(select(Complaint).where(Complaint.application_id == application_id)).all()
    if any(each.about == found.about.value and each.state != ComplaintState.WITHDRAWN.value for each in standing):
        raise Refused("You have complained about this result already. One complaint about a result is decided once.")
    row = Complaint(
        application_id=application_id, call_id=application.call.id, number=1 + max((e.number for e in standing), default=0),
        about=found.about.value, reached_at=found.reached_at, due_at=found.due_at, state=COMPLAINT.initial.value,
        grounds=[], text="", drafted_by=actor.user_id,
    )  # fmt: skip
    db.session.add(row)
    return row


@act(
    "complaint.send",
    needs=Permission.APPLICATION_SUBMIT,
    scope=reads.scope_of,
    says="complained about the result of {subject}",
)
def send(actor: Actor, complaint_id: UUID, version: int | None = None) -> str:
    """Send the complaint, for good, with the files that stand beside it. Returns its SHA-256."""
    row, call, given = _own_draft(complaint_id, version)
    told = call.content.complaints
    if told is None:
        raise Refused(call.content.complaints_to.not_here)
    application = applications.view_for_team(row.application_id)
    if application.state.value != row.about:
        raise Refused("The result this draft is about no longer stands. Begin one about the new result.")
    _run_anew(row, application)
    rules.refuse_late(row.due_at, told.until_words(row.reached_at, call.zone), acts.moment(), call.zone)
    given.refuse_incomplete(told)
    attached = files.listed(FILES, row.id)
    _refuse_infected(attached)
    COMPLAINT.move(row, "send")
    row.sent_at, row.sent_by = acts.moment(), actor.user_id
    row.sha256 = rules.digest(
        {
            "about": row.about,
            "grounds": row.grounds,
            "text": row.text,
            "files": sorted(each.sha256 for each in attached),
        }
    )
    row.first_decide_at = row.decide_at = decide_until(told, call)
    tell_team(row, call, "received")
    tell_staff(row, call, handlers(row), "received")
    return row.sha256.hex()


def _run_anew(row: Complaint, application: ApplicationView) -> None:
    """A time that began again once the results were public counts for a draft that was begun before."""
    found = queries.own_complaints.window_of(application, acts.moment())
    if found.reached_at is not None and found.due_at is not None and found.due_at > row.due_at:
        row.reached_at, row.due_at = found.reached_at, found.due_at


def decide_until(told: ComplaintRules, call: CallView) -> datetime:
    """Until when a complaint received at this moment is decided: the end of the last day in the call's zone."""
    return clock.end_of_day(told.decide_on(acts.moment(), call.zone), call.zone)


def _refuse_infected(attached: tuple[FileView, ...]) -> None:
    names = ", ".join(f"“{each.name}”" for each in attached if each.clearance is Clearance.INFECTED)
    if names:
        raise Refused(
            f"The virus scanner found something in {names}. Take it out and attach a clean copy; then send it."
        )


@act(
    "complaint.attach",
    needs=Permission.APPLICATION_EDIT,
    scope=reads.scope_of,
    says="attached evidence to a complaint about {subject}",
)
def attach(actor: Actor, complaint_id: UUID, incoming: Incoming) -> FileView:
    """Keep a file beside the draft."""
    row, _, _ = _own_draft(complaint_id, None)
    standing = files.listed(FILES, row.id)
    if len(standing) >= rules.FILES_MAX:
        raise Refused(f"The complaint has {len(standing)} files; the limit is {rules.FILES_MAX}. Take one out first.")
    if any(each.name == incoming.name for each in standing):
        raise Invalid(f"A file “{incoming.name}” is there already. Take it out first, or rename yours.")
    return files.keep(incoming, kind=FILES, object_id=row.id, role="evidence")


@act(
    "complaint.detach",
    needs=Permission.APPLICATION_EDIT,
    scope=reads.scope_of,
    says="took evidence out of a complaint about {subject}",
)
def detach(actor: Actor, complaint_id: UUID, file_id: UUID) -> None:
    """Take a file out before the complaint is sent."""
    row, _, _ = _own_draft(complaint_id, None)
    if file_id not in {each.id for each in files.listed(FILES, row.id)}:
        raise NotFound
    files.remove(file_id)


@act(
    "complaint.withdraw",
    needs=Permission.APPLICATION_SUBMIT,
    scope=reads.scope_of,
    says="withdrew the complaint about the result of {subject}",
)
def withdraw(actor: Actor, complaint_id: UUID, reason: str, version: int | None = None) -> None:
    """Withdraw what was sent and is not decided; the first decision stands, and nothing is reviewed any more."""
    row = locked(Complaint, complaint_id)
    check_version(row, version)
    words = rules.reasoned(reason)
    if not words:
        raise Invalid("Say why.", {"reason": "Say in a sentence why you withdraw it; it is kept on the record."})
    COMPLAINT.move(row, "withdraw")
    row.withdrawn_at, row.withdrawn_by, row.withdraw_reason = acts.moment(), actor.user_id, words
    acts.reason(words)
    call = calls.call_by_id(row.call_id)
    tell_team(row, call, "withdrawn")
    tell_staff(row, call, [who for who in (row.checked_by, row.member_one, row.member_two) if who], "withdrawn")


@act(
    "complaint.open_file",
    needs=Permission.FILE_READ,
    scope=reads.lies_in,
    says="opened a file of a complaint about {subject}",
)
def open_file(actor: Actor, complaint_id: UUID, sha256: str) -> FileView:
    """Hand out a piece of evidence, or the second decision as PDF; who took it is kept."""
    row = get(Complaint, complaint_id)
    _refuse_reading(actor, row)
    acts.subject("application", row.application_id)
    found = [*files.listed(FILES, row.id), *files.listed(reads.LETTERS, row.id)]
    file = next((each for each in found if each.sha256 == sha256), None)
    if file is None:
        raise NotFound
    return file


def _refuse_reading(actor: Actor, row: Complaint) -> None:
    if applications.is_team(actor, row.application_id):
        return
    scope = Scope.of(("application", row.application_id), ("call", row.call_id))
    sent = row.state != ComplaintState.DRAFT.value
    if (
        not sent
        or not actor.may(Permission.COMPLAINT_READ, scope)
        or evaluation.undecidable(actor, [row.application_id])
    ):
        raise NotFound


def _own_draft(complaint_id: UUID, version: int | None) -> tuple[Complaint, CallView, ComplaintInput]:
    row = locked(Complaint, complaint_id)
    check_version(row, version)
    if row.state != ComplaintState.DRAFT.value:
        raise Refused("The complaint was sent; it stands as it is. Until it is decided you can withdraw it.")
    return row, calls.call_by_id(row.call_id), ComplaintInput(tuple(row.grounds), row.text)


# --- letters ------------------------------------------------------------------------------------------------------


def handlers(row: Complaint) -> list[UUID]:
    """Who may handle a complaint: holds the permission, had no part in the first decision, has no conflict."""
    scope = Scope.of(("application", row.application_id), ("call", row.call_id))
    involved = queries.involved_in(row.application_id)
    holders = [each.id for each in identity.users_with(Permission.COMPLAINT_DECIDE, scope) if each.id not in involved]
    shut = {user_id for user_id, _ in evaluation.shut_out([row.application_id], holders)}
    return [each for each in holders if each not in shut]


def tell_team(row: Complaint, call: CallView, what: str, why: str = "") -> None:
    """One mail to everybody who writes in the application."""
    application, scope = get(Application, row.application_id), Scope.of(("application", row.application_id))
    people.mail(
        [each.id for each in identity.users_with(Permission.APPLICATION_EDIT, scope)],
        "complaint_told", "application", row.application_id,
        reference=application.reference, title=application.title, call_title=call.title, what=what, why=why,
        decided_by=_said(row, call), sha256=row.sha256.hex() if row.sha256 else "",
    )  # fmt: skip


def tell_staff(row: Complaint, call: CallView, user_ids: list[UUID], what: str) -> None:
    """One mail to those of the programme whom it concerns, but to nobody who must declare about the application first."""
    application = get(Application, row.application_id)
    clear = [one for one in user_ids if not evaluation.undecidable(identity.actor_for(one), [row.application_id])]
    people.mail(
        clear, "complaint_waits", "application", row.application_id, reference=application.reference,
        call_title=call.title, what=what, number=row.number, decided_by=_said(row, call),
    )  # fmt: skip


def _said(row: Complaint, call: CallView) -> str:
    return clock.long_date(clock.in_zone(row.decide_at, call.zone).date()) if row.decide_at else ""
