"""A seat that is changed by hand, or written on, at the very moment a run gives its seats out: the run takes none of it back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from flask import Flask, current_app

from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.evaluation import matching, queries, services
from grants.evaluation.models import Evaluator
from grants.evaluation.rules import AdjustInput, RunInput
from grants.evaluation.services import runs
from grants.evaluation.states import Deed, StandingRule
from grants.identity.models import User
from tests.evaluation.scene import Scene

MOVES = RunInput("2022", None, standing=StandingRule.MOVABLE)
SECONDS = 20


def beside(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> list[str]:
    """Once the run holds its call and has read all again, somebody else does this, on a connection of their own."""
    app = cast(Flask, cast(Any, current_app)._get_current_object())
    at, spell, spelled, told = clock.now(), runs.input_of, list[bytes](), list[str]()

    def somebody_else() -> None:
        with app.app_context(), clock.at(at):
            deed()
            told.append("done")
            db.session.remove()

    def spelling(instance: matching.Instance) -> bytes:
        spelled.append(spell(instance))
        if len(spelled) == 2:
            thread = threading.Thread(target=somebody_else)
            thread.start()
            thread.join(SECONDS)
        return spelled[-1]

    monkeypatch.setattr(runs, "input_of", spelling)
    return told


def overloaded(scene: Scene) -> tuple[str, list[Any]]:
    """Somebody with two seats who takes one from now on, so that a run would move the other; and those two."""
    held = {name: [each for each in scene.application_ids if name in scene.seats(each)] for name in scene.evaluators}
    name = next(name for name, seats in held.items() if len(seats) == 2)
    with arranging():
        get(Evaluator, scene.evaluator_id(name)).load_max = 1
    db.session.rollback()
    return name, held[name]


@pytest.mark.parametrize("deed", ["locked", "sent"])
def test_a_run_empties_no_seat_that_was_locked_or_whose_sheet_was_sent_meanwhile(
    seated: Scene, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    name, held = overloaded(seated)
    manager, evaluator, sheet = seated.actor("manager"), seated.actor(name), seated.sheet(8, 8, 8)
    lock = AdjustInput(Deed.LOCK, get(User, seated.people[name]).handle, reason="They know the place.")
    if deed == "locked":
        told = beside(monkeypatch, lambda: [services.adjust(manager, each, lock) for each in held])
    else:
        told = beside(monkeypatch, lambda: [services.submit(evaluator, each, sheet) for each in held])

    services.run(manager, seated.call_id, MOVES)

    assert told == ["done"]
    assert [each for each in seated.application_ids if name in seated.seats(each)] == held


def test_a_run_gives_no_application_more_seats_than_it_has(seated: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    manager, first = seated.actor("manager"), seated.application_ids[0]
    ill = seated.seats(first)[0]
    seated.release(ill, first, "Ill for weeks.")
    found = matching.assign(runs._read(seated.actor("manager"), seated.call_id, MOVES).instance)
    assert isinstance(found, matching.Matched)
    of_it = {evaluator for application, evaluator in found.pairs if application == first}
    left = {one.id for one in queries.pool(seated.call_id)} - of_it
    other = next(name for name in seated.evaluators if name != ill and seated.evaluator_id(name) in left)
    by_hand = AdjustInput(Deed.GIVE, "", get(User, seated.people[other]).handle, "She knows the place.")
    told = beside(monkeypatch, lambda: services.adjust(manager, first, by_hand))

    services.run(manager, seated.call_id, MOVES)

    assert told == ["done"]
    assert [len(seated.seats(each)) for each in seated.application_ids] == [3, 3, 3]
    assert other in seated.seats(first)
