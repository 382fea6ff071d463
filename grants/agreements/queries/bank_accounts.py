"""Bank accounts of organisations, their evidence, and how long new ones wait."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, select

from grants.agreements.models import AccountWaiting, BankAccount, Beneficiary, Grant
from grants.agreements.rules import AccountView, PayeeAddress, WaitingRule
from grants.agreements.states import BankAccountState, CheckChannel, PayeeMatch
from grants.calls.models import Call
from grants.core import files
from grants.core.db import db
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import Organisation
from grants.identity.rules import OrganisationView
from grants.programmes.models import Programme
from grants.programmes.queries import programme_view
from grants.programmes.rules import ProgrammeView

ROWS_MAX = 50
RULES_MAX = 500
ACCOUNT_FILES = "bank_account"
# What is paid to or may be: of these two no one else should give the same number.
_LIVE = (BankAccountState.PROPOSED.value, BankAccountState.CONFIRMED.value)


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
    rows = yield from ask(_of(organisation_id, states))
    people = yield from identity.people.asking(
        [found for row in rows for found in (row.entered_by, row.confirmed_by, row.ended_by) if found]
    )
    return tuple(_view(row, {person: people[person].name for person in people}) for row in rows)


def _of(organisation_id: UUID, states: Iterable[BankAccountState]) -> Select[Any]:
    return (
        select(BankAccount)
        .where(BankAccount.organisation_id == organisation_id, BankAccount.state.in_([str(state) for state in states]))
        .order_by(BankAccount.entered_at.desc(), BankAccount.id)
        .limit(ROWS_MAX)
    )


def _view(row: BankAccount, names: dict[UUID, str]) -> AccountView:
    return AccountView(
        id=row.id,
        version=row.version,
        organisation_id=row.organisation_id,
        holder=row.holder,
        iban=row.iban,
        bic=row.bic,
        state=BankAccountState(row.state),
        entered_by=row.entered_by,
        entered_by_name=names[row.entered_by],
        entered_at=row.entered_at,
        confirmed_by=row.confirmed_by,
        confirmed_by_name=names[row.confirmed_by] if row.confirmed_by else None,
        confirmed_at=row.confirmed_at,
        address=address_of(row),
        evidence_on=row.evidence_on,
        note=row.evidence,
        channel=CheckChannel(row.channel) if row.channel else None,
        checked_on=row.checked_on,
        match=PayeeMatch(row.payee_match) if row.payee_match else None,
        match_name=row.payee_match_name,
        matched_on=row.payee_matched_on,
        ended_by_name=names[row.ended_by] if row.ended_by else None,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


def address_of(row: BankAccount) -> PayeeAddress:
    """Where the holder of an account lies; without town and country where it was entered before they were asked for."""
    return PayeeAddress(row.town or "", row.country_code or "", row.postcode, row.street, row.building)


@dataclass(frozen=True, slots=True)
class PayeeAccounts:
    """Everything a page says of one payee's accounts."""

    history: tuple[AccountView, ...]
    # The bank's documents, by account.
    files: dict[UUID, tuple[FileView, ...]]
    # By IBAN: the other organisations that gave it.
    shared: dict[str, tuple[str, ...]]
    # Of the programme, from the oldest to the newest.
    rules: tuple[WaitingRule, ...]
    # What the register knows of the payee.
    payee: OrganisationView


@reader
def payee_accounts(organisation_id: UUID, call_id: UUID) -> Asking[PayeeAccounts]:
    """The accounts of one payee of a grant of this call, in two statements however many there are."""
    own = select(BankAccount.id).where(BankAccount.organisation_id == organisation_id)
    about: list[Asking[Any]] = [
        accounts.asking(organisation_id),
        files.listed_in.asking(ACCOUNT_FILES, own),
        _shared(
            select(BankAccount.iban, BankAccount.organisation_id).where(BankAccount.organisation_id == organisation_id)
        ),
        waiting_rules.asking([call_id]),
        identity.organisations.asking([organisation_id]),
    ]
    history, kept, shared, laid_down, payees = yield from side_by_side(about)
    by_account: dict[UUID, tuple[FileView, ...]] = {}
    for each in kept:
        by_account[each.object_id] = (*by_account.get(each.object_id, ()), each)
    return PayeeAccounts(history, by_account, shared, laid_down.get(call_id, ()), payees[organisation_id])


