"""Seats as a file: taken along, changed, looked at line by line, and done as a change by hand is."""

from __future__ import annotations

import csv
import html
import io
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from grants.applications.models import Application
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Invalid, Refused
from grants.core.jobs import Job
from grants.evaluation import queries, services
from grants.evaluation.models import Assignment
from grants.evaluation.rules import (
    SEAT_COLUMNS,
    AdjustInput,
    SeatDeed,
    SeatedApplication,
    SeatsKnown,
    StandingSeat,
    Takes,
    by_handle,
    plan_seats,
    read_seats,
)
from grants.evaluation.states import Deed, RunStatus, SeatState
from grants.identity.models import Membership
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_entities import joins
from tests.evaluation.test_late import hidden
from tests.evaluation.test_views import handle, text_of
from tests.statements import statements

ID = UUID(int=1)


def taken(browser: Browser, scene: Scene) -> list[list[str]]:
    """The exported file as a table."""
    answer = browser.get("manager", f"/calls/{scene.slug}/assignments/seats.csv")
    return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))


def look(browser: Browser, scene: Scene, table: list[list[str]], status: int = 200) -> TestResponse:
    """Bring a file back."""
    body = "\n".join(",".join(row) for row in table).encode()
    path = f"/calls/{scene.slug}/assignments/file/look"
    answer = browser.post("manager", path, file=(io.BytesIO(body), "seats.csv"))
    assert answer.status_code == status, answer.text
    return answer


def sent(page: TestResponse, reason: str = "The panel was mixed anew") -> dict[str, Any]:
    """The confirmation of what a page shows, as a browser sends it."""
    found = {name: html.unescape(hidden(page.text, name)) for name in ("text", "shown", "act_key")}
    return {**found, "reason": reason}


def mails() -> list[tuple[str, str]]:
    """Template and person of every mail that was asked for."""
    db.session.rollback()
    asked = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send"))
    return [(one["template"], one["user_id"]) for one in asked]


def test_what_is_taken_along_and_brought_back_changes_nothing(browser: Browser, seated: Scene) -> None:
    table = taken(browser, seated)

    assert table[0] == list(SEAT_COLUMNS) and len(table) == 10
    assert "Nothing would be written" in text_of(look(browser, seated, [row[:4] for row in table]))
    book = browser.get("manager", f"/calls/{seated.slug}/assignments/seats.xlsx").data
    path = f"/calls/{seated.slug}/assignments/file/look"
    answer = browser.post("manager", path, file=(io.BytesIO(book), "seats.xlsx"))
    assert answer.status_code == 200 and "Nothing would be written" in text_of(answer)
    assert browser.get("eva1", f"/calls/{seated.slug}/assignments/seats.csv").status_code == 403
    # Who assesses what leaves with an audit record, each time.
    left = db.session.execute(
        select(AuditEvent.reason, AuditEvent.user_id).where(AuditEvent.verb == "assignment.export_list")
    ).all()
    assert sorted(left) == [("9 rows as CSV.", seated.people["manager"]), ("9 rows as XLSX.", seated.people["manager"])]


def test_exactly_what_was_shown_is_done_once_by_the_checks_of_a_change_by_hand(browser: Browser, seated: Scene) -> None:
    first = seated.application_ids[0]
    leaver, stays, _ = seated.seats(first)
    spare = next(name for name in seated.evaluators if name not in seated.seats(first))
    gone, new, kept = handle(seated, leaver), handle(seated, spare), handle(seated, stays)
    table = [row[:4] for row in taken(browser, seated) if row[0] == seated.references[0] or row[1] == "evaluator"]
    for row in table:
        if row[1] == gone:
            row[1:] = [new, "yes", "2023-01-31"]
        elif row[1] == kept:
            row[2] = "yes"
    shown = look(browser, seated, table)
    words = text_of(shown)
    assert all(deed in words for deed in ("Added", "Taken away", "Locked")) and seated.seats(first).count(leaver) == 1
    path = f"/calls/{seated.slug}/assignments/file/take"
    nothing = browser.post("manager", path, **sent(shown, " "))
    assert nothing.status_code == 422 and "Write the reason" in nothing.text

    before = mails()
    with statements() as seen:
        assert browser.post("manager", path, **sent(shown)).status_code == 303
    # Nothing is compared before the applications are locked; the pool is read for the plan and for the seats, once each.
    pools = [number for number, one in enumerate(seen) if "jsonb_object_agg" in one]
    held = next(number for number, one in enumerate(seen) if "application.reference IN" in one and "FOR UPDATE" in one)
    assert held < pools[0] and len(pools) == 2
    assert browser.post("manager", path, **sent(shown)).status_code == 303
    assert spare in seated.seats(first) and leaver not in seated.seats(first)
    seats = db.session.scalars(
        select(Assignment).where(Assignment.application_id == first, Assignment.state == SeatState.ACTIVE.value)
    ).all()
    assert {seat.evaluator_id for seat in seats if seat.locked} == {
        seated.evaluator_id(spare), seated.evaluator_id(stays),
    }  # fmt: skip
    (made,) = [seat for seat in seats if seat.hand_reason]
    assert (
        made.hand_reason == "The panel was mixed anew" and clock.in_zone(made.due_at).date().isoformat() == "2023-01-31"
    )
    told = mails()
    assert told.count(("assignment_emptied", str(seated.people[leaver]))) == 1
    made_mail = ("assignment_made", str(seated.people[spare]))
    assert told.count(made_mail) == before.count(made_mail) + 1
    # The same page from another browser: what it showed is no longer so.
    late = browser.post("manager", path, **{**sent(shown), "act_key": "another"})
    assert late.status_code == 409
    # Nothing is left to write: the page says so and why, and loses no word.
    again = text_of(late, 409)
    assert "Nothing would be written" in again and "What stands changed after this file" in again
    assert "The panel was mixed anew" in again


