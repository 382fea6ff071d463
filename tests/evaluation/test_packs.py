"""All applications to read in one file: of what is open to its owner, made by a job, shut again by a conflict."""

from __future__ import annotations

import io
import zipfile
from html import unescape

import pytest
from sqlalchemy import select

from grants.applications.models import Application
from grants.core import files, jobs
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.jobs import Job, JobState
from grants.documents import services as documents
from grants.documents.services import packs as packing
from grants.evaluation import queries, services
from grants.evaluation.models import ReadingPack
from grants.evaluation.rules import COPY_KIND, PACK_KIND, Answered
from grants.evaluation.states import Declared
from grants.identity.queries import actor_for
from tests.evaluation.scene import Browser, Scene, declares
from tests.html import check_page
from tests.shut import shuts


def owner(scene: Scene) -> str:
    return next(each for each in scene.evaluators if len(queries.assessments(scene.actor(each))) > 1)


def work(scene: Scene) -> JobState | None:
    db.session.rollback()
    job_id = db.session.scalars(select(ReadingPack.job_id)).one()
    db.session.rollback()
    return jobs.work(job_id, actor_of=actor_for, worker="tests")


def packed(scene: Scene, name: str) -> zipfile.ZipFile:
    view = services.download_pack(scene.actor(name))
    return zipfile.ZipFile(io.BytesIO(files.genuine(view).read_bytes()))


@shuts("evaluation.take_reading_pack")
def test_the_pack_holds_what_is_open_and_is_shut_by_a_conflict(seated: Scene, browser: Browser) -> None:
    name = owner(seated)
    first = queries.assessments(seated.actor(name))[0]
    with arranging():
        # A title may hold what no name of a file does.
        get(Application, first.application_id).title = f"{first.title} and/or \\ Wells"
    rows = queries.assessments(seated.actor(name))
    other = next(each for each in seated.seats(rows[0].application_id) if each != name)
    services.submit(seated.actor(other), rows[0].application_id, seated.sheet(9, 9, 9, words="secret " * 40))
    assert "It will hold" in browser.get(name, "/assessments/pack").text
    assert browser.get(name, "/assessments/pack/download").status_code == 404
    assert browser.post(name, "/assessments/pack").status_code == 303
    page = browser.get(name, "/assessments/pack")
    check_page(page)
    assert "It is being made" in page.text

    assert work(seated) is JobState.DONE

    with packed(seated, name) as archive:
        names = archive.namelist()
        assert [each.split(" ")[0] for each in names] == [row.reference for row in rows]
        assert all(archive.read(each).startswith(b"%PDF") for each in names)
    with browser.get(name, "/assessments/pack/download") as answer:
        assert answer.data[:2] == b"PK"
    # Nobody else has one.
    assert browser.get(other, "/assessments/pack/download").status_code == 404

    answer = Answered(rows[0].application_id, Declared.CONFLICT, "A cousin")
    declares(seated.actor(name), seated.call_id, (answer,))
    with pytest.raises(Refused, match="not handed out any more"):
        services.download_pack(seated.actor(name))
    assert browser.get(name, "/assessments/pack/download").status_code == 422
    text = unescape(browser.get(name, "/assessments/pack").text)
    assert "This file is not handed out any more" in text and rows[0].title not in text
    browser.post(name, "/assessments/pack")
    assert work(seated) is JobState.DONE
    with packed(seated, name) as archive:
        assert [each.split(" ")[0] for each in archive.namelist()] == [row.reference for row in rows[1:]]


def test_a_conflict_declared_while_the_job_waits_keeps_the_application_out(seated: Scene) -> None:
    name = owner(seated)
    rows = queries.assessments(seated.actor(name))
    services.ask_pack(seated.actor(name))
    answer = Answered(rows[0].application_id, Declared.UNSURE, "Perhaps a cousin")
    declares(seated.actor(name), seated.call_id, (answer,))
    assert work(seated) is JobState.DONE
    view = queries.pack(seated.actor(name))
    assert view is not None and view.held == tuple(row.reference for row in rows[1:])
    # A second run finds it made, and one file is kept.
    assert documents.make_reading_pack(seated.actor(name), view.id) == 0
    db.session.rollback()
    assert len(files.listed(PACK_KIND, view.id)) == 1


def test_nothing_open_is_nothing_to_pack(scene: Scene, browser: Browser) -> None:
    with pytest.raises(Exception, match=r"assessment:score|No application is open"):
        services.ask_pack(scene.actor("eva1"))


def test_a_second_one_is_refused_while_the_first_waits_and_runs(seated: Scene, browser: Browser) -> None:
    name = owner(seated)
    services.ask_pack(seated.actor(name))

    with pytest.raises(Refused, match="asked for already"):
        services.ask_pack(seated.actor(name))

    assert "asked for already" in browser.post(name, "/assessments/pack").text
    assert work(seated) is JobState.DONE
    services.ask_pack(seated.actor(name))


