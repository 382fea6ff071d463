"""What becomes of signed grants of invented cities: amended, ended before their time, sent back by the bank, owing money."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.rules import Scope
from grants.agreements.states import Side, TerminationReason
from grants.core.db import db
from grants.core.money import euros
from grants.demo.crowd import invented_iban
from grants.demo.keeping_books import THREE_PEOPLE
from grants.demo.stage import Stage, Story, bank_day, merged, pay
from grants.demo.texts import CHARGE, UNKNOWN
from grants.identity.policy import Role
from grants.payments.rules.circuit import ALL_PAIRS
from grants.payments.rules.pay_runs import FileLayout
from grants.payments.states import Explained, RuleState
from grants.rates.states import RateKind

# The parent grant of every invented call.
PARENT = "DEMO-1"
# What came to the programme instead of the account of the city: its bank calls that account closed.
CLOSED_ACCOUNT = "AC04"
# Invented numbers, plainly so: one rate for half a year.
REFERENCE = "Date,Rate\n{first},2.00\n{second},2.50\n"
DAILY = "Date,PLN,SEK\n{first},4.0000,11.0000\n{second},4.0100,11.0200\n"
MISREAD = "Date,PLN,SEK\n{first},four,11.0000\n"
DAILY_AGAIN = "Date,PLN,SEK\n{first},4.0000,19.0000\n"


# --- amended --------------------------------------------------------------------------------------------------------


def extended(stage: Stage, reference: str, lead: str, mayor: str) -> Story:
    """Half a year more, in force; a shift of the budget was sent since and waits for its answer."""
    troupe = stage.troupe
    yield stage.days_ago(120)
    reason = "The roofs could not be entered for five months; the work goes on in the spring. (Synthetic.)"
    number = troupe.draft_amendment(reference, lead, troupe.longer(reference, 6), reason)
    troupe.send_amendment(reference, lead, number)
    yield stage.days_ago(117)
    troupe.open_amendment(reference, number)
    yield stage.days_ago(108)
    troupe.accept_amendment(reference, number)
    yield stage.days_ago(104)
    troupe.sign_amendment_for_city(reference, mayor, number)
    troupe.sign_amendment_for_programme(reference, number)
    yield stage.days_ago(7)
    reason = "Heat pumps became dearer, and less is done by own people. (Synthetic.)"
    number = troupe.draft_amendment(reference, lead, troupe.shifted(reference, euros(24_000)), reason)
    troupe.send_amendment(reference, lead, number)
    yield stage.days_ago(5)
    troupe.open_amendment(reference, number)


def exchanged_letters(stage: Stage, reference: str, lead: str) -> Story:
    """A letter of the programme, agreed by the city's answer; one request was refused, another taken back."""
    troupe = stage.troupe
    yield stage.days_ago(520)
    words = "The residents' board meets twice a year instead of once. (Synthetic.)"
    number = troupe.draft_amendment(reference, "officer", Scope(words, ""), "As agreed on the phone.", by_letter=True)
    troupe.send_amendment(reference, "officer", number)
    yield stage.days_ago(512)
    troupe.consent_for_city(reference, lead, number, "We agree. (Synthetic.)")
    yield stage.days_ago(300)
    number = troupe.draft_amendment(
        reference, lead, troupe.longer(reference, 12), "We would like to go on. (Synthetic.)"
    )
    troupe.send_amendment(reference, lead, number)
    yield stage.days_ago(280)
    troupe.refuse_amendment(reference, number, "The work is done in time; a second winter belongs to another call.")
    yield stage.days_ago(270)
    number = troupe.draft_amendment(reference, lead, troupe.longer(reference, 3), "A wall dries slowly. (Synthetic.)")
    troupe.send_amendment(reference, lead, number)
    yield stage.days_ago(262)
    troupe.withdraw_amendment(reference, lead, number, "The wall is dry.")


