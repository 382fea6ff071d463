"""Pages of the advice beside the official list, for chairs alone, and the same as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Response, flash

from grants.awards import queries, services
from grants.awards.forms import AdviceForm
from grants.awards.rules import ADVISED_IN_PART, AdvicePage
from grants.awards.views.frame import P, bp
from grants.core import jobs
from grants.core.errors import NotFound
from grants.core.text import inert
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/advice")
@requires(P.CONSENSUS_WRITE)
def advice(slug: str) -> Any:
    shown = queries.advice_page(current_actor(), slug)
    return _advice(shown, AdviceForm(places=shown.places or shown.places_likely))


@bp.post("/calls/<slug>/advice")
@requires(P.CONSENSUS_WRITE)
def ask_advice(slug: str) -> Any:
    shown = queries.advice_page(current_actor(), slug)
    form = AdviceForm()
    if form.validate_on_submit():
        with form.refusals():
            services.request_advice(current_actor(), shown.call_id, form.places.data)
            flash("The advice is being worked out.")
            return see_other(".advice", slug=slug)
    return _advice(shown, form), 422


@bp.post("/calls/<slug>/advice/robust")
@requires(P.CONSENSUS_WRITE)
def ask_robustness(slug: str) -> Any:
    """Ask in how many orders simulated from the advice each application stays selected."""
    shown, deed = queries.advice_page(current_actor(), slug), DeedForm()
    if deed.validate_on_submit():
        with deed.refusals():
            services.request_robustness(current_actor(), shown.call_id)
            flash("It is being worked out in how many simulated orders each application stays selected.")
            return see_other(".advice", slug=slug)
    return _advice(shown, AdviceForm(formdata=None, places=shown.places or shown.places_likely), deed), 422


def _advice(shown: AdvicePage, form: AdviceForm, deed: DeedForm | None = None) -> str:
    found = jobs.newest_of(("call", shown.call_id), (services.ADVICE_JOB, services.ROBUSTNESS_JOB))
    return page(
        "awards/advice.html", shown=shown, form=form, in_part=ADVISED_IN_PART, job=found.get(services.ADVICE_JOB),
        robustness_job=found.get(services.ROBUSTNESS_JOB), deed=deed or DeedForm(formdata=None),
    )  # fmt: skip


@bp.get("/calls/<slug>/advice.csv")
@requires(P.CONSENSUS_WRITE)
def advice_csv(slug: str) -> Any:
    shown = queries.advice_page(current_actor(), slug)
    if shown.number is None and not shown.partial:
        raise NotFound
    out = io.StringIO()
    writer = csv.writer(out, dialect="excel", lineterminator="\r\n")
    writer.writerow(
        ["Reference", "Title", "Official rank", "Sheets", "Mean, points", "Above the mean, points", "Expected rank", "50 % from", "50 % to", "90 % from", "90 % to", "Among the best" if shown.partial else f"Among the best {shown.places}", "SUCRA", "PCER", "Selected in simulations", "Run"]
    )  # fmt: skip
    for row in shown.rows:
        bounds = row.bounds or ("", "", "", "")
        told = [_decimals(value) for value in (row.fundable, row.sucra, row.percentile, row.stays)]
        cells = [
            row.reference, row.title, row.official or "", row.sheets, row.mean_words, _decimals(row.effect),
            _decimals(row.rank), *bounds, *told, shown.number or "",
        ]  # fmt: skip
        writer.writerow([inert(str(cell)) for cell in cells])
    services.export_advice(current_actor(), shown.call_id, len(shown.rows))
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=advice-{shown.call_slug}.csv"
    return answer


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
