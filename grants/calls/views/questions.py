"""Questions and answers of a call: what everybody reads, asking, and the desk that answers for everybody."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request

from grants.calls import queries as calls
from grants.calls import services
from grants.calls.forms.questions import AnswerForm, AskForm, ReasonForm, TakeForm
from grants.calls.queries import questions as queries
from grants.calls.rules import CallView
from grants.calls.rules import questions as rules
from grants.calls.rules.feed import ENTRIES_MAX, atom
from grants.calls.views.building import bp
from grants.conversations import queries as conversations
from grants.conversations.rules import ageing
from grants.core import clock
from grants.core.errors import Conflict
from grants.core.permissions import Permission
from grants.dossiers.rules import paragraphs
from grants.identity import queries as identity
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.forms import choices
from grants.web.routing import current_actor, page, public, requires, see_other, signed_in

SEARCH_CHARACTERS_MAX = 200


@bp.get("/<slug>/questions")
@public
def questions(slug: str) -> Any:
    """Every published question with its answer, the own ones of whoever is signed in, and the way to ask."""
    actor, at = current_actor(), clock.now()
    call = calls.call(actor, slug)
    search = request.args.get("q", "").strip()[:SEARCH_CHARACTERS_MAX]
    problems: list[str] = []
    sections = dict(_sections(call))
    section = chosen("section", "section", {key: key for key in sections}, problems, words=sections) or ""
    rows, own, held = queries.questions_page(actor, call.id, paging.asked(), search=search, section=section)
    return page(
        "calls/questions.html",
        call=call,
        rows=paging.Rows(()) if problems else rows,
        problems=problems,
        search=search,
        section=section,
        sections=tuple(sections.items()),
        takes=rules.takes_questions(call, at),
        until=rules.questions_close_at(call),
        is_over=rules.questions_over(call, at),
        own=own,
        sessions={each.number: each.title for each in held},
        paragraphs=paragraphs,
    )


@bp.get("/<slug>/questions.atom")
@public
def questions_feed(slug: str) -> Any:
    """The newest answers as a feed."""
    call = calls.call(current_actor(), slug)
    found = queries.newest_questions(call.id, ENTRIES_MAX)
    address = identity.address_of("calls.questions", slug=slug)
    assert call.published_at is not None or not found, "only a published call has public answers"
    began = call.published_at or clock.now()
    return Response(
        atom(f"Questions and answers: {call.title}", address, found, began), mimetype="application/atom+xml"
    )


@bp.get("/<slug>/questions/ask")
@signed_in
def asking(slug: str) -> Any:
    """The form to ask."""
    call = calls.call(current_actor(), slug)
    form = AskForm(data={"section": request.args.get("section", "")})
    return _ask_page(call, form)


@bp.post("/<slug>/questions/ask")
@signed_in
def ask(slug: str) -> Any:
    call, form = calls.call(current_actor(), slug), AskForm()
    form.section.choices = _section_choices(call)
    if form.validate_on_submit():
        with form.refusals():
            reference = services.ask_question(current_actor(), call.id, form.to_input())
            flash(
                f"Your question {reference} is with the programme. It stands below, and only you see that.", "success"
            )
            return see_other(".questions", slug=slug)
    return _ask_page(call, form), 422


def _ask_page(call: CallView, form: AskForm) -> str:
    form.section.choices = _section_choices(call)
    until, at = rules.questions_close_at(call), clock.now()
    is_over, takes = rules.questions_over(call, at), rules.takes_questions(call, at)
    return page("calls/question_ask.html", call=call, form=form, until=until, is_over=is_over, takes=takes)


# --- the desk -----------------------------------------------------------------------------------------------------


@bp.get("/<slug>/questions/desk")
@requires(Permission.QUESTION_ANSWER)
def question_desk(slug: str) -> Any:
    """What waits, the oldest first, the answers being written, and the way to each."""
    return _desk_page(calls.call(current_actor(), slug), TakeForm())


@bp.post("/<slug>/questions/desk")
@requires(Permission.QUESTION_ANSWER)
def take_questions(slug: str) -> Any:
    """Begin one answer to the ticked questions, or add them to a draft."""
    actor, form = current_actor(), TakeForm()
    call = calls.call(actor, slug)
    # What was ticked is looked up by the act, which says what became of it.
    form.asked.choices = choices((each, each) for each in request.form.getlist("asked"))
    form.into.choices = choices([("", "")] + [(each, each) for each in request.form.getlist("into")])
    if form.validate_on_submit():
        with form.refusals():
            made = services.draft_answer(actor, call.id, tuple(form.asked.data or ()), form.entry())
            return see_other(".answer_draft", slug=slug, entry=made.entry)
    return _desk_page(call, form), 422


def _desk_page(call: CallView, form: TakeForm) -> str:
    actor, at = current_actor(), clock.now()
    rows, drafts, numbers = queries.desk(actor, call.id, paging.asked())
    form.asked.choices = choices((row.reference, row.excerpt) for row in rows.items)
    form.into.choices = choices(
        [("", "A new answer"), *((str(each.entry), f"Draft {each.entry}: {each.question[:60]}") for each in drafts)]
    )
    return page(
        "calls/question_desk.html",
        call=call,
        form=form,
        rows=rows,
        drafts=drafts,
        people=identity.people({row.opened_by for row in rows.items}),
        numbers=numbers,
        age=lambda row: ageing(row.waiting_since or row.opened_at, at),
        section_of=dict(_sections(call)),
        until=rules.questions_close_at(call),
    )


@bp.get("/<slug>/questions/desk/<ref>")
@requires(Permission.QUESTION_ANSWER)
def asked_question(slug: str, ref: str) -> Any:
    """One question that waits, whole, and the way to answer it to its asker alone."""
    return _asked_page(slug, ref, ReasonForm())


@bp.post("/<slug>/questions/desk/<ref>")
@requires(Permission.QUESTION_ANSWER)
def set_question_aside(slug: str, ref: str) -> Any:
    form, call = ReasonForm(), calls.call(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            services.set_question_aside(current_actor(), call.id, ref, form.reason.data or "")
            flash("Whoever asked is told by mail. Nothing is published.", "success")
            return see_other(".question_desk", slug=slug)
    return _asked_page(slug, ref, form), 422


def _asked_page(slug: str, ref: str, form: ReasonForm) -> str:
    actor, call = current_actor(), calls.call(current_actor(), slug)
    row = queries.asked_one(actor, call.id, ref)
    (text, *_) = conversations.messages([row.id])[row.id]
    return page(
        "calls/question_asked.html",
        call=call,
        row=row,
        text=text,
        form=form,
        take=TakeForm(formdata=None),
        asker=identity.person(row.opened_by),
        section_of=dict(_sections(call)),
        age=ageing(row.waiting_since or row.opened_at, clock.now()),
    )


@bp.get("/<slug>/questions/drafts/<int(max=2147483647):entry>")
@requires(Permission.QUESTION_ANSWER)
def answer_draft(slug: str, entry: int) -> Any:
    """One answer at the desk: the draft, or what is public and may be corrected."""
    call = calls.call(current_actor(), slug)
    found = queries.draft_by_entry(current_actor(), call.id, entry)
    form = AnswerForm(
        version=found.version,
        question=found.question,
        answer=found.answer,
        section=found.section or "",
        session=str(found.session or ""),
    )
    return _draft_page(call, found, form)


@bp.get("/<slug>/questions/<int(max=2147483647):number>/correct")
@requires(Permission.QUESTION_ANSWER)
def correcting_answer(slug: str, number: int) -> Any:
    """From a public number to the page where it is corrected."""
    call = calls.call(current_actor(), slug)
    entry = queries.entry_of(call.id, number)
    return see_other(".answer_draft", slug=slug, entry=entry or 0)


@bp.post("/<slug>/questions/drafts/<int(max=2147483647):entry>")
@requires(Permission.QUESTION_ANSWER)
def write_answer(slug: str, entry: int) -> Any:
    """Keep the draft, publish it, correct what is public, or discard the draft: the button says which."""
    actor, form = current_actor(), AnswerForm()
    call = calls.call(actor, slug)
    found = queries.draft_by_entry(actor, call.id, entry)
    form.section.choices, form.session.choices = _section_choices(call), _session_choices(call)
    if form.validate_on_submit():
        try:
            with form.refusals():
                return _written(slug, found, form)
        except Conflict:
            found = queries.draft_by_entry(actor, call.id, entry)
            form.comes_again(found.version)
            return _draft_page(call, found, form), 409
    return _draft_page(call, found, form), 422


def _written(slug: str, found: rules.DraftView, form: AnswerForm) -> Any:
    actor, version = current_actor(), form.version_shown()
    match request.form.get("go"):
        case "publish":
            done = services.publish_answer(actor, found.id, form.to_input(), version=version)
            flash(f"Published as Q{done.number}. Whoever asked and everybody with a draft is told by mail.", "success")
        case "correct":
            done = services.correct_answer(actor, found.id, form.to_input(), form.note.data or "", version=version)
            flash(f"Q{done.number} is corrected. The earlier version stays to be read.", "success")
            return see_other(".questions", slug=slug, _anchor=f"q{done.number}")
        case "discard":
            services.discard_answer(actor, found.id)
            flash("The draft is gone. Whoever asked waits for an answer again.", "success")
        case _:
            done = services.save_draft(actor, found.id, form.to_input(), version=version)
            flash("Saved. Nobody outside the programme reads it yet.", "success")
            return see_other(".answer_draft", slug=slug, entry=done.entry)
    return see_other(".question_desk", slug=slug)


def _draft_page(call: CallView, found: rules.DraftView, form: AnswerForm) -> str:
    form.section.choices, form.session.choices = _section_choices(call), _session_choices(call)
    rows, texts = queries.sources(current_actor(), found.id)
    return page(
        "calls/question_draft.html",
        call=call,
        found=found,
        form=form,
        sources=rows,
        texts=texts,
        people=identity.people({row.opened_by for row in rows}),
        doubtful=form.sure.data
        or any("who asked" in each for field in (form.question, form.answer, form.note) for each in field.errors),
    )


def _sections(call: CallView) -> tuple[tuple[str, str], ...]:
    return tuple((section.key, section.title) for section in call.content.definition.sections)


def _section_choices(call: CallView) -> Any:
    return choices([("", "The call as a whole"), *_sections(call)])


def _session_choices(call: CallView) -> Any:
    held = (each for each in calls.sessions(call.id) if not each.cancelled)
    return choices([("", "In writing"), *((str(each.number), f"At “{each.title}”") for each in held)])
