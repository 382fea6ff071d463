"""What a partner of a consortium meets behind the links of its grant: every page is there, asks little, and offers what it may."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from grants.agreements import services
from grants.agreements.models import PreparationFact
from grants.agreements.rules import ConditionInput, ExclusionDeclaration
from grants.agreements.states import ConditionKey
from grants.core import clock
from grants.core.db import db
from grants.core.files import StoredFile
from grants.demo.preparing import evidence
from tests import actors
from tests.awards.agreeing import Offered, Prepared
from tests.following import walked_from


def test_every_link_of_a_partner_leads_on_while_its_grant_is_prepared(app: Flask, prepared: Prepared) -> None:
    walked, wrong = walked_from(actors.client_of(app, prepared.second), f"/grants/{prepared.reference}")

    assert wrong == []
    assert {f"/grants/{prepared.reference}/{page}" for page in ("preparation", "redline")} <= set(walked)


def test_every_link_of_a_partner_leads_on_once_its_grant_is_signed(app: Flask, signed: Offered) -> None:
    walked, wrong = walked_from(actors.client_of(app, signed.person("petra")), f"/grants/{signed.reference}")

    assert wrong == []
    assert f"/grants/{signed.reference}/accession" in walked


def test_each_partner_opens_what_its_own_answer_brought_though_another_brought_the_same_later(
    prepared: Prepared,
) -> None:
    today = clock.in_zone(clock.now()).date()
    key = ConditionKey.EXCLUSION
    for who, organisation_id in ((prepared.second, prepared.partner_id), (prepared.lead, prepared.city_id)):
        given = ConditionInput(key, organisation_id, ExclusionDeclaration("Somebody", "For it"), today)
        services.state_condition(who, prepared.grant_id, given, evidence(key))
    sha256 = db.session.scalars(
        select(StoredFile.sha256).join(PreparationFact, PreparationFact.file_id == StoredFile.id)
    ).first()
    assert sha256 is not None

    assert services.open_evidence(prepared.second, prepared.grant_id, sha256).sha256 == sha256
