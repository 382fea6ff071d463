"""Pages on which a published call is changed: the working copy, its parts, and its publication."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import flash, request

from grants.calls import queries, rules, services
from grants.calls.forms import CorrigendumForm, DeedForm, ImportForm, WordingForm
from grants.calls.queries import WorkingCopy
from grants.calls.rules import CallSummary, CallView
from grants.calls.states import CallState, Phase
from grants.calls.views.building import bp, preview_page
from grants.calls.views.parts import Edited
from grants.calls.views.sections import any_part, question_page, take_out_page
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires, see_other

# The pages of the working copy.
PARTS = {
    "home": "calls.correcting",
    "part": "calls.correct_part",
    "entry": "calls.correct_entry",
    "question": "calls.correct_question",
    "out": "calls.taking_out_of_copy",
}


@bp.get("/<slug>/corrigendum")
@requires(Permission.CALL_MANAGE, Permission.CALL_PUBLISH)
def correcting(slug: str) -> Any:
    """The working copy with what differs, its parts, and how it is published."""
    return _copy_page(_copy(slug), None)


@bp.get("/<slug>/corrigendum/preview")
@requires(Permission.CALL_MANAGE, Permission.CALL_PUBLISH)
def preview_copy(slug: str) -> Any:
    """The form of the working copy as an applicant would see it, with what differs from the public one marked."""
    copy = _copy(slug)
    return preview_page(copy.call, rules.content_of(copy.fields), ends=PARTS, before=copy.call.content.definition)


@bp.post("/<slug>/corrigendum/publish")
@requires(Permission.CALL_PUBLISH)
def publish_corrigendum(slug: str) -> Any:
    form = CorrigendumForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            given = form.to_input()
            return _after(
                services.publish_corrigendum(current_actor(), call_id, given, version=form.version_shown()),
            )
    return _copy_page(_copy(slug), form), 422


@bp.post("/<slug>/corrigendum/wording")
@requires(Permission.CALL_PUBLISH)
def correct_wording(slug: str) -> Any:
    form = WordingForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id, note = queries.id_of(current_actor(), slug), form.note.data or ""
            return _after(services.correct_wording(current_actor(), call_id, note, version=form.version_shown()))
    return _copy_page(_copy(slug), form), 422


@bp.post("/<slug>/corrigendum/discard")
@requires(Permission.CALL_MANAGE)
def discard_copy(slug: str) -> Any:
    form = DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            return _after(services.discard_copy(current_actor(), call_id, version=form.version_shown()))
    return _copy_page(_copy(slug), form), 422


@bp.get("/<slug>/corrigendum/file")
@requires(Permission.CALL_MANAGE)
def correct_file(slug: str) -> Any:
    call = _copy(slug).call
    if _closed(call):
        return see_other("calls.correcting", slug=slug)
    return page("calls/corrigendum_file.html", call=call, form=ImportForm(version=call.version))


@bp.post("/<slug>/corrigendum/file")
@requires(Permission.CALL_MANAGE)
def take_file(slug: str) -> Any:
    form = ImportForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id, text = queries.id_of(current_actor(), slug), form.to_input()
            return _after(services.replace_copy(current_actor(), call_id, text, version=form.version_shown()))
    return page("calls/corrigendum_file.html", call=_copy(slug).call, form=form), 422


@bp.get("/<slug>/corrigendum/parts/<key>")
@requires(Permission.CALL_MANAGE)
def correct_part(slug: str, key: str) -> Any:
    """One part of the working copy, by the forms of the builder."""
    return _part(slug, key, None)


@bp.post("/<slug>/corrigendum/parts/<key>")
@requires(Permission.CALL_MANAGE)
def save_corrected_part(slug: str, key: str) -> Any:
    return _part(slug, key, None)


@bp.get("/<slug>/corrigendum/parts/<key>/<int(max=2147483647):number>")
@requires(Permission.CALL_MANAGE)
def correct_entry(slug: str, key: str, number: int) -> Any:
    """One entry of a part that is a list; the number after the last is a new one."""
    return _part(slug, key, number)


@bp.post("/<slug>/corrigendum/parts/<key>/<int(max=2147483647):number>")
@requires(Permission.CALL_MANAGE)
def save_corrected_entry(slug: str, key: str, number: int) -> Any:
    return _part(slug, key, number)


@bp.get("/<slug>/corrigendum/parts/<key>/<int(max=2147483647):number>/questions/<int(max=2147483647):place>")
@requires(Permission.CALL_MANAGE)
def correct_question(slug: str, key: str, number: int, place: int) -> Any:
    """One question of the working copy, by the form of the builder."""
    return _of_copy(slug, key, lambda edited: question_page(edited, key, number, place))


@bp.post("/<slug>/corrigendum/parts/<key>/<int(max=2147483647):number>/questions/<int(max=2147483647):place>")
@requires(Permission.CALL_MANAGE)
def save_corrected_question(slug: str, key: str, number: int, place: int) -> Any:
    return _of_copy(slug, key, lambda edited: question_page(edited, key, number, place))


@bp.get("/<slug>/corrigendum/parts/<key>/<int(max=2147483647):number>/take-out")
@requires(Permission.CALL_MANAGE)
def taking_out_of_copy(slug: str, key: str, number: int) -> Any:
    """Ask before an entry or a question is taken out of the working copy, with what hangs on it."""
    return _of_copy(slug, key, lambda edited: take_out_page(edited, key, number))


@bp.post("/<slug>/corrigendum/parts/<key>/<int(max=2147483647):number>/take-out")
@requires(Permission.CALL_MANAGE)
def take_out_of_copy(slug: str, key: str, number: int) -> Any:
    return _of_copy(slug, key, lambda edited: take_out_page(edited, key, number))


def _part(slug: str, key: str, number: int | None) -> Any:
    return _of_copy(slug, key, lambda edited: any_part(edited, key, number))


def _of_copy(slug: str, key: str, shown: Callable[[Edited], Any]) -> Any:
    actor, copy = current_actor(), _copy(slug)
    if key in rules.FIXED:
        raise NotFound
    if request.method == "GET" and _closed(copy.call):
        return see_other("calls.correcting", slug=slug)
    save = partial(services.edit_copy, actor, copy.call.id)
    return shown(Edited(copy.call, copy.fields, PARTS, save, lambda: _copy(slug).fields))


def _closed(call: CallView) -> bool:
    """Whether nothing of it changes any more; its page says so, instead of a form that would be refused."""
    return call.phase(clock.now()) is Phase.CLOSED


def _copy(slug: str) -> WorkingCopy:
    """The working copy of a published call; there is none of any other."""
    found = queries.working_copy(current_actor(), slug, clock.now())
    if found.call.state is not CallState.PUBLISHED:
        raise NotFound
    return found


def _copy_page(copy: WorkingCopy, form: DeedForm | None) -> str:
    version = copy.call.version
    return page(
        "calls/corrigendum.html",
        call=copy.call,
        copy=copy,
        grouped=rules.grouped(copy.facts),
        fixed=rules.FIXED,
        note=rules.correction_note(copy.changes) if copy.is_wording else "",
        publishing=form if isinstance(form, CorrigendumForm) else CorrigendumForm(formdata=None, version=version),
        wording=form if isinstance(form, WordingForm) else WordingForm(formdata=None, version=version),
        deed=form if type(form) is DeedForm else DeedForm(formdata=None, version=version),
        form=form,
    )


def _after(done: CallSummary) -> Any:
    for sentence in done.notes:
        flash(sentence, "success")
    return see_other("calls.correcting", slug=done.slug)
