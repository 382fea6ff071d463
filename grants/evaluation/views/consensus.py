"""Pages of the consensus: the sheets side by side, what is agreed, and the deeds on it."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.core.errors import Conflict
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    SettleForm,
    SheetForm,
    sheet_form,
)
from grants.evaluation.rules import ConsensusPage
from grants.evaluation.views.frame import READS_CONSENSUS, P, anchors_of, bp, status_of, typed_again
from grants.web.forms import STALE, ContestedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/consensus")
@requires(*READS_CONSENSUS)
def consensus_list() -> Any:
    return page("evaluation/consensus_list.html", rows=queries.consensus_list(current_actor()))


@bp.get("/consensus/<ref>")
@requires(*READS_CONSENSUS)
def consensus(ref: str) -> Any:
    shown = queries.consensus_page(current_actor(), ref)
    return _consensus(shown, _consensus_form(shown))


@bp.post("/consensus/<ref>")
@requires(P.CONSENSUS_WRITE)
def save_consensus(ref: str) -> Any:
    shown = queries.consensus_page(current_actor(), ref)
    form = _consensus_form(shown)
    if form.validate_on_submit():
        try:
            with form.refusals():
                deed = services.propose if request.form.get("go") == "propose" else services.write_consensus
                deed(current_actor(), shown.head.id, form.to_input(), form.version_shown())
                flash("The evaluators are asked to agree." if deed is services.propose else "The consensus is saved.")
                return see_other(".consensus", ref=ref)
        except Conflict:
            stands = queries.consensus_page(current_actor(), ref)
            return _consensus(stands, typed_again(form, stands.version)), 409
    return _consensus(shown, form), 422


def _consensus_form(shown: ConsensusPage, **sent: Any) -> SheetForm:
    said = "What the applicant will read"
    return sheet_form(shown.marking, shown, remark=said, said=shown.text, **sent)


def _consensus(shown: ConsensusPage, form: SheetForm, settle: SettleForm | None = None) -> str:
    wide = {
        criterion.key: rules.is_wide(
            [sheet.mark(criterion.key).half for sheet in shown.sheets],
            criterion.threshold_half,
            shown.marking.most_half(criterion),
        )
        for criterion in shown.criteria
    }
    return page(
        "evaluation/consensus.html", shown=shown, form=form, deed=_deed(shown), wide=wide,
        settle=settle or SettleForm(formdata=None, data={"version": str(shown.version)}), anchors=anchors_of(shown.marking.scale),
        half_words=rules.half_words,
    )  # fmt: skip


def _deed(shown: ConsensusPage) -> ContestedForm:
    return ContestedForm(formdata=None, data={"version": str(shown.version)})


@bp.post("/consensus/<ref>/agree")
@requires(P.CONSENSUS_AGREE)
def agree(ref: str) -> Any:
    form = ContestedForm()
    application_id = queries.consensus_application(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.agree(current_actor(), application_id, form.version_shown())
            flash("You agreed to the consensus.")
            return see_other(".consensus", ref=ref)
    return _refused_deed(ref, form)


@bp.post("/consensus/<ref>/take-back")
@requires(P.CONSENSUS_WRITE)
def take_back(ref: str) -> Any:
    form = ContestedForm()
    application_id = queries.consensus_application(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.take_back(current_actor(), application_id)
            flash("The consensus is a draft again; agreements given before no longer count.")
            return see_other(".consensus", ref=ref)
    return _refused_deed(ref, form)


@bp.post("/consensus/<ref>/settle")
@requires(P.CONSENSUS_WRITE)
def settle(ref: str) -> Any:
    form = SettleForm()
    application_id = queries.consensus_application(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.settle(current_actor(), application_id, form.minority_view.data or "", form.version_shown())
            flash("The consensus stands, with the view that remains beside it.")
            return see_other(".consensus", ref=ref)
    shown = queries.consensus_page(current_actor(), ref)
    if form.clashed:
        form.comes_again(shown.version)
    # The scores have fields of their own: what stands is shown there, nothing of what was sent with the other form.
    return _consensus(shown, _consensus_form(shown, formdata=None), form), status_of(form)


def _refused_deed(ref: str, deed: ContestedForm) -> Any:
    shown = queries.consensus_page(current_actor(), ref)
    form = _consensus_form(shown, formdata=None)
    form.problems += [STALE] if deed.clashed else deed.problems
    return _consensus(shown, form), status_of(deed)
