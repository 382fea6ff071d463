"""The steps of a recovery: proposed, told beforehand, answered, confirmed by another person, issued, reminded of, waived, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import PaymentKind
from grants.core import acts, clock, faults, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import Event
from grants.ledger.rules.values import PartKey
from grants.payments import queries, rules
from grants.payments.models import PaymentRequest, Recovery, RecoveryShare
from grants.payments.rules import RecoveryInput, RecoverySummary
from grants.payments.rules.recoveries import (
    REMIND_AFTER_DAYS,
    Share,
    check_answer_days,
    check_due_on,
    check_proposal,
    refuse_before_answer,
    reminders_due,
    shares_of_debt,
)
from grants.payments.services.locks import lock_grant, scope_of_grant
from grants.payments.services.recoveries import owed, scope_of_recovery
from grants.payments.services.requests import dims_of
from grants.payments.states import PAYABLE_BACK, RECOVERY, RecoveryOrigin, RecoveryState

WAIVERS = "recovery_waiver"


@act(
    "recovery.propose",
    needs=Permission.RECOVERY_PROPOSE,
    scope=scope_of_grant,
    says="proposed recovery {subject}",
)
def propose_recovery(actor: Actor, grant_id: UUID, given: RecoveryInput) -> RecoverySummary:
    """Propose a debt of the city: what the balance found, or costs that are rejected after it; nothing is booked yet."""
    grant = lock_grant(grant_id)
    refuse_conflict(actor, grant_id)
    if grant.final_amount is None:
        raise Refused(
            "Nothing is to be recovered: the balance of this grant is not decided. Costs that do not count are taken off there."
        )
    balance = _balance_of(grant_id)
    if given.origin is RecoveryOrigin.BALANCE:
        amount, shares = _found_by_balance(grant, balance)
        check_proposal(given)
    else:
        amount, shares = _of_rejected_costs(grant, given)
    made = 1 + (db.session.scalar(select(func.max(Recovery.number)).where(Recovery.grant_id == grant_id)) or 0)
    acts.reason(clean_text(given.reason))
    row = Recovery(
        grant_id=grant_id,
        request_id=balance.id if balance is not None and given.origin is RecoveryOrigin.BALANCE else None,
        number=made,
        reference=f"{grant.reference}-D{made}",
        origin=given.origin.value,
        amount=amount,
        reason=clean_text(given.reason),
        state=RecoveryState.PROPOSED.value,
        proposed_at=acts.moment(),
        proposed_by=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    for partner, share in shares.items():
        db.session.add(
            RecoveryShare(
                recovery_id=row.id,
                organisation_id=partner,
                accepted=share.accepted,
                received=share.received,
                amount=share.amount,
            )
        )
    return _summary(row)


def _found_by_balance(grant: Grant, balance: PaymentRequest | None) -> tuple[Money, Mapping[UUID, Share]]:
    too_much = books.balance(Account.PREFINANCING, grant_id=grant.id)
    if balance is None or not too_much:
        raise Refused("Nothing is to be recovered: the balance of this grant found nothing that was paid too much.")
    earlier = db.session.scalar(
        select(Recovery.reference).where(
            Recovery.request_id == balance.id, Recovery.state != RecoveryState.CANCELLED.value
        )
    )
    if earlier is not None:
        raise Refused(f"The recovery of what the balance found is proposed already, as {earlier}.")
    assert balance.approved is not None, "the balance is decided"
    partners = queries.basis_of(balance).partners
    accepted: dict[UUID, Money] = {each: ZERO for each in partners.maxima if each is not None}
    for part in queries.parts_kept(balance.id):
        accepted[part.organisation_id] = accepted.get(part.organisation_id, ZERO) + part.approved
    received = {each: amount for each, amount in partners.received.items() if each is not None}
    return too_much, shares_of_debt(too_much, balance.approved, accepted, received)


def _of_rejected_costs(grant: Grant, given: RecoveryInput) -> tuple[Money, Mapping[UUID, Share]]:
    partner = given.organisation_id
    held = rules.by_partner(dict(queries.standing(grant.id, Account.GRANT_COSTS)))
    if partner is None or (partner not in queries.open_of(grant.id) and partner not in held):
        raise Invalid("Choose whose costs are rejected.", {"partner": "Choose one of the partners of this grant."})
    waits = _not_confirmed_of(grant.id, partner)
    check_proposal(given, most=held.get(partner, ZERO) - waits)
    assert given.amount is not None, "checked before"
    return given.amount, {partner: Share(given.amount)}


def _not_confirmed_of(grant_id: UUID, partner: UUID) -> Money:
    """What other proposals already say is rejected of a partner's costs."""
    statement = (
        select(RecoveryShare.amount)
        .join(Recovery, Recovery.id == RecoveryShare.recovery_id)
        .where(
            Recovery.grant_id == grant_id,
            RecoveryShare.organisation_id == partner,
            Recovery.origin != RecoveryOrigin.BALANCE.value,
            Recovery.confirmed_at.is_(None),
            Recovery.state != RecoveryState.CANCELLED.value,
        )
    )
    return total(db.session.scalars(statement))


