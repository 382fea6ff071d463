"""Decision letters of the eligibility desk: as they would be sent, and as they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from flask import render_template
from sqlalchemy import ColumnElement, and_, exists, func, select

from grants.applications import rules
from grants.applications.models import Application, EligibilityCheck, EligibilityLetter
from grants.applications.queries.batch import in_hand, last_batch
from grants.applications.queries.checking import verdict_of
from grants.applications.queries.reach import scope_of, visible
from grants.applications.queries.whole import view_by_id, view_of
from grants.applications.rules import ApplicationView, BatchOutcome, Desk, LetterText, LetterView
from grants.applications.rules.timeline import planned
from grants.applications.states import ApplicationState, BatchWork, Verdict
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import files, jobs
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.text import ended
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity.models import User

LETTER_FILES = "eligibility_letter"
DRAFT_JOB = "jobs.documents.eligibility_letter_draft"
# Letters one page shows in full and sends in one go.
LETTERS_MAX = 20


def draft_text(application: ApplicationView, found: Desk, note: str) -> LetterText:
    """The letter from its template with the facts of today."""
    call = application.call
    body = render_template(
        "documents/eligibility_letter.txt",
        eligible=found.verdict is Verdict.PASS,
        title=application.title,
        reference=application.reference,
        call_title=call.title,
        expected=planned(call, "dates.results_planned"),
        redress=" ".join(
            filter(None, (ended(planned(call, "evaluation.redress")), *call.content.complaints_to_words))
        ).rstrip("."),
        complains=call.content.complaints is not None,
        note=note or found.remark,
    )
    return rules.letter_text(application, found, body)


def to_send() -> ColumnElement[bool]:
    """The condition on :class:`Application` that it has a verdict, its team has not been told, and no job is telling it."""
    decided = exists().where(
        EligibilityCheck.submission_id == Application.submission_id, EligibilityCheck.verdict.is_not(None)
    )
    return and_(Application.state == ApplicationState.SUBMITTED.value, decided.correlate(Application), ~in_hand())


@reader
def letter(actor: Actor, application: ApplicationView) -> Asking[LetterView]:
    """The letter of one application: for the desk also as it would be sent; for everybody else only once it was.

    One statement. Raises :class:`NotFound`.
    """
    letters = ask(
        select(
            *(EligibilityLetter.id, EligibilityLetter.content, EligibilityLetter.note, EligibilityLetter.sent_at),
            *(EligibilityLetter.sha256, User.name),
        )
        .join(EligibilityCheck, EligibilityCheck.id == EligibilityLetter.check_id)
        .outerjoin(User, User.id == EligibilityLetter.sent_by)
        .where(EligibilityLetter.application_id == application.id)
        .order_by(EligibilityCheck.created_at.desc())
        .limit(1)
    )
    rows, found = yield from both(letters, verdict_of.asking(application))
    stored = rows[0] if rows else None
    if stored is not None and stored.content is not None:
        return LetterView(
            *(application.id, application.reference, application.name, LetterText.from_mapping(stored.content)),
            note=stored.note or "",
            sent_at=stored.sent_at,
            sent_by=stored.name or "",
            sha256=stored.sha256.hex() if stored.sha256 else "",
            letter_id=stored.id,
        )
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    if found.verdict is None or not actor.may(Permission.APPLICATION_CHECK, scope):
        raise NotFound
    note = (stored.note or "") if stored else ""
    text = draft_text(application, found, note)
    return LetterView(
        *(application.id, application.reference, application.name, text, note, found.version),
        letter_id=stored.id if stored else None,
    )


@reader
def letters_to_send(actor: Actor, call: CallView, after: str | None = None) -> Asking[Rows[LetterView]]:
    """The next letters that wait, by reference, and how many wait in all; three statements whatever their number."""
    page = Page(LETTERS_MAX, after)
    own = actor.places(Permission.APPLICATION_READ, "application")
    inside = (Application.call_id == call.id, to_send(), visible(actor), Application.id.not_in(own))
    next_ones = (
        select(Application)
        .where(*inside, Application.reference > (after or ""))
        .order_by(Application.reference)
        .limit(page.limit)
    )
    found, numbers = yield from both(ask(next_ones), ask(select(func.count()).select_from(Application).where(*inside)))
    waiting = cut(found, page, key=lambda row: row.reference, total=int(numbers[0][0]))
    views = yield from side_by_side(view_of.asking(row) for row in waiting.items)
    # What an earlier version asked is read once for all that answer it; each keeps the deadline of its applicant.
    versions = {each.submission.call_version for each in views if each.submission} - {call.version_number}
    earlier = {number: calls.content_of_version(call.id, number) for number in sorted(versions)}
    answered = [
        replace(each, call=replace(each.call, content=earlier[number], version_number=number))
        if each.submission and (number := each.submission.call_version) in earlier
        else each
        for each in views
    ]
    letters = yield from side_by_side(letter.asking(actor, each) for each in answered)
    return Rows(tuple(letters), waiting.next_key, waiting.total, waiting.first)


@reader
def letters_page(
    actor: Actor, call: CallView, after: str | None = None
) -> Asking[tuple[Rows[LetterView], tuple[BatchOutcome, ...]]]:
    """:func:`letters_to_send` with what became of this person's last sending; no statement more."""
    sending = last_batch.asking(actor, call.id, BatchWork.LETTERS)
    return (yield from both(letters_to_send.asking(actor, call, after), sending))


