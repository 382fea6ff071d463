"""Pages of grants: the list, one grant, its preparation, account, terms, and the agreement with its signatures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    AccountForm,
    CheckForm,
    ConfirmAccountForm,
    ContactForm,
    DismissForm,
    OfferForm,
    PrepareForm,
    ReasonForm,
    RefuseAccountForm,
    SignForm,
    WaitingForm,
    terms_form,
)
from grants.agreements.rules import DismissInput, GrantView
from grants.agreements.states import BankAccountState, GrantState, Side
from grants.applications import queries as applications
from grants.core import clock, files
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.file_types import FileType
from grants.core.files import Incoming
from grants.core.permissions import Permission
from grants.identity.rules import OrganisationView
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.downloads import send
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("agreements", __name__)
P = Permission
NAVIGATION = (NavItem("Grants", "agreements.index", (P.AGREEMENT_READ,), 40),)
# As the list is narrowed; both ways to end a grant before both signed are one state.
STATE_WORDS = {
    GrantState.PREPARATION: "In preparation",
    GrantState.READY_TO_SIGN: "Ready to sign",
    GrantState.IN_FORCE: "In force",
    GrantState.CLOSED: "Closed",
    GrantState.DROPPED: "Dropped or declined",
}


@bp.get("/grants")
@requires(P.AGREEMENT_READ)
def index() -> Any:
    actor, search = current_actor(), request.args.get("q", "")
    problems: list[str] = []
    words = {each.value: said for each, said in STATE_WORDS.items()}
    state = chosen("state", "state", {each.value: each for each in STATE_WORDS}, problems, words=words)
    found = queries.grants(actor, paging.asked(), state=state, search=search)
    return page(
        "agreements/index.html",
        rows=found,
        problems=problems,
        states=STATE_WORDS,
        chosen=state,
        search=search,
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


def _preparation(
    grant: GrantView, check: CheckForm | None = None, offer: OfferForm | None = None, status: int = 422
) -> Any:
    form = check or offer or OfferForm()
    shown = page(
        "agreements/preparation.html",
        grant=grant,
        form=form,
        check=check,
        offer_form=offer or OfferForm(),
        sha256=rules.text_hash(grant.text),
        checks=[(item, CheckForm(formdata=None, data=_answered(item))) for item in grant.checks],
        problems=rules.offer_problems(grant),
    )
    return shown, status if form.is_submitted() else 200


def _answered(item: rules.CheckView) -> dict[str, Any]:
    answer = None if item.is_open else item.answer.value
    typed = {"answer": answer, "note": item.note or "", "evidence_on": item.evidence_on}
    return {"key": item.key, "version": str(item.version), **typed}


@bp.post("/grants/<ref>/preparation/check")
@requires(P.AGREEMENT_PREPARE)
def answer_check(ref: str) -> Any:
    grant, form = _grant(ref), CheckForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.answer_check(current_actor(), grant.id, form.to_input())
                flash("The answer is recorded.", "success")
                return see_other(".preparation", ref=ref, _anchor=f"check-{form.key.data}")
        except Conflict:
            return _clash_of_check(_grant(ref), form)
    return _preparation(grant, check=form)


def _clash_of_check(grant: GrantView, form: CheckForm) -> Any:
    stands = next(item for item in grant.checks if item.key == form.key.data)
    form.problems.append(
        f"{stands.answered_by or 'Somebody'} changed this answer after you opened the page. "
        "It stands above yours now; record yours again if it shall replace it."
    )
    form.try_again(stands.version)
    return _preparation(grant, check=form, status=409)


@bp.route("/grants/<ref>/people", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def people(ref: str) -> Any:
    grant, form = _grant(ref), ContactForm()
    if form.validate_on_submit():
        with form.refusals():
            services.appoint(current_actor(), grant.id, form.to_input())
            flash(f"{form.to_input().name} is named. Everybody of {grant.coordinator} is told by mail.", "success")
            return see_other(".people", ref=ref)
    return page("agreements/people.html", grant=grant, form=form), 422 if form.is_submitted() else 200


@bp.route("/grants/<ref>/people/<handle>/<role>/dismiss", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def dismiss(ref: str, handle: str, role: str) -> Any:
    grant, form = _grant(ref), DismissForm()
    person = next((each for each in grant.contacts if (each.handle, each.role.value) == (handle, role)), None)
    if person is None:
        raise NotFound
    if form.validate_on_submit():
        with form.refusals():
            given = DismissInput(handle, person.role, str(form.reason.data), bool(form.leaves.data))
            services.dismiss(current_actor(), grant.id, given)
            flash(f"{person.name} has this part no more and was told by mail.", "success")
            return see_other(".people", ref=ref)
    return page("agreements/dismiss.html", grant=grant, form=form, person=person), 422 if form.is_submitted() else 200


@bp.post("/grants/<ref>/offer")
@requires(P.AGREEMENT_PREPARE)
def offer(ref: str) -> Any:
    grant, form = _grant(ref), OfferForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.offer(current_actor(), grant.id, document_sha256=str(form.document_sha256.data))
                flash("The agreement is offered. Both sides were asked to sign.", "success")
                return see_other(".agreement", ref=ref)
        except Conflict as error:
            form.problems.append(str(error))
            form.try_again(0)
            return _preparation(_grant(ref), offer=form, status=409)
    return _preparation(grant, offer=form)


@bp.route("/grants/<ref>/terms", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def terms(ref: str) -> Any:
    grant = _grant(ref)
    form = terms_form(grant)
    if form.validate_on_submit():
        with form.attempt():
            services.set_terms(current_actor(), grant.id, form.to_input(), version=form.version_shown())
            flash("The dates, amounts and milestones are saved.", "success")
            return see_other(".preparation", ref=ref)
    if form.clashed:
        grant = _grant(ref)
        form.comes_again(grant.version)
        return page("agreements/terms.html", grant=grant, form=form), 409
    return page("agreements/terms.html", grant=grant, form=form), 422 if form.is_submitted() else 200


# The coordinator's account without a number, that of a partner by its place among the beneficiaries.
_PAYEE = "<int(max=2147483647):payee>"
# The finance people and the auditor read what stands; the city sees its own.
_SEES_ACCOUNTS = (P.BANK_ACCOUNT_ENTER, P.BANK_ACCOUNT_CONFIRM, P.LEDGER_READ)
EVIDENCE = frozenset({FileType.PDF, FileType.JPEG, FileType.PNG})


@bp.get("/grants/<ref>/account")
@bp.get(f"/grants/<ref>/account/{_PAYEE}")
@requires(*_SEES_ACCOUNTS)
def account(ref: str, payee: int = 0) -> Any:
    return _account(_grant(ref), payee)


@bp.post("/grants/<ref>/account")
@bp.post(f"/grants/<ref>/account/{_PAYEE}")
@requires(P.BANK_ACCOUNT_ENTER)
def enter_account(ref: str, payee: int = 0) -> Any:
    grant, form = _grant(ref), AccountForm()
    _payee_of(grant, payee)
    if form.validate_on_submit():
        with form.refusals():
            evidence = _evidence(form)
            if evidence is not None:
                services.enter_account(
                    current_actor(), grant.id, form.to_input(), evidence, organisation_id=form.payee_id()
                )
                flash("The account is entered. A second person has to confirm it.", "success")
                return see_other(".account", ref=ref, payee=payee or None)
    return _account(grant, payee, form)


def _evidence(form: AccountForm) -> Incoming | None:
    """The bank's document, looked into; what is wrong with it stands beside its field, and then it is None."""
    assert form.file.data is not None, "the form came with its file"
    try:
        return files.receive(form.file.data, allowed=EVIDENCE)
    except Invalid as error:
        form.file.errors = [*form.file.errors, str(error)]
        return None


