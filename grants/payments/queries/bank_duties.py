"""What of the bank waits for a person: lines to explain or to confirm, files that were sent elsewhere."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select

from grants.core.duties import Duty
from grants.core.paging import COUNTED_MAX, Tally
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.payments.models import BankClaim, BankLine, OwnAccount, SentElsewhere
from grants.payments.queries.bank_reach import OPEN, in_reach, not_shut
from grants.payments.queries.elsewhere import sees_elsewhere
from grants.payments.rules.statements.claims import EXPLAINED_WORDS
from grants.payments.states import ClaimState, Explained

# Rows of one kind on a home page; the pages they lead to have all.
DUTIES_MAX = 20


@reader
def bank_duties(actor: Actor) -> Asking[list[Duty]]:
    """What this person must look at: what somebody else said of a line, those nobody explained as one row, and files that were
    sent elsewhere.
    """
    kinds = []
    if actor.can(Permission.BANK_LINE_CONFIRM):
        kinds.append(_to_confirm(actor))
    if actor.can(Permission.BANK_LINE_EXPLAIN):
        kinds.append(_to_explain(actor))
    if sees_elsewhere(actor) and actor.can(Permission.SENT_FILE_PROPOSE):
        kinds.append(_sent_elsewhere("Say what became of a payment file", SentElsewhere.decision.is_(None)))
    if sees_elsewhere(actor) and actor.can(Permission.SENT_FILE_CONFIRM):
        proposed = SentElsewhere.decision.is_not(None) & SentElsewhere.confirmed_at.is_(None)
        proposed &= SentElsewhere.proposed_by != actor.user_id
        kinds.append(_sent_elsewhere("Confirm what became of a payment file", proposed))
    found = yield from side_by_side(kinds)
    return [duty for duties in found for duty in duties]


def _to_confirm(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from ask(
        select(BankLine.number, BankLine.amount, BankClaim.explained, BankClaim.proposed_at)
        .join(BankClaim, (BankClaim.line_id == BankLine.id) & (BankClaim.state == ClaimState.PROPOSED.value))
        .join(OwnAccount, OwnAccount.id == BankLine.own_account_id)
        .where(BankClaim.proposed_by != actor.user_id, in_reach(actor), not_shut(actor))
        .order_by(BankClaim.proposed_at, BankLine.number)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            "Confirm what a line of the bank is",
            f"{EXPLAINED_WORDS[Explained(explained)]}, {amount}",
            "Look at the line",
            "payments.bank_line",
            {"number": number},
        )
        for number, amount, explained, _ in rows
    ]


def _to_explain(actor: Actor) -> Asking[list[Duty]]:
    said = select(BankClaim.id).where(BankClaim.line_id == BankLine.id, BankClaim.state == ClaimState.PROPOSED.value)
    lines = (
        select(BankLine.id)
        .join(OwnAccount, OwnAccount.id == BankLine.own_account_id)
        .where(OPEN, ~said.correlate(BankLine).exists(), in_reach(actor), not_shut(actor))
        .limit(COUNTED_MAX + 1)
        .subquery()
    )
    ((number,),) = yield from ask(select(func.count()).select_from(lines))
    if not number:
        return []
    tally = Tally.of(number)
    words = "1 line of the bank is" if number == 1 else f"{tally} lines of the bank are"
    return [Duty(f"Say what {words}", "Nothing is booked of them yet", "Look at them", "payments.unmatched")]


def _sent_elsewhere(what: str, waits: ColumnElement[bool]) -> Asking[list[Duty]]:
    rows = yield from ask(
        select(SentElsewhere.message_id, SentElsewhere.total)
        .where(waits)
        .order_by(SentElsewhere.sent_at, SentElsewhere.message_id)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            what,
            f"{message_id}, {amount}, was sent and is not known here: none of its payments is made meanwhile",
            "Look at the file",
            "payments.sent_elsewhere_file",
            {"message_id": message_id},
        )
        for message_id, amount in rows
    ]
