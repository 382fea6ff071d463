"""Pages of grants: the list, one grant, its preparation, account, terms, and the agreement with its signatures."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    AccountForm,
    CheckForm,
    ConfirmAccountForm,
    ContactForm,
    OfferForm,
    PrepareForm,
    ReasonForm,
    RefuseAccountForm,
    SignForm,
    terms_form,
)
from grants.agreements.rules import GrantView
from grants.agreements.states import GrantState
from grants.applications import queries as applications
from grants.core import clock, files
from grants.core.errors import NotFound
from grants.core.permissions import Permission
from grants.web.downloads import send
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("agreements", __name__)
P = Permission
NAVIGATION = (NavItem("Grants", "agreements.index", (P.AGREEMENT_READ,), 40),)
ROWS = 50


@bp.get("/grants")
@requires(P.AGREEMENT_READ)
def index() -> Any:
    actor, state = current_actor(), request.args.get("state", "")
    rows = queries.grants(
        actor,
        state=GrantState(state) if state in set(GrantState) else None,
        search=request.args.get("q", ""),
        after=request.args.get("after", ""),
        limit=ROWS + 1,
    )
    return page(
        "agreements/index.html",
        rows=rows[:ROWS],
        more=len(rows) > ROWS,
        total=queries.count(actor),
        states=list(GrantState),
        chosen=state,
        search=request.args.get("q", ""),
        waiting=queries.selected_without_grant(actor),
    )


@bp.route("/grants/prepare/<application_ref>", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def prepare(application_ref: str) -> Any:
    actor, form = current_actor(), PrepareForm()
    application = applications.view(actor, application_ref)
    if form.validate_on_submit() and form.starts_on.data:
        with form.refusals():
            made = services.prepare(actor, application.id, starts_on=form.starts_on.data)
            flash("The preparation has begun.", "success")
            return see_other(".preparation", ref=made.reference)
    return page("agreements/prepare.html", application=application, form=form), 422 if form.is_submitted() else 200


@bp.get("/grants/<ref>")
@requires(P.AGREEMENT_READ)
def show(ref: str) -> Any:
    return page("agreements/grant.html", grant=_grant(ref), today=clock.in_zone(clock.now()).date())


@bp.get("/grants/<ref>/preparation")
@requires(P.AGREEMENT_PREPARE)
def preparation(ref: str) -> Any:
    return _preparation(_grant(ref))


def _preparation(grant: GrantView, check: CheckForm | None = None, offer: OfferForm | None = None) -> Any:
    form = check or offer or OfferForm()
    shown = page(
        "agreements/preparation.html",
        grant=grant,
        form=form,
        check=check,
        offer_form=offer or OfferForm(),
        checks=[(item, CheckForm(formdata=None, data=_answered(item))) for item in grant.checks],
        problems=rules.offer_problems(grant),
    )
    return shown, 422 if form.is_submitted() else 200


def _answered(item: rules.CheckView) -> dict[str, Any]:
    answer = None if item.is_open else item.answer.value
    return {"key": item.key, "answer": answer, "note": item.note or "", "evidence_on": item.evidence_on}


@bp.post("/grants/<ref>/preparation/check")
@requires(P.AGREEMENT_PREPARE)
def answer_check(ref: str) -> Any:
    grant, form = _grant(ref), CheckForm()
    if form.validate_on_submit():
        with form.refusals():
            services.answer_check(current_actor(), grant.id, form.to_input())
            flash("The answer is recorded.", "success")
            return see_other(".preparation", ref=ref, _anchor=f"check-{form.key.data}")
    return _preparation(grant, check=form)


@bp.route("/grants/<ref>/people", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def people(ref: str) -> Any:
    grant, form = _grant(ref), ContactForm()
    if form.validate_on_submit():
        with form.refusals():
            services.appoint(current_actor(), grant.id, form.to_input())
            return see_other(".people", ref=ref)
    return page("agreements/people.html", grant=grant, form=form), 422 if form.is_submitted() else 200


@bp.post("/grants/<ref>/offer")
@requires(P.AGREEMENT_PREPARE)
def offer(ref: str) -> Any:
    grant, form = _grant(ref), OfferForm()
    if form.validate_on_submit():
        with form.refusals():
            services.offer(current_actor(), grant.id)
            flash("The agreement is offered. Both sides were asked to sign.", "success")
            return see_other(".agreement", ref=ref)
    return _preparation(grant, offer=form)


@bp.route("/grants/<ref>/terms", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def terms(ref: str) -> Any:
    grant = _grant(ref)
    form = terms_form(grant)
    if form.validate_on_submit():
        with form.refusals():
            services.set_terms(current_actor(), grant.id, form.to_input(), version=form.version_shown())
            return see_other(".preparation", ref=ref)
    return page("agreements/terms.html", grant=grant, form=form), 422 if form.is_submitted() else 200


@bp.route("/grants/<ref>/account", methods=["GET", "POST"])
@requires(P.BANK_ACCOUNT_ENTER, P.BANK_ACCOUNT_CONFIRM)
def account(ref: str) -> Any:
    grant, form = _grant(ref), AccountForm()
    if form.validate_on_submit():
        with form.refusals():
            services.enter_account(current_actor(), grant.id, form.to_input())
            flash("The account is entered. A second person has to confirm it.", "success")
            return see_other(".account", ref=ref)
    return _account(grant, form)


def _account(grant: GrantView, form: Any) -> Any:
    proposed = queries.proposed_account(grant.coordinator_id)
    shown_id = {"account_id": str(proposed.id) if proposed else ""}
    shown = page(
        "agreements/account.html",
        grant=grant,
        form=form,
        enter=form if isinstance(form, AccountForm) else AccountForm(formdata=None),
        confirm=form if isinstance(form, ConfirmAccountForm) else ConfirmAccountForm(formdata=None, data=shown_id),
        refuse=form if isinstance(form, RefuseAccountForm) else RefuseAccountForm(formdata=None, data=shown_id),
        proposed=proposed,
        history=queries.accounts(grant.coordinator_id),
    )
    return shown, 422 if form.is_submitted() else 200


@bp.post("/grants/<ref>/account/confirm")
@requires(P.BANK_ACCOUNT_CONFIRM)
def confirm_account(ref: str) -> Any:
    grant, form = _grant(ref), ConfirmAccountForm()
    if form.validate_on_submit():
        with form.refusals():
            services.confirm_account(current_actor(), grant.id, form.shown(), evidence=str(form.evidence.data))
            flash("The account is confirmed.", "success")
            return see_other(".account", ref=ref)
    return _account(grant, form)


@bp.post("/grants/<ref>/account/refuse")
@requires(P.BANK_ACCOUNT_CONFIRM)
def refuse_account(ref: str) -> Any:
    grant, form = _grant(ref), RefuseAccountForm()
    if form.validate_on_submit():
        with form.refusals():
            services.refuse_account(current_actor(), grant.id, form.shown(), reason=str(form.reason.data))
            return see_other(".account", ref=ref)
    return _account(grant, form)


@bp.get("/grants/<ref>/agreement")
@requires(P.AGREEMENT_READ)
def agreement(ref: str) -> Any:
    return _agreement(_grant(ref), SignForm())


@bp.get("/grants/<ref>/agreement.pdf")
@requires(P.AGREEMENT_READ)
def agreement_pdf(ref: str) -> Any:
    found = files.listed("grant", _grant(ref).id, "agreement")
    if not found:
        raise NotFound
    return send(found[0])


def _agreement(grant: GrantView, form: Any) -> Any:
    shown = page(
        "agreements/agreement.html",
        grant=grant,
        form=form,
        sign=form if isinstance(form, SignForm) else SignForm(formdata=None),
        give_back=form if isinstance(form, ReasonForm) else ReasonForm(formdata=None),
        text=grant.text,
        sha256=rules.text_hash(grant.text),
        printed=files.listed("grant", grant.id, "agreement"),
    )
    return shown, 422 if form.is_submitted() else 200


@bp.post("/grants/<ref>/agreement/sign")
@requires(P.AGREEMENT_SIGN_CITY, P.AGREEMENT_SIGN_PROGRAMME)
def sign(ref: str) -> Any:
    actor, grant, form = current_actor(), _grant(ref), SignForm()
    act = services.sign_city if actor.can(P.AGREEMENT_SIGN_CITY) else services.sign_programme
    if form.validate_on_submit():
        with form.refusals():
            act(actor, grant.id, capacity=str(form.capacity.data), document_sha256=str(form.document_sha256.data))
            flash("You have signed the agreement.", "success")
            return see_other(".agreement", ref=ref)
    return _agreement(grant, form)


@bp.post("/grants/<ref>/agreement/take-back")
@requires(P.AGREEMENT_PREPARE)
def take_back(ref: str) -> Any:
    grant, form = _grant(ref), ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.take_back(current_actor(), grant.id, reason=str(form.reason.data))
            return see_other(".preparation", ref=ref)
    return _agreement(grant, form)


@bp.route("/grants/<ref>/drop", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def drop(ref: str) -> Any:
    grant, form = _grant(ref), ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.drop(current_actor(), grant.id, reason=str(form.reason.data))
            return see_other(".show", ref=ref)
    return page("agreements/drop.html", grant=grant, form=form), 422 if form.is_submitted() else 200


def _grant(ref: str) -> GrantView:
    return queries.grant(current_actor(), ref)
