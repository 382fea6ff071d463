"""Pages of assessments that are missing: the list, reminders looked at and sent, and who was reminded when and by whom."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, request

from grants.calls.rules import CallView
from grants.core import clock
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import RemindForm
from grants.evaluation.rules import SEARCH_MAX, MissingFilter, MissingSearch, ReminderPlan, RemindInput
from grants.evaluation.views.frame import P, bp
from grants.evaluation.views.looking import look_at, looked_at
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/assignments/missing")
@requires(*queries.READS_ASSIGNMENTS)
def missing(slug: str) -> Any:
    form = RemindForm(formdata=None)
    if said := looked_at(f"reminders {slug}", form):
        actor, call = current_actor(), queries.call_to_assign(current_actor(), slug)
        values = RemindInput(tuple(map(UUID, said["seats"])), said["message"], said["reason"])
        return _looked_at(call, queries.reminder_plan(actor, call, values), form, values, said["more"])
    return _missing(slug, form)


def _missing(slug: str, form: RemindForm) -> str:
    problems: list[str] = []
    shown = queries.missing_page(current_actor(), slug, _search(problems), paging.asked())
    return page(
        "evaluation/missing.html", shown=shown, form=form, problems=problems, at=clock.now(),
        filters=list(MissingFilter), most=rules.REMINDED_MAX,
    )  # fmt: skip


def _search(problems: list[str]) -> MissingSearch:
    only = chosen(
        "only", "filter", {each.value: each for each in MissingFilter}, problems,
        words={each.value: each.words for each in MissingFilter},
    )  # fmt: skip
    return MissingSearch(request.args.get("q", "").strip()[:SEARCH_MAX], only)


@bp.post("/calls/<slug>/assignments/missing")
@requires(P.ASSIGNMENT_DECIDE)
def remind_missing(slug: str) -> Any:
    """Look at the mails to whom is chosen, or send exactly those that were looked at."""
    actor, form = current_actor(), RemindForm()
    call = queries.call_to_assign(actor, slug)
    seats, more = queries.missing_seats(actor, call, _search([])) if "every" in request.form else (_picked(), 0)
    values, sends = form.to_input(seats), "send" in request.form
    if not seats:
        form.problems.append("Nobody is chosen. Tick the rows of those to remind.")
        return _missing(slug, form), 422
    if form.validate_on_submit() and sends:
        with form.attempt():
            count = services.remind_of_assessments(actor, call.id, values, form.shown_sha256)
            flash(f"{count} {'person is' if count == 1 else 'people are'} reminded by mail.", "success")
            return see_other(".missing", slug=slug)
    if not sends and not form.what_is_wrong():
        said = {"seats": list(map(str, seats)), "message": values.message, "reason": values.reason, "more": more}
        # By an address of its own: “back” leads to the mails as they would leave then.
        if name := look_at(f"reminders {slug}", **said):
            return see_other(".missing", slug=slug, q=request.args.get("q"), only=request.args.get("only"), look=name)
    return _looked_at(call, queries.reminder_plan(actor, call, values), form, values, more)


def _looked_at(call: CallView, plan: ReminderPlan, form: RemindForm, values: RemindInput, more: int) -> Any:
    """The mails as they would leave now; ``more`` are the rows of the list that one deed does not take."""
    # What is sent next is what this page shows: a new deed, in sight of these mails.
    again = RemindForm(formdata=None, data={"message": values.message, "reason": values.reason})
    again.shown.data = plan.sha256.hex()
    again.problems += [sentence for sentence, _ in form.what_is_wrong()] + ([form.clashed] if form.clashed else [])
    status = 409 if form.clashed else 422 if again.problems else 200
    return page("evaluation/remind.html", call=call, plan=plan, form=again, more=more), status


def _picked() -> tuple[UUID, ...]:
    """The seats whose rows are ticked; what is no id is nobody’s row."""
    found = []
    for text in request.form.getlist("pick")[: rules.REMINDED_MAX + 1]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return tuple(found)


@bp.get("/calls/<slug>/assignments/reminders")
@requires(*queries.READS_ASSIGNMENTS)
def reminders(slug: str) -> Any:
    """Who was reminded when and by whom."""
    return page("evaluation/reminders.html", shown=queries.reminders_page(current_actor(), slug, paging.asked()))
