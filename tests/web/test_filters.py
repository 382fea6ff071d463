"""Words and addresses that every page uses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import BuildError

from grants.core import clock
from grants.core.money import Money
from grants.web import filters

NOON = datetime(2022, 11, 6, 11, tzinfo=UTC)


def test_a_day_is_in_words_and_an_instant_is_its_day_in_brussels() -> None:
    assert filters.day(date(2022, 11, 4)) == "4 November 2022"
    assert filters.day(datetime(2022, 11, 4, 23, 30, tzinfo=UTC)) == "5 November 2022"
    assert filters.day(None) == ""


def test_a_moment_is_on_the_wall_clock_with_the_instant_beside_it() -> None:
    assert filters.moment(NOON) == '<time datetime="2022-11-06T11:00:00+00:00">6 November 2022, 12:00</time>'
    assert filters.moment(NOON, "Europe/Athens").endswith("13:00</time>")
    assert filters.moment(None) == ""


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (timedelta(days=9), "in 9 days"),
        (timedelta(days=1), "tomorrow"),
        (timedelta(hours=1), "today"),
        (timedelta(hours=-1), "late since today"),
        (timedelta(days=-1), "1 day late"),
        (timedelta(days=-2), "2 days late"),
    ],
)
def test_how_long_is_left_is_said_by_the_calendar(after: timedelta, words: str) -> None:
    with clock.at(NOON):
        assert filters.days_left(NOON + after) == words


def test_nothing_has_no_days_left() -> None:
    assert filters.days_left(None) == ""


@pytest.mark.parametrize(
    ("name", "letters"), [("Irina Călinescu", "IC"), ("Zoë Van den Bröck", "ZB"), ("Ömer", "Ö"), ("", "")]
)
def test_initials_are_of_the_first_and_the_last_name(name: str, letters: str) -> None:
    assert filters.initials(name) == letters


def test_roles_are_words_once_each() -> None:
    assert filters.role_words(("panel_chair", "evaluator", "evaluator")) == "Panel chair, evaluator"


def test_a_share_is_to_a_tenth_and_never_beyond_the_track() -> None:
    assert filters.share_percent(7, 11) == "63.6"
    assert filters.share_percent(12, 11) == "100.0"
    assert filters.share_percent(-1, 11) == "0.0"
    assert filters.share_percent(1, 0) == "0.0"


amounts = st.lists(st.none() | st.integers(-(10**9), 10**13).map(Money), max_size=5)


@given(amounts)
def test_bars_of_a_strip_stay_inside_it_and_follow_each_other(found: list[Money | None]) -> None:
    bars = filters.strip_bars([("paid", "", amount, "", None) for amount in found])

    assert len(bars) == sum(1 for amount in found if amount is not None and amount.cents > 0)
    edges = [(tenths(bar["x"]), tenths(bar["width"])) for bar in bars]
    assert all(x + width <= 1000 for x, width in edges)
    assert [x for x, _ in edges] == sorted(x for x, _ in edges)


def tenths(percent: str) -> int:
    whole, _, rest = percent.partition(".")
    return int(whole) * 10 + int(rest)


def test_a_link_is_written_once_for_each_place_the_program_is_mounted_at(app: Flask) -> None:
    kept = app.extensions["links"]
    # What other tests asked this program for may be kept already.
    kept.cache_clear()
    for mounted in ("", "/pilots"):
        with app.test_request_context("/about", base_url=f"http://localhost{mounted}"):
            before = kept.cache_info().misses
            assert {filters.link("identity.user", handle="a b") for _ in range(3)} == {f"{mounted}/admin/users/a%20b"}
            assert {filters.link("oversight.about") for _ in range(3)} == {f"{mounted}/about"}
            assert kept.cache_info().misses == before + 2
            # Equal and yet written otherwise: only words are kept.
            assert [filters.link("oversight.about", v=value) for value in (1, True)] == [
                f"{mounted}/about?v=1",
                f"{mounted}/about?v=True",
            ]
            with pytest.raises(BuildError):
                filters.link("nowhere.page")


def test_a_page_that_is_not_there_has_no_address(app: Flask) -> None:
    with app.test_request_context("/about"):
        assert filters.address("oversight.about") == "/about"
        assert filters.address("nowhere.page") == ""


def test_this_address_keeps_what_is_not_changed(app: Flask) -> None:
    with app.test_request_context("/about?sort=name&state=a&state=b&after=x"):
        assert filters.here(after=None) == "/about?sort=name&state=a&state=b"
        assert filters.here(after="y", sort=None) == "/about?state=a&state=b&after=y"


@pytest.mark.parametrize(
    "query", ["_method=GET", "_anchor=x", "_scheme=ftp", "_external=1", "endpoint=x", "slug=x", "values=1", "self=1"]
)
def test_what_somebody_writes_in_an_address_is_never_more_than_a_query(app: Flask, query: str) -> None:
    app.config["TESTING"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False

    with app.test_request_context(f"/calls/some-call?{query}"):
        assert filters.here() == f"/calls/some-call?{query}"
    assert app.test_client().get(f"/about?{query}").status_code == 200


def test_an_address_that_is_not_there_is_its_own(app: Flask) -> None:
    with app.test_request_context("/no/such/page?x=1"):
        assert filters.here(after="y") == "/no/such/page"


def test_a_static_file_is_named_with_its_digest_and_a_missing_one_does_not_break_the_page(app: Flask) -> None:
    with app.test_request_context("/about"):
        known, missing = filters.asset("app.css"), filters.asset("vendor/not-set-up.css")

    assert known.startswith("/static/app.css?v=") and len(known) == len("/static/app.css?v=") + 10
    assert missing == "/static/vendor/not-set-up.css?v=0"


def test_the_menu_marks_the_longest_entry_the_page_lies_under(app: Flask) -> None:
    with app.test_request_context("/about"):
        assert [label for label, _, here in filters.menu() if here] == []
