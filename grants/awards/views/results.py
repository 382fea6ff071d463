"""Pages of the results: published, and read by the applicant."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash

from grants.applications import rules as application_rules
from grants.awards import queries, services
from grants.awards.forms import ConfirmForm, PublishForm, ReturnForm
from grants.awards.forms.withholding import ConfirmWithheldForm, NameAgainForm, WithholdForm
from grants.awards.queries.publication import READS_RESULTS, PublishingPage
from grants.awards.rules import (
    NEXT_WORDS,
    OUTCOME_WORDS,
    Decided,
    PublicationView,
    points,
    refuse_unpublishable,
)
from grants.awards.rules.publication import Withheld
from grants.awards.states import WithheldGround
from grants.awards.views.frame import P, bp
from grants.core import clock
from grants.core.errors import Refused
from grants.core.permissions import Scope
from grants.evaluation.rules import anchor_words
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/results")
@requires(*READS_RESULTS)
def publishing(slug: str) -> Any:
    return _publishing(slug)


@bp.post("/calls/<slug>/results")
@requires(P.SELECTION_PUBLISH_RESULTS)
def propose_results(slug: str) -> Any:
    """One person proposes from when the results are public."""
    call = queries.publishing(current_actor(), slug).call
    form = PublishForm()
    if form.validate_on_submit():
        with form.attempt():
            services.propose_results(
                current_actor(), call.id, form.to_input(), form.version_shown(), form.without_letters.data or ""
            )
            flash("The publication is proposed. Another person must publish the results.")
            return see_other(".publishing", slug=slug)
    return _publishing(slug, form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/results/publish")
@requires(P.SELECTION_CONFIRM)
def publish_results(slug: str) -> Any:
    """The second person publishes them."""
    form, waiting = ConfirmForm(), _waiting(slug)
    if waiting is not None and form.validate_on_submit():
        with form.attempt():
            at = services.publish_results(current_actor(), waiting.id, form.version_shown())
            flash(_published_words(at))
            return see_other(".publishing", slug=slug)
    return _second(slug, form, waiting)


@bp.post("/calls/<slug>/results/return")
@requires(P.SELECTION_CONFIRM)
def return_results(slug: str) -> Any:
    """The second person gives the publication back."""
    form, waiting = ReturnForm(), _waiting(slug)
    if waiting is not None and form.validate_on_submit():
        with form.attempt():
            services.return_results(current_actor(), waiting.id, form.reason.data or "", form.version_shown())
            flash("The publication is returned. It can be proposed again.")
            return see_other(".publishing", slug=slug)
    return _second(slug, form, waiting)


@bp.post("/calls/<slug>/results/withhold")
@requires(P.SELECTION_PUBLISH_RESULTS)
def withhold_award(slug: str) -> Any:
    """Keep one award from what everybody reads, with the reason."""
    form = WithholdForm().offer(queries.publishing(current_actor(), slug).named)
    if form.validate_on_submit():
        with form.attempt():
            ground = WithheldGround(form.ground.data)
            services.withholding.withhold(current_actor(), UUID(form.award.data), ground, form.why.data or "")
            flash(
                "The award is withheld. The page of its call names it to nobody. Another person confirms or ends it; "
                "whoever publishes here is told.",
                "success",
            )
            return see_other(".publishing", slug=slug)
    return _publishing(slug, sent=form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/results/confirm-withheld")
@requires(P.SELECTION_CONFIRM)
def confirm_withheld(slug: str) -> Any:
    """Another person confirms that an award is withheld."""
    form, shown = ConfirmWithheldForm(), queries.publishing(current_actor(), slug)
    entry = next((each.entry for each in shown.withheld if form.entry.data == str(each.entry)), None)
    if entry is None:
        form.clashed = "It is not withheld any more. This page shows how it stands."
    elif form.validate_on_submit():
        with form.attempt():
            services.withholding.confirm(current_actor(), entry)
            flash("It is confirmed: the award stays withheld until it is named again.", "success")
            return see_other(".publishing", slug=slug)
    return _publishing(slug, sent=form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/results/name-again")
@requires(P.SELECTION_CONFIRM)
def name_award_again(slug: str) -> Any:
    """Another person ends that an award is withheld."""
    form = NameAgainForm().offer(_to_name(queries.publishing(current_actor(), slug)))
    if form.validate_on_submit():
        with form.attempt():
            services.withholding.name_again(current_actor(), UUID(form.entry.data), form.end_reason.data or "")
            flash("The award is withheld no more.", "success")
            return see_other(".publishing", slug=slug)
    return _publishing(slug, sent=form), 409 if form.clashed else 422


def _to_name(shown: PublishingPage) -> list[Withheld]:
    """What this person may name again: somebody else withheld it by name."""
    own = current_actor().user_id
    return [each for each in shown.withheld if each.entry is not None and each.withheld_by != own]


def _confirming(withheld: Withheld, user_id: UUID | None) -> ConfirmWithheldForm | None:
    """The form that confirms it; none for whoever withheld it."""
    if withheld.withheld_by == user_id:
        return None
    return ConfirmWithheldForm(formdata=None, data={"entry": str(withheld.entry)})


def _waiting(slug: str) -> PublicationView | None:
    return queries.publishing(current_actor(), slug).waiting


def _second(slug: str, form: ConfirmForm | ReturnForm, waiting: PublicationView | None) -> Any:
    if waiting is None:
        form.clashed = "No publication waits for a second person any more. This page shows what became of it."
    if form.clashed:
        form.problems.append(form.clashed)
    return _publishing(slug, None, form), 409 if form.clashed else 422


def _published_words(at: datetime) -> str:
    return "The results are public." if at <= clock.now() else "The moment is set. Until then nothing is public."


def _publishing(
    slug: str,
    form: PublishForm | None = None,
    second: ConfirmForm | ReturnForm | None = None,
    sent: WithholdForm | ConfirmWithheldForm | NameAgainForm | None = None,
) -> str:
    actor = current_actor()
    shown = queries.publishing(actor, slug)
    call, to_name = shown.call, _to_name(shown)
    if sent is not None and sent.clashed:
        sent.problems.append(sent.clashed)
        sent.try_again(0)
    if form is not None and form.clashed:
        form.comes_again(call.version)
    place, waiting = Scope.of(("call", call.id)), shown.waiting
    version = "" if waiting is None else str(waiting.version)
    return page(
        "awards/publishing.html", call=call, results=shown.results, withheld=shown.withheld, none_selected=shown.none_selected, to_declare=shown.to_declare,
        gone=shown.gone,
        public=call.results_are_public(clock.now()), why_not=_unpublishable(shown.decided),
        form=form or PublishForm.of(call), waiting=waiting, sent=second or sent, named=shown.named, to_name=to_name,
        withhold_form=sent if isinstance(sent, WithholdForm) else WithholdForm(formdata=None).offer(shown.named),
        alone=[(each, _confirming(each, actor.user_id)) for each in shown.withheld if each.waits], looked_at=clock.now(),
        name_form=sent if isinstance(sent, NameAgainForm) else NameAgainForm(formdata=None).offer(to_name),
        untold=queries.letters.unsent(call.id), may_propose=actor.may(P.SELECTION_PUBLISH_RESULTS, place),
        may_end=actor.may(P.SELECTION_CONFIRM, place), may_publish=actor.may(P.SELECTION_CONFIRM, place)
        and (waiting is None or waiting.prepared_by_id != actor.user_id),
        confirm_form=ConfirmForm(formdata=None, data={"version": version}),
        return_form=second if isinstance(second, ReturnForm) else ReturnForm(formdata=None, data={"version": version}),
    )  # fmt: skip


@bp.get("/applications/<ref>/result")
@requires(P.APPLICATION_READ)
def result(ref: str) -> Any:
    """How an application fared and why, for its team."""
    shown = queries.result(current_actor(), ref, clock.now())
    call = shown.application.call
    complained, until = queries.own_complaints.own_way(shown.application, clock.now())
    return page(
        "awards/result.html", shown=shown, application=shown.application, call=call, half_words=points,
        rules=application_rules, outcome_words=OUTCOME_WORDS, next_words=NEXT_WORDS,
        redress=call.fact("evaluation.redress"),
        complained=complained, complains_until=until, anchors=anchor_words, marking=call.content.marking,
    )  # fmt: skip


def _unpublishable(found: Decided) -> str:
    """Why the results cannot be published yet, in words; empty when they can."""
    try:
        refuse_unpublishable(found)
    except Refused as error:
        return str(error)
    return ""
