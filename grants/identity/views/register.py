"""Pages of the register of organisations on which staff validate a fact or decide whether two entries are one."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.core import clock
from grants.core.errors import Conflict, NotFound
from grants.core.permissions import Permission
from grants.identity import queries, services
from grants.identity.forms import DoubleForm, ValidateForm, WithdrawValidationForm
from grants.identity.rules import Fact, OrganisationView, why_not_validate
from grants.identity.states import DoubleVerdict, FactKind
from grants.identity.views.frame import bp
from grants.web.routing import current_actor, page, requires, see_other


def _fact(slug: str, kind: str) -> tuple[OrganisationView, Fact]:
    view = queries.register_entry(current_actor(), slug)
    found = next((fact for fact in queries.facts(view.id) if fact.kind.value == kind), None)
    if found is None:
        raise NotFound
    return view, found


@bp.route("/organisations/<slug>/facts/<kind>", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_VALIDATE)
def validate_fact(slug: str, kind: str) -> Any:
    """Validate one fact: what it says, by what, until when."""
    view, fact = _fact(slug, kind)
    today = clock.today()
    form = ValidateForm(data={"shown": fact.value, "checked_on": today})
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.validate_fact(current_actor(), view.id, fact.kind, str(form.shown.data), form.to_input())
                flash(f"The {fact.words} of {view.name} is validated.", "success")
                return see_other("oversight.organisation", slug=slug)
        except Conflict as error:
            view, fact = _fact(slug, kind)
            form.problems.append(f"{error} What you typed stands below: look again, then validate what it says now.")
            form.shown.data, form.shown.raw_data = fact.value, None
    return _validating(slug, view, fact, validating=form)


@bp.post("/organisations/<slug>/facts/<kind>/withdraw")
@requires(Permission.ORGANISATION_VALIDATE)
def withdraw_validation(slug: str, kind: str) -> Any:
    """Take a validation back."""
    (view, fact), form = _fact(slug, kind), WithdrawValidationForm()
    if form.validate_on_submit():
        with form.refusals():
            services.withdraw_validation(current_actor(), view.id, FactKind(kind), str(form.reason.data))
            flash(f"The {fact.words} of {view.name} does not count as validated any more.", "success")
            return see_other("oversight.organisation", slug=slug)
    return _validating(slug, view, fact, withdrawing=form)


def _validating(
    slug: str,
    view: OrganisationView,
    fact: Fact,
    *,
    validating: ValidateForm | None = None,
    withdrawing: WithdrawValidationForm | None = None,
) -> Any:
    today = clock.today()
    shown = page(
        "identity/fact.html",
        view=view,
        fact=fact,
        slug=slug,
        today=today,
        why_not=why_not_validate(
            stated_by=queries.stated_by(view.id, fact.kind),
            actor_id=current_actor().user_id,
            organisation_id=view.id,
            own=current_actor().organisation_ids,
        ),
        form=validating or ValidateForm(formdata=None, data={"shown": fact.value, "checked_on": today}),
        withdrawing=withdrawing or WithdrawValidationForm(formdata=None),
    )
    return shown, 422 if request.method == "POST" else 200


@bp.get("/admin/organisations/doubles")
@requires(Permission.ORGANISATION_VALIDATE)
def doubles() -> Any:
    """Pairs of entries that may be the same organisation and that nobody decided about."""
    return page("identity/doubles.html", pairs=queries.pairs_to_decide(current_actor()))


@bp.route("/organisations/<slug>/same/<other>", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_VALIDATE)
def decide_double(slug: str, other: str) -> Any:
    """Two entries side by side, and what they are."""
    actor = current_actor()
    view, that = queries.register_entry(actor, slug), queries.register_entry(actor, other)
    form = DoubleForm().between(view, that)
    if form.validate_on_submit():
        with form.refusals():
            verdict = DoubleVerdict(form.verdict.data)
            services.decide_double(actor, view.id, that.id, verdict, str(form.reason.data))
            flash("The decision is stored. Nothing was merged.", "success")
            return see_other("oversight.organisation", slug=slug)
    held = queries.with_facts([view.id, that.id])
    return page(
        "identity/double.html",
        view=view,
        that=that,
        slug=slug,
        other=other,
        pairs=tuple(zip(held[view.id][1], held[that.id][1], strict=True)),
        today=clock.today(),
        form=form,
    ), 422 if request.method == "POST" else 200
