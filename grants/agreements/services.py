"""Acts of grant preparation and signature: terms, due diligence, bank accounts, the offer, both signatures, dropping and declining."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import (
    AgreementSignature,
    BankAccount,
    Beneficiary,
    DueDiligenceItem,
    Grant,
    Milestone,
    PaymentScheduleLine,
)
from grants.agreements.queries import scope_of
from grants.agreements.rules import (
    AccountInput,
    CheckInput,
    ContactInput,
    DismissInput,
    GrantSummary,
    GrantView,
    Percentages,
    PlannedMilestone,
    Share,
    Terms,
)
from grants.agreements.states import (
    BANK_ACCOUNT,
    GRANT,
    BankAccountState,
    CheckAnswer,
    ContactRole,
    GrantState,
    MilestoneState,
    Side,
)
from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import APPLICATION, PartnerState
from grants.awards import queries as awards
from grants.budgets import queries as budgets
from grants.budgets.rules import OrganisationTotals
from grants.calls import queries as calls
from grants.calls.rules import CallView, TimeLimits
from grants.calls.states import InstalmentKind
from grants.cities import queries as cities
from grants.cities import services as city_writes
from grants.cities.states import Part
from grants.core import acts, clock, encoding, faults, files, jobs, references
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Problems, Refused
from grants.core.files import FileView
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import demand_fresh, normal_email, one_line
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event, legs_e3, legs_e4, legs_e5

# The role by which each part is held, in the application the grant came of.
ROLES = {ContactRole.LEAD: Role.APPLICATION_LEAD, ContactRole.SIGNATORY: Role.SIGNATORY}


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
    APPLICATION.move(application, "prepare")
    call = calls.call_by_id(application.call_id)
    reserved = awards.item_of(application_id).amount
    grant = Grant(
        application_id=application.id,
        call_id=call.id,
        fund_source_id=call.fund_source.id,
        reference=references.new_reference(call.programme.code, call.year, "G"),
        title=application.title,
        acronym=application.acronym,
        state=GrantState.PREPARATION.value,
        coordinator_id=application.coordinator_id,
        budget_id=application.budget_id,
        search_text=application.search_text,
        amount_note=application.synthetic_note,
    )
    _apply(grant, _default_terms(application, call, reserved, starts_on), call, reserved)
    for position, (key, label) in enumerate(rules.DUE_DILIGENCE):
        answer = CheckAnswer.OPEN.value
        db.session.add(DueDiligenceItem(grant_id=grant.id, key=key, label=label, position=position, answer=answer))
    return GrantSummary(grant.id, grant.reference, GrantState.PREPARATION)


def _default_terms(application: Application, call: CallView, reserved: Money, starts_on: date) -> Terms:
    partners = db.session.scalars(
        select(ApplicationPartner)
        .where(
            ApplicationPartner.application_id == application.id,
            ApplicationPartner.state == PartnerState.ACCEPTED.value,
        )
        .order_by(ApplicationPartner.position, ApplicationPartner.id)
    ).all()
    asked = {row.organisation_id: row.requested for row in _requested(application.budget_id)}
    requested = [(partner.organisation_id, asked.get(partner.organisation_id, ZERO)) for partner in partners]
    return Terms(
        starts_on=starts_on,
        months=call.content.duration_months,
        shares=rules.default_shares(reserved, requested),
        milestones=tuple(
            PlannedMilestone(each.title, each.evidence or each.title, clock.add_months(starts_on, each.month))
            for each in call.content.milestones
        ),
        amount_note=application.synthetic_note,
    )


def _requested(budget_id: UUID | None) -> Sequence[OrganisationTotals]:
    return budgets.written(budget_id).totals.rows if budget_id else ()


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
    _apply(grant, terms, calls.call_by_id(grant.call_id), awards.item_of(grant.application_id).amount)
    return _summary(grant)


def _apply(grant: Grant, terms: Terms, call: CallView, reserved: Money) -> None:
    faults.point("ceiling")
    problems = rules.terms_problems(terms, reserved, call.fund_source.ends_on)
    if problems:
        raise Invalid("The terms cannot stand as they are.", problems)
    maximum = total(share.maximum for share in terms.shares)
    allowed = rules.limits(maximum, percentages(call))
    grant.maximum = maximum
    grant.amount_note = terms.amount_note
    grant.starts_on = terms.starts_on
    grant.ends_before = clock.add_months(terms.starts_on, terms.months)
    grant.prefinancing, grant.interim_ceiling, grant.retention = (
        allowed.prefinancing,
        allowed.interim_ceiling,
        allowed.retention,
    )
    limits = time_limits(call)
    grant.prefinancing_days, grant.before_start_days = limits.prefinancing, limits.before_start
    grant.report_days, grant.interim_days, grant.balance_days = limits.report, limits.interim, limits.balance
    grant.time_limits_on = clock.in_zone(acts.moment()).date()
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
    return Percentages(plan.prefinancing_percent, plan.interim_ceiling_percent, plan.retention_percent)


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


@act("agreement.answer_check", needs=Permission.AGREEMENT_PREPARE, scope=scope_of, says="answered a check of {subject}")
def answer_check(actor: Actor, grant_id: UUID, given: CheckInput) -> None:
    """Answer one due-diligence item; an answer may be taken back while the grant is in preparation."""
    grant = locked(Grant, grant_id)
    if grant.state != GrantState.PREPARATION.value:
        raise Refused("Due diligence is closed: the agreement was already offered. Take the offer back first.")
    item = db.session.scalars(
        select(DueDiligenceItem).where(DueDiligenceItem.grant_id == grant_id, DueDiligenceItem.key == given.key)
    ).one_or_none()
    if item is None:
        raise Invalid("This is not an item of the due diligence of this grant.")
    check_version(item, given.version)
    if given.answer is CheckAnswer.NOT_APPLICABLE and not (given.note or "").strip():
        raise Invalid("Say why it does not apply.", {"note": "Say in a sentence why this does not apply here."})
    is_open = given.answer is CheckAnswer.OPEN
    item.answer, item.note, item.evidence_on = (
        given.answer.value,
        clean_text(given.note or "") or None,
        given.evidence_on,
    )
    item.answered_at, item.answered_by = (None, None) if is_open else (acts.moment(), actor.user_id)


@act(
    "bank_account.enter",
    needs=Permission.BANK_ACCOUNT_ENTER,
    scope=scope_of,
    says="entered a bank account for {subject}",
)
def enter_account(actor: Actor, grant_id: UUID, given: AccountInput) -> None:
    """Enter or change the coordinator's account; it is paid to only after another person has confirmed it.

    The confirmed account stays in use for what was already authorised to it until the new one is confirmed.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    holder, iban, bic = one_line(given.holder), rules.account_number(given.iban), rules.bank_code(given.bic)
    if not holder:
        raise Invalid("Name the holder of the account.", {"holder": "Enter the holder as the bank writes it."})
    for row in _accounts(grant.coordinator_id, BankAccountState.PROPOSED):
        BANK_ACCOUNT.move(row, "replace")
    db.session.add(
        BankAccount(
            organisation_id=grant.coordinator_id,
            holder=holder,
            iban=iban,
            bic=bic,
            state=BankAccountState.PROPOSED.value,
            entered_by=actor.user_id,
            entered_at=acts.moment(),
        )
    )


