"""Interest on debts that were paid late: reckoned by one person, confirmed by another (E18), or waived with a document."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.core import acts, faults, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Event
from grants.payments.models import InterestWaiver, Recovery, RecoveryInterest
from grants.payments.queries.recovery_interest import interest_open, late_payments
from grants.payments.rules.interest import InterestInput, Late, check_interest
from grants.payments.services.reckoning import decide, grow_stale, numbers_of, reckon, to_decide, why_refused
from grants.payments.services.recoveries import scope_of_recovery
from grants.payments.services.requests import dims_of
from grants.payments.states import InterestState
from grants.rates.rules.converting import InterestAsked

WAIVERS = "interest_waiver"


@act(
    "recovery.book_interest",
    needs=Permission.INTEREST_BOOK,
    scope=scope_of_recovery,
    says="reckoned interest on the late recovery {subject}",
)
def book_interest(actor: Actor, recovery_id: UUID, given: InterestInput, *, version: int | None = None) -> Money:
    """Reckon interest on all that was paid of a debt after its last day; another person confirms it. Returns its sum."""
    row = _in_office(actor, recovery_id, version)
    check_interest(given)
    late = late_payments(row)
    found = [_reckoned(actor, row, payment, given) for payment in late]
    if not found:
        raise Refused("Nothing of this debt was paid after its last day that bears no interest yet.")
    for each in found:
        db.session.add(each)
    grow_stale(row)
    return total(each.amount for each in found)


def _reckoned(actor: Actor, row: Recovery, late: Late, given: InterestInput) -> RecoveryInterest:
    """The interest on one payment; of a day or two on little it may be nothing."""
    assert row.due_on is not None and actor.user_id is not None, "what came late had a last day, and a person reckons"
    asked = InterestAsked(late.amount, row.due_on, late.paid_on, given.margin, given.day_count)
    made, table_number = reckon(asked)
    return RecoveryInterest(
        recovery_id=row.id,
        receipt_id=late.receipt_id,
        offset_id=late.offset_id,
        amount=made.amount,
        **numbers_of(actor, asked, made, table_number),
    )


@act(
    "recovery.confirm_interest",
    needs=Permission.INTEREST_CONFIRM,
    scope=scope_of_recovery,
    says="confirmed interest on the late recovery {subject}",
)
def confirm_interest(actor: Actor, recovery_id: UUID, *, version: int | None = None) -> Money:
    """Confirm what somebody else reckoned (E18): it is owed from now on. Returns its sum."""
    demand_fresh(actor)
    row = _in_office(actor, recovery_id, version)
    found = _to_decide(actor, row)
    grant = get(Grant, row.grant_id)
    for each in found:
        decide(actor, each, "confirm")
        if not each.amount:
            continue
        ledger.post(
            Event.RECOVERY_INTEREST,
            source_key=f"interest:{each.id}:due",
            effective_on=acts.today(),
            description=f"{row.reference}: interest on what was paid late",
            legs=legs.legs_e18_due(each.amount, dims_of(grant, row)),
        )
    due = total(each.amount for each in found)
    if due:
        _tell_owed(grant, row, due)
    return due


@act(
    "recovery.refuse_interest",
    needs=Permission.INTEREST_CONFIRM,
    scope=scope_of_recovery,
    says="refused interest on the late recovery {subject}",
)
def refuse_interest(actor: Actor, recovery_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Refuse what somebody else reckoned, with the reason; it can be reckoned anew."""
    row = _in_office(actor, recovery_id, version)
    why_refused(reason)
    for each in _to_decide(actor, row):
        decide(actor, each, "refuse")
    grow_stale(row)


