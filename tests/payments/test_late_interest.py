"""What we owe for what we paid late, and what was approved ahead and never paid: reckoned, decided, paid or cancelled by people apart."""

from __future__ import annotations

import io
from dataclasses import replace
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

from grants.agreements.models import Grant
from grants.core import acts, clock, files
from grants.core.acts import act, arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.file_types import FileType
from grants.core.money import ZERO, Money, euros
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission
from grants.documents.queries import payments as paid_of
from grants.identity.models import Organisation
from grants.identity.policy import Role
from grants.identity.states import OrganisationKind
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import LateInterest, OwnAccount, PaymentOrder, PaymentRequest
from grants.payments.queries.late_interest import late_page
from grants.payments.rules import DecisionInput
from grants.payments.rules.ahead import UnpaidAhead, cancellable, refuse_unpaid_ahead
from grants.payments.rules.amounts_asked import RequestFigure
from grants.payments.rules.late_interest import (
    LateInterestInput,
    NothingOwed,
    PublicRule,
    months_later,
    nothing_owed,
)
from grants.payments.services.booking import CameBack, book_returned
from grants.payments.services.locks import scope_of_order
from grants.payments.states import SuspensionReason
from grants.rates import services as published
from grants.rates.states import RateKind
from tests import actors
from tests.documents.conftest import column, table
from tests.documents.stated import stated, statement
from tests.factories import identity as people
from tests.payments.test_parts import authorised
from tests.payments.test_recoveries import right
from tests.payments.test_views import send
from tests.payments.world import IN_FORCE, SEEN, World, report
from tests.shut import shuts
from tests.worlds import World as Made
from tests.worlds import Worlds

pytestmark = pytest.mark.usefixtures("app")

# The pre-financing is due thirty days after 2 May 2023, or ten before 1 June: on 1 June.
DUE = date(2023, 6, 1)
PAID = DUE + timedelta(days=30)
NOW = datetime(2023, 7, 3, 12, tzinfo=UTC)
OWED = LateInterestInput(PublicRule.OWED_TO_ALL)


def rates() -> None:
    """The reference rate is 3.75 per cent from 10 May 2023 on."""
    incoming = files.receive(
        FileStorage(io.BytesIO(b"Date,Rate\n2023-05-10,3.75\n"), filename="rates.csv"), allowed={FileType.CSV}
    )
    table_id = published.bring_in(actors.carl(), RateKind.REFERENCE, incoming, source="ECB")
    published.read(actors.carl(), table_id)
    published.accept(actors.carl(), table_id)


def opened(found: World) -> UUID:
    """The pre-financing is approved, and in no order."""
    services.open_prefinancing(actors.program(), found.grant_id)
    request_id = db.session.scalars(select(PaymentRequest.id).order_by(PaymentRequest.number.desc())).first()
    assert request_id is not None
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    return request_id


def paid(found: World, on: date = PAID) -> UUID:
    """The pre-financing is paid, on this day."""
    with clock.at(datetime(2023, 6, 1, 7, tzinfo=UTC)):
        request_id = opened(found)
        order_id = authorised(request_id)
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))
    with clock.at(NOW):
        services.execute(actors.carl(), order_id, value_on=on)
        rates()
    return request_id


@pytest.fixture(scope="session")
def late_world(worlds: Worlds, in_force_world: Made[World]) -> Made[tuple[World, UUID]]:
    """210 000 were due on 1 June 2023 and left the bank thirty days later."""

    def made() -> tuple[World, UUID]:
        found = in_force_world.told()
        with clock.at(IN_FORCE):
            actors.olga()
            _ruth()
        return found, paid(found)

    return worlds.of(made, like=in_force_world)


@pytest.fixture
def late(app: Flask, client: FlaskClient, late_world: Made[tuple[World, UUID]]) -> tuple[World, UUID]:
    return late_world.told()


def _ruth() -> Actor:
    """Ruth keeps the books beside Carl."""
    return actors.actor(actors.person("Ruth Accountant", Role.ACCOUNTING_OFFICER))


def balance(found: World, account: Account) -> Money:
    return books.balance(account, grant_id=found.grant_id)


def reckoned(request_id: UUID, given: LateInterestInput = OWED) -> Money:
    with clock.at(NOW):
        return services.book_late_interest(actors.fin(), request_id, given)


