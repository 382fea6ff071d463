"""Acts of the decision letters: words added, sent once each, taken out as a file. With its letter a verdict takes effect."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, EligibilityCheck, EligibilityLetter
from grants.applications.rules import ApplicationView
from grants.applications.services.batch import note_batch, refuse_elsewhere
from grants.applications.services.checking import refuse_own, refuse_replaceable
from grants.applications.states import APPLICATION, ApplicationState, BatchWork, PartnerState, Verdict
from grants.calls import queries as calls
from grants.calls.services import look_for_conflicts
from grants.core import acts, faults, files, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission
from grants.identity import services as people

SEND_JOB = "jobs.eligibility.send_letter"


@act(
    "application.write_letter",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="changed the words of the decision letter of {subject}",
)
def write_letter(actor: Actor, application_id: UUID, note: str, version: int | None = None) -> None:
    """Keep the words of one's own in a letter that is not sent."""
    refuse_own(actor, application_id)
    _, _, letter = _waiting(application_id, version)
    letter.note = rules.checked_note(note) or None


@act(
    "application.preview_letter",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="asked for the draft of the decision letter of {subject} as PDF",
)
def preview_letter(actor: Actor, application_id: UUID) -> None:
    """Ask for the PDF of a letter that is not sent, exactly as it would be, marked as a draft; a job makes it."""
    refuse_own(actor, application_id)
    _, _, letter = _waiting(application_id, None)
    acts.subject("application", application_id)
    db.session.flush()
    jobs.queue(queries.DRAFT_JOB, subject=(queries.LETTER_FILES, letter.id), letter_id=letter.id)


@act(
    "application.open_letter_draft",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.lies_in,
    says="opened the draft of the decision letter of application {subject}",
)
def open_letter_draft(actor: Actor, application_id: UUID) -> FileView:
    """Hand out the PDF of a letter not yet sent, while its words are those it was made of; who took it is kept."""
    refuse_own(actor, application_id)
    acts.subject("application", application_id)
    found = queries.letter(actor, queries.view_by_id(application_id))
    file = queries.draft_pdf(found).file if found.sent_at is None else None
    if file is None:
        raise NotFound
    return file


@act(
    "call.send_letters",
    needs=Permission.APPLICATION_CHECK,
    scope=calls.scope_of,
    says="asked to send decision letters of call {subject}",
)
def send_letters(actor: Actor, call_id: UUID, letters: tuple[tuple[UUID, str], ...]) -> int:
    """Ask for each letter to be sent by a job: the application, and the hash of the letter that was looked at."""
    if not letters:
        raise Invalid("No letter is ticked. Tick at least one.")
    # A letter that is named twice goes with the words named last, once.
    wanted = dict(letters)
    refuse_elsewhere(call_id, wanted)
    sent = {row.id: row.submission_id for row in db.session.execute(
        select(Application.id, Application.submission_id).where(Application.id.in_(wanted))
    )}  # fmt: skip
    asked = {}
    for application_id, sha256 in sorted(wanted.items()):
        submission_id = sent[application_id]
        if submission_id is None:
            raise NotFound
        job_id = jobs.queue(
            SEND_JOB, subject=("application", application_id), application_id=application_id, sha256=sha256
        )
        asked[rules.BatchPick(application_id, submission_id)] = job_id
    note_batch(actor, call_id, BatchWork.LETTERS, asked)
    return len(asked)


@act(
    "application.send_letter",
    needs=Permission.APPLICATION_CHECK,
    scope=queries.scope_of,
    says="told the team of {subject} whether it is eligible",
)
def send_letter(actor: Actor, application_id: UUID, sha256: str | None = None) -> Verdict:
    """Freeze the letter, move the application to its verdict, and tell the team; once, and only what was looked at.

    A refusal leaves only with a second person behind it.
    """
    refuse_own(actor, application_id)
    application, check, letter = _waiting(application_id, None)
    faults.point("four_eyes")
    if check.verdict == Verdict.FAIL.value and check.confirmed_by is None:
        raise Refused("No second person has confirmed that it is not eligible. The letter is sent after that.")
    view = queries.view_by_id(application_id)
    text = queries.draft_text(view, queries.desk(actor, view), letter.note or "")
    if sha256 is not None and text.sha256.hex() != sha256:
        raise Refused("The letter changed after you looked at it. Look at it again, then send it.")
    letter.content, letter.sha256 = text.to_mapping(), text.sha256
    letter.sent_at, letter.sent_by = acts.moment(), actor.user_id
    for draft in files.listed(queries.LETTER_FILES, letter.id):
        files.discard(draft.id)
    verdict = Verdict(str(check.verdict))
    match verdict:
        case Verdict.PASS:
            APPLICATION.move(application, "declare_eligible")
            look_for_conflicts(application.call_id)
        case Verdict.FAIL:
            APPLICATION.move(application, "declare_ineligible")
    if check.reason:
        acts.reason(check.reason)
    db.session.flush()
    jobs.queue("jobs.documents.eligibility_letter", subject=("application", application_id), letter_id=letter.id)
    _tell(view, text, check.reason)
    return verdict


@act(
    "application.download_letter",
    needs=Permission.APPLICATION_READ,
    scope=queries.lies_in,
    says="opened the decision letter of application {subject}",
)
def download_letter(actor: Actor, application_id: UUID) -> FileView:
    """Hand the letter out as PDF, once it is made; who took it is kept."""
    acts.subject("application", application_id)
    found = queries.letter(actor, queries.view_by_id(application_id))
    file = queries.letter_file(found.letter_id) if found.letter_id else None
    if file is None:
        raise NotFound
    return file


def _waiting(application_id: UUID, version: int | None) -> tuple[Application, EligibilityCheck, EligibilityLetter]:
    """An application with a verdict its team has not been told, and its letter, begun where there is none."""
    application = locked(Application, application_id)
    check = db.session.scalars(
        select(EligibilityCheck)
        .where(EligibilityCheck.submission_id == application.submission_id)
        .with_for_update(of=EligibilityCheck)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if check is None or check.verdict is None:
        raise Refused("It has no verdict yet. Decide it at the desk first.")
    check_version(check, version)
    if ApplicationState(application.state) is not ApplicationState.SUBMITTED:
        raise Refused("Its letter was sent. A letter is sent once.")
    refuse_replaceable(queries.call_of(application), "The letter can be written and sent after that.")
    letter = db.session.scalars(select(EligibilityLetter).where(EligibilityLetter.check_id == check.id)).one_or_none()
    if letter is None:
        letter = EligibilityLetter(application_id=application.id, check_id=check.id)
        db.session.add(letter)
    return application, check, letter


def _tell(view: ApplicationView, text: rules.LetterText, reason: str | None) -> None:
    """Whoever speaks for an organisation of it; where the lead is gone everybody of the team, so that somebody is told."""
    told = {p.contact_id for p in view.partners if p.contact_id and p.state is PartnerState.ACCEPTED}
    if queries.lead_is_gone(view, queries.could_lead(view)):
        told |= {member.user_id for member in queries.team(view) if member.joined}
    people.mail(
        sorted(told),
        "application_eligibility",
        "application",
        view.id,
        reference=view.reference,
        title=view.title,
        call_title=text.call,
        eligible=text.eligible,
        reason=reason or "",
        complains=not text.eligible and view.call.content.complaints is not None,
    )
