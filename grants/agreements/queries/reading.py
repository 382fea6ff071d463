"""One grant with everything its pages show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from grants.agreements.models import (
    AgreementSignature,
    Beneficiary,
    DueDiligenceItem,
    Grant,
    GrantRevision,
    Milestone,
    PaymentScheduleLine,
)
from grants.agreements.queries.bank_accounts import account_of
from grants.agreements.queries.reach import readable
from grants.agreements.rules import (
    AgreementText,
    BeneficiaryView,
    CheckView,
    ContactView,
    GrantView,
    Limits,
    MilestoneView,
    ScheduleLine,
    SignatureView,
)
from grants.agreements.states import (
    CheckAnswer,
    ContactRole,
    GrantState,
    MilestoneState,
    PaymentKind,
    RevisionState,
    Side,
)
from grants.applications.models import Application
from grants.applications.queries import partners
from grants.applications.states import ApplicationState, PartnerState
from grants.calls.models import Call
from grants.calls.rules import PaymentClock, TimeLimits
from grants.calls.states import ClockStart, RequestPath
from grants.core import clock, encoding
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import RoleGrant, User
from grants.identity.policy import Role
from grants.identity.rules import OrganisationView
from grants.programmes.models import FundSource
from grants.programmes.rules import reports_by


@reader
def grant(actor: Actor, reference: str) -> Asking[GrantView]:
    """One grant with all its parts, in three statements; raises :class:`NotFound`."""
    row = yield from readable.asking(actor, reference)
    return (yield from view.asking(row))


@reader
def view(row: Grant) -> Asking[GrantView]:
    """A grant as a frozen value, in two statements; who may see it was decided by the caller."""
    about: list[Asking[Any]] = [
        _lies(row),
        _beneficiaries(row),
        _checks(row.id),
        ask(_of(AgreementSignature, row.id, AgreementSignature.signed_at)),
        account_of.asking(row.coordinator_id),
        contacts.asking(row.application_id),
        milestones.asking(row.id),
        schedule.asking(row.id),
        ask(select(GrantRevision.state).where(GrantRevision.grant_id == row.id)),
    ]
    found = yield from side_by_side(about)
    (lies,), (coordinator, shares), checks, signed, account, people, stones, planned, revised = found
    return GrantView(
        id=row.id,
        version=row.version,
        reference=row.reference,
        title=row.title,
        acronym=row.acronym,
        state=GrantState(row.state),
        application_id=row.application_id,
        application_reference=lies.reference,
        call_id=row.call_id,
        call_slug=lies.slug,
        call_title=lies.title,
        fund_source_id=row.fund_source_id,
        fund_source=f"{lies.acronym}, {lies.framework} grant {lies.number}",
        coordinator_id=row.coordinator_id,
        coordinator=coordinator.name,
        maximum=row.maximum,
        amount_note=row.amount_note,
        starts_on=row.starts_on,
        ends_before=row.ends_before,
        limits=Limits(row.prefinancing, row.interim_ceiling, row.retention),
        time_limits=time_limits_of(row),
        time_limits_on=row.time_limits_on,
        payment_clock=payment_clock_of(row),
        in_force_at=row.in_force_at,
        closed_at=row.closed_at,
        final_amount=row.final_amount,
        beneficiaries=shares,
        checks=checks,
        milestones=stones,
        schedule=planned,
        signatures=tuple(_signature(each) for each in signed if row.offered_text and each.offer_no == row.offer_no),
        earlier_signatures=tuple(
            _signature(each) for each in signed if not row.offered_text or each.offer_no != row.offer_no
        ),
        account=account,
        contacts=people,
        offered_text=encoding.decode({"value": row.offered_text}, AgreementText) if row.offered_text else None,
        declined=lies.state == ApplicationState.DECLINED.value,
        preparation_ends_on=row.preparation_ends_on,
        lapsed_at=row.lapsed_at,
        revision=RevisionState(revised[0].state) if revised else None,
        budget_id=row.budget_id,
        dossier_id=row.dossier_id,
        parent_ends_on=lies.ends_on,
        parent_reports_by=reports_by(lies.ends_on, lies.report_days),
    )


def _lies(row: Grant) -> Asking[list[Any]]:
    """The call, fund source and application of a grant, in one row."""
    columns = (Call.slug, Call.title, FundSource.acronym, FundSource.framework, FundSource.number)
    ends = (FundSource.ends_on, FundSource.report_days)
    return ask(
        select(*columns, *ends, Application.reference, Application.state)
        .select_from(Call)
        .join(Application, Application.id == row.application_id)
        .join(FundSource, FundSource.id == row.fund_source_id)
        .where(Call.id == row.call_id)
    )


def _beneficiaries(row: Grant) -> Asking[tuple[OrganisationView, tuple[BeneficiaryView, ...]]]:
    """The coordinator, and the beneficiaries in order."""
    shares = yield from ask(_of(Beneficiary, row.id, Beneficiary.position))
    wanted = [row.coordinator_id, *(share.organisation_id for share in shares)]
    names = yield from identity.organisations.asking(wanted)
    return names[row.coordinator_id], tuple(
        BeneficiaryView(
            share.organisation_id,
            names[share.organisation_id].name,
            names[share.organisation_id].country_code,
            share.is_coordinator,
            share.maximum,
        )
        for share in shares
    )


def _checks(grant_id: UUID) -> Asking[tuple[CheckView, ...]]:
    checks = yield from ask(_of(DueDiligenceItem, grant_id, DueDiligenceItem.position, DueDiligenceItem.key))
    people = yield from identity.people.asking(check.answered_by for check in checks if check.answered_by)
    return tuple(
        CheckView(
            check.key,
            check.label,
            CheckAnswer(check.answer),
            check.note,
            check.evidence_on,
            people[check.answered_by].name if check.answered_by else None,
            check.answered_at,
            check.version,
            check.due_on,
        )
        for check in checks
    )


def _signature(row: AgreementSignature) -> SignatureView:
    return SignatureView(Side(row.side), row.name, row.capacity, row.signed_at, row.document_sha256.hex())


def time_limits_of(row: Grant) -> TimeLimits:
    """The time limits of a grant, in days."""
    return TimeLimits(row.prefinancing_days, row.before_start_days, row.report_days, row.interim_days, row.balance_days)


def payment_clock_of(row: Grant) -> PaymentClock:
    """What starts the days of a grant's payments, and what its requests pass before they are decided."""
    return PaymentClock(ClockStart(row.clock_starts), RequestPath(row.request_path))


