"""The power goes right after a page said “paid”: the payment is there when the database comes back, and its jobs are found again.

On a server of its own, which flushes what it commits as a deployed one does; the tests' common server flushes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from config import Config
from grants.app import create_app
from grants.cli import build_cli
from grants.cli.doctor import Level, _power_loss
from grants.core import clock, jobs
from grants.core.db import db, get
from grants.core.jobs import Job
from grants.core.money import euros
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.oversight.queries import verify_ledger
from grants.payments.models import PaymentOrder, PaymentRequest
from tests import actors
from tests.conftest import _make_template, running, settings_for
from tests.payments.conftest import in_force
from tests.payments.test_bank_booking import sent
from tests.servers import TestPostgres, TestValkey

# Little memory, and everything else as PostgreSQL has it by itself.
DEPLOYED = {"shared_buffers": "16MB"}


@pytest.fixture
def flushing() -> Iterator[TestPostgres]:
    server = TestPostgres(DEPLOYED)
    try:
        server.start()
        _make_template(server)
        yield server
    finally:
        server.stop()


@pytest.fixture
def queue() -> Iterator[TestValkey]:
    server = TestValkey()
    server.start()
    yield server
    server.stop()


def restarted(server: TestPostgres) -> None:
    db.session.remove()
    server.lose_power()
    db.engine.dispose()


def test_what_a_page_said_is_paid_is_paid_after_the_power_went(
    flushing: TestPostgres, queue: TestValkey, tmp_path: Path
) -> None:
    settings = replace(settings_for(flushing, "template_tests", tmp_path), REDIS_URL=queue.url)
    with running(settings) as app:
        app.config["WTF_CSRF_ENABLED"] = False
        found = in_force()
        order = sent(found)
        order_id, request_id = order.id, order.request_id
        day = clock.long_date(clock.in_zone(clock.now()).date())
        client = actors.client_of(app, actors.carl())

        answer = client.post(
            f"/finance/orders/{order.reference}/execute", data={"version": order.version, "value_on": day}
        )
        assert answer.status_code == 303, answer.text
        told = {each.id for each in db.session.scalars(select(Job))}
        restarted(flushing)
        queue.kill()
        queue.start()

        assert get(PaymentOrder, order_id).state == "executed"
        assert get(PaymentRequest, request_id).state == "paid"
        assert books.balance(Account.CONSUMED, grant_id=found.grant_id) == euros(210_000)
        assert verify_ledger() == ()
        assert {each.id for each in db.session.scalars(select(Job))} == told
        waiting = jobs.sweep(ring_again_after=timedelta(0)).rung
        assert waiting > 0, "what was in line when the power went is rung again"
        assert "on the disk before it is answered" in doctor(settings)


def test_the_doctor_says_where_a_payment_could_be_lost_with_the_power(app: Flask, settings: Config) -> None:
    said = doctor(replace(settings, REDIS_URL=f"unix://{settings.home}/no-queue"))
    assert "fsync and synchronous_commit and full_page_writes off: what was just paid can be lost" in said
    assert "WARNING power loss" in said
    live = replace(settings, GRANTS_ENV="production")
    assert _power_loss(live, {"fsync": "on", "synchronous_commit": "off"}).level is Level.RED
    assert _power_loss(live, {"fsync": "on", "synchronous_commit": "remote_apply"}).level is Level.WELL


def doctor(settings: Config) -> str:
    """What `grants doctor` says on these settings."""
    answer = CliRunner().invoke(build_cli(lambda: settings, create_app), ["doctor"], catch_exceptions=False)
    return " ".join(answer.output.split())
