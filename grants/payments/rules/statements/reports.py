"""What a bank's status report means for each order of the file it answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from grants.core.errors import Refused
from grants.payments.rules.returns import took_for_second
from grants.payments.rules.statements.values import StatusReport, TransferStatus

REJECTS = "RJCT"
# The bank has it, and has not said no: accepted in its form, for the customer, for execution, in execution, settled.
ACKNOWLEDGES = frozenset({"ACTC", "ACCP", "ACSP", "ACSC", "ACWC", "ACCC", "ACWP", "ACFC", "RCVD", "PDNG", "PATC"})


@dataclass(frozen=True, slots=True)
class Told:
    """What the bank said of one order; of an identifier that is none of the file's there is no order."""

    order_id: UUID | None
    end_to_end_id: str
    status: str
    reason: str

    @property
    def rejects(self) -> bool:
        """Whether the bank says no."""
        return self.status == REJECTS

    @property
    def acknowledges(self) -> bool:
        """Whether the bank has it."""
        return self.status in ACKNOWLEDGES


def told_of(report: StatusReport, orders: Mapping[str, tuple[UUID, int]]) -> tuple[Told, ...]:
    """The bank's word on each order of the file (by end-to-end id, with its cents), and on identifiers that are none.

    What is said of a transfer comes before what is said of its block, and that before what is said of the file: a whole file
    that is refused rejects each order that nothing else is said of. A transfer of another amount is not that order.
    """
    whole = _Word(report.status, "; ".join(report.reasons))
    said: dict[str, Told] = {}
    for block in report.blocks:
        if block.status:
            whole = _Word(block.status, "; ".join(block.reasons) or whole.reason)
        for each in block.transfers:
            found = orders.get(each.end_to_end_id)
            known = found is not None and (each.amount is None or each.amount.cents == found[1])
            said[each.end_to_end_id] = Told(
                found[0] if known and found else None, each.end_to_end_id, each.status, whole.reason_of(each)
            )
    for end_to_end_id, (order_id, _) in orders.items():
        if end_to_end_id not in said and (whole.status == REJECTS or whole.status in ACKNOWLEDGES):
            said[end_to_end_id] = Told(order_id, end_to_end_id, whole.status, whole.reason)
    return tuple(said[key] for key in sorted(said))


@dataclass(frozen=True, slots=True)
class _Word:
    status: str
    reason: str

    def reason_of(self, each: TransferStatus) -> str:
        """Why a transfer is refused; what was taken for a second one as a whole was so in each of its transfers."""
        own = "; ".join(each.reasons)
        second = self.status == REJECTS == each.status and took_for_second(self.reason)
        return "; ".join(filter(None, (own, self.reason))) if second else own


def refuse_unknown_file(report: StatusReport, *, is_known: bool) -> None:
    """A report answers a file that was sent from here."""
    if not is_known:
        raise Refused(
            f"It answers the file “{report.original_message_id[:40]}”, which was not sent from here. Ask the bank which "
            "file it means."
        )