@reader
def contacts(application_id: UUID) -> Asking[tuple[ContactView, ...]]:
    """Who acts for the coordinator: contacts and signatories, by role and name."""
    roles = {Role.APPLICATION_LEAD.value: ContactRole.LEAD, Role.SIGNATORY.value: ContactRole.SIGNATORY}
    rows = yield from ask(
        select(RoleGrant.role, User.id, User.handle, User.name, User.email)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.kind == "application",
            RoleGrant.object_id == application_id,
            RoleGrant.role.in_(roles),
            identity.role_holds(clock.now()),
        )
        .order_by(RoleGrant.role, User.name, User.id)
    )
    return tuple(ContactView(row.id, row.handle, row.name, row.email, roles[row.role]) for row in rows)


def team(application_id: UUID) -> list[UUID]:
    """Everybody who acts for the cities of an application: contacts, signatories and the people of its partners."""
    found = {each.user_id for each in contacts(application_id)}
    found |= {
        each.contact_id for each in partners(application_id) if each.contact_id and each.state is PartnerState.ACCEPTED
    }
    return sorted(found)


@reader
def milestones(grant_id: UUID) -> Asking[tuple[MilestoneView, ...]]:
    """The milestones of a grant in order."""
    rows = yield from ask(_of(Milestone, grant_id, Milestone.number))
    return tuple(
        MilestoneView(
            id=each.id,
            version=each.version,
            number=each.number,
            title=each.title,
            criterion=each.criterion,
            due_on=each.due_on,
            state=MilestoneState(each.state),
            achieved_on=each.achieved_on,
            report=each.report,
            answer=each.answer,
            reported_at=each.reported_at,
            accepted_at=each.accepted_at,
            expected_on=each.expected_on,
            expected_why=each.expected_why,
        )
        for each in rows
    )


@reader
def schedule(grant_id: UUID) -> Asking[tuple[ScheduleLine, ...]]:
    """The planned payments of a grant in order."""
    rows = yield from ask(_of(PaymentScheduleLine, grant_id, PaymentScheduleLine.number))
    return tuple(
        ScheduleLine(line.number, PaymentKind(line.kind), line.report_number, line.planned, line.due_on)
        for line in rows
    )


def _of(model: Any, grant_id: UUID, *order: Any) -> Select[Any]:
    return select(model).where(model.grant_id == grant_id).order_by(*order)
