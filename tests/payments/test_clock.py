"""The clock of a payment: what starts it, what stops it, who may, and that nothing moves while it stands still."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.states import PaymentKind
from grants.calls.rules import PaymentClock
from grants.calls.states import ClockStart, RequestPath
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, NeedsFreshSignIn, NotAllowed, Refused
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.payments import queries, rules, services
from grants.payments.models import PaymentOrder, PaymentRequest, PaymentSuspension, PaymentVerification
from grants.payments.rules import EVIDENCE, DecisionInput, Stretch
from grants.payments.states import ClockEvent, RequestState, SuspensionReason
from tests import actors
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.payments.world import SEEN, World, asks_for, carried, report
from tests.servers import Cluster
from tests.shut import shuts

MAY = datetime(2023, 5, 2, 12, tzinfo=UTC)
START = date(2024, 5, 1)
DUE = date(2024, 7, 30)
WHY = SuspensionReason.MISSING_DOCUMENTS
EVERYTHING = tuple(EVIDENCE[PaymentKind.PREFINANCING])

# --- The count of days, without a database


def running(stretches: list[Stretch], day: date) -> bool:
    """Whether a day counts: the day of a notice counts, the day of its end does not."""
    return not any(each.from_on < day and (each.until_on is None or day <= each.until_on) for each in stretches)


def counted_due(days: int, stretches: list[Stretch]) -> date:
    """The last day by which no more than so many running days went by, counted day by day."""
    day, left = START, days
    while left or not running(stretches, day + timedelta(1)):
        day += timedelta(1)
        left -= running(stretches, day)
    return day


@st.composite
def lifted(draw: st.DrawFn) -> list[Stretch]:
    edges = sorted(draw(st.lists(st.integers(-20, 150), min_size=0, max_size=8)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return [Stretch(START + timedelta(begin), START + timedelta(end)) for begin, end in pairs]


@given(st.integers(1, 100), lifted())
def test_the_due_day_is_that_of_a_count_day_by_day(days: int, stretches: list[Stretch]) -> None:
    assert rules.due_on(START, START + timedelta(days), stretches) == counted_due(days, stretches)


@given(st.integers(1, 100), lifted(), st.integers(0, 200))
def test_the_days_left_do_not_change_while_the_clock_stands_still(days: int, before: list[Stretch], more: int) -> None:
    first, stopped = START + timedelta(days), max([each.until_on or START for each in before] + [START])
    stretches = [*before, Stretch(stopped)]
    due = rules.due_on(START, first, stretches)
    if stopped > due:
        return

    left = rules.days_left(START, first, stretches, stopped + timedelta(more))

    assert left == (due - stopped).days
    # And when it is lifted that many days later, as many are left as before.
    ended = stopped + timedelta(more)
    assert rules.days_left(START, first, [*before, Stretch(stopped, ended)], ended) == left


@pytest.mark.parametrize(
    ("stretches", "due"),
    [
        ([], DUE),
        ([Stretch(date(2024, 5, 10), date(2024, 5, 20))], date(2024, 8, 9)),
        (
            [Stretch(date(2024, 5, 10), date(2024, 5, 20)), Stretch(date(2024, 6, 1), date(2024, 6, 2))],
            date(2024, 8, 10),
        ),
        # Over the due day: on the last day no day is left, and the day it goes on is the due day.
        ([Stretch(DUE, date(2024, 9, 1))], date(2024, 9, 1)),
        ([Stretch(date(2024, 7, 31), date(2024, 9, 1))], DUE),
        # Lifted on the day of the notice.
        ([Stretch(date(2024, 5, 10), date(2024, 5, 10))], DUE),
        # Over the change to summer time and back the days are the same.
        ([Stretch(date(2024, 3, 30), date(2024, 5, 2))], date(2024, 7, 31)),
    ],
)
def test_days_by_value(stretches: list[Stretch], due: date) -> None:
    assert rules.due_on(START, DUE, stretches) == due


def test_a_call_cannot_count_from_a_registration_that_nobody_makes() -> None:
    assert PaymentClock(ClockStart.REGISTRATION, RequestPath.DECIDED).contradicts
    assert not PaymentClock(ClockStart.REGISTRATION, RequestPath.REGISTERED).contradicts


# --- The acts


def opened(grant: World) -> UUID:
    with clock.at(MAY):
        found = services.open_prefinancing(actors.program(), grant.grant_id)
    assert found is not None
    return found.id


def request(request_id: UUID) -> PaymentRequest:
    db.session.rollback()
    return get(PaymentRequest, request_id)


def view(request_id: UUID) -> rules.RequestView:
    return queries.request(actors.nuria(), request(request_id).reference)


def on(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def suspended(request_id: UUID, day: date) -> UUID:
    with clock.at(on(day)):
        services.suspend(actors.fin(), request_id, reason=WHY, notice="Send the letter of your bank.")
    return request_id


def stale(actor: Actor) -> Actor:
    assert actor.user_id is not None
    return actors.actor(actor.user_id, fresh=False)


def lift(request_id: UUID, day: date) -> None:
    with clock.at(on(day)):
        services.lift(actors.fin(), request_id, reason="The letter came.")


def test_a_suspension_is_notified_answered_and_lifted_and_its_days_are_added_to_orders_too(grant: World) -> None:
    request_id = opened(grant)
    with clock.at(MAY):
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        order_id = services.prepare(actors.fin(), request_id).id
    suspended(request_id, date(2023, 5, 10))
    assert view(request_id).clock_words == "the clock stands still since 10 May 2023, 22 days left"

    with clock.at(on(date(2023, 5, 12))):
        services.answer_suspension(actors.ana(), request_id, answer="Here it is.")
    lift(request_id, date(2023, 5, 15))
    suspended(request_id, date(2023, 5, 15))
    lift(request_id, date(2023, 5, 18))

    found = request(request_id)
    assert (found.first_due_on, found.due_on, found.suspended_on) == (date(2023, 6, 1), date(2023, 6, 9), None)
    assert get(PaymentOrder, order_id).due_on == date(2023, 6, 9)
    assert view(request_id).standing.added == "8 days of suspension are added to 1 June 2023"
    kept = queries.history([request_id])[request_id].suspensions
    assert [(each.number, each.days, each.answer) for each in kept] == [
        (1, "10 May 2023 to 15 May 2023, 5 days", "Here it is."),
        (2, "15 May 2023 to 18 May 2023, 3 days", None),
    ]


def test_nothing_of_a_suspended_payment_is_decided_authorised_or_sent(grant: World) -> None:
    request_id = suspended(opened(grant), date(2023, 5, 10))
    with clock.at(on(date(2023, 5, 11))):
        with pytest.raises(Refused, match="suspended since 10 May 2023"):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        with pytest.raises(Refused, match="suspended since"):
            services.reject(actors.otto(), request_id, reason="No")
        with pytest.raises(Refused, match="suspended already, since 10 May 2023"):
            services.suspend(actors.otto(), request_id, reason=WHY, notice="Again")
    lift(request_id, date(2023, 5, 11))
    with clock.at(on(date(2023, 5, 12))):
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        first = services.prepare(actors.fin(), request_id, amount=euros(100_000)).id
        second = services.prepare(actors.fin(), request_id).id
        for order_id in (first, second):
            services.verify(actors.vera(), order_id, evidence=SEEN)
        services.authorise(actors.otto(), first, evidence=SEEN)
    suspended(request_id, date(2023, 5, 12))

    with clock.at(on(date(2023, 5, 13))):
        with pytest.raises(Refused, match="suspended since 12 May 2023"):
            services.authorise(actors.otto(), second, evidence=SEEN)
        with pytest.raises(Refused, match="suspended since 12 May 2023"):
            services.export(actors.carl(), (first,), control_total=euros(100_000))
    assert (
        queries.lock_of(
            actors.carl(),
            queries.order(actors.nuria(), get(PaymentOrder, first).reference),
            queries.hands_of(actors.carl()),
        )
        is not None
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payment_request SET state = 'rejected', decided_at = now(), decided_by = %(otto)s, decision_reason = 'x'",
        "UPDATE payment_request SET state = 'registered', registered_at = now(), registered_by = %(otto)s",
        "UPDATE payment_suspension SET notice = 'other'",
        "UPDATE payment_suspension SET from_on = from_on - 1",
        "DELETE FROM payment_suspension",
        "UPDATE payment_suspension SET until_on = from_on, lifted_at = now(), lifted_by = %(otto)s, lift_reason = 'x'",
        "INSERT INTO payment_suspension (id, created_at, version, request_id, number, reason, notice, notified_at,"
        " suspended_by, duty, from_on, until_on, lifted_at, lifted_by, lift_reason) SELECT gen_random_uuid(), now(), 1,"
        " request_id, 2, reason, 'x', now(), suspended_by, duty, from_on - 3, from_on + 1, now(), suspended_by, 'x'"
        " FROM payment_suspension",
    ],
)
def test_the_database_itself_holds_a_suspended_request(
    grant: World, postgres: Cluster, database: str, statement: str
) -> None:
    suspended(opened(grant), date(2023, 5, 10))
    otto = actors.otto().user_id
    db.session.rollback()

    with (
        closing(psycopg.connect(postgres.dsn(database))) as connection,
        pytest.raises(psycopg.Error, match=r"suspended|written once|keeps what was decided|overlap"),
    ):
        connection.execute(statement.encode(), {"otto": otto})
        connection.commit()


def test_a_clock_may_count_from_the_registration(grant: World) -> None:
    asks_for(grant, RequestPath.REGISTERED, ClockStart.REGISTRATION)
    with clock.at(on(date(2024, 8, 1))):
        made = services.open_for_report(actors.program(), report(grant, 1, euros(10)))
    assert made is not None
    assert view(made.id).clock_words == "at the earliest: its clock has not started"
    with clock.at(on(date(2024, 8, 2))), pytest.raises(Refused, match="clock of this payment has not started"):
        services.suspend(actors.fin(), made.id, reason=WHY, notice="Send it.")

    with clock.at(on(date(2024, 8, 20))):
        services.register(actors.fin(), made.id)

    found = request(made.id)
    assert (found.clock_event, found.clock_from, found.due_on) == (
        ClockEvent.REGISTRATION.value,
        date(2024, 8, 20),
        date(2024, 11, 18),
    )
    assert "90 days after it was registered on 20 August 2024" in view(made.id).due_basis.words


@pytest.mark.parametrize(
    ("starts", "due"), [(ClockStart.RECEIPT, date(2024, 9, 29)), (ClockStart.APPROVAL, date(2024, 10, 18))]
)
def test_a_clock_may_count_from_receipt_or_approval(grant: World, starts: ClockStart, due: date) -> None:
    asks_for(grant, RequestPath.DECIDED, starts)
    with clock.at(on(date(2024, 8, 1))):
        made = services.open_for_report(actors.program(), report(grant, 1, euros(10)))

    assert made is not None and request(made.id).due_on == due


def test_what_is_not_complete_goes_back_and_counts_anew_when_it_is(grant: World) -> None:
    asks_for(grant, RequestPath.REGISTERED)
    request_id = opened(grant)
    with clock.at(on(date(2023, 5, 10))):
        services.register(actors.fin(), request_id)
        services.send_back(actors.fin(), request_id, words="The annex is missing.")
        with pytest.raises(Refused, match="not yet registered"):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        with pytest.raises(NotAllowed):
            services.complete(actors.fin(), request_id, answer="Done")
    with clock.at(on(date(2023, 6, 1))):
        services.complete(actors.ana(), request_id, answer="The annex is here.")

    found = request(request_id)
    assert (found.state, found.registered_by, found.clock_event) == ("submitted", None, ClockEvent.COMPLETION.value)
    assert (found.clock_from, found.due_on) == (date(2023, 6, 1), date(2023, 7, 1))
    (kept,) = queries.history([request_id])[request_id].returns
    assert (kept.words, kept.answer) == ("The annex is missing.", "The annex is here.")


def test_what_never_comes_back_complete_can_be_rejected(grant: World) -> None:
    request_id = opened(grant)
    with clock.at(on(date(2023, 5, 10))):
        services.send_back(actors.fin(), request_id, words="The annex is missing.")
        services.reject(actors.otto(), request_id, reason="Nothing came.")

    assert request(request_id).state == RequestState.REJECTED.value


def test_a_request_is_verified_by_another_person_with_a_list_that_is_kept(grant: World) -> None:
    asks_for(grant, RequestPath.VERIFIED)
    request_id = opened(grant)
    with clock.at(on(date(2023, 5, 10))):
        with pytest.raises(Refused, match="not yet registered by the initiator and verified"):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        services.register(actors.fin(), request_id)
        with pytest.raises(Invalid, match="One line of the check list is not ticked"):
            services.verify_request(actors.vera(), request_id, evidence=EVERYTHING[1:])
        with pytest.raises(NeedsFreshSignIn):
            services.verify_request(stale(actors.vera()), request_id, evidence=EVERYTHING)
        services.verify_request(actors.vera(), request_id, evidence=EVERYTHING, note="Looked at all.")
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))

    (kept,) = db.session.scalars(select(PaymentVerification)).all()
    assert kept.evidence == list(EVIDENCE[PaymentKind.PREFINANCING].values())
    assert request(request_id).verified_by == actors.vera().user_id


def test_one_person_does_not_register_verify_and_decide(grant: World) -> None:
    asks_for(grant, RequestPath.VERIFIED)
    request_id = opened(grant)
    with clock.at(on(date(2023, 5, 10))):
        carried(request_id)
        with arranging():
            get(PaymentRequest, request_id).registered_by = actors.otto().user_id

        with pytest.raises(Refused, match="You registered this request"):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))


def test_a_programme_that_does_not_ask_for_it_has_no_longer_life(grant: World) -> None:
    request_id = opened(grant)
    with clock.at(MAY):
        with pytest.raises(Refused, match="decided as they come in"):
            services.register(actors.fin(), request_id)
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))

    assert request(request_id).state == RequestState.APPROVED.value


def test_what_left_is_not_held_back_any_more(grant: World) -> None:
    request_id = opened(grant)
    with clock.at(MAY):
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        order_id = services.prepare(actors.fin(), request_id).id
        services.verify(actors.vera(), order_id, evidence=SEEN)
        services.authorise(actors.otto(), order_id, evidence=SEEN)
        services.export(actors.carl(), (order_id,), control_total=euros(210_000))
        with pytest.raises(Refused, match="has left for the bank already"):
            services.suspend(actors.fin(), request_id, reason=WHY, notice="Too late.")


def test_who_is_asked_sees_it_among_the_duties(grant: World) -> None:
    request_id = suspended(opened(grant), date(2023, 5, 10))
    reference = request(request_id).reference
    now = on(date(2023, 5, 11))

    asked = [each for each in queries.duties(actors.ana(), now) if each.endpoint == "payments.answer"]
    assert [each.values for each in asked] == [{"ref": grant.reference, "asked": reference}]
    assert not [each for each in queries.duties(actors.fin(), now) if each.endpoint == "payments.request_page"]
    with clock.at(now):
        services.answer_suspension(actors.ana(), request_id, answer="Here.")
        with pytest.raises(Refused, match="answered already"):
            services.answer_suspension(actors.ana(), request_id, answer="Once more.")

    assert not [each for each in queries.duties(actors.ana(), now) if each.endpoint == "payments.answer"]
    assert [each.values for each in queries.duties(actors.fin(), now) if each.endpoint == "payments.request_page"] == [
        {"ref": reference}
    ]


# --- The pages


@shuts("payments.answer_file")
def test_the_pages_stop_answer_and_let_go_on(app: Flask, client: FlaskClient, grant: World) -> None:
    request_id = opened(grant)
    reference = request(request_id).reference
    city, office = f"/grants/{grant.reference}/payments", f"/finance/requests/{reference}"
    fin, ana = actors.client_of(app, actors.fin()), actors.client_of(app, actors.ana())

    def shown() -> dict[str, object]:
        return {"version": request(request_id).version}

    sent = fin.post(f"{office}/suspend", data={**shown(), "reason": WHY.value, "notice": "Send the letter."})
    assert sent.status_code == 303, sent.text
    assert "held back since" in ana.get(city).text
    assert "Send the letter." in ana.get(f"{city}/{reference}/answer").text
    answered = ana.post(
        f"{city}/{reference}/answer", data={**shown(), "answer": "Here it is.", "file": (BytesIO(PDF), "letter.pdf")}
    )
    assert answered.status_code == 303, answered.text
    assert "Here it is." in fin.get(office).text
    for reader in (fin, ana):
        with reader.get(f"{city}/{reference}/files/{sha256(PDF).hexdigest()}") as taken:
            assert taken.data == PDF
    # A conflict declared shuts it.
    auditor, auditor_id = actors.client_of(app, actors.nuria()), actors.nuria().user_id
    assert auditor_id is not None
    application_id = get(Grant, grant.grant_id).application_id
    with arranging():
        people.bar(auditor_id, "application", application_id)
    with auditor.get(f"{city}/{reference}/files/{sha256(PDF).hexdigest()}") as refused:
        assert refused.status_code == 404
    assert fin.post(f"{office}/lift", data={"version": "1", "reason": "It came."}).status_code == 409
    assert fin.post(f"{office}/lift", data={**shown(), "reason": "It came."}).status_code == 303
    assert db.session.scalars(select(PaymentSuspension.lift_reason)).all() == ["It came."]


def test_the_pages_return_complete_register_and_verify(app: Flask, client: FlaskClient, grant: World) -> None:
    asks_for(grant, RequestPath.VERIFIED)
    request_id = opened(grant)
    reference = request(request_id).reference
    city, office = f"/grants/{grant.reference}/payments", f"/finance/requests/{reference}"

    def post(actor: Actor, address: str, **fields: object) -> int:
        version = request(request_id).version
        return actors.client_of(app, actor).post(address, data={"version": version, **fields}).status_code

    assert post(actors.fin(), f"{office}/return", words="The annex is missing.") == 303
    assert post(actors.ana(), f"{city}/{reference}/answer", answer="The annex is here.") == 303
    assert post(actors.fin(), f"{office}/register") == 303
    assert post(actors.vera(), f"{office}/verify", evidence=list(EVERYTHING[1:])) == 422
    assert post(actors.vera(), f"{office}/verify", evidence=list(EVERYTHING)) == 303
    shown = actors.client_of(app, actors.otto()).get(office).text
    assert "The annex is here." in shown and "Verified by" in shown and "Your decision" in shown
    assert post(actors.otto(), f"{office}/decide", approved="240000") == 303
