"""What is owed back goes step by step: proposed, answered, confirmed by another, issued, then paid, waived or cancelled."""

from __future__ import annotations

import io
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NeedsFreshSignIn, NotAllowed, Problems, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros, total
from grants.core.permissions import Actor, Permission, system_actor
from grants.identity import queries as identity
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentRequest, Recovery, RecoveryReceipt
from grants.payments.rules import DecisionInput, ReceiptInput, RecoveryInput
from grants.payments.rules.recoveries import shares_of_debt
from grants.payments.states import RecoveryOrigin, RecoveryState
from tests import actors
from tests.agreements.accounts import document
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.html import check_page
from tests.payments.test_services import decided, pay
from tests.payments.test_views import send
from tests.payments.world import IN_FORCE, World, forge, nothing_held, owed_back, report, world
from tests.servers import Cluster
from tests.shut import shuts
from tests.statements import statements
from tests.worlds import World as Made
from tests.worlds import Worlds

pytestmark = pytest.mark.usefixtures("app")

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=10)
WHY = RecoveryInput("The accepted costs stay below what was paid in advance.")
DUE = date(2024, 9, 15)


@pytest.fixture(scope="session")
def overpaid_world(worlds: Worlds, in_force_world: Made[World]) -> Made[World]:
    """210 000 is paid and 30 000 retained; the final amount is 150 000, so 60 000 was paid too much."""

    def overpaid() -> World:
        found = in_force_world.told()
        pay(decided(found))
        opened = services.open_for_report(actors.program(), report(found, 1, euros(150_000), final=True))
        assert opened is not None
        services.decide(actors.otto(), opened.id, DecisionInput(euros(150_000)))
        assert get(PaymentRequest, opened.id).recoverable == euros(60_000)
        return found

    with clock.at(NOW):
        return worlds.of(overpaid, like=in_force_world)


@pytest.fixture
def overpaid(app: Flask, overpaid_world: Made[World]) -> World:
    """60 000 was paid too much."""
    return overpaid_world.told()


def established(found: World) -> UUID:
    with clock.at(NOW):
        return owed_back(found.grant_id, DUE).id


def proposed(found: World, given: RecoveryInput = WHY) -> UUID:
    with clock.at(NOW):
        return services.propose_recovery(actors.fin(), found.grant_id, given).id


def receipt(amount: int, reference: str = "STMT-77/1") -> ReceiptInput:
    return ReceiptInput(euros(amount), date(2024, 8, 9), reference)


def balance(found: World, account: Account) -> object:
    return books.balance(account, grant_id=found.grant_id)


def right() -> None:
    db.session.rollback()
    assert (books.verify(), queries.verify()) == ((), ())


def test_a_debt_goes_through_every_step_and_is_booked_when_another_person_confirms_it(overpaid: World) -> None:
    with clock.at(NOW):
        with pytest.raises(Invalid):
            services.propose_recovery(actors.fin(), overpaid.grant_id, RecoveryInput(" "))
        made = services.propose_recovery(actors.fin(), overpaid.grant_id, WHY)
        assert (made.reference, made.owed, made.state) == ("PCP-2022-G-0001-D1", ZERO, RecoveryState.PROPOSED)
        with pytest.raises(Refused, match="proposed already, as PCP-2022-G-0001-D1"):
            services.propose_recovery(actors.fin(), overpaid.grant_id, WHY)
        for deed in (
            lambda: services.confirm_recovery(actors.otto(), made.id, words="x"),
            lambda: services.issue(actors.carl(), made.id, due_on=DUE),
            lambda: services.observe(actors.ana(), made.id, words="x"),
            lambda: services.book_receipt(actors.carl(), made.id, receipt(1)),
        ):
            with pytest.raises(Refused, match="it cannot"):
                deed()
        with pytest.raises(Invalid):
            services.inform(actors.fin(), made.id, days=0)
        services.inform(actors.fin(), made.id, days=30)
        with pytest.raises(Refused, match="may answer until 31 August 2024"):
            services.confirm_recovery(actors.otto(), made.id, words="x")
        services.observe(actors.ana(), made.id, words="The council agrees.")
        assert balance(overpaid, Account.RECOVERY_RECEIVABLE) == ZERO
        confirmed = services.confirm_recovery(actors.otto(), made.id, words="The city agreed.")
        assert (confirmed.state, confirmed.owed) == (RecoveryState.CONFIRMED, euros(60_000))
        with pytest.raises(Invalid):
            services.issue(actors.carl(), made.id, due_on=NOW.date())
        services.issue(actors.carl(), made.id, due_on=DUE)

    row = get(Recovery, made.id)
    assert (row.amount, row.state, row.reply_until, row.due_on) == (euros(60_000), "issued", date(2024, 8, 31), DUE)
    assert (balance(overpaid, Account.RECOVERY_RECEIVABLE), balance(overpaid, Account.PREFINANCING)) == (
        euros(60_000),
        ZERO,
    )
    right()