def test_what_is_too_large_is_refused_and_leaves_nothing_behind(seated: Scene) -> None:
    name = owner(seated)
    services.ask_pack(seated.actor(name))
    view = queries.pack(seated.actor(name))
    assert view is not None

    with pytest.raises(Refused, match="limit of one file"):
        documents.make_reading_pack(seated.actor(name), view.id, 10_000)

    db.session.rollback()
    assert files.listed(PACK_KIND, view.id) == ()
    assert work(seated) is JobState.DONE


def copies() -> list[Job]:
    db.session.rollback()
    return list(db.session.scalars(select(Job).where(Job.name == queries.COPY_JOB).order_by(Job.number)))


def work_copy() -> JobState | None:
    job_id = copies()[-1].id
    db.session.rollback()
    return jobs.work(job_id, actor_of=actor_for, worker="tests")


@shuts("evaluation.take_packed_pdf", "evaluation.reading_copy")
def test_one_application_is_made_as_a_pdf_by_a_job_once_for_all_and_shut_by_a_conflict(
    seated: Scene, browser: Browser
) -> None:
    name = owner(seated)
    row = queries.assessments(seated.actor(name))[0]
    other = next(each for each in seated.seats(row.application_id) if each != name)
    stranger = next(each for each in seated.evaluators if each not in seated.seats(row.application_id))
    page, alone = f"/assessments/{row.reference}/pdf", f"/assessments/{row.reference}/application.pdf"
    assert page in browser.get(name, f"/assessments/{row.reference}").text
    shown = browser.get(name, page)
    check_page(shown)
    assert "Make the PDF" in shown.text and browser.get(name, alone).status_code == 404 and copies() == []

    assert browser.post(name, page).status_code == 303
    # A second click finds the job of the first.
    assert browser.post(name, page).status_code == 303
    assert len(copies()) == 1
    waiting = browser.get(name, page)
    check_page(waiting)
    assert "It is being made" in waiting.text and 'http-equiv="refresh"' in waiting.text
    assert browser.get(name, alone).status_code == 404

    assert work_copy() is JobState.DONE

    ready = browser.get(name, page)
    check_page(ready)
    assert "Download the PDF" in ready.text and 'http-equiv="refresh"' not in ready.text
    with browser.get(name, alone) as answer:
        first = answer.data
        assert answer.status_code == 200 and first.startswith(b"%PDF")
    # Asked again, and by another who assesses it: the same file, and nothing to wait for.
    assert browser.post(name, page).status_code == browser.post(other, page).status_code == 303
    with browser.get(other, alone) as answer:
        assert answer.data == first
    assert len(copies()) == 1

    # Without a seat there is nothing to ask for, and nothing to take.
    assert [browser.get(stranger, each).status_code for each in (page, alone)] == [404, 404]
    assert browser.post(stranger, page).status_code == 404
    declares(seated.actor(name), seated.call_id, (Answered(row.application_id, Declared.CONFLICT, "A cousin"),))
    assert [browser.get(name, each).status_code for each in (page, alone)] == [404, 404]
    assert browser.post(name, page).status_code == 404
    assert len(copies()) == 1


def test_a_conflict_declared_while_the_job_of_one_waits_makes_nothing(seated: Scene) -> None:
    name = owner(seated)
    row = queries.assessments(seated.actor(name))[0]
    other = next(each for each in seated.seats(row.application_id) if each != name)
    services.ask_one(seated.actor(name), row.reference)
    declares(seated.actor(name), seated.call_id, (Answered(row.application_id, Declared.UNSURE, "A cousin"),))

    assert work_copy() is JobState.FAILED

    standing = queries.copy(seated.actor(other), row.reference)
    assert standing.file is None and not standing.waits and standing.error == ""
    # Two who ask before either is made get one file.
    services.ask_one(seated.actor(other), row.reference)
    assert work_copy() is JobState.DONE
    one = queries.copy(seated.actor(other), row.reference).one
    again = documents.make_reading_copy(seated.actor(other), one.seat_id, one.submission_id)
    assert [each.id for each in files.listed(COPY_KIND, one.submission_id)] == [again.id]


def test_why_a_pdf_could_not_be_made_is_said_and_it_can_be_tried_again(
    seated: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = owner(seated)
    row = queries.assessments(seated.actor(name))[0]
    services.ask_one(seated.actor(name), row.reference)

    def refuses(found: object) -> bytes:
        raise Refused("The printer is out of ink.")

    with monkeypatch.context() as patched:
        patched.setattr(packing.letters, "reading_copy", refuses)
        assert work_copy() is JobState.FAILED
    shown = browser.get(name, f"/assessments/{row.reference}/pdf")
    check_page(shown)
    assert "The printer is out of ink." in shown.text and "Try it again" in shown.text
    browser.post(name, f"/assessments/{row.reference}/pdf")
    assert work_copy() is JobState.DONE
    assert queries.copy(seated.actor(name), row.reference).file is not None
