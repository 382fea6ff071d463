"""Eight processes at once, each paying 60 % of what is left: exactly one succeeds, whichever way they try."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from config import Config
from grants.app import create_app
from grants.core.db import db, get
from grants.core.errors import Conflict, GrantsError
from grants.core.money import Money, euros
from grants.core.permissions import Actor
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentRequest
from grants.payments.rules import DecisionInput
from tests import actors
from tests.payments.world import World, world

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


DEEDS = {"prepare": _prepare, "decide": _decide, "export": _export}


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
    opened = services.open_prefinancing(actors.ana(), grant.grant_id)
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
