"""Who speaks for a grant and where its money goes: checks, contacts, bank accounts, signatures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from grants.agreements.states import (
    ContactRole,
    Side,
)
from grants.core import faults
from grants.core.errors import Invalid, Refused

# Who declared a conflict, or of whom one was found, takes no step with a grant or its money.
IN_CONFLICT = (
    "You have a conflict of interest with this pilot, so no step of its agreement or payments is yours. "
    "Ask a colleague with your role. Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class ContactInput:
    """A person of the coordinator, and what they do for the grant."""

    name: str
    email: str
    role: ContactRole


@dataclass(frozen=True, slots=True)
class DismissInput:
    """Whose part ends and why, and whether the person does not belong to the coordinator at all."""

    handle: str
    role: ContactRole
    reason: str
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class ContactView:
    """A person who acts for the coordinator; the handle stands in addresses of pages."""

    user_id: UUID
    handle: str
    name: str
    email: str
    role: ContactRole


@dataclass(frozen=True, slots=True)
class AccountInput:
    """A payee's account as typed."""

    holder: str
    iban: str
    bic: str | None = None


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


def bank_code(text: str | None) -> str | None:
    """A BIC of 8 or 11 characters in capitals, or None for none; raises :class:`Invalid`."""
    compact = re.sub(r"\s", "", text or "").upper()
    if not compact:
        return None
    if not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", compact):
        raise Invalid("The BIC is not right.", {"bic": "A BIC has 8 or 11 letters and digits, for example GKCCBEBB."})
    return compact


def refuse_same_person(first: UUID, second: UUID | None, *, deed: str) -> None:
    """Four eyes: two steps the circuit keeps apart are never done by one person."""
    faults.point("four_eyes")
    if second is None or first == second:
        raise Refused(f"You entered this yourself; {deed} takes another person. Ask a colleague with that role.")


def signs(side: Side) -> str:
    """Who signs, in words."""
    match side:
        case Side.CITY:
            return "the coordinator"
        case Side.PROGRAMME:
            return "the programme"
        case _:
            assert_never(side)
