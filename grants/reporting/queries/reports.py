"""Reads of reports: one with its figures, those of a grant, and what people must do about them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant, Milestone
from grants.agreements.rules import MilestoneView
from grants.agreements.states import RUNNING, GrantState, MilestoneState, values
from grants.applications.models import ApplicationPartner
from grants.budgets import queries as budgets
from grants.budgets import rules as budget_rules
from grants.budgets.queries import BudgetView
from grants.calls.states import EvidenceLevel, FundingForm
from grants.core import audit, clock
from grants.core.db import db, get, locked
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.dossiers import queries as dossiers
from grants.dossiers import rules as dossier_rules
from grants.dossiers.queries import DossierView
from grants.identity import queries as identity
from grants.identity.models import Organisation
from grants.reporting.models import AcceptedCost, CostList, PeriodicReport, ReportVersion
from grants.reporting.queries.packages import packages_in, stated
from grants.reporting.rules import Judged, ReportView
from grants.reporting.rules.packages import PackageView
from grants.reporting.states import SETTLED, ReportKind, ReportState

DUTIES_MAX = 20


def scope_of(report_id: UUID) -> Scope:
    """Where a report lies: in its grant, whose row is locked first."""
    grant_id = db.session.scalar(select(PeriodicReport.grant_id).where(PeriodicReport.id == report_id))
    if grant_id is None:
        raise NotFound
    found = agreements.scope_of(grant_id)
    locked(PeriodicReport, report_id)
    return found


def milestone_scope(milestone_id: UUID) -> Scope:
    """Where a milestone lies: in its grant, whose row is locked first."""
    grant_id = db.session.scalar(select(Milestone.grant_id).where(Milestone.id == milestone_id))
    if grant_id is None:
        raise NotFound
    found = agreements.scope_of(grant_id)
    locked(Milestone, milestone_id)
    return found


def report(actor: Actor, reference: str) -> ReportView:
    """One report; raises :class:`NotFound` where the person may not see it."""
    row = db.session.scalars(
        select(PeriodicReport)
        .join(Grant, Grant.id == PeriodicReport.grant_id)
        .where(PeriodicReport.reference == reference, agreements.visible(actor, Permission.REPORT_READ))
    ).one_or_none()
    if row is None:
        raise NotFound
    return _views([row])[0]


def of_grant(actor: Actor, grant_id: UUID) -> tuple[ReportView, ...]:
    """The reports of a grant in order."""
    rows = db.session.scalars(
        select(PeriodicReport)
        .join(Grant, Grant.id == PeriodicReport.grant_id)
        .where(PeriodicReport.grant_id == grant_id, agreements.visible(actor, Permission.REPORT_READ))
        .order_by(PeriodicReport.number)
    ).all()
    return _views(rows)


def numbered(grant_id: UUID, number: int) -> PeriodicReport | None:
    """The row of one report of a grant, for later stages; None before it exists."""
    return db.session.scalars(
        select(PeriodicReport).where(PeriodicReport.grant_id == grant_id, PeriodicReport.number == number)
    ).one_or_none()


@reader
def unsettled(grant_id: UUID) -> Asking[tuple[int, ...]]:
    """The numbers of the reports of a grant that are not settled yet."""
    settled = [state.value for state in SETTLED]
    statement = select(PeriodicReport.number).where(
        PeriodicReport.grant_id == grant_id, PeriodicReport.state.not_in(settled)
    )
    return tuple(row.number for row in (yield from ask(statement.order_by(PeriodicReport.number))))


def accepted_by_organisation(grant_id: UUID) -> dict[UUID, Money]:
    """What was accepted so far for each organisation, flat rate and funding rate applied; in three statements."""
    reports = db.session.scalars(
        select(PeriodicReport).where(
            PeriodicReport.grant_id == grant_id, PeriodicReport.state == ReportState.ACCEPTED.value
        )
    ).all()
    judged: dict[UUID, list[budget_rules.Cell]] = {each.id: [] for each in reports}
    for cost in db.session.scalars(select(AcceptedCost).where(AcceptedCost.report_id.in_(judged))):
        judged[cost.report_id].append(budget_rules.Cell(cost.organisation_id, cost.category, cost.accepted))
    rules = budgets.rules_by_id(each.budget_id for each in reports)
    found: dict[UUID, Money] = {}
    for each in reports:
        for row in budget_rules.totals(rules[each.budget_id], judged[each.id]).rows:
            found[row.organisation_id] = found.get(row.organisation_id, ZERO) + row.requested
    return found


@reader
def accepted_costs(report_id: UUID) -> Asking[tuple[Judged, ...]]:
    """Every judged amount of a report."""
    rows = yield from ask(
        select(AcceptedCost)
        .where(AcceptedCost.report_id == report_id)
        .order_by(AcceptedCost.organisation_id, AcceptedCost.category)
    )
    return tuple(Judged(row.organisation_id, row.category, row.declared, row.accepted, row.reason) for row in rows)


def content(report: PeriodicReport) -> dict[str, Any]:
    """Everything a report says now, as it is frozen when it is sent."""
    technical, entered = dossiers.content(report.dossier_id), budgets.content(report.budget_id)
    packages = packages_in(report.id) if pays_lump_sums(get(Grant, report.grant_id)) else ()
    plain = _plain(report, technical, entered, agreements.milestones(report.grant_id), packages)
    return _with_lines(plain, list_hash(report.id))


def _with_lines(plain: dict[str, Any], sha256: str | None) -> dict[str, Any]:
    """Of reports without lines nothing is said of them, as it was before any had."""
    return plain if sha256 is None else {**plain, "lines": sha256}


@reader
def list_hash(report_id: UUID) -> Asking[str | None]:
    """The hash of the lines of a report; None where it has none. One statement."""
    rows = yield from ask(select(CostList.sha256).where(CostList.report_id == report_id))
    return rows[0].sha256 if rows else None


def _plain(
    report: PeriodicReport | ReportView,
    technical: dict[str, Any],
    entered: dict[str, Any],
    milestones: Sequence[MilestoneView],
    packages: Sequence[PackageView],
) -> dict[str, Any]:
    # Of reports that ask for no receipts nothing is said of them, as it was before any did.
    earned: dict[str, Any] = (
        {} if report.receipts is None else {"receipts": report.receipts, "receipts_words": report.receipts_words}
    )
    if said := stated(packages):
        earned["packages"] = said
    plain: dict[str, Any] = audit.plain_value(
        {
            "report": report.reference,
            "technical": technical,
            "costs": entered,
            "milestones": [
                {"number": each.number, "state": each.state.value, "achieved_on": each.achieved_on}
                for each in milestones
            ],
            **earned,
        }
    )
    return plain


def fingerprint(content: dict[str, Any]) -> str:
    """The hash of what a report says: two readers with the same hash saw the same."""
    return hashlib.sha256(audit.canonical(content)).hexdigest()


@dataclass(frozen=True, slots=True)
class Inside:
    """What a report says, what of its costs was accepted, and the hash of what it says now, for the form that sends it."""

    dossier: DossierView
    budget: BudgetView
    accepted: tuple[Judged, ...]
    names: dict[UUID, str]
    shows: str
    packages: tuple[PackageView, ...] = ()


def nothing() -> Asking[tuple[PackageView, ...]]:
    """No packages, asked of nobody."""
    yield ()
    return ()


@reader
def inside(report: ReportView) -> Asking[Inside]:
    """The inside of a report, in one statement; who may see it was decided by the caller."""
    about: list[Asking[Any]] = [
        dossiers.dossier.asking(report.dossier_id),
        budgets.stored.asking(report.budget_id),
        names_of(report.grant_id),
        accepted_costs.asking(report.id),
        agreements.milestones.asking(report.grant_id),
        list_hash.asking(report.id),
        packages_in.asking(report.id) if report.lump_sums else nothing(),
    ]
    dossier, kept, names, accepted, milestones, listed, packages = yield from side_by_side(about)
    technical, entered = dossier_rules.to_mapping(dossier.content), budget_rules.to_mapping(kept.content)
    shows = fingerprint(_with_lines(_plain(report, technical, entered, milestones, packages), listed))
    return Inside(dossier, budgets.shown(kept, names), accepted, names, shows, packages)


@reader
def costs(report: ReportView) -> Asking[BudgetView]:
    """The costs a report declares, in one statement; who may see it was decided by the caller."""
    kept, names = yield from both(budgets.stored.asking(report.budget_id), names_of(report.grant_id))
    return budgets.shown(kept, names)


@reader
def _views(rows: Sequence[PeriodicReport]) -> Asking[tuple[ReportView, ...]]:
    """Reports as frozen values, in two statements however many there are."""
    if not rows:
        return ()
    involved = {who for row in rows for who in (row.submitted_by, row.decided_by) if who}
    (found, counted), people = yield from both(_grants_and_versions(rows), identity.people.asking(involved))
    grants = {grant.id: grant for grant in found}
    versions: dict[Any, int] = dict(counted)
    names = yield from identity.organisations.asking({grant.coordinator_id for grant in found})
    return tuple(
        ReportView(
            id=row.id,
            version=row.version,
            reference=row.reference,
            number=row.number,
            kind=ReportKind(row.kind),
            state=ReportState(row.state),
            grant_id=row.grant_id,
            grant_reference=grants[row.grant_id].reference,
            grant_title=grants[row.grant_id].acronym or grants[row.grant_id].title,
            coordinator=names[grants[row.grant_id].coordinator_id].name,
            starts_on=row.starts_on,
            ends_before=row.ends_before,
            due_on=row.due_on,
            dossier_id=row.dossier_id,
            budget_id=row.budget_id,
            submitted_at=row.submitted_at,
            submitted_by_name=people[row.submitted_by].name if row.submitted_by else None,
            decided_at=row.decided_at,
            decided_by_name=people[row.decided_by].name if row.decided_by else None,
            answer=row.answer,
            accepted_total=row.accepted_total,
            evidence=EvidenceLevel(row.evidence),
            versions=versions.get(row.id, 0),
            lump_sums=pays_lump_sums(grants[row.grant_id]),
            asks_receipts=asks_receipts(row, grants[row.grant_id]),
            receipts=row.receipts,
            receipts_words=row.receipts_words,
            running=GrantState(grants[row.grant_id].state) in RUNNING,
        )
        for row in rows
    )


def _grants_and_versions(rows: Sequence[PeriodicReport]) -> Asking[Sequence[list[Any]]]:
    return (
        yield [
            select(Grant).where(Grant.id.in_({row.grant_id for row in rows})),
            select(ReportVersion.report_id, func.count())
            .where(ReportVersion.report_id.in_([row.id for row in rows]))
            .group_by(ReportVersion.report_id),
        ]
    )


def pays_lump_sums(grant: Grant) -> bool:
    """Whether a grant is paid by completed work packages and not by costs."""
    return agreements.funding_of(grant).form is FundingForm.LUMP_SUM


def asks_receipts(report: PeriodicReport, grant: Grant) -> bool:
    """Whether a report says what the action earned: the final one, where the agreement takes a profit off."""
    return report.kind == ReportKind.FINAL.value and agreements.funding_of(grant).asks_receipts


def names_of(grant_id: UUID) -> Asking[dict[UUID, str]]:
    """The names of a grant's beneficiaries, for the tables of costs."""
    rows = yield from ask(
        select(Organisation.id, Organisation.name)
        .join(Beneficiary, Beneficiary.organisation_id == Organisation.id)
        .where(Beneficiary.grant_id == grant_id)
    )
    return {row.id: row.name for row in rows}


