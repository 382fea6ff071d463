"""The demo programme, built only through acts with a set clock: real calls, cities and pilots, invented people and amounts.

``cast`` and ``crowd`` say who and what there is, ``texts`` what they write; ``arriving``, ``applying``, ``judging``, ``deeds``,
``changing_grants`` and ``keeping_books`` what one of them does now; ``stories`` what happens when, with ``cohort`` (the real
one), ``large`` (a call in evaluation), ``unhappy`` (what goes wrong), ``together`` (a grant of four cities) and ``afterwards``
(what becomes of a signed grant) on one ``stage``; ``telling`` tells them. The files in ``data`` hold its
facts. Everything invented says so. Real pilots enter by their published outcome, never with a score, never late; what
goes wrong in the demo goes wrong in invented municipalities.
"""

from grants.demo.cast import EVALUATORS, PEOPLE
from grants.demo.telling import load, load_in_two

__all__ = ["EVALUATORS", "PEOPLE", "load", "load_in_two"]
