"""The minutes of a meeting: as they stand now, and as each version was frozen, each in the copy a reader may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.awards.models import PanelMeeting, PanelMinutes
from grants.awards.queries.panel import Whole, meeting_scope, opens, shut, whole
from grants.awards.rules import minutes as rules
from grants.awards.rules.minutes import Agenda, MinutesText
from grants.awards.rules.panel_pages import MeetingHead, MinutesView
from grants.awards.states import MeetingState, PanelRole
from grants.core import encoding, files, jobs
from grants.core.db import db, locked
from grants.core.errors import NotFound
from grants.core.files import FileView
from grants.core.permissions import Actor, Scope
from grants.core.together import Asking, ask, both, reader
from grants.identity import queries as identity

FILES = "panel_minutes"
JOB = "jobs.documents.panel_minutes"
VERSIONS_MAX = 50


def text_of(found: Whole) -> MinutesText:
    """The whole minutes of a meeting that has ended, from its log."""
    agenda = Agenda(
        found.head.title, found.call.title, found.call.reference, found.head.zone, found.head.quorum, found.names, found.roles,
        found.items,
    )  # fmt: skip
    return rules.written(agenda, found.events)


@dataclass(frozen=True, slots=True)
class MinutesPage:
    """The meeting, its minutes as they would be frozen now, and every version frozen so far, latest first."""

    head: MeetingHead
    text: MinutesText | None
    versions: tuple[MinutesView, ...]
    role: PanelRole | None
    # Something is left out, since it is shut to the reader.
    partial: bool

    @property
    def standing(self) -> MinutesView | None:
        """The version that counts: the latest."""
        return self.versions[0] if self.versions else None


@reader
def minutes_page(actor: Actor, slug: str) -> Asking[MinutesPage]:
    """Everything about the minutes, without what is shut to the reader; four statements."""
    found = yield from whole.asking(opens(actor) & (PanelMeeting.slug == slug))
    ids = [application_id for application_id, _, _ in found.items.values()]
    closed, rows = yield from both(shut.asking(actor, ids), versions_of.asking(found.head.id))
    signers = {who for row in rows for who in (row.frozen_by, row.chair_signed_by, row.second_signed_by) if who}
    people = yield from identity.people.asking(signers)
    names = {key: person.name for key, person in people.items()}
    ended = found.head.state is MeetingState.ENDED
    return MinutesPage(
        found.head,
        rules.copy_for(text_of(found), closed) if ended else None,
        tuple(_view(row, names, closed, synthetic=found.call.synthetic) for row in rows),
        found.roles.get(actor.user_id) if actor.user_id else None,
        bool(closed),
    )


@reader
def versions_of(meeting_id: UUID) -> Asking[list[Any]]:
    """The versions of the minutes of a meeting, latest first."""
    return (
        yield from ask(
            select(PanelMinutes)
            .where(PanelMinutes.meeting_id == meeting_id)
            .order_by(PanelMinutes.number.desc())
            .limit(VERSIONS_MAX)
        )
    )


def _view(row: Any, names: Mapping[UUID, str], closed: frozenset[UUID], *, synthetic: bool) -> MinutesView:
    text: MinutesText = encoding.decode(row.content, MinutesText)
    chair = (names[row.chair_signed_by], row.chair_signed_at) if row.chair_signed_by else None
    second = (names[row.second_signed_by], row.second_signed_at) if row.second_signed_by else None
    mine = rules.copy_for(text, closed)
    # Paper made before somebody signed says so; the next has the signature.
    signed = "".join(letter for letter, who in (("c", chair), ("s", second)) if who)
    return MinutesView(
        row.id, row.number, mine, bytes(row.sha256).hex(), mine != text, f"{rules.copy_role(text, closed)}-{signed or 0}",
        names[row.frozen_by], row.created_at, chair, second, synthetic,
    )  # fmt: skip


def minutes_scope(minutes_id: UUID) -> Scope:
    """Minutes lie where their meeting lies."""
    return meeting_scope(locked(PanelMinutes, minutes_id).meeting_id)


def minutes_for(actor: Actor, minutes_id: UUID) -> MinutesView:
    """One version as this person may read it; for the act that hands it out and the job that prints it."""
    slug = db.session.scalar(
        select(PanelMeeting.slug)
        .join(PanelMinutes, PanelMinutes.meeting_id == PanelMeeting.id)
        .where(PanelMinutes.id == minutes_id)
    )
    found = next((view for view in minutes_page(actor, slug).versions if view.id == minutes_id), None) if slug else None
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Printed:
    """How the PDF of one copy stands: there, being made, or why it could not be."""

    file: FileView | None = None
    waits: bool = False
    error: str = ""


def printed(view: MinutesView) -> Printed:
    """The PDF of the copy that this reader may have."""
    found = files.listed(FILES, view.id, view.file_role)
    job = None if found else jobs.latest((FILES, view.id), JOB)
    failed = job is not None and job.state is jobs.JobState.FAILED
    return Printed(
        found[0] if found else None, waits=job is not None and not job.is_over,
        error=(job.error or "") if job is not None and failed else "",
    )  # fmt: skip