@act(
    "bank_account.confirm",
    needs=Permission.BANK_ACCOUNT_CONFIRM,
    scope=scope_of,
    says="confirmed the bank account of {subject}",
)
def confirm_account(actor: Actor, grant_id: UUID, account_id: UUID, *, evidence: str) -> None:
    """Confirm the proposed account against evidence, as another person than the one who entered it."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    account = _proposed(grant, account_id)
    faults.point("four_eyes")
    rules.refuse_same_person(account.entered_by, actor.user_id, deed="confirming the account")
    if not clean_text(evidence):
        raise Invalid(
            "Say what you compared.", {"evidence": "Name the document or the call by which you confirmed it."}
        )
    for row in _accounts(grant.coordinator_id, BankAccountState.CONFIRMED):
        BANK_ACCOUNT.move(row, "replace")
    db.session.flush()
    BANK_ACCOUNT.move(account, "confirm")
    account.confirmed_by, account.confirmed_at, account.evidence = actor.user_id, acts.moment(), clean_text(evidence)


@act(
    "bank_account.refuse",
    needs=Permission.BANK_ACCOUNT_CONFIRM,
    scope=scope_of,
    says="refused the bank account of {subject}",
)
def refuse_account(actor: Actor, grant_id: UUID, account_id: UUID, *, reason: str) -> None:
    """Refuse the proposed account; it has to be entered again."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    acts.reason(reason)
    BANK_ACCOUNT.move(_proposed(grant, account_id), "refuse")


def _proposed(grant: Grant, account_id: UUID) -> BankAccount:
    account = locked(BankAccount, account_id)
    if account.organisation_id != grant.coordinator_id:
        raise Refused("This account does not belong to the coordinator of this grant.")
    if account.state != BankAccountState.PROPOSED.value:
        raise Refused("This is no longer the account that waits. Reload the page and look at the account there.")
    return account


