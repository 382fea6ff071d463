"""The page on which the descriptions of awards are written and confirmed."""

from __future__ import annotations

from typing import Any

from flask import flash, url_for

from grants.awards import queries, services
from grants.awards.forms import ConfirmForm
from grants.awards.forms.describing import DescriptionForm
from grants.awards.queries.describing import DescriptionsPage
from grants.awards.queries.publication import READS_RESULTS
from grants.awards.rules.describing import DescribedAward, described_words
from grants.awards.views.frame import P, bp
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.permissions import Scope
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/results/descriptions")
@requires(*READS_RESULTS)
def descriptions(slug: str) -> Any:
    return _descriptions(queries.descriptions(current_actor(), slug))


@bp.post("/calls/<slug>/results/descriptions/<ref>")
@requires(P.SELECTION_PUBLISH_RESULTS)
def describe(slug: str, ref: str) -> Any:
    """Write what everybody reads of one award."""
    form, (shown, award) = DescriptionForm(), _opened(slug, ref)
    if form.validate_on_submit():
        with form.attempt():
            services.describing.describe(
                current_actor(), award.application_id, form.text.data or "", form.version_shown()
            )
            flash("The description is kept. Another person confirms it before everybody reads it.", "success")
            return see_other(".descriptions", slug=slug, _anchor=ref)
    return _descriptions(shown, award, form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/results/descriptions/<ref>/confirm")
@requires(P.SELECTION_CONFIRM)
def confirm_description(slug: str, ref: str) -> Any:
    """Another person confirms the newest version."""
    form, (shown, award) = ConfirmForm(), _opened(slug, ref)
    if form.validate_on_submit():
        with form.attempt():
            services.describing.confirm(current_actor(), award.application_id, form.version_shown() or 0)
            flash("The description is confirmed.", "success")
            return see_other(".descriptions", slug=slug, _anchor=ref)
    if form.clashed:
        form.problems.append(form.clashed)
    return _descriptions(shown, award, form), 409 if form.clashed else 422


def _opened(slug: str, ref: str) -> tuple[DescriptionsPage, DescribedAward]:
    shown = queries.descriptions(current_actor(), slug)
    award = shown.about(ref)
    if award is None or award.from_source:
        raise NotFound
    return shown, award


def _descriptions(
    shown: DescriptionsPage, award: DescribedAward | None = None, sent: DescriptionForm | ConfirmForm | None = None
) -> str:
    actor, call = current_actor(), shown.call
    if isinstance(sent, DescriptionForm) and sent.clashed and award is not None:
        sent.comes_again(award.number)
    place = Scope.of(("call", call.id))
    writes, confirms = (actor.may(each, place) for each in (P.SELECTION_PUBLISH_RESULTS, P.SELECTION_CONFIRM))
    forms = {
        row.reference: sent if isinstance(sent, DescriptionForm) and row is award else DescriptionForm.of(row)
        for row in shown.rows
        if writes and not row.from_source
    }
    confirming = {
        row.reference: ConfirmForm(formdata=None, data={"version": str(row.number)})
        for row in shown.rows
        if confirms and row.waits and row.written_by != actor.user_id
    }
    return page(
        "awards/descriptions.html",
        call=call,
        shown=shown,
        forms=forms,
        confirming=confirming,
        sent=sent,
        words=described_words(shown.described, len(shown.rows)),
        public=call.results_are_public(clock.now()),
        back=url_for(".publishing", slug=call.slug),
    )
