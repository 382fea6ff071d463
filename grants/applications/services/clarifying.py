"""Acts on requests for clarification. None of them touches the submission: request and answer are kept beside it."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, Clarification
from grants.applications.rules import ClarificationInput
from grants.applications.rules.clarifying import FILES_MAX, OPEN_MAX
from grants.applications.services.checking import checkable, refuse_own
from grants.applications.services.drafting import refuse_before_acceptance
from grants.applications.states import ApplicationState, PartnerState
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, clock, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.core.scanning import Clearance
from grants.identity import services as people

FILE_KIND = queries.CLARIFICATION_FILES


@act(
    "application.ask_clarification",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="asked for a clarification of {subject}",
)
def ask_clarification(actor: Actor, application_id: UUID, asked: ClarificationInput) -> int:
    """Ask the team about conditions and questions, with a day until which it answers. Returns the request's number."""
    refuse_own(actor, application_id)
    application, call, _ = checkable(application_id, None)
    assert application.submission_id is not None and actor.user_id is not None, "a submission is checked by a person"
    today = clock.in_zone(acts.moment(), call.zone).date()
    kept = asked.checked(call, {each.key for each in rules.conditions_of(call.content)}, today)
    assert kept.due_on is not None, "a checked request has its day"
    standing = db.session.scalars(select(Clarification).where(Clarification.application_id == application_id)).all()
    waiting = [each for each in standing if each.answered_at is None and each.withdrawn_at is None]
    if len(waiting) >= OPEN_MAX:
        raise Refused(
            f"{len(waiting)} requests wait for an answer; the limit is {OPEN_MAX}. Withdraw one, or wait for its answer."
        )
    due_at = clock.end_of_day(kept.due_on, call.zone)
    made = Clarification(
        application_id=application_id,
        submission_id=application.submission_id,
        number=1 + max((each.number for each in standing), default=0),
        text=kept.text,
        conditions=list(kept.conditions),
        questions=list(kept.questions),
        asked_by=actor.user_id,
        first_due_at=due_at,
        due_at=due_at,
        shared=False,
    )
    db.session.add(made)
    _mail_team(application, call, made, "asked")
    return made.number


@act(
    "application.extend_clarification",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of_clarification,
    says="gave {subject} more time for a clarification",
)
def extend_clarification(actor: Actor, clarification_id: UUID, due_on: date | None, reason: str) -> None:
    """Move the day an answer is due, with the reason; also after it has passed, never to an earlier day."""
    application, call, row = _standing(actor, clarification_id)
    today = clock.in_zone(acts.moment(), call.zone).date()
    said, problems = reason.strip(), {}
    if not said:
        problems["reason"] = "Say why. The applicant reads it."
    if due_on is None:
        problems["due_on"] = "Choose the new day."
    elif problem := rules.due_problem(due_on, today):
        problems["due_on"] = problem
    elif clock.end_of_day(due_on, call.zone) <= row.due_at:
        problems["due_on"] = "That is not later than before. Choose a later day."
    if problems or due_on is None:
        raise Invalid("More time needs a later day and a reason.", problems)
    row.due_at, row.extension_reason = clock.end_of_day(due_on, call.zone), said
    acts.reason(said)
    _mail_team(application, call, row, "extended")


@act(
    "application.withdraw_clarification",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of_clarification,
    says="withdrew a request for clarification of {subject}",
)
def withdraw_clarification(actor: Actor, clarification_id: UUID, reason: str) -> None:
    """No answer is needed any more, and why."""
    application, call, row = _standing(actor, clarification_id)
    said = reason.strip()
    if not said:
        raise Invalid("Say why.", {"reason": "Say why. The applicant reads it."})
    row.withdrawn_at, row.withdrawn_by, row.withdraw_reason = acts.moment(), actor.user_id, said
    acts.reason(said)
    _mail_team(application, call, row, "withdrawn")


@act(
    "application.share_clarification",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of_clarification,
    says="let the evaluators read a clarification of {subject}",
)
def share_clarification(actor: Actor, clarification_id: UUID) -> None:
    """Mark an answered request as the evaluators' to see; who answered stays unnamed."""
    row = locked(Clarification, clarification_id)
    refuse_own(actor, row.application_id)
    if row.answered_at is None:
        raise Refused("It has no answer yet. Share it when the answer is there.")
    row.shared = True


