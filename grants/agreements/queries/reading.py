"""One grant with everything its pages show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from grants.agreements.models import (
    AgreementOffer,
    AgreementSignature,
    AgreementVersion,
    Beneficiary,
    DueDiligenceItem,
    Grant,
    GrantRevision,
    Milestone,
    PaymentScheduleLine,
)
from grants.agreements.queries.bank_accounts import account_of
from grants.agreements.queries.holding import holds
from grants.agreements.queries.reach import readable
from grants.agreements.queries.terminating import terminations
from grants.agreements.rules import (
    BeneficiaryView,
    CheckView,
    ContactView,
    FlexibilityRule,
    GrantView,
    Limits,
    MilestoneView,
    OfferView,
    ReplyRule,
    ScheduleLine,
    SignatureView,
    VersionView,
)
from grants.agreements.states import (
    CheckAnswer,
    ContactRole,
    GrantState,
    MilestoneState,
    OfferEnd,
    OfferSubject,
    PaymentKind,
    RevisionState,
    Side,
    SignatureMethod,
)
from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls.models import Call
from grants.calls.rules import Funding, PassingOn, PaymentClock, TimeLimits
from grants.calls.states import ClockStart, FundingForm, NoProfit, PassedOnBy, RequestPath
from grants.core import clock
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
        _signatures(row.id),
        _offers(row.id),
        _versions(row.id),
        holds.asking([row.id]),
        terminations.asking(row.id),
        account_of.asking(row.coordinator_id),
        contacts.asking(row.application_id),
        milestones.asking(row.id),
        schedule.asking(row.id),
        ask(select(GrantRevision.state).where(GrantRevision.grant_id == row.id)),
    ]
    (
        (lies,),
        (coordinator, shares),
        checks,
        signed,
        offers,
        versions,
        held,
        ended,
        account,
        people,
        stones,
        planned,
        revised,
    ) = yield from side_by_side(about)
    stands = offers[-1].number if offers and offers[-1].ended_why is not OfferEnd.TAKEN_BACK else 0
    stands = versions[-1].offer_no if versions else stands
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
        limits=Limits(row.prefinancing, row.interim_ceiling, row.retention, row.additional),
        time_limits=time_limits_of(row),
        time_limits_on=row.time_limits_on,
        payment_clock=payment_clock_of(row),
        passing_on=passing_on_of(row),
        funding=funding_of(row),
        in_force_at=row.in_force_at,
        closed_at=row.closed_at,
        final_amount=row.final_amount,
        beneficiaries=shares,
        checks=checks,
        milestones=stones,
        schedule=planned,
        signatures=tuple(each for each in signed if each.offer_no == stands),
        earlier_signatures=tuple(each for each in signed if each.offer_no != stands),
        account=account,
        contacts=people,
        offers=offers,
        versions=versions,
        holds=held[row.id],
        terminations=ended,
        stands=stands,
        flexibility=flexibility_rule_of(row),
        additional_threshold=row.additional_threshold,
        reply=reply_rule_of(row),
        special_conditions=row.special_conditions,
        programme_signatures=row.programme_signatures,
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
            share.left_on,
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


_OF_SIGNATURE = (
    AgreementSignature.side, AgreementSignature.signed_by, AgreementSignature.name, AgreementSignature.capacity,
    AgreementSignature.signed_at, AgreementSignature.document_sha256, AgreementSignature.offer_no,
    AgreementSignature.method, AgreementSignature.power, AgreementSignature.signed_on,
)  # fmt: skip


def _signatures(grant_id: UUID) -> Asking[tuple[SignatureView, ...]]:
    """The signatures without the text that each was given to: it is long, and the same as that of its offer."""
    rows = yield from ask(
        select(*_OF_SIGNATURE)
        .where(AgreementSignature.grant_id == grant_id)
        .order_by(AgreementSignature.signed_at, AgreementSignature.id)
    )
    return tuple(
        SignatureView(
            Side(row.side),
            row.signed_by,
            row.name,
            row.capacity,
            row.signed_at,
            row.document_sha256.hex(),
            row.offer_no,
            SignatureMethod(row.method),
            row.power or "",
            row.signed_on,
        )
        for row in rows
    )


_OF_OFFER = (
    AgreementOffer.offer_no, AgreementOffer.subject, AgreementOffer.sha256, AgreementOffer.needs_city,
    AgreementOffer.needs_programme, AgreementOffer.offered_at, AgreementOffer.ended_at, AgreementOffer.ended_why,
    User.name,
)  # fmt: skip


def _offers(grant_id: UUID) -> Asking[tuple[OfferView, ...]]:
    rows = yield from ask(
        select(*_OF_OFFER)
        .select_from(AgreementOffer)
        .outerjoin(User, User.id == AgreementOffer.offered_by)
        .where(AgreementOffer.grant_id == grant_id)
        .order_by(AgreementOffer.offer_no)
    )
    return tuple(
        OfferView(
            row.offer_no,
            OfferSubject(row.subject),
            row.sha256.hex(),
            row.needs_city,
            row.needs_programme,
            row.offered_at,
            row.name or "",
            row.ended_at,
            OfferEnd(row.ended_why) if row.ended_why else None,
        )
        for row in rows
    )


def _versions(grant_id: UUID) -> Asking[tuple[VersionView, ...]]:
    rows = yield from ask(
        select(
            AgreementVersion.number,
            AgreementVersion.offer_no,
            AgreementVersion.in_force_on,
            AgreementVersion.in_force_at,
            AgreementOffer.subject,
            AgreementOffer.sha256,
            AgreementOffer.text["reply"]["objection_days"].as_integer().label("objection_days"),
        )
        .join(
            AgreementOffer,
            (AgreementOffer.grant_id == AgreementVersion.grant_id)
            & (AgreementOffer.offer_no == AgreementVersion.offer_no),
        )
        .where(AgreementVersion.grant_id == grant_id)
        .order_by(AgreementVersion.number)
    )
    return tuple(
        VersionView(
            row.number,
            row.offer_no,
            OfferSubject(row.subject),
            row.in_force_on,
            row.in_force_at,
            row.sha256.hex(),
            row.objection_days,
        )
        for row in rows
    )


def time_limits_of(row: Grant) -> TimeLimits:
    """The time limits of a grant, in days."""
    return TimeLimits(row.prefinancing_days, row.before_start_days, row.report_days, row.interim_days, row.balance_days)


def passing_on_of(row: Grant) -> PassingOn:
    """How the coordinator of a grant passes on what it receives for its partners."""
    return PassingOn(row.passing_on_days, PassedOnBy(row.passed_on_by))


def reply_rule_of(row: Grant) -> ReplyRule:
    """Within how many days a request to amend a grant is answered; what its agreement states, whatever its call says by now."""
    return ReplyRule(row.reply_days, row.opened_after_days)


def flexibility_rule_of(row: Grant) -> FlexibilityRule | None:
    """How much of the budget of a grant is moved without an amendment; None where its call lays down nothing."""
    if row.transfer_free is None or row.transfer_notify is None:
        return None
    return FlexibilityRule(row.transfer_free, row.transfer_notify, row.maximum)


def payment_clock_of(row: Grant) -> PaymentClock:
    """What starts the days of a grant's payments, and what its requests pass before they are decided."""
    return PaymentClock(ClockStart(row.clock_starts), RequestPath(row.request_path))


def funding_of(row: Grant) -> Funding:
    """In which form a grant is paid, and what bounds its final amount."""
    return Funding(FundingForm(row.funding_form), NoProfit(row.no_profit), row.certificate_from, row.guarantee_asked)


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
