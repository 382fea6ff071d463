"""Acts on the questions and answers of a call: asked, answered for everybody, corrected, told to who needs them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from grants.calls import queries as calls
from grants.calls.models import Call, CallQuestion, CallQuestionSource, CallQuestionVersion
from grants.calls.queries import questions as queries
from grants.calls.rules import CallView, literal_of
from grants.calls.rules import questions as rules
from grants.calls.rules.questions import AskInput, DraftView, Wording
from grants.conversations import queries as conversation_reads
from grants.conversations import services as conversations
from grants.conversations.models import Conversation
from grants.conversations.rules import About, checked_text
from grants.conversations.states import ConversationState, Queue
from grants.core import acts, jobs, references
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import services as people

# The job that tells of new answers; a while later, so that what is published together is told together.
TELL_JOB = "jobs.calls.answers_published"
TELL_AFTER = timedelta(minutes=30)


@act("question.ask", needs=Permission.QUESTION_ASK, scope=calls.scope_of, says="asked a question about call {subject}")
def ask_question(actor: Actor, call_id: UUID, given: AskInput) -> str:
    """Ask what will be answered for everybody; returns the reference of the question."""
    call, at = calls.call_by_id(call_id), acts.moment()
    assert actor.user_id is not None, "the route asks for a person"
    until = rules.questions_close_at(call)
    rules.refuse_late_question(call, at, literal_of(until, call.zone) if until else "")
    text = rules.asked_text(given.text)
    _refuse_unknown_section(call, given.section)
    if queries.waiting_of(actor.user_id, call_id) >= rules.WAITING_MAX:
        raise Refused(
            f"{rules.WAITING_MAX} of your questions about this call wait for an answer. "
            "Wait for the first answers, or put what is urgent to the helpdesk."
        )
    reference = references.new_reference(call.programme.code, call.year, "Q")
    about = About("call", call_id, call_id)
    opened = conversations.open_one(
        reference, Queue.PUBLIC, about, opened_by=actor.user_id, text=text, section=given.section or None
    )
    return opened.reference


@act(
    "question.draft",
    needs=Permission.QUESTION_ANSWER,
    scope=calls.scope_of,
    says="began an answer for everybody in call {subject}",
)
def draft_answer(actor: Actor, call_id: UUID, asked: Sequence[str], into: int | None = None) -> DraftView:
    """Take these waiting questions together into one answer: a new one, or one that is being written.

    Without any it is a question nobody asked in writing, for example at an information session.
    """
    found = queries.waiting_among(call_id, asked)
    if set(asked) - found.keys():
        raise Conflict("Somebody else took one of these questions meanwhile. Reload the page to see which still wait.")
    row = _new_draft(call_id, found) if into is None else _draft_of(actor, call_id, into)
    if into is not None and not found:
        raise Invalid("Tick the questions to add.", {"asked": "Tick the questions to add."})
    for conversation_id in found.values():
        db.session.add(CallQuestionSource(question_id=row.id, conversation_id=conversation_id))
    if into is not None:
        # Who writes at it sees that somebody was added.
        row.version += 1
    db.session.flush()
    return _view(row)


def _new_draft(call_id: UUID, found: dict[str, UUID]) -> CallQuestion:
    first = None
    if found:
        first = locked(Conversation, found[min(found)])
    # What the desk calls its drafts is counted up in each call: two taken at the same moment wait for each other.
    locked(Call, call_id)
    last = db.session.scalar(select(func.max(CallQuestion.entry)).where(CallQuestion.call_id == call_id))
    texts = conversation_reads.messages([first.id]) if first else {}
    row = CallQuestion(
        call_id=call_id,
        entry=(last or 0) + 1,
        question=texts[first.id][0].text if first else "",
        answer="",
        section=first.section if first else None,
        versions=0,
        told=0,
    )
    db.session.add(row)
    return row


def _question(actor: Actor, question_id: UUID) -> CallQuestion:
    row = locked(CallQuestion, question_id)
    queries.refuse_barred(actor, row.id)
    return row


def _draft_of(actor: Actor, call_id: UUID, entry: int) -> CallQuestion:
    row = db.session.scalars(
        select(CallQuestion).where(CallQuestion.call_id == call_id, CallQuestion.entry == entry).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound
    queries.refuse_barred(actor, row.id)
    _refuse_published(row)
    return row


@act(
    "question.save",
    needs=Permission.QUESTION_ANSWER,
    scope=queries.question_scope,
    says="wrote at an answer for everybody",
)
def save_draft(actor: Actor, question_id: UUID, given: Wording, *, version: int | None = None) -> DraftView:
    """Keep what is written of an answer; nobody but the desk reads it yet."""
    row = _question(actor, question_id)
    check_version(row, version)
    _refuse_published(row)
    _take_over(row, given, complete=False)
    return _view(row)


@act(
    "question.discard",
    needs=Permission.QUESTION_ANSWER,
    scope=queries.question_scope,
    says="discarded the draft of an answer",
)
def discard_answer(actor: Actor, question_id: UUID) -> None:
    """Discard a draft; whoever asked waits again, each for an answer of their own."""
    row = _question(actor, question_id)
    _refuse_published(row)
    for source in db.session.scalars(select(CallQuestionSource).where(CallQuestionSource.question_id == row.id)):
        db.session.delete(source)
    db.session.flush()
    db.session.delete(row)


@act(
    "question.publish",
    needs=Permission.QUESTION_ANSWER,
    scope=queries.question_scope,
    says="published an answer for everybody",
)
def publish_answer(actor: Actor, question_id: UUID, given: Wording, *, version: int | None = None) -> DraftView:
    """Make a question with its answer public under the next number of the call, for good."""
    row = _question(actor, question_id)
    check_version(row, version)
    _refuse_published(row)
    call = calls.call_by_id(row.call_id)
    # Numbers of one call are given one after the other.
    locked(Call, row.call_id)
    if call.published_at is None:
        raise Refused("This call is a draft; nobody could read the answer. Publish the call first.")
    kept = _take_over(row, given, complete=True)
    rules.refuse_telling(kept, queries.askers(row.id))
    last = db.session.scalar(select(func.max(CallQuestion.number)).where(CallQuestion.call_id == row.call_id))
    row.number, row.published_at = (last or 0) + 1, acts.moment()
    _add_version(actor, row, None)
    for conversation_id, _ in queries.source_ids(row.id):
        _answer(actor, conversation_id, row.number)
    acts.reason(f"Q{row.number}")
    return _view(row)


@act(
    "question.correct",
    needs=Permission.QUESTION_ANSWER,
    scope=queries.question_scope,
    says="corrected a published answer",
)
def correct_answer(
    actor: Actor, question_id: UUID, given: Wording, note: str, *, version: int | None = None
) -> DraftView:
    """Publish a new version of what is public, with the reason; the earlier one stays to be read."""
    row = _question(actor, question_id)
    check_version(row, version)
    if row.number is None:
        raise Refused("This answer is not public yet; change the draft.")
    why = rules.correction_note(note)
    before = (row.question, row.answer, row.section)
    kept = _take_over(row, given, complete=True)
    rules.refuse_telling(kept, queries.askers(row.id), why)
    if before == (row.question, row.answer, row.section):
        raise Refused("Nothing differs from what is public. Change the text, or leave it as it is.")
    _add_version(actor, row, why)
    acts.reason(f"Q{row.number}: {why}")
    return _view(row)


@act(
    "question.set_aside",
    needs=Permission.QUESTION_ANSWER,
    scope=calls.scope_of,
    says="answered a question to its asker alone in call {subject}",
)
def set_question_aside(actor: Actor, call_id: UUID, reference: str, reason: str) -> None:
    """Not for everybody: asked before, or about one case. Whoever asked is told why, and by which number it is answered."""
    assert actor.user_id is not None, "the desk is a person"
    conversation_id = queries.waiting_among(call_id, [reference]).get(reference)
    if conversation_id is None:
        raise Conflict("Somebody else took this question meanwhile. Go back to the questions that wait.")
    said = checked_text(reason, "reason", what="reason")
    told = conversations.answer(conversation_id, actor.user_id, said)
    conversations.close(conversation_id)
    call = calls.call_by_id(call_id)
    people.mail(
        [told.opened_by],
        "question_set_aside",
        "call",
        call_id,
        reference=told.reference,
        title=call.title,
        slug=call.slug,
        text=told.excerpt,
        reason=said,
    )


@act(
    "question.tell",
    needs=Permission.QUESTION_ANSWER,
    scope=calls.scope_of,
    says="told applicants of new answers in call {subject}",
)
def tell_answers(actor: Actor, call_id: UUID) -> int:
    """Mail everybody at work on an application, and whoever asked, what was published or corrected since the last mail.

    One mail names all of it; where an earlier one did already, there is nothing to tell. Returns how many were told.
    """
    rows = db.session.scalars(
        select(CallQuestion)
        .where(CallQuestion.call_id == call_id, CallQuestion.versions > CallQuestion.told)
        .order_by(CallQuestion.number)
        .with_for_update()
    ).all()
    if not rows:
        return 0
    call = calls.call_by_id(call_id)
    told = frozenset(calls.people_at_work(call_id)) | {
        opened_by for row in rows for _, opened_by in queries.source_ids(row.id)
    }
    people.mail(
        told,
        "answers_published",
        "call",
        call_id,
        reference=call.reference,
        title=call.title,
        slug=call.slug,
        answers=[{"number": row.number, "question": row.question, "corrected": bool(row.told)} for row in rows],
    )
    for row in rows:
        row.told = row.versions
    return len(told)


def take_as_source(actor: Actor, call_id: UUID, conversation_id: UUID) -> DraftView:
    """A draft that answers this conversation too, inside the act of a desk whose question concerns everybody."""
    known = db.session.scalar(
        select(CallQuestionSource.question_id).where(CallQuestionSource.conversation_id == conversation_id)
    )
    if known is not None:
        raise Refused("An answer for everybody is being written for this already, or published.")
    row = _new_draft(call_id, {"": conversation_id})
    db.session.add(CallQuestionSource(question_id=row.id, conversation_id=conversation_id))
    db.session.flush()
    return _view(row)


def _answer(actor: Actor, conversation_id: UUID, number: int) -> None:
    """Whoever asked finds the number in the own list of questions, and the conversation is answered."""
    assert actor.user_id is not None, "the desk is a person"
    row = locked(Conversation, conversation_id)
    if row.state == ConversationState.CLOSED.value:
        conversations.reopen(conversation_id)
    conversations.answer(
        conversation_id, actor.user_id, f"This is answered for everybody as Q{number} in the questions and answers."
    )


def _add_version(actor: Actor, row: CallQuestion, note: str | None) -> None:
    row.versions += 1
    db.session.add(
        CallQuestionVersion(
            question_id=row.id,
            number=row.versions,
            question=row.question,
            answer=row.answer,
            note=note,
            published_by=actor.user_id,
        )
    )
    later = acts.moment() + TELL_AFTER
    jobs.queue(TELL_JOB, subject=("call", row.call_id), after=later, call_id=row.call_id)


def _take_over(row: CallQuestion, given: Wording, *, complete: bool) -> Wording:
    call = calls.call_by_id(row.call_id)
    kept = rules.checked(given, (section.key for section in call.content.definition.sections), complete=complete)
    if kept.session is not None and kept.session not in {each.number for each in calls.sessions(row.call_id)}:
        raise Invalid("Choose where it was asked.", {"session": "Choose a session of this call, or “In writing”."})
    row.question, row.answer, row.section, row.session = kept.question, kept.answer, kept.section, kept.session
    return kept


def _refuse_unknown_section(call: CallView, section: str | None) -> None:
    if section and section not in {each.key for each in call.content.definition.sections}:
        raise Invalid("Choose a section of the form, or none.", {"section": "Choose a section of the form, or none."})


def _refuse_published(row: CallQuestion) -> None:
    if row.number is not None:
        raise Refused(f"This is public as Q{row.number}. It is changed by a correction, which everybody can read.")


def _view(row: CallQuestion) -> DraftView:
    return DraftView(row.id, row.version, row.entry, row.number, row.question, row.answer, row.section, row.session)
