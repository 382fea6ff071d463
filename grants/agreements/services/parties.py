"""Who a grant is paid to and who speaks for it: bank accounts of four eyes, contacts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import (
    BankAccount,
    Grant,
)
from grants.agreements.queries import scope_of
from grants.agreements.rules import (
    AccountInput,
    ContactInput,
    DismissInput,
)
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.states import (
    BANK_ACCOUNT,
    BankAccountState,
    ContactRole,
    GrantState,
)
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import demand_fresh, normal_email, one_line

# The role by which each part is held, in the application the grant came of.
ROLES = {ContactRole.LEAD: Role.APPLICATION_LEAD, ContactRole.SIGNATORY: Role.SIGNATORY}


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
    # Who acts for the city enters its own account, and is no judge of it.
    if grant.application_id not in actor.places(Permission.APPLICATION_READ, "application"):
        refuse_conflict(actor, grant_id)
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
    refuse_conflict(actor, grant_id)
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
    refuse_conflict(actor, grant_id)
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
