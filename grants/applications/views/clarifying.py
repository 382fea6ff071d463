"""Questions of the desk beside a submission, and the answers to them: one page for desk and team."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, request

from grants.applications import queries, rules, services
from grants.applications.forms import ClarifyForm, DeedForm, MoreTimeForm, QuestionForm
from grants.applications.rules import ApplicationView
from grants.applications.states import ApplicationState
from grants.applications.views.frame import bp, titles_of
from grants.core import clock, files
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Permission, Scope
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>/clarifications")
@requires(Permission.APPLICATION_READ)
def clarifications(ref: str) -> Any:
    """Every question with its answer; for the team the answer to write, for the desk a question to ask."""
    return _page(queries.view(current_actor(), ref))


@bp.post("/applications/<ref>/clarifications")
@requires(Permission.APPLICATION_CHECK)
def ask_clarification(ref: str) -> Any:
    """Ask the applicant."""
    application = queries.view(current_actor(), ref)
    form = _ask_form(application)
    if form.validate_on_submit():
        with form.refusals():
            number = services.ask_clarification(current_actor(), application.id, form.to_input())
            flash(f"Question {number} is sent to the team.", "success")
            return see_other(".clarifications", ref=ref)
    return _page(application, ask=form), 422


@bp.post("/applications/<ref>/clarifications/standing")
@requires(Permission.APPLICATION_CHECK)
def change_clarification(ref: str) -> Any:
    """Give more time, or withdraw the question."""
    actor, application, form = current_actor(), queries.view(current_actor(), ref), MoreTimeForm()
    if form.validate_on_submit():
        with form.refusals():
            thing = _own(application, form.thing_id())
            if request.form.get("go") == "withdraw":
                services.withdraw_clarification(actor, thing, form.reason.data or "")
                flash("The question is withdrawn; the team is told.", "success")
            else:
                services.extend_clarification(actor, thing, form.due_on.data, form.reason.data or "")
                flash("The team has more time and is told so.", "success")
            return see_other(".clarifications", ref=ref)
    return _page(application, more=form), 422


@bp.post("/applications/<ref>/clarifications/share")
@requires(Permission.APPLICATION_CHECK)
def share_clarification(ref: str) -> Any:
    """Let the evaluators read question and answer."""
    application, form = queries.view(current_actor(), ref), DeedForm()
    with form.refusals():
        services.share_clarification(current_actor(), _own(application, form.thing_id()))
        flash("Evaluators of this application read question and answer.", "success")
        return see_other(".clarifications", ref=ref)
    return _page(application, deed=form), 422


@bp.post("/applications/<ref>/clarifications/answer")
@requires(Permission.APPLICATION_EDIT)
def answer_clarification(ref: str) -> Any:
    """Keep the draft of an answer with its files, or send it for good."""
    actor = current_actor()
    # Whose application it is comes first: an upload nobody may make is neither looked into nor kept.
    queries.team_id_of(actor, ref)
    application, form = queries.view(actor, ref), ClarifyForm()
    if form.validate_on_submit():
        with form.attempt():
            thing, text = _own(application, form.thing_id()), form.answer.data or ""
            version = services.draft_clarification(actor, thing, text, form.version_shown())
            # Whatever is refused now, what was typed is kept: the page that comes back goes on from that.
            form.try_again(version)
            _attach(form, thing)
            if not form.what_is_wrong():
                if request.form.get("go") == "send":
                    services.answer_clarification(actor, thing, text, version)
                    flash("The answer is sent. It stands beside your application, which is as it was.", "success")
                else:
                    flash("The draft is saved. Nobody outside your team sees it.", "success")
                return see_other(".clarifications", ref=ref)
    return _page(application, answer=form), 409 if form.clashed else 422


@bp.post("/applications/<ref>/clarifications/remove")
@requires(Permission.APPLICATION_EDIT)
def remove_from_clarification(ref: str) -> Any:
    """Take a file out of an answer that is not sent."""
    application, form = queries.view(current_actor(), ref), DeedForm()
    with form.refusals():
        thing = next((c.id for c in _all(application) for f in c.files if f.file_id == form.thing_id()), UUID(int=0))
        services.remove_from_clarification(current_actor(), _own(application, thing), form.thing_id() or UUID(int=0))
        return see_other(".clarifications", ref=ref)
    return _page(application, deed=form), 422


def _attach(form: ClarifyForm, thing: UUID) -> None:
    """Each file that is right is kept, each that is not is said beside the field."""
    for upload in request.files.getlist(form.file.name):
        if not upload.filename:
            continue
        try:
            services.attach_to_clarification(current_actor(), thing, files.receive(upload))
        except (Invalid, Refused) as error:
            form.file.errors = [*form.file.errors, str(error)]


def _all(application: ApplicationView) -> tuple[rules.ClarificationView, ...]:
    return queries.clarifications(current_actor(), application)


def _own(application: ApplicationView, thing: UUID | None) -> UUID:
    """The request, if it is one of this application; else an error in words."""
    if thing not in {each.id for each in _all(application)}:
        raise Invalid("This question is not here any more. Open the page again.")
    assert thing is not None
    return thing


def _ask_form(application: ApplicationView) -> QuestionForm:
    form, content = QuestionForm(), application.call.content
    asked = [question for section in content.definition.sections for question in section.questions]
    form.conditions.choices = choices(
        (each.key, each.rule[:1].upper() + each.rule[1:]) for each in rules.conditions_of(content)
    )
    form.questions.choices = choices((each.key, each.label) for each in asked)
    return form


def _page(
    application: ApplicationView,
    ask: QuestionForm | None = None,
    more: MoreTimeForm | None = None,
    answer: ClarifyForm | None = None,
    deed: DeedForm | None = None,
) -> str:
    actor, now = current_actor(), clock.now()
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    team = queries.is_team(actor, application.id)
    found = _all(application)
    by_id = {each.id: each for each in found}
    if answer is not None and answer.clashed and answer.thing_id() in by_id:
        answer.comes_again(by_id[answer.thing_id()].version)
    checking = application.state is ApplicationState.SUBMITTED and not application.call.is_open(now)
    return page(
        "applications/clarifications.html",
        application=application,
        call=application.call,
        found=found,
        titles=titles_of(application),
        team=team,
        desk=actor.may(Permission.APPLICATION_CHECK, scope) and not team,
        checking=checking,
        asking=ask or _ask_form(application),
        more={each.id: _more_of(each, more) for each in found},
        answers={each.id: _answer_of(each, answer) for each in found},
        sends=application.id in actor.places(Permission.APPLICATION_SUBMIT, "application"),
        deed=deed or DeedForm(formdata=None),
    )


def _more_of(each: rules.ClarificationView, sent: MoreTimeForm | None) -> MoreTimeForm:
    """The form of one question, with ids of its own."""
    mine = sent is not None and sent.thing_id() == each.id
    form = sent if mine and sent is not None else MoreTimeForm(formdata=None, data={"thing": str(each.id)})
    form.due_on.id, form.reason.id = f"new-day-{each.number}", f"reason-{each.number}"
    return form


def _answer_of(each: rules.ClarificationView, sent: ClarifyForm | None) -> ClarifyForm:
    mine = sent is not None and sent.thing_id() == each.id
    stored = {"thing": str(each.id), "answer": each.draft, "version": str(each.version)}
    form = sent if mine and sent is not None else ClarifyForm(formdata=None, data=stored)
    form.answer.id, form.file.id = f"answer-{each.number}", f"file-{each.number}"
    return form
