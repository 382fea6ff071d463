"""One rule of the deadline, to the microsecond, in every zone and on the days the clocks change; and the page says when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.http import http_date
from werkzeug.test import TestResponse

from grants.applications import queries, rules, services
from grants.applications.rules import Arrival
from grants.applications.states import PartnerRole, Verdict
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import CallTimes, CallView, Condition
from grants.calls.states import CallState, Phase
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid, Refused
from grants.identity.states import OrganisationKind
from grants.web.filters import days_left
from tests import actors
from tests.applications.pages import post, text_of, values_of
from tests.factories import applications as factory

MICROSECOND = timedelta(microseconds=1)
ZONES = (
    "Europe/Brussels", "Europe/Athens", "Europe/Lisbon", "Atlantic/Azores", "Europe/Kyiv", "Atlantic/Reykjavik", "UTC",
    "America/St_Johns", "Australia/Lord_Howe",
)  # fmt: skip
IN_TIME = Condition("complete", "The application is complete, in the language of the call, and arrived in time")
CITY = rules.Member(
    actors.program().user_id, "Łódź", None, OrganisationKind.MUNICIPALITY, "PL", "9", PartnerRole.COORDINATOR
)  # type: ignore[arg-type]  # nobody looks it up

# Near every change of the clocks of these years, and anywhere between.
walls = st.one_of(
    st.datetimes(datetime(2022, 1, 1), datetime(2031, 12, 31)),
    st.builds(
        lambda day, minutes: day + timedelta(minutes=minutes),
        st.sampled_from([datetime(2022, 10, 30), datetime(2023, 3, 26), datetime(2026, 10, 25), datetime(2027, 3, 28)]),
        st.integers(0, 6 * 60),
    ),
)


def deadline_of(wall: datetime, zone: str, fold: Fold) -> datetime | None:
    """The instant of a wall clock, None where no clock of that zone ever shows it."""
    try:
        return clock.local_to_utc(wall.replace(microsecond=0), zone, fold=fold)
    except Invalid:
        return None


def refused(times: CallTimes, at: datetime) -> bool:
    try:
        rules.refuse_late(times, at)
    except Refused:
        return True
    return False


@given(wall=walls, zone=st.sampled_from(ZONES), fold=st.sampled_from(Fold), off=st.integers(-3, 3))
@example(wall=datetime(2026, 10, 25, 2, 30), zone="Europe/Brussels", fold=Fold.EARLIER, off=0)
@example(wall=datetime(2026, 10, 25, 2, 30), zone="Europe/Brussels", fold=Fold.LATER, off=-1)
@example(wall=datetime(2027, 3, 28, 2, 30), zone="Europe/Brussels", fold=Fold.EARLIER, off=0)
def test_every_place_that_knows_a_deadline_says_the_same_at_every_microsecond_around_it(
    wall: datetime, zone: str, fold: Fold, off: int
) -> None:
    closes_at = deadline_of(wall, zone, fold)
    if closes_at is None:
        return
    at = closes_at + off * MICROSECOND
    times = CallTimes(CallState.PUBLISHED, zone, closes_at - timedelta(days=60), closes_at)
    in_time = off < 0

    assert clock.in_time(at, closes_at) is in_time
    assert refused(times, at) is not in_time
    assert times.is_open(at) is in_time
    found = rules.evidence(IN_TIME, (CITY,), (), (), arrival=Arrival(at, closes_at, zone, "", ()))
    assert (found.suggests, found.lines[0].endswith(": in time")) == (None if in_time else Verdict.FAIL, in_time)
    with clock.at(at):
        said = days_left(closes_at, zone)
    assert said != "late since today" if in_time else said == "late since today"


@given(wall=walls, zone=st.sampled_from(ZONES), fold=st.sampled_from(Fold))
def test_what_is_said_of_a_moment_is_its_wall_clock_and_never_the_same_for_two_moments(
    wall: datetime, zone: str, fold: Fold
) -> None:
    moment = deadline_of(wall, zone, fold)
    if moment is None:
        return
    local = wall.replace(microsecond=0)

    assert rules.said(moment, zone).startswith(f"{clock.long_date(local.date())}, {local:%H:%M} ({zone}")
    assert rules.exactly(moment, zone).startswith(f"{local:%H:%M:%S}.000 on ")
    # The thousandth is cut, so that what came in before the deadline never reads as at it.
    before = rules.exactly(moment - MICROSECOND, zone)
    assert before[6:12] == "59.999" if moment.second == 0 else before[9:12] == "999"
    other = deadline_of(wall, zone, Fold.LATER if fold is Fold.EARLIER else Fold.EARLIER)
    assert other is not None
    assert (rules.said(moment, zone) == rules.said(other, zone)) is (moment == other)


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first = clock.local_to_utc(datetime(2026, 10, 25, 2, 30), clock.BRUSSELS, fold=Fold.EARLIER)

    assert rules.said(first, clock.BRUSSELS) == "25 October 2026, 02:30 (Europe/Brussels, UTC+02:00)"
    assert rules.said(first + timedelta(hours=1), clock.BRUSSELS).endswith("02:30 (Europe/Brussels, UTC+01:00)")
    assert rules.said(first + timedelta(hours=2), clock.BRUSSELS).endswith("03:30 (Europe/Brussels)")


def test_a_receipt_says_the_moment_in_each_zone_that_matters_once() -> None:
    noon = datetime(2022, 11, 15, 10, 59, 59, 999_999, tzinfo=UTC)

    assert rules.received_lines(noon, "Europe/Brussels", "BE") == (
        ("Received", "11:59:59.999 on 15 November 2022 (Europe/Brussels)"),
    )
    assert [words for _, words in rules.received_lines(noon, "Europe/Brussels", "GR")] == [
        "11:59:59.999 on 15 November 2022 (Europe/Brussels)", "12:59:59.999 on 15 November 2022 (Europe/Athens)",
    ]  # fmt: skip
    assert [label for label, _ in rules.received_lines(noon, "Europe/Lisbon", "PT")] == [
        "Received", "Received, Brussels time",
    ]  # fmt: skip


# --- through the pages, on a day when the clocks go back and in another zone ------------------------------------


def published(zone: str, deadline: str) -> CallView:
    text = resources.files("grants.calls").joinpath("data/call_2022.yaml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if "deadline_extended:" not in line]
    text = "\n".join(
        f"  timezone: {zone}" if line.startswith("  timezone:")
        else f"  deadline_original: {deadline}\n  short_opening_reason: A night of a test" if line.startswith("  deadline_original:")
        else line
        for line in kept
    )  # fmt: skip
    with clock.at(factory.BEFORE_OPENING):
        made = call_services.import_call(actors.ingrid(), text)
        call_services.apply_template(actors.ingrid(), made.id)
        call_services.publish(actors.ingrid(), made.id)
    return calls.call_by_id(made.id)


@pytest.fixture
def athens(app: Flask) -> Iterator[CallView]:
    """A call of Athens that ends at the second 03:30 of the night in which the clocks go back."""
    app.config["WTF_CSRF_ENABLED"] = False
    yield published("Europe/Athens", '{local: "2022-10-30T03:30:00", fold: later, literal: "30 October 2022, 03:30"}')


def test_in_the_night_the_clocks_go_back_the_second_half_past_three_counts(app: Flask, athens: CallView) -> None:
    closes_at = datetime(2022, 10, 30, 1, 30, tzinfo=UTC)
    assert athens.closes_at == closes_at
    reference = factory.draft(athens, actors.ana())
    factory.fill(reference, actors.ana())
    page = f"/applications/{reference}/submit"
    # The same wall clock, one hour earlier: still an hour to go.
    with clock.at(closes_at - timedelta(hours=1)):
        shown = text_of(actors.client_of(app, actors.ana()).get(page))
        assert "03:30:00.000 on 30 October 2022 (Europe/Athens, UTC+03:00)" in shown
        values = values_of(actors.client_of(app, actors.ana()), page)
    with clock.at(closes_at):
        late = post(actors.client_of(app, actors.ana()), page, values, statement="y")
        assert late.status_code == 422
        assert "The deadline was 30 October 2022, 03:30 (Europe/Athens, UTC+02:00)" in text_of(late)
        assert athens.phase(clock.now()) is Phase.CLOSED
    with clock.at(closes_at - MICROSECOND):
        sent = post(actors.client_of(app, actors.ana()), page, values | {"act_key": ["other"]}, statement="y")
        assert sent.status_code == 303
        receipt = text_of(actors.client_of(app, actors.ana()).get(sent.headers["Location"]))
    assert "03:29:59.999 on 30 October 2022 (Europe/Athens, UTC+02:00), by the server’s clock" in receipt
    # Brussels put its clocks back half an hour ago: there too the hour comes twice.
    assert "02:29:59.999 on 30 October 2022 (Europe/Brussels, UTC+01:00)" in receipt
    assert queries.submissions(actors.ana(), reference)[0].closes_at == closes_at


@pytest.mark.parametrize("wrong", [timedelta(hours=-2), timedelta(hours=2)], ids=["two_hours_slow", "two_hours_fast"])
def test_a_clock_two_hours_wrong_at_the_client_changes_nothing(app: Flask, athens: CallView, wrong: timedelta) -> None:
    """Whatever the client says what time it is, in a header or a field: the server's clock decides, to the microsecond."""
    closes_at = athens.closes_at
    assert closes_at is not None
    reference = factory.draft(athens, actors.ana())
    factory.fill(reference, actors.ana())
    page = f"/applications/{reference}/submit"

    def sent(at: datetime, key: str) -> TestResponse:
        told, ana = at + wrong, actors.client_of(app, actors.ana())
        with clock.at(at - timedelta(minutes=1)):
            values = values_of(ana, page)
        fields = dict.fromkeys(("submitted_at", "received_at", "now", "timestamp"), told.isoformat())
        ana.environ_base |= {
            "HTTP_DATE": http_date(told),
            "HTTP_IF_UNMODIFIED_SINCE": http_date(told),
            "HTTP_X_REQUEST_START": f"t={told.timestamp():.3f}",
        }
        with clock.at(at):
            return post(ana, page, values | {"act_key": [key]}, statement="y", **fields)

    late = sent(closes_at, "late")
    assert (late.status_code, "The deadline was 30 October 2022, 03:30" in text_of(late)) == (422, True)
    in_time = closes_at - MICROSECOND
    assert sent(in_time, "in time").status_code == 303
    assert queries.submissions(actors.ana(), reference)[0].submitted_at == in_time


@pytest.mark.parametrize(
    "page",
    [
        "",
        "/details",
        "/sections/summary",
        "/budget",
        "/files",
        "/team",
        "/check",
        "/submit",
        "/print",
        "/withdraw",
        "/receipt",
    ],
)
def test_every_page_of_an_application_says_server_time_deadline_zone_and_days_left(
    app: Flask, athens: CallView, page: str
) -> None:
    reference = factory.draft(athens, actors.ana())
    factory.fill(reference, actors.ana())
    closes_at = athens.closes_at
    assert closes_at is not None
    with clock.at(closes_at - timedelta(days=9)):
        if page == "/receipt":
            services.submit(factory.again(actors.ana()), queries.id_of(factory.again(actors.ana()), reference))
        shown = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{reference}{page}"))

    assert "In 9 days: 30 October 2022, 03:30 (Europe/Athens, UTC+02:00)" in shown
    assert "Server time 21 October 2022, 04:30" in shown
