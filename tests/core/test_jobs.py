"""Jobs without a queue server: rows of an act, claimed under a lease, done with their effect or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from grants.core import acts, jobs
from grants.core.acts import WriteOutsideAct, bookkeeping
from grants.core.audit import ActRow, AuditEvent
from grants.core.db import db
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.jobs import QUEUES, Job, JobState, working
from grants.core.paging import Page, Rows
from grants.core.permissions import EVERYWHERE, Actor, Permission
from tests.conftest import Note
from tests.jobs import probes

pytestmark = pytest.mark.usefixtures("app")

MANAGER = Actor(uuid4(), "Ingrid", frozenset({(Permission.CALL_MANAGE.value, EVERYWHERE)}))
ADMINISTRATOR = Actor(
    uuid4(),
    "Ada",
    frozenset((p.value, EVERYWHERE) for p in (Permission.JOB_READ, Permission.JOB_RETRY, Permission.JOB_CANCEL)),
)


def actor_of(user_id: UUID) -> Actor:
    return {MANAGER.user_id: MANAGER}[user_id]


def work(job_id: UUID, **others: Any) -> JobState | None:
    return jobs.work(job_id, worker="here", **{"actor_of": actor_of, **others})


def notes() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Note.text).order_by(Note.created_at)))


def change(job_id: UUID, **values: Any) -> None:
    with bookkeeping() as books:
        books.execute(update(Job.__table__).where(Job.__table__.c.id == job_id).values(**values))


def make_due(job_id: UUID) -> None:
    change(job_id, run_after=func.clock_timestamp())


def view(job_id: UUID) -> jobs.JobView:
    db.session.rollback()
    return jobs.view(job_id)


def test_a_job_is_a_row_of_the_act_that_asked_for_it() -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "done"})

    found = view(job_id)
    row = db.session.scalars(select(Job)).one()
    assert (found.state, found.attempt, found.requested_by) == (JobState.QUEUED, 0, MANAGER.user_id)
    assert row.act_id == db.session.scalars(select(ActRow.id)).one()
    assert row.rung_at is None


def test_a_refused_act_asks_for_nothing() -> None:
    with pytest.raises(Refused):
        probes.ask_and_fail(MANAGER)

    assert jobs.counts()[JobState.QUEUED] == 0


def test_a_job_is_asked_for_inside_an_act_only() -> None:
    with pytest.raises(WriteOutsideAct):
        jobs.queue("jobs.probes.mark", words="x")


@pytest.mark.parametrize("args", [{"words": 1.5}, {"words": object()}, {"words": [{"deep": 0.1}]}])
def test_a_job_takes_primitives_only(args: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        probes.ask(MANAGER, "mark", args)

    assert jobs.counts()[JobState.QUEUED] == 0


@pytest.mark.parametrize("name", ["os.system", "jobs.worker", "grants.core.acts.act", "jobs.a.b.c", "jobs.__init__.x1"])
def test_only_functions_of_the_package_jobs_can_be_named(name: str) -> None:
    with pytest.raises(AssertionError):
        working.function_named(name)


def test_the_same_unique_key_is_one_job() -> None:
    first = probes.ask(MANAGER, "mark", {"words": "once"}, unique="k")
    again = probes.ask(MANAGER, "mark", {"words": "once"}, unique="k")

    assert first == again
    assert jobs.work_off(actor_of=actor_of) == 1
    assert notes() == ["once"]


def test_done_and_the_effect_come_together_and_once() -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "done"})

    assert (work(job_id), work(job_id)) == (JobState.DONE, None)
    assert notes() == ["done"]
    assert (db.session.execute(select(ActRow.job_id, ActRow.user_id).where(ActRow.verb == "probe.write")).all()) == [
        (job_id, MANAGER.user_id)
    ]
    assert view(job_id).finished_at is not None


def test_a_job_without_an_act_is_done_with_its_answer() -> None:
    job_id = probes.ask(MANAGER, "quiet", {"answer": "nothing to do"})

    work(job_id)

    assert (view(job_id).state, view(job_id).note) == (JobState.DONE, "nothing to do")


def test_machinery_leaves_no_audit_but_asking_does() -> None:
    job_id = probes.ask(MANAGER, "quiet", {"answer": "x"})
    work(job_id)

    assert db.session.scalars(select(AuditEvent.verb)).all() == ["probe.ask"]


def test_an_attempt_whose_lease_lapsed_writes_nothing_once_another_took_over(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "mine"})
    real = probes.write

    def overtaken(actor: Actor, words: str) -> None:
        change(job_id, lease_until=func.clock_timestamp() - timedelta(seconds=1))
        jobs.sweep()
        assert jobs.claim(job_id, actor_of=actor_of, worker="another") is not None
        real(actor, words)

    monkeypatch.setattr(probes, "write", overtaken)

    assert work(job_id) is None
    assert notes() == []
    assert (view(job_id).state, view(job_id).attempt) == (JobState.RUNNING, 2)


def test_an_attempt_whose_lease_lapsed_but_nobody_took_over_may_still_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "mine"})
    real = probes.write

    def late(actor: Actor, words: str) -> None:
        change(job_id, lease_until=func.clock_timestamp() - timedelta(seconds=1))
        real(actor, words)

    monkeypatch.setattr(probes, "write", late)

    assert work(job_id) is JobState.DONE
    assert notes() == ["mine"]


def test_a_second_act_in_one_job_is_refused_and_the_first_stands() -> None:
    job_id = probes.ask(MANAGER, "mark_twice", {"words": "once"})

    work(job_id)

    assert notes() == ["once"]
    assert view(job_id).state is JobState.DONE


def test_a_poisoned_job_is_parked_with_its_reason_and_others_go_on() -> None:
    poisoned = probes.ask(MANAGER, "poison", {})
    healthy = probes.ask(MANAGER, "mark", {"words": "healthy"})

    for _ in range(QUEUES["default"].attempts_max):
        work(poisoned)
        make_due(poisoned)
    jobs.work_off(actor_of=actor_of)

    found = view(poisoned)
    assert (found.state, found.attempt) == (JobState.FAILED, 5)
    assert found.error == f"{working.FAILED_SENTENCE} It was tried 5 times."
    assert found.error_detail == "ValueError: nothing helps"
    assert (view(healthy).state, notes()) == (JobState.DONE, ["healthy"])


def test_a_failed_attempt_waits_before_the_next() -> None:
    job_id = probes.ask(MANAGER, "poison", {})

    assert (work(job_id), work(job_id)) == (JobState.QUEUED, None)
    assert view(job_id).attempt == 1


def test_what_a_rule_refuses_is_parked_at_once_with_its_sentence() -> None:
    job_id = probes.ask(MANAGER, "refuse", {})

    assert work(job_id) is JobState.FAILED
    assert view(job_id).error == "The limit is 3. Choose fewer."


def test_a_conflict_is_tried_again() -> None:
    assert work(probes.ask(MANAGER, "collide", {})) is JobState.QUEUED


def test_a_job_runs_with_the_rights_its_asker_holds_when_it_runs() -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "no longer"})

    work(job_id, actor_of=lambda user_id: Actor(user_id, "Ingrid"))

    assert view(job_id).state is JobState.FAILED
    assert "call:manage" in (view(job_id).error or "")
    assert notes() == []


def test_where_nobody_asked_the_program_has_only_the_named_rights() -> None:
    nobody = Actor(None, "schedule", MANAGER.granted)
    job_id = probes.ask(nobody, "mark", {"words": "by the program"})

    assert work(job_id) is JobState.DONE
    assert db.session.scalar(select(ActRow.user_id).where(ActRow.verb == "probe.write")) is None


def test_progress_is_seen_at_once_and_bounded() -> None:
    job_id = probes.ask(MANAGER, "count_up", {"total": 7})

    work(job_id)

    assert (view(job_id).done, view(job_id).total, view(job_id).percent) == (7, 7, 100)
    jobs.progress(1, 2)


def test_a_lapsed_lease_goes_back_to_the_queue_and_is_parked_after_the_last_attempt() -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "x"})

    for _ in range(QUEUES["default"].attempts_max):
        assert jobs.claim(job_id, actor_of=actor_of, worker="gone") is not None
        assert jobs.sweep().lapsed == 0
        change(job_id, lease_until=func.clock_timestamp() - timedelta(seconds=1))
        assert jobs.sweep().lapsed == 1

    assert view(job_id).state is JobState.FAILED
    assert view(job_id).error == "The worker was stopped in the middle of this job."


def test_what_a_dead_worker_held_is_given_back_and_nothing_else() -> None:
    first = probes.ask(MANAGER, "mark", {"words": "first"})
    second = probes.ask(MANAGER, "mark", {"words": "second"})
    jobs.claim(first, actor_of=actor_of, worker="dead")
    jobs.claim(second, actor_of=actor_of, worker="alive")

    assert jobs.give_back("dead") == 1
    assert (view(first).state, view(second).state) == (JobState.QUEUED, JobState.RUNNING)


def test_nothing_overtakes_a_mail_that_waits_for_its_server() -> None:
    ahead = [probes.ask(MANAGER, "away", {}, queue="mail") for _ in range(2)]
    behind = probes.ask(MANAGER, "mark", {"words": "later"}, queue="mail")
    other = probes.ask(MANAGER, "mark", {"words": "other queue"})

    assert jobs.work_off(actor_of=actor_of) == 2
    assert notes() == ["other queue"]
    assert (view(other).state, view(behind).state) == (JobState.DONE, JobState.QUEUED)

    for job_id in ahead:
        change(job_id, run_after=func.clock_timestamp(), name="jobs.probes.mark", args={"words": "mail"})
    jobs.work_off(actor_of=actor_of)

    assert notes() == ["other queue", "mail", "mail", "later"]


def test_a_parked_job_starts_again_by_an_act() -> None:
    job_id = probes.ask(MANAGER, "refuse", {})
    work(job_id)

    jobs.retry(ADMINISTRATOR, job_id)

    assert (view(job_id).state, view(job_id).attempt) == (JobState.QUEUED, 0)
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "job.retry")).one()
    assert (event.object_kind, event.object_id) == ("job", job_id)


def test_a_cancelled_job_does_not_run_and_a_running_one_cannot_finish() -> None:
    waiting = probes.ask(MANAGER, "mark", {"words": "x"})
    jobs.cancel(ADMINISTRATOR, waiting, "asked twice")
    running = probes.ask(MANAGER, "mark", {"words": "x"})
    attempt = jobs.claim(running, actor_of=actor_of, worker="here")
    assert attempt is not None
    jobs.cancel(ADMINISTRATOR, running, "")

    with working.in_progress(attempt), pytest.raises(jobs.Superseded):
        probes.mark("x")

    assert work(waiting) is None
    assert view(waiting).error == "Cancelled by Ada: asked twice"
    assert (view(running).state, notes()) == (JobState.CANCELLED, [])


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_what_is_done_is_neither_retried_nor_cancelled(verb: str) -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "x"})
    work(job_id)

    with pytest.raises(Refused, match="This job is done"):
        jobs.retry(ADMINISTRATOR, job_id) if verb == "retry" else jobs.cancel(ADMINISTRATOR, job_id, "")


def test_retry_and_cancel_need_their_permission_and_a_job() -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "x"})

    with pytest.raises(NotAllowed, match="job:retry"):
        jobs.retry(MANAGER, job_id)
    with pytest.raises(NotAllowed, match="job:cancel"):
        jobs.cancel(MANAGER, job_id, "")
    with pytest.raises(NotFound):
        jobs.retry(ADMINISTRATOR, uuid4())


def test_the_list_shows_the_newest_first_page_by_page() -> None:
    asked = [probes.ask(MANAGER, "quiet", {"answer": str(number)}) for number in range(5)]

    first = jobs.page(ADMINISTRATOR, Page(size=2))
    second = jobs.page(ADMINISTRATOR, Page(size=2, after=first.next_key))

    assert [item.id for item in first.items] == [asked[4], asked[3]]
    assert [item.id for item in second.items] == [asked[2], asked[1]]
    assert jobs.page(ADMINISTRATOR, Page(), state=JobState.DONE).items == ()
    assert jobs.page(MANAGER, Page()) == Rows(())
    newest = first.items[0]
    assert jobs.by_number(ADMINISTRATOR, newest.number) == newest
    with pytest.raises(NotFound):
        jobs.by_number(MANAGER, newest.number)


def test_the_schedule_asks_for_each_check_once_under_its_key() -> None:
    names = ("jobs.checks.ledger", "jobs.checks.audit_chain")

    first = jobs.plan(ADMINISTRATOR, names, "nightly 2022-11-15")
    again = jobs.plan(ADMINISTRATOR, names, "nightly 2022-11-15")

    assert (len(first), again) == (2, first)
    found = jobs.by_key("nightly 2022-11-15 jobs.checks.ledger")
    assert found is not None
    assert (found.id, found.queue, found.title) == (first[0], "reports", "Checks: ledger")


def test_a_thing_knows_its_newest_job() -> None:
    thing = ("report", uuid4())

    @acts.act(f"probe.ask_about_{thing[1].hex}", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
    def ask_about(actor: Actor) -> UUID:
        jobs.queue("jobs.probes.quiet", subject=thing, answer="first")
        return jobs.queue("jobs.probes.quiet", subject=thing, answer="second")

    newest = ask_about(MANAGER)
    acts.REGISTRY.pop(f"probe.ask_about_{thing[1].hex}")

    found = jobs.latest(thing)
    assert found is not None
    assert (found.id, found.subject) == (newest, thing)
    assert jobs.latest(("report", uuid4())) is None


def test_a_letter_dated_years_ago_waits_since_it_was_handed_over_and_one_that_failed_since_it_was_written() -> None:
    job_id = probes.ask(MANAGER, "mark", {"words": "x"})
    written = func.clock_timestamp() - timedelta(days=873)
    change(job_id, queue="mail", created_at=written, run_after=func.clock_timestamp() - timedelta(minutes=5))
    db.session.rollback()
    assert 300 <= jobs.waiting().oldest_mail_seconds < 400

    change(job_id, attempt=1, run_after=func.clock_timestamp() + timedelta(hours=1))
    db.session.rollback()
    assert jobs.waiting().oldest_mail_seconds >= 873 * 86_400


def test_readiness_counts_what_was_never_rung() -> None:
    assert jobs.waiting() == jobs.Waiting(0, 0, 0, 0, 0, {})

    probes.ask(MANAGER, "mark", {"words": "x"})
    jobs.beat("scheduler")

    db.session.rollback()
    found = jobs.waiting()
    assert (found.unrung, found.overdue_leases, found.beats) == (1, 0, {"scheduler": 0})
