"""The pure rules of money beside the reference model, thousands of random steps; `make soak` takes a million."""

from __future__ import annotations

from grants.ledger.rules import Event
from tests.soak.pure import Pure
from tests.soak.reference import MOVES

# What is decided and not of one amount.
DECIDED = {"E6", "E10", "E11, E12", "E14", "E20", "E27"}


def test_the_rules_are_the_reference_after_each_of_thousands_of_steps() -> None:
    tally = Pure(seed=20241128).run(5_000)

    assert {*MOVES, *DECIDED} <= set(tally), "every event was taken"
    assert tally["refused"] > 500 < tally["mirrored"] * 100
    assert tally["grants closed"] > 25
    assert tally["paid in advance once more"] > 3


def test_the_reference_knows_every_event_but_the_reversal() -> None:
    known = {name.partition(" ")[0].strip(",") for name in (*MOVES, *DECIDED)}

    assert {event.value for event in Event} == known | {"E11b", "E12", "E24"}
