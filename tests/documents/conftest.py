"""Two grants with money in every account: one overpaid and partly recovered, one with an interim payment in transit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, update

from grants.core import clock, jobs
from grants.core.acts import bookkeeping
from grants.core.db import db, get
from grants.core.jobs import Job
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.documents import queries, services
from grants.documents.catalogue import TITLES, named
from grants.documents.rules import Figures, Period, RunView, Table, Wanted
from grants.identity import queries as identity
from grants.payments import services as payments
from grants.payments.models import PaymentOrder
from grants.payments.rules import DecisionInput, ReceiptInput
from tests import actors
from tests.payments.test_services import authorised, decided, pay
from tests.payments.world import IN_FORCE, World, owed_back, report, world
from tests.worlds import World as Made
from tests.worlds import Worlds

PAID = datetime(2023, 6, 12, 9, tzinfo=UTC)
BALANCE = datetime(2024, 8, 1, 12, tzinfo=UTC)
BACK = BALANCE + timedelta(days=40)
SENT = BALANCE + timedelta(days=50)
AS_OF = SENT + timedelta(days=1)

OVERVIEW, STATEMENT, REGISTER = "call-financial-overview", "grant-statement", "disbursement-register"
FORECAST = "payment-forecast"


@dataclass(frozen=True)
class Books:
    """Two grants, each in a call of its own: 210 000 paid and 20 000 of it back; 210 000 paid and an interim sent."""

    overpaid: World
    running: World

    def wanted(self, name: str) -> Wanted:
        """What each statement is asked for here."""
        places = {OVERVIEW: "PCP-2022-C-0001", STATEMENT: self.overpaid.reference, REGISTER: "PCP", FORECAST: "PCP"}
        about = places[name]
        return Wanted(name, about, AS_OF)


def both() -> Books:
    with clock.at(IN_FORCE):
        for person in (actors.vera, actors.nuria, actors.pia, actors.eva, actors.ada, actors.fin):
            person()
        overpaid, running = world(), world(2)
    with clock.at(PAID):
        pay(decided(overpaid))
        pay(decided(running))
    with clock.at(BALANCE):
        opened = payments.open_for_report(actors.program(), report(overpaid, 1, euros(150_000), final=True))
        assert opened is not None
        payments.decide(actors.otto(), opened.id, DecisionInput(euros(150_000)))
        recovery = owed_back(overpaid.grant_id, date(2024, 9, 15), "The city agreed on 3 July.")
    with clock.at(BACK):
        payments.book_receipt(actors.carl(), recovery.id, ReceiptInput(euros(20_000), BACK.date(), "STMT-77/1"))
    with clock.at(SENT):
        interim = payments.open_for_report(actors.program(), report(running, 2, euros(350_000)))
        assert interim is not None
        payments.decide(actors.otto(), interim.id, DecisionInput(euros(350_000)))
        order_id = authorised(interim.id)
        amount = get(PaymentOrder, order_id).amount
        payments.export(actors.carl(), (order_id,), control_total=amount)
    with clock.at(SENT + timedelta(hours=1)):
        payments.keep_forecast(actors.fin())
    # Lists for the bank and letters are made; what is asked for from here on is the statement alone.
    jobs.work_off(actor_of=identity.actor_for)
    return Books(overpaid, running)


@pytest.fixture(scope="session")
def books_world(worlds: Worlds) -> Made[Books]:
    return worlds.of(both)


@pytest.fixture
def books(app: Flask, client: FlaskClient, books_world: Made[Books]) -> Books:
    return books_world.told()


def drawn(wanted: Wanted) -> Figures:
    """The figures of a statement, worked out here and now."""
    assert wanted.as_of is not None
    return named(wanted.name).figures(wanted.scope_reference, wanted.as_of, Period(wanted.from_on, wanted.before_on))


def table(figures: Figures, title: str) -> Table:
    """One table of a statement by its title."""
    return next(each for each in figures.tables if each.title == title)


def column(found: Table, label: str) -> list[object]:
    """The cells of one column, without the totals."""
    place = [each.label for each in found.columns].index(label)
    return [row[place] for row in found.rows]


def total_of(found: Table, label: str) -> object:
    """What stands under the line of one column."""
    assert found.totals is not None
    return found.totals[[each.label for each in found.columns].index(label)]


def made(who: Actor, wanted: Wanted) -> RunView:
    """A statement asked for and worked off, as people do."""
    with clock.at(AS_OF + timedelta(minutes=1)):
        asked = services.request(who, wanted)
    jobs.work_off(actor_of=identity.actor_for)
    return view(who, asked.reference)


def view(who: Actor, reference: str) -> RunView:
    """A statement as it stands now."""
    db.session.rollback()
    return queries.run(who, reference, TITLES)


def due_now(job_id: object) -> None:
    """A job whose worker died is taken back, and is due at once."""
    job = Job.__table__
    with bookkeeping() as kept:
        lapsed = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 1)
        kept.execute(update(job).where(job.c.id == job_id, job.c.state == "running").values(lease_until=lapsed))
    jobs.sweep()
    with bookkeeping() as kept:
        kept.execute(update(job).where(job.c.id == job_id).values(run_after=func.clock_timestamp()))
