"""Bank files: valid by their schema, refused by our rules where the schema sees nothing, the same bytes each time."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from grants.core.errors import Refused
from grants.core.money import Money
from grants.payments.rules.sepa.checks import fitted
from grants.payments.rules.sepa.table import Code
from grants.payments.rules.sepa.values import Account, Address, Layout, PayRun, decimal
from grants.payments.services import pain
from tests.payments.pay_runs import ATHENS, LODZ, RUN, TODAY, codes, first, payee, refused, runs, transfer


@cache
def schema(layout: Layout) -> Any:
    """The schema of the message, which comes with a package of the lock for tests; without it these tests fail."""
    found = importlib.util.find_spec("sepaxml")
    assert found is not None and found.origin is not None, "install the packages of requirements-dev.txt"
    return etree.XMLSchema(etree.parse(Path(found.origin).parent / "schemas" / f"{layout}.xsd"))


def valid(data: bytes, layout: Layout = Layout.V09) -> bool:
    return bool(schema(layout).validate(etree.fromstring(data)))


def file_of(run: PayRun = RUN) -> bytes:
    made = pain.make(run, TODAY)
    assert made.data is not None, made.findings
    return made.data


def damaged(old: str, new: str, count: int = 1) -> bytes:
    """The right file with one thing altered as somebody with an editor would."""
    text = file_of().decode()
    assert old in text
    return text.replace(old, new, count).encode()


def group(text: bytes) -> bytes:
    return text[text.index(b"<GrpHdr>") : text.index(b"</GrpHdr>")]


LINES = "<PstlAdr>\n            <AdrLine>ul. Polna 4, 90-926 Lodz</AdrLine>\n          </PstlAdr>"
PARTED = (
    "<PstlAdr>\n            <StrtNm>ul. Polna</StrtNm>\n            <BldgNb>4</BldgNb>\n            <PstCd>90-926</PstCd>\n"
    "            <TwnNm>Lodz</TwnNm>\n            <Ctry>PL</Ctry>\n          </PstlAdr>"
)
# money_and_trust M11: what the schema accepts. Each is refused here by a rule of its own.
NINE: dict[str, tuple[str, str, Code]] = {
    "check digits": ("PL61109010140000071219812874", "PL62109010140000071219812874", Code.IBAN),
    "zero": ('Ccy="EUR">150000.00<', 'Ccy="EUR">0.00<', Code.AMOUNT_SMALL),
    "three decimals": ('Ccy="EUR">150000.00<', 'Ccy="EUR">150000.000<', Code.AMOUNT_DECIMALS),
    "number": ("<NbOfTxs>3<", "<NbOfTxs>4<", Code.FILE_COUNT),
    "sum": ("<CtrlSum>300000.01<", "<CtrlSum>300000.02<", Code.FILE_SUM),
    "dollars": ('Ccy="EUR">150000.00<', 'Ccy="USD">150000.00<', Code.CURRENCY),
    "long name": ("<Nm>Gmina Lodz<", f"<Nm>{'N' * 100}<", Code.NAME_LENGTH),
    "Greek": ("<Nm>Dimos Athinaion<", "<Nm>Δήμος Αθηναίων<", Code.TEXT_CHARACTERS),
    "address in lines": (PARTED, LINES, Code.ADDRESS_LINES),
}


@pytest.mark.parametrize("name", NINE)
def test_each_of_nine_damages_passes_the_schema_and_not_our_rules(name: str) -> None:
    old, new, code = NINE[name]
    data = damaged(old, new)

    assert valid(data)
    assert code in refused(pain.check_file(data, RUN, TODAY))


def test_the_nine_damages_are_done_to_a_file_nothing_stands_against() -> None:
    assert valid(file_of())
    assert pain.check_file(file_of(), RUN, TODAY) == ()


@pytest.mark.parametrize(("element", "code"), [("NbOfTxs", Code.FILE_COUNT), ("CtrlSum", Code.FILE_SUM)])
def test_number_and_sum_are_held_against_the_payments_in_both_places(element: str, code: Code) -> None:
    """The head alone, then the payment block alone."""
    right = file_of().decode()
    places = [found.start() for found in re.finditer(f"<{element}>", right)]
    assert len(places) == 2

    for place in places:
        data = (right[:place] + right[place:].replace(f"<{element}>", f"<{element}>9", 1)).encode()
        assert valid(data)
        assert refused(pain.check_file(data, RUN, TODAY)) == {code}


def test_the_schema_refuses_what_it_is_said_to_refuse() -> None:
    """So that a schema that accepted everything would be seen."""
    assert not valid(damaged('Ccy="EUR">150000.00<', 'Ccy="EUR">-1.00<'))
    assert not valid(damaged("<Nm>Gmina Lodz<", f"<Nm>{'N' * 141}<"))
    assert not valid(file_of(), Layout.V03)


@given(runs)
def test_any_right_run_gives_a_valid_file_that_reads_back_as_it(run: PayRun) -> None:
    made = pain.make(run, TODAY)

    assert made.data is not None
    assert valid(made.data, run.layout)
    assert refused(pain.check_file(made.data, made.run, TODAY)) == set()
    read = pain.read(made.data)
    assert [each.amount for each in read.transfers] == [decimal(each.amount.cents) for each in run.transfers]
    assert [each.end_to_end_id for each in read.transfers] == [each.end_to_end_id for each in run.transfers]
    assert (read.total, read.block_total) == (decimal(run.cents), decimal(run.cents))


@given(runs, runs)
def test_the_file_of_one_run_is_never_that_of_another(run: PayRun, other: PayRun) -> None:
    mine, its = pain.make(run, TODAY), pain.make(other, TODAY)
    assert mine.data is not None and its.data is not None

    assert (mine.data == its.data) == (refused(pain.check_file(mine.data, its.run, TODAY)) == set())


ALTERED: list[PayRun] = [
    replace(RUN, message_id="PCP-2027-B-0002"),
    replace(RUN, payment_id="PCP-2027-B-0002"),
    replace(RUN, created_at=RUN.created_at + timedelta(seconds=1)),
    replace(RUN, execution_on=date(2027, 3, 3)),
    replace(RUN, batch_booking=True),
    replace(RUN, layout=Layout.V03),
    replace(RUN, debtor=replace(RUN.debtor, name="Other Programme")),
    replace(RUN, debtor=replace(RUN.debtor, account=Account("DE02120300000000202051"))),
    replace(RUN, transfers=RUN.transfers[:2]),
    replace(RUN, transfers=RUN.transfers[::-1]),
    first(RUN, amount=Money(150_000_01)),
    first(RUN, end_to_end_id="PCP-2027-P-0009"),
    first(RUN, instruction_id="PCP-2027-P-0009"),
    first(RUN, remittance="Other words"),
    payee(RUN, name="Gmina Lask"),
    payee(RUN, account=Account("BE68539007547034")),
    payee(RUN, address=Address("PL", "Lask")),
]


@pytest.mark.parametrize("approved", ALTERED)
def test_a_file_that_says_anything_else_than_was_approved_is_refused(approved: PayRun) -> None:
    found = pain.check_file(file_of(), approved, TODAY)

    assert refused(found) & {Code.FILE_DIFFERS, Code.FILE_LAYOUT}


def test_a_changed_payment_is_named_with_what_changed() -> None:
    found = pain.check_file(file_of(), first(payee(RUN, name="Gmina Lask"), amount=Money(1)), TODAY)

    assert found[0].words.startswith(
        "Payment 1 (PCP-2027-P-0001): the file says otherwise about the amount, the payee’s name."
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # What reading does not look at: valid by the schema, and no byte of it ours.
        ("</CdtrAcct>", "</CdtrAcct>\n        <Purp>\n          <Cd>SALA</Cd>\n        </Purp>"),
        ("<GrpHdr>", "<GrpHdr><!-- seen -->"),
        ("<MsgId>", "<MsgId >"),
    ],
)
def test_what_is_slipped_into_a_file_is_refused_although_the_schema_takes_it(old: str, new: str) -> None:
    data = damaged(old, new)

    assert valid(data)
    assert refused(pain.check_file(data, RUN, TODAY)) == {Code.FILE_DIFFERS}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<PmtMtd>TRF<", "<PmtMtd>CHK<", Code.FILE_STRUCTURE),
        ("<BtchBookg>false<", "<BtchBookg>0<", Code.FILE_STRUCTURE),
        ("T09:30:00Z<", "T09:30:00<", Code.FILE_STRUCTURE),
        ("T09:30:00Z<", "T29:30:00Z<", Code.FILE_STRUCTURE),
        ("<Dt>2027-03-02<", "<Dt>2027-02-30<", Code.FILE_STRUCTURE),
        ("<Cd>SEPA<", "<Cd>URGP<", Code.SERVICE_LEVEL),
        ("<ChrgBr>SLEV<", "<ChrgBr>SHAR<", Code.CHARGE_BEARER),
        ("pain.001.001.09", "pain.001.001.10", Code.FILE_LAYOUT),
        ('Ccy="EUR">150000.00<', 'Ccy="EUR">150000.0<', Code.AMOUNT_DECIMALS),
        ('Ccy="EUR">150000.00<', 'Ccy="EUR">-150000.00<', Code.AMOUNT_DECIMALS),
        ('Ccy="EUR">150000.00<', 'Ccy="EUR">١٥٠٠٠٠.٠٠<', Code.AMOUNT_DECIMALS),
        ("<MsgId>", "<MsgId>A</MsgId><MsgId>", Code.FILE_STRUCTURE),
    ],
)
def test_other_damages_of_a_file_have_their_rule(old: str, new: str, code: Code) -> None:
    assert code in refused(pain.check_file(damaged(old, new), RUN, TODAY))


def test_a_second_payment_block_is_refused() -> None:
    text = file_of().decode()
    block = text[text.index("    <PmtInf>") : text.index("</PmtInf>") + len("</PmtInf>\n")]
    twice = text.replace(block, block + block).encode()

    assert valid(twice)
    assert Code.FILE_STRUCTURE in refused(pain.check_file(twice, RUN, TODAY))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no XML"),
        (b"PK\x03\x04", "no XML"),
        (b"<Document/>", "no ISO 20022"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>', "one head"),
        (b'<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa">]><Document>&a;</Document>', "document type"),
        (b'<!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document/>', "document type"),
    ],
)
def test_what_is_no_payment_message_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        pain.read(data)
    (found,) = pain.check_file(data, RUN, TODAY)
    assert (found.code, found.refuses) == (Code.FILE_STRUCTURE, True)


def test_the_same_run_gives_the_same_bytes_wherever_its_clock_stands() -> None:
    """Item 27 of bad inputs, the half that is the writer’s: a file taken again is the same to the byte."""
    brussels = replace(RUN, created_at=RUN.created_at.astimezone(timezone(timedelta(hours=1))))

    assert file_of() == file_of() == file_of(brussels)
    assert file_of().startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">\n'
    )
    assert group(file_of()) == (
        b"<GrpHdr>\n      <MsgId>PCP-2027-B-0001</MsgId>\n      <CreDtTm>2027-03-01T09:30:00Z</CreDtTm>\n"
        b"      <NbOfTxs>3</NbOfTxs>\n      <CtrlSum>300000.01</CtrlSum>\n      <InitgPty>\n"
        b"        <Nm>Pilot Grants Programme</Nm>\n      </InitgPty>\n    "
    )


def test_no_bytes_leave_a_run_that_a_rule_refuses() -> None:
    made = pain.make(first(RUN, amount=Money(0)), TODAY)

    assert made.data is None
    assert refused(made.findings) == {Code.AMOUNT_SMALL}


def test_a_file_that_reads_back_wrong_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that lost a cent: found by reading what it wrote."""
    monkeypatch.setattr(pain, "decimal", lambda cents: decimal(cents - 1))

    made = pain.make(RUN, TODAY)

    assert made.data is None
    assert Code.FILE_SUM in refused(made.findings)


