"""Eight processes at once, each paying 60 % of what is left: exactly one succeeds, whichever way they try."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from config import Config
from grants.agreements import queries as agreements
from grants.app import create_app
from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import Conflict, GrantsError, Refused
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentRequest
from grants.payments.rules import DecisionInput
from grants.reporting import services as reporting
from grants.reporting.states import ReportState
from tests import actors
from tests.agreements.conftest import IN_FORCE, actor, by_mail, hold_in
from tests.conftest import DemoTemplate, cloned, running, settings_for
from tests.payments.world import World, report, world
from tests.reporting.test_services import first_report, written
from tests.servers import Cluster

PROCESSES = 8


def _try(settings: Config, name: str, args: tuple[Any, ...], gate: Barrier, answers: Any) -> None:
    """One process: its own program, its own connections, everybody through the gate at once."""
    with create_app(settings).app_context():
        db.session.connection()
        db.session.rollback()
        gate.wait(timeout=60)
        try:
            answers.put(DEEDS[name](*args))
        except GrantsError as error:
            answers.put(type(error).__name__)
        finally:
            db.session.remove()
            db.engine.dispose()


def _prepare(actor: Actor, request_id: UUID, amount: Money) -> str:
    services.prepare(actor, request_id, amount=amount)
    return "done"


def _decide(actor: Actor, request_id: UUID) -> str:
    services.decide(actor, request_id, DecisionInput(euros(240_000)))
    return "done"


def _export(actor: Actor, order_id: UUID, amount: Money) -> str:
    services.export(actor, (order_id,), control_total=amount)
    return "done"


def _execute(actor: Actor, order_id: UUID, value_on: date) -> str:
    services.execute(actor, order_id, value_on=value_on)
    return "done"


def _close(actor: Actor, grant_id: UUID) -> str:
    services.close_grant(actor, grant_id, note="Everything was looked at.")
    return "done"


def _send_report(people: tuple[Actor, ...], report_id: UUID, at: datetime) -> str:
    """One of the partners, chosen by the process, sends the report of both."""
    with clock.at(at):
        reporting.submit(people[os.getpid() % len(people)], report_id)
    return "done"


DEEDS = {
    "prepare": _prepare, "decide": _decide, "export": _export, "execute": _execute, "close": _close, "send": _send_report,
}  # fmt: skip


def at_once(settings: Config, name: str, *args: Any) -> list[str]:
    # A server that has imported the program once forks the eight: importing it eight times takes most of a minute.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    gate, answers = context.Barrier(PROCESSES), context.SimpleQueue()
    running = [context.Process(target=_try, args=(settings, name, args, gate, answers)) for _ in range(PROCESSES)]
    for process in running:
        process.start()
    found = sorted(answers.get() for _ in running)
    for process in running:
        process.join(timeout=60)
    assert [process.exitcode for process in running] == [0] * PROCESSES
    return found


@pytest.fixture
def grant(app: Flask) -> World:
    return world()


def test_eight_processes_pay_sixty_per_cent_of_what_is_left_and_one_succeeds(settings: Config, grant: World) -> None:
    opened = services.open_prefinancing(actors.program(), grant.grant_id)
    assert opened is not None

    decided = at_once(settings, "decide", actors.otto(), opened.id)
    assert (decided.count("done"), decided.count("Refused")) == (1, PROCESSES - 1)
    db.session.rollback()
    payable = get(PaymentRequest, opened.id).payable
    assert payable == euros(210_000)
    assert books.balance(Account.PAYABLE, grant_id=grant.grant_id) == payable

    part = Money(payable.cents * 60 // 100)
    prepared = at_once(settings, "prepare", actors.fin(), opened.id, part)
    assert (prepared.count("done"), prepared.count("Refused")) == (1, PROCESSES - 1)
    db.session.rollback()
    (row,) = [each for each in queries.inbox(actors.nuria()).rows if each.order]
    assert (row.amount, row.thing.id) == (part, queries.order_id_of(actors.nuria(), row.reference))

    services.verify(actors.vera(), row.thing.id)
    services.authorise(actors.otto(), row.thing.id)
    exported = at_once(settings, "export", actors.carl(), row.thing.id, part)
    assert (exported.count("done"), exported.count("Refused") + exported.count(Conflict.__name__)) == (1, PROCESSES - 1)
    db.session.rollback()
    assert books.balance(Account.IN_TRANSIT, grant_id=grant.grant_id) == part
    assert (books.verify(), queries.verify()) == ((), ())


def one_effect(answers: list[str]) -> bool:
    """Whether exactly one did it and all others were told no."""
    return answers.count("done") == 1 and set(answers) <= {"done", Conflict.__name__, Refused.__name__}


def test_eight_processes_book_one_order_and_close_one_grant_at_once_and_each_happens_once(
    settings: Config, grant: World
) -> None:
    request = services.open_prefinancing(actors.program(), grant.grant_id)
    assert request is not None
    services.decide(actors.otto(), request.id, DecisionInput(euros(240_000)))
    order_id = services.prepare(actors.fin(), request.id).id
    services.verify(actors.vera(), order_id)
    services.authorise(actors.otto(), order_id)
    services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    today = clock.in_zone(clock.now()).date()

    assert one_effect(at_once(settings, "execute", actors.carl(), order_id, today))
    db.session.rollback()
    assert books.balance(Account.CONSUMED, grant_id=grant.grant_id) == euros(210_000)

    final = services.open_for_report(actors.program(), report(grant, 1, euros(210_000), final=True))
    assert final is not None
    services.decide(actors.otto(), final.id, DecisionInput(euros(210_000)))
    entries = books.count_entries()
    assert one_effect(at_once(settings, "close", actors.otto(), grant.grant_id))
    db.session.rollback()
    assert books.count_entries() == entries + 1
    assert books.balance(Account.LEGALLY_COMMITTED, grant_id=grant.grant_id) == ZERO
    assert (books.verify(), queries.verify()) == ((), ())


@pytest.fixture
def demo_settings(postgres: Cluster, demo_template: DemoTemplate) -> Iterator[Config]:
    with cloned(postgres, demo_template.database) as name:
        settings = settings_for(postgres, name, demo_template.home)
        with running(settings):
            yield settings


def test_a_report_sent_by_both_partners_at_once_is_sent_once(demo_settings: Config) -> None:
    reader = by_mail("auditor@demo.example")
    (row,) = [each for each in agreements.grants(reader, limit=200) if IN_FORCE in (each.acronym, each.title)]
    found = agreements.grant(reader, row.reference)
    written_report = written(found)
    hold_in("jaro", Role.APPLICATION_LEAD, found.application_id)
    at = datetime.combine(written_report.ends_before, time(9), UTC) + timedelta(days=5)

    answers = at_once(demo_settings, "send", (actor("reka"), actor("jaro")), written_report.id, at)

    assert one_effect(answers)
    db.session.rollback()
    sent = first_report(found)
    assert (sent.state, sent.versions) == (ReportState.SUBMITTED, 1)
