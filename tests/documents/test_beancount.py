"""The journal as Beancount text: ``bean-check`` accepts it without tolerance, its sums are ours, and a wrong cent is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from beancount import loader
from beancount.core.data import Balance, Open, Transaction
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from grants.core.db import db
from grants.documents import queries
from grants.documents.rules import beancount
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account, Side
from grants.ledger.rules import AsOf
from grants.payments.models import OwnAccount
from tests.oversight.conftest import Scene, paid, scene, verified_world
from tests.payments.world import forge
from tests.servers import Cluster

__all__ = ["paid", "scene", "verified_world"]

pytestmark = pytest.mark.usefixtures("app")


def told(as_of: AsOf | None = None) -> str:
    return "".join(f"{line}\n" for line in queries.beancount_lines(as_of=as_of))


def complaints(text: str) -> list[str]:
    """What bean-check says of a text."""
    _, errors, _ = loader.load_string(text)
    return [error.message for error in errors]


def sums(text: str) -> Mapping[str, Decimal]:
    """What each account of ours holds by the text, debits above zero."""
    entries, _, _ = loader.load_string(text)
    found: dict[str, Decimal] = {}
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            code = re.search(r":([0-9BM]\d{3})-", posting.account)
            assert code is not None and posting.units is not None and posting.units.number is not None
            found[code[1]] = found.get(code[1], Decimal(0)) + posting.units.number
    return found


def test_bean_check_accepts_the_books_and_its_sums_are_ours(scene: Scene) -> None:
    text = told()

    assert complaints(text) == []
    assert sums(text) == {
        row.account.value: Decimal(row.debits.cents - row.credits.cents) / 100 for row in ledger.balances(by=())
    }


def test_every_entry_carries_its_reference_and_what_its_legs_are_about(scene: Scene) -> None:
    entries, _, options = loader.load_string(told())
    found = [entry for entry in entries if isinstance(entry, Transaction)]
    paid = next(entry for entry in found if entry.meta["event"] == "E6")

    assert len(found) == ledger.count_entries()
    assert paid.meta["entry"] == "E-2023-0005"
    assert paid.postings[0].account.endswith(":PCP-2022-G-0001")
    assert paid.postings[0].meta is not None
    assert (paid.postings[0].meta["grant"], paid.postings[0].meta["fund_source"]) == ("PCP-2022-G-0001", "101036519")
    assert options["operating_currency"] == ["EUR"]


def test_a_leg_of_the_bank_says_which_account_of_the_programme_moved(
    paid: Scene, postgres: Cluster, database: str
) -> None:
    statement = "UPDATE ledger_leg SET own_account_id = (SELECT id FROM own_account) WHERE account = '1000'"
    forge(postgres, database, statement)

    entries, _, _ = loader.load_string(told())
    booked = next(
        posting
        for entry in entries
        for posting in (entry.postings if isinstance(entry, Transaction) else ())
        if posting.account.startswith("Assets:1000")
    )
    assert booked.meta is not None
    assert booked.meta["own_account"] == db.session.scalars(select(OwnAccount.reference)).one()


def test_each_account_and_each_grant_under_it_is_opened_and_asserted(scene: Scene) -> None:
    entries, _, _ = loader.load_string(told())

    opened = {entry.account for entry in entries if isinstance(entry, Open)}
    asserted = {entry.account for entry in entries if isinstance(entry, Balance)}
    assert opened == asserted
    assert {
        "Liabilities:2000-Payable-to-beneficiary",
        "Liabilities:2000-Payable-to-beneficiary:PCP-2022-G-0001",
    } <= opened


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("160000.00 EUR", "160000.01 EUR", 1), "Transaction does not balance"),
        (lambda text: text.replace("160000.00 EUR", "160000.005 EUR", 1), "Transaction does not balance"),
        (lambda text: text.replace("240000.00 ~ 0.00", "240000.01 ~ 0.00", 1), "Balance failed"),
        (lambda text: re.sub(r"\d{4}-\d\d-\d\d open Liabilities:2000[^:]*:.*\n", "", text), "unknown account"),
    ],
)
def test_a_text_in_which_a_cent_was_changed_is_refused(scene: Scene, change: Callable[[str], str], words: str) -> None:
    text = told()
    assert change(text) != text

    assert words in "\n".join(complaints(change(text)))


def test_without_the_options_a_wrong_cent_would_pass(scene: Scene) -> None:
    """Why the text sets both tolerances: Beancount forgives half a cent by itself."""
    wrong = told().replace("160000.00 EUR", "160000.005 EUR", 1)

    kept = "\n".join(line for line in wrong.splitlines() if not line.startswith('option "tolerance_multiplier"'))
    assert not any("does not balance" in each for each in complaints(kept.replace("*:0.00", "*:0.01")))
    assert any("does not balance" in each for each in complaints(wrong))


def test_the_books_of_a_past_moment_are_a_whole_text_too(scene: Scene) -> None:
    before = AsOf(recorded_before=datetime(2023, 5, 3, 8, tzinfo=UTC))

    assert complaints(told(before)) == []
    assert "1100" not in sums(told(before))
    assert told(AsOf(recorded_before=datetime(2020, 1, 1, tzinfo=UTC))).count("\n") == 1 + len(beancount.HEADER)


words_of_people = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40)


@given(words_of_people, words_of_people, st.integers(min_value=1, max_value=10**14))
def test_whatever_people_wrote_the_text_is_read(words: str, place: str, cents: int) -> None:
    day = datetime(2024, 2, 29, tzinfo=UTC).date()
    legs = tuple(
        beancount.Posted(account, place, sign * cents, (("organisation", words),))
        for account, sign in ((Account.BANK, 1), (Account.PAYABLE, -1))
    )
    text = "\n".join(beancount.lines([beancount.Transaction(day, words, words, (("entry", words),), legs)]))

    assert complaints(text) == []
    assert sums(text)["1000"] == Decimal(cents) / 100


def test_every_account_of_the_chart_has_a_name_that_beancount_reads() -> None:
    for account in Account:
        name = beancount.root(account)
        assert name.split(":")[0] in {"Assets", "Liabilities", "Equity", "Income", "Expenses"}
        assert re.fullmatch(r"[A-Z][A-Za-z0-9-]*(:[A-Z0-9][A-Za-z0-9-]*)+", name)
    assert Account.BANK.normal_side is Side.DEBIT
