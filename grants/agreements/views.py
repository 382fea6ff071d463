"""Pages of grants: the list, one grant, its preparation, account, terms, and the agreement with its signatures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    AcceptForm,
    AccountForm,
    ConfirmAccountForm,
    ContactForm,
    DismissForm,
    EndForm,
    OfferForm,
    PrepareForm,
    ReasonForm,
    RefuseAccountForm,
    ReturnForm,
    SignForm,
    WaitingForm,
    about,
    condition_form,
    due_form,
    terms_form,
)
from grants.agreements.rules import DismissInput, GrantView
from grants.agreements.states import AskedOf, BankAccountState, ConditionStanding, GrantState, Side
from grants.applications import queries as applications
from grants.core import clock, files
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.file_types import FileType
from grants.core.files import Incoming
from grants.core.permissions import Permission
from grants.identity.rules import OrganisationView
from grants.web import downloads, paging
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
    actor = current_actor()
    search, state, problems = _listed()
    return page(
        "agreements/index.html",
        rows=queries.grants(actor, paging.asked(), state=state, search=search),
        problems=problems,
        states=STATE_WORDS,
        chosen=state,
        search=search,
        waiting=queries.selected_without_grant(actor),
    )


def _listed() -> tuple[str, GrantState | None, list[str]]:
    """What the address asks of the list, and what of it is not understood."""
    problems: list[str] = []
    words = {each.value: said for each, said in STATE_WORDS.items()}
    state = chosen("state", "state", {each.value: each for each in STATE_WORDS}, problems, words=words)
    return request.args.get("q", ""), state, problems


LIST_COLUMNS = ("grant", "acronym", "title", "coordinator", "country", "state", "starts", "ends_before", "maximum_eur", "maximum_invented")  # fmt: skip


@bp.get("/grants.<any(csv, xlsx):kind>")
@requires(P.AGREEMENT_READ)
def list_file(kind: str) -> Any:
    """The same grants as a file, at most 5,000."""
    search, state, problems = _listed()
    if problems:
        raise Invalid(" ".join(problems))
    found = queries.grants(current_actor(), paging.Page(size=downloads.LIST_ROWS_MAX), state=state, search=search)
    rows: list[tuple[object, ...]] = [
        (
            *(row.reference, row.acronym, row.title, row.coordinator, row.country_code, STATE_WORDS[row.state]),
            *(row.starts_on, row.ends_before, row.maximum, "yes" if row.amount_is_invented else "no"),
        )
        for row in found.items
    ]
    if found.next_key is not None:
        rows.append((downloads.CUT_OFF, *(None,) * (len(LIST_COLUMNS) - 1)))
    return downloads.list_file("grants", LIST_COLUMNS, rows, kind)


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
@requires(P.AGREEMENT_READ)
def preparation(ref: str) -> Any:
    """Every condition with where it stands, for both sides; a partner reads its own and the common ones."""
    return _preparation(_grant(ref))


def _preparation(grant: GrantView, offer: OfferForm | None = None, status: int = 422) -> Any:
    actor, form = current_actor(), offer or OfferForm()
    prepares = actor.may(P.AGREEMENT_PREPARE, queries.scope_of_view(grant))
    found, own = queries.conditions(grant), queries.reach_of(actor, grant)
    shown = page(
        "agreements/preparation.html",
        grant=grant,
        form=form,
        sha256=rules.text_hash(grant.text),
        conditions=[seen for each in found if (seen := each.seen_by(own))],
        problems=rules.offer_problems(grant, found) if prepares else (),
        prepares=prepares,
        sees_all=own is None,
        today=clock.in_zone(clock.now()).date(),
    )
    return shown, status if form.is_submitted() else 200


@bp.route("/grants/<ref>/preparation/<key>/<int(max=9999):place>", methods=["GET", "POST"])
@requires(P.AGREEMENT_READ)
def condition(ref: str, key: str, place: int) -> Any:
    """One part of a condition: what was answered and said of it; its form for whoever is asked."""
    grant, view, part = _part(ref, key, place)
    form = condition_form(grant, view, part, clock.in_zone(clock.now()).date()) if _answers(grant, view, part) else None
    if request.method == "POST" and form is None:
        raise NotAllowed("Whoever is asked answers this condition, while the grant is in preparation.")
    if form is not None and form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(part)
                _answer(grant, view, part, form)
                flash("The answer is recorded. A colleague of the programme looks at it.", "success")
                return see_other(".preparation", ref=ref, _anchor=f"condition-{key}")
        except Conflict as error:
            return _clashed(ref, key, place, form, error)
    return _condition(grant, view, part, answer=form)


def _answer(grant: GrantView, view: rules.ConditionView, part: rules.PartView, form: Any) -> None:
    act = services.state_condition if view.condition.asked_of is AskedOf.CITY else services.record_condition
    upload = request.files.get(form.file.name)
    incoming = None
    if upload is not None and upload.filename:
        try:
            incoming = files.receive(upload)
        except Invalid as error:
            raise Invalid("The file is not taken.", {form.file.name: str(error)}) from error
    act(current_actor(), grant.id, form.given(view.key, part), incoming)


def _part(ref: str, key: str, place: int) -> tuple[GrantView, rules.ConditionView, rules.PartView]:
    """The part behind an address; not there for whoever may not read it."""
    grant = _grant(ref)
    own = queries.reach_of(current_actor(), grant)
    view = next((each for each in queries.conditions(grant) if each.key.value == key), None)
    seen = view.seen_by(own) if view else None
    if seen is None:
        raise NotFound
    return grant, seen, seen.part(place)


def _answers(grant: GrantView, view: rules.ConditionView, part: rules.PartView) -> bool:
    """Whether this person answers it now: who reads it as one of its side."""
    if grant.state is not GrantState.PREPARATION or (part.standing is ConditionStanding.NOT_ASKED and not part.answers):
        return False
    actor, lies = current_actor(), queries.scope_of_view(grant)
    match view.condition.asked_of:
        case AskedOf.CITY:
            common = part.organisation_id is None and queries.reach_of(actor, grant) is not None
            return actor.may(P.AGREEMENT_ANSWER, lies) and not common
        case AskedOf.PROGRAMME:
            return actor.may(P.AGREEMENT_PREPARE, lies)
        case AskedOf.REGISTER:
            return False


def _judges(grant: GrantView, part: rules.PartView) -> bool:
    """Whether this person accepts or returns the answer that stands: it waits, and is not their own."""
    waits = part.standing is ConditionStanding.ANSWERED and grant.state is GrantState.PREPARATION
    prepares = current_actor().may(P.AGREEMENT_PREPARE, queries.scope_of_view(grant))
    return waits and prepares and part.answer is not None and part.answer.stated_by != current_actor().user_id


def _condition(
    grant: GrantView,
    view: rules.ConditionView,
    part: rules.PartView,
    *,
    answer: Any = None,
    accept: AcceptForm | None = None,
    give_back: ReturnForm | None = None,
    status: int = 422,
) -> Any:
    stands = {"about": about(part), "number": str(part.number)}
    sent = next((each for each in (accept, give_back, answer) if each is not None and each.is_submitted()), None)
    shown = page(
        "agreements/condition.html",
        grant=grant,
        view=view,
        part=part,
        answer=answer,
        judges=_judges(grant, part),
        accept=accept or AcceptForm(formdata=None, data=stands),
        give_back=give_back or ReturnForm(formdata=None, data=stands),
        today=clock.in_zone(clock.now()).date(),
    )
    return shown, 200 if sent is None else status


def _clashed(ref: str, key: str, place: int, form: Any, error: Conflict) -> Any:
    """What was typed comes back beside what stands now."""
    grant, view, part = _part(ref, key, place)
    form.problems.append(str(error))
    form.try_again(0)
    form.number.data, form.number.raw_data = str(part.number), None
    form.about.data, form.about.raw_data = about(part), None
    if isinstance(form, AcceptForm):
        return _condition(grant, view, part, answer=_fresh(grant, view, part), accept=form, status=409)
    if isinstance(form, ReturnForm):
        return _condition(grant, view, part, answer=_fresh(grant, view, part), give_back=form, status=409)
    return _condition(grant, view, part, answer=form, status=409)


def _fresh(grant: GrantView, view: rules.ConditionView, part: rules.PartView) -> Any:
    """The form of an answer beside another one that was sent."""
    if not _answers(grant, view, part):
        return None
    return condition_form(grant, view, part, clock.in_zone(clock.now()).date(), formdata=None)


@bp.post("/grants/<ref>/preparation/<key>/<int(max=9999):place>/accept")
@requires(P.AGREEMENT_PREPARE)
def accept_answer(ref: str, key: str, place: int) -> Any:
    (grant, view, part), form = _part(ref, key, place), AcceptForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(part)
                services.accept_answer(current_actor(), grant.id, form.given(view.key, part))
                flash("The answer is accepted.", "success")
                return see_other(".preparation", ref=ref, _anchor=f"condition-{key}")
        except Conflict as error:
            return _clashed(ref, key, place, form, error)
    return _condition(grant, view, part, answer=_fresh(grant, view, part), accept=form)


@bp.post("/grants/<ref>/preparation/<key>/<int(max=9999):place>/return")
@requires(P.AGREEMENT_PREPARE)
def return_answer(ref: str, key: str, place: int) -> Any:
    (grant, view, part), form = _part(ref, key, place), ReturnForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(part)
                services.return_answer(current_actor(), grant.id, form.given(view.key, part))
                flash("The answer is returned. Whoever stated it is told by mail.", "success")
                return see_other(".preparation", ref=ref, _anchor=f"condition-{key}")
        except Conflict as error:
            return _clashed(ref, key, place, form, error)
    return _condition(grant, view, part, answer=_fresh(grant, view, part), give_back=form)


@bp.get("/grants/<ref>/preparation/evidence/<sha256>")
@requires(P.AGREEMENT_READ)
def evidence(ref: str, sha256: str) -> Any:
    return send(services.open_evidence(current_actor(), _grant(ref).id, sha256))


@bp.route("/grants/<ref>/preparation/due", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE)
def due(ref: str) -> Any:
    """By when each condition is answered."""
    grant = _grant(ref)
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
    grant, form = _grant(ref), EndForm()
    if form.validate_on_submit() and form.ends_on.data:
        with form.refusals():
            services.set_end(current_actor(), grant.id, form.ends_on.data, reason=str(form.reason.data))
            flash("The last day is moved. Everybody of both sides is told by mail.", "success")
            return see_other(".preparation", ref=ref)
    return page("agreements/last_day.html", grant=grant, form=form), 422 if form.is_submitted() else 200


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
