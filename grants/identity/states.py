"""The small vocabularies of identity: kinds of organisation, purposes of a sign-in link, why a session ended."""

from __future__ import annotations

from enum import StrEnum


class OrganisationKind(StrEnum):
    """What an organisation is; eligibility conditions of calls read it."""

    MUNICIPALITY = "municipality"
    METROPOLE = "metropole"
    AGENCY = "agency"
    RESEARCH = "research"
    UNIVERSITY = "university"
    COMPANY = "company"
    ASSOCIATION = "association"
    PROGRAMME = "programme"


class LinkPurpose(StrEnum):
    """What a sign-in link is for; both lead to choosing a password."""

    INVITATION = "invitation"
    RESET = "reset"


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    ENDED_BY_PERSON = "ended_by_person"
    PASSWORD_CHANGED = "password_changed"
    USER_DISABLED = "user_disabled"
    REPLACED = "replaced"


class RoleStanding(StrEnum):
    """Where a role stands now; derived from its dates and signatures, never stored."""

    WAITING = "waiting"
    PLANNED = "planned"
    HELD = "held"
    ENDED = "ended"
