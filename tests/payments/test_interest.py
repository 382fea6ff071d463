"""Interest on a debt that was paid late: reckoned with every number shown, confirmed by another person, paid or waived."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.core import clock, files
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.file_types import FileType
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.oversight import queries as oversight
from grants.payments import queries, services
from grants.payments.models import Recovery, RecoveryInterest, RecoveryReceipt
from grants.payments.rules import ReceiptInput
from grants.payments.rules.interest import InterestInput
from grants.rates import services as published
from grants.rates.rules import interest
from grants.rates.rules.converting import InterestAsked
from grants.rates.states import RateKind
from tests import actors
from tests.agreements.accounts import document
from tests.documents.stated import stated
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.payments.test_recoveries import DUE, established, overpaid, overpaid_world, right
from tests.payments.test_views import send
from tests.payments.world import IN_FORCE, World
from tests.shut import shuts

__all__ = ["overpaid", "overpaid_world"]

pytestmark = pytest.mark.usefixtures("app")

LATE = datetime(2024, 10, 15, 12, tzinfo=UTC)


def rates() -> None:
    """The reference rate is 4.25 per cent from 12 June 2024 on."""
    with clock.at(LATE):
        incoming = files.receive(
            FileStorage(io.BytesIO(b"Date,Rate\n2024-06-12,4.25\n"), filename="rates.csv"), allowed={FileType.CSV}
        )
        table_id = published.bring_in(actors.carl(), RateKind.REFERENCE, incoming, source="ECB")
        published.read(actors.carl(), table_id)
        published.accept(actors.carl(), table_id)


def paid_late(found: World, amount: int = 60_000) -> UUID:
    """Of 60 000 that were due on 15 September, so much came thirty days later."""
    recovery_id = established(found)
    rates()
    with clock.at(LATE):
        services.book_receipt(
            actors.carl(), recovery_id, ReceiptInput(euros(amount), DUE + timedelta(days=30), "STMT-90/1")
        )
    return recovery_id


def balance(found: World, account: Account) -> Money:
    return books.balance(account, grant_id=found.grant_id)


def test_interest_is_reckoned_confirmed_by_another_and_paid_by_what_comes_in(overpaid: World) -> None:
    recovery_id = paid_late(overpaid)
    with clock.at(LATE):
        made = services.book_interest(actors.fin(), recovery_id, InterestInput())
        # 60 000 x 7.75 % x 30 / 365
        assert made == Money(382_19)
        row = db.session.scalars(select(RecoveryInterest)).one()
        assert (row.principal, row.days, row.reference, row.reference_on, row.margin, row.table_number) == (
            euros(60_000),
            30,
            "4.25",
            date(2024, 6, 12),
            "3.5",
            1,
        )
        assert balance(overpaid, Account.INTEREST_RECEIVABLE) == ZERO
        with pytest.raises(Refused, match="bears no interest yet"):
            services.book_interest(actors.fin(), recovery_id, InterestInput())
        services.confirm_interest(actors.otto(), recovery_id)
        assert balance(overpaid, Account.INTEREST_RECEIVABLE) == Money(382_19)
        assert oversight.verify_ledger() == ()
        part = ReceiptInput(Money(100_00), LATE.date(), "STMT-91/1")
        services.book_receipt(actors.carl(), recovery_id, part)
        more = ReceiptInput(Money(300_00), LATE.date(), "STMT-91/2")
        services.book_receipt(actors.carl(), recovery_id, more)
        with pytest.raises(Refused, match="paid; it cannot book"):
            services.book_receipt(actors.carl(), recovery_id, ReceiptInput(euros(1), LATE.date(), "STMT-91/3"))

    assert balance(overpaid, Account.INTEREST_RECEIVABLE) == ZERO
    assert balance(overpaid, Account.UNIDENTIFIED) == Money(17_81)
    found = db.session.scalars(select(RecoveryReceipt).order_by(RecoveryReceipt.bank_reference)).all()
    assert [(each.amount, each.interest, each.above) for each in found] == [
        (euros(60_000), ZERO, ZERO),
        (ZERO, Money(100_00), ZERO),
        (ZERO, Money(282_19), Money(17_81)),
    ]
    db.session.rollback()
    assert oversight.verify_ledger() == ()
    right()


def test_the_closing_list_notes_interest_to_reckon_and_waits_while_it_is_not_confirmed(overpaid: World) -> None:
    def told() -> list[tuple[str, str]]:
        lines = queries.lines_of(overpaid.grant_id)
        return [(each.label, each.state.value) for each in lines if each.place == "Interest"]

    recovery_id = paid_late(overpaid)
    assert told() == [("Interest to reckon", "noted")]
    with clock.at(LATE):
        services.book_interest(actors.fin(), recovery_id, InterestInput())
        assert told() == [("Interest", "open")]
        assert "neither confirmed nor refused" in str(services.closure_problems(overpaid.grant_id))
        services.confirm_interest(actors.otto(), recovery_id)
    assert told() == []


def test_one_receipt_pays_the_debt_first_and_then_the_interest_that_is_confirmed(overpaid: World) -> None:
    recovery_id = paid_late(overpaid, 10_000)
    with clock.at(LATE):
        due = services.book_interest(actors.fin(), recovery_id, InterestInput())
        services.confirm_interest(actors.otto(), recovery_id)
        services.book_receipt(actors.carl(), recovery_id, ReceiptInput(euros(50_000) + due, LATE.date(), "STMT-92/1"))
    assert (balance(overpaid, Account.RECOVERY_RECEIVABLE), balance(overpaid, Account.INTEREST_RECEIVABLE)) == (
        ZERO,
        ZERO,
    )
    right()
    # The register lists what came whole, interest and all.
    assert stated(overpaid, LATE) == (euros(150_000), euros(150_000) - due)


def test_interest_takes_two_people_and_its_waiver_a_third_with_a_document(overpaid: World) -> None:
    recovery_id = paid_late(overpaid)
    with clock.at(LATE):
        for person in (actors.otto(), actors.carl(), actors.ana(), actors.nuria()):
            with pytest.raises(NotAllowed):
                services.book_interest(person, recovery_id, InterestInput())
        for given_ in (
            InterestInput(Decimal(-1)),
            InterestInput(Decimal(21)),
            InterestInput(Decimal("0.00001")),
            InterestInput(Decimal(1), 364),
        ):
            with pytest.raises(Invalid):
                services.book_interest(actors.fin(), recovery_id, given_)
        services.book_interest(actors.fin(), recovery_id, InterestInput(Decimal(8)))
        services.refuse_interest(actors.otto(), recovery_id, reason="The agreement says 3.5.")
        services.book_interest(actors.fin(), recovery_id, InterestInput())
        with pytest.raises(NotAllowed):
            services.confirm_interest(actors.fin(), recovery_id)
        services.confirm_interest(actors.otto(), recovery_id)
        with pytest.raises(Refused, match="You confirmed this interest"):
            services.waive_interest(actors.otto(), recovery_id, reason="x", document=document())
        with pytest.raises(Invalid):
            services.waive_interest(actors.olga(), recovery_id, reason="x", document=None)
        waived = services.waive_interest(actors.olga(), recovery_id, reason="Decision 14.", document=document())
        with pytest.raises(Refused, match="No interest on this debt is open"):
            services.waive_interest(actors.olga(), recovery_id, reason="x", document=document())

    assert waived == Money(382_19) == balance(overpaid, Account.WAIVED)
    assert balance(overpaid, Account.INTEREST_RECEIVABLE) == ZERO
    right()
    assert stated(overpaid, LATE) == (euros(150_000), euros(150_000))


def test_numbers_that_were_not_shown_are_not_confirmed(overpaid: World) -> None:
    """Another tab: what was reckoned is refused and reckoned anew while somebody looks at the first numbers."""
    recovery_id = paid_late(overpaid)
    with clock.at(LATE):
        services.book_interest(actors.fin(), recovery_id, InterestInput())
        seen = db.session.get_one(Recovery, recovery_id, populate_existing=True).version
        services.refuse_interest(actors.otto(), recovery_id, reason="The agreement says 8 points.")
        services.book_interest(actors.fin(), recovery_id, InterestInput(Decimal(8)))
        with pytest.raises(Conflict):
            services.confirm_interest(actors.otto(), recovery_id, version=seen)


def test_who_reckoned_interest_waives_none_of_it(overpaid: World) -> None:
    recovery_id = paid_late(overpaid)
    with clock.at(LATE):
        olga = actors.olga().user_id
        assert olga is not None
        with arranging():
            people.role(olga, Role.FINANCE_INITIATOR)
        services.book_interest(actors.olga(), recovery_id, InterestInput())
        services.confirm_interest(actors.otto(), recovery_id)
        with pytest.raises(Refused, match="You reckoned this interest"):
            services.waive_interest(actors.olga(), recovery_id, reason="Decision 14.", document=document())
    assert balance(overpaid, Account.INTEREST_RECEIVABLE) == Money(382_19)


def test_confirmed_interest_is_told_to_the_city_and_is_a_duty_until_it_is_paid(app: Flask, overpaid: World) -> None:
    recovery_id = paid_late(overpaid)
    words = "interest is confirmed and not paid"

    def waits(person: Actor) -> list[str]:
        return [each.what for each in queries.duties(person, LATE) if words in each.why]

    with clock.at(LATE):
        due = services.book_interest(actors.fin(), recovery_id, InterestInput())
        assert waits(actors.carl()) == waits(actors.ana()) == []
        services.confirm_interest(actors.otto(), recovery_id)
        told = select(Job.args).where(Job.name == "jobs.mail.send")
        mails = [each for each in db.session.scalars(told) if each["template"] == "recovery_interest_owed"]
        assert [(each["user_id"], each["context"]["amount"]) for each in mails] == [
            (str(actors.ana().user_id), str(due))
        ]
        assert waits(actors.carl()) == ["Book the interest WARM pays on its late debt"]
        assert waits(actors.ana()) == ["Pay the interest on the late debt of WARM"]
        services.book_receipt(actors.carl(), recovery_id, ReceiptInput(due, LATE.date(), "STMT-91/1"))
        assert waits(actors.carl()) == waits(actors.ana()) == []


def test_without_a_known_rate_nothing_is_reckoned(overpaid: World) -> None:
    recovery_id = established(overpaid)
    with clock.at(LATE):
        services.book_receipt(actors.carl(), recovery_id, ReceiptInput(euros(1), LATE.date(), "STMT-90/1"))
        with pytest.raises(Invalid, match="No reference rate that held on 1 September 2024 is known"):
            services.book_interest(actors.fin(), recovery_id, InterestInput())


@shuts("payments.interest_waiver")
def test_the_page_shows_every_number_leads_on_and_its_waiver_is_shut(
    app: Flask, client: FlaskClient, overpaid: World
) -> None:
    with clock.at(IN_FORCE):
        fin, otto, olga = actors.fin(), actors.otto(), actors.olga()
    paid_late(overpaid)
    debt = f"/grants/{overpaid.reference}/recovery/1"

    def duties(person: Actor) -> list[str]:
        return [each.what for each in queries.duties(person, LATE) if each.endpoint == "payments.debt"]

    with clock.at(LATE):
        assert duties(fin) == ["Reckon interest on the late debt of WARM"]
        assert "Reckon the interest" in actors.client_of(app, fin).get(debt).text
        assert "points of the agreement" in send(app, fin, f"{debt}/interest", 422, margin="a lot", day_count="365")
        send(app, fin, f"{debt}/interest", margin="3,5", day_count="365", act_key="as-every-browser-sends")
        assert (duties(fin), duties(otto)) == ([], ["Confirm interest on the late debt of WARM"])
        send(app, otto, f"{debt}/interest/confirm")
        shown = actors.client_of(app, otto).get(debt).text
        for words in ("4.25 % since 12 June 2024", "table 1", "382.19", "60\u00a0000.00"):
            assert words in shown
        assert "Waive EUR 382.19" in actors.client_of(app, olga).get(debt).text
        waived = {"reason": "Decision 14.", "file": (io.BytesIO(PDF), "decision.pdf")}
        send(app, olga, f"{debt}/interest/waive", **waived)
        with actors.client_of(app, otto).get(f"{debt}/interest/decision") as decision:
            assert decision.data == PDF
        assert otto.user_id is not None
        with arranging():
            people.bar(otto.user_id, "application", overpaid.application_id)
        assert actors.client_of(app, otto).get(f"{debt}/interest/decision").status_code == 404


@given(
    st.integers(1, 10**12),
    st.integers(0, 4_000),
    st.integers(0, 2_000),
    st.integers(0, 2_000),
    st.sampled_from((360, 365)),
)
def test_interest_grows_with_days_and_is_the_exact_share_rounded_once(
    cents: int, days: int, reference: int, margin: int, year: int
) -> None:
    due = date(2024, 1, 31)

    def of(late: int) -> int:
        asked = InterestAsked(Money(cents), due, due + timedelta(days=late), Decimal(margin) / 100, year)
        return interest(asked, (date(2024, 1, 1), Decimal(reference) / 100)).amount.cents

    exact = cents * (reference + margin) * days / (10_000 * year)
    assert of(0) == 0
    assert of(days) <= of(days + 1)
    assert abs(of(days) - exact) <= 0.5 + exact * 1e-12
