"""A bank's file as a stream: what it is, element by element, and never more of it in memory than any real file needs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import date
from typing import IO, TYPE_CHECKING

from grants.core.errors import Refused
from grants.core.file_types import megabytes
from grants.payments.rules.statements.values import BANK_FILE_BYTES_MAX, LINES_MAX, BankFile, said

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


@dataclass
class _Bounded:
    """A file that ends with a refusal once more than the limit was read of it."""

    file: IO[bytes]
    head: bytes
    walk: Walk
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
class Walk:
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
        start, space, found = len(self.space) + 2, f"{{{self.space}}}", self.found
        for child in parent:
            tag = child.tag
            if isinstance(tag, str) and tag.startswith(space):
                path = prefix + tag[start:]
                if (several := found.get(path)) is None:
                    found[path] = [child]
                else:
                    several.append(child)
                if len(child):
                    self._gather(child, f"{path}/")

    def text(self, parent: _Element, *paths: str) -> str:
        """The text at the first of these paths that has one."""
        # Asked a quarter of a million times of a statement: nothing stands between it and what was gathered.
        found = self.found if self.walked is parent else self._paths(parent)
        for path in paths:
            if (several := found.get(path)) and (text := (several[0].text or "").strip()):
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
