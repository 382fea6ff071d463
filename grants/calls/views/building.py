"""Pages of calls: the public list and call page, and what managers and the authorising officer do with a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, request

from grants.calls import queries, rules, services
from grants.calls.forms import (
    BudgetForm,
    BuildDatesForm,
    CancelForm,
    CopyForm,
    DeadlineForm,
    DeedForm,
    DocumentForm,
    ImportForm,
    TemplateForm,
)
from grants.calls.rules import CallSummary
from grants.calls.rules.changes import FORM_PATHS
from grants.calls.rules.question_form import marks_of
from grants.calls.rules.questions import questions_close_at, questions_over, takes_questions
from grants.calls.states import CallState, Phase
from grants.calls.views.parts import Edited
from grants.calls.views.sections import any_part, question_page, take_out_page
from grants.core import clock
from grants.core.permissions import Permission
from grants.core.zones import ZONES
from grants.dossiers.rules import condition_words, with_answers
from grants.web import paging
from grants.web.routing import NavItem, current_actor, page, public, requires, see_other

bp = Blueprint("calls", __name__, url_prefix="/calls")

# The pages of a draft that is built.
PARTS = {
    "home": "calls.build",
    "part": "calls.part",
    "entry": "calls.entry",
    "question": "calls.question",
    "out": "calls.taking_out",
}

NAVIGATION = (NavItem("Calls", "calls.index", order=10),)

MANAGES = (Permission.CALL_MANAGE, Permission.CALL_PUBLISH, Permission.BUDGET_AUTHORISE, Permission.AUDIT_READ)


@bp.get("")
@public
def index() -> Any:
    at, asked = clock.now(), paging.asked()
    now, over = queries.calls_page(current_actor(), at, asked)
    groups = {phase: queries.in_phase((*now, *over.items), phase, at) for phase in Phase}
    return page("calls/index.html", groups=groups, Phase=Phase, over=over)


@bp.get("/import")
@requires(Permission.CALL_IMPORT)
def new_file() -> Any:
    return page("calls/import.html", form=ImportForm())


@bp.post("/import")
@requires(Permission.CALL_IMPORT)
def import_file() -> Any:
    form = ImportForm()
    if form.validate_on_submit():
        with form.refusals():
            done = services.import_call(current_actor(), form.to_input())
            return _after(done, f"{done.title} is here as a draft.")
    return page("calls/import.html", form=form), 422


@bp.get("/<slug>")
@public
def show(slug: str) -> Any:
    call, at = queries.call(current_actor(), slug), clock.now()
    found = {"results": queries.public_results(call, at), **queries.around(current_actor(), call)}
    public_now = call.results_are_public(at)
    if call.content.draw:
        found["seed_sha256"] = queries.draw_sha256(call.id)
    return page("calls/call.html", call=call, phase=call.phase(at), public=public_now, **found, **_words(call))


@bp.get("/<slug>/manage")
@requires(*MANAGES)
def manage(slug: str) -> Any:
    return _manage(slug)


@bp.get("/<slug>/call.yaml")
@requires(Permission.CALL_MANAGE, Permission.CALL_IMPORT)
def export(slug: str) -> Any:
    """The call as a file, to be kept, changed and brought in again."""
    text = queries.file_text(current_actor(), slug)
    about = {"Content-Disposition": f'attachment; filename="{slug}.yaml"', "X-Content-Type-Options": "nosniff"}
    return Response(text, mimetype="application/yaml", headers=about)


@bp.get("/<slug>/copy")
@requires(Permission.CALL_IMPORT)
def copying(slug: str) -> Any:
    call = queries.call(current_actor(), slug)
    return page("calls/copy.html", call=call, form=CopyForm(title=call.title))


@bp.post("/<slug>/copy")
@requires(Permission.CALL_IMPORT)
def copy(slug: str) -> Any:
    form = CopyForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            done = services.copy_call(current_actor(), call_id, form.title.data or "", int(form.year.data or 0))
            flash("The new call is here as a draft.", "success")
            return _built(done)
    return page("calls/copy.html", call=queries.call(current_actor(), slug), form=form), 422


@bp.get("/<slug>/build")
@requires(Permission.CALL_MANAGE)
def build(slug: str) -> Any:
    """The parts of the call with what each says and what is missing, each with its way to the form."""
    call, known = queries.with_values(current_actor(), slug)
    return _build_page(call, known, BuildDatesForm.of(call))


def _build_page(call: rules.CallView, known: Mapping[str, rules.Sourced], dates: BuildDatesForm) -> str:
    missing = {problem.place: problem.message for problem in call.missing}
    faults = rules.form_faults(call.content.definition)
    told = [fault.told for fault in faults]
    return page(
        "calls/build.html",
        call=call,
        grouped=rules.grouped(call.facts),
        missing=missing,
        others=[
            problem
            for problem in call.missing
            if problem.place not in {fact.label for fact in call.facts} and problem not in told
        ],
        to_mend=_to_mend(known, faults),
        lacking=len({*call.missing, *told}),
        dates=dates,
        zones=ZONES,
    )


@bp.post("/<slug>/build/dates")
@requires(Permission.CALL_MANAGE)
def build_dates(slug: str) -> Any:
    form = BuildDatesForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            done = services.set_dates(current_actor(), call_id, form.to_input(), version=form.version_shown())
            return _built(done)
    return _build_page(*queries.with_values(current_actor(), slug), form), 422


@bp.get("/<slug>/preview")
@requires(Permission.CALL_MANAGE)
def preview(slug: str) -> Any:
    """The form as an applicant will see it, at any time; nothing of it can be sent or saved."""
    call = queries.call(current_actor(), slug)
    return preview_page(call, call.content, ends=PARTS)


def preview_page(
    call: rules.CallView, content: rules.CallContent, *, ends: Mapping[str, str], before: Any = None
) -> str:
    """The form of this content; ``before`` is the definition that is public, from which what differs is marked."""
    definition = content.definition
    told = {each.key: with_answers(each, definition, {}, is_ahead=True) for each in definition.sections}
    steps = [(step, [told[section.key] for section in sections]) for step, sections in rules.steps(content)]
    marks = {} if before is None else marks_of(before, definition)
    return page(
        "calls/preview.html",
        call=call,
        steps=steps,
        marks=marks,
        criteria={criterion.key: criterion.name for criterion in content.criteria},
        languages=rules.LANGUAGES,
        when=lambda question: condition_words(definition, question),
        ends=ends,
        is_copy=before is not None,
    )


@bp.get("/<slug>/build/<key>")
@requires(Permission.CALL_MANAGE)
def part(slug: str, key: str) -> Any:
    """One part of a draft as a form; a list of groups is edited one entry at a time."""
    return _part(slug, key, None)


@bp.post("/<slug>/build/<key>")
@requires(Permission.CALL_MANAGE)
def save_part(slug: str, key: str) -> Any:
    return _part(slug, key, None)


@bp.get("/<slug>/build/<key>/<int(max=2147483647):number>")
@requires(Permission.CALL_MANAGE)
def entry(slug: str, key: str, number: int) -> Any:
    """One entry of a part that is a list; the number after the last is a new one."""
    return _part(slug, key, number)


@bp.post("/<slug>/build/<key>/<int(max=2147483647):number>")
@requires(Permission.CALL_MANAGE)
def save_entry(slug: str, key: str, number: int) -> Any:
    return _part(slug, key, number)


@bp.get("/<slug>/build/<key>/<int(max=2147483647):number>/questions/<int(max=2147483647):place>")
@requires(Permission.CALL_MANAGE)
def question(slug: str, key: str, number: int, place: int) -> Any:
    """One question of a section: first its kind of answer, then its fields; the place after the last is a new one."""
    return _of_draft(slug, lambda edited: question_page(edited, key, number, place))


@bp.post("/<slug>/build/<key>/<int(max=2147483647):number>/questions/<int(max=2147483647):place>")
@requires(Permission.CALL_MANAGE)
def save_question(slug: str, key: str, number: int, place: int) -> Any:
    return _of_draft(slug, lambda edited: question_page(edited, key, number, place))


@bp.get("/<slug>/build/<key>/<int(max=2147483647):number>/take-out")
@requires(Permission.CALL_MANAGE)
def taking_out(slug: str, key: str, number: int) -> Any:
    """Ask before an entry or a question is taken out, with what hangs on it."""
    return _of_draft(slug, lambda edited: take_out_page(edited, key, number))


@bp.post("/<slug>/build/<key>/<int(max=2147483647):number>/take-out")
@requires(Permission.CALL_MANAGE)
def take_out(slug: str, key: str, number: int) -> Any:
    return _of_draft(slug, lambda edited: take_out_page(edited, key, number))


def _part(slug: str, key: str, number: int | None) -> Any:
    return _of_draft(slug, lambda edited: any_part(edited, key, number))


def _of_draft(slug: str, shown: Callable[[Edited], Any]) -> Any:
    actor = current_actor()
    call, known = queries.with_values(actor, slug)
    if request.method == "GET" and call.state is not CallState.DRAFT:
        return see_other("calls.build", slug=slug)
    save, read = partial(services.set_value, actor, call.id), partial(queries.values, actor, slug)
    return shown(Edited(call, known, PARTS, save, read))


def _to_mend(known: Mapping[str, rules.Sourced], faults: Iterable[rules.FormFault]) -> dict[str, list[str]]:
    """What is wrong with the form, by the part its section is in; what is about several sections, at the last one."""
    trees = {path: rules.tree_of(rules.FIELDS[path], known[path].value) or () for path in FORM_PATHS}
    found: dict[str, list[str]] = {}
    for fault in faults:
        holding = (path for path, tree in trees.items() if any(each["key"] == fault.section for each in tree))
        found.setdefault(next(holding, FORM_PATHS[-1]), []).append(fault.sentence)
    return found


def _built(done: CallSummary) -> Any:
    for sentence in done.notes:
        flash(sentence, "success")
    return see_other("calls.build", slug=done.slug)


@bp.post("/<slug>/template")
@requires(Permission.CALL_MANAGE)
def apply_template(slug: str) -> Any:
    form = TemplateForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            done = services.apply_template(current_actor(), call_id, form.template.data, version=form.version_shown())
            return _after(done)
    return _manage(slug, form), 422


@bp.post("/<slug>/publish")
@requires(Permission.CALL_PUBLISH)
def publish(slug: str) -> Any:
    form = DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            done = services.publish(current_actor(), call_id, version=form.version_shown())
            return _after(done, "The call is published.")
    return _manage(slug, form), 422


@bp.get("/<slug>/cancel")
@requires(Permission.CALL_PUBLISH)
def cancelling(slug: str) -> Any:
    call = queries.call_held(current_actor(), slug, Permission.CALL_PUBLISH)
    return page("calls/cancel.html", call=call, form=CancelForm(version=call.version))


@bp.post("/<slug>/cancel")
@requires(Permission.CALL_PUBLISH)
def cancel(slug: str) -> Any:
    form = CancelForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            done = services.cancel(current_actor(), call_id, form.reason.data, version=form.version_shown())
            return _after(done, "The call is cancelled. Its page says so.")
    return page(
        "calls/cancel.html", call=queries.call_held(current_actor(), slug, Permission.CALL_PUBLISH), form=form
    ), 422


@bp.get("/<slug>/dates")
@requires(Permission.CALL_EXTEND, Permission.CALL_MANAGE)
def dates(slug: str) -> Any:
    return _dates(slug)


@bp.post("/<slug>/deadline")
@requires(Permission.CALL_EXTEND)
def extend(slug: str) -> Any:
    form = DeadlineForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            done = services.extend_deadline(current_actor(), call_id, form.to_input(), version=form.version_shown())
            return _after(done, "Everybody with a draft is told by mail.")
    return _dates(slug, deadline=form), 422


@bp.get("/<slug>/documents")
@requires(Permission.CALL_MANAGE)
def documents(slug: str) -> Any:
    return _documents(slug, DocumentForm())


@bp.post("/<slug>/documents")
@requires(Permission.CALL_MANAGE)
def add_document(slug: str) -> Any:
    form = DocumentForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            done = services.add_document_version(current_actor(), call_id, form.to_input())
            return _after(done, "The version is on the page of the call.")
    return _documents(slug, form), 422


@bp.get("/<slug>/budget")
@requires(Permission.BUDGET_AUTHORISE)
def budget(slug: str) -> Any:
    call = queries.call_held(current_actor(), slug, Permission.BUDGET_AUTHORISE)
    stands = queries.authorised(call.id)
    return _budget(call, BudgetForm(shown=stands.cents, amount=stands or call.total))


@bp.post("/<slug>/budget")
@requires(Permission.BUDGET_AUTHORISE)
def authorise_budget(slug: str) -> Any:
    form = BudgetForm()
    if form.validate_on_submit():
        with form.refusals():
            call_id = queries.id_of(current_actor(), slug)
            return _after(services.authorise_budget(current_actor(), call_id, form.to_input()))
    return _budget(queries.call_held(current_actor(), slug, Permission.BUDGET_AUTHORISE), form), 422


def _manage(slug: str, form: DeedForm | None = None) -> str:
    """The manager's page, with the form that was refused in its place."""
    call = queries.call_held(current_actor(), slug, *MANAGES)
    template = form if isinstance(form, TemplateForm) else TemplateForm(version=call.version)
    publishing = form if form is not None and form is not template else DeedForm(version=call.version)
    return page(
        "calls/manage.html",
        call=call,
        phase=call.phase(clock.now()),
        money=queries.position(call.id),
        template_form=template,
        publishing=publishing,
        form=form,
        checklist=rules.checklist(call),
        timeline_of=rules.timeline(call, clock.now()),
        grouped=rules.grouped(call.facts),
    )


