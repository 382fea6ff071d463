"""Reads of grants: one grant with everything its pages show, lists, and what people must do about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select

from grants.agreements.models import (
    AgreementSignature,
    BankAccount,
    Beneficiary,
    DueDiligenceItem,
    Grant,
    Milestone,
    PaymentScheduleLine,
)
from grants.agreements.rules import (
    AccountView,
    AgreementText,
    BeneficiaryView,
    CheckView,
    ContactView,
    GrantRow,
    GrantView,
    Limits,
    MilestoneView,
    ScheduleLine,
    SignatureView,
)
from grants.agreements.states import (
    BankAccountState,
    CheckAnswer,
    ContactRole,
    GrantState,
    MilestoneState,
    PaymentKind,
    Side,
)
from grants.applications.models import Application
from grants.applications.queries import partners
from grants.applications.states import ApplicationState, PartnerState
from grants.awards.models import Selection, SelectionItem
from grants.awards.states import AmountBasis, SelectionState
from grants.calls.models import Call
from grants.calls.rules import TimeLimits
from grants.core import clock, encoding
from grants.core.db import db, get, locked
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.paging import COUNTED_MAX, Page, Rows, Tally
from grants.core.paging import rows as cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.text import fold
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import RoleGrant, User
from grants.identity.policy import Role
from grants.identity.rules import OrganisationView
from grants.programmes.models import FundSource

ROWS_MAX = 200


def scope_of(grant_id: UUID) -> Scope:
    """Where a grant lies, read under its lock: itself, its application and its call."""
    return scope(locked(Grant, grant_id))


def lies_in(grant_id: UUID) -> Scope:
    """The same without the lock, for acts that only read."""
    return scope(get(Grant, grant_id))


def scope(grant: Grant) -> Scope:
    """Where a grant lies."""
    return Scope.of(("grant", grant.id), ("application", grant.application_id), ("call", grant.call_id))


def scope_of_view(grant: GrantView) -> Scope:
    """Where a grant lies, for pages."""
    return Scope.of(("grant", grant.id), ("application", grant.application_id), ("call", grant.call_id))


def visible(actor: Actor, permission: Permission = Permission.AGREEMENT_READ) -> ColumnElement[bool]:
    """The condition that a grant is in the person's reach and not barred; for every list and count."""
    barred = Grant.application_id.not_in(actor.barred("application"))
    if actor.everywhere(permission):
        return barred
    places = [
        column.in_(found)
        for column, kind in ((Grant.id, "grant"), (Grant.application_id, "application"), (Grant.call_id, "call"))
        if (found := actor.places(permission, kind))
    ]
    return (or_(*places) if places else false()) & barred


def id_of(actor: Actor, reference: str) -> UUID:
    """The id behind a reference; raises :class:`NotFound` where the person may not know it."""
    found = db.session.scalar(select(Grant.id).where(Grant.reference == reference, visible(actor)))
    if found is None:
        raise NotFound
    return found


@reader
def grant(actor: Actor, reference: str) -> Asking[GrantView]:
    """One grant with all its parts, in three statements; raises :class:`NotFound`."""
    row = yield from readable.asking(actor, reference)
    return (yield from view.asking(row))


@reader
def readable(actor: Actor, reference: str) -> Asking[Any]:
    """The row of a grant, for reads of other stages beside :func:`view`; raises :class:`NotFound`."""
    found = yield from ask(select(Grant).where(Grant.reference == reference, visible(actor)))
    if not found:
        raise NotFound
    return found[0]


