"""The advice beside the official list: asked for, worked out by a job, kept as a run. It decides nothing."""

from __future__ import annotations

import platform
import time
from importlib import metadata
from uuid import UUID

from grants.awards import queries, rules
from grants.awards.models import RankingRun
from grants.awards.ranking import judging
from grants.calls import queries as calls
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission
from grants.evaluation import queries as evaluation

ADVICE_JOB = "jobs.awards.advise"


@act(
    "ranking_run.request",
    needs=Permission.CONSENSUS_WRITE,
    scope=evaluation.call_scope,
    says="asked for advice beside the ranking of {subject}",
)
def request_advice(actor: Actor, call_id: UUID, places: int | None) -> UUID:
    """Ask for the advice; a job works it out. Returns the job's id. Refused to whoever sees a part of the call."""
    call = calls.call_by_id(call_id)
    # First of all: whether there are sheets, and whether a run is a new one, tells of what is shut.
    if queries.advice_page(actor, call.slug).partial:
        raise Refused(rules.ADVISED_IN_PART)
    wanted = rules.refuse_places(places)
    sheets = queries.sheets_read(call).sheets
    if not sheets:
        raise Refused("No score sheet of this call is submitted yet. Ask for the advice when the sheets are in.")
    rules.refuse_more_places(wanted, len({each.application for each in sheets}))
    acts.subject("call", call_id)
    return jobs.queue(ADVICE_JOB, subject=("call", call_id), call_id=str(call_id), places=wanted)


@act(
    "ranking_run.make",
    needs=Permission.CONSENSUS_WRITE,
    scope=evaluation.call_scope,
    says="worked out advice beside the ranking of {subject}",
)
def advise(actor: Actor, call_id: UUID, places: int) -> int:
    """Work out the advice from the sheets that are in and keep it; the same sheets asked for again add nothing.

    Returns the number of the run.
    """
    jobs.progress(0, 3, "Reading the score sheets")
    call = calls.call_by_id(call_id)
    acts.subject("call", call_id)
    read = queries.sheets_read(call)
    each = call.content.evaluators_per_application
    settings = judging.settings(places, each)
    held = queries.input_hash(read, settings)
    last = queries.newest_run(call_id)
    if last is not None and last.input_sha256 == held:
        jobs.progress(3, 3, "Nothing changed since the last run")
        return last.number
    steps = iter((1, 2))
    began = time.perf_counter()
    judged = judging.judge(
        read.sheets,
        places,
        each=each,
        incomplete=read.incomplete,
        say=lambda words: jobs.progress(next(steps), 3, words),
    )
    row = RankingRun(
        call_id=call_id,
        number=1 if last is None else last.number + 1,
        kind=judged.kind.value,
        reason=judged.reason,
        places=places,
        input_sha256=held,
        settings=settings,
        result=judged.result,
        applications=len({one.application for one in read.sheets}),
        evaluators=len({one.evaluator for one in read.sheets}),
        sheets=len(read.sheets),
        milliseconds=round(1000 * (time.perf_counter() - began)),
        versions={"python": platform.python_version(), "numpy": metadata.version("numpy")},
    )
    db.session.add(row)
    jobs.progress(3, 3, "Done")
    return row.number
