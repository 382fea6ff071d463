"""How the seats of a call hang together: parts, loads and what is left to learn from, whatever the order."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from grants.evaluation.matching.graph import seat_graph
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_views import text_of

PAIRS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=30)


def parts_by_walking(pairs: list[tuple[int, int]]) -> list[int]:
    """The same by looking at everything again until nothing is added any more."""
    left, found = {application for application, _ in pairs}, []
    while left:
        part = {min(left)}
        while True:
            people = {evaluator for application, evaluator in pairs if application in part}
            wider = {application for application, evaluator in pairs if evaluator in people}
            if wider == part:
                break
            part = wider
        found.append(len(part))
        left -= part
    return sorted(found, reverse=True)


@given(pairs=PAIRS)
def test_the_parts_are_those_found_by_walking_in_any_order(pairs: list[tuple[int, int]]) -> None:
    told = seat_graph(pairs)
    shuffled = sorted(pairs, key=lambda pair: (pair[1], -pair[0]))

    assert list(told.parts) == parts_by_walking(pairs)
    assert told == seat_graph(shuffled) == seat_graph(pairs + pairs)
    loads = Counter(evaluator for _, evaluator in set(pairs)).values()
    assert told.effective == sum(count - 1 for count in loads)


def test_no_seats_are_no_graph() -> None:
    told = seat_graph([])

    assert (told.parts, told.fewest, told.most, told.effective, told.words) == ((), 0, 0, 0, ())


def test_parts_without_a_link_are_said() -> None:
    told = seat_graph([("A", "eva"), ("A", "ulf"), ("B", "ulf"), ("C", "ida")])

    assert "2 parts that share no evaluator, of 2, 1." in told.words[0]
    assert told.words[1] == (
        "Evaluators with a seat have 1 to 2 applications each; 3 of 3 have fewer than 4, too few to tell how strict they are."
    )
    assert "1 of 4 assessments" in told.words[2]


def loads(scene: Scene) -> list[int]:
    """How many seats the first and the last of the pool have."""
    seats = [name for each in scene.application_ids for name in scene.seats(each)]
    return [seats.count("eva1"), seats.count("eva5")]


def test_a_run_says_how_its_seats_hang_together(browser: Browser, seated: Scene) -> None:
    text = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/runs/1"))

    assert "How the seats hang together" in text and "linked by evaluators they share" in text
    for name, load in zip(("Eva Evaluator 1", "Eva Evaluator 5"), loads(seated), strict=True):
        assert re.search(
            rf"{name}</a></th><td[^>]*>{load}</td><td[^>]*>{load - 1}</td><td[^>]*>{4 - load} application", text
        )
