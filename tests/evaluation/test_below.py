"""A sheet whose sum suffices while one criterion does not says so at its head."""

from __future__ import annotations

from grants.evaluation import services
from tests.evaluation.scene import Browser, Scene


def test_the_head_of_a_sheet_names_the_criterion_below_its_own_threshold(seated: Scene, browser: Browser) -> None:
    about = seated.application_ids[0]
    name = seated.seats(about)[0]
    services.save(seated.actor(name), about, seated.sheet(4, 10, 8))

    head = browser.get(name, f"/assessments/{seated.references[0]}").text.partition("data-below>")[2].partition("<")[0]

    assert head == "Excellence and ambition is below its own 3"
