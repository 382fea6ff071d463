"""Organisations as frozen values, and what may be typed of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from grants.core.errors import Invalid
from grants.core.zones import is_country
from grants.identity.rules.ror import ror_id
from grants.identity.rules.vat import vat_number, vat_words
from grants.identity.rules.words import one_line
from grants.identity.states import OrganisationKind


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation with every public column."""

    id: UUID
    version: int
    name: str
    kind: OrganisationKind
    country_code: str
    local_name: str | None = None
    town: str | None = None
    postcode: str | None = None
    street: str | None = None
    pic: str | None = None
    website: str | None = None
    synthetic: bool = False
    # The entry that stands for the same organisation, where a person said so.
    same_as_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation in the register's list, with the address of its page and how many of its facts are validated."""

    view: OrganisationView
    slug: str
    validated: int = 0


@dataclass(frozen=True, slots=True)
class OrganisationInput:
    """An organisation as typed or imported."""

    name: str
    kind: OrganisationKind
    country_code: str
    local_name: str | None = None
    town: str | None = None
    postcode: str | None = None
    street: str | None = None
    pic: str | None = None
    website: str | None = None
    synthetic: bool = False
    # Facts of the register beside the entry itself (rules/facts.py).
    vat: str | None = None
    registration: str | None = None
    ror: str | None = None
    legal_form: str | None = None
    public_body: bool | None = None
    contact_address: str | None = None
    nuts2: str | None = None

    def checked(self) -> OrganisationInput:
        """This input, if it can be stored; raises :class:`Invalid` with a sentence for each field."""
        problems: dict[str, str] = {}
        if not one_line(self.name):
            problems["name"] = "Enter the organisation\u2019s official name."
        if not re.fullmatch(r"[A-Z]{2}", self.country_code):
            problems["country_code"] = "Enter the country as two capital letters, for example PL."
        elif self.country_code in EU_SPELLINGS:
            # Kept as typed it would be in no list of countries, and the form of its VAT number would not be known.
            problems["country_code"] = f"Write {EU_SPELLINGS[self.country_code]} instead of {self.country_code} here."
        elif not is_country(self.country_code):
            problems["country_code"] = (
                f"There is no country with the code {self.country_code}. Enter the two letters of ISO 3166, for example PL."
            )
        if self.pic and not re.fullmatch(r"[0-9]{9}", self.pic):
            problems["pic"] = (
                "A participant identification code has exactly 9 digits. Leave the field empty if there is none."
            )
        if self.website and (not _is_web_address(self.website) or len(self.website) > WEB_ADDRESS_CHARACTERS_MAX):
            problems["website"] = "Enter the whole address of the website, beginning with https://."
        if one_line(self.vat or "") and vat_number(one_line(self.vat or ""), self.country_code) is None:
            problems["vat"] = (
                f"This is not how a VAT number is written there. {vat_words(self.country_code)} "
                "Leave the field empty if there is none."
            )
        if (typed := (self.nuts2 or "").strip().upper()) and not re.fullmatch(r"[A-Z]{2}[0-9A-Z]{2}", typed):
            problems["nuts2"] = (
                "A NUTS 2 region is the code of a country and two characters, for example PL91. Leave it empty for whoever is "
                "no natural person."
            )
        if (self.ror or "").strip() and ror_id(self.ror) is None:
            problems["ror"] = (
                "This is no ROR iD. Write its 9 letters and digits, for example 052gg0110, or leave the field empty if there is none."
            )
        if problems:
            raise Invalid("Some details of the organisation need another look.", problems)
        return self


# What documents of the EU write for Greece and the United Kingdom, and their codes in ISO 3166-1.
EU_SPELLINGS = {"EL": "GR", "UK": "GB"}
WEB_ADDRESS_CHARACTERS_MAX = 500


def _is_web_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in {"http", "https"}
    except ValueError:
        return False
