"""The lines of its cities’ contracts an application names: frozen with it, shown on its page, never of another city."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask

from grants.applications import queries as applications
from grants.applications import services as writing
from grants.applications.rules import ServingInput, serving_mark
from grants.calls.rules import CallView
from grants.cities import queries, rules, services
from grants.cities.rules import ActionInput, CityInput
from grants.cities.states import ActionKind, EmissionDomain
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Conflict, Invalid
from tests import actors
from tests.applications.pages import send, text_of
from tests.factories.applications import WHILE_OPEN, again, draft, submitted

ROOFS = ActionInput("B-2.1", "Warm roofs", ActionKind.ACTION, EmissionDomain.BUILDINGS, "Action plan, p. 12", 2023)
HEAD = ",".join(rules.ACTION_COLUMNS) + "\n"


@pytest.fixture
def north(app: Flask) -> UUID:
    """The invented city Northbridge, for which its municipality acts."""
    app.config["WTF_CSRF_ENABLED"] = False
    (organisation_id,) = actors.ana().organisation_ids
    return services.add_city(
        actors.ingrid(), CityInput("Northbridge", "PL", organisation_id=organisation_id, synthetic=True)
    ).id


def test_an_application_names_lines_of_its_cities_and_keeps_them_as_sent(north: UUID, call: CallView) -> None:
    ana, made = actors.ana(), services.add_action(actors.ana(), north, ROOFS)
    id = submitted(call, ana)
    before = applications.submitted_content(id)
    assert before.serves == ()
    with clock.at(WHILE_OPEN):
        writing.save_serving(
            again(ana), id, [ServingInput("We test three.", made), ServingInput("Yes.", own_title="Mine")]
        )
        assert applications.workplace_of(applications.view_by_id(id)).changed_since_submission
        writing.submit(again(ana), id)
    services.change_action(actors.ana(), made, replace(ROOFS, title="Cold roofs"))

    first, second = applications.submitted_content(id).serves
    assert (first.name, first.about, first.sentence) == (
        "Northbridge B-2.1, Warm roofs",
        "Action, electricity and buildings",
        "We test three.",
    )
    assert (second.name, second.about) == ("Mine", "In own words")
    assert applications.serving_city(actors.eli(), queries.actions(north))[0][2] == "B-2.1"
    assert applications.serving_city(actors.marek(), queries.actions(north)) == ()


def test_only_lines_of_its_own_cities_that_stand_are_named(north: UUID, call: CallView) -> None:
    ana = actors.ana()
    other = services.add_city(actors.ingrid(), CityInput("Elsewhere", "PL", synthetic=True)).id
    strange = services.add_action(actors.ingrid(), other, ROOFS)
    made = services.add_action(ana, north, ROOFS)
    reference = draft(call, ana)
    id = applications.view(again(ana), reference).id
    with clock.at(WHILE_OPEN):
        with pytest.raises(Invalid, match="is not in the list of your cities"):
            writing.save_serving(again(ana), id, [ServingInput("Yes.", strange)])
        for wrong in (ServingInput("", made), ServingInput("Yes.", own_title="")):
            with pytest.raises(Invalid):
                writing.save_serving(again(ana), id, [wrong])
        writing.save_serving(again(ana), id, [ServingInput("Yes.", made)])
        services.withdraw_action(ana, made, "Dropped.")
        writing.save_serving(again(ana), id, [ServingInput("Still.", made)])
        writing.save_serving(again(ana), id, [])
        with pytest.raises(Invalid, match="All that was typed stands below") as refused:
            writing.save_serving(again(ana), id, [ServingInput("Yes.", made)])
        assert "withdrew B-2.1 from its list meanwhile" in refused.value.problems[f"serves_{made}"]
        with pytest.raises(Conflict, match="Somebody else"):
            writing.save_serving(again(ana), id, [], serving_mark(()) + "0")


def test_what_is_served_is_said_on_its_page_and_typed_words_come_back(app: Flask, north: UUID, call: CallView) -> None:
    ana, made = actors.ana(), services.add_action(actors.ana(), north, ROOFS)
    reference = draft(call, ana)
    client, page = actors.client_of(app, again(ana)), f"/applications/{reference}/serving"
    with clock.at(WHILE_OPEN):
        back = send(
            client,
            page,
            **{f"serves_{made}": "y", f"sentence_{made}": "", "own_title_0": "Mine", "own_sentence_0": "So."},
        )
        assert back.status_code == 422
        assert 'value="Mine"' in back.text
        assert f'<a href="#sentence-{made}">Say in one sentence how the application serves it.' in back.text
        half = send(client, page, **{f"sentence_{made}": "Words beside a line nobody ticked.", "own_title_1": "Half"})
        assert half.status_code == 422
        assert f'<a href="#serves-{made}">You wrote how it is served: tick it too' in half.text
        # Rows without a word between are closed up, and each sentence stands at its own.
        assert '<a href="#own-sentence-0">' in half.text and 'value="Half"' in half.text
        assert "Words beside a line nobody ticked." in half.text and "All that was typed stands below" in half.text
        assert send(client, page, **{f"serves_{made}": "y", f"sentence_{made}": "We test three."}).status_code == 303
        assert "We test three." in text_of(client.get(f"/applications/{reference}/print"))
        again_without = send(client, page, **{f"serves_{made}": None})
        assert again_without.status_code == 303 and "We test three." not in text_of(client.get(page))
        assert send(client, page, **{f"serves_{made}": "y", f"sentence_{made}": "We test three."}).status_code == 303
        stale = client.post(page, data={"mark": "old", f"serves_{made}": "y", f"sentence_{made}": "Mine."})
        assert stale.status_code == 409
        assert "Mine." in stale.text and "We test three." in stale.text
    db.session.rollback()