def offered_and_drafted(stage: Stage, heat: tuple[str, str, str], school: tuple[str, str]) -> Story:
    """One amended text waits for the programme's signature, one change is still written."""
    troupe = stage.troupe
    reference, lead, mayor = heat
    yield stage.days_ago(14)
    words = "The pipe goes along the quay instead of the station. (Synthetic.)"
    number = troupe.draft_amendment(reference, lead, Scope(words, ""), "The railway needs its ground. (Synthetic.)")
    troupe.send_amendment(reference, lead, number)
    yield stage.days_ago(10)
    troupe.accept_amendment(reference, number)
    yield stage.days_ago(8)
    troupe.sign_amendment_for_city(reference, mayor, number)
    yield stage.days_ago(3)
    troupe.draft_amendment(school[0], school[1], troupe.longer(school[0], 3), "The winter began late. (Synthetic.)")


# --- ended before its time ------------------------------------------------------------------------------------------


def terminated(stage: Stage, reference: str, mayor: str, *, pays: str) -> Story:
    """The city objected, the grant was ended, no report came: everything paid is owed back, and a part of it came late.

    ``pays`` is the title of another grant of the city, whose payment a part is set off against.
    """
    troupe = stage.troupe
    yield stage.days_ago(330)
    words = "No street was slowed down in half a year, and two letters were not answered. (Synthetic.)"
    number = troupe.propose_termination(reference, "officer", TerminationReason.NOT_CARRIED_OUT, words, days=70)
    yield stage.days_ago(312)
    troupe.object_to_termination(
        reference, mayor, number, "The council changed. Give us until the summer. (Synthetic.)"
    )
    yield stage.days_ago(260)
    troupe.confirm_termination(reference, number, "The summer is over, and no plan came. (Synthetic.)")
    yield stage.days_ago(190)
    troupe.settle_unsent(reference, 1, "Asked for it three times; nothing came. (Synthetic.)")
    yield stage.days_ago(188)
    troupe.decide_requests(reference)
    yield stage.days_ago(186)
    recovery_id = troupe.propose_recovery(reference)
    yield stage.days_ago(170)
    troupe.answer_recovery(recovery_id, mayor)
    yield stage.days_ago(165)
    troupe.confirm_recovery(recovery_id, stage.days_ago(120).date())
    yield stage.days_ago(112)
    troupe.remind_of_debts()
    yield stage.bank_days_ago(100)
    troupe.book_part(recovery_id, euros(25_000), "DEMO-BACK-7")
    yield stage.days_ago(6)
    troupe.reckon_interest(recovery_id)
    yield stage.bank_days_ago(4)
    troupe.set_off(recovery_id, _reference(pays), euros(20_000))


def nearly_terminated(stage: Stage, wants: tuple[str, str], objects: tuple[str, str], stays: tuple[str, str]) -> Story:
    """One city wants to end its grant, one objects to an end, and one thought better of it."""
    troupe = stage.troupe
    yield stage.days_ago(25)
    words = "Nobody has time for it this year. (Synthetic.)"
    number = troupe.propose_termination(*stays, TerminationReason.REQUESTED, words)
    yield stage.days_ago(22)
    troupe.withdraw_termination(*stays, number, "A neighbour lends us two people: we go on. (Synthetic.)")
    yield stage.days_ago(20)
    words = "The ferry was sold in the week in which the agreement was signed. (Synthetic.)"
    number = troupe.propose_termination(objects[0], "officer", TerminationReason.CHANGE, words)
    yield stage.days_ago(4)
    troupe.object_to_termination(*objects, number, "Another ferry is hired for the pilot. (Synthetic.)")
    yield stage.days_ago(3)
    troupe.propose_termination(*wants, TerminationReason.REQUESTED, "The lamps are changed by the region. (Synthetic.)")


# --- paid in advance once more --------------------------------------------------------------------------------------


