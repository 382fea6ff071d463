"""What happens when the chair of a meeting is cut off: the deputy says so and leads until the chair is back."""

from __future__ import annotations

from uuid import UUID

from grants.awards import queries
from grants.awards.models import PanelMeeting
from grants.awards.rules import panel as rules
from grants.awards.services.panel import meeting_scope, refuse_overtaken
from grants.awards.services.panel_log import log
from grants.awards.states import Happened, MeetingState, PanelRole
from grants.core import acts
from grants.core.acts import act
from grants.core.db import locked
from grants.core.errors import NotAllowed, Refused
from grants.core.permissions import Actor, Permission


@act(
    "panel.stand_in",
    needs=Permission.PANEL_LEAD,
    scope=meeting_scope,
    says="took the lead of {subject}, whose chair was cut off",
)
def stand_in(actor: Actor, meeting_id: UUID, version: int | None = None) -> None:
    """Put on the record that the chair is gone; the deputy, who is there, leads. The chair comes back by saying so."""
    meeting = locked(PanelMeeting, meeting_id)
    found = queries.panel.meeting_of(meeting_id)
    if actor.user_id is None or found.roles.get(actor.user_id) is not PanelRole.DEPUTY:
        raise NotAllowed("Only the deputy of this meeting leads it in the place of the chair.")
    refuse_overtaken(meeting, version)
    if MeetingState(meeting.state) not in (MeetingState.RUNNING, MeetingState.PAUSED):
        raise Refused("This meeting is not in progress; nobody needs to lead it.")
    here = rules.present(found.events)
    if actor.user_id not in here:
        raise NotAllowed("Say that you are here first.")
    chair = next(person for person, role in found.roles.items() if role is PanelRole.CHAIR)
    if chair not in here:
        raise Refused("The chair is not there by the record already: you lead this meeting now.")
    rules.refuse_restless(found.events, actor.user_id, acts.moment())
    acts.reason(rules.CUT_OFF)
    log(meeting, actor, Happened.LEFT, person_id=chair, reason=rules.CUT_OFF)
