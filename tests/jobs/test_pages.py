"""The administrator's pages of jobs: what is parked is seen, started again or cancelled, and by nobody else."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import literal, update
from sqlalchemy.dialects.postgresql import JSONB

from grants.core import jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.jobs import Job, JobState
from grants.identity.queries import actor_for
from tests import actors
from tests.jobs import probes


@pytest.fixture
def parked(client: FlaskClient) -> jobs.JobView:
    job_id = probes.ask(actors.ingrid(), "refuse", {})
    jobs.work_off(actor_of=actor_for)
    db.session.rollback()
    return jobs.view(job_id)


def test_a_parked_job_is_seen_with_its_reason_and_started_again(client: FlaskClient, parked: jobs.JobView) -> None:
    actors.sign_in(client, actors.ada().user_id)

    listed = client.get("/admin/jobs?state=failed")
    shown = client.get(f"/admin/jobs/{parked.number}")
    answer = client.post(f"/admin/jobs/{parked.number}/retry", data={"act_key": "k"})

    assert "The limit is 3. Choose fewer." in listed.text and "1 of 1 shown" in listed.text
    assert ("Start again" in shown.text, "Cancel this job" in shown.text) == (True, False)
    assert (answer.status_code, answer.location) == (303, f"/admin/jobs/{parked.number}")
    db.session.rollback()
    assert jobs.view(parked.id).state is JobState.QUEUED


def test_a_job_is_cancelled_with_a_reason_only(client: FlaskClient, parked: jobs.JobView) -> None:
    actors.sign_in(client, actors.ada().user_id)
    client.post(f"/admin/jobs/{parked.number}/retry", data={"act_key": "k1"})

    without = client.post(f"/admin/jobs/{parked.number}/cancel", data={"act_key": "k2"})
    with_reason = client.post(f"/admin/jobs/{parked.number}/cancel", data={"act_key": "k3", "reason": "asked twice"})
    again = client.post(f"/admin/jobs/{parked.number}/cancel", data={"act_key": "k4", "reason": "asked twice"})

    assert (without.status_code, with_reason.status_code, again.status_code) == (422, 303, 422)
    assert "Fill this in." in without.text
    assert "This job is cancelled" in again.text
    db.session.rollback()
    assert jobs.view(parked.id).state is JobState.CANCELLED


def test_an_empty_list_explains_itself_and_nonsense_is_no_error(client: FlaskClient) -> None:
    actors.sign_in(client, actors.ada().user_id)

    for address in ("/admin/jobs", "/admin/jobs?after=x", "/admin/jobs?after=99999999999999999999"):
        assert "No jobs here" in client.get(address).text
    assert "There is no state “nonsense”" in client.get("/admin/jobs?state=nonsense&after=x").text
    assert client.get("/admin/jobs/424242").status_code == 404


def test_others_do_not_see_jobs(client: FlaskClient, parked: jobs.JobView) -> None:
    actors.sign_in(client, actors.ingrid().user_id)

    assert client.get("/admin/jobs").status_code == 403
    assert client.post(f"/admin/jobs/{parked.number}/retry", data={"act_key": "k"}).status_code == 403


@pytest.mark.parametrize("kept_before", [False, True])
def test_a_job_that_returns_a_number_stands_on_the_pages_also_as_it_was_kept_before(
    client: FlaskClient, kept_before: bool
) -> None:
    job_id = probes.ask(actors.ingrid(), "count", {"number": 3})
    jobs.work_off(actor_of=actor_for)
    db.session.rollback()
    assert jobs.view(job_id).result == {"value": 3}
    if kept_before:
        with arranging():
            changed = update(Job).where(Job.id == job_id).values(result=literal(3, JSONB))
            db.session.execute(changed, execution_options={"core_write": True})
    actors.sign_in(client, actors.ada().user_id)

    assert client.get("/admin/jobs?state=done").status_code == 200
    assert client.get(f"/admin/jobs/{jobs.view(job_id).number}").status_code == 200
