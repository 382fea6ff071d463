"""The way of one application as its team may read it: the check here, and what later stages say they told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, literal, select

from grants.applications import rules
from grants.applications.models import Clarification, EligibilityCheck, EligibilityLetter
from grants.applications.queries.clarifying import clarifications
from grants.applications.queries.following import others_invited_at, second_stage
from grants.applications.queries.reach import is_team
from grants.applications.queries.submitted import submitted_content
from grants.applications.rules import (
    ApplicationView,
    Asked,
    Checked,
    ClarificationView,
    Later,
    SubmittedContent,
    Timeline,
)
from grants.applications.states import ApplicationState, Verdict
from grants.core.permissions import Actor
from grants.core.together import Asking, both, reader

# What later stages did with an application, as far as its team was told: a later row says it, once.
_later: list[Callable[[ApplicationView, datetime], Asking[Later]]] = []


def told_by(later: Callable[[ApplicationView, datetime], Asking[Later]]) -> None:
    """Take the reader of what later stages told the team of an application; one step, so that it costs no statement."""
    _later[:] = [later]


@reader
def stages(application: ApplicationView, at: datetime, actor: Actor | None = None) -> Asking[Timeline]:
    """The timeline of one application as this person reads it; one statement, whatever later stages add."""
    own = both(
        _checked(application), both(second_stage.asking(actor, application), others_invited_at.asking(application))
    )
    if _later:
        (checked, (second, others)), later = yield from both(own, _later[0](application, at))
    else:
        (checked, (second, others)), later = (yield from own), Later()
    # To complain, and what became of it, is for the team alone.
    team = actor is not None and is_team(actor, application.id)
    if not team:
        later = replace(later, complained=None, complains_until=None)
    way = rules.timeline(application, checked, later, at, second, others)
    has_letter = team and later.letter_sent_at is not None
    return replace(
        way,
        has_result=team and later.shows_result(application, at),
        has_letter=has_letter,
        letter_first=has_letter and not application.call.results_are_public(at),
    )


@reader
def stages_and_questions(
    actor: Actor, application: ApplicationView, at: datetime
) -> Asking[tuple[Timeline, tuple[ClarificationView, ...], SubmittedContent]]:
    """The timeline with the questions of the desk and the version that stands; no statement more than the timeline."""
    asked = both(clarifications.asking(actor, application), submitted_content.asking(application.id))
    way, (questions, content) = yield from both(stages.asking(application, at, actor), asked)
    return way, questions, content


def _checked(application: ApplicationView) -> Asking[Checked]:
    sent = application.submission.id if application.submission else None
    rows, requests = yield [
        # Verdicts from before there were letters were told when they were given.
        select(
            EligibilityCheck.verdict,
            func.coalesce(EligibilityLetter.sent_at, EligibilityCheck.decided_at).label("told_at"),
        )
        .outerjoin(EligibilityLetter, EligibilityLetter.check_id == EligibilityCheck.id)
        .where(EligibilityCheck.submission_id == sent, literal(application.state is not ApplicationState.SUBMITTED)),
        select(
            *(Clarification.created_at, Clarification.due_at),
            *(Clarification.answered_at, Clarification.withdrawn_at),
        )
        .where(Clarification.submission_id == sent)
        .order_by(Clarification.number),
    ]
    asked = tuple(Asked(*row) for row in requests)
    for row in rows:
        if row.verdict:
            return Checked(row.told_at, Verdict(row.verdict), asked)
    return Checked(asked=asked)
