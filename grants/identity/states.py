"""The small vocabularies of identity: roles, kinds of organisation, purposes of a sign-in link, why a session ended."""

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
    """What a link in a mail is for: choosing a password, or showing that a new address is one's own."""

    INVITATION = "invitation"
    RESET = "reset"
    ADDRESS = "address"


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    ENDED_BY_PERSON = "ended_by_person"
    PASSWORD_CHANGED = "password_changed"
    ADDRESS_CHANGED = "address_changed"
    USER_DISABLED = "user_disabled"
    REPLACED = "replaced"


class Role(StrEnum):
    """Every role by its slug."""

    ADMINISTRATOR = "administrator"
    PROGRAMME_MANAGER = "programme_manager"
    ELIGIBILITY_OFFICER = "eligibility_officer"
    PROJECT_OFFICER = "project_officer"
    EVALUATOR = "evaluator"
    ASSIGNED_EVALUATOR = "assigned_evaluator"
    PANEL_CHAIR = "panel_chair"
    PANEL_MEMBER = "panel_member"
    FINANCE_INITIATOR = "finance_initiator"
    FINANCE_VERIFIER = "finance_verifier"
    AUTHORISING_OFFICER = "authorising_officer"
    ACCOUNTING_OFFICER = "accounting_officer"
    AUDITOR = "auditor"
    APPLICANT = "applicant"
    APPLICATION_LEAD = "application_lead"
    APPLICATION_EDITOR = "application_editor"
    APPLICATION_PARTNER = "application_partner"
    APPLICATION_SIGNATORY = "application_signatory"
    APPLICATION_READER = "application_reader"
    PAST_PARTNER = "past_partner"
    SIGNATORY = "signatory"
    PROGRAMME_SIGNATORY = "programme_signatory"
    CITY_ADVISOR = "city_advisor"


class RoleStanding(StrEnum):
    """Where a role stands now; derived from its dates and signatures, never stored."""

    WAITING = "waiting"
    PLANNED = "planned"
    HELD = "held"
    ENDED = "ended"


class FactKind(StrEnum):
    """What the register holds of an organisation, in the order of its page."""

    LEGAL_NAME = "legal_name"
    PIC = "pic"
    VAT = "vat"
    REGISTRATION = "registration"
    ROR = "ror"
    LEGAL_FORM = "legal_form"
    PUBLIC_BODY = "public_body"
    REGISTERED_ADDRESS = "registered_address"
    CONTACT_ADDRESS = "contact_address"
    WEBSITE = "website"
    NUTS2 = "nuts2"


class FactStanding(StrEnum):
    """How far a fact can be relied on; derived from its last lines and the day, never stored."""

    MISSING = "missing"
    NOT_VALIDATED = "not_validated"
    VALIDATED = "validated"
    EXPIRED = "expired"
    CHANGED = "changed"


class DoubleVerdict(StrEnum):
    """What a person decided about two entries that look alike."""

    SAME = "same"
    APART = "apart"