def _payee_of(grant: GrantView, payee: int) -> UUID:
    """Whose account a page is about; raises NotFound where there is no such partner for this person."""
    if not payee:
        return grant.coordinator_id
    if payee > len(grant.beneficiaries) or queries.acts_for_city(current_actor(), grant.application_id):
        raise NotFound
    return grant.beneficiaries[payee - 1].organisation_id


def _account(grant: GrantView, payee: int, form: Any = None) -> Any:
    payee_id = _payee_of(grant, payee)
    found = queries.payee_accounts(payee_id, grant.call_id)
    proposed = next((each for each in found.history if each.state is BankAccountState.PROPOSED), None)
    confirmed = next((each for each in found.history if each.state is BankAccountState.CONFIRMED), None)
    shown_id = {"account_id": str(proposed.id) if proposed else ""}
    today = clock.in_zone(clock.now()).date()
    names = {each.organisation_id: each.name for each in grant.beneficiaries} | {
        grant.coordinator_id: grant.coordinator
    }
    confirmed_on = clock.in_zone(confirmed.confirmed_at).date() if confirmed and confirmed.confirmed_at else None
    rule_of_confirmed = rules.rule_on(found.rules, confirmed_on) if confirmed_on else None
    shown = page(
        "agreements/account.html",
        grant=grant,
        payee=payee,
        payee_name=names[payee_id],
        own_side=queries.acts_for_city(current_actor(), grant.application_id),
        form=form,
        enter=form if isinstance(form, AccountForm) else AccountForm(formdata=None, data=_known_of(found.payee)),
        confirm=form if isinstance(form, ConfirmAccountForm) else ConfirmAccountForm(formdata=None, data=shown_id),
        refuse=form if isinstance(form, RefuseAccountForm) else RefuseAccountForm(formdata=None, data=shown_id),
        proposed=proposed,
        confirmed=confirmed,
        payable_from=rules.payable_from(confirmed.confirmed_at, rule_of_confirmed)
        if confirmed and confirmed.confirmed_at
        else None,
        history=found.history,
        files=found.files,
        shared={iban: rules.shared_words(others) for iban, others in found.shared.items()},
        rule=rules.rule_on(found.rules, today),
        today=today,
    )
    return shown, 422 if form is not None and form.is_submitted() else 200


