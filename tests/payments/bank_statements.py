"""Files as banks write them, for tests and from plain values: statements, notices and status reports in two versions each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from xml.sax.saxutils import escape

from grants.core.money import Money, total
from grants.payments.rules.sepa.values import decimal
from grants.payments.rules.statements.values import Direction, Line

OWN_IBAN = "DE89370400440532013000"
URN = "urn:iso:std:iso:20022:tech:xsd:"
DAY = date(2027, 3, 1)


def debit(cents: int = 150_000_00, **values: object) -> Line:
    """A payment that left, with everything a bank says of it."""
    line = Line(
        Money(cents),
        Direction.DEBIT,
        DAY,
        DAY,
        bank_reference="B-1",
        end_to_end_id="PCP-2027-P-0001",
        instruction_id="PCP-2027-P-0001",
        payment_id="PCP-2027-B-0001-1",
        transaction_code="PMNT-ICDT-ESCT",
        counterparty="Gmina Lodz",
        counterparty_iban="PL61109010140000071219812874",
        remittance="Interim payment",
    )
    return replace(line, **values)  # type: ignore[arg-type] -- the test names the field


def credit(cents: int = 1_000_00, **values: object) -> Line:
    """Money that came in."""
    return replace(debit(cents), direction=Direction.CREDIT, **{"bank_reference": "B-2", "end_to_end_id": "", **values})  # type: ignore[arg-type] -- as above


@dataclass(frozen=True)
class Entry:
    """One booking of a file, with its payments; ``whole`` leaves them out, as some banks do."""

    lines: tuple[Line, ...]
    whole: bool = False
    status: str = "BOOK"

    @property
    def signed(self) -> Money:
        return total(line.signed for line in self.lines)


@dataclass(frozen=True)
class Paper:
    """A statement or, as ``camt.054``, a notice."""

    entries: tuple[Entry, ...]
    kind: str = "camt.053"
    version: str = "08"
    identifier: str = "S-2027-03-01"
    number: str = "41"
    iban: str = OWN_IBAN
    opening: Money = field(default_factory=lambda: Money(1_000_000_00))
    closing: Money | None = None
    from_on: date = DAY
    to_on: date = DAY
    currency: str = "EUR"


def paper(*lines: Line | Entry, **values: object) -> Paper:
    """A statement of these lines, each a booking of its own."""
    entries = tuple(each if isinstance(each, Entry) else Entry((each,)) for each in lines)
    return replace(Paper(entries), **values)  # type: ignore[arg-type] -- the test names the field


def file_of(*papers: Paper) -> bytes:
    """The bytes of one file."""
    return "".join(pieces(papers)).encode()


def pieces(papers: Sequence[Paper]) -> Iterator[str]:
    kind, version = papers[0].kind, papers[0].version
    root, body = {"camt.053": ("BkToCstmrStmt", "Stmt"), "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}[kind]
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{URN}{kind}.001.{version}"><{root}>'
    yield "<GrpHdr><MsgId>M-1</MsgId><CreDtTm>2027-03-02T06:00:00+01:00</CreDtTm></GrpHdr>"
    for each in papers:
        yield from _paper(each, body)
    yield f"</{root}></Document>\n"


def _paper(each: Paper, body: str) -> Iterator[str]:
    yield f"<{body}><Id>{each.identifier}</Id><ElctrncSeqNb>{each.number}</ElctrncSeqNb>"
    yield "<CreDtTm>2027-03-02T06:00:00+01:00</CreDtTm>"
    yield f"<FrToDt><FrDtTm>{each.from_on}T00:00:00</FrDtTm><ToDtTm>{each.to_on}T23:59:59</ToDtTm></FrToDt>"
    yield f"<Acct><Id><IBAN>{each.iban}</IBAN></Id><Ccy>{each.currency}</Ccy></Acct>"
    if each.kind == "camt.053":
        booked = [entry.signed for entry in each.entries if entry.status == "BOOK"]
        closing = each.opening + total(booked) if each.closing is None else each.closing
        yield _balance("OPBD", each.opening, each.from_on) + _balance("CLBD", closing, each.to_on)
    for entry in each.entries:
        yield _entry(entry, each.version)
    yield f"</{body}>"


def _balance(code: str, amount: Money, on: date) -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}{_amount(amount)}<Dt><Dt>{on}</Dt></Dt></Bal>"


def _amount(signed: Money) -> str:
    way = "DBIT" if signed.cents < 0 else "CRDT"
    return f'<Amt Ccy="EUR">{decimal(abs(signed.cents))}</Amt><CdtDbtInd>{way}</CdtDbtInd>'


def _entry(entry: Entry, version: str) -> str:
    first = entry.lines[0]
    status = entry.status if version == "02" else f"<Cd>{entry.status}</Cd>"
    code = [
        f"<{name}>{part}"
        for name, part in zip(("Cd", "Cd", "SubFmlyCd"), first.transaction_code.split("-"), strict=False)
    ]
    domain = f"<Domn>{code[0]}</Cd><Fmly>{code[1]}</Cd>{code[2]}</SubFmlyCd></Fmly></Domn>" if len(code) == 3 else ""
    details = "" if entry.whole else "".join(_part(line, version, several=len(entry.lines) > 1) for line in entry.lines)
    batch = f"<Btch><NbOfTxs>{len(entry.lines)}</NbOfTxs></Btch>" if entry.whole else ""
    return (
        f"<Ntry>{_amount(entry.signed)}<RvslInd>{str(first.is_reversal).lower()}</RvslInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>{first.booked_on}</Dt></BookgDt>"
        + (f"<ValDt><Dt>{first.value_on}</Dt></ValDt>" if first.value_on else "")
        + (f"<AcctSvcrRef>{escape(first.bank_reference)}</AcctSvcrRef>" if first.bank_reference else "")
        + f"<BkTxCd>{domain}</BkTxCd><NtryDtls>{batch}{details}</NtryDtls></Ntry>"
    )


def _part(line: Line, version: str, *, several: bool) -> str:
    refs = "".join(
        f"<{name}>{escape(text)}</{name}>"
        for name, text in (
            ("PmtInfId", line.payment_id),
            ("InstrId", line.instruction_id),
            ("EndToEndId", line.end_to_end_id or "NOTPROVIDED"),
        )
        if text
    )
    amount = ""
    if several and version == "02":
        amount = f'<AmtDtls><TxAmt><Amt Ccy="EUR">{decimal(line.amount.cents)}</Amt></TxAmt></AmtDtls>'
    elif several:
        amount = _amount(line.signed)
    role = "Dbtr" if line.direction is Direction.CREDIT else "Cdtr"
    name = f"<Nm>{escape(line.counterparty)}</Nm>"
    name = name if version == "02" else f"<Pty>{name}</Pty>"
    account = (
        f"<{role}Acct><Id><IBAN>{line.counterparty_iban}</IBAN></Id></{role}Acct>" if line.counterparty_iban else ""
    )
    back = f"<RtrInf><Rsn><Cd>{line.return_reason}</Cd></Rsn></RtrInf>" if line.return_reason else ""
    return (
        f"<TxDtls><Refs>{refs}</Refs>{amount}<RltdPties><{role}>{name}</{role}>{account}</RltdPties>"
        f"<RmtInf><Ustrd>{escape(line.remittance)}</Ustrd></RmtInf>{back}</TxDtls>"
    )


def report(transfers: Iterable[tuple[str, str, str]], *, version: str = "10", status: str = "PART") -> bytes:
    """A status report of transfers: end-to-end id, status, reason."""
    parts = "".join(
        f"<TxInfAndSts><OrgnlInstrId>{name}</OrgnlInstrId><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{code}</TxSts>"
        + (
            f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn><AddtlInf>as the bank says</AddtlInf></StsRsnInf>"
            if reason
            else ""
        )
        + '<AcctSvcrRef>B-9</AcctSvcrRef><OrgnlTxRef><Amt><InstdAmt Ccy="EUR">150000.00</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
        for name, code, reason in transfers
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{URN}pain.002.001.{version}"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>R-1</MsgId><CreDtTm>2027-03-01T10:00:00Z</CreDtTm></GrpHdr>"
        "<OrgnlGrpInfAndSts><OrgnlMsgId>PCP-2027-B-0001</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"<GrpSts>{status}</GrpSts></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>PCP-2027-B-0001-1</OrgnlPmtInfId>{parts}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    ).encode()
