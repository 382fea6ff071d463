"""The statement of one grant: partners, requests, orders, recoveries, and every entry behind its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Beneficiary, Grant
from grants.awards.models import SelectionItem
from grants.calls.models import Call
from grants.core.db import db, get
from grants.core.errors import NotFound, shortened
from grants.core.money import ZERO, Money, total
from grants.documents.queries import movements, payments
from grants.documents.queries.marks import marks
from grants.documents.queries.movements import AccountLine, Known, Place
from grants.documents.queries.overview import (
    OF_A_GRANT,
    ON_PAPER,
    PAID_NOTE,
    PREFINANCING_NOTE,
    balances_of_grants,
    known_at,
    paid_by_bank,
)
from grants.documents.rules import (
    SYNTHETIC,
    Cell,
    Check,
    Column,
    ColumnKind,
    Figures,
    ScopeKind,
    Table,
    Thing,
    agreeing,
    with_totals,
)
from grants.identity import queries as identity
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account, Ledger
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import Balances, Event
from grants.programmes.models import Programme

NAME, TITLE = "grant-statement", "Statement of the grant"
MONEY, DATE = ColumnKind.MONEY, ColumnKind.DATE

# The summary: what the overview says in a row, with words that need no heading beside them.
LONGER = {"Accepted": "Accepted costs", "Open": "Open: committed and not paid"}
OF_THE_GRANT = tuple((LONGER.get(label, label), accounts) for label, accounts in OF_A_GRANT)
COMMITTED_NOTE = (
    "Committed is the maximum of the signed agreement with its amendments, less what the closure gave back to the call. "
    "The entries of each account stand in the order of their days; the balance is the account’s own, after each entry."
)
NOTHING = (
    "Nothing of this grant was in the ledger at that moment: every figure is nought. "
    "Ask for a later moment to see what was booked since."
)


def grant_statement(reference: str, as_of: datetime) -> Figures:
    """One grant as known at a moment: what it may cost, what was asked, decided, ordered, booked and cleared, what is open."""
    grant = _grant(reference)
    call = get(Call, grant.call_id)
    place, known = Place(grant_id=grant.id), movements.at(as_of)
    balances = ledger.of(grant_id=grant.id, as_of=known_at(as_of))
    lines = list(movements.account_lines(place, known))
    earlier = _before_the_signature(grant, known)
    marked = marks([call], [grant.id])
    return Figures(
        name=NAME,
        title=TITLE,
        scope_kind=ScopeKind.GRANT,
        scope_reference=grant.reference,
        scope_title=grant.acronym or grant.title,
        programme=get(Programme, call.programme_id).name,
        as_of=as_of,
        summary=tuple((label, total(balances[each] for each in accounts)) for label, accounts in OF_THE_GRANT),
        behind=tuple(tuple(each.value for each in accounts) for _, accounts in OF_THE_GRANT),
        tables=(
            _partners(grant, as_of, known_then=bool(lines or earlier)),
            _requests(grant.id, as_of),
            _parts(grant.id, as_of),
            _orders(grant.id, as_of),
            _recoveries(grant.id, as_of),
            _journal(lines, marked.of(grant.id)),
            _earlier(earlier),
            agreeing(_checks(grant, place, known, balances, lines, earlier)),
        ),
        notes=(*([grant.amount_note] if grant.amount_note else []), PAID_NOTE, PREFINANCING_NOTE, COMMITTED_NOTE),
        main=5,
        synthetic=marked.words,
        nothing="" if lines or earlier else NOTHING,
    )


def _grant(reference: str) -> Grant:
    found = db.session.scalars(select(Grant).where(Grant.reference == reference)).one_or_none()
    if found is None:
        raise NotFound(f"There is no grant with the reference {shortened(reference)}.")
    return found


def _before_the_signature(grant: Grant, known: Known) -> list[AccountLine]:
    """What was booked for its application while there was no grant an entry could name: reserved, committed, given back."""
    reserved = db.session.scalars(
        select(SelectionItem.entry_id).where(
            SelectionItem.application_id == grant.application_id, SelectionItem.entry_id.is_not(None)
        )
    )
    keys = [f"grant:{grant.id}:{deed}" for deed in ("reserve_released", "committed", "dropped")]
    booked = db.session.scalars(select(LedgerEntry.id).where(LedgerEntry.source_key.in_(keys)))
    found = tuple(each for each in (*reserved, *booked) if each is not None)
    return list(movements.account_lines(Place(entry_ids=found), known)) if found else []


def _partners(grant: Grant, as_of: datetime, *, known_then: bool) -> Table:
    """What each beneficiary may receive at most, by the ledger; before the signature nothing is committed yet."""
    everybody = select(Beneficiary).where(Beneficiary.grant_id == grant.id)
    shares = db.session.scalars(everybody.order_by(Beneficiary.position, Beneficiary.id)).all() if known_then else []
    held: dict[UUID | None, dict[Account, Money]] = {}
    accounts = (Account.LEGALLY_COMMITTED, Account.CONSUMED, Account.DISTRIBUTED, Account.HELD_BY_COORDINATOR)
    for row in ledger.balances(by=("organisation_id",), accounts=accounts, grant_id=grant.id, as_of=known_at(as_of)):
        held.setdefault(row.dims.organisation_id, {})[row.account] = row.amount
    names = identity.organisations([*(each.organisation_id for each in shares), *(each for each in held if each)])
    order = [each.organisation_id for each in shares]
    order += sorted(each for each in held if each is not None and each not in order)
    leads = {each.organisation_id for each in shares if each.is_coordinator}
    rows: list[tuple[Cell, ...]] = []
    for organisation_id in order:
        stands = Balances(held.get(organisation_id, {}))
        open_, paid = stands[Account.LEGALLY_COMMITTED], stands[Account.CONSUMED]
        name = names[organisation_id]
        role = "Coordinator" if organisation_id in leads else "Partner"
        passed_on = (stands[Account.DISTRIBUTED], stands[Account.HELD_BY_COORDINATOR])
        rows.append((name.name, name.country_code, role, open_ + paid, paid, open_, *passed_on))
    return with_totals(
        "Beneficiaries",
        (
            Column("Organisation", share=5),
            Column("Country"),
            Column("Role"),
            *(Column("Maximum", MONEY), Column("Paid", MONEY), Column("Open", MONEY)),
            *(Column("Passed on", MONEY), Column("Held by coordinator", MONEY)),
        ),
        rows,
        note="What was passed on to a partner is what was confirmed; what the coordinator holds for it is in the books since that is kept. What the bank books is spent by those whose costs are paid; what was paid before requests were parted, in proportion to what was open for each.",
    )


def _requests(grant_id: UUID, as_of: datetime) -> Table:
    return with_totals(
        "Payment requests",
        (
            Column("Request", share=3, of=Thing.REQUEST),
            Column("For", share=3),
            *(Column("Submitted", DATE), Column("Due", DATE), Column("Requested", MONEY, sums=False)),
            *(
                Column("Decided", DATE),
                Column("Approved", MONEY, sums=False),
                Column("Not approved", MONEY, sums=False),
            ),
            *(Column("Retained", MONEY), Column("Cleared", MONEY), Column("Deferred", MONEY), Column("Payable", MONEY)),
            Column("State", share=3),
        ),
        [
            (
                *(row.reference, row.reason, row.submitted_on, row.due_on, row.requested, row.decided_on, row.approved),
                *(row.refused, row.retained, row.cleared, row.deferred, row.payable, row.state),
            )
            for row in payments.requests(grant_id, as_of)
        ],
        note="Each request asks for what is accepted by then, so requests are not summed. Cleared is covered by pre-financing paid before; deferred is above the ceiling and waits for the balance.",
    )


def _parts(grant_id: UUID, as_of: datetime) -> Table:
    return with_totals(
        "Decided by beneficiary",
        (
            *(Column("Request", share=3, of=Thing.REQUEST), Column("Beneficiary", share=4), Column("Category")),
            *(Column("Requested", MONEY, sums=False), Column("Approved", MONEY, sums=False)),
            *(Column("Not approved", MONEY, sums=False), Column("Retained", MONEY), Column("Cleared", MONEY)),
            *(Column("Deferred", MONEY), Column("Payable", MONEY)),
        ),
        [
            (
                *(row.request, row.partner, row.category, row.requested, row.approved, row.refused, row.retained),
                *(row.cleared, row.deferred, row.payable),
            )
            for row in payments.parts(grant_id, as_of)
        ],
        note="By whose costs each request pays, to the cent. Requests decided before that was kept are not parted here.",
    )


def _orders(grant_id: UUID, as_of: datetime) -> Table:
    return with_totals(
        "Payment orders",
        (
            *(Column("Order", share=3, of=Thing.ORDER), Column("For request", share=3, of=Thing.REQUEST)),
            *(Column("Prepared", DATE), Column("Verified", DATE), Column("Authorised", DATE)),
            *(Column("Bank list", share=3), Column("Sent", DATE), Column("Executed", DATE)),
            *(Column("Amount", MONEY), Column("State")),
        ),
        [
            (
                *(row.reference, row.request, row.prepared_on, row.verified_on, row.authorised_on, row.batch),
                *(row.sent_on, row.value_on, row.amount, row.state),
            )
            for row in payments.orders(grant_id, as_of)
        ],
        note="The bank is told the order’s reference with each transfer.",
    )


def _recoveries(grant_id: UUID, as_of: datetime) -> Table:
    return with_totals(
        "Recoveries",
        (
            *(Column("Recovery", share=3), Column("Confirmed", DATE), Column("Due", DATE)),
            *(Column("Owed", MONEY), Column("Paid back", MONEY), Column("Set off", MONEY), Column("Waived", MONEY)),
            Column("Still owed", MONEY),
        ),
        [
            (row.reference, row.confirmed_on, row.due_on, row.amount, row.received, row.set_off, row.waived, row.owed)
            for row in payments.recoveries(grant_id, as_of)
        ],
    )


def _journal(lines: Sequence[AccountLine], synthetic: str) -> Table:
    return with_totals(
        "Entries of the ledger",
        (
            *(Column("Account", share=1), Column("Name", share=4), Column("Date", DATE)),
            *(Column("Entry", of=Thing.ENTRY), Column("What happened", share=4), Column("Description", share=6)),
            *(Column("Debit", MONEY), Column("Credit", MONEY), Column("Balance", MONEY, sums=False)),
            Column(SYNTHETIC),
        ),
        [
            (
                *(line.account.value, line.account.label, line.effective_on, line.ref, line.event.label),
                *(line.description, line.debit or None, line.credit or None, line.balance, synthetic),
            )
            for line in lines
        ],
        note="Every entry that names the grant, in each account it touches, with the running balance of the account. What was booked before the signature names the application and stands in a table of its own: B300 begins below zero by what was committed there.",
    )


def _earlier(lines: Sequence[AccountLine]) -> Table:
    return with_totals(
        "Booked before the signature",
        (
            *(Column("Account", share=1), Column("Name", share=4), Column("Date", DATE)),
            *(Column("Entry", of=Thing.ENTRY), Column("What happened", share=4), Column("Description", share=6)),
            *(Column("Debit", MONEY), Column("Credit", MONEY)),
        ),
        [
            (
                *(line.account.value, line.account.label, line.effective_on, line.ref, line.event.label),
                *(line.description, line.debit or None, line.credit or None),
            )
            for line in lines
        ],
        note="Entries for the application, from the reservation to the budgetary commitment. They are no part of the figures above.",
    )


def _checks(
    grant: Grant,
    place: Place,
    known: Known,
    balances: Balances,
    lines: Sequence[AccountLine],
    earlier: Sequence[AccountLine],
) -> list[Check]:
    found = [*_journal_checks(balances, lines), *_commitment_checks(balances, earlier)]
    if not all(check.agrees for check in found):
        return found
    bank = paid_by_bank(place, known)
    signed = total(
        movements.moved_by(place, Account.LEGALLY_COMMITTED, event, known)
        for event in (Event.SIGNED, Event.AMENDED, Event.TRANSFERRED)
    )
    given_back = -movements.moved_by(place, Account.LEGALLY_COMMITTED, Event.DECOMMITTED, known)
    in_overview = balances_of_grants(grant.call_id, known.recorded_before).get(grant.id, Balances({}))
    paid = balances[Account.CONSUMED]
    return [
        *found,
        Check(
            "Committed",
            balances[Account.LEGALLY_COMMITTED] + paid,
            f"what was signed, less {given_back} given back at closure",
            signed - given_back,
        ),
        Check(
            "Paid", paid, "the bank account in the ledger, which the disbursement register lists", total(bank.values())
        ),
        Check("Paid", paid, ON_PAPER, payments.paid_by_orders(place, known)),
        Check("Paid", paid, "the financial overview of the call", in_overview[Account.CONSUMED]),
        Check(
            "Open: committed and not paid",
            balances[Account.LEGALLY_COMMITTED],
            "the financial overview of the call",
            in_overview[Account.LEGALLY_COMMITTED],
        ),
    ]


def _commitment_checks(balances: Balances, earlier: Sequence[AccountLine]) -> list[Check]:
    """What was committed before the signature is what the signature took up."""
    committed = [line for line in earlier if line.event is Event.COMMITTED and line.account is Account.COMMITTED]
    if not committed:
        return []
    return [
        Check(
            "Taken up by the signature",
            -balances[Account.COMMITTED],
            "what was committed before it",
            total(line.debit - line.credit for line in committed),
        )
    ]


def _journal_checks(balances: Balances, lines: Sequence[AccountLine]) -> list[Check]:
    """Both sides of each book, and where every account's last line leaves it."""
    last: Mapping[Account, Money] = {line.account: line.balance for line in lines}
    for account in Account:
        stands = Check(
            f"{account.value} {account.label}, last balance",
            last.get(account, ZERO),
            "the ledger’s balances",
            balances[account],
        )
        if not stands.agrees:
            return [stands]
    # The budget's other side lies with the call: B300 carries no grant before the signature.
    general = [line for line in lines if line.account.ledger is Ledger.GENERAL]
    debits, credits = total(line.debit for line in general), total(line.credit for line in general)
    return [Check("Debits of the general ledger", debits, "its credits", credits)]
