"""Pages of what is to come and what is due: the forecast, forecasts that were kept, and the ageing."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.core import clock
from grants.payments import queries, services
from grants.payments.forms import KeepForecastForm, ageing_ask, forecast_ask
from grants.payments.rules.ageing import Bucket, Owing
from grants.payments.rules.forecasting import month_words
from grants.payments.views.frame import P, bp
from grants.web import paging
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/finance/forecast")
@requires(P.LEDGER_READ)
def forecast() -> Any:
    return _forecast(KeepForecastForm())


@bp.post("/finance/forecast/keep")
@requires(P.FORECAST_KEEP)
def keep_forecast() -> Any:
    form = KeepForecastForm()
    if form.validate_on_submit():
        with form.refusals():
            kept = services.keep_forecast(current_actor(), note=form.note.data or "")
            flash("The forecast is kept. Later it can be held against what became of it.", "success")
            return see_other(".kept_forecast", ref=kept)
    return _forecast(form), 422


def _forecast(form: KeepForecastForm) -> Any:
    asked, problems = forecast_ask(request.args)
    found = queries.forecast_page(current_actor(), asked, clock.now())
    typed = {name: request.args.get(name, "") for name in ("call", "fund", "grant", "from", "months")}
    told = found.forecast
    rows = paging.paged(
        (*told.rows(told.signed), *told.rows(told.unsigned)), paging.asked(), key=lambda row: row.grant.reference
    )
    return page(
        "payments/forecast.html",
        found=found,
        asked=asked,
        problems=problems,
        typed=typed,
        form=form,
        words=month_words,
        rows=rows,
    )


@bp.get("/finance/forecast/<ref>")
@requires(P.LEDGER_READ)
def kept_forecast(ref: str) -> Any:
    found = queries.kept_forecast(current_actor(), ref, clock.now())
    return page("payments/forecast_kept.html", found=found, words=month_words)


@bp.get("/finance/ageing")
@requires(P.LEDGER_READ)
def ageing() -> Any:
    asked, problems = ageing_ask(request.args)
    found = queries.ageing(current_actor(), asked, clock.now())
    return page(
        "payments/ageing.html",
        found=found,
        asked=asked,
        problems=problems,
        typed_call=request.args.get("call", ""),
        rows=paging.paged(found.ageing.in_step(asked.step), paging.asked(), key=lambda line: line.reference),
        kinds=list(Owing),
        steps=list(Bucket),
    )
