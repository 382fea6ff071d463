"""Pages of the pool of evaluators of a call."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, flash, request

from grants.calls.rules import CallView
from grants.core.text import CSV_MARK, csv_lines
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import PoolForm, pool_form
from grants.evaluation.states import PoolState
from grants.evaluation.views.frame import P, bp
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.forms import ContestedForm, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/evaluators")
@requires(*queries.READS_ASSIGNMENTS)
def pool(slug: str) -> Any:
    call = queries.call_assigned(current_actor(), slug)
    search, problems = search_of(call)
    rows, offers = queries.pool_list(current_actor(), call.id, search, paging.asked())
    return page(
        "evaluation/pool.html", call=call, rows=paging.Rows(()) if problems else rows, offers=offers, search=search,
        problems=problems, states=tuple(PoolState), topics=topic_words(call),
        is_narrowed=search != rules.PoolSearch(), importing=queries.import_progress(call.id),
    )  # fmt: skip


@bp.route("/calls/<slug>/evaluators/entry", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def pool_entry(slug: str) -> Any:
    """Somebody who holds the role is added to the pool by hand, or one who is in it is changed."""
    call = queries.call_to_assign(current_actor(), slug)
    members = queries.pool(call.id)
    form = _pool_form(call, members)
    if form.validate_on_submit():
        with form.attempt():
            services.pool(current_actor(), call.id, form.to_input(), form.version_shown())
            flash("The pool is stored.")
            return see_other(".pool", slug=slug)
        members = queries.pool(call.id)
    if form.clashed:
        stored = next((one for one in members if str(one.user_id) == form.person.data), None)
        form.comes_again(stored.version if stored else 0)
    person = next((one for one in members if one.handle == request.args.get("person")), None)
    return page("evaluation/pool_entry.html", call=call, form=form, person=person), status_of(form)


ACCEPTED = {"yes": True, "no": False}


def search_of(call: CallView) -> tuple[rules.PoolSearch, list[str]]:
    """What the address narrows the list to, and the sentences on what it names in vain."""
    problems: list[str] = []
    state = chosen("state", "state", {each.value: each for each in PoolState}, problems)
    accepted = chosen("accepted", "choice", ACCEPTED, problems)
    topic = chosen("topic", "topic", {key: key for key in topic_words(call)}, problems, words=topic_words(call))
    texts = {name: request.args.get(name, "").strip()[:60] for name in ("language", "country", "role")}
    return rules.PoolSearch(topic or "", state=state, accepted=accepted, **texts), problems


def topic_words(call: CallView) -> dict[str, str]:
    """Each topic of a call by its short name."""
    return dict(rules.topic_choices(call.content.definition))


@bp.get("/calls/<slug>/evaluators.csv")
@requires(P.ASSIGNMENT_DECIDE)
def pool_csv(slug: str) -> Any:
    """The list as narrowed on the page, as a file that an import reads back."""
    call = queries.call_to_assign(current_actor(), slug)
    search, problems = search_of(call)
    lines = () if problems else tuple(queries.pool_lines(current_actor(), call.id, search))
    services.export_pool(current_actor(), call.id, len(lines))
    head = (*rules.IMPORT_COLUMNS, *rules.TOLD_COLUMNS)
    answer = Response(CSV_MARK + csv_lines([head, *lines]), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename={slug}-evaluators.csv"
    return answer


@bp.get("/calls/<slug>/evaluators/<handle>/profile")
@requires(*queries.READS_ASSIGNMENTS)
def pool_person(slug: str, handle: str) -> Any:
    """One person of the pool, or invited to it: profile, load, what was accepted, the invitation."""
    call = queries.call_assigned(current_actor(), slug)
    person = queries.pool_person(current_actor(), call, handle)
    return page(
        "evaluation/pool_person.html", call=call, person=person, topics=topic_words(call), form=ContestedForm(),
    )  # fmt: skip


def _pool_form(call: Any, members: tuple[rules.PoolMember, ...]) -> PoolForm:
    chosen = next((member for member in members if member.handle == request.args.get("person")), None)
    form = pool_form(
        rules.topic_choices(call.content.definition),
        (*call.content.assignment.roles, *(chosen.roles if chosen else ())),
    )
    if chosen is None:
        return form.with_people([(one.id, one.name) for one in queries.candidates(call.id)])
    form.with_people([(chosen.user_id, chosen.name)])
    return form if form.is_submitted() else form.filled(chosen)


@bp.post("/calls/<slug>/evaluators/<handle>/remove")
@requires(P.ASSIGNMENT_DECIDE)
def remove(slug: str, handle: str) -> Any:
    call = queries.call_to_assign(current_actor(), slug)
    member = next((one for one in queries.pool(call.id) if one.handle == handle), None)
    if member is None:
        abort(404)
    if ContestedForm().validate_on_submit():
        services.remove(current_actor(), call.id, member.user_id)
        flash(f"{member.name} is no longer in the pool.")
    return see_other(".pool", slug=slug)