def paid_in_advance_once_more(stage: Stage, reference: str, lead: str, starts: int) -> Story:
    """The city states what it used of its pre-financing too early and is turned down; later it is paid more of it."""
    troupe = stage.troupe
    yield stage.days_ago(starts - 150)
    troupe.state_use(reference, lead, 50, "Own people of the first work package. (Synthetic.)")
    yield stage.days_ago(starts - 160)
    troupe.reject_request(
        reference, "Half of it is there yet. Ask again when the first courtyard is built. (Synthetic.)"
    )
    yield stage.days_ago(starts - 215)
    troupe.state_use(reference, lead, 90, "Own people, and the stones of the first courtyard. (Synthetic.)")
    yield from pay(stage, [reference], stage.days_ago(starts - 225))


# --- sent back by the bank ------------------------------------------------------------------------------------------


def paid_twice(stage: Stage, reference: str, lead: str, iban: str) -> Story:
    """The bank of the city knows the account no more and sends the money back; another account is paid by another order."""
    troupe = stage.troupe
    start = bank_day(stage.days_ago(250))
    yield start
    troupe.examine(reference)
    troupe.decide_requests(reference)
    order = troupe.prepare_order(reference)
    assert order is not None, "the pre-financing is allowed"
    yield start + timedelta(hours=2)
    troupe.verify_order(order)
    yield start + timedelta(hours=4)
    troupe.authorise_order(order)
    troupe.export_orders([order], FileLayout.V09)
    value_at = bank_day(start + timedelta(days=1))
    yield bank_day(value_at + timedelta(days=1))
    troupe.bank_tells(value_at.date(), troupe.paid(order, "DEMO-A-1"))
    back_at = bank_day(value_at + timedelta(days=2))
    yield bank_day(back_at + timedelta(days=1))
    troupe.bank_tells(back_at.date(), troupe.came_back(order, "DEMO-A-2", CLOSED_ACCOUNT))
    yield back_at + timedelta(days=4)
    troupe.enter_account(reference, lead, iban)
    yield back_at + timedelta(days=5)
    troupe.confirm_account(reference)
    again_at = bank_day(back_at + timedelta(days=14))
    yield again_at
    again = troupe.reissue(order)
    yield again_at + timedelta(hours=2)
    troupe.verify_order(again)
    yield again_at + timedelta(hours=4)
    troupe.authorise_order(again)
    troupe.export_orders([again], FileLayout.V09)
    value_at = bank_day(again_at + timedelta(days=1))
    yield bank_day(value_at + timedelta(days=1))
    troupe.bank_tells(value_at.date(), troupe.paid(again, "DEMO-A-3"))


def bank_of_last_week(stage: Stage, orders: list[UUID]) -> Story:
    """Of four orders at the bank it paid one, rejected one, confirmed one and is silent on one; what else it tells is explained."""
    troupe = stage.troupe
    paid, rejected, confirmed, _ = orders
    yield stage.bank_days_ago(2)
    troupe.bank_tells_nonsense(stage.bank_days_ago(3).date())
    troupe.bank_reports([(confirmed, "ACSP", ""), (rejected, "RJCT", "AC01")])
    yield stage.bank_days_ago(2) + timedelta(hours=4)
    troupe.bank_tells(stage.bank_days_ago(3).date(), troupe.paid(paid, "DEMO-B-1"), CHARGE, UNKNOWN)
    yield stage.bank_days_ago(2) + timedelta(hours=5)
    troupe.explain(CHARGE.number, Explained.CHARGE, "The bank charges this each quarter. (Synthetic.)")
    troupe.confirm_explanation(CHARGE.number)
    troupe.explain(UNKNOWN.number, Explained.CHARGE, "It looks like one. (Synthetic.)")
    troupe.withdraw_explanation(UNKNOWN.number)
    troupe.explain(UNKNOWN.number, Explained.SET_ASIDE, "Of another programme of the house. (Synthetic.)")
    troupe.refuse_explanation(UNKNOWN.number, "That programme knows nothing of it. (Synthetic.)")
    troupe.explain(UNKNOWN.number, Explained.SET_ASIDE, "Ordered by the office, not by a grant. (Synthetic.)")


