"""Rules for ties that look at who is ranked higher: topics not covered yet, countries not among them, each tie told in words."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.awards.models import Selection
from grants.awards.ranking import RankingRules, Scored, rank
from grants.calls.models import Call
from grants.calls.rules import NEW_COUNTRY, UNCOVERED_TOPIC
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.money import euros
from tests.awards.test_ranking import BARS, one
from tests.awards.test_services import decide
from tests.awards.test_views import text_of
from tests.evaluation.scene import Browser, Scene

KEYS = ("excellence", "impact", UNCOVERED_TOPIC, NEW_COUNTRY)


@st.composite
def tied(draw: st.DrawFn) -> tuple[list[Scored], RankingRules]:
    half = st.integers(6, 8)
    scored = [
        replace(
            one(number, draw(st.tuples(half, half, half))),
            topics=draw(st.frozensets(st.sampled_from("abc"), max_size=2)),
            country=draw(st.sampled_from(("", "ES", "FI"))),
        )
        for number in range(draw(st.integers(0, 8)))
    ]
    order = tuple(draw(st.permutations(KEYS))[: draw(st.integers(0, 4))])
    return scored, RankingRules(BARS, None, order)


def oracle(scored: list[Scored], rules: RankingRules, panel: list[Any]) -> list[set[str]]:
    """The order place by place, each rule asked of everybody above, with nothing remembered between places."""
    weights = {bar.key: bar.weight for bar in BARS}
    score = {each.reference: sum(weights[key] * half for key, half in each.halves.items()) for each in scored}
    ranked: list[set[str]] = []
    left = {each.reference: each for each in scored}
    while left:
        above = [each for each in scored if any(each.reference in place for place in ranked)]
        best = max(score[ref] for ref in left)
        now = [each for ref, each in left.items() if score[ref] == best]
        for name in rules.tie_order:
            if name == UNCOVERED_TOPIC:
                liked = [each for each in now if any(all(t not in up.topics for up in above) for t in each.topics)]
            elif name == NEW_COUNTRY:
                liked = [each for each in now if each.country and all(up.country != each.country for up in above)]
            else:
                most = max(each.halves[name] for each in now)
                liked = [each for each in now if each.halves[name] == most]
            now = liked or now
        spoken = [key for key in panel if any(each.application_id == key for each in now)]
        if spoken:
            now = [each for each in now if each.application_id == spoken[0]]
        ranked.append({each.reference for each in now})
        for each in now:
            del left[each.reference]
    return ranked


@settings(max_examples=400, deadline=None)
@given(tied(), st.randoms())
def test_the_order_is_that_of_the_rules_asked_place_by_place(case: Any, chance: random.Random) -> None:
    scored, rules = case
    panel = [each.application_id for each in scored if chance.random() < 0.3]
    chance.shuffle(panel)

    found = rank(scored, rules, euros(1_000), panel)

    places: dict[int, set[str]] = {}
    for row in found.rows:
        places.setdefault(row.rank or 0, set()).add(row.reference)
    assert [places[at] for at in sorted(places)] == oracle(scored, rules, panel)
    chance.shuffle(scored)
    assert rank(scored, rules, euros(1_000), panel) == found


def test_each_tie_is_told_in_words() -> None:
    first, second, third, fourth = (one(number, (8, 8, 8)) for number in range(1, 5))
    scored = [
        replace(one(9, (9, 9, 9)), topics=frozenset({"Heat"}), country="FI"),
        replace(first, topics=frozenset({"Heat"}), country="FI"),
        replace(second, topics=frozenset({"Heat", "Streets"}), country="FI"),
        replace(third, topics=frozenset({"Streets"}), country="PT"),
        replace(fourth, topics=frozenset({"Heat"}), country="FI"),
    ]
    found = rank(scored, RankingRules(BARS, None, (UNCOVERED_TOPIC, NEW_COUNTRY)), euros(1_000))

    assert [row.title for row in found.rows] == ["Pilot 9", "Pilot 3", "Pilot 1", "Pilot 2", "Pilot 4"]
    assert [row.rank for row in found.rows] == [1, 2, 3, 3, 3]
    told = [sentence for row in found.rows for sentence in row.tie_sentences]
    # Both 2 and 3 bring streets; of them 3 leads from a country nobody above leads from; after it 2 brings nothing new.
    assert told[0] == (
        "“Pilot 3” and “Pilot 1” both have 14; “Pilot 3” stands first: it covers what no application ranked higher covers "
        "(Streets), and “Pilot 1” covers nothing of that kind."
    )
    by_country = rank(scored[:1] + scored[2:4], RankingRules(BARS, None, (NEW_COUNTRY,)), euros(1_000))
    assert by_country.rows[1].tie_sentences == (
        "“Pilot 3” and “Pilot 2” both have 14; “Pilot 3” stands first: no application ranked higher leads from its country "
        "(PT), and one does from that of “Pilot 2”.",
    )


def test_an_order_names_each_rule_once_and_none_that_is_unknown() -> None:
    for order in ((NEW_COUNTRY, NEW_COUNTRY), ("gender",)):
        with pytest.raises(ValueError, match="order for ties"):
            RankingRules(BARS, None, order)


def test_a_decided_list_keeps_what_its_ties_went_by(evaluated: Scene, browser: Browser) -> None:
    with arranging():
        row = get(Call, evaluated.call_id)
        content: Any = deepcopy(row.content)
        content["fields"]["evaluation.tie_break"]["value"] = [NEW_COUNTRY, "excellence"]
        row.content = content
    db.session.rollback()

    assert "a lead from a country from where no application ranked higher leads, then more points in" in text_of(
        browser.get("manager", f"/calls/{evaluated.slug}")
    )
    assert "Of tied applications the one with a lead from a country" in text_of(
        browser.get("manager", f"/calls/{evaluated.slug}/ranking")
    )
    selection = get(Selection, decide(evaluated))
    assert {country for _, country in selection.rules["tying"].values()} == {"GR", "DK", "HU"}
