"""A pay run as it is built from orders: the line of each payment, the run a bank file is written from, what is typed back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, assert_never
from uuid import UUID

from grants.agreements.rules.accounts import masked
from grants.core import faults
from grants.core.errors import Invalid, Refused
from grants.core.money import Money, total
from grants.payments.rules.own_accounts import OwnAccountView
from grants.payments.rules.sepa.table import Finding
from grants.payments.rules.sepa.values import Account, Address, Layout, Party, PayRun, Transfer
from grants.payments.states import BatchState

# One file holds at most so many orders: they are ticked on one page, built in one act and written in one job.
ORDERS_MAX = 2_000


class FileLayout(StrEnum):
    """What a file is written as: the two versions banks take, or a list for who has no bank channel."""

    V09 = "pain.001.001.09"
    V03 = "pain.001.001.03"
    XLSX = "xlsx"

    @property
    def words(self) -> str:
        """As it is chosen."""
        match self:
            case FileLayout.V09:
                return "Bank file, pain.001.001.09"
            case FileLayout.V03:
                return "Bank file, pain.001.001.03, for a bank that takes no newer one"
            case FileLayout.XLSX:
                return "List (XLSX), where no file can be sent to the bank"
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class FileInput:
    """What the accounting officer chose: the account, the version, and the day the bank shall pay."""

    own_account_id: UUID
    layout: FileLayout
    execution_on: date


@dataclass(frozen=True, slots=True)
class FileLine:
    """One payment as its file says it, frozen when the file is built."""

    order_id: str
    reference: str
    end_to_end_id: str
    cents: int
    payee: str
    holder: str
    iban: str
    bic: str
    reason: str
    country: str = ""
    town: str = ""
    postcode: str = ""
    street: str = ""
    building: str = ""

    @property
    def address(self) -> Address:
        """Where the payee lies, in parts; empty where its account is from before addresses were asked for."""
        return Address(
            country=self.country,
            town=self.town,
            postcode=self.postcode,
            street=self.street,
            building=self.building,
        )

    @property
    def amount(self) -> Money:
        """What is paid."""
        return Money(self.cents)

    @property
    def masked(self) -> str:
        """``BE68 •••• 7034``."""
        return masked(self.iban)

    def stored(self) -> dict[str, Any]:
        """As the batch keeps it."""
        return asdict(self)


def lines_of(content: Sequence[Mapping[str, Any]]) -> tuple[FileLine, ...]:
    """The lines a batch keeps."""
    return tuple(FileLine(**each) for each in content)


def run_of(
    lines: Sequence[FileLine],
    account: OwnAccountView,
    *,
    message_id: str,
    created_at: datetime,
    on: date,
    layout: Layout,
) -> PayRun:
    """The run of these lines from this account; the same lines give the same run."""
    address = Address(
        country=account.country,
        town=account.town,
        postcode=account.postcode or "",
        street=account.street or "",
        building=account.building or "",
    )
    return PayRun(
        message_id=message_id,
        payment_id=f"{message_id}-1",
        created_at=created_at,
        execution_on=on,
        debtor=Party(account.holder, Account(account.iban, account.bic or ""), address),
        transfers=tuple(
            Transfer(
                instruction_id=line.reference,
                end_to_end_id=line.end_to_end_id,
                amount=line.amount,
                payee=Party(line.holder, Account(line.iban, line.bic), line.address),
                remittance=f"{line.reference} {line.reason}",
            )
            for line in lines
        ),
        layout=layout,
    )


def refuse_past_day(execution_on: date, today: date) -> None:
    """A bank pays on a day to come."""
    if execution_on < today:
        raise Invalid(
            "The day cannot be right.",
            {"execution_on": "The bank cannot pay on a day that has passed. Enter today or a later day."},
        )


def refuse_other_figures(orders: int, summed: Money, *, count: int, control_total: Money) -> None:
    """What is typed back must be the number and the sum of the file; the right figures are never told (they prove nothing then)."""
    faults.point("file_rules")
    problems: dict[str, str] = {}
    if count != orders:
        problems["count"] = "The file holds another number of orders. Count them in your own list again."
    if control_total != summed:
        # Neither more nor less: whoever is told that finds the sum by trying.
        problems["control_total"] = "The orders of the file come to another sum. Add them up in your own list again."
    if problems:
        raise Invalid("What you typed is not what the file holds; nothing was sent.", problems)


def refuse_other_lines(lines: Sequence[FileLine], orders: Sequence[FileLine], summed: Money) -> None:
    """The file says exactly what its orders say now, line by line, and its sum is theirs."""
    faults.point("file_rules")
    now = {each.order_id: each for each in orders}
    differing = [each.reference for each in lines if now.get(each.order_id) != each]
    if differing or len(now) != len(lines) or total(each.amount for each in lines) != summed:
        named = ", ".join(differing[:10]) or "its orders"
        raise Refused(
            f"The file is not what its orders say now ({named}). Discard it, look at them, and build another."
        )


def refuse_findings(findings: Sequence[Finding]) -> None:
    """A file leaves only where no rule of bank files refuses it."""
    faults.point("file_rules")
    refusing = [each for each in findings if each.refuses]
    if refusing:
        first = refusing[0]
        more = f" ({len(refusing) - 1} more)" if refusing[1:] else ""
        raise Refused(f"{first.where}: {first.what}{more} {first.rule.way_out} Discard this file and build another.")


def batch_next(state: BatchState) -> str:
    """Where a file stands and what comes next, as a sentence."""
    match state:
        case BatchState.BUILDING:
            return "It is being made and checked; its orders are in it and in no other."
        case BatchState.READY:
            return "It is made, checked and frozen; the accounting officer sends it, or discards it."
        case BatchState.REFUSED:
            return "The rules of bank files refuse it, so no file was made. Discard it, mend what is named below, and build another."
        case BatchState.SENT:
            return "It was sent to the bank; the money is in transit until the bank has booked it."
        case BatchState.DISCARDED:
            return "It is void and was never sent: its orders can be put into another file. Do not give this file to the bank."
        case _:
            assert_never(state)
