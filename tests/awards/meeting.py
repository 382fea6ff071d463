"""A meeting of the panel of the small call: a chair, three members, a minute-taker; one member is in conflict with the first."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from grants.awards import queries, services
from grants.awards.models import PanelMeeting
from grants.awards.rules.panel import Event, MeetingInput
from grants.awards.rules.panel_pages import MeetingPage
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from grants.identity.policy import Role
from tests.evaluation.scene import CLOSED, Scene, declares
from tests.factories import identity as people

MEMBERS = ("ada", "ben", "cleo")
NAMES = {"ada": "Ada Member", "ben": "Ben Member", "cleo": "Cleo Member"}


def seat_panel(scene: Scene, *, conflicted: str = "cleo", with_place: int = 0) -> None:
    """Three members of the panel declare about every application; one has a conflict with the application at that place."""
    with arranging():
        for key in MEMBERS:
            scene.people[key] = people.user(NAMES[key], Role.PANEL_MEMBER).id
    db.session.rollback()
    for key in MEMBERS:
        answers = tuple(
            Answered(each, Declared.CONFLICT, "We are cousins")
            if key == conflicted and place == with_place
            else Answered(each, Declared.NONE)
            for place, each in enumerate(scene.application_ids)
        )
        declares(scene.actor(key), scene.call_id, answers)


@dataclass
class Meeting:
    """One meeting, and what people do in it."""

    scene: Scene
    slug: str
    id: UUID

    def page(self, who: str) -> MeetingPage:
        return queries.panel.meeting_page(self.scene.actor(who), self.slug)

    def does(self, who: str, deed: str, *args: object, **named: object) -> object:
        """One act of the meeting, by its name."""
        return getattr(services.panel, deed)(self.scene.actor(who), self.id, *args, **named)

    def all_arrive(self, *names: str) -> None:
        for name in names or ("chair", *MEMBERS):
            self.does(name, "arrive")

    def open_first(self) -> None:
        """Everybody is there and the item of the first application is open."""
        self.all_arrive()
        self.does("chair", "begin")
        self.does("chair", "open_item", self.scene.references[0])

    def events(self) -> tuple[Event, ...]:
        db.session.rollback()
        return queries.panel.events_of(self.id)


def planned(scene: Scene, *, quorum: int = 2, deputy: str | None = "ada") -> Meeting:
    """A meeting of the chair and the members of :func:`seat_panel`."""
    values = MeetingInput(
        "Panel, first day", clock.now(), quorum, 15, scene.people["chair"], scene.people[deputy] if deputy else None,
        tuple(scene.people[key] for key in MEMBERS if key != deputy), scene.people["manager"],
    )  # fmt: skip
    slug = services.panel.plan(scene.actor("manager"), scene.call_id, values)
    db.session.rollback()
    meeting_id = db.session.scalars(select(PanelMeeting.id).where(PanelMeeting.slug == slug)).one()
    return Meeting(scene, slug, meeting_id)


__all__ = ["CLOSED", "MEMBERS", "NAMES", "Meeting", "planned", "seat_panel"]
