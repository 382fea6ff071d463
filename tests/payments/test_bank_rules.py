"""A movement stands once however often it is told, a statement leaves no gap, and a line is an order's or nobody's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core.errors import Refused
from grants.core.money import Money, total
from grants.payments.rules.statements.checks import Last, follows, keys, sort_out
from grants.payments.rules.statements.matching import OPEN_STATES, Candidate, Known, Why, match, match_lines
from grants.payments.rules.statements.values import Balance, BankFile, Direction, Line, Statement
from tests.payments.bank_statements import DAY, OWN_IBAN, credit, debit

ACCOUNT, OTHER = UUID(int=1), UUID(int=2)

movements = st.lists(
    st.builds(
        debit,
        st.integers(1, 3),
        booked_on=st.integers(0, 5).map(lambda days: DAY + timedelta(days)),
        direction=st.sampled_from(Direction),
        end_to_end_id=st.sampled_from(["", "E-1", "E-2"]),
        bank_reference=st.just(""),
    ),
    max_size=20,
).map(lambda lines: sorted(lines, key=lambda line: line.booked_on))


def kept(standing: dict[str, Line], lines: list[Line]) -> dict[str, Line]:
    """What stands after a file with these lines."""
    return standing | dict(sort_out(lines, standing).new)


def within(lines: list[Line], start: int, end: int) -> list[Line]:
    return [line for line in lines if DAY + timedelta(start) <= line.booked_on <= DAY + timedelta(end)]


@given(movements, st.integers(0, 5), st.integers(0, 5))
def test_overlapping_days_give_each_line_once(lines: list[Line], start: int, end: int) -> None:
    """Two files that share the days between ``start`` and ``end``, and then each of them again."""
    first, second = within(lines, 0, end), within(lines, start, 5)
    expected = len(first) + len(within(lines, max(start, end + 1), 5))

    standing = kept(kept({}, first), second)
    again = kept(kept(standing, first), second)

    assert len(standing) == expected and again == standing


@given(movements)
def test_two_equal_lines_of_one_file_are_two(lines: list[Line]) -> None:
    assert len(set(keys(lines))) == len(lines)


def test_a_notice_and_then_the_statement_give_one_line() -> None:
    line = debit()
    noticed = kept({}, [line])

    assert sort_out([line, credit()], noticed).new[0][1] == credit()
    assert sort_out([line], noticed).known == tuple(noticed)


def test_a_batch_told_in_parts_and_then_whole_is_one_movement() -> None:
    parts = [debit(100, end_to_end_id="E-1"), debit(250, end_to_end_id="E-2")]
    whole = debit(350, end_to_end_id="", parts=2)

    assert sort_out([whole], kept({}, parts)).new == ()
    assert len(sort_out([whole], kept({}, parts)).known) == 2
    assert sort_out(parts, kept({}, [whole])).new == ()


def test_another_sum_under_the_same_bank_reference_is_another_movement() -> None:
    assert len(sort_out([debit(351, end_to_end_id="")], kept({}, [debit(100), debit(250)])).new) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"bank_reference": "B-7"},
        {"booked_on": date(2027, 3, 2)},
        {"amount": Money(1)},
        {"direction": Direction.CREDIT},
        {"is_reversal": True},
        {"end_to_end_id": "E-7"},
    ],
)
def test_whatever_tells_two_movements_apart_gives_another_key(changes: dict[str, object]) -> None:
    assert keys([debit()]) != keys([replace(debit(), **changes)])  # type: ignore[arg-type] -- the fields of a line


# ---------------------------------------------------------------------------------------------- no gap


def statement(opening: int, *lines: Line, start: int = 1, end: int = 1, number: str = "2") -> Statement:
    closing = Money(opening) + total(line.signed for line in lines)
    days = DAY + timedelta(start), DAY + timedelta(end)
    return Statement(
        BankFile.STATEMENT, f"S-{number}", OWN_IBAN, lines, number, *days,
        Balance(Money(opening), days[0]), Balance(closing, days[1]),
    )  # fmt: skip


LAST = Last("1", DAY, Money(500))


def test_a_statement_that_begins_where_the_last_one_closed_follows_it() -> None:
    assert follows(statement(500, credit(7)), LAST, covered=Money(0), new=1)
    assert follows(statement(500), LAST, covered=Money(0), new=0), "a day on which nothing happened"
    assert follows(statement(123), None, covered=Money(0), new=0), "the first of its account"


def test_a_gap_is_refused_and_named() -> None:
    with pytest.raises(Refused) as caught:
        follows(statement(620), LAST, covered=Money(0), new=0)

    assert str(caught.value) == (
        "Statement 2 begins with EUR 6.20 on 2 March 2027 but statement 1 closed with EUR 5.00 on 1 March 2027: "
        "a gap of EUR 1.20. A statement between the two is missing: import that one first."
    )


@given(st.lists(st.integers(1, 1_000), max_size=6), st.lists(st.integers(1, 1_000), max_size=6), st.integers(-5, 5))
def test_overlapping_days_close_the_chain_to_the_cent(shared: list[int], new: list[int], wrong: int) -> None:
    """The second begins before what it shares with the first; whatever differs is a gap."""
    opening = LAST.closing - Money(sum(shared)) + Money(wrong)
    second = statement(opening.cents, *(credit(cents) for cents in (*shared, *new)), start=-1)
    if wrong:
        with pytest.raises(Refused, match="a gap of"):
            follows(second, LAST, covered=Money(sum(shared)), new=max(1, len(new)))
    else:
        assert follows(second, LAST, covered=Money(sum(shared)), new=max(1, len(new)))


def test_a_statement_that_stands_already_brings_nothing() -> None:
    assert not follows(statement(400, credit(100), start=0, end=0), LAST, covered=Money(100), new=0)
    assert not follows(statement(1, start=-3, end=-2), LAST, covered=Money(0), new=0)


def test_lines_of_days_that_are_proved_whole_are_refused() -> None:
    with pytest.raises(Refused, match="told two stories"):
        follows(statement(1, credit(4), start=-3, end=-2), LAST, covered=Money(0), new=1)


# ---------------------------------------------------------------------------------------------- matching


def order(cents: int = 150_000_00, **changes: object) -> Candidate:
    made = Candidate(uuid4(), "PCP-2027-P-0001", "PCP-2027-P-0001", Money(cents), ACCOUNT, "sent")
    return replace(made, **changes)  # type: ignore[arg-type] -- the fields of a candidate


def test_end_to_end_id_amount_account_and_state_make_a_match() -> None:
    for state in ("sent", "acknowledged"):
        one = order(state=state)

        assert match(debit(), ACCOUNT, Known([one])).order == one


NEAR = {
    "one cent off": (debit(149_999_99), order(), Why.AMOUNT),
    "one cent more": (debit(150_000_01), order(), Why.AMOUNT),
    "another reference": (debit(end_to_end_id="PCP-2027-P-0009"), order(), Why.REFERENCE),
    "no reference": (debit(end_to_end_id=""), order(), Why.REFERENCE),
    "another account": (debit(), order(account_id=OTHER), Why.ACCOUNT),
    "executed and told before": (debit(), order(state="executed", has_line=True), Why.STATE),
    "not sent": (debit(), order(state="authorised"), Why.STATE),
    "money that came": (credit(150_000_00, end_to_end_id="PCP-2027-P-0001"), order(), Why.CREDIT),
    "a reversal": (debit(is_reversal=True), order(), Why.REVERSAL),
    "a batch under its id": (debit(parts=2), order(), Why.SEVERAL),
}


@pytest.mark.parametrize("name", NEAR)
def test_what_is_nearly_an_order_is_none_and_names_it(name: str) -> None:
    line, one, why = NEAR[name]

    found = match(line, ACCOUNT, Known([one, order(7, reference="P-7", end_to_end_id="P-7")]))

    assert (found.order, found.why, found.nearest) == (None, why, (one,))
    assert "PCP-2027-P-0001" in found.words


def test_one_line_for_two_orders_names_both() -> None:
    one, two = order(100, end_to_end_id="E-1"), order(250, end_to_end_id="E-2", reference="P-2")
    others = [order(990, end_to_end_id="E-3", reference="P-3")]

    found = match(debit(350, end_to_end_id="", parts=2), ACCOUNT, Known([one, two, *others]))

    assert (found.order, found.why, set(found.nearest)) == (None, Why.SEVERAL, {one, two})
    assert found.words == "One line for several payments: order PCP-2027-P-0001, order P-2."


def test_two_lines_that_fit_one_order_fit_none() -> None:
    found = match_lines({"a": debit(), "b": debit(bank_reference="B-8")}, ACCOUNT, [order()])

    assert [each.why for each in found.values()] == [Why.TWICE, Why.TWICE]


@given(
    st.lists(
        st.builds(
            order,
            st.integers(1, 4),
            end_to_end_id=st.sampled_from(["E-1", "E-2", "E-3"]),
            account_id=st.sampled_from([ACCOUNT, OTHER]),
            state=st.sampled_from(["authorised", "sent", "acknowledged", "executed", "returned"]),
        ),
        max_size=5,
    ),
    movements,
)
def test_nothing_is_ever_forced(orders: list[Candidate], lines: list[Line]) -> None:
    found = match_lines(dict(zip(keys(lines), lines, strict=True)), ACCOUNT, orders)

    matched = [(line, found[key].order) for key, line in zip(keys(lines), lines, strict=True) if found[key].order]
    for line, one in matched:
        assert one is not None and line.end_to_end_id == one.end_to_end_id and line.amount == one.amount
        assert line.direction is Direction.DEBIT and not line.is_reversal
        assert one.account_id == ACCOUNT
        # What was executed by hand and no line told yet meets its line: linked to its entry, and booked by nothing.
        assert one.state in OPEN_STATES or (one.state == "executed" and not one.has_line)
    assert len({one.id for _, one in matched if one}) == len(matched)
    for each in found.values():
        assert each.words.endswith(".") and (each.order is None) == (each.why is not None)
