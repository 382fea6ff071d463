"""Where a grant's money goes: accounts entered by one person with their evidence, checked by another in their own way."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries, rules
from grants.agreements.models import AccountWaiting, BankAccount, Beneficiary, Grant
from grants.agreements.queries import ACCOUNT_FILES, scope_of
from grants.agreements.rules import AccountCheck, AccountInput, WaitingRule
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.states import BANK_ACCOUNT, BankAccountState, PayeeMatch
from grants.core import acts, clock, faults, files
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.models import Organisation
from grants.identity.policy import Role
from grants.identity.rules import demand_fresh
from grants.programmes.models import Programme

FINANCE = (Role.FINANCE_INITIATOR, Role.FINANCE_VERIFIER, Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER)


@act(
    "bank_account.enter",
    needs=Permission.BANK_ACCOUNT_ENTER,
    scope=scope_of,
    says="entered a bank account for {subject}",
)
def enter_account(
    actor: Actor,
    grant_id: UUID,
    given: AccountInput,
    evidence: Incoming | None = None,
    *,
    organisation_id: UUID | None = None,
) -> None:
    """Enter or change the account of a payee, with the bank's document that shows it; the coordinator's where no other is named.

    It is paid to only after another person has confirmed it. The confirmed account stays in use for what was already
    authorised to it until the new one is confirmed. The payee's people and the finance people are told by mail.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    payee_id = _payee(actor, grant, organisation_id)
    kept = _with_evidence(given, evidence)
    for row in _accounts(payee_id, BankAccountState.PROPOSED):
        _end(actor, row, "replace", "Another account was entered before this one was confirmed.")
    address = kept.address
    row = BankAccount(
        organisation_id=payee_id,
        holder=kept.holder,
        iban=kept.iban,
        bic=kept.bic,
        town=address.town,
        country_code=address.country_code,
        postcode=address.postcode,
        street=address.street,
        building=address.building,
        evidence_on=kept.evidence_on,
        state=BankAccountState.PROPOSED.value,
        entered_by=actor.user_id,
        entered_at=acts.moment(),
    )
    db.session.add(row)
    db.session.flush()
    assert evidence is not None, "without its document no account is kept"
    files.keep(evidence, kind=ACCOUNT_FILES, object_id=row.id, role="evidence")
    _tell(actor, grant, row, "entered")


def _payee(actor: Actor, grant: Grant, organisation_id: UUID | None) -> UUID:
    """Whose account it is: the coordinator's, or for the initiator any beneficiary's. Its accounts are locked from here on."""
    payee_id = organisation_id or grant.coordinator_id
    # Who acts for the city enters its own account, and is no judge of it.
    if grant.application_id in actor.places(Permission.APPLICATION_READ, "application"):
        if payee_id != grant.coordinator_id:
            raise Refused("You enter the account of your own organisation. The programme enters those of partners.")
    else:
        refuse_conflict(actor, grant.id)
    _refuse_other_payee(grant, payee_id)
    # One after the other, also where the organisation has grants of other calls.
    db.session.execute(select(Organisation.id).where(Organisation.id == payee_id).with_for_update(key_share=True))
    return payee_id


def _refuse_other_payee(grant: Grant, payee_id: UUID) -> None:
    is_beneficiary = select(Beneficiary.id).where(
        Beneficiary.grant_id == grant.id, Beneficiary.organisation_id == payee_id
    )
    if payee_id != grant.coordinator_id and db.session.scalar(is_beneficiary) is None:
        raise Refused("This organisation is no beneficiary of this grant, so nothing of it is paid to its account.")


def _with_evidence(given: AccountInput, evidence: Incoming | None) -> AccountInput:
    """The account as it is kept; all that is wrong, the missing file too, is told at once."""
    wrong: dict[str, str] = {}
    kept = given
    try:
        kept = rules.entered(given, acts.today())
    except Invalid as error:
        wrong |= error.problems
    if evidence is None:
        wrong["file"] = "Choose the bank’s document that shows holder and IBAN: a letter or a statement."
    if wrong:
        raise Invalid("The account cannot be entered like this.", wrong)
    return kept


