"""Parent grants in the browser, without a script: their rules, the calls they pay, what a change means for each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.calls import queries as calls
from grants.calls import services as calling
from grants.core import clock
from grants.core.errors import Conflict, Invalid, NotAllowed
from grants.core.money import euros
from grants.programmes import queries, services
from grants.programmes.rules import FundSourceInput, FundSourceWords, ParentRules, differing, rules_words
from tests import actors
from tests.applications.pages import post, send, text_of, values_of
from tests.calls import scene

NUMBER = "999000999"
AT = f"/parent-grants/{NUMBER}"


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    with clock.at(scene.BEFORE):
        actors.ingrid()  # Her role is given then, so that she may act at that time too.
    return actors.client_of(app, actors.ingrid())


def rules_of(number: str = NUMBER) -> ParentRules:
    return queries.fund_source_of(number).rules


def test_a_parent_grant_is_added_with_its_rules_without_any_file(manager: FlaskClient) -> None:
    assert "There is no parent grant yet" in text_of(manager.get("/parent-grants"))
    send(
        manager,
        "/parent-grants/new",
        number="101121530",
        acronym="SGA-NZC",
        framework="Horizon Europe",
        starts_on="1 October 2023",
        ends_on="30.9.2027",
        amount="53 000 000",
        report_days="60",
        activities="Pilots\nTwinning",
        recipients="Cities of the Mission",
        maximum_per_recipient="1 500 000",
        countries="at, EL; uk",
        funding_rate_max="100",
        flat_rate_max="12,5",
        opening_months_min="3",
    )

    source = queries.fund_source_of("101121530")
    assert (source.starts_on, source.ends_on) == (date(2023, 10, 1), date(2027, 9, 30))
    assert source.rules == ParentRules(
        activities=("Pilots", "Twinning"),
        recipients="Cities of the Mission",
        maximum_per_recipient=euros(1_500_000),
        countries=("AT", "GR", "GB"),
        funding_rate_max=Fraction(100),
        flat_rate_max=Fraction(25, 2),
        opening_months_min=3,
    )
    assert "SGA-NZC" in text_of(manager.get("/parent-grants"))
    shown = text_of(manager.get("/parent-grants/101121530"))
    assert "53 000 000.00" in shown.replace("\u202f", " ").replace("\xa0", " ") and "29 November 2027" in shown
    assert "12.5 %" in shown and "Pilots, Twinning" in shown and "No call is paid from it yet" in shown


def test_each_thing_that_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(manager: FlaskClient) -> None:
    answer = send(
        manager,
        "/parent-grants/new",
        number="1/2",
        acronym="X",
        framework="Y",
        countries="XX",
        flat_rate_max="a quarter",
        opening_months_min="soon",
        activities="Kept words",
    )

    assert answer.status_code == 422
    words = text_of(answer)
    for sentence in ("“XX” is no country code", "“a quarter” is no percentage", "“soon” is no number of months"):
        assert sentence in words
    assert "Kept words" in answer.get_data(as_text=True)
    again = send(manager, "/parent-grants/new", number="1/2", acronym="X", framework="Y", flat_rate_max="101")
    assert "no slash" in text_of(again)
    assert queries.fund_sources() == ()


def test_a_change_is_looked_at_before_it_is_kept(manager: FlaskClient) -> None:
    call = scene.filled(scene.SMALL)
    typed = {"maximum_per_recipient": "100 000", "flat_rate_max": "7", "opening_months_min": "0"}

    looked = send(manager, f"{AT}/rules", look="1", **typed)
    words = text_of(looked)

    assert looked.status_code == 200
    assert "Nothing is kept yet" in words and "You would change: most for one recipient" in words
    assert "Award amounts go up to EUR 200 000.00, but the parent grant allows EUR 100 000.00" in words
    assert "is 25 %, but the parent grant allows 7 %" in words
    assert rules_of() == ParentRules()

    kept = send(manager, f"{AT}/rules", **typed)
    assert kept.status_code == 303
    assert rules_of().flat_rate_max == 7
    assert "1 draft does not fit its rules" in text_of(manager.get(AT))
    assert [problem.place for problem in calls.call(actors.ingrid(), call.slug).missing] != []


def test_a_published_call_keeps_the_rules_it_was_opened_with(manager: FlaskClient) -> None:
    call, source = scene.filled(scene.SMALL), queries.fund_source_of(NUMBER)
    opened_with = ParentRules(countries=("SI",), flat_rate_max=Fraction(25))
    services.set_rules(actors.ingrid(), source.id, opened_with)
    with clock.at(scene.BEFORE):
        calling.publish(actors.ingrid(), call.id)

    services.set_rules(
        actors.ingrid(), source.id, ParentRules(countries=("PL",), maximum_per_recipient=euros(1), activities=("A",))
    )

    opened = calls.call(actors.ingrid(), call.slug)
    assert opened.fund_source.rules == opened_with
    assert [point.fixed for point in opened.support] == [True] * 5
    words = text_of(manager.get(AT))
    assert (
        "It keeps what it was opened with. Different there: activities that may be paid (a closed list), most" in words
    )
    draft = scene.imported(scene.SMALL.replace("SMALL-2027", "SMALL-2028"))
    assert calls.call(actors.ingrid(), draft.slug).fund_source.rules.countries == ("PL",)


def test_pilots_that_outlive_their_parent_grant_are_named(manager: FlaskClient) -> None:
    scene.imported(scene.SMALL.replace("duration_months: 24", "duration_months: 24").replace(
        "dates:\n", "dates:\n  pilots_end: {local: \"2029-06-30\"}\n"
    ))  # fmt: skip
    send(manager, f"{AT}/edit", acronym="Renamed", framework="Horizon Europe", ends_on="31 May 2029")

    words = text_of(manager.get(AT))
    assert "Renamed" in words
    assert "Pilots end is 30 June 2029, but the parent grant ends on 31 May 2029" in words


def test_a_change_in_sight_of_an_older_state_is_not_kept(manager: FlaskClient) -> None:
    scene.imported(scene.SMALL)
    source = queries.fund_source_of(NUMBER)
    shown = values_of(manager, f"{AT}/rules")
    services.set_rules(actors.ingrid(), source.id, ParentRules(recipients="Others"))

    answer = post(manager, f"{AT}/rules", shown, recipients="Mine")

    assert answer.status_code == 422
    assert "Mine" in answer.get_data(as_text=True)
    assert rules_of().recipients == "Others"
    with pytest.raises(Conflict):
        services.describe(actors.ingrid(), source.id, FundSourceWords("A", "B"), version=source.version)


def test_only_who_looks_after_the_programme_changes_a_parent_grant(app: Flask) -> None:
    scene.imported(scene.SMALL)
    source = queries.fund_source_of(NUMBER)

    assert actors.client_of(app, actors.ana()).get(AT).status_code == 403
    assert actors.client_of(app, actors.nuria()).get(AT).status_code == 200
    assert actors.client_of(app, actors.nuria()).get(f"{AT}/rules").status_code == 403
    with pytest.raises(NotAllowed):
        services.describe(actors.nuria(), source.id, FundSourceWords("A", "B"))
    with pytest.raises(Invalid, match="not complete"):
        services.describe(actors.ingrid(), source.id, FundSourceWords(" ", "B"))
    assert actors.client_of(app, actors.ingrid()).get("/parent-grants/none").status_code == 404


def test_what_differs_between_two_sets_of_rules_is_named() -> None:
    ours = ParentRules(activities=("A",), flat_rate_max=Fraction(25, 4))

    assert dict(rules_words(ours))["Highest flat rate for indirect costs"] == "6.25 %"
    assert differing(ours, ours) == ()
    assert differing(ours, replace(ours, activities=())) == ("Activities that may be paid (a closed list)",)
    assert FundSourceInput("1", "A", "B").rules == ParentRules()
