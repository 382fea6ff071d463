"""The dates of a call that is built: any zone, a time that comes twice or never, and the words that are printed."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from grants.calls import queries, rules
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid
from tests import actors
from tests.applications.pages import send, text_of
from tests.calls import scene


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    with clock.at(scene.BEFORE):
        actors.ingrid()  # Her role is given then, so that she may act at that time too.
    return actors.client_of(app, actors.ingrid())


def call_of(slug: str) -> rules.CallView:
    return queries.call(actors.ingrid(), slug)


def test_zone_opening_and_deadline_are_set_together_and_read_on_the_clock_of_the_call(manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = f"/calls/{slug}/build"

    done = send(
        manager,
        at,
        to=f"{at}/dates",
        zone="Atlantic/Azores",
        opens_day="1 February 2027",
        opens_time="08:30",
        day="30 June 2027",
        time="12:00",
        literal="",
    )

    call = call_of(slug)
    assert done.status_code == 303
    assert (call.zone, call.opens_at) == ("Atlantic/Azores", datetime(2027, 2, 1, 9, 30, tzinfo=UTC))
    assert call.deadline is not None
    assert (call.deadline.closes_at, call.deadline.zone) == (datetime(2027, 6, 30, 12, tzinfo=UTC), "Atlantic/Azores")
    assert call.deadline.literal == "30 June 2027, 12:00 UTC+00:00"
    assert "Azores time" in text_of(manager.get(at))
    read = rules.read_call_file(queries.file_text(actors.ingrid(), slug))
    assert (read.zone, read.deadlines[0].closes_at) == (call.zone, call.deadline.closes_at)


def test_at_a_deadline_that_comes_twice_the_page_asks_which_one_is_meant(manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = f"/calls/{slug}/build"
    assert "Which of the two is meant?" not in text_of(manager.get(at))
    twice = {"day": "31 October 2027", "time": "02:30"}

    asked = send(manager, at, to=f"{at}/dates", **twice)
    words = text_of(asked)

    assert asked.status_code == 422
    assert "happens twice in Europe/Brussels" in words
    assert "The first, CEST (UTC+02:00)" in words and "The second, CET (UTC+01:00)" in words
    send(manager, at, to=f"{at}/dates", fold="later", **twice)
    assert call_of(slug).closes_at == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    # The choice stands in the form, so that sending it again changes nothing.
    send(manager, at, to=f"{at}/dates")
    assert call_of(slug).closes_at == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["europe/warsaw", "EUROPE / Warsaw", " Europe/Warsaw "])
def test_a_zone_is_known_however_its_letters_are_written(typed: str) -> None:
    assert rules.planned(rules.DatesInput(typed), has_deadline=False).zone == "Europe/Warsaw"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"day": "28 March 2027", "time": "02:30"}, "the nearest are 01:59 and 03:00"),
        ({"opens_day": "28 March 2027", "opens_time": "02:30"}, "the nearest are 01:59 and 03:00"),
        ({"zone": "Brussels"}, "“Brussels” is not a time zone. Did you mean Europe/Brussels?"),
        ({"time": ""}, "Enter the time of the deadline too."),
        ({"day": "", "time": ""}, "It can move, but not be taken away."),
        ({"opens_day": ""}, "Enter the day the call opens too"),
        ({"opens_day": "16 March 2027"}, "The deadline is before the call opens."),
    ],
)
def test_dates_that_cannot_be_are_refused_beside_their_field(
    manager: FlaskClient, typed: dict[str, str], sentence: str
) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = f"/calls/{slug}/build"
    before = call_of(slug)

    answer = send(manager, at, to=f"{at}/dates", **typed)

    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert call_of(slug) == before


def test_a_deadline_to_the_second_stays_when_its_minute_is_sent_again(manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL.replace('local: "2027-03-15 17:00"', 'iso: "2027-03-15T23:59:59+01:00"')).slug
    at = f"/calls/{slug}/build"

    send(manager, at, to=f"{at}/dates", opens_time="10:00")
    assert call_of(slug).closes_at == datetime(2027, 3, 15, 22, 59, 59, tzinfo=UTC)
    send(manager, at, to=f"{at}/dates", time="23:58")
    assert call_of(slug).closes_at == datetime(2027, 3, 15, 22, 58, tzinfo=UTC)


def near_time(words: str, local: datetime) -> datetime:
    """``23:59`` of the same day, or ``23:59 on 30 March 2024``: what is offered instead of a time that does not exist."""
    at, _, day = words.strip(" .").partition(" on ")
    return datetime.combine(clock.read_date(day) if day else local.date(), time.fromisoformat(at))


@example("Atlantic/Azores", datetime(2024, 3, 31, 0, 0), Fold.EARLIER)
@given(
    st.sampled_from(["Europe/Brussels", "Atlantic/Azores", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(Fold),
)
def test_a_local_time_is_one_instant_or_refused_with_two_that_are(zone: str, local: datetime, fold: Fold) -> None:
    local = local.replace(second=0, microsecond=0)
    try:
        found = rules.planned(rules.DatesInput(zone, closes=local, fold=fold), has_deadline=False).closes_at
    except Invalid as error:
        words = error.problems["local"]
        assert "does not exist" in words
        before, after = (near_time(each, local) for each in words.rpartition(" are ")[2].split(" and "))
        for near in (before, after):
            assert clock.in_zone(clock.local_to_utc(near, zone), zone).replace(tzinfo=None) == near
        assert before < local < after
    else:
        assert found is not None and clock.in_zone(found, zone).replace(tzinfo=None) == local
        assert bool(clock.both_times(local, zone)) == bool(clock.offset_where_unclear(found, zone))