def test_it_is_reckoned_by_one_decided_by_another_and_paid_beside_the_grant(late: tuple[World, UUID]) -> None:
    found, request_id = late
    counted = books.of(grant_id=found.grant_id).counted_to_ceiling

    # 210 000 x (3.75 + 3.5) % x 30 / 365.
    assert reckoned(request_id) == Money(1_251_37)
    with clock.at(NOW):
        with pytest.raises(Refused, match="bears no interest yet"):
            services.book_late_interest(actors.fin(), request_id, OWED)
        with pytest.raises(NotAllowed):
            services.confirm_late_interest(actors.fin(), request_id)
        assert services.confirm_late_interest(actors.otto(), request_id) == Money(1_251_37)
    assert balance(found, Account.INTEREST_PAYABLE) == balance(found, Account.INTEREST_COSTS) == Money(1_251_37)
    assert balance(found, Account.PAYABLE) == ZERO

    paying = db.session.scalars(select(PaymentRequest).order_by(PaymentRequest.number.desc())).first()
    assert paying is not None and (paying.kind, paying.payable) == ("late_interest", Money(1_251_37))
    with clock.at(NOW):
        order_id = authorised(paying.id)
        services.export(actors.carl(), (order_id,), control_total=Money(1_251_37))
        assert balance(found, Account.INTEREST_IN_TRANSIT) == Money(1_251_37)
        right()
        services.execute(actors.carl(), order_id, value_on=NOW.date())
    db.session.expire_all()
    assert db.session.get_one(PaymentRequest, paying.id).state == "paid"
    assert balance(found, Account.INTEREST_IN_TRANSIT) == balance(found, Account.INTEREST_PAYABLE) == ZERO
    after = books.of(grant_id=found.grant_id)
    assert (after.counted_to_ceiling, after[Account.CONSUMED]) == (counted, euros(210_000))
    right()
    # The register lists it; paid of the grant it is not.
    assert stated(found, NOW) == (euros(210_000), Money(211_251_37))


def test_interest_that_comes_back_is_sent_again(late: tuple[World, UUID]) -> None:
    found, request_id = late
    reckoned(request_id)
    with clock.at(NOW):
        services.confirm_late_interest(actors.otto(), request_id)
        paying = db.session.scalars(select(PaymentRequest.id).order_by(PaymentRequest.number.desc())).first()
        assert paying is not None
        order_id = authorised(paying)
        services.export(actors.carl(), (order_id,), control_total=Money(1_251_37))
        services.reject_by_bank(_ruth(), order_id, reason="MS03 no reason", on=NOW.date())
        assert balance(found, Account.INTEREST_PAYABLE) == Money(1_251_37)
        right()
        again = services.reissue(actors.fin(), order_id).id
        services.verify(actors.vera(), again, evidence=SEEN)
        services.authorise(actors.otto(), again, evidence=SEEN)
        services.export(actors.carl(), (again,), control_total=Money(1_251_37))
        services.execute(actors.carl(), again, value_on=NOW.date())
    assert balance(found, Account.INTEREST_PAYABLE) == balance(found, Account.RETURNED) == ZERO
    right()


def test_where_every_beneficiary_is_public_none_is_owed_and_that_is_decided_too(late: tuple[World, UUID]) -> None:
    found, request_id = late
    with arranging():
        for each in (found.city_id, found.agency_id):
            db.session.get_one(Organisation, each).kind = OrganisationKind.MUNICIPALITY.value
    entries = books.count_entries()

    assert reckoned(request_id, LateInterestInput(PublicRule.NONE_TO_PUBLIC)) == ZERO
    with clock.at(NOW):
        assert services.confirm_late_interest(actors.otto(), request_id) == ZERO
    (line,) = late_page(actors.fin(), found.reference, f"{found.reference}-1").lines
    assert (line.reckoned, line.amount, line.nothing) == (Money(1_251_37), ZERO, NothingOwed.PUBLIC)
    assert books.count_entries() == entries


def test_one_private_beneficiary_is_enough_for_interest(late: tuple[World, UUID]) -> None:
    found, request_id = late
    with arranging():
        db.session.get_one(Organisation, found.agency_id).kind = OrganisationKind.AGENCY.value

    assert reckoned(request_id, LateInterestInput(PublicRule.NONE_TO_PUBLIC)) == Money(1_251_37)


