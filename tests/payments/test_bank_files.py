"""A bank's files are read to the cent, and whatever is none, or would harm the reader, is refused in a sentence and at once."""

from __future__ import annotations

import io
import resource
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.core.errors import Refused
from grants.core.money import Money, euros
from grants.payments.rules.statements.checks import check_statement
from grants.payments.rules.statements.values import BANK_FILE_BYTES_MAX, BankFile, Direction, Line, Statement
from grants.payments.services import bank_stream
from grants.payments.services.bank_files import read_report, read_statements
from tests.payments.bank_statements import DAY, OWN_IBAN, URN, Entry, Paper, credit, debit, file_of, paper, report


def read(data: bytes) -> Statement:
    (found,) = read_statements(io.BytesIO(data))
    return found


def refused(data: bytes) -> str:
    """What is said against a file, within two seconds."""
    began = time.monotonic()
    with pytest.raises(Refused) as caught:
        read_statements(io.BytesIO(data))
    assert time.monotonic() - began < 2
    said = str(caught.value)
    assert said.endswith(".") and said[0].isupper()
    return said


# ---------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize("version", ["02", "08"])
@pytest.mark.parametrize("kind", ["camt.053", "camt.054"])
def test_everything_a_bank_says_of_a_line_is_read(kind: str, version: str) -> None:
    sent = debit()
    back = credit(150_000_00, end_to_end_id="PCP-2027-P-0001", return_reason="AC04", bank_reference="B-3")
    taken_back = credit(5_00, is_reversal=True, bank_reference="B-4", value_on=None)

    found = read(file_of(paper(sent, back, taken_back, kind=kind, version=version)))

    assert found.lines == (sent, back, taken_back)
    assert (found.kind, found.identifier, found.number, found.iban) == (BankFile(kind), "S-2027-03-01", "41", OWN_IBAN)
    if kind == "camt.053":
        assert found.opening and found.opening.amount == euros(1_000_000)
        assert found.closing and found.closing.amount == Money(1_000_005_00)
        assert (found.from_on, found.to_on) == (DAY, DAY)
        check_statement(found)


@pytest.mark.parametrize("version", ["02", "08"])
def test_the_payments_of_a_batch_are_lines_of_their_own(version: str) -> None:
    parts = tuple(debit(cents, end_to_end_id=f"E-{cents}") for cents in (100, 250, 399))

    assert read(file_of(paper(Entry(parts), version=version))).lines == parts


def test_a_batch_whose_payments_do_not_sum_to_it_is_refused() -> None:
    data = file_of(paper(Entry((debit(100), debit(250))))).replace(b'"EUR">2.50<', b'"EUR">2.51<')

    assert "its 2 payments sum to EUR −3.51" in refused(data)


def test_a_batch_without_its_payments_is_one_line_that_says_how_many_it_stands_for() -> None:
    (line,) = read(file_of(paper(Entry((debit(100), debit(250)), whole=True)))).lines

    assert (line.amount, line.parts, line.end_to_end_id) == (Money(350), 2, "")


def test_what_is_announced_and_not_booked_is_no_line() -> None:
    found = read(file_of(paper(debit(), Entry((debit(7),), status="PDNG"))))

    assert (len(found.lines), found.announced) == (1, 1)


def test_an_overdrawn_account_has_balances_below_zero() -> None:
    found = read(file_of(paper(debit(300_00), opening=Money(100_00))))

    assert found.closing and found.closing.amount == Money(-200_00)


def test_several_statements_of_one_file_are_read_in_its_order() -> None:
    one, two = paper(debit(1)), paper(debit(2), identifier="S-2", opening=Money(999_999_99), number="42")

    found = read_statements(io.BytesIO(file_of(one, two)))

    assert [(each.number, each.lines[0].amount.cents) for each in found] == [("41", 1), ("42", 2)]


@pytest.mark.parametrize("version", ["03", "10"])
def test_a_status_report_says_what_became_of_each_transfer(version: str) -> None:
    data = report([("P-1", "RJCT", "AC01"), ("P-2", "ACSP", "")], version=version)

    found = read_report(io.BytesIO(data))

    assert (found.original_message_id, found.original_kind, found.status) == (
        "PCP-2027-B-0001",
        "pain.001.001.09",
        "PART",
    )
    (block,) = found.blocks
    assert [(each.end_to_end_id, each.status, each.reasons) for each in block.transfers] == [
        ("P-1", "RJCT", ("AC01: as the bank says",)),
        ("P-2", "ACSP", ()),
    ]
    assert block.transfers[0].amount == euros(150_000)


