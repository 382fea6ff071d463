"""Where the applications of a call, and of all calls, stand and for how long; each number leads to its list."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import request

from grants.applications import queries
from grants.applications.rules import ListFilter
from grants.applications.rules.listing import Listing, Order, Sorting
from grants.applications.rules.pipeline import Planned, Standing, stages
from grants.applications.states import ApplicationState
from grants.applications.views.frame import bp
from grants.applications.views.lists import address_of
from grants.calls import queries as calls
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.money import Money
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires


@bp.get("/calls/<slug>/pipeline")
@requires(Permission.APPLICATION_READ)
def pipeline(slug: str) -> Any:
    """The states of one call."""
    actor = current_actor()
    queries.shareable_call(actor, slug)
    call, known = calls.call(actor, slug), calls.values(actor, slug)
    planned = Planned(known["dates.results_planned"].value, known["dates.pilots_start"].value)
    found = stages(queries.standing(actor, ListFilter(call_slug=slug)), planned, clock.now())
    return page(
        "applications/pipeline.html",
        call=call,
        stages=found,
        number=sum(stage.number for stage in found),
        requested=sum((stage.requested for stage in found), Money(0)),
        list_of=lambda stage, days=0: _list_of(slug, stage.state, days),
    )


@bp.get("/applications/pipeline")
@requires(Permission.APPLICATION_READ)
def pipelines() -> Any:
    """The states of every call, or of those of one programme, side by side."""
    actor, programme = current_actor(), request.args.get("programme", "")
    if not (queries.shareable_calls(actor) or actor.everywhere(Permission.APPLICATION_READ)):
        raise NotFound
    found = queries.standing(actor, ListFilter(programme=programme))
    return page(
        "applications/pipelines.html",
        programme=programme,
        programmes=queries.programmes_seen(actor),
        states=[state for state in ApplicationState if any(each.state is state for each in found)],
        calls=[_call(list(rows)) for _, rows in groupby(found, key=lambda each: each.call_slug)],
        list_of=_list_of,
    )


def _call(rows: list[Standing]) -> dict[str, Any]:
    """One call with its states."""
    return {
        "slug": rows[0].call_slug,
        "title": rows[0].call_title,
        "of": {each.state: each for each in rows},
        "number": sum(each.number for each in rows),
        "requested": sum((each.requested for each in rows), Money(0)),
    }


def _list_of(slug: str, state: ApplicationState | None = None, days: int = 0) -> str:
    """The address of exactly the applications that were counted, the longest waiting first."""
    wanted = ListFilter(call_slug=slug, states=(state,) if state else (), days=days)
    return address_of(Listing(wanted, Sorting(Order.AGE, descending=False)))
