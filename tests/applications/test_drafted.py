"""What a team writes after it has sent stays with the team until it is sent too."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask

from grants.applications import queries, services
from grants.applications.rules import DetailsInput, InviteInput, ListFilter
from grants.calls.rules import CallView
from grants.core import clock
from tests import actors
from tests.applications.listed import found as found_in_list
from tests.applications.pages import text_of
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN, again


@pytest.fixture
def sent(call: CallView) -> UUID:
    return factory.submitted(call, actors.ana(), "Warm Blocks")


def found(search: str) -> list[str]:
    """Titles the programme finds."""
    return [row.title for row in found_in_list(actors.ingrid(), ListFilter(search=search), size=10)]


def test_staff_read_and_find_the_title_that_was_sent_until_another_is(app: Flask, sent: UUID) -> None:
    reference = queries.view_by_id(sent).reference
    with clock.at(WHILE_OPEN):
        services.edit_details(again(actors.ana()), sent, DetailsInput("Zanzibar Roofs", "ZR", "On the island."))
        place = queries.workplace(actors.ana(), reference)

    assert (place.application.title, place.application.name, place.changed_since_submission) == (
        "Zanzibar Roofs",
        "ZR",
        True,
    )
    assert queries.view(actors.ingrid(), reference).title == "Warm Blocks"
    assert (found("zanzibar"), found("warm blocks")) == ([], ["Warm Blocks"])
    staff = actors.client_of(app, actors.ingrid())
    for page in (
        "/applications",
        f"/applications/{reference}",
        f"/applications/{reference}/print",
        "/applications.csv",
    ):
        said = staff.get(page).get_data(as_text=True)
        assert "Warm Blocks" in said and "Zanzibar" not in said, page
    own = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{reference}/print"))
    assert "Zanzibar Roofs" in own and "On the island." in own

    with clock.at(WHILE_OPEN):
        services.submit(again(actors.ana()), sent)
    assert queries.view(actors.ingrid(), reference).title == "Zanzibar Roofs"
    assert (found("zanzibar"), found("warm blocks")) == (["Zanzibar Roofs"], [])


def test_a_title_written_back_leaves_nothing_to_send(sent: UUID) -> None:
    before = queries.view_by_id(sent)
    with clock.at(WHILE_OPEN):
        services.edit_details(again(actors.ana()), sent, DetailsInput("Another"))
        services.edit_details(
            again(actors.ana()), sent, DetailsInput("Warm Blocks", before.acronym or "", before.summary or "")
        )

    assert queries.view_by_id(sent).drafted is None
    assert not queries.workplace(again(actors.ana()), before.reference).changed_since_submission


def test_a_partner_asked_after_sending_is_neither_counted_nor_found(sent: UUID) -> None:
    marek = actors.marek()
    with clock.at(WHILE_OPEN.replace(hour=11)):
        given = InviteInput("marek.nowak@example.eu", "Marek Nowak", next(iter(marek.organisation_ids)))
        services.invite(again(actors.ana()), sent, given)

    (row,) = found_in_list(actors.ingrid(), ListFilter(), size=10)
    assert (row.organisations, found("southport")) == (1, [])