def test_what_was_refused_is_reckoned_anew(late: tuple[World, UUID]) -> None:
    found, request_id = late
    reckoned(request_id)
    with clock.at(NOW):
        with pytest.raises(Invalid):
            services.refuse_late_interest(actors.otto(), request_id, reason=" ")
        services.refuse_late_interest(actors.otto(), request_id, reason="The agreement says 3 points.")
    assert reckoned(request_id, LateInterestInput(PublicRule.OWED_TO_ALL, Decimal(3))) == Money(1_165_07)
    states = db.session.scalars(select(LateInterest.state).order_by(LateInterest.booked_at, LateInterest.state)).all()
    assert sorted(states) == ["proposed", "refused"]
    assert found.grant_id


def test_a_small_amount_is_not_decided_while_the_city_may_still_ask(late: tuple[World, UUID]) -> None:
    """Confirmed as nothing owed it could never be reckoned again."""
    _, request_id = late
    small = LateInterestInput(PublicRule.OWED_TO_ALL, minimum=euros(2_000))
    assert reckoned(request_id, small) == ZERO
    with clock.at(datetime(2023, 9, 1, 12, tzinfo=UTC)):
        with pytest.raises(Refused, match="may ask for it until 1 September 2023"):
            services.confirm_late_interest(actors.otto(), request_id)
        services.refuse_late_interest(actors.otto(), request_id, reason="The city asks for it today.")
        asked = replace(small, asked_on=date(2023, 9, 1))
        assert services.book_late_interest(actors.fin(), request_id, asked) == Money(1_251_37)
        assert services.confirm_late_interest(actors.otto(), request_id) == Money(1_251_37)


def test_interest_waits_on_the_pages_of_who_reckons_it_and_of_who_decides(late: tuple[World, UUID]) -> None:
    found, request_id = late

    def asked(who: Actor) -> list[str]:
        told = [each for each in queries.duties(who, NOW) if each.endpoint == "payments.late_interest"]
        assert all(each.values == {"ref": found.reference, "asked": f"{found.reference}-1"} for each in told)
        return [each.what for each in told]

    assert (asked(actors.fin()), asked(actors.otto())) == (["Reckon the interest for the late payment to WARM"], [])
    reckoned(request_id)
    both = actors.give(actors.fin().user_id, Role.AUTHORISING_OFFICER, "grant", found.grant_id)
    assert (asked(both), asked(actors.otto())) == ([], ["Decide on the interest for the late payment to WARM"])
    with clock.at(NOW):
        services.confirm_late_interest(actors.otto(), request_id)
    assert (asked(actors.fin()), asked(actors.otto())) == ([], [])


def test_who_reckoned_does_not_decide(late: tuple[World, UUID]) -> None:
    found, request_id = late
    both = actors.give(actors.otto().user_id, Role.FINANCE_INITIATOR, "grant", found.grant_id)
    with clock.at(NOW):
        services.book_late_interest(both, request_id, OWED)
        for deed in (
            lambda: services.confirm_late_interest(both, request_id),
            lambda: services.refuse_late_interest(both, request_id, reason="Mine."),
        ):
            with pytest.raises(Refused, match="somebody else must decide"):
                deed()


def test_numbers_that_were_not_shown_are_not_confirmed(late: tuple[World, UUID]) -> None:
    """Another tab: what was reckoned is refused and reckoned anew while somebody looks at the first numbers."""
    found, request_id = late
    reckoned(request_id)
    with clock.at(NOW):
        seen = late_page(actors.otto(), found.reference, f"{found.reference}-1").version
        services.refuse_late_interest(actors.otto(), request_id, reason="The agreement says 8 points.")
        reckoned(request_id, LateInterestInput(PublicRule.OWED_TO_ALL, Decimal(8)))
        with pytest.raises(Conflict):
            services.confirm_late_interest(actors.otto(), request_id, version=seen)
        seen = late_page(actors.otto(), found.reference, f"{found.reference}-1").version
        assert services.confirm_late_interest(actors.otto(), request_id, version=seen) == Money(2_028_08)


@act("test_world.send_back", needs=Permission.PAYMENT_ORDER_EXECUTE, scope=scope_of_order, says="sent a payment back")
def _sent_back(actor: Actor, order_id: UUID, on: date) -> None:
    acts.reason("MS03 no reason")
    order, own = get(PaymentOrder, order_id), db.session.scalars(select(OwnAccount.id)).first()
    assert own is not None
    book_returned(CameBack(order, get(Grant, order.grant_id), "MS03 no reason", on), own)