def test_a_warning_is_told_once_and_lets_the_file_leave() -> None:
    made = pain.make(replace(RUN, transfers=(*RUN.transfers, transfer(4, LODZ))), TODAY)

    assert made.data is not None
    assert [each.code for each in made.findings] == [Code.SAME_PAYMENT]


# money_and_trust 13, 25, as it leaves.
def test_a_name_in_greek_leaves_in_plain_letters_and_its_signs_are_no_markup() -> None:
    made = pain.make(payee(RUN, name="Δήμος Αθηναίων & <b>Υιοί</b> 🏙 " + "Ω" * 100), TODAY)

    assert made.data is not None and valid(made.data)
    name = pain.read(made.data).transfers[0].payee.name
    assert name == ("Dimos Athinaion + (b)Yioi(/b) " + "O" * 100)[:70]
    assert codes(made.findings) == {"text-rewritten", "text-lost", "text-cut"}


@pytest.mark.parametrize(("layout", "tag"), [(Layout.V03, "BIC"), (Layout.V09, "BICFI")])
def test_a_bank_without_bic_is_written_as_not_provided_for_the_payer_and_left_out_for_the_payee(
    layout: Layout, tag: str
) -> None:
    run = replace(RUN, layout=layout)
    without = replace(run, debtor=replace(RUN.debtor, account=Account(RUN.debtor.account.iban)))

    assert f"<{tag}>COBADEFFXXX</{tag}>".encode() in file_of(run)
    assert file_of(run).count(b"<CdtrAgt>") == 1 and f"<{tag}>ETHNGRAA</{tag}>".encode() in file_of(run)
    assert b"<Id>NOTPROVIDED</Id>" in file_of(without) and valid(file_of(without), layout)


