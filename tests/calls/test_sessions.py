"""Information sessions of a call: announced, put into calendars, moved or called off, and what is left of them."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.calls import queries as calls
from grants.calls import services
from grants.calls.rules.questions import Wording
from grants.calls.rules.sessions import SessionInput, _folded, calendar
from grants.core import clock, files, jobs
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.identity import queries as identity
from tests import actors
from tests.applications.pages import forms, post, send, text_of
from tests.calls.scene import SMALL, published
from tests.factories import applications as factory
from tests.html import check_page
from tests.worlds import World, Worlds

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
ADDRESS = "/calls/small-towns-try-out-2027"
GIVEN = SessionInput(
    "How to apply", datetime(2027, 2, 10, 10), datetime(2027, 2, 10, 11, 30), "Online", "https://meet.example.eu/a"
)


def _call() -> UUID:
    return published(SMALL).id


@pytest.fixture(scope="session")
def session_world(worlds: Worlds) -> World[UUID]:
    return worlds.of(_call)


@pytest.fixture
def call_id(session_world: World[UUID]) -> UUID:
    return session_world.told()


def words(client: FlaskClient, path: str = "", *, at: datetime = NOW) -> str:
    with clock.at(at):
        answer = client.get(ADDRESS + path)
    assert answer.status_code == 200, answer.text
    return " ".join(" ".join(check_page(answer).itertext()).split())


def test_a_session_stands_on_the_page_of_the_call_in_its_time(app: Flask, client: FlaskClient, call_id: UUID) -> None:
    with clock.at(NOW):
        assert services.add_session(actors.ingrid(), call_id, GIVEN) == 1

    page = words(client)
    assert (
        "How to apply" in page
        and "10 February 2027, 10:00 Brussels time" in page
        and "take part in How to apply" in page
    )
    assert "take part in How" not in words(client, at=datetime(2027, 2, 10, 10, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ends": datetime(2027, 2, 10, 10)}, "ends"),
        ({"ends": datetime(2027, 2, 11, 10)}, "ends"),
        ({"starts": datetime(2027, 3, 28, 2, 30), "ends": datetime(2027, 3, 28, 4)}, "starts"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"recording": "https://"}, "recording"),
        ({"title": " "}, "title"),
        ({"place": ""}, "place"),
    ],
)
def test_a_session_that_cannot_be_is_refused_at_its_field(
    app: Flask, call_id: UUID, changed: dict[str, object], field: str
) -> None:
    from dataclasses import replace

    with clock.at(NOW), pytest.raises(Invalid) as refused:
        services.add_session(actors.ingrid(), call_id, replace(GIVEN, **changed))
    assert set(refused.value.problems) == {field}


def test_the_calendar_holds_sessions_the_end_of_questions_and_the_deadline_as_instants(
    app: Flask, client: FlaskClient, call_id: UUID
) -> None:
    with clock.at(NOW):
        services.add_session(actors.ingrid(), call_id, GIVEN)
        answer = client.get(f"{ADDRESS}/calendar.ics")

    lines = answer.get_data(as_text=True).split("\r\n")
    assert answer.mimetype == "text/calendar"
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 3
    starts = [line for line in lines if line.startswith("DTSTART")]
    assert starts == ["DTSTART:20270210T090000Z", "DTSTART:20270308T160000Z", "DTSTART:20270315T160000Z"]
    assert "DTEND:20270210T103000Z" in lines and "STATUS:CONFIRMED" in lines


@given(st.text(alphabet="aé€😀 ,;", min_size=1, max_size=200))
def test_a_folded_line_is_never_too_long_and_reads_back(text: str) -> None:
    pieces = list(_folded(f"SUMMARY:{text}"))

    assert pieces and all(len(piece.encode()) <= 75 for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == f"SUMMARY:{text}"


def test_who_has_a_draft_is_told_when_a_session_moves_or_is_called_off_and_not_of_its_recording(app: Flask) -> None:
    call = factory.published_call()
    factory.draft(call, actors.ana())
    day = SessionInput("How to apply", datetime(2022, 10, 12, 10), datetime(2022, 10, 12, 11), "Online")
    with clock.at(factory.WHILE_OPEN):
        services.add_session(actors.ingrid(), call.id, day)
        later = SessionInput("How to apply", datetime(2022, 10, 13, 10), datetime(2022, 10, 13, 11), "Online")
        services.edit_session(actors.ingrid(), call.id, 1, later, version=1)
        recorded = SessionInput(later.title, later.starts, later.ends, later.place, "", "https://video.example.eu/1")
        services.edit_session(actors.ingrid(), call.id, 1, recorded)
        for link in ("https://meet.example.eu/2", "https://meet.example.eu/3", ""):
            services.edit_session(actors.ingrid(), call.id, 1, replace(recorded, link=link))
        with pytest.raises(Conflict):
            services.edit_session(actors.ingrid(), call.id, 1, day, version=1)
        services.cancel_session(actors.ingrid(), call.id, 1)
        with pytest.raises(Refused, match="called off already"):
            services.cancel_session(actors.ingrid(), call.id, 1)
        jobs.work_off(actor_of=identity.actor_for)
        text = calendar(call, calls.sessions(call.id), address="https://example.eu/call", at=factory.WHILE_OPEN)

    subjects = [mail.subject for mail in identity.mails(actors.ada()).items]
    assert sorted(each or "" for each in subjects) == [
        "Another link: How to apply", "Called off: How to apply", "Moved: How to apply",
        "Now with a link: How to apply", "Without a link: How to apply",
    ]  # fmt: skip
    assert b"STATUS:CANCELLED" in text and b"SEQUENCE:7" in text


def test_what_was_asked_at_a_session_is_published_with_its_name(app: Flask, client: FlaskClient, call_id: UUID) -> None:
    with clock.at(NOW):
        services.add_session(actors.ingrid(), call_id, GIVEN)
        draft = services.draft_answer(actors.ingrid(), call_id, ())
        with pytest.raises(Invalid):
            services.publish_answer(actors.ingrid(), draft.id, Wording("Where?", "Here.", session=2))
        services.publish_answer(actors.ingrid(), draft.id, Wording("Where?", "Here.", session=1))

    assert "Asked at “How to apply”" in words(client, "/questions")


def test_slides_are_handed_to_everybody_and_newer_ones_take_their_place(
    app: Flask, client: FlaskClient, call_id: UUID
) -> None:
    with clock.at(NOW):
        services.add_session(actors.ingrid(), call_id, GIVEN)
        assert client.get(f"{ADDRESS}/sessions/1/slides").status_code == 404
        for name in ("first.pdf", "second.pdf"):
            data = factory.PDF + name.encode()
            incoming = files.receive(FileStorage(io.BytesIO(data), filename=name))
            services.add_slides(actors.ingrid(), call_id, 1, incoming)
        with client.get(f"{ADDRESS}/sessions/1/slides") as answer:
            assert answer.get_data().endswith(b"second.pdf")

    assert answer.status_code == 200 and "second.pdf" in answer.headers["Content-Disposition"]
    assert "Slides (PDF)" in words(client)


def test_sessions_are_announced_and_changed_without_a_script(app: Flask, client: FlaskClient, call_id: UUID) -> None:
    sent = {"title": "How to apply", "day": "10 February 2027", "starts": "10:00", "ends": "11:30", "place": "Online"}
    with clock.at(NOW):
        ingrid = actors.client_of(app, actors.ingrid())
        assert "No session yet" in ingrid.get(f"{ADDRESS}/sessions").text
        lacking = ingrid.post(f"{ADDRESS}/sessions", data=sent | {"ends": "9:00"})
        assert lacking.status_code == 422 and "It ends later on the same day" in lacking.text
        check_page(lacking)
        assert ingrid.post(f"{ADDRESS}/sessions", data=sent).status_code == 303
        check_page(ingrid.get(f"{ADDRESS}/sessions/1"))
        changed = {**sent, "version": "1", "place": "Town hall"}
        assert ingrid.post(f"{ADDRESS}/sessions/1", data=changed).status_code == 303
        stale = ingrid.post(f"{ADDRESS}/sessions/1", data=changed | {"place": "Harbour"})
        assert stale.status_code == 409 and "Harbour" in stale.text
        upload = {"file": (io.BytesIO(factory.PDF), "slides.pdf")}
        assert ingrid.post(f"{ADDRESS}/sessions/1/slides", data=upload).status_code == 303
        assert ingrid.post(f"{ADDRESS}/sessions/1/slides", data={}).status_code == 422
        assert ingrid.post(f"{ADDRESS}/sessions/1/cancel", data={}).status_code == 303
        assert ingrid.get(f"{ADDRESS}/sessions/9").status_code == 404

    assert "Called off" in words(client)


def test_who_may_not_see_a_draft_sees_none_of_its_dates(app: Flask, client: FlaskClient) -> None:
    from tests.calls.scene import filled

    draft = filled(SMALL)

    for path in ("calendar.ics", "questions", "questions.atom", "sessions/1/slides"):
        assert client.get(f"/calls/{draft.slug}/{path}").status_code == 404
    with pytest.raises(NotFound):
        calls.call(None, draft.slug)


def test_a_session_after_the_deadline_is_asked_why_and_the_reason_is_kept(
    app: Flask, client: FlaskClient, call_id: UUID
) -> None:
    closes_at = calls.call_by_id(call_id).closes_at
    assert closes_at is not None
    local = clock.in_zone(closes_at, calls.call_by_id(call_id).zone)
    late = {"day": f"{(local + timedelta(days=1)):%d/%m/%Y}", "starts": "10:00", "ends": "11:00"}
    with clock.at(NOW):
        manager = actors.client_of(app, actors.ingrid())
        assert "Why it is after the deadline" not in manager.get(f"{ADDRESS}/sessions").text
        typed = {"title": "What comes next", "place": "Online", **late}
        asked = send(manager, f"{ADDRESS}/sessions", **typed)
        assert asked.status_code == 422 and "It begins after the deadline of the call" in text_of(asked)
        assert "Why it is after the deadline" in text_of(asked) and calls.sessions(call_id) == ()
        why = "It tells the cities that were not selected what they can do."
        given = dict(forms(check_page(asked)))[""]
        assert post(manager, f"{ADDRESS}/sessions", given, late_why=why).status_code == 303

        (made,) = calls.sessions(call_id)
        reasons = db.session.scalars(select(AuditEvent.reason).where(AuditEvent.reason.is_not(None)))
        assert why in set(reasons)
        # Its recording, added afterwards, is no new wish.
        begins = clock.in_zone(made.starts_at, calls.call_by_id(call_id).zone).replace(tzinfo=None)
        again = SessionInput(
            made.title, begins, begins + timedelta(hours=1), made.place, recording="https://example.eu/v"
        )
        services.edit_session(actors.ingrid(), call_id, made.number, again)
        with pytest.raises(Invalid, match="after the deadline"):
            services.edit_session(
                actors.ingrid(), call_id, made.number, replace(again, starts=begins - timedelta(minutes=5))
            )
