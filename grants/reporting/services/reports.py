"""Acts of reporting: milestones, the report's two parts, sending, the officer's answer."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import services as agreement
from grants.agreements.models import Beneficiary, Grant
from grants.agreements.rules import ReportPlan
from grants.agreements.states import GrantState
from grants.budgets import queries as budgets
from grants.budgets import services as budget_writes
from grants.budgets.rules import BudgetContent, BudgetRules, Cell, Purpose, unit_problem
from grants.calls import queries as calls
from grants.core import acts, clock, faults, jobs, references
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Conflict, Invalid, Problem, Problems, Refused
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.dossiers import queries as dossiers
from grants.dossiers import services as dossier_writes
from grants.dossiers.merging import SectionSaved, Shown
from grants.dossiers.rules import Answer
from grants.identity import queries as identity
from grants.identity import services as people
from grants.reporting import queries, rules
from grants.reporting.models import AcceptedCost, PeriodicReport, ReportVersion
from grants.reporting.queries import scope_of
from grants.reporting.rules import Decision, ReceiptsInput, ReportSummary
from grants.reporting.rules.packages import lump_rules
from grants.reporting.services.apart import refuse_own
from grants.reporting.services.bound import refuse_costs_of_unbound, unbound_words
from grants.reporting.services.lines import acceptance_problems, submission_problems
from grants.reporting.states import REPORT, ReportKind, ReportState


@act(
    "report.open",
    needs=Permission.REPORT_OPEN,
    scope=agreements.scope_of,
    says="opened {subject} for the city to report",
)
def open_reports(actor: Actor, grant_id: UUID) -> int:
    """Make the reports a signed grant owes, each with its due date; returns how many there are. Safe to run twice."""
    grant = locked(Grant, grant_id)
    if grant.state != GrantState.IN_FORCE.value:
        raise Refused("Reports are made when the grant agreement is in force.")
    return make_owed(grant)


def make_owed(grant: Grant) -> int:
    """The reports of the whole agreed period, those that are not there yet; returns how many there are."""
    grant_id = grant.id
    call = calls.call_by_id(grant.call_id)
    months = clock.months_between(grant.starts_on, grant.ends_before)
    plans = agreement.report_plan(call, grant.starts_on, months, grant.report_days)
    organisations = [
        row.organisation_id
        for row in db.session.scalars(
            select(Beneficiary).where(Beneficiary.grant_id == grant_id).order_by(Beneficiary.position)
        )
    ]
    for plan in plans:
        if queries.numbered(grant_id, plan.number) is None:
            _make(grant, plan, organisations, call)
    return len(plans)


def _make(grant: Grant, plan: ReportPlan, organisations: list[UUID], call: calls.CallView) -> None:
    row = PeriodicReport(
        grant_id=grant.id,
        number=plan.number,
        reference=references.new_reference(call.programme.code, call.year, "R"),
        kind=(ReportKind.FINAL if plan.is_final else ReportKind.INTERIM).value,
        starts_on=plan.starts_on,
        ends_before=plan.ends_before,
        due_on=plan.due_on,
        state=ReportState.DRAFT.value,
        evidence=call.content.payment_plan.evidence.value,
    )
    row.dossier_id = dossier_writes.create("report", row.id, rules.TECHNICAL_PART)
    row.budget_id = budget_writes.create("report", row.id, Purpose.ACTUAL, _statement_rules(grant, call), organisations)
    db.session.add(row)


def _statement_rules(grant: Grant, call: calls.CallView) -> BudgetRules:
    """The rules of the statement a report brings: costs as the call's categories, or lump sums by work package."""
    if not queries.pays_lump_sums(grant):
        return rules.actual_rules(call.content.budget_rules)
    assert grant.budget_id is not None, "a grant that pays lump sums has a budget of its own"
    return lump_rules(budgets.written(grant.budget_id).packages)