def test_what_came_back_and_is_paid_again_bears_no_day_of_interest_twice(late: tuple[World, UUID]) -> None:
    """210 000 x 7.25 % x 49 / 365 are 2 043.90 in all: 30 days were confirmed before the money came back."""
    found, request_id = late
    again_on = date(2023, 7, 20)
    reckoned(request_id)
    with clock.at(NOW):
        services.confirm_late_interest(actors.otto(), request_id)
        order_id = db.session.scalars(select(PaymentOrder.id)).one()
    with clock.at(datetime(2023, 7, 20, 12, tzinfo=UTC)):
        _sent_back(actors.carl(), order_id, date(2023, 7, 4))
        again = services.reissue(actors.fin(), order_id).id
        services.verify(actors.vera(), again, evidence=SEEN)
        services.authorise(actors.otto(), again, evidence=SEEN)
        services.export(actors.carl(), (again,), control_total=euros(210_000))
        services.execute(actors.carl(), again, value_on=again_on)
        assert services.book_late_interest(actors.fin(), request_id, OWED) == Money(2_043_90 - 1_251_37)
        services.confirm_late_interest(actors.otto(), request_id)
    second = db.session.scalars(select(LateInterest).where(LateInterest.order_id == again)).one()
    assert (second.due_on, second.paid_on, second.days) == (PAID, again_on, 19)
    # The rate is that of the month in which it was due.
    assert (second.reference, second.reference_on) == ("3.75", date(2023, 5, 10))
    assert balance(found, Account.INTEREST_COSTS) == Money(2_043_90)
    right()


def test_what_was_paid_in_time_bears_none(grant: World) -> None:
    request_id = paid(grant, on=DUE)

    with pytest.raises(Refused, match="Nothing of this request was paid after its due day"):
        reckoned(request_id)


def test_days_of_a_suspension_do_not_count(grant: World) -> None:
    """The due day moves by them, so interest begins after it."""
    found = grant
    with clock.at(datetime(2023, 5, 10, 9, tzinfo=UTC)):
        request_id = opened(found)
        services.suspend(
            actors.fin(), request_id, reason=SuspensionReason.MISSING_DOCUMENTS, notice="Send the account."
        )
    with clock.at(datetime(2023, 5, 30, 9, tzinfo=UTC)):
        services.lift(actors.fin(), request_id, reason="It came.")
    with clock.at(NOW):
        order_id = authorised(request_id)
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))
        services.execute(actors.carl(), order_id, value_on=NOW.date())
        rates()
        services.book_late_interest(actors.fin(), request_id, OWED)
    line = db.session.scalars(select(LateInterest)).one()
    assert (line.due_on, line.days) == (DUE + timedelta(days=20), 12)


@given(st.integers(0, 40_000), st.integers(0, 40_000), st.integers(0, 200) | st.none(), st.booleans())
def test_a_small_amount_is_owed_only_if_it_is_asked_for_in_time(
    cents: int, minimum: int, after: int | None, all_public: bool
) -> None:
    asked_on = None if after is None else PAID + timedelta(days=after)
    given_ = LateInterestInput(PublicRule.NONE_TO_PUBLIC, minimum=Money(minimum), asked_on=asked_on)

    found = nothing_owed(given_, Money(cents), PAID, all_public=all_public)

    in_time = asked_on is not None and asked_on <= months_later(PAID, 2)
    if all_public:
        assert found is NothingOwed.PUBLIC
    else:
        assert (found is NothingOwed.SMALL) == (cents <= minimum and not in_time)


def test_nothing_is_set_off_against_interest(late: tuple[World, UUID]) -> None:
    found, request_id = late
    reckoned(request_id)
    with clock.at(NOW):
        services.confirm_late_interest(actors.otto(), request_id)
    paying = db.session.scalars(select(PaymentRequest).order_by(PaymentRequest.number.desc())).first()
    assert paying is not None
    assert paying.id not in {each.request_id for each in queries.offset_choices(actors.carl(), found.grant_id)}