def of_every_order(stage: Stage, reference: str) -> Story:
    """What is paid in four orders: one waits for the verifier, one for the authoriser, one for a file, one in a file to be sent."""
    troupe = stage.troupe
    yield stage.bank_days_ago(5)
    parts = [troupe.prepare_order(reference, amount) for amount in (euros(30_000), euros(20_000), euros(10_000), None)]
    orders = [order for order in parts if order is not None]
    assert len(orders) == 4, "four orders share what was allowed"
    yield stage.bank_days_ago(4)
    for order in orders[:3]:
        troupe.verify_order(order)
    yield stage.bank_days_ago(3)
    for order in orders[:2]:
        troupe.authorise_order(order)
    yield from _waits_in_file(stage, orders[0])


def _waits_in_file(stage: Stage, order: UUID) -> Story:
    """A file was discarded and built anew; it waits to be sent, and another order to be put into one."""
    troupe = stage.troupe
    yield stage.bank_days_ago(3) + timedelta(hours=1)
    batch_id = troupe.build_file([order])
    yield stage.bank_days_ago(3) + timedelta(hours=2)
    troupe.discard_file(batch_id, "The larger order was to be in it too. (Synthetic.)")
    troupe.build_file([order])


# --- signed on paper ------------------------------------------------------------------------------------------------


def signed_on_paper(stage: Stage, reference: str, mayor: str) -> Story:
    """The first scan of the city was refused, its second accepted; what the director signed on paper is not looked at yet."""
    troupe = stage.troupe
    yield stage.days_ago(9)
    number = troupe.upload_signed(reference, mayor, Side.CITY)
    yield stage.days_ago(8)
    troupe.refuse_signed(reference, number, "The last page is missing. (Synthetic.)")
    yield stage.days_ago(6)
    number = troupe.upload_signed(reference, mayor, Side.CITY)
    yield stage.days_ago(4)
    troupe.accept_signed(reference, number, "Compared page by page with the offer. (Synthetic.)")
    yield stage.days_ago(2)
    troupe.upload_signed(reference, "signatory", Side.PROGRAMME)


# --- money that is owed ---------------------------------------------------------------------------------------------


def owed_for_costs(stage: Stage, bikes: tuple[str, str], shed: tuple[str, str], heat: tuple[str, str]) -> Story:
    """Costs that were accepted are rejected after the balance: debts at every step on the way to a debit note."""
    troupe = stage.troupe
    yield stage.days_ago(80)
    cancelled = troupe.find_costs(shed[0], euros(700), "A bill of a joiner seems to be of another house. (Synthetic.)")
    yield stage.days_ago(78)
    troupe.cancel_debt(cancelled, "The bill is of this house: the number was misread. (Synthetic.)")
    yield stage.days_ago(60)
    confirmed = troupe.find_costs(bikes[0], euros(1_200), "Two bicycles were declared twice. (Synthetic.)")
    troupe.inform(confirmed)
    yield stage.days_ago(45)
    troupe.answer_recovery(confirmed, bikes[1])
    yield stage.days_ago(25)
    observed = troupe.find_costs(heat[0], euros(900), "Paper was bought after the end. (Synthetic.)")
    troupe.inform(observed)
    yield stage.days_ago(18)
    troupe.inform(troupe.find_costs(shed[0], euros(650), "The rent of March is missing. (Synthetic.)"))
    yield stage.days_ago(9)
    troupe.answer_recovery(observed, heat[1])
    yield stage.days_ago(5)
    troupe.confirm_debt(confirmed)
    yield stage.days_ago(3)
    troupe.find_costs(bikes[0], euros(300), "A lock was lost before the pilot began. (Synthetic.)")


# --- rules and what is kept -----------------------------------------------------------------------------------------


