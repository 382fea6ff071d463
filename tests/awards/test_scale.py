"""What pages say marks are out of comes from the scale, the criteria and the weights of the call."""

from __future__ import annotations

from copy import deepcopy

import pytest

from grants.awards import queries
from grants.calls.models import Call
from grants.core.acts import arranging
from grants.core.db import db, get
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene


@pytest.fixture
def to_four(scene: Scene) -> Scene:
    """The call has two criteria, the first counting twice, with marks from 0 to 4."""
    with arranging():
        row = get(Call, scene.call_id)
        content = deepcopy(row.content)
        fields = content["fields"]
        fields["evaluation.scale"]["value"]["max_half"] = 8
        fields["evaluation.scale"]["value"]["anchors"] = fields["evaluation.scale"]["value"]["anchors"][:5]
        fields["evaluation.criteria"]["value"] = fields["evaluation.criteria"]["value"][:2]
        fields["evaluation.weights"]["value"] = [["excellence", "2"], ["impact", "1"]]
        fields["evaluation.tie_break"]["value"] = ["excellence", "impact"]
        fields["evaluation.thresholds"]["value"] = {"each_half": 5, "total_half": 9, "by_criterion": []}
        row.content = content
    db.session.rollback()
    return scene


def test_the_score_sheet_says_of_how_much(to_four: Scene, browser: Browser) -> None:
    to_four.declare_all()
    to_four.assign()
    about, name = to_four.application_ids[0], to_four.seats(to_four.application_ids[0])[0]

    sheet = text_of(browser.get(name, f"/assessments/{to_four.references[0]}"))
    assert "needs 2.5 of 4" in sheet and "Needs 4.5 in all" in sheet and "of 8</span>" in sheet
    assert "of 5" not in sheet

    to_four.assess(about, 7, 8)
    to_four.agree(about, 7, 8)
    agreed = text_of(browser.get("chair", f"/consensus/{to_four.references[0]}"))
    assert "3.5 of 4" in agreed and "of 5" not in agreed
    assert "needs 2.5 of 4" not in agreed


def test_the_ranked_list_says_of_how_much_a_weighted_score_is(to_four: Scene, browser: Browser) -> None:
    to_four.evaluate(((7, 8), (8, 8), (6, 7)))

    text = text_of(browser.get("manager", f"/calls/{to_four.slug}/ranking"))

    assert queries.ranking_page(to_four.actor("manager"), to_four.slug).score_most == "12"
    assert 'data-label="Score of 12"' in text and "of 15" not in text
