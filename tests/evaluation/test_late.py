"""Missing assessments of a call: the list, the mails looked at before they are sent, and who was reminded."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from grants.applications.models import Application
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.jobs import Job
from grants.core.paging import Page
from grants.evaluation import queries, services
from grants.evaluation.models import Assignment, AssignmentReminder
from grants.evaluation.rules import (
    MissingFilter,
    MissingSearch,
    ReminderLine,
    ReminderPlan,
    RemindInput,
)
from grants.identity.models import Membership
from grants.identity.rules import RenderedMail
from tests.evaluation.scene import CLOSED, Browser, Scene
from tests.evaluation.test_seating import more
from tests.evaluation.test_views import text_of
from tests.factories import identity as people
from tests.statements import statements

NOW = CLOSED + timedelta(days=3)


def late(scene: Scene, number: int = 0) -> None:
    """The assessments of one application were due a day ago."""
    db.session.rollback()
    with arranging():
        seats = select(Assignment).where(Assignment.application_id == scene.application_ids[number])
        for seat in db.session.scalars(seats):
            seat.due_at = NOW - timedelta(days=1)


def missing(scene: Scene, only: MissingFilter | None = None, words: str = "") -> list[str]:
    """The references of the list, one for each row."""
    shown = queries.missing_page(scene.actor("manager"), scene.slug, MissingSearch(words, only))
    return [row.reference for row in shown.rows.items]


def picks(scene: Scene, only: MissingFilter | None = None) -> list[str]:
    """The rows of a list as a browser sends them ticked."""
    shown = queries.missing_page(scene.actor("manager"), scene.slug, MissingSearch("", only))
    return [str(row.seat_id) for row in shown.rows.items]


def mails() -> list[dict[str, object]]:
    """The reminders that were asked for."""
    db.session.rollback()
    sent = db.session.scalars(select(Job).where(Job.name == "jobs.mail.send").order_by(Job.number))
    return [job.args for job in sent if job.args["template"] == queries.REMINDER_MAIL]


def hidden(page: str, name: str) -> str:
    """What a hidden field of the page carries."""
    return re.findall(rf'name="{name}" value="([^"]*)"', page)[0]


def test_the_list_says_who_has_what_not_in_the_late_first_and_goes_on_by_key(browser: Browser, seated: Scene) -> None:
    late(seated, 2)
    with clock.at(NOW):
        first, second, third = seated.references
        assert missing(seated) == [third] * 3 + [first] * 3 + [second] * 3
        assert missing(seated, MissingFilter.LATE) == [third] * 3 and missing(seated, MissingFilter.SOON) == []
        assert missing(seated, MissingFilter.NO_DAY, first) == [first] * 3 == missing(seated, None, first[-4:])
        done = seated.seats(seated.application_ids[2])[0]
        services.submit(seated.actor(done), seated.application_ids[2], seated.sheet(8, 8, 8))
        assert missing(seated, MissingFilter.LATE) == [third] * 2
        came_in = queries.missing_page(seated.actor("manager"), seated.slug)
        assert [(each.day, each.by_then, each.quiet) for each in came_in.days] == [
            (NOW.date(), 1, 0)
        ] and came_in.assessments == 9
        shown = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/missing?only=late"))
        assert (
            "1 of 9 are in" in shown
            and "1 day late" in shown
            and shown.count("Never opened") == 2
            and shown.count("Not begun<") >= 2
        )
        place = f"/assessments/{third}/place"
        assert (
            browser.post(seated.seats(seated.application_ids[2])[1], place, answer="x", answer_offset="1").status_code
            == 200
        )
        shown = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/missing?only=late"))
        assert shown.count("Never opened") == 1

        more(seated, 97)
        keys: list[str] = []
        after: str | None = None
        while True:
            shown_now = queries.missing_page(seated.actor("manager"), seated.slug, page=Page(after=after))
            keys += [row.key for row in shown_now.rows.items]
            if (after := shown_now.rows.next_key) is None:
                break
        assert len(keys) == len(set(keys)) == 105 and keys == sorted(keys)
        with statements() as seen:
            browser.get("manager", f"/calls/{seated.slug}/assignments/missing")
        assert len(seen) <= 8
        boss = seated.actor("manager")
        call = queries.call_to_assign(boss, seated.slug)
        some, others = queries.missing_seats(boss, call, MissingSearch(), 3)
        assert (len(some), others) == (3, 102) and queries.missing_seats(boss, call, MissingSearch("none"), 3) == (
            (),
            0,
        )


def test_exactly_the_mails_that_were_shown_are_sent_once(browser: Browser, seated: Scene) -> None:
    late(seated)
    path = f"/calls/{seated.slug}/assignments/missing"
    with clock.at(NOW):
        assert browser.post("manager", path).status_code == 422
        look = browser.post("manager", f"{path}?only=late", every="yes")
        seen = text_of(look)
        assert (
            look.status_code == 200
            and "It was due on 22 November 2022, 10:00 CET. Open" in " ".join(seen.split())
            and mails() == []
        )
        # Who has more that is missing is not told of one row that it is all.
        assert (
            "This is a reminder of one of your assessments of" in seen and "Reminder of 1 missing assessment:" in seen
        )
        chosen = {"pick": picks(seated, MissingFilter.LATE), "message": "The panel meets soon."}

        # Other words than were shown: nothing is sent, the page shows the mails with them.
        other = browser.post("manager", path, **chosen, shown=hidden(look.text, "shown"), send="yes")
        assert other.status_code == 409 and "The panel meets soon." in text_of(other, 409) and mails() == []
        form = {**chosen, "shown": hidden(other.text, "shown"), "act_key": hidden(other.text, "act_key"), "send": "yes"}
        assert browser.post("manager", path, **form).status_code == 303
        assert browser.post("manager", path, **form).status_code == 303

        sent = mails()
        assert sorted(each["user_id"] for each in sent) == sorted(
            str(seated.people[name]) for name in seated.seats(seated.application_ids[0])
        )
        assert sent[0]["context"]["message"] == "The panel meets soon." and sent[0]["context"]["count"] == 1
        # Who may read mails need not be allowed to know who assesses what.
        assert seated.references[0] not in str(sent)
        log = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/reminders"))
        assert log.count("The panel meets soon.") == 3 and "Ingrid Manager" in log and "Still missing" in log
        assert missing(seated, MissingFilter.NOT_REMINDED) == [*seated.references[1:2] * 3, *seated.references[2:] * 3]
        for change in ("UPDATE assignment_reminder SET message = 'x'", "DELETE FROM assignment_reminder"):
            with pytest.raises(DBAPIError), arranging():
                db.session.connection().exec_driver_sql(change)
            db.session.rollback()
        assert browser.get("eva1", f"/calls/{seated.slug}/assignments/reminders").status_code == 403
        assert browser.post("eva1", path, **form).status_code == 403


def test_nobody_is_reminded_twice_a_day_without_a_reason(browser: Browser, seated: Scene) -> None:
    late(seated)
    path = f"/calls/{seated.slug}/assignments/missing"
    everybody = {"pick": picks(seated)}
    with clock.at(NOW):
        some = {"pick": picks(seated, MissingFilter.LATE)}
        look = browser.post("manager", path, **some)
        assert browser.post("manager", path, **some, shown=hidden(look.text, "shown"), send="yes").status_code == 303

        # Two browsers with the same page: the second one finds everybody reminded, and sends nothing.
        assert browser.post("manager", path, **some, shown=hidden(look.text, "shown"), send="yes").status_code == 409
        look = browser.post("manager", path, **everybody)
        assert text_of(look).count("Left out") == 3
        assert (
            browser.post("manager", path, **everybody, shown=hidden(look.text, "shown"), send="yes").status_code == 303
        )
        assert len({each["user_id"] for each in mails()}) == len(mails()) == 5
        why = {**everybody, "reason": "The panel was moved forward"}
        look = browser.post("manager", path, **why)
        assert "Left out" not in text_of(look)
        assert browser.post("manager", path, **why, shown=hidden(look.text, "shown"), send="yes").status_code == 303
        assert len(mails()) == 10
        again = db.session.scalars(select(AssignmentReminder.reason).where(AssignmentReminder.reason.is_not(None)))
        assert set(again) == {"The panel was moved forward"}
    with clock.at(NOW + timedelta(days=2)):
        boss = seated.actor("manager")
        asked = RemindInput(tuple(UUID(each) for each in some["pick"]))
        plan = queries.reminder_plan(boss, queries.call_to_assign(boss, seated.slug), asked)
        assert [line.left_out for line in plan.lines] == [False] * 3


def duties(scene: Scene, name: str = "manager") -> list[tuple[str, str, int]]:
    """What the home page asks this person to remind of: the words, where they lead to, how many."""
    found = queries.duties(scene.actor(name), clock.now())
    rows = [each for each in found if each.endpoint == "evaluation.missing"]
    return [(each.what, each.values["only"], int("".join(re.findall(r"^\D*(\d+)", each.what)))) for each in rows]


def test_the_home_page_asks_to_remind_of_what_is_late_or_due_soon_and_not_begun(seated: Scene) -> None:
    late(seated)
    first, second, _ = seated.application_ids
    with clock.at(NOW - timedelta(days=9)):
        assert duties(seated) == []
    with clock.at(NOW - timedelta(days=3)):
        what = "Remind evaluators of 3 assessments that are due within 7 days and not begun, Small neighbourhood pilots 2022"
        assert duties(seated) == [(what, "soon", 3)]
        services.save(seated.actor(seated.seats(first)[0]), first, seated.sheet(8, None, None))
        assert duties(seated)[0][2] == 2
    with clock.at(NOW):
        assert [(only, count) for _, only, count in duties(seated)] == [("late", 3)]
        (found,) = [
            each for each in queries.duties(seated.actor("manager"), NOW) if each.endpoint == "evaluation.missing"
        ]
        assert found.why == "2 of them are not begun." and found.due_at == NOW - timedelta(days=1)
        services.submit(seated.actor(seated.seats(first)[1]), first, seated.sheet(8, 8, 8))
        assert [count for *_, count in duties(seated)] == [2] and duties(seated, "chair") == []
        # Once they are reminded nothing waits until a day has passed.
        boss = seated.actor("manager")
        call = queries.call_to_assign(boss, seated.slug)
        values = RemindInput(queries.missing_seats(boss, call, MissingSearch("", MissingFilter.LATE))[0])
        services.remind_of_assessments(boss, call.id, values, queries.reminder_plan(boss, call, values).sha256)
        assert duties(seated) == []
    with clock.at(NOW + timedelta(days=2)):
        assert [count for *_, count in duties(seated)] == [2]
        late(seated, 1)
        assert [count for *_, count in duties(seated)] == [5]
        with arranging():
            people.bar(seated.people["manager"], "application", second)
        assert [count for *_, count in duties(seated)] == [2]


def test_a_manager_in_conflict_finds_nothing_of_it_and_reminds_nobody_of_it(browser: Browser, seated: Scene) -> None:
    late(seated)
    path = f"/calls/{seated.slug}/assignments/missing"
    with clock.at(NOW):
        shut = {"pick": picks(seated, MissingFilter.LATE)}
        look = browser.post("manager", path, **shut)
        title, city = db.session.execute(
            select(Application.title, Application.coordinator_id).where(Application.id == seated.application_ids[0])
        ).one()
        assert browser.post("manager", path, **shut, shown=hidden(look.text, "shown"), send="yes").status_code == 303
        db.session.rollback()
        with arranging():
            db.session.add(Membership(user_id=seated.people["manager"], organisation_id=city, starts_at=clock.now()))

        # Nor does the limit of a day tell whom somebody reminded of it.
        assert set(seated.seats(seated.application_ids[0])) & set(seated.seats(seated.application_ids[1]))
        rest = text_of(browser.post("manager", path, every="yes"))
        assert "Left out" not in rest and "Reminded " not in rest
        for page in (path, f"{path}?q={seated.references[0]}", f"/calls/{seated.slug}/assignments/reminders"):
            assert title not in browser.get("manager", page).text, page
        tampered = browser.post("manager", path, **shut)
        assert title not in tampered.text and "Nobody is left to remind" in text_of(tampered)
        words = {"message": "The panel waits", "shown": hidden(look.text, "shown"), "send": "yes"}
        sent = browser.post("manager", path, **shut, **words)
        assert sent.status_code == 409 and len(mails()) == 3
        # Also with nobody left it says why nothing was sent, and loses no word.
        assert "Nothing was sent" in text_of(sent, 409) and "The panel waits" in sent.text
        assert missing(seated, MissingFilter.LATE) == [] and len(missing(seated)) == 6


def test_who_is_reminded_again_and_why_is_part_of_what_was_shown() -> None:
    mail = RenderedMail("ada@example.org", "Ada", "Subject", "Words")
    first, again = (ReminderLine(UUID(int=1), "Ada", (), mail, at) for at in (None, NOW))

    told = [ReminderPlan((line,), 0, why).sha256 for line in (first, again) for why in ("Earlier now", "Later now")]

    assert told[0] == told[1] and len(set(told)) == 3
