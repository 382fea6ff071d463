"""What the database itself refuses of the ledger, and what old entries are still proved by."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from datetime import date
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select

from grants.core.acts import act
from grants.core.db import db
from grants.core.money import euros
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.ledger import queries, rules, services
from grants.ledger.accounts import CHART, Account, Floor, Side
from grants.ledger.models import LedgerLeg
from grants.ledger.rules import Dimensions, Event, Leg, Posting, WithoutFund
from tests.ledger.test_services import entry_sql, run
from tests.servers import Cluster

pytestmark = pytest.mark.usefixtures("app")

BOOKKEEPER = Actor(uuid4(), "Fin", frozenset({(Permission.LEDGER_READ.value, EVERYWHERE)}))
FUND, CALL, GRANT, OWN = uuid4(), uuid4(), uuid4(), uuid4()
DIMS = Dimensions(FUND, CALL, GRANT)
DAY = date(2024, 5, 17)
PROGRAM = "grants_program"


@act("test_last_lines.post", needs=Permission.LEDGER_READ, says="did a thing of the tests")
def post(actor: Actor, *postings: Posting) -> tuple[UUID, ...]:
    return services.post_many(postings)


def one(event: Event, legs: rules.Legs) -> Posting:
    return Posting(event, str(uuid4()), DAY, event.label, legs)


def raw(
    account: str, side: str, cents: int, *, entry: UUID, position: int, fund: UUID | None = FUND, **dims: UUID
) -> str:
    named = {"fund_source_id": fund, **dims}
    columns = "".join(f", {name}" for name, value in named.items() if value)
    values = "".join(f", '{value}'" for value in named.values() if value)
    return (
        f"INSERT INTO ledger_leg (entry_id, position, account, side, cents{columns}) "
        f"VALUES ('{entry}', {position}, '{account}', '{side}', {cents}{values})"
    )


def raw_entry(account: Account, cents: int, side: Side, day: date = DAY, **dims: UUID) -> list[str]:
    """A balanced entry against an account of the same ledger that has no floor, written past every act."""
    entry = uuid4()
    contra = {"B": "B000", "M": "M000"}.get(account.value[0], "4100")
    return [
        entry_sql(entry, day),
        raw(account.value, side.value, cents, entry=entry, position=1, **dims),
        raw(contra, side.other.value, cents, entry=entry, position=2),
    ]


FLOORED = [account for account in Account if CHART[account].floor is not Floor.NONE]


@pytest.mark.parametrize("account", FLOORED)
def test_raw_legs_that_take_an_account_below_zero_are_refused_at_commit(
    postgres: Cluster, database: str, account: Account
) -> None:
    place = {CHART[account].floor.value: uuid4()}
    up, down = account.normal_side, account.normal_side.other
    run(postgres, database, PROGRAM, raw_entry(account, 5, up, **place))
    run(postgres, database, PROGRAM, raw_entry(account, 5, down, **place))

    with pytest.raises(psycopg.Error, match=f"ledger account {account.value} would stand at -1 cents, below zero"):
        run(postgres, database, PROGRAM, raw_entry(account, 1, down, **place))
    # Elsewhere it is another account.
    with pytest.raises(psycopg.Error, match="below zero"):
        run(postgres, database, PROGRAM, raw_entry(account, 1, down, **{CHART[account].floor.value: uuid4()}))
    assert queries.count_entries() == 2


def test_two_raw_sessions_cannot_each_take_what_is_there_once(postgres: Cluster, database: str) -> None:
    run(postgres, database, PROGRAM, raw_entry(Account.PAYABLE, 5, Side.CREDIT, grant_id=GRANT))
    refused: list[str] = []
    both = threading.Barrier(2)

    def take(month: int) -> None:
        # In months of their own: the sums kept of one month would have the second wait before it wrote anything.
        day = DAY.replace(month=month)
        with closing(psycopg.connect(postgres.dsn(database, PROGRAM))) as connection:
            for statement in raw_entry(Account.PAYABLE, 4, Side.DEBIT, day, grant_id=GRANT):
                connection.execute(statement.encode())
            both.wait(20)
            try:
                connection.execute(b"SET CONSTRAINTS ALL IMMEDIATE")
                # Long enough for the other to have read, had it not to wait.
                time.sleep(0.3)
                connection.commit()
            except psycopg.Error as error:
                refused.append(str(error))

    threads = [threading.Thread(target=take, args=(month,)) for month in (6, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(refused) == 1
    assert "would stand at -3 cents" in refused[0]


def test_the_lock_of_the_triggers_is_the_lock_of_the_acts(postgres: Cluster, database: str) -> None:
    """The same number for the same place: the first bits of its id, as both write them."""
    with closing(psycopg.connect(postgres.dsn(database, PROGRAM))) as connection:
        for place in (UUID(int=0), UUID(int=2**128 - 1), GRANT, CALL):
            asked = connection.execute("SELECT ('x' || left(%s::text, 3))::bit(12)::int >> 2", [place]).fetchone()
            assert asked == (services._group(place),)
        written = connection.execute("SELECT prosrc FROM pg_proc WHERE proname = 'check_ledger_floor'").fetchone()
    assert written is not None
    assert (
        f"pg_advisory_xact_lock({services.PLACES}, ('x' || left(NEW.call_id::text, 3))::bit(12)::int >> 2)"
        in written[0]
    )
    assert f"pg_advisory_xact_lock({services.PLACES}, {services.GROUPS} + (('x' ||" in written[0]


@pytest.mark.parametrize(
    ("account", "dims"),
    [
        ("3000", {}),
        ("2000", {"grant_id": GRANT}),
        ("1000", {"grant_id": GRANT}),
        ("B100", {"call_id": CALL}),
    ],
)
def test_a_raw_leg_without_its_parent_grant_is_refused(
    postgres: Cluster, database: str, account: str, dims: dict[str, UUID]
) -> None:
    statements = [entry_sql(entry := uuid4()), raw(account, "debit", 1, entry=entry, position=1, fund=None, **dims)]

    with pytest.raises(psycopg.Error, match="has_fund_source"):
        run(postgres, database, PROGRAM, statements)


def test_no_act_posts_a_leg_without_its_parent_grant() -> None:
    for legs in (
        rules.legs_e1(euros(1), Dimensions(call_id=CALL)),
        rules.legs_e25(euros(1), Dimensions()),
        rules.legs_e22_received(euros(1), Dimensions(grant_id=GRANT)),
    ):
        with pytest.raises(WithoutFund, match="names no parent grant"):
            post(BOOKKEEPER, one(Event.BUDGET_SET, legs))
    post(
        BOOKKEEPER,
        one(Event.RECEIPT_UNIDENTIFIED, rules.legs_e22_received(euros(5), Dimensions(own_account_id=OWN))),
        one(Event.BANK_CHARGED, rules.legs_e26(euros(1), Dimensions(own_account_id=OWN))),
    )
    assert queries.verify() == ()


def test_legs_of_before_the_rule_are_named(postgres: Cluster, database: str) -> None:
    post(BOOKKEEPER, one(Event.BUDGET_SET, rules.legs_e1(euros(1), DIMS)))
    run(postgres, database, "grants_owner", [
        "ALTER TABLE ledger_leg DROP CONSTRAINT ck_ledger_leg_has_fund_source",
        "UPDATE ledger_leg SET fund_source_id = NULL WHERE account = 'B100'",
    ], replica=True)  # fmt: skip

    assert "E-2024-0001: 1 of its legs name no parent grant." in [str(problem) for problem in queries.verify()]


def test_the_account_of_the_programme_stands_on_the_leg_of_the_bank_alone(postgres: Cluster, database: str) -> None:
    dims = Dimensions(FUND, own_account_id=OWN)
    post(
        BOOKKEEPER,
        one(Event.FUNDING_RECEIVED, rules.legs_e25(euros(9), dims)),
        one(Event.BANK_CHARGED, rules.legs_e26(euros(2), dims)),
        one(Event.FUNDING_RECEIVED, rules.legs_e25(euros(4), Dimensions(FUND, own_account_id=uuid4()))),
    )

    assert {
        (leg.account, leg.own_account_id == OWN) for leg in db.session.scalars(select(LedgerLeg)) if leg.own_account_id
    } == {
        ("1000", True),
        ("1000", False),
    }
    by_account = queries.balances(by=("own_account_id",), accounts=(Account.BANK,))
    assert {row.dims.own_account_id == OWN: row.amount for row in by_account} == {True: euros(7), False: euros(4)}
    assert queries.verify() == ()
    entry = uuid4()
    with pytest.raises(psycopg.Error, match="own_account_of_bank"):
        run(postgres, database, PROGRAM, [
            entry_sql(entry), raw("2400", "credit", 1, entry=entry, position=1, own_account_id=OWN)
        ])  # fmt: skip


def test_another_account_of_the_programme_is_found_by_the_digest(postgres: Cluster, database: str) -> None:
    post(BOOKKEEPER, one(Event.FUNDING_RECEIVED, rules.legs_e25(euros(9), Dimensions(FUND, own_account_id=OWN))))
    for value in (f"'{uuid4()}'", "NULL"):
        change = f"UPDATE ledger_leg SET own_account_id = {value} WHERE account = '1000'"
        run(postgres, database, "grants_owner", [change], replica=True)
        db.session.rollback()

        assert [str(problem) for problem in queries.verify()] == [
            "E-2024-0001: its legs are not those that were posted."
        ]


def test_the_digest_of_an_entry_of_before_is_what_it_was() -> None:
    """Worked out by the program as it stood before a leg could name an account of the programme."""
    named = Dimensions(UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4), "A", "1", UUID(int=5))
    legs = (Leg(Account.BANK, Side.DEBIT, euros(3), named), Leg(Account.UNIDENTIFIED, Side.CREDIT, euros(3)))

    assert rules.digest(legs) == "b270ac4c111f28359f746f79300eeefd06eb311e5b3517b99972bac7106690da"
