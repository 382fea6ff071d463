"""A suspended grant: laid down with its notice by one who may, nothing of it decided, ordered or sent, and all goes on after."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries as agreements
from grants.agreements import rules
from grants.agreements import services as agreeing
from grants.agreements.models import AgreementHold, Grant
from grants.agreements.rules import HoldInput
from grants.agreements.states import HoldReason
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.core.jobs import Job
from grants.core.money import euros
from grants.payments import services
from grants.payments.models import OwnAccount, PaymentRequest
from grants.payments.rules import DecisionInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from tests import actors
from tests.agreements.accounts import document
from tests.applications.pages import send, text_of
from tests.factories import identity as people
from tests.payments.world import SEEN, World
from tests.servers import Cluster
from tests.shut import shuts
from tests.statements import statements

NOW = datetime(2023, 5, 4, 9, tzinfo=UTC)
TODAY = date(2023, 5, 4)


def said(whose: UUID | None = None, from_on: date = TODAY) -> HoldInput:
    return HoldInput(whose, HoldReason.BREACH, "The procurement was not open.", from_on)


def held(grant: World, whose: UUID | None = None) -> int:
    return agreeing.hold(actors.otto(), grant.grant_id, said(whose), document())


def opened(grant: World) -> UUID:
    services.open_prefinancing(actors.program(), grant.grant_id)
    return db.session.scalars(select(PaymentRequest.id)).one()


def of_file() -> FileInput:
    return FileInput(db.session.scalars(select(OwnAccount.id)).one(), FileLayout.V09, TODAY)


@pytest.mark.parametrize("step", ["decide", "prepare", "authorise", "build"])
def test_while_it_stands_no_step_brings_money_nearer_and_after_it_each_does(grant: World, step: str) -> None:
    with clock.at(NOW):
        request_id = opened(grant)
        steps = {"decide": lambda: services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))}
        if step != "decide":
            steps["decide"]()
            steps["prepare"] = lambda: services.prepare(actors.fin(), request_id)
        if step in {"authorise", "build"}:
            order_id = services.prepare(actors.fin(), request_id).id
            services.verify(actors.vera(), order_id, evidence=SEEN)
            steps["authorise"] = lambda: services.authorise(actors.otto(), order_id, evidence=SEEN)
        if step == "build":
            steps["authorise"]()
            steps["build"] = lambda: services.build(actors.carl(), (order_id,), of_file())
        number = held(grant)

        with pytest.raises(Refused, match="The grant is suspended since 4 May 2023, so none of its payments"):
            steps[step]()
        agreeing.lift_hold(actors.otto(), grant.grant_id, number, words="It was mended.")
        steps[step]()


def test_one_that_begins_later_stops_nothing_before(grant: World) -> None:
    # By the days of today: the database compares with its own, which no test sets.
    tomorrow = clock.add_days(clock.in_zone(clock.now()).date(), 1)
    request_id = opened(grant)
    agreeing.hold(actors.otto(), grant.grant_id, said(from_on=tomorrow), document())
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    since = f"is suspended since {clock.long_date(tomorrow)}"
    with clock.at(clock.now() + timedelta(days=1)), pytest.raises(Refused, match=since):
        services.prepare(actors.fin(), request_id)


def test_of_a_suspended_partner_nothing_is_paid_and_the_others_are(grant: World) -> None:
    with clock.at(NOW):
        request_id = opened(grant)
        held(grant, grant.agency_id)

        with pytest.raises(
            Refused, match="The part of Energy Agency of Northbridge is suspended since 4 May 2023, and this"
        ):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        # The coordinator receives every payment: its part suspended stops all.
        held(grant, grant.city_id)
        with pytest.raises(Refused, match="so none of its payments"):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))


def test_a_suspension_is_laid_down_whole_by_who_may_and_once(grant: World) -> None:
    with clock.at(NOW):
        for actor in (actors.fin(), actors.pia(), actors.program()):
            with pytest.raises((NotAllowed, Refused)):
                agreeing.hold(actor, grant.grant_id, said(), document())
        with pytest.raises(NeedsFreshSignIn):
            agreeing.hold(replace(actors.otto(), fresh=False), grant.grant_id, said(), document())
        with pytest.raises(Invalid) as wrong:
            agreeing.hold(
                actors.otto(), grant.grant_id, replace(said(), words=" ", from_on=date(2023, 5, 1)), document()
            )
        assert set(wrong.value.problems) == {"words", "from_on"}
        with pytest.raises(Invalid, match="notice"):
            agreeing.hold(actors.otto(), grant.grant_id, said(), None)
        with pytest.raises(NotFound):
            held(grant, actors.organisation("Another"))
        number = held(grant)
        with pytest.raises(Invalid) as twice:
            held(grant)
        assert set(twice.value.problems) == {"whose"}
        mails = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send")).all()
        assert any(each["template"] == "agreement_held" for each in mails)
        with pytest.raises(Invalid):
            agreeing.lift_hold(actors.otto(), grant.grant_id, number, words=" ")
        agreeing.lift_hold(actors.otto(), grant.grant_id, number, words="It was mended.")
        with pytest.raises(Conflict):
            agreeing.lift_hold(actors.otto(), grant.grant_id, number, words="Again")
        assert held(grant) == number + 1


def test_the_database_keeps_one_open_for_a_part_and_never_a_half_lifted_one(grant: World) -> None:
    with clock.at(NOW):
        held(grant)
    row = db.session.scalars(select(AgreementHold)).one()
    again = {each.key: getattr(row, each.key) for each in AgreementHold.__table__.columns if each.key != "id"}
    with pytest.raises(IntegrityError, match="uq_agreement_hold_open"), arranging():
        db.session.add(AgreementHold(**again | {"number": 2}))
    db.session.rollback()
    with pytest.raises(IntegrityError, match="lifted_whole"), arranging():
        db.session.get_one(AgreementHold, row.id).lifted_on = TODAY


def refused(dsn: str, statement: str, state: str) -> None:
    with closing(psycopg.connect(dsn)) as connection, pytest.raises(psycopg.Error, match="of a suspended grant"):
        connection.execute(statement.encode(), (state,))


@pytest.mark.parametrize("of_coordinator", [False, True])
def test_the_database_itself_holds_what_a_suspended_grant_pays(
    grant: World, postgres: Cluster, database: str, of_coordinator: bool
) -> None:
    with clock.at(NOW):
        request_id = opened(grant)
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000), "As agreed."))
        order_id = services.prepare(actors.fin(), request_id).id
        services.verify(actors.vera(), order_id, evidence=SEEN)
        services.authorise(actors.otto(), order_id, evidence=SEEN)
        number = held(grant, grant.city_id if of_coordinator else None)
    db.session.rollback()
    for state in ("in_file", "sent"):
        refused(postgres.dsn(database), "UPDATE payment_order SET state = %s", state)
    with clock.at(NOW):
        agreeing.lift_hold(actors.otto(), grant.grant_id, number, words="It was mended.")
        assert services.build(actors.carl(), (order_id,), of_file()).orders == 1


def test_the_database_itself_decides_nothing_of_a_suspended_grant(
    grant: World, postgres: Cluster, database: str
) -> None:
    with clock.at(NOW):
        opened(grant)
        held(grant)
    db.session.rollback()
    for state in ("approved", "partly_approved", "rejected", "cleared"):
        refused(postgres.dsn(database), "UPDATE payment_request SET state = %s", state)


def test_nothing_is_called_late_meanwhile(grant: World) -> None:
    with clock.at(NOW):
        held(grant)
    shown = agreements.view(get(Grant, grant.grant_id))

    assert shown.held(TODAY) is not None and shown.held(date(2023, 5, 3)) is None
    assert rules.held_part(shown.holds, {grant.city_id}, TODAY) is None


@shuts("agreements.hold", "agreements.hold_notice", "agreements.lift_hold")
def test_its_pages_tell_both_sides_and_are_shut_to_who_is_in_conflict(app: Flask, grant: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    place = f"/grants/{grant.reference}/hold"
    with clock.at(NOW):
        request_id = opened(grant)
        held(grant)
        otto = actors.client_of(app, actors.otto())
        with statements() as asked:
            page = text_of(otto.get(place))
        assert len(asked) <= 8
        assert "The procurement was not open." in page and "Suspend" in page
        with otto.get(f"{place}/1/notice") as notice:
            assert notice.status_code == 200
        reference = get(PaymentRequest, request_id).reference
        with statements() as asked:
            asked_for = text_of(otto.get(f"/finance/requests/{reference}"))
        assert len(asked) <= 10
        assert "The whole grant is suspended from 4 May 2023" in asked_for and "Your decision" in asked_for
        assert [otto.get(f"{place}/{number}/lift").status_code for number in (1, 2)] == [200, 404]
        assert send(otto, f"{place}/1/lift", words="").status_code == 422
        assert send(otto, f"{place}/1/lift", words="It was mended.").headers["Location"] == place
        assert "Lifted by Otto" in text_of(otto.get(place))
        fin = actors.client_of(app, actors.fin())
        assert "The grant is suspended" not in text_of(fin.get(place))
        assert fin.get(f"{place}/1/lift").status_code == 403
        user_id = actors.otto().user_id
        assert user_id is not None
        with arranging():
            people.bar(user_id, "application", grant.application_id)
        barred = actors.client_of(app, actors.otto())
        assert {barred.get(each).status_code for each in (place, f"{place}/1/notice", f"{place}/1/lift")} == {404}