@reader
def names(grant_id: UUID) -> Asking[dict[UUID, str]]:
    """The same, for acts. One statement."""
    return (yield from names_of(grant_id))


@reader
def own_rows(actor: Actor, grant_id: UUID) -> Asking[frozenset[UUID]]:
    """Whose costs this person may declare: everybody's for who sends the report, else their own organisation's. One
    statement.
    """
    (grant,), shares, spoken_for = yield [
        select(Grant.id, Grant.application_id, Grant.call_id).where(Grant.id == grant_id),
        select(Beneficiary.organisation_id).where(Beneficiary.grant_id == grant_id),
        select(ApplicationPartner.organisation_id)
        .join(Grant, Grant.application_id == ApplicationPartner.application_id)
        .where(Grant.id == grant_id, ApplicationPartner.contact_user_id == actor.user_id),
    ]
    rows = frozenset(row.organisation_id for row in shares)
    if actor.may(Permission.REPORT_SUBMIT, agreements.scope(grant)):
        return rows
    return rows & (actor.organisation_ids | {row.organisation_id for row in spoken_for})


@reader
def unsettled_from(grant_id: UUID) -> Asking[date | None]:
    """The first day of the earliest period whose report is not settled; None where all are."""
    rows = yield from ask(
        select(func.min(PeriodicReport.starts_on).label("first")).where(
            PeriodicReport.grant_id == grant_id,
            PeriodicReport.state.not_in([state.value for state in SETTLED]),
        )
    )
    first: date | None = rows[0].first
    return first