def _documents(slug: str, form: DocumentForm) -> str:
    return page(
        "calls/documents.html", call=queries.call_held(current_actor(), slug, Permission.CALL_MANAGE), form=form
    )


def _dates(slug: str, deadline: DeadlineForm | None = None) -> str:
    call = queries.call_held(current_actor(), slug, Permission.CALL_EXTEND, Permission.CALL_MANAGE)
    return page("calls/dates.html", call=call, deadline=deadline or DeadlineForm(version=call.version), form=deadline)


def _budget(call: rules.CallView, form: BudgetForm) -> str:
    return page("calls/budget.html", call=call, money=queries.position(call.id), form=form)


def _after(done: CallSummary, *sentences: str) -> Any:
    """Back to the manager's page, with what happened said once."""
    for sentence in (*sentences, *done.notes):
        flash(sentence, "success")
    return see_other("calls.manage", slug=done.slug)


def _words(call: rules.CallView) -> dict[str, Any]:
    """What both call pages say in words."""
    return {
        "points": rules.points,
        "evidence_words": rules.EVIDENCE_WORDS,
        "or_words": rules.or_words,
        "plain_scoring": rules.PLAIN_SCORING,
        "kind_words": rules.KIND_WORDS,
        "fact_rule_words": rules.fact_rule_words,
        "condition_words": condition_words,
        "percent_words": rules.percent_words,
        "budget_words": rules.budget_words(call),
        "steps": rules.steps(call.content),
        "timeline_of": rules.timeline(call, clock.now()),
        "questions_until": questions_close_at(call),
        "takes_questions": takes_questions(call, clock.now()),
        "questions_over": questions_over(call, clock.now()),
    }