@shuts("payments.late_interest")
def test_its_page_shows_every_number_and_the_city_reads_it(app: Flask, late: tuple[World, UUID]) -> None:
    found, _ = late
    page = f"/grants/{found.reference}/payments/{found.reference}-1/interest"
    with clock.at(NOW):
        fin, otto, ana = actors.fin(), actors.otto(), actors.ana()
        assert page in actors.client_of(app, fin).get(f"/grants/{found.reference}/payments").text
        assert page in actors.client_of(app, fin).get(f"/finance/requests/{found.reference}-1").text
        shown = actors.client_of(app, fin).get(page).text
        assert "Reckon the interest" in shown
        typed = {"public_rule": "owed_to_all", "day_count": "365", "minimum": "200,00", "asked_on": ""}
        assert "points of the agreement" in send(app, fin, page, 422, margin="a lot", **typed)
        assert "Choose what the agreement says" in send(app, fin, page, 422, margin="3.5", day_count="365", minimum="1")
        send(app, fin, page, margin="3,5", **typed)
        assert "Decide on the interest" in actors.client_of(app, otto).get(page).text
        send(app, otto, f"{page}/confirm")
        shown = actors.client_of(app, ana).get(page).text
        for words in (
            "3.75 % since 10 May 2023",
            "table 1",
            "1\u00a0251.37",
            "210\u00a0000.00",
            "Owed",
            "Municipality of",
        ):
            assert words in shown
        assert "Reckon the interest" not in shown
        # Who reckoned and who decided is the programme's to see.
        assert fin.name not in shown and otto.name not in shown
        assert fin.name in actors.client_of(app, otto).get(page).text
        for figure in ("requested", "payable", "net"):
            told = actors.client_of(app, ana).get(page.replace("-1/interest", f"-2/amounts/{figure}"))
            assert told.status_code == 200 and "1\u00a0251.37" in told.text
        pays = actors.client_of(app, otto).get(f"/finance/requests/{found.reference}-2").text
        assert page in pays and "Interest for late payment" in pays
        assert f"{found.reference}-2" in actors.client_of(app, ana).get(f"/grants/{found.reference}/payments").text
        assert actors.client_of(app, otto).get(page.replace("-1/interest", "-2/interest")).status_code == 404
        for figure in RequestFigure:
            said = actors.client_of(app, ana).get(
                f"/grants/{found.reference}/payments/{found.reference}-2/amounts/{figure}"
            )
            assert said.status_code == 200 and "do not add up" not in said.text, figure
        assert otto.user_id is not None
        with arranging():
            people.bar(otto.user_id, "application", found.application_id)
        assert actors.client_of(app, otto).get(page).status_code == 404


# ------------------------------------------------------------------- approved ahead and never paid


def test_a_balance_does_not_claim_what_was_approved_and_never_paid(grant: World) -> None:
    found = grant
    request_id = opened(found)
    services.open_for_report(actors.program(), report(found, 1, euros(100_000), final=True))
    balance_id = db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "balance")).one()

    with pytest.raises(Refused, match=r"would claim EUR 110.000\.00 back, but EUR 210.000\.00 of the pre-financing"):
        services.decide(actors.otto(), balance_id, DecisionInput(euros(100_000)))

    with pytest.raises(Invalid):
        services.cancel_request(actors.otto(), request_id, reason="")
    services.cancel_request(actors.otto(), request_id, reason="The pilot ended before it was paid.")
    assert balance(found, Account.PREFINANCING) == balance(found, Account.RETENTION) == ZERO
    db.session.expire_all()
    assert db.session.get_one(PaymentRequest, request_id).state == "cancelled"
    told = paid_of.requests(found.grant_id, clock.now() + timedelta(days=1))
    assert [each.state for each in told] == ["Approved, EUR 210\u00a0000.00 cancelled unpaid", "Waits for its decision"]
    assert paid_of.requests(found.grant_id, clock.now() - timedelta(days=1)) == []
    with pytest.raises(Refused, match="Nothing of this request waits"):
        services.cancel_request(actors.otto(), request_id, reason="Again.")
    services.decide(actors.otto(), balance_id, DecisionInput(euros(100_000)))
    paid_now = db.session.get_one(PaymentRequest, balance_id)
    assert (paid_now.payable, paid_now.recoverable) == (euros(100_000), ZERO)
    right()
    # Its statement says so, and sums what is payable without it.
    now = clock.now()
    assert stated(found, now) == (ZERO, ZERO)
    requests = table(statement(found, now), "Payment requests")
    assert column(requests, "Payable") == [ZERO, euros(100_000)]
    assert column(requests, "State")[0] == f"Approved, {euros(210_000)} cancelled unpaid"


