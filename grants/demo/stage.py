"""The stage of the demo: one clock for all stories, the people, and how far the telling is."""

from __future__ import annotations

import heapq
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from grants.calls.rules import CallView
from grants.core import clock
from grants.core.bank_days import target_closing_days
from grants.core.permissions import Actor
from grants.demo.keeping_books import Keepers

# A story yields the moment at which it goes on.
Story = Generator[datetime, None, None]

SATURDAY = 5


class Company(Keepers):
    """The troupe of one telling: somebody is looked up anew only after they were given something to do, or lost it."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[UUID, Actor] = {}

    def actor_of(self, user_id: UUID) -> Actor:
        """The person as they were when something last changed for them."""
        if user_id not in self._known:
            self._known[user_id] = super().actor_of(user_id)
        return self._known[user_id]

    def changed(self, *keys: str) -> None:
        """Forget what these people could do."""
        for key in keys:
            self._known.pop(self.ids[key], None)

    def all_changed(self) -> None:
        """Forget what anybody could do."""
        self._known.clear()


def bank_day(moment: datetime) -> datetime:
    """The same hour on the first day from this one on that banks work: no weekend, and TARGET is open."""
    while not _banks_work(moment):
        moment += timedelta(days=1)
    return moment


def _banks_work(moment: datetime) -> bool:
    return moment.weekday() < SATURDAY and moment.date() not in target_closing_days(moment.year)


@dataclass
class Stage:
    """What every story needs; days are counted back from today."""

    troupe: Company = field(default_factory=Company)
    # Ten in the morning in Brussels or nine in winter; nothing of the demo happens later than two days ago.
    today: datetime = field(default_factory=lambda: clock.now().replace(hour=8, minute=0, second=0, microsecond=0))
    words: str = "The demo begins"

    def days_ago(self, days: float) -> datetime:
        """A moment counted back from today."""
        return self.today - timedelta(days=days)

    def bank_days_ago(self, days: float) -> datetime:
        """The same on a day on which banks work: that one, or the last before it."""
        moment = self.days_ago(days)
        while not _banks_work(moment):
            moment -= timedelta(days=1)
        return moment

    def say(self, text: str) -> None:
        """What is happening from here on, for whoever waits."""
        self.words = text

    def invented_call(
        self, title: str, *, opens: int, closes: int, total: int, award: int | None = None, more: str = ""
    ) -> CallView:
        """A published call of invented municipalities; days count back from today."""
        return self.troupe.publish_invented_call(
            title, self.days_ago(opens), self.days_ago(closes), total, award=award, more=more
        )


def merged(*stories: Story) -> Story:
    """Several stories as one: the earliest deed first, of two at the same moment that of the story named first."""
    first = ((next(story, None), number, story) for number, story in enumerate(stories))
    waiting = [(moment, number, story) for moment, number, story in first if moment is not None]
    heapq.heapify(waiting)
    while waiting:
        moment, number, story = heapq.heappop(waiting)
        yield moment
        later = next(story, None)
        if later is not None:
            assert later >= moment, "a story never goes back in time"
            heapq.heappush(waiting, (later, number, story))


def sign(stage: Stage, reference: str, mayor: str) -> None:
    """Both sides sign at one sitting."""
    stage.troupe.sign_for_city(reference, mayor)
    stage.troupe.sign_for_programme(reference)


def pay(stage: Stage, references: list[str], start: datetime) -> Story:
    """What is asked for is allowed, and its orders go through the circuit in one run: four people, some bank days."""
    start = bank_day(start)
    yield start
    for reference in references:
        stage.troupe.decide_requests(reference)
    prepared_at = bank_day(start + timedelta(days=1))
    yield prepared_at
    prepared = [stage.troupe.prepare_order(reference) for reference in references]
    orders = [order for order in prepared if order is not None]
    if not orders:
        return
    yield prepared_at + timedelta(hours=3)
    for order in orders:
        stage.troupe.verify_order(order)
    authorised_at = bank_day(prepared_at + timedelta(days=1))
    yield authorised_at
    for order in orders:
        stage.troupe.authorise_order(order)
    yield authorised_at + timedelta(hours=2)
    stage.troupe.export_orders(orders)
    # The bank pays on its next day, and the statement that says so comes a day later.
    value_at = bank_day(authorised_at + timedelta(days=1))
    yield bank_day(value_at + timedelta(days=1)) + timedelta(hours=4)
    stage.troupe.book_orders(orders, value_at.date())


def reach_milestones(stage: Stage, reference: str, lead: str, *, until: datetime | None = None) -> Story:
    """Each milestone reached and accepted some days before it is due, as far as that lies before ``until``."""
    for milestone in stage.troupe.milestones(reference):
        reached = datetime.combine(milestone.due_on, datetime.min.time(), stage.today.tzinfo) - timedelta(
            days=6, hours=-9
        )
        if until is not None and reached > until:
            return
        yield reached
        stage.troupe.reach(reference, milestone.number, lead)
        stage.troupe.accept_milestone(reference, milestone.number)
