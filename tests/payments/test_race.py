"""Eight processes at once, each paying 60 % of what is left: exactly one succeeds, whichever way they try.

`make soak` lets them run a thousand rounds.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from config import Config
from grants.agreements import queries as agreements
from grants.core import clock, files
from grants.core.db import db
from grants.core.money import ZERO, euros
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry
from grants.payments import queries, services
from grants.payments.models import PaymentBatch, PaymentOrder
from grants.payments.rules import DecisionInput
from grants.payments.rules.statements.values import BankFile
from grants.payments.services import bank_files
from grants.reporting import services as reporting
from grants.reporting.states import ReportState
from tests import actors
from tests.agreements.conftest import IN_FORCE, actor, by_mail, hold_in
from tests.conftest import DemoTemplate, cloned, running, settings_for
from tests.payments.bank_statements import debit, file_of
from tests.payments.bank_statements import report as report_of
from tests.payments.conftest import in_force
from tests.payments.test_bank_booking import PAID_ON, TOLD, came, on_account, open_lines, paid, right, sent, statement
from tests.payments.test_services import NOW as SENT_AT
from tests.payments.test_services import authorised, decided
from tests.payments.world import SEEN, World, nothing_held, report, world
from tests.reporting.test_services import first_report, written
from tests.servers import Cluster
from tests.soak.paying import Paying
from tests.soak.racing import PROCESSES, Racers
from tests.soak.telling import Tally

ROUNDS = 5


def close(actor: Actor, grant_id: UUID) -> None:
    services.close_grant(actor, grant_id, note="Everything was looked at.")


def send_report(people: tuple[Actor, ...], report_id: UUID, at: datetime) -> None:
    """One of the partners, chosen by the process, sends the report of both."""
    with clock.at(at):
        reporting.submit(people[os.getpid() % len(people)], report_id)


@pytest.fixture
def racers(settings: Config, app: Flask) -> Iterator[Racers]:
    with Racers(settings) as racers:
        yield racers


def test_eight_processes_pay_sixty_per_cent_of_what_is_left_and_one_succeeds(racers: Racers) -> None:
    tally = Tally()

    Paying(racers, tally).rounds(ROUNDS)

    # One decision for the grant; of each round's five steps one was a form sent eight times.
    raced = 1 + 5 * ROUNDS - tally["forms sent eight times"]
    assert (tally["winners"], tally["refusals"]) == (raced, raced * (PROCESSES - 1))


@pytest.fixture
def grant(app: Flask) -> World:
    return world()


def test_eight_processes_close_one_grant_at_once_and_it_closes_once(grant: World, racers: Racers) -> None:
    request = services.open_prefinancing(actors.program(), grant.grant_id)
    assert request is not None
    services.decide(actors.otto(), request.id, DecisionInput(euros(240_000)))
    order_id = services.prepare(actors.fin(), request.id).id
    services.verify(actors.vera(), order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)
    services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    today = clock.in_zone(clock.now()).date()
    services.execute(actors.carl(), order_id, value_on=today)

    final = services.open_for_report(actors.program(), report(grant, 1, euros(210_000), final=True))
    assert final is not None
    services.decide(actors.otto(), final.id, DecisionInput(euros(210_000)))
    nothing_held(grant)
    entries = books.count_entries()

    racers.race(close, [(actors.otto(), grant.grant_id)] * PROCESSES).one_did_it()

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
    (row,) = [
        each for each in agreements.grants(reader, Page(size=200)).items if IN_FORCE in (each.acronym, each.title)
    ]
    found = agreements.grant(reader, row.reference)
    written_report = written(found)
    hold_in("jaro", Role.APPLICATION_LEAD, found.application_id)
    at = datetime.combine(written_report.ends_before, time(9), UTC) + timedelta(days=5)

    with Racers(demo_settings) as racers:
        racers.race(send_report, [((actor("reka"), actor("jaro")), written_report.id, at)] * PROCESSES).one_did_it()

    sent = first_report(found)
    assert (sent.state, sent.versions) == (ReportState.SUBMITTED, 1)


def bring(actor: Actor, data: bytes, kind: BankFile, at: datetime) -> str:
    """Bring a file of the bank, read it and book or apply it, as the workers do."""
    with clock.at(at):
        upload = FileStorage(io.BytesIO(data), filename="bank.xml")
        made = services.import_statement(actor, files.receive(upload, look=bank_files.look), kind)
        services.read_statement(actor, made.id)
        if kind is BankFile.REPORT:
            services.apply_report(actor, made.id)
        else:
            services.book_lines(actor, made.id)
    return made.reference


@pytest.fixture
def early(app: Flask) -> World:
    """A grant of a year whose statements are past, with the people of then."""
    return in_force()


def test_one_statement_and_one_rejection_brought_by_eight_at_once_move_an_order_once(
    early: World, racers: Racers
) -> None:
    order = sent(early)
    assert order.end_to_end_id is not None and order.batch_id is not None
    message = db.session.get_one(PaymentBatch, order.batch_id).message_id
    told = file_of(statement(paid(order), came(70_00)))
    rejection = report_of([(order.end_to_end_id, "RJCT", "MS03")]).replace(b"PCP-2027-B-0001", message.encode())
    rejection = rejection.replace(b">150000.00<", f">{order.amount.cents // 100}.00<".encode())
    carl = actors.carl()
    deeds = [(carl, told, BankFile.STATEMENT, TOLD), (carl, rejection, BankFile.REPORT, TOLD)]

    answers = racers.race(bring, deeds * (PROCESSES // 2))

    assert {each.kind for each in answers.all} == {"done"}, answers.all
    assert len({each.value for each in answers.all}) == 2
    keys = db.session.scalars(
        select(LedgerEntry.source_key).where(
            LedgerEntry.source_key.in_([f"payment_order:{order.id}:{word}" for word in ("booked", "rejected")])
        )
    ).all()
    assert len(keys) == 1 and db.session.get_one(PaymentOrder, order.id).state in ("executed", "bank_rejected")
    assert books.balance(Account.UNIDENTIFIED) == euros(70)
    right()


def test_a_file_in_one_sum_and_its_payments_one_by_one_brought_by_eight_at_once_are_paid_once(
    early: World, racers: Racers
) -> None:
    with clock.at(SENT_AT):
        request_id = decided(early)
        ids = [authorised(request_id, euros(100_000)), authorised(request_id, euros(110_000))]
        made = services.export(actors.carl(), tuple(ids), control_total=euros(210_000))
    message = db.session.get_one(PaymentBatch, made.id).message_id
    whole = debit(210_000_00, payment_id=message, end_to_end_id="", booked_on=PAID_ON, value_on=PAID_ON)
    each = [paid(db.session.get_one(PaymentOrder, one), bank_reference=f"N-{one}") for one in ids]
    carl = actors.carl()
    deeds = [
        (carl, file_of(statement(whole)), BankFile.STATEMENT, TOLD),
        (carl, file_of(statement(*each, kind="camt.054")), BankFile.NOTICE, TOLD),
    ]

    answers = racers.race(bring, deeds * (PROCESSES // 2))

    assert {each.kind for each in answers.all} == {"done"}, answers.all
    assert {db.session.get_one(PaymentOrder, one).state for one in ids} == {"executed"}
    assert on_account() == euros(-210_000) and open_lines() == []
    right()