@reader
def view(row: Grant) -> Asking[GrantView]:
    """A grant as a frozen value, in two statements; who may see it was decided by the caller."""
    about: list[Asking[Any]] = [
        ask(
            select(
                Call.slug,
                Call.title,
                FundSource.acronym,
                FundSource.framework,
                FundSource.number,
                Application.reference,
                Application.state,
            )
            .select_from(Call)
            .join(Application, Application.id == row.application_id)
            .join(FundSource, FundSource.id == row.fund_source_id)
            .where(Call.id == row.call_id)
        ),
        _shares(row),
        _checks(row.id),
        ask(_of(AgreementSignature, row.id, AgreementSignature.signed_at)),
        account_of.asking(row.coordinator_id),
        contacts.asking(row.application_id),
        milestones.asking(row.id),
        schedule.asking(row.id),
    ]
    (lies,), (shares, names), checks, signatures, account, people, stones, planned = yield from side_by_side(about)
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
        coordinator=names[row.coordinator_id].name,
        maximum=row.maximum,
        amount_note=row.amount_note,
        starts_on=row.starts_on,
        ends_before=row.ends_before,
        limits=Limits(row.prefinancing, row.interim_ceiling, row.retention),
        time_limits=time_limits_of(row),
        time_limits_on=row.time_limits_on,
        in_force_at=row.in_force_at,
        closed_at=row.closed_at,
        final_amount=row.final_amount,
        beneficiaries=tuple(
            BeneficiaryView(
                share.organisation_id,
                names[share.organisation_id].name,
                names[share.organisation_id].country_code,
                share.is_coordinator,
                share.maximum,
            )
            for share in shares
        ),
        checks=checks,
        milestones=stones,
        schedule=planned,
        signatures=tuple(_signature(each) for each in signatures if row.offered_text and each.offer_no == row.offer_no),
        earlier_signatures=tuple(
            _signature(each) for each in signatures if not row.offered_text or each.offer_no != row.offer_no
        ),
        account=account,
        contacts=people,
        offered_text=encoding.decode({"value": row.offered_text}, AgreementText) if row.offered_text else None,
        declined=lies.state == ApplicationState.DECLINED.value,
    )


def _shares(row: Grant) -> Asking[tuple[Sequence[Any], dict[UUID, OrganisationView]]]:
    """The beneficiaries in order, and the organisations of the grant."""
    shares = yield from ask(_of(Beneficiary, row.id, Beneficiary.position))
    wanted = [row.coordinator_id, *(share.organisation_id for share in shares)]
    return shares, (yield from identity.organisations.asking(wanted))


def _checks(grant_id: UUID) -> Asking[tuple[CheckView, ...]]:
    checks = yield from ask(_of(DueDiligenceItem, grant_id, DueDiligenceItem.position))
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
        )
        for check in checks
    )


def _signature(row: AgreementSignature) -> SignatureView:
    return SignatureView(Side(row.side), row.name, row.capacity, row.signed_at, row.document_sha256.hex())


def time_limits_of(row: Grant) -> TimeLimits:
    """The time limits of a grant, in days."""
    return TimeLimits(row.prefinancing_days, row.before_start_days, row.report_days, row.interim_days, row.balance_days)


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


def _of(model: Any, grant_id: UUID, *order: Any) -> Select[Any]:
    return select(model).where(model.grant_id == grant_id).order_by(*order)


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


@reader
def account_of(organisation_id: UUID) -> Asking[AccountView | None]:
    """The organisation's confirmed account, or else the one that waits for confirmation; None where there is neither."""
    rows = yield from accounts.asking(organisation_id, states=(BankAccountState.CONFIRMED, BankAccountState.PROPOSED))
    return next((row for row in rows if row.state is BankAccountState.CONFIRMED), rows[0] if rows else None)


def proposed_account(organisation_id: UUID) -> AccountView | None:
    """The account that waits for a second person, or None."""
    return next(iter(accounts(organisation_id, states=(BankAccountState.PROPOSED,))), None)


