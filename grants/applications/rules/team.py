"""Who belongs to the team of an application, in which role, and which part each of them writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from grants.core.errors import Invalid, Refused
from grants.identity.states import Role

# Every role of a team while the application is written, by how much it may: shown and listed in this order.
TEAM_ROLES = (
    Role.APPLICATION_LEAD,
    Role.APPLICATION_EDITOR,
    Role.APPLICATION_PARTNER,
    Role.APPLICATION_SIGNATORY,
    Role.APPLICATION_READER,
)
# Those the lead gives to a person; a partner comes by inviting an organisation, the lead by handing over.
MEMBER_ROLES = (Role.APPLICATION_EDITOR, Role.APPLICATION_SIGNATORY, Role.APPLICATION_READER)
WRITING_ROLES = frozenset({Role.APPLICATION_LEAD, Role.APPLICATION_EDITOR, Role.APPLICATION_PARTNER})
MEMBERS_MAX = 60
# A section asked of nobody in particular, where a form must say so and not merely say nothing.
NOBODY = UUID(int=0)

TITLES = {
    Role.APPLICATION_LEAD: "Lead",
    Role.APPLICATION_EDITOR: "Editor",
    Role.APPLICATION_PARTNER: "Partner",
    Role.APPLICATION_SIGNATORY: "Signatory",
    Role.APPLICATION_READER: "Reader",
}
DUTIES = {
    Role.APPLICATION_LEAD: "writes every part, invites people and gives out roles, sends and withdraws the application",
    Role.APPLICATION_EDITOR: "writes every section and the whole budget; invites nobody and sends nothing",
    Role.APPLICATION_PARTNER: "writes the sections asked of them and the budget row of their own organisation, and signs that part off",
    Role.APPLICATION_SIGNATORY: "reads everything, comments, and signs the whole application off before it is sent",
    Role.APPLICATION_READER: "reads everything and comments; changes nothing",
}


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A person of the team. ``organisation`` is the one they speak for; who has not joined yet reads and does no more."""

    user_id: UUID
    name: str
    email: str
    role: Role
    joined: bool
    organisation: str | None = None

    @property
    def title(self) -> str:
        """The role in a word."""
        return TITLES[self.role]

    @property
    def is_member(self) -> bool:
        """Whether the lead may change the role or take the person out: neither the lead nor a partner's person."""
        return self.role in MEMBER_ROLES


@dataclass(frozen=True, slots=True)
class PersonInput:
    """Whom to invite into the team, as what, and which sections to ask of them."""

    email: str
    name: str
    role: Role
    sections: tuple[str, ...] = ()


def checked_member_role(role: Role) -> Role:
    """A role the lead may give to a person; raises :class:`Invalid`."""
    if role not in MEMBER_ROLES:
        raise Invalid("Choose a role.", {"role": "Choose what the person does: editor, signatory or reader."})
    return role


def refuse_other_part(*, writes: bool, asked: str | None) -> None:
    """A partner writes the own part only; raises :class:`Refused` that says whose it is."""
    if writes:
        return
    whose = f"{asked} is asked to write this section." if asked else "Nobody has asked you to write this section."
    raise Refused(
        f"{whose} As a partner you write the sections asked of you and your own row of the budget. "
        "Leave a comment, or ask the lead to ask this section of you."
    )


def askable(team: Iterable[TeamMember]) -> tuple[TeamMember, ...]:
    """Who can be asked to write a section."""
    return tuple(member for member in team if member.role in WRITING_ROLES)
