"""Lists kept under a name: what a person gives, what they and those they share it with see. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from grants.applications.rules.listing import Listing, read_listing
from grants.core.errors import Invalid
from grants.core.permissions import Permission
from grants.identity.policy import PERMISSIONS, WORDS
from grants.identity.rules import one_line
from grants.identity.states import Role

NAME_CHARACTERS_MAX = 60
LISTS_MAX = 30
# Whom a list can be shared with in a call, beside everybody: those who read its applications by a role of staff.
SHARED_ROLES = tuple(
    role
    for role in (
        *(Role.PROGRAMME_MANAGER, Role.ELIGIBILITY_OFFICER, Role.PROJECT_OFFICER, Role.PANEL_CHAIR, Role.PANEL_MEMBER),
        Role.AUDITOR,
    )
    if Permission.APPLICATION_READ in PERMISSIONS[role]
)


@dataclass(frozen=True, slots=True)
class Sharing:
    """With whom a list is shared: everybody who reads a call, or those of them in one role; nobody where no call is named."""

    call_slug: str = ""
    role: str = ""

    def checked(self) -> Sharing:
        """The same, or :class:`Invalid`."""
        if self.role and self.role not in {role.value for role in SHARED_ROLES}:
            raise Invalid("There is no such role.", {"role": "Choose one of the roles shown."})
        if self.role and not self.call_slug:
            raise Invalid("A role alone is no team.", {"call": "Choose the call whose team shall see this list."})
        return self


@dataclass(frozen=True, slots=True)
class SavedListInput:
    """A list to be kept: its name, and its address as the page had it."""

    name: str
    address: str
    sharing: Sharing = Sharing()

    def checked(self) -> SavedListInput:
        """The same in one spelling, or :class:`Invalid`."""
        return SavedListInput(checked_name(self.name), spelled(listing_at(self.address)), self.sharing.checked())


def checked_name(text: str) -> str:
    """A name in one line; raises :class:`Invalid`."""
    name = one_line(text)
    if not name:
        raise Invalid("The list needs a name.", {"name": "Give the list a name."})
    if len(name) > NAME_CHARACTERS_MAX:
        raise Invalid(
            "The name is too long.",
            {
                "name": f"The name has {len(name)} characters; {NAME_CHARACTERS_MAX} fit. Take {len(name) - NAME_CHARACTERS_MAX} away."
            },
        )
    return name


def listing_at(address: str) -> Listing:
    """The list that a kept address holds."""
    return read_listing(parse_qsl(address))


def spelled(listing: Listing) -> str:
    """A list as it is kept."""
    return urlencode(listing.pairs)


@dataclass(frozen=True, slots=True)
class SavedListView:
    """One kept list as a person sees it; ``is_first`` where the list of applications opens with it."""

    id: UUID
    number: int
    name: str
    address: str
    owner: str
    is_own: bool
    is_first: bool
    shared_call_slug: str | None
    shared_call: str | None
    shared_role: str | None

    @property
    def listing(self) -> Listing:
        """What it shows; its problems tell what is there no more."""
        return listing_at(self.address)

    @property
    def sharing_words(self) -> str:
        """With whom it is shared, as a sentence without its full stop."""
        if self.shared_call is None:
            return "Only you see it" if self.is_own else ""
        whom = WORDS[Role(self.shared_role)][0].lower() + "s" if self.shared_role else "everybody"
        who = f"Shared with {whom} who read the applications to “{self.shared_call}”"
        return who if self.is_own else f"{who}, by {self.owner}"
