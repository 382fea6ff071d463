"""Rounds of eight processes on one call's budget: panels that fund the last project at one moment, and one who lowers it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from grants.awards import services
from grants.awards.models import Selection
from grants.awards.rules import PublishedOutcome, PublishedPilot
from grants.awards.states import AmountBasis
from grants.calls import queries as calls
from grants.calls import services as call_acts
from grants.calls.rules import BudgetInput
from grants.core import acts, clock
from grants.core.db import db
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from tests import actors
from tests.factories.applications import published_call
from tests.soak.paying import crew, told_no
from tests.soak.racing import PROCESSES, Answers, Racers
from tests.soak.telling import Tally

BUDGET = euros(1_000_000)
# After so many rounds the budget is raised again: 60 % of what is left soon is nothing.
ROUNDS_A_BUDGET = 8


def decide(actor: Actor, call_id: UUID, title: str, city: UUID, amount: Money) -> int:
    """A panel funds a project of this amount from what is free."""
    pilot = PublishedPilot(title, (city,), amount, AmountBasis.SYNTHETIC)
    outcome = PublishedOutcome("https://example.eu/results", "Results", "It was published.", (pilot,))
    return services.record_published_outcome(actor, call_id, outcome)


def confirm(actor: Actor, selection_id: UUID, key: str | None = None) -> Money:
    with acts.once(key):
        return services.confirm(actor, selection_id)


def lower(actor: Actor, call_id: UUID, amount: Money) -> None:
    call_acts.authorise_budget(actor, call_id, BudgetInput(amount))


def publish(moment: datetime, actor: Actor, publication_id: UUID, version: int) -> None:
    with clock.at(moment):
        services.publish_results(actor, publication_id, version)


class Awarding:
    """The call of the rounds, its people, and what was reserved so far."""

    def __init__(self, racers: Racers, tally: Tally) -> None:
        self.racers, self.tally = racers, tally
        self.call_id = published_call().id
        self.city = actors.organisation()
        self.managers = crew("manager")
        self.chairs = crew("chair")
        self.officers = crew("authoriser")
        self.reserved = ZERO

    def rounds(self, count: int) -> None:
        for number in range(count):
            # The round before may have set just that, and an act that would change nothing is refused.
            if number % ROUNDS_A_BUDGET == 0 and calls.free(self.call_id) != BUDGET:
                lower(actors.actor(self.officers[0].user_id), self.call_id, self.reserved + BUDGET)
            self.round(number)
        assert books.verify() == ()

    def round(self, number: int) -> None:
        """Eight panels want 60 % of what is free; one decides, eight confirm or lower the budget, and one of them does."""
        free = calls.free(self.call_id)
        amount = Money(free.cents * 60 // 100)
        answers = self.racers.race(
            decide,
            [
                (who, self.call_id, f"Pilot {number} {seat}", self.city, amount)
                for seat, who in enumerate(self.managers)
            ],
        )
        answers.one_did_it()
        self._count(answers)
        told_no(
            answers,
            f"List {answers.winners[0].value} of this call waits for a second person. "
            "Have it confirmed or returned before another is decided.",
        )
        selection_id = db.session.scalars(
            select(Selection.id).where(Selection.number == answers.winners[0].value)
        ).one()

        if number % 2:
            self._confirm_or_lower(selection_id, amount)
        else:
            answers = self.racers.race(confirm, [(who, selection_id) for who in self.chairs])
            assert answers.one_did_it() == amount
            self._count(answers)
            self.reserved = self.reserved + amount
        assert books.balance(Account.RESERVED, call_id=self.call_id) == self.reserved
        assert calls.free(self.call_id) >= ZERO
        self.tally["rounds"] += 1

    def _confirm_or_lower(self, selection_id: UUID, amount: Money) -> None:
        """Four confirm a project, four take its money away: one of the eight succeeds, whichever it is."""
        half = PROCESSES // 2
        least = self.reserved
        deeds = [(confirm, (who, selection_id)) for who in self.chairs[:half]]
        deeds += [(lower, (who, self.call_id, least)) for who in self.officers[:half]]
        answers = self.racers.race_all([pair for both in zip(deeds[:half], deeds[half:], strict=True) for pair in both])
        confirmed = answers.one_did_it() == amount
        self._count(answers)
        if confirmed:
            self.reserved = self.reserved + amount
            self.tally["confirmed before the budget fell"] += 1
            return
        self.tally["budget fell first"] += 1
        assert calls.free(self.call_id) == ZERO
        services.return_list(self.chairs[0], selection_id, "Its money is gone.")
        lower(self.officers[0], self.call_id, self.reserved + BUDGET)

    def _count(self, answers: Answers) -> None:
        self.tally["winners"] += len(answers.winners)
        self.tally["refusals"] += len(answers.others)
