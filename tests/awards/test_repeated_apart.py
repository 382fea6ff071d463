"""Nobody in conflict decides anything of an evaluation that is repeated, though their bar ended with the results."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications.models import Application
from grants.awards import queries as awards
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import NotFound
from grants.evaluation import queries, services
from grants.evaluation.models import ConflictDeclaration, DetectedConflict, ScoreShift
from grants.evaluation.rules import Answered, EvaluatorInput, ShiftInput
from grants.evaluation.states import Declared, Ruling, ShiftState
from grants.identity.policy import Role
from tests.awards.test_complaints import DAY, NUMBER, PUBLIC, told, told_world
from tests.awards.test_settling import repeated, repeated_world
from tests.evaluation.scene import Scene, declares
from tests.factories import identity as people
from tests.no_route import DECIDES, conflicted, keep_from, told_by, walk, with_roles
from tests.placeholders import target_of

__all__ = ["repeated", "repeated_world", "told", "told_world"]

AGAIN = PUBLIC + 4 * DAY


def seated_again(scene: Scene) -> UUID:
    """One evaluator has a seat and sent their sheet, another is unsure, of a third something was found."""
    about, names = scene.application_ids[NUMBER], ("nora", "uli", "fay")
    with arranging():
        for name in names:
            scene.people[name] = people.user(f"{name.capitalize()} New", Role.EVALUATOR).id
    for name in names:
        entry = EvaluatorInput(scene.people[name], "PT", ("en",), (), 0, 3)
        services.pool(scene.actor("manager"), scene.call_id, entry)
        declared = Declared.UNSURE if name == "uli" else Declared.NONE
        said = Answered(about, declared, "We met once" if name == "uli" else "")
        declares(scene.actor(name), scene.call_id, (said,))
    scene.give("nora", about, "A complaint was upheld.")
    services.submit(scene.actor("nora"), about, scene.sheet(7, 7, 7))
    scene.find("fay", NUMBER)
    db.session.rollback()
    return about


def proposed(scene: Scene, about: UUID) -> UUID:
    """A move of the score, by the chair."""
    with arranging():
        row = ScoreShift(
            application_id=about, state=ShiftState.PROPOSED.value, shift_half=2, reason="It serves two islands.",
            proposed_by=scene.people["chair"], proposed_at=clock.now(),
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        return row.id


JUDGED = ("/consensus", "/calls/<slug>/assignments")


def test_whoever_is_in_conflict_decides_nothing_of_a_repeated_evaluation(repeated: tuple[Scene, UUID]) -> None:
    scene, _ = repeated
    with clock.at(AGAIN):
        about = seated_again(scene)
        seat, shift_id = queries.own_seat(scene.people["nora"], about), proposed(scene, about)
        unsure = db.session.scalars(
            select(ConflictDeclaration.id).where(
                ConflictDeclaration.user_id == scene.people["uli"], ConflictDeclaration.application_id == about
            )
        ).one()
        assert seat is not None
        for name in ("manager", "officer"):
            services.declare_in_office(scene.actor(name), about, "My sister works there.")
        # The bar they were given ended with the results: their conflict keeps them from what is assessed anew.
        assert about in scene.actor("manager").barred("application")
        manager, officer = scene.actor("manager"), scene.actor("officer")

        deeds: tuple[Callable[[], object], ...] = (
            lambda: services.reopen(manager, seat, "Not as I like it."),
            lambda: services.propose_shift(manager, about, ShiftInput(2, "It serves two islands.")),
            lambda: services.confirm_shift(officer, shift_id),
            lambda: services.return_shift(officer, shift_id, "It serves one."),
            lambda: services.rule(manager, unsure, Ruling.CLEARED, "They met once."),
            lambda: services.decide_detected(manager, about, scene.people["fay"], Ruling.CLEARED, "Long ago."),
            lambda: queries.shift_page(officer, scene.references[NUMBER]),
        )
        for deed in deeds:
            with pytest.raises(NotFound):
                deed()

        db.session.rollback()
        assert db.session.scalars(select(ScoreShift.state)).all() == [ShiftState.PROPOSED.value]
        found = select(DetectedConflict.decided_by).where(DetectedConflict.user_id == scene.people["fay"])
        assert db.session.scalars(found).all() == [None]


def test_no_route_tells_whoever_is_in_conflict_of_a_repeated_evaluation_once_the_results_are_public(
    app: Flask, repeated: tuple[Scene, UUID]
) -> None:
    scene, _ = repeated
    reference = scene.references[NUMBER]
    with clock.at(AGAIN):
        about = target_of(db.session.get_one(Application, seated_again(scene)))
        free = walk(app, keep_from(with_roles("Faye Freely", DECIDES), []), [about], ("GET",), JUDGED)
        kept = walk(app, conflicted(about, DECIDES, barred=False), [about], ("GET",))
        with arranging():
            people.role(scene.people["lead1"], Role.PROJECT_OFFICER)
        first = awards.result(scene.actor("lead1"), reference, clock.now())

    # The sheets and the seats are there for who is free of it; a team reads the first result, whatever else they are.
    assert {f"GET /consensus/{reference}", f"GET /calls/{scene.slug}/assignments"} <= free.leaks.keys()
    assert told_by(kept, [about]) == {}
    assert first.text


def test_found_conflicts_of_a_repeated_evaluation_are_asked_for_though_the_results_are_public(
    repeated: tuple[Scene, UUID],
) -> None:
    scene, _ = repeated
    what = "Decide about 1 possible conflict of interest, Small neighbourhood pilots 2022"
    with clock.at(AGAIN):
        seated_again(scene)
        asked = [duty.what for duty in queries.duties(scene.actor("manager"), clock.now())]
        services.declare_in_office(scene.actor("manager"), scene.application_ids[NUMBER], "My sister works there.")
        in_conflict = [duty.what for duty in queries.duties(scene.actor("manager"), clock.now())]

    assert what in asked
    assert what not in in_conflict
