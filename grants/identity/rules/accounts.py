"""People, their roles and their mails as frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from grants.identity.states import Role, RoleStanding


@dataclass(frozen=True, slots=True)
class Person:
    """A person as others may see them."""

    id: UUID
    name: str
    email: str
    organisation: str | None = None
    organisation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RoleView:
    """One role of one person, in words a page can show."""

    id: UUID
    role: Role
    title: str
    kind: str
    object_id: UUID | None
    standing: RoleStanding
    starts_at: datetime
    ends_before: datetime | None
    assigned_by: UUID | None
    confirmed_by: UUID | None
    # Whose role it is while they are away.
    stand_in_for: UUID | None = None


@dataclass(frozen=True, slots=True)
class UserRow:
    """One line of the list of people."""

    id: UUID
    version: int
    handle: str
    name: str
    email: str
    organisation: str | None
    job_title: str | None
    disabled_at: datetime | None
    invited_only: bool
    is_demo: bool
    roles: tuple[RoleView, ...] = ()


PARTS: Mapping[str, frozenset[Role]] = {
    "Programme": frozenset(
        {
            *(Role.ADMINISTRATOR, Role.PROGRAMME_MANAGER, Role.ELIGIBILITY_OFFICER, Role.PROJECT_OFFICER),
            Role.PROGRAMME_SIGNATORY,
        }
    ),
    "Evaluators and panel": frozenset({Role.EVALUATOR, Role.ASSIGNED_EVALUATOR, Role.PANEL_CHAIR, Role.PANEL_MEMBER}),
    "Finance and audit: who pays, and who checks it": frozenset(
        {
            *(Role.FINANCE_INITIATOR, Role.FINANCE_VERIFIER, Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER),
            Role.AUDITOR,
        }
    ),
    "Cities and their partners": frozenset(
        {
            *(Role.APPLICANT, Role.APPLICATION_LEAD, Role.APPLICATION_EDITOR, Role.APPLICATION_PARTNER),
            *(Role.APPLICATION_SIGNATORY, Role.APPLICATION_READER, Role.SIGNATORY, Role.CITY_ADVISOR),
            Role.PAST_PARTNER,
        }
    ),
}

OTHERS = "Without a role yet"


def part_of(held: Set[Role]) -> str:
    """The part somebody with these roles plays."""
    return next((part for part, roles in PARTS.items() if roles & held), OTHERS)


def by_part(people: Iterable[UserRow]) -> tuple[tuple[str, tuple[UserRow, ...]], ...]:
    """People by the part they play, each once, in the order given; parts nobody plays are left out."""
    found: dict[str, list[UserRow]] = {part: [] for part in (*PARTS, OTHERS)}
    for person in people:
        found[part_of({Role(view.role) for view in person.roles})].append(person)
    return tuple((part, tuple(those)) for part, those in found.items() if those)


@dataclass(frozen=True, slots=True)
class DemoChoice:
    """One demo person in the switch on every page."""

    slug: str
    name: str
    role: str
    part: str


@dataclass(frozen=True, slots=True)
class AddedUser:
    """A person just added, and the link by which they choose a password (none for demo people)."""

    user_id: UUID
    link_id: UUID | None


@dataclass(frozen=True, slots=True)
class MailRow:
    """One line of the page of mails; ``state`` is that of its job, ``address`` one outside that belongs to no account."""

    number: int
    asked_at: datetime
    finished_at: datetime | None
    state: str
    error: str | None
    to: Person | None
    address: str | None
    template: str
    subject: str | None
    opens_account: bool
    guarded: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class MailAsked:
    """What one mail is made of: to a person, or to an address outside, where there is no person."""

    user_id: UUID | None
    address: str
    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail ready to be sent: one line of subject, plain text."""

    to: str
    name: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class UserInput:
    """A person to be added or invited. ``is_demo`` counts only where the demo is switched on."""

    name: str
    email: str
    roles: tuple[Role, ...] = ()
    organisation_id: UUID | None = None
    job_title: str | None = None
    phone: str | None = None
    is_demo: bool = False


@dataclass(frozen=True, slots=True)
class ColleagueInput:
    """A person somebody says belongs to an organisation."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class ProfileInput:
    """What people change about themselves."""

    name: str
    job_title: str | None = None
    phone: str | None = None
    orcid: str | None = None


@dataclass(frozen=True, slots=True)
class RoleInput:
    """A role an administrator gives by hand, everywhere or for one call, until a moment or for good."""

    role: Role
    ends_before: datetime | None = None
    call_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RolePlace:
    """A thing a role can be given for, as people name it."""

    id: UUID
    reference: str
    title: str

    @property
    def label(self) -> str:
        """For choices and lists."""
        return f"{self.reference}, {self.title}"


class Joins(StrEnum):
    """What a person who is new here becomes by being named by somebody else."""

    # An applicant and a member of the organisation: a staff act, or the organisation is new in the same act.
    AS_MEMBER = "member"
    # Nothing but what the stage gives on its own thing: nobody opens somebody else’s organisation to a stranger.
    AS_GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Where:
    """From where somebody signs in."""

    address: str
    browser: str


def standing(*, starts_at: datetime, ends_before: datetime | None, unconfirmed: bool, at: datetime) -> RoleStanding:
    """Where a role stands at a moment."""
    if ends_before is not None and ends_before <= at:
        return RoleStanding.ENDED
    if unconfirmed:
        return RoleStanding.WAITING
    return RoleStanding.HELD if starts_at <= at else RoleStanding.PLANNED
