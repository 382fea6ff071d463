"""Pages of the agreement: its text, its signatures, and how a city declines."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.agreements import rules, services
from grants.agreements.forms import (
    ReasonForm,
    SignForm,
)
from grants.agreements.rules import GrantView
from grants.agreements.states import GrantState, Side
from grants.agreements.views.frame import P, bp, grant_of, side_of
from grants.core import files
from grants.core.errors import NotFound
from grants.web.downloads import send
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/grants/<ref>/agreement")
@requires(P.AGREEMENT_READ)
def agreement(ref: str) -> Any:
    return _agreement(grant_of(ref), SignForm())


@bp.get("/grants/<ref>/agreement.pdf")
@requires(P.AGREEMENT_READ)
def agreement_pdf(ref: str) -> Any:
    return send(services.open_document(current_actor(), grant_of(ref).id))


def _agreement(grant: GrantView, form: Any) -> Any:
    shown = page(
        "agreements/agreement.html",
        grant=grant,
        form=form,
        sign=form if isinstance(form, SignForm) else SignForm(formdata=None),
        give_back=form if isinstance(form, ReasonForm) else ReasonForm(formdata=None),
        text=grant.text,
        sha256=rules.text_hash(grant.text),
        signs=side_of(grant) is not None,
        declines=side_of(grant) is Side.CITY and grant.state in (GrantState.PREPARATION, GrantState.READY_TO_SIGN),
        printed=files.listed("grant", grant.id, "agreement"),
    )
    return shown, 422 if form.is_submitted() else 200


@bp.post("/grants/<ref>/agreement/sign")
@requires(P.AGREEMENT_SIGN_CITY, P.AGREEMENT_SIGN_PROGRAMME)
def sign(ref: str) -> Any:
    actor, grant, form = current_actor(), grant_of(ref), SignForm()
    act = services.sign_city if side_of(grant) is Side.CITY else services.sign_programme
    if form.validate_on_submit():
        with form.refusals():
            act(actor, grant.id, capacity=str(form.capacity.data), document_sha256=str(form.document_sha256.data))
            flash("You have signed the agreement.", "success")
            return see_other(".agreement", ref=ref)
    return _agreement(grant, form)


@bp.post("/grants/<ref>/agreement/take-back")
@requires(P.AGREEMENT_PREPARE)
def take_back(ref: str) -> Any:
    grant, form = grant_of(ref), ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.take_back(current_actor(), grant.id, reason=str(form.reason.data))
            flash("The offer is taken back. Signatures given to it no longer count.", "success")
            return see_other(".preparation", ref=ref)
    return _agreement(grant, form)


@bp.route("/grants/<ref>/decline", methods=["GET", "POST"])
@requires(P.AGREEMENT_SIGN_CITY)
def decline(ref: str) -> Any:
    """Whoever would sign for the city says that it does not take the grant."""
    grant, form = grant_of(ref), ReasonForm()
    if side_of(grant) is not Side.CITY:
        raise NotFound
    if form.validate_on_submit():
        with form.refusals():
            services.decline(current_actor(), grant.id, reason=str(form.reason.data))
            flash("The grant is declined. The programme and the people of the application are told by mail.", "success")
            return see_other(".show", ref=ref)
    return page("agreements/decline.html", grant=grant, form=form), 422 if form.is_submitted() else 200
