"""The last day of a preparation: kept by the program, moved with a reason, reminded of; and the race with a signature."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from grants.agreements import services
from grants.agreements.rules import GrantView
from grants.agreements.states import GrantState
from grants.applications import queries as applications
from grants.applications.models import Application
from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import Invalid, NotAllowed, Refused
from grants.core.jobs import Job
from grants.core.money import ZERO
from grants.core.permissions import Permission, system_actor
from grants.identity import queries as identity
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from jobs.checks import NIGHTLY
from tests import actors
from tests.agreements.conftest import IN_PREPARATION, Find, actor, sides_of
from tests.agreements.test_services import hash_of, mailed, offered
from tests.applications.pages import send, text_of
from tests.awards.at_once import at_once

PROGRAM = system_actor("the program", (Permission.AGREEMENT_LAPSE,))


def noon(day: date) -> datetime:
    """The middle of a day, as people of Brussels have it."""
    return clock.end_of_day(day) - timedelta(hours=12)


def last_of(found: GrantView) -> date:
    assert found.preparation_ends_on is not None, "the call of the demo sets a day"
    return found.preparation_ends_on


def waiting_jobs(name: str, grant_id: UUID) -> int:
    """The jobs of that name about this grant; others of the demo have days of their own."""
    asked = select(func.count()).select_from(Job).where(Job.name == name, Job.subject_id == grant_id)
    return db.session.scalar(asked) or 0


def test_the_day_comes_from_the_call(grant: Find) -> None:
    found = grant(IN_PREPARATION)

    assert (last_of(found) - clock.now().date()).days in range(80, 90)
    assert "jobs.agreements.plan_ends" in NIGHTLY


def test_it_is_moved_with_a_reason_and_both_sides_are_told(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_PREPARATION)
    later = clock.add_days(last_of(found), 30)
    officer = actors.client_of(demo_app, actor("officer"))
    place = f"/grants/{found.reference}/preparation/last-day"

    back = send(officer, place, ends_on=clock.long_date(later), reason=" ")
    assert back.status_code == 422 and clock.long_date(later) in back.get_data(as_text=True)
    assert send(officer, place, ends_on=clock.long_date(later), reason="The council meets in May").status_code == 303

    assert last_of(grant(IN_PREPARATION)) == later
    told = mailed("agreement_end_moved")
    assert {each.email for each in found.contacts} | {"signatory@demo.example", "officer@demo.example"} <= set(told)
    for day in (later, clock.now().date() - timedelta(days=1)):
        with pytest.raises(Invalid):
            services.set_end(actor("officer"), found.id, day, reason="Again")
    with pytest.raises(NotAllowed):
        services.set_end(sides_of(found).city(), found.id, clock.add_days(later, 9), reason="We need time")


def test_nothing_is_offered_signed_answered_or_moved_after_the_day(grant: Find) -> None:
    found = offered(grant)
    day = last_of(found)

    with clock.at(noon(day)):
        services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(found))
    with clock.at(noon(clock.add_days(day, 1))):
        with pytest.raises(Refused, match="ended on"):
            services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))
        with pytest.raises(Refused, match="ended on"):
            services.set_end(actor("officer"), found.id, clock.add_days(day, 30), reason="Too late")
        services.take_back(actor("officer"), found.id, offer_no=1, reason="Too late")
        with pytest.raises(Refused, match="ended on"):
            services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))
        with pytest.raises(Refused, match="ended on"):
            services.set_due(actor("officer"), found.id, {})
    assert grant(IN_PREPARATION).state is GrantState.PREPARATION


def test_the_program_drops_it_the_night_after_once_and_the_money_is_the_calls_again(
    demo_app: Flask, grant: Find
) -> None:
    found = offered(grant)
    services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(found))
    free, day = ledger.balance(Account.AVAILABLE, call_id=found.call_id), last_of(found)

    with clock.at(noon(day)):
        assert services.lapse(PROGRAM, found.id) is False
    with clock.at(noon(clock.add_days(day, 1))):
        services.plan_ends(PROGRAM)
        services.plan_ends(PROGRAM)
        assert waiting_jobs("jobs.agreements.lapse", found.id) == 1
        assert services.lapse(PROGRAM, found.id) is True
        assert services.lapse(PROGRAM, found.id) is False

        now = grant(IN_PREPARATION)
        assert (now.state, now.declined, now.lapsed_at is not None) == (GrantState.DROPPED, False, True)
        assert ledger.balance(Account.AVAILABLE, call_id=found.call_id) - free == found.maximum
        assert get(Application, found.application_id).state == "dropped"
        team = sorted({each.email for each in found.contacts})
        assert {*team, "officer@demo.example", "signatory@demo.example"} <= set(mailed("agreement_lapsed"))
        person = identity.person_by_email(team[0])
        assert person is not None
        application = applications.view_by_id(found.application_id)
        reason = applications.reason_of_end(identity.actor_for(person.id), application)
        assert reason is not None and "not signed by both sides" in reason
        page = actors.client_of(demo_app, actor("officer")).get(f"/grants/{found.reference}")
        assert "Not signed by both sides by" in text_of(page)


def test_both_sides_are_reminded_twice_and_not_once_it_is_signed(grant: Find) -> None:
    found = offered(grant)
    day = last_of(found)
    asked = []
    for left in (15, 14, 13, 4, 3, 0):
        with clock.at(noon(clock.add_days(day, -left))):
            services.plan_ends(PROGRAM)
            asked.append(waiting_jobs("jobs.agreements.remind_of_end", found.id))

    assert asked == [0, 1, 1, 1, 2, 2]
    with clock.at(noon(clock.add_days(day, -3))):
        assert services.remind_of_end(PROGRAM, found.id) is True
        assert {"officer@demo.example", "signatory@demo.example"} <= set(mailed("agreement_ends_soon"))
        services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(found))
        services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))
        assert services.remind_of_end(PROGRAM, found.id) is False


def test_the_last_signature_and_the_end_at_one_moment_leave_one_of_the_two(grant: Find) -> None:
    found = offered(grant)
    day, sha256 = last_of(found), hash_of(found)
    services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=sha256)
    before = ledger.balance(Account.AVAILABLE, call_id=found.call_id)
    with clock.at(noon(day)):
        mayor = actor("eleni_mayor")

    # The signature carries the last day, the night the day after: whoever has the grant first, decides.
    told = at_once(
        (noon(day), lambda: services.sign_city(mayor, found.id, capacity="Mayor", document_sha256=sha256)),
        (noon(clock.add_days(day, 1)), lambda: services.lapse(PROGRAM, found.id)),
    )

    now = grant(IN_PREPARATION)
    free = ledger.balance(Account.AVAILABLE, call_id=found.call_id) - before
    if now.state is GrantState.IN_FORCE:
        assert (told, now.lapsed_at) == (["done", "done"], None)
        assert get(Application, found.application_id).state == "awarded"
    else:
        assert (told, now.state) == (["Refused", "done"], GrantState.DROPPED)
        assert get(Application, found.application_id).state == "dropped"
    # The money is committed or the call's again, never both and never neither.
    assert free == (ZERO if now.state is GrantState.IN_FORCE else found.maximum)
