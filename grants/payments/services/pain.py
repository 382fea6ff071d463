"""Bank files of payments (ISO 20022 pain.001): a pay run written, the same bytes each time, and read back before it leaves.

Nothing here touches the database: who builds a file calls :func:`make` in an act and keeps the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from grants.core.errors import Refused
from grants.payments.rules.sepa.checks import check, fitted
from grants.payments.rules.sepa.files import FILE, ReadFile, ReadTransfer, check_read
from grants.payments.rules.sepa.table import Code, Finding
from grants.payments.rules.sepa.values import Account, Address, Layout, Party, PayRun, Transfer, decimal

if TYPE_CHECKING:
    from lxml.etree import _Element

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
# What stands for a bank whose BIC is not given: within SEPA the IBAN is enough.
NO_BIC = "NOTPROVIDED"
_BIC: Mapping[Layout, str] = {Layout.V03: "BIC", Layout.V09: "BICFI"}
# The parts of an address in the order of both schemas, and their names here.
_ADDRESS = {"StrtNm": "street", "BldgNb": "building", "PstCd": "postcode", "TwnNm": "town", "Ctry": "country"}


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a run: the run as banks read it, its file where nothing refused it, and everything that was found."""

    run: PayRun
    data: bytes | None
    findings: tuple[Finding, ...]


def make(run: PayRun, today: date, *, used: Set[str] = frozenset()) -> Made:
    """Fit a run, hold it against every rule, write it, and read what was written back; no bytes where a rule refuses.

    ``used`` are the identifiers of earlier files. The same run gives the same bytes, whenever it is asked for.
    """
    ready, notes = fitted(run)
    findings = notes + check(ready, today, used=used)
    if any(each.refuses for each in findings):
        return Made(ready, None, findings)
    data = write(ready)
    # The warnings of the run were said above; what its file adds to them is what counts.
    said = set(findings)
    added = tuple(each for each in check_file(data, ready, today, used=used) if each not in said)
    return Made(ready, None if any(each.refuses for each in added) else data, findings + added)


def check_file(data: bytes, run: PayRun, today: date, *, used: Set[str] = frozenset()) -> tuple[Finding, ...]:
    """What stands against these bytes as the file of this (fitted) run.

    Whatever is read out of them is named by its rule; a difference that reading does not see, in whatever place, is refused all
    the same, since the run has one file only.
    """
    try:
        read_file = read(data)
    except Refused as error:
        return (Finding(Code.FILE_STRUCTURE, FILE, str(error)),)
    found = check_read(read_file, run, today, used=used)
    if not any(each.refuses for each in found) and data != write(run):
        found += (Finding(Code.FILE_DIFFERS, FILE, "its bytes are not those of the run."),)
    return found


def write(run: PayRun) -> bytes:
    """The file of a fitted run in its version; deterministic, and checked by whoever calls this (:func:`make` does)."""
    from lxml import etree

    space = NAMESPACE + run.layout
    document = etree.Element(f"{{{space}}}Document", nsmap={None: space})
    message = _add(document, "CstmrCdtTrfInitn")
    _write_head(_add(message, "GrpHdr"), run)
    _write_block(_add(message, "PmtInf"), run)
    return DECLARATION + bytes(etree.tostring(document, encoding="UTF-8", xml_declaration=False, pretty_print=True))


