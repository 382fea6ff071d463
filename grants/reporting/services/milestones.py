"""Acts on milestones: expected, reported by the city, accepted or returned by the officer."""

from __future__ import annotations

from uuid import UUID

from grants.agreements import queries as agreements
from grants.agreements import services as agreement
from grants.agreements.models import Grant, Milestone
from grants.agreements.states import MILESTONE, RUNNING, GrantState, MilestoneState
from grants.core import acts, clock
from grants.core.acts import act
from grants.core.db import check_version, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.reporting import rules
from grants.reporting.queries import milestone_scope
from grants.reporting.rules import ExpectedInput, MilestoneInput
from grants.reporting.services.apart import refuse_own


@act(
    "milestone.report", needs=Permission.REPORT_SUBMIT, scope=milestone_scope, says="reported a milestone of {subject}"
)
def report_milestone(actor: Actor, milestone_id: UUID, given: MilestoneInput, *, version: int | None = None) -> None:
    """The city reports a milestone as reached, with the day and how anybody can see it."""
    row = _milestone(milestone_id, version)
    if given.achieved_on > acts.today():
        raise Invalid("The day lies ahead.", {"achieved_on": "Enter a day that is not in the future."})
    if not given.report.strip():
        raise Invalid("Say how it was reached.", {"report": "Say in a few sentences how the criterion is met."})
    MILESTONE.move(row, "report")
    row.achieved_on, row.report = given.achieved_on, given.report.strip()
    row.reported_at, row.reported_by = acts.moment(), actor.user_id


@act(
    "milestone.accept", needs=Permission.REPORT_ACCEPT, scope=milestone_scope, says="accepted a milestone of {subject}"
)
def accept_milestone(actor: Actor, milestone_id: UUID, *, answer: str = "", version: int | None = None) -> None:
    """The officer accepts a reported milestone against its written criterion."""
    row = _milestone(milestone_id, version)
    MILESTONE.target(MilestoneState(row.state), "accept")
    refuse_own(actor, row.grant_id, row.reported_by)
    MILESTONE.move(row, "accept")
    row.accepted_at, row.answered_by, row.answer = acts.moment(), actor.user_id, answer.strip() or None


@act(
    "milestone.return", needs=Permission.REPORT_ACCEPT, scope=milestone_scope, says="returned a milestone of {subject}"
)
def return_milestone(actor: Actor, milestone_id: UUID, *, answer: str, version: int | None = None) -> None:
    """The officer returns a reported milestone with what is missing."""
    row = _milestone(milestone_id, version)
    if not answer.strip():
        raise Invalid("Say what is missing.", {"answer": "Write what is missing; the city reads it."})
    MILESTONE.move(row, "return")
    row.answered_by, row.answer = actor.user_id, answer.strip()


@act(
    "milestone.expect",
    needs=Permission.REPORT_EDIT,
    scope=milestone_scope,
    says="said when a milestone of {subject} is expected",
)
def expect_milestone(actor: Actor, milestone_id: UUID, given: ExpectedInput, *, version: int | None = None) -> None:
    """The city says on which day it expects a milestone and why; the forecast of payments follows, and the officer is told."""
    _expect(milestone_id, given, version, told=Permission.REPORT_ACCEPT)


@act(
    "milestone.set_expected",
    needs=Permission.REPORT_ACCEPT,
    scope=milestone_scope,
    says="set the day on which a milestone of {subject} is expected",
)
def set_expected(actor: Actor, milestone_id: UUID, given: ExpectedInput, *, version: int | None = None) -> None:
    """The officer says on which day a milestone is expected and why, as the city would; the city is told."""
    _expect(milestone_id, given, version, told=Permission.REPORT_SUBMIT)


def _expect(milestone_id: UUID, given: ExpectedInput, version: int | None, *, told: Permission) -> None:
    """The planned day itself is no other day: then the milestone is as planned again."""
    row = _milestone(milestone_id, version)
    agreement.refuse_over(locked(Grant, row.grant_id), "no milestone of it is expected any more")
    today = acts.today()
    problems = rules.expected_problems(given, MilestoneState(row.state), today)
    if problems:
        raise Invalid("The day cannot be taken over.", problems)
    reason = given.reason.strip()
    acts.reason(reason)
    as_planned = given.expected_on == row.due_on
    row.expected_on, row.expected_why = (None, None) if as_planned else (given.expected_on, reason)
    grant = locked(Grant, row.grant_id)
    readers = [each.id for each in identity.users_with(told, agreements.scope(grant))]
    people.mail(
        readers,
        "milestone_expected",
        "grant",
        grant.id,
        reference=grant.reference,
        number=str(row.number),
        title=row.title,
        planned=clock.long_date(row.due_on),
        expected=clock.long_date(given.expected_on),
        reason=reason,
    )


def _milestone(milestone_id: UUID, version: int | None) -> Milestone:
    row = locked(Milestone, milestone_id)
    check_version(row, version)
    if GrantState(locked(Grant, row.grant_id).state) not in RUNNING:
        raise Refused(
            "Milestones are reported while the grant agreement is in force, and until a terminated grant is closed."
        )
    return row