@reader
def accounts(
    organisation_id: UUID, *, states: Iterable[BankAccountState] = BankAccountState
) -> Asking[tuple[AccountView, ...]]:
    """All accounts an organisation ever had, newest first, at most 50."""
    rows = yield from ask(
        select(BankAccount)
        .where(BankAccount.organisation_id == organisation_id, BankAccount.state.in_([str(state) for state in states]))
        .order_by(BankAccount.entered_at.desc(), BankAccount.id)
        .limit(50)
    )
    people = yield from identity.people.asking(
        [found for row in rows for found in (row.entered_by, row.confirmed_by) if found]
    )
    return tuple(
        AccountView(
            id=row.id,
            version=row.version,
            organisation_id=row.organisation_id,
            holder=row.holder,
            iban=row.iban,
            bic=row.bic,
            state=BankAccountState(row.state),
            entered_by=row.entered_by,
            entered_by_name=people[row.entered_by].name,
            entered_at=row.entered_at,
            confirmed_by=row.confirmed_by,
            confirmed_by_name=people[row.confirmed_by].name if row.confirmed_by else None,
            confirmed_at=row.confirmed_at,
        )
        for row in rows
    )


@reader
def grants(actor: Actor, page: Page, *, state: GrantState | None = None, search: str = "") -> Asking[Rows[GrantRow]]:
    """Grants the person may see, by reference, and how many there are; two statements."""
    wanted = [visible(actor)]
    if state is not None:
        wanted.append(Grant.state == state.value)
    if words := fold(search):
        wanted.append(Grant.search_text.contains(words, autoescape=True))
    statement = select(*_OF_ROW, is_declined().label("declined"), _amount_is_invented().label("invented")).where(
        *wanted
    )
    if page.after:
        statement = statement.where(Grant.reference > page.after)
    counted = select(Grant.id).where(*wanted).limit(COUNTED_MAX + 1).subquery()
    found, (count,) = yield [
        statement.order_by(Grant.reference).limit(page.limit),
        select(func.count()).select_from(counted),
    ]
    names = yield from identity.organisations.asking(row.coordinator_id for row in found)
    made = [
        GrantRow(
            row.id,
            row.reference,
            row.title,
            row.acronym,
            GrantState(row.state),
            names[row.coordinator_id].name,
            names[row.coordinator_id].country_code,
            row.maximum,
            row.starts_on,
            row.ends_before,
            row.declined,
            row.invented,
        )
        for row in found
    ]
    return cut(made, page, key=lambda row: row.reference, total=Tally.of(count[0]))


_OF_ROW = (
    Grant.id,
    Grant.reference,
    Grant.title,
    Grant.acronym,
    Grant.state,
    Grant.coordinator_id,
    Grant.maximum,
    Grant.starts_on,
    Grant.ends_before,
)


def found_by_name(actor: Actor, search: str) -> tuple[UUID, ...]:
    """Ids of the grants whose reference, title or city has these words, by reference, at most :data:`ROWS_MAX`."""
    statement = select(Grant.id).where(visible(actor), Grant.search_text.contains(fold(search), autoescape=True))
    return tuple(db.session.scalars(statement.order_by(Grant.reference).limit(ROWS_MAX)))


def is_declined() -> ColumnElement[bool]:
    """Whether the city of a grant declined it before both signed."""
    declined = ApplicationState.DECLINED.value
    return select(Application.id).where(Application.id == Grant.application_id, Application.state == declined).exists()


def _amount_is_invented() -> ColumnElement[bool]:
    """Whether a grant was selected with an amount nobody published."""
    return (
        select(SelectionItem.id)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            SelectionItem.application_id == Grant.application_id,
            SelectionItem.amount_basis == AmountBasis.SYNTHETIC.value,
            Selection.state == SelectionState.CONFIRMED.value,
        )
        .exists()
    )