@act(
    "report.follow_agreement",
    needs=Permission.REPORT_OPEN,
    scope=agreements.scope_of,
    says="let the reports of {subject} follow its amended agreement",
)
def follow_agreement(actor: Actor, grant_id: UUID) -> int:
    """Let reports not sent yet follow the agreement: when the last one ends and is due, and who declares costs in them.

    Who left keeps its rows; what counts of them is bounded by its maximum, which is what was paid to it, on its way or accepted
    as it left. Returns how many there are; safe to run twice.
    """
    grant, open_states = locked(Grant, grant_id), (ReportState.DRAFT.value, ReportState.RETURNED.value)
    of_grant = select(PeriodicReport).where(PeriodicReport.grant_id == grant_id, PeriodicReport.state.in_(open_states))
    rows = db.session.scalars(of_grant.order_by(PeriodicReport.number).with_for_update()).all()
    for row in rows:
        if row.kind == ReportKind.FINAL.value and row.state == ReportState.DRAFT.value:
            row.ends_before, row.due_on = grant.ends_before, clock.add_days(grant.ends_before, grant.report_days)
        for share in agreements.view(grant).beneficiaries:
            budget_writes.add_organisation(row.budget_id, share.organisation_id)
    return len(rows)


@act("report.write", needs=Permission.REPORT_EDIT, scope=scope_of, says="wrote in report {subject}")
def write_section(
    actor: Actor,
    report_id: UUID,
    section_key: str,
    answers: tuple[Answer, ...],
    *,
    shown: tuple[Shown, ...] | None = None,
) -> SectionSaved:
    """Save one section of the technical part, finished or not, all but what somebody else changed meanwhile."""
    report = in_hand(report_id)
    return dossier_writes.save_section(report.dossier_id, section_key, answers, shown)


@act("report.enter_costs", needs=Permission.REPORT_EDIT, scope=scope_of, says="entered costs in report {subject}")
def enter_costs(actor: Actor, report_id: UUID, cells: tuple[Cell, ...], *, version: int | None = None) -> int:
    """Save the costs of the period by partner and category; returns the statement's new version."""
    report = in_hand(report_id)
    if queries.pays_lump_sums(get(Grant, report.grant_id)):
        raise Refused("This grant is paid by lump sums: declare its work packages; no costs are asked.")
    own = queries.own_rows(actor, report.grant_id)
    given = [cell for cell in cells if cell.organisation_id in own]
    refuse_costs_of_unbound(report, (cell.organisation_id for cell in given if cell.amount))
    return budget_writes.save_cells(report.budget_id, given, version)


@act(
    "report.declare_receipts",
    needs=Permission.REPORT_SUBMIT,
    scope=scope_of,
    says="declared the receipts of the action in report {subject}",
)
def declare_receipts(actor: Actor, report_id: UUID, given: ReceiptsInput, *, version: int | None = None) -> None:
    """Say in the final report what the action earned, and of what, where the agreement takes a profit off."""
    check_version(locked(PeriodicReport, report_id), version)
    report = in_hand(report_id)
    if not queries.asks_receipts(report, get(Grant, report.grant_id)):
        raise Refused(
            "This report asks for no receipts: the agreement does not count them, or it is not the final report."
        )
    problems = rules.receipts_problems(given)
    if problems:
        raise Invalid("The receipts cannot be taken over.", problems)
    report.receipts, report.receipts_words = given.amount, given.words.strip()


def in_hand(report_id: UUID) -> PeriodicReport:
    """A report under its lock, while it is with the city."""
    report = locked(PeriodicReport, report_id)
    if report.state in {ReportState.DROPPED.value, ReportState.UNSENT.value}:
        raise Refused(rules.report_next(ReportState(report.state)))
    if report.state not in {ReportState.DRAFT.value, ReportState.RETURNED.value}:
        assert report.submitted_at is not None and report.submitted_by is not None, "what left the city was sent"
        sent = clock.in_zone(report.submitted_at)
        raise Refused(
            f"{identity.person(report.submitted_by).name} sent this report on {clock.long_date(sent.date())}, {sent:%H:%M}. "
            + rules.report_next(ReportState(report.state))
        )
    return report


