"""Decision letters: each as it would be sent, all of a call to send in one go, and each as it was sent."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.applications import queries, services
from grants.applications.forms import DeedForm, LetterForm, LettersForm
from grants.applications.rules import ApplicationView
from grants.applications.views.frame import bp, left_without_a_tick
from grants.calls import queries as calls
from grants.core.permissions import Permission, Scope
from grants.web import downloads, paging
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/letters")
@requires(Permission.APPLICATION_CHECK)
def letters(slug: str) -> Any:
    """Every letter that waits, in full."""
    return _letters_page(slug, LettersForm())


@bp.post("/calls/<slug>/letters")
@requires(Permission.APPLICATION_CHECK)
def send_letters(slug: str) -> Any:
    """Send those that stay ticked, each by a job of its own."""
    form, call = LettersForm(), calls.call(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            number = services.send_letters(current_actor(), call.id, form.letters(request.form.getlist("letter")))
            flash(f"{number} {'letter is' if number == 1 else 'letters are'} on the way, one by one.", "success")
            return see_other(".letters", slug=slug, after=paging.asked().after, left=left_without_a_tick("letter"))
    return _letters_page(slug, form), 422


@bp.get("/applications/<ref>/letter")
@requires(Permission.APPLICATION_READ)
def letter(ref: str) -> Any:
    """One letter: for the desk as it would be sent, for everybody as it was."""
    return _letter_page(queries.view(current_actor(), ref), None)


@bp.post("/applications/<ref>/letter")
@requires(Permission.APPLICATION_CHECK)
def write_letter(ref: str) -> Any:
    """Keep the words of one's own, and show the letter with them."""
    application, form = queries.view(current_actor(), ref), LetterForm()
    if form.validate_on_submit():
        with form.attempt():
            services.write_letter(current_actor(), application.id, form.note.data or "", form.version_shown())
            return see_other(".letter", ref=ref)
    return _letter_page(application, form), 409 if form.clashed else 422


@bp.get("/applications/<ref>/letter.pdf")
@requires(Permission.APPLICATION_READ)
def letter_pdf(ref: str) -> Any:
    """The letter as it was sent, as PDF."""
    actor = current_actor()
    return downloads.send(services.download_letter(actor, queries.id_of(actor, ref)))


@bp.post("/applications/<ref>/letter/draft")
@requires(Permission.APPLICATION_CHECK)
def preview_letter(ref: str) -> Any:
    """Ask for the letter as the PDF it would be."""
    application, form = queries.view(current_actor(), ref), DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.preview_letter(current_actor(), application.id)
            return see_other(".letter", ref=ref)
    return _letter_page(application, None, form), 422


@bp.get("/applications/<ref>/letter/draft.pdf")
@requires(Permission.APPLICATION_CHECK)
def letter_draft_pdf(ref: str) -> Any:
    """The letter as it would be sent, as PDF."""
    actor = current_actor()
    return downloads.send(services.open_letter_draft(actor, queries.id_of(actor, ref)))


def _letters_page(slug: str, form: LettersForm) -> str:
    actor, call = current_actor(), calls.call(current_actor(), slug)
    rows, outcomes = queries.letters_page(actor, call, paging.asked().after)
    left = left_without_a_tick("letter")
    return page("applications/letters.html", call=call, rows=rows, outcomes=outcomes, left=left, form=form)


def _letter_page(application: ApplicationView, form: LetterForm | None, asking: DeedForm | None = None) -> str:
    found = queries.letter(current_actor(), application)
    if form is not None and form.clashed:
        form.comes_again(found.check_version)
    form = form or LetterForm(formdata=None, data={"note": found.note, "version": str(found.check_version)})
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    return page(
        "applications/letter.html",
        application=application,
        call=application.call,
        letter=found,
        form=form,
        file=queries.letter_file(found.letter_id) if found.letter_id and found.sent_at else None,
        draft=None if found.sent_at else queries.draft_pdf(found),
        asking=asking or DeedForm(formdata=None),
        desk=current_actor().may(Permission.APPLICATION_CHECK, scope)
        and not queries.is_team(current_actor(), application.id),
    )