def test_a_file_gives_no_seat_with_a_day_that_is_over(browser: Browser, seated: Scene) -> None:
    first = seated.application_ids[0]
    had = seated.seats(first)
    spare = next(name for name in seated.evaluators if name not in had)
    table = [["application", "evaluator", "locked", "due"]]
    table += [[seated.references[0], handle(seated, name), "", ""] for name in had[1:]]
    table += [[seated.references[0], handle(seated, spare), "", "2020-01-01"]]

    words = text_of(look(browser, seated, table))

    assert "1 January 2020 is over: whoever takes the seat would be late at once." in words
    assert "Nothing would be written" in words


def test_lines_that_cannot_be_done_say_why_and_leave_their_application_whole(browser: Browser, seated: Scene) -> None:
    first, second, third = seated.references
    table = [["application", "evaluator", "locked", "due"], *[row[:4] for row in taken(browser, seated)[1:]]]
    lines = {reference: [row for row in table if row[0] == reference] for reference in (first, second, third)}
    seat = db.session.scalars(select(Assignment).where(Assignment.application_id == seated.application_ids[1])).first()
    assert seat is not None
    seat_id = seat.id
    db.session.rollback()
    with arranging():
        get(Assignment, seat_id).locked = True
    lines[first][0][1] = "nobody-at-all"
    asked = [table[0], *lines[first], [second, "", "", ""], *lines[third], ["PCP-2022-A-9999", "x", "maybe", "soon"]]

    words = text_of(look(browser, seated, asked))

    assert "nobody of this pool" in words and "Left as it is: the same application has a line" in words
    assert "Locked: unlock it first" in words and "locked is yes or no" in words and "write the day as" in words
    # Of one line every fault at once.
    assert (
        "“PCP-2022-A-9999” is no application of this call" in words and "“x” in the column evaluator is nobody" in words
    )
    assert "Nothing would be written" in words
    look(browser, seated, [["application", "who"], ["x", "y"]], 422)
    look(browser, seated, [["application", "evaluator"]], 422)


def test_a_manager_in_conflict_neither_takes_it_along_nor_changes_it(browser: Browser, seated: Scene) -> None:
    table = [row[:4] for row in taken(browser, seated)]
    about = get(Application, seated.application_ids[0])
    city, title = about.coordinator_id, about.title
    gone = next(row for row in table if row[0] == seated.references[0])
    db.session.rollback()
    with arranging():
        db.session.add(Membership(user_id=seated.people["manager"], organisation_id=city, starts_at=clock.now()))

    assert title not in browser.get("manager", f"/calls/{seated.slug}/assignments/seats.csv").text
    shown = look(browser, seated, [row for row in table if row != gone])
    assert "is no application of this call whose seats you may change" in text_of(shown) and title not in shown.text


def test_a_changed_day_of_a_seat_that_stands_is_refused_and_its_own_day_is_none() -> None:
    seat = StandingSeat(ID, "Ada", False, False, date(2023, 1, 31))
    known = SeatsKnown(3, {"A": SeatedApplication(ID, "Title", {"ada": seat})}, {"ada": Takes(ID, "Ada", 1, 2)})

    for day, deed in (("2023-01-31", SeatDeed.SAME), ("", SeatDeed.SAME), ("2023-02-28", SeatDeed.REFUSED)):
        (change,) = plan_seats(read_seats([["application", "evaluator", "due"], ["A", "ada", day]]), known).changes
        assert change.deed is deed
    assert "due on 31 January 2023; a file changes no day" in change.words and "2023-01-31 or nothing" in change.words


