"""The assignment page by key: a row is an application with its seats, narrowed in the database, whatever there are of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from grants.applications.models import Application, Submission
from grants.applications.states import ApplicationState, Origin
from grants.calls.queries import call_by_id
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.paging import Page
from grants.dossiers.rules import Answer
from grants.evaluation import queries, rules, services
from grants.evaluation.models import Assignment, Evaluator
from grants.evaluation.queries import seating
from grants.evaluation.rules import AdjustInput, Answered, LoadLine, SeatFilter, SeatSearch, SeatTotals, lacking_words
from grants.evaluation.states import Declared, Deed, SeatState
from grants.identity.models import Membership
from tests.evaluation.scene import CLOSED, Browser, Scene, declares
from tests.evaluation.test_pool import accept, publish
from tests.evaluation.test_views import handle, text_of
from tests.statements import statements

LATE_FROM = CLOSED + timedelta(days=3)


def more(scene: Scene, count: int) -> None:
    """So many applications more in the call, each with a seat of the first evaluator."""
    pattern = get(Application, scene.application_ids[0])
    evaluator = scene.evaluator_id("eva1")
    kept = {name: getattr(pattern, name) for name in ("coordinator_id", "requested", "submitted_at", "submission_id")}
    standing = db.session.scalars(select(Application.reference).where(Application.call_id == scene.call_id)).all()
    db.session.rollback()
    with arranging():
        for number in range(len(standing), len(standing) + count):
            made = Application(
                call_id=scene.call_id, reference=f"PCP-2022-A-{number + 501:04d}", title=f"Street {number}",
                state=ApplicationState.ELIGIBLE.value, origin=Origin.SUBMITTED_HERE.value,
                search_text=f"street {number}", **kept,
            )  # fmt: skip
            db.session.add(made)
            db.session.flush()
            db.session.add(
                Assignment(
                    application_id=made.id, evaluator_id=evaluator, state=SeatState.ACTIVE.value, utility=500,
                    hand_reason="Knows the street", locked=False,
                )
            )  # fmt: skip


def found(scene: Scene, only: SeatFilter | None = None, text: str = "") -> list[str]:
    """The references the list shows of the three applications, as the manager."""
    shown = queries.assignments_page(scene.actor("manager"), scene.slug, SeatSearch(text, only))
    return [row.reference for row in shown.rows.items]


def test_five_applications_and_fifty_cost_the_same_few_statements(browser: Browser, seated: Scene) -> None:
    path, costs = f"/calls/{seated.slug}/assignments", []
    for count in (2, 45):
        more(seated, count)
        browser.get("manager", path)
        with statements() as seen:
            assert browser.get("manager", path).text.count('data-label="Lacks"') == (5 if count == 2 else 20)
        costs.append(len(seen))

    assert costs[0] == costs[1] <= 8


def test_the_hundredth_row_is_reached_by_keys(seated: Scene) -> None:
    more(seated, 97)
    seen: list[str] = []
    after = None
    while True:
        shown = queries.assignments_page(seated.actor("manager"), seated.slug, page=Page(after=after))
        seen += [row.reference for row in shown.rows.items]
        after = shown.rows.next_key
        if after is None:
            break

    assert len(seen) == len(set(seen)) == 100 and seen == sorted(seen)
    # What is counted is the whole call, whichever page is looked at.
    assert (shown.totals.applications, shown.totals.filled, shown.seats_needed) == (100, 106, 300)


def test_the_list_is_narrowed_to_empty_seats_and_to_seats_given_back(seated: Scene) -> None:
    first, second, third = seated.references
    assert found(seated, SeatFilter.FREE) == found(seated, SeatFilter.GIVEN_BACK) == []
    leaver = seated.seats(seated.application_ids[0])[0]
    services.recuse(seated.actor(leaver), seated.application_ids[0], "No time")
    emptied = seated.seats(seated.application_ids[1])[0]
    release = AdjustInput(Deed.RELEASE, handle(seated, emptied), reason="Ill")
    services.adjust(seated.actor("manager"), seated.application_ids[1], release)

    assert found(seated, SeatFilter.FREE) == [first, second]
    assert found(seated, SeatFilter.GIVEN_BACK) == [first]
    assert found(seated, None, third[-4:]) == found(seated, None, "roof BY") == [third]
    assert found(seated, None, "%") == []


def test_the_list_tells_topics_and_is_narrowed_to_one(browser: Browser, seated: Scene) -> None:
    definition = call_by_id(seated.call_id).content.definition
    (key, *_), ((value, label), *_) = rules.topic_questions(definition), rules.topic_choices(definition)
    more(seated, 1)
    with arranging():
        made = db.session.scalars(select(Application).where(Application.title == "Street 3")).one()
        sent = db.session.get_one(Submission, made.submission_id)
        kept = {
            name: getattr(sent, name) for name in ("submitted_at", "submitted_by", "closes_at", "requested", "sha256")
        }
        answers = sent.content["answers"]
        picked = {**answers, "answers": [*answers["answers"], encoding.encode(Answer(key, picked=(value,)))]}
        content = {**sent.content, "answers": picked}
        own = Submission(application_id=made.id, number=1, receipt_number=99, content=content, **kept)
        db.session.add(own)
        db.session.flush()
        made.submission_id = own.id
    path = f"/calls/{seated.slug}/assignments"

    shown = queries.assignments_page(seated.actor("manager"), seated.slug, SeatSearch(topic=value))

    assert [(row.title, row.topics) for row in shown.rows.items] == [("Street 3", (label,))]
    assert label in text_of(browser.get("manager", f"{path}?topic={value}"))
    assert browser.get("manager", f"{path}?topic=nonsense").text.count('data-label="Lacks"') == 0


def test_the_list_is_narrowed_to_late_assessments(browser: Browser, seated: Scene) -> None:
    first = seated.application_ids[0]
    db.session.rollback()
    with arranging():
        for seat in db.session.scalars(select(Assignment).where(Assignment.application_id == first)):
            seat.due_at = LATE_FROM - timedelta(days=1)
    assert found(seated, SeatFilter.LATE) == []

    with clock.at(LATE_FROM):
        assert found(seated, SeatFilter.LATE) == [seated.references[0]]
        assert text_of(browser.get("manager", f"/calls/{seated.slug}/assignments?only=late")).count(">Late<") == 3
        for each in seated.seats(first):
            services.submit(seated.actor(each), first, seated.sheet(8, 8, 8))
        assert found(seated, SeatFilter.LATE) == []


def test_a_demanded_role_that_nobody_has_is_found_and_said() -> None:
    assert lacking_words([("role", "finance"), ("country", "FI"), ("reader", "sv")]) == (
        "Nobody for finance", "Too many from FI", "Nobody reads Swedish",
    )  # fmt: skip


def test_applications_without_a_demanded_role_are_those_where_no_seat_has_it(seated: Scene) -> None:
    call = queries.call_to_assign(seated.actor("manager"), seated.slug)
    settings = replace(call.content.assignment, roles=("finance", "citizen"))
    call = replace(call, content=replace(call.content, assignment=settings))
    first, *others = seated.application_ids
    whole, half = (seated.evaluator_id(name) for name in seated.seats(first)[:2])
    roles = {whole: ["finance", "technical"], half: ["citizen"]}
    db.session.rollback()
    with arranging():
        for evaluator_id, held in roles.items():
            get(Evaluator, evaluator_id).roles = held

    wanted = seating._narrowed(call, SeatSearch(only=SeatFilter.ROLE))
    shown = set(db.session.scalars(select(Application.id).where(Application.call_id == seated.call_id, *wanted)))

    pairs = {tuple(row) for row in db.session.execute(select(Assignment.application_id, Assignment.evaluator_id))}
    complete = {one for one in seated.application_ids if {(one, whole), (one, half)} <= pairs}
    assert first in complete and shown == {*others, first} - complete


def test_the_list_is_narrowed_to_contracts_not_accepted(browser: Browser, seated: Scene) -> None:
    assert found(seated, SeatFilter.NOT_ACCEPTED) == []
    publish(seated)
    accepts = [name for name in seated.evaluators if name not in seated.seats(seated.application_ids[0])[:1]]
    assert found(seated, SeatFilter.NOT_ACCEPTED) == list(seated.references)
    assert "Contract not accepted</strong>" in browser.get("manager", f"/calls/{seated.slug}/assignments").text

    for name in accepts:
        accept(seated, name)

    (late,) = set(seated.evaluators) - set(accepts)
    keys = zip(seated.application_ids, seated.references, strict=True)
    assert found(seated, SeatFilter.NOT_ACCEPTED) == [reference for key, reference in keys if late in seated.seats(key)]


def test_a_call_that_asks_for_no_role_offers_no_such_filter(browser: Browser, seated: Scene) -> None:
    path = f"/calls/{seated.slug}/assignments"

    text = text_of(browser.get("manager", path))

    assert "With an empty seat" in text and "Without a role" not in text
    assert found(seated, SeatFilter.ROLE) == []
    wrong = text_of(browser.get("manager", f"{path}?only=nonsense"))
    assert "This list cannot be shown" in wrong and "With an empty seat" in wrong


def test_a_list_narrowed_to_nothing_leads_back(browser: Browser, seated: Scene) -> None:
    text = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments?q=zeppelin"))

    assert "No application fits" in text and "zeppelin" in browser.get(
        "manager", f"/calls/{seated.slug}/assignments?q=zeppelin"
    ).text  # fmt: skip


def test_a_row_says_who_sits_there_what_they_bring_and_who_else_could(browser: Browser, seated: Scene) -> None:
    first = seated.application_ids[0]
    entry_id = seated.evaluator_id(seated.seats(first)[0])
    db.session.rollback()
    with arranging():
        entry = get(Evaluator, entry_id)
        entry.languages, entry.country_code = ["en", "sv"], "SE"
    spare = next(name for name in seated.evaluators if name not in seated.seats(first))
    declares(seated.actor(spare), seated.call_id, (Answered(first, Declared.CONFLICT, "We share a flat"),))

    shown = queries.assignments_page(seated.actor("manager"), seated.slug)

    row = shown.rows.items[0]
    assert (row.languages, row.countries, row.conflicts, row.undeclared) == (("en", "sv"), ("FI", "SE"), 1, 0)
    assert row.fit == sum(seat.utility for seat in row.seats) // 3 and row.missing == 0
    assert {line.name for line in shown.loads} == {seat.name for each in shown.rows.items for seat in each.seats}
    assert sum(line.load for line in shown.loads) == 9
    assert [(one.reason, one.reference) for one in shown.doubts] == [("We share a flat", row.reference)]
    assert (shown.totals.conflicts, shown.totals.undeclared) == (1, 0)
    text = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments"))
    assert "1 in conflict" in text and "en, sv" in text and "FI, SE" in text


def test_a_run_again_is_offered_while_full_seats_may_move(browser: Browser, seated: Scene) -> None:
    path = f"/calls/{seated.slug}/assignments"
    answer = browser.get("manager", path)
    assert "Run again" in text_of(answer) and "Every seat is filled" in answer.text
    assert re.search(r'value="movable"[^>]*checked|checked[^>]*value="movable"', answer.text)
    assert browser.post(
        "manager", path, seed="again", keep_countries_apart="no", standing="movable"
    ).status_code == 303  # fmt: skip

    db.session.rollback()
    with arranging():
        for seat in db.session.scalars(select(Assignment)):
            seat.locked = True

    assert "Every seat is filled" not in browser.get("manager", path).text


def test_a_seat_is_locked_from_its_row(browser: Browser, seated: Scene) -> None:
    name = seated.seats(seated.application_ids[0])[0]
    path = f"/calls/{seated.slug}/assignments"
    ask = f"{path}/{seated.references[0]}/adjust?leaving={handle(seated, name)}&amp;deed=lock"
    assert ask in browser.get("manager", path).text

    form = browser.get("manager", ask.replace("&amp;", "&")).text

    assert re.search(r'value="lock"[^>]*checked|checked[^>]*value="lock"', form)
    sent = browser.post(
        "manager", ask.replace("&amp;", "&"), deed="lock", leaving=handle(seated, name), reason="Knows it"
    )
    assert sent.status_code == 303
    assert "deed=unlock" in browser.get("manager", path).text


def test_a_manager_in_conflict_finds_nothing_of_it_by_any_search(browser: Browser, seated: Scene) -> None:
    first = get(Application, seated.application_ids[0])
    title, reference = first.title, first.reference
    declares(seated.actor("eva1"), seated.call_id, (Answered(first.id, Declared.UNSURE, "A cousin there"),))
    assert "A cousin there" in browser.get("manager", f"/calls/{seated.slug}/assignments").text
    db.session.rollback()
    with arranging():
        city = get(Application, seated.application_ids[0]).coordinator_id
        db.session.add(Membership(user_id=seated.people["manager"], organisation_id=city, starts_at=clock.now()))

    for asked in ("", "?only=free", f"?q={reference}", "?after=A"):
        text = browser.get("manager", f"/calls/{seated.slug}/assignments{asked}").text
        assert title not in text and "A cousin there" not in text, asked
    assert queries.assignments_page(seated.actor("manager"), seated.slug).totals.applications == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (LoadLine("E", "e", 1, 3, 5, 0), "2 below the least"), (LoadLine("E", "e", 3, 3, 5, 0), "2 more at most"),
        (LoadLine("E", "e", 5, 3, 5, 0), "Full"), (LoadLine("E", "e", 6, 3, 5, 0), "1 above the most"),
    ],
)  # fmt: skip
def test_what_somebody_carries_is_said_against_what_was_agreed(line: LoadLine, words: str) -> None:
    assert line.words == words


def test_what_was_declared_beyond_the_pool_counts_for_nothing() -> None:
    assert SeatTotals(open_applications=2, pool=3, told=4).undeclared == 2
    assert SeatTotals(open_applications=1, pool=1, told=4).undeclared == 0
