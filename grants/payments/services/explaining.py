"""Acts on lines of the bank that do not explain themselves: one person says what a line is, another one confirms it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.money import total
from grants.core.permissions import Actor, Permission, Scope
from grants.identity.rules import demand_fresh
from grants.identity.services import refuse_tied_to
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import Dimensions, Event
from grants.payments.models import (
    BankClaim,
    BankLine,
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
    Recovery,
    RecoveryReceipt,
)
from grants.payments.queries.bank_candidates import entry_of, line_of
from grants.payments.queries.left import is_told, named_by, taken_back
from grants.payments.rules.statements.booking import booking_day, received_day
from grants.payments.rules.statements.claims import Claim, refuse_unfit
from grants.payments.services.booking import (
    CameBack,
    Executed,
    book_executed,
    book_returned,
    sent_on,
)
from grants.payments.services.booking_lines import bank_name, line_dims, mark, unidentified
from grants.payments.services.hands import refuse_signers
from grants.payments.services.locks import lock_grant
from grants.payments.services.recoveries import can_receive, identify, owed_since, refuse_booking
from grants.payments.services.requests import dims_of
from grants.payments.services.whole_files import (
    WholeFile,
    book_file,
    book_rejected_order,
    file_named,
    file_of,
    refuse_file,
    refuse_file_named,
    refuse_issued_again,
)
from grants.payments.states import (
    AT_BANK,
    BOOKED,
    CLAIM,
    BookedAs,
    ClaimState,
    Explained,
    OrderState,
)
from grants.programmes.models import FundSource


def scope_of_line(line_id: UUID) -> Scope:
    """Where a line lies: in the programme of its account, so that no role of one call reaches it."""
    account = get(OwnAccount, get(BankLine, line_id).own_account_id)
    return Scope.of(("programme", account.programme_id))


def scope_of_claim(claim_id: UUID) -> Scope:
    """Where the line of a claim lies."""
    return scope_of_line(get(BankClaim, claim_id).line_id)


@act(
    "bank_line.explain",
    needs=Permission.BANK_LINE_EXPLAIN,
    scope=scope_of_line,
    says="said what a line of the bank is",
)
def explain(actor: Actor, line_id: UUID, given: Claim) -> UUID:
    """Say what an open line is, with the reason; nothing is booked before another person confirms it."""
    demand_fresh(actor)
    if not given.reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say how you know; another person reads it and confirms."})
    named = _named(actor, given)
    line = locked(BankLine, line_id)
    _refuse_unfit(actor, line, given.explained, named, actor.user_id)
    _refuse_second(line)
    acts.reason(given.reason.strip())
    row = BankClaim(
        line_id=line.id,
        explained=given.explained.value,
        order_id=named.id if isinstance(named, PaymentOrder) else None,
        batch_id=named.batch.id if isinstance(named, WholeFile) else None,
        recovery_id=named.id if isinstance(named, Recovery) else None,
        fund_source_id=named.id if isinstance(named, FundSource) else None,
        reason=given.reason.strip(),
        state=ClaimState.PROPOSED.value,
        proposed_by=actor.user_id,
        proposed_at=acts.moment(),
    )
    db.session.add(row)
    return row.id


Named = PaymentOrder | WholeFile | Recovery | FundSource | None


def _named(actor: Actor, given: Claim) -> Named:
    """What a claim names by its reference, its grant locked where it has one."""
    match given.explained:
        case Explained.ORDER | Explained.RETURN:
            found = db.session.scalars(select(PaymentOrder).where(PaymentOrder.reference == given.named)).one_or_none()
            return _reached(actor, found, "There is no order of this reference.")
        case Explained.FILE:
            return file_named(actor, given.named)
        case Explained.RECOVERY | Explained.REPAID:
            debt = db.session.scalars(select(Recovery).where(Recovery.reference == given.named)).one_or_none()
            return _reached(actor, debt, "There is no recovery of this reference.")
        case Explained.FUNDING:
            fund = db.session.scalars(select(FundSource).where(FundSource.number == given.named)).one_or_none()
            if fund is None:
                raise Invalid("It cannot be booked like this.", {"named": "Choose the parent grant it was paid for."})
            return fund
        case Explained.UNIDENTIFIED | Explained.CHARGE | Explained.SET_ASIDE:
            return None


def _reached(actor: Actor, found: PaymentOrder | Recovery | None, words: str) -> PaymentOrder | Recovery:
    """An order or a recovery this person may reach, locked after its grant."""
    if found is None or not _may(actor, found.grant_id):
        raise Invalid("It cannot be booked like this.", {"named": words})
    lock_grant(found.grant_id)
    refuse_conflict(actor, found.grant_id)
    return locked(type(found), found.id)


def _may(actor: Actor, grant_id: UUID) -> bool:
    reads = Permission.PAYMENT_ORDER_READ
    barred = get(Grant, grant_id).application_id in actor.barred("application")
    return actor.may(reads, agreements.scope(get(Grant, grant_id))) and not barred


def _refuse_second(line: BankLine) -> None:
    standing = db.session.scalar(
        select(BankClaim.id).where(BankClaim.line_id == line.id, BankClaim.state == ClaimState.PROPOSED.value)
    )
    if standing is not None:
        raise Conflict("Somebody said already what this line is. That is confirmed, refused or withdrawn first.")


def _refuse_unfit(actor: Actor, line: BankLine, explained: Explained, named: Named, by: UUID | None) -> None:
    faults.point("matching")
    booked = BookedAs(line.booked_as) if line.booked_as else None
    refuse_unfit(line_of(line), booked, explained, is_told=line.identified_at is not None)
    _refuse_other_order(line, explained, named)
    match explained:
        case Explained.ORDER:
            assert isinstance(named, PaymentOrder), "an order was named"
            _refuse_order(line, named, by)
        case Explained.FILE:
            assert isinstance(named, WholeFile), "a file was named"
            refuse_file(line, named, by)
        case Explained.RETURN:
            assert isinstance(named, PaymentOrder), "an order was named"
            _refuse_return(line, named, by)
        case Explained.RECOVERY:
            assert isinstance(named, Recovery), "a recovery was named"
            _refuse_recovery(named, by)
        case Explained.REPAID:
            assert isinstance(named, Recovery), "a recovery was named"
            _refuse_repaid(line, named)
        case Explained.FUNDING | Explained.UNIDENTIFIED | Explained.CHARGE | Explained.SET_ASIDE:
            assert not isinstance(named, PaymentOrder | WholeFile | Recovery), "none is named"


NO_FILE = (Explained.CHARGE, Explained.REPAID, Explained.SET_ASIDE)
# What a line that names an order of ours by its end-to-end id is not.
NO_ORDER = (Explained.FILE, Explained.CHARGE, Explained.REPAID, Explained.SET_ASIDE)


def _refuse_other_order(line: BankLine, explained: Explained, named: Named) -> None:
    """A line that names an order or a file of ours by its identifier is that one and no other, and is not put away as something
    else."""
    faults.point("matching")
    refuse_file_named(line, named if isinstance(named, WholeFile) else None, puts_away=explained in NO_FILE)
    meant = named_by(line)
    if meant is None:
        return
    if isinstance(named, PaymentOrder) and named.id != meant.id:
        raise Refused(f"The line names {meant.reference} by its end-to-end id, so it is not {named.reference}.")
    if explained in NO_ORDER and not taken_back(meant.id):
        raise Refused(
            f"The line names {meant.reference} by its end-to-end id, so it is nothing else. Say that it is this order, "
            "or ask the bank."
        )


def _refuse_order(line: BankLine, order: PaymentOrder, by: UUID | None) -> None:
    if order.amount != line.amount:
        raise Refused(
            f"The line is of {line.amount} and {order.reference} of {order.amount}: a line is booked as an order of the "
            "same amount only. Ask the bank which payment it is."
        )
    _refuse_state(line, order)
    _refuse_other_account(line, order)
    if booking_day(line_of(line), sent_on(order), acts.today()) is None:
        raise Refused(f"The bank booked this line before {order.reference} left. Ask it which payment the line is.")
    _refuse_signer(order, by)


def _refuse_state(line: BankLine, order: PaymentOrder) -> None:
    """An order is booked by a line while the bank has it, or told by one where it was booked by hand, or was rejected."""
    state = OrderState(order.state)
    if state in AT_BANK:
        return
    if state in BOOKED:
        if is_told(order.id):
            raise Refused(
                f"Another line booked {order.reference} already, and a bank books an order once. Ask it about this line."
            )
        return
    if state is not OrderState.BANK_REJECTED:
        raise Refused(f"{order.reference} does not wait for the bank. Choose an order that is in transit.")
    meant = named_by(line)
    if meant is None or meant.id != order.id:
        raise Refused(
            f"The bank rejected {order.reference}, and the line does not name it by its end-to-end id. Ask the bank which "
            "payment the line is."
        )
    refuse_issued_again(order)


def _refuse_other_account(line: BankLine, order: PaymentOrder) -> None:
    assert order.batch_id is not None, "a sent order stands in a file"
    left_from = get(PaymentBatch, order.batch_id).own_account_id
    if left_from not in (None, line.own_account_id):
        raise Refused(f"{order.reference} was to be paid from another account. Ask the bank which payment the line is.")


def _refuse_signer(order: PaymentOrder, by: UUID | None) -> None:
    assert by is not None, "a person explains a line"
    refuse_signers(by, [order])


def _refuse_return(line: BankLine, order: PaymentOrder, by: UUID | None) -> None:
    if order.amount != line.amount:
        raise Refused(
            f"The line is of {line.amount} and {order.reference} of {order.amount}: a payment comes back whole, or the line "
            "is something else. Ask the bank."
        )
    if order.state != OrderState.EXECUTED.value:
        raise Refused(f"{order.reference} is not executed, so nothing of it can come back. Choose an order that is.")
    assert order.value_on is not None, "an executed order has its day"
    if received_day(line_of(line), acts.today()) < order.value_on:
        raise Refused(f"The line is of before {order.reference} was paid. Ask the bank which payment came back.")
    _refuse_other_account(line, order)
    _refuse_signer(order, by)


def _refuse_repaid(line: BankLine, row: Recovery) -> None:
    """No more is paid back than came above the debt; the money of other receipts is not this city's."""
    faults.point("ceiling")
    came = db.session.scalars(select(RecoveryReceipt.above).where(RecoveryReceipt.recovery_id == row.id))
    repaid = select(BankLine.amount).where(BankLine.recovery_id == row.id, BankLine.booked_as == BookedAs.REPAID.value)
    stands = total(came) - total(db.session.scalars(repaid))
    if line.amount > stands:
        raise Refused(f"{stands} came above {row.reference} and is not paid back yet; the line is of {line.amount}.")


