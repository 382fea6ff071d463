"""Pages of the bank accounts of payees, and of how long a new one waits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    AccountForm,
    ConfirmAccountForm,
    RefuseAccountForm,
    WaitingForm,
)
from grants.agreements.rules import GrantView
from grants.agreements.states import BankAccountState
from grants.agreements.views.frame import P, bp, grant_of, this_day
from grants.core import clock
from grants.core.errors import NotFound, Refused
from grants.core.file_types import FileType
from grants.identity.rules import OrganisationView
from grants.web.downloads import send
from grants.web.forms import received
from grants.web.routing import current_actor, page, requires, see_other

# The coordinator's account without a number, that of a partner by its place among the beneficiaries.
_PAYEE = "<int(max=2147483647):payee>"
# The finance people and the auditor read what stands; the city sees its own.
_SEES_ACCOUNTS = (P.BANK_ACCOUNT_ENTER, P.BANK_ACCOUNT_CONFIRM, P.LEDGER_READ)
EVIDENCE = frozenset({FileType.PDF, FileType.JPEG, FileType.PNG})


@bp.get("/grants/<ref>/account")
@bp.get(f"/grants/<ref>/account/{_PAYEE}")
@requires(*_SEES_ACCOUNTS)
def account(ref: str, payee: int = 0) -> Any:
    return _account(grant_of(ref), payee)


@bp.post("/grants/<ref>/account")
@bp.post(f"/grants/<ref>/account/{_PAYEE}")
@requires(P.BANK_ACCOUNT_ENTER)
def enter_account(ref: str, payee: int = 0) -> Any:
    grant, form = grant_of(ref), AccountForm()
    _payee_of(grant, payee)
    if form.validate_on_submit():
        with form.refusals():
            evidence = received(form.file, allowed=EVIDENCE)
            if evidence is not None:
                services.enter_account(
                    current_actor(), grant.id, form.to_input(), evidence, organisation_id=form.payee_id()
                )
                flash("The account is entered. A second person has to confirm it.", "success")
                return see_other(".account", ref=ref, payee=payee or None)
    return _account(grant, payee, form)


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
    today = this_day()
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
    grant, form = grant_of(ref), ConfirmAccountForm()
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
    grant, form = grant_of(ref), RefuseAccountForm()
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
    return send(services.open_account_evidence(current_actor(), grant_of(ref).id, sha256))


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
    today = this_day()
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
    return WaitingForm(formdata=None, data={"programme": slug, "starts_on": this_day()})
