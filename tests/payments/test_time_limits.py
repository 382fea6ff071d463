"""Time limits in days come from the call, are kept with each grant, and decide when its payments are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from grants.agreements import queries as agreements
from grants.agreements import rules as agreement_rules
from grants.agreements import services as agreement
from grants.agreements.models import Grant
from grants.calls import queries as calls
from grants.calls.rules import TimeLimits
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.money import euros
from grants.payments import queries, services
from tests import actors
from tests.agreements.conftest import IN_FORCE as NAME_IN_FORCE
from tests.agreements.conftest import Find
from tests.agreements.conftest import grant as demo_grant
from tests.payments.world import IN_FORCE, World, report, world

__all__ = ["demo_grant"]


def with_days(found: World, **days: int) -> None:
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        for name, value in days.items():
            setattr(row, name, value)


def test_payments_are_due_by_the_days_of_their_grant(app: Flask) -> None:
    with clock.at(IN_FORCE):
        found = world()
        with_days(found, prefinancing_days=45, before_start_days=10, interim_days=60, balance_days=120)
        opened = services.open_prefinancing(actors.program(), found.grant_id)
    with clock.at(datetime(2024, 8, 1, 12, tzinfo=UTC)):
        interim = services.open_for_report(actors.program(), report(found, 1, euros(10)))
        final = services.open_for_report(actors.program(), report(found, 2, euros(10), final=True))
    assert opened is not None and interim is not None and final is not None

    due = [queries.request(actors.nuria(), each.reference).due_on for each in (opened, interim, final)]

    assert due == [date(2023, 6, 16), date(2024, 8, 30), date(2024, 10, 29)]


def test_a_prepared_grant_keeps_the_limits_of_its_call_and_states_them(demo_grant: Find) -> None:
    found = demo_grant(NAME_IN_FORCE)
    limits = calls.call_by_id(found.call_id).content.payment_plan.time_limits

    assert limits is not None
    text = agreements.text_of(found)
    assert (found.time_limits, text.time_limits) == (limits, limits)
    assert found.in_force_at is not None
    assert found.time_limits_on <= clock.in_zone(found.in_force_at).date()
    assert text.time_limits is not None and "interim payments 90 days" in text.time_limits.words


def test_a_text_offered_before_texts_stated_their_limits_keeps_its_hash(demo_grant: Find) -> None:
    text = agreements.text_of(demo_grant(NAME_IN_FORCE))
    before = replace(text, time_limits=None)

    assert agreement_rules.text_hash(before) != agreement_rules.text_hash(text)
    assert "time_limits" not in agreement_rules.stated(before)
    assert agreement_rules.stated(before) | {"time_limits": agreement_rules.stated(text)["time_limits"]} == (
        agreement_rules.stated(text)
    )


def test_no_grant_is_prepared_from_a_call_without_time_limits(demo_grant: Find) -> None:
    call = calls.call_by_id(demo_grant(NAME_IN_FORCE).call_id)
    plan = replace(call.content.payment_plan, time_limits=None)
    without = replace(call, content=replace(call.content, payment_plan=plan))

    with pytest.raises(Refused, match="does not say within how many days"):
        agreement.time_limits(without)


def test_the_limits_of_a_row_are_read_in_their_order(app: Flask) -> None:
    with clock.at(IN_FORCE):
        found = world()
        with_days(found, prefinancing_days=1, before_start_days=2, report_days=3, interim_days=4, balance_days=5)

    assert agreements.time_limits_of(db.session.get_one(Grant, found.grant_id)) == TimeLimits(1, 2, 3, 4, 5)
