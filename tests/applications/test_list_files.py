"""A list too long for a page is made by a job: its owner's alone, of what they may read, made once, removed after some days."""

from __future__ import annotations

import csv
import io
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from grants.applications import queries, services
from grants.applications.models import ListFile
from grants.applications.rules.exporting import KEPT_FOR, ListForm
from grants.core import clock, files, jobs
from grants.core.acts import arranging
from grants.core.audit import ActRow
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.core.files import StoredFile
from grants.core.jobs import JobState
from grants.core.permissions import Actor, Permission, system_actor
from grants.identity import queries as identity
from grants.identity.models import AccessBar
from jobs import schedule
from tests import actors
from tests.applications.listed import Listed
from tests.documents.conftest import due_now
from tests.factories.applications import AFTER_CLOSING
from tests.shut import shuts

ADDRESS = "sort=asked&show=call&show=asked"


@pytest.fixture
def pages(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The browser of the desk, where three rows are already a long list."""
    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr("grants.applications.views.lists.AT_ONCE_ROWS_MAX", 3)
    monkeypatch.setattr("grants.applications.rules.exporting.AT_ONCE_ROWS_MAX", 3)
    # It says how far it is while rows are still read.
    monkeypatch.setattr("grants.applications.services.exporting.LINES_TOGETHER", 3)
    monkeypatch.setattr("grants.core.jobs.working.PROGRESS_SECONDS_MIN", 0.0)
    return actors.client_of(app, actors.eli())


def asked(reader: Actor, form: ListForm = ListForm.CSV) -> int:
    return services.ask_list_file(reader, ADDRESS, form)


def job_of(number: int) -> UUID:
    found = db.session.scalar(select(ListFile.job_id).where(ListFile.number == number))
    assert found is not None
    return found


def bar(reader: Actor, application_id: UUID) -> None:
    """A conflict declared by the person, as the act that records one leaves it."""
    assert reader.user_id is not None
    with arranging():
        db.session.add(
            AccessBar(
                user_id=reader.user_id,
                kind="application",
                object_id=application_id,
                starts_at=clock.now(),
                ends_before=None,
            )
        )


def kept() -> int:
    return db.session.scalar(select(func.count()).select_from(StoredFile).where(StoredFile.kind == "list_file")) or 0


def test_a_long_list_is_asked_for_watched_and_taken_with_the_columns_chosen(found: Listed, pages: FlaskClient) -> None:
    sent_on = pages.get(f"/applications.csv?{ADDRESS}")
    assert (sent_on.status_code, sent_on.location) == (303, f"/applications/files/new?{ADDRESS}&as=csv")
    told = pages.get(sent_on.location).get_data(as_text=True)
    assert "Reference, Title, Call, Asked for" in told
    assert "It has 8 rows. A list of more than 3 is made by a job" in told

    page = pages.post(sent_on.location).location
    assert "It waits for a free worker." in pages.get(page).get_data(as_text=True)
    home = pages.get("/home").get_data(as_text=True)
    assert "List 1 of applications as a CSV file" in home and "With a worker of the program." in home
    # Without its cover, as it is asked for.
    bare = pages.get(f"/applications.csv?{ADDRESS}&cover=no").location
    alone = pages.post(bare).location
    jobs.work_off(actor_of=identity.actor_for)
    with pages.get(f"{alone}/download") as answer:
        assert answer.get_data().decode("utf-8-sig").startswith("reference,title,call,requested_eur,synthetic")
    assert "It is ready for you to take." in pages.get("/home").get_data(as_text=True)

    assert "8 rows, as of" in pages.get(page).get_data(as_text=True)
    view = queries.list_file(actors.eli(), 1)
    assert (view.done, view.total, view.note, view.rows_written) == (9, 9, "Keeping the file", (8, 8))
    with pages.get(f"{page}/download") as answer:
        lines = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert lines[8] == ["reference", "title", "call", "requested_eur", "synthetic"]
    assert [line[3] for line in lines[9:]] == sorted((line[3] for line in lines[9:]), key=lambda each: float(each or 0))
    verbs = db.session.scalars(select(ActRow.verb).where(ActRow.verb.like("list_file.%")).order_by(ActRow.done_at))
    assert list(verbs) == [f"list_file.{verb}" for verb in ("ask", "ask", "make", "make", "download", "download")]
    # Fewer rows than that are made at once, as ever, also where a job is asked for them.
    assert pages.get("/applications.csv?state=eligible").mimetype == "text/csv"
    short = "/applications/files/new?state=eligible&as=xlsx"
    assert "is made while you wait, as every list of up to 3." in pages.get(short).get_data(as_text=True)
    assert pages.post(short).location == "/applications.xlsx?state=eligible"
    for address in ("/applications.csv", "/applications.xlsx", "/applications/files/new"):
        refused = pages.get(f"{address}?state=nope&country=XX&q=heat")
        assert refused.status_code == 422 and "There are: draft, submitted, withdrawn" in refused.text
        assert '<a class="govuk-link" href="/applications?q=heat">show the list without it</a>' in refused.text


@shuts("applications.download_list_file", leaves_out=("applications.show_list_file",))
def test_a_conflict_declared_before_it_is_made_keeps_the_row_out_and_one_after_it_the_whole_file(
    found: Listed, pages: FlaskClient
) -> None:
    number = asked(actors.eli())
    bar(actors.eli(), found.ids["Warm Blocks"])
    jobs.work_off(actor_of=identity.actor_for)
    with pages.get(f"/applications/files/{number}/download") as answer:
        text = answer.get_data(as_text=True)
    assert "Heat for All" in text and "Warm Blocks" not in text

    bar(actors.eli(), found.ids["Heat for All"])

    with pytest.raises(Refused, match="What you may read has changed since this file was made"):
        services.download_list_file(actors.eli(), number)
    assert pages.get(f"/applications/files/{number}/download").status_code == 422
    assert "This file is not handed out any more" in pages.get(f"/applications/files/{number}").get_data(as_text=True)


def test_a_file_of_a_list_is_there_for_nobody_else(found: Listed, pages: FlaskClient) -> None:
    number = asked(actors.ella())
    jobs.work_off(actor_of=identity.actor_for)

    for deed in (queries.list_file, services.download_list_file, services.remove_list_file):
        with pytest.raises(NotFound):
            deed(actors.eli(), number)
    assert pages.get(f"/applications/files/{number}/download").status_code == 404
    assert queries.list_files(actors.eli()) == () and len(queries.list_files(actors.ella())) == 1


def test_whoever_reads_no_applications_any_more_gets_no_file_of_them(found: Listed) -> None:
    number = asked(actors.eli())

    jobs.work_off(actor_of=lambda user_id: Actor(user_id, "Eli Desk"))

    assert queries.list_file(actors.eli(), number).failed and kept() == 0


def test_a_worker_that_was_taken_for_dead_keeps_nothing_and_a_second_ring_makes_no_second_file(found: Listed) -> None:
    number = asked(actors.eli(), ListForm.XLSX)
    dead = jobs.claim(job_of(number), actor_of=identity.actor_for, worker="dead")
    assert dead is not None
    due_now(job_of(number))

    assert jobs.work(job_of(number), actor_of=identity.actor_for, worker="alive") is JobState.DONE
    assert jobs.work(job_of(number), actor_of=identity.actor_for, worker="again") is None

    made = queries.list_file(actors.eli(), number)
    assert (made.rows, made.attempt, kept()) == (8, 2, 1)
    # The job run once more by itself finds it made.
    services.make_list_file(actors.eli(), made.id)
    assert kept() == 1


def test_a_worker_overtaken_while_it_writes_leaves_nothing(found: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    number = asked(actors.eli())

    def overtaken(*_: object, **__: object) -> None:
        due_now(job_of(number))

    monkeypatch.setattr("grants.applications.services.list_files.jobs.progress", overtaken)
    assert jobs.work(job_of(number), actor_of=identity.actor_for, worker="slow") is None
    monkeypatch.undo()

    assert (queries.list_file(actors.eli(), number).made_at, kept()) == (None, 0)
    assert jobs.work(job_of(number), actor_of=identity.actor_for, worker="next") is JobState.DONE
    assert kept() == 1


def test_it_is_kept_some_days_and_then_gone_for_good(found: Listed) -> None:
    number = asked(actors.eli())
    jobs.work_off(actor_of=identity.actor_for)
    (file,) = files.listed("list_file", queries.list_file(actors.eli(), number).id)
    bytes_of_it = files.path(file)

    with clock.at(AFTER_CLOSING + KEPT_FOR - timedelta(seconds=1)):
        schedule.tidy()
        assert services.download_list_file(actors.eli(), number).sha256 == file.sha256
    with clock.at(AFTER_CLOSING + KEPT_FOR):
        with pytest.raises(NotFound):
            services.download_list_file(actors.eli(), number)
        schedule.tidy()
        with pytest.raises(NotFound):
            queries.list_file(actors.eli(), number)
        assert services.remove_old_list_files(system_actor("the program", [Permission.APPLICATION_READ])) == 0
    files.sweep_orphans(timedelta(seconds=-1))
    assert (kept(), bytes_of_it.exists(), files.verify()) == (0, False, ())


def test_what_does_not_fit_or_is_one_too_many_is_said_before_it_is_made(
    found: Listed, pages: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ListForm, "rows_max", 7)
    answer = pages.post(f"/applications/files/new?{ADDRESS}&as=xlsx")
    assert answer.status_code == 422 and "more than 7 rows. Take it out as CSV" in answer.get_data(as_text=True)
    monkeypatch.undo()
    monkeypatch.setattr("grants.applications.services.list_files.FILES_MAX", 1)
    number = asked(actors.eli())

    with pytest.raises(Refused, match="You have 1 files of lists, and 1 is the most"):
        asked(actors.eli())
    assert "Do without it" in pages.get(f"/applications/files/{number}").get_data(as_text=True)
    services.remove_list_file(actors.eli(), number)
    # Its job finds nothing to make.
    jobs.work_off(actor_of=identity.actor_for)
    assert kept() == 0
    number = asked(actors.eli())
    assert jobs.claim(job_of(number), actor_of=identity.actor_for, worker="slow") is not None
    with pytest.raises(Refused, match="is being made"):
        services.remove_list_file(actors.eli(), number)
    due_now(job_of(number))
    jobs.work_off(actor_of=identity.actor_for)
    services.remove_list_file(actors.eli(), number)
    assert queries.list_files(actors.eli()) == () and kept() == 0


def test_a_wish_whose_job_still_waits_is_not_swept(found: Listed) -> None:
    number = asked(actors.eli())

    with clock.at(AFTER_CLOSING + KEPT_FOR):
        schedule.tidy()
        assert queries.list_file(actors.eli(), number).made_at is None


def test_two_wishes_at_once_do_not_pass_the_limit(found: Listed, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grants.applications.services.list_files.FILES_MAX", 1)
    eli, told = actors.eli(), []
    meeting, counted = threading.Barrier(2), jobs.queue

    def after_the_other(*args: Any, **more: Any) -> UUID:
        # Both have counted, unless one is made to wait for the other.
        with suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)
        return counted(*args, **more)

    def wish() -> None:
        with app.app_context(), clock.at(AFTER_CLOSING):
            try:
                told.append(asked(eli) > 0)
            except Refused:
                told.append(False)
            db.session.remove()

    monkeypatch.setattr("grants.applications.services.list_files.jobs.queue", after_the_other)
    threads = [threading.Thread(target=wish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == [False, True]
