"""A payee's bank account: what is entered with it, how a second person checks it, from when it can be paid to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from grants.agreements.states import CheckChannel, PayeeMatch
from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.core.zones import is_country
from grants.identity.rules import EU_SPELLINGS

# What a bank file can hold of a name and of each part of an address (pain.001, both versions); the name is cut there, and is
# here as long as the older version takes it.
HOLDER_CHARACTERS_MAX = 140
ADDRESS_CHARACTERS_MAX = {"street": 70, "building": 16, "postcode": 16, "town": 35}
# Before this many days one reads “3 days ago”, from then on the day itself.
AGO_DAYS_MAX = 60
WAITING_DAYS_MAX = 90
# A document of a bank older than this tells nothing about the account of today.
EVIDENCE_AGE_MAX = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class PayeeAddress:
    """Where the holder of an account lies; a bank file needs at least town and country."""

    town: str = ""
    country_code: str = ""
    postcode: str | None = None
    street: str | None = None
    building: str | None = None

    @property
    def line(self) -> str:
        """``Rue de la Loi 16, 1000 Brussels, BE``, of what there is."""
        way = " ".join(each for each in (self.street, self.building) if each)
        place = " ".join(each for each in (self.postcode, self.town) if each)
        return ", ".join(each for each in (way, place, self.country_code) if each)


@dataclass(frozen=True, slots=True)
class AccountInput:
    """A payee's account as typed, with the day of the bank's document that shows it."""

    holder: str
    iban: str
    bic: str | None = None
    evidence_on: date | None = None
    address: PayeeAddress = field(default_factory=PayeeAddress)


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """How the second person checked an account by a way of their own, and what the bank said of its holder."""

    channel: CheckChannel | None
    checked_on: date | None
    # What was compared with what.
    note: str
    match: PayeeMatch | None
    # The holder as the bank named it, where it said “nearly”.
    match_name: str | None = None
    matched_on: date | None = None


@dataclass(frozen=True, slots=True)
class WaitingRule:
    """So many days an account confirmed on ``starts_on`` or later waits; from its row, or one as wanted.

    For ``marked_days`` after a changed account was confirmed, orders to it are marked.
    """

    starts_on: date
    days: int
    marked_days: int
    reason: str
    set_by_name: str = ""
    set_at: datetime | None = None


def account_number(text: str) -> str:
    """An IBAN without spaces, in capitals, its length and check digits right; raises :class:`Invalid`.

    Whether the bank code is known is not asked: lists of banks age (money_and_trust.md, M14).

    >>> account_number("be68 5390 0754 7034")
    'BE68539007547034'
    """
    compact = re.sub(r"[\s\u00a0\u202f]", "", text).upper()
    if not compact.isascii() or not compact.isalnum():
        raise Invalid(
            "The IBAN holds a character that is not a plain letter or digit. Copy it from the bank’s document again.",
            {"iban": "Use only the letters A to Z and the digits 0 to 9."},
        )
    try:
        return str(IBAN(compact))
    except SchwiftyException as error:
        raise Invalid(
            "The IBAN is not right.",
            {
                "iban": "This IBAN has a wrong length or wrong check digits for its country. Compare it with the bank’s document, group by group."
            },
        ) from error


def masked(iban: str) -> str:
    """Enough of a number to recognise it, too little to use it.

    >>> masked("BE68539007547034")
    'BE68 •••• 7034'
    """
    return f"{iban[:4]} •••• {iban[-4:]}"


def bank_code(text: str | None) -> str | None:
    """A BIC of 8 or 11 characters in capitals, or None for none; raises :class:`Invalid`."""
    compact = re.sub(r"\s", "", text or "").upper()
    if not compact:
        return None
    if not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", compact):
        raise Invalid("The BIC is not right.", {"bic": "A BIC has 8 or 11 letters and digits, for example GKCCBEBB."})
    return compact


def entered(given: AccountInput, today: date) -> AccountInput:
    """The account as it is kept: number, code and address in one form; raises :class:`Invalid` with all that is wrong."""
    wrong: dict[str, str] = {}
    iban, bic = given.iban, given.bic
    try:
        iban = account_number(given.iban)
    except Invalid as error:
        wrong |= error.problems
    try:
        bic = bank_code(given.bic)
    except Invalid as error:
        wrong |= error.problems
    holder = _words(given.holder)
    if not holder:
        wrong["holder"] = "Enter the holder as the bank writes it."
    elif len(holder) > HOLDER_CHARACTERS_MAX:
        wrong["holder"] = f"A bank file takes {HOLDER_CHARACTERS_MAX} characters; this has {len(holder)}. Shorten it."
    address = _kept_address(given.address)
    wrong |= _wrong_address(address)
    if said := _wrong_day(given.evidence_on, today, "the bank’s document"):
        wrong["evidence_on"] = said
    elif given.evidence_on is not None and today - given.evidence_on > EVIDENCE_AGE_MAX:
        wrong["evidence_on"] = (
            "This document is more than a year old. Ask the bank for one of today, and enter its day."
        )
    if wrong:
        raise Invalid("The account cannot be entered like this.", wrong)
    return AccountInput(holder, iban, bic, given.evidence_on, address)


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _kept_address(given: PayeeAddress) -> PayeeAddress:
    code = _words(given.country_code).upper()
    return PayeeAddress(
        town=_words(given.town),
        country_code=EU_SPELLINGS.get(code, code),
        postcode=_words(given.postcode) or None,
        street=_words(given.street) or None,
        building=_words(given.building) or None,
    )


def _wrong_address(address: PayeeAddress) -> dict[str, str]:
    wrong = {
        part: f"A bank file takes {most} characters here; this has {len(text)}. Shorten it."
        for part, most in ADDRESS_CHARACTERS_MAX.items()
        if (text := getattr(address, part)) and len(text) > most
    }
    if not address.town:
        wrong["town"] = "Enter the town of the holder; a bank file without it is not taken."
    elif not any(letter.isalpha() for letter in address.town):
        wrong["town"] = "A town has letters. Enter its name."
    if not is_country(address.country_code):
        wrong["country_code"] = "Enter the country as its two letters, for example PL."
    return wrong


def _wrong_day(day: date | None, today: date, of_what: str) -> str:
    if day is None:
        return f"Enter the day of {of_what}, for example 3 May 2023."
    if day > today:
        return f"This day is still to come: today is {clock.long_date(today)}. Enter the day of {of_what}."
    return ""


def checked(given: AccountCheck, entered_on: date, today: date) -> AccountCheck:
    """The check as it is kept; raises :class:`Invalid` for what is missing, :class:`Refused` where the bank said no."""
    faults.point("four_eyes")
    if given.match is PayeeMatch.NO_MATCH:
        raise Refused(
            "The bank said that this account is not the holder’s, so it cannot be confirmed. Refuse it and say so; "
            "then the right one can be entered."
        )
    wrong: dict[str, str] = {}
    if given.channel is None:
        wrong["channel"] = "Choose how you checked it: another way than the one the account came by."
    if said := _wrong_day(given.checked_on, today, "your check"):
        wrong["checked_on"] = said
    elif given.checked_on is not None and given.checked_on < entered_on:
        wrong["checked_on"] = (
            f"The account was entered on {clock.long_date(entered_on)}; what was looked at before was not this entry."
        )
    if not given.note.strip():
        wrong["note"] = "Say what you compared, or whom you spoke to."
    if given.match is None:
        wrong["match"] = "Choose what the bank said of the holder, or that it could not be asked."
    name = _words(given.match_name) or None
    if given.match is PayeeMatch.CLOSE_MATCH and name is None:
        wrong["match_name"] = "Enter the name that the bank gave, letter by letter."
    asked = given.match in (PayeeMatch.MATCH, PayeeMatch.CLOSE_MATCH)
    if asked and (said := _wrong_day(given.matched_on, today, "the bank’s answer")):
        wrong["matched_on"] = said
    if wrong:
        raise Invalid("The account is not confirmed yet.", wrong)
    kept_name = name if given.match is PayeeMatch.CLOSE_MATCH else None
    matched_on = given.matched_on if asked else None
    return AccountCheck(given.channel, given.checked_on, given.note.strip(), given.match, kept_name, matched_on)


# ----------------------------------------------------------------------------------------------- from when it is paid to


def new_waiting_rule(given: WaitingRule, today: date) -> WaitingRule:
    """A rule as it may be laid down: from today on, in a range, for a reason; raises :class:`Invalid`."""
    wrong = {}
    for name, days in (("days", given.days), ("marked_days", given.marked_days)):
        if not 0 <= days <= WAITING_DAYS_MAX:
            wrong[name] = f"Enter between 0 and {WAITING_DAYS_MAX} days."
    if given.starts_on < today:
        wrong["starts_on"] = (
            f"A rule holds from today, {clock.long_date(today)}, at the earliest: accounts confirmed before keep theirs."
        )
    if not given.reason.strip():
        wrong["reason"] = "Say in a sentence why; the people of the circuit and the auditor read it."
    if wrong:
        raise Invalid("The rule cannot stand like this.", wrong)
    return given


def rule_on(rules: Iterable[WaitingRule], day: date) -> WaitingRule | None:
    """The rule that holds for an account confirmed on this day, of rules from the oldest to the newest; None where none is."""
    found = None
    for each in rules:
        if each.starts_on <= day and (found is None or each.starts_on >= found.starts_on):
            found = each
    return found


def refuse_freeing_today(given: WaitingRule, standing: Iterable[WaitingRule], today: date) -> None:
    """A shorter wait begins tomorrow at the earliest: an account that was confirmed today is not freed by it."""
    now = rule_on(standing, today)
    if now is not None and given.days < now.days and given.starts_on <= today:
        raise Invalid(
            "A shorter wait cannot begin today.",
            {
                "starts_on": f"Accounts confirmed today wait {now.days} days. Let the shorter wait begin tomorrow or later."
            },
        )


def payable_from(confirmed_at: datetime, rule: WaitingRule | None) -> date:
    """The first day on which an account can be paid to."""
    return clock.add_days(clock.in_zone(confirmed_at).date(), rule.days if rule else 0)


def refuse_waiting(first_day: date, today: date) -> None:
    """An account confirmed only just is not paid to: a change that somebody smuggled in is noticed in these days."""
    faults.point("four_eyes")
    if today < first_day:
        raise Refused(waiting_words(first_day))


def waiting_words(first_day: date) -> str:
    """From which day an account can be paid to, as a sentence."""
    return (
        f"The bank account was confirmed only just: it can be paid to from {clock.long_date(first_day)}. "
        "Wait until then; the order keeps its signatures."
    )


# ----------------------------------------------------------------------------------------------------------- age in words


def age_words(confirmed_at: datetime, now: datetime) -> str:
    """How long ago an account was confirmed, as part of a sentence.

    >>> from datetime import UTC
    >>> confirmed = datetime(2023, 5, 3, 10, tzinfo=UTC)
    >>> age_words(confirmed, datetime(2023, 5, 6, 9, tzinfo=UTC))
    'confirmed 3 days ago'
    """
    day = clock.in_zone(confirmed_at).date()
    days = (clock.in_zone(now).date() - day).days
    match days:
        case 0:
            return "confirmed today"
        case 1:
            return "confirmed yesterday"
        case _ if 0 < days < AGO_DAYS_MAX:
            return f"confirmed {days} days ago"
        case _:
            return f"confirmed on {clock.long_date(day)}"


def paid_words(times: int, last_on: date | None) -> str:
    """How often an account was paid to, as part of a sentence.

    >>> paid_words(4, date(2023, 5, 3)), paid_words(0, None)
    ('paid 4 times, last on 3 May 2023', 'never paid to')
    """
    if not times:
        return "never paid to"
    often = "paid once" if times == 1 else f"paid {times} times"
    if last_on is None:
        return often
    return f"{often}, {'on' if times == 1 else 'last on'} {clock.long_date(last_on)}"


def changed_words(confirmed_at: datetime, prepared_at: datetime, rule: WaitingRule | None, *, is_first: bool) -> str:
    """What an order says of an account that replaced another shortly before; empty where there is nothing to say."""
    if is_first or rule is None or not rule.marked_days:
        return ""
    confirmed_on, prepared_on = (clock.in_zone(each).date() for each in (confirmed_at, prepared_at))
    days = (prepared_on - confirmed_on).days
    if days >= rule.marked_days:
        return ""
    ago = {0: "on the day this order was prepared", 1: "the day before this order was prepared"}
    when = (
        ago.get(days, f"{days} days before this order was prepared") if days >= 0 else "after this order was prepared"
    )
    return f"The payee’s account changed {when}. Ask the payee once more, at a number you know from before, not from this letter."


def shared_words(names: Sequence[str]) -> str:
    """That other organisations gave the same number; empty where none did.

    >>> shared_words(["Łódź"])
    'The same IBAN is the account of Łódź too.'
    """
    return f"The same IBAN is the account of {', '.join(sorted(names))} too." if names else ""
