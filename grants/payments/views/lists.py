"""Lists of payments and of the bank as files, each narrowed as its page is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from grants.core import clock
from grants.core.errors import Invalid
from grants.core.paging import Page, Rows
from grants.payments import queries
from grants.payments.queries import bank_lines
from grants.payments.queries import statements as told
from grants.payments.queries.bank_lines import LineView
from grants.payments.queries.waiting import InboxRow
from grants.payments.views.frame import P, bp
from grants.payments.views.statements import unmatched_asked
from grants.web import downloads
from grants.web.downloads import CUT_OFF, LIST_ROWS_MAX
from grants.web.routing import current_actor, requires

Cells = tuple[object, ...]

APPROVALS_COLUMNS = (
    *("due", "reference", "kind", "payee", "reason", "grant", "grant_name", "amount_eur", "state", "waits_for"),
    *("account", "account_changed"),
)
GRANT_COLUMNS = (
    *("kind", "reference", "reason", "opened", "due", "state", "value_date", "requested_eur", "payable_eur"),
    *("retained_eur", "cleared_eur", "deferred_eur", "refused_eur", "amount_eur", "received_eur"),
)
STATEMENTS_COLUMNS = ("account", "statement", "from", "to", "opening_eur", "closing_eur", "lines", "import")
LINES_COLUMNS = (
    *("account", "statement", "booked", "value_date", "amount_eur", "taken_back", "name", "words"),
    *("end_to_end_id", "bank_reference", "return_reason", "is_booked", "order", "says"),
)


@bp.get("/finance/approvals.<any(csv, xlsx):kind>")
@requires(P.PAYMENT_ORDER_READ)
def approvals_file(kind: str) -> Any:
    """Everything on its way to payment, earliest due day first."""
    found = queries.inbox(current_actor(), Page(size=LIST_ROWS_MAX)).rows
    lines = _cut(map(_approval, found.items), found, APPROVALS_COLUMNS)
    return downloads.list_file("payments-to-approve", APPROVALS_COLUMNS, lines, kind)


def _approval(row: InboxRow) -> Cells:
    thing, order = row.thing, row.order
    return (
        *(row.due_on, row.reference, "order" if order else "request", thing.payee, thing.reason),
        *(thing.grant_reference, thing.acronym, row.amount, thing.state.value, row.deed),
        *((order.account.masked, "yes" if order.account.changed else "no") if order else (None, None)),
    )


@bp.get("/grants/<ref>/payments.<any(csv, xlsx):kind>")
@requires(P.AGREEMENT_READ)
def grant_file(ref: str, kind: str) -> Any:
    """The requests, orders and the recovery of a grant, as its city and the programme read them."""
    found = queries.grant_payments(current_actor(), ref)
    return downloads.list_file(f"payments {found.grant.reference}", GRANT_COLUMNS, _of_grant(found), kind)


def _of_grant(found: queries.GrantPayments) -> Iterator[Cells]:
    for asked in found.requests:
        made = asked.decision
        amounts = (made.payable, made.retained, made.cleared, made.deferred, made.refused) if made else (None,) * 5
        opened = clock.in_zone(asked.submitted_at).date()
        yield (
            *("request", asked.reference, asked.reason, opened, asked.due_on, asked.state.value, None),
            *(asked.requested, *amounts, None, None),
        )
    for order in found.orders:
        yield (
            *("order", order.reference, order.reason, None, order.due_on, order.state.value, order.value_on),
            *(*(None,) * 6, order.amount, None),
        )
    for owed in found.recoveries:
        yield (
            *("recovery", owed.reference, None, None, owed.due_on, owed.state.value, None),
            *(*(None,) * 6, owed.amount, owed.received),
        )


@bp.get("/finance/bank/<ref>/statements.<any(csv, xlsx):kind>")
@requires(P.PAYMENT_ORDER_READ)
def statements_file(ref: str, kind: str) -> Any:
    """The statements of an account, newest first."""
    found = told.statements(current_actor(), ref, Page(size=LIST_ROWS_MAX))
    lines = (
        (
            each.account,
            each.name,
            each.from_on,
            each.to_on,
            each.opening,
            each.closing,
            each.lines,
            each.import_reference,
        )
        for each in found.items
    )
    made = _cut(lines, found, STATEMENTS_COLUMNS)
    return downloads.list_file(f"statements {ref}", STATEMENTS_COLUMNS, made, kind)


@bp.get("/finance/bank/<ref>/<int(max=2147483647):position>/lines.<any(csv, xlsx):kind>")
@requires(P.PAYMENT_ORDER_READ)
def statement_file(ref: str, position: int, kind: str) -> Any:
    """The lines of one statement in their order."""
    actor = current_actor()
    told.statement(actor, ref, position)
    found = bank_lines.statement_lines(actor, ref, position, Page(size=LIST_ROWS_MAX))
    lines = _cut(map(_line, found.items), found, LINES_COLUMNS)
    return downloads.list_file(f"statement {ref} {position}", LINES_COLUMNS, lines, kind)


@bp.get("/finance/unmatched.<any(csv, xlsx):kind>")
@requires(P.PAYMENT_ORDER_READ)
def unmatched_file(kind: str) -> Any:
    """The lines that nothing was booked from yet, the oldest first."""
    asked, today, problems, _ = unmatched_asked()
    if problems:
        raise Invalid(" ".join(problems))
    found = bank_lines.unmatched(current_actor(), asked, today, Page(size=LIST_ROWS_MAX))
    lines = _cut(map(_line, found.items), found, LINES_COLUMNS)
    return downloads.list_file("lines-not-booked", LINES_COLUMNS, lines, kind)


def _line(row: LineView) -> Cells:
    line = row.line
    return (
        *(row.account, row.statement_name or None, line.booked_on, line.value_on, line.signed),
        *("yes" if line.is_reversal else "no", line.counterparty, line.remittance, line.end_to_end_id),
        *(line.bank_reference, line.return_reason, "yes" if row.is_booked else "no"),
        *(row.match.order.reference if row.match.order else None, row.match.words),
    )


def _cut(lines: Iterable[Cells], found: Rows[Any], columns: tuple[str, ...]) -> Iterator[Cells]:
    """The lines, and in the place of those that one file does not hold that there are more."""
    yield from lines
    if found.next_key is not None:
        yield (CUT_OFF, *(None,) * (len(columns) - 1))
