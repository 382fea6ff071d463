"""Preparing a grant: what it takes over of the application, its terms, shares, milestones and schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import (
    Beneficiary,
    DueDiligenceItem,
    Grant,
    GrantRevision,
    Milestone,
    PaymentScheduleLine,
)
from grants.agreements.queries import scope_of
from grants.agreements.rules import (
    GrantSummary,
    Percentages,
    PlannedMilestone,
    Share,
    Terms,
)
from grants.agreements.states import REVISION, CheckAnswer, GrantState, MilestoneState, RevisionState
from grants.applications import queries as applied
from grants.applications import services as applications
from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import APPLICATION, PartnerRole, PartnerState
from grants.awards import queries as awards
from grants.budgets import queries as budgets
from grants.budgets import services as budget_writes
from grants.budgets.rules import BudgetContent, Purpose
from grants.calls import queries as calls
from grants.calls.rules import CallView, TimeLimits
from grants.calls.states import InstalmentKind
from grants.core import acts, clock, faults, references
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers import services as dossiers
from grants.dossiers.rules import DossierContent, clean_text
from grants.identity.rules import one_line


def application_scope(application_id: UUID) -> Scope:
    """Where a selected application lies."""
    row = locked(Application, application_id)
    return Scope.of(("application", row.id), ("call", row.call_id))


@act(
    "agreement.prepare",
    needs=Permission.AGREEMENT_PREPARE,
    scope=application_scope,
    says="began to prepare agreement {subject}",
)
def prepare(actor: Actor, application_id: UUID, *, starts_on: date) -> GrantSummary:
    """Begin the preparation of a selected application: a grant with the terms that follow from call and application."""
    application = locked(Application, application_id)
    call = calls.call_by_id(application.call_id)
    # Appointments and tasks of a preparation would tell the outcome.
    if applied.view_for_team(application.id).untold and not awards.letters.is_left_out(application.id):
        raise Refused(
            f"{application.reference} does not know that it is selected: its letter of decision has not left. "
            "Have the letter sent first, or leave it out by name and tell the lead yourself."
        )
    applications.tell_outcome(application.id)
    APPLICATION.move(application, "prepare")
    reserved = awards.item_of(application_id).amount
    stands = _what_stands(application)
    days = call.content.preparation_days
    grant = Grant(
        application_id=application.id,
        call_id=call.id,
        fund_source_id=call.fund_source.id,
        reference=references.new_reference(call.programme.code, call.year, "G"),
        title=stands.title,
        acronym=stands.acronym,
        state=GrantState.PREPARATION.value,
        coordinator_id=stands.coordinator_id,
        search_text=application.search_text,
        amount_note=application.synthetic_note,
        preparation_ends_on=clock.add_days(acts.today(), days) if days else None,
    )
    apply_terms(grant, _default_terms(application, stands, call, reserved, starts_on), call, reserved)
    _copy_what_stands(grant, application, stands, call)
    for position, (key, label) in enumerate(rules.DUE_DILIGENCE):
        answer = CheckAnswer.OPEN.value
        db.session.add(DueDiligenceItem(grant_id=grant.id, key=key, label=label, position=position, answer=answer))
    return GrantSummary(grant.id, grant.reference, GrantState.PREPARATION)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a grant takes over of its application, with what each organisation asked for."""

    title: str
    acronym: str | None
    coordinator_id: UUID
    requested: tuple[tuple[UUID, Money], ...]
    # None where an outcome that was published elsewhere came without.
    budget: BudgetContent | None = None
    description: DossierContent | None = None


def _what_stands(application: Application) -> _Standing:
    """The version that was submitted and judged, never a draft written after it; the live rows where none was submitted,
    as with an outcome that was published elsewhere and only recorded here.
    """
    if application.submission_id is None:
        written = budgets.written(application.budget_id) if application.budget_id else None
        return _Standing(
            application.title,
            application.acronym,
            application.coordinator_id,
            _requested_now(application, written),
            written,
        )
    content = applied.submitted_content(application.id)
    asked = {row.organisation_id: row.requested for row in content.budget.totals.rows}
    lead = next(each for each in content.consortium if each.role is PartnerRole.COORDINATOR)
    return _Standing(
        content.title,
        content.acronym,
        lead.organisation_id,
        tuple((each.organisation_id, asked.get(each.organisation_id, ZERO)) for each in content.consortium),
        content.budget,
        content.dossier,
    )


