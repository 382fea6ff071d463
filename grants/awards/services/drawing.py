"""The draw by lot of a list, inside the act that confirms it: nobody decides a list who knows the seed.

A draw that is refused has used the seed all the same, so it stands on the record before anybody learns of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from grants.awards import queries, rules
from grants.awards.models import Selection, SelectionItem
from grants.awards.services.deciding import keep, placed
from grants.awards.states import SelectionState
from grants.calls import queries as calls
from grants.calls.rules import CallView, Draw
from grants.core import acts
from grants.core.acts import act
from grants.core.db import locked
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission


def draw(selection: Selection, call: CallView, items: Sequence[SelectionItem]) -> None:
    """Put the group at the line in order by the seed of the call, where a decided list waits for that.

    The list is the one both people saw, which was just compared; its hash of then stays with it, and the database keeps
    its rows as they were decided. Raises :class:`DrawRefused`, which says no more than that it is refused: what a drawn
    list lacks tells of the order, and another may be decided from the same seed.
    """
    if not selection.undrawn:
        return
    assert call.content.draw is not None, "a call that has opened keeps its draw"
    drawing = Draw(call.content.draw, calls.draw_seed(call.id))
    plan = replace(queries.plan_of(selection), draw=drawing)
    try:
        found, _, _ = queries.solved_list(call, plan)
        rules.refuse_over_budget(found.used, calls.free(call.id))
    except Refused as error:
        raise rules.DrawRefused from error
    if found.relaxed:
        # A draw only takes tied rows apart, so what was in reach before is after it; if not, nothing is confirmed.
        raise rules.DrawRefused
    assert found.drawn, "the group of then is there, or the hash would differ"
    signed = {"signed_sha256": selection.list_sha256.hex()}
    keep(selection, call, replace(plan, draw=replace(drawing, drawn=found.drawn)), found)
    selection.rules, selection.undrawn = selection.rules | signed, False
    by_application = {item.application_id: item for item in items}
    for position, row in enumerate(found.rows, 1):
        item = by_application[row.application_id]
        item.undrawn = False
        for name, value in placed(position, row).items():
            setattr(item, name, value)


@act(
    "selection.refuse_draw",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.selection_scope,
    says="was to confirm the selection of {subject}, whose draw by lot was refused",
)
def keep_refused(actor: Actor, selection_id: UUID) -> None:
    """Keep that the draw of a list was refused, and to whom, before they learn of it. Once for each list.

    Not the hash of the drawn list: whoever knows the group could try every order until it fits.
    """
    selection = locked(Selection, selection_id)
    acts.subject("selection", selection_id)
    acts.reason(
        f"A draw of list {selection.number} (SHA-256 {selection.list_sha256.hex()}) was refused, because the drawn list does not "
        "keep every rule"
    )
    if selection.state != SelectionState.CONFIRMED.value and selection.draw_refused_at is None:
        selection.draw_refused_by, selection.draw_refused_at = actor.user_id, acts.moment()
