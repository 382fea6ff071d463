"""The part of one partner is terminated: proposed, heard, confirmed, carried out on its day; what it may do, cost and be paid then."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO
from uuid import UUID

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries as agreements
from grants.agreements import services as agreeing
from grants.agreements.models import AgreementTermination, Beneficiary
from grants.agreements.rules import HoldInput, TerminationInput
from grants.agreements.states import GrantState, HoldReason, TerminationReason
from grants.applications.models import ApplicationPartner
from grants.applications.states import PartnerRole, PartnerState
from grants.budgets.rules import Cell
from grants.core import clock, files
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor, Permission, system_actor
from grants.documents import services as papers
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.oversight import queries as oversight
from grants.payments import queries as payment_reads
from grants.payments import services
from grants.payments.models import PaymentOrder, PaymentRequest, RecoveryShare
from grants.payments.rules import ApprovedPart, DecisionInput, ReceiptInput
from grants.reporting import services as reporting
from grants.reporting.rules import Decision, Judged
from tests import actors
from tests.agreements.accounts import PDF, document
from tests.applications.pages import send, text_of
from tests.factories import identity as people
from tests.payments.test_parts import authorised
from tests.payments.test_terminated import (
    NOW,
    OVER,
    UNTIL,
    mailed,
    owed,
    prefinanced,
    report_rows,
    signatory,
    state_of,
    written,
)
from tests.payments.world import IN_FORCE, SEEN, World, agnes, nothing_held, owed_back, report
from tests.shut import shuts
from tests.statements import statements

CONFIRMED_AT = datetime(2023, 9, 1, 9, tzinfo=UTC)
AFTER = datetime(2023, 10, 1, 9, tzinfo=UTC)
SETTLED = datetime(2025, 9, 1, 9, tzinfo=UTC)


def why(grant: World, **other: object) -> TerminationInput:
    given = {"reason": TerminationReason.NOT_CARRIED_OUT, "words": "The agency hired nobody.", "wanted_on": OVER}
    return TerminationInput(**{**given, "objections_until": UNTIL, "organisation_id": grant.agency_id, **other})  # type: ignore[arg-type] -- typed by name


def proposed(grant: World, actor: Actor | None = None, **other: object) -> int:
    with clock.at(NOW):
        return agreeing.propose_termination(actor or actors.pia(), grant.grant_id, why(grant, **other), document())


def confirmed(grant: World, number: int, at: datetime = CONFIRMED_AT, on: date = OVER) -> None:
    with clock.at(at):
        agreeing.confirm_termination(actors.otto(), grant.grant_id, number, effective_on=on, answer="Nobody objected.")


def program() -> Actor:
    return system_actor("the program", [Permission.TERMINATION_CARRY_OUT, Permission.AGREEMENT_READ])


def ended(grant: World, at: datetime = AFTER) -> bool:
    with clock.at(at):
        return agreeing.end_part(program(), grant.grant_id, grant.agency_id)


def out(grant: World) -> None:
    """Agnes speaks for the agency; its part ends on 1 October."""
    with clock.at(IN_FORCE):
        agnes(grant)
    confirmed(grant, proposed(grant))
    assert ended(grant)


def view_of(grant: World) -> object:
    return agreements.grant(actors.pia(), grant.reference)


def test_the_partner_is_heard_and_a_second_person_confirms_whoever_proposed_it(grant: World) -> None:
    with clock.at(IN_FORCE):
        agency = agnes(grant)
    number = proposed(grant, signatory(grant))
    # The partner is heard: a proposal of its coordinator is not confirmed before it spoke or its time is over.
    with clock.at(datetime(2023, 8, 31, 20, tzinfo=UTC)):
        with pytest.raises(Refused, match="Energy Agency of Northbridge may object until 31 August 2023"):
            agreeing.confirm_termination(actors.otto(), grant.grant_id, number, effective_on=OVER, answer="Yes.")
        agreeing.object_to_termination(agency, grant.grant_id, number, words="Two people began in July.")
        with pytest.raises(Invalid):
            agreeing.confirm_termination(actors.otto(), grant.grant_id, number, effective_on=OVER, answer=" ")
        agreeing.confirm_termination(
            actors.otto(), grant.grant_id, number, effective_on=OVER, answer="They left again."
        )
    (found,) = agreements.terminations(grant.grant_id)
    assert (found.objector, found.partner, found.whole) == (agency.name, "Energy Agency of Northbridge", False)
    # The grant itself goes on as agreed.
    assert agreements.ended_on(grant.grant_id) is None and state_of(grant) is GrantState.IN_FORCE


def test_only_who_it_is_about_and_the_other_side_object(grant: World) -> None:
    marek = actors.marek()
    number = proposed(grant)
    with clock.at(NOW):
        with pytest.raises(Refused, match="you speak for another partner"):
            agreeing.object_to_termination(marek, grant.grant_id, number, words="No.")
        agreeing.object_to_termination(actors.ana(), grant.grant_id, number, words="We need them.")
        with clock.at(datetime(2023, 8, 2, 9, tzinfo=UTC)):
            agreeing.withdraw_termination(actors.pia(), grant.grant_id, number, words="They began.")
    whole = proposed(grant, organisation_id=None)
    with clock.at(NOW), pytest.raises(Refused, match="you speak for another partner"):
        agreeing.object_to_termination(marek, grant.grant_id, whole, words="No.")


def test_who_acts_for_the_coordinator_is_not_heard_in_place_of_the_partner(grant: World) -> None:
    """One of its own people, who belongs to the partner too, would end the time to be heard by a word."""
    with clock.at(IN_FORCE):
        actors.person("Sid Mayor", organisation_name="Energy Agency of Northbridge")
    sid = signatory(grant)
    assert grant.agency_id in sid.organisation_ids
    number = proposed(grant, sid)
    with clock.at(NOW), pytest.raises(Refused, match="Your own side proposed this termination"):
        agreeing.object_to_termination(sid, grant.grant_id, number, words="No.")


def test_what_cannot_be_proposed_says_why_and_what_to_do(grant: World) -> None:
    with pytest.raises(Refused, match="so its part does not end alone"):
        proposed(grant, organisation_id=grant.city_id)
    with pytest.raises(NotFound):
        proposed(grant, organisation_id=actors.organisation("Nobody in it"))
    with pytest.raises(Invalid) as wrong:
        proposed(grant, organisation_id=None, reason=TerminationReason.NOT_ACCEDED)
    assert "reason" in wrong.value.problems
    # The partner has its time whoever proposes.
    with pytest.raises(Invalid) as wrong:
        proposed(grant, signatory(grant), wanted_on=UNTIL)
    assert "The partner may still object" in wrong.value.problems["wanted_on"]
    number = proposed(grant)
    with pytest.raises(Conflict, match="this part is proposed already"):
        proposed(grant)
    # The whole grant may be proposed beside it; once that is confirmed no part is any more.
    whole = proposed(grant, organisation_id=None)
    with clock.at(NOW):
        agreeing.withdraw_termination(actors.pia(), grant.grant_id, number, words="All of it ends.")
    confirmed(grant, whole)
    with clock.at(CONFIRMED_AT), pytest.raises(Refused, match="The whole grant ends on 1 October 2023"):
        agreeing.propose_termination(actors.pia(), grant.grant_id, why(grant), document())


def test_the_database_keeps_one_termination_of_a_part_and_no_coordinator_leaves(grant: World) -> None:
    proposed(grant)
    row = db.session.scalars(select(AgreementTermination)).one()
    again = {each.key: getattr(row, each.key) for each in AgreementTermination.__table__.columns if each.key != "id"}
    with pytest.raises(IntegrityError, match="uq_agreement_termination_standing_part"), arranging():
        db.session.add(AgreementTermination(**again | {"number": 2}))
    db.session.rollback()
    with pytest.raises(IntegrityError, match="coordinator_stays"), arranging():
        db.session.scalars(select(Beneficiary).where(Beneficiary.is_coordinator)).one().left_on = OVER
    db.session.rollback()


def test_on_its_day_its_people_only_read_what_was_and_the_others_go_on(grant: World) -> None:
    owed(grant)
    with clock.at(IN_FORCE):
        agency_id = agnes(grant).user_id
    assert agency_id is not None
    confirmed(grant, proposed(grant))
    with clock.at(CONFIRMED_AT):
        assert agreeing.plan_terminations(program()) == 0 and not ended(grant, CONFIRMED_AT)
    with clock.at(AFTER):
        assert agreeing.plan_terminations(program()) == 1
        (args,) = db.session.scalars(select(Job.args).where(Job.name == "jobs.agreements.end_part")).all()
        assert args["organisation_id"] == str(grant.agency_id)
    assert ended(grant) and not ended(grant)

    past = actors.actor(agency_id)
    place = agreements.scope_of_view(agreements.grant(past, grant.reference))
    assert past.may(Permission.REPORT_READ, place) and past.may(Permission.DISTRIBUTION_CONFIRM, place)
    for lost in (Permission.REPORT_EDIT, Permission.AGREEMENT_ACCEDE, Permission.TERMINATION_OBJECT):
        assert not past.may(lost, place)
    assert "termination_part_ended" in mailed()
    # Nobody of another partner lost anything, and the reports of the grant stand as they were agreed.
    assert actors.marek().may(Permission.REPORT_EDIT, place)
    assert [each.kind for each in report_rows(grant)] == ["interim", "final"]
    assert agreements.gone(grant.grant_id) == {grant.agency_id}
    with clock.at(AFTER), pytest.raises(Refused, match="takes no part from 1 October 2023 on already"):
        agreeing.propose_termination(actors.pia(), grant.grant_id, why(grant), document())


def carol(grant: World) -> Actor:
    """Carol speaks for the agency, which named her in the application; she belongs to another organisation."""
    user_id = actors.person("Carol Contact", Role.APPLICANT, organisation_name="Consultants of Northbridge")
    with arranging():
        db.session.add(
            ApplicationPartner(
                application_id=grant.application_id,
                organisation_id=grant.agency_id,
                position=1,
                role=PartnerRole.PARTNER.value,
                state=PartnerState.ACCEPTED.value,
                contact_user_id=user_id,
            )
        )
    return actors.give(user_id, Role.APPLICATION_PARTNER, "application", grant.application_id)


def written_to(template: str) -> set[UUID]:
    rows = select(Job.args).where(Job.name == "jobs.mail.send", Job.args["template"].astext == template)
    return {UUID(args["user_id"]) for args in db.session.scalars(rows)}


def test_who_left_is_written_to_of_its_own_end_and_no_more(grant: World) -> None:
    with clock.at(IN_FORCE):
        contact = carol(grant)
        theirs = {agnes(grant).user_id, contact.user_id}
        ana = actors.give(actors.ana().user_id, Role.APPLICATION_LEAD, "application", grant.application_id)
    number = proposed(grant)
    with clock.at(NOW):
        # Who speaks for the partner is asked, whether they belong to it or not.
        told = [each.what for each in agreements.duties(contact, NOW)]
        assert told == ["The programme proposes to terminate the part of Energy Agency of Northbridge in WARM"]
    confirmed(grant, number)
    assert theirs <= written_to("termination_confirmed") and theirs <= set(agreements.team(grant.application_id))
    assert ended(grant)
    assert theirs <= written_to("termination_part_ended")

    held = HoldInput(None, HoldReason.BREACH, "Two reports are missing.", AFTER.date())
    with clock.at(AFTER):
        agreeing.hold(actors.otto(), grant.grant_id, held, document())
        whole = TerminationInput(TerminationReason.BREACH, "Nobody was hired.", date(2024, 1, 1), date(2023, 11, 30))
        agreeing.propose_termination(actors.pia(), grant.grant_id, whole, document())

    assert ana.user_id in agreements.team(grant.application_id)
    for template in ("agreement_held", "termination_proposed"):
        assert ana.user_id in written_to(template)
    assert not theirs & (written_to("agreement_held") | set(agreements.team(grant.application_id)))
    # Of the termination of the whole grant nobody who left is asked anything.
    for who in theirs:
        assert agreements.duties(actors.actor(who), AFTER) == ()


def test_its_costs_count_until_its_day_and_in_no_period_after_it(grant: World) -> None:
    owed(grant)
    out(grant)
    first, second = report_rows(grant)
    costs = (Cell(grant.agency_id, "A", euros(900)),)
    with clock.at(AFTER):
        reporting.enter_costs(actors.ana(), first.id, costs)
        with pytest.raises(Invalid, match="took part until 30 September 2023, before this period began"):
            reporting.enter_costs(actors.ana(), second.id, costs)
        # Its empty row keeps nobody from the others'.
        others = (Cell(grant.agency_id, "A", euros(0)), Cell(grant.city_id, "A", euros(700)))
        reporting.enter_costs(actors.ana(), second.id, others)


def test_its_share_is_settled_by_an_amendment_once_its_last_period_is(grant: World) -> None:
    owed(grant)
    out(grant)
    bonds = agreements.bonds(grant.grant_id)
    assert bonds[grant.agency_id].left_on == OVER and agreements.unsettled_from(grant.grant_id) == date(2023, 6, 1)
    pia, ana, rows = actors.pia().user_id, actors.ana().user_id, report_rows(grant)
    with arranging():
        for row in rows:
            row.submitted_at, row.submitted_by = AFTER, ana
            row.state, row.decided_by, row.decided_at = "rejected", pia, AFTER
    assert agreements.unsettled_from(grant.grant_id) is None


def test_nothing_more_of_it_is_pre_financed_once_it_is_confirmed(grant: World) -> None:
    with clock.at(NOW):
        services.open_prefinancing(actors.program(), grant.grant_id)
    request_id = db.session.scalars(select(PaymentRequest.id)).one()
    confirmed(grant, proposed(grant))
    with clock.at(CONFIRMED_AT):
        with pytest.raises(Refused, match="Energy Agency of Northbridge takes no part from 1 October 2023 on"):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        parts = (ApprovedPart(grant.city_id, None, euros(160_000)), ApprovedPart(grant.agency_id, None, euros(0)))
        services.decide(actors.otto(), request_id, DecisionInput(euros(160_000), "The agency leaves.", parts))
    row = get(PaymentRequest, request_id)
    assert row.approved == euros(160_000)


def settled_reports(grant: World) -> UUID:
    """The city's 100 000 and the agency's 10 000 of the first year are accepted, nothing came of the second; the balance."""
    first, second = report_rows(grant)
    with clock.at(datetime(2024, 6, 20, 9, tzinfo=UTC)):
        written(first, A=100_000)
        reporting.enter_costs(actors.ana(), first.id, (Cell(grant.agency_id, "A", euros(10_000)),))
        reporting.submit(actors.ana(), first.id)
        judged = ((grant.city_id, euros(100_000)), (grant.agency_id, euros(10_000)))
        decision = Decision(tuple(Judged(who, "A", amount, amount) for who, amount in judged))
        reporting.accept(actors.pia(), first.id, decision)
        interim = services.open_for_report(actors.program(), first.id)
        assert interim is not None
        services.decide(actors.otto(), interim.id, DecisionInput(euros(110_000)))
        order_id = authorised(interim.id)
        services.export(actors.carl(), (order_id,), control_total=euros(110_000))
        services.execute(actors.carl(), order_id, value_on=date(2024, 6, 20))
    with clock.at(SETTLED):
        reporting.settle_unsent(actors.pia(), second.id, answer="Asked twice.")
        balance = services.open_for_report(actors.program(), second.id)
        assert balance is not None
        services.decide(actors.otto(), balance.id, DecisionInput(euros(110_000)))
    return balance.id


def test_what_it_received_above_its_accepted_costs_is_its_share_of_what_the_balance_asks_back(
    app: Flask, grant: World
) -> None:
    """Paid for the agency: a third of 210 000 ahead, and its 10 000; 10 000 of it is accepted."""
    owed(grant)
    with clock.at(NOW):
        prefinanced(grant)
    out(grant)
    with clock.at(AFTER):
        page = text_of(actors.client_of(app, actors.ana()).get(f"/grants/{grant.reference}/termination"))
        assert "What it received above its accepted costs is asked back with the balance of the grant" in page
    balance_id = settled_reports(grant)
    assert get(PaymentRequest, balance_id).recoverable == euros(210_000)

    with clock.at(SETTLED):
        made = owed_back(grant.grant_id, date(2025, 10, 1))
        asked = select(RecoveryShare.organisation_id, RecoveryShare.amount).where(RecoveryShare.recovery_id == made.id)
        shares = {row.organisation_id: row.amount for row in db.session.execute(asked)}
        assert shares == {grant.agency_id: euros(70_000), grant.city_id: euros(140_000)}
        debt = text_of(actors.client_of(app, actors.ana()).get(f"/grants/{grant.reference}/recovery/{made.number}"))
        assert "Energy Agency of Northbridge" in debt and "70 000.00" in debt.replace("\N{NO-BREAK SPACE}", " ")
        services.book_receipt(actors.carl(), made.id, ReceiptInput(euros(210_000), date(2025, 9, 1), "STMT-1"))
        nothing_held(grant)
        services.close_grant(actors.otto(), grant.grant_id, note="Everything was looked at.")
    assert state_of(grant) is GrantState.CLOSED
    assert oversight.verify_ledger() == ()


def test_its_letter_says_what_ends_on_which_ground_and_what_follows(app: Flask, grant: World) -> None:
    confirmed(grant, proposed(grant))
    (args,) = db.session.scalars(select(Job.args).where(Job.name == "jobs.documents.termination_letter")).all()
    assert (args["grant_id"], args["number"]) == (str(grant.grant_id), 1)
    with clock.at(CONFIRMED_AT):
        made = papers.print_termination(program(), grant.grant_id, 1)
        assert papers.print_termination(program(), grant.grant_id, 1).id == made.id
        with pytest.raises(NotFound):
            papers.print_termination(program(), grant.grant_id, 2)
    text = " ".join(
        " ".join(page.extract_text().split()) for page in PdfReader(BytesIO(files.path(made).read_bytes())).pages
    )
    for said in (
        "Termination of the part of Energy Agency of Northbridge in grant",
        "The pilot is not carried out",
        "takes part until 30 September 2023",
        "released by an amendment",
    ):
        assert said in text


def test_whoever_must_act_is_told_on_their_home_page(grant: World) -> None:
    with clock.at(IN_FORCE):
        agency = agnes(grant)
    proposed(grant, signatory(grant))
    with clock.at(NOW):
        told = [each.what for each in agreements.duties(agency, NOW)]
        assert "The coordinator proposes to terminate the part of Energy Agency of Northbridge in WARM" in told
        assert not [each for each in agreements.duties(actors.otto(), NOW) if "Decide on the termination" in each.what]
    with clock.at(CONFIRMED_AT):
        told = [each.what for each in agreements.duties(actors.otto(), CONFIRMED_AT)]
        assert "Decide on the termination of the part of Energy Agency of Northbridge in WARM" in told


@shuts("agreements.termination_letter")
def test_its_pages_offer_the_partners_and_hand_out_the_letter(app: Flask, grant: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(IN_FORCE):
        agency = agnes(grant)
    place = f"/grants/{grant.reference}/termination"
    with clock.at(NOW):
        pia = actors.client_of(app, actors.pia())
        offered = text_of(pia.get(place))
        assert "The part of Energy Agency of Northbridge" in offered and "The part of Northbridge" not in offered
        given = {"whose": str(grant.agency_id), "reason": "breach", "words": "Nobody was hired."}
        days = {"wanted_on": "1 October 2023", "objections_until": "31 August 2023"}
        stranger = given | {"whose": str(grant.city_id)}
        notice = {"file": (BytesIO(PDF), "notice.pdf")}
        assert send(pia, place, **stranger, **days, **notice).status_code == 422
        notice = {"file": (BytesIO(PDF), "notice.pdf")}
        assert send(pia, place, **given, **days, **notice).headers["Location"] == place
        head = text_of(pia.get(f"/grants/{grant.reference}"))
        assert "End of a part proposed Energy Agency of Northbridge, 1 October 2023" in head
        theirs = actors.client_of(app, agency)
        assert f"{place}/1/object" in theirs.get(place).text
        assert f"{place}/1/object" not in actors.client_of(app, actors.marek()).get(place).text
    with clock.at(CONFIRMED_AT):
        asked = text_of(actors.client_of(app, actors.otto()).get(f"{place}/1/confirm"))
        assert "The others go on, and their reports stay as agreed" in asked and "becomes the final one" not in asked
    confirmed(grant, 1)
    assert ended(grant)
    with clock.at(AFTER):
        pia = actors.client_of(app, actors.pia())
        with statements() as asked:
            page = pia.get(place)
        assert len(asked) <= 9
        assert "The letter is being made" in text_of(page) and pia.get(f"{place}/1/letter").status_code == 404
        papers.print_termination(program(), grant.grant_id, 1)
        with pia.get(f"{place}/1/letter") as letter:
            assert letter.status_code == 200
        assert "The letter, as PDF" in text_of(pia.get(place))
        assert "amendments/new/partner_out?termination=1" in pia.get(place).text
        assert "Partner no part from 1 October 2023 on" in text_of(pia.get(f"/grants/{grant.reference}"))
        # Who left still reads what was, and is offered nothing.
        past = actors.client_of(app, actors.actor(agency.user_id))
        assert past.get(place).status_code == 200 and "Settle its share" not in text_of(past.get(place))
        with arranging():
            people.bar(actors.person("Pia Officer"), "application", grant.application_id)
        assert actors.client_of(app, actors.pia()).get(f"{place}/1/letter").status_code == 404


# --------------------------------------------------------------- what was approved for it and is not paid


def approved(grant: World) -> UUID:
    """Of 240 000 for both 210 000 are payable: 140 000 for the city and 70 000 for its agency."""
    with clock.at(NOW):
        services.open_prefinancing(actors.program(), grant.grant_id)
        request_id = db.session.scalars(select(PaymentRequest.id)).one()
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    return request_id


def standing(grant: World, account: Account, organisation_id: UUID) -> Money:
    return books.balance(account, grant_id=grant.grant_id, organisation_id=organisation_id)


@pytest.mark.parametrize("reached", ["approved", "verified", "authorised"])
def test_what_falls_on_a_partner_whose_part_ends_is_not_paid_ahead_and_the_rest_is(grant: World, reached: str) -> None:
    request_id, order_id = approved(grant), None
    with clock.at(NOW):
        if reached != "approved":
            order_id = services.prepare(actors.fin(), request_id).id
            services.verify(actors.vera(), order_id, evidence=SEEN)
        if order_id is not None and reached == "authorised":
            services.authorise(actors.otto(), order_id, evidence=SEEN)
    confirmed(grant, proposed(grant))
    with clock.at(CONFIRMED_AT):
        with pytest.raises(
            Refused, match=r"so the EUR 70.000\.00 of this pre-financing that falls on it is not paid ahead"
        ):
            if order_id is None:
                services.prepare(actors.fin(), request_id)
            elif reached == "verified":
                services.authorise(actors.otto(), order_id, evidence=SEEN)
            else:
                services.export(actors.carl(), (order_id,), control_total=euros(210_000))
        if order_id is not None:
            with pytest.raises(Refused, match="Cancel the order first"):
                services.cancel_request(actors.otto(), request_id, reason="Its part ends.", of=grant.agency_id)
            services.cancel(actors.fin(), order_id, reason="Part of it is not paid.")
        services.cancel_request(actors.otto(), request_id, reason="Its part ends.", of=grant.agency_id)

        for account in (Account.PAYABLE, Account.RETENTION, Account.PREFINANCING):
            assert standing(grant, account, grant.agency_id) == ZERO
        assert standing(grant, Account.PAYABLE, grant.city_id) == euros(140_000)
        assert standing(grant, Account.RETENTION, grant.city_id) == euros(20_000)
        order_id = authorised(request_id)
        services.export(actors.carl(), (order_id,), control_total=euros(140_000))
        services.execute(actors.carl(), order_id, value_on=clock.today())
    assert get(PaymentRequest, request_id).state == "paid"
    assert oversight.verify_ledger() == ()


def test_of_what_the_bank_sent_back_the_rest_is_ordered_anew(grant: World) -> None:
    request_id = approved(grant)
    with clock.at(IN_FORCE):
        ruth = actors.actor(actors.person("Ruth Accountant", Role.ACCOUNTING_OFFICER))
    with clock.at(NOW):
        order_id = authorised(request_id)
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    confirmed(grant, proposed(grant))
    with clock.at(CONFIRMED_AT):
        services.reject_by_bank(ruth, order_id, reason="MS03", on=clock.today())
        with pytest.raises(Refused, match="falls on it is not paid ahead"):
            services.reissue(actors.fin(), order_id)
        services.cancel_request(actors.otto(), request_id, reason="Its part ends.", of=grant.agency_id)
        again = authorised(request_id)
    assert get(PaymentOrder, again).amount == euros(140_000)
    assert oversight.verify_ledger() == ()


def test_what_accepted_costs_of_it_cleared_is_paid_and_whose_part_stays_loses_nothing(grant: World) -> None:
    request_id = approved(grant)
    with clock.at(NOW):
        with pytest.raises(Refused, match="does not end, so what falls on it is not cancelled alone"):
            services.cancel_request(actors.otto(), request_id, reason="No.", of=grant.agency_id)
        with pytest.raises(NotFound):
            services.cancel_request(actors.otto(), request_id, reason="No.", of=actors.organisation("Nobody in it"))
    confirmed(grant, proposed(grant))
    with clock.at(CONFIRMED_AT):
        # All of both their pre-financing is cleared: nothing of it is ahead of its costs any more.
        services.open_for_report(actors.program(), report(grant, 1, euros(540_000)))
        interim = db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "interim")).one()
        services.decide(actors.otto(), interim, DecisionInput(euros(540_000)))
        assert standing(grant, Account.PREFINANCING, grant.agency_id) == ZERO
        with pytest.raises(Refused, match="Accepted costs have cleared all of it"):
            services.cancel_request(actors.otto(), request_id, reason="Its part ends.", of=grant.agency_id)
        services.prepare(actors.fin(), request_id)
    assert oversight.verify_ledger() == ()


def test_the_pages_say_beforehand_what_becomes_of_it_and_offer_it_after(app: Flask, grant: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    request_id = approved(grant)
    number = proposed(grant)
    page = f"/finance/requests/{grant.reference}-1"
    with clock.at(NOW):
        otto = actors.client_of(app, actors.otto())
        assert "may end" in (shown := text_of(otto.get(page))) and "is held back and cancelled here" in shown
        assert "is held back, and cancelled on the page of its payment request" in text_of(
            otto.get(f"/grants/{grant.reference}/termination")
        )
    confirmed(grant, number)
    with clock.at(CONFIRMED_AT):
        otto, fin = actors.client_of(app, actors.otto()), actors.client_of(app, actors.fin())
        assert "is held back" in text_of(otto.get(page)) or "is not paid ahead" in text_of(otto.get(page))
        shown = text_of(otto.get(page))
        assert "What falls on Energy Agency of Northbridge" in shown and "All that was never paid" in shown
        assert "Prepare an order" not in text_of(fin.get(page))
        assert not [each for each in payment_reads.duties(actors.fin(), CONFIRMED_AT) if "Prepare" in each.what]
        assert send(otto, f"{page}/cancel", page=page, reason="x", of="nobody").status_code == 404
        sent = send(otto, f"{page}/cancel", page=page, reason="Its part ends.", of=str(grant.agency_id))
        assert sent.headers["Location"] == page
        shown = text_of(otto.get(page))
        assert "was cancelled unpaid, as what falls on Energy Agency of Northbridge" in shown
        assert "Prepare an order" in text_of(fin.get(page))
        with statements() as asked:
            otto.get(page)
        assert len(asked) <= 10
    assert get(PaymentRequest, request_id).state == "approved"
