"""A conflicted person reaches an application by no route while it is judged, whatever roles they have."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import false, select, true

from grants.applications.models import Application
from grants.evaluation.queries import access
from grants.identity.policy import Role
from tests.evaluation.scene import Scene
from tests.no_route import (
    DECIDES,
    JUDGES,
    opened,
    read_in_conflict,
    walked,
    walked_unaccepted,
    walked_undeclared,
)


@pytest.mark.parametrize("roles", [JUDGES, DECIDES], ids=["who judges", "who decides"])
def test_no_route_tells_a_conflicted_person_of_an_application_that_is_judged_and_before_a_bar_is_set(
    app: Flask, evaluated: Scene, roles: frozenset[Role]
) -> None:
    # The gates alone keep this person away; with a bar the decided world is walked (tests/awards/test_letters.py).
    free, kept = walked(app, evaluated.application_ids[0], roles, barred=False)

    assert kept == {}
    # The walk sees what there is to see: somebody free of it reads of it on many pages.
    assert len(free) >= 8


def test_no_route_tells_who_has_not_accepted_the_contract_of_an_application(app: Flask, evaluated: Scene) -> None:
    assert walked_unaccepted(app, evaluated.application_ids[0], JUDGES) == {}


def test_no_route_tells_who_judges_of_an_application_before_they_declared(app: Flask, evaluated: Scene) -> None:
    assert walked_undeclared(app, evaluated.application_ids[0]) == {}


def test_the_walk_notices_that_a_conflict_shuts_nothing(app: Flask, evaluated: Scene) -> None:
    """A proof of the walk itself: the one set of everybody's conflicts, opened, tells of the application all over."""
    with opened(access.conflicts_held, lambda user_id, at: select(Application.id).where(false())):
        leaks = read_in_conflict(app, evaluated.application_ids[0], DECIDES)

    assert leaks.keys() >= {
        "GET /audit",
        "GET /audit.csv",
        "GET /consensus",
        f"GET /consensus/{evaluated.references[0]}",
    }
    assert len(leaks) >= 15


def test_the_walk_notices_that_nobody_needs_to_declare(app: Flask, evaluated: Scene) -> None:
    with opened(access.clear_for, lambda user_id: true()):
        leaks = walked_undeclared(app, evaluated.application_ids[0])

    assert len(leaks) >= 8
