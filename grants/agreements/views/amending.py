"""Pages of amendments and letters: proposed with their effect in numbers, answered, signed, ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from flask import flash, request

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    AmendForm,
    AnswerAmendmentForm,
    ReasonForm,
    SendAmendmentForm,
    SignForm,
    amend_form,
)
from grants.agreements.rules import AgreementText, AmendmentInput, AmendmentView, GrantView, PartnerOut, Proposal
from grants.agreements.states import AmendmentKind, AmendmentState, GrantState, Side
from grants.agreements.views.frame import P, bp, grant_of, own_side, signs_for, this_day
from grants.agreements.views.uploading import sides_to_upload
from grants.core import clock, files
from grants.core.errors import Conflict, NotFound
from grants.core.together import alone, both
from grants.dossiers.markup import blocks
from grants.identity import queries as identity
from grants.web.forms import Form
from grants.web.routing import current_actor, page, requires, see_other

_NUMBER = "<int(max=9999):number>"
_KIND = f"<any({', '.join(each.value for each in AmendmentKind)}):kind>"


@bp.get("/grants/<ref>/amendments")
@requires(P.AGREEMENT_READ)
def amendments(ref: str) -> Any:
    """Every amendment and letter of a grant, and the ways to propose one."""
    grant = grant_of(ref)
    found, own = queries.amendments(grant.id), own_side(grant)
    blocked = any(each.is_open and (each.state is not AmendmentState.DRAFTED or each.side is own) for each in found)
    return page(
        "agreements/amendments.html",
        grant=grant,
        found=found,
        today=this_day(),
        own_side=own.value,
        kinds=tuple(AmendmentKind) if _proposes(grant) and not blocked else (),
        blocked=blocked,
    )


def _proposes(grant: GrantView) -> bool:
    """Whether this person may propose an amendment of a grant."""
    may = current_actor().may(P.AMENDMENT_PROPOSE, queries.scope_of_view(grant))
    return may and grant.state is GrantState.IN_FORCE and grant.final_amount is None


@bp.route(f"/grants/<ref>/amendments/new/{_KIND}", methods=["GET", "POST"])
@requires(P.AMENDMENT_PROPOSE)
def new_amendment(ref: str, kind: str) -> Any:
    grant = grant_of(ref)
    if not _proposes(grant):
        raise NotFound
    form = _form(grant, AmendmentKind(kind))
    if form.validate_on_submit():
        with form.refusals():
            number = services.draft_amendment(current_actor(), grant.id, form.to_input())
            flash("The draft is kept. Look at its effect, then send it.", "success")
            return see_other(".amendment", ref=ref, number=number)
    return _edit_page(grant, form, AmendmentKind(kind))


@bp.route(f"/grants/<ref>/amendments/{_NUMBER}/edit", methods=["GET", "POST"])
@requires(P.AMENDMENT_PROPOSE)
def edit_amendment(ref: str, number: int) -> Any:
    grant = grant_of(ref)
    found = queries.amendment(grant.id, number)
    if not _proposes(grant) or found.state is not AmendmentState.DRAFTED or found.side is not own_side(grant):
        raise NotFound
    form = _form(grant, found.kind, found)
    if form.validate_on_submit():
        with form.attempt():
            services.edit_amendment(current_actor(), grant.id, number, form.to_input(), version=form.version_shown())
            flash("The draft is changed. Look at its effect, then send it.", "success")
            return see_other(".amendment", ref=ref, number=number)
        if form.clashed:
            form.comes_again(queries.amendment(grant.id, number).version)
    return _edit_page(grant, form, found.kind, found)


def _form(grant: GrantView, kind: AmendmentKind, found: AmendmentView | None = None) -> AmendForm:
    terms, _ = queries.terms_now(grant)
    joins = kind is AmendmentKind.PARTNER_IN
    given = (
        AmendmentInput(found.change, found.reason, by_letter=found.by_letter) if found else _by_termination(grant, kind)
    )
    return amend_form(
        grant,
        terms,
        kind,
        organisations=identity.choosable_organisations(current_actor()) if joins else (),
        accounts=queries.payee_choices(grant) if kind is AmendmentKind.BANK_ACCOUNT else (),
        gone=queries.gone(grant.id) if joins else (),
        given=given,
        version=found.version if found else 0,
    )


def _by_termination(grant: GrantView, kind: AmendmentKind) -> AmendmentInput | None:
    """What is known already where the amendment follows the termination of a partner’s part, whose number the link gives."""
    number = request.args.get("termination", type=int)
    found = next((each for each in grant.terminations if each.number == number and each.carried_out_at), None)
    if kind is not AmendmentKind.PARTNER_OUT or found is None or found.organisation_id is None:
        return None
    assert found.effective_on is not None, "what was carried out has its day"
    words = f"The part of {found.partner} was terminated from {clock.long_date(found.effective_on)} on; this settles its share."
    return AmendmentInput(PartnerOut(found.organisation_id, found.effective_on, ()), words)


def _edit_page(grant: GrantView, form: AmendForm, kind: AmendmentKind, found: AmendmentView | None = None) -> Any:
    shown = page("agreements/amend.html", grant=grant, form=form, kind=kind, found=found)
    return shown, 422 if form.is_submitted() else 200


@bp.get(f"/grants/<ref>/amendments/{_NUMBER}")
@requires(P.AGREEMENT_READ)
def amendment(ref: str, number: int) -> Any:
    """One amendment: what it changes in numbers and words, where it stands, and what this person may do with it."""
    return _amendment(grant_of(ref), number)


def _amendment(grant: GrantView, number: int, form: Form | None = None) -> Any:
    found, papers = alone(both(queries.amendment.asking(grant.id, number), files.listed.asking("grant", grant.id)))
    # Of a draft nothing is known to the other side.
    if found.state is AmendmentState.DRAFTED and found.side is not own_side(grant) and not _audits():
        raise NotFound
    made, text = queries.proposed(grant, found, this_day())
    spelled = _offered(grant, found, made, text)
    hidden = {"seen": made.fingerprint, "document_sha256": rules.text_hash(spelled) if spelled else ""}
    if form is not None:
        _in_sight_of(form, hidden)

    def blank(kind: type[Form]) -> Form:
        return form if isinstance(form, kind) else kind(formdata=None, data=hidden)

    offered = grant.of_offer(found.offer_no) if found.offer_no else grant
    shown = page(
        "agreements/amendment.html",
        grant=grant,
        found=found,
        made=made,
        money=made.money,
        text=spelled,
        sha256=hidden["document_sha256"],
        paragraphs=blocks,
        today=this_day(),
        may=_deeds(grant, found, offered),
        signatures=offered.signatures if found.offer_no else (),
        waits={side.value: offered.missing(side) for side in Side} if found.offer_no else {},
        printed=frozenset(each.role for each in papers) if found.offer_no else frozenset(),
        uploads=sides_to_upload(grant) if found.state is AmendmentState.OFFERED else (),
        send=blank(SendAmendmentForm),
        answer=blank(AnswerAmendmentForm),
        reason=blank(ReasonForm),
        sign=blank(SignForm),
    )
    return shown, 422 if form is not None else 200


def _in_sight_of(form: Form, hidden: dict[str, str]) -> None:
    """What comes back is sent again in sight of what the page shows now, as a new deed."""
    for name, value in (*hidden.items(), ("act_key", secrets.token_urlsafe(18))):
        if name in form:
            form[name].data, form[name].raw_data = value, None


def _audits() -> bool:
    return current_actor().can(P.AUDIT_READ)


def _offered(grant: GrantView, found: AmendmentView, made: Proposal, text: AgreementText) -> AgreementText | None:
    """The amended agreement: as it was offered, or as it would be; none of what ended without an offer."""
    if found.offer_no is not None:
        return queries.offered_text(grant.id, found.offer_no)
    return queries.amended(grant, found, made, text) if found.is_open and not made.problems else None


def _deeds(grant: GrantView, found: AmendmentView, offered: GrantView) -> frozenset[str]:
    """What this person may do with it now; the acts ask the same again, and more."""
    actor, scope = current_actor(), queries.scope_of_view(grant)
    own, deeds = own_side(grant), set()
    if actor.may(P.AMENDMENT_PROPOSE, scope) and own is found.side and found.is_open:
        deeds.add("withdraw")
        if found.state is AmendmentState.DRAFTED and grant.state is GrantState.IN_FORCE:
            deeds |= {"edit", "send"}
    if grant.state is not GrantState.IN_FORCE:
        return frozenset(deeds & {"withdraw"})
    if actor.may(P.AMENDMENT_ANSWER, scope) and found.waits_for_programme and found.state is AmendmentState.SENT:
        deeds.add("open")
        # The request is read and answered once it is opened; silence ends it.
        if found.opened is not None and not found.is_silent(this_day()):
            own_hand = {found.drafted.by, found.sent_by.by if found.sent_by else None}
            deeds |= set() if actor.user_id in own_hand else {"consent" if found.by_letter else "accept", "refuse"}
    if actor.may(P.AMENDMENT_ANSWER, scope) and found.state is AmendmentState.OFFERED:
        deeds.add("take_back")
    if actor.may(P.AGREEMENT_SIGN_CITY, scope) and found.state is AmendmentState.SENT and not found.waits_for_programme:
        deeds.add("consent")
    if actor.may(P.AGREEMENT_SIGN_CITY, scope) and found.city_may_decline and not found.is_silent(this_day()):
        deeds.add("decline")
    side = signs_for(grant)
    signed = any(each.signed_by == actor.user_id for each in offered.signatures)
    if found.state is AmendmentState.OFFERED and side is not None and offered.missing(side) and not signed:
        deeds.add("sign")
    return frozenset(deeds)


def _do(ref: str, number: int, form: Any, act: Callable[[GrantView], object], words: str) -> Any:
    """One deed with an amendment, and back to its page."""
    grant = grant_of(ref)
    if form.validate_on_submit():
        try:
            with form.refusals():
                act(grant)
                flash(words, "success")
                return see_other(".amendment", ref=ref, number=number)
        except Conflict as error:
            form.problems.append(str(error))
    return _amendment(grant, number, form)


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/send")
@requires(P.AMENDMENT_PROPOSE)
def send_amendment(ref: str, number: int) -> Any:
    form = SendAmendmentForm()
    return _do(
        ref,
        number,
        form,
        lambda grant: services.send_amendment(current_actor(), grant.id, number, seen=str(form.seen.data)),
        "It is sent. The people of both sides are told by mail.",
    )


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/open")
@requires(P.AMENDMENT_ANSWER)
def open_amendment(ref: str, number: int) -> Any:
    form = SendAmendmentForm()
    return _do(
        ref,
        number,
        form,
        lambda grant: services.open_amendment(current_actor(), grant.id, number),
        "The request is opened. Its days to answer run from today, which is not counted.",
    )


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/accept")
@requires(P.AMENDMENT_ANSWER)
def accept_amendment(ref: str, number: int) -> Any:
    form = AnswerAmendmentForm()
    return _do(
        ref,
        number,
        form,
        lambda grant: services.accept_amendment(
            current_actor(),
            grant.id,
            number,
            document_sha256=str(form.document_sha256.data),
            words=str(form.words.data or ""),
        ),
        "It is accepted and waits for the signatures of both sides.",
    )


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/refuse")
@requires(P.AMENDMENT_ANSWER)
def refuse_amendment(ref: str, number: int) -> Any:
    form = AnswerAmendmentForm()
    return _do(
        ref,
        number,
        form,
        lambda grant: services.refuse_amendment(current_actor(), grant.id, number, words=str(form.words.data or "")),
        "It is refused. The people of both sides are told by mail.",
    )


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/consent")
@requires(P.AMENDMENT_ANSWER, P.AGREEMENT_SIGN_CITY)
def consent_to_letter(ref: str, number: int) -> Any:
    form, grant = AnswerAmendmentForm(), grant_of(ref)
    for_city = signs_for(grant) is Side.CITY
    act = services.consent_to_letter_for_city if for_city else services.consent_to_letter
    return _do(
        ref,
        number,
        form,
        lambda grant: act(
            current_actor(),
            grant.id,
            number,
            words=str(form.words.data or ""),
            document_sha256=str(form.document_sha256.data),
        ),
        "It is agreed, and in force from today on.",
    )


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/sign")
@requires(P.AGREEMENT_SIGN_CITY, P.AGREEMENT_SIGN_PROGRAMME)
def sign_amendment(ref: str, number: int) -> Any:
    form, grant = SignForm(), grant_of(ref)
    for_city = signs_for(grant) is Side.CITY
    act = services.sign_amendment_for_city if for_city else services.sign_amendment_for_programme
    return _do(
        ref,
        number,
        form,
        lambda grant: act(
            current_actor(),
            grant.id,
            number,
            capacity=str(form.capacity.data),
            document_sha256=str(form.document_sha256.data),
        ),
        "You have signed the amendment.",
    )


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/withdraw")
@requires(P.AMENDMENT_PROPOSE)
def withdraw_amendment(ref: str, number: int) -> Any:
    form = ReasonForm()
    return _do(
        ref,
        number,
        form,
        lambda grant: services.withdraw_amendment(current_actor(), grant.id, number, reason=str(form.reason.data)),
        "It is withdrawn. The agreement stands as it was.",
    )


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/decline")
@requires(P.AGREEMENT_SIGN_CITY)
def decline_amendment(ref: str, number: int) -> Any:
    form = ReasonForm()
    return _do(
        ref,
        number,
        form,
        lambda grant: services.decline_amendment(current_actor(), grant.id, number, reason=str(form.reason.data)),
        "It is declined for the city. The people of both sides are told by mail; the agreement stands as it was.",
    )


@bp.post(f"/grants/<ref>/amendments/{_NUMBER}/take-back")
@requires(P.AMENDMENT_ANSWER)
def take_back_amendment(ref: str, number: int) -> Any:
    form = ReasonForm()
    return _do(
        ref,
        number,
        form,
        lambda grant: services.take_back_amendment(current_actor(), grant.id, number, reason=str(form.reason.data)),
        "It is taken back. What was signed of it no longer counts; the agreement stands as it was.",
    )
