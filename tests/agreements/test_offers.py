"""Offers and versions of an agreement: texts that stay, several signatories for a side, each by a power that holds that day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries, rules, services
from grants.agreements.models import AgreementOffer, AgreementSignature
from grants.agreements.rules import ConditionInput, ContactInput, CoSigner, GrantView, PlannedMilestone, Share, Terms
from grants.agreements.states import ConditionKey, ContactRole, GrantState, OfferEnd, Side
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, Problems, Refused
from grants.core.jobs import Job
from grants.demo.preparing import evidence
from grants.documents import services as documents
from grants.identity.policy import Role
from tests import actors
from tests.agreements.conftest import IN_FORCE, IN_PREPARATION, Find, actor, by_mail, colleague, hold
from tests.agreements.test_services import finished, hash_of, offered
from tests.applications.pages import text_of
from tests.factories import identity as people
from tests.shut import shuts
from tests.statements import statements

NINA = "nina@neochora.example"


def with_terms(found: GrantView, **more: object) -> None:
    """The terms as they stand, with something else in them."""
    shares = tuple(Share(each.organisation_id, each.maximum) for each in found.beneficiaries)
    milestones = tuple(PlannedMilestone(each.title, each.criterion, each.due_on) for each in found.milestones)
    services.set_terms(actor("officer"), found.id, replace(Terms(found.starts_on, 24, shares, milestones), **more))


def together(grant: Find, *, jointly: bool) -> GrantView:
    """The grant with a power to sign that names a second person, offered."""
    found = finished(grant)
    nina = colleague(found.coordinator_id, "Nina New", NINA)
    services.appoint(actor("officer"), found.id, ContactInput("Nina New", NINA, ContactRole.SIGNATORY))
    view = next(each for each in queries.conditions(found) if each.key is ConditionKey.POWER_TO_SIGN)
    answer = view.parts[0].answer
    power = rules.power_in(answer)
    assert answer is not None and power is not None and nina.user_id is not None
    said = replace(power, others=(CoSigner(nina.user_id, "Nina New", "Treasurer"),), jointly=jointly)
    lead = next(each for each in found.contacts if each.role is ContactRole.LEAD)
    number = services.state_condition(
        by_mail(lead.email),
        found.id,
        ConditionInput(
            answer.key, None, said, answer.evidence_on, answer.number, answer.valid_from, answer.valid_until
        ),
        evidence(answer.key),
    )
    services.accept_answer(actor("officer"), found.id, rules.VerdictInput(answer.key, None, number))
    services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))
    return grant(IN_PREPARATION)


def test_two_who_sign_only_together_bind_the_city_together(demo_app: Flask, grant: Find) -> None:
    found = together(grant, jointly=True)
    text = queries.text_of(found)

    assert text.signing is not None and "Nina New sign together" in text.signing.words
    assert (found.missing(Side.CITY), found.missing(Side.PROGRAMME)) == (2, 1)
    services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))
    with pytest.raises(Refused, match="You have already signed this agreement"):
        services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))
    page = text_of(actors.client_of(demo_app, actor("eleni_mayor")).get(f"/grants/{found.reference}/agreement"))
    assert "Sign the agreement" not in page and "1 signature for the coordinator and 1 signature for the" in page
    services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(found))
    assert grant(IN_PREPARATION).state is GrantState.READY_TO_SIGN

    services.sign_city(by_mail(NINA), found.id, capacity="Treasurer", document_sha256=hash_of(found))

    now = grant(IN_PREPARATION)
    assert now.state is GrantState.IN_FORCE
    assert [(each.number, each.offer_no) for each in now.versions] == [(1, 1)]
    assert now.offers[0].ended_why is OfferEnd.SIGNED
    powers = {each.name: each.power for each in now.signatures}
    assert "only together" in powers["Nina New"] and "since" in powers["Ruth O’Connell"]
    with pytest.raises(IntegrityError, match="uq_agreement_signature_person"), arranging():
        first = db.session.scalars(select(AgreementSignature).where(AgreementSignature.grant_id == found.id)).first()
        assert first is not None
        kept = {each.key: getattr(first, each.key) for each in AgreementSignature.__table__.columns if each.key != "id"}
        db.session.add(AgreementSignature(**kept))


def test_of_two_who_sign_each_alone_one_is_enough(grant: Find) -> None:
    found = together(grant, jointly=False)

    services.sign_city(by_mail(NINA), found.id, capacity="Treasurer", document_sha256=hash_of(found))

    assert grant(IN_PREPARATION).missing(Side.CITY) == 0
    with pytest.raises(Refused, match="already signed for the coordinator"):
        services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(found))


def test_a_power_that_ended_before_the_signature_gives_none(grant: Find) -> None:
    found = together(grant, jointly=True)
    power = rules.power_of(queries.conditions(found))
    assert power is not None and power.valid_until is not None
    services.set_end(actor("officer"), found.id, clock.add_days(power.valid_until, 30), reason="The council is away")

    mayor, noon = actor("eleni_mayor"), clock.end_of_day(power.valid_until) - timedelta(hours=12)
    with clock.at(noon), pytest.raises(Refused, match="No accepted power to sign that holds today"):
        services.sign_city(mayor, found.id, capacity="Mayor", document_sha256=hash_of(found))


def test_as_many_sign_for_the_programme_as_the_terms_say(grant: Find) -> None:
    found = finished(grant)
    with pytest.raises(Invalid, match="cannot stand"):
        with_terms(found, programme_signatures=6)
    with_terms(found, programme_signatures=2, special_conditions="Paid in two parts.")
    with pytest.raises(Problems) as refusal:
        services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))
    assert "2 people sign for the programme, but only 1" in refusal.value.found[0].message
    hold("authoriser", Role.PROGRAMME_SIGNATORY)

    services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))

    now = grant(IN_PREPARATION)
    assert queries.text_of(now).special_conditions == "Paid in two parts."
    assert now.missing(Side.PROGRAMME) == 2
    services.sign_programme(actor("signatory"), found.id, capacity="Director", document_sha256=hash_of(now))
    services.sign_city(actor("eleni_mayor"), found.id, capacity="Mayor", document_sha256=hash_of(now))
    assert grant(IN_PREPARATION).state is GrantState.READY_TO_SIGN
    services.sign_programme(actor("authoriser"), found.id, capacity="Deputy", document_sha256=hash_of(now))
    assert grant(IN_PREPARATION).state is GrantState.IN_FORCE


def test_an_offer_taken_back_unsigned_keeps_its_text_and_its_page(demo_app: Flask, grant: Find) -> None:
    found = offered(grant)
    before = queries.text_of(found)
    services.take_back(actor("officer"), found.id, offer_no=1, reason="A milestone is wrong")
    with_terms(grant(IN_PREPARATION), special_conditions="Words of the second offer.")

    services.offer(actor("officer"), found.id, document_sha256=hash_of(grant(IN_PREPARATION)))

    with pytest.raises(Conflict, match="Another offer stands"):
        services.take_back(actor("officer"), found.id, offer_no=1, reason="Of a page that is old by now")
    now = grant(IN_PREPARATION)
    assert queries.offered_text(found.id, 1) == before
    assert [(each.number, each.ended_why) for each in now.offers] == [(1, OfferEnd.TAKEN_BACK), (2, None)]
    officer = actors.client_of(demo_app, actor("officer"))
    assert "Words of the second" not in text_of(officer.get(f"/grants/{found.reference}/offers/1"))
    assert "Words of the second" in text_of(officer.get(f"/grants/{found.reference}/offers/2"))
    with statements() as asked:
        page = text_of(officer.get(f"/grants/{found.reference}/versions"))
    assert len(asked) <= 8
    assert "Taken back by the programme" in page and "No version is in force yet" in page
    assert officer.get(f"/grants/{found.reference}/versions/1").status_code == 404
    row = db.session.scalars(select(AgreementOffer).where(AgreementOffer.grant_id == found.id)).first()
    assert row is not None and row.sha256.hex() == hash_of(found)


@shuts(
    "agreements.offer_pdf", "agreements.version_pdf", "agreements.offered", "agreements.version", "agreements.versions"
)
def test_an_offer_is_read_on_paper_before_it_is_signed_and_shut_to_who_is_in_conflict(
    demo_app: Flask, grant: Find
) -> None:
    found = offered(grant)
    assert db.session.scalars(
        select(Job.name).where(Job.subject_id == found.id, Job.name.endswith("agreement_offer"))
    ).all()
    documents.print_agreement_offer(actor("officer"), found.id, 1)
    mayor = actors.client_of(demo_app, actor("eleni_mayor"))

    with mayor.get(f"/grants/{found.reference}/offers/1.pdf") as paper:
        assert (paper.status_code, paper.mimetype) == (200, "application/pdf")
    assert "Read it on paper before you sign" in text_of(mayor.get(f"/grants/{found.reference}/agreement"))
    signed, officer = grant(IN_FORCE), actor("officer")
    places = (
        *(f"{found.reference}/offers/1", f"{found.reference}/offers/1.pdf", f"{found.reference}/versions"),
        *(f"{signed.reference}/versions/1", f"{signed.reference}/versions/1.pdf"),
    )

    def read() -> set[int]:
        client, told = actors.client_of(demo_app, actor("officer")), set()
        for place in places:
            with client.get(f"/grants/{place}") as answer:
                told.add(answer.status_code)
        return told

    assert officer.user_id is not None and read() == {200}
    with arranging():
        for each in (found, signed):
            people.bar(officer.user_id, "application", each.application_id)
    assert read() == {404}


def test_what_the_demo_signed_are_versions_with_the_hash_of_both_signatures(demo_app: Flask, grant: Find) -> None:
    found = grant(IN_FORCE)
    officer = actors.client_of(demo_app, actor("officer"))

    # It was extended since: what stands is the second version.
    first, stands = found.versions
    earlier = {each.document_sha256 for each in found.earlier_signatures if each.offer_no == first.offer_no}
    assert first.number == 1 and earlier == {first.sha256}
    assert {each.document_sha256 for each in found.signatures} == {stands.sha256} == {hash_of(found)}
    with statements() as asked:
        page = text_of(officer.get(f"/grants/{found.reference}/versions/1"))
    assert len(asked) <= 8
    assert "Description of the action" in page and "Annex 3" in page
    # What was confirmed when the application was sent, and whom not to ask to assess it, describes no action.
    assert "Your city and its mandate" in page and "Declarations" not in page and "not ask to assess" not in page
    for place in ("agreement.pdf", "versions/1.pdf"):
        with officer.get(f"/grants/{found.reference}/{place}") as paper:
            assert paper.mimetype == "application/pdf"
