"""The log of a meeting of the panel: its next entry, for every act of it, and what changed a score while it sat."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Exists, or_, select

from grants.awards.models import PanelEvent, PanelItem, PanelMeeting, PanelMinutes
from grants.awards.rules import panel as rules
from grants.awards.states import Happened
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.permissions import Actor, Permission
from grants.evaluation.queries import application_scope
from grants.identity import queries as identity


def log(meeting: PanelMeeting, actor: Actor, kind: Happened, **about: object) -> None:
    """The next entry of the log of a meeting, which the act has locked. For acts of this stage and later ones."""
    assert actor.user_id is not None
    add_event(meeting, actor.user_id, kind, **about)


def add_event(meeting: PanelMeeting, by: UUID, kind: Happened, **about: object) -> None:
    """The same of what this person did elsewhere."""
    rules.refuse_full_log(meeting.last_number, kind)
    meeting.last_number += 1
    given = {"at": acts.moment(), "text": "", "before": "", "reason": "", **about}
    db.session.add(PanelEvent(meeting_id=meeting.id, number=meeting.last_number, kind=kind.value, by_id=by, **given))


@act(
    "panel.log_score",
    needs=Permission.PANEL_LOG_SCORE,
    scope=application_scope,
    says="logged in the meeting of the panel what changed the score of {subject}",
)
def log_score(
    actor: Actor,
    application_id: UUID,
    by: UUID,
    at: datetime,
    text: str,
    before: str,
    reason: str,
    *,
    named: bool = True,
) -> int:
    """Log what changed a score at a moment in each meeting that sat then and has the application.

    One that ended meanwhile still takes it, after its end and with its own moment, until its minutes are signed by both.
    Returns how many meetings those are. Said again, it is logged once.
    """
    acts.subject("application", application_id)
    said = {
        "text": f"{text}, by {identity.people({by})[by].name}" if named else text,
        "before": before,
        "reason": reason,
    }
    began = db.session.execute(
        select(PanelItem.id, PanelItem.meeting_id)
        .where(
            PanelItem.application_id == application_id,
            _logged(PanelItem.meeting_id, Happened.BEGUN, PanelEvent.at <= at),
        )
        .order_by(PanelItem.meeting_id)
    ).all()
    logged = 0
    for row in began:
        # Whoever ends the meeting or signs its minutes holds it too: what stands is looked at once it is locked.
        meeting = locked(PanelMeeting, row.meeting_id)
        if not _takes(meeting.id, at):
            continue
        logged += 1
        entry = {"item_id": row.id, "at": at, **said}
        if db.session.scalar(select(PanelEvent.id).filter_by(kind=Happened.SCORED.value, **entry).limit(1)) is None:
            add_event(meeting, by, Happened.SCORED, **entry)
    return logged


def _logged(meeting_id: Any, kind: Happened, when: ColumnElement[bool]) -> Exists:
    return (
        select(PanelEvent.id).where(PanelEvent.meeting_id == meeting_id, PanelEvent.kind == kind.value, when).exists()
    )


def _takes(meeting_id: UUID, at: datetime) -> bool:
    """Whether a meeting had not ended at this moment, and its minutes can still say what happened then."""
    signed = select(PanelMinutes.id).where(
        PanelMinutes.meeting_id == meeting_id,
        PanelMinutes.chair_signed_by.is_not(None),
        PanelMinutes.second_signed_by.is_not(None),
    )
    return not db.session.scalar(select(or_(_logged(meeting_id, Happened.ENDED, PanelEvent.at < at), signed.exists())))
