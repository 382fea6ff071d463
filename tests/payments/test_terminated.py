"""A terminated grant: proposed, objected to, confirmed by another, carried out on its day, reported, settled and closed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries as agreements
from grants.agreements import services as agreeing
from grants.agreements.models import AgreementTermination, Grant, Milestone
from grants.agreements.rules import TerminationInput
from grants.agreements.states import GrantState, MilestoneState, Side, TerminationReason
from grants.budgets import queries as budgets
from grants.budgets import services as budget_writes
from grants.budgets.rules import BudgetRules, Category, Cell, Purpose
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Problems, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO, euros
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission, system_actor
from grants.dossiers import services as dossier_writes
from grants.dossiers.rules import Answer
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.oversight import queries as oversight
from grants.payments import queries as payment_reads
from grants.payments import services
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.rules import DecisionInput, ReceiptInput
from grants.payments.rules.ahead import UnpaidAhead
from grants.reporting import queries as reports
from grants.reporting import services as reporting
from grants.reporting.models import PeriodicReport
from grants.reporting.rules import TECHNICAL_PART, Decision, Judged
from grants.reporting.states import ReportKind, ReportState
from tests import actors
from tests.agreements.accounts import document
from tests.applications.pages import send, text_of
from tests.factories import identity as people
from tests.payments.test_parts import authorised
from tests.payments.world import IN_FORCE, SEEN, World, owed_back
from tests.servers import Cluster
from tests.shut import shuts
from tests.statements import statements

NOW = datetime(2023, 8, 1, 9, tzinfo=UTC)
TODAY = date(2023, 8, 1)
UNTIL = date(2023, 8, 31)
OVER = date(2023, 10, 1)
AFTER = datetime(2023, 10, 1, 1, tzinfo=UTC)
LATE = datetime(2023, 12, 1, 9, tzinfo=UTC)
WHY = TerminationInput(TerminationReason.NOT_CARRIED_OUT, "Nobody was hired.", OVER, UNTIL)


def proposed(grant: World, actor: Actor | None = None, given: TerminationInput = WHY) -> int:
    return agreeing.propose_termination(actor or actors.pia(), grant.grant_id, given, document())


def confirmed(grant: World, number: int, on: date = OVER, at: datetime = datetime(2023, 9, 1, 9, tzinfo=UTC)) -> None:
    with clock.at(at):
        agreeing.confirm_termination(
            actors.otto(), grant.grant_id, number, effective_on=on, answer="No objection was made."
        )


def program() -> Actor:
    return system_actor("the program", [Permission.TERMINATION_CARRY_OUT])


def ended(grant: World) -> bool:
    with clock.at(AFTER):
        return reporting.end_grant(program(), grant.grant_id)


def terminated(grant: World) -> None:
    with clock.at(NOW):
        number = proposed(grant)
    confirmed(grant, number)
    assert ended(grant)


def signatory(grant: World) -> Actor:
    """Sid signs for the city since the agreement is in force."""
    with clock.at(IN_FORCE):
        return actors.give(actors.person("Sid Mayor"), Role.SIGNATORY, "application", grant.application_id)


def state_of(grant: World) -> GrantState:
    db.session.expire_all()
    return GrantState(get(Grant, grant.grant_id).state)


def report_rows(grant: World) -> list[PeriodicReport]:
    rows = select(PeriodicReport).where(PeriodicReport.grant_id == grant.grant_id).order_by(PeriodicReport.number)
    return list(db.session.scalars(rows.execution_options(populate_existing=True)))


def mailed() -> set[str]:
    return {each["template"] for each in db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send"))}


def prefinanced(grant: World) -> UUID:
    """240 000 less 30 000 that is retained is paid ahead."""
    services.open_prefinancing(actors.program(), grant.grant_id)
    request_id = db.session.scalars(select(PaymentRequest.id)).one()
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    order_id = authorised(request_id)
    services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    services.execute(actors.carl(), order_id, value_on=TODAY)
    return request_id


def test_it_is_confirmed_by_another_and_only_once_the_other_side_had_its_time(grant: World) -> None:
    with clock.at(NOW):
        number = proposed(grant)
        with pytest.raises(Refused, match="The city may object until 31 August 2023"):
            agreeing.confirm_termination(actors.otto(), grant.grant_id, number, effective_on=OVER, answer="Yes.")
        # The last day for objections still belongs to the city.
        with clock.at(datetime(2023, 8, 31, 20, tzinfo=UTC)), pytest.raises(Refused, match="may object"):
            agreeing.confirm_termination(actors.otto(), grant.grant_id, number, effective_on=OVER, answer="Yes.")
        with pytest.raises(Conflict):
            proposed(grant)
    both = actors.give(actors.pia().user_id, Role.AUTHORISING_OFFICER, "application", grant.application_id)
    with clock.at(datetime(2023, 9, 1, 9, tzinfo=UTC)):
        with pytest.raises(Refused, match="takes another person"):
            agreeing.confirm_termination(both, grant.grant_id, number, effective_on=OVER, answer="Yes.")
        with pytest.raises(NotAllowed):
            agreeing.confirm_termination(actors.fin(), grant.grant_id, number, effective_on=OVER, answer="Yes.")
        with pytest.raises(Invalid) as wrong:
            agreeing.confirm_termination(
                actors.otto(), grant.grant_id, number, effective_on=date(2023, 9, 30), answer=" "
            )
        assert set(wrong.value.problems) == {"effective_on", "answer"}
    confirmed(grant, number)
    assert agreements.ended_on(grant.grant_id) == OVER and state_of(grant) is GrantState.IN_FORCE
    with clock.at(datetime(2023, 9, 2, 9, tzinfo=UTC)), pytest.raises(Conflict, match="confirmed"):
        agreeing.withdraw_termination(actors.pia(), grant.grant_id, number, words="Too late.")
    assert {"termination_proposed", "termination_confirmed"} <= mailed()


def test_an_objection_is_made_in_time_by_the_other_side_and_is_answered(grant: World) -> None:
    sid = signatory(grant)
    with clock.at(NOW):
        number = proposed(grant)
        with pytest.raises(NotAllowed):
            agreeing.object_to_termination(actors.pia(), grant.grant_id, number, words="No.")
        with pytest.raises(Refused, match="Your own side"):
            agreeing.object_to_termination(actors.otto(), grant.grant_id, number, words="No.")
        with pytest.raises(Invalid):
            agreeing.object_to_termination(sid, grant.grant_id, number, words=" ")
        with clock.at(datetime(2023, 9, 1, 9, tzinfo=UTC)), pytest.raises(Refused, match="until 31 August 2023"):
            agreeing.object_to_termination(sid, grant.grant_id, number, words="Too late.")
        agreeing.object_to_termination(sid, grant.grant_id, number, words="Two people begin in May.")
        with pytest.raises(Refused, match="cannot"):
            agreeing.object_to_termination(sid, grant.grant_id, number, words="Once more.")
        with pytest.raises(Refused, match="only they withdraw"):
            agreeing.withdraw_termination(sid, grant.grant_id, number, words="We withdraw it.")
        # Who has objected has had its time: the decision need not wait.
        agreeing.confirm_termination(
            actors.otto(), grant.grant_id, number, effective_on=OVER, answer="May is too late."
        )
    (found,) = agreements.view(get(Grant, grant.grant_id)).terminations
    assert (found.objection, found.objector) == ("Two people begin in May.", "Sid Mayor")
    assert "termination_objected" in mailed()


def test_it_is_withdrawn_by_the_side_that_proposed_it_and_proposed_again(grant: World) -> None:
    with clock.at(NOW):
        first = proposed(grant)
        with pytest.raises(Invalid):
            agreeing.withdraw_termination(actors.pia(), grant.grant_id, first, words=" ")
        agreeing.withdraw_termination(actors.pia(), grant.grant_id, first, words="Two people were hired.")
        with pytest.raises(Conflict, match="withdrawn"):
            agreeing.confirm_termination(actors.otto(), grant.grant_id, first, effective_on=OVER, answer="Yes.")
        assert proposed(grant) == first + 1
    assert "termination_withdrawn" in mailed()


def test_the_city_ends_it_too_and_the_programme_need_not_wait_for_itself(grant: World) -> None:
    sid = signatory(grant)
    soon = replace(WHY, reason=TerminationReason.REQUESTED, wanted_on=date(2023, 8, 10))
    with clock.at(NOW):
        number = proposed(grant, sid, soon)
        (found,) = agreements.view(get(Grant, grant.grant_id)).terminations
        assert found.by_side is Side.CITY
        with pytest.raises(Refused, match="only they withdraw"):
            agreeing.withdraw_termination(actors.pia(), grant.grant_id, number, words="No.")
        agreeing.confirm_termination(
            actors.otto(), grant.grant_id, number, effective_on=date(2023, 8, 10), answer="As the city asks."
        )


def test_a_proposal_that_cannot_stand_says_what_is_wrong(grant: World) -> None:
    with clock.at(NOW):
        for actor in (actors.fin(), actors.otto(), actors.ana(), actors.program()):
            with pytest.raises((NotAllowed, Refused)):
                proposed(grant, actor)
        with pytest.raises(NeedsFreshSignIn):
            proposed(grant, replace(actors.pia(), fresh=False))
        for given, fields in (
            (replace(WHY, words=" ", objections_until=date(2023, 8, 30)), {"words", "objections_until"}),
            (replace(WHY, wanted_on=UNTIL), {"wanted_on"}),
            (replace(WHY, wanted_on=date(2023, 7, 31)), {"wanted_on"}),
            (replace(WHY, wanted_on=date(2025, 6, 1)), {"wanted_on"}),
        ):
            with pytest.raises(Invalid) as wrong:
                proposed(grant, given=given)
            assert set(wrong.value.problems) == fields
        with pytest.raises(Invalid, match="notice"):
            agreeing.propose_termination(actors.pia(), grant.grant_id, WHY, None)
        with pytest.raises(NotFound):
            agreeing.withdraw_termination(actors.pia(), grant.grant_id, 7, words="x")


def test_the_database_itself_keeps_two_people_and_one_termination(
    grant: World, postgres: Cluster, database: str
) -> None:
    with clock.at(NOW):
        proposed(grant)
    row = db.session.scalars(select(AgreementTermination)).one()
    again = {each.key: getattr(row, each.key) for each in AgreementTermination.__table__.columns if each.key != "id"}
    with pytest.raises(IntegrityError, match="uq_agreement_termination_standing"), arranging():
        db.session.add(AgreementTermination(**again | {"number": 2}))
    db.session.rollback()
    alone = (
        "UPDATE agreement_termination SET state = 'confirmed', confirmed_by = proposed_by, confirmed_at = now(),"
        " effective_on = wanted_on, answer = 'x'"
    )
    with closing(psycopg.connect(postgres.dsn(database))) as connection:
        with pytest.raises(psycopg.Error, match="confirmed_by_another"):
            connection.execute(alone)
        connection.rollback()
        with pytest.raises(psycopg.Error, match="confirmed_whole"):
            connection.execute("UPDATE agreement_termination SET state = 'confirmed'")


def owed(grant: World) -> None:
    """Two reports, of a year each, as the program makes them when a grant is in force."""
    kept = BudgetRules((Category("A", "Personnel"), Category("B", "Subcontracting")))
    with arranging():
        for number, starts_on in ((1, date(2023, 6, 1)), (2, date(2024, 6, 1))):
            row = PeriodicReport(
                id=uuid4(),
                grant_id=grant.grant_id,
                number=number,
                reference=f"PCP-2022-R-{number:04d}",
                kind=(ReportKind.INTERIM if number == 1 else ReportKind.FINAL).value,
                starts_on=starts_on,
                ends_before=clock.add_months(starts_on, 12),
                due_on=clock.add_days(clock.add_months(starts_on, 12), 60),
                state=ReportState.DRAFT.value,
            )
            row.dossier_id = dossier_writes.create("report", row.id, TECHNICAL_PART)
            row.budget_id = budget_writes.create(
                "report", row.id, Purpose.ACTUAL, kept, [grant.city_id, grant.agency_id]
            )
            db.session.add(row)


def written(report: PeriodicReport, **costs: int) -> None:
    ana, grant_id = actors.ana(), report.grant_id
    words = tuple(Answer(key, "As planned.") for key in ("progress", "deviations"))
    reporting.write_section(ana, report.id, "work", words)
    reporting.write_section(ana, report.id, "learning", (Answer("lessons", "Ask early."),))
    city_id = get(Grant, grant_id).coordinator_id
    cells = tuple(Cell(city_id, category, euros(amount)) for category, amount in costs.items())
    if cells:
        reporting.enter_costs(ana, report.id, cells)


def test_on_its_day_the_open_period_ends_and_what_comes_later_falls_away(grant: World) -> None:
    owed(grant)
    with clock.at(NOW):
        number = proposed(grant)
    confirmed(grant, number)
    with clock.at(datetime(2023, 9, 30, 20, tzinfo=UTC)):
        assert agreeing.plan_terminations(program()) == 0 and not reporting.end_grant(program(), grant.grant_id)
    with clock.at(AFTER):
        # Its day, and the program has not moved it yet: no report is sent, no milestone expected.
        with pytest.raises(Refused, match="about to shorten the reports"):
            reporting.submit(actors.ana(), report_rows(grant)[0].id)
        assert agreeing.plan_terminations(program()) == 1
        assert db.session.scalars(select(Job.args).where(Job.name == "jobs.reporting.end_grant")).all()
    assert ended(grant) and not ended(grant)
    assert state_of(grant) is GrantState.TERMINATED
    first, *later = report_rows(grant)
    assert (first.kind, first.ends_before, first.due_on) == (ReportKind.FINAL.value, OVER, clock.add_days(OVER, 60))
    assert first.state == ReportState.DRAFT.value
    assert {each.state for each in later} == {ReportState.DROPPED.value}
    assert reports.unsettled(grant.grant_id) == (1,)
    assert "termination_carried_out" in mailed()
    with clock.at(AFTER), pytest.raises(Refused, match="not owed any more"):
        reporting.enter_costs(actors.ana(), later[0].id, ())
    assert oversight.verify_ledger() == ()


def test_confirmed_for_today_it_is_carried_out_at_once(grant: World) -> None:
    owed(grant)
    with clock.at(NOW):
        number = proposed(grant)
    confirmed(grant, number, at=AFTER)
    with clock.at(AFTER):
        assert db.session.scalars(select(Job.args).where(Job.name == "jobs.reporting.end_grant")).all()


@pytest.mark.parametrize(
    ("reached", "duty"), [("approved", "Prepare the order for WARM"), ("verified", "Authorise the order for WARM")]
)
def test_nobody_is_asked_for_a_step_that_a_termination_stops(grant: World, reached: str, duty: str) -> None:
    with clock.at(NOW):
        request_id = approved_ahead(grant)
        if reached == "verified":
            services.verify(actors.vera(), services.prepare(actors.fin(), request_id).id, evidence=SEEN)
        who = actors.fin() if reached == "approved" else actors.otto()
        assert duty in [each.what for each in payment_reads.duties(who, NOW)]
        number = proposed(grant)
    confirmed(grant, number)
    with clock.at(CONFIRMED):
        assert duty not in [each.what for each in payment_reads.duties(who, CONFIRMED)]
        (row,) = [each for each in payment_reads.inbox(who, Page()).rows.items if not each.yours and each.locked]
        assert "nothing more of it is pre-financed" in str(row.locked)


def test_no_milestone_of_a_day_after_the_end_is_asked_for(grant: World) -> None:
    sid = signatory(grant)
    with arranging():
        for each, day in ((1, date(2023, 9, 20)), (2, OVER)):
            db.session.add(
                Milestone(
                    grant_id=grant.grant_id, number=each, title=f"Stone {each}", criterion="It stands.", due_on=day,
                    state=MilestoneState.PLANNED.value,
                )
            )  # fmt: skip
    asked = ["Report the milestone “Stone 1”", "Report the milestone “Stone 2”"]
    with clock.at(NOW):
        number = proposed(grant)
    with clock.at(CONFIRMED):
        assert [each.what for each in reports.duties(sid, CONFIRMED)] == asked
    confirmed(grant, number)
    with clock.at(CONFIRMED):
        assert [each.what for each in reports.duties(sid, CONFIRMED)] == asked[:1]


@pytest.mark.parametrize("spent", [0, 50_000])
def test_what_was_paid_above_the_costs_comes_back_to_the_cent_and_the_grant_is_closed(grant: World, spent: int) -> None:
    owed(grant)
    with clock.at(NOW):
        prefinanced(grant)
    terminated(grant)
    (final, _), verify = report_rows(grant), oversight.verify_ledger
    with clock.at(datetime(2023, 10, 20, 9, tzinfo=UTC)):
        if spent:
            written(final, A=spent)
        else:
            written(final)
        reporting.submit(actors.ana(), final.id)
        judged = tuple(
            Judged(each.organisation_id, each.category, each.amount, each.amount)
            for each in budgets.written(final.budget_id).cells
            if each.amount
        )
        reporting.accept(actors.pia(), final.id, Decision(judged))
        balance = services.open_for_report(actors.program(), final.id)
        assert balance is not None
        asked = get(PaymentRequest, balance.id)
        assert asked.requested == euros(spent)
        services.decide(actors.otto(), asked.id, DecisionInput(euros(spent)))
        assert get(PaymentRequest, balance.id).recoverable == euros(210_000 - spent)
        assert verify() == ()
        with pytest.raises(Problems):
            services.close_grant(actors.otto(), grant.grant_id, note="Looked at.")
        made = owed_back(grant.grant_id, date(2023, 12, 1), "The city was told.")
        services.book_receipt(
            actors.carl(), made.id, ReceiptInput(euros(210_000 - spent), date(2023, 10, 20), "STMT-1")
        )
        given_back = services.close_grant(actors.otto(), grant.grant_id, note="Everything was looked at.")
    assert given_back == euros(600_000 - spent) and state_of(grant) is GrantState.CLOSED
    assert books.of(grant_id=grant.grant_id)[Account.CONSUMED] == euros(spent)
    assert verify() == ()


def test_once_confirmed_nothing_more_is_pre_financed_and_before_it_is(grant: World) -> None:
    owed(grant)
    with clock.at(NOW):
        services.open_prefinancing(actors.program(), grant.grant_id)
        request_id = db.session.scalars(select(PaymentRequest.id)).one()
        number = proposed(grant)
    confirmed(grant, number)
    with clock.at(datetime(2023, 9, 2, 9, tzinfo=UTC)):
        with pytest.raises(Refused, match="nothing more of it is pre-financed"):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        services.reject(actors.otto(), request_id, reason="The grant ends.")
        with pytest.raises(Refused, match="nothing more of it is pre-financed"):
            services.ask_again(actors.ana(), request_id, reply="We need it.")
    assert ended(grant)
    # Without any pre-financing a terminated grant expects its balance alone, and I19 holds.
    assert oversight.verify_ledger() == ()


CONFIRMED = datetime(2023, 9, 2, 9, tzinfo=UTC)


def approved_ahead(grant: World) -> UUID:
    """Pre-financing of 240 000 less 30 000 is approved; nothing of it is paid."""
    services.open_prefinancing(actors.program(), grant.grant_id)
    request_id = db.session.scalars(select(PaymentRequest.id)).one()
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    return request_id


@pytest.mark.parametrize("reached", ["approved", "verified", "authorised"])
def test_once_confirmed_pre_financing_that_was_approved_does_not_leave(grant: World, reached: str) -> None:
    owed(grant)
    with clock.at(NOW):
        request_id = approved_ahead(grant)
        order_id = None
        if reached != "approved":
            order_id = services.prepare(actors.fin(), request_id).id
            services.verify(actors.vera(), order_id, evidence=SEEN)
        if order_id is not None and reached == "authorised":
            services.authorise(actors.otto(), order_id, evidence=SEEN)
        number = proposed(grant)
    confirmed(grant, number)
    with (
        clock.at(CONFIRMED),
        pytest.raises(Refused, match="Before the balance, cancel what was approved and never paid"),
    ):
        if order_id is None:
            services.prepare(actors.fin(), request_id)
        elif reached == "verified":
            services.authorise(actors.otto(), order_id, evidence=SEEN)
        else:
            services.export(actors.carl(), (order_id,), control_total=euros(210_000))


def test_the_page_of_a_request_says_what_is_done_instead_of_paying_it(app: Flask, grant: World) -> None:
    owed(grant)
    with clock.at(NOW):
        approved_ahead(grant)
        number = proposed(grant)
    confirmed(grant, number)
    with clock.at(CONFIRMED):
        shown = actors.client_of(app, actors.fin()).get(f"/finance/requests/{grant.reference}-1").text
    assert "What was approved and never paid is cancelled before the balance" in shown
    assert "Prepare an order" not in shown


@pytest.mark.parametrize("spent", [0, 50_000])
def test_what_was_approved_and_never_paid_is_cancelled_and_the_balance_pays_what_was_spent(
    grant: World, spent: int
) -> None:
    owed(grant)
    with clock.at(NOW):
        request_id = approved_ahead(grant)
    terminated(grant)
    (final, _), verify = report_rows(grant), oversight.verify_ledger
    with clock.at(datetime(2023, 10, 20, 9, tzinfo=UTC)):
        written(final, A=spent) if spent else written(final)
        reporting.submit(actors.ana(), final.id)
        judged = tuple(
            Judged(each.organisation_id, each.category, each.amount, each.amount)
            for each in budgets.written(final.budget_id).cells
            if each.amount
        )
        reporting.accept(actors.pia(), final.id, Decision(judged))
        balance = services.open_for_report(actors.program(), final.id)
        assert balance is not None
        with pytest.raises(Refused, match="approved and never paid"):
            services.decide(actors.otto(), balance.id, DecisionInput(euros(spent)))
        services.cancel_request(actors.otto(), request_id, reason="The grant ended.")
        with pytest.raises(Refused, match="needs an approved request"):
            services.prepare(actors.fin(), request_id)
        services.decide(actors.otto(), balance.id, DecisionInput(euros(spent)))
        assert verify() == ()
        if spent:
            order_id = authorised(balance.id)
            services.export(actors.carl(), (order_id,), control_total=euros(spent))
            services.execute(actors.carl(), order_id, value_on=date(2023, 10, 20))
        services.close_grant(actors.otto(), grant.grant_id, note="Everything was looked at.")
    assert books.of(grant_id=grant.grant_id)[Account.CONSUMED] == euros(spent)
    assert verify() == ()


def test_each_sentence_on_the_way_to_the_balance_names_the_next_step(grant: World) -> None:
    """Pre-financing waits in a verified order when the grant ends: order, request, balance and closure, each by what is said."""
    owed(grant)
    with clock.at(NOW):
        request_id = approved_ahead(grant)
        order_id = services.prepare(actors.fin(), request_id).id
        services.verify(actors.vera(), order_id, evidence=SEEN)
        reference = get(PaymentRequest, request_id).reference
        order = get(PaymentOrder, order_id).reference
    terminated(grant)
    final = report_rows(grant)[0]
    with clock.at(LATE):
        reporting.settle_unsent(actors.pia(), final.id, answer="Asked twice.")
        balance = services.open_for_report(actors.program(), final.id)
        assert balance is not None
        with pytest.raises(Refused, match=f"Cancel {order}, then what was never paid on the page of {reference}; then"):
            services.decide(actors.otto(), balance.id, DecisionInput(ZERO))
        with pytest.raises(
            Refused, match="cancel what was approved and never paid: an order of it first, then the rest on"
        ):
            services.authorise(actors.otto(), order_id, evidence=SEEN)
        with pytest.raises(Refused, match="Cancel the order first"):
            services.cancel_request(actors.otto(), request_id, reason="The grant ended.")
        services.cancel(actors.fin(), order_id, reason="The grant ended.")
        with pytest.raises(Refused, match=f"Cancel what was never paid on the page of {reference}; then"):
            services.decide(actors.otto(), balance.id, DecisionInput(ZERO))
        services.cancel_request(actors.otto(), request_id, reason="The grant ended.")
        services.decide(actors.otto(), balance.id, DecisionInput(ZERO))
        services.close_grant(actors.otto(), grant.grant_id, note="Everything was looked at.")
    assert state_of(grant) is GrantState.CLOSED
    assert oversight.verify_ledger() == ()


def test_what_the_bank_has_when_a_grant_ends_is_waited_for() -> None:
    left = UnpaidAhead("G-1", euros(5), ("P-1", "P-2"), ("P-2",), is_stopped=True)
    assert left.way_out == "Wait until the bank has booked P-2"


def test_a_report_that_never_comes_is_settled_after_its_day_and_the_balance_follows(grant: World) -> None:
    owed(grant)
    with clock.at(NOW):
        prefinanced(grant)
        with pytest.raises(Refused, match="is due on 31 July 2024"):
            reporting.settle_unsent(actors.pia(), report_rows(grant)[0].id, answer="Asked twice.")
    terminated(grant)
    final, dropped = report_rows(grant)
    with clock.at(datetime(2023, 11, 30, 9, tzinfo=UTC)), pytest.raises(Refused, match="is due on 30 November 2023"):
        reporting.settle_unsent(actors.pia(), final.id, answer="Asked twice.")
    with clock.at(datetime(2023, 12, 1, 9, tzinfo=UTC)):
        with pytest.raises(NotAllowed):
            reporting.settle_unsent(actors.ana(), final.id, answer="Asked twice.")
        with pytest.raises(Invalid):
            reporting.settle_unsent(actors.pia(), final.id, answer=" ")
        with pytest.raises(Refused, match="has sent this report"):
            reporting.settle_unsent(actors.pia(), dropped.id, answer="Asked twice.")
        assert [each.what for each in reports.duties(actors.pia(), clock.now())] == ["Report 1 of WARM did not come"]
        reporting.settle_unsent(actors.pia(), final.id, answer="Asked twice.")
        balance = services.open_for_report(actors.program(), final.id)
        assert balance is not None
        services.decide(actors.otto(), balance.id, DecisionInput(ZERO))
        assert get(PaymentRequest, balance.id).recoverable == euros(210_000)
    assert oversight.verify_ledger() == ()


def test_a_grant_whose_termination_is_confirmed_is_not_closed_before_its_day(grant: World) -> None:
    with clock.at(NOW):
        number = proposed(grant)
    assert not any("termination" in str(each) for each in services.closure_problems(grant.grant_id))
    confirmed(grant, number)
    assert any("termination is confirmed" in str(each) for each in services.closure_problems(grant.grant_id))


def test_whoever_must_act_is_told_on_their_home_page(grant: World) -> None:
    sid = signatory(grant)
    with clock.at(NOW):
        number = proposed(grant)
        titles = [each.what for each in agreements.duties(sid, NOW)]
        assert titles == ["The programme proposes to terminate WARM"]
        assert not any("terminat" in each.what for each in agreements.duties(actors.otto(), NOW))
        agreeing.object_to_termination(sid, grant.grant_id, number, words="Two people begin in May.")
        assert "Decide on the termination of WARM" in [each.what for each in agreements.duties(actors.otto(), NOW)]
        assert "An objection to the termination of WARM" in [each.what for each in agreements.duties(actors.pia(), NOW)]


@shuts(
    "agreements.termination", "agreements.termination_notice", "agreements.confirm_termination",
    "agreements.object_to_termination", "agreements.withdraw_termination",
)  # fmt: skip
def test_its_pages_tell_both_sides_and_are_shut_to_who_is_in_conflict(app: Flask, grant: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    place = f"/grants/{grant.reference}/termination"
    sid = signatory(grant)
    with clock.at(NOW):
        pia = actors.client_of(app, actors.pia())
        assert "Propose a termination" in text_of(pia.get(place))
        assert send(pia, place, reason="breach", words="").status_code == 422
        number = proposed(grant)
        otto = actors.client_of(app, actors.otto())
        with statements() as asked:
            page = text_of(otto.get(place))
        assert len(asked) <= 8
        assert "Nobody was hired." in page and "It can be confirmed once the city has objected" in page
        assert "Termination proposed" in text_of(otto.get(f"/grants/{grant.reference}"))
        with otto.get(f"{place}/1/notice") as notice:
            assert notice.status_code == 200
        city = actors.client_of(app, sid)
        assert "Object" in text_of(city.get(place))
        assert send(city, f"{place}/1/object", words="Two people begin.").headers["Location"] == place
        assert send(city, f"{place}/1/object", words="Again.").status_code == 422
        assert "Two people begin." in text_of(otto.get(f"{place}/1/confirm"))
        assert otto.get(f"{place}/2/confirm").status_code == 404
        assert pia.get(f"{place}/1/confirm").status_code == 403
        assert pia.get(f"{place}/1/withdraw").status_code == 200
        fin = actors.client_of(app, actors.fin())
        assert "Confirm the termination" not in text_of(fin.get(place))
        assert send(otto, f"{place}/1/confirm", answer="").status_code == 422
        # Another day than the one proposed, which the form offers.
        later = clock.long_date(clock.add_days(OVER, 4))
        sent = send(otto, f"{place}/1/confirm", effective_on=later, answer="Too late.")
        assert sent.headers["Location"] == place
        assert agreements.ended_on(grant.grant_id) == clock.add_days(OVER, 4)
        assert send(pia, f"{place}/1/withdraw", words="x").status_code == 409
        assert "Will be terminated" in text_of(otto.get(place))
        user_id = actors.otto().user_id
        assert user_id is not None and number == 1
        with arranging():
            people.bar(user_id, "application", grant.application_id)
            people.bar(actors.person("Pia Officer"), "application", grant.application_id)
        barred = actors.client_of(app, actors.otto())
        for each in (place, f"{place}/1/notice", f"{place}/1/confirm", f"{place}/1/object"):
            assert barred.get(each).status_code == 404
        assert actors.client_of(app, actors.pia()).get(f"{place}/1/withdraw").status_code == 404


def test_the_pages_of_a_terminated_grant_say_so(app: Flask, grant: World) -> None:
    owed(grant)
    terminated(grant)
    with clock.at(datetime(2023, 12, 1, 9, tzinfo=UTC)):
        pia, otto = actors.client_of(app, actors.pia()), actors.client_of(app, actors.otto())
        assert "Not owed any more" in text_of(pia.get(f"/grants/{grant.reference}/reports"))
        shown = text_of(pia.get("/reports/PCP-2022-R-0001"))
        assert "Settle the grant without this report" in shown and "Final report" in shown
        app.config["WTF_CSRF_ENABLED"] = False
        done = send(pia, "/reports/PCP-2022-R-0001/unsent", page="/reports/PCP-2022-R-0001", answer="Asked twice.")
        assert done.status_code in (302, 303)
        assert "Never came" in text_of(pia.get(f"/grants/{grant.reference}/reports"))
        assert "Terminated" in text_of(otto.get(f"/grants/{grant.reference}"))
        assert "Close the grant" in text_of(otto.get(f"/grants/{grant.reference}/payments"))
        assert grant.reference in text_of(otto.get("/grants?state=terminated"))
        told = text_of(otto.get(f"/grants/{grant.reference}/history"))
        assert "proposed the termination of" in told and "by its termination" in told