def _accounts(organisation_id: UUID, state: BankAccountState) -> Sequence[BankAccount]:
    return db.session.scalars(
        select(BankAccount)
        .where(BankAccount.organisation_id == organisation_id, BankAccount.state == state.value)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


@act(
    "agreement.appoint",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="named who signs and answers for a city in an agreement",
)
def appoint(actor: Actor, grant_id: UUID, given: ContactInput) -> UUID:
    """Name somebody of the coordinator as its contact or signatory; everybody of the coordinator is told by mail.

    Who belongs to a city, its own people or an administrator say, never who prepares its agreement.
    """
    grant = locked(Grant, grant_id)
    members = {member.id: member for member in identity.members(grant.coordinator_id)}
    found = identity.person_by_email(normal_email(given.email))
    faults.point("four_eyes")
    if found is not None and found.id == actor.user_id:
        raise Invalid("You cannot name yourself.", {"email": "Name somebody of the city; you act for the programme."})
    if found is not None:
        people.refuse_staff(found.id)
    coordinator = identity.organisation(grant.coordinator_id)
    if found is None or found.id not in members:
        raise Invalid(
            "This person does not belong to the coordinator.",
            {
                "email": f"This address is not among the people of {coordinator.name}. Somebody of {coordinator.name} adds "
                "the person first (on the page “Organisation”, with “Add a colleague”), or an administrator does; then name them here."
            },
        )
    people.give_role(found.id, ROLES[given.role], kind="application", object_id=grant.application_id)
    people.mail(
        sorted({*members, *(each.user_id for each in queries.contacts(grant.application_id))}),
        "agreement_appointed",
        "grant",
        grant.id,
        reference=grant.reference,
        coordinator=coordinator.name,
        person_name=found.name,
        email=found.email,
        part=given.role.words,
        officer=actor.name,
    )
    return found.id


@act(
    "agreement.dismiss",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="ended the part of a person of the city in agreement {subject}",
)
def dismiss(actor: Actor, grant_id: UUID, given: DismissInput) -> None:
    """End what a contact or signatory of the coordinator may do for this grant, at once; the person is told why.

    Where the person does not belong to the city at all (a mistyped address), their membership ends too.
    """
    grant = locked(Grant, grant_id)
    if not given.reason.strip():
        raise Invalid("Give the reason.", {"reason": "Say in a sentence why; the person reads it."})
    acts.reason(given.reason.strip())
    same = [each for each in queries.contacts(grant.application_id) if each.role is given.role]
    person = next((each for each in same if each.handle == given.handle), None)
    if person is None:
        raise Refused("This person has this part no more. Reload the page to see who acts for the city now.")
    signed = grant.state in (GrantState.IN_FORCE.value, GrantState.CLOSED.value) or queries.view(grant).signed
    if signed and len(same) == 1:
        raise Refused(
            f"{person.name} is the only one left who {given.role.does}, and the agreement is signed. Name another person first."
        )
    role = ROLES[given.role]
    people.end_role(person.user_id, role, kind="application", object_id=grant.application_id)
    if given.leaves:
        people.leave(person.user_id, grant.coordinator_id)
    people.mail(
        [person.user_id],
        "agreement_dismissed",
        "grant",
        grant.id,
        reference=grant.reference,
        coordinator=identity.organisation(grant.coordinator_id).name,
        part=given.role.words,
        reason=given.reason.strip(),
        leaves=given.leaves,
    )


@act(
    "agreement.offer",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="offered agreement {subject} for signature",
)
def offer(actor: Actor, grant_id: UUID, *, document_sha256: str) -> GrantSummary:
    """Offer exactly the text whose hash was shown, once every condition is met; the terms are then fixed.

    Raises :class:`Conflict` where the text is another by now.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    shown = queries.view(grant)
    problems = rules.offer_problems(shown)
    if problems:
        raise Problems("The agreement cannot be offered yet.", problems)
    GRANT.move(grant, "offer")
    if document_sha256 != rules.text_hash(shown.text):
        raise Conflict(
            "The agreement was changed after you opened this page, so it was not offered. Read it as it stands now, then offer it."
        )
    grant.offered_text = encoding.encode(shown.text)
    grant.offer_no += 1
    signers = {
        each.id
        for permission in (Permission.AGREEMENT_SIGN_CITY, Permission.AGREEMENT_SIGN_PROGRAMME)
        for each in identity.users_with(permission, queries.scope(grant))
    }
    people.mail(sorted(signers), "agreement_offered", "grant", grant.id, reference=grant.reference)
    return _summary(grant)


@act(
    "agreement.take_back",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="took agreement {subject} back from signature",
)
def take_back(actor: Actor, grant_id: UUID, *, reason: str) -> GrantSummary:
    """Take the offer back to change something; a signature already given stays on record and no longer counts."""
    grant = locked(Grant, grant_id)
    acts.reason(reason)
    GRANT.move(grant, "take_back")
    grant.offered_text = None
    return _summary(grant)


@act(
    "agreement.sign_city",
    needs=Permission.AGREEMENT_SIGN_CITY,
    scope=scope_of,
    says="signed agreement {subject} for the city",
)
def sign_city(actor: Actor, grant_id: UUID, *, capacity: str, document_sha256: str) -> GrantSummary:
    """The coordinator accepts exactly the text whose hash was shown."""
    return _sign(actor, grant_id, Side.CITY, capacity, document_sha256)


@act(
    "agreement.sign_programme",
    needs=Permission.AGREEMENT_SIGN_PROGRAMME,
    scope=scope_of,
    says="signed agreement {subject} for the programme",
)
def sign_programme(actor: Actor, grant_id: UUID, *, capacity: str, document_sha256: str) -> GrantSummary:
    """The programme accepts exactly the text whose hash was shown."""
    return _sign(actor, grant_id, Side.PROGRAMME, capacity, document_sha256)


def _sign(actor: Actor, grant_id: UUID, side: Side, capacity: str, document_sha256: str) -> GrantSummary:
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    if grant.state != GrantState.READY_TO_SIGN.value:
        raise Refused("This agreement is not offered for signature. Reload the page to see where it stands.")
    if not one_line(capacity):
        raise Invalid("Say in which capacity you sign.", {"capacity": "For example: Deputy Mayor for Climate."})
    shown = queries.view(grant)
    stands = rules.text_hash(shown.text)
    if document_sha256 != stands:
        raise Refused("This is not the text that was offered to you. Read it again, then sign.")
    if side in shown.signed:
        raise Refused(f"The agreement is already signed for {rules.signs(side)}.")
    assert all(each.document_sha256 == stands for each in shown.signatures), "both sides sign one text"
    _refuse_both_sides(actor, grant, side)
    db.session.add(
        AgreementSignature(
            grant_id=grant_id,
            offer_no=grant.offer_no,
            side=side.value,
            signed_by=actor.user_id,
            signed_at=acts.moment(),
            name=actor.name,
            capacity=one_line(capacity),
            document=encoding.encode(shown.text),
            document_sha256=bytes.fromhex(stands),
        )
    )
    if shown.signed | {side} == frozenset(Side):
        _enter_into_force(grant, shown)
    return _summary(grant)


def _refuse_both_sides(actor: Actor, grant: Grant, side: Side, *, deed: str = "sign") -> None:
    """Nobody signs for both, be it in an earlier offer, and nobody who prepares or signs agreements for the programme signs for a city.

    Declining for a city is the same decision the other way.
    """
    earlier = db.session.scalars(
        select(AgreementSignature.signed_by).where(
            AgreementSignature.grant_id == grant.id, AgreementSignature.side != side.value
        )
    ).all()
    faults.point("four_eyes")
    if actor.user_id is None or actor.user_id in earlier:
        raise Refused(
            f"One person cannot {'sign' if deed == 'sign' else 'act'} for both sides. A colleague must {deed} here."
        )
    programme = (Permission.AGREEMENT_PREPARE, Permission.AGREEMENT_SIGN_PROGRAMME)
    if side is Side.CITY and any(actor.can(permission) for permission in programme):
        raise Refused(f"You act for the programme, so you cannot {deed} for a city. Somebody of the city must {deed}.")


def _enter_into_force(grant: Grant, shown: GrantView) -> None:
    """Both have signed: the grant is awarded, its maximum committed budgetarily (E4), then legally (E5)."""
    application = locked(Application, grant.application_id)
    GRANT.move(grant, "enter_into_force")
    APPLICATION.move(application, "award")
    grant.in_force_at = acts.moment()
    today = clock.in_zone(acts.moment()).date()
    dims = Dimensions(fund_source_id=grant.fund_source_id, call_id=grant.call_id, document_id=grant.application_id)
    of_grant = Dimensions(grant.fund_source_id, grant.call_id, grant.id, document_id=grant.id)
    left = awards.item_of(grant.application_id).amount - grant.maximum
    if left:
        ledger.post(
            Event.RESERVE_RELEASED,
            source_key=f"grant:{grant.id}:reserve_released",
            effective_on=today,
            description=f"{grant.reference}: reserved more than awarded",
            legs=legs_e3(left, dims),
        )
    ledger.post(
        Event.COMMITTED,
        source_key=f"grant:{grant.id}:committed",
        effective_on=today,
        description=f"{grant.reference}: budgetary commitment",
        legs=legs_e4(grant.maximum, dims),
    )
    ledger.post(
        Event.SIGNED,
        source_key=f"grant:{grant.id}:signed",
        effective_on=today,
        description=f"{grant.reference}: grant agreement signed by both sides",
        legs=legs_e5([(each.organisation_id, each.maximum) for each in shown.beneficiaries], of_grant),
    )
    _note_participation(grant, shown)
    jobs.queue(
        "jobs.reporting.open_reports",
        subject=("grant", grant.id),
        unique=f"open_reports:{grant.id}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
    )
    jobs.queue(
        "jobs.payments.open_prefinancing",
        subject=("grant", grant.id),
        unique=f"prefinancing:{grant.id}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
    )
    jobs.queue(
        "jobs.documents.agreement",
        subject=("grant", grant.id),
        unique=f"agreement:{grant.id}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
    )


def _note_participation(grant: Grant, shown: GrantView) -> None:
    """Write into the register of cities who now takes part, so that later calls can ask whether a city was a pilot."""
    for each in shown.beneficiaries:
        for city in cities.of_organisation(each.organisation_id):
            city_writes.record_participation(
                city.id,
                call_label=shown.call_title,
                pilot_key=grant.reference,
                pilot_title=grant.title,
                role=Part.LEAD if each.is_coordinator else Part.PARTNER,
            )


@act(
    "agreement.drop", needs=Permission.AGREEMENT_PREPARE, scope=scope_of, says="dropped {subject} before its signature"
)
def drop(actor: Actor, grant_id: UUID, *, reason: str) -> GrantSummary:
    """Drop a preparation: the application is dropped and its reserve goes back to the call (E3)."""
    grant = locked(Grant, grant_id)
    if not reason.strip():
        raise Invalid("Give the reason.", {"reason": "Say why the preparation failed; the applicant will read it."})
    acts.reason(reason.strip())
    GRANT.move(grant, "drop")
    application = locked(Application, grant.application_id)
    APPLICATION.move(application, "drop")
    _tell_of_end(application, "agreement_dropped", queries.team(application.id), reason.strip())
    _release_reserve(grant, "preparation failed")
    return _summary(grant)


@act(
    "agreement.decline",
    needs=Permission.AGREEMENT_SIGN_CITY,
    scope=scope_of,
    says="declined {subject} for the city before its signature",
)
def decline(actor: Actor, grant_id: UUID, *, reason: str) -> GrantSummary:
    """Whoever would sign for the city says that it does not take the grant: its reserve goes back to the call (E3)."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    if not reason.strip():
        raise Invalid(
            "Give the reason.", {"reason": "Say why the city does not take the grant; the programme reads it."}
        )
    _refuse_both_sides(actor, grant, Side.CITY, deed="decline")
    acts.reason(reason.strip())
    GRANT.move(grant, "decline")
    application = locked(Application, grant.application_id)
    APPLICATION.move(application, "decline")
    office = {each.id for each in identity.users_with(Permission.AGREEMENT_PREPARE, queries.scope(grant))}
    told = office | set(queries.team(application.id))
    _tell_of_end(application, "agreement_declined", sorted(told), reason.strip(), by=actor.name)
    _release_reserve(grant, "declined by the city")
    return _summary(grant)


def _tell_of_end(application: Application, template: str, told: Sequence[UUID], reason: str, **more: str) -> None:
    people.mail(
        told,
        template,
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        reason=reason,
        **more,
    )


def _release_reserve(grant: Grant, why: str) -> None:
    ledger.post(
        Event.RESERVE_RELEASED,
        source_key=f"grant:{grant.id}:dropped",
        effective_on=clock.in_zone(acts.moment()).date(),
        description=f"{grant.reference}: {why}, reserve released",
        legs=legs_e3(
            awards.item_of(grant.application_id).amount,
            Dimensions(fund_source_id=grant.fund_source_id, call_id=grant.call_id, document_id=grant.application_id),
        ),
    )


@act(
    "agreement.open_document",
    needs=Permission.AGREEMENT_READ,
    scope=queries.lies_in,
    says="opened the signed agreement {subject}",
)
def open_document(actor: Actor, grant_id: UUID) -> FileView:
    """Hand the printed agreement out, once it is made; who took it is kept."""
    acts.subject("grant_agreement", grant_id)
    found = files.listed("grant", grant_id, "agreement")
    if not found:
        raise NotFound
    return found[0]


def _summary(grant: Grant) -> GrantSummary:
    return GrantSummary(grant.id, grant.reference, GrantState(grant.state))
