"""What a list is confirmed by stands until it is: nobody opens a score of it at that very moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from flask import Flask, current_app

from grants.awards import services
from grants.awards.services import confirming
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Refused
from grants.evaluation import services as evaluation
from tests.awards.test_services import decide, states
from tests.evaluation.scene import Scene

# As long as a deed of another may take; one that waits for the confirmation goes on after it.
SECONDS = 2


def beside(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> Callable[[], list[str]]:
    """Once the scores of a list were compared, somebody else does this, on a connection of their own; what became of it."""
    app = cast(Flask, cast(Any, current_app)._get_current_object())
    at, compare, told = clock.now(), confirming.refuse_changed, list[str]()

    def somebody_else() -> None:
        with app.app_context(), clock.at(at):
            try:
                deed()
                told.append("done")
            except Refused as error:
                told.append(str(error))
            db.session.remove()

    thread = threading.Thread(target=somebody_else)

    def comparing(*given: Any) -> None:
        compare(*given)
        thread.start()
        thread.join(SECONDS)

    def became() -> list[str]:
        thread.join(60)
        return told

    monkeypatch.setattr(confirming, "refuse_changed", comparing)
    return became


def test_no_consensus_is_opened_again_while_its_list_is_confirmed(
    evaluated: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluated.application_ids[0]
    decided = decide(evaluated)
    chair, officer = evaluated.actor("chair"), evaluated.actor("officer")
    became = beside(monkeypatch, lambda: evaluation.reopen_agreed(chair, first, "A mark is wrong."))

    services.confirm(officer, decided)

    (told,) = became()
    assert "it is no longer in evaluation" in told
    assert states(evaluated)[0] == "selected"
    assert evaluated.official(first).halves is not None