# sepaxml as a second opinion: another hand’s writer, told the same payments, says the same figures in the same places.
ORACLE_PATHS = (
    "GrpHdr/NbOfTxs",
    "GrpHdr/CtrlSum",
    "GrpHdr/InitgPty/Nm",
    "PmtInf/PmtMtd",
    "PmtInf/NbOfTxs",
    "PmtInf/CtrlSum",
    "PmtInf/PmtTpInf/SvcLvl/Cd",
    "PmtInf/ReqdExctnDt//*",
    "PmtInf/Dbtr/Nm",
    "PmtInf/DbtrAcct/Id/IBAN",
    "PmtInf/DbtrAgt/FinInstnId/*",
    "PmtInf/ChrgBr",
    "PmtInf/CdtTrfTxInf/PmtId/EndToEndId",
    "PmtInf/CdtTrfTxInf/Amt/InstdAmt",
    "PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/*",
    "PmtInf/CdtTrfTxInf/Cdtr/Nm",
    "PmtInf/CdtTrfTxInf/CdtrAcct/Id/IBAN",
    "PmtInf/CdtTrfTxInf/RmtInf/Ustrd",
)


def said(data: bytes) -> dict[str, list[str]]:
    message = etree.fromstring(re.sub(rb' xmlns(:\w+)?="[^"]+"', b"", data)).find("CstmrCdtTrfInitn")
    assert message is not None
    return {path: [each.text or "" for each in message.findall(path)] for path in ORACLE_PATHS}


