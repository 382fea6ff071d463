"""Letters of decision: words written, letters prepared by one person and sent by another, each once; told again, acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.services import tell_outcome
from grants.awards import queries
from grants.awards.models import DecisionLetter, LetterMailing, LetterText, SelectionItem
from grants.awards.queries.mailed import MAIL, mailed_since
from grants.awards.rules import refuse_same_person
from grants.awards.rules.letter_words import checked_text
from grants.awards.rules.letters import DecisionText, LettersPage, refuse_blocked
from grants.awards.services.leaving_out import refuse_left_out, refuse_shut
from grants.awards.states import LETTER, MAILING, LetterState, MailingState, Outcome
from grants.calls import queries as calls
from grants.core import acts, clock, files, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.files import FileView
from grants.core.jobs import JobState
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.evaluation import queries as evaluation
from grants.evaluation.queries import call_scope
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh

SEND_JOB = "jobs.awards.send_letter"
PRINT_JOB = "jobs.documents.decision_letter_anew"
# So long a team that was told by mail is not told again of the same letter.
TOLD_AGAIN_AFTER = timedelta(hours=1)


@act(
    "letter_text.write",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=call_scope,
    says="wrote words of the decision letters of {subject}",
)
def write_text(actor: Actor, call_id: UUID, outcome: Outcome, text: str, shown: int) -> int:
    """Keep new words for the letters of one outcome, in sight of the version ``shown``; its number."""
    words = checked_text(outcome, text)
    of_it = (LetterText.call_id == call_id, LetterText.outcome == outcome.value)
    last = db.session.scalar(select(func.max(LetterText.number)).where(*of_it)) or 0
    if last != shown:
        raise Conflict("Somebody wrote other words for this letter while you were writing. Look at them first.")
    _refuse_while_prepared(call_id)
    assert actor.user_id is not None, "only a person writes"
    row = LetterText(call_id=call_id, outcome=outcome.value, number=last + 1, text=words)
    row.written_by, row.written_at = actor.user_id, acts.moment()
    db.session.add(row)
    acts.subject("call", call_id)
    return row.number


def _refuse_while_prepared(call_id: UUID) -> None:
    found = db.session.scalar(
        select(LetterMailing.number).where(
            LetterMailing.call_id == call_id, LetterMailing.state == MailingState.PREPARED.value
        )
    )
    if found is not None:
        raise Refused(f"Mailing {found} of this call waits for a second person. Have it sent or returned first.")


def _refuse_overtaken(letters: Sequence[DecisionLetter]) -> None:
    """Raise :class:`Refused` where a letter tells an outcome that is no longer the one of its application."""
    found = queries.letters.overtaken(letters)
    if found:
        raise Refused(
            f"The outcome of {', '.join(found)} changed after the letter was prepared. Return the letters and prepare them anew."
        )


@act(
    "letter_mailing.prepare",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=call_scope,
    says="prepared the decision letters of {subject}",
)
def prepare(actor: Actor, call_id: UUID, shown: str) -> int:
    """Freeze every letter that waits, exactly as this person looked at them; another person sends them. The mailing's number.

    Refused while anything stands in the way of one that was not left out by name.
    """
    _refuse_while_prepared(call_id)
    page: LettersPage = queries.letters.letters_of(actor, calls.call_by_id(call_id))
    if not page.decided:
        raise Refused("The selection of this call is not confirmed. Letters are prepared after that.")
    refuse_blocked(page)
    if page.shown_hash != shown:
        raise Conflict("A letter changed after you looked at it. Look at them again, then prepare them.")
    assert actor.user_id is not None, "only a person prepares"
    last = db.session.scalar(select(func.max(LetterMailing.number)).where(LetterMailing.call_id == call_id)) or 0
    mailing = LetterMailing(call_id=call_id, number=last + 1, state=MAILING.initial, prepared_by=actor.user_id)
    mailing.prepared_at = acts.moment()
    db.session.add(mailing)
    db.session.flush()
    of_items = _selection_ids(call_id)
    for row in page.waiting:
        assert row.text is not None and row.outcome is not None, "what is prepared has its words"
        db.session.add(
            DecisionLetter(
                mailing_id=mailing.id, selection_id=of_items[row.application_id], application_id=row.application_id,
                outcome=row.outcome.value, state=LETTER.initial, content=row.text.to_mapping(), sha256=row.text.sha256,
            )
        )  # fmt: skip
    acts.subject("call", call_id)
    return mailing.number


def _selection_ids(call_id: UUID) -> dict[UUID, UUID]:
    found = {view.id for view in queries.selections(call_id) if view.confirmed_at is not None}
    rows = db.session.execute(
        select(SelectionItem.application_id, SelectionItem.selection_id).where(SelectionItem.selection_id.in_(found))
    )
    return {row.application_id: row.selection_id for row in rows}


def _letters_in(mailing_id: UUID) -> list[DecisionLetter]:
    return list(
        db.session.scalars(
            select(DecisionLetter)
            .where(DecisionLetter.mailing_id == mailing_id)
            .order_by(DecisionLetter.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _second_person(actor: Actor, mailing_id: UUID, version: int | None) -> tuple[LetterMailing, list[DecisionLetter]]:
    mailing = locked(LetterMailing, mailing_id)
    check_version(mailing, version)
    refuse_same_person(mailing.prepared_by, actor.user_id, "prepared these letters", "send or return them")
    letters = _letters_in(mailing_id)
    if evaluation.undecidable(actor, [letter.application_id for letter in letters]):
        raise Refused(
            "You have a conflict of interest with an application of these letters, take part in one, or have not declared "
            "about it. Somebody else must look at them."
        )
    return mailing, letters


@act(
    "letter_mailing.confirm",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.letters.mailing_scope,
    says="had the decision letters of {subject} sent",
)
def confirm_mailing(actor: Actor, mailing_id: UUID, version: int | None = None) -> int:
    """Have the letters sent that another person prepared, each by a job of its own; how many."""
    demand_fresh(actor)
    mailing, letters = _second_person(actor, mailing_id, version)
    _refuse_overtaken(letters)
    MAILING.move(mailing, "confirm")
    mailing.confirmed_by, mailing.confirmed_at = actor.user_id, acts.moment()
    for letter in letters:
        LETTER.move(letter, "confirm")
        _queue(letter)
    acts.subject("call", mailing.call_id)
    return len(letters)


def _queue(letter: DecisionLetter) -> None:
    jobs.queue(SEND_JOB, subject=("application", letter.application_id), letter_id=letter.id)


@act(
    "letter_mailing.return",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.letters.mailing_scope,
    says="returned the decision letters of {subject}",
)
def return_mailing(actor: Actor, mailing_id: UUID, reason: str, version: int | None = None) -> None:
    """Give prepared letters back with a reason; none of them is sent, and they can be prepared again."""
    mailing, letters = _second_person(actor, mailing_id, version)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say what must be different before they are sent."})
    MAILING.move(mailing, "return")
    mailing.returned_by, mailing.returned_at, mailing.return_reason = actor.user_id, acts.moment(), words
    for letter in letters:
        LETTER.move(letter, "drop")
    acts.subject("call", mailing.call_id)
    acts.reason(words)


@act(
    "letter.send",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.letters.letter_scope,
    says="told the decision on {subject} by its letter",
)
def send_letter(actor: Actor, letter_id: UUID) -> str:
    """Send one letter: dated, kept with the hash of what left, told to its team; once, however often the job runs.

    Returns what became of it: “sent”, or “was sent”.
    """
    letter = locked(DecisionLetter, letter_id)
    acts.subject("application", letter.application_id)
    if letter.state in (LetterState.SENT.value, LetterState.DROPPED.value):
        return f"was {letter.state}"
    refuse_shut(actor, letter.application_id)
    application = locked(Application, letter.application_id)
    refuse_left_out(application.id)
    _refuse_overtaken([letter])
    team = _team(application.id)
    if not team:
        raise Refused("Nobody of its team has an account that works. Invite somebody, then send it again.")
    call = calls.call_by_id(application.call_id)
    sent_on = clock.long_date(clock.in_zone(acts.moment(), call.zone).date())
    text, window, until = DecisionText.from_mapping(letter.content), call.content.complaints, ""
    if window is not None and text.complaint_days is not None:
        until = window.until_words(acts.moment(), call.zone)
        if not call.results_are_public(acts.moment()):
            until += window.anew_words
    text = text.dated(sent_on, until)
    LETTER.move(letter, "send")
    letter.sent_content, letter.sent_sha256, letter.sent_at = text.to_mapping(), text.sha256, acts.moment()
    tell_outcome(application.id)
    db.session.flush()
    jobs.queue("jobs.documents.decision_letter", subject=("application", application.id), letter_id=letter.id)
    _tell(team, application, text)
    return "sent"


def _team(application_id: UUID) -> list[UUID]:
    found = identity.teams(Permission.APPLICATION_EDIT, "application", [application_id])
    return sorted(found.get(application_id, ()))


def _tell(team: list[UUID], application: Application, text: DecisionText) -> None:
    people.mail(
        team, MAIL, "application", application.id, reference=text.reference, title=text.application,
        call_title=text.call, programme=text.programme, paragraphs=[*text.paragraphs, *filter(None, [text.complaint_words])], sent_on=text.sent_on,
        complains=bool(text.complain_until),
    )  # fmt: skip


@act(
    "letter.note_failure",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.letters.letter_in_call,
    says="could not send the decision letter of {subject}",
)
def note_failure(actor: Actor, letter_id: UUID, reason: str) -> None:
    """Keep why a letter could not be sent; one that was sent meanwhile stays sent."""
    letter = locked(DecisionLetter, letter_id)
    acts.subject("application", letter.application_id)
    if letter.state != LetterState.QUEUED.value:
        return
    LETTER.move(letter, "fail")
    letter.failure = reason
    acts.reason(reason)


@act(
    "letter.send_again",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.letters.letter_scope,
    says="told the team of {subject} again of its decision letter",
)
def send_again(actor: Actor, letter_id: UUID, version: int | None = None) -> LetterState:
    """Try a letter that failed once more, or tell the team again of one that was sent: the same words, the same date.

    A form that comes twice tells nobody twice: not within :data:`TOLD_AGAIN_AFTER` of a mail that has not failed.
    """
    letter = locked(DecisionLetter, letter_id)
    check_version(letter, version)
    refuse_shut(actor, letter.application_id)
    acts.subject("application", letter.application_id)
    match LetterState(letter.state):
        case LetterState.FAILED:
            refuse_left_out(letter.application_id)
            LETTER.move(letter, "retry")
            letter.failure = None
            _queue(letter)
        case LetterState.SENT:
            assert letter.sent_content is not None, "what was sent is kept"
            application = locked(Application, letter.application_id)
            if mailed_since(application.id, acts.moment() - TOLD_AGAIN_AFTER):
                raise Refused("Its team was sent a mail about it within the last hour. Wait, then send it again.")
            team = _team(application.id)
            if not team:
                raise Refused("Nobody of its team has an account that works. Invite somebody, then send it again.")
            _tell(team, application, DecisionText.from_mapping(letter.sent_content))
        case LetterState.QUEUED:
            # Its job may have failed or been cancelled, and the letter with it: then it goes under who asks now.
            job = jobs.latest(("application", letter.application_id), SEND_JOB)
            if job is not None and job.state in (JobState.QUEUED, JobState.RUNNING):
                raise Refused("It is on its way already. The page of the letters says when it has left, or why not.")
            _queue(letter)
        case LetterState.PREPARED:
            raise Refused("It was never sent. It leaves with its mailing, once a second person has it sent.")
        case LetterState.DROPPED:
            raise Refused(
                "It was returned, or left out by name, and is never sent. A new one is prepared in its place."
            )
    return LetterState(letter.state)


@act(
    "letter.ask_print",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.letters.letter_scope,
    says="asked for new PDFs of the decision letter of {subject}",
)
def ask_print(actor: Actor, letter_id: UUID, reason: str) -> None:
    """Have a sent letter printed anew from what was frozen, because its PDF is damaged: the same words, the old file kept."""
    letter = locked(DecisionLetter, letter_id)
    refuse_shut(actor, letter.application_id)
    acts.subject("application", letter.application_id)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Write what is wrong with the PDF. It stands in the record."})
    if letter.state != LetterState.SENT.value:
        raise Refused("It was not sent yet. Its PDF is made when it leaves.")
    queries.letters.letter_for_print(letter_id)
    job = jobs.latest(("application", letter.application_id), PRINT_JOB)
    if job is not None and job.state in (JobState.QUEUED, JobState.RUNNING):
        raise Refused("New PDFs of it are being made already.")
    acts.reason(words)
    jobs.queue(PRINT_JOB, subject=("application", letter.application_id), letter_id=letter.id)


@act(
    "letter.acknowledge",
    needs=Permission.APPLICATION_READ,
    scope=queries.letters.letter_scope,
    says="acknowledged the decision letter of {subject}",
)
def acknowledge(actor: Actor, letter_id: UUID, version: int | None = None) -> bool:
    """Somebody of the team says that they have the letter; the first one counts.

    Whether this one was it: of a letter that was acknowledged meanwhile nothing is asked any more.
    """
    letter = locked(DecisionLetter, letter_id)
    if not applications.is_team(actor, letter.application_id) or letter.sent_at is None:
        raise NotFound
    acts.subject("application", letter.application_id)
    if letter.acknowledged_at is not None:
        return False
    check_version(letter, version)
    letter.acknowledged_by, letter.acknowledged_at = actor.user_id, acts.moment()
    return True


def paper_lies_in(letter_id: UUID) -> Scope:
    """Where the application of a letter lies, for who only reads."""
    return applications.lies_in(get(DecisionLetter, letter_id).application_id)


@act(
    "letter.open_paper",
    needs=Permission.FILE_READ,
    scope=paper_lies_in,
    says="opened a PDF of the letter that told the decision on {subject}",
)
def open_paper(actor: Actor, letter_id: UUID, sha256: str) -> FileView:
    """Hand a PDF of a sent letter or of its report to who prepares, sends or audits letters; who took it is kept."""
    letter = get(DecisionLetter, letter_id)
    refuse_shut(actor, letter.application_id)
    scope = paper_lies_in(letter_id)
    if not any(actor.may(permission, scope) for permission in queries.letters.READS_LETTERS):
        raise NotFound
    acts.subject("application", letter.application_id)
    found = next((each for each in queries.letters.papers(letter_id) if each.sha256 == sha256), None)
    if found is None:
        raise NotFound
    return found


def lies_with_team(application_id: UUID) -> Scope:
    """Where an application lies, for who only reads."""
    return applications.lies_in(application_id)


@act(
    "letter.download",
    needs=Permission.APPLICATION_READ,
    scope=lies_with_team,
    says="opened the letter that tells the decision on {subject}",
)
def download_letter(actor: Actor, application_id: UUID, role: str) -> FileView:
    """Hand the letter, or its report once that may be read, out as PDF to its team; who took it is kept."""
    acts.subject("application", application_id)
    _, letter = queries.letters.sent_letter(actor, applications.view_by_id(application_id).reference, acts.moment())
    if role == queries.letters.REPORT_ROLE and not letter.report:
        raise NotFound
    found = files.listed(queries.letters.LETTER_FILES, letter.letter_id, role)
    if not found and role == queries.letters.LETTER_ROLE and letter.report:
        found = files.listed(
            queries.letters.LETTER_FILES, letter.letter_id, queries.letters.LETTER_WITH_REPORTS_HASH_ROLE
        )
    if not found:
        raise NotFound
    return found[0]