def letter_for_print(letter_id: UUID) -> tuple[LetterText, EligibilityLetter, ApplicationView]:
    """A sent letter for the job that prints it."""
    row = get(EligibilityLetter, letter_id)
    assert row.content is not None, "only what was sent is printed"
    return LetterText.from_mapping(row.content), row, view_by_id(row.application_id)


def letter_draft_for_print(actor: Actor, letter_id: UUID) -> tuple[LetterText, ApplicationView] | None:
    """A letter as it would be sent now, for the job that prints its draft; None once it was sent, or its verdict is gone."""
    row = get(EligibilityLetter, letter_id)
    view = view_by_id(row.application_id)
    found = letter(actor, view) if row.content is None and view.state is ApplicationState.SUBMITTED else None
    return None if found is None or found.sent_at is not None else (found.text, view)


def draft_role(text: LetterText) -> str:
    """As what the draft of exactly these words is kept with its letter."""
    return f"draft {text.sha256.hex()}"


@dataclass(frozen=True, slots=True)
class DraftPdf:
    """How the PDF of a draft stands: there for exactly the words shown, being made, or why it could not be."""

    file: FileView | None = None
    waits: bool = False
    error: str = ""


def draft_pdf(shown: LetterView) -> DraftPdf:
    """The PDF of a letter that is not sent, of no older words than those shown."""
    if shown.letter_id is None:
        return DraftPdf()
    found = files.listed(LETTER_FILES, shown.letter_id, draft_role(shown.text))
    job = None if found else jobs.latest((LETTER_FILES, shown.letter_id), DRAFT_JOB)
    return DraftPdf(
        found[0] if found else None,
        waits=job is not None and not job.is_over,
        error=(job.error or "") if job is not None and job.state is jobs.JobState.FAILED else "",
    )


def letter_file(letter_id: UUID) -> FileView | None:
    """The letter as PDF, once its job has made it."""
    found = files.listed(LETTER_FILES, letter_id, "letter")
    return found[0] if found else None


def letter_scope(letter_id: UUID) -> Scope:
    """Where a letter lies: in its application."""
    row = get(EligibilityLetter, letter_id)
    return Scope.of(("application", row.application_id), ("call", get(Application, row.application_id).call_id))


def letter_held(letter_id: UUID) -> Scope:
    """The same under the lock of the application, for acts that must not meet its sending or each other."""
    # The column and not the row: the act reads the row anew, as it is once the lock is had.
    application_id = db.session.scalar(
        select(EligibilityLetter.application_id).where(EligibilityLetter.id == letter_id)
    )
    if application_id is None:
        raise NotFound
    return scope_of(application_id)
