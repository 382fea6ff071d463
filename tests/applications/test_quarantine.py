"""The virus scanner: nobody is handed an upload it has not cleared, whatever it answers, breaks off or does not say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from grants.applications import queries, services
from grants.calls.rules import CallView
from grants.core import clock, files, jobs, quarantine, scanning
from grants.core.acts import bookkeeping
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import NotAllowed, Refused
from grants.core.files import FileView
from grants.core.jobs import Job, JobState
from grants.core.scanning import Clearance, ScannerAway, Verdict
from grants.identity import queries as identity
from grants.oversight import services as oversight
from jobs import schedule
from tests import actors
from tests.applications.pages import send, text_of
from tests.clamd import EICAR, SIGNATURE, VERSION, Clamd, clamd
from tests.core.test_files import upload
from tests.factories import applications as factory
from tests.factories.applications import PDF, WHILE_OPEN
from tests.worlds import World

NOWHERE = "tcp://127.0.0.1:1"


@pytest.fixture(autouse=True)
def open_now(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        yield


@pytest.fixture
def scanner(app: Flask) -> Iterator[Clamd]:
    with clamd() as found:
        app.config["VIRUS_SCANNER"] = found.address
        yield found
    app.config["VIRUS_SCANNER"] = ""


@pytest.fixture
def reference(app: Flask, drafted_world: World[str]) -> str:
    return drafted_world.told()


def attach(reference: str, data: bytes = PDF, name: str = "plan.pdf", role: str = "other") -> FileView:
    ana = actors.ana()
    return services.attach_file(ana, queries.id_of(ana, reference), files.receive(upload(data, name)), role)


def handed_out(app: Flask, reference: str, file: FileView) -> tuple[int, str]:
    with actors.client_of(app, actors.ana()).get(f"/applications/{reference}/files/{file.sha256}") as answer:
        return answer.status_code, "" if answer.status_code == 200 else answer.get_data(as_text=True)


def work() -> None:
    jobs.work_off(actor_of=identity.actor_for)
    db.session.rollback()


def scans() -> list[Job]:
    return list(db.session.scalars(select(Job).where(Job.name == files.SCAN_JOB).order_by(Job.number)))


def due_now() -> None:
    """As if the pause before the next try were over."""
    with bookkeeping() as books:
        books.execute(update(Job).where(Job.name == files.SCAN_JOB).values(run_after=WHILE_OPEN - timedelta(days=9999)))


# --- the protocol ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_clamd_is_asked_over_tcp_and_over_a_socket(app: Flask, tmp_path: Path, kind: str) -> None:
    harmless, harmful = tmp_path / "a", tmp_path / "b"
    harmless.write_bytes(b"x" * (3 * scanning.CHUNK_BYTES + 1))
    harmful.write_bytes(b"x" * scanning.CHUNK_BYTES + EICAR)
    with clamd(tmp_path / "s" if kind == "unix" else None) as found:
        app.config["VIRUS_SCANNER"] = found.address

        assert scanning.scan(harmless) == scanning.Scanned(Verdict.CLEAN, None, VERSION)
        assert scanning.scan(harmful) == scanning.Scanned(Verdict.INFECTED, SIGNATURE, VERSION)
        assert scanning.look() == (scanning.State.ANSWERS, VERSION)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"", "broke off in the middle"),
        (b"stream: OK", "broke off in the middle"),
        (b"INSTREAM size limit exceeded. ERROR\0", "Raise its StreamMaxLength"),
        (b"stream: OKAY\0", "gave no verdict"),
        (b" FOUND\0", "gave no verdict"),
        (b"stream: Can't allocate memory ERROR\0", "gave no verdict"),
        (b"stream: " + b"x" * 10_000, "broke off in the middle"),
    ],
)
def test_only_a_whole_clear_answer_is_a_verdict(scanner: Clamd, tmp_path: Path, says: bytes, why: str) -> None:
    (tmp_path / "a").write_bytes(b"words")
    scanner.says = says

    with pytest.raises(ScannerAway, match=why):
        scanning.scan(tmp_path / "a")


def test_a_scanner_that_is_not_there_is_said_to_be_away(app: Flask, tmp_path: Path) -> None:
    for address in (NOWHERE, f"unix://{tmp_path}/none"):
        app.config["VIRUS_SCANNER"] = address
        state, words = scanning.look()
        assert (state, words.startswith(f"The virus scanner at {address} does not answer:")) == (
            scanning.State.AWAY, True
        )  # fmt: skip


# --- quarantine -----------------------------------------------------------------------------------------------


def test_without_a_scanner_files_are_handed_out_and_the_administrator_reads_that_none_looks(
    app: Flask, reference: str
) -> None:
    file = attach(reference)

    assert (handed_out(app, reference, file)[0], scans()) == (200, [])
    page = text_of(actors.client_of(app, actors.adam()).get("/admin/uploads"))
    assert "Uploads are not scanned for viruses" in page and "VIRUS_SCANNER" in page


def test_an_upload_is_in_quarantine_until_the_scanner_says_clean(app: Flask, reference: str, scanner: Clamd) -> None:
    file = attach(reference)

    assert file.clearance is Clearance.WAITING
    status, words = handed_out(app, reference, file)
    assert (status, "the virus scanner has not looked at it" in words) == (422, True)
    assert "In quarantine" in text_of(actors.client_of(app, actors.ana()).get(f"/applications/{reference}/files"))

    work()

    assert (handed_out(app, reference, file)[0], scanner.asked) == (200, 1)
    assert db.session.scalar(select(AuditEvent.verb).where(AuditEvent.object_kind == "file_scan")) == "file.scan"


def test_an_infected_file_is_never_handed_out_stops_the_sending_and_its_sender_is_told(
    app: Flask, reference: str, scanner: Clamd
) -> None:
    file = attach(reference, EICAR, "notes.txt")
    work()
    # Also where the scanner is switched off later.
    app.config["VIRUS_SCANNER"] = ""

    status, words = handed_out(app, reference, file)

    assert (status, "found something harmful" in words) == (422, True)
    place = queries.workplace(actors.ana(), reference)
    assert "“notes.txt” holds a virus and is handed to nobody. Take it out and attach a clean copy." in [
        issue.message for issue in place.issues
    ]
    letters = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send")).all()
    assert [letter["template"] for letter in letters] == ["file_infected"]
    ((held, found),) = quarantine.quarantine().infected
    assert (held.id, found) == (file.id, SIGNATURE)


def test_a_scanner_that_does_not_answer_keeps_files_back_and_its_jobs_try_again(
    app: Flask, reference: str, scanner: Clamd
) -> None:
    app.config["VIRUS_SCANNER"] = NOWHERE
    file, other = attach(reference), attach(reference, b"notes\n", "notes.txt")
    work()

    assert [(job.state, job.holds_queue) for job in scans()] == [(JobState.QUEUED, True), (JobState.QUEUED, False)]
    assert "does not answer" in (scans()[0].error or "")
    assert handed_out(app, reference, file)[0] == 422
    page = text_of(actors.client_of(app, actors.adam()).get("/admin/uploads"))
    assert "The virus scanner does not answer" in page and "tried again by itself" in page

    app.config["VIRUS_SCANNER"] = scanner.address
    due_now()
    work()

    assert [handed_out(app, reference, each)[0] for each in (file, other)] == [200, 200]


def test_waiting_for_the_scanner_stops_nobody_from_sending(app: Flask, call: CallView, scanner: Clamd) -> None:
    application_id = factory.fill(factory.draft(call, actors.ana(), "Other Blocks"), actors.ana())
    reference = queries.view_by_id(application_id).reference

    place = queries.workplace(actors.ana(), reference)
    assert place.issues == ()
    assert "still in quarantine" in place.warnings[-1].message
    services.submit(factory.again(actors.ana()), application_id)


def test_what_was_uploaded_before_there_was_a_scanner_is_scanned_too(app: Flask, reference: str) -> None:
    file = attach(reference)
    with clamd() as found:
        app.config["VIRUS_SCANNER"] = found.address
        assert handed_out(app, reference, file)[0] == 422

        schedule.ask_for_scans()
        schedule.ask_for_scans()
        assert len(scans()) == 1
        work()

        assert (handed_out(app, reference, file)[0], found.asked) == (200, 1)


def test_a_file_that_was_taken_for_harmful_wrongly_is_scanned_again(app: Flask, reference: str, scanner: Clamd) -> None:
    scanner.says = b"stream: Wrong.Alarm FOUND\0"
    file = attach(reference)
    work()
    scanner.says = None
    signe = actors.client_of(app, actors.adam())

    assert send(signe, "/admin/uploads/scan", page="/admin/uploads").status_code == 303
    with clock.at(WHILE_OPEN + timedelta(minutes=1)):
        work()

    assert handed_out(app, reference, file)[0] == 200
    assert quarantine.quarantine().infected == ()


def test_what_the_program_made_itself_is_not_scanned(app: Flask, scanner: Clamd) -> None:
    file = FileView(
        actors.ana().user_id, "grant", actors.ana().user_id, "agreement", "a.pdf", "application/pdf", 1, "0" * 64, 1,
        WHILE_OPEN, None, None, scanning.clearance(uploaded=False, verdict=None),
    )  # fmt: skip

    assert file.clearance is Clearance.FREE
    with pytest.raises(Refused, match="virus"):
        files.genuine(FileView(*(getattr(file, n) for n in FileView.__slots__[:-1]), Clearance.WAITING))


def test_only_who_looks_after_the_machine_sees_what_is_held_back(app: Flask) -> None:
    assert actors.client_of(app, actors.ana()).get("/admin/uploads").status_code == 403


def test_no_person_records_a_verdict(reference: str, scanner: Clamd) -> None:
    file = attach(reference)

    for person in (actors.ana(), actors.adam(), actors.ingrid()):
        with pytest.raises(NotAllowed):
            oversight.record_scan(person, file.id, scanning.Scanned(Verdict.CLEAN, None, "nobody"))
