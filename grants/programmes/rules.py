"""What pages and later stages see of a programme and its funds, and when a programme's own data is good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """A programme as pages show it."""

    id: UUID
    slug: str
    code: str
    name: str
    organisation_id: UUID | None


@dataclass(frozen=True, slots=True)
class FundSourceView:
    """A parent grant as pages show it."""

    id: UUID
    number: str
    acronym: str
    framework: str
    starts_on: date | None
    ends_on: date | None

    @property
    def title(self) -> str:
        """``NetZeroCities, Horizon 2020 grant 101036519``."""
        return f"{self.acronym}, {self.framework} grant {self.number}"


@dataclass(frozen=True, slots=True)
class ProgrammeInput:
    """What makes a programme; ``code`` begins every reference of its objects."""

    code: str
    slug: str
    name: str
    organisation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FundSourceInput:
    """What makes a fund source: the number of the parent grant, its acronym and framework."""

    number: str
    acronym: str
    framework: str
    starts_on: date | None = None
    ends_on: date | None = None


# What an installation starts with: the programme of the three cohorts and the parent grant of the first
# (domain.md P-03).
PILOT_CITIES = ProgrammeInput("PCP", "pilot-cities", "Pilot Cities Programme")
NETZEROCITIES = FundSourceInput("101036519", "NetZeroCities", "Horizon 2020")


def checked_programme(given: ProgrammeInput) -> ProgrammeInput:
    """The same input; raises :class:`Invalid` with a sentence for each field."""
    problems = {}
    if not re.fullmatch(r"[A-Z]{2,6}", given.code):
        problems["code"] = "The code is two to six capital letters, for example PCP: it begins every reference."
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", given.slug):
        problems["slug"] = "The address is lower-case letters, digits and single hyphens, for example pilot-cities."
    if not given.name.strip():
        problems["name"] = "Enter the name of the programme."
    if problems:
        raise Invalid("The programme is not complete.", problems)
    return given


def checked_fund_source(given: FundSourceInput) -> FundSourceInput:
    """The same input; raises :class:`Invalid` with a sentence for each field."""
    problems = {
        name: f"Enter the {label} of the parent grant."
        for name, label in {"number": "number", "acronym": "acronym", "framework": "framework programme"}.items()
        if not getattr(given, name).strip()
    }
    if given.starts_on and given.ends_on and given.ends_on < given.starts_on:
        problems["ends_on"] = "The parent grant ends before it starts. Check both dates."
    if problems:
        raise Invalid("The fund source is not complete.", problems)
    return given
