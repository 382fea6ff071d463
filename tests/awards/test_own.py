"""Whoever works for the programme and takes part in an application of a call reads and decides nothing of its list."""

from __future__ import annotations

import pytest

from grants.applications.models import Application
from grants.awards import queries, services
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.evaluation import queries as evaluation
from grants.identity.models import Membership
from grants.identity.policy import Role
from tests.awards.test_services import decide
from tests.evaluation.scene import Browser, Scene
from tests.factories import identity as people


def take_part(scene: Scene, name: str, how: str) -> None:
    """This person acts for the first application, or belongs to its municipality."""
    first = scene.application_ids[0]
    with arranging():
        if how == "member":
            city = get(Application, first).coordinator_id
            db.session.add(Membership(user_id=scene.people[name], organisation_id=city, starts_at=clock.now()))
        else:
            people.role(scene.people[name], Role(how), kind="application", object_id=first)


@pytest.mark.parametrize("how", [Role.APPLICATION_READER.value, Role.APPLICATION_LEAD.value, "member"])
@pytest.mark.parametrize("name", ["manager", "officer"])
def test_who_takes_part_reads_no_rank_and_decides_nothing(
    browser: Browser, evaluated: Scene, name: str, how: str
) -> None:
    number = decide(evaluated) if name == "officer" else None
    take_part(evaluated, name, how)
    first, base = evaluated.references[0], f"/calls/{evaluated.slug}"

    shown = queries.ranking_page(evaluated.actor(name), evaluated.slug)

    assert shown.partial and all(row.rank is None and row.reference != first for row in shown.rows)
    assert evaluated.application_ids[0] in shown.shut and shown.undeclared == 0
    assert queries.scenarios_page(evaluated.actor(name), evaluated.slug).partial
    for path in ("ranking", "ranking.csv", "decision"):
        assert first not in browser.get(name, f"{base}/{path}").text, path
    with pytest.raises(Refused, match="or take part in one"):
        if number is None:
            decide(evaluated)
        else:
            services.confirm(evaluated.actor("officer"), number)


def test_who_takes_part_in_nothing_is_shut_out_of_nothing(evaluated: Scene) -> None:
    for name in ("manager", "officer", "auditor", "chair"):
        assert evaluation.shut_to(evaluated.actor(name), evaluated.application_ids) == frozenset()
