"""Pages of the consensus: the sheets side by side, what is agreed, and the deeds on it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from flask import flash, request

from grants.core.errors import Conflict
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    DissentForm,
    ReopenConsensusForm,
    SettleForm,
    SheetForm,
    sheet_form,
)
from grants.evaluation.rules import ConsensusPage
from grants.evaluation.views.contested import (
    Meanwhile,
    meanwhile_of,
    numbers_carried,
    shown_in,
    take_sides,
    words_of,
)
from grants.evaluation.views.frame import READS_CONSENSUS, P, anchors_of, bp, typed_again
from grants.evaluation.views.quoted import quoted, read_at
from grants.web import paging
from grants.web.forms import STALE, ContestedForm, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/consensus")
@requires(*READS_CONSENSUS)
def consensus_list() -> Any:
    of_call = request.args.get("call", "")
    rows, calls = queries.consensus_list_and_calls(current_actor(), paging.asked(), of_call)
    return page("evaluation/consensus_list.html", rows=rows, calls=calls, of_call=of_call)


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
    take_sides(form)
    if "use" in request.form and shown.writable:
        return _consensus(_as_sent(shown), form, taken=_take_words(shown, form, request.form["use"]))
    if "use" in request.form:
        # Others may have put it to the evaluators meanwhile: words that no field takes are not said to be in one.
        form.problems.append(shown.shut_words)
    elif form.validate_on_submit():
        try:
            with form.refusals():
                deed = services.propose if request.form.get("go") == "propose" else services.write_consensus
                seen = shown_in(queries.consensus_form(shown))
                # With the number of each field, only what somebody else wrote stands in the way.
                version = form.version_shown() if seen is None else None
                deed(current_actor(), shown.head.id, form.to_input(), version, seen)
                flash("The evaluators are asked to agree." if deed is services.propose else "The consensus is saved.")
                return see_other(".consensus", ref=ref)
        except Conflict as error:
            stands = queries.consensus_page(current_actor(), ref)
            if not stands.writable:
                form.problems.append(f"{STALE} {stands.shut_words}")
                return _consensus(stands, form, left=form), 409
            again, clashes = typed_again(form, stands.version), meanwhile_of(queries.consensus_form(stands), error)
            return _consensus(_as_sent(stands, clashes), again, meanwhile=clashes), 409
    return _consensus(_as_sent(shown), form, left=None if shown.writable else form), 422


def _as_sent(shown: ConsensusPage, settled: Collection[str] = ()) -> ConsensusPage:
    """The page with the numbers its form was sent with: what somebody wrote since is not seen by coming back."""
    return replace(shown, numbers=numbers_carried(queries.consensus_form(shown), shown.numbers, settled))


def _take_words(shown: ConsensusPage, form: SheetForm, use: str) -> str:
    """Put an evaluator's words on a criterion after what stands in its field; whose they are, or nothing where it is no choice.

    Nothing is saved by it. The name stands on the page and never in the text, which the applicant will read.
    """
    number, _, key = use.partition(" ")
    if key not in form.keys or not (number.isascii() and number.isdecimal()) or int(number) >= len(shown.sheets):
        return ""
    sheet, (_, comment) = shown.sheets[int(number)], form.mark(key)
    comment.data = "\n\n".join(filter(None, ((comment.data or "").rstrip(), sheet.mark(key).comment)))
    comment.raw_data = None
    return sheet.evaluator


def _consensus_form(shown: ConsensusPage, **sent: Any) -> SheetForm:
    return sheet_form(shown.marking, shown, remark=rules.CONSENSUS_WORDS, said=shown.text, **sent)


def _consensus(
    shown: ConsensusPage,
    form: SheetForm,
    settle: SettleForm | None = None,
    hold: DissentForm | None = None,
    again: ReopenConsensusForm | None = None,
    taken: str = "",
    meanwhile: dict[str, Meanwhile] | None = None,
    left: SheetForm | None = None,
) -> str:
    given = {one.key: [sheet.mark(one.key).half for sheet in shown.sheets] for one in shown.criteria}
    wide = {
        one.key: rules.is_wide(given[one.key], one.threshold_half, shown.marking.most_half(one))
        for one in shown.criteria
    }
    spread = {one.key: rules.spread_words(given[one.key], one.threshold_half) for one in shown.criteria}
    version = str(shown.version)
    said = {"version": version, "minority_view": shown.minority_words}
    read = read_at(shown)
    return page(
        "evaluation/consensus.html", shown=shown, form=form, deed=_deed(shown), wide=wide, spread=spread, taken=taken,
        borrowed={one.key: words_of(_borrowed(shown, form, one.key)) for one in shown.criteria},
        read_at=read, quotes=quoted(shown, form) if read else {},
        hold=hold or DissentForm(formdata=None, data={"version": version}),
        settle=settle or SettleForm(formdata=None, data=said),
        again=again or ReopenConsensusForm(formdata=None, data={"version": version}),
        lacking=rules.lacking(rules.SheetInput(shown.marks, shown.text), shown.marking), meanwhile=meanwhile or {},
        anchors=anchors_of(shown.marking.scale), half_words=rules.half_words, left=left,
    )  # fmt: skip


def _borrowed(shown: ConsensusPage, form: SheetForm, key: str) -> tuple[tuple[str, int], ...]:
    """Whose words stand in the field of a criterion, or in what was agreed on it."""
    text = form.mark(key)[1].data if shown.may_write else shown.mark(key).comment
    return rules.borrowed(text or "", [(sheet.evaluator, sheet.mark(key).comment) for sheet in shown.sheets])


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


@bp.post("/consensus/<ref>/dissent")
@requires(P.CONSENSUS_AGREE)
def dissent(ref: str) -> Any:
    form = DissentForm()
    application_id = queries.consensus_application(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.dissent(current_actor(), application_id, form.words.data or "", form.version_shown())
            flash("The chair is told what you hold instead. It is kept with your name.")
            return see_other(".consensus", ref=ref)
    shown = queries.consensus_page(current_actor(), ref)
    if form.clashed:
        form.comes_again(shown.version)
    return _consensus(shown, _consensus_form(shown, formdata=None), hold=form), status_of(form)


@bp.get("/consensus/<ref>/versions")
@requires(*READS_CONSENSUS)
def consensus_versions(ref: str) -> Any:
    title, rows = queries.consensus_versions(current_actor(), ref, paging.asked())
    return page("evaluation/consensus_versions.html", ref=ref, title=title, rows=rows)


@bp.post("/consensus/<ref>/take-back")
@requires(P.CONSENSUS_WRITE)
def take_back(ref: str) -> Any:
    form = ContestedForm()
    application_id = queries.consensus_application(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.take_back(current_actor(), application_id, form.version_shown())
            flash("The consensus is a draft again; agreements given before no longer count.")
            return see_other(".consensus", ref=ref)
    return _refused_deed(ref, form)


@bp.post("/consensus/<ref>/reopen")
@requires(P.CONSENSUS_WRITE)
def reopen_consensus(ref: str) -> Any:
    form = ReopenConsensusForm()
    application_id = queries.consensus_application(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.reopen_agreed(current_actor(), application_id, form.reason.data or "", form.version_shown())
            flash("The consensus is a draft again, and its evaluators are told why. What was agreed is kept.")
            return see_other(".consensus", ref=ref)
    shown = queries.consensus_page(current_actor(), ref)
    if form.clashed:
        form.comes_again(shown.version)
    return _consensus(shown, _consensus_form(shown, formdata=None), again=form), status_of(form)


@bp.post("/consensus/<ref>/settle")
@requires(P.CONSENSUS_WRITE)
def settle(ref: str) -> Any:
    form = SettleForm()
    application_id = queries.consensus_application(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.settle(
                current_actor(),
                application_id,
                form.minority_view.data or "",
                form.version_shown(),
                form.unheard.data or "",
            )
            flash("The consensus stands, with what not everybody agreed to beside it.")
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