_LINES = st.builds(
    Line,
    amount=st.integers(1, 10**14).map(Money),
    direction=st.sampled_from(Direction),
    booked_on=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    value_on=st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    is_reversal=st.booleans(),
    bank_reference=st.sampled_from(["", "B-1", "A&B<1>"]),
    end_to_end_id=st.sampled_from(["", "PCP-2027-P-0001"]),
    counterparty=st.sampled_from(["", "Δήμος Αθηναίων", "Gmina Łódź & Co"]),
    remittance=st.sampled_from(["", "x < y"]),
)


@given(st.lists(_LINES, max_size=5), st.sampled_from(["02", "08"]))
@settings(max_examples=60)
def test_whatever_a_bank_writes_is_read_back(lines: list[Line], version: str) -> None:
    assert read(file_of(paper(*lines, version=version))).lines == tuple(lines)


# ---------------------------------------------------------------------------------------------- what is refused

GOOD = file_of(paper(debit(), credit()))
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + step, b"&%c;" % (97 + step) * 10) for step in range(12))
    + b"]>"
)
LATE = b'<?xml version="1.0"?>' + b"<!-- x -->" * 600 + b'<!DOCTYPE Document SYSTEM "file:///etc/passwd">'


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", GOOD)
    return packed.getvalue()


