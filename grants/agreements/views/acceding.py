"""Pages of the accession of partners: where each stands, who may sign for it, and its signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import flash, request

from grants.agreements import queries, rules, services
from grants.agreements.forms import (
    AccedeForm,
    AcceptForm,
    EndAccessionForm,
    ReturnForm,
    about,
    partner_power_form,
)
from grants.agreements.rules import AccessionView, GrantView, power_in
from grants.agreements.states import ConditionKey, ConditionStanding, GrantState
from grants.agreements.views.conditions import incoming_of
from grants.agreements.views.frame import P, bp, grant_of, this_day
from grants.core.errors import Conflict, NotAllowed, NotFound
from grants.identity import queries as identity
from grants.web.downloads import send
from grants.web.routing import current_actor, page, requires, see_other

_PLACE = "<int(max=9999):place>"
KEY = ConditionKey.POWER_TO_SIGN


@bp.get("/grants/<ref>/accession")
@requires(P.AGREEMENT_READ)
def accessions(ref: str) -> Any:
    """Every partner that was asked to accede, for both sides."""
    grant = grant_of(ref)
    return page("agreements/accessions.html", grant=grant, found=queries.accessions(grant.id), today=this_day())


@bp.route(f"/grants/<ref>/accession/{_PLACE}", methods=["GET", "POST"])
@requires(P.AGREEMENT_READ)
def accession(ref: str, place: int) -> Any:
    """One partner: what was stated about its power to sign, its signatures, and the forms of whoever is asked."""
    found = _one(ref, place)
    grant, part = found.grant, found.view.part(this_day())
    form = _power_form(found)
    if request.method == "POST" and form is None:
        raise NotAllowed("Whoever speaks for this partner states it, while its accession is waited for.")
    if form is not None and form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(part)
                act = services.state_power if found.speaks else services.record_power
                act(current_actor(), grant.id, form.given(KEY, part), incoming_of(form))
                flash("It is recorded. A colleague of the programme looks at it.", "success")
                return see_other(".accession", ref=ref, place=place)
        except Conflict as error:
            return _clashed(ref, place, form, error, power=form)
    return _accession(found, power=form)


@dataclass(frozen=True, slots=True)
class Place:
    """One partner that was asked to accede, in its grant, and whether this person accedes for it."""

    grant: GrantView
    view: AccessionView
    speaks: bool


def _one(ref: str, place: int) -> Place:
    grant, actor = grant_of(ref), current_actor()
    asked, own = queries.accessions_for(actor, grant)
    view = next((each for each in asked if each.place == place), None)
    if view is None:
        raise NotFound
    may = actor.may(P.AGREEMENT_ACCEDE, queries.scope_of_view(grant))
    return Place(grant, view, may and view.organisation_id in own)


def _is_waited_for(grant: GrantView, view: AccessionView) -> bool:
    return view.is_open and grant.state is GrantState.IN_FORCE


def _power_form(found: Place, **options: Any) -> Any:
    """The form for whoever states who may sign: the partner, or an officer from what the partner sent."""
    grant, view = found.grant, found.view
    officer = current_actor().may(P.AGREEMENT_PREPARE, queries.scope_of_view(grant))
    if not _is_waited_for(grant, view) or not (officer or found.speaks):
        return None
    return partner_power_form(view.part(this_day()), identity.members(view.organisation_id), **options)


def _accession(found: Place, *, status: int = 422, **sent: Any) -> Any:
    """The page with its forms; ``sent`` is the one that came, under the name it has on the page."""
    grant, view, actor, today = found.grant, found.view, current_actor(), this_day()
    part, waits = view.part(today), _is_waited_for(grant, view)
    officer = actor.may(P.AGREEMENT_PREPARE, queries.scope_of_view(grant))
    stated = part.standing is ConditionStanding.ANSWERED and part.answer is not None
    in_force = grant.versions[-1]
    fresh = {"about": about(part), "number": str(part.number), "document_sha256": in_force.sha256}
    power = power_in(view.power(today))
    forms = {
        "accept": AcceptForm(formdata=None, data=fresh),
        "give_back": ReturnForm(formdata=None, data=fresh),
        "accede": AccedeForm(formdata=None, data=fresh),
        "end": EndAccessionForm(formdata=None, data=fresh),
        "power": sent["power"] if "power" in sent else _power_form(found, formdata=None),
        **{name: form for name, form in sent.items() if name != "power"},
    }
    uploads, printed = queries.uploads_and_papers(grant.id)
    came = any(form is not None and form.is_submitted() for form in sent.values())
    shown = page(
        "agreements/accession.html",
        grant=grant,
        view=view,
        part=part,
        in_force=in_force,
        judges=waits and officer and stated and part.answer is not None and part.answer.stated_by != actor.user_id,
        signs=waits
        and power is not None
        and actor.user_id in power.signer_ids
        and all((each.signed_by, each.version_no) != (actor.user_id, in_force.number) for each in view.signatures),
        ends=waits and officer,
        missing=view.missing(in_force.number, today),
        papers=_papers(grant, view, printed),
        uploads=[each for each in uploads if each.place == view.place],
        # Who states the power of a partner uploads for it too: an officer, or who speaks for it, while it is waited for.
        takes_upload=forms["power"] is not None and bool(view.possible()),
        today=today,
        **forms,
    )
    return shown, status if came else 200


def _clashed(ref: str, place: int, form: Any, error: Conflict, **sent: Any) -> Any:
    """What was typed comes back beside what stands now."""
    found = _one(ref, place)
    part = found.view.part(this_day())
    form.problems.append(str(error))
    form.try_again(0)
    form.number.data, form.number.raw_data = str(part.number), None
    form.about.data, form.about.raw_data = about(part), None
    return _accession(found, status=409, **sent)


@bp.get(f"/grants/<ref>/accession/{_PLACE}/form.pdf")
@requires(P.AGREEMENT_READ)
def accession_form(ref: str, place: int) -> Any:
    """The form of the version in force, to be signed elsewhere."""
    found = _one(ref, place)
    return _paper(found.grant, rules.accession_form_role(found.view.id, found.grant.versions[-1].number))


@bp.get(f"/grants/<ref>/accession/{_PLACE}.pdf")
@requires(P.AGREEMENT_READ)
def accession_pdf(ref: str, place: int) -> Any:
    """The accession that was made, on paper."""
    found = _one(ref, place)
    return _paper(found.grant, rules.accession_role(found.view.id))


@bp.get(f"/grants/<ref>/accession/{_PLACE}-signed.pdf")
@requires(P.AGREEMENT_READ)
def certified_accession(ref: str, place: int) -> Any:
    """The same, signed by the certificate of the programme."""
    found = _one(ref, place)
    return _paper(found.grant, rules.certified_of(rules.accession_role(found.view.id)))


def _paper(grant: GrantView, role: str) -> Any:
    return send(services.open_document(current_actor(), grant.id, role))


def _papers(grant: GrantView, view: AccessionView, printed: frozenset[str]) -> frozenset[str]:
    """Which of its papers are made by now, by their names in the page."""
    done = rules.accession_role(view.id)
    named = {
        "form": rules.accession_form_role(view.id, grant.versions[-1].number),
        "done": done,
        "certified": rules.certified_of(done),
    }
    return frozenset(name for name, role in named.items() if role in printed)


@bp.post(f"/grants/<ref>/accession/{_PLACE}/accept")
@requires(P.AGREEMENT_PREPARE)
def accept_power(ref: str, place: int) -> Any:
    form = AcceptForm()
    return _judge(ref, place, form, services.accept_power, "The power to sign is accepted.", accept=form)


@bp.post(f"/grants/<ref>/accession/{_PLACE}/return")
@requires(P.AGREEMENT_PREPARE)
def return_power(ref: str, place: int) -> Any:
    form = ReturnForm()
    return _judge(ref, place, form, services.return_power, "It is returned. Who stated it is told.", give_back=form)


def _judge(ref: str, place: int, form: Any, act: Any, told: str, **sent: Any) -> Any:
    found = _one(ref, place)
    grant, part = found.grant, found.view.part(this_day())
    if form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(part)
                act(current_actor(), grant.id, form.given(KEY, part))
                flash(told, "success")
                return see_other(".accession", ref=ref, place=place)
        except Conflict as error:
            return _clashed(ref, place, form, error, **sent)
    return _accession(found, **sent)


@bp.post(f"/grants/<ref>/accession/{_PLACE}/sign")
@requires(P.AGREEMENT_ACCEDE)
def accede(ref: str, place: int) -> Any:
    found, form = _one(ref, place), AccedeForm()
    grant, view = found.grant, found.view
    if form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(view.part(this_day()))
                whole = services.accede(
                    current_actor(),
                    grant.id,
                    view.organisation_id,
                    capacity=str(form.sign_as.data),
                    document_sha256=str(form.document_sha256.data),
                )
                done = f"{view.name} has acceded to the agreement."
                flash(done if whole else "You have signed. It waits for the others whom the power names.", "success")
                return see_other(".accession", ref=ref, place=place)
        except Conflict as error:
            return _clashed(ref, place, form, error, accede=form)
    return _accession(found, accede=form)


@bp.post(f"/grants/<ref>/accession/{_PLACE}/end")
@requires(P.AGREEMENT_PREPARE)
def end_accession(ref: str, place: int) -> Any:
    found, form = _one(ref, place), EndAccessionForm()
    grant, view = found.grant, found.view
    if form.validate_on_submit():
        try:
            with form.refusals():
                form.refuse_other(view.part(this_day()))
                services.end_accession(current_actor(), grant.id, view.organisation_id, reason=str(form.reason.data))
                flash(f"{view.name} is not waited for any more. Everybody is told by mail.", "success")
                return see_other(".accession", ref=ref, place=place)
        except Conflict as error:
            return _clashed(ref, place, form, error, end=form)
    return _accession(found, end=form)