def test_a_full_name_stands_for_its_one_person_and_an_unknown_one_is_quoted_as_written() -> None:
    pool = {"ada": Takes(ID, "Ada Lovelace", 1, 2), "b1": Takes(ID, "Bo Li", 0, 2), "b2": Takes(ID, "Bo Li", 0, 2)}
    seat = StandingSeat(ID, "Ada Lovelace", False, False)
    known = SeatsKnown(3, {"A": SeatedApplication(ID, "T", {"ada": seat}), "B": SeatedApplication(ID, "T", {})}, pool)

    def plan(*lines: tuple[str, str]) -> list[tuple[SeatDeed, str]]:
        asked = read_seats([["application", "evaluator"], *map(list, lines)])
        named = by_handle(asked, [(handle, one.name) for handle, one in pool.items()])
        return [(change.deed, change.words) for change in plan_seats(named, known).changes]

    assert plan(("A", "ada  LOVELACE"), ("B", "Ada Lovelace")) == [(SeatDeed.SAME, ""), (SeatDeed.GIVEN, "")]
    ((_, twice), (_, unknown)) = plan(("A", "Bo Li"), ("B", "Eva NOBODY"))
    assert "2 people of this pool are called “Bo Li”" in twice and "b1, b2" in twice
    assert "“Eva NOBODY” in the column evaluator is nobody of this pool" in unknown
    assert plan(("B", "ada"), ("B", "Ada Lovelace"))[-1] == (
        SeatDeed.REFUSED,
        "The same seat stands in line 2 already.",
    )
    # Of somebody known everything that stands against it is told.
    known = replace(
        known, applications={"A": SeatedApplication(ID, "T", {}, "Agreed.")}, unfit={("A", "ada"): "Eva is away."}
    )
    assert plan(("A", "ada")) == [(SeatDeed.REFUSED, "Agreed. Eva is away.")]


def standing(*handles: str) -> SeatedApplication:
    return SeatedApplication(ID, "Title", {one: StandingSeat(ID, one.title(), False, False) for one in handles})


PEOPLE = [f"p{number}" for number in range(6)]


@given(
    before=st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sets(st.sampled_from(PEOPLE), max_size=3), min_size=3),
    after=st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sets(st.sampled_from(PEOPLE), max_size=4), min_size=1),
    most=st.integers(1, 3),
)
def test_a_plan_gives_nobody_too_much_and_leaves_what_it_cannot_do_whole(
    before: dict[str, set[str]], after: dict[str, set[str]], most: int
) -> None:
    loads = {one: sum(one in seats for seats in before.values()) for one in PEOPLE}
    pool = {one: Takes(ID, one, loads[one], max(most, loads[one])) for one in PEOPLE}
    known = SeatsKnown(3, {key: standing(*sorted(seats)) for key, seats in before.items()}, pool)
    table = [["application", "evaluator"]]
    for key, seats in after.items():
        table += [[key, one] for one in sorted(seats)] or [[key, ""]]

    plan = plan_seats(read_seats(table), known)

    result = {key: set(seats) for key, seats in before.items()}
    for change in plan.written:
        (result[change.reference].add if change.deed is SeatDeed.GIVEN else result[change.reference].remove)(
            change.handle
        )
    refused = {change.reference for change in plan.of(SeatDeed.REFUSED)}
    assert all(result[key] == (before[key] if key in refused else seats) for key, seats in after.items())
    assert all(len(seats) <= 3 for seats in result.values())
    assert all(sum(one in seats for seats in result.values()) <= pool[one].load_max for one in PEOPLE)
    assert len({change.reference for change in plan.written} & refused) == 0


def test_a_file_of_too_many_lines_or_changes_is_refused_with_the_limit() -> None:
    with pytest.raises(Invalid, match="the limit is 5000"):
        read_seats([["application", "evaluator"], *[["A", f"p{number}"] for number in range(5_001)]])
    many = {f"A{number}": standing("p0", "p1", "p2") for number in range(70)}
    asked = read_seats([["application", "evaluator"], *[[key, ""] for key in many]])
    with pytest.raises(Invalid, match="at most 200"):
        plan_seats(asked, SeatsKnown(3, many))


def test_who_has_not_answered_about_every_organisation_gets_no_seat_by_run_file_or_hand(
    browser: Browser, seated: Scene
) -> None:
    first = seated.application_ids[0]
    leaver = seated.seats(first)[0]
    spare = next(name for name in seated.evaluators if name not in seated.seats(first))
    joins("Latecomer", first)
    table = [row[:4] for row in taken(browser, seated) if row[0] == seated.references[0] or row[1] == "evaluator"]
    for row in table:
        row[1] = handle(seated, spare) if row[1] == handle(seated, leaver) else row[1]
    words = text_of(look(browser, seated, table))
    assert "have not said of each organisation in it" in words and "Nothing would be written" in words

    page = queries.adjust_page(seated.actor("manager"), seated.slug, seated.references[0])
    reasons = {member.handle: reason for member, reason, _ in page.people}
    assert "each organisation" in reasons[handle(seated, spare)]
    change = AdjustInput(Deed.MOVE, handle(seated, leaver), handle(seated, spare), "Ill")
    with pytest.raises(Refused, match="each organisation"):
        services.adjust(seated.actor("manager"), first, change)
    db.session.rollback()
    change = AdjustInput(Deed.RELEASE, handle(seated, leaver), reason="Ill")
    services.adjust(seated.actor("manager"), first, change)
    told = seated.assign()
    assert (
        told.status is RunStatus.INFEASIBLE and leaver not in seated.seats(first) and spare not in seated.seats(first)
    )