def test_without_an_answer_a_debt_is_confirmed_the_day_after_the_last(overpaid: World) -> None:
    recovery_id = proposed(overpaid)
    with clock.at(NOW):
        services.inform(actors.fin(), recovery_id, days=10)
    with clock.at(NOW + timedelta(days=10)), pytest.raises(Refused, match="may answer until"):
        services.confirm_recovery(actors.otto(), recovery_id, words="No answer came.")
    with clock.at(NOW + timedelta(days=11)):
        with pytest.raises(Refused, match="days to answer ended"):
            services.observe(actors.ana(), recovery_id, words="Too late.")
        services.confirm_recovery(actors.otto(), recovery_id, words="No answer came.")
    right()


def test_nothing_is_recovered_before_a_balance_says_so(app: Flask) -> None:
    with clock.at(IN_FORCE):
        found = world()
        pay(decided(found))

        with pytest.raises(Refused, match="Nothing is to be recovered"):
            services.propose_recovery(actors.fin(), found.grant_id, WHY)


def everywhere(name: str) -> Actor:
    """Somebody who holds every role of the circuit."""
    roles = (Role.FINANCE_INITIATOR, Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER)
    return actors.actor(actors.person(name, *roles))


def test_whoever_took_one_step_does_not_take_the_one_that_needs_another_person(overpaid: World) -> None:
    one, two, three = everywhere("Omni One"), everywhere("Omni Two"), everywhere("Omni Three")
    with clock.at(NOW):
        made = services.propose_recovery(one, overpaid.grant_id, WHY).id
        services.inform(one, made, days=30)
        services.observe(actors.ana(), made, words="We agree.")
        with pytest.raises(Refused, match="You proposed this recovery"):
            services.confirm_recovery(one, made, words="x")
        services.confirm_recovery(two, made, words="x")
        with pytest.raises(Refused, match="You confirmed this recovery"):
            services.issue(two, made, due_on=DUE)
        services.issue(one, made, due_on=DUE)
        with pytest.raises(Refused, match="You confirmed this recovery"):
            services.cancel_recovery(two, made, reason="x")
    with clock.at(LATER):
        with pytest.raises(Refused, match="You confirmed this recovery"):
            services.book_receipt(two, made, receipt(1))
        for who, done in ((one, "proposed"), (two, "confirmed")):
            with pytest.raises(Refused, match=f"You {done} this recovery"):
                services.waive(who, made, reason="x", document=document())
        services.waive(three, made, reason="Decision 12.", document=document())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("confirmed_by = proposed_by", "confirmed_by_another"),
        ("state = 'waived', waived = 1, waived_at = now(), waived_by = {otto}, waive_reason = 'x', waiver_file_id = {file}", "waived_by_another"),
        ("state = 'waived', waived = 1, waived_at = now(), waived_by = {fin}, waive_reason = 'x', waiver_file_id = {file}", "waived_by_another"),
        ("state = 'waived', waived = 1, waived_at = now(), waived_by = {olga}, waive_reason = 'x'", "waiver_has_document"),
        ("state = 'cancelled', cancelled_at = now(), cancelled_by = {otto}, cancel_reason = 'x'", "cancelled_by_another"),
    ],
)  # fmt: skip
def test_the_database_itself_keeps_the_people_apart(
    overpaid: World, postgres: Cluster, database: str, change: str, said: str
) -> None:
    """Whoever asks it, with every guard of the program off."""
    established(overpaid)
    file = "(SELECT id FROM stored_file LIMIT 1)"
    names = {who: f"'{getattr(actors, who)().user_id}'" for who in ("otto", "fin", "olga")}
    with pytest.raises(psycopg.errors.CheckViolation, match=said):
        forge(postgres, database, "UPDATE recovery SET " + change.format(file=file, **names))


