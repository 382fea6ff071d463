"""Acts on the minutes of a meeting: remarks, freezing them, two signatures, the paper each reader may have."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.awards import queries
from grants.awards.models import PanelMeeting, PanelMinutes
from grants.awards.queries.panel import Whole
from grants.awards.rules import panel as rules
from grants.awards.rules.minutes import MinutesText, scores_in
from grants.awards.services.panel import item_named
from grants.awards.services.panel_log import log
from grants.awards.states import Happened, MeetingState, PanelRole
from grants.core import acts, encoding, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, NotAllowed, NotFound, Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission
from grants.evaluation.services.scored import SCORED_JOB

meeting_scope = queries.panel.meeting_scope


def _writes(actor: Actor, meeting_id: UUID) -> PanelMeeting:
    meeting = locked(PanelMeeting, meeting_id)
    if queries.panel.role_in(meeting_id, actor.user_id) is not PanelRole.MINUTES:
        raise NotAllowed("The minute-taker of this meeting writes its minutes.")
    return meeting


@act(
    "panel.remark",
    needs=Permission.PANEL_TAKE_MINUTES,
    scope=meeting_scope,
    says="wrote a remark in the minutes of {subject}",
)
def remark(actor: Actor, meeting_id: UUID, reference: str, text: str) -> None:
    """Write what the minutes say of an item beside what the system logs; what was written before stays in the log."""
    meeting = _writes(actor, meeting_id)
    if MeetingState(meeting.state) is MeetingState.PLANNED:
        raise Refused("The meeting has not begun; there is nothing to write about yet.")
    item = item_named(actor, meeting_id, reference)
    words = rules.said(text, "remark", "Write the remark.")
    standing = next(iter(_versions(meeting_id)), None)
    if standing is not None and standing.chair_signed_by and standing.second_signed_by:
        raise Refused("These minutes are signed by both; they no longer change.")
    rules.refuse_many_remarks(queries.panel.events_of(meeting_id), actor.user_id)
    log(meeting, actor, Happened.REMARKED, item_id=item.id, text=words)


def _versions(meeting_id: UUID) -> list[PanelMinutes]:
    return list(
        db.session.scalars(
            select(PanelMinutes)
            .where(PanelMinutes.meeting_id == meeting_id)
            .order_by(PanelMinutes.number.desc())
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


@act(
    "panel.freeze_minutes",
    needs=Permission.PANEL_TAKE_MINUTES,
    scope=meeting_scope,
    says="froze the minutes of {subject}",
)
def freeze(actor: Actor, meeting_id: UUID) -> int:
    """Freeze the minutes as the log tells them now, for the chair and a second person to sign. Returns their number."""
    meeting = _writes(actor, meeting_id)
    if MeetingState(meeting.state) is not MeetingState.ENDED:
        raise Refused("Minutes are frozen once the meeting has ended. Its chair ends it.")
    found = queries.panel.meeting_of(meeting_id)
    _refuse_partial(actor, [application_id for application_id, _, _ in found.items.values()])
    _refuse_waiting_scores(found)
    before = _versions(meeting_id)
    text = queries.minutes.text_of(found)
    if before and before[0].chair_signed_by and before[0].second_signed_by:
        raise Refused("These minutes are signed by both; they no longer change.")
    if before and bytes(before[0].sha256) == text.sha256:
        raise Refused(f"Version {before[0].number} says exactly this. Add a remark first, or let it be signed.")
    row = PanelMinutes(
        meeting_id=meeting_id, number=len(before) + 1, content={"value": encoding.encode(text)}, sha256=text.sha256,
        frozen_by=actor.user_id,
    )  # fmt: skip
    db.session.add(row)
    return row.number


def _refuse_partial(actor: Actor, application_ids: list[UUID]) -> None:
    if queries.panel.shut(actor, application_ids):
        raise Refused(
            "An item of this meeting is shut to you: you declared a conflict of interest since. Somebody else takes its minutes over."
        )  # fmt: skip


@act(
    "panel.sign_minutes",
    needs=Permission.PANEL_READ,
    scope=queries.panel.signing_scope,
    says="signed the minutes of {subject}",
)
def sign(actor: Actor, meeting_id: UUID, number: int) -> None:
    """Sign the latest version: the chair (or the deputy) once, and one more person of the meeting once."""
    locked(PanelMeeting, meeting_id)
    role = queries.panel.role_in(meeting_id, actor.user_id)
    if role is None:
        raise NotAllowed("The minutes are signed by the chair and by a second person of the meeting.")
    found = queries.panel.meeting_of(meeting_id)
    _refuse_unread(actor, found, role)
    standing = next(iter(_versions(meeting_id)), None)
    if standing is None or standing.number != number:
        raise Conflict("There is a newer version of these minutes. Read it, and sign that one.")
    _refuse_other_scores(found, standing)
    if role in (PanelRole.CHAIR, PanelRole.DEPUTY):
        if standing.chair_signed_by is not None:
            raise Refused("The chair or the deputy has signed already; another person of the meeting signs second.")
        standing.chair_signed_by, standing.chair_signed_at = actor.user_id, acts.moment()
    else:
        if standing.second_signed_by is not None:
            raise Refused("A second person has signed already. Nothing more is asked of you.")
        standing.second_signed_by, standing.second_signed_at = actor.user_id, acts.moment()


def _refuse_waiting_scores(found: Whole) -> None:
    """What changed a score while the meeting sat is logged by a job, and minutes say it."""
    ids = [application_id for application_id, _, _ in found.items.values()]
    if jobs.waits_about("application", ids, SCORED_JOB):
        raise Refused("A score was changed a moment ago, and the log is being written. Try again in a minute.")


def _refuse_other_scores(found: Whole, standing: PanelMinutes) -> None:
    """Nobody signs minutes that leave out a score the log has; what was logged after they were frozen is frozen anew."""
    _refuse_waiting_scores(found)
    frozen: MinutesText = encoding.decode(standing.content, MinutesText)
    if scores_in(frozen) != scores_in(queries.minutes.text_of(found)):
        raise Refused(
            "What changed a score while this meeting sat was logged after these minutes were frozen. "
            "Ask the minute-taker to freeze them again, and sign that version."
        )


def _refuse_unread(actor: Actor, found: Whole, role: PanelRole) -> None:
    """Nobody signs what they cannot read whole; the sentence names who of the meeting can."""
    ids = [application_id for application_id, _, _ in found.items.values()]
    if not queries.panel.shut(actor, ids):
        return
    clear = queries.panel.clear_people(found.roles, ids, queries.panel.voting(found.roles))
    others = rules.who_else_signs(found.roles, found.names, (each.room for each in clear.values()), role)
    raise Refused(f"An item of this meeting is shut to you, so you cannot read the whole of its minutes. {others}")


@act(
    "panel.print_minutes",
    needs=Permission.PANEL_READ,
    scope=meeting_scope,
    says="asked for the minutes of {subject} as PDF",
)
def prepare(actor: Actor, meeting_id: UUID, number: int) -> None:
    """Ask for the PDF of a version, in the copy this person may have; a job makes it."""
    row = _numbered(meeting_id, number)
    acts.subject(queries.minutes.FILES, row.id)
    jobs.queue(queries.minutes.JOB, subject=(queries.minutes.FILES, row.id), minutes_id=row.id)


@act(
    "panel.download_minutes",
    needs=Permission.PANEL_READ,
    scope=meeting_scope,
    says="opened the minutes of {subject} as PDF",
)
def download(actor: Actor, meeting_id: UUID, number: int) -> FileView:
    """Hand out the PDF of a version, in the copy this person may have now; who took it is kept."""
    row = _numbered(meeting_id, number)
    acts.subject(queries.minutes.FILES, row.id)
    file = queries.minutes.printed(queries.minutes.minutes_for(actor, row.id)).file
    if file is None:
        raise NotFound
    return file


def _numbered(meeting_id: UUID, number: int) -> PanelMinutes:
    found = db.session.scalars(
        select(PanelMinutes).where(PanelMinutes.meeting_id == meeting_id, PanelMinutes.number == number)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found