@act(
    "recovery.inform",
    needs=Permission.RECOVERY_PROPOSE,
    scope=scope_of_recovery,
    says="told the city beforehand of recovery {subject}",
)
def inform(actor: Actor, recovery_id: UUID, *, days: int, version: int | None = None) -> RecoverySummary:
    """Write to the city what is to be confirmed and why, with days to answer in; the last of them is shown."""
    row, grant = _in_office(actor, recovery_id, version)
    check_answer_days(days)
    RECOVERY.move(row, "inform")
    row.informed_at, row.informed_by = acts.moment(), actor.user_id
    row.reply_until = clock.add_days(acts.today(), days)
    _tell(grant, row)
    return _summary(row)


@act(
    "recovery.observe",
    needs=Permission.RECOVERY_OBSERVE,
    scope=scope_of_recovery,
    says="answered what was said beforehand of recovery {subject}",
)
def observe(actor: Actor, recovery_id: UUID, *, words: str, version: int | None = None) -> RecoverySummary:
    """The city says what it has to say of a debt before it is confirmed, within its days; it is then weighed."""
    row = locked(Recovery, recovery_id)
    check_version(row, version)
    RECOVERY.target(RecoveryState(row.state), "observe")
    faults.point("deadline")
    assert row.reply_until is not None, "a debt that was told has its last day"
    if acts.today() > row.reply_until:
        raise Refused(
            f"The days to answer ended on {clock.long_date(row.reply_until)}. Write to the programme instead."
        )
    if not clean_text(words):
        raise Invalid("The answer is missing.", {"words": "Say what speaks against the debt, or that you agree."})
    RECOVERY.move(row, "observe")
    acts.reason(clean_text(words))
    row.observation, row.observed_at, row.observed_by = clean_text(words), acts.moment(), actor.user_id
    return _summary(row)


@act(
    "recovery.confirm",
    needs=Permission.RECOVERY_CONFIRM,
    scope=scope_of_recovery,
    says="confirmed recovery {subject}",
)
def confirm_recovery(actor: Actor, recovery_id: UUID, *, words: str, version: int | None = None) -> RecoverySummary:
    """Confirm a debt as another person than who proposed it, once the city could answer (E13); it is owed from now on."""
    demand_fresh(actor)
    row, grant = _in_office(actor, recovery_id, version)
    RECOVERY.target(RecoveryState(row.state), "confirm")
    faults.point("four_eyes")
    if actor.user_id == row.proposed_by:
        raise Refused("You proposed this recovery, so somebody else must confirm it. Ask a colleague.")
    people.refuse_tied_to(actor.user_id, (row.proposed_by, row.proposed_at))
    refuse_before_answer(RecoveryState(row.state), row.reply_until, acts.today())
    if not clean_text(words):
        raise Invalid(
            "Say on what it rests.",
            {"words": "Say what the city answered, or that it did not, and how that was weighed."},
        )
    acts.reason(clean_text(words))
    RECOVERY.move(row, "confirm")
    row.confirmed_at, row.confirmed_by, row.confirm_words = acts.moment(), actor.user_id, clean_text(words)
    ledger.post(
        Event.RECOVERY_ORDERED,
        source_key=f"recovery:{row.id}:ordered",
        effective_on=acts.today(),
        description=f"{row.reference}: to be paid back",
        legs=_legs_of(row, grant),
    )
    return _summary(row)


def _legs_of(row: Recovery, grant: Grant) -> legs.Legs:
    """The coordinator owes it; whose advance is not covered, or whose costs are rejected, is whose the books say it is."""
    faults.point("ceiling")
    dims = dims_of(grant, row)
    owes: dict[PartKey, Money] = {(grant.coordinator_id, None): row.amount}
    if row.origin == RecoveryOrigin.BALANCE.value:
        uncovered = queries.standing(grant.id, Account.PREFINANCING)
        if total(uncovered.values()) != row.amount:
            raise Refused(
                f"The books hold {total(uncovered.values())} as paid too much, and {row.reference} says {row.amount}. Cancel it and propose it anew."
            )
        return legs.legs_e13(owes, dims, uncovered=uncovered)
    held = queries.standing(grant.id, Account.GRANT_COSTS)
    rejected: dict[PartKey, Money] = {}
    for share in _shares(row.id):
        own = {key: amount for key, amount in held.items() if key[0] == share.organisation_id}
        if share.amount > total(own.values()):
            raise Refused(
                f"{total(own.values())} of this partner's costs is accepted by now, and {row.reference} says {share.amount}. Cancel it and propose it anew."
            )
        rejected |= rules.within(share.amount, own)
    return legs.legs_e13_rejected_costs(owes, dims, rejected=rejected)


