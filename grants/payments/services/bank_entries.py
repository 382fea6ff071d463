"""Statements and notices of a bank (camt.053, camt.054): each booking as lines, in parts where the bank gives the amount of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grants.core.errors import Refused
from grants.core.money import Money, total
from grants.payments.rules.statements.values import Balance, BankFile, Direction, Line, Statement, cents
from grants.payments.services.bank_stream import REMITTANCE_CHARACTERS_MAX, Walk

if TYPE_CHECKING:
    from lxml.etree import _Element

NAME_CHARACTERS_MAX = 140


@dataclass(frozen=True, slots=True)
class Part:
    """What the details of an entry say of one payment; no amount where they give none in euro."""

    amount: Money | None
    direction: Direction | None
    bank_reference: str
    end_to_end_id: str
    instruction_id: str
    payment_id: str
    transaction_code: str
    return_reason: str
    debtor: tuple[str, str]
    creditor: tuple[str, str]
    remittance: str


def statement_of(element: _Element, walk: Walk, lines: tuple[Line, ...], announced: int) -> Statement:
    iban = walk.text(element, "Acct/Id/IBAN").replace(" ", "").upper()
    identifier = walk.reference(element, "Id")
    if not iban or not identifier:
        what = "account number (IBAN)" if not iban else "identifier"
        raise Refused(f"A statement in it has no {what}. Ask the bank for it again.")
    if (currency := walk.text(element, "Acct/Ccy") or "EUR") != "EUR":
        raise Refused(f"Its account is kept in “{currency[:10]}”. Accounts are kept in euro.")
    opening, closing = _balances(element, walk) if walk.kind is BankFile.STATEMENT else (None, None)
    start, end = walk.text(element, "FrToDt/FrDtTm"), walk.text(element, "FrToDt/ToDtTm")
    return Statement(
        kind=walk.kind,
        identifier=identifier,
        iban=iban[:34],
        number=walk.reference(element, "ElctrncSeqNb", "LglSeqNb"),
        from_on=walk.day_of(start) if start else opening.on if opening else None,
        to_on=closing.on if closing else walk.day_of(end) if end else None,
        opening=opening,
        closing=closing,
        lines=lines,
        announced=announced,
    )


# The balance before the first line and after the last: booked, else of one page of several.
_OPENING, _CLOSING = ("OPBD", "PRCD", "ITBD"), ("CLBD", "ITBD")


def _balances(element: _Element, walk: Walk) -> tuple[Balance | None, Balance | None]:
    found: dict[str, list[Balance]] = {}
    for each in walk.all(element, "Bal"):
        code = walk.text(each, "Tp/CdOrPrtry/Cd")
        if code in _OPENING + _CLOSING:
            found.setdefault(code, []).append(_balance(each, code, walk))
    opening = next((found[code][0] for code in _OPENING if code in found), None)
    closing = next((found[code][-1] for code in _CLOSING if code in found), None)
    return opening, closing


def _balance(element: _Element, code: str, walk: Walk) -> Balance:
    amount = _amount(element, f"The balance {code}", walk)
    on = walk.day(element, "Dt")
    if on is None:
        raise Refused(f"The balance {code} has no day. Ask the bank for it again.")
    return Balance(amount if _direction(element, walk) is Direction.CREDIT else -amount, on)


def is_booked(entry: _Element, walk: Walk) -> bool:
    return (walk.text(entry, "Sts/Cd", "Sts") or "BOOK") == "BOOK"


def lines_of(entry: _Element, parts: tuple[Part, ...], walk: Walk) -> Iterator[Line]:
    """An entry as its parts, where it gives the amount of each; else as one line."""
    amount, direction = _amount(entry, walk.where, walk), _direction(entry, walk)
    booked_on = walk.day(entry, "BookgDt")
    if booked_on is None:
        raise Refused(f"{walk.where} has no booking day. Ask the bank for it again.")
    whole = Line(
        amount=amount,
        direction=direction,
        booked_on=booked_on,
        value_on=walk.day(entry, "ValDt"),
        is_reversal=walk.text(entry, "RvslInd") in ("true", "1"),
        bank_reference=walk.reference(entry, "AcctSvcrRef"),
        payment_id=walk.reference(entry, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId"),
        transaction_code=_code(entry, walk),
        remittance=walk.text(entry, "AddtlNtryInf"),
    )
    if not amount:
        # It moved nothing: some banks tell news so.
        return
    batch = walk.text(entry, "NtryDtls/Btch/NbOfTxs")
    count = int(batch) if batch.isdecimal() and len(batch) < 8 else 1
    if len(parts) == 1:
        line = _with(whole, parts[0], amount, direction)
        # Details that name no payment may be those of a whole file.
        yield line if line.end_to_end_id else replace(line, parts=max(1, count))
    elif parts and all(part.amount is not None for part in parts):
        yield from _split(whole, parts, walk)
    else:
        yield replace(whole, parts=max(1, count, len(parts)))


def _split(whole: Line, parts: tuple[Part, ...], walk: Walk) -> Iterator[Line]:
    lines = [_with(whole, part, part.amount or whole.amount, part.direction or whole.direction) for part in parts]
    summed = total(line.signed for line in lines)
    if summed != whole.signed:
        raise Refused(
            f"{walk.where} is of {whole.signed} and its {len(parts)} payments sum to {summed}. Ask the bank for it again."
        )
    yield from (line for line in lines if line.amount)


def _with(whole: Line, part: Part, amount: Money, direction: Direction) -> Line:
    other = part.debtor if direction is Direction.CREDIT else part.creditor
    name, iban = other if any(other) else part.debtor if any(part.debtor) else part.creditor
    return replace(
        whole,
        amount=amount,
        direction=direction,
        bank_reference=whole.bank_reference or part.bank_reference,
        end_to_end_id=part.end_to_end_id,
        instruction_id=part.instruction_id,
        payment_id=part.payment_id or whole.payment_id,
        transaction_code=whole.transaction_code or part.transaction_code,
        return_reason=part.return_reason,
        counterparty=name,
        counterparty_iban=iban,
        remittance=part.remittance or whole.remittance,
    )


def part_of(element: _Element, walk: Walk) -> Part:
    return Part(
        amount=_part_amount(element, walk),
        direction=_direction(element, walk) if walk.text(element, "CdtDbtInd") else None,
        bank_reference=walk.reference(element, "Refs/AcctSvcrRef"),
        end_to_end_id=walk.reference(element, "Refs/EndToEndId"),
        instruction_id=walk.reference(element, "Refs/InstrId"),
        payment_id=walk.reference(element, "Refs/PmtInfId", "Refs/MsgId"),
        transaction_code=_code(element, walk),
        return_reason=walk.text(element, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")[:35],
        debtor=_party(element, "Dbtr", walk),
        creditor=_party(element, "Cdtr", walk),
        remittance=" ".join(
            (each.text or "").strip() for each in walk.all(element, "RmtInf/Ustrd")
        )[:REMITTANCE_CHARACTERS_MAX],
    )  # fmt: skip


def _part_amount(element: _Element, walk: Walk) -> Money | None:
    """The amount of a part in euro: its own, or of its details as older versions give it."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        found = walk.first(element, path)
        if found is not None and found.get("Ccy") == "EUR":
            return cents((found.text or "").strip(), "EUR", where=walk.where)
    return None


def _party(element: _Element, role: str, walk: Walk) -> tuple[str, str]:
    name = walk.text(element, f"RltdPties/{role}/Pty/Nm", f"RltdPties/{role}/Nm")
    return name[:NAME_CHARACTERS_MAX], walk.text(element, f"RltdPties/{role}Acct/Id/IBAN")[:34]


def _code(element: _Element, walk: Walk) -> str:
    """The kind of booking: ``PMNT-ICDT-ESCT``, or the bank's own."""
    parts = [walk.text(element, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return "-".join(part for part in parts if part)[:35] or walk.text(element, "BkTxCd/Prtry/Cd")[:35]


def _amount(element: _Element, where: str, walk: Walk) -> Money:
    found = walk.first(element, "Amt")
    if found is None:
        raise Refused(f"{where} has no amount. Ask the bank for it again.")
    return cents((found.text or "").strip(), found.get("Ccy") or "", where=where)


def _direction(element: _Element, walk: Walk) -> Direction:
    match walk.text(element, "CdtDbtInd"):
        case "CRDT":
            return Direction.CREDIT
        case "DBIT":
            return Direction.DEBIT
    raise Refused(f"{walk.where} does not say whether money came or went. Ask the bank for it again.")