def submit_problems(report: PeriodicReport, today: date) -> tuple[Problem, ...]:
    """What keeps a report from being sent: an open period, unanswered questions, an empty statement."""
    found: list[Problem] = []
    if today < report.ends_before:
        found.append(
            Problem(
                "Period",
                f"it runs until {clock.long_date(clock.add_days(report.ends_before, -1))}. Send the report after that.",
            )
        )
    found += dossiers.dossier(report.dossier_id).problems
    grant = get(Grant, report.grant_id)
    if report.receipts is None and queries.asks_receipts(report, grant):
        found.append(Problem("receipts", "say what the action earned; enter zero where it earned nothing."))
    lump_sums = queries.pays_lump_sums(grant)
    # What was terminated may have cost nothing, and its balance waits for a report that says so.
    ended = grant.state == GrantState.TERMINATED.value
    if not lump_sums and not ended and not budgets.written(report.budget_id).totals.total:
        found.append(
            Problem("costs", "no cost is declared. Undeclared costs are lost; enter them, or ask your officer.")
        )
    found += _unit_problems(budgets.written(report.budget_id))
    found += submission_problems(report)
    declared = {cell.organisation_id for cell in budgets.written(report.budget_id).cells if cell.amount}
    found += [Problem("costs", words) for words in unbound_words(report, declared)]
    return tuple(found)


def _unit_problems(written: BudgetContent) -> list[Problem]:
    """Declared amounts of categories paid by units that are no number of them."""
    said = ((cell.place, unit_problem(written.rules, cell.category, cell.amount)) for cell in written.cells)
    return [Problem(place, f"{words}.") for place, words in said if words]


@act("report.submit", needs=Permission.REPORT_SUBMIT, scope=scope_of, says="submitted report {subject}")
def submit(actor: Actor, report_id: UUID, *, version: int | None = None, seen: str | None = None) -> ReportSummary:
    """Send the report: its content is frozen and hashed, and the officer is told.

    ``seen`` is the hash of what the person saw: what a partner saved since then is not sent unseen.
    """
    check_version(locked(PeriodicReport, report_id), version)
    report = in_hand(report_id)
    refuse_being_ended(
        get(Grant, report.grant_id), "What you wrote is kept; send the report when its period is the new one."
    )
    content = queries.content(report)
    if seen is not None and seen != queries.fingerprint(content):
        raise Conflict(
            "The report was changed while you were looking at it: an answer, a cost or a milestone was saved. "
            "Look at what stands now, and send it then."
        )
    problems = submit_problems(report, acts.today())
    if problems:
        raise Problems("The report cannot be sent yet.", problems)
    REPORT.move(report, "submit")
    report.submitted_at, report.submitted_by = acts.moment(), actor.user_id
    earlier = db.session.scalars(select(ReportVersion).where(ReportVersion.report_id == report_id)).all()
    db.session.add(
        ReportVersion(
            report_id=report_id,
            number=len(earlier) + 1,
            submitted_at=acts.moment(),
            submitted_by=actor.user_id,
            content=content,
            sha256=bytes.fromhex(queries.fingerprint(content)),
            declared_total=budgets.written(report.budget_id).totals.requested,
        )
    )
    grant = locked(Grant, report.grant_id)
    officers = identity.users_with(Permission.REPORT_ACCEPT, agreements.scope(grant))
    people.mail([each.id for each in officers], "report_sent", "report", report_id, reference=report.reference)
    return summary_of(report)


@act("report.accept", needs=Permission.REPORT_ACCEPT, scope=scope_of, says="accepted report {subject}")
def accept(actor: Actor, report_id: UUID, decision: Decision, *, version: int | None = None) -> ReportSummary:
    """Accept the report with what is accepted of each declared amount; the payment it opens can then be asked for."""
    report = locked(PeriodicReport, report_id)
    check_version(report, version)
    REPORT.target(ReportState(report.state), "accept")
    if queries.pays_lump_sums(get(Grant, report.grant_id)):
        raise Refused("This grant is paid by lump sums: judge its work packages, on their own page.")
    refuse_own(actor, report.grant_id, report.submitted_by)
    return accept_judged(actor, report, decision)


