"""A bank's files read safely: camt.053, camt.054 and pain.002, as a stream, into plain values; what is none is refused.

A file comes from outside: no document type, no entities, no other encoding than UTF-8, a limit on its bytes,
on what of it stands in memory at once and on its lines. Nothing here touches the database.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING

from grants.core.errors import Invalid, Refused
from grants.core.file_types import megabytes
from grants.core.money import Money, total
from grants.payments.rules.statements.values import (
    BANK_FILE_BYTES_MAX,
    LINES_MAX,
    MESSAGES,
    Balance,
    BankFile,
    BlockStatus,
    Direction,
    Line,
    Statement,
    StatusReport,
    TransferStatus,
    cents,
    said,
)

if TYPE_CHECKING:
    from lxml.etree import QName, _Element

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
# The versions whose elements are those read here.
_KNOWN = re.compile(re.escape(NAMESPACE) + r"(camt\.053|camt\.054|pain\.002)\.001\.(\d\d)")
_VERSIONS = {BankFile.STATEMENT: range(2, 15), BankFile.NOTICE: range(2, 15), BankFile.REPORT: range(3, 15)}
_BODY = {
    BankFile.STATEMENT: ("BkToCstmrStmt", "Stmt"),
    BankFile.NOTICE: ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    BankFile.REPORT: ("CstmrPmtStsRpt", "OrgnlPmtInfAndSts"),
}
# Where what is read lies below the message; each is let go once it was read.
_PLACES = {
    BankFile.STATEMENT: (("Stmt",), ("Stmt", "Ntry"), ("Stmt", "Ntry", "NtryDtls", "TxDtls")),
    BankFile.NOTICE: (("Ntfctn",), ("Ntfctn", "Ntry"), ("Ntfctn", "Ntry", "NtryDtls", "TxDtls")),
    BankFile.REPORT: (("OrgnlPmtInfAndSts",), ("OrgnlPmtInfAndSts", "TxInfAndSts")),
}
# What stands before the entries of a statement, and before the statements of a file; it stays until they are read.
_HEAD = frozenset(
    {
        *("GrpHdr", "Id", "StmtPgntn", "NtfctnPgntn", "ElctrncSeqNb", "RptgSeq", "LglSeqNb", "CreDtTm", "FrToDt"),
        *("CpyDplctInd", "RptgSrc", "Acct", "RltdAcct", "Intrst", "Bal", "TxsSummry", "Btch"),
        *(
            "OrgnlGrpInfAndSts",
            "OrgnlPmtInfId",
            "OrgnlNbOfTxs",
            "OrgnlCtrlSum",
            "PmtInfSts",
            "StsRsnInf",
            "NbOfTxsPerSts",
        ),
    }
)
# How much of a file may stand in memory at once.
PART_BYTES_MAX = 2_000_000
HEAD_BYTES = 65_536
_SAFE: dict[str, bool] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
NO_XML = "It is no whole XML: it was cut off on its way, or something changed it. Fetch it from the bank again."
REFERENCE_CHARACTERS_MAX = 100
REMITTANCE_CHARACTERS_MAX = 500
NAME_CHARACTERS_MAX = 140
REASON_CHARACTERS_MAX = 200


def read_statements(file: IO[bytes], progress: Callable[[int], None] | None = None) -> tuple[Statement, ...]:
    """The statements (or notices) of a file, in its order; raises :class:`Refused` with what is wrong and the way out.

    ``progress`` is told now and then how many lines were read.
    """
    walk = _Walk(file, frozenset({BankFile.STATEMENT, BankFile.NOTICE}))
    found: list[Statement] = []
    lines: list[Line] = []
    parts: list[_Part] = []
    announced = told = 0
    for place, element in walk.ended():
        walk.count()
        if place == "TxDtls":
            parts.append(_part(element, walk))
            walk.let_go(element)
        elif place == "Ntry":
            walk.entries += 1
            if _is_booked(element, walk):
                lines += _lines(element, tuple(parts), walk)
            else:
                announced += 1
            parts.clear()
            walk.let_go(element)
            if progress is not None and not walk.entries % 1_000:
                progress(told + len(lines))
        else:
            found.append(_statement(element, walk, tuple(lines), announced))
            told += len(lines)
            lines, announced = [], 0
            walk.let_go(element)
            walk.kept = 0
    if not found:
        raise Refused(f"It is an empty {walk.kind.words}: no account is in it. Ask the bank for it again.")
    return tuple(found)


def read_report(file: IO[bytes]) -> StatusReport:
    """What a bank says of a file it was sent (pain.002); raises :class:`Refused`."""
    walk = _Walk(file, frozenset({BankFile.REPORT}))
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
    walk = _Walk(file, MESSAGES)
    walk.open()
    return walk.kind


# ---------------------------------------------------------------------------------------------- the stream


@dataclass
class _Bounded:
    """A file that ends with a refusal once more than the limit was read of it."""

    file: IO[bytes]
    head: bytes
    walk: _Walk
    read_bytes: int = 0

    def read(self, size: int = -1) -> bytes:
        wanted = 65_536 if size < 0 else size
        chunk, self.head = (self.head[:wanted], self.head[wanted:]) if self.head else (self.file.read(wanted), b"")
        self.read_bytes += len(chunk)
        _refuse_size(self.read_bytes)
        self.walk.refuse_mass()
        return chunk


def _refuse_size(size: int) -> None:
    if size > BANK_FILE_BYTES_MAX:
        raise Refused(
            f"It is larger than {megabytes(BANK_FILE_BYTES_MAX)}. Ask the bank for one file a day, or one an account."
        )


# Elements of a file that ended, each with its name: of an entry, a part of it, a transfer, or of what holds these.
Ended = Iterator[tuple[str, "_Element"]]


@dataclass
class _Walk:
    """One pass through a file: where it stands, and how much of it is in memory."""

    file: IO[bytes]
    wanted: Set[BankFile]
    kind: BankFile = BankFile.STATEMENT
    space: str = ""
    entries: int = 0
    parts_read: int = 0
    root: _Element | None = None
    source: _Bounded = field(init=False)
    # Bytes read when something was let go of last, and of those that stayed.
    let_go_at: int = 0
    walked: _Element | None = None
    found: dict[str, list[_Element]] = field(default_factory=dict)
    kept: int = 0
    beside: int = 0

    def ended(self) -> Ended:
        """Each element that matters, once it is whole."""
        from lxml import etree

        head = self.open()
        self.source = _Bounded(self.file, head, self)
        places = {f"{{{self.space}}}{path[-1]}": path for path in _PLACES[self.kind]}
        events = etree.iterparse(
            self.source,
            events=("end",),
            tag=tuple(places),
            **_SAFE,
        )
        try:
            for _, element in events:
                path = places[element.tag]
                if self._stands_at(element, path):
                    yield path[-1], element
        except etree.XMLSyntaxError as error:
            raise Refused(NO_XML) from error
        self.root = events.root

    def open(self) -> bytes:
        """The first bytes; what is no bank file of the kinds wanted is refused by its first element."""
        from lxml import etree

        head = _head(self.file)

        parser = etree.XMLPullParser(events=("start",), **_SAFE)
        try:
            parser.feed(head)
        except etree.XMLSyntaxError as error:
            raise Refused(NO_XML) from error
        root = next((element for _, element in parser.read_events()), None)
        if root is None:
            raise Refused(NO_XML)
        about = root.getroottree().docinfo
        if about.doctype or about.internalDTD is not None:
            raise Refused("It declares a document type, which no bank's file does. It is not read.")
        self._recognise(etree.QName(root))
        return head

    def _recognise(self, name: QName) -> None:
        known = _KNOWN.fullmatch(name.namespace or "")
        if name.localname != "Document" or known is None:
            raise Refused(
                "It is XML, but none of the bank files that are known: account statements (camt.053), notices of "
                "bookings (camt.054) and status reports (pain.002)."
            )
        self.space, self.kind = name.namespace or "", BankFile(known[1])
        if int(known[2]) not in _VERSIONS[self.kind]:
            lowest = _VERSIONS[self.kind].start
            raise Refused(
                f"It is of the version {known[2]} of {self.kind.value}; {lowest:02d} to 14 are read. "
                "Ask the bank for one of those."
            )
        if self.kind not in self.wanted:
            wanted = " or ".join(f"{each.words} ({each.value})" for each in BankFile if each in self.wanted)
            raise Refused(f"It is a {self.kind.words} ({self.kind.value}); here belongs the {wanted}.")

    def _stands_at(self, element: _Element, path: tuple[str, ...]) -> bool:
        """Whether an element of that name is the one meant, and not one that something put elsewhere."""
        above = element.getparent()
        for name in reversed(("Document", _BODY[self.kind][0], *path[:-1])):
            if above is None or above.tag != f"{{{self.space}}}{name}":
                return False
            above = above.getparent()
        return above is None

    def let_go(self, element: _Element) -> None:
        """Free what was read: its content, and what came before it in its parent but the head."""
        parent = element.getparent()
        assert parent is not None, "what is let go lies in the document"
        element.clear()
        self.walked = None
        if (before := element.getprevious()) is not None and _local(before) not in _HEAD:
            if before.tag != element.tag:
                raise Refused(
                    f"It holds “{_local(before)[:30]}” where no bank's file does. Fetch it from the bank again."
                )
            parent.remove(before)
        if (beside := len(parent)) > self.beside:
            self.kept += self.source.read_bytes - self.let_go_at
        self.let_go_at, self.beside = self.source.read_bytes, beside

    def count(self) -> None:
        """One more part of the file was read."""
        self.parts_read += 1
        if self.parts_read > 2 * LINES_MAX:
            raise Refused(f"It has more than {LINES_MAX:,} lines. Ask the bank for one file a day, or one an account.")

    def refuse_mass(self) -> None:
        """Nothing that stands in memory at once is larger than in any real file."""
        if self.source.read_bytes - self.let_go_at > PART_BYTES_MAX or self.kept > PART_BYTES_MAX:
            raise Refused(
                "A part of it is far larger than in any bank's file, so it is not read. Fetch it from the bank again."
            )

    def message(self) -> _Element:
        """The one message of the document, when all of it was read."""
        found = None if self.root is None else self.first(self.root, _BODY[self.kind][0])
        if found is None:
            raise Refused(f"It holds no {self.kind.words}. Ask the bank for it again.")
        return found

    def first(self, parent: _Element, path: str) -> _Element | None:
        found = self.all(parent, path)
        return found[0] if found else None

    def all(self, parent: _Element, path: str) -> list[_Element]:
        return self._paths(parent).get(path, [])

    def _paths(self, parent: _Element) -> dict[str, list[_Element]]:
        """Every element below one, by its path: one walk instead of a search for each path that is asked for."""
        if self.walked is not parent:
            self.walked, self.found = parent, {}
            self._gather(parent, "")
        return self.found

    def _gather(self, parent: _Element, prefix: str) -> None:
        start = len(self.space) + 2
        for child in parent:
            tag = child.tag
            if isinstance(tag, str) and tag.startswith(f"{{{self.space}}}"):
                path = prefix + tag[start:]
                self.found.setdefault(path, []).append(child)
                if len(child):
                    self._gather(child, f"{path}/")

    def text(self, parent: _Element, *paths: str) -> str:
        """The text at the first of these paths that has one."""
        for path in paths:
            found = self.first(parent, path)
            if found is not None and (text := (found.text or "").strip()):
                return text[:REMITTANCE_CHARACTERS_MAX]
        return ""

    def reference(self, parent: _Element, *paths: str) -> str:
        """A reference at one of these paths; empty where the bank says that there is none."""
        text = said(self.text(parent, *paths))
        if len(text) > REFERENCE_CHARACTERS_MAX:
            raise Refused(f"{self.where} has a reference of more than {REFERENCE_CHARACTERS_MAX} characters.")
        return text

    def day(self, parent: _Element, name: str) -> date | None:
        """The day of a date or a moment; of a moment, the one the bank wrote."""
        text = self.text(parent, f"{name}/Dt", f"{name}/DtTm")
        return self.day_of(text) if text else None

    def day_of(self, text: str) -> date:
        """A day as it is spelled in a file, with or without a time or a zone."""
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            raise Refused(
                f"{self.where} has the day “{text[:30]}”, which does not exist. Ask the bank for it again."
            ) from None

    @property
    def where(self) -> str:
        """The entry that is being read, for a refusal."""
        return f"Entry {max(1, self.entries)}"


def _local(element: _Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _head(file: IO[bytes]) -> bytes:
    """The first bytes, once they could be those of a bank's file, and the whole of it is not too large."""
    if file.seekable():
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        _refuse_size(size)
    head = file.read(HEAD_BYTES)
    if not head.strip():
        raise Refused("It is empty. Choose the file again.")
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        raise Refused("It is a packed archive (ZIP). Unpack it and upload the files in it one by one.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")):
        raise Refused(
            "It is written in UTF-16; a bank's file is in UTF-8. Fetch it from the bank again, without opening it in between."
        )
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b":20:", b"{1:")):
        raise Refused("It is a statement in SWIFT's older form (MT940). Ask the bank for camt.053.")
    if not text.startswith(b"<"):
        raise Refused(
            "It is no XML, whatever its name says. Choose the file as the bank made it (camt.053 or camt.054)."
        )
    declared = _ENCODING.match(text)
    if declared and declared[1].upper() not in (b"UTF-8", b"US-ASCII", b"ASCII"):
        raise Refused(
            f"It is written in {declared[1].decode()[:20]}; a bank's file is in UTF-8. Fetch it from the bank again, "
            "without opening it in between."
        )
    if b"<!doctype" in head.lower():
        raise Refused("It declares a document type, which no bank's file does. It is not read.")
    return head


