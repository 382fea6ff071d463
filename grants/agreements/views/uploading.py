"""Pages of signed documents: uploaded for a side or a partner, read by a job, accepted or refused by a second person, or withdrawn."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.agreements import queries, rules, services
from grants.agreements.forms import AcceptSignedForm, RefuseSignedForm, WithdrawSignedForm, signed_upload_form
from grants.agreements.rules import AccessionView, Awaited, GrantView, UploadView
from grants.agreements.states import Side
from grants.agreements.views.frame import P, bp, grant_of
from grants.core.errors import Conflict, NotAllowed, NotFound
from grants.core.file_types import FileType
from grants.core.files import Incoming
from grants.web.downloads import send
from grants.web.forms import received
from grants.web.routing import current_actor, page, requires, see_other

_NUMBER = "<int(max=9999):number>"
_PLACE = "<int(max=9999):place>"
_PDF = frozenset({FileType.PDF})


@bp.get("/grants/<ref>/signed")
@requires(P.AGREEMENT_READ)
def signed_uploads(ref: str) -> Any:
    """Every signed document that was uploaded, for both sides and its partners."""
    grant = grant_of(ref)
    return page(
        "agreements/signed_uploads.html",
        grant=grant,
        found=queries.signed_uploads(grant.id),
        sides=sides_to_upload(grant),
    )


def sides_to_upload(grant: GrantView) -> tuple[Side, ...]:
    """For which sides this person may upload one now: a side of what is on offer that still waits for signatures."""
    actor, lies, shown = current_actor(), queries.scope_of_view(grant), rules.on_offer(grant)
    if shown is None:
        return ()
    officer = actor.may(P.AGREEMENT_PREPARE, lies)
    may = {Side.CITY: officer or actor.may(P.AGREEMENT_SIGN_CITY, lies), Side.PROGRAMME: officer}
    return tuple(side for side in Side if may[side] and shown.missing(side))


@bp.route("/grants/<ref>/signed/new/<side>", methods=["GET", "POST"])
@requires(P.AGREEMENT_PREPARE, P.AGREEMENT_SIGN_CITY)
def upload_signed(ref: str, side: str) -> Any:
    """A signed document comes in for a side."""
    grant = grant_of(ref)
    whose = next((each for each in Side if each.value == side), None)
    if whose is None:
        raise NotFound
    of = queries.awaited(grant, whose)
    if of is None or whose not in sides_to_upload(grant):
        raise NotAllowed(
            "No signed document of this side is taken from you now: the agreement is not on offer, or it is signed."
        )
    return _upload_form(grant, of)


@bp.route(f"/grants/<ref>/accession/{_PLACE}/signed", methods=["GET", "POST"])
@requires(P.AGREEMENT_ACCEDE, P.AGREEMENT_PREPARE)
def upload_accession(ref: str, place: int) -> Any:
    """A signed form comes in by which a partner accedes."""
    grant = grant_of(ref)
    view = next((each for each in queries.accessions(grant.id) if each.place == place), None)
    if view is None:
        raise NotFound
    of = queries.awaited_of(grant, view)
    if of is None or not _may_upload_for(grant, view):
        raise NotAllowed(
            "No signed document of this partner is taken from you now: who speaks for it uploads one while it is waited for."
        )
    return _upload_form(grant, of)


def _may_upload_for(grant: GrantView, view: AccessionView) -> bool:
    """Whether this person uploads for a partner: an officer, or who speaks for it."""
    actor, lies = current_actor(), queries.scope_of_view(grant)
    if actor.may(P.AGREEMENT_PREPARE, lies):
        return True
    return actor.may(P.AGREEMENT_ACCEDE, lies) and view.organisation_id in queries.speaks_for(actor, grant)


def _upload_form(grant: GrantView, of: Awaited) -> Any:
    form = signed_upload_form(of.signers)
    if form.validate_on_submit():
        with form.refusals():
            incoming = received(form.file, allowed=_PDF)
            if incoming is not None:
                number = _upload(grant, of, form, incoming)
                flash(
                    "The document is uploaded. The program reads it, and a colleague of the programme checks it.",
                    "success",
                )
                return see_other(".signed_upload", ref=grant.reference, number=number)
    shown = page("agreements/upload_signed.html", grant=grant, of=of, form=form)
    return shown, 422 if form.is_submitted() else 200


def _upload(grant: GrantView, of: Awaited, form: Any, incoming: Incoming) -> int:
    actor, given = current_actor(), form.to_input()
    officer = actor.may(P.AGREEMENT_PREPARE, queries.scope_of_view(grant))
    if of.accession is not None:
        act = services.record_accession if officer else services.upload_accession
        return act(actor, grant.id, of.accession.organisation_id, given, incoming)
    if officer:
        return services.upload_signed(actor, grant.id, of.side, given, incoming)
    return services.upload_signed_city(actor, grant.id, given, incoming)


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
    stands = rules.stands(view, grant, queries.accessions(grant.id) if view.place is not None else ())
    others = view.uploaded_by != actor.user_id and all(each.user_id != actor.user_id for each in view.signers)
    checks = view.waits and others and actor.may(P.AGREEMENT_CHECK_SIGNED, queries.scope_of_view(grant))
    forms = {
        "accept": AcceptSignedForm(formdata=None),
        "refuse": RefuseSignedForm(formdata=None),
        "withdraw": WithdrawSignedForm(formdata=None),
        **sent,
    }
    shown = page(
        "agreements/signed_upload.html",
        grant=grant,
        view=view,
        checks=checks,
        stands=stands,
        own=view.waits and view.uploaded_by == actor.user_id,
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
                flash(f"The document is accepted{_done(view) if whole else ''}.", "success")
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


def _done(view: UploadView) -> str:
    """What came of the last signature."""
    return f", and {view.partner} has acceded" if view.partner else ", and it is in force"


@bp.post(f"/grants/<ref>/signed/{_NUMBER}/withdraw")
@requires(P.AGREEMENT_ACCEDE, P.AGREEMENT_PREPARE, P.AGREEMENT_SIGN_CITY)
def withdraw_signed(ref: str, number: int) -> Any:
    (grant, view), form = _one(ref, number), WithdrawSignedForm()
    if form.validate_on_submit():
        try:
            with form.refusals():
                services.withdraw_signed(current_actor(), grant.id, number, words=str(form.words.data))
                flash("The document is withdrawn. Another one can be uploaded.", "success")
                return see_other(".signed_upload", ref=ref, number=number)
        except Conflict as error:
            form.problems.append(str(error))
            return _upload_page(*_one(ref, number), status=409, withdraw=form)
    return _upload_page(grant, view, withdraw=form)


@bp.get(f"/grants/<ref>/signed/{_NUMBER}/document")
@requires(P.AGREEMENT_READ)
def signed_document(ref: str, number: int) -> Any:
    return send(services.open_signed(current_actor(), grant_of(ref).id, number))