def by_sepaxml(run: PayRun) -> bytes:
    other = importlib.import_module("sepaxml")
    payer = {"name": run.debtor.name, "IBAN": run.debtor.account.iban, "BIC": run.debtor.account.bic}
    written = other.SepaTransfer({**payer, "batch": True, "currency": "EUR"}, schema=str(run.layout), clean=False)
    for each in run.transfers:
        bank = {"BIC": each.payee.account.bic} if each.payee.account.bic else {}
        written.add_payment(
            {
                "name": each.payee.name,
                "IBAN": each.payee.account.iban,
                "amount": each.amount.cents,
                "execution_date": run.execution_on,
                "description": each.remittance,
                "endtoend_id": each.end_to_end_id,
                **bank,
            }
        )
    return bytes(written.export(validate=False))


@pytest.mark.parametrize("layout", list(Layout))
@given(amounts=st.lists(st.integers(1, 999_999_999_99), min_size=1, max_size=8))
def test_another_writer_says_the_same_figures(layout: Layout, amounts: list[int]) -> None:
    transfers = tuple(transfer(n, (LODZ, ATHENS)[n % 2], cents) for n, cents in enumerate(amounts, 1))
    run = replace(RUN, transfers=transfers, layout=layout)

    assert said(file_of(run)) == said(by_sepaxml(run))


@pytest.mark.parametrize("broken", [lambda run: first(run, amount=Money(1)), lambda run: payee(run, name="Other")])
def test_the_second_opinion_would_be_another_for_another_run(broken: Callable[[PayRun], PayRun]) -> None:
    assert said(file_of()) != said(by_sepaxml(broken(RUN)))


def test_fitting_comes_before_writing_and_the_run_given_back_is_what_was_written() -> None:
    run = payee(replace(RUN, created_at=datetime(2027, 3, 1, 9, 30, 0, 999, tzinfo=UTC)), name="Łódź")
    made = pain.make(run, TODAY)

    assert made.run == fitted(run)[0]
    assert made.data == pain.write(made.run)
