"""Additional pre-financing: the city states what it used of the first, and is paid more in advance, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.models import Grant, PaymentScheduleLine
from grants.agreements.rules import Percentages, limits, schedule
from grants.agreements.states import PaymentKind
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.duties import Duty
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentRequest, PaymentRequestPart, PrefinancingUse
from grants.payments.queries.expected import grant_strip
from grants.payments.rules import DecisionInput
from grants.payments.rules.additional import Asking, UseInput, missing, refuse_additional
from grants.payments.states import RequestState
from tests import actors
from tests.factories import identity as people
from tests.payments import test_part_terminated as part
from tests.payments.test_parts import authorised
from tests.payments.test_recoveries import right
from tests.payments.test_terminated import WHY, confirmed, proposed
from tests.payments.test_views import send
from tests.payments.world import IN_FORCE, World, report
from tests.shut import shuts
from tests.worlds import World as Made
from tests.worlds import Worlds

PAID = datetime(2023, 6, 1, 9, tzinfo=UTC)
NOW = datetime(2024, 2, 1, 9, tzinfo=UTC)
USED = UseInput(euros(120_000), date(2024, 1, 31), "Staff of both, and the first pumps.")


def agreed(found: World, amount: Money = euros(100_000)) -> None:
    """The agreement has additional pre-financing, where 70 per cent of the first was used."""
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        row.additional, row.additional_threshold = amount, 70
        db.session.add(
            PaymentScheduleLine(
                grant_id=row.id, number=2, kind=PaymentKind.ADDITIONAL.value, planned=amount, due_on=date(2024, 3, 1)
            )
        )


def opened(found: World) -> UUID:
    asked = services.open_prefinancing(actors.program(), found.grant_id)
    assert asked is not None
    services.decide(actors.otto(), asked.id, DecisionInput(euros(240_000)))
    return asked.id


def paid(request_id: UUID, amount: Money) -> None:
    order_id = authorised(request_id)
    services.export(actors.carl(), (order_id,), control_total=amount)
    services.execute(actors.carl(), order_id, value_on=clock.today())


@pytest.fixture(scope="session")
def advanced_world(worlds: Worlds, in_force_world: Made[World]) -> Made[World]:
    """210 000 were paid in advance on 1 June 2023; 100 000 more are agreed."""

    def made() -> World:
        found = in_force_world.told()
        with clock.at(IN_FORCE):
            actors.olga()
            agreed(found)
        with clock.at(PAID):
            paid(opened(found), euros(210_000))
        return found

    return worlds.of(made, like=in_force_world)


@pytest.fixture
def advanced(app: Flask, client: FlaskClient, advanced_world: Made[World]) -> World:
    return advanced_world.told()


def asked_for(found: World, given: UseInput = USED) -> PaymentRequest:
    made = services.ask_additional(actors.ana(), found.grant_id, given)
    return db.session.get_one(PaymentRequest, made.id, populate_existing=True)


def balance(found: World, account: Account) -> Money:
    return books.balance(account, grant_id=found.grant_id)


def again_duties(actor: Actor) -> list[Duty]:
    return [each for each in queries.duties(actor, clock.now()) if "ask again" in each.what]


def mailed() -> set[str]:
    return {each["template"] for each in db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send"))}


def test_what_is_missing_is_what_was_not_used_up_to_the_threshold() -> None:
    assert missing(euros(210_000), 70, euros(147_000)) == ZERO
    assert missing(euros(210_000), 70, euros(146_999)) == euros(1)
    # 70 % of 1.01 is 70.7 cents: of a cent in part nothing is missing.
    assert missing(Money(101), 70, Money(70)) == ZERO


@given(st.integers(1, 10**12), st.integers(1, 100), st.integers(0, 10**12))
def test_nothing_is_missing_at_the_threshold_and_a_cent_for_each_cent_below(paid: int, share: int, used: int) -> None:
    found = missing(Money(paid), share, Money(min(used, paid))).cents
    assert found == max(0, paid * share // 100 - min(used, paid))


def test_it_is_less_by_what_is_missing_paid_without_retention_and_cleared_like_the_first(advanced: World) -> None:
    with clock.at(NOW):
        row = asked_for(advanced)
        # 70 % of 210 000 is 147 000; 27 000 are missing.
        assert (row.kind, row.requested, row.state) == ("additional", euros(73_000), "submitted")
        assert (row.clock_event, row.due_on) == ("statement", date(2024, 3, 2))
        assert {"additional_asked", "additional_waits"} <= mailed()
        services.decide(actors.otto(), row.id, DecisionInput(euros(73_000)))
        assert balance(advanced, Account.PREFINANCING) == euros(313_000)
        assert balance(advanced, Account.RETENTION) == euros(30_000)
        assert balance(advanced, Account.PAYABLE) == euros(73_000)
        right()
        paid(row.id, euros(73_000))
        # The ceiling of 540 000 counts both: 227 000 are left below it, the rest is covered by what was paid in advance.
        asked = services.open_for_report(actors.program(), report(advanced, 1, euros(400_000)))
        assert asked is not None
        services.decide(actors.otto(), asked.id, DecisionInput(euros(400_000)))
        decided = get(PaymentRequest, asked.id)
        assert (decided.payable, decided.cleared) == (euros(227_000), euros(173_000))
        right()
    parts = db.session.scalars(select(PaymentRequestPart).where(PaymentRequestPart.request_id == row.id)).all()
    assert sum(each.payable.cents for each in parts) == 73_000_00 and all(not each.retained for each in parts)


def test_the_final_amount_counts_it_like_the_first(advanced: World) -> None:
    with clock.at(NOW):
        row = asked_for(advanced, replace(USED, used=euros(210_000)))
        assert row.requested == euros(100_000)
        services.decide(actors.otto(), row.id, DecisionInput(euros(100_000)))
        paid(row.id, euros(100_000))
        last = services.open_for_report(actors.program(), report(advanced, 1, euros(250_000), final=True))
        assert last is not None
        services.decide(actors.otto(), last.id, DecisionInput(euros(250_000)))
    # 310 000 were paid, 250 000 are the final amount.
    assert get(PaymentRequest, last.id).recoverable == euros(60_000)
    right()


def test_what_cannot_be_asked_for_is_refused_with_the_way_out(advanced: World) -> None:
    grant_id = advanced.grant_id
    with clock.at(NOW):
        with pytest.raises(NotAllowed):
            services.ask_additional(actors.fin(), grant_id, USED)
        with pytest.raises(NotAllowed):
            services.ask_additional(actors.marek(), grant_id, USED)
        for wrong, field in (
            (replace(USED, used=euros(210_001)), "used"),
            (replace(USED, used=Money(-1)), "used"),
            (replace(USED, used_until=date(2024, 2, 2)), "used_until"),
            (replace(USED, used_until=date(2023, 5, 31)), "used_until"),
            (replace(USED, words=" \u200b"), "words"),
        ):
            with pytest.raises(Invalid) as refused:
                services.ask_additional(actors.ana(), grant_id, wrong)
            assert set(refused.value.problems) == {field}
        with pytest.raises(
            Refused, match=r"nothing is left of the additional EUR 100\s000\.00\. Ask when more is used"
        ):
            services.ask_additional(actors.ana(), grant_id, replace(USED, used=euros(47_000)))
        with pytest.raises(Conflict):
            services.ask_additional(actors.ana(), grant_id, USED, version=99)
        assert asked_for(advanced, replace(USED, used=Money(47_000_01))).requested == Money(1)
        with pytest.raises(Refused, match="asked for already, as"):
            services.ask_additional(actors.ana(), grant_id, USED)


def test_only_of_pre_financing_that_was_paid_something_was_used(grant: World) -> None:
    with clock.at(NOW):
        with pytest.raises(Refused, match="has no additional pre-financing"):
            services.ask_additional(actors.ana(), grant.grant_id, USED)
        agreed(grant)
        with pytest.raises(Refused, match="not asked for yet"):
            services.ask_additional(actors.ana(), grant.grant_id, USED)
        request_id = opened(grant)
        with pytest.raises(Refused, match="not wholly paid yet"):
            services.ask_additional(actors.ana(), grant.grant_id, USED)
        services.cancel_request(actors.otto(), request_id, reason="It has not begun.")
        with pytest.raises(Refused, match="Nothing was paid of the pre-financing"):
            services.ask_additional(actors.ana(), grant.grant_id, USED)


def test_the_rule_names_each_reason() -> None:
    may = Asking(euros(1), 70, True, None, None, ("G-1", RequestState.PAID), euros(9), None, None, euros(9))
    refuse_additional(may)
    for changed, words in (
        (replace(may, running=False), "agreement in force"),
        (replace(may, ends_on=date(2024, 1, 1)), "1 January 2024"),
        (replace(may, balance="G-7"), "balance"),
        (replace(may, final=euros(9)), "balance"),
        (replace(may, room=ZERO), "nothing is left below the ceiling"),
    ):
        with pytest.raises(Refused, match=words):
            refuse_additional(changed)


def test_one_that_was_rejected_is_asked_for_by_a_new_statement(advanced: World) -> None:
    with clock.at(NOW):
        first = asked_for(advanced)
        services.reject(actors.otto(), first.id, reason="The pumps are not bought yet.")
        with pytest.raises(Refused, match="State anew what was used"):
            services.ask_again(actors.ana(), first.id, reply="They are.")
        (duty,) = again_duties(actors.ana())
        assert duty.endpoint == "payments.additional"
        again = asked_for(advanced, replace(USED, words="They came yesterday."))
        assert (again.replaces_id, again.reply) == (first.id, "They came yesterday.")
    assert len(db.session.scalars(select(PrefinancingUse)).all()) == 2


def test_nothing_is_asked_for_once_the_ceiling_is_reached(advanced: World) -> None:
    with clock.at(NOW):
        interim = services.open_for_report(actors.program(), report(advanced, 1, euros(300_000)))
        assert interim is not None
        services.decide(actors.otto(), interim.id, DecisionInput(euros(300_000)))
        with pytest.raises(Refused, match="nothing is left below the ceiling"):
            services.ask_additional(actors.ana(), advanced.grant_id, USED)


def test_what_no_longer_fits_below_the_ceiling_is_approved_in_part(app: Flask, advanced: World) -> None:
    """80 000 are left to all partners together and 20 000 below the ceiling, when 100 000 were asked for."""
    with clock.at(NOW):
        row = asked_for(advanced, replace(USED, used=euros(210_000)))
        interim = services.open_for_report(actors.program(), report(advanced, 1, euros(280_000)))
        assert interim is not None
        services.decide(actors.otto(), interim.id, DecisionInput(euros(280_000)))
        page = actors.client_of(app, actors.otto()).get(f"/finance/requests/{row.reference}").text
        assert "is left below the ceiling of" in page and "was used by 31 January 2024" in page
        with pytest.raises(Refused, match="is left below the ceiling of"):
            services.decide(actors.otto(), row.id, DecisionInput(euros(100_000)))
        services.decide(actors.otto(), row.id, DecisionInput(euros(20_000), "More is above the ceiling."))
        assert get(PaymentRequest, row.id).payable == euros(20_000)
        page = actors.client_of(app, actors.otto()).get(f"/finance/requests/{row.reference}").text
        assert "80\u00a0000.00" in page and "By a statement of use" in page
    right()


def test_one_that_was_rejected_ends_with_the_balance(app: Flask, advanced: World) -> None:
    page = f"/grants/{advanced.reference}/payments"
    with clock.at(NOW):
        ana, row = actors.ana(), asked_for(advanced)
        services.reject(actors.otto(), row.id, reason="The pumps are not bought yet.")
        assert [each.endpoint for each in again_duties(ana)] == ["payments.additional"]
        assert "Answer and ask again" in actors.client_of(app, ana).get(page).text
        services.open_for_report(actors.program(), report(advanced, 1, euros(250_000), final=True))
        assert again_duties(ana) == []
        assert "Answer and ask again" not in actors.client_of(app, ana).get(page).text
        with pytest.raises(Refused, match="balance of this grant is asked for"):
            services.ask_additional(ana, advanced.grant_id, USED)


def test_it_is_cancelled_unpaid_and_stopped_by_a_termination(advanced: World) -> None:
    with clock.at(NOW):
        row = asked_for(advanced)
        services.decide(actors.otto(), row.id, DecisionInput(row.requested))
        number = proposed(advanced, given=replace(WHY, wanted_on=date(2024, 6, 1), objections_until=date(2024, 3, 15)))
    confirmed(advanced, number, on=date(2024, 6, 1), at=datetime(2024, 4, 1, 9, tzinfo=UTC))
    with clock.at(datetime(2024, 4, 2, 9, tzinfo=UTC)):
        with pytest.raises(Refused, match="nothing more of it is pre-financed"):
            authorised(row.id)
        services.cancel_request(actors.otto(), row.id, reason="The grant ends.")
        assert get(PaymentRequest, row.id).state == "cancelled"
        assert balance(advanced, Account.PREFINANCING) == euros(240_000)
        right()


def test_what_falls_on_a_partner_whose_part_ends_is_held_back_of_it_and_the_rest_is_paid(advanced: World) -> None:
    with clock.at(part.NOW):
        asked = asked_for(advanced, UseInput(euros(180_000), part.NOW.date(), "Staff of both."))
        services.decide(actors.otto(), asked.id, DecisionInput(euros(100_000)))
    agency = books.balance(Account.PAYABLE, grant_id=advanced.grant_id, organisation_id=advanced.agency_id)
    part.confirmed(advanced, part.proposed(advanced))
    with clock.at(part.CONFIRMED_AT):
        with pytest.raises(Refused, match="falls on it is not paid ahead"):
            services.prepare(actors.fin(), asked.id)
        services.cancel_request(actors.otto(), asked.id, reason="Its part ends.", of=advanced.agency_id)
        assert balance(advanced, Account.PAYABLE) == euros(100_000) - agency and agency > ZERO
        paid(asked.id, euros(100_000) - agency)
    right()


def test_the_forecast_expects_it_on_its_day_until_it_is_decided(advanced: World) -> None:
    def expected() -> list[tuple[str, Money, str]]:
        outlook, _ = grant_strip(advanced.grant_id, clock.today())
        return [(each.name, each.amount, each.because) for each in outlook.lines if each.kind is PaymentKind.ADDITIONAL]

    with clock.at(NOW):
        assert expected() == [
            ("Additional pre-financing", euros(100_000), "when the city states what it used of the pre-financing")
        ]
        row = asked_for(advanced)
        assert expected() == [("Additional pre-financing", euros(73_000), f"when request {row.reference} is decided")]
        services.decide(actors.otto(), row.id, DecisionInput(row.requested))
        assert expected() == []
    right()


def test_both_stay_below_the_ceiling_and_the_schedule_pays_the_maximum() -> None:
    found = limits(Money(600_000_01), Percentages(Fraction(40), Fraction(60), Fraction(5), Fraction(20)))
    assert found.in_advance <= found.interim_ceiling and found.additional == Money(120_000_00)
    lines = schedule(Money(600_000_01), found, date(2023, 6, 1), [date(2024, 8, 1), date(2025, 8, 1)])
    assert [each.kind.value for each in lines] == ["prefinancing", "additional", "interim", "balance"][
        : len(lines)
    ] or [each.kind.value for each in lines] == ["prefinancing", "additional", "balance"]
    assert lines[1].due_on == date(2023, 12, 31)


@shuts("payments.additional")
def test_the_page_asks_explains_and_is_read_by_both_sides(app: Flask, advanced: World) -> None:
    page = f"/grants/{advanced.reference}/payments/additional"
    with clock.at(NOW):
        ana, otto = actors.ana(), actors.otto()
        assert page in actors.client_of(app, ana).get(f"/grants/{advanced.reference}/payments").text
        assert page in actors.client_of(app, otto).get(f"/grants/{advanced.reference}").text
        shown = actors.client_of(app, otto).get(page).text
        assert "Nobody has asked for it yet." in shown and "100\u00a0000.00" in shown
        version = get(Grant, advanced.grant_id).version
        typed = {"version": version, "used": "120 000,00", "used_until": "31 January 2024", "words": "Staff."}
        assert "Tick it" in send(app, ana, page, 422, **typed)
        assert "Enter from nought" in send(app, ana, page, 422, **{**typed, "used": "300000"}, declared="yes")
        send(app, ana, page, declared="yes", **typed)
        shown = actors.client_of(app, ana).get(page).text
        for words in ("73\u00a0000.00", "27\u00a0000.00", "to 70 %", "by 31 January 2024", "Waits for the decision"):
            assert words in shown
        told = actors.client_of(app, ana).get(
            f"/grants/{advanced.reference}/payments/{advanced.reference}-2/amounts/requested"
        )
        assert "Missing to 70\u00a0% of what was paid" in told.text and "was used by 31 January 2024" in told.text
        asked = actors.client_of(app, otto).get(f"/finance/requests/{advanced.reference}-2").text
        assert page in asked and "Additional pre-financing" in asked
        assert otto.user_id is not None
        with arranging():
            people.bar(otto.user_id, "application", advanced.application_id)
        assert actors.client_of(app, otto).get(page).status_code == 404