agreements.unsettled_from_comes_from(unsettled_from.asking)


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """Reports to write, reports and milestones to look at; a constant number of statements."""
    kinds = (
        _to_write(actor, at),
        _to_accept(actor),
        _never_came(actor, at),
        _milestones_to_report(actor, at),
        _milestones_to_accept(actor),
    )
    found = yield from side_by_side(kinds)
    return tuple(duty for duties in found for duty in duties)


def _rows(actor: Actor, permission: Permission, *conditions: Any) -> Asking[tuple[ReportView, ...]]:
    if not actor.can(permission):
        return ()
    rows = yield from ask(
        select(PeriodicReport)
        .join(Grant, Grant.id == PeriodicReport.grant_id)
        .where(agreements.visible(actor, permission), Grant.state.in_(values(RUNNING)), *conditions)
        .order_by(PeriodicReport.due_on, PeriodicReport.reference)
        .limit(DUTIES_MAX)
    )
    return (yield from _views.asking(rows))


def _to_write(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    today = clock.in_zone(at).date()
    rows = yield from _rows(
        actor,
        Permission.REPORT_EDIT,
        PeriodicReport.state.in_([ReportState.DRAFT.value, ReportState.RETURNED.value]),
        PeriodicReport.ends_before <= today,
    )
    return [
        Duty(
            f"{'Complete' if row.state is ReportState.RETURNED else 'Write'} report {row.number} of {row.grant_title}",
            "The programme asked for changes."
            if row.state is ReportState.RETURNED
            else "The next payment waits for it.",
            "Open the report",
            "reporting.show",
            {"ref": row.reference},
            due_at=clock.end_of_day(row.due_on),
        )
        for row in rows
    ]


def _to_accept(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from _rows(actor, Permission.REPORT_ACCEPT, PeriodicReport.state == ReportState.SUBMITTED.value)
    return [
        Duty(
            f"Check report {row.number} of {row.grant_title}",
            f"{row.coordinator} sent it; a payment waits for your answer.",
            "Check the report",
            "reporting.show",
            {"ref": row.reference},
        )
        for row in rows
    ]


def _never_came(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    """Reports that are overdue: the balance waits until they come or are settled without."""
    today = clock.in_zone(at).date()
    rows = yield from _rows(
        actor,
        Permission.REPORT_ACCEPT,
        PeriodicReport.state.in_([ReportState.DRAFT.value, ReportState.RETURNED.value]),
        PeriodicReport.due_on < today,
        PeriodicReport.ends_before <= today,
    )
    return [
        Duty(
            f"Report {row.number} of {row.grant_title} did not come{' back' if row.state is ReportState.RETURNED else ''}",
            "The balance of the grant waits for this report. Ask the city for it, or settle the grant without.",
            "Open the report",
            "reporting.show",
            {"ref": row.reference},
        )
        for row in rows
    ]


def _milestones(actor: Actor, permission: Permission, *conditions: Any) -> Asking[list[Any]]:
    if not actor.can(permission):
        return []
    return (
        yield from ask(
            select(
                *(Milestone.number, Milestone.title, Milestone.criterion, Milestone.due_on),
                *(Grant.reference, func.coalesce(Grant.acronym, Grant.title).label("grant")),
            )
            .join(Grant, Grant.id == Milestone.grant_id)
            .where(agreements.visible(actor, permission), Grant.state.in_(values(RUNNING)), *conditions)
            .order_by(Milestone.due_on, Grant.reference, Milestone.number)
            .limit(DUTIES_MAX)
        )
    )


def _milestones_to_report(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    soon = clock.add_days(clock.in_zone(at).date(), 30)
    rows = yield from _milestones(
        actor,
        Permission.REPORT_SUBMIT,
        Milestone.state.in_([MilestoneState.PLANNED.value, MilestoneState.RETURNED.value]),
        Milestone.due_on <= soon,
        # After a termination it may still be said what was reached, and nothing asks for it.
        Grant.state == GrantState.IN_FORCE.value,
        ~agreements.is_over_by(),
    )
    return [
        Duty(
            f"Report the milestone “{milestone.title}”",
            f"{milestone.grant}: accepted when {milestone.criterion[:1].lower()}{milestone.criterion[1:]}",
            "Report it",
            "reporting.milestone",
            {"ref": milestone.reference, "number": milestone.number},
            due_at=clock.end_of_day(milestone.due_on),
        )
        for milestone in rows
    ]


def _milestones_to_accept(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from _milestones(actor, Permission.REPORT_ACCEPT, Milestone.state == MilestoneState.SUBMITTED.value)
    return [
        Duty(
            f"Look at the milestone “{milestone.title}”",
            f"{milestone.grant} reports it as reached.",
            "Open the milestone",
            "reporting.milestone",
            {"ref": milestone.reference, "number": milestone.number},
        )
        for milestone in rows
    ]
