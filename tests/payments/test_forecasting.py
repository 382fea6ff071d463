"""The forecast by month: the identity with the ceiling, the columns, and moves that explain every difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from hypothesis import given

from grants.agreements.states import GrantState, MilestoneState, PaymentKind
from grants.core.money import ZERO, Money, euros, total
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances
from grants.payments.rules.expected import Basis, GrantMoney, MilestoneStands, outlook
from grants.payments.rules.forecasting import (
    CallMoney,
    Cause,
    Forecast,
    GrantOutlook,
    KeptLine,
    LineKind,
    lines_of,
    months_from,
    moves,
)
from tests.payments.test_expected import MONEY, PREFINANCED, TODAY, standings

CALL, GRANT = UUID(int=1), UUID(int=2)


def seen(money: GrantMoney, number: int = 2) -> GrantOutlook:
    return GrantOutlook(UUID(int=number), f"G-{number}", "WARM", CALL, money.state, outlook(money, TODAY))


def call(ceiling: Money, reserved: Money, free: Money) -> CallMoney:
    return CallMoney(CALL, "pilots", "PCP-2022-C-0001", "Pilots", ceiling, reserved, free)


def forecast(*grants: GrantOutlook, calls: Sequence[CallMoney] = (), months: int = 12) -> Forecast:
    return Forecast(TODAY, months_from(TODAY, months), tuple(calls), grants)


def test_paid_due_forecast_reserved_and_free_are_the_ceiling() -> None:
    closed = replace(MONEY, state=GrantState.CLOSED, final_amount=euros(210_000))
    in_preparation = replace(MONEY, state=GrantState.PREPARATION, balances=Balances({}), requests=(), reports=())
    found = forecast(
        seen(MONEY), seen(closed, 3), seen(in_preparation, 4),
        # Of the closed grant 390 000 are free again; 50 000 more are reserved than the grant in preparation may have.
        calls=[call(euros(2_000_000), euros(650_000), euros(540_000))],
    ).sums  # fmt: skip

    assert (found.paid, found.due, found.forecast) == (euros(420_000), ZERO, euros(390_000))
    assert (found.reserved, found.given_back, found.free) == (euros(650_000), ZERO, euros(540_000))
    assert found.holds and not replace(found, free=euros(540_001)).holds


def test_of_one_grant_the_parts_are_its_maximum_also_when_it_closed() -> None:
    for money in (MONEY, replace(MONEY, state=GrantState.CLOSED), replace(MONEY, final_amount=euros(300_000))):
        assert forecast(seen(money)).sums.holds


def test_a_month_holds_what_is_due_in_it_and_later_what_comes_after_the_last() -> None:
    found = forecast(seen(MONEY), months=8)

    assert found.columns == (
        *(f"{name} 2024" for name in ("Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct")),
        "Later",
    )
    assert found.totals(found.grants) == (*([ZERO] * 7), euros(300_000), euros(90_000))
    later = replace(found, months=months_from(date(2024, 11, 1), 2))
    assert (later.columns, later.totals(found.grants)) == (
        ("Before", "Nov 2024", "Dec 2024", "Later"), (euros(300_000), ZERO, ZERO, euros(90_000))
    )  # fmt: skip


def test_the_chart_goes_on_from_what_is_paid_and_ends_at_what_is_committed() -> None:
    found = replace(forecast(seen(MONEY), months=24), history=((date(2023, 6, 1), euros(600_000), euros(210_000)),))

    assert [each.paid for each in found.levels if each.paid is not None] == [euros(210_000)] * 7
    assert found.levels[-1].forecast == euros(600_000)
    assert "Forecast: EUR" in found.chart.summary


def kept(money: GrantMoney) -> tuple[KeptLine, ...]:
    return lines_of((), [seen(money)])


def test_a_slip_is_one_move_of_the_whole_payment_with_the_milestone_as_its_cause() -> None:
    late = replace(
        MONEY, milestones=(MilestoneStands(1, MilestoneState.PLANNED, date(2024, 4, 30), date(2024, 10, 15)),)
    )
    (move,) = moves(kept(MONEY), kept(late))

    assert (move.kind, move.amount, move.cause) == (PaymentKind.INTERIM, euros(300_000), Cause.MILESTONE)
    assert (move.from_month, move.to_month) == (date(2024, 10, 1), date(2025, 1, 1))
    assert move.because == "when milestone 1 is reached and report 1 is accepted"


def test_what_was_paid_meanwhile_is_gone_because_it_was_decided_and_a_new_grant_came_in() -> None:
    paid = Balances({**PREFINANCED.amounts, Account.CONSUMED: euros(510_000), Account.BANK: -euros(510_000)})
    decided = moves(kept(MONEY), kept(replace(MONEY, balances=paid)))

    assert [(each.cause, each.amount, each.to_month) for each in decided] == [(Cause.DECIDED, euros(300_000), None)]
    assert {each.cause for each in moves((), kept(MONEY))} == {Cause.CAME_IN}
    assert {(each.cause, each.to_month) for each in moves(kept(MONEY), ())} == {(Cause.DROPPED, None)}
    assert {each.cause for each in moves(kept(MONEY), kept(replace(MONEY, final_amount=euros(300_000))))} == {
        Cause.GIVEN_BACK
    }


def by_month(lines: Sequence[KeptLine]) -> dict[date | None, Money]:
    found: dict[date | None, Money] = {}
    for each in lines:
        if each.kind.payment is not None:
            found[each.month] = found.get(each.month, ZERO) + each.amount
    return found


@given(standings(), standings())
def test_moves_are_month_by_month_exactly_the_difference(one: GrantMoney, other: GrantMoney) -> None:
    before, now = (
        tuple({(each.kind, each.report_number): each for each in kept(money)}.values()) for money in (one, other)
    )
    moved = moves(before, now)

    then, today = by_month(before), by_month(now)
    for month in {*then, *today}:
        came = total(each.amount for each in moved if each.to_month == month)
        left = total(each.amount for each in moved if each.from_month == month)
        assert today.get(month, ZERO) - then.get(month, ZERO) == came - left
    assert moves(now, now) == ()


def test_lines_keep_everything_of_the_identity_and_nothing_of_nothing() -> None:
    found = lines_of([call(euros(1_000_000), ZERO, euros(400_000))], [seen(MONEY)])

    assert {each.kind for each in found} == {
        *(LineKind.CEILING, LineKind.FREE, LineKind.PAID, LineKind.INTERIM, LineKind.BALANCE),
    }  # fmt: skip
    parts = total(each.amount for each in found if each.kind is not LineKind.CEILING)
    assert parts == euros(1_000_000)
    assert [each.basis for each in found if each.due_on] == [Basis.REPORT, Basis.REPORT]
