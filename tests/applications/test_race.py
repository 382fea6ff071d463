"""Eight processes at the second of a deadline, and while it moves: one rule, and the same answer always.

`make soak` goes on with it.
"""

from __future__ import annotations

from flask import Flask

from config import Config
from tests.soak.deadlines import Deadlines
from tests.soak.racing import PROCESSES, Racers
from tests.soak.telling import Tally


def test_the_second_of_the_deadline_is_the_same_for_everybody_also_while_it_moves(settings: Config, app: Flask) -> None:
    tally = Tally()

    with Racers(settings) as racers:
        Deadlines(racers, tally).rounds(2)

    assert (tally["at the second"], tally["deadlines moved"]) == (2 * PROCESSES, 2)
    assert tally["more time for one"] == 1
    assert tally["taken by the new deadline"] + tally["refused by the old deadline"] == 2 * (PROCESSES - 1)
