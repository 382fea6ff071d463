"""The decision on a list as a minute: what stands on it, and the file once it is made."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.awards.models import Selection
from grants.awards.queries.lists import frozen, shown_rows
from grants.awards.queries.reserve import SELECTION_FILES, facts_frozen, selection_page
from grants.awards.queries.scenarios import compared_in
from grants.awards.queries.selections import plan_of, selections
from grants.awards.rules.minute import DecisionMinute
from grants.calls import queries as calls
from grants.core import files
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader
from grants.evaluation import queries as evaluation


@reader
def minute(selection_id: UUID) -> Asking[DecisionMinute]:
    """What the minute of a confirmed list says, whole; for the job that prints it."""
    rows = yield from ask(select(Selection).where(Selection.id == selection_id))
    if not rows:
        raise NotFound
    (row,) = rows
    found, views = yield from both(calls.call_views.asking({row.call_id}), selections.asking(row.call_id))
    call, view = found[row.call_id], next(each for each in views if each.id == selection_id)
    listed, _, scores = yield from frozen(call, view)
    ids = [each.application_id for each in listed.rows]
    cities, facts = yield from both(evaluation.cities_of.asking(ids), facts_frozen(row, ids))
    countries = {key: about.country for key, about in facts.items()}
    return DecisionMinute(
        *(call, view, plan_of(row), shown_rows(listed, scores, cities, countries)),
        tuple(each for each in reversed(views) if each.draw_refused_at is not None),
        tuple(each.column for each in compared_in(row.compared) if not each.unsolved),
    )


def minute_file(actor: Actor, slug: str, number: int) -> FileView:
    """The minute as PDF for whoever sees that list whole; :class:`NotFound` for everybody else, and before it is made."""
    shown, view = selection_page(actor, slug, number)
    if shown.partial or not view.has_minute:
        raise NotFound
    return files.listed(SELECTION_FILES, view.id)[0]
