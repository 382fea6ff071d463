"""What changes a score is told to the meeting of the panel that sits then: a job of the later stage logs it there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from uuid import UUID

from sqlalchemy import exists, select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallContent, exact_words
from grants.core import acts, jobs
from grants.core.db import db
from grants.evaluation import queries
from grants.evaluation.models import Assessment, Assignment

SCORED_JOB = "jobs.awards.score_changed"


def tell_panel(
    by: UUID | None, application_id: UUID, text: str, before: str, reason: str, *, named: bool = True
) -> None:
    """Have a meeting that runs now log what changed a score of this application, by whom and why; inside the act that does it.

    Not ``named``: the entry says what and why, and not who.
    """
    assert by is not None, "a person changes a score"
    jobs.queue(
        SCORED_JOB, subject=("application", application_id), asker=jobs.Asker.PROGRAM, application_id=application_id,
        by=by, at=acts.moment(), text=text, before=before, reason=reason, named=named,
    )  # fmt: skip


@contextmanager
def mean_told(application_id: UUID, what: str, reason: str, *, by: UUID) -> Iterator[None]:
    """Tell the panel how the official score changes by what is done within, where it is a mean of sheets.

    No consensus stands between: a sheet that comes in, is given back or leaves with its seat is another score, or none.
    ``what`` says what is done, ``by`` whose deed it is where nobody is signed in. Evaluators stay unnamed.
    """
    content = _content_of_mean(application_id)
    if content is None:
        yield
        return
    before = _official_words(content, application_id)
    yield
    now = _official_words(content, application_id)
    if now == before:
        return
    text = f"{what}, and it is {now}" if now else f"{what}, and there is none now"
    tell_panel(
        acts.running_act().actor.user_id or by, application_id, text, before or "no score", reason, named=False,
    )  # fmt: skip


def _content_of_mean(application_id: UUID) -> CallContent | None:
    """The content of the call of an application whose score is a mean; None elsewhere, and where no sheet was begun."""
    call_id = db.session.scalar(
        select(Call.id)
        .join(Application, Application.call_id == Call.id)
        .where(
            Application.id == application_id,
            queries.by_mean(),
            exists().where(Assignment.application_id == application_id, Assessment.assignment_id == Assignment.id),
        )
    )
    return None if call_id is None else calls.call_by_id(call_id).content


def _official_words(content: CallContent, application_id: UUID) -> str:
    """The official score as the ranked list has it, in words; empty where there is none."""
    db.session.flush()
    official = queries.official_scores(content, [application_id])[application_id]
    if official.halves is None:
        return ""
    weighted = sum((official.halves[one.key] * one.weight for one in content.criteria), Fraction(official.shift_half))
    return f"{exact_words(weighted / 2)} points"