@reader
def selected_without_grant(actor: Actor) -> Asking[tuple[tuple[str, str], ...]]:
    """Reference and title of selected applications whose preparation has not begun, at most 200."""
    if not actor.can(Permission.AGREEMENT_PREPARE):
        return ()
    statement = (
        select(Application.reference, Application.title)
        .where(
            Application.state == ApplicationState.SELECTED.value,
            Application.id.not_in(actor.barred("application")),
        )
        .order_by(Application.reference)
        .limit(ROWS_MAX)
    )
    if not actor.everywhere(Permission.AGREEMENT_PREPARE):
        statement = statement.where(Application.call_id.in_(actor.places(Permission.AGREEMENT_PREPARE, "call")))
    rows = yield from ask(statement)
    return tuple((row.reference, row.title) for row in rows)


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """What this person must do about grants in preparation."""
    del at
    kinds = (
        _selected_duty(actor),
        _preparation_duties(actor),
        _signature_duties(actor, Side.CITY, Permission.AGREEMENT_SIGN_CITY),
        _signature_duties(actor, Side.PROGRAMME, Permission.AGREEMENT_SIGN_PROGRAMME),
        _account_duties(actor),
    )
    found = yield from side_by_side(kinds)
    return tuple(duty for duties in found for duty in duties)


def _selected_duty(actor: Actor) -> Asking[list[Duty]]:
    waiting = yield from selected_without_grant.asking(actor)
    if not waiting:
        return []
    many = f"{len(waiting)} selected applications" if len(waiting) > 1 else f"“{waiting[0][1]}”"
    return [
        Duty(
            f"Begin the preparation of {many}",
            "Selected is not awarded: due diligence, account and agreement come first.",
            "Begin preparation",
            "agreements.index",
            count=len(waiting),
        )
    ]


def _in_state(actor: Actor, permission: Permission, state: GrantState) -> Asking[list[Any]]:
    if not actor.can(permission):
        return []
    return (
        yield from ask(
            select(Grant)
            .where(visible(actor, permission), Grant.state == state.value)
            .order_by(Grant.reference)
            .limit(20)
        )
    )


def _preparation_duties(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from _in_state(actor, Permission.AGREEMENT_PREPARE, GrantState.PREPARATION)
    return [
        Duty(
            f"Finish the preparation of {row.acronym or row.title}",
            f"{row.reference}: due diligence, bank account and terms before the agreement is offered.",
            "Open preparation",
            "agreements.preparation",
            {"ref": row.reference},
        )
        for row in rows
    ]


def _signature_duties(actor: Actor, side: Side, permission: Permission) -> Asking[list[Duty]]:
    rows = yield from _in_state(actor, permission, GrantState.READY_TO_SIGN)
    if not rows:
        return []
    signatures = yield from ask(
        select(AgreementSignature.grant_id)
        .join(Grant, (Grant.id == AgreementSignature.grant_id) & (Grant.offer_no == AgreementSignature.offer_no))
        .where(Grant.id.in_([row.id for row in rows]), AgreementSignature.side == side.value)
    )
    signed = {row.grant_id for row in signatures}
    return [
        Duty(
            f"Sign the grant agreement of {row.acronym or row.title}",
            f"{row.reference}, at most {row.maximum}. It enters into force when both sides have signed.",
            "Read and sign",
            "agreements.agreement",
            {"ref": row.reference},
        )
        for row in rows
        if row.id not in signed
    ]


def _account_duties(actor: Actor) -> Asking[list[Duty]]:
    if not actor.can(Permission.BANK_ACCOUNT_CONFIRM):
        return []
    waiting = yield from ask(
        select(Grant.reference, BankAccount.holder)
        .join(BankAccount, BankAccount.organisation_id == Grant.coordinator_id)
        .where(
            BankAccount.state == BankAccountState.PROPOSED.value,
            BankAccount.entered_by != actor.user_id,
            visible(actor, Permission.BANK_ACCOUNT_CONFIRM),
        )
        .order_by(Grant.reference)
        .limit(20)
    )
    return [
        Duty(
            f"Confirm the bank account of {holder}",
            f"{reference}: entered by a colleague or the city; compare it with the evidence by another channel.",
            "Check the account",
            "agreements.account",
            {"ref": reference},
        )
        for reference, holder in waiting
    ]
