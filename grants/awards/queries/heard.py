"""What meetings of the panel said of the list, once their minutes are signed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.awards.models import PanelEvent, PanelItem, PanelMeeting
from grants.awards.queries.panel import opens, signed_minutes
from grants.awards.rules.heard import Heard, settled
from grants.awards.rules.panel import EVENTS_MAX
from grants.awards.states import Happened
from grants.calls.models import Call
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader


@reader
def heard(actor: Actor, slug: str) -> Asking[Heard]:
    """Orders and recommendations of the panel of that call, from meetings whose minutes both have signed; one statement.

    What is shut to this person is in it: a page tells only of the rows it shows.
    """
    if not actor.can(Permission.PANEL_READ):
        return Heard()
    second = aliased(PanelItem)
    after = aliased(Application)
    rows = yield from ask(
        select(
            *(PanelEvent.kind, PanelEvent.text, Application.id, Application.reference),
            *(after.reference.label("second"), PanelMeeting.slug, PanelMeeting.title),
        )
        .join(PanelMeeting, PanelMeeting.id == PanelEvent.meeting_id)
        .join(Call, Call.id == PanelMeeting.call_id)
        .join(PanelItem, PanelItem.id == PanelEvent.item_id)
        .join(Application, Application.id == PanelItem.application_id)
        .outerjoin(second, second.id == PanelEvent.other_item_id)
        .outerjoin(after, after.id == second.application_id)
        .where(
            Call.slug == slug,
            opens(actor),
            signed_minutes(),
            PanelEvent.kind.in_((Happened.REORDERED.value, Happened.RECOMMENDED.value)),
        )
        .order_by(PanelMeeting.starts_at, PanelMeeting.id, PanelEvent.number)
        .limit(EVENTS_MAX)
    )
    return Heard(
        settled((row.reference, row.second) for row in rows if row.kind == Happened.REORDERED.value),
        {row.id: row.text for row in rows if row.kind == Happened.RECOMMENDED.value},
        tuple(dict.fromkeys((row.slug, row.title) for row in rows)),
    )
