"""What a grant will still be paid: nothing is lost in any state, and each payment follows what it waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from grants.agreements.rules import ScheduleLine
from grants.agreements.states import ENDED, GrantState, MilestoneState, PaymentKind
from grants.calls.rules import TimeLimits
from grants.core import clock
from grants.core.money import ZERO, Money, euros, total
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances
from grants.payments.rules import Limits
from grants.payments.rules.expected import (
    Basis,
    GrantMoney,
    MilestoneStands,
    ReportStands,
    RequestStands,
    gated_by,
    outlook,
    strip,
)
from grants.payments.states import RequestState
from grants.reporting.states import ReportState

TODAY = date(2024, 3, 1)
LIMITS = Limits(euros(600_000), euros(540_000), euros(240_000), euros(30_000))
TIMES = TimeLimits(prefinancing=30, before_start=10, report=60, interim=90, balance=90)
SCHEDULE = (
    ScheduleLine(1, PaymentKind.PREFINANCING, None, euros(210_000), date(2023, 6, 1)),
    ScheduleLine(2, PaymentKind.INTERIM, 1, euros(300_000), date(2024, 7, 31)),
    ScheduleLine(3, PaymentKind.BALANCE, 2, euros(90_000), date(2025, 7, 31)),
)
REPORTS = (
    ReportStands(1, False, ReportState.DRAFT, date(2024, 6, 1), date(2024, 7, 31)),
    ReportStands(2, True, ReportState.DRAFT, date(2025, 6, 1), date(2025, 7, 31)),
)
PREFINANCED = Balances(
    {
        Account.CONSUMED: euros(210_000),
        Account.BANK: -euros(210_000),
        Account.PREFINANCING: euros(240_000),
        Account.RETENTION: euros(30_000),
        Account.LEGALLY_COMMITTED: euros(390_000),
    }
)
PAID_ONCE = RequestStands("G-1", PaymentKind.PREFINANCING, RequestState.PAID, None, euros(240_000), date(2023, 6, 1))
MONEY = GrantMoney(
    state=GrantState.IN_FORCE,
    limits=LIMITS,
    times=TIMES,
    starts_on=date(2023, 6, 1),
    in_force_on=date(2023, 5, 2),
    final_amount=None,
    balances=PREFINANCED,
    schedule=SCHEDULE,
    reports=REPORTS,
    milestones=(MilestoneStands(1, MilestoneState.PLANNED, date(2024, 4, 30)),),
    requests=(PAID_ONCE,),
)


def told(money: GrantMoney) -> list[tuple[str, int, str, str]]:
    return [
        (each.name, each.amount.cents // 100, each.due_on.isoformat(), each.because)
        for each in outlook(money, TODAY).lines
    ]


def test_after_its_pre_financing_a_grant_expects_what_was_planned_for_each_report() -> None:
    assert told(MONEY) == [
        ("Interim payment, report 1", 300_000, "2024-10-29", "when report 1 is accepted"),
        ("Payment of the balance, report 2", 90_000, "2025-10-29", "when report 2 is accepted"),
    ]
    assert outlook(MONEY, TODAY).held == euros(30_000)


def test_before_the_signature_everything_is_expected_as_planned_the_first_by_the_signature() -> None:
    money = replace(
        MONEY, state=GrantState.PREPARATION, in_force_on=None, balances=Balances({}), reports=(), requests=()
    )

    assert [(name, amount) for name, amount, *_ in told(money)] == [
        ("Pre-financing", 210_000),
        ("Interim payment, report 1", 300_000),
        ("Payment of the balance, report 2", 90_000),
    ]
    assert told(money)[0][2:] == ("2024-03-31", "when the agreement is signed")


def test_a_milestone_that_slips_moves_the_payment_of_its_report_and_no_other() -> None:
    slipped = replace(
        MONEY, milestones=(MilestoneStands(1, MilestoneState.PLANNED, date(2024, 4, 30), date(2024, 10, 15)),)
    )

    before, after = outlook(MONEY, TODAY).lines, outlook(slipped, TODAY).lines
    assert (after[0].due_on, after[0].basis) == (date(2025, 1, 13), Basis.MILESTONE)
    assert after[0].because == "when milestone 1 is reached and report 1 is accepted"
    assert after[0].amount == before[0].amount and after[1:] == before[1:]


def test_a_milestone_that_is_accepted_or_in_time_holds_nothing_up() -> None:
    for milestone in (
        MilestoneStands(1, MilestoneState.ACCEPTED, date(2024, 4, 30), date(2024, 10, 15)),
        MilestoneStands(1, MilestoneState.PLANNED, date(2024, 4, 30), date(2024, 7, 31)),
    ):
        assert outlook(replace(MONEY, milestones=(milestone,)), TODAY).lines[0].due_on == date(2024, 10, 29)


def test_a_milestone_waits_in_the_first_report_that_ends_after_its_planned_day_whenever_it_is_expected() -> None:
    assert [
        gated_by(MilestoneStands(1, MilestoneState.PLANNED, due, date(2026, 1, 1)), REPORTS)
        for due in (date(2024, 5, 31), date(2024, 6, 1), date(2027, 1, 1))
    ] == [1, 2, 2]
    assert gated_by(MilestoneStands(1, MilestoneState.PLANNED, TODAY), ()) is None


def test_what_is_overdue_is_expected_from_today_on_and_a_report_that_came_in_from_its_day() -> None:
    late = replace(REPORTS[0], due_on=date(2024, 1, 31))
    came = replace(REPORTS[0], state=ReportState.SUBMITTED, submitted_on=date(2024, 2, 20))

    assert outlook(replace(MONEY, milestones=(), reports=(late, REPORTS[1])), TODAY).lines[0].due_on == date(
        2024, 5, 30
    )
    assert outlook(replace(MONEY, reports=(came, REPORTS[1])), TODAY).lines[0].due_on == date(2024, 5, 20)


def test_an_open_request_is_expected_on_its_due_day_and_later_while_its_clock_stands_still() -> None:
    accepted = replace(REPORTS[0], state=ReportState.ACCEPTED, accepted=euros(350_000))
    asked = RequestStands("G-2", PaymentKind.INTERIM, RequestState.SUBMITTED, 1, euros(350_000), date(2024, 5, 1))
    money = replace(MONEY, reports=(accepted, REPORTS[1]), requests=(PAID_ONCE, asked))
    stopped = replace(money, requests=(PAID_ONCE, replace(asked, suspended_on=date(2024, 2, 20))))

    # Not more than the ceiling has room for; what is above it waits for the balance.
    assert told(money)[0] == ("Interim payment, report 1", 300_000, "2024-05-01", "when request G-2 is decided")
    assert outlook(stopped, TODAY).lines[0].due_on == date(2024, 5, 11)


def test_the_balance_that_is_asked_for_pays_the_final_amount_and_the_rest_goes_back() -> None:
    settled = tuple(replace(each, state=ReportState.ACCEPTED, accepted=euros(250_000)) for each in REPORTS)
    asked = RequestStands("G-3", PaymentKind.BALANCE, RequestState.SUBMITTED, 2, euros(500_000), date(2024, 5, 1))
    done = RequestStands("G-2", PaymentKind.INTERIM, RequestState.PAID, 1, euros(250_000), date(2024, 2, 1))
    balances = Balances({**PREFINANCED.amounts, Account.CONSUMED: euros(460_000), Account.BANK: -euros(460_000)})
    found = outlook(replace(MONEY, reports=settled, requests=(PAID_ONCE, done, asked), balances=balances), TODAY)

    assert [(each.kind, each.amount) for each in found.lines] == [(PaymentKind.BALANCE, euros(40_000))]
    assert found.given_back == euros(100_000)


def test_nothing_is_expected_after_the_final_amount_or_of_a_grant_that_ended() -> None:
    decided, closed = replace(MONEY, final_amount=euros(300_000)), replace(MONEY, state=GrantState.CLOSED)

    for money in (decided, closed):
        assert (outlook(money, TODAY).lines, outlook(money, TODAY).given_back) == ((), euros(390_000))


def test_more_paid_than_granted_is_a_problem_and_not_hidden() -> None:
    found = outlook(replace(MONEY, balances=Balances({Account.CONSUMED: euros(600_001)})), TODAY)

    assert "EUR 1.00 more is paid and on its way" in found.problem


def test_the_strip_of_a_grant_is_its_maximum_with_what_is_held_apart_from_the_balance() -> None:
    parts = [(each.label, each.amount.cents // 100, each.note) for each in strip(outlook(MONEY, TODAY))]

    assert parts == [
        ("Paid", 210_000, "booked by the bank"),
        ("Next", 300_000, "29 October 2024, when report 1 is accepted"),
        ("Later", 60_000, "after that, in one payment"),
        ("Held", 30_000, "kept back until the balance"),
    ]


days = st.dates(date(2023, 1, 1), date(2026, 1, 1))
amounts = st.integers(0, 70_000_000).map(Money)


@st.composite
def standings(draw: st.DrawFn) -> GrantMoney:
    """Any grant: limits in their order, any balances, any states of reports, milestones and requests."""
    maximum = draw(st.integers(1, 60_000_000))
    ceiling = draw(st.integers(0, maximum))
    prefinancing = draw(st.integers(0, ceiling))
    limits = Limits(*map(Money, (maximum, ceiling, prefinancing, draw(st.integers(0, prefinancing)))))
    number = draw(st.integers(1, 4))
    reports = tuple(
        ReportStands(
            each + 1,
            each + 1 == number,
            draw(st.sampled_from(ReportState)),
            clock.add_months(date(2023, 6, 1), 6 * (each + 1)),
            draw(days),
            draw(st.none() | days),
            draw(st.none() | amounts),
        )
        for each in range(draw(st.sampled_from((0, number))))
    )
    kinds = [*([PaymentKind.PREFINANCING] if prefinancing else []), *[PaymentKind.INTERIM] * (number - 1)]
    schedule = tuple(
        ScheduleLine(
            place + 1,
            kind,
            None if kind is PaymentKind.PREFINANCING else place + (not prefinancing),
            draw(amounts),
            draw(days),
        )
        for place, kind in enumerate(kinds)
    )
    requests = tuple(
        RequestStands(
            f"G-{each}",
            kind := draw(st.sampled_from(PaymentKind)),
            draw(st.sampled_from(RequestState)),
            None if kind is PaymentKind.PREFINANCING else draw(st.integers(1, number)),
            draw(amounts),
            draw(days),
            draw(st.none() | days),
        )
        for each in range(draw(st.integers(0, 4)))
    )
    milestones = tuple(
        MilestoneStands(each, draw(st.sampled_from(MilestoneState)), draw(days), draw(st.none() | days))
        for each in range(draw(st.integers(0, 3)))
    )
    balances = Balances({account: draw(amounts) for account in draw(st.sets(st.sampled_from(Account)))})
    return GrantMoney(
        state=draw(st.sampled_from(GrantState)),
        limits=limits,
        times=TIMES,
        starts_on=draw(days),
        in_force_on=draw(st.none() | days),
        final_amount=draw(st.none() | amounts),
        balances=balances,
        schedule=schedule,
        reports=reports,
        milestones=milestones,
        requests=requests,
    )


@given(standings(), days)
def test_i19_whatever_the_state_nothing_of_the_maximum_is_lost(money: GrantMoney, today: date) -> None:
    found = outlook(money, today)

    assert (
        total(each.amount for each in found.lines) + found.on_the_way + found.paid + found.given_back == found.maximum
    )
    assert all(each.amount > ZERO and each.due_on >= today for each in found.lines)
    assert bool(found.problem) == (money.open < ZERO)
    assert total(each.amount for each in strip(found)) == max(found.maximum, found.paid + found.on_the_way)
    assert all(each.amount >= ZERO for each in strip(found))
    if money.state in ENDED or money.final_amount is not None:
        assert not found.lines


@given(standings(), days, st.integers(1, 400))
def test_a_slip_never_moves_money_nearer_nor_changes_an_amount(money: GrantMoney, today: date, by: int) -> None:
    later = tuple(
        replace(each, expected_on=clock.add_days(each.expected_on or each.due_on, by)) for each in money.milestones
    )
    before = {
        (each.kind, each.report_number, each.waits_for if each.basis is Basis.REQUEST else ""): each
        for each in outlook(money, today).lines
    }
    after = {
        (each.kind, each.report_number, each.waits_for if each.basis is Basis.REQUEST else ""): each
        for each in outlook(replace(money, milestones=later), today).lines
    }

    assert before.keys() == after.keys()
    for key, line in before.items():
        assert after[key].amount == line.amount and after[key].due_on >= line.due_on