def _copy_what_stands(grant: Grant, application: Application, stands: _Standing, call: CallView) -> None:
    """The grant’s own budget and description of action: they say what was submitted until the city revises them.

    The award amounts of the call bind an application; what binds a grant is what was reserved for it.
    """
    organisations = tuple(who for who, _ in stands.requested)
    standing = stands.budget or BudgetContent(call.content.budget_rules, organisations, ())
    content = replace(standing, rules=replace(standing.rules, envelopes=()))
    grant.budget_id = budget_writes.copy("grant", grant.id, Purpose.GRANTED, content)
    if stands.description is not None:
        grant.dossier_id = dossiers.copy("grant", grant.id, stands.description)
    db.session.add(GrantRevision(grant_id=grant.id, state=REVISION.initial.value))


def _requested_now(application: Application, written: BudgetContent | None) -> tuple[tuple[UUID, Money], ...]:
    partners = db.session.scalars(
        select(ApplicationPartner)
        .where(
            ApplicationPartner.application_id == application.id,
            ApplicationPartner.state == PartnerState.ACCEPTED.value,
        )
        .order_by(ApplicationPartner.position, ApplicationPartner.id)
    ).all()
    rows = written.totals.rows if written else ()
    asked = {row.organisation_id: row.requested for row in rows}
    return tuple((partner.organisation_id, asked.get(partner.organisation_id, ZERO)) for partner in partners)


def _default_terms(
    application: Application, stands: _Standing, call: CallView, reserved: Money, starts_on: date
) -> Terms:
    return Terms(
        starts_on=starts_on,
        months=call.content.duration_months,
        shares=rules.default_shares(reserved, stands.requested),
        milestones=tuple(
            PlannedMilestone(each.title, each.evidence or each.title, clock.add_months(starts_on, each.month))
            for each in call.content.milestones
        ),
        amount_note=application.synthetic_note,
    )


@act(
    "agreement.set_terms",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="set the terms of agreement {subject}",
)
def set_terms(actor: Actor, grant_id: UUID, terms: Terms, *, version: int | None = None) -> GrantSummary:
    """Change start, length, maxima and milestones while the grant is in preparation."""
    grant = locked(Grant, grant_id)
    check_version(grant, version)
    if grant.state != GrantState.PREPARATION.value:
        raise Refused("The agreement was already offered. Take the offer back first, then change the terms.")
    _follow_revision(grant, terms)
    apply_terms(grant, terms, calls.call_by_id(grant.call_id), awards.item_of(grant.application_id).amount)
    return summary_of(grant)


def _follow_revision(grant: Grant, terms: Terms) -> None:
    """A new beneficiary gets its row in the grant’s budget; maxima do not depart from a budget both sides agreed on."""
    row = queries.revision_row(grant.id)
    if row is None or grant.budget_id is None:
        return
    for share in terms.shares:
        budget_writes.add_organisation(grant.budget_id, share.organisation_id)
    rules.refuse_departing(RevisionState(row.state), budgets.written(grant.budget_id), terms.shares)


def apply_terms(grant: Grant, terms: Terms, call: CallView, reserved: Money) -> None:
    """Write terms into a grant in preparation, with everything that follows from them; raises :class:`Invalid`."""
    faults.point("ceiling")
    problems = rules.terms_problems(terms, reserved, call.fund_source.ends_on)
    if problems:
        raise Invalid("The terms cannot stand as they are.", problems)
    maximum = total(share.maximum for share in terms.shares)
    allowed = rules.limits(maximum, percentages(call))
    grant.maximum = maximum
    grant.amount_note = terms.amount_note
    grant.special_conditions = clean_text(terms.special_conditions) or None
    grant.programme_signatures = terms.programme_signatures
    grant.starts_on = terms.starts_on
    grant.ends_before = clock.add_months(terms.starts_on, terms.months)
    grant.prefinancing, grant.interim_ceiling, grant.retention = (
        allowed.prefinancing,
        allowed.interim_ceiling,
        allowed.retention,
    )
    plan = call.content.payment_plan
    grant.additional = allowed.additional
    grant.additional_threshold = plan.additional.threshold if plan.additional else None
    moves = rules.flexibility_of(grant.maximum, plan.transfer_free_percent, plan.transfer_notify_percent)
    grant.transfer_free, grant.transfer_notify = moves or (None, None)
    limits = time_limits(call)
    grant.prefinancing_days, grant.before_start_days = limits.prefinancing, limits.before_start
    grant.report_days, grant.interim_days, grant.balance_days = limits.report, limits.interim, limits.balance
    clock_of_call = call.content.payment_plan.clock
    grant.clock_starts, grant.request_path = clock_of_call.starts.value, clock_of_call.passes.value
    passing_on = call.content.payment_plan.passing_on
    grant.passing_on_days, grant.passed_on_by = passing_on.days, passing_on.confirmed_by.value
    funding = call.content.payment_plan.funding
    grant.funding_form, grant.no_profit = funding.form.value, funding.no_profit.value
    grant.certificate_from, grant.guarantee_asked = funding.certificate_from, funding.guarantee
    grant.reply_days, grant.opened_after_days = call.content.amendment_reply_days, call.content.opened_after_days
    grant.time_limits_on = acts.today()
    db.session.add(grant)
    _replace_shares(grant, terms.shares)
    _replace_milestones(grant, terms.milestones)
    _replace_schedule(grant, rules.schedule(maximum, allowed, terms.starts_on, _dues(call, terms)))