@act(
    "recovery.issue",
    needs=Permission.RECOVERY_ISSUE,
    scope=scope_of_recovery,
    says="issued the debit note {subject}",
)
def issue(actor: Actor, recovery_id: UUID, *, due_on: date, version: int | None = None) -> RecoverySummary:
    """Issue the debit note of a confirmed debt with the day until which it is to be paid, and send it to the city."""
    row, grant = _in_office(actor, recovery_id, version)
    RECOVERY.target(RecoveryState(row.state), "issue")
    faults.point("four_eyes")
    if actor.user_id == row.confirmed_by:
        raise Refused("You confirmed this recovery, so somebody else must issue its debit note. Ask a colleague.")
    people.refuse_tied_to(actor.user_id, (row.confirmed_by, row.confirmed_at))
    check_due_on(due_on, acts.today())
    RECOVERY.move(row, "issue")
    row.issued_at, row.issued_by, row.due_on = acts.moment(), actor.user_id, due_on
    _tell(grant, row)
    return _summary(row)


@act("recovery.remind", needs=Permission.RECOVERY_REMIND, says="reminded cities of what is overdue")
def remind(actor: Actor) -> int:
    """Remind cities of debts whose last day is over, step by step; returns how many letters went out."""
    statement = (
        select(Recovery)
        .where(
            Recovery.state.in_([state.value for state in PAYABLE_BACK]),
            Recovery.due_on < acts.today(),
            Recovery.reminders < len(REMIND_AFTER_DAYS),
        )
        .order_by(Recovery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    told = 0
    for row in db.session.scalars(statement).all():
        assert row.due_on is not None, "what can be paid back has its last day"
        if reminders_due(row.due_on, acts.today()) > row.reminders:
            # One letter a night, however many were due while nothing ran.
            row.reminders, row.reminded_at, told = row.reminders + 1, acts.moment(), told + 1
            _tell(get(Grant, row.grant_id), row, "reminded")
    return told


@act("recovery.waive", needs=Permission.RECOVERY_WAIVE, scope=scope_of_recovery, says="waived recovery {subject}")
def waive(
    actor: Actor, recovery_id: UUID, *, reason: str, document: Incoming | None, version: int | None = None
) -> RecoverySummary:
    """Waive what is still owed, with the decision as a document (E16), as a third person; what was paid stays as paid."""
    demand_fresh(actor)
    row, grant = _in_office(actor, recovery_id, version)
    RECOVERY.target(RecoveryState(row.state), "waive")
    _refuse_waiver_by(actor, row)
    problems = {}
    if not clean_text(reason):
        problems["reason"] = "Say why the debt is waived, and on which decision it rests."
    if document is None:
        problems["file"] = "Choose the file with the decision to waive it."
    if document is None or problems:
        raise Invalid("The debt cannot be waived like this.", problems)
    still = owed(row)
    acts.reason(clean_text(reason))
    kept = files.keep(document, kind=WAIVERS, object_id=row.id, role="decision")
    RECOVERY.move(row, "waive")
    row.waiver_file_id = kept.id
    row.waived, row.waived_at, row.waived_by, row.waive_reason = still, acts.moment(), actor.user_id, clean_text(reason)
    ledger.post(
        Event.WAIVED,
        source_key=f"recovery:{row.id}:waived",
        effective_on=acts.today(),
        description=f"{row.reference}: waived",
        legs=legs.legs_e16(still, dims_of(grant, row)),
    )
    _tell(grant, row)
    return _summary(row)


def _refuse_waiver_by(actor: Actor, row: Recovery) -> None:
    faults.point("four_eyes")
    if actor.user_id in (row.proposed_by, row.confirmed_by):
        done = "proposed" if actor.user_id == row.proposed_by else "confirmed"
        raise Refused(f"You {done} this recovery, so somebody else must waive it. Ask another authorising officer.")
    people.refuse_tied_to(actor.user_id, (row.proposed_by, row.proposed_at), (row.confirmed_by, row.confirmed_at))


@act("recovery.cancel", needs=Permission.RECOVERY_CANCEL, scope=scope_of_recovery, says="cancelled recovery {subject}")
def cancel_recovery(actor: Actor, recovery_id: UUID, *, reason: str, version: int | None = None) -> RecoverySummary:
    """Cancel a recovery of which nothing was paid; a confirmed one as an authorising officer who did not confirm it (E24)."""
    row, grant = _in_office(actor, recovery_id, version)
    was = RecoveryState(row.state)
    RECOVERY.target(was, "cancel")
    if not clean_text(reason):
        raise Invalid("The reason is missing.", {"reason": "Say why it is not owed; the city reads it if it was told."})
    acts.reason(clean_text(reason))
    if row.confirmed_by is not None:
        _take_back(actor, row, grant, clean_text(reason))
    RECOVERY.move(row, "cancel")
    row.cancelled_at, row.cancelled_by, row.cancel_reason = acts.moment(), actor.user_id, clean_text(reason)
    if was is not RecoveryState.PROPOSED:
        _tell(grant, row)
    return _summary(row)


def _take_back(actor: Actor, row: Recovery, grant: Grant, reason: str) -> None:
    """What the books hold of a confirmed debt is reversed, by another authorising officer than who confirmed it."""
    demand_fresh(actor)
    faults.point("four_eyes")
    faults.point("scope")
    if not actor.may(Permission.RECOVERY_CONFIRM, agreements.scope(grant)):
        raise Refused("The debt is confirmed: an authorising officer who did not confirm it cancels it.")
    if actor.user_id == row.confirmed_by:
        raise Refused("You confirmed this recovery, so somebody else must cancel it. Ask another authorising officer.")
    people.refuse_tied_to(actor.user_id, (row.confirmed_by, row.confirmed_at))
    if owed(row) != row.amount:
        raise Refused("Part of this debt is settled. What is left of it is waived, not cancelled.")
    booked = "established" if row.at_once else "ordered"
    ledger.reverse(queries.entry_of(f"recovery:{row.id}:{booked}"), effective_on=acts.today(), reason=reason)


@act(
    "recovery.open_waiver",
    needs=Permission.AGREEMENT_READ,
    scope=scope_of_recovery,
    says="opened the decision to waive recovery {subject}",
)
def open_waiver(actor: Actor, recovery_id: UUID) -> FileView:
    """Hand out the document on which a waiver rests; who took it is kept."""
    acts.subject("recovery", recovery_id)
    row = get(Recovery, recovery_id)
    if not actor.may(Permission.RECOVERY_OBSERVE, agreements.scope(get(Grant, row.grant_id))):
        refuse_conflict(actor, row.grant_id)
    if row.waiver_file_id is None:
        raise NotFound
    return files.view(row.waiver_file_id)


def _in_office(actor: Actor, recovery_id: UUID, version: int | None) -> tuple[Recovery, Grant]:
    """The recovery under its lock, after its grant, for a person of the programme who stands in no conflict with it."""
    row = locked(Recovery, recovery_id)
    refuse_conflict(actor, row.grant_id)
    check_version(row, version)
    return row, get(Grant, row.grant_id)


def _balance_of(grant_id: UUID) -> PaymentRequest | None:
    return db.session.scalars(
        select(PaymentRequest).where(
            PaymentRequest.grant_id == grant_id,
            PaymentRequest.kind == PaymentKind.BALANCE.value,
            PaymentRequest.approved.is_not(None),
        )
    ).one_or_none()


def _shares(recovery_id: UUID) -> list[RecoveryShare]:
    return list(
        db.session.scalars(
            select(RecoveryShare)
            .where(RecoveryShare.recovery_id == recovery_id)
            .order_by(RecoveryShare.organisation_id)
        )
    )


def _summary(row: Recovery) -> RecoverySummary:
    state = RecoveryState(row.state)
    return RecoverySummary(row.id, row.reference, state, owed(row), row.number)


def _tell(grant: Grant, row: Recovery, state: str = "") -> None:
    """Write to whoever may answer for the city."""
    readers = identity.users_with(Permission.PAYMENT_REQUEST_SUBMIT, agreements.scope(grant))
    people.mail(
        [each.id for each in readers],
        "recovery",
        "grant",
        grant.id,
        reference=grant.reference,
        recovery=row.reference,
        number=str(row.number),
        state=state or RecoveryState(row.state).value,
        amount=str(owed(row) if row.confirmed_at else row.amount),
        until=clock.long_date(row.reply_until) if row.reply_until else "",
        due=clock.long_date(row.due_on) if row.due_on else "",
    )
