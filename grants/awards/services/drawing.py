"""The draw by lot of a list, inside the act that confirms it: nobody decides a list who knows the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grants.awards import queries, rules
from grants.awards.models import Selection, SelectionItem
from grants.awards.services.deciding import keep, placed
from grants.calls import queries as calls
from grants.calls.rules import CallView, Draw
from grants.core.errors import Refused


def draw(selection: Selection, call: CallView, items: Sequence[SelectionItem]) -> None:
    """Put the group at the line in order by the seed of the call, where a decided list waits for that.

    The list is the one both people saw, which was just compared; its hash of then stays with it, and the database keeps
    its rows as they were decided.
    """
    if not selection.undrawn:
        return
    assert call.content.draw is not None, "a call that has opened keeps its draw"
    drawing = Draw(call.content.draw, calls.draw_seed(call.id))
    plan = replace(queries.plan_of(selection), draw=drawing)
    try:
        found, _, _ = queries.solved_list(call, plan)
    except Refused as error:
        raise Refused(rules.undrawable_words((str(error),))) from error
    if found.relaxed:
        # A draw only takes tied rows apart, so what was in reach before is after it; if not, nothing is confirmed.
        raise Refused(rules.undrawable_words(found.relaxed))
    assert found.drawn, "the group of then is there, or the hash would differ"
    rules.refuse_over_budget(found.used, calls.free(call.id))
    signed = {"signed_sha256": selection.list_sha256.hex()}
    keep(selection, call, replace(plan, draw=replace(drawing, drawn=found.drawn)), found)
    selection.rules, selection.undrawn = selection.rules | signed, False
    by_application = {item.application_id: item for item in items}
    for position, row in enumerate(found.rows, 1):
        item = by_application[row.application_id]
        item.undrawn = False
        for name, value in placed(position, row).items():
            setattr(item, name, value)
