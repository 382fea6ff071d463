"""Pages of a preparation: its conditions at a glance, its days, its terms, its offer, and how it is dropped."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    EndForm,
    OfferForm,
    ReasonForm,
    due_form,
    terms_form,
)
from grants.agreements.rules import GrantView
from grants.agreements.views.frame import P, bp, grant_of, this_day
from grants.core.errors import Conflict
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/grants/<ref>/preparation")
@requires(P.AGREEMENT_READ)
def preparation(ref: str) -> Any:
    """Every condition with where it stands, for both sides; a partner reads its own and the common ones."""
    return _preparation(grant_of(ref))


def _preparation(grant: GrantView, offer: OfferForm | None = None, status: int = 422) -> Any:
    actor, form = current_actor(), offer or OfferForm()
    prepares = actor.may(P.AGREEMENT_PREPARE, queries.scope_of_view(grant))
    found, own = queries.conditions(grant), queries.reach_of(actor, grant)
    shown = page(
        "agreements/preparation.html",
        grant=grant,
        form=form,
        sha256=rules.text_hash(queries.text_of(grant)),
        conditions=[seen for each in found if (seen := each.seen_by(own))],
        problems=rules.offer_problems(grant, found, signers=queries.signers_of_programme(grant)) if prepares else (),
        prepares=prepares,
        sees_all=own is None,
        today=this_day(),
    )
    return shown, status if form.is_submitted() else 200


@bp.route("/grants/<ref>/preparation/due", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def due(ref: str) -> Any:
    """By when each condition is answered."""
    grant = grant_of(ref)
    form = due_form(queries.conditions(grant))
    if form.validate_on_submit():
        with form.refusals():
            services.set_due(current_actor(), grant.id, form.days())
            flash("The days are saved. The city reads them on its page of the preparation.", "success")
            return see_other(".preparation", ref=ref)
    return page("agreements/due.html", grant=grant, form=form), 422 if form.is_submitted() else 200


@bp.route("/grants/<ref>/preparation/last-day", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def last_day(ref: str) -> Any:
    """The last day of the preparation is moved, with its reason."""
    grant, form = grant_of(ref), EndForm()
    if form.validate_on_submit() and form.ends_on.data:
        with form.refusals():
            services.set_end(current_actor(), grant.id, form.ends_on.data, reason=str(form.reason.data))
            flash("The last day is moved. Everybody of both sides is told by mail.", "success")
            return see_other(".preparation", ref=ref)
    return page("agreements/last_day.html", grant=grant, form=form), 422 if form.is_submitted() else 200


@bp.post("/grants/<ref>/offer")
@requires(P.AGREEMENT_PREPARE)
def offer(ref: str) -> Any:
    grant, form = grant_of(ref), OfferForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.offer(current_actor(), grant.id, document_sha256=str(form.document_sha256.data))
                flash("The agreement is offered. Both sides were asked to sign.", "success")
                return see_other(".agreement", ref=ref)
        except Conflict as error:
            form.problems.append(str(error))
            form.try_again(0)
            return _preparation(grant_of(ref), offer=form, status=409)
    return _preparation(grant, offer=form)


@bp.route("/grants/<ref>/terms", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def terms(ref: str) -> Any:
    grant = grant_of(ref)
    form = terms_form(grant)
    if form.validate_on_submit():
        with form.attempt():
            services.set_terms(current_actor(), grant.id, form.to_input(), version=form.version_shown())
            flash("The dates, amounts and milestones are saved.", "success")
            return see_other(".preparation", ref=ref)
    if form.clashed:
        grant = grant_of(ref)
        form.comes_again(grant.version)
        return page("agreements/terms.html", grant=grant, form=form), 409
    return page("agreements/terms.html", grant=grant, form=form), 422 if form.is_submitted() else 200


# The coordinator's account without a number, that of a partner by its place among the beneficiaries.


@bp.route("/grants/<ref>/drop", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def drop(ref: str) -> Any:
    grant, form = grant_of(ref), ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.drop(current_actor(), grant.id, reason=str(form.reason.data))
            flash("The preparation is dropped. The people of the application are told by mail.", "success")
            return see_other(".show", ref=ref)
    return page("agreements/drop.html", grant=grant, form=form), 422 if form.is_submitted() else 200
