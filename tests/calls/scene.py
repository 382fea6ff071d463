"""The real call of 2022 as the programme manager brings it in: where the tests of calls begin."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from grants.calls import services
from grants.calls.rules import CallSummary
from grants.calls.rules.privacy import HEADINGS, PrivacyText
from grants.core import clock
from tests import actors

DATA = services.DATA
CALL_2022 = (DATA / "call_2022.yaml").read_text(encoding="utf-8")

BEFORE = datetime(2022, 8, 1, 9, tzinfo=UTC)
WHILE_OPEN = datetime(2022, 10, 10, 9, tzinfo=UTC)
AFTER = datetime(2022, 12, 1, 9, tzinfo=UTC)

SMALL = """
schema_version: 1
call:
  id: SMALL-2027
  title: Small towns try out
  invented: true
  parent_grant: {number: "999000999", acronym: Invented, framework: Horizon Europe}
dates:
  opens: {local: "2027-01-11", time: "09:00"}
  deadline_original: {literal: "15 March 2027, 17:00 Brussels time", local: "2027-03-15 17:00"}
duration_months: 24
budget: {total: 600000}
grant_bands_eur:
  - {code: S, amount: 200000}
"""

# The same call with a privacy notice of its own.
NOTICE = PrivacyText(*(f"Words about: {heading.lower()}." for heading in HEADINGS.values()))
WITH_NOTICE = CALL_2022 + "\nprivacy_notice:\n" + "".join(f'  {name}: "{getattr(NOTICE, name)}"\n' for name in HEADINGS)


def imported(text: str = CALL_2022) -> CallSummary:
    """The call as a draft, with what was not found still open."""
    with clock.at(BEFORE):
        return services.import_call(actors.ingrid(), text)


def filled(text: str = CALL_2022) -> CallSummary:
    """The call as a draft with nothing missing."""
    call = imported(text)
    with clock.at(BEFORE):
        return services.apply_template(actors.ingrid(), call.id)


def published(text: str = CALL_2022) -> CallSummary:
    """The call as everybody sees it."""
    call = filled(text)
    with clock.at(BEFORE):
        return services.publish(actors.ingrid(), call.id)


def noticed() -> UUID:
    """The call with a privacy notice as everybody sees it; its id."""
    return published(WITH_NOTICE).id
