"""What a partner of a consortium meets behind the links of its grant: every page is there, asks little, and offers what it may."""

from __future__ import annotations

from flask import Flask

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
