"""Eight processes at a deadline: one rule, the same answer always; and while the deadline moves, one consistent answer each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from grants.applications import services
from grants.applications.models import Submission
from grants.calls import queries as calls
from grants.calls import services as call_acts
from grants.calls.rules import DeadlineInput
from grants.core import clock
from grants.core.db import db
from grants.core.permissions import Actor
from tests import actors
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN, again
from tests.soak.racing import PROCESSES, Racers
from tests.soak.telling import Tally

TOWNS = tuple(f"Municipality of Racing {number}" for number in range(1, PROCESSES + 1))
INSTANT = timedelta(microseconds=1)


def submit(actor: Actor, application_id: UUID, at: datetime) -> datetime:
    """Send an application that came in at this moment; the moment its receipt says."""
    with clock.at(at):
        return services.submit(actor, application_id).submitted_at


def extend(actor: Actor, call_id: UUID, local: datetime, at: datetime) -> datetime:
    """Move the deadline at this moment."""
    with clock.at(at):
        call_acts.extend_deadline(
            actor, call_id, DeadlineInput(local, "The portal was down.", "More time for everybody.")
        )
    return at


def extend_alone(actor: Actor, application_id: UUID, local: datetime, at: datetime) -> datetime:
    """Give one applicant more time at this moment."""
    with clock.at(at):
        services.extend_for_one(actor, application_id, DeadlineInput(local, "An outage.", "More time for you."))
    return at


class Deadlines:
    """A call with eight finished applications of eight cities, sent again in every round."""

    def __init__(self, racers: Racers, tally: Tally) -> None:
        self.racers, self.tally = racers, tally
        self.call = factory.published_call()
        self.leads, self.application_ids = [], []
        for number, town in enumerate(TOWNS, 1):
            lead = actors.actor(actors.person(f"Lead {number}", actors.Role.APPLICANT, organisation_name=town))
            self.application_ids.append(factory.fill(factory.draft(self.call, lead, f"Racing {number}"), lead))
            self.leads.append(again(lead))

    @property
    def closes_at(self) -> datetime:
        db.session.rollback()
        closes_at = calls.call_by_id(self.call.id).closes_at
        assert closes_at is not None
        return closes_at

    def second(self) -> None:
        """Half of them arrive before the second of the deadline ends, half at it or after: no one is an exception."""
        closes_at = self.closes_at
        before = (timedelta(milliseconds=-100), -INSTANT, timedelta(milliseconds=-1), timedelta(seconds=-1))
        late = (timedelta(0), INSTANT, timedelta(milliseconds=1), timedelta(milliseconds=100))
        moments = [closes_at + each for pair in zip(before, late, strict=True) for each in pair]
        answers = self._sent(moments)
        for at, answer in zip(moments, answers, strict=True):
            assert answer.kind == ("done" if at < closes_at else "Refused"), (at, answer)
            if answer.kind == "done":
                assert answer.value == at, "the receipt says when it came in"
            else:
                assert "Your request reached the server at" in answer.said, answer
        self.tally["at the second"] += len(moments)

    def moved(self) -> None:
        """Seven arrive after the old deadline, one moves it: each is refused by the old or taken by the new, never between."""
        old = self.closes_at
        at = old + timedelta(minutes=1)
        local = clock.in_zone(old + timedelta(hours=1), self.call.zone).replace(tzinfo=None)
        submitting = list(zip(self.leads, self.application_ids, strict=True))[1:]
        deeds = [(submit, (lead, application_id, at)) for lead, application_id in submitting]
        deeds.insert(self.tally["deadlines moved"] % PROCESSES, (extend, (actors.ingrid(), self.call.id, local, at)))
        answers = self.racers.race_all(deeds).all
        new = self.closes_at
        assert new == old + timedelta(hours=1)
        for (deed, words), answer in zip(deeds, answers, strict=True):
            if deed is extend:
                assert answer.kind == "done", answer
                continue
            assert answer.kind in {"done", "Refused"}, answer
            if answer.kind == "done":
                assert self._last(words[1]) == (at, new), "taken by the deadline that stands"
                self.tally["taken by the new deadline"] += 1
            else:
                assert "The deadline was" in answer.said, answer
                self.tally["refused by the old deadline"] += 1
        # Whoever was refused is taken now, without anybody's help.
        assert {each.kind for each in self._sent([at + timedelta(seconds=1)] * PROCESSES)} == {"done"}
        self.tally["deadlines moved"] += 1

    def alone(self) -> None:
        """All send after the deadline while one of them gets more time: that one is judged by the old deadline or by
        its own, every other is refused.
        """
        old = self.closes_at
        at, own = old + timedelta(minutes=1), old + timedelta(hours=1)
        local = clock.in_zone(own, self.call.zone).replace(tzinfo=None)
        given = (extend_alone, (actors.ingrid(), self.application_ids[0], local, at))
        sending = [
            (submit, (lead, each, at)) for lead, each in zip(self.leads[:-1], self.application_ids, strict=False)
        ]
        first, *others = self.racers.race_all([*sending, given]).all[:-1]
        assert first.kind in {"done", "Refused"}, first
        assert first.kind == "Refused" or self._last(self.application_ids[0]) == (at, own)
        assert {each.kind for each in others} == {"Refused"}
        # A second later there is no doubt: it is taken by its own deadline, and every other is still too late.
        kinds = [each.kind for each in self._sent([at + timedelta(seconds=1)] * PROCESSES)]
        assert kinds == ["done", *["Refused"] * (PROCESSES - 1)]
        assert self._last(self.application_ids[0]) == (at + timedelta(seconds=1), own)
        self.tally["more time for one"] += 1

    def rounds(self, count: int) -> None:
        for _ in range(count):
            self.second()
            self.moved()
        self.alone()
        numbers = list(db.session.scalars(select(Submission.receipt_number).order_by(Submission.receipt_number)))
        assert numbers == list(range(1, len(numbers) + 1)), "receipts are numbered without a gap"

    def _sent(self, moments: Sequence[datetime]) -> list:
        words = zip(self.leads, self.application_ids, moments, strict=True)
        return self.racers.race(submit, list(words)).all

    def _last(self, application_id: UUID) -> tuple[datetime, datetime]:
        row = db.session.scalars(
            select(Submission).where(Submission.application_id == application_id).order_by(Submission.number.desc())
        ).first()
        assert row is not None and row.submitted_at > WHILE_OPEN
        return row.submitted_at, row.closes_at
