"""Pages of the results: published, and read by the applicant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash

from grants.applications import rules as application_rules
from grants.awards import queries, services
from grants.awards.forms import PublishForm
from grants.awards.rules import (
    NEXT_WORDS,
    OUTCOME_WORDS,
    Decided,
    points,
    refuse_unpublishable,
)
from grants.awards.views.frame import P, bp
from grants.core import clock
from grants.core.errors import Refused
from grants.evaluation.rules import anchor_words
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/results")
@requires(P.SELECTION_PUBLISH_RESULTS)
def publishing(slug: str) -> Any:
    return _publishing(slug)


@bp.post("/calls/<slug>/results")
@requires(P.SELECTION_PUBLISH_RESULTS)
def publish_results(slug: str) -> Any:
    call, _, _ = queries.publishing(current_actor(), slug)
    form = PublishForm()
    if form.validate_on_submit():
        with form.attempt():
            at = services.publish_results(current_actor(), call.id, form.to_input(), form.version_shown())
            flash(_published_words(at))
            return see_other(".publishing", slug=slug)
    return _publishing(slug, form), 409 if form.clashed else 422


def _published_words(at: datetime) -> str:
    return "The results are public." if at <= clock.now() else "The moment is set. Until then nothing is public."


def _publishing(slug: str, form: PublishForm | None = None) -> str:
    call, found, results = queries.publishing(current_actor(), slug)
    if form is not None and form.clashed:
        form.comes_again(call.version)
    return page(
        "awards/publishing.html", call=call, results=results, public=call.results_are_public(clock.now()),
        why_not=_unpublishable(found), form=form or PublishForm.of(call),
    )  # fmt: skip


@bp.get("/applications/<ref>/result")
@requires(P.APPLICATION_READ)
def result(ref: str) -> Any:
    """How an application fared and why, for its team."""
    shown, letter = queries.result(current_actor(), ref, clock.now()), queries.letters.sent_at(current_actor(), ref)
    call = shown.application.call
    return page(
        "awards/result.html", shown=shown, application=shown.application, call=call, half_words=points,
        rules=application_rules, outcome_words=OUTCOME_WORDS, next_words=NEXT_WORDS,
        redress=call.fact("evaluation.redress"), letter_sent=letter, anchors=anchor_words, marking=call.content.marking,
    )  # fmt: skip


def _unpublishable(found: Decided) -> str:
    """Why the results cannot be published yet, in words; empty when they can."""
    try:
        refuse_unpublishable(found)
    except Refused as error:
        return str(error)
    return ""
