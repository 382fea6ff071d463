"""Who speaks for a grant: checks, contacts, signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from grants.agreements.states import (
    ContactRole,
    Side,
)
from grants.core import faults
from grants.core.errors import Refused

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
