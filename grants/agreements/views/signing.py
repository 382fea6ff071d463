"""Pages of the agreement: its text, its signatures, and how a city declines."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    ReasonForm,
    SignForm,
    TakeBackForm,
)
from grants.agreements.rules import GrantView, OfferView, SignatureView, VersionView
from grants.agreements.states import GrantState, OfferEnd, Side
from grants.agreements.views.frame import P, bp, grant_of, signs_for
from grants.core import files
from grants.core.errors import NotFound
from grants.dossiers.markup import blocks
from grants.web.downloads import send
from grants.web.routing import current_actor, page, requires, see_other

# So many versions or offers no agreement ever has.
_NUMBER = "<int(max=9999):number>"


@bp.get("/grants/<ref>/agreement")
@requires(P.AGREEMENT_READ)
def agreement(ref: str) -> Any:
    return _agreement(grant_of(ref), SignForm())


@bp.get("/grants/<ref>/agreement.pdf")
@requires(P.AGREEMENT_READ)
def agreement_pdf(ref: str) -> Any:
    """The version in force on paper."""
    grant = grant_of(ref)
    return _paper(grant, rules.version_role(max(1, len(grant.versions))))


@bp.get("/grants/<ref>/versions")
@requires(P.AGREEMENT_READ)
def versions(ref: str) -> Any:
    """Every version of the agreement, and every offer with what became of it."""
    grant = grant_of(ref)
    return page("agreements/versions.html", grant=grant, printed=_printed(grant))


@bp.get(f"/grants/<ref>/versions/{_NUMBER}")
@requires(P.AGREEMENT_READ)
def version(ref: str, number: int) -> Any:
    grant = grant_of(ref)
    found = next((each for each in grant.versions if each.number == number), None)
    if found is None:
        raise NotFound
    offer = next(each for each in grant.offers if each.number == found.offer_no)
    return _text(grant, offer, found)


@bp.get(f"/grants/<ref>/versions/{_NUMBER}.pdf")
@requires(P.AGREEMENT_READ)
def version_pdf(ref: str, number: int) -> Any:
    return _paper(grant_of(ref), rules.version_role(number))


@bp.get(f"/grants/<ref>/versions/{_NUMBER}-signed.pdf")
@requires(P.AGREEMENT_READ)
def certified_pdf(ref: str, number: int) -> Any:
    """The same, signed by the certificate of the programme."""
    return _paper(grant_of(ref), rules.certified_role(number))


@bp.get(f"/grants/<ref>/offers/{_NUMBER}")
@requires(P.AGREEMENT_READ)
def offered(ref: str, number: int) -> Any:
    """The text of one offer, whatever became of it."""
    grant = grant_of(ref)
    offer = next((each for each in grant.offers if each.number == number), None)
    if offer is None:
        raise NotFound
    return _text(grant, offer, None)


@bp.get(f"/grants/<ref>/offers/{_NUMBER}.pdf")
@requires(P.AGREEMENT_READ)
def offer_pdf(ref: str, number: int) -> Any:
    return _paper(grant_of(ref), rules.offer_role(number))


def _paper(grant: GrantView, role: str) -> Any:
    return send(services.open_document(current_actor(), grant.id, role))


def _printed(grant: GrantView) -> frozenset[str]:
    """The roles of the papers that are made by now."""
    return frozenset(each.role for each in files.listed("grant", grant.id))


def _text(grant: GrantView, offer: OfferView, found: VersionView | None) -> Any:
    given = (*grant.signatures, *grant.earlier_signatures)
    return page(
        "agreements/version.html",
        grant=grant,
        offer=offer,
        found=found,
        text=queries.offered_text(grant.id, offer.number),
        sha256=offer.sha256,
        signatures=[each for each in given if each.offer_no == offer.number],
        letters=queries.letters(grant).get(offer.number),
        printed=_printed(grant),
        paragraphs=blocks,
    )


def _agreement(grant: GrantView, form: Any) -> Any:
    text = queries.text_of(grant)
    stands = {"offer_no": grant.offer.number if grant.offer else 0}
    shown = page(
        "agreements/agreement.html",
        grant=grant,
        form=form,
        sign=form if isinstance(form, SignForm) else SignForm(formdata=None),
        give_back=form if isinstance(form, TakeBackForm) else TakeBackForm(formdata=None, data=stands),
        text=text,
        sha256=rules.text_hash(text),
        signs=_signs(grant),
        letters=queries.letters(grant).get(grant.stands),
        earlier=_earlier(grant),
        waits={side.value: grant.missing(side) for side in Side},
        declines=signs_for(grant) is Side.CITY and grant.state in (GrantState.PREPARATION, GrantState.READY_TO_SIGN),
        printed=_printed(grant),
        paragraphs=blocks,
    )
    return shown, 422 if form.is_submitted() else 200


def _earlier(grant: GrantView) -> list[tuple[str, str, tuple[SignatureView, ...]]]:
    """Signatures of other offers, by what became of these: a heading, a sentence, who signed."""
    without = [each for each in OfferEnd if each not in (OfferEnd.SIGNED, OfferEnd.AGREED)]
    found = (
        ("Given to what is offered now", "They count once both sides have signed it.", grant.given_to(None)),
        ("Given to earlier versions", "They stand with the version that was signed.", grant.given_to(OfferEnd.SIGNED)),
        (
            "Given to offers that ended without effect",
            "These no longer count. They stay on record with the text that was signed.",
            grant.given_to(*without),
        ),
    )
    return [each for each in found if each[2]]


def _signs(grant: GrantView) -> bool:
    """Whether the form to sign is for this person: of a side that still waits, and not signed by them."""
    side, user_id = signs_for(grant), current_actor().user_id
    if side is None or grant.state is not GrantState.READY_TO_SIGN:
        return False
    return bool(grant.missing(side)) and all(each.signed_by != user_id for each in grant.signatures)


@bp.post("/grants/<ref>/agreement/sign")
@requires(P.AGREEMENT_SIGN_CITY, P.AGREEMENT_SIGN_PROGRAMME)
def sign(ref: str) -> Any:
    actor, grant, form = current_actor(), grant_of(ref), SignForm()
    act = services.sign_city if signs_for(grant) is Side.CITY else services.sign_programme
    if form.validate_on_submit():
        with form.refusals():
            act(actor, grant.id, capacity=str(form.capacity.data), document_sha256=str(form.document_sha256.data))
            flash("You have signed the agreement.", "success")
            return see_other(".agreement", ref=ref)
    return _agreement(grant, form)


@bp.post("/grants/<ref>/agreement/take-back")
@requires(P.AGREEMENT_PREPARE)
def take_back(ref: str) -> Any:
    grant, form = grant_of(ref), TakeBackForm()
    if form.validate_on_submit():
        with form.refusals():
            services.take_back(current_actor(), grant.id, offer_no=form.offer_shown(), reason=str(form.reason.data))
            flash("The offer is taken back. Signatures given to it no longer count.", "success")
            return see_other(".preparation", ref=ref)
    return _agreement(grant, form)


@bp.route("/grants/<ref>/decline", methods=["GET", "POST"])
@requires(P.AGREEMENT_SIGN_CITY)
def decline(ref: str) -> Any:
    """Whoever would sign for the city says that it does not take the grant."""
    grant, form = grant_of(ref), ReasonForm()
    if signs_for(grant) is not Side.CITY:
        raise NotFound
    if form.validate_on_submit():
        with form.refusals():
            services.decline(current_actor(), grant.id, reason=str(form.reason.data))
            flash("The grant is declined. The programme and the people of the application are told by mail.", "success")
            return see_other(".show", ref=ref)
    return page("agreements/decline.html", grant=grant, form=form), 422 if form.is_submitted() else 200
