"""A worker that dies between writing a statement's files and the commit: nothing half made is served, and in the end it is made once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, func, update

from config import Config
from grants.app import create_app
from grants.core import files, jobs
from grants.core.acts import bookkeeping
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs import Job, JobState
from grants.documents import catalogue, queries, services
from grants.documents.rules import Format, Wanted
from grants.identity import queries as identity
from tests.agreements.conftest import actor
from tests.conftest import DemoTemplate, cloned, running, settings_for
from tests.servers import Cluster

CALL = "PCP-2022-C-0001"


@pytest.fixture
def settings(postgres: Cluster, demo_template: DemoTemplate, tmp_path: Path) -> Iterator[Config]:
    # A store of its own: what lies in it was written by this test.
    with cloned(postgres, demo_template.database) as name:
        found = settings_for(postgres, name, tmp_path)
        with running(found):
            yield found


def stored(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and len(path.name) == 64}


def _work_until_the_files_are_written(settings: Config, folder: Path) -> None:
    """A worker that is killed at the commit after the last file was written: before that commit, nothing says it is there."""
    with create_app(settings).app_context():

        def dies(connection: object) -> None:
            if len(stored(folder)) >= len(Format):
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(db.engine, "commit", dies)
        jobs.work_off(actor_of=identity.actor_for)


def test_a_worker_killed_between_the_files_and_the_commit_leaves_nothing_served_and_the_job_is_done_once(
    settings: Config, tmp_path: Path
) -> None:
    asked = services.request(actor("initiator"), Wanted("call-financial-overview", CALL))
    worker = multiprocessing.get_context("spawn").Process(
        target=_work_until_the_files_are_written, args=(settings, tmp_path)
    )
    worker.start()
    worker.join(timeout=120)
    assert worker.exitcode == -signal.SIGKILL
    orphans = stored(tmp_path)
    assert len(orphans) == len(Format)
    db.session.rollback()
    run = queries.run(actor("initiator"), asked.reference, catalogue.TITLES)
    assert (run.built_at, files.listed(services.FILE_KIND, asked.id)) == (None, ())
    for form in Format:
        with pytest.raises(NotFound):
            services.download(actor("initiator"), asked.id, form)
    assert jobs.view(run.job_id).state is JobState.RUNNING

    job = Job.__table__
    with bookkeeping() as books:
        lapsed = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 1)
        books.execute(update(job).where(job.c.id == run.job_id).values(lease_until=lapsed))
    jobs.sweep()
    with bookkeeping() as books:
        books.execute(update(job).where(job.c.id == run.job_id).values(run_after=func.clock_timestamp()))
    jobs.work_off(actor_of=identity.actor_for)

    db.session.rollback()
    found = jobs.view(run.job_id)
    assert (found.state, found.attempt) == (JobState.DONE, 2)
    kept = files.listed(services.FILE_KIND, asked.id)
    assert sorted((file.role, file.version_no) for file in kept) == [("csv", 1), ("pdf", 1), ("xlsx", 1)]
    for file in kept:
        figures = queries.call_overview(CALL, run.as_of)
        assert files.path(file).read_bytes() == catalogue.rendered(figures, Format(file.role)).data
    # The second run gives the same bytes, so it lies on those of the first: nothing is left over.
    assert stored(tmp_path) == orphans
