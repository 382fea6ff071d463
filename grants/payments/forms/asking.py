"""What the addresses of lists ask for: the filters of the ledger, of balances, forecasts and ages, read into frozen inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from grants.core import clock
from grants.core.errors import Invalid, no_such, quoted
from grants.ledger.accounts import Account
from grants.ledger.rules import Event
from grants.payments.rules import (
    LedgerAsk,
)
from grants.payments.rules.ageing import AgeingAsk, Bucket, Owing
from grants.payments.rules.balances_asked import BalancesAsk
from grants.payments.rules.forecasting import MONTHS, MONTHS_MAX, ForecastAsk
from grants.web.choosing import day_asked

Listed = TypeVar("Listed", Account, Event)


# A filter is no place for an essay.
FILTER_CHARACTERS_MAX = 100


def ledger_ask(args: MultiDict[str, str]) -> tuple[LedgerAsk, dict[str, str]]:
    """The filters in a ledger's address, and a sentence for each that cannot be read or is not there."""
    problems: dict[str, str] = {}

    def text(name: str) -> str:
        return args.get(name, "").strip()[:FILTER_CHARACTERS_MAX]

    return (
        LedgerAsk(
            account=_listed(Account, "account", args.get("account", ""), problems),
            events=tuple(
                dict.fromkeys(
                    event for given in args.getlist("event") if (event := _listed(Event, "event", given, problems))
                )
            ),
            fund=text("fund"),
            call=text("call"),
            grant_reference=text("grant"),
            partner=text("partner"),
            category=text("category"),
            period=text("period"),
            document=text("document"),
            from_on=day_asked(args, "from", problems),
            to_on=day_asked(args, "to", problems),
            known=_moment_asked(text("known"), problems),
            text=text("q"),
        ),
        problems,
    )


def balances_ask(args: Mapping[str, str]) -> tuple[BalancesAsk, dict[str, str]]:
    """The two moments and the grant in the address of the balances, and a sentence for each that cannot be read."""
    problems: dict[str, str] = {}
    return BalancesAsk(
        on=day_asked(args, "on", problems),
        known=_moment_asked(args.get("known", "").strip(), problems),
        grant_reference=args.get("grant", "").strip(),
    ), problems


def _moment_asked(typed: str, problems: dict[str, str]) -> datetime | None:
    """A day means until its end; a moment carries its zone."""
    if not typed:
        return None
    try:
        return clock.read_moment(typed, "known") if "T" in typed.upper() and ":" in typed else _end_of(typed)
    except Invalid as error:
        problems["known"] = str(error)
        return None


def _end_of(typed: str) -> datetime:
    return clock.end_of_day(clock.read_date(typed))


def _listed(kind: type[Listed], name: str, given: str, problems: dict[str, str]) -> Listed | None:
    """What a filter names of a closed list, told with its number and name as the page offers it."""
    given = given.strip()
    if given and given not in list(kind):
        problems[name] = no_such(name, given, (f"{each.value} {each.label}" for each in kind))
        return None
    return kind(given) if given else None


def forecast_ask(args: Mapping[str, str]) -> tuple[ForecastAsk, dict[str, str]]:
    """The filters in a forecast's address, and a sentence for each that cannot be read."""
    problems: dict[str, str] = {}
    return ForecastAsk(
        call=args.get("call", "").strip()[:100],
        fund=args.get("fund", "").strip()[:100],
        grant=args.get("grant", "").strip()[:100],
        from_month=_month_asked(args.get("from", "").strip(), problems),
        months=_months_asked(args.get("months", "").strip(), problems),
    ), problems


def _month_asked(typed: str, problems: dict[str, str]) -> date | None:
    found = re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", typed)
    if found is None:
        if typed:
            problems["from"] = f"{quoted(typed)} is not a month. Write it like 2027-03."
        return None
    return date(int(found[1]), int(found[2]), 1)


def _months_asked(typed: str, problems: dict[str, str]) -> int:
    if not typed:
        return MONTHS
    if typed.isascii() and typed.isdecimal() and len(typed) < 4 and 1 <= int(typed) <= MONTHS_MAX:
        return int(typed)
    problems["months"] = f"{quoted(typed)} is no number of months. Write a whole number from 1 to {MONTHS_MAX}."
    return MONTHS


def ageing_ask(args: Mapping[str, str]) -> tuple[AgeingAsk, dict[str, str]]:
    """What an ageing's address asks for, and a sentence for what is not there."""
    given, step, problems = args.get("what", "").strip(), args.get("step", "").strip(), dict[str, str]()
    if given and given not in list(Owing):
        problems["what"] = no_such("list", given, (each.value for each in Owing))
    if step and step not in list(Bucket):
        problems["step"] = no_such("age", step, (each.value for each in Bucket))
    what = Owing(given) if given in list(Owing) else Owing.DUE
    chosen = Bucket(step) if step in list(Bucket) else None
    return AgeingAsk(what, args.get("call", "").strip()[:100], chosen), problems