def test_a_debt_is_made_by_a_proposal_and_its_shares_sum_to_it(
    overpaid: World, postgres: Cluster, database: str
) -> None:
    established(overpaid)
    db.session.rollback()
    again = "INSERT INTO recovery SELECT (json_populate_record(recovery, {})).* FROM recovery"
    with closing(psycopg.connect(postgres.dsn(database))) as owner:
        with pytest.raises(psycopg.errors.CheckViolation, match="begins as a proposal"), owner.transaction():
            owner.execute(again.format("""'{"number": 2, "reference": "X", "at_once": true}'"""))
        with pytest.raises(psycopg.errors.CheckViolation, match="do not sum"), owner.transaction():
            owner.execute(
                "INSERT INTO recovery_share (id, created_at, version, recovery_id, organisation_id, amount) "
                f"SELECT gen_random_uuid(), now(), 1, id, '{actors.organisation('Elsewhere')}', 1 FROM recovery"
            )


def test_a_cancelled_debt_is_taken_back_from_the_books_and_proposed_anew(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        with pytest.raises(Refused, match="an authorising officer who did not confirm it"):
            services.cancel_recovery(actors.fin(), recovery_id, reason="x")
        with pytest.raises(Refused, match="You confirmed"):
            services.cancel_recovery(actors.otto(), recovery_id, reason="x")
        services.cancel_recovery(actors.olga(), recovery_id, reason="A report was overlooked.")
        assert (balance(overpaid, Account.RECOVERY_RECEIVABLE), balance(overpaid, Account.PREFINANCING)) == (
            ZERO,
            euros(60_000),
        )
        right()
        with pytest.raises(Problems, match="closed yet"):
            services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")
        again = services.propose_recovery(actors.fin(), overpaid.grant_id, WHY)
        assert again.reference == "PCP-2022-G-0001-D2"
        with pytest.raises(Problems) as refusal:
            services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")
        assert "1 recovery is neither confirmed nor cancelled yet: PCP-2022-G-0001-D2" in str(refusal.value)
        services.cancel_recovery(actors.fin(), again.id, reason="Typed twice.")
    right()


def test_of_what_was_paid_in_part_nothing_is_cancelled(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        services.book_receipt(actors.carl(), recovery_id, receipt(1))
        with pytest.raises(Refused, match="part paid; it cannot cancel"):
            services.cancel_recovery(actors.olga(), recovery_id, reason="x")


def rejected(found: World, amount: int, partner: UUID | None = None) -> RecoveryInput:
    return RecoveryInput(
        "The auditor rejected invoices.", RecoveryOrigin.AUDIT, partner or found.city_id, euros(amount)
    )


def test_costs_rejected_after_the_balance_are_a_debt_of_their_own_also_of_a_closed_grant(overpaid: World) -> None:
    first = established(overpaid)
    with clock.at(LATER):
        services.book_receipt(actors.carl(), first, receipt(60_000))
        nothing_held(overpaid)
        services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")
        accepted = queries.standing(overpaid.grant_id, Account.GRANT_COSTS)
        most = total(amount for (partner, _), amount in accepted.items() if partner == overpaid.city_id)
        with pytest.raises(Invalid) as refusal:
            services.propose_recovery(actors.fin(), overpaid.grant_id, rejected(overpaid, most.cents // 100 + 1))
        assert list(refusal.value.problems) == ["amount"]
        with pytest.raises(Invalid, match="whose costs"):
            services.propose_recovery(actors.fin(), overpaid.grant_id, rejected(overpaid, 1, uuid4()))
        consumed = balance(overpaid, Account.CONSUMED)
        made = services.propose_recovery(actors.fin(), overpaid.grant_id, rejected(overpaid, 5_000))
        services.inform(actors.fin(), made.id, days=30)
        services.observe(actors.ana(), made.id, words="We agree.")
        services.confirm_recovery(actors.otto(), made.id, words="Agreed.")
        assert made.reference == "PCP-2022-G-0001-D2"
        assert balance(overpaid, Account.GRANT_COSTS) == euros(145_000)
        right()
        services.issue(actors.carl(), made.id, due_on=DUE)
        paid = services.book_receipt(actors.carl(), made.id, ReceiptInput(euros(5_000), LATER.date(), "STMT-80/1"))

    assert paid.state is RecoveryState.PAID
    # Nothing more is spent of a closed grant: its commitment stays as it was.
    assert balance(overpaid, Account.CONSUMED) == consumed
    assert balance(overpaid, Account.RECOVERY_RECEIVABLE) == ZERO
    right()


def test_a_city_that_does_not_pay_is_reminded_step_by_step_and_then_an_authoriser_decides(overpaid: World) -> None:
    recovery_id = established(overpaid)
    program = system_actor("the program", [Permission.RECOVERY_REMIND])

    def night(day: date) -> int:
        with clock.at(datetime(day.year, day.month, day.day, 3, tzinfo=UTC)):
            return services.remind(program)

    nights = [night(DUE + timedelta(days=late)) for late in (0, 1, 2, 14, 15, 16, 30, 31, 60)]

    assert nights == [0, 1, 0, 0, 1, 0, 1, 0, 0]
    assert get(Recovery, recovery_id).reminders == 3
    mails = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send")).all()
    assert sum(each["context"].get("state") == "reminded" for each in mails) == 3
    with clock.at(datetime(2024, 11, 1, 9, tzinfo=UTC)):
        (duty,) = [each for each in queries.duties(actors.olga(), clock.now()) if each.endpoint == "payments.debt"]
    assert duty.what == "Decide on the overdue debt of WARM"
    right()


def test_what_comes_back_opens_the_commitment_again_and_the_grant_is_closed_after(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        with pytest.raises(Problems, match="closed yet"):
            services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")
        first = services.book_receipt(actors.carl(), recovery_id, receipt(20_000))
        right()
        last = services.book_receipt(actors.carl(), recovery_id, receipt(40_000, "STMT-77/2"))
        right()
        nothing_held(overpaid)
        back = services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")

    assert (first.state, first.owed, last.state, last.owed) == (
        RecoveryState.PART_PAID,
        euros(40_000),
        RecoveryState.PAID,
        ZERO,
    )
    assert back == euros(450_000)
    assert balance(overpaid, Account.CONSUMED) == euros(150_000) == get(Grant, overpaid.grant_id).final_amount
    assert get(Grant, overpaid.grant_id).state == GrantState.CLOSED.value
    right()


def test_what_is_still_owed_is_waived_with_a_reason_and_the_grant_is_closed_after(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        services.book_receipt(actors.carl(), recovery_id, receipt(20_000))
        for reason, paper in ((" ", document()), ("Decision 12.", None)):
            with pytest.raises(Invalid, match="cannot be waived like this"):
                services.waive(actors.olga(), recovery_id, reason=reason, document=paper)
        services.waive(actors.olga(), recovery_id, reason="The city is insolvent; decision 12.", document=document())
        nothing_held(overpaid)
        services.close_grant(actors.otto(), overpaid.grant_id, note="Looked at.")

    row = get(Recovery, recovery_id)
    assert (row.state, row.waived) == ("waived", euros(40_000))
    assert balance(overpaid, Account.WAIVED) == euros(40_000)
    assert balance(overpaid, Account.CONSUMED) == euros(190_000)
    right()
    with clock.at(LATER), pytest.raises(Refused):
        services.book_receipt(actors.carl(), recovery_id, receipt(1, "STMT-77/3"))


def test_what_comes_above_the_debt_is_kept_as_an_unidentified_receipt_of_the_grant(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        made = services.book_receipt(actors.carl(), recovery_id, receipt(60_001))

    assert (made.state, made.owed) == (RecoveryState.PAID, ZERO)
    assert balance(overpaid, Account.RECOVERY_RECEIVABLE) == ZERO
    assert balance(overpaid, Account.UNIDENTIFIED) == euros(1)
    (row,) = db.session.scalars(select(RecoveryReceipt))
    assert (row.amount, row.above) == (euros(60_000), euros(1))
    right()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (ReceiptInput(ZERO, date(2024, 8, 9), "A"), "amount"),
        (ReceiptInput(euros(1), date(2024, 7, 31), "A"), "value_on"),
        (ReceiptInput(euros(1), date(2024, 8, 12), "A"), "value_on"),
        (ReceiptInput(euros(1), date(2024, 8, 9), " "), "bank_reference"),
    ],
)
def test_a_receipt_that_cannot_be_is_refused_beside_its_field(overpaid: World, given: ReceiptInput, field: str) -> None:
    recovery_id = established(overpaid)

    with clock.at(LATER), pytest.raises(Invalid) as refusal:
        services.book_receipt(actors.carl(), recovery_id, given)
    assert list(refusal.value.problems) == [field]
    assert balance(overpaid, Account.RECOVERY_RECEIVABLE) == euros(60_000)


def test_one_line_of_the_bank_statement_is_booked_once(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATER):
        services.book_receipt(actors.carl(), recovery_id, receipt(10))
        with pytest.raises(Invalid, match="booked already"):
            services.book_receipt(actors.carl(), recovery_id, receipt(10))


def test_each_step_has_its_own_role_and_what_moves_money_asks_for_the_password(overpaid: World) -> None:
    grant_id = overpaid.grant_id
    for person in (actors.carl(), actors.otto(), actors.ana(), actors.nuria()):
        with pytest.raises(NotAllowed):
            services.propose_recovery(person, grant_id, WHY)
    recovery_id = proposed(overpaid)
    with clock.at(NOW):
        services.inform(actors.fin(), recovery_id, days=30)
        for person in (actors.fin(), actors.otto(), actors.nuria()):
            with pytest.raises(NotAllowed):
                services.observe(person, recovery_id, words="x")
        services.observe(actors.ana(), recovery_id, words="We agree.")
        for person in (actors.carl(), actors.fin(), actors.ana(), actors.nuria()):
            with pytest.raises(NotAllowed):
                services.confirm_recovery(person, recovery_id, words="x")
        with pytest.raises(NeedsFreshSignIn):
            services.confirm_recovery(stale(actors.otto()), recovery_id, words="x")
        services.confirm_recovery(actors.otto(), recovery_id, words="x")
        for person in (actors.otto(), actors.fin(), actors.ana(), actors.nuria()):
            with pytest.raises(NotAllowed):
                services.issue(person, recovery_id, due_on=DUE)
        services.issue(actors.carl(), recovery_id, due_on=DUE)
        for person in (actors.otto(), actors.ana(), actors.nuria()):
            with pytest.raises(NotAllowed):
                services.book_receipt(person, recovery_id, receipt(1))
        for person in (actors.carl(), actors.ana(), actors.nuria()):
            with pytest.raises(NotAllowed):
                services.waive(person, recovery_id, reason="x", document=document())
        for person in (actors.carl(), actors.ana(), actors.nuria()):
            with pytest.raises(NotAllowed):
                services.cancel_recovery(person, recovery_id, reason="x")
        for deed in (
            lambda: services.book_receipt(stale(actors.carl()), recovery_id, receipt(1)),
            lambda: services.waive(stale(actors.olga()), recovery_id, reason="x", document=document()),
            lambda: services.cancel_recovery(stale(actors.olga()), recovery_id, reason="x"),
        ):
            with pytest.raises(NeedsFreshSignIn):
                deed()


def stale(person: Actor) -> Actor:
    """The same person, whose password was typed long ago."""
    assert person.user_id is not None
    return identity.actor_for(person.user_id)


def test_everybody_concerned_is_told_what_is_theirs_to_do(overpaid: World) -> None:
    def deeds(person: Actor, at: datetime = NOW) -> list[str]:
        endpoints = {"payments.recovery", "payments.debt"}
        return [duty.what for duty in queries.duties(person, at) if duty.endpoint in endpoints]

    with clock.at(NOW):
        assert deeds(actors.fin()) == ["Propose the recovery from WARM"]
        assert (deeds(actors.otto()), deeds(actors.carl()), deeds(actors.ana())) == ([], [], [])
        made = proposed(overpaid)
        assert deeds(actors.fin()) == ["Tell WARM of its debt beforehand"]
        services.inform(actors.fin(), made, days=30)
        assert (deeds(actors.fin()), deeds(actors.otto())) == ([], [])
        assert deeds(actors.otto(), NOW + timedelta(days=31)) == ["Confirm the debt of WARM"]
        assert deeds(actors.ana()) == ["Answer what WARM is to pay back"]
        services.observe(actors.ana(), made, words="We agree.")
        assert (deeds(actors.ana()), deeds(actors.otto())) == ([], ["Confirm the debt of WARM"])
        services.confirm_recovery(actors.otto(), made, words="Agreed.")
        assert (deeds(actors.otto()), deeds(actors.carl())) == ([], ["Issue the debit note to WARM"])
        services.issue(actors.carl(), made, due_on=DUE)
        assert deeds(actors.carl()) == ["Book what WARM pays back"]
        assert deeds(actors.ana()) == ["Pay back what WARM owes"]
        assert deeds(actors.marek()) == []


def test_the_pages_lead_from_too_much_to_waived(app: Flask, client: FlaskClient, overpaid: World) -> None:
    grant = f"/grants/{overpaid.reference}"
    debt = f"{grant}/recovery/1"
    with clock.at(IN_FORCE):
        fin, otto, carl, ana, olga = actors.fin(), actors.otto(), actors.carl(), actors.ana(), actors.olga()
    with clock.at(NOW):
        assert "is to be paid back" in get_page(app, ana, f"{grant}/payments")
        assert "proposes it next" in get_page(app, ana, f"{grant}/recovery")
        assert "Propose the recovery" in get_page(app, fin, f"{grant}/recovery")
        send(app, fin, f"{grant}/recovery/propose", reason="It was paid too much.")
        assert "Tell the city" in get_page(app, fin, debt)
        typed = send(app, fin, f"{debt}/inform", 422, days="999", version="1")
        assert "999" in typed and "180 days" in typed, typed[typed.index('id="informing"') :][:1500]
        send(app, fin, f"{debt}/inform", days="30", version="1")
        assert "You may answer" not in get_page(app, otto, debt)
        assert "The city may answer until 31 August 2024." in get_page(app, otto, debt)
        send(app, ana, f"{debt}/observe", words="The council agrees.", version="2")
        send(app, otto, f"{debt}/confirm", words="The city agreed.", version="3")
        send(app, carl, f"{debt}/issue", due_on="15 September 2024", version="4")
        assert "D1" in get_page(app, ana, f"{grant}/payments")
    with clock.at(LATER):
        assert "Book the receipt" in get_page(app, carl, debt)
        assert "Book the receipt" not in get_page(app, ana, debt)
        seen = {"version": "5", "value_on": "9 August 2024"}
        send(app, carl, f"{debt}/book", amount="20 000", bank_reference="STMT-77/1", **seen)
        waived = {"reason": "Decision 12.", "file": (io.BytesIO(PDF), "decision.pdf")}
        send(app, olga, f"{debt}/waive", version="6", **waived)
        late = send(app, carl, f"{debt}/book", 409, amount="1", bank_reference="STMT-77/2", **seen)
        assert "waived recovery" in late and "nothing more is to be done" in late
        shown = get_page(app, ana, debt)
        assert all(each in shown for each in ("Decision 12.", "STMT-77/1", "The council agrees.", "The city agreed."))
        assert "40\u00a0000.00" in shown and "Whose share of it" in shown
        with actors.client_of(app, ana).get(f"{debt}/decision") as decision:
            assert decision.data == PDF
        assert "PCP-2022-G-0001-D1" in get_page(app, ana, f"{grant}/recovery")


@shuts("payments.debt", "payments.waiver")
def test_a_debt_is_shut_to_who_does_not_reach_its_grant(app: Flask, client: FlaskClient, overpaid: World) -> None:
    established(overpaid)
    debt = f"/grants/{overpaid.reference}/recovery/1"
    with clock.at(IN_FORCE):
        otto, eva, olga = actors.otto(), actors.eva(), actors.olga()
    with clock.at(LATER):
        services.waive(olga, get_id(), reason="Decision 12.", document=document())
        with actors.client_of(app, otto).get(f"{debt}/decision") as decision:
            assert decision.status_code == 200
        reader = actors.client_of(app, otto)
        with statements() as asked:
            assert reader.get(debt).status_code == 200
        assert len(asked) <= 8
        assert actors.client_of(app, otto).get(f"/grants/{overpaid.reference}/recovery/2").status_code == 404
        assert actors.client_of(app, eva).get(debt).status_code in (403, 404)
        assert otto.user_id is not None
        with arranging():
            people.bar(otto.user_id, "application", overpaid.application_id)
        barred = actors.client_of(app, otto)
        assert {barred.get(each).status_code for each in (debt, f"{debt}/decision")} == {404}


def get_id() -> UUID:
    return db.session.scalars(select(Recovery.id)).one()


def get_page(app: Flask, actor: Actor, address: str) -> str:
    answer = actors.client_of(app, actor).get(address)
    assert answer.status_code == 200, address
    check_page(answer)
    return answer.text


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=8),
    st.integers(0, 10**9),
    st.integers(1, 10**9),
)
def test_shares_sum_to_the_debt_and_only_who_had_too_much_owes(
    partners: list[tuple[int, int]], final: int, amount: int
) -> None:
    accepted = {number: Money(cents) for number, (cents, _) in enumerate(partners)}
    received = {number: Money(cents) for number, (_, cents) in enumerate(partners)}

    found = shares_of_debt(Money(amount), Money(final), accepted, received)

    assert total(each.amount for each in found.values()) == Money(amount)
    assert total(each.accepted or ZERO for each in found.values()) == Money(final)
    below = {who for who, each in found.items() if (each.received or ZERO) > (each.accepted or ZERO)}
    if below:
        assert {who for who, each in found.items() if each.amount} <= below


def test_the_share_of_each_partner_is_its_part_of_the_final_amount_less_what_was_paid_for_it() -> None:
    """Three partners; 100 000 is final, 130 000 was paid: the second had too much, the third a little, the first too little."""
    accepted = {"one": euros(50_000), "two": euros(30_000), "three": euros(20_000)}
    received = {"one": euros(40_000), "two": euros(60_000), "three": euros(30_000)}

    found = shares_of_debt(euros(30_000), euros(100_000), accepted, received)

    assert {who: each.amount for who, each in found.items()} == {
        "one": ZERO,
        "two": euros(22_500),
        "three": euros(7_500),
    }
