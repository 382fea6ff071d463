"""The words of a call for its evaluators, accepted and taken back by each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash

from grants.evaluation import queries, rules, services
from grants.evaluation.forms import OwnProfileForm, TermsForm, profile_form
from grants.evaluation.views.frame import P, bp
from grants.web.forms import status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/calls/<slug>/expert-terms", methods=["GET", "POST"])
@requires(P.CONFLICT_DECLARE)
def terms(slug: str) -> Any:
    """The contract and the declaration of confidentiality: read, and accepted by whoever is in the pool."""
    shown = queries.terms_page(current_actor(), slug)
    form = TermsForm()
    if form.validate_on_submit():
        with form.refusals():
            services.accept_terms(current_actor(), shown.call_id, form.number(), form.ticked())
            flash("Kept: you accept the contract and the confidentiality. Declare your conflicts next.", "success")
            return see_other(".conflicts")
        shown = queries.terms_page(current_actor(), slug)
    # What is accepted is what stands on this page.
    form.terms.data, form.terms.raw_data = str(shown.shown.number) if shown.shown else "", None
    return page("evaluation/terms.html", shown=shown, form=form), status_of(form)


@bp.route("/calls/<slug>/own-profile", methods=["GET", "POST"])
@requires(P.CONFLICT_DECLARE)
def own_profile(slug: str) -> Any:
    """What an evaluator knows and for whom they work, as they say it themselves."""
    call, member = queries.own_entry(current_actor(), slug)
    form = profile_form(OwnProfileForm, rules.topic_choices(call.content.definition))
    if not form.is_submitted():
        form.begun(replace(rules.entry_of(member), gender=member.gender))
        form.version.data = str(member.version)
    elif form.load_max.data is None:
        # How much somebody takes is the programme's to say; the page does not ask it.
        form.load_max.data = member.load_max
    if form.validate_on_submit():
        with form.attempt():
            services.edit_profile(current_actor(), call.id, form.to_input(), form.version_shown())
            flash("Your profile is stored. Conflicts of interest are looked for anew.", "success")
            return see_other(".conflicts")
        _, member = queries.own_entry(current_actor(), slug)
    if form.clashed:
        form.comes_again(member.version)
    return page("evaluation/own_profile.html", call=call, member=member, form=form), status_of(form)
