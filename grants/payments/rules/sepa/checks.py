"""A pay run fitted to what banks read, and held against every rule before a file of it exists. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import replace
from datetime import date, timedelta

from grants.agreements.rules import account_number, bank_code
from grants.core import clock
from grants.core.bank_days import target_closing_days
from grants.core.errors import Invalid, quoted
from grants.core.money import Money
from grants.core.zones import is_country
from grants.payments.rules.sepa.letters import SEPA_TEXT, written
from grants.payments.rules.sepa.table import (
    ADDRESS_LENGTHS,
    ID_LENGTH,
    LEAST,
    MOST,
    NAME_LENGTH,
    REMITTANCE_LENGTH,
    TRANSFERS_MAX,
    Code,
    Finding,
)
from grants.payments.rules.sepa.values import Account, Address, Layout, Party, PayRun, Transfer

PAYER = "The payer"
RUN = "The run"
SATURDAY = 5
UNCUT = 1_000
# Version 03 asks more of a BIC than the project’s own check (the pattern BICIdentifier of its schema).
_BIC_03 = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?")
# IBANs of the territory of the SEPA schemes (EPC409-09 as of 2026: the Union, the EEA, and who joined, Serbia as the last).
_REACHED = re.compile(
    "AD|AL|AT|BE|BG|CH|CY|CZ|DE|DK|EE|ES|FI|FR|GB|GI|GR|HR|HU|IE|IS|IT|LI|LT|LU|LV|MC|MD|ME|MK|MT|NL|NO|PL|PT|RO|RS|SE|SI|SK|SM|VA"
)
# What is too many to read says how many instead.
_NAMED = 3


def fitted(run: PayRun) -> tuple[PayRun, tuple[Finding, ...]]:
    """The run with every text in the letters and lengths banks read, and what that changed.

    Identifiers are left as they are: a changed one would never be found again. The given run, and with it the books, keep
    every name as it is.
    """
    findings: list[Finding] = []
    debtor = _fitted_party(run.debtor, PAYER, findings)
    transfers = tuple(_fitted_transfer(each, where_of(place, each), findings) for place, each in _numbered(run))
    return replace(run, debtor=debtor, transfers=transfers), tuple(findings)


def check(run: PayRun, today: date, *, used: Set[str] = frozenset()) -> tuple[Finding, ...]:
    """What stands against a fitted run on this day; ``used`` are the identifiers of earlier files.

    A file may leave where nothing :attr:`Finding.refuses`. No rule stops at the first thing it finds.
    """
    return tuple(_found(run, today, used))


def pays_on(day: date) -> bool:
    """Whether banks pay on this day: a weekday on which TARGET is open.

    >>> pays_on(date(2027, 3, 25)), pays_on(date(2027, 3, 26))
    (True, False)
    """
    return day.weekday() < SATURDAY and day not in target_closing_days(day.year)


def next_paying_day(day: date) -> date:
    """The first day from this one on which banks pay.

    >>> next_paying_day(date(2027, 3, 26))
    datetime.date(2027, 3, 30)
    """
    while not pays_on(day):
        day += timedelta(days=1)
    return day


def where_of(place: int, transfer: Transfer) -> str:
    """How a payment of a run is named in a finding."""
    return f"Payment {place} ({transfer.end_to_end_id})"


def _numbered(run: PayRun) -> Iterator[tuple[int, Transfer]]:
    return enumerate(run.transfers, 1)


def _fitted_transfer(transfer: Transfer, where: str, findings: list[Finding]) -> Transfer:
    return replace(
        transfer,
        payee=_fitted_party(transfer.payee, where, findings),
        remittance=_fit(transfer.remittance, REMITTANCE_LENGTH, where, findings),
    )


def _fitted_party(party: Party, where: str, findings: list[Finding]) -> Party:
    address = _fitted_address(party.address, where, findings)
    return replace(party, name=_fit(party.name, NAME_LENGTH, where, findings), address=address)


def _fitted_address(address: Address, where: str, findings: list[Finding]) -> Address:
    """An address with its texts fitted; a building or postcode that is cut would be another one, so too long ones are refused."""
    return replace(
        address,
        street=_fit(address.street, ADDRESS_LENGTHS["street"], where, findings),
        town=_fit(address.town, ADDRESS_LENGTHS["town"], where, findings),
        postcode=_fit(address.postcode, UNCUT, where, findings),
        building=_fit(address.building, UNCUT, where, findings),
    )


def _fit(text: str, limit: int, where: str, findings: list[Finding]) -> str:
    found = written(text, limit)
    if found.text != text:
        findings.append(Finding(Code.TEXT_REWRITTEN, where, f"{quoted(text)} is written as {quoted(found.text)}."))
    if found.lost:
        signs = ", ".join(quoted(each) for each in found.lost[:_NAMED])
        findings.append(Finding(Code.TEXT_LOST, where, f"{signs} in {quoted(text)} cannot be written."))
    if found.length > limit:
        findings.append(
            Finding(Code.TEXT_CUT, where, f"{quoted(text)} has {found.length} characters; {limit} are carried.")
        )
    return found.text


def _found(run: PayRun, today: date, used: Set[str]) -> Iterator[Finding]:
    yield from _of_run(run, used)
    yield from _of_day(run.execution_on, today)
    yield from _of_party(run.debtor, PAYER, run.layout)
    for place, transfer in _numbered(run):
        yield from _of_transfer(transfer, where_of(place, transfer), run)
    yield from _of_all(run, used)


def _of_run(run: PayRun, used: Set[str]) -> Iterator[Finding]:
    if not run.transfers:
        yield Finding(Code.RUN_EMPTY, RUN, "it holds no payment.")
    if len(run.transfers) > TRANSFERS_MAX:
        yield Finding(Code.RUN_LONG, RUN, f"it holds {len(run.transfers)} payments.")
    if run.service_level != "SEPA":
        yield Finding(Code.SERVICE_LEVEL, RUN, f"the service level is {quoted(run.service_level)}.")
    if run.charge_bearer != "SLEV":
        yield Finding(Code.CHARGE_BEARER, RUN, f"the charges are {quoted(run.charge_bearer)}.")
    for identifier in (run.message_id, run.payment_id):
        yield from _of_id(identifier, RUN)
        if identifier in used:
            yield Finding(Code.ID_USED, RUN, f"{quoted(identifier)} stands in an earlier file.")


def _of_day(day: date, today: date) -> Iterator[Finding]:
    offered = clock.long_date(next_paying_day(max(day, today)))
    if day < today:
        yield Finding(Code.DAY_PAST, RUN, f"the execution day is {clock.long_date(day)}; the next would be {offered}.")
    if not pays_on(day):
        yield Finding(Code.DAY_CLOSED, RUN, f"banks do not pay on {clock.long_date(day)}; the next day is {offered}.")


def _of_id(identifier: str, where: str) -> Iterator[Finding]:
    if not 1 <= len(identifier) <= ID_LENGTH:
        yield Finding(Code.ID_LENGTH, where, f"{quoted(identifier)} has {len(identifier)} characters.")
    if not SEPA_TEXT.fullmatch(identifier) or identifier != identifier.strip():
        yield Finding(Code.ID_CHARACTERS, where, f"{quoted(identifier)} holds a character banks do not pass on.")
    if identifier.startswith("/") or identifier.endswith("/") or "//" in identifier:
        yield Finding(Code.ID_SLASHES, where, f"{quoted(identifier)} has a slash where none may stand.")


def _of_transfer(transfer: Transfer, where: str, run: PayRun) -> Iterator[Finding]:
    yield from _of_id(transfer.instruction_id, where)
    yield from _of_id(transfer.end_to_end_id, where)
    yield from _of_amount(transfer.amount, where)
    yield from _of_party(transfer.payee, where, run.layout)
    if transfer.payee.account.iban == run.debtor.account.iban:
        yield Finding(Code.OWN_ACCOUNT, where, "the payee’s account is the one that pays.")
    if len(transfer.remittance) > REMITTANCE_LENGTH:
        yield Finding(
            Code.REMITTANCE_LENGTH, where, f"the words for the payee have {len(transfer.remittance)} characters."
        )
    yield from _of_text(transfer.remittance, where)


def _of_amount(amount: Money, where: str) -> Iterator[Finding]:
    if amount.currency != LEAST.currency:
        yield Finding(Code.CURRENCY, where, f"the amount is {amount}.")
    if amount.cents < LEAST.cents:
        yield Finding(Code.AMOUNT_SMALL, where, f"the amount is {amount}.")
    if amount.cents > MOST.cents:
        yield Finding(Code.AMOUNT_LARGE, where, f"the amount is {amount}.")


def _of_party(party: Party, where: str, layout: Layout) -> Iterator[Finding]:
    if not party.name.strip():
        yield Finding(Code.NAME_MISSING, where, "there is no name that can be written.")
    if len(party.name) > NAME_LENGTH:
        yield Finding(Code.NAME_LENGTH, where, f"{quoted(party.name)} has {len(party.name)} characters.")
    yield from _of_text(party.name, where)
    yield from _of_account(party.account, where, layout)
    yield from _of_address(party.address, where)


def _of_text(text: str, where: str) -> Iterator[Finding]:
    if not SEPA_TEXT.fullmatch(text):
        yield Finding(Code.TEXT_CHARACTERS, where, f"{quoted(text)} holds a character banks do not pass on.")


def _of_account(account: Account, where: str, layout: Layout) -> Iterator[Finding]:
    if not _reads(account_number, account.iban):
        # Never the IBAN in full: findings are kept and sent on.
        yield Finding(Code.IBAN, where, f"the IBAN that ends in {quoted(account.iban[-4:])} cannot be right.")
    elif not _REACHED.fullmatch(account.iban[:2]):
        yield Finding(Code.IBAN_OUTSIDE, where, f"the account lies in {account.iban[:2]}.")
    if not account.bic:
        return
    if not _reads(bank_code, account.bic) or (layout is Layout.V03 and not _BIC_03.fullmatch(account.bic)):
        yield Finding(Code.BIC, where, f"the BIC is {quoted(account.bic)}.")
    elif account.bic[4:6] != account.iban[:2]:
        yield Finding(Code.BIC_COUNTRY, where, f"the BIC says {account.bic[4:6]}, the IBAN {account.iban[:2]}.")


def _reads(reader: Callable[[str], str | None], text: str) -> bool:
    """Whether the project’s own check takes the text, and takes it as it stands: a file holds nothing that is still to be tidied."""
    try:
        return reader(text) == text
    except Invalid:
        return False


def _of_address(address: Address, where: str) -> Iterator[Finding]:
    if not address.given:
        return
    if address.lines:
        yield Finding(Code.ADDRESS_LINES, where, f"the address has the line {quoted(address.lines[0])}.")
    if not address.town.strip():
        yield Finding(Code.ADDRESS_TOWN, where, "the address has no town.")
    if not is_country(address.country):
        yield Finding(Code.ADDRESS_COUNTRY, where, f"the country of the address is {quoted(address.country)}.")
    for part, limit in ADDRESS_LENGTHS.items():
        text = getattr(address, part)
        if len(text) > limit:
            yield Finding(Code.ADDRESS_LENGTH, where, f"the {part} {quoted(text)} has {len(text)} characters.")
        yield from _of_text(text, where)


def _of_all(run: PayRun, used: Set[str]) -> Iterator[Finding]:
    """What only all payments together show."""
    for identifiers in (
        [each.end_to_end_id for each in run.transfers],
        [each.instruction_id for each in run.transfers],
    ):
        yield from (
            Finding(Code.ID_TWICE, RUN, f"{quoted(each)} names {times} payments.")
            for each, times in Counter(identifiers).items()
            if times > 1
        )
    for place, transfer in _numbered(run):
        if transfer.end_to_end_id in used:
            where = where_of(place, transfer)
            yield Finding(Code.ID_USED, where, f"{quoted(transfer.end_to_end_id)} stands in an earlier file.")
    yield from _same_payments(run.transfers)


def _same_payments(transfers: Iterable[Transfer]) -> Iterator[Finding]:
    alike: dict[tuple[str, Money], list[str]] = defaultdict(list)
    for each in transfers:
        alike[each.payee.account.iban, each.amount].append(each.end_to_end_id)
    for (iban, amount), identifiers in alike.items():
        if len(identifiers) > 1:
            named = ", ".join(identifiers[:_NAMED])
            more = f" and {len(identifiers) - _NAMED} more" if len(identifiers) > _NAMED else ""
            yield Finding(
                Code.SAME_PAYMENT, RUN, f"{named}{more} each pay {amount} to the account that ends in {iban[-4:]}."
            )