def _known_of(known: OrganisationView) -> dict[str, Any]:
    """What the register knows of where the payee lies, to be looked at and mended."""
    return {
        "payee": str(known.id), "street": known.street, "postcode": known.postcode, "town": known.town,
        "country_code": known.country_code,
    }  # fmt: skip


@bp.post("/grants/<ref>/account/confirm")
@bp.post(f"/grants/<ref>/account/{_PAYEE}/confirm")
@requires(P.BANK_ACCOUNT_CONFIRM)
def confirm_account(ref: str, payee: int = 0) -> Any:
    grant, form = _grant(ref), ConfirmAccountForm()
    if form.validate_on_submit():
        with form.refusals():
            services.confirm_account(current_actor(), grant.id, form.shown(), form.to_input())
            flash("The account is confirmed. The payee and the finance people are told by mail.", "success")
            return see_other(".account", ref=ref, payee=payee or None)
    return _account(grant, payee, form)


@bp.post("/grants/<ref>/account/refuse")
@bp.post(f"/grants/<ref>/account/{_PAYEE}/refuse")
@requires(P.BANK_ACCOUNT_CONFIRM)
def refuse_account(ref: str, payee: int = 0) -> Any:
    grant, form = _grant(ref), RefuseAccountForm()
    if form.validate_on_submit():
        with form.refusals():
            services.refuse_account(
                current_actor(), grant.id, form.shown(), reason=str(form.reason.data), no_match=bool(form.no_match.data)
            )
            flash("The account is refused. Another one can be entered.", "success")
            return see_other(".account", ref=ref, payee=payee or None)
    return _account(grant, payee, form)


@bp.get("/grants/<ref>/account/evidence/<sha256>")
@requires(P.BANK_ACCOUNT_ENTER, P.LEDGER_READ)
def account_evidence(ref: str, sha256: str) -> Any:
    return send(services.open_account_evidence(current_actor(), _grant(ref).id, sha256))


@bp.get("/payee-accounts")
@requires(P.PROGRAMME_MANAGE, P.BANK_ACCOUNT_CONFIRM, P.PAYMENT_ORDER_READ)
def account_waiting() -> Any:
    """How long new bank accounts wait before they are paid to; the programme lays it down, the circuit reads it."""
    return _waiting(None)