def accept_judged(actor: Actor, report: PeriodicReport, decision: Decision) -> ReportSummary:
    """Keep what is accepted of each declared amount of a report that is locked, and open the payment it asks for."""
    report_id = report.id
    declared = [cell for cell in budgets.written(report.budget_id).cells if cell.amount]
    budget_rules = budgets.written(report.budget_id).rules
    problems = (
        *rules.judgement_problems(declared, decision.judged, _left(report.grant_id), budget_rules),
        *acceptance_problems(report, decision.judged),
        *(
            Problem("costs", f"{words} Accept nothing of it, and say why.")
            for words in unbound_words(report, {each.organisation_id for each in decision.judged if each.accepted})
        ),
    )
    if problems:
        raise Problems("The report cannot be accepted like this.", problems)
    wanted = {(cell.organisation_id, cell.category) for cell in declared}
    judged = [each for each in decision.judged if (each.organisation_id, each.category) in wanted]
    for each in judged:
        db.session.add(
            AcceptedCost(
                report_id=report_id,
                organisation_id=each.organisation_id,
                category=each.category,
                declared=each.declared,
                accepted=each.accepted,
                reason=each.reason if each.accepted < each.declared else None,
            )
        )
    REPORT.move(report, "accept")
    report.accepted_total = rules.accepted_total(budget_rules, judged)
    _decided(actor, report, decision.answer)
    open_payments(report_id)
    return summary_of(report)


def refuse_being_ended(grant: Grant, way_out: str) -> None:
    """Between the day of a termination and the night in which its reports are shortened none is sent or settled."""
    faults.point("deadline")
    over_on = agreements.ended_on(grant.id)
    moved = grant.state != GrantState.IN_FORCE.value
    if not moved and over_on is not None and acts.today() >= over_on:
        raise Refused(
            f"The first day without work is {clock.long_date(over_on)}, and the program is about to shorten the reports of this "
            f"grant to it. {way_out}"
        )


def open_payments(report_id: UUID) -> None:
    """A settled report opens what it asks for; the last of them opens the balance."""
    jobs.queue(
        "jobs.payments.open_for_report",
        subject=("report", report_id),
        unique=f"payment_for_report:{report_id}",
        asker=jobs.Asker.PROGRAM,
        report_id=report_id,
    )


def _left(grant_id: UUID) -> dict[UUID, Money]:
    """What each beneficiary may still have accepted under its maximum."""
    faults.point("ceiling")
    accepted = queries.accepted_by_organisation(grant_id)
    rows = db.session.scalars(select(Beneficiary).where(Beneficiary.grant_id == grant_id))
    return {row.organisation_id: row.maximum - accepted.get(row.organisation_id, ZERO) for row in rows}


@act("report.return", needs=Permission.REPORT_ACCEPT, scope=scope_of, says="returned report {subject}")
def give_back(actor: Actor, report_id: UUID, *, answer: str, version: int | None = None) -> ReportSummary:
    """Return the report to the city with what is asked for; it comes back as a new version."""
    return _refuse(actor, report_id, "return", answer, version)


@act("report.reject", needs=Permission.REPORT_ACCEPT, scope=scope_of, says="rejected report {subject}")
def reject(actor: Actor, report_id: UUID, *, answer: str, version: int | None = None) -> ReportSummary:
    """Reject the report with the reason: it is settled with nothing accepted, and nothing is paid for it."""
    made = _refuse(actor, report_id, "reject", answer, version)
    open_payments(report_id)
    return made


def _refuse(actor: Actor, report_id: UUID, verb: str, answer: str, version: int | None) -> ReportSummary:
    report = locked(PeriodicReport, report_id)
    check_version(report, version)
    if not answer.strip():
        raise Invalid("Say what is asked for.", {"answer": "Write what is missing or wrong; the city reads it."})
    acts.reason(answer)
    REPORT.move(report, verb)
    _decided(actor, report, answer)
    return summary_of(report)


def _decided(actor: Actor, report: PeriodicReport, answer: str) -> None:
    report.decided_at, report.decided_by, report.answer = acts.moment(), actor.user_id, answer.strip() or None
    if report.submitted_by:
        people.mail([report.submitted_by], "report_answered", "report", report.id, reference=report.reference)


def summary_of(report: PeriodicReport) -> ReportSummary:
    return ReportSummary(report.id, report.reference, ReportState(report.state))
