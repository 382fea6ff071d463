"""The seats of a call as a file: taken along, and a changed one looked at and done exactly as shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, flash

from grants.calls.rules import CallView
from grants.core.file_types import MEDIA, FileType
from grants.core.text import CSV_MARK, csv_lines, csv_table
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import EvaluatorsFileForm, SeatsTakenForm
from grants.evaluation.rules import SeatPlan
from grants.evaluation.views.frame import P, bp
from grants.evaluation.views.importing import read_table, said_at_file, text_book
from grants.evaluation.views.looking import look_at, looked_at
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/assignments/seats.<any(csv, xlsx):kind>")
@requires(P.ASSIGNMENT_DECIDE)
def seats_taken(slug: str, kind: str) -> Any:
    """Every seat that stands, one line each."""
    call = queries.call_to_assign(current_actor(), slug)
    table = queries.seat_table(current_actor(), call)
    services.export_seats(current_actor(), call.id, len(table) - 1, kind.upper())
    if kind == "csv":
        answer = Response(CSV_MARK + csv_lines(table), mimetype="text/csv")
    else:
        answer = Response(text_book("Seats", table), mimetype=MEDIA[FileType.XLSX])
    answer.headers["Content-Disposition"] = f"attachment; filename=seats-{call.slug}.{kind}"
    return answer


@bp.get("/calls/<slug>/assignments/file")
@requires(P.ASSIGNMENT_DECIDE)
def seat_file(slug: str) -> Any:
    """Take the seats along, or choose a file of them; or what one that was sent would do, worked out at each look."""
    call, form = queries.call_to_assign(current_actor(), slug), EvaluatorsFileForm(formdata=None)
    if said := looked_at(f"seats {call.id}", form):
        with form.refusals():
            return _shown(call, csv_table(said["text"]))
    return _page(call, form)


def _page(
    call: CallView, form: EvaluatorsFileForm, plan: SeatPlan | None = None, taking: SeatsTakenForm | None = None
) -> str:
    return page(
        "evaluation/seat_file.html", call=call, form=form, plan=plan, taking=taking, most=rules.SEATS_CHANGED_MAX,
        lines=rules.SEAT_LINES_MAX, columns=rules.SEAT_COLUMNS,
    )  # fmt: skip


@bp.post("/calls/<slug>/assignments/file/look")
@requires(P.ASSIGNMENT_DECIDE)
def look_at_seats(slug: str) -> Any:
    """What a file would do, seat by seat; nothing is written."""
    call, form = queries.call_to_assign(current_actor(), slug), EvaluatorsFileForm()
    if form.validate_on_submit():
        with form.refusals():
            with said_at_file():
                table = read_table(form.file.data, "seats", len(rules.SEAT_COLUMNS))
                shown = _shown(call, table)
            # By an address of its own: “back” leads to it, and it shows nothing that is shut to its reader by then.
            name = look_at(f"seats {call.id}", text=rules.table_text(table))
            return see_other(".seat_file", slug=slug, look=name) if name else shown
    return _page(call, form), 422


def _shown(call: CallView, table: Sequence[Sequence[str]]) -> str:
    """What the file would do now, ready to be confirmed."""
    plan = queries.seat_plan(current_actor(), call, table)
    taking = SeatsTakenForm(formdata=None, data={"text": rules.table_text(table), "shown": plan.sha256.hex()})
    return _page(call, EvaluatorsFileForm(formdata=None), plan, taking)


@bp.post("/calls/<slug>/assignments/file/take")
@requires(P.ASSIGNMENT_DECIDE)
def take_seats(slug: str) -> Any:
    """Do exactly what was shown; where that is no longer so, show what the file would do now."""
    actor, form, file = current_actor(), SeatsTakenForm(), EvaluatorsFileForm(formdata=None)
    call, text = queries.call_to_assign(actor, slug), form.text.data or ""
    if form.validate_on_submit():
        with form.attempt():
            count = services.change_by_file(actor, call.id, text, form.shown_sha256, form.reason.data or "")
            flash(f"{count} {'seat is' if count == 1 else 'seats are'} changed as the file says.", "success")
            return see_other(".assignments", slug=slug)
    with file.refusals():
        plan = queries.seat_plan(actor, call, csv_table(text))
        taking = SeatsTakenForm(
            formdata=None, data={"text": text, "shown": plan.sha256.hex(), "reason": form.reason.data}
        )
        taking.reason.errors = form.reason.errors
        taking.problems += [*form.problems, *([form.clashed] if form.clashed else [])]
        return _page(call, file, plan, taking), 409 if form.clashed else 422
    return _page(call, file), 422
