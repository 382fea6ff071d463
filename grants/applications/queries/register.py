"""What the register of organisations holds of a consortium: now, and as it stood when a version was sent."""

from __future__ import annotations

from grants.applications import rules
from grants.applications.queries.writing import Workplace
from grants.applications.rules import ShownOrganisation, SubmittedContent
from grants.core import clock
from grants.identity import queries as identity


def register_now(place: Workplace) -> tuple[ShownOrganisation, ...]:
    """The facts a submission would freeze now, with the day each was validated on."""
    return rules.facts_now(place.application, place.held, clock.today())


def register_sent(content: SubmittedContent) -> tuple[ShownOrganisation, ...]:
    """The facts a submission froze, with the day each had been validated on when it was sent; one statement."""
    lines = identity.fact_lines((member.organisation_id for member in content.consortium), at=content.submitted_at)
    return rules.sent_facts(content, lines, clock.in_zone(content.submitted_at).date())