# ---------------------------------------------------------------------------------------------- statements and notices


@dataclass(frozen=True, slots=True)
class _Part:
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


def _statement(element: _Element, walk: _Walk, lines: tuple[Line, ...], announced: int) -> Statement:
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


def _balances(element: _Element, walk: _Walk) -> tuple[Balance | None, Balance | None]:
    found: dict[str, list[Balance]] = {}
    for each in walk.all(element, "Bal"):
        code = walk.text(each, "Tp/CdOrPrtry/Cd")
        if code in _OPENING + _CLOSING:
            found.setdefault(code, []).append(_balance(each, code, walk))
    opening = next((found[code][0] for code in _OPENING if code in found), None)
    closing = next((found[code][-1] for code in _CLOSING if code in found), None)
    return opening, closing


def _balance(element: _Element, code: str, walk: _Walk) -> Balance:
    amount = _amount(element, f"The balance {code}", walk)
    on = walk.day(element, "Dt")
    if on is None:
        raise Refused(f"The balance {code} has no day. Ask the bank for it again.")
    return Balance(amount if _direction(element, walk) is Direction.CREDIT else -amount, on)


def _is_booked(entry: _Element, walk: _Walk) -> bool:
    return (walk.text(entry, "Sts/Cd", "Sts") or "BOOK") == "BOOK"


