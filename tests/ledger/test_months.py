"""Sums kept by month: a running balance from them is the sum of the legs, then and now, and the verify holds them."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select

from grants.core import clock
from grants.core.db import db
from grants.core.money import Money, euros
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission
from grants.ledger import queries, rules
from grants.ledger.accounts import Account
from grants.ledger.models import LEDGER_MONTH
from grants.ledger.queries import EntryFilter, EntryRow
from grants.ledger.rules import AsOf, Dimensions
from tests.ledger.test_services import BOOKKEEPER, post, reverse, run
from tests.servers import Cluster

pytestmark = pytest.mark.usefixtures("app")

FUND, OTHER_FUND, CALL, OTHER_CALL = (UUID(int=number) for number in range(1, 5))
PLACES = (Dimensions(FUND, CALL), Dimensions(FUND, OTHER_CALL), Dimensions(OTHER_FUND, OTHER_CALL))
# Recorded in three months; some count from an earlier month than the one they are recorded in.
TOLD = (
    (datetime(2024, 5, 17, 9, tzinfo=UTC), date(2024, 5, 17)),
    (datetime(2024, 5, 31, 23, 59, tzinfo=UTC), date(2024, 6, 1)),
    (datetime(2024, 6, 2, 9, tzinfo=UTC), date(2024, 5, 31)),
    (datetime(2024, 6, 20, 9, tzinfo=UTC), date(2024, 6, 20)),
    (datetime(2024, 7, 1, 0, 0, tzinfo=UTC), date(2024, 4, 3)),
    (datetime(2024, 7, 9, 9, tzinfo=UTC), date(2024, 7, 9)),
)
# The same permission by its places, for whom every leg is summed.
BY_PLACE = Actor(
    uuid4(), "By calls", frozenset({(Permission.LEDGER_READ.value, ("call", each)) for each in (CALL, OTHER_CALL)})
)


def budgets() -> None:
    for number, (recorded_at, day) in enumerate(TOLD):
        for place, dims in enumerate(PLACES):
            with clock.at(recorded_at):
                legs = rules.legs_e1(euros(10 ** (place + 1) + number), dims)
                posted = post(BOOKKEEPER, "E1", f"{number}.{place}", legs, day=day)
    with clock.at(TOLD[-1][0]):
        reverse(BOOKKEEPER, posted)


def balances(actor: Actor, asked: EntryFilter, *, size: int) -> list[EntryRow]:
    found, after = [], None
    while True:
        page = queries.entries(actor, asked, Page(size=size, after=after))
        found += page.items
        if (after := page.next_key) is None:
            return found


@pytest.mark.parametrize(
    "place",
    [{}, {"call_id": CALL}, {"fund_source_id": FUND}, {"fund_source_id": OTHER_FUND, "call_id": OTHER_CALL}],
    ids=["everywhere", "call", "fund", "fund and call"],
)
def test_a_running_balance_from_months_is_the_sum_of_every_leg(place: dict[str, UUID]) -> None:
    budgets()
    moments = [
        None,
        *(moment for moment, _ in TOLD),
        datetime(2024, 6, 30, 23, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ]

    for known in moments:
        asked = EntryFilter(account=Account.AVAILABLE, recorded_before=known, **place)
        by_months = balances(BOOKKEEPER, asked, size=2)
        by_legs = balances(BY_PLACE, asked, size=500)
        assert by_months == by_legs, known
        if by_months:
            stands = queries.balance(Account.AVAILABLE, as_of=AsOf(recorded_before=known) if known else None, **place)
            assert by_months[0].balance == stands, known


def test_what_was_known_then_is_told_as_it_was_told_then() -> None:
    """The list as it was read at a moment, and the list asked for that moment later: the same rows, and nothing of what
    reversed one of them since."""
    with clock.at(TOLD[0][0]):
        first = post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(5), PLACES[0]))
    then = queries.entries(BOOKKEEPER, EntryFilter(account=Account.AVAILABLE), Page())
    with clock.at(TOLD[2][0]):
        reverse(BOOKKEEPER, first)

    asked = EntryFilter(account=Account.AVAILABLE, recorded_before=TOLD[2][0])
    assert queries.entries(BOOKKEEPER, asked, Page()) == then
    assert queries.entries(BOOKKEEPER, EntryFilter(account=Account.AVAILABLE), Page()).items[0].balance == Money(0)


def test_the_verify_holds_the_months_against_the_legs(postgres: Cluster, database: str) -> None:
    budgets()
    db.session.rollback()
    assert queries.verify() == ()
    db.session.rollback()

    with closing(psycopg.connect(postgres.dsn(database))) as connection, connection:
        connection.execute(
            b"UPDATE ledger_month SET debits = debits + 1 WHERE account = 'B100' AND effective_month = '2024-04-01'"
        )

    (problem, *_) = queries.verify()
    assert problem.place == "B100 Available, 2024-04"
    assert "the sum kept of this month is off" in problem.message


def test_the_program_reads_the_months_and_writes_none(postgres: Cluster, database: str) -> None:
    budgets()
    kept = db.session.execute(select(LEDGER_MONTH)).all()
    db.session.rollback()
    assert kept

    for statement in ("UPDATE ledger_month SET debits = 0", "DELETE FROM ledger_month", "TRUNCATE ledger_month"):
        with pytest.raises(psycopg.Error, match="permission denied"):
            run(postgres, database, "grants_program", [statement])
