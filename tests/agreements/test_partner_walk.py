"""What a partner of a consortium meets behind the links of its grant: every page is there, asks little, and says the same."""

from __future__ import annotations

from flask import Flask

from grants.identity.policy import Role
from tests import actors
from tests.agreements.amending import Amended
from tests.following import walked_from


def test_every_link_of_a_partner_leads_to_a_page_it_may_read(app: Flask, found: Amended) -> None:
    agnes = actors.person("Agnes Agency", Role.APPLICANT, organisation_name="Energy Agency of Northbridge")
    partner = actors.give(agnes, Role.APPLICATION_PARTNER, "application", found.application_id)

    walked, wrong = walked_from(actors.client_of(app, partner), f"/grants/{found.reference}", leave_out=_bare)

    print(walked)
    assert wrong == []


def _bare(path: str) -> bool:
    """The world begins with the grant: its application has no content."""
    return path.startswith("/applications")