@act(
    "application.draft_clarification",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of_clarification,
    says="wrote an answer to a question of the programme on {subject}",
)
def draft_clarification(actor: Actor, clarification_id: UUID, text: str, version: int | None = None) -> int:
    """Keep a draft of the answer; nobody outside the team sees it. Too long or late, it is kept all the same."""
    row = _writable(actor, clarification_id, version)
    row.draft, row.drafted_by = rules.kept_draft(text), actor.user_id
    db.session.flush()
    return row.version


@act(
    "application.answer_clarification",
    needs=Permission.APPLICATION_SUBMIT,
    scope=queries.scope_of_clarification,
    says="answered a question of the programme on {subject}",
)
def answer_clarification(actor: Actor, clarification_id: UUID, text: str, version: int | None = None) -> str:
    """Send the one answer, for good, with the files that stand beside it. Returns its SHA-256."""
    row = _writable(actor, clarification_id, version)
    application = get(Application, row.application_id)
    call = calls.call_by_id(application.call_id)
    if application.state != ApplicationState.SUBMITTED.value:
        raise Refused("The check of this application is over; no answer is needed any more.")
    rules.refuse_late_answer(row.due_at, call.zone, acts.moment())
    answer = rules.checked_answer(text)
    attached = files.listed(FILE_KIND, row.id)
    rules.refuse_infected([file.name for file in attached if file.clearance is Clearance.INFECTED])
    row.answer, row.answered_at, row.answered_by = answer, acts.moment(), actor.user_id
    row.answer_sha256 = _digest(row, answer, attached)
    people.mail(
        [row.asked_by],
        "application_clarified",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        number=row.number,
    )
    return row.answer_sha256.hex()


@act(
    "application.attach_to_clarification",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of_clarification,
    says="attached a file to an answer on {subject}",
)
def attach_to_clarification(actor: Actor, clarification_id: UUID, incoming: Incoming) -> FileView:
    """Keep a file beside the answer that is being written."""
    row = _writable(actor, clarification_id, None)
    standing = files.listed(FILE_KIND, row.id)
    if len(standing) >= FILES_MAX:
        raise Refused(f"The answer has {len(standing)} files; the limit is {FILES_MAX}. Take one out first.")
    if any(file.name == incoming.name for file in standing):
        raise Invalid(f"A file “{incoming.name}” is there already. Take it out first, or rename yours.")
    return files.keep(incoming, kind=FILE_KIND, object_id=row.id, role="answer")


@act(
    "application.remove_from_clarification",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of_clarification,
    says="took a file out of an answer on {subject}",
)
def remove_from_clarification(actor: Actor, clarification_id: UUID, file_id: UUID) -> None:
    """Take a file out before the answer is sent."""
    row = _writable(actor, clarification_id, None)
    if file_id not in {file.id for file in files.listed(FILE_KIND, row.id)}:
        raise NotFound
    files.remove(file_id)


def _standing(actor: Actor, clarification_id: UUID) -> tuple[Application, CallView, Clarification]:
    """A request without answer, for the desk."""
    row = locked(Clarification, clarification_id)
    refuse_own(actor, row.application_id)
    _refuse_settled(row)
    application, call, _ = checkable(row.application_id, None)
    return application, call, row


def _writable(actor: Actor, clarification_id: UUID, version: int | None) -> Clarification:
    """A request that can still be answered, for its team."""
    row = locked(Clarification, clarification_id)
    check_version(row, version)
    refuse_before_acceptance(actor, row.application_id)
    _refuse_settled(row)
    return row


def _refuse_settled(row: Clarification) -> None:
    if row.answered_at is not None:
        raise Refused("The answer was sent; it stands as it is.")
    if row.withdrawn_at is not None:
        raise Refused("The request was withdrawn; no answer is needed any more.")


def _digest(row: Clarification, answer: str, attached: tuple[FileView, ...]) -> bytes:
    """SHA-256 of the answer with the hashes of its files, in one spelling."""
    found = {"clarification": row.number, "answer": answer, "files": sorted(file.sha256 for file in attached)}
    text = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _mail_team(application: Application, call: CallView, row: Clarification, what: str) -> None:
    team = [p.contact_id for p in queries.partners(application.id) if p.contact_id and p.state is PartnerState.ACCEPTED]
    people.mail(
        team,
        "application_clarification",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        call_title=call.title,
        what=what,
        text=row.text,
        due=rules.said(row.due_at, call.zone),
        why=row.withdraw_reason or row.extension_reason or "",
    )
