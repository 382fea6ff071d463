"""What meetings of the panel said of the list, once their minutes are signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, select
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
    rows = yield from ask(_said(Call.slug == slug, opens(actor)))
    return Heard(
        _order(rows),
        {row.id: row.text for row in rows if row.kind == Happened.RECOMMENDED.value},
        tuple(dict.fromkeys((row.slug, row.title) for row in rows)),
    )


@reader
def order_said(call_id: UUID | ScalarSelect[UUID]) -> Asking[tuple[str, ...]]:
    """The order of tied applications in the signed minutes of a call, whoever asks; one statement.

    For what counts whoever decides: a list, a scenario and what is worked out for them. A page tells it of whole lists alone.
    """
    return _order((yield from ask(_said(Call.id == call_id))))


def _order(rows: Sequence[Any]) -> tuple[str, ...]:
    return settled((row.reference, row.second) for row in rows if row.kind == Happened.REORDERED.value)


def _said(*of_call: ColumnElement[bool]) -> Select[str, str, UUID, str, str, str, str]:
    second = aliased(PanelItem)
    after = aliased(Application)
    return (
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
            *of_call,
            signed_minutes(),
            PanelEvent.kind.in_((Happened.REORDERED.value, Happened.RECOMMENDED.value)),
        )
        .order_by(PanelMeeting.starts_at, PanelMeeting.id, PanelEvent.number)
        .limit(EVENTS_MAX)
    )
