"""What must hold of a statement in itself, and between it and what stands of its account: nothing twice, no gap."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from grants.core.clock import long_date
from grants.core.errors import Refused
from grants.core.money import Money, total
from grants.payments.rules.statements.values import Line, Statement


def check_statement(statement: Statement) -> None:
    """Balances are there, its days are in order, and opening balance and lines give the closing balance."""
    name = f"Statement {statement.number or statement.identifier}"
    if statement.opening is None or statement.closing is None or statement.to_on is None or statement.from_on is None:
        missing = "opening" if statement.opening is None else "closing"
        raise Refused(f"{name} has no {missing} balance, so nothing proves it whole. Ask the bank for it again.")
    if statement.from_on > statement.to_on:
        raise Refused(
            f"{name} begins on {long_date(statement.from_on)} and ends on {long_date(statement.to_on)}, which is earlier. "
            "Ask the bank for it again."
        )
    reached = statement.opening.amount + total(line.signed for line in statement.lines)
    if reached != statement.closing.amount:
        raise Refused(
            f"{name} does not add up: {statement.opening.amount} and its {len(statement.lines)} lines give {reached}, "
            f"and it closes with {statement.closing.amount}: a difference of {statement.closing.amount - reached}. "
            "Ask the bank for it again."
        )


def keys(lines: Sequence[Line]) -> tuple[str, ...]:
    """The key of each line of one file: the same movement has the same key in every file that tells of it.

    A bank's own reference tells movements apart; without one, so do day, amount and payment. Two equal
    lines of one file are the first and the second of their kind.
    """
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        spelled = "\n".join(
            (
                line.bank_reference,
                line.end_to_end_id,
                line.booked_on.isoformat(),
                str(line.signed.cents),
                "reversal" if line.is_reversal else "",
                # What is left to tell lines apart that no reference names.
                "" if line.bank_reference else f"{line.counterparty_iban} {line.remittance}",
            )
        )
        seen[spelled] += 1
        found.append(hashlib.sha256(f"{spelled}\n{seen[spelled]}".encode()).hexdigest())
    return tuple(found)


# What the bank booked under one reference of its own, on one day, in one direction: one movement, told whole or in parts.
Group = tuple[str, date, str, bool]


def group(line: Line) -> Group | None:
    """The movement a line belongs to; None where the bank gave no reference."""
    if not line.bank_reference:
        return None
    return (line.bank_reference, line.booked_on, line.direction.value, line.is_reversal)


@dataclass(frozen=True, slots=True)
class Sorted:
    """The lines of a file beside those that stand: which are new, and the keys of those that stand already."""

    new: tuple[tuple[str, Line], ...]
    known: tuple[str, ...]


def sort_out(lines: Sequence[Line], standing: Mapping[str, Line]) -> Sorted:
    """Which lines are new beside those that stand (by key), and which of the latter the file tells of again.

    A movement that stands in other parts than the file's (whole in one, in details in the other)
    and with the same sum is the same movement: nothing of it is new.
    """
    keyed = tuple(zip(keys(lines), lines, strict=True))
    told: dict[Group, list[tuple[str, Line]]] = {}
    stands: dict[Group, list[tuple[str, Line]]] = {}
    for pairs, into in ((keyed, told), (standing.items(), stands)):
        for key, line in pairs:
            if (of := group(line)) is not None:
                into.setdefault(of, []).append((key, line))
    same = {of for of, pairs in told.items() if of in stands and _sum(pairs) == _sum(stands[of])}
    new, known = [], []
    for key, line in keyed:
        if key in standing:
            known.append(key)
        elif group(line) not in same:
            new.append((key, line))
    known += [key for of in same for key, _ in stands[of]]
    return Sorted(tuple(new), tuple(dict.fromkeys(known)))


def _sum(pairs: Iterable[tuple[str, Line]]) -> Money:
    return total(line.amount for _, line in pairs)


@dataclass(frozen=True, slots=True)
class Last:
    """The last statement that stands of an account."""

    name: str
    to_on: date
    closing: Money


def follows(statement: Statement, last: Last | None, *, covered: Money, new: int) -> bool:
    """Whether a checked statement brings the account forward; raises :class:`Refused` where it leaves a gap.

    ``covered`` is what those of its lines sum to that earlier statements have already (overlapping
    days), ``new`` how many they have not. False: everything in it stands already.
    """
    assert statement.opening and statement.closing and statement.to_on and statement.from_on, "checked before"
    if last is None:
        return True
    name = f"Statement {statement.number or statement.identifier}"
    if statement.to_on < last.to_on:
        if not new:
            return False
        raise Refused(
            f"{name} ends on {long_date(statement.to_on)} and brings {_lines(new)} that the statements up to "
            f"{long_date(last.to_on)} lack. Those are proved whole, so the bank has told two stories: ask it which is right."
        )
    if not new and statement.to_on == last.to_on and statement.closing.amount == last.closing:
        return False
    reached = statement.opening.amount + covered
    if reached == last.closing:
        return True
    overlap = f", with the {covered} of it that stands already," if covered else ""
    raise Refused(
        f"{name} begins with {statement.opening.amount} on {long_date(statement.from_on)}{overlap} but statement "
        f"{last.name} closed with {last.closing} on {long_date(last.to_on)}: a gap of {reached - last.closing}. "
        "A statement between the two is missing: import that one first."
    )


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"
