"""What banks of SEPA refuse is refused here first, each thing by its own rule, and no rule says nothing or too much."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core.bank_days import target_closing_days
from grants.core.money import Money
from grants.payments.rules.sepa.checks import check, fitted, next_paying_day, pays_on
from grants.payments.rules.sepa.letters import SEPA_TEXT, written
from grants.payments.rules.sepa.table import RULES, TRANSFERS_MAX, Code, Weight
from grants.payments.rules.sepa.values import Account, Address, Layout, PayRun
from tests.payments.pay_runs import (
    ATHENS,
    LODZ,
    OWN,
    RUN,
    SOFIA,
    TODAY,
    codes,
    first,
    iban,
    payee,
    refused,
    runs,
    transfer,
)

LONG_ID = "P" * 36


def account(**changes: str) -> PayRun:
    return payee(RUN, account=replace(LODZ.account, **changes))


def address(**changes: object) -> PayRun:
    return payee(RUN, address=replace(LODZ.address, **changes))  # type: ignore[arg-type] -- the test names the field


# One damage at least for each rule of the run, at its very limit where it has one. The file’s own rules: test_pain.
DAMAGES: list[tuple[Code, PayRun]] = [
    (Code.RUN_EMPTY, replace(RUN, transfers=())),
    (Code.RUN_LONG, replace(RUN, transfers=tuple(transfer(n, LODZ, n) for n in range(1, TRANSFERS_MAX + 2)))),
    (Code.ID_LENGTH, replace(RUN, message_id=LONG_ID)),
    (Code.ID_LENGTH, replace(RUN, payment_id="")),
    (Code.ID_LENGTH, first(RUN, end_to_end_id=LONG_ID)),
    (Code.ID_LENGTH, first(RUN, instruction_id="")),
    (Code.ID_CHARACTERS, replace(RUN, message_id="PCP_2027")),
    (Code.ID_CHARACTERS, replace(RUN, message_id="PCP 2027 ")),
    (Code.ID_CHARACTERS, first(RUN, end_to_end_id="Ź-1")),
    (Code.ID_CHARACTERS, first(RUN, instruction_id="a&b")),
    (Code.ID_SLASHES, replace(RUN, message_id="/PCP")),
    (Code.ID_SLASHES, replace(RUN, payment_id="PCP/")),
    (Code.ID_SLASHES, first(RUN, end_to_end_id="PCP//1")),
    (Code.ID_TWICE, first(RUN, end_to_end_id="PCP-2027-P-0002")),
    (Code.ID_TWICE, first(RUN, instruction_id="PCP-2027-P-0002")),
    (Code.AMOUNT_SMALL, first(RUN, amount=Money(0))),
    (Code.AMOUNT_SMALL, first(RUN, amount=Money(-1))),
    (Code.AMOUNT_LARGE, first(RUN, amount=Money(999_999_999_99 + 1))),
    (Code.CURRENCY, first(RUN, amount=Money(100, "USD"))),
    (Code.SERVICE_LEVEL, replace(RUN, service_level="URGP")),
    (Code.CHARGE_BEARER, replace(RUN, charge_bearer="SHAR")),
    (Code.NAME_MISSING, payee(RUN, name="")),
    (Code.NAME_MISSING, payee(RUN, name=" ")),
    (Code.NAME_MISSING, replace(RUN, debtor=replace(RUN.debtor, name=""))),
    (Code.NAME_LENGTH, payee(RUN, name="N" * 71)),
    (Code.TEXT_CHARACTERS, payee(RUN, name="Δήμος Αθηναίων")),
    (Code.TEXT_CHARACTERS, first(RUN, remittance="a\nb")),
    (Code.TEXT_CHARACTERS, replace(RUN, debtor=replace(RUN.debtor, name="A & B"))),
    (Code.TEXT_CHARACTERS, address(town="Łódź")),
    (Code.REMITTANCE_LENGTH, first(RUN, remittance="r" * 141)),
    (Code.IBAN, account(iban="PL62109010140000071219812874")),
    (Code.IBAN, account(iban="PL6110901014000007121981287")),
    (Code.IBAN, account(iban="PL61 1090 1014 0000 0712 1981 2874")),
    (Code.IBAN, account(iban="pl61109010140000071219812874")),
    (Code.IBAN, account(iban="")),
    (Code.IBAN, account(iban="РL61109010140000071219812874")),
    (Code.IBAN, replace(RUN, debtor=replace(RUN.debtor, account=Account("DE00370400440532013000")))),
    (Code.IBAN_OUTSIDE, account(iban="TR330006100519786457841326")),
    (Code.OWN_ACCOUNT, payee(RUN, account=OWN)),
    (Code.BIC, account(bic="BPKOPLP")),
    (Code.BIC, account(bic="BPKOPLPWX")),
    (Code.BIC, account(bic="bpkoplpw")),
    (Code.BIC, replace(account(bic="BPKOPL1W"), layout=Layout.V03)),
    (Code.BIC, replace(account(bic="BPKOPLPO"), layout=Layout.V03)),
    (Code.BIC_COUNTRY, account(bic="COBADEFF")),
    (Code.ADDRESS_LINES, address(lines=("ul. Polna 4, 90-926 Lodz",))),
    (Code.ADDRESS_TOWN, address(town="")),
    (Code.ADDRESS_COUNTRY, address(country="")),
    (Code.ADDRESS_COUNTRY, address(country="EL")),
    (Code.ADDRESS_COUNTRY, address(country="pl")),
    (Code.ADDRESS_LENGTH, address(town="T" * 36)),
    (Code.ADDRESS_LENGTH, address(street="S" * 71)),
    (Code.ADDRESS_LENGTH, address(building="4" * 17)),
    (Code.ADDRESS_LENGTH, address(postcode="9" * 17)),
    (Code.DAY_PAST, replace(RUN, execution_on=TODAY - timedelta(days=3))),
    (Code.DAY_CLOSED, replace(RUN, execution_on=date(2027, 3, 6))),
    (Code.DAY_CLOSED, replace(RUN, execution_on=date(2027, 3, 26))),
    (Code.DAY_CLOSED, replace(RUN, execution_on=date(2027, 5, 1))),
    (Code.SAME_PAYMENT, replace(RUN, transfers=(*RUN.transfers, transfer(4, LODZ)))),
]
# What only fitting says, and what only a file can have.
FITTING = {Code.TEXT_REWRITTEN, Code.TEXT_CUT, Code.TEXT_LOST}
OF_FILES = {Code.AMOUNT_DECIMALS, *(code for code in Code if code.startswith("file-"))}


def test_nothing_stands_against_a_right_run() -> None:
    assert check(RUN, TODAY) == ()
    assert check(replace(RUN, layout=Layout.V03), TODAY) == ()
    assert fitted(RUN) == (RUN, ())


@pytest.mark.parametrize(("code", "run"), DAMAGES, ids=[f"{n}-{code}" for n, (code, _) in enumerate(DAMAGES)])
def test_each_damage_is_named_by_its_rule_alone(code: Code, run: PayRun) -> None:
    assert codes(check(run, TODAY)) == {code}


def test_every_rule_is_shown_by_a_damage_or_kept_for_texts_and_files() -> None:
    assert {code for code, _ in DAMAGES} | {Code.ID_USED} | FITTING | OF_FILES == set(Code)
    assert list(RULES) == list(Code)


@pytest.mark.parametrize("code", list(Code))
def test_a_rule_says_what_why_how_far_and_the_way_out_in_sentences(code: Code) -> None:
    rule = RULES[code]
    said = [getattr(rule, field.name) for field in fields(rule) if field.name != "weight"]

    assert [text for text in said if not text[0].isupper() or not text.endswith(".")] == []
    assert len(said) == len(set(said)) == 4


@pytest.mark.parametrize(
    "run",
    [
        replace(RUN, message_id="P" * 35),
        replace(RUN, message_id="a/b-c?d:e(f).g,h'i+j k"),
        first(RUN, amount=Money(1)),
        first(RUN, amount=Money(999_999_999_99)),
        first(RUN, remittance=""),
        first(RUN, remittance="r" * 140),
        payee(RUN, name="N" * 70),
        payee(RUN, address=Address("GR", "T" * 35, "9" * 16, "S" * 70, "4" * 16)),
        payee(RUN, address=Address()),
        account(bic="BPKOPLPWXXX"),
        account(bic="BPKOPL1O"),
        replace(RUN, execution_on=TODAY),
        replace(RUN, transfers=tuple(transfer(n, LODZ, n) for n in range(1, TRANSFERS_MAX + 1))),
    ],
)
def test_what_lies_at_a_limit_passes(run: PayRun) -> None:
    assert check(run, TODAY) == ()


@pytest.mark.parametrize("used", ["PCP-2027-B-0001", "PCP-2027-B-0001-1", "PCP-2027-P-0003"])
def test_an_identifier_of_an_earlier_file_is_refused(used: str) -> None:
    assert refused(check(RUN, TODAY, used={used})) == {Code.ID_USED}


def test_no_rule_stops_at_the_first_thing_it_finds() -> None:
    run = replace(first(payee(RUN, name=""), amount=Money(0), remittance="ä"), charge_bearer="OUR", message_id="/")

    assert codes(check(run, TODAY)) == {
        "name-missing",
        "amount-too-small",
        "text-characters",
        "charge-bearer",
        "id-slashes",
    }


def test_a_finding_names_its_place_the_limit_and_the_way_out_and_no_account_in_full() -> None:
    (found,) = check(account(iban="PL62109010140000071219812874"), TODAY)

    assert found.words == (
        "Payment 1 (PCP-2027-P-0001): the IBAN that ends in “2874” cannot be right. An IBAN has the length and the check "
        "digits of its country. Enter the account again from the bank’s document, and have it confirmed."
    )
    (closed,) = check(replace(RUN, execution_on=date(2027, 3, 26)), TODAY)
    assert closed.what == "banks do not pay on 26 March 2027; the next day is 30 March 2027."


def test_an_amount_paid_twice_to_one_account_is_a_warning_and_stops_nothing() -> None:
    again = tuple(transfer(number, LODZ) for number in range(4, 9))
    (found,) = check(replace(RUN, transfers=(*RUN.transfers, *again)), TODAY)

    assert not found.refuses
    assert found.what == (
        "PCP-2027-P-0001, PCP-2027-P-0004, PCP-2027-P-0005 and 3 more each pay EUR 150\u00a0000.00 to the account that ends in 2874."
    )
    assert RULES[Code.SAME_PAYMENT].weight is Weight.WARNING


def test_other_amounts_or_other_accounts_are_no_warning() -> None:
    other = (transfer(4, LODZ, 150_000_01), transfer(5, replace(LODZ, account=Account(iban(7)))))

    assert check(replace(RUN, transfers=(*RUN.transfers, *other)), TODAY) == ()


def test_a_moment_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="zone"):
        replace(RUN, created_at=datetime(2027, 3, 1))


# Days. Easter Sundays of the Gregorian calendar, from a printed table.
@pytest.mark.parametrize(
    "easter", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2027, 3, 28), date(2038, 4, 25)]
)
def test_banks_rest_on_good_friday_easter_monday_and_four_fixed_days(easter: date) -> None:
    fixed = {date(easter.year, *day) for day in [(1, 1), (5, 1), (12, 25), (12, 26)]}

    assert target_closing_days(easter.year) == {easter - timedelta(days=2), easter + timedelta(days=1), *fixed}


@given(st.dates(date(2020, 1, 1), date(2099, 12, 1)))
def test_the_next_paying_day_is_the_first_one_and_near(day: date) -> None:
    offered = next_paying_day(day)

    assert pays_on(offered) and timedelta(0) <= offered - day <= timedelta(days=5)
    assert not any(pays_on(day + timedelta(days=n)) for n in range((offered - day).days))


# Letters.
@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Urząd Miasta Łodzi, Świętokrzyska", "Urzad Miasta Lodzi, Swietokrzyska"),
        ("Żółć gęślą jaźń", "Zolc gesla jazn"),
        ("Δήμος Θεσσαλονίκης", "Dimos Thessalonikis"),
        ("ΔΗΜΟΣ ΘΕΣΣΑΛΟΝΙΚΗΣ", "DIMOS THESSALONIKIS"),
        ("Ψυχικό, Χανιά", "Psychiko, Chania"),
        ("Столична община", "Stolichna obshtina"),
        ("Щипково ЩИПКОВО", "Shtipkovo SHTIPKOVO"),
        ("Київ, Љубљана, Ѓорче", "Kiyiv, Ljubljana, Gjorche"),
        ("Straße in Köln, STRAẞE", "Strasse in Koln, STRASSE"),
        ("Þingvellir, Ærø, Œuvre", "Thingvellir, Aero, Oeuvre"),
        ("Kővárhely, Iași, Ġgantija", "Kovarhely, Iasi, Ggantija"),
        ("Smith & Sons <ltd>", "Smith + Sons (ltd)"),
        ("a@b.example; „quoted” – 5\u00a0€!", "a(at)b.example, 'quoted' - 5 EUR."),
        ("  two \t lines\r\nhere ", "two lines here"),
        ("no\u0308rth", "north"),
        ("№ 5, ﬁn, Ａ", "No 5, fin, A"),
        ("Камʼянське", "Kam'yansyke"),
        ("", ""),
    ],
)
def test_europe_is_written_in_plain_letters(text: str, plain: str) -> None:
    assert written(text, 140).text == plain
    assert written(text, 140).lost == ()


def test_no_letter_of_europe_is_lost() -> None:
    blocks = (range(0xC0, 0x180), range(0x386, 0x3CF), range(0x400, 0x460), range(0x490, 0x492), range(0x1E02, 0x1E96))
    letters = [chr(code) for block in blocks for code in block if unicodedata.category(chr(code)) in {"Lu", "Ll"}]

    assert len(letters) == 505
    assert [letter for letter in letters if not written(letter, 5).text or written(letter, 5).lost] == []


@given(st.text(max_size=300), st.sampled_from([35, 70, 140]))
def test_what_is_written_is_within_set_and_limit_and_written_once(text: str, limit: int) -> None:
    found = written(text, limit)

    assert SEPA_TEXT.fullmatch(found.text)
    assert len(found.text) <= limit and found.text == " ".join(found.text.split())
    assert written(found.text, limit).text == found.text


def test_what_is_in_the_set_is_not_touched() -> None:
    every = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ x"

    assert written(every, 140).text == every


# money_and_trust 13, 25: Greek, Polish, emoji, 100 characters, & and <: written, at most 70, the original kept in the books.
@pytest.mark.parametrize(
    ("name", "plain", "notes"),
    [
        ("Δήμος Αθηναίων", "Dimos Athinaion", {"text-rewritten"}),
        ("Łódź & Spółka <miasto>", "Lodz + Spolka (miasto)", {"text-rewritten"}),
        ("City 🏙️ of Lodz", "City of Lodz", {"text-rewritten", "text-lost"}),
        ("N" * 100, "N" * 70, {"text-rewritten", "text-cut"}),
        ("🏙🏙", "", {"text-rewritten", "text-lost"}),
    ],
)
def test_a_name_of_any_kind_is_fitted_and_the_books_keep_it(name: str, plain: str, notes: set[str]) -> None:
    books = payee(RUN, name=name)

    ready, found = fitted(books)

    assert ready.transfers[0].payee.name == plain
    assert books.transfers[0].payee.name == name
    assert codes(found) == notes
    assert not any(each.refuses for each in found)
    assert codes(check(ready, TODAY)) == (set() if plain else {Code.NAME_MISSING})


def test_a_fitted_run_keeps_identifiers_accounts_amounts_and_unfit_addresses() -> None:
    strange = first(RUN, end_to_end_id="Ź-1")
    ready, _ = fitted(replace(strange, message_id="a//b"))

    assert (ready.message_id, ready.transfers[0].end_to_end_id) == ("a//b", "Ź-1")
    assert refused(check(fitted(address(building="4" * 17, lines=("Łódź",)))[0], TODAY)) == {
        Code.ADDRESS_LENGTH,
        Code.ADDRESS_LINES,
    }


# money_and_trust 13, 26: town or country missing when an address is given: not exportable.
@pytest.mark.parametrize(
    ("given_address", "expected"),
    [
        (Address(street="ul. Polna"), {Code.ADDRESS_TOWN, Code.ADDRESS_COUNTRY}),
        (Address(town="Lodz"), {Code.ADDRESS_COUNTRY}),
        (Address(country="PL"), {Code.ADDRESS_TOWN}),
        (Address(lines=("Polna 4",)), {Code.ADDRESS_LINES, Code.ADDRESS_TOWN, Code.ADDRESS_COUNTRY}),
        (Address(country="PL", town="🏙"), {Code.ADDRESS_TOWN}),
        (Address(), set()),
        (Address("PL", "Lodz"), set()),
    ],
)
def test_an_address_is_whole_or_none(given_address: Address, expected: set[Code]) -> None:
    assert refused(check(fitted(payee(RUN, address=given_address))[0], TODAY)) == expected
    assert refused(check(fitted(replace(RUN, debtor=replace(RUN.debtor, address=given_address)))[0], TODAY)) == expected


@given(runs)
def test_any_run_is_fitted_to_what_passes(run: PayRun) -> None:
    ready, notes = fitted(run)

    assert refused(notes) | refused(check(ready, TODAY)) == set()
    assert fitted(ready) == (ready, ())
    assert [each.amount for each in ready.transfers] == [each.amount for each in run.transfers]


CHANGED: list[Callable[[PayRun], PayRun]] = [
    lambda run: first(run, amount=Money(0)),
    lambda run: replace(run, transfers=()),
]


@given(runs, st.sampled_from(CHANGED))
def test_one_damage_is_enough_among_any(run: PayRun, change: Callable[[PayRun], PayRun]) -> None:
    assert refused(check(fitted(change(run))[0], TODAY)) != set()


def test_the_accounts_of_these_tests_lie_in_the_countries_they_are_meant_for() -> None:
    assert [who.account.iban[:2] for who in (LODZ, ATHENS, SOFIA)] == ["PL", "GR", "BG"]
    assert iban(370400440532013000) == OWN.iban