def time_limits(call: CallView) -> TimeLimits:
    """The call's time limits, which a grant takes over while it is prepared; refused where the call has none."""
    found = call.content.payment_plan.time_limits
    if found is None:
        raise Refused(
            "This call does not say within how many days its reports and payments are due. Fill in its time limits first."
        )
    return found


def percentages(call: CallView) -> Percentages:
    """The call's payment rules."""
    plan = call.content.payment_plan
    return Percentages(
        plan.prefinancing_percent, plan.interim_ceiling_percent, plan.retention_percent, plan.additional_percent
    )


def report_plan(call: CallView, starts_on: date, months: int, days: int) -> tuple[rules.ReportPlan, ...]:
    """The periodic reports a grant of this call owes, each ``days`` after its period."""
    interim = [
        each.due_month
        for each in call.content.payment_plan.instalments
        if each.kind is InstalmentKind.INTERIM and each.due_month is not None
    ]
    return rules.report_plan(starts_on, months, interim, days)


def _dues(call: CallView, terms: Terms) -> list[date]:
    return [plan.due_on for plan in report_plan(call, terms.starts_on, terms.months, time_limits(call).report)]


def _replace_shares(grant: Grant, shares: Sequence[Share]) -> None:
    rows = {
        row.organisation_id: row
        for row in db.session.scalars(select(Beneficiary).where(Beneficiary.grant_id == grant.id))
    }
    for position, share in enumerate(shares):
        row = rows.pop(share.organisation_id, None) or Beneficiary(
            grant_id=grant.id,
            organisation_id=share.organisation_id,
            is_coordinator=share.organisation_id == grant.coordinator_id,
        )
        row.position, row.maximum = position, share.maximum
        db.session.add(row)
    for row in rows.values():
        db.session.delete(row)


def _replace_milestones(grant: Grant, planned: Sequence[PlannedMilestone]) -> None:
    rows = {row.number: row for row in db.session.scalars(select(Milestone).where(Milestone.grant_id == grant.id))}
    for number, each in enumerate(planned, 1):
        row = rows.pop(number, None) or Milestone(grant_id=grant.id, number=number, state=MilestoneState.PLANNED.value)
        row.title, row.criterion, row.due_on = one_line(each.title), clean_text(each.criterion), each.due_on
        db.session.add(row)
    for row in rows.values():
        db.session.delete(row)


def _replace_schedule(grant: Grant, lines: Sequence[rules.ScheduleLine]) -> None:
    rows = {
        row.number: row
        for row in db.session.scalars(select(PaymentScheduleLine).where(PaymentScheduleLine.grant_id == grant.id))
    }
    for line in lines:
        row = rows.pop(line.number, None) or PaymentScheduleLine(grant_id=grant.id, number=line.number)
        row.kind, row.report_number = line.kind.value, line.report_number
        row.planned, row.due_on = line.planned, line.due_on
        db.session.add(row)
    for row in rows.values():
        db.session.delete(row)


def summary_of(grant: Grant) -> GrantSummary:
    """What acts on a grant answer: which it is, and its state."""
    return GrantSummary(grant.id, grant.reference, GrantState(grant.state))
