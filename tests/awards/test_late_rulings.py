"""A conflict ruled on after the list is decided is recorded and bars; the agreed record stands while it cannot be made anew."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from grants.awards import services
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.evaluation import queries as evaluations
from grants.evaluation import services as evaluation
from grants.evaluation.models import ConflictDeclaration, Consensus
from grants.evaluation.states import ConsensusState, Ruled, Ruling
from grants.identity.models import User
from tests.awards.test_services import decide, states
from tests.evaluation.scene import Browser, Scene


def declaration(scene: Scene, name: str, application_id: UUID) -> UUID:
    found = db.session.scalar(
        select(ConflictDeclaration.id).where(
            ConflictDeclaration.user_id == scene.people[name], ConflictDeclaration.application_id == application_id
        )
    )
    assert found is not None
    return found


def confirm_conflict(scene: Scene, name: str, application_id: UUID) -> Ruled:
    key = declaration(scene, name, application_id)
    return evaluation.rule(scene.actor("manager"), key, Ruling.CONFIRMED, "A newspaper wrote of their company.")


def consensus_state(application_id: UUID) -> str:
    db.session.rollback()
    return db.session.scalars(select(Consensus.state).where(Consensus.application_id == application_id)).one()


@pytest.mark.parametrize("number", [0, 1], ids=["selected", "on the reserve list"])
def test_a_conflict_confirmed_after_the_selection_bars_and_leaves_the_agreed_record(
    evaluated: Scene, number: int
) -> None:
    services.confirm(evaluated.actor("officer"), decide(evaluated))
    before, about = states(evaluated), evaluated.application_ids[number]
    name, *others = evaluated.seats(about)
    scores = evaluated.official(about)

    assert confirm_conflict(evaluated, name, about) is Ruled.RECORD_STANDS

    assert evaluated.actor(name).barred("application") == {about}
    assert evaluations.declaration_of(evaluated.people[name], about)[1] is Ruling.CONFIRMED
    assert consensus_state(about) == ConsensusState.AGREED
    assert evaluated.official(about) == scores
    assert (evaluated.seats(about), states(evaluated)) == (sorted([name, *others]), before)


def test_a_conflict_confirmed_in_evaluation_empties_the_seat_and_opens_the_consensus(evaluated: Scene) -> None:
    about = evaluated.application_ids[0]
    name, *others = evaluated.seats(about)

    assert confirm_conflict(evaluated, name, about) is Ruled.SEAT_EMPTIED

    assert (evaluated.seats(about), consensus_state(about)) == (others, ConsensusState.DRAFT)


def test_a_conflict_confirmed_between_decision_and_confirmation_stops_the_list_and_can_be_mended(
    evaluated: Scene,
) -> None:
    about, selection_id = evaluated.application_ids[0], decide(evaluated)

    assert confirm_conflict(evaluated, evaluated.seats(about)[0], about) is Ruled.SEAT_EMPTIED

    with pytest.raises(Refused, match="changed after this list was decided"):
        services.confirm(evaluated.actor("officer"), selection_id)
    services.return_list(evaluated.actor("officer"), selection_id, "A conflict came to light.")
    spare = next(one for one in evaluated.evaluators if one not in evaluated.seats(about) and _free(evaluated, one))
    evaluated.give(spare, about, "Next best")


def _free(scene: Scene, name: str) -> bool:
    return not scene.actor(name).barred("application")


def test_the_page_says_what_a_late_ruling_does(evaluated: Scene, browser: Browser) -> None:
    services.confirm(evaluated.actor("officer"), decide(evaluated))
    name = evaluated.seats(evaluated.application_ids[0])[0]
    confirm_conflict(evaluated, name, evaluated.application_ids[0])
    handle = get(User, evaluated.people[name]).handle
    path = f"/calls/{evaluated.slug}/conflicts/{evaluated.references[0]}/{handle}"

    text = browser.get("manager", path).text
    assert "is no longer in evaluation" in text
    sent = browser.post("manager", path, ruling="confirmed", reason="It is so.")
    assert sent.status_code == 303
    assert "The ruling is recorded" in browser.get("manager", f"/calls/{evaluated.slug}/assignments").text
