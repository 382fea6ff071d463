"""A pay run that nothing stands against, for the tests to damage, and a strategy for many of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from grants.core.money import Money
from grants.payments.rules.sepa.checks import next_paying_day
from grants.payments.rules.sepa.table import MOST, Finding
from grants.payments.rules.sepa.values import NO_ADDRESS, Account, Address, Layout, Party, PayRun, Transfer

TODAY = date(2027, 3, 1)
OWN = Account("DE89370400440532013000", "COBADEFFXXX")
LODZ = Party("Gmina Lodz", Account("PL61109010140000071219812874"), Address("PL", "Lodz", "90-926", "ul. Polna", "4"))
ATHENS = Party("Dimos Athinaion", Account("GR1601101250000000012300695", "ETHNGRAA"))
SOFIA = Party("Stolichna obshtina", Account("BG80BNBG96611020345678"))


def transfer(number: int, payee: Party, cents: int = 150_000_00) -> Transfer:
    """Payment so-and-so to a payee."""
    reference = f"PCP-2027-P-{number:04}"
    return Transfer(reference, reference, Money(cents), payee, f"Interim payment, {reference}")


RUN = PayRun(
    message_id="PCP-2027-B-0001",
    payment_id="PCP-2027-B-0001-1",
    created_at=datetime(2027, 3, 1, 9, 30, tzinfo=UTC),
    execution_on=date(2027, 3, 2),
    debtor=Party("Pilot Grants Programme", OWN, Address("DE", "Leipzig")),
    transfers=(transfer(1, LODZ), transfer(2, ATHENS), transfer(3, SOFIA, 1)),
)


def first(run: PayRun, **changes: object) -> PayRun:
    """The run with its first payment changed."""
    changed = replace(run.transfers[0], **changes)  # type: ignore[arg-type] -- the test names the field
    return replace(run, transfers=(changed, *run.transfers[1:]))


def payee(run: PayRun, **changes: object) -> PayRun:
    """The run with the payee of its first payment changed."""
    return first(run, payee=replace(run.transfers[0].payee, **changes))  # type: ignore[arg-type] -- as above


def codes(findings: tuple[Finding, ...]) -> set[str]:
    """Which rules said something."""
    return {str(each.code) for each in findings}


def refused(findings: tuple[Finding, ...]) -> set[str]:
    """Which rules let no file leave."""
    return {str(each.code) for each in findings if each.refuses}


def iban(number: int) -> str:
    """A German IBAN of an account number, its check digits worked out here (ISO 13616: 98 less the remainder by 97)."""
    account = f"{number:018}"
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


# What a clerk of any city may have typed: Latin with its accents, Greek, Cyrillic, signs and pictures; one plain letter at least.
_typed = st.text(
    st.one_of(
        st.characters(min_codepoint=0x20, max_codepoint=0x17F),
        st.characters(min_codepoint=0x370, max_codepoint=0x45F),
        st.sampled_from("🏙€–„”&<>/ "),
    ),
    max_size=200,
)
names = st.builds(lambda letter, text: letter + text, st.sampled_from("AŻΔЖ"), _typed)
ids = st.from_regex(r"[A-Za-z0-9](?:[/ ]?[A-Za-z0-9\-?:().,'+]){0,17}", fullmatch=True).filter(
    lambda text: len(text) <= 35
)
addresses = st.one_of(
    st.just(NO_ADDRESS),
    st.builds(
        Address,
        country=st.sampled_from(["PL", "GR", "BG", "XK"]),
        town=names,
        postcode=st.text("0123456789- ", max_size=16),
        street=_typed,
        building=st.text("0123456789abc/", max_size=16),
    ),
)
accounts = st.builds(
    Account,
    st.one_of(
        st.integers(1, 10**18 - 1).map(iban), st.sampled_from([LODZ, ATHENS, SOFIA]).map(lambda who: who.account.iban)
    ),
    st.sampled_from(["", "GKCCBEBB", "ETHNGRAAXXX"]),
).filter(lambda account: account.iban != OWN.iban)
parties = st.builds(Party, names, accounts, addresses)
amounts = st.one_of(st.integers(1, MOST.cents), st.sampled_from([1, MOST.cents])).map(Money)
transfers = st.lists(
    st.builds(Transfer, ids, ids, amounts, parties, _typed),
    min_size=1,
    max_size=6,
    unique_by=(lambda each: each.end_to_end_id, lambda each: each.instruction_id),
).map(tuple)
runs = st.builds(
    PayRun,
    message_id=ids,
    payment_id=ids,
    created_at=st.datetimes(datetime(2027, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    execution_on=st.dates(TODAY, date(2030, 1, 1)).map(next_paying_day),
    debtor=st.builds(Party, names, st.just(OWN), addresses),
    transfers=transfers,
    layout=st.sampled_from(Layout),
    batch_booking=st.booleans(),
)
