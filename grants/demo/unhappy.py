"""What goes wrong, in a small call of invented municipalities: every unhappy state that an act of this program reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.states import HoldReason
from grants.applications import services as applications
from grants.awards import services as awards
from grants.awards.states import WithheldGround
from grants.calls import services as calls
from grants.calls.rules import CallView
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.money import euros
from grants.demo import afterwards, crowd, together
from grants.demo.applying import invented_call
from grants.demo.cast import AskedInDemo
from grants.demo.crowd import invented_iban
from grants.demo.large import SHORT_FORM
from grants.demo.stage import Stage, Story, merged, pay, sign
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.models import Assignment, ConflictDeclaration, Evaluator
from grants.evaluation.rules import AdjustInput
from grants.evaluation.states import Declared, Deed, Ruling, SeatState
from grants.identity import services as people
from grants.identity.models import User
from grants.payments.rules.pay_runs import FileLayout
from grants.payments.states import SuspensionReason

# A short life, so that everything has time to go wrong: six months, one report, reached milestones in months 2 and 4.
SHORT_LIFE = """\
duration_months: 6
payment:
  funding: {form: actual_cost, certificate_from: 20000}
  passing_on: {days: 30, confirmed_by: partner}
  tranches:
    - {key: prefinancing, kind: prefinancing, label: Pre-financing, percent: 40, condition: The agreement is in force}
    - {key: balance, kind: balance, label: Payment of the balance, condition: The final report is accepted}
milestones:
  - {key: start, title: Team in place, month: 2, evidence: Names and roles of the team}
  - {key: end, title: The street has tried it, month: 4, evidence: A dated description}
evaluation:
  selection: {reserve_max: 2, amounts: true, places: true}
