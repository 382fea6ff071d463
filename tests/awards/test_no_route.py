"""A conflicted person reaches an application by no route while it is judged, whatever roles they have."""

from __future__ import annotations

import pytest
from flask import Flask

from grants.identity.policy import Role
from tests.evaluation.scene import Scene
from tests.no_route import DECIDES, JUDGES, walked, walked_unaccepted, walked_unbarred


@pytest.mark.parametrize("roles", [JUDGES, DECIDES], ids=["who judges", "who decides"])
def test_no_route_tells_a_conflicted_person_of_an_application_that_is_judged(
    app: Flask, evaluated: Scene, roles: frozenset[Role]
) -> None:
    free, kept = walked(app, evaluated.application_ids[0], roles)

    assert kept == {}
    # The walk sees what there is to see: somebody free of it reads of it on many pages.
    assert len(free) >= 8


def test_no_route_tells_who_has_not_accepted_the_contract_of_an_application(app: Flask, evaluated: Scene) -> None:
    assert walked_unaccepted(app, evaluated.application_ids[0], JUDGES) == {}


@pytest.mark.parametrize("roles", [JUDGES, DECIDES], ids=["who judges", "who decides"])
def test_no_route_tells_somebody_in_conflict_whom_no_bar_keeps_away(
    app: Flask, evaluated: Scene, roles: frozenset[Role]
) -> None:
    assert walked_unbarred(app, evaluated.application_ids[0], roles) == {}
