"""Pages of signed documents: uploaded for a side, read by a job, accepted or refused by a second person."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.agreements import queries, services
from grants.agreements.forms import AcceptSignedForm, RefuseSignedForm, signed_upload_form
from grants.agreements.rules import GrantView, UploadView
from grants.agreements.states import GrantState, Side
from grants.agreements.views.frame import P, bp, grant_of
from grants.core.errors import Conflict, NotAllowed, NotFound
from grants.core.file_types import FileType
from grants.core.files import Incoming
from grants.web.downloads import send
from grants.web.forms import received
from grants.web.routing import current_actor, page, requires, see_other

_NUMBER = "<int(max=9999):number>"
_PDF = frozenset({FileType.PDF})


@bp.get("/grants/<ref>/signed")
@requires(P.AGREEMENT_READ)
def signed_uploads(ref: str) -> Any:
    """Every signed document that was uploaded, for both sides."""
    grant = grant_of(ref)
    return page(
        "agreements/signed_uploads.html", grant=grant, found=queries.signed_uploads(grant.id), sides=_sides(grant)
    )


def _sides(grant: GrantView) -> tuple[Side, ...]:
    """For which sides this person may upload one now: a side that still waits for signatures."""
    actor, lies = current_actor(), queries.scope_of_view(grant)
    if grant.state is not GrantState.READY_TO_SIGN:
        return ()
    officer = actor.may(P.AGREEMENT_PREPARE, lies)
    may = {Side.CITY: officer or actor.may(P.AGREEMENT_SIGN_CITY, lies), Side.PROGRAMME: officer}
    return tuple(side for side in Side if may[side] and grant.missing(side))


@bp.route("/grants/<ref>/signed/new/<side>", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE, P.AGREEMENT_SIGN_CITY)
def upload_signed(ref: str, side: str) -> Any:
    """A signed document comes in for a side."""
    grant = grant_of(ref)
    whose = next((each for each in Side if each.value == side), None)
    if whose is None:
        raise NotFound
    if whose not in _sides(grant):
        raise NotAllowed(
            "No signed document of this side is taken from you now: the agreement is not on offer, or it is signed."
        )
    form = signed_upload_form(queries.possible_signers(grant, whose))
    if form.validate_on_submit():
        with form.refusals():
            incoming = received(form.file, allowed=_PDF)
            if incoming is not None:
                number = _upload(grant, whose, form, incoming)
                flash(
                    "The document is uploaded. The program reads it, and a colleague of the programme checks it.",
                    "success",
                )
                return see_other(".signed_upload", ref=ref, number=number)
    shown = page("agreements/upload_signed.html", grant=grant, side=whose, form=form)
    return shown, 422 if form.is_submitted() else 200


def _upload(grant: GrantView, side: Side, form: Any, incoming: Incoming) -> int:
    actor = current_actor()
    if actor.may(P.AGREEMENT_PREPARE, queries.scope_of_view(grant)):
        return services.upload_signed(actor, grant.id, side, form.to_input(), incoming)
    return services.upload_signed_city(actor, grant.id, form.to_input(), incoming)


@bp.get(f"/grants/<ref>/signed/{_NUMBER}")
@requires(P.AGREEMENT_READ)
def signed_upload(ref: str, number: int) -> Any:
    """One signed document: who signed, what the program found, and the forms of whoever checks it."""
    return _upload_page(*_one(ref, number))


def _one(ref: str, number: int) -> tuple[GrantView, UploadView]:
    grant = grant_of(ref)
    view = next((each for each in queries.signed_uploads(grant.id) if each.number == number), None)
    if view is None:
        raise NotFound
    return grant, view


def _upload_page(grant: GrantView, view: UploadView, *, status: int = 422, **sent: Any) -> Any:
    actor = current_actor()
    stands = grant.state is GrantState.READY_TO_SIGN and grant.offer is not None and grant.offer.number == view.offer_no
    others = view.uploaded_by != actor.user_id and all(each.user_id != actor.user_id for each in view.signers)
    checks = view.waits and others and actor.may(P.AGREEMENT_CHECK_SIGNED, queries.scope_of_view(grant))
    forms = {"accept": AcceptSignedForm(formdata=None), "refuse": RefuseSignedForm(formdata=None), **sent}
    shown = page(
        "agreements/signed_upload.html",
        grant=grant,
        view=view,
        checks=checks,
        stands=stands,
        against=view.findings.against(len(view.signers)) if view.findings and view.kind.value == "qualified" else "",
        **forms,
    )
    return shown, status if sent else 200


@bp.post(f"/grants/<ref>/signed/{_NUMBER}/accept")
@requires(P.AGREEMENT_CHECK_SIGNED)
def accept_signed(ref: str, number: int) -> Any:
    (grant, view), form = _one(ref, number), AcceptSignedForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                whole = services.accept_signed(current_actor(), grant.id, number, words=str(form.words.data))
                done = (
                    "The document is accepted, and the agreement is in force." if whole else "The document is accepted."
                )
                flash(done, "success")
                return see_other(".signed_upload", ref=ref, number=number)
        except Conflict as error:
            form.problems.append(str(error))
            return _upload_page(*_one(ref, number), status=409, accept=form)
    return _upload_page(grant, view, accept=form)


@bp.post(f"/grants/<ref>/signed/{_NUMBER}/refuse")
@requires(P.AGREEMENT_CHECK_SIGNED)
def refuse_signed_upload(ref: str, number: int) -> Any:
    (grant, view), form = _one(ref, number), RefuseSignedForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.refuse_signed_upload(current_actor(), grant.id, number, words=str(form.words.data))
                flash("The document is refused. Whoever uploaded it is told by mail.", "success")
                return see_other(".signed_upload", ref=ref, number=number)
        except Conflict as error:
            form.problems.append(str(error))
            return _upload_page(*_one(ref, number), status=409, refuse=form)
    return _upload_page(grant, view, refuse=form)


@bp.get(f"/grants/<ref>/signed/{_NUMBER}/document")
@requires(P.AGREEMENT_READ)
def signed_document(ref: str, number: int) -> Any:
    return send(services.open_signed(current_actor(), grant_of(ref).id, number))
