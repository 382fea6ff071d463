"""Acts of reporting: milestones, the report's two parts, sending, the officer's answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import services as agreement
from grants.agreements.models import Beneficiary, Grant, Milestone
from grants.agreements.rules import ReportPlan
from grants.agreements.states import MILESTONE, RUNNING, GrantState, MilestoneState
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
from grants.reporting.queries import milestone_scope, scope_of
from grants.reporting.rules import Decision, ExpectedInput, MilestoneInput, ReceiptsInput, ReportSummary
from grants.reporting.rules.packages import lump_rules
from grants.reporting.services.apart import refuse_own
from grants.reporting.services.bound import refuse_costs_of_unbound, unbound_words
from grants.reporting.services.lines import acceptance_problems, submission_problems
from grants.reporting.states import REPORT, SETTLED, ReportKind, ReportState


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
    return _make_owed(grant)


def _make_owed(grant: Grant) -> int:
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
    _refuse_being_ended(
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
    return _summary(report)


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
    _open_payments(report_id)
    return _summary(report)


def _refuse_being_ended(grant: Grant, way_out: str) -> None:
    """Between the day of a termination and the night in which its reports are shortened none is sent or settled."""
    faults.point("deadline")
    over_on = agreements.ended_on(grant.id)
    moved = grant.state != GrantState.IN_FORCE.value
    if not moved and over_on is not None and acts.today() >= over_on:
        raise Refused(
            f"The first day without work is {clock.long_date(over_on)}, and the program is about to shorten the reports of this "
            f"grant to it. {way_out}"
        )


def _open_payments(report_id: UUID) -> None:
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
    _open_payments(report_id)
    return made


def _refuse(actor: Actor, report_id: UUID, verb: str, answer: str, version: int | None) -> ReportSummary:
    report = locked(PeriodicReport, report_id)
    check_version(report, version)
    if not answer.strip():
        raise Invalid("Say what is asked for.", {"answer": "Write what is missing or wrong; the city reads it."})
    acts.reason(answer)
    REPORT.move(report, verb)
    _decided(actor, report, answer)
    return _summary(report)


def _decided(actor: Actor, report: PeriodicReport, answer: str) -> None:
    report.decided_at, report.decided_by, report.answer = acts.moment(), actor.user_id, answer.strip() or None
    if report.submitted_by:
        people.mail([report.submitted_by], "report_answered", "report", report.id, reference=report.reference)


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
    _refuse_being_ended(grant, "Settle what is still owed then.")
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
    _open_payments(report_id)
    return _summary(report)


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
        _make_owed(grant)
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
        _open_payments(report.id)


def _summary(report: PeriodicReport) -> ReportSummary:
    return ReportSummary(report.id, report.reference, ReportState(report.state))
