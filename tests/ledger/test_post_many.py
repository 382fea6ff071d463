"""Many entries in one go: the same books as one by one, each fact once, and no statement more for two hundred than for two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Conflict, Refused
from grants.core.money import Money, euros
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.ledger import queries, rules, services
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import Dimensions, Posting
from tests.oversight.conftest import statements

pytestmark = pytest.mark.usefixtures("app")

BOOKKEEPER = Actor(uuid4(), "Fin", frozenset({(Permission.LEDGER_READ.value, EVERYWHERE)}))
DAY = date(2024, 5, 17)
CITY = UUID(int=1)


@act("test_entries.post", needs=Permission.LEDGER_READ, says="did a thing of the tests")
def post_many(actor: Actor, postings: Sequence[Posting]) -> tuple[UUID, ...]:
    return services.post_many(postings)


@act("test_entries.post_singly", needs=Permission.LEDGER_READ, says="did a thing of the tests")
def post_singly(actor: Actor, postings: Sequence[Posting]) -> tuple[UUID, ...]:
    return tuple(
        services.post(
            each.event,
            source_key=each.source_key,
            effective_on=each.effective_on,
            description=each.description,
            legs=each.legs,
        )
        for each in postings
    )


@act("test_entries.reverse", needs=Permission.LEDGER_READ, says="did a thing of the tests")
def reverse(actor: Actor, entry_id: UUID) -> UUID:
    return services.reverse(entry_id, effective_on=DAY, reason="booked twice")


def budget(key: str, amount: Money, call_id: UUID, words: str = "Budget") -> Posting:
    return Posting(rules.Event.BUDGET_SET, key, DAY, words, rules.legs_e1(amount, Dimensions(call_id=call_id)))


def reserved(key: str, amount: Money, call_id: UUID) -> Posting:
    return Posting(rules.Event.RESERVED, key, DAY, "Reserve", rules.legs_e2(amount, Dimensions(call_id=call_id)))


def grants(count: int) -> list[Posting]:
    """One order of each of that many grants, in the whole of its life up to the bank."""
    call_id, found = uuid4(), []
    for _ in range(count):
        grant_id = uuid4()
        dims = Dimensions(call_id=call_id, grant_id=grant_id)
        steps = (
            (rules.Event.BUDGET_SET, rules.legs_e1(euros(9), dims)),
            (rules.Event.RESERVED, rules.legs_e2(euros(9), dims)),
            (rules.Event.COMMITTED, rules.legs_e4(euros(9), dims)),
            (rules.Event.SIGNED, rules.legs_e5([(CITY, euros(9))], dims)),
            (rules.Event.PREFINANCING_AUTHORISED, rules.legs_e6(euros(9), dims, retention=euros(1))),
            (rules.Event.ORDER_SENT, rules.legs_e7(euros(8), dims)),
            (rules.Event.ORDER_BOOKED, rules.legs_e8([(CITY, euros(8))], dims)),
        )
        found += [Posting(event, f"{grant_id}:{event.value}", DAY, event.label, legs) for event, legs in steps]
    return found


@pytest.mark.parametrize("kind", ["orders of one grant each", "budgets of one call"])
def test_two_hundred_entries_take_no_statement_more_than_two(kind: str) -> None:
    call_id, counts = uuid4(), []
    for count in (2, 200):
        several = (
            grants(max(2, count // 7))
            if kind == "orders of one grant each"
            else [budget(f"{count}:{number}", euros(1), call_id) for number in range(count)]
        )
        with statements() as seen:
            post_many(BOOKKEEPER, several)
        counts.append(len(seen))

    assert counts[1] <= counts[0], counts
    assert queries.verify() == ()


def test_one_entry_takes_at_most_the_statements_it_takes_among_many() -> None:
    with statements() as alone:
        post_many(BOOKKEEPER, grants(1)[:1])
    with statements() as among:
        post_many(BOOKKEEPER, grants(3))

    assert len(alone) <= len(among) <= 10


def test_entries_are_numbered_in_the_order_they_are_named() -> None:
    call_id = uuid4()
    ids = post_many(BOOKKEEPER, [budget(str(number), euros(number), call_id) for number in range(1, 30)])

    assert list(db.session.scalars(select(LedgerEntry.id).order_by(LedgerEntry.number))) == list(ids)


def test_many_are_checked_in_their_order_as_if_each_stood_alone() -> None:
    call_id = uuid4()
    raised, taken = budget("1", euros(100), call_id), reserved("2", euros(70), call_id)

    with pytest.raises(Refused) as refusal:
        post_many(BOOKKEEPER, [taken, raised])
    assert str(refusal.value) == (
        "“Available” of this call would fall to EUR −70.00: EUR 70.00 is taken from EUR 0.00. "
        "Take less, or raise what there is first."
    )
    with pytest.raises(Refused, match=r"is taken from EUR 30\.00"):
        post_many(BOOKKEEPER, [raised, taken, reserved("3", euros(31), call_id)])
    assert queries.count_entries() == 0
    post_many(BOOKKEEPER, [raised, taken])
    assert queries.balance(Account.AVAILABLE, call_id=call_id) == euros(30)


def test_a_fact_told_again_answers_with_the_entry_that_stands() -> None:
    call_id = uuid4()
    first = budget("1", euros(100), call_id)
    (entry_id,) = post_many(BOOKKEEPER, [first])

    again = post_many(BOOKKEEPER, [first, budget("2", euros(1), call_id), replace(first, description="In other words")])

    assert (again[0], again[2]) == (entry_id, entry_id)
    assert queries.count_entries() == 2
    assert queries.balance(Account.AVAILABLE, call_id=call_id) == euros(101)
    assert queries.verify() == ()


def other_bodies() -> list[Posting]:
    first = budget("1", euros(100), CITY)
    return [
        replace(first, effective_on=DAY + timedelta(days=1)),
        replace(first, legs=rules.legs_e1(euros(101), Dimensions(call_id=CITY))),
        replace(first, legs=rules.legs_e1(euros(100), Dimensions(call_id=CITY, period="2024"))),
        replace(first, event=rules.Event.RESERVED),
    ]


@pytest.mark.parametrize("other", other_bodies())
def test_a_key_with_another_body_is_a_conflict_in_one_go_and_later(other: Posting) -> None:
    first = budget("1", euros(100), CITY)

    with pytest.raises(Conflict, match="already booked as another entry of the same act"):
        post_many(BOOKKEEPER, [first, other])
    post_many(BOOKKEEPER, [first])
    with pytest.raises(Conflict, match=r"already booked as E-2024-\d+, with another day or other amounts"):
        post_many(BOOKKEEPER, [budget("9", euros(1), CITY), other])
    assert queries.count_entries() == 1


def test_a_fact_whose_entry_was_reversed_is_not_taken_for_booked() -> None:
    first = budget("1", euros(100), uuid4())
    (entry_id,) = post_many(BOOKKEEPER, [first])
    reverse(BOOKKEEPER, entry_id)

    with pytest.raises(Conflict, match=r"booked as E-2024-\d+, which E-2024-\d+ reversed"):
        post_many(BOOKKEEPER, [first])


def test_nothing_to_post_asks_nothing_and_posts_nothing() -> None:
    with statements() as seen:
        assert post_many(BOOKKEEPER, []) == ()

    assert not [each for each in seen if "ledger" in each or "advisory" in each]


def test_a_batch_of_very_many_places_holds_the_books_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PLACES_MAX", 3)
    locks = []
    for count in (1, 4):
        with statements() as seen:
            post_many(BOOKKEEPER, grants(count))
        locks.append([each.split("(")[0].split()[-1] for each in seen if "advisory" in each])

    assert locks == [["pg_advisory_xact_lock_shared", "pg_advisory_xact_lock"], ["pg_advisory_xact_lock"]]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["budget", "lowered", "reserved"]), st.integers(1, 60), st.integers(0, 1), st.integers(0, 9)
        ),
        max_size=8,
    )
)
def test_many_at_once_leave_the_books_of_one_by_one(steps: list[tuple[str, int, int, int]]) -> None:
    """The same entries, or none of them, whatever is told twice or falls below zero."""
    builders = {"budget": rules.legs_e1, "lowered": rules.legs_e1_lowered, "reserved": rules.legs_e2}
    outcomes: list[tuple[object, ...]] = []
    for way in (post_many, post_singly):
        run, places = uuid4(), (uuid4(), uuid4())
        postings = [
            Posting(rules.Event.BUDGET_SET, f"{run}:{key}", DAY, "x", builders[kind](Money(cents), Dimensions(call_id=places[place])))
            for kind, cents, place, key in steps
        ]  # fmt: skip
        try:
            ids = way(BOOKKEEPER, postings)
        except (Refused, Conflict):
            outcomes.append(())
        else:
            keys = [each.source_key for each in postings]
            assert list(ids) == [ids[keys.index(key)] for key in keys]
            outcomes.append((len(set(ids)), *(queries.of(call_id=place).amounts for place in places)))

    assert outcomes[0] == outcomes[1]
