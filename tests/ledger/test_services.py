"""The journal on a real PostgreSQL: balanced or refused, append-only, reversed once, the same figures at the same as-of moment."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from grants.core import audit, clock
from grants.core.acts import WriteOutsideAct, act
from grants.core.db import db
from grants.core.errors import Conflict, NotFound, Refused
from grants.core.faults import Fault
from grants.core.money import ZERO, Money, euros
from grants.core.paging import Page
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.ledger import queries, rules, services
from grants.ledger.accounts import Account, Side
from grants.ledger.queries import EntryFilter
from grants.ledger.rules import AsOf, Dimensions, Leg, Unbalanced
from tests.oversight.conftest import statements
from tests.servers import Cluster

pytestmark = pytest.mark.usefixtures("app")

BOOKKEEPER = Actor(uuid4(), "Fin", frozenset({(Permission.LEDGER_READ.value, EVERYWHERE)}))
CALL, GRANT, CITY, AGENCY, FUND = uuid4(), uuid4(), UUID(int=1), UUID(int=2), uuid4()
DIMS = Dimensions(FUND, call_id=CALL, grant_id=GRANT)
DAY = date(2024, 5, 17)


@act("test_entry.post", needs=Permission.LEDGER_READ, says="did a thing of the tests")
def post(
    actor: Actor, event: str, key: str, legs: tuple[rules.Leg, ...], *, day: date = DAY, words: str = "A test"
) -> UUID:
    return services.post(event, source_key=key, effective_on=day, description=words, legs=legs)


@act("test_entry.reverse", needs=Permission.LEDGER_READ, says="did a thing of the tests")
def reverse(actor: Actor, entry_id: UUID) -> UUID:
    return services.reverse(entry_id, effective_on=DAY, reason="booked twice")


def balance(account: Account, as_of: AsOf | None = None) -> Money:
    return queries.balance(account, grant_id=GRANT, as_of=as_of)


def rows(actor: Actor, asked: EntryFilter | None = None) -> list[str]:
    return [row.description for row in queries.entries(actor, asked or EntryFilter(), Page()).items]


def test_a_posted_entry_is_read_back_with_both_sides_and_its_act() -> None:
    post(BOOKKEEPER, "E1", "call:1:budget", rules.legs_e1(euros(100), DIMS))
    audit.seal_pending()

    shown = queries.entry(BOOKKEEPER, queries.entries(BOOKKEEPER, EntryFilter(), Page()).items[0].ref)

    assert [(leg.account, leg.debit_cents, leg.credit_cents) for leg in shown.legs] == [
        (Account.AVAILABLE, 100_00, 0),
        (Account.BUDGET_AUTHORISED, 0, 100_00),
    ]
    assert [(line.verb, line.user_id, line.position) for line in shown.acts] == [
        ("test_entry.post", BOOKKEEPER.user_id, 1)
    ]
    assert shown.amount == euros(100)


def test_the_digest_of_the_legs_is_in_the_audit_record() -> None:
    legs = rules.legs_e1(euros(100), DIMS)
    entry_id = post(BOOKKEEPER, "E1", "k", legs)

    (event,) = audit_events(entry_id)
    assert event.changes["legs_sha256"] == [None, rules.digest(legs)]


def audit_events(entry_id: UUID) -> list[audit.AuditEvent]:
    return list(db.session.scalars(select(audit.AuditEvent).where(audit.AuditEvent.object_id == entry_id)))


def test_nothing_is_posted_outside_an_act() -> None:
    with pytest.raises(WriteOutsideAct):
        services.post("E1", source_key="k", effective_on=DAY, description="x", legs=rules.legs_e1(euros(1), DIMS))


def test_unbalanced_legs_never_reach_the_database() -> None:
    with pytest.raises(Unbalanced, match=r"general ledger of this entry is off by EUR 1.00"):
        post(
            BOOKKEEPER,
            "E7",
            "k",
            (Leg(Account.PAYABLE, Side.DEBIT, euros(2)), Leg(Account.BANK, Side.CREDIT, euros(1))),
        )

    assert queries.count_entries() == 0


def test_the_same_fact_is_booked_once() -> None:
    post(BOOKKEEPER, "E1", "call:1:budget", rules.legs_e1(euros(100), DIMS))

    with pytest.raises(Conflict, match="already booked as E-2024-"):
        post(BOOKKEEPER, "E1", "call:1:budget", rules.legs_e1(euros(101), DIMS))
    assert queries.count_entries() == 1


def test_no_account_with_a_floor_falls_below_zero() -> None:
    post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(100), DIMS))
    post(BOOKKEEPER, "E2", "2", rules.legs_e2(euros(70), DIMS))

    with pytest.raises(Refused) as refusal:
        post(BOOKKEEPER, "E2", "3", rules.legs_e2(euros(31), DIMS))
    assert str(refusal.value) == (
        "“Available” of this call would fall to EUR −1.00: EUR 31.00 is taken from EUR 30.00. "
        "Take less, or raise what there is first."
    )
    assert balance(Account.RESERVED) == euros(70)


def test_a_fault_in_the_floor_posts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTS_FAULT", "ceiling")

    with pytest.raises(Fault):
        post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(100), DIMS))
    assert queries.count_entries() == 0


def test_a_reversal_mirrors_its_original_and_happens_once() -> None:
    entry_id = post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(100), DIMS))
    reversal_id = reverse(BOOKKEEPER, entry_id)

    assert balance(Account.AVAILABLE) == ZERO
    newest, oldest = queries.entries(BOOKKEEPER, EntryFilter(), Page()).items
    assert (newest.reverses, oldest.reversed_by) == (oldest.ref, newest.ref)
    assert newest.description == f"Reversal of {oldest.ref}: booked twice"
    with pytest.raises(Conflict, match="already reversed"):
        reverse(BOOKKEEPER, entry_id)
    with pytest.raises(Refused, match="itself a reversal"):
        reverse(BOOKKEEPER, reversal_id)
    assert queries.verify() == ()


def test_what_was_spent_cannot_be_reversed_away() -> None:
    entry_id = post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(100), DIMS))
    post(BOOKKEEPER, "E2", "2", rules.legs_e2(euros(70), DIMS))

    with pytest.raises(Refused, match="would fall to"):
        reverse(BOOKKEEPER, entry_id)


def test_balances_are_the_same_whenever_an_as_of_moment_is_asked() -> None:
    start = datetime(2024, 5, 1, 9, tzinfo=UTC)
    with clock.at(start):
        post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(100), DIMS), day=date(2024, 5, 1))
    with clock.at(start + timedelta(days=30)):
        post(BOOKKEEPER, "E1", "2", rules.legs_e1(euros(11), DIMS), day=date(2024, 5, 2))

    end_of_may = AsOf(recorded_before=start + timedelta(days=29))
    assert balance(Account.AVAILABLE) == euros(111)
    assert balance(Account.AVAILABLE, end_of_may) == euros(100)
    assert balance(Account.AVAILABLE, AsOf(effective_to=date(2024, 5, 1))) == euros(100)
    assert balance(Account.AVAILABLE, AsOf(effective_to=date(2024, 4, 30))) == ZERO
    assert balance(Account.AVAILABLE, AsOf(recorded_before=start)) == ZERO
    assert [row.amount for row in queries.trial_balance(as_of=end_of_may)] == [euros(100), euros(100)]


def whole_life() -> None:
    for number, (event, legs) in enumerate(
        [
            ("E1", rules.legs_e1(euros(1_000), DIMS)),
            ("E2", rules.legs_e2(euros(600), DIMS)),
            ("E4", rules.legs_e4(euros(600), DIMS)),
            ("E5", rules.legs_e5([(CITY, euros(400)), (AGENCY, euros(200))], DIMS)),
            ("E6", rules.legs_e6(euros(240), DIMS, retention=euros(30))),
            ("E7", rules.legs_e7(euros(210), DIMS)),
            ("E8", rules.legs_e8([(CITY, euros(140)), (AGENCY, euros(70))], DIMS)),
            ("E10", rules.legs_e10(euros(350), DIMS, cash=euros(300))),
        ]
    ):
        post(BOOKKEEPER, event, f"{number}", legs, day=DAY + timedelta(days=number), words=f"Step {event}")


def test_the_books_of_a_whole_life_verify_and_add_up() -> None:
    whole_life()

    assert queries.verify() == ()
    assert queries.partners_open(GRANT) == ((CITY, euros(260)), (AGENCY, euros(130)))
    assert queries.partners_consumed(GRANT) == ((CITY, euros(140)), (AGENCY, euros(70)))
    found = queries.of(grant_id=GRANT)
    assert queries.grants_balances([GRANT]) == {GRANT: found}
    assert found.counted_to_ceiling == euros(540)
    trial = queries.trial_balance()
    assert sum(row.debits.cents for row in trial) == sum(row.credits.cents for row in trial)


def test_exports_hold_every_leg() -> None:
    whole_life()

    journal = [dict(zip(queries.JOURNAL_COLUMNS, row, strict=True)) for row in queries.journal_rows()]

    assert len(journal) == 23
    assert (journal[0]["event"], journal[0]["account"], journal[0]["debit_cents"]) == ("E1", "B100", 1_000_00)
    assert sum(row["debit_cents"] for row in journal) == sum(row["credit_cents"] for row in journal)


def test_a_running_balance_and_pages_by_key_agree() -> None:
    whole_life()
    asked = EntryFilter(account=Account.PAYABLE)

    whole = queries.entries(BOOKKEEPER, asked, Page())
    first = queries.entries(BOOKKEEPER, asked, Page(size=2))
    second = queries.entries(BOOKKEEPER, asked, Page(size=2, after=first.next_key))

    assert [(row.event.value, row.moved, row.balance) for row in whole.items] == [
        ("E10", euros(300), euros(300)),
        ("E7", euros(-210), ZERO),
        ("E6", euros(210), euros(210)),
    ]
    assert first.items + second.items == whole.items
    assert (whole.next_key, second.next_key) == (None, None)
    # How many there are is of the whole list on every page of it.
    assert [str(page.total) for page in (whole, first, second)] == ["3", "3", "3"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (EntryFilter(text="240"), ["Step E6"]),
        (EntryFilter(text="step e7"), ["Step E7"]),
        (EntryFilter(text="%"), []),
        (EntryFilter(events=(rules.Event.SIGNED,)), ["Step E5"]),
        (EntryFilter(organisation_ids=(AGENCY,)), ["Step E8", "Step E5"]),
        (EntryFilter(effective_from=date(2024, 5, 18), effective_before=date(2024, 5, 20)), ["Step E4", "Step E2"]),
        (EntryFilter(grant_id=uuid4()), []),
    ],
)
def test_filters_narrow_the_list(asked: EntryFilter, found: list[str]) -> None:
    whole_life()

    assert rows(BOOKKEEPER, asked) == found


def test_a_person_sees_the_entries_of_own_calls_and_none_barred() -> None:
    post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(1), DIMS), words="mine")
    post(BOOKKEEPER, "E1", "2", rules.legs_e1(euros(2), Dimensions(FUND, call_id=uuid4())), words="other")
    mine = Actor(uuid4(), "One call", frozenset({(Permission.LEDGER_READ.value, ("call", CALL))}))
    barred = Actor(uuid4(), "Barred", BOOKKEEPER.granted, bars=frozenset({("grant", GRANT)}))
    nobody = Actor(uuid4(), "Nobody")

    assert rows(mine, EntryFilter(account=Account.AVAILABLE)) == ["mine"]
    assert rows(barred) == ["other"]
    assert rows(nobody) == []
    ref = queries.entries(mine, EntryFilter(), Page()).items[0].ref
    for actor in (barred, nobody):
        with pytest.raises(NotFound):
            queries.entry(actor, ref)


@pytest.mark.parametrize("ref", ["E-2023-0001", "E-2024-9999", "nonsense", "E-2024-99999999999999999999"])
def test_another_reference_is_not_found(ref: str) -> None:
    post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(1), DIMS))

    with pytest.raises(NotFound):
        queries.entry(BOOKKEEPER, ref)


def run(postgres: Cluster, database: str, role: str, statements: Iterable[str], *, replica: bool = False) -> None:
    # Closing, too: a refused commit leaves psycopg's own block with the connection open.
    with closing(psycopg.connect(postgres.dsn(database, role))) as connection, connection:
        if replica:
            connection.execute(b"SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement.encode())


def entry_sql(entry_id: UUID, day: date = DAY) -> str:
    return (
        "INSERT INTO ledger_entry (id, created_at, version, event, source_key, effective_on, recorded_at, description, legs_sha256) "
        f"VALUES ('{entry_id}', now(), 1, 'E7', '{entry_id}', '{day}', now(), 'raw', '')"
    )


def leg_sql(entry_id: UUID, position: int, account: str, side: str, cents: int) -> str:
    return (
        "INSERT INTO ledger_leg (entry_id, position, account, side, cents, fund_source_id) "
        f"VALUES ('{entry_id}', {position}, '{account}', '{side}', {cents}, '{FUND}')"
    )


@pytest.mark.parametrize("role", ["grants_owner", "grants_program"])
@pytest.mark.parametrize(
    ("legs", "words"),
    [
        ([], "has 0 legs"),
        ([("1000", "debit", 1)], "has 1 legs"),
        ([("1000", "debit", 2), ("2000", "credit", 1)], "general ledger is off by 1"),
        ([("B100", "debit", 1), ("2000", "credit", 1)], "is unbalanced"),
        ([("M100", "debit", 1), ("M000", "credit", 3)], "memo ledger is off by -2"),
        ([("1000", "debit", 0), ("2000", "credit", 0)], "cents_above_zero"),
        ([("9999", "debit", 1), ("2000", "credit", 1)], "account_known"),
    ],
)
def test_raw_unbalanced_entries_are_refused_at_commit(
    postgres: Cluster, database: str, role: str, legs: list[tuple[str, str, int]], words: str
) -> None:
    entry_id = uuid4()
    statements = [entry_sql(entry_id), *(leg_sql(entry_id, number, *leg) for number, leg in enumerate(legs))]

    with pytest.raises(psycopg.Error, match=words):
        run(postgres, database, role, statements)
    assert queries.count_entries() == 0


def test_a_leg_added_to_an_old_entry_is_refused_at_commit(postgres: Cluster, database: str) -> None:
    entry_id = post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(1), DIMS))

    with pytest.raises(psycopg.Error, match="is unbalanced"):
        run(postgres, database, "grants_program", [leg_sql(entry_id, 9, "B100", "debit", 5)])


@pytest.mark.parametrize("role", ["grants_owner", "grants_program"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET description = 'x'",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry CASCADE",
        "UPDATE ledger_leg SET cents = 1",
        "DELETE FROM ledger_leg",
        "TRUNCATE ledger_leg",
    ],
)
def test_the_journal_is_not_changed_by_either_role(postgres: Cluster, database: str, role: str, statement: str) -> None:
    post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(1), DIMS))

    with pytest.raises(psycopg.Error, match=r"append-only|permission denied"):
        run(postgres, database, role, [statement])


@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ("UPDATE ledger_leg SET cents = cents + 1 WHERE account = '1100'", "I1: the general ledger is off by"),
        ("UPDATE ledger_leg SET cents = cents + 1", "its legs are not those that were posted"),
        ("UPDATE ledger_leg SET grant_id = NULL WHERE account = '1000'", "I6: net cash out is EUR 0.00"),
        ("UPDATE ledger_leg SET call_id = NULL WHERE account = 'B400'", "I3: authorised EUR 1\u00a0000.00"),
        ("DELETE FROM ledger_leg WHERE account = 'B000'", "I1: 1 legs; an entry has two or more"),
        (
            "UPDATE ledger_leg SET side = CASE side WHEN 'debit' THEN 'credit' ELSE 'debit' END "
            "WHERE entry_id = (SELECT id FROM ledger_entry WHERE event = 'E2')",
            "B200 Reserved by selection decision stood at EUR −600.00",
        ),
    ],
)
def test_tampering_by_the_owner_is_found(
    app: Flask, postgres: Cluster, database: str, tampering: str, words: str
) -> None:
    whole_life()
    run(postgres, database, "grants_owner", [tampering], replica=True)

    assert words in "\n".join(str(problem) for problem in queries.verify())


E1 = "(SELECT id FROM ledger_entry WHERE event = 'E1')"


@pytest.mark.parametrize(
    ("tampering", "words"),
    [
        ("SET effective_on = effective_on - 30", "E-2024-0001: its effective on is not what the act that posted it recorded: it is 2024-04-17, recorded was 2024-05-17."),
        ("SET recorded_at = recorded_at - interval '1 day'", "E-2024-0001: its recorded at is not what the act that posted it recorded"),
        ("SET description = 'Bread'", "E-2024-0001: its description is not what the act that posted it recorded: it is Bread, recorded was A test."),
        ("SET source_key = 'other'", "E-2024-0001: its source key is not what the act that posted it recorded"),
        ("SET reverses_id = NULL, event = 'E1' WHERE event = 'E24'", "its reverses id is not what the act that posted it recorded: it is nothing, recorded was "),
    ],
)  # fmt: skip
def test_an_entry_changed_by_the_owner_is_named(postgres: Cluster, database: str, tampering: str, words: str) -> None:
    reverse(BOOKKEEPER, post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(1), DIMS)))
    assert queries.verify() == ()
    where = "" if "WHERE" in tampering else f" WHERE id = {E1}"
    run(postgres, database, "grants_owner", [f"UPDATE ledger_entry {tampering}{where}"], replica=True)

    assert words in "\n".join(str(problem) for problem in queries.verify())


def test_an_entry_that_no_act_posted_and_one_that_was_taken_out_are_found(postgres: Cluster, database: str) -> None:
    for key in ("1", "2"):
        post(BOOKKEEPER, "E1", key, rules.legs_e1(euros(1), DIMS))
    run(
        postgres,
        database,
        "grants_owner",
        [
            f"UPDATE ledger_entry SET id = '{UUID(int=7)}' WHERE source_key = '1'",
            f"UPDATE ledger_leg SET entry_id = '{UUID(int=7)}' WHERE entry_id NOT IN (SELECT id FROM ledger_entry)",
        ],
        replica=True,
    )

    assert [str(problem) for problem in queries.verify()] == [
        "E-2024-0001: no act posted this entry.",
        "1 of 17 May 2024: the entry that an act posted under this key is not in the journal any more.",
    ]


def test_entries_are_compared_with_the_record_by_one_statement_however_many_there_are() -> None:
    counts = []
    for number in range(3):
        post(BOOKKEEPER, "E1", str(number), rules.legs_e1(euros(1), DIMS))
        with statements() as seen:
            queries.verify()
        counts.append(len([each for each in seen if "audit_event" in each]))

    assert counts == [1, 1, 1]


def test_a_false_reversal_is_found(postgres: Cluster, database: str) -> None:
    reverse(BOOKKEEPER, post(BOOKKEEPER, "E1", "1", rules.legs_e1(euros(1), DIMS)))
    run(
        postgres,
        database,
        "grants_owner",
        [
            "UPDATE ledger_leg SET cents = cents + 1 WHERE entry_id = (SELECT id FROM ledger_entry WHERE reverses_id IS NOT NULL)"
        ],
        replica=True,
    )

    assert "not the mirror image" in "\n".join(str(problem) for problem in queries.verify())


def test_dimensions_are_listed_for_those_who_own_them() -> None:
    whole_life()

    assert queries.dimension_ids() == {
        "fund_source_id": frozenset({FUND}),
        "call_id": frozenset({CALL}),
        "grant_id": frozenset({GRANT}),
        "organisation_id": frozenset({CITY, AGENCY}),
        "document_id": frozenset(),
    }