@bp.post("/payee-accounts")
@requires(P.PROGRAMME_MANAGE)
def lay_down_waiting() -> Any:
    form = WaitingForm()
    if form.validate_on_submit():
        with form.refusals():
            known = {each.slug: each.id for each, _ in queries.waiting_by_programme()}
            if form.programme.data not in known:
                raise Refused("There is no such programme any more. Reload the page.")
            services.lay_down_waiting(current_actor(), known[form.programme.data], form.to_input())
            flash("The rule is laid down. Accounts confirmed before keep theirs.", "success")
            return see_other(".account_waiting")
    return _waiting(form)


def _waiting(sent: WaitingForm | None) -> Any:
    today = clock.in_zone(clock.now()).date()
    shown = page(
        "agreements/account_waiting.html",
        programmes=[
            (each, laid, rules.rule_on(laid[::-1], today), _waiting_form(sent, each.slug))
            for each, laid in queries.waiting_by_programme()
        ],
        form=sent,
    )
    return shown, 422 if sent is not None else 200


def _waiting_form(sent: WaitingForm | None, slug: str) -> WaitingForm:
    if sent is not None and sent.programme.data == slug:
        return sent
    return WaitingForm(formdata=None, data={"programme": slug, "starts_on": clock.in_zone(clock.now()).date()})


@bp.get("/grants/<ref>/agreement")
@requires(P.AGREEMENT_READ)
def agreement(ref: str) -> Any:
    return _agreement(_grant(ref), SignForm())


@bp.get("/grants/<ref>/agreement.pdf")
@requires(P.AGREEMENT_READ)
def agreement_pdf(ref: str) -> Any:
    return send(services.open_document(current_actor(), _grant(ref).id))


def _agreement(grant: GrantView, form: Any) -> Any:
    shown = page(
        "agreements/agreement.html",
        grant=grant,
        form=form,
        sign=form if isinstance(form, SignForm) else SignForm(formdata=None),
        give_back=form if isinstance(form, ReasonForm) else ReasonForm(formdata=None),
        text=grant.text,
        sha256=rules.text_hash(grant.text),
        signs=_side(grant) is not None,
        declines=_side(grant) is Side.CITY and grant.state in (GrantState.PREPARATION, GrantState.READY_TO_SIGN),
        printed=files.listed("grant", grant.id, "agreement"),
    )
    return shown, 422 if form.is_submitted() else 200


def _side(grant: GrantView) -> Side | None:
    """For whom the person signs this agreement; what they may do for other grants says nothing about it."""
    actor, scope = current_actor(), queries.scope_of_view(grant)
    if actor.may(P.AGREEMENT_SIGN_CITY, scope):
        return Side.CITY
    return Side.PROGRAMME if actor.may(P.AGREEMENT_SIGN_PROGRAMME, scope) else None


@bp.post("/grants/<ref>/agreement/sign")
@requires(P.AGREEMENT_SIGN_CITY, P.AGREEMENT_SIGN_PROGRAMME)
def sign(ref: str) -> Any:
    actor, grant, form = current_actor(), _grant(ref), SignForm()
    act = services.sign_city if _side(grant) is Side.CITY else services.sign_programme
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
            flash("The offer is taken back. Signatures given to it no longer count.", "success")
            return see_other(".preparation", ref=ref)
    return _agreement(grant, form)


@bp.route("/grants/<ref>/drop", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def drop(ref: str) -> Any:
    grant, form = _grant(ref), ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.drop(current_actor(), grant.id, reason=str(form.reason.data))
            flash("The preparation is dropped. The people of the application are told by mail.", "success")
            return see_other(".show", ref=ref)
    return page("agreements/drop.html", grant=grant, form=form), 422 if form.is_submitted() else 200


@bp.route("/grants/<ref>/decline", methods=["GET", "POST"])
@requires(P.AGREEMENT_SIGN_CITY)
def decline(ref: str) -> Any:
    """Whoever would sign for the city says that it does not take the grant."""
    grant, form = _grant(ref), ReasonForm()
    if _side(grant) is not Side.CITY:
        raise NotFound
    if form.validate_on_submit():
        with form.refusals():
            services.decline(current_actor(), grant.id, reason=str(form.reason.data))
            flash("The grant is declined. The programme and the people of the application are told by mail.", "success")
            return see_other(".show", ref=ref)
    return page("agreements/decline.html", grant=grant, form=form), 422 if form.is_submitted() else 200


def _grant(ref: str) -> GrantView:
    return queries.grant(current_actor(), ref)
