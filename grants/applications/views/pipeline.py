"""Where the applications of a call, and of all calls, stand and for how long; each number leads to its list."""

from __future__ import annotations

from typing import Any

from grants.applications import queries
from grants.applications.rules import ListFilter
from grants.applications.rules.arrival import words
from grants.applications.rules.listing import Listing, Order, Sorting
from grants.applications.rules.pipeline import Planned, by_call, stages
from grants.applications.states import ApplicationState
from grants.applications.views.frame import bp
from grants.applications.views.lists import address_of
from grants.calls import queries as calls
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.money import Money
from grants.core.permissions import Permission
from grants.web.choosing import chosen
from grants.web.routing import current_actor, page, requires


@bp.get("/calls/<slug>/pipeline")
@requires(Permission.APPLICATION_READ)
def pipeline(slug: str) -> Any:
    """The states of one call."""
    actor = current_actor()
    queries.shareable_call(actor, slug)
    call, known = calls.with_values(actor, slug)
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
    actor, problems = current_actor(), list[str]()
    if not (queries.shareable_calls(actor) or actor.everywhere(Permission.APPLICATION_READ)):
        raise NotFound
    programmes = queries.programmes_seen(actor)
    programme = chosen("programme", "programme", {code: code for code in programmes}, problems) or ""
    standing = () if problems else queries.standing(actor, ListFilter(programme=programme))
    found = by_call(standing, clock.now())
    return page(
        "applications/pipelines.html",
        programme=programme,
        programmes=programmes,
        problems=problems,
        states=[state for state in ApplicationState if any(state in each.waiting for each in found)],
        calls=found,
        list_of=_list_of,
        words=words,
    )


def _list_of(slug: str, state: ApplicationState | None = None, days: int = 0) -> str:
    """The address of exactly the applications that were counted, the longest waiting first."""
    wanted = ListFilter(call_slug=slug, states=(state,) if state else (), days=days)
    return address_of(Listing(wanted, Sorting(Order.AGE, descending=False)))
