"""The programme's own bank accounts: what is typed, what is shown, and when one may be paid from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from grants.agreements import rules as agreements
from grants.agreements.rules.accounts import masked
from grants.core import faults
from grants.core.errors import Invalid, Refused
from grants.identity.rules import one_line
from grants.payments.rules.sepa.table import ADDRESS_LENGTHS
from grants.payments.states import OwnAccountState


@dataclass(frozen=True, slots=True)
class OwnAccountInput:
    """An account of the programme as typed, with the address of its holder."""

    programme_id: UUID
    holder: str
    iban: str
    country: str
    town: str
    bic: str = ""
    postcode: str = ""
    street: str = ""
    building: str = ""


@dataclass(frozen=True, slots=True)
class OwnAccountView:
    """An account the programme pays from, with who entered, confirmed and closed it."""

    id: UUID
    version: int
    reference: str
    programme_id: UUID
    programme: str
    holder: str
    iban: str
    bic: str | None
    country: str
    town: str
    postcode: str | None
    street: str | None
    building: str | None
    currency: str
    state: OwnAccountState
    entered_by: UUID
    entered_by_name: str
    entered_at: datetime
    confirmed_by: UUID | None
    confirmed_by_name: str | None
    confirmed_at: datetime | None
    evidence: str | None
    closed_by_name: str | None
    closed_at: datetime | None
    close_reason: str | None

    @property
    def masked(self) -> str:
        """``BE68 •••• 7034``: enough to recognise, too little to use."""
        return masked(self.iban)

    @property
    def grouped(self) -> str:
        """The number in groups of four, as banks print it."""
        return " ".join(self.iban[place : place + 4] for place in range(0, len(self.iban), 4))

    @property
    def address(self) -> str:
        """The address of the holder in one line."""
        street = " ".join(part for part in (self.street, self.building) if part)
        town = " ".join(part for part in (self.postcode, self.town) if part)
        return ", ".join(part for part in (street, town, self.country) if part)

    @property
    def title(self) -> str:
        """As it is chosen: holder and number, enough to tell accounts apart."""
        return f"{self.holder}, {self.masked} ({self.reference})"


def checked_own_account(given: OwnAccountInput) -> OwnAccountInput:
    """What was typed, tidied; raises :class:`Invalid` naming each field that cannot stand."""
    tidy = OwnAccountInput(
        given.programme_id,
        one_line(given.holder),
        agreements.account_number(given.iban),
        given.country.strip().upper(),
        one_line(given.town),
        agreements.bank_code(given.bic) or "",
        one_line(given.postcode),
        one_line(given.street),
        one_line(given.building),
    )
    problems = {
        part: f"{len(text)} characters are too many; a bank file takes {most}. Shorten it."
        for part, most in ADDRESS_LENGTHS.items()
        if len(text := getattr(tidy, part)) > most
    }
    if not tidy.holder:
        problems["holder"] = "Enter the holder as the bank writes it."
    if not tidy.town:
        problems["town"] = "Enter the town: banks refuse an address without it."
    if problems:
        raise Invalid("The account cannot be entered like this.", problems)
    return tidy


def refuse_own_entry(entered_by: UUID, user_id: UUID | None) -> None:
    """Two people for an account the programme pays from: refuse its confirmation by who entered it."""
    faults.point("four_eyes")
    if user_id is None or user_id == entered_by:
        raise Refused("You entered this account, so you cannot confirm it. Ask a verifier or an accounting officer.")


def own_account_next(state: OwnAccountState) -> str:
    """Where an account of the programme stands and who acts on it next, as a sentence."""
    match state:
        case OwnAccountState.PROPOSED:
            return "It is entered; a verifier or an accounting officer compares it with the bank’s document and confirms it."
        case OwnAccountState.CONFIRMED:
            return "It is confirmed; payments can leave from it."
        case OwnAccountState.CLOSED:
            return "It is closed; no payment leaves from it any more. To use it again, it is entered anew."
        case _:
            assert_never(state)
