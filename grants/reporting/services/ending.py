"""Acts by which the reports of a grant end: one that never came is settled, and a termination shortens them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import services as agreement
from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.core import acts, clock
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid
from grants.core.permissions import Actor, Permission
from grants.identity import services as people
from grants.reporting import rules
from grants.reporting.models import PeriodicReport
from grants.reporting.queries import scope_of
from grants.reporting.rules import ReportSummary
from grants.reporting.services.apart import refuse_own
from grants.reporting.services.reports import make_owed, open_payments, refuse_being_ended, summary_of
from grants.reporting.states import REPORT, SETTLED, ReportKind, ReportState


@act(
    "report.settle_unsent",
    needs=Permission.REPORT_ACCEPT,
    scope=scope_of,
    says="settled report {subject}, which never came",
)
def settle_unsent(actor: Actor, report_id: UUID, *, answer: str, version: int | None = None) -> ReportSummary:
    """Settle a report that did not come by its day: nothing of its period counts, and the balance follows without it."""
    report = locked(PeriodicReport, report_id)
    check_version(report, version)
    grant = locked(Grant, report.grant_id)
    refuse_own(actor, grant.id, report.submitted_by)
    refuse_being_ended(grant, "Settle what is still owed then.")
    rules.refuse_settling_unsent(
        ReportState(report.state),
        GrantState(grant.state),
        ends_before=report.ends_before,
        due_on=report.due_on,
        today=acts.today(),
    )
    if not answer.strip():
        raise Invalid("Say why.", {"answer": "Say how often the city was asked; the city reads it."})
    acts.reason(answer.strip())
    REPORT.move(report, "settle_unsent")
    report.decided_at, report.decided_by, report.answer = acts.moment(), actor.user_id, answer.strip()
    team = agreements.team(grant.application_id)
    people.mail(sorted(team), "report_unsent", "report", report.id, reference=report.reference, answer=answer.strip())
    open_payments(report_id)
    return summary_of(report)


@act(
    "report.end_grant",
    needs=Permission.TERMINATION_CARRY_OUT,
    scope=agreements.scope_of,
    says="ended {subject} by its termination",
)
def end_grant(actor: Actor, grant_id: UUID) -> bool:
    """Carry out a termination on its day: the open period ends, its report is the final one, those after it fall away.

    Safe to run twice. Whether the grant was ended now: one whose day has not come, or that ended before, stays as it is.
    """
    grant = locked(Grant, grant_id)
    found = agreement.carry_out(grant)
    if found is None:
        return False
    assert found.effective_on is not None, "what is carried out was confirmed for a day"
    day = clock.long_date(found.effective_on)
    words = f"The grant is terminated from {day} on, so nothing of its agreement changes any more."
    agreement.end_with_grant(actor, grant, "terminate", words)
    reports = _reports_of(grant_id)
    if not reports:
        # Ended so soon that they were not made yet.
        make_owed(grant)
        db.session.flush()
        reports = _reports_of(grant_id)
    last = rules.final_after([(each.number, each.starts_on) for each in reports], found.effective_on)
    for each in reports:
        if each.number > last:
            REPORT.move(each, "drop")
        elif each.number == last:
            _make_final(each, found.effective_on, grant.report_days)
    final = next(each for each in reports if each.number == last)
    agreement.tell_of_termination(
        grant,
        "termination_carried_out",
        found,
        number=str(last),
        effective_on=clock.long_date(found.effective_on),
        due_on=clock.long_date(final.due_on),
    )
    return True


def _reports_of(grant_id: UUID) -> Sequence[PeriodicReport]:
    """The reports of a grant in order, locked."""
    return db.session.scalars(
        select(PeriodicReport)
        .where(PeriodicReport.grant_id == grant_id)
        .order_by(PeriodicReport.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _make_final(report: PeriodicReport, over_on: date, report_days: int) -> None:
    """The period ends the day before ``over_on``; a report that is settled already opens the balance now."""
    report.kind = ReportKind.FINAL.value
    if report.ends_before > over_on:
        report.ends_before, report.due_on = over_on, clock.add_days(over_on, report_days)
    if ReportState(report.state) in SETTLED:
        open_payments(report.id)
