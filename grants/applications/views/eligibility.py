"""The eligibility desk."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, request

from grants.applications import queries, rules, services
from grants.applications.forms import BatchForm, CheckForm, RefusalForm, check_form
from grants.applications.rules import (
    ApplicationView,
    ConditionAnswer,
    ConditionChanged,
    DeskShow,
)
from grants.applications.states import ApplicationState, Verdict
from grants.applications.views.frame import bp, left_without_a_tick, submitted_context
from grants.calls import queries as calls
from grants.calls.rules.declarations import declared_lines
from grants.core import clock
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Permission, Scope
from grants.identity import queries as identity
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.routing import current_actor, page, requires, said_in_json, see_other

NOT_KEPT = (Invalid, Refused)


@bp.get("/calls/<slug>/eligibility")
@requires(Permission.APPLICATION_CHECK)
def eligibility_list(slug: str) -> Any:
    """The applications of one call in one state of the check, with what each waits for and since when."""
    actor, call = current_actor(), calls.call(current_actor(), slug)
    problems: list[str] = []
    words = {show.value: rules.SHOW_WORDS[show] for show in DeskShow}
    show = chosen("show", "part", {show.value: show for show in DeskShow}, problems, words=words) or DeskShow.TO_CHECK
    found, counts = queries.desk_list(actor, call, show, paging.asked())
    return page(
        "applications/eligibility_list.html",
        call=call,
        rows=paging.Rows(()) if problems else found,
        problems=problems,
        counts=counts,
        show=show,
        conditions=len(rules.conditions_of(call.content)),
        open=call.is_open(clock.now()),
        rules=rules,
    )


@bp.get("/calls/<slug>/eligibility/batch")
@requires(Permission.APPLICATION_CHECK)
def eligibility_batch(slug: str) -> Any:
    """Everything the facts show to be eligible, with the facts; and what became of the last batch."""
    return _batch_page(slug, BatchForm())


@bp.post("/calls/<slug>/eligibility/batch")
@requires(Permission.APPLICATION_CHECK)
def pass_batch(slug: str) -> Any:
    """Pass what is still ticked, each by an act of its own."""
    form, call = BatchForm(), calls.call(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            number = services.ask_batch(current_actor(), call.id, form.picks(request.form.getlist("pick")))
            flash(
                f"{number} {'application is' if number == 1 else 'applications are'} being passed, one by one.",
                "success",
            )
            after = paging.asked().after
            return see_other(".eligibility_batch", slug=slug, after=after, left=left_without_a_tick("pick"))
    return _batch_page(slug, form), 422


def _batch_page(slug: str, form: BatchForm) -> str:
    actor, call = current_actor(), calls.call(current_actor(), slug)
    found, outcomes = queries.batch_page(actor, call, paging.asked())
    return page(
        "applications/eligibility_batch.html",
        call=call,
        rows=found,
        form=form,
        outcomes=outcomes,
        left=left_without_a_tick("pick"),
        open=call.is_open(clock.now()),
    )


@bp.get("/applications/<ref>/eligibility")
@requires(Permission.APPLICATION_CHECK, Permission.APPLICATION_READ)
def eligibility(ref: str) -> Any:
    """Each condition with its evidence and the answer so far."""
    return _desk_page(queries.view(current_actor(), ref), None)


@bp.post("/applications/<ref>/eligibility")
@requires(Permission.APPLICATION_CHECK)
def decide(ref: str) -> Any:
    """Save the answers, or save them and declare the verdict."""
    application = queries.view(current_actor(), ref)
    asked = queries.as_answered(application.call, application.submission)
    form = check_form(rules.conditions_of(asked.content), {}, 0)
    if form.validate_on_submit():
        with form.attempt():
            return _decided(application, form)
    return _desk_page(queries.view(current_actor(), ref), form), 409 if form.clashed else 422


@bp.post("/applications/<ref>/eligibility/conditions/<key>")
@requires(Permission.APPLICATION_CHECK)
def answer_condition(ref: str, key: str) -> Any:
    """Save one answer while the officer works, and say in JSON how it stands; contested, the other one comes back."""
    actor, known = current_actor(), {verdict.value: verdict for verdict in Verdict}
    given = ConditionAnswer(key, known.get(request.form.get("verdict", "")), request.form.get("reason", "")[:10_000])
    number = request.form.get("number", default=0, type=int)
    try:
        stands = services.answer_condition(actor, queries.id_of(actor, ref), given, number)
    except ConditionChanged as error:
        found = error.stands
        shown = {"verdict": found.answer.verdict.value if found.answer.verdict else "", "reason": found.answer.reason}
        return said_in_json(409, str(error), number=found.number, **shown)
    except NOT_KEPT as error:
        problems = error.problems.values() if isinstance(error, Invalid) else ()
        return said_in_json(422, " ".join(problems) or str(error))
    at = f"{clock.in_zone(stands.at, stands.zone):%H:%M}"
    return jsonify(number=stands.number, before=stands.check_before, version=stands.check_version, saved_at=at)


@bp.post("/applications/<ref>/eligibility/refusal")
@requires(Permission.APPLICATION_CHECK)
def answer_refusal(ref: str) -> Any:
    """The second person confirms that it is not eligible, or gives the verdict back."""
    actor, application, form = current_actor(), queries.view(current_actor(), ref), RefusalForm()
    if form.validate_on_submit():
        with form.attempt():
            if request.form.get("go") == "return":
                services.return_refusal(actor, application.id, form.why.data or "", form.version_shown())
                flash("You gave it back. The answers can be changed again.", "success")
            else:
                services.confirm_refusal(actor, application.id, form.version_shown())
                flash(f"{ref} is not eligible. Its letter waits to be sent.", "success")
            return see_other(".eligibility", ref=ref)
    return _desk_page(queries.view(actor, ref), None, form), 409 if form.clashed else 422


def _decided(application: ApplicationView, form: CheckForm) -> Any:
    actor, answers, version = current_actor(), form.answers(), form.version_shown()
    if request.form.get("go") != "declare":
        services.record_answers(actor, application.id, answers, version)
        flash("The answers are saved.", "success")
        return see_other(".eligibility", ref=application.reference)
    verdict = services.declare(actor, application.id, answers, form.remark.data or "", version)
    if verdict is Verdict.PASS:
        flash(f"{application.reference} is eligible. Its letter waits to be sent.", "success")
    else:
        flash(f"{application.reference}: not eligible. Another eligibility officer must confirm it.", "success")
    return see_other(".eligibility_list", slug=application.call.slug)


def _desk_page(application: ApplicationView, form: CheckForm | None, refusal: RefusalForm | None = None) -> str:
    if application.submission is None:
        raise NotFound
    actor = current_actor()
    desk, content, clarified = queries.desk_and_content(actor, application)
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    # Until the verdict the answers are the desk's own: neither the team nor other readers see them half done.
    checks = actor.may(Permission.APPLICATION_CHECK, scope)
    if not checks and (desk.decided_at is None or application.state is ApplicationState.SUBMITTED):
        raise NotFound
    last = None
    for each in (form, refusal):
        if each is not None and each.clashed:
            each.try_again(desk.version)
            if desk.check_id:
                last = identity.overtaker(actor, "eligibility_check", desk.check_id, application.reference)
    if form is None:
        answers = {view.condition.key: rules.proposed(view) for view in desk.conditions}
        form = check_form([view.condition for view in desk.conditions], answers, desk.version)
    sent = submitted_context(application, content, clarified, with_register=False)
    own = queries.is_team(actor, application.id)
    return page(
        "applications/eligibility.html",
        declared=declared_lines(application.call.content.declarations, sent["sections"]),
        form=form,
        refusal=refusal or RefusalForm(formdata=None, data={"version": str(desk.version)}),
        desk=desk,
        last=last,
        checks=checks,
        own=own,
        declares=not own and actor.may(Permission.CONFLICT_DECLARE_IN_OFFICE, scope),
        closed=not application.call.is_open(clock.now()),
        **sent,
    )