def test_what_is_in_an_order_is_not_cancelled(grant: World) -> None:
    found = grant
    request_id = opened(found)
    order_id = services.prepare(actors.fin(), request_id).id

    with pytest.raises(Refused, match="in an order"):
        services.cancel_request(actors.otto(), request_id, reason="Not paid any more.")
    services.cancel(actors.fin(), order_id, reason="Not paid any more.")
    services.cancel_request(actors.otto(), request_id, reason="Not paid any more.")
    assert db.session.scalars(select(PaymentOrder.state)).one() == "cancelled"
    right()


def test_of_what_costs_cleared_the_rest_alone_is_cancelled(grant: World) -> None:
    """350 000 of costs: 300 000 are payable under the ceiling, 50 000 are covered by pre-financing that nobody has."""
    found = grant
    request_id = opened(found)
    services.open_for_report(actors.program(), report(found, 1, euros(350_000)))
    interim = db.session.scalars(select(PaymentRequest.id).where(PaymentRequest.kind == "interim")).one()
    services.decide(actors.otto(), interim, DecisionInput(euros(350_000)))

    services.cancel_request(actors.otto(), request_id, reason="Not paid any more.")

    assert (balance(found, Account.PREFINANCING), balance(found, Account.RETENTION)) == (ZERO, euros(30_000))
    db.session.expire_all()
    assert db.session.get_one(PaymentRequest, request_id).state == "approved"
    assert queries.request(actors.fin(), f"{found.reference}-1").to_order == euros(20_000)

    order_id = authorised(request_id)
    assert waiting(actors.fin()) == sorted(
        [f"{found.reference}-2", db.session.get_one(PaymentOrder, order_id).reference]
    )
    services.export(actors.carl(), (order_id,), control_total=euros(20_000))
    services.execute(actors.carl(), order_id, value_on=clock.today())

    db.session.expire_all()
    assert db.session.get_one(PaymentRequest, request_id).state == "paid"
    assert waiting(actors.fin()) == [f"{found.reference}-2"]
    right()


def waiting(actor: Actor) -> list[str]:
    """What is on its way to payment, by reference."""
    return sorted(row.reference for row in queries.inbox(actor, Page()).rows.items)


@given(*(st.integers(0, 10_000).map(Money) for _ in range(3)))
def test_what_is_cancelled_never_exceeds_what_is_open(left: Money, retained: Money, outstanding: Money) -> None:
    amount, kept = cancellable(left, retained, outstanding)

    assert amount + kept <= outstanding and amount <= left
    if outstanding >= left + retained:
        assert (amount, kept) == (left, retained)


def test_the_way_out_names_the_orders() -> None:
    with pytest.raises(Refused, match="Wait until the bank has booked P-1, or cancel it"):
        refuse_unpaid_ahead([UnpaidAhead("G-1", euros(5), ("P-1",))], euros(1), euros(5))
    with pytest.raises(Refused, match="Pay it, or cancel it on its page"):
        refuse_unpaid_ahead([UnpaidAhead("G-1", euros(5))], euros(1), euros(5))
    refuse_unpaid_ahead([], euros(1), euros(5))


def test_what_costs_cleared_is_due_for_them_and_holds_no_balance_up() -> None:
    """It can be neither cancelled nor, where the grant is to end, paid before the balance: there would be no way out."""
    refuse_unpaid_ahead([UnpaidAhead("G-1", euros(5))], euros(1), ZERO)


def test_the_page_of_a_request_cancels_what_was_never_paid(app: Flask, client: FlaskClient, grant: World) -> None:
    opened(grant)
    page = f"/finance/requests/{grant.reference}-1"
    otto = actors.otto()
    assert "Cancel the part of it that was never paid" in actors.client_of(app, otto).get(page).text
    assert "that was never paid" not in actors.client_of(app, actors.fin()).get(page).text
    send(app, otto, f"{page}/cancel", reason="The pilot ended.")
    shown = actors.client_of(app, otto).get(page).text
    assert "Cancelled unpaid" in shown and "The pilot ended." in shown and "210\u00a0000.00" in shown
    for figure in (RequestFigure.SET_OFF, RequestFigure.CANCELLED, RequestFigure.NET, RequestFigure.TO_ORDER):
        said = actors.client_of(app, otto).get(
            f"/grants/{grant.reference}/payments/{grant.reference}-1/amounts/{figure}"
        )
        assert said.status_code == 200 and "do not add up" not in said.text, figure
