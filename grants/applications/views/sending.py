"""Checking, sending, the receipt, and taking an application back."""

from __future__ import annotations

from typing import Any

from flask import flash, url_for

from grants.applications import queries, rules, services
from grants.applications.forms import ReasonForm, SubmitForm
from grants.applications.queries import Workplace
from grants.applications.states import PartnerRole
from grants.applications.views.frame import bp, clarified_context, submitted_context, team_context
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.permissions import Permission
from grants.dossiers import rules as dossier_rules
from grants.web import downloads
from grants.web.choosing import chosen as choose
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>/check")
@requires(Permission.APPLICATION_READ)
def check(ref: str) -> Any:
    """Every problem with its link, every answer and the budget on one page."""
    return _check_page(queries.workplace(current_actor(), ref))


def _check_page(place: Workplace, notice: str = "") -> str:
    content = dossier_rules.DossierContent(
        place.dossier.definition, tuple(q.answer for s in place.dossier.sections for q in s.questions)
    )
    ref = place.application.reference
    return page(
        "applications/check.html",
        notice=notice,
        sections=dossier_rules.answered(content),
        change_href=lambda key: url_for(".section", ref=ref, key=key),
        **team_context(place),
    )


@bp.get("/applications/<ref>/submit")
@requires(Permission.APPLICATION_SUBMIT)
def submit(ref: str) -> Any:
    """What sending means, when it counts, and the statement."""
    place = queries.workplace(current_actor(), ref)
    return _submit_page(place, SubmitForm(data={"fingerprint": place.fingerprint}))


@bp.post("/applications/<ref>/submit")
@requires(Permission.APPLICATION_SUBMIT)
def send(ref: str) -> Any:
    """Send it."""
    form, place = SubmitForm(), queries.workplace(current_actor(), ref)
    if form.validate_on_submit():
        with form.refusals():
            try:
                services.submit(current_actor(), place.application.id, form.fingerprint.data or None)
            except rules.ContentChanged as error:
                return _check_page(queries.workplace(current_actor(), ref), str(error)), 409
            return see_other(".receipt", ref=ref)
    return _submit_page(place, form), 422


def _submit_page(place: Workplace, form: SubmitForm) -> str:
    return page("applications/submit.html", form=form, now_exactly=_now(place), **team_context(place))


def _now(place: Workplace) -> str:
    return rules.exactly(clock.now(), place.application.call.zone)


@bp.get("/applications/<ref>/receipt")
@requires(Permission.APPLICATION_READ)
def receipt(ref: str) -> Any:
    """The proof of what was received, when, and its hash; older versions below."""
    application, versions = queries.with_versions(current_actor(), ref)
    if not versions:
        raise NotFound
    known, problems = {str(version.number): version for version in versions}, list[str]()
    chosen = choose("version", "version", known, problems) or versions[0]
    sent, printed, sender = queries.with_proof(current_actor(), ref, chosen)
    lead = next(member for member in sent.consortium if member.role is PartnerRole.COORDINATOR)
    return page(
        "applications/receipt.html",
        application=application,
        call=application.call,
        chosen=chosen,
        problems=problems,
        versions=versions,
        files=printed,
        sent_files=sent.files,
        received=rules.received_lines(chosen.submitted_at, application.call.zone, lead.country_code),
        registered=queries.registered(chosen.id),
        sender=sender,
        editable=application.editable(clock.now()),
        rules=rules,
    )


@bp.get("/applications/<ref>/receipt/<int(max=2147483647):number>.pdf")
@requires(Permission.APPLICATION_READ)
def receipt_pdf(ref: str, number: int) -> Any:
    """The receipt as a PDF, once it is made."""
    actor = current_actor()
    return downloads.send(services.download_receipt(actor, queries.id_of(actor, ref), number))


@bp.get("/applications/<ref>/print")
@requires(Permission.APPLICATION_READ)
def print_view(ref: str) -> Any:
    """The whole application on one page: the draft for the team, for staff what was submitted."""
    actor = current_actor()
    application = queries.view(actor, ref)
    if not queries.is_team(actor, application.id) or application.dossier_id is None:
        context = submitted_context(application)
        sent = context["content"].files if context["content"] else ()
        names = {str(file.file_id): file.name for file in sent}
        return page("applications/print.html", file_names=names, file_hashes=sent, draft=False, **context)
    place = queries.workplace_of(application, reader=actor)
    return page(
        "applications/print.html",
        application=place.application,
        call=application.call,
        register=queries.register_now(place),
        serves=place.serves,
        sections=dossier_rules.answered(place.dossier.content),
        budget=place.budget,
        file_names=place.file_names,
        file_hashes=place.files,
        draft=application.submission is None or place.changed_since_submission,
        **clarified_context(application, place.clarified),
    )


@bp.get("/applications/<ref>/withdraw")
@requires(Permission.APPLICATION_WITHDRAW)
def withdraw(ref: str) -> Any:
    """What withdrawing means, for whoever may."""
    actor, application = current_actor(), queries.view(current_actor(), ref)
    if application.id not in actor.places(Permission.APPLICATION_WITHDRAW, "application"):
        raise NotFound
    return page("applications/withdraw.html", form=ReasonForm(), application=application)


@bp.post("/applications/<ref>/withdraw")
@requires(Permission.APPLICATION_WITHDRAW)
def take_back(ref: str) -> Any:
    """Withdraw it."""
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.withdraw(current_actor(), queries.team_id_of(current_actor(), ref), form.reason.data or "")
            flash("The application is withdrawn.", "success")
            return see_other(".show", ref=ref)
    return page("applications/withdraw.html", form=form, application=queries.view(current_actor(), ref)), 422
