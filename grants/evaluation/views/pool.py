"""Pages of the pool of evaluators of a call."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, request

from grants.evaluation import queries, rules, services
from grants.evaluation.forms import PoolForm, pool_form
from grants.evaluation.views.frame import P, bp, status_of
from grants.web.forms import ContestedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/calls/<slug>/evaluators", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def pool(slug: str) -> Any:
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
    return page("evaluation/pool.html", call=call, members=members, form=form, removal=ContestedForm()), status_of(form)


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