def _refuse_recovery(row: Recovery, by: UUID | None) -> None:
    if not can_receive(row):
        raise Refused(
            f"Nothing is owed of {row.reference} any more. Leave the receipt unidentified, or choose another."
        )
    refuse_booking(by, row)


@act(
    "bank_line.confirm",
    needs=Permission.BANK_LINE_CONFIRM,
    scope=scope_of_claim,
    says="confirmed what the bank told of {subject}",
)
def confirm_claim(actor: Actor, claim_id: UUID, *, version: int | None = None) -> None:
    """Confirm what somebody else said of a line: it is booked as that, with the person who said it as who booked it."""
    demand_fresh(actor)
    named = _locked_named(actor, get(BankClaim, claim_id))
    row = _to_decide(actor, claim_id, version, "confirm")
    line = locked(BankLine, row.line_id)
    explained = Explained(row.explained)
    _refuse_unfit(actor, line, explained, named, row.proposed_by)
    acts.reason(row.reason)
    CLAIM.move(row, "confirm")
    row.decided_by, row.decided_at = actor.user_id, acts.moment()
    _book(line, row, named)


@act(
    "bank_line.refuse",
    needs=Permission.BANK_LINE_CONFIRM,
    scope=scope_of_claim,
    says="refused what was said of a line of the bank",
)
def refuse_claim(actor: Actor, claim_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Refuse what somebody else said of a line, with the reason; the line stays open."""
    demand_fresh(actor)
    _locked_named(actor, get(BankClaim, claim_id))
    row = _to_decide(actor, claim_id, version, "refuse")
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say what the line is instead, or what to ask the bank."})
    acts.reason(reason.strip())
    row.refuse_reason = reason.strip()
    CLAIM.move(row, "refuse")
    row.decided_by, row.decided_at = actor.user_id, acts.moment()


@act(
    "bank_line.withdraw",
    needs=Permission.BANK_LINE_EXPLAIN,
    scope=scope_of_claim,
    says="withdrew what was said of a line of the bank",
)
def withdraw_claim(actor: Actor, claim_id: UUID, *, version: int | None = None) -> None:
    """Take one's own word on a line back before it is decided."""
    row = locked(BankClaim, claim_id)
    check_version(row, version)
    CLAIM.target(ClaimState(row.state), "withdraw")
    if actor.user_id != row.proposed_by:
        raise Refused("Somebody else said this of the line. Only who said it takes it back.")
    CLAIM.move(row, "withdraw")
    row.decided_by, row.decided_at = actor.user_id, acts.moment()


def _locked_named(actor: Actor, row: BankClaim) -> Named:
    if row.order_id is not None:
        return _held(actor, get(PaymentOrder, row.order_id))
    if row.batch_id is not None:
        return file_of(actor, row.batch_id)
    if row.recovery_id is not None:
        return _held(actor, get(Recovery, row.recovery_id))
    return get(FundSource, row.fund_source_id) if row.fund_source_id is not None else None


def _held(actor: Actor, found: PaymentOrder | Recovery) -> PaymentOrder | Recovery:
    if not _may(actor, found.grant_id):
        raise NotFound
    lock_grant(found.grant_id)
    refuse_conflict(actor, found.grant_id)
    return locked(type(found), found.id)


def _to_decide(actor: Actor, claim_id: UUID, version: int | None, verb: str) -> BankClaim:
    row = locked(BankClaim, claim_id)
    check_version(row, version)
    CLAIM.target(ClaimState(row.state), verb)
    faults.point("four_eyes")
    if actor.user_id == row.proposed_by:
        raise Refused("You said this of the line, so somebody else decides on it. Ask a colleague.")
    refuse_tied_to(actor.user_id, (row.proposed_by, row.proposed_at))
    return row


def _book(line: BankLine, row: BankClaim, named: Named) -> None:
    match Explained(row.explained):
        case Explained.ORDER:
            assert isinstance(named, PaymentOrder), "an order was named"
            _book_order(line, named, row.proposed_by)
        case Explained.FILE:
            assert isinstance(named, WholeFile), "a file was named"
            book_file(line, named, row.proposed_by)
        case Explained.RECOVERY:
            assert isinstance(named, Recovery), "a recovery was named"
            _book_recovery(line, named, row.proposed_by)
        case Explained.FUNDING:
            assert isinstance(named, FundSource), "a parent grant was named"
            _book_funding(line, named)
        case Explained.UNIDENTIFIED:
            (entry_id,) = ledger.post_many([unidentified(line)])
            mark(line, BookedAs.UNIDENTIFIED, entry_id)
        case Explained.RETURN:
            assert isinstance(named, PaymentOrder), "an order was named"
            _book_return(line, named)
        case Explained.REPAID:
            assert isinstance(named, Recovery), "a recovery was named"
            mark(line, BookedAs.REPAID, _book_repaid(line, named), recovery_id=named.id)
        case Explained.CHARGE:
            mark(line, BookedAs.CHARGE, _book_charge(line))
        case Explained.SET_ASIDE:
            mark(line, BookedAs.SET_ASIDE)


def _book_order(line: BankLine, order: PaymentOrder, by: UUID) -> None:
    day = booking_day(line_of(line), sent_on(order), acts.today())
    assert day is not None, "checked before"
    if OrderState(order.state) in BOOKED:
        # It was booked by hand: the line is the bank's word on it, and nothing is posted.
        mark(line, BookedAs.ORDER, entry_of(f"payment_order:{order.id}:booked"), order_id=order.id)
        return
    if order.state == OrderState.BANK_REJECTED.value:
        mark(line, BookedAs.ORDER, book_rejected_order(line, order, day, by), order_id=order.id)
        return
    entries = book_executed(by, [Executed(order, get(Grant, order.grant_id), day, line.own_account_id)])
    mark(line, BookedAs.ORDER, entries[order.id], order_id=order.id)


def _book_return(line: BankLine, order: PaymentOrder) -> None:
    came = CameBack(
        order, get(Grant, order.grant_id), line.return_reason or "MS03", received_day(line_of(line), acts.today())
    )
    if line.booked_as is None:
        mark(line, BookedAs.RETURN, book_returned(came, line.own_account_id), order_id=order.id)
        return
    book_returned(came, line.own_account_id, from_account=Account.UNIDENTIFIED)
    line.identified_at, line.identified_as = acts.moment(), Explained.RETURN.value


def _book_repaid(line: BankLine, row: Recovery) -> UUID:
    return ledger.post(
        Event.RECEIPT_UNIDENTIFIED,
        source_key=f"bank_line:{line.id}:repaid",
        effective_on=received_day(line_of(line), acts.today()),
        description=f"{row.reference}: what came above the debt is paid back, bank reference {bank_name(line)}",
        legs=legs.legs_e22_repaid(
            line.amount, dims_of(get(Grant, row.grant_id), row, own_account_id=line.own_account_id)
        ),
    )


def _book_recovery(line: BankLine, row: Recovery, by: UUID) -> None:
    day = max(received_day(line_of(line), acts.today()), owed_since(row))
    identify(row, get(Grant, row.grant_id), line.amount, day, bank_name(line), by, line.own_account_id)
    line.identified_at, line.identified_as, line.recovery_id = acts.moment(), Explained.RECOVERY.value, row.id


def _book_funding(line: BankLine, fund: FundSource) -> None:
    ledger.post(
        Event.FUNDING_RECEIVED,
        source_key=f"bank_line:{line.id}:funding",
        effective_on=received_day(line_of(line), acts.today()),
        description=f"Programme funding received for {fund.number}, bank reference {bank_name(line)}",
        legs=legs.legs_e25_identified(line.amount, Dimensions(fund_source_id=fund.id, document_id=line.id)),
    )
    line.identified_at, line.identified_as = acts.moment(), Explained.FUNDING.value


def _book_charge(line: BankLine) -> UUID:
    return ledger.post(
        Event.BANK_CHARGED,
        source_key=f"bank_line:{line.id}:charge",
        effective_on=received_day(line_of(line), acts.today()),
        description=f"Bank charge, bank reference {bank_name(line)}",
        legs=legs.legs_e26(line.amount, line_dims(line)),
    )
