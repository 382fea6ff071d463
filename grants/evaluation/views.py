"""Pages of evaluation: conflicts, assessments, consensus; and the manager's pool and assignments of a call."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, abort, flash, request

from grants.applications import queries as applications
from grants.applications import services as application_writes
from grants.core import jobs
from grants.core.errors import Conflict
from grants.core.permissions import Permission
from grants.dossiers import rules as dossiers
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    FillForm,
    PoolForm,
    ReasonForm,
    RuleForm,
    RunForm,
    SettleForm,
    SheetForm,
    conflicts_form,
    end_of,
    sheet_form,
)
from grants.evaluation.rules import AssessmentPage, ConsensusPage
from grants.evaluation.states import Ruling
from grants.web.downloads import send
from grants.web.forms import STALE, ContestedForm
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("evaluation", __name__)
P = Permission
READS_CONSENSUS = (P.CONSENSUS_WRITE, P.CONSENSUS_AGREE, P.ASSESSMENT_READ_ALL)

NAVIGATION = (
    NavItem("Assessments", "evaluation.assessments", (P.ASSESSMENT_SCORE,), 30),
    NavItem("Conflicts", "evaluation.conflicts", (P.CONFLICT_DECLARE,), 31),
    NavItem("Consensus", "evaluation.consensus_list", READS_CONSENSUS, 32),
)


# --- conflicts --------------------------------------------------------------------------------------------------


@bp.get("/assessments/conflicts")
@requires(P.CONFLICT_DECLARE)
def conflicts() -> Any:
    pages = [(shown, conflicts_form(shown)) for shown in queries.conflict_pages(current_actor())]
    return page("evaluation/conflicts.html", pages=pages)


@bp.post("/assessments/conflicts/<slug>")
@requires(P.CONFLICT_DECLARE)
def declare(slug: str) -> Any:
    found = queries.conflict_pages(current_actor())
    pages = [(shown, conflicts_form(shown)) for shown in found]
    shown, form = next(((one, form) for one, form in pages if one.call_slug == slug), (None, None))
    if shown is None or form is None:
        abort(404)
    if form.validate_on_submit():
        with form.refusals():
            answers = form.to_input_with_rest() if request.form.get("go") == "rest" else form.to_input()
            count = services.declare(current_actor(), shown.call_id, answers)
            flash(_declared_words(len(answers), count))
            return see_other(".conflicts")
    return page("evaluation/conflicts.html", pages=pages, form=form), 422


def _declared_words(answers: int, conflicts: int) -> str:
    words = f"Your declarations are stored: {answers} answered."
    return words if not conflicts else f"{words} {conflicts} with a conflict will not appear again."


@bp.route("/calls/<slug>/conflicts/<ref>/<handle>", methods=["GET", "POST"])
@requires(P.CONFLICT_CONFIRM)
def rule(slug: str, ref: str, handle: str) -> Any:
    row = queries.doubt(current_actor(), slug, ref, handle)
    form = RuleForm(version=str(row.version))
    if form.validate_on_submit():
        with form.attempt():
            ruling, version = Ruling(form.ruling.data), form.version_shown()
            followed = services.rule(current_actor(), row.id, ruling, form.reason.data or "", version)
            flash(rules.RULED_WORDS[followed])
            return see_other(".assignments", slug=slug)
        row = queries.doubt(current_actor(), slug, ref, handle)
    if form.clashed:
        form.comes_again(row.version)
    return page("evaluation/rule.html", row=row, form=form, slug=slug), _status_of(form)


def _status_of(form: ContestedForm) -> int:
    """How the page of a form is answered: shown, sent back, or sent back because somebody was faster."""
    if form.clashed:
        return 409
    return 422 if form.is_submitted() else 200


# --- assessments ------------------------------------------------------------------------------------------------


@bp.get("/assessments")
@requires(P.ASSESSMENT_SCORE, P.CONFLICT_DECLARE)
def assessments() -> Any:
    actor = current_actor()
    return page("evaluation/assessments.html", rows=queries.assessments(actor), undeclared=queries.unanswered(actor))


@bp.get("/assessments/<ref>")
@requires(P.ASSESSMENT_SCORE)
def assessment(ref: str) -> Any:
    shown = queries.assessment_page(current_actor(), ref)
    return _assessment(shown, _form_of(shown))


@bp.post("/assessments/<ref>")
@requires(P.ASSESSMENT_SCORE)
def save_assessment(ref: str) -> Any:
    shown = queries.assessment_page(current_actor(), ref)
    form, go = _form_of(shown), request.form.get("go", "save")
    if form.validate_on_submit():
        try:
            with form.refusals():
                return _store_sheet(shown, form, go)
        except Conflict:
            stands = queries.assessment_page(current_actor(), ref)
            return _assessment(stands, _typed_again(form, stands.sheet.version)), 409
    return _assessment(shown, form), 422


def _typed_again(form: SheetForm, version: int) -> SheetForm:
    """The typed sheet after somebody saved first, ready to be sent in sight of that."""
    form.problems.append(
        "This was saved meanwhile, by a colleague or by you in another tab. What you typed stands below; "
        "saving it now replaces what was stored, and both stay in the history."
    )
    for field, value in ((form.version, str(version)), (form.act_key, secrets.token_urlsafe(18))):
        field.data, field.raw_data = value, None
    return form


def _store_sheet(shown: AssessmentPage, form: SheetForm, go: str) -> Any:
    actor, key = current_actor(), shown.head.id
    if go == "submit":
        services.submit(actor, key, form.to_input(), form.version_shown())
        flash("Your assessment is submitted. You can read the others that are in.")
        return see_other(".assessment", ref=shown.head.reference)
    services.save(actor, key, form.to_input(), form.version_shown())
    flash(f"Your draft for “{shown.head.title}” is saved.")
    following = shown.next_reference if go == "next" else None
    return see_other(".assessment", ref=following or shown.head.reference)


def _form_of(shown: AssessmentPage) -> SheetForm:
    said = "Anything else the panel should know"
    return sheet_form(shown.criteria, shown.max_half, shown.sheet, remark=said, said=shown.sheet.remark)


def _assessment(shown: AssessmentPage, form: SheetForm) -> str:
    content = applications.submitted_content(shown.head.id)
    sections = dossiers.answered(content.dossier)
    names = {str(file.file_id): file.name for file in content.files}
    return page(
        "evaluation/assessment.html", shown=shown, form=form, sections=sections, content=content, names=names,
        clarified=applications.shared_clarifications(shown.head.id),
        jumps=_jumps(shown, sections), anchors=_anchors(shown.anchors, shown.max_half), half_words=rules.half_words,
    )  # fmt: skip


def _jumps(shown: AssessmentPage, sections: tuple[dossiers.AnsweredSection, ...]) -> list[tuple[str, str]]:
    """For each criterion a short name and the first answer that feeds it."""
    first: dict[str, str] = {}
    for section in sections:
        for item in section.items:
            if item.question.criterion:
                first.setdefault(item.question.criterion, f"answer-{item.question.key}")
    named = [(number, one) for number, one in enumerate(shown.criteria, 1) if one.key in first]
    return [(f"{number} {one.name.split()[0]}", first[one.key]) for number, one in named]


def _anchors(anchors: tuple[str, ...], max_half: int) -> dict[int, str]:
    return {half: rules.anchor_words(half, anchors) for half in range(max_half + 1)}


@bp.get("/assessments/<ref>/files/<sha256>")
@requires(P.ASSESSMENT_SCORE)
def file(ref: str, sha256: str) -> Any:
    application_id = queries.application_id_of(current_actor(), ref)
    return send(application_writes.download_assigned(current_actor(), application_id, sha256))


# --- consensus --------------------------------------------------------------------------------------------------


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
            return _consensus(stands, _typed_again(form, stands.version)), 409
    return _consensus(shown, form), 422


def _consensus_form(shown: ConsensusPage, **sent: Any) -> SheetForm:
    said = "What the applicant will read"
    return sheet_form(shown.criteria, shown.max_half, shown, remark=said, said=shown.text, **sent)


def _consensus(shown: ConsensusPage, form: SheetForm, settle: SettleForm | None = None) -> str:
    wide = {
        criterion.key: rules.is_wide(
            [sheet.mark(criterion.key).half for sheet in shown.sheets], criterion.threshold_half
        )
        for criterion in shown.criteria
    }
    return page(
        "evaluation/consensus.html", shown=shown, form=form, deed=_deed(shown), wide=wide,
        settle=settle or SettleForm(formdata=None, data={"version": str(shown.version)}), anchors=_anchors(shown.anchors, shown.max_half),
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
    return _consensus(shown, _consensus_form(shown, formdata=None), form), _status_of(form)


def _refused_deed(ref: str, deed: ContestedForm) -> Any:
    shown = queries.consensus_page(current_actor(), ref)
    form = _consensus_form(shown, formdata=None)
    form.problems += [STALE] if deed.clashed else deed.problems
    return _consensus(shown, form), _status_of(deed)


# --- the manager ------------------------------------------------------------------------------------------------


@bp.get("/calls/<slug>/assignments")
@requires(P.ASSIGNMENT_DECIDE)
def assignments(slug: str) -> Any:
    return _assignments(slug, RunForm(seed=slug))


@bp.post("/calls/<slug>/assignments")
@requires(P.ASSIGNMENT_DECIDE)
def run(slug: str) -> Any:
    form = RunForm()
    call = queries.call_to_assign(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            services.request_run(current_actor(), call.id, form.to_input())
            return see_other(".assignments", slug=slug)
    return _assignments(slug, form), 422


def _assignments(slug: str, form: RunForm) -> str:
    shown = queries.assignments_page(current_actor(), slug)
    job = jobs.latest(("call", shown.call_id), "jobs.evaluation.assign")
    return page("evaluation/assignments.html", shown=shown, form=form, job=job)


@bp.route("/calls/<slug>/evaluators", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def pool(slug: str) -> Any:
    call = queries.call_to_assign(current_actor(), slug)
    members = queries.pool(call.id)
    form = _pool_form(call, members)
    if form.validate_on_submit():
        with form.attempt():
            services.pool(current_actor(), call.id, form.to_input(), form.version_shown())
            flash("The pool is stored.")
            return see_other(".pool", slug=slug)
        members = queries.pool(call.id)
    if form.clashed:
        stored = next((one for one in members if str(one.user_id) == form.person.data), None)
        form.comes_again(stored.version if stored else 0)
    return page("evaluation/pool.html", call=call, members=members, form=form, removal=ContestedForm()), _status_of(
        form
    )


def _pool_form(call: Any, members: tuple[rules.PoolMember, ...]) -> PoolForm:
    chosen = next((member for member in members if member.handle == request.args.get("person")), None)
    form = PoolForm()
    topics = rules.topic_choices(call.content.definition)
    if chosen is None:
        return form.with_choices([(one.id, one.name) for one in queries.candidates(call.id)], topics)
    form.with_choices([(chosen.user_id, chosen.name)], topics)
    return form if form.is_submitted() else form.filled(chosen)


@bp.post("/calls/<slug>/evaluators/<handle>/remove")
@requires(P.ASSIGNMENT_DECIDE)
def remove(slug: str, handle: str) -> Any:
    call = queries.call_to_assign(current_actor(), slug)
    member = next((one for one in queries.pool(call.id) if one.handle == handle), None)
    if member is None:
        abort(404)
    if ContestedForm().validate_on_submit():
        services.remove(current_actor(), call.id, member.user_id)
        flash(f"{member.name} is no longer in the pool.")
    return see_other(".pool", slug=slug)


@bp.route("/calls/<slug>/assignments/<ref>/fill", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def fill(slug: str, ref: str) -> Any:
    head, lines = queries.free_seat(current_actor(), slug, ref)
    form = FillForm().with_people(lines)
    if form.validate_on_submit():
        with form.refusals():
            chosen = next(member for member, _, _ in lines if member.handle == form.evaluator.data)
            due = end_of(form.due_on.data)
            services.fill(current_actor(), head.id, chosen.id, form.reason.data or "", due)
            flash(f"{chosen.name} has the seat and is told by mail.")
            return see_other(".assignments", slug=slug)
    return page("evaluation/fill.html", head=head, lines=lines, form=form), 422 if form.is_submitted() else 200


@bp.route("/calls/<slug>/assignments/<ref>/<handle>/void", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def void(slug: str, ref: str, handle: str) -> Any:
    head, seat = queries.seat_of(current_actor(), slug, ref, handle)
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.void(current_actor(), seat.id, form.reason.data or "")
            flash(f"The seat of {seat.name} is empty.")
            return see_other(".assignments", slug=slug)
    return page("evaluation/void.html", head=head, seat=seat, form=form), 422 if form.is_submitted() else 200


@bp.route("/calls/<slug>/assignments/<ref>/<handle>/reopen", methods=["GET", "POST"])
@requires(P.ASSIGNMENT_DECIDE)
def reopen(slug: str, ref: str, handle: str) -> Any:
    head, seat = queries.seat_of(current_actor(), slug, ref, handle)
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.reopen(current_actor(), seat.id, form.reason.data or "")
            flash(f"The assessment of {seat.name} is open again.")
            return see_other(".assignments", slug=slug)
    return page("evaluation/reopen.html", head=head, seat=seat, form=form), 422 if form.is_submitted() else 200