@act(
    "recovery.waive_interest",
    needs=Permission.INTEREST_WAIVE,
    scope=scope_of_recovery,
    says="waived interest on the late recovery {subject}",
)
def waive_interest(
    actor: Actor, recovery_id: UUID, *, reason: str, document: Incoming | None, version: int | None = None
) -> Money:
    """Waive what is open of the interest on a debt, with a document, as another person than who confirmed it (E16)."""
    demand_fresh(actor)
    row = _in_office(actor, recovery_id, version)
    still = interest_open(row.id)
    if not still:
        raise Refused("No interest on this debt is open.")
    _refuse_who_made(actor, row)
    problems = {}
    if not clean_text(reason):
        problems["reason"] = "Say why the interest is waived, and on which decision it rests."
    if document is None:
        problems["file"] = "Choose the file with the decision to waive it."
    if document is None or problems:
        raise Invalid("The interest cannot be waived like this.", problems)
    acts.reason(clean_text(reason))
    kept = files.keep(document, kind=WAIVERS, object_id=row.id, role="decision")
    made = InterestWaiver(
        recovery_id=row.id,
        amount=still,
        reason=clean_text(reason),
        file_id=kept.id,
        waived_at=acts.moment(),
        waived_by=actor.user_id,
    )
    db.session.add(made)
    db.session.flush()
    ledger.post(
        Event.WAIVED,
        source_key=f"interest_waiver:{made.id}",
        effective_on=acts.today(),
        description=f"{row.reference}: interest waived",
        legs=legs.legs_e16_interest(still, dims_of(get(Grant, row.grant_id), row)),
    )
    return still


@act(
    "recovery.open_interest_waiver",
    needs=Permission.AGREEMENT_READ,
    scope=scope_of_recovery,
    says="opened the decision to waive interest on recovery {subject}",
)
def open_interest_waiver(actor: Actor, recovery_id: UUID) -> FileView:
    """Hand out the last document on which interest of a debt was waived; who took it is kept."""
    acts.subject("recovery", recovery_id)
    row = get(Recovery, recovery_id)
    if not actor.may(Permission.RECOVERY_OBSERVE, agreements.scope(get(Grant, row.grant_id))):
        refuse_conflict(actor, row.grant_id)
    found = db.session.scalars(
        select(InterestWaiver.file_id)
        .where(InterestWaiver.recovery_id == recovery_id)
        .order_by(InterestWaiver.waived_at.desc(), InterestWaiver.id)
        .limit(1)
    ).first()
    if found is None:
        raise NotFound
    return files.view(found)


def _refuse_who_made(actor: Actor, row: Recovery) -> None:
    """Whoever reckoned or confirmed interest does not waive it."""
    faults.point("four_eyes")
    made = db.session.scalars(
        select(RecoveryInterest).where(
            RecoveryInterest.recovery_id == row.id, RecoveryInterest.state == InterestState.CONFIRMED.value
        )
    ).all()
    if actor.user_id in {each.decided_by for each in made}:
        raise Refused("You confirmed this interest, so somebody else must waive it. Ask another authorising officer.")
    if actor.user_id in {each.booked_by for each in made}:
        raise Refused("You reckoned this interest, so somebody else must waive it. Ask another authorising officer.")
    steps = ((each.decided_by, each.decided_at) for each in made)
    people.refuse_tied_to(actor.user_id, *steps, *((each.booked_by, each.booked_at) for each in made))


def _tell_owed(grant: Grant, row: Recovery, amount: Money) -> None:
    readers = identity.users_with(Permission.PAYMENT_REQUEST_SUBMIT, agreements.scope(grant))
    people.mail(
        [each.id for each in readers],
        "recovery_interest_owed",
        "grant",
        grant.id,
        reference=grant.reference,
        recovery=row.reference,
        number=str(row.number),
        amount=str(amount),
    )


def _to_decide(actor: Actor, row: Recovery) -> list[RecoveryInterest]:
    nothing = "No interest on this debt waits to be confirmed."
    return to_decide(actor, RecoveryInterest, RecoveryInterest.recovery_id == row.id, nothing=nothing)


def _in_office(actor: Actor, recovery_id: UUID, version: int | None) -> Recovery:
    row = locked(Recovery, recovery_id)
    refuse_conflict(actor, row.grant_id)
    check_version(row, version)
    return row