BAD = {
    "entity bomb": (BOMB + b"<Document>&m;</Document>", "document type"),
    "a document type further on": (LATE + GOOD.partition(b"?>")[2], "document type"),
    "another namespace": (GOOD.replace(b"camt.053.001.08", b"camt.052.001.08"), "none of the bank files"),
    "no namespace": (b"<Document><BkToCstmrStmt/></Document>", "none of the bank files"),
    "another root": (b'<Statement xmlns="%s"/>' % f"{URN}camt.053.001.08".encode(), "none of the bank files"),
    "an old version": (GOOD.replace(b"camt.053.001.08", b"camt.053.001.01"), "02 to 14"),
    "a payment order": (b'<Document xmlns="%s"/>' % f"{URN}pain.001.001.09".encode(), "none of the bank files"),
    "a status report": (report([]), "here belongs the account statement"),
    "text": (b"Date;Amount\n1;2\n", "no XML"),
    "MT940": (b":20:STARTUMSE\n:25:37040044/532013000\n", "MT940"),
    "a web page": (b"<html><body>Log in</body></html>", "none of the bank files"),
    "nothing": (b" \n", "empty"),
    "a ZIP": (zipped(), "Unpack it"),
    "cut off": (GOOD[:-200], "cut off"),
    "cut off after its lines": (GOOD[:-30], "cut off"),
    "UTF-16": (GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"), "UTF-16"),
    "another encoding": (GOOD.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1"), "ISO-8859-1"),
    "bytes that are no UTF-8": (GOOD.replace(b"Gmina", b"Gm\xffna"), "no whole XML"),
    "three decimals": (GOOD.replace(b">150000.00<", b">150000.000<"), "two decimals"),
    "a comma": (GOOD.replace(b">150000.00<", b">150000,00<"), "two decimals"),
    "a power": (GOOD.replace(b">150000.00<", b">1e6<"), "two decimals"),
    "a negative amount": (GOOD.replace(b">150000.00<", b">-150000.00<"), "two decimals"),
    "full-width digits": (GOOD.replace(b">150000.00<", ">１５.00<".encode()), "two decimals"),
    "dollars": (GOOD.replace(b'"EUR">150000.00<', b'"USD">150000.00<'), "“USD”"),
    "an account in crowns": (GOOD.replace(b"<Ccy>EUR<", b"<Ccy>SEK<"), "“SEK”"),
    "no direction": (GOOD.replace(b"DBIT", b"BOTH"), "came or went"),
    "a day that is none": (GOOD.replace(b"<BookgDt><Dt>2027-03-01", b"<BookgDt><Dt>2027-02-30"), "2027-02-30"),
    "no account": (GOOD.replace(OWN_IBAN.encode(), b" "), "IBAN"),
    "no statement": (file_of(paper()).replace(b"Stmt>", b"Other>"), "none of the bank files|holds no|empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_file_of_a_bank_is_refused_at_once(name: str) -> None:
    data, words = BAD[name]

    assert any(each in refused(data) for each in words.split("|"))


def test_the_file_the_damages_are_done_to_is_read() -> None:
    assert len(read(GOOD).lines) == 2


class Stream(io.RawIOBase):
    """A file that is made while it is read, so large as is wanted."""

    def __init__(self, head: bytes, piece: bytes, size: int) -> None:
        self.waiting, self.piece, self.left, self.read_bytes = head, piece, size, 0

    def read(self, size: int = -1) -> bytes:
        while len(self.waiting) < size and self.left > 0:
            more = self.piece * max(1, min(65_536, self.left) // len(self.piece))
            self.waiting, self.left = self.waiting + more, self.left - len(more)
        given, self.waiting = self.waiting[:size], self.waiting[size:]
        self.read_bytes += len(given)
        return given


def _flood(kind: str) -> Stream:
    start, _, end = GOOD.partition(b"<Ntry>")
    entry = b"<Ntry>" + end.partition(b"</Ntry>")[0] + b"</Ntry>"
    piece = {
        "lines": entry,
        "white space": b" " * 64,
        "small elements": b"<a/>",
        "elements between lines": b"<b>" + b"<a/>" * 40_000 + b"</b>" + entry,
        "one text": b"x" * 64,
        "comments": b"<!-- never -->",
        "payments of one entry": b"<TxDtls/>",
        "announced lines": entry.replace(b"BOOK", b"PDNG"),
    }[kind]
    before = {"one text": b"<Ntry><AddtlNtryInf>", "payments of one entry": b"<Ntry><NtryDtls>"}.get(kind, b"")
    return Stream(start + before, piece, 500_000_000)


FLOODS = (
    "lines", "white space", "small elements", "elements between lines", "one text", "comments",
    "payments of one entry", "announced lines",
)  # fmt: skip


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_ends_at_the_limit_whatever_it_is_of(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a smaller limit than the program's, so that the test is quick; none of them is read to its end."""
    monkeypatch.setattr(bank_stream, "BANK_FILE_BYTES_MAX", 4_000_000)
    monkeypatch.setattr(bank_stream, "LINES_MAX", 500)
    file, began = _flood(kind), time.process_time()

    with pytest.raises(Refused):
        read_statements(file)  # type: ignore[arg-type] -- it reads

    assert file.read_bytes <= 4_000_000 + 65_536 and time.process_time() - began < 2


def test_five_hundred_megabytes_are_refused_and_take_no_memory() -> None:
    before, file = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, _flood("white space")
    began = time.process_time()

    with pytest.raises(Refused, match="larger than"):
        read_statements(file)  # type: ignore[arg-type] -- it reads

    assert time.process_time() - began < 2
    assert file.read_bytes <= BANK_FILE_BYTES_MAX + 65_536
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_a_file_that_says_how_large_it_is_is_not_read_at_all() -> None:
    class Huge(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            return 500_000_000 if whence == 2 else super().seek(offset, whence)

        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("read")

    with pytest.raises(Refused, match="larger than 50 MB"):
        read_statements(Huge())


def _pieces(number: int) -> Iterator[Line]:
    return (debit(100 + each, end_to_end_id=f"E-{each}", bank_reference=f"B-{each}") for each in range(number))


def test_two_thousand_lines_are_read() -> None:
    lines = tuple(_pieces(2_000))
    told: list[int] = []

    (found,) = read_statements(io.BytesIO(file_of(paper(*lines))), told.append)

    assert found.lines == lines and told == [1_000, 2_000]


@given(st.integers(1, 10**9))
def test_a_statement_that_does_not_add_up_is_refused(cents: int) -> None:
    whole = paper(debit())
    wrong = replace(whole, closing=whole.opening + whole.entries[0].signed + Money(cents))

    with pytest.raises(Refused, match="does not add up"):
        check_statement(read(file_of(wrong)))


def test_a_statement_without_a_balance_proves_nothing() -> None:
    found = read(file_of(paper(debit())).replace(b"CLBD", b"CLAV"))

    with pytest.raises(Refused, match="no closing balance"):
        check_statement(found)


def test_a_page_of_a_statement_is_proved_by_its_interim_balance() -> None:
    found = read(file_of(paper(debit())).replace(b"CLBD", b"ITBD").replace(b"OPBD", b"PRCD"))

    check_statement(found)
    assert found.closing and isinstance(Paper(()).opening, Money)