def office(stage: Stage) -> Story:
    """Rules of the circuit and of who stands in for whom, accounts of the programme, rates, forecasts, a legal hold."""
    yield from merged(_circuit(stage), _accounts(stage), _rates(stage), _kept(stage))


def _circuit(stage: Stage) -> Story:
    """In one month the first two steps could be one person's; now four people pay again."""
    troupe = stage.troupe
    yield stage.days_ago(56)
    troupe.propose_circuit(THREE_PEOPLE, "Two of us are on leave. (Synthetic.)")
    troupe.decide_circuit(RuleState.CONFIRMED)
    yield stage.days_ago(50)
    troupe.propose_circuit(ALL_PAIRS, "The leave is over. (Synthetic.)")
    troupe.decide_circuit(RuleState.REFUSED, "It ends on Friday. (Synthetic.)")
    troupe.stand_in("officer_second", "verifier", Role.FINANCE_VERIFIER, days=70, reason="Leave of Jonas Weber.")
    yield stage.days_ago(48)
    troupe.propose_circuit(ALL_PAIRS, "It is Friday. (Synthetic.)")
    troupe.decide_circuit(RuleState.WITHDRAWN)
    troupe.propose_circuit(ALL_PAIRS, "The leave is over; four people pay again. (Synthetic.)")
    troupe.decide_circuit(RuleState.CONFIRMED)
    troupe.limit("authoriser_second", euros(100_000), euros(250_000), "Decision of the board. (Synthetic.)")
    yield stage.days_ago(3)
    troupe.propose_circuit(THREE_PEOPLE, "For orders up to the end of the year. (Synthetic.)")


def _accounts(stage: Stage) -> Story:
    troupe = stage.troupe
    yield stage.days_ago(61)
    wrong = troupe.enter_another_account(invented_iban("BE", 900_901), "Pilot Cities Programme, savings (invented)")
    troupe.close_account(wrong, "No payment leaves from savings. (Synthetic.)")
    yield stage.days_ago(4)
    troupe.enter_another_account(invented_iban("BE", 900_902), "Pilot Cities Programme, second account (invented)")


def _rates(stage: Stage) -> Story:
    troupe = stage.troupe
    first, second = stage.days_ago(900).date(), stage.days_ago(400).date()
    yield stage.days_ago(390)
    reference = troupe.bring_rates(RateKind.REFERENCE, REFERENCE.format(first=first, second=second))
    yield stage.days_ago(389)
    troupe.accept_rates(reference)
    yield stage.days_ago(30)
    day, next_day = stage.bank_days_ago(33).date(), stage.bank_days_ago(32).date()
    troupe.bring_rates(RateKind.ECB_DAILY, MISREAD.format(first=day))
    odd = troupe.bring_rates(RateKind.ECB_DAILY, DAILY_AGAIN.format(first=day))
    yield stage.days_ago(29)
    troupe.discard_rates(odd, "The krona cannot be right: the file was made by hand. (Synthetic.)")
    yield stage.days_ago(3)
    troupe.bring_rates(RateKind.ECB_DAILY, DAILY.format(first=day, second=next_day))


def _kept(stage: Stage) -> Story:
    troupe = stage.troupe
    yield stage.days_ago(92)
    troupe.keep_forecast("For the budget of next year. (Synthetic.)")
    yield stage.days_ago(15)
    troupe.keep_records(_reference("The Lost Ledger"), "The auditor of the city is still asked. (Synthetic.)")
    yield stage.days_ago(2)
    troupe.keep_forecast("Before the meeting of the board. (Synthetic.)")
    troupe.end_parent_grant(PARENT, stage.days_ago(-800).date())


def _reference(title: str) -> str:
    return db.session.scalars(select(Grant.reference).where(Grant.title == title)).one()


__all__ = [
    "bank_of_last_week", "exchanged_letters", "extended", "nearly_terminated", "of_every_order", "offered_and_drafted", "office",
    "owed_for_costs", "paid_in_advance_once_more", "paid_twice", "signed_on_paper", "terminated",
]  # fmt: skip