def _lines(entry: _Element, parts: tuple[_Part, ...], walk: _Walk) -> Iterator[Line]:
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
    if len(parts) == 1:
        yield _with(whole, parts[0], amount, direction)
    elif parts and all(part.amount is not None for part in parts):
        yield from _split(whole, parts, walk)
    else:
        batch = walk.text(entry, "NtryDtls/Btch/NbOfTxs")
        count = int(batch) if batch.isdecimal() and len(batch) < 8 else 1
        yield replace(whole, parts=max(1, count, len(parts)))


def _split(whole: Line, parts: tuple[_Part, ...], walk: _Walk) -> Iterator[Line]:
    lines = [_with(whole, part, part.amount or whole.amount, part.direction or whole.direction) for part in parts]
    summed = total(line.signed for line in lines)
    if summed != whole.signed:
        raise Refused(
            f"{walk.where} is of {whole.signed} and its {len(parts)} payments sum to {summed}. Ask the bank for it again."
        )
    yield from (line for line in lines if line.amount)


def _with(whole: Line, part: _Part, amount: Money, direction: Direction) -> Line:
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


def _part(element: _Element, walk: _Walk) -> _Part:
    return _Part(
        amount=_part_amount(element, walk),
        direction=_direction(element, walk) if walk.text(element, "CdtDbtInd") else None,
        bank_reference=walk.reference(element, "Refs/AcctSvcrRef"),
        end_to_end_id=walk.reference(element, "Refs/EndToEndId"),
        instruction_id=walk.reference(element, "Refs/InstrId"),
        payment_id=walk.reference(element, "Refs/PmtInfId"),
        transaction_code=_code(element, walk),
        return_reason=walk.text(element, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")[:35],
        debtor=_party(element, "Dbtr", walk),
        creditor=_party(element, "Cdtr", walk),
        remittance=" ".join(
            (each.text or "").strip() for each in walk.all(element, "RmtInf/Ustrd")
        )[:REMITTANCE_CHARACTERS_MAX],
    )  # fmt: skip


def _part_amount(element: _Element, walk: _Walk) -> Money | None:
    """The amount of a part in euro: its own, or of its details as older versions give it."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        found = walk.first(element, path)
        if found is not None and found.get("Ccy") == "EUR":
            return cents((found.text or "").strip(), "EUR", where=walk.where)
    return None


def _party(element: _Element, role: str, walk: _Walk) -> tuple[str, str]:
    name = walk.text(element, f"RltdPties/{role}/Pty/Nm", f"RltdPties/{role}/Nm")
    return name[:NAME_CHARACTERS_MAX], walk.text(element, f"RltdPties/{role}Acct/Id/IBAN")[:34]


def _code(element: _Element, walk: _Walk) -> str:
    """The kind of booking: ``PMNT-ICDT-ESCT``, or the bank's own."""
    parts = [walk.text(element, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return "-".join(part for part in parts if part)[:35] or walk.text(element, "BkTxCd/Prtry/Cd")[:35]


def _amount(element: _Element, where: str, walk: _Walk) -> Money:
    found = walk.first(element, "Amt")
    if found is None:
        raise Refused(f"{where} has no amount. Ask the bank for it again.")
    return cents((found.text or "").strip(), found.get("Ccy") or "", where=where)


def _direction(element: _Element, walk: _Walk) -> Direction:
    match walk.text(element, "CdtDbtInd"):
        case "CRDT":
            return Direction.CREDIT
        case "DBIT":
            return Direction.DEBIT
    raise Refused(f"{walk.where} does not say whether money came or went. Ask the bank for it again.")


# ---------------------------------------------------------------------------------------------- status reports


def _transfer_status(element: _Element, walk: _Walk) -> TransferStatus:
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


def _reasons(element: _Element, walk: _Walk) -> tuple[str, ...]:
    """Each reason as the bank gives it: its code, and what it adds."""
    found = []
    for each in walk.all(element, "StsRsnInf"):
        code = walk.text(each, "Rsn/Cd", "Rsn/Prtry")
        added = " ".join((more.text or "").strip() for more in walk.all(each, "AddtlInf"))
        if text := ": ".join(part for part in (code, added) if part):
            found.append(text[:REASON_CHARACTERS_MAX])
    return tuple(found)
