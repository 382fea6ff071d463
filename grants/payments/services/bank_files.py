"""A bank's files read safely: camt.053, camt.054 and pain.002, as a stream, into plain values; what is none is refused.

A file comes from outside: no document type, no entities, no other encoding than UTF-8, a limit on its bytes,
on what of it stands in memory at once and on its lines. Nothing here touches the database.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from grants.core.errors import Invalid, Refused
from grants.payments.rules.statements.values import (
    MESSAGES,
    BankFile,
    BlockStatus,
    Line,
    Statement,
    StatusReport,
    TransferStatus,
    cents,
)
from grants.payments.services.bank_entries import Part, is_booked, lines_of, part_of, statement_of
from grants.payments.services.bank_stream import Walk

if TYPE_CHECKING:
    from lxml.etree import _Element

REASON_CHARACTERS_MAX = 200


def read_statements(file: IO[bytes], progress: Callable[[int], None] | None = None) -> tuple[Statement, ...]:
    """The statements (or notices) of a file, in its order; raises :class:`Refused` with what is wrong and the way out.

    ``progress`` is told now and then how many lines were read.
    """
    walk = Walk(file, frozenset({BankFile.STATEMENT, BankFile.NOTICE}))
    found: list[Statement] = []
    lines: list[Line] = []
    parts: list[Part] = []
    announced = told = 0
    for place, element in walk.ended():
        walk.count()
        if place == "TxDtls":
            parts.append(part_of(element, walk))
            walk.let_go(element)
        elif place == "Ntry":
            walk.entries += 1
            if is_booked(element, walk):
                lines += lines_of(element, tuple(parts), walk)
            else:
                announced += 1
            parts.clear()
            walk.let_go(element)
            if progress is not None and not walk.entries % 1_000:
                progress(told + len(lines))
        else:
            found.append(statement_of(element, walk, tuple(lines), announced))
            told += len(lines)
            lines, announced = [], 0
            walk.let_go(element)
            walk.kept = 0
    if not found:
        raise Refused(f"It is an empty {walk.kind.words}: no account is in it. Ask the bank for it again.")
    return tuple(found)


def read_report(file: IO[bytes]) -> StatusReport:
    """What a bank says of a file it was sent (pain.002); raises :class:`Refused`."""
    walk = Walk(file, frozenset({BankFile.REPORT}))
    blocks: list[BlockStatus] = []
    transfers: list[TransferStatus] = []
    for place, element in walk.ended():
        walk.count()
        if place == "TxInfAndSts":
            transfers.append(_transfer_status(element, walk))
            walk.let_go(element)
        else:
            blocks.append(
                BlockStatus(
                    walk.reference(element, "OrgnlPmtInfId"),
                    walk.text(element, "PmtInfSts"),
                    _reasons(element, walk),
                    tuple(transfers),
                )
            )
            transfers = []
            walk.let_go(element)
    message = walk.message()
    original = walk.first(message, "OrgnlGrpInfAndSts")
    if original is None:
        raise Refused("It names no file that it answers. Ask the bank for it again.")
    return StatusReport(
        message_id=walk.reference(message, "GrpHdr/MsgId"),
        original_message_id=walk.reference(original, "OrgnlMsgId"),
        original_kind=walk.reference(original, "OrgnlMsgNmId"),
        status=walk.text(original, "GrpSts"),
        reasons=_reasons(original, walk),
        blocks=tuple(blocks),
    )


XML = "application/xml"


def look(path: Path, name: str) -> str:
    """The media type of an upload that begins as a bank's file does; raises :class:`Invalid`. It is read by a worker later."""
    try:
        with path.open("rb") as file:
            kind_of(file)
    except Refused as error:
        raise Invalid(f"“{name}” cannot be imported. {error}") from error
    return XML


def kind_of(file: IO[bytes]) -> BankFile:
    """What a file says in its first bytes that it is; raises :class:`Refused` for what is none."""
    walk = Walk(file, MESSAGES)
    walk.open()
    return walk.kind


def _transfer_status(element: _Element, walk: Walk) -> TransferStatus:
    amount = walk.first(element, "OrgnlTxRef/Amt/InstdAmt")
    return TransferStatus(
        end_to_end_id=walk.reference(element, "OrgnlEndToEndId"),
        instruction_id=walk.reference(element, "OrgnlInstrId"),
        status=walk.text(element, "TxSts"),
        reasons=_reasons(element, walk),
        bank_reference=walk.reference(element, "AcctSvcrRef"),
        amount=None
        if amount is None
        else cents((amount.text or "").strip(), amount.get("Ccy") or "", where="A transfer"),
    )


def _reasons(element: _Element, walk: Walk) -> tuple[str, ...]:
    """Each reason as the bank gives it: its code, and what it adds."""
    found = []
    for each in walk.all(element, "StsRsnInf"):
        code = walk.text(each, "Rsn/Cd", "Rsn/Prtry")
        added = " ".join((more.text or "").strip() for more in walk.all(each, "AddtlInf"))
        if text := ": ".join(part for part in (code, added) if part):
            found.append(text[:REASON_CHARACTERS_MAX])
    return tuple(found)