"""

# Title, euros, consensus in half points. The total is EUR 1,010,000: the tied pair stands at the line, and one straddles it.
OPEN_DEBT = ("Paper Heat", 80_000, (10, 10, 9))
PAID_BACK = ("Borrowed Bikes", 80_000, (10, 9, 10))
WAIVED = ("The Empty Shed", 80_000, (10, 9, 9))
OVERDUE = ("Late Lanterns", 90_000, (9, 9, 10))
RETURNED = ("Two Invoices", 90_000, (9, 9, 9))
REJECTED = ("The Lost Ledger", 90_000, (9, 9, 8))
IN_PART = ("Half a Roof", 90_000, (9, 8, 9))
TURNED_DOWN = ("No Account", 80_000, (9, 8, 8))
DROPPED = ("A Change of Council", 70_000, (8, 9, 8))
UNPREPARED = ("Waiting for a Date", 60_000, (8, 8, 8))
TIED = ("Twin Streets East", 60_000, (8, 8, 7))
STRADDLES = ("Twin Streets West", 60_000, (8, 8, 7))
RESERVED = ("Next in Line", 70_000, (7, 7, 7))
UNFUNDED = ("Far down the List", 70_000, (7, 7, 6))
BELOW = ("Good Intentions", 70_000, (7, 5, 6))
# Of four cities, with as much for each of them.
TOGETHER = ("Four Harbours", 30_000, (10, 10, 10))
LIST = (
    OPEN_DEBT, PAID_BACK, WAIVED, OVERDUE, RETURNED, REJECTED, IN_PART, TURNED_DOWN, DROPPED, UNPREPARED, TIED, STRADDLES,
    RESERVED, UNFUNDED, BELOW, TOGETHER,
)  # fmt: skip
INELIGIBLE = ("The Wrong Letter", 50_000, ())
WITHDRAWN = ("Taken Home Again", 50_000, ())
TOO_LATE = ("Five Past Five", 50_000, ())
TOTAL = 1_010_000
# The municipalities of the crowd that stand here begin at this place of their list.
FIRST_PLACE = 80


@dataclass
class Going:
    """The call as it goes, with its applications by title, and who leads each."""

    call: CallView
    applications: dict[str, UUID] = field(default_factory=dict)
    leads: dict[str, AskedInDemo] = field(default_factory=dict)
    # Who speaks for the partners of the one that four cities sent, by their places.
    partners: dict[str, str] = field(default_factory=dict)


def unhappy(stage: Stage) -> Story:
    """From the call to what waits today."""
    yield from merged(_small_call(stage), _drafts_of_calls(stage))


def _drafts_of_calls(stage: Stage) -> Story:
    """A call that is still a draft, and one that was cancelled."""
    yield stage.days_ago(33)
    stage.say("A call that was cancelled, and one that is a draft")
    cancelled = stage.invented_call("Winter trials", opens=28, closes=-20, total=300_000)
    yield stage.days_ago(26)
    _wrong_budget(stage, cancelled)
    yield stage.days_ago(20)
    calls.cancel(stage.troupe.actor("manager"), cancelled.id, "The parent fund moved its money to another year.")
    yield stage.days_ago(19)
    entry_id, troupe = stage.troupe.budget_entry(cancelled.id), stage.troupe
    troupe.withdraw_reversal(troupe.propose_reversal(entry_id, "The call was cancelled. (The money seems spent.)"))
    early = troupe.propose_reversal(entry_id, "The call was cancelled.")
    troupe.refuse_reversal(early, "Say where the money goes.")
    stage.troupe.propose_reversal(
        stage.troupe.budget_entry(cancelled.id), "The call was cancelled; its money goes back."
    )
    yield stage.days_ago(8)
    stage.troupe.import_call(invented_call("Summer trials", stage.days_ago(-30), stage.days_ago(-75), 400_000))


def _wrong_budget(stage: Stage, call: CallView) -> None:
    """A budget is set with a nought too many; the entry is reversed by two people."""
    entry_id = stage.troupe.set_budget(call.id, euros(3_000_000))
    reason = "EUR 300,000 was meant, as the call says; a nought was typed too many."
    stage.troupe.confirm_reversal(stage.troupe.propose_reversal(entry_id, reason))


def _small_call(stage: Stage) -> Story:
    yield stage.days_ago(540)
    stage.say("A small call in which everything goes wrong")
    going = Going(
        stage.invented_call(
            "Second thoughts", opens=530, closes=500, total=TOTAL, award=150_000, more=SHORT_FORM + SHORT_LIFE
        )
    )
    yield from _applied(stage, going)
    yield from _judged(stage, going)
    yield from _decided(stage, going)
    yield from merged(
        _owes(stage, going, OPEN_DEBT, _stays_open),
        _owes(stage, going, PAID_BACK, _pays_back),
        _owes(stage, going, WAIVED, _is_waived),
        _overdue(stage, going),
        _returned(stage, going),
        _rejected(stage, going),
        _paid_in_part(stage, going),
        _turned_down(stage, going),
        _dropped(stage, going),
        _withheld(stage, going),
        _rejected_costs(stage, going),
        _of_four(stage, going),
    )


def _applied(stage: Stage, going: Going) -> Story:
    """Sent in time, withdrawn, and too late by five minutes."""
    places = crowd.municipalities()[FIRST_PLACE:]
    for number, (title, amount, _) in enumerate((*LIST, INELIGIBLE, WITHDRAWN)):
        yield stage.days_ago(520) + timedelta(hours=6 * number)
        stage.say(f"{going.call.title}: {title}")
        if title == TOGETHER[0]:
            going.partners = together.partners(stage)
            asked = AskedInDemo(title, "stefanel", together.LEAD, amount)
            going.applications[title] = stage.troupe.apply_together(going.call, asked, going.partners)
        else:
            asked = _asked(stage, places[number], title, amount)
            going.applications[title] = stage.troupe.apply(going.call, asked)
        going.leads[title] = asked
    yield stage.days_ago(504)
    reason = "The council wants to think again."
    applications.withdraw(stage.troupe.actor(going.leads[WITHDRAWN[0]].lead), going.applications[WITHDRAWN[0]], reason)
    # By one of the cast, so that somebody who walks through the demo can be its lead.
    late = AskedInDemo(TOO_LATE[0], "lumenau", "theresa", TOO_LATE[1])
    draft = stage.troupe.draft(going.call, late, sections=1)
    assert going.call.closes_at is not None
    yield going.call.closes_at + timedelta(minutes=5)
    refused(lambda: applications.submit(stage.troupe.actor(late.lead), draft))


def _asked(stage: Stage, place: crowd.Municipality, title: str, amount: int) -> AskedInDemo:
    lead = stage.troupe.writer(place.name, place.country, place.contact, "Climate officer")
    return AskedInDemo(title, place.key, lead, amount)


def refused(deed: Callable[[], object]) -> None:
    """Somebody tries what the program refuses; the refusal stays on its record of security events."""
    try:
        deed()
    except Refused:
        return
    raise AssertionError("the program refuses this")


def _judged(stage: Stage, going: Going) -> Story:
    """One is not eligible; seats are emptied, sheets and a consensus given back, and then everything is agreed."""
    troupe = stage.troupe
    yield stage.days_ago(492)
    stage.say(f"{going.call.title}: eligibility")
    listed = [going.applications[title] for title, _, _ in LIST]
    troupe.declare_eligible(listed)
    failing = going.call.content.conditions[0].key
    troupe.declare_eligible([going.applications[INELIGIBLE[0]]], failing=failing)
    yield stage.days_ago(485)
    stage.say(f"{going.call.title}: evaluators and conflicts")
    said = {("sofia", 0): Declared.CONFLICT, ("ola", 1): Declared.UNSURE, ("bram", 2): Declared.UNSURE}
    troupe.assign(going.call, listed, stage.days_ago(470), said=said)
    yield stage.days_ago(483)
    _rule(stage, "ola", listed[1], Ruling.CLEARED, "The advice was free of charge and long ago.")
    _rule(stage, "bram", listed[2], Ruling.CONFIRMED, "The advice was paid by the municipality.")
    yield stage.days_ago(482)
    _lose_a_seat(stage, going, listed[3])
    yield stage.days_ago(478)
    stage.say(f"{going.call.title}: assessments")
    agreed = [consensus for _, _, consensus in LIST]
    troupe.assess(going.call, listed[:8], agreed[:8])
    yield stage.days_ago(477)
    troupe.assess(going.call, listed[8:], agreed[8:], first=9)
    yield stage.days_ago(476)
    _reopen_a_sheet(stage, going, listed[4], agreed[4])
    for place, (title, _, consensus) in enumerate(LIST):
        yield stage.days_ago(472) + timedelta(hours=2 * place)
        stage.say(f"{going.call.title}: consensus")
        application_id = going.applications[title]
        if title == RETURNED[0]:
            troupe.propose(going.call, application_id, (6, 6, 6))
            evaluation.take_back(troupe.actor("chair"), application_id)
        troupe.agree(going.call, application_id, consensus)


def _rule(stage: Stage, key: str, application_id: UUID, ruling: Ruling, reason: str) -> None:
    said = db.session.scalars(
        select(ConflictDeclaration.id).where(
            ConflictDeclaration.user_id == stage.troupe.ids[key], ConflictDeclaration.application_id == application_id
        )
    ).one()
    evaluation.rule(stage.troupe.actor("manager"), said, ruling, reason)
    stage.troupe.changed(key)


def _lose_a_seat(stage: Stage, going: Going, application_id: UUID) -> None:
    """An evaluator falls ill; another takes the seat by hand."""
    ill, handle = db.session.execute(
        select(User.id, User.handle)
        .join(Evaluator, Evaluator.user_id == User.id)
        .join(Assignment, Assignment.evaluator_id == Evaluator.id)
        .where(Assignment.application_id == application_id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(Assignment.id)
        .limit(1)
    ).one()
    seated = set(evaluation_reads.seat_people(application_id))
    away = AdjustInput(Deed.RELEASE, handle, reason="Ill until after the deadline.")
    evaluation.adjust(stage.troupe.actor("manager"), application_id, away)
    free = db.session.scalars(
        select(User.handle)
        .join(Evaluator, Evaluator.user_id == User.id)
        .where(Evaluator.call_id == going.call.id, User.id.not_in(seated | {ill}))
    ).first()
    assert free is not None, "somebody of the pool has no seat on it"
    instead = AdjustInput(Deed.GIVE, taking=free, reason="Knows the subject and had room.")
    evaluation.adjust(stage.troupe.actor("manager"), application_id, instead)
    stage.troupe.all_changed()


def _reopen_a_sheet(stage: Stage, going: Going, application_id: UUID, agreed: tuple[int, ...]) -> None:
    """A sheet is given back to its evaluator, and comes again; one who could read the others meanwhile changed a mark."""
    user_id = next(iter(evaluation_reads.seat_people(application_id)))
    seat = db.session.scalars(
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(Assignment.application_id == application_id, Evaluator.user_id == user_id)
    ).one()
    evaluation.reopen(stage.troupe.actor("manager"), seat, "The comment on impact is about another application.")
    changed = (agreed[0], agreed[1] - 1, agreed[2])
    stage.troupe.submit_sheet(going.call, application_id, user_id, 5, changed)


def _decided(stage: Stage, going: Going) -> Story:
    """The first list is returned, the second confirmed."""
    yield stage.days_ago(462)
    stage.say(f"{going.call.title}: a list is returned and decided again")
    stage.troupe.save_scenarios(going.call)
    stage.troupe.decide_selection(going.call, reason="The list as ranked.")
    yield stage.days_ago(460)
    stage.troupe.return_selection(going.call, "Say in the reason how the tie at the line is seen.")
    yield stage.days_ago(458)
    reason = (
        "The list as ranked. The two at the line are equal in everything and the money does not reach both: both wait."
    )
    stage.troupe.decide_selection(going.call, reason=reason)
    yield stage.days_ago(455)
    stage.troupe.confirm_selection(going.call)
    stage.troupe.prepare_letters(going.call)
    # Who leads the application that was far down the list leaves before its letter does.
    gone = stage.troupe.ids[going.leads[UNFUNDED[0]].lead]
    people.disable_user(stage.troupe.actor("administrator"), gone, reason="Left the municipality.")
    yield stage.days_ago(454)
    stage.troupe.send_letters(going.call)
    yield stage.days_ago(453)
    stage.troupe.publish_results(going.call)


# --- grants ---------------------------------------------------------------------------------------------------------


def _prepared(stage: Stage, going: Going, about: tuple[str, int, Sequence[int]], number: int) -> str:
    """A grant on offer; it starts 430 days ago and ends half a year later."""
    title = about[0]
    stage.say(f"{going.call.title}: {title}")
    lead = going.leads[title].lead
    starts_on = stage.days_ago(430).date()
    return stage.troupe.prepare_application(
        going.applications[title], starts_on, lead, lead, _iban(going, title, number)
    )


def _iban(going: Going, title: str, number: int) -> str:
    return invented_iban(going.leads[title].organisation[:2].upper(), 900_000 + number)


def _in_force(stage: Stage, going: Going, about: tuple[str, int, Sequence[int]]) -> Story:
    """Prepared, signed, the pre-financing paid."""
    yield from _signed(stage, going, about)
    reference = _reference(going, about[0])
    yield from pay(stage, [reference], stage.days_ago(435) + timedelta(hours=LIST.index(about)))


def _signed(stage: Stage, going: Going, about: tuple[str, int, Sequence[int]]) -> Story:
    """Prepared and signed."""
    number = LIST.index(about)
    yield stage.days_ago(448) + timedelta(hours=number)
    reference = _prepared(stage, going, about, number)
    yield stage.days_ago(440) + timedelta(hours=number)
    sign(stage, reference, going.leads[about[0]].lead)


def _reference(going: Going, title: str) -> str:
    return db.session.scalars(select(Grant.reference).where(Grant.application_id == going.applications[title])).one()


def _rejected_costs(stage: Stage, going: Going) -> Story:
    """Debts beside the three of the balance, at every step; by then their grants are there."""
    yield stage.days_ago(81)
    found = [(_reference(going, each[0]), going.leads[each[0]].lead) for each in (PAID_BACK, WAIVED, OPEN_DEBT)]
    yield from afterwards.owed_for_costs(stage, *found)


def _of_four(stage: Stage, going: Going) -> Story:
    """Signed like the others; what four cities do differently stands in ``together``."""
    number = LIST.index(TOGETHER)
    yield stage.days_ago(448) + timedelta(hours=number)
    stage.say(f"{going.call.title}: {TOGETHER[0]}")
    reference = stage.troupe.prepare_application(
        going.applications[TOGETHER[0]],
        stage.days_ago(430).date(),
        together.LEAD,
        together.MAYOR,
        invented_iban("RO", 900_000 + number),
    )
    yield stage.days_ago(440) + timedelta(hours=number)
    sign(stage, reference, together.MAYOR)
    yield from together.of_four(stage, reference, going.partners)


Ending = Callable[[Stage, UUID], Story]


def _owes(stage: Stage, going: Going, about: tuple[str, int, Sequence[int]], ending: Ending) -> Story:
    """Its accepted costs stay below what was paid in advance: the balance finds a debt."""
    yield from _in_force(stage, going, about)
    title = about[0]
    reference, number = _reference(going, title), LIST.index(about)
    yield stage.days_ago(230) + timedelta(hours=number)
    stage.say(f"{going.call.title}: {title} declares little")
    stage.troupe.report(reference, 1, going.leads[title].lead, 20)
    yield stage.days_ago(215) + timedelta(hours=number)
    stage.troupe.accept_report(reference, 1)
    yield stage.days_ago(200) + timedelta(hours=number)
    stage.troupe.decide_requests(reference)
    yield stage.days_ago(198) + timedelta(hours=number)
    recovery_id = stage.troupe.propose_recovery(reference)
    yield stage.days_ago(192) + timedelta(hours=number)
    stage.troupe.answer_recovery(recovery_id, going.leads[title].lead)
    yield stage.days_ago(190) + timedelta(hours=number)
    stage.troupe.confirm_recovery(recovery_id, stage.days_ago(150).date())
    yield from ending(stage, recovery_id)


def _stays_open(stage: Stage, recovery_id: UUID) -> Story:
    yield from ()


def _pays_back(stage: Stage, recovery_id: UUID) -> Story:
    """Late, so that interest is owed."""
    yield stage.bank_days_ago(130)
    stage.troupe.book_receipt(recovery_id)
    yield stage.days_ago(128)
    stage.troupe.reckon_interest(recovery_id)
    yield stage.days_ago(127)
    stage.troupe.confirm_interest(recovery_id)


def _is_waived(stage: Stage, recovery_id: UUID) -> Story:
    """A part came late, without interest; the rest is waived."""
    yield stage.bank_days_ago(135)
    stage.troupe.book_part(recovery_id, euros(3_000), "DEMO-BACK-2")
    yield stage.days_ago(132)
    stage.troupe.reckon_interest(recovery_id)
    yield stage.days_ago(131)
    stage.troupe.refuse_interest(recovery_id, "The board waives the debt, and its interest with it. (Synthetic.)")
    yield stage.days_ago(120)
    stage.troupe.waive_recovery(recovery_id)


def _overdue(stage: Stage, going: Going) -> Story:
    """The report was never sent; one milestone was returned, the other never reported."""
    yield from _in_force(stage, going, OVERDUE)
    reference, lead = _reference(going, OVERDUE[0]), going.leads[OVERDUE[0]].lead
    yield stage.days_ago(340)
    stage.troupe.reach(reference, 1, lead)
    yield stage.days_ago(330)
    stage.troupe.return_milestone(reference, 1, "The names are there; who does what is missing.")


def _returned(stage: Stage, going: Going) -> Story:
    """The report went back to the city with a question."""
    yield from _in_force(stage, going, RETURNED)
    reference, lead = _reference(going, RETURNED[0]), going.leads[RETURNED[0]].lead
    yield stage.days_ago(221)
    stage.troupe.report(reference, 1, lead, 80)
    yield stage.days_ago(12)
    stage.troupe.return_report(
        reference, 1, "One invoice is declared twice. Please correct the costs and send it again."
    )


def _rejected(stage: Stage, going: Going) -> Story:
    """Its pre-financing was never paid and is cancelled; the report was rejected, and the balance waits for its decision."""
    yield from _signed(stage, going, REJECTED)
    reference, lead = _reference(going, REJECTED[0]), going.leads[REJECTED[0]].lead
    yield stage.bank_days_ago(434)
    stage.troupe.decide_requests(reference)
    yield stage.days_ago(220)
    stage.troupe.report(reference, 1, lead, 90)
    yield stage.days_ago(30)
    stage.troupe.reject_report(reference, 1, "No document supports any cost, after three questions.")
    reason = "You asked us to wait for your new treasurer, and nothing was paid. No cost is accepted: it is not paid any more."
    stage.troupe.cancel_unpaid(reference, f"{reason} (Synthetic.)")
    yield stage.days_ago(28)
    notice = "The books of the pilot are looked for since the spring. Send the report of your auditor; we decide then."
    stage.troupe.suspend(reference, SuspensionReason.ELIGIBILITY, notice)


def _paid_in_part(stage: Stage, going: Going) -> Story:
    """Allowed in part; a first order is cancelled, its clock stands while the account changes; of four others the bank paid one and rejected one; the report waits."""
    title, troupe = IN_PART[0], stage.troupe
    lead = going.leads[title].lead
    yield stage.days_ago(446)
    number = LIST.index(IN_PART)
    reference = _prepared(stage, going, IN_PART, number)
    yield stage.days_ago(438)
    sign(stage, reference, lead)
    yield stage.bank_days_ago(434)
    troupe.decide_requests(reference, percent=70)
    yield stage.bank_days_ago(433)
    first = troupe.prepare_order(reference)
    assert first is not None
    yield stage.bank_days_ago(432)
    troupe.cancel_order(first, "The city is about to change its bank account.")
    yield stage.days_ago(431)
    notice = "You wrote that your account changes. Enter the new one with a letter of the bank; we pay to it then."
    troupe.suspend(reference, SuspensionReason.MISSING_DOCUMENTS, notice)
    yield stage.days_ago(420)
    troupe.enter_account(reference, lead, _iban(going, title, number + 50))
    troupe.answer_suspension(reference, lead, "The new account is entered, with the letter of the bank.")
    yield stage.days_ago(418)
    troupe.confirm_account(reference)
    troupe.lift(reference, "The new account is confirmed.")
    yield stage.days_ago(14)
    troupe.report(reference, 1, lead, 85)
    yield stage.bank_days_ago(7)
    parts = [troupe.prepare_order(reference, amount) for amount in (euros(10_000), euros(3_000), euros(2_000), None)]
    orders = [order for order in parts if order is not None]
    assert len(orders) == 4, "four orders share what was allowed"
    yield stage.bank_days_ago(6)
    for order in orders:
        troupe.verify_order(order)
    yield stage.bank_days_ago(5)
    for order in orders:
        troupe.authorise_order(order)
    yield stage.bank_days_ago(3)
    troupe.export_orders(orders, FileLayout.V09)
    yield from afterwards.bank_of_last_week(stage, orders)
    # Most of it is still on its way; what came so late bears interest.
    troupe.owe_interest(reference)


def _turned_down(stage: Stage, going: Going) -> Story:
    """An account is refused and entered again; the pre-financing is turned down, and then the whole grant is suspended."""
    title, troupe = TURNED_DOWN[0], stage.troupe
    number, lead = LIST.index(TURNED_DOWN), going.leads[TURNED_DOWN[0]].lead
    yield stage.days_ago(445)
    stage.say(f"{going.call.title}: {title}")
    reference = troupe.begin_preparation(going.applications[title], stage.days_ago(430).date(), lead)
    troupe.enter_account(reference, lead, _iban(going, title, number))
    yield stage.days_ago(443)
    troupe.refuse_account(reference, "The holder is a private person. Enter the account of the municipality.")
    yield stage.days_ago(442)
    troupe.enter_account(reference, lead, _iban(going, title, number + 50))
    yield stage.days_ago(441)
    troupe.confirm_account(reference)
    troupe.meet_conditions(reference, lead)
    troupe.offer(reference)
    yield stage.days_ago(439)
    sign(stage, reference, lead)
    yield stage.days_ago(11)
    troupe.reject_request(reference, "The start of the pilot was moved twice. Ask again when the team is in place.")
    yield stage.days_ago(9)
    troupe.hold(
        reference, HoldReason.REQUESTED, "The city asks to suspend the pilot until its new team is in place in spring."
    )


def _dropped(stage: Stage, going: Going) -> Story:
    """The offer is taken back, and then the preparation dropped."""
    yield stage.days_ago(447)
    reference = _prepared(stage, going, DROPPED, LIST.index(DROPPED))
    yield stage.days_ago(444)
    stage.troupe.take_back(reference, "The newly elected council wants to read it first.")
    yield stage.days_ago(400)
    stage.troupe.drop(reference, "The new council voted against the pilot.")


def _withheld(stage: Stage, going: Going) -> Story:
    """The award of a pilot that is not prepared is withheld from the published results by one person; a second one has not looked yet."""
    yield stage.days_ago(2)
    reason = "The shelter in the street of the pilot was threatened. The police ask that its address is not told until spring."
    awards.withholding.withhold(
        stage.troupe.actor("manager"), going.applications[UNPREPARED[0]], WithheldGround.RIGHTS, reason
    )
