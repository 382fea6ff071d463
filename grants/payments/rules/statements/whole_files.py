"""A payment file that the bank booked in one sum: whether a line is that file, and why it is not. Pure.

The file is named by its message id or by that of its payment block, from its account; the line is of its control total, and
each of its orders waits for the bank. Whatever differs is left to people, who are told what.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from grants.core.errors import Refused
from grants.core.money import ZERO, Money
from grants.payments.rules.statements.values import Direction, Line

# What the one payment block of a file is called after its message.
BLOCK = "-1"


@dataclass(frozen=True, slots=True)
class FileCandidate:
    """A payment file as matching sees it: its orders, and what became of each so far.

    ``told`` are those that lines of their own booked, ``by_hand`` those booked that no line tells of yet. ``has_line`` says
    that a line was booked as the whole file already.
    """

    id: UUID
    reference: str
    message_id: str
    account_id: UUID | None
    orders: int
    total: Money
    waiting: int
    waiting_total: Money
    by_hand: int = 0
    by_hand_total: Money = ZERO
    told: int = 0
    rejected: int = 0
    rejected_total: Money = ZERO
    has_line: bool = False

    @property
    def left(self) -> int:
        """How many of its orders a line of the whole file would be told of."""
        return self.waiting + self.by_hand

    @property
    def left_total(self) -> Money:
        """What these sum to."""
        return self.waiting_total + self.by_hand_total


class FileWhy(StrEnum):
    """Why a line that names a file is not booked as it."""

    ACCOUNT = "account"
    LINE = "line"
    TWICE = "twice"
    REJECTED = "rejected"
    BOOKED = "booked"
    SUM = "sum"
    NUMBER = "number"


def is_whole(line: Line) -> bool:
    """Whether a line may be a file in one sum: money that went, under the name of a file and of no payment of it."""
    went = line.direction is Direction.DEBIT and not line.is_reversal
    return went and bool(line.payment_id) and not line.end_to_end_id


def names(line: Line, file: FileCandidate) -> bool:
    """Whether a line says that it is this file."""
    return is_whole(line) and line.payment_id in (file.message_id, f"{file.message_id}{BLOCK}")


def why_not(line: Line, account_id: UUID, file: FileCandidate) -> FileWhy | None:
    """Why a line that names a file is not booked as it by itself; None where it is."""
    if file.account_id != account_id:
        return FileWhy.ACCOUNT
    if file.has_line:
        return FileWhy.LINE
    if file.rejected:
        return FileWhy.REJECTED
    if file.by_hand or file.told:
        return FileWhy.BOOKED
    if file.total != line.amount or file.waiting_total != line.amount:
        return FileWhy.SUM
    return FileWhy.NUMBER if line.parts not in (1, file.orders) else None


def words(why: FileWhy, file: FileCandidate) -> str:
    """The same in a sentence."""
    name = f"the file {file.reference}"
    match why:
        case FileWhy.ACCOUNT:
            return f"It names {name}, which was to be paid from another account."
        case FileWhy.LINE:
            return f"It names {name}, which another line booked already."
        case FileWhy.TWICE:
            return f"Another line is {name} as well, and a bank books a file once."
        case FileWhy.REJECTED:
            return f"It names {name}, of which the bank rejected {_orders(file.rejected)}. {_left(file)}"
        case FileWhy.BOOKED:
            booked = file.by_hand + file.told
            return f"It names {name}, of which {_orders(booked)} {'is' if booked == 1 else 'are'} booked already. {_left(file)}"
        case FileWhy.SUM:
            return f"It names {name}, whose {_orders(file.orders)} sum to {file.total}."
        case FileWhy.NUMBER:
            return f"It names {name}, which has {_orders(file.orders)}; the bank counts others in this line."


def _left(file: FileCandidate) -> str:
    if not file.left:
        return "Nothing of it is left for this line."
    return f"What no line tells of yet is {_orders(file.left)} of {file.left_total} in sum."


def _orders(number: int) -> str:
    return "1 order" if number == 1 else f"{number} orders"


def refuse_unfit_file(line: Line, account_id: UUID, file: FileCandidate) -> bool:
    """Refuse to say that a line is a file which it cannot be; whether what the bank rejected of it is in its sum.

    People may say more than a line does: that it is a file it does not name, and that it is what is left of one.
    """
    if file.account_id not in (None, account_id):
        raise Refused(f"{file.reference} was to be paid from another account. Ask the bank which payment the line is.")
    if file.has_line:
        raise Refused(
            f"Another line booked {file.reference} already, and a bank books a file once. Ask it about this line."
        )
    if file.left and line.amount == file.left_total:
        return _refuse_number(line, file, file.left)
    whole = file.left_total + file.rejected_total
    if file.rejected and line.amount == whole:
        _refuse_number(line, file, file.left + file.rejected)
        if not names(line, file):
            raise Refused(
                f"The bank rejected {_orders(file.rejected)} of {file.reference}, and the line, whose sum has them in it, "
                "does not name the file. Ask the bank which payments the line is."
            )
        return True
    raise Refused(
        f"The line is of {line.amount}. {_left(file)} A line is booked as a file of the same sum only. Ask the bank which "
        "payments it is."
    )


def _refuse_number(line: Line, file: FileCandidate, number: int) -> bool:
    if line.parts not in (1, number):
        raise Refused(
            f"The bank counts {line.parts} payments in this line, and {_orders(number)} of {file.reference} sum to it. Ask the "
            "bank which payments it is."
        )
    return False


def refuse_other_file(line: Line, meant: FileCandidate | None, said: str | None, *, puts_away: bool) -> None:
    """A line that names a file of ours is no other one, and is not put away where it can be booked as that file."""
    if meant is None:
        return
    if said is not None and said != meant.reference:
        raise Refused(f"The line names {meant.reference} by its message id, so it is not {said}.")
    if puts_away and not meant.has_line and meant.left and line.amount == meant.left_total:
        raise Refused(
            f"The line names {meant.reference} by its message id and is of what is left of it, so it is nothing else. Say "
            "that it is this file, or ask the bank."
        )
