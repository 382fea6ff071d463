"""What the register of organisations holds goes into an application, and stays in what was sent as it was then."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask

from grants.applications import queries, rules
from grants.calls.rules import CallView
from grants.core import clock
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import OrganisationInput, ValidationInput
from grants.identity.states import FactKind, OrganisationKind
from tests import actors
from tests.applications.pages import text_of
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again, draft, submitted

NORTH = OrganisationInput(
    actors.NORTHBRIDGE, OrganisationKind.MUNICIPALITY, "PL", vat="PL1234567890", public_body=False, synthetic=True
)
SEEN = ValidationInput("VIES, printed", WHILE_OPEN.date())


def test_facts_go_in_with_their_day_and_a_sent_version_keeps_them_as_they_were(app: Flask, call: CallView) -> None:
    ana = actors.ana()
    (north,) = ana.organisation_ids
    with clock.at(WHILE_OPEN):
        people.edit_organisation(ana, north, NORTH)
        people.validate_fact(actors.pia(), north, FactKind.VAT, "PL1234567890", SEEN)
        reference = draft(call, ana)
        shown = text_of(actors.client_of(app, ana).get(f"/applications/{reference}/details"))
    assert "PL1234567890 Validated on 3 October 2022" in shown
    assert "No Not validated" in shown

    sent = submitted(call, ana, "Second")
    before = queries.submitted_content(sent)
    with clock.at(AFTER_CLOSING):
        people.edit_organisation(ana, north, replace(NORTH, vat="PL1111111111"))
        (kept,) = queries.register_sent(queries.submitted_content(sent))
        page = text_of(actors.client_of(app, actors.eli()).get(f"/applications/{queries.view_by_id(sent).reference}"))

    assert ("VAT number", "PL1234567890", SEEN.checked_on) in [(f.words, f.value, f.validated_on) for f in kept.facts]
    assert queries.submitted_content(sent).sha256 == before.sha256
    assert "PL1234567890 Validated on 3 October 2022" in page
    assert "PL1111111111" not in page
    assert "VAT number: PL1234567890" in rules.sent_lines(queries.submitted_content(sent))[0][1]


def test_a_changed_fact_is_a_newer_draft_and_a_validated_one_is_not(app: Flask, call: CallView) -> None:
    ana = actors.ana()
    (north,) = ana.organisation_ids
    with clock.at(WHILE_OPEN):
        people.edit_organisation(ana, north, NORTH)
    reference = queries.view_by_id(submitted(call, ana)).reference

    with clock.at(WHILE_OPEN):
        people.validate_fact(actors.pia(), north, FactKind.VAT, "PL1234567890", SEEN)
    assert not queries.workplace(again(ana), reference).changed_since_submission

    with clock.at(WHILE_OPEN):
        people.edit_organisation(ana, north, replace(NORTH, vat="PL1111111111"))
    assert queries.workplace(again(ana), reference).changed_since_submission


def test_the_register_says_whether_a_partner_is_a_public_body(call: CallView) -> None:
    ana = actors.ana()
    (north,) = ana.organisation_ids
    (_, facts) = identity.with_facts([north])[north]
    assert queries.writing.is_public(OrganisationKind.MUNICIPALITY, facts)

    people.edit_organisation(ana, north, NORTH)

    (_, facts) = identity.with_facts([north])[north]
    assert not queries.writing.is_public(OrganisationKind.MUNICIPALITY, facts)
    people.edit_organisation(ana, north, replace(NORTH, public_body=True))
    (_, facts) = identity.with_facts([north])[north]
    assert queries.writing.is_public(OrganisationKind.COMPANY, facts)
