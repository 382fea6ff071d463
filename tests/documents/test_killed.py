"""A worker that is killed at any step of a statement, a flushed queue, a cancellation: in the end one statement, or none; never half."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from config import Config
from grants.app import create_app
from grants.core import clock, files, jobs
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.core.files import StoredFile
from grants.core.jobs import JobState
from grants.documents import queries, services
from grants.documents.catalogue import CATALOGUE, rendered
from grants.documents.models import StatementFigures, StatementRun
from grants.documents.rules import Format, RunState
from grants.identity import queries as identity
from tests import actors
from tests.documents.conftest import AS_OF, OVERVIEW, Books, drawn, due_now, view
from tests.soak.racing import forkserver

# Where a worker dies, in the order of its work: by the number of statements of SQL that write what comes next.
AFTER_FIGURES, AFTER_ONE_FILE, AFTER_ALL_FILES, AT_COMMIT, AFTER_COMMIT = range(5)


def stored(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and len(path.name) == 64}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _work_until(settings: Config, folder: Path, before: int, step: int) -> None:
    """A worker in a process of its own that is killed at a step of the statement it makes."""

    wanted = {
        AFTER_FIGURES: "INSERT INTO statement_figures",
        AFTER_ONE_FILE: "INSERT INTO stored_file",
        AFTER_ALL_FILES: "UPDATE statement_run",
    }.get(step)

    def wrote(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if wanted and statement.startswith(wanted):
            _die()

    def about_to_write(connection: object, cursor: object, statement: str, *rest: object) -> None:
        # The statement is there, and the worker dies before it keeps what its job answered.
        if step == AFTER_COMMIT and statement.startswith("UPDATE job") and "result=" in statement:
            _die()

    def committing(connection: object) -> None:
        if step == AT_COMMIT and len(stored(folder)) - before >= len(Format):
            _die()

    with create_app(settings).app_context():
        event.listen(db.engine, "after_cursor_execute", wrote)
        event.listen(db.engine, "before_cursor_execute", about_to_write)
        event.listen(db.engine, "commit", committing)
        jobs.work_off(actor_of=identity.actor_for)


def killed_at(step: int, settings: Config, folder: Path) -> None:
    before = len(stored(folder))
    worker = forkserver().Process(target=_work_until, args=(settings, folder, before, step))
    worker.start()
    worker.join(timeout=180)
    assert worker.exitcode == -signal.SIGKILL
    db.session.rollback()


def asked(name: str, books: Books) -> UUID:
    with clock.at(AS_OF + timedelta(minutes=1)):
        return services.request(actors.nuria(), books.wanted(name)).id


def reference_of(run_id: UUID) -> str:
    return str(db.session.scalar(select(StatementRun.reference).where(StatementRun.id == run_id)))


def job_of(run_id: UUID) -> UUID:
    found = db.session.scalar(select(StatementRun.job_id).where(StatementRun.id == run_id))
    assert found is not None
    return found


def is_whole(run_id: UUID, name: str, books: Books) -> None:
    """One run, done, with each file once and every file as it would be made from the books."""
    db.session.rollback()
    found = view(actors.nuria(), reference_of(run_id))
    assert (found.progress.state, {each.form.value for each in found.files}) == (
        RunState.READY,
        {form.value for form in Format},
    )
    kept = files.listed(services.FILE_KIND, run_id)
    assert sorted((file.role, file.version_no) for file in kept) == [("csv", 1), ("pdf", 1), ("xlsx", 1)]
    figures = drawn(books.wanted(name))
    for file in kept:
        assert files.path(file).read_bytes() == rendered(figures, Format(file.role)).data
    rows = select(func.count()).select_from(StoredFile).where(StoredFile.kind == services.FILE_KIND)
    assert db.session.scalar(rows) == len(Format)
    assert db.session.scalar(select(func.count()).select_from(StatementFigures)) == 1


# One way makes them all: the longest is killed at every step, each of the others at one of its own.
@pytest.mark.parametrize(
    ("name", "step"),
    [
        *(("disbursement-register", step) for step in (AFTER_FIGURES, AFTER_ONE_FILE, AFTER_ALL_FILES, AT_COMMIT)),
        ("call-financial-overview", AFTER_ONE_FILE),
        ("grant-statement", AFTER_ALL_FILES),
    ],
)
def test_a_worker_killed_before_the_commit_leaves_nothing_served_and_the_statement_is_made_once(
    books: Books, settings: Config, tmp_path: Path, name: str, step: int
) -> None:
    run_id = asked(name, books)

    killed_at(step, settings, tmp_path)

    assert view(actors.nuria(), reference_of(run_id)).progress.state is RunState.RUNNING
    assert (files.listed(services.FILE_KIND, run_id), queries.figures(actors.nuria(), reference_of(run_id))) == (
        (),
        None,
    )
    with pytest.raises(NotFound):
        services.download(actors.nuria(), run_id, Format.PDF)
    due_now(job_of(run_id))
    jobs.work_off(actor_of=identity.actor_for)
    assert jobs.view(job_of(run_id)).attempt == 2
    is_whole(run_id, name, books)


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_a_worker_killed_after_the_commit_has_made_it_and_nobody_makes_it_again(
    books: Books, settings: Config, tmp_path: Path, name: str
) -> None:
    run_id = asked(name, books)

    killed_at(AFTER_COMMIT, settings, tmp_path)

    due_now(job_of(run_id))
    jobs.work_off(actor_of=identity.actor_for)
    assert jobs.view(job_of(run_id)).attempt == 1
    is_whole(run_id, name, books)


def test_a_ring_that_comes_twice_makes_it_once(books: Books) -> None:
    run_id = asked(OVERVIEW, books)

    first = jobs.work(job_of(run_id), actor_of=identity.actor_for, worker="one")
    second = jobs.work(job_of(run_id), actor_of=identity.actor_for, worker="two")

    assert (first, second) == (JobState.DONE, None)
    is_whole(run_id, OVERVIEW, books)


# --- Cancelled while it is made ---------------------------------------------------------------------------------------


@pytest.fixture
def held(books: Books) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A build that stops before its last step until it is let go: reached, and let go."""
    reached, go = threading.Event(), threading.Event()

    def wait(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("INSERT INTO stored_file"):
            reached.set()
            assert go.wait(60)

    event.listen(db.engine, "before_cursor_execute", wait)
    yield reached, go
    go.set()
    event.remove(db.engine, "before_cursor_execute", wait)


def _built_elsewhere(app: Flask, run_id: UUID) -> threading.Thread:
    job_id = job_of(run_id)
    db.session.rollback()

    def run() -> None:
        with app.app_context():
            jobs.work(job_id, actor_of=identity.actor_for, worker="elsewhere")
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_cancelled_while_it_is_made_nothing_of_it_stays_and_it_can_be_tried_again(
    app: Flask, books: Books, held: tuple[threading.Event, threading.Event]
) -> None:
    reached, go = held
    run_id = asked(OVERVIEW, books)
    building = _built_elsewhere(app, run_id)
    assert reached.wait(60)

    services.cancel(actors.nuria(), run_id)
    go.set()
    building.join(60)

    found = view(actors.nuria(), reference_of(run_id))
    assert (found.progress.state, found.files, found.figures_sha256) == (RunState.CANCELLED, (), None)
    assert db.session.scalar(select(func.count()).select_from(StatementFigures)) == 0
    services.retry(actors.nuria(), run_id)
    jobs.work_off(actor_of=identity.actor_for)
    is_whole(run_id, OVERVIEW, books)


def test_what_is_finished_is_not_cancelled(books: Books) -> None:
    run_id = asked(OVERVIEW, books)
    jobs.work_off(actor_of=identity.actor_for)

    with pytest.raises(Refused, match="finished a moment ago"):
        services.cancel(actors.nuria(), run_id)
    is_whole(run_id, OVERVIEW, books)


def test_a_cancellation_that_races_with_the_end_gives_one_of_the_two(app: Flask, books: Books) -> None:
    for pause in (0.0, 0.05, 0.1, 0.2, 0.4):
        run_id = asked(OVERVIEW, books)
        building = _built_elsewhere(app, run_id)
        threading.Event().wait(pause)
        try:
            services.cancel(actors.nuria(), run_id)
            was_cancelled = True
        except Refused:
            was_cancelled = False
        building.join(60)
        found = view(actors.nuria(), reference_of(run_id))
        if was_cancelled:
            assert (found.progress.state, found.files, found.built_at) == (RunState.CANCELLED, (), None)
        else:
            assert (found.progress.state, len(found.files)) == (RunState.READY, len(Format))
