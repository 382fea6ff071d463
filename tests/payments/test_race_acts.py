"""Two different acts on one grant at one moment, by eight processes: whichever comes first, what follows is as if they had queued.

Amendments, terminations, offsets, transfers to partners and the closing; ``test_race`` races the payments themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from config import Config
from grants.agreements import queries as agreements
from grants.agreements import rules
from grants.agreements import services as agreeing
from grants.agreements.models import Amendment, Grant
from grants.agreements.rules import AmendmentInput, BudgetShift, Share, TerminationInput
from grants.agreements.states import AmendmentState, TerminationReason
from grants.core import clock
from grants.core.db import db, get
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.oversight.queries import verify_ledger
from grants.payments import services
from grants.payments.models import Distribution, PaymentRequest, Recovery
from grants.payments.rules import DecisionInput, ReceiptInput, RecoveryInput
from grants.payments.rules.distribution import PassedOnInput
from grants.payments.rules.offsets import OffsetInput
from grants.payments.states import RecoveryOrigin, RecoveryState
from tests import actors
from tests.agreements.accounts import document
from tests.payments.test_distribution import held
from tests.payments.test_services import pay
from tests.payments.world import IN_FORCE, World, agnes, report
from tests.soak.paying import crew
from tests.soak.racing import PROCESSES, Answers, Racers
from tests.soak.worlds import walked

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
HALF = PROCESSES // 2


@pytest.fixture
def racers(settings: Config, app: Flask) -> Iterator[Racers]:
    with clock.at(IN_FORCE):
        for person in (actors.fin, actors.vera, actors.otto, actors.carl, actors.pia, actors.greta, actors.ana):
            person()
    with Racers(settings) as racers, clock.at(NOW):
        yield racers


# --- deeds, each at the moment of the tests -----------------------------------------------------------------------------


def send_draft(actor: Actor, grant_id: UUID, number: int, seen: str) -> str:
    with clock.at(NOW):
        agreeing.send_amendment(actor, grant_id, number, seen=seen)
    return "sent"


def sign(actor: Actor, grant_id: UUID, number: int, spelled: str) -> str:
    with clock.at(NOW):
        agreeing.sign_amendment_for_programme(actor, grant_id, number, capacity="Director", document_sha256=spelled)
    return "signed"


def confirm_end(actor: Actor, grant_id: UUID, number: int, on: date) -> str:
    with clock.at(NOW + timedelta(days=35)):
        agreeing.confirm_termination(actor, grant_id, number, effective_on=on, answer="No objection was made.")
    return "ends"


def decide(actor: Actor, request_id: UUID, days: int = 0) -> str:
    with clock.at(NOW + timedelta(days=days)):
        services.decide(actor, request_id, DecisionInput(euros(240_000)))
    return "decided"


def set_off(actor: Actor, recovery_id: UUID, request_id: UUID, amount: Money) -> str:
    with clock.at(NOW):
        services.set_off(actor, OffsetInput(recovery_id, request_id, amount))
    return "set off"


def prepare(actor: Actor, request_id: UUID, amount: Money) -> str:
    with clock.at(NOW):
        services.prepare(actor, request_id, amount=amount)
    return "prepared"


def book(actor: Actor, recovery_id: UUID, amount: Money, reference: str) -> str:
    with clock.at(NOW):
        services.book_receipt(actor, recovery_id, ReceiptInput(amount, NOW.date(), reference))
    return "booked"


def pass_on(actor: Actor, grant_id: UUID, partner: UUID, amount: Money) -> str:
    with clock.at(NOW):
        given = PassedOnInput(partner, amount, NOW.date(), "SEPA 77")
        return services.report_passed_on(actor, grant_id, given, document())


def confirm_received(actor: Actor, distribution_id: UUID) -> str:
    with clock.at(NOW):
        services.confirm_passed_on(actor, distribution_id)
    return "confirmed"


def close(actor: Actor, grant_id: UUID) -> str:
    with clock.at(NOW):
        services.close_grant(actor, grant_id, note="Everything was looked at.")
    return "closed"


def reject_costs(actor: Actor, grant_id: UUID, partner: UUID) -> str:
    with clock.at(NOW):
        why = RecoveryInput("Invoices were rejected.", RecoveryOrigin.REJECTED_COSTS, partner, euros(10_000))
        services.propose_recovery(actor, grant_id, why)
    return "proposed"


# --- what is raced ------------------------------------------------------------------------------------------------------


def done(answers: Answers) -> list[str]:
    """What was done; whoever did not was refused in words."""
    assert {each.kind for each in answers.others} <= {"Refused", "Conflict", "Invalid", "Problems", "NotFound"}, (
        answers.all
    )
    return sorted(str(each.value) for each in answers.winners)


def shift(found: World, city: int) -> AmendmentInput:
    parts = (Share(found.city_id, euros(city)), Share(found.agency_id, euros(200_000)))
    return AmendmentInput(BudgetShift(parts), "The site was closed.", by_letter=False)


def drafted(found: World, by: Actor, city: int) -> tuple[int, str]:
    """A draft of one side, and the hash of what it showed."""
    number = agreeing.draft_amendment(by, found.grant_id, shift(found, city))
    made, _ = agreements.proposed(view(found), agreements.amendment(found.grant_id, number), NOW.date())
    return number, made.fingerprint


def view(found: World) -> rules.GrantView:
    return agreements.view(db.session.get_one(Grant, found.grant_id, populate_existing=True))


def test_two_amendments_sent_or_one_signed_at_once_change_the_grant_once(racers: Racers) -> None:
    found = walked(1)
    (city, seen), (ours, ours_seen) = drafted(found, actors.ana(), 410_000), drafted(found, actors.pia(), 405_000)

    answers = racers.race(
        send_draft,
        [(actors.ana(), found.grant_id, city, seen), (actors.pia(), found.grant_id, ours, ours_seen)] * HALF,
    )

    assert done(answers) == ["sent"], answers.all
    (number,) = db.session.scalars(select(Amendment.number).where(Amendment.state == AmendmentState.SENT.value))
    if number == ours:
        agreeing.withdraw_amendment(actors.pia(), found.grant_id, ours, reason="The city's first.")
        agreeing.send_amendment(actors.ana(), found.grant_id, city, seen=seen)
    amendment = agreements.amendment(found.grant_id, city)
    made, text = agreements.proposed(view(found), amendment, NOW.date())
    shown = rules.text_hash(agreements.amended(view(found), amendment, made, text))
    offer = agreeing.accept_amendment(actors.otto(), found.grant_id, city, document_sha256=shown)
    spelled = rules.text_hash(agreements.offered_text(found.grant_id, offer))
    mayor = actors.give(actors.person("Maya Mayor"), Role.SIGNATORY, "application", found.application_id)
    agreeing.sign_amendment_for_city(mayor, found.grant_id, city, capacity="Mayor", document_sha256=spelled)
    entries = books.count_entries()

    signed = racers.race(sign, [(actors.greta(), found.grant_id, city, spelled)] * PROCESSES)

    assert done(signed) == ["signed"], signed.all
    assert books.count_entries() == entries + 1
    assert dict(books.partners_open(found.grant_id)) == {found.city_id: euros(410_000), found.agency_id: euros(200_000)}
    assert verify_ledger() == ()


def test_an_end_confirmed_while_pre_financing_is_decided_leaves_one_order_of_both(racers: Racers) -> None:
    found = walked(1)
    request = services.open_prefinancing(actors.program(), found.grant_id)
    assert request is not None
    on = NOW.date() + timedelta(days=60)
    given = TerminationInput(
        TerminationReason.NOT_CARRIED_OUT, "Nobody was hired.", on, NOW.date() + timedelta(days=31)
    )
    number = agreeing.propose_termination(actors.pia(), found.grant_id, given, document())
    authorisers = crew("authoriser")

    deeds = [(confirm_end, (authorisers[0], found.grant_id, number, on))] * HALF
    answers = racers.race_all([*deeds, *((decide, (each, request.id, 35)) for each in authorisers[HALF:])])

    assert done(answers) in (["ends"], ["decided", "ends"]), answers.all
    decided = get(PaymentRequest, request.id).state
    assert (decided == "approved") == ("decided" in done(answers))
    payable = books.balance(Account.PAYABLE, grant_id=found.grant_id)
    assert payable == (euros(210_000) if decided == "approved" else ZERO)
    assert verify_ledger() == ()


def owing(racers: Racers) -> tuple[World, UUID, UUID]:
    """210 000 is paid, 90 000 payable by the balance, and the city owes 10 000 of rejected costs."""
    found = walked(1)
    opened = services.open_prefinancing(actors.program(), found.grant_id)
    assert opened is not None
    services.decide(actors.otto(), opened.id, DecisionInput(euros(240_000)))
    pay(opened.id)
    balance = services.open_for_report(actors.program(), report(found, 1, euros(300_000), final=True))
    assert balance is not None
    services.decide(actors.otto(), balance.id, DecisionInput(euros(300_000)))
    why = RecoveryInput("Invoices were rejected.", RecoveryOrigin.REJECTED_COSTS, found.city_id, euros(10_000))
    made = services.propose_recovery(actors.fin(), found.grant_id, why)
    services.inform(actors.fin(), made.id, days=30)
    services.observe(actors.ana(), made.id, words="We agree.")
    services.confirm_recovery(actors.otto(), made.id, words="Agreed.")
    services.issue(actors.carl(), made.id, due_on=date(2024, 9, 15))
    return found, balance.id, made.id


def test_a_debt_set_off_while_it_is_paid_and_its_payment_ordered_is_settled_once(racers: Racers) -> None:
    found, balance, debt = owing(racers)
    payable = get(PaymentRequest, balance).payable
    assert payable is not None
    carl, accountants, initiators = actors.carl(), crew("accountant"), crew("initiator")

    answers = racers.race_all(
        [
            *((set_off, (accountants[number], debt, balance, euros(10_000))) for number in range(3)),
            *((book, (carl, debt, euros(10_000), f"STMT-{number}")) for number in range(2)),
            *((prepare, (initiators[number], balance, payable)) for number in range(3)),
        ]
    )

    what = done(answers)
    # Ordered whole, or set off before that, never both; paid or set off, never both.
    assert what.count("set off") + what.count("booked") == 1, answers.all
    assert what.count("set off") + what.count("prepared") == 1, answers.all
    assert db.session.get_one(Recovery, debt).state == RecoveryState.PAID.value
    assert books.balance(Account.RECOVERY_RECEIVABLE, grant_id=found.grant_id) == ZERO
    assert verify_ledger() == ()


def test_what_is_passed_on_at_once_is_reported_within_what_is_held_and_confirmed_once(racers: Racers) -> None:
    found = walked(1)
    opened = services.open_prefinancing(actors.program(), found.grant_id)
    assert opened is not None
    services.decide(actors.otto(), opened.id, DecisionInput(euros(240_000)))
    pay(opened.id)
    assert held(found) == euros(70_000)

    answers = racers.race(pass_on, [(actors.ana(), found.grant_id, found.agency_id, euros(42_000))] * PROCESSES)

    done(answers)
    assert len(answers.winners) == 1, answers.all
    (row,) = db.session.scalars(select(Distribution))
    confirmed = racers.race(confirm_received, [(agnes(found), row.id)] * PROCESSES)
    assert done(confirmed) == ["confirmed"], confirmed.all
    assert held(found) == euros(28_000)
    assert verify_ledger() == ()


def test_a_grant_closed_while_costs_of_it_are_rejected_is_closed_with_nothing_open_before_it(racers: Racers) -> None:
    found = walked(1)
    opened = services.open_prefinancing(actors.program(), found.grant_id)
    assert opened is not None
    services.decide(actors.otto(), opened.id, DecisionInput(euros(240_000)))
    pay(opened.id)
    balance = services.open_for_report(actors.program(), report(found, 1, euros(210_000), final=True))
    assert balance is not None
    services.decide(actors.otto(), balance.id, DecisionInput(euros(210_000)))
    services.waive_distribution(actors.otto(), found.grant_id, found.agency_id, reason="Settled between them.")

    answers = racers.race_all(
        [
            *((close, (each, found.grant_id)) for each in crew("authoriser")[:HALF]),
            *((reject_costs, (each, found.grant_id, found.city_id)) for each in crew("initiator")[HALF:]),
        ]
    )

    what = done(answers)
    assert what.count("closed") <= 1
    debts = db.session.scalars(select(Recovery)).all()
    assert len(debts) == what.count("proposed")
    if "closed" in what:
        # Costs may be rejected of a closed grant too; nothing of them was open when it closed.
        closed_at = get(Grant, found.grant_id).closed_at
        assert closed_at is not None and books.balance(Account.LEGALLY_COMMITTED, grant_id=found.grant_id) == ZERO
    assert verify_ledger() == ()