def account_file(grant: Grant, sha256: str, *, only_coordinator: bool) -> FileView | None:
    """The document of an account of a payee of this grant; whoever acts for the city sees its own only."""
    payees = [grant.coordinator_id]
    if not only_coordinator:
        payees += db.session.scalars(select(Beneficiary.organisation_id).where(Beneficiary.grant_id == grant.id)).all()
    own = select(BankAccount.id).where(BankAccount.organisation_id.in_(payees))
    return next((each for each in files.listed_in(ACCOUNT_FILES, own) if each.sha256 == sha256), None)


def acts_for_city(actor: Actor, application_id: UUID) -> bool:
    """Whether this person stands on the city's side of a grant."""
    return application_id in actor.places(Permission.APPLICATION_READ, "application")


@reader
def shared_with(iban: str, organisation_id: UUID) -> Asking[tuple[str, ...]]:
    """The names of other organisations than this one whose account has this number now."""
    own = select(literal(iban).label("iban"), literal(organisation_id).label("organisation_id"))
    return (yield from _shared(own)).get(iban, ())


@reader
def shared_with_accounts(account_ids: Collection[UUID]) -> Asking[dict[str, tuple[str, ...]]]:
    """By IBAN of these accounts: the names of other organisations whose account has the same number now."""
    own = select(BankAccount.iban, BankAccount.organisation_id).where(BankAccount.id.in_(list(account_ids)))
    return (yield from _shared(own))


def _shared(wanted: Select[str, UUID]) -> Asking[dict[str, tuple[str, ...]]]:
    own = wanted.subquery()
    rows = yield from ask(
        select(BankAccount.iban, Organisation.name)
        .join(Organisation, Organisation.id == BankAccount.organisation_id)
        .join(own, (own.c.iban == BankAccount.iban) & (own.c.organisation_id != BankAccount.organisation_id))
        .where(BankAccount.state.in_(_LIVE))
        .distinct()
        .order_by(Organisation.name)
        .limit(RULES_MAX)
    )
    found: dict[str, tuple[str, ...]] = {}
    for iban, name in rows:
        found[iban] = (*found.get(iban, ()), name)
    return found


def waiting_of(programme_id: UUID) -> tuple[WaitingRule, ...]:
    """How long new accounts wait in a programme, from the oldest rule to the newest."""
    rows = db.session.scalars(
        select(AccountWaiting)
        .where(AccountWaiting.programme_id == programme_id)
        .order_by(AccountWaiting.starts_on, AccountWaiting.number)
    )
    return tuple(WaitingRule(row.starts_on, row.days, row.marked_days, row.reason) for row in rows)


@reader
def waiting_rules(call_ids: Collection[UUID] | Select[Any]) -> Asking[dict[UUID, tuple[WaitingRule, ...]]]:
    """How long new accounts wait, for each of these calls as its programme laid it down, from the oldest to the newest."""
    rows = yield from ask(
        select(
            Call.id, AccountWaiting.starts_on, AccountWaiting.days, AccountWaiting.marked_days, AccountWaiting.reason
        )
        .join(AccountWaiting, AccountWaiting.programme_id == Call.programme_id)
        .where(Call.id.in_(call_ids if isinstance(call_ids, Select) else list(call_ids)))
        .order_by(AccountWaiting.starts_on, AccountWaiting.number)
    )
    found: dict[UUID, tuple[WaitingRule, ...]] = {}
    for call_id, starts_on, days, marked_days, reason in rows:
        found[call_id] = (*found.get(call_id, ()), WaitingRule(starts_on, days, marked_days, reason))
    return found


@reader
def waiting_by_programme() -> Asking[tuple[tuple[ProgrammeView, tuple[WaitingRule, ...]], ...]]:
    """Every programme with its rules, newest first, and who laid them down."""
    programmes, rows = yield from both(
        ask(select(Programme).order_by(Programme.code).limit(RULES_MAX)),
        ask(
            select(AccountWaiting)
            .order_by(AccountWaiting.starts_on.desc(), AccountWaiting.number.desc())
            .limit(RULES_MAX)
        ),
    )
    people = yield from identity.people.asking([row.set_by for row in rows])
    return tuple(
        (
            programme_view(programme),
            tuple(
                WaitingRule(row.starts_on, row.days, row.marked_days, row.reason, people[row.set_by].name, row.set_at)
                for row in rows
                if row.programme_id == programme.id
            ),
        )
        for programme in programmes
    )
