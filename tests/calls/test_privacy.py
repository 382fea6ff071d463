"""The privacy notice of a call: what it must say, and that everybody can read it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.calls import queries, services
from grants.calls.rules.privacy import HEADINGS
from grants.core import clock
from grants.core.errors import Invalid, Problems
from tests import actors
from tests.calls.scene import BEFORE, NOTICE, WHILE_OPEN, WITH_NOTICE, noticed
from tests.html import check_page
from tests.worlds import World, Worlds

ADDRESS = "/calls/open-call-for-pilot-cities-2022"


@pytest.fixture(scope="session")
def notice_world(worlds: Worlds) -> World[UUID]:
    return worlds.of(noticed)


@pytest.fixture
def call_id(notice_world: World[UUID]) -> UUID:
    return notice_world.told()


def test_the_notice_of_the_call_file_is_public_with_every_part_and_reads_back(
    app: Flask, client: FlaskClient, call_id: UUID
) -> None:
    page = check_page(client.get(f"{ADDRESS}/privacy"))
    words = " ".join("".join(page.itertext()).split())

    assert all(heading in words and getattr(NOTICE, name) in words for name, heading in HEADINGS.items())
    assert "Words about: your rights." in queries.file_text(actors.ingrid(), queries.call_by_id(call_id).slug)


def test_a_notice_that_lacks_a_part_is_refused_in_the_file_and_in_the_form(app: Flask, call_id: UUID) -> None:
    with clock.at(BEFORE), pytest.raises(Problems, match="privacy_notice"):
        services.import_call(actors.ingrid(), WITH_NOTICE.replace('  rights: "Words about: your rights."\n', ""))
    with clock.at(WHILE_OPEN), pytest.raises(Invalid) as refused:
        services.add_privacy_notice(actors.ingrid(), call_id, replace(NOTICE, contact=" "), "Shorter.")
    assert set(refused.value.problems) == {"contact"}
