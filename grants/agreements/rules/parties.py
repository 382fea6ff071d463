"""Who speaks for a grant: checks, contacts, signatures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never
from uuid import UUID

from grants.agreements.states import (
    CheckAnswer,
    ContactRole,
    Side,
)
from grants.core import faults
from grants.core.errors import Refused

# What is looked at before a grant agreement is offered (domain.md 10, grant preparation): key and words.
DUE_DILIGENCE: tuple[tuple[str, str], ...] = (
    ("legal_entity", "The legal entity of every beneficiary is validated against a public register"),
    ("power_to_sign", "The signatory of the coordinator has the power to sign, valid on the day of signature"),
    ("council_decision", "The council or another competent body has taken its decision, where one is needed"),
    ("exclusion", "The declaration on exclusion grounds is signed, and the sanctions lists were checked"),
    ("consortium_agreement", "The consortium agreement is signed, or its effective date is agreed"),
    ("financial_capacity", "The financial capacity of beneficiaries that are not public bodies was assessed"),
    ("state_aid", "State aid and de minimis are declared"),
    ("double_funding", "No cost of the work plan is paid by another grant"),
)


# Who declared a conflict, or of whom one was found, takes no step with a grant or its money.
IN_CONFLICT = (
    "You have a conflict of interest with this pilot, so no step of its agreement or payments is yours. "
    "Ask a colleague with your role. Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class CheckInput:
    """The answer to one due-diligence item."""

    key: str
    answer: CheckAnswer
    note: str | None = None
    evidence_on: date | None = None
    # Of the item as it was shown.
    version: int | None = None


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