@act(
    "bank_account.confirm",
    needs=Permission.BANK_ACCOUNT_CONFIRM,
    scope=scope_of,
    says="confirmed the bank account of {subject}",
)
def confirm_account(actor: Actor, grant_id: UUID, account_id: UUID, given: AccountCheck) -> None:
    """Confirm the proposed account after a check of one's own, as another person than the one who entered it."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    refuse_conflict(actor, grant_id)
    account = _proposed(grant, account_id)
    faults.point("four_eyes")
    rules.refuse_same_person(account.entered_by, actor.user_id, deed="confirming the account")
    people.refuse_tied_to(actor.user_id, (account.entered_by, account.entered_at))
    kept = rules.checked(given, clock.in_zone(account.entered_at).date(), acts.today())
    assert kept.channel is not None and kept.match is not None, "a check names its way and what the bank said"
    for row in _accounts(account.organisation_id, BankAccountState.CONFIRMED):
        _end(actor, row, "replace")
    db.session.flush()
    BANK_ACCOUNT.move(account, "confirm")
    account.confirmed_by, account.confirmed_at = actor.user_id, acts.moment()
    account.evidence, account.channel, account.checked_on = clean_text(kept.note), kept.channel.value, kept.checked_on
    account.payee_match, account.payee_match_name = kept.match.value, kept.match_name
    account.payee_matched_on = kept.matched_on
    _tell(actor, grant, account, "confirmed")


@act(
    "bank_account.refuse",
    needs=Permission.BANK_ACCOUNT_CONFIRM,
    scope=scope_of,
    says="refused the bank account of {subject}",
)
def refuse_account(actor: Actor, grant_id: UUID, account_id: UUID, *, reason: str, no_match: bool = False) -> None:
    """Refuse the proposed account; it has to be entered again. ``no_match``: the bank said that it is not the holder's."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    refuse_conflict(actor, grant_id)
    if not reason.strip():
        raise Invalid("Give the reason.", {"reason": "Say what is wrong with this account."})
    acts.reason(reason.strip())
    account = _proposed(grant, account_id)
    if no_match:
        account.payee_match = PayeeMatch.NO_MATCH.value
    _end(actor, account, "refuse", clean_text(reason))
    _tell(actor, grant, account, "refused")


@act(
    "bank_account.open_evidence",
    needs=Permission.FILE_READ,
    scope=queries.lies_in,
    says="opened the evidence of a bank account of {subject}",
)
def open_account_evidence(actor: Actor, grant_id: UUID, sha256: str) -> FileView:
    """Hand out the bank's document of an account of this grant; who took it is kept."""
    grant = get(Grant, grant_id)
    place = queries.scope(grant)
    acts.subject("grant", grant_id)
    if not (actor.may(Permission.BANK_ACCOUNT_ENTER, place) or actor.may(Permission.LEDGER_READ, place)):
        raise NotFound
    found = queries.account_file(grant, sha256, only_coordinator=queries.acts_for_city(actor, grant.application_id))
    if found is None:
        raise NotFound
    return found


def _place_of_programme(programme_id: UUID) -> Scope:
    """Where the rules of a programme lie, so that no role of one call reaches them."""
    return Scope.of(("programme", locked(Programme, programme_id).id))


@act(
    "bank_account.lay_down_waiting",
    needs=Permission.PROGRAMME_MANAGE,
    scope=_place_of_programme,
    says="laid down how long new bank accounts wait in {subject}",
)
def lay_down_waiting(actor: Actor, programme_id: UUID, given: WaitingRule) -> None:
    """Lay down from which day on new accounts wait so many days before they can be paid to; earlier rules stay as history."""
    demand_fresh(actor)
    acts.subject("programme", programme_id)
    kept = rules.new_waiting_rule(given, acts.today())
    rules.refuse_freeing_today(kept, queries.waiting_of(programme_id), acts.today())
    last = db.session.scalar(select(func.max(AccountWaiting.number)).where(AccountWaiting.programme_id == programme_id))
    acts.reason(kept.reason.strip())
    db.session.add(
        AccountWaiting(
            programme_id=programme_id,
            number=(last or 0) + 1,
            starts_on=kept.starts_on,
            days=kept.days,
            marked_days=kept.marked_days,
            reason=clean_text(kept.reason),
            set_by=actor.user_id,
            set_at=acts.moment(),
        )
    )


def _proposed(grant: Grant, account_id: UUID) -> BankAccount:
    account = locked(BankAccount, account_id)
    _refuse_other_payee(grant, account.organisation_id)
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


def _end(actor: Actor, row: BankAccount, verb: str, reason: str | None = None) -> None:
    """The account stays as history: who ended it, when and why."""
    BANK_ACCOUNT.move(row, verb)
    row.ended_by, row.ended_at, row.end_reason = actor.user_id, acts.moment(), reason


def _tell(actor: Actor, grant: Grant, account: BankAccount, what: str) -> None:
    """The people of the payee, who acts here for the city, and the finance people: a change nobody expected is noticed."""
    payee = identity.organisation(account.organisation_id)
    own = {member.id for member in identity.members(payee.id)}
    if payee.id == grant.coordinator_id:
        own |= {each.user_id for each in queries.contacts(grant.application_id)}
    finance = {each.id for each in identity.in_roles(FINANCE, queries.scope(grant))} - {actor.user_id}
    shared = rules.shared_words(queries.shared_with(account.iban, payee.id))
    about = {
        "reference": grant.reference,
        "payee": payee.name,
        "holder": account.holder,
        # Never more of it: a mail passes through many hands.
        "masked": rules.masked(account.iban),
        "what": what,
        "by": actor.name,
        "reason": account.end_reason or "",
    }
    people.mail(own, "bank_account_changed", "grant", grant.id, **about, own=True, shared="")
    people.mail(finance - own, "bank_account_changed", "grant", grant.id, **about, own=False, shared=shared)
