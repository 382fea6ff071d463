"""Looking for conflicts, and the pages of what was found, cost as many statements however many there are."""

from __future__ import annotations

import os

import pytest

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.evaluation import queries
from grants.evaluation.models import Evaluator
from grants.evaluation.states import DetectedKind
from grants.identity.models import User
from tests.evaluation.scene import Browser, Scene
from tests.factories import identity as people
from tests.statements import statements

K = DetectedKind


def many(scene: Scene, applications: int, evaluators: int) -> None:
    """So many more applications and members of the pool, some of whom belong to a consortium."""
    with arranging():
        cities = [people.organisation(f"Municipality of Town{n}", country_code="PL") for n in range(applications)]
        db.session.flush()
        for number, city in enumerate(cities):
            row = Application(
                call_id=scene.call_id, reference=f"PCP-2022-A-{number + 2000:04d}", title=f"Pilot {number}",
                state=ApplicationState.ELIGIBLE.value, origin=Origin.SUBMITTED_HERE.value, coordinator_id=city.id,
                submitted_at=clock.now(), search_text="", submission_id=get(Application, scene.application_ids[0]).submission_id,
            )  # fmt: skip
            db.session.add(row)
            db.session.flush()
            db.session.add(
                ApplicationPartner(
                    application_id=row.id, organisation_id=city.id, position=0,
                    role=PartnerRole.COORDINATOR.value, state=PartnerState.ACCEPTED.value,
                )
            )  # fmt: skip
        for number in range(evaluators):
            person = people.user(
                f"Person Number{number}", email=f"person{number}@office{number}.example", handle=f"person-{number}",
                password=None, organisation_id=cities[number % len(cities)].id,
            )  # fmt: skip
            db.session.flush()
            db.session.add(
                Evaluator(
                    call_id=scene.call_id,
                    user_id=person.id,
                    country_code="FI",
                    languages=[],
                    topics=[],
                    topic_levels={},
                    language_levels={},
                    roles=[],
                    load_min=0,
                    load_max=3,
                )
            )


def test_looking_costs_as_many_statements_however_many_people_and_applications_there_are(scene: Scene) -> None:
    counts, found = [], []
    for size in (2, 9):
        with statements() as seen:
            found.append(len(queries.look(scene.call_id).found))
        counts.append(len(seen))
        if size == 2:
            many(scene, 9, 9)

    assert found[1] > found[0]
    assert counts[0] == counts[1] and counts[0] <= 14


@pytest.mark.skipif(not os.environ.get("SOAK"), reason="a thousand applications and three hundred people")
def test_a_thousand_applications_and_three_hundred_people(scene: Scene) -> None:
    many(scene, 1_000, 300)

    looked = queries.look(scene.call_id)

    assert (looked.applications, looked.people >= 300) == (1_003, True)
    assert sum(each.kind is K.OWN_ORGANISATION for each in looked.found) == 300


def test_pages_of_conflicts_cost_as_many_statements_however_many_were_found(browser: Browser, seated: Scene) -> None:
    reference, handle = seated.references[0], get(User, seated.people["eva1"]).handle
    addresses = (
        f"/calls/{seated.slug}/conflicts",
        f"/calls/{seated.slug}/conflicts/{reference}/{handle}/found",
        f"/applications/{reference}/conflict",
    )
    counts = []
    for names in (("eva1",), ("eva2", "eva3", "eva4")):
        for name in names:
            seated.find(name, 0)
        for address in addresses:
            browser.get("manager", address)
        for address in addresses:
            with statements() as seen:
                assert browser.get("manager", address).status_code == 200
            counts.append(len(seen))

    assert counts[:3] == counts[3:]
    assert max(counts) <= 12
