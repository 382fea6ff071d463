"""Acts on the programme's own bank accounts: entered by one person, confirmed by another, closed with a reason."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.core import acts, references
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.identity.rules import demand_fresh
from grants.identity.services import refuse_tied_to
from grants.payments import queries
from grants.payments.models import OwnAccount, PaymentBatch, PaymentOrder
from grants.payments.queries.own_accounts import own_account_row
from grants.payments.rules.own_accounts import OwnAccountInput, checked_own_account, refuse_own_entry
from grants.payments.states import AT_BANK, OWN_ACCOUNT, OrderState, OwnAccountState
from grants.programmes.models import Programme


def _in_programme(given: OwnAccountInput) -> Scope:
    return Scope.of(("programme", locked(Programme, given.programme_id).id))


@act(
    "own_account.enter",
    needs=Permission.OWN_ACCOUNT_ENTER,
    scope=_in_programme,
    says="entered the programme’s account {subject}",
)
def enter_own_account(actor: Actor, given: OwnAccountInput) -> str:
    """Enter an account the programme will pay from; nothing leaves from it before another person confirmed it. Its reference."""
    demand_fresh(actor)
    tidy = checked_own_account(given)
    standing = own_account_row(tidy.iban)
    if standing is not None:
        raise Invalid(
            "This account is entered already.",
            {"iban": f"It is {standing.reference}. Close that one first if something about it is wrong."},
        )
    series = f"{get(Programme, tidy.programme_id).code}-K"
    account = OwnAccount(
        programme_id=tidy.programme_id,
        reference=f"{series}-{references.next_number(series):02d}",
        holder=tidy.holder,
        iban=tidy.iban,
        bic=tidy.bic or None,
        country=tidy.country,
        town=tidy.town,
        postcode=tidy.postcode or None,
        street=tidy.street or None,
        building=tidy.building or None,
        currency="EUR",
        state=OwnAccountState.PROPOSED.value,
        entered_by=actor.user_id,
        entered_at=acts.moment(),
    )
    db.session.add(account)
    return account.reference


@act(
    "own_account.confirm",
    needs=Permission.OWN_ACCOUNT_CONFIRM,
    scope=queries.own_account_scope,
    says="confirmed the programme’s account {subject}",
)
def confirm_own_account(actor: Actor, account_id: UUID, *, evidence: str, version: int | None = None) -> None:
    """Confirm an account against the bank's document, as another person than the one who entered it."""
    demand_fresh(actor)
    account = locked(OwnAccount, account_id)
    check_version(account, version)
    refuse_own_entry(account.entered_by, actor.user_id)
    refuse_tied_to(actor.user_id, (account.entered_by, account.entered_at))
    if not clean_text(evidence):
        raise Invalid("Say what you compared.", {"evidence": "Name the document of the bank you compared it with."})
    OWN_ACCOUNT.move(account, "confirm")
    account.confirmed_by, account.confirmed_at = actor.user_id, acts.moment()
    account.evidence = clean_text(evidence)


@act(
    "own_account.close",
    needs=Permission.OWN_ACCOUNT_CLOSE,
    scope=queries.own_account_scope,
    says="closed the programme’s account {subject}",
)
def close_own_account(actor: Actor, account_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Close an account, or refuse one that was entered wrong: no payment leaves from it any more."""
    demand_fresh(actor)
    account = locked(OwnAccount, account_id)
    check_version(account, version)
    if not clean_text(reason):
        raise Invalid("The reason is missing.", {"reason": "Say why no payment may leave from it any more."})
    _refuse_on_its_way(account)
    OWN_ACCOUNT.move(account, "close")
    acts.reason(clean_text(reason))
    account.closed_by, account.closed_at, account.close_reason = actor.user_id, acts.moment(), clean_text(reason)


def _refuse_on_its_way(account: OwnAccount) -> None:
    """What left from an account is booked by its statements, which a closed one takes no more."""
    waiting = db.session.scalars(
        select(PaymentBatch.reference)
        .join(PaymentOrder, PaymentOrder.batch_id == PaymentBatch.id)
        .where(
            PaymentBatch.own_account_id == account.id,
            PaymentOrder.state.in_([OrderState.IN_FILE.value, *(each.value for each in AT_BANK)]),
        )
        .distinct()
        .order_by(PaymentBatch.reference)
        .limit(10)
    ).all()
    if waiting:
        raise Refused(
            f"Payments from this account are on their way: {', '.join(waiting)}. Mark them as executed, or discard what is "
            "not sent; then close the account."
        )


def paying_account(account_id: UUID, programme_id: UUID) -> OwnAccount:
    """The account a payment of this programme may leave from, under its lock; raises :class:`Refused` for any other."""
    account = locked(OwnAccount, account_id)
    if account.programme_id != programme_id:
        raise Refused("This account is another programme’s. Choose one of the programme that pays these orders.")
    if account.state != OwnAccountState.CONFIRMED.value:
        raise Refused(
            f"The account {account.reference} is not confirmed, or it is closed. Choose a confirmed account of the programme."
        )
    return account