def read(data: bytes) -> ReadFile:
    """A file with its figures as text; raises :class:`Refused` for what is no payment message or has a document type."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        document = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Refused("it is no XML.") from error
    if document.getroottree().docinfo.doctype:
        raise Refused("it declares a document type, which no payment message has.")
    name = etree.QName(document)
    space = name.namespace or ""
    if name.localname != "Document" or not space.startswith(NAMESPACE):
        raise Refused("it is no ISO 20022 document.")
    return _read_document(document, _Names(space))


def _add(parent: _Element, name: str, text: str | None = None) -> _Element:
    from lxml import etree

    space = parent.tag.rpartition("}")[0]
    element = etree.SubElement(parent, f"{space}}}{name}")
    element.text = text
    return element


def _path(parent: _Element, path: str, text: str) -> None:
    """Nested elements, the innermost with the text: ``Id/IBAN``."""
    *outer, last = path.split("/")
    for name in outer:
        parent = _add(parent, name)
    _add(parent, last, text)


def _write_head(head: _Element, run: PayRun) -> None:
    _add(head, "MsgId", run.message_id)
    _add(head, "CreDtTm", run.stamp)
    _add(head, "NbOfTxs", str(len(run.transfers)))
    _add(head, "CtrlSum", decimal(run.cents))
    _path(head, "InitgPty/Nm", run.debtor.name)


def _write_block(block: _Element, run: PayRun) -> None:
    _add(block, "PmtInfId", run.payment_id)
    _add(block, "PmtMtd", "TRF")
    _add(block, "BtchBookg", "true" if run.batch_booking else "false")
    _add(block, "NbOfTxs", str(len(run.transfers)))
    _add(block, "CtrlSum", decimal(run.cents))
    _path(block, "PmtTpInf/SvcLvl/Cd", run.service_level)
    _path(block, _day_path(run.layout), run.execution_on.isoformat())
    _write_party(_add(block, "Dbtr"), run.debtor)
    _path(block, "DbtrAcct/Id/IBAN", run.debtor.account.iban)
    bank = _add(block, "DbtrAgt")
    if run.debtor.account.bic:
        _path(bank, f"FinInstnId/{_BIC[run.layout]}", run.debtor.account.bic)
    else:
        _path(bank, "FinInstnId/Othr/Id", NO_BIC)
    _add(block, "ChrgBr", run.charge_bearer)
    for transfer in run.transfers:
        _write_transfer(_add(block, "CdtTrfTxInf"), transfer, run.layout)


def _day_path(layout: Layout) -> str:
    return "ReqdExctnDt/Dt" if layout is Layout.V09 else "ReqdExctnDt"


def _write_transfer(element: _Element, transfer: Transfer, layout: Layout) -> None:
    names = _add(element, "PmtId")
    _add(names, "InstrId", transfer.instruction_id)
    _add(names, "EndToEndId", transfer.end_to_end_id)
    amount = _add(_add(element, "Amt"), "InstdAmt", decimal(transfer.amount.cents))
    amount.set("Ccy", transfer.amount.currency)
    if transfer.payee.account.bic:
        _path(element, f"CdtrAgt/FinInstnId/{_BIC[layout]}", transfer.payee.account.bic)
    _write_party(_add(element, "Cdtr"), transfer.payee)
    _path(element, "CdtrAcct/Id/IBAN", transfer.payee.account.iban)
    if transfer.remittance:
        _path(element, "RmtInf/Ustrd", transfer.remittance)


def _write_party(element: _Element, party: Party) -> None:
    _add(element, "Nm", party.name)
    if not party.address.given:
        return
    address = _add(element, "PstlAdr")
    for name, part in _ADDRESS.items():
        text = getattr(party.address, part)
        if text:
            _add(address, name, text)
    for line in party.address.lines:
        _add(address, "AdrLine", line)


@dataclass(frozen=True, slots=True)
class _Names:
    """Looks elements up by path within the namespace of one document."""

    space: str

    @property
    def layout(self) -> str:
        return self.space.removeprefix(NAMESPACE)

    def all(self, parent: _Element, path: str) -> list[_Element]:
        return list(parent.findall("/".join(f"{{{self.space}}}{name}" for name in path.split("/"))))

    def text(self, parent: _Element, path: str) -> str:
        """The text of the one element at a path; nothing where there is none. Raises :class:`Refused` for two."""
        found = self.all(parent, path)
        if len(found) > 1:
            raise Refused(f"it has {len(found)} elements {path} where one belongs.")
        return (found[0].text or "") if found else ""


def _read_document(document: _Element, names: _Names) -> ReadFile:
    heads = names.all(document, "CstmrCdtTrfInitn/GrpHdr")
    blocks = names.all(document, "CstmrCdtTrfInitn/PmtInf")
    if len(heads) != 1 or not blocks:
        raise Refused("it is no credit transfer of one head and a payment block.")
    head, block = heads[0], blocks[0]
    return ReadFile(
        layout=names.layout,
        message_id=names.text(head, "MsgId"),
        created_at=names.text(head, "CreDtTm"),
        count=names.text(head, "NbOfTxs"),
        total=names.text(head, "CtrlSum"),
        initiator=names.text(head, "InitgPty/Nm"),
        blocks=len(blocks),
        payment_id=names.text(block, "PmtInfId"),
        method=names.text(block, "PmtMtd"),
        batch_booking=names.text(block, "BtchBookg"),
        block_count=names.text(block, "NbOfTxs"),
        block_total=names.text(block, "CtrlSum"),
        service_level=names.text(block, "PmtTpInf/SvcLvl/Cd"),
        execution_on=names.text(block, "ReqdExctnDt/Dt" if names.layout == Layout.V09 else "ReqdExctnDt"),
        charge_bearer=names.text(block, "ChrgBr"),
        debtor=_read_party(block, "Dbtr", names),
        transfers=tuple(_read_transfer(each, names) for each in names.all(block, "CdtTrfTxInf")),
    )


def _read_transfer(element: _Element, names: _Names) -> ReadTransfer:
    amounts = names.all(element, "Amt/InstdAmt")
    return ReadTransfer(
        instruction_id=names.text(element, "PmtId/InstrId"),
        end_to_end_id=names.text(element, "PmtId/EndToEndId"),
        amount=names.text(element, "Amt/InstdAmt"),
        currency=str(amounts[0].get("Ccy", "")) if amounts else "",
        payee=_read_party(element, "Cdtr", names),
        remittance=names.text(element, "RmtInf/Ustrd"),
    )


def _read_party(element: _Element, role: str, names: _Names) -> Party:
    parts = {part: names.text(element, f"{role}/PstlAdr/{name}") for name, part in _ADDRESS.items()}
    lines = tuple(each.text or "" for each in names.all(element, f"{role}/PstlAdr/AdrLine"))
    bic = _BIC[Layout.V03 if names.layout == Layout.V03 else Layout.V09]
    account = Account(names.text(element, f"{role}Acct/Id/IBAN"), names.text(element, f"{role}Agt/FinInstnId/{bic}"))
    return Party(names.text(element, f"{role}/Nm"), account, Address(lines=lines, **parts))
