"""A file of payments as it was read back, held against the run it was made of: what its schema never counts or adds. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import date, datetime

from grants.core.errors import quoted
from grants.core.money import Money
from grants.payments.rules.sepa.checks import RUN, check, where_of
from grants.payments.rules.sepa.table import Code, Finding
from grants.payments.rules.sepa.values import Layout, Party, PayRun, Transfer, decimal

FILE = "The file"
HEAD = "The head of the file"
BLOCK = "The payment block"
# Digits 0-9 only, and never more than the largest sum of a file has.
_AMOUNT = re.compile(r"[0-9]{1,15}\.[0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class ReadTransfer:
    """One payment as the file says it: its amount is still text."""

    instruction_id: str
    end_to_end_id: str
    amount: str
    currency: str
    payee: Party
    remittance: str


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file with one payment block as it was read, every declared figure as text. ``blocks`` is how many it holds."""

    layout: str
    message_id: str
    created_at: str
    count: str
    total: str
    initiator: str
    blocks: int
    payment_id: str
    method: str
    batch_booking: str
    block_count: str
    block_total: str
    service_level: str
    execution_on: str
    charge_bearer: str
    debtor: Party
    transfers: tuple[ReadTransfer, ...]


def check_read(read: ReadFile, run: PayRun, today: date, *, used: Set[str] = frozenset()) -> tuple[Finding, ...]:
    """What stands against a file of this (fitted) run: its figures, every rule of :func:`check`, every difference."""
    found = tuple(_of_shape(read)) + tuple(_of_figures(read))
    again = as_run(read)
    if again is None:
        return found
    return found + check(again, today, used=used) + tuple(_differences(read, again, run))


def as_run(read: ReadFile) -> PayRun | None:
    """The run a file tells of; None where an amount, a day or the version cannot be read (a finding says which)."""
    amounts = [cents_of(each.amount) for each in read.transfers]
    created, day = _moment(read.created_at), _day(read.execution_on)
    if None in amounts or created is None or day is None or read.layout not in set(Layout):
        return None
    transfers = tuple(
        Transfer(each.instruction_id, each.end_to_end_id, Money(cents or 0, each.currency), each.payee, each.remittance)
        for each, cents in zip(read.transfers, amounts, strict=True)
    )
    return PayRun(
        read.message_id,
        read.payment_id,
        created,
        day,
        read.debtor,
        transfers,
        Layout(read.layout),
        read.service_level,
        read.charge_bearer,
        read.batch_booking == "true",
    )


def cents_of(text: str) -> int | None:
    """An amount of a file in cents; None unless it has digits, a point and two decimals.

    >>> cents_of("1234.50"), cents_of("1234.500"), cents_of("-1.00")
    (123450, None, None)
    """
    return int(text.replace(".", "")) if _AMOUNT.fullmatch(text) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _of_shape(read: ReadFile) -> Iterator[Finding]:
    if read.layout not in set(Layout):
        yield Finding(Code.FILE_LAYOUT, FILE, f"its version is {quoted(read.layout)}.")
    if read.blocks != 1:
        yield Finding(Code.FILE_STRUCTURE, FILE, f"it holds {read.blocks} payment blocks.")
    if read.method != "TRF":
        yield Finding(Code.FILE_STRUCTURE, BLOCK, f"its method is {quoted(read.method)}, not TRF.")
    if read.batch_booking not in {"true", "false"}:
        yield Finding(Code.FILE_STRUCTURE, BLOCK, f"its way of booking is {quoted(read.batch_booking)}.")
    if _moment(read.created_at) is None:
        yield Finding(Code.FILE_STRUCTURE, HEAD, f"{quoted(read.created_at)} is no moment with a zone.")
    if _day(read.execution_on) is None:
        yield Finding(Code.FILE_STRUCTURE, BLOCK, f"{quoted(read.execution_on)} is no day.")


def _of_figures(read: ReadFile) -> Iterator[Finding]:
    amounts = [cents_of(each.amount) for each in read.transfers]
    for place, (transfer, cents) in enumerate(zip(read.transfers, amounts, strict=True), 1):
        if cents is None:
            where = f"Payment {place} ({transfer.end_to_end_id})"
            yield Finding(Code.AMOUNT_DECIMALS, where, f"the amount is written {quoted(transfer.amount)}.")
    held, added = str(len(amounts)), decimal(sum(each or 0 for each in amounts))
    for where, count in ((HEAD, read.count), (BLOCK, read.block_count)):
        if count != held:
            yield Finding(Code.FILE_COUNT, where, f"it says {quoted(count)} payments; {held} are there.")
    if None in amounts:
        return
    for where, declared in ((HEAD, read.total), (BLOCK, read.block_total)):
        if declared != added:
            yield Finding(
                Code.FILE_SUM, where, f"the control sum is {quoted(declared)}; the payments add up to {added}."
            )


def _differences(read: ReadFile, again: PayRun, run: PayRun) -> Iterator[Finding]:
    """What the file says otherwise than the run; a sum and a count were compared before."""
    if again.layout is not run.layout:
        yield Finding(Code.FILE_LAYOUT, FILE, f"its version is {again.layout}, not {run.layout}.")
    pairs = (
        ("the message", again.message_id, run.message_id),
        ("the payment block", again.payment_id, run.payment_id),
        ("its moment", again.stamp, run.stamp),
        ("the execution day", again.execution_on, run.execution_on),
        ("who starts it", read.initiator, run.debtor.name),
        ("the payer", again.debtor, run.debtor),
        ("the service level", again.service_level, run.service_level),
        ("the charges", again.charge_bearer, run.charge_bearer),
        ("the way of booking", again.batch_booking, run.batch_booking),
    )
    yield from (Finding(Code.FILE_DIFFERS, FILE, f"{what} is another.") for what, has, should in pairs if has != should)
    if len(again.transfers) != len(run.transfers):
        yield Finding(Code.FILE_DIFFERS, RUN, f"it has {len(run.transfers)} payments, its file {len(again.transfers)}.")
    for place, (has, should) in enumerate(zip(again.transfers, run.transfers, strict=False), 1):
        if has != should:
            yield Finding(
                Code.FILE_DIFFERS, where_of(place, should), f"the file says otherwise about {_parts(has, should)}."
            )


def _parts(has: Transfer, should: Transfer) -> str:
    named = (
        ("its identifiers", (has.instruction_id, has.end_to_end_id), (should.instruction_id, should.end_to_end_id)),
        ("the amount", has.amount, should.amount),
        ("the payee’s name", has.payee.name, should.payee.name),
        ("the account", has.payee.account, should.payee.account),
        ("the address", has.payee.address, should.payee.address),
        ("the words for the payee", has.remittance, should.remittance),
    )
    return ", ".join(what for what, here, there in named if here != there)
