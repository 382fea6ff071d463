"""What a team alone reads: its lead opens it, and nobody who judges or decides does, whatever roles they have."""

from __future__ import annotations

from flask import Flask

from grants.calls.rules import CallView
from grants.core import clock
from tests import actors
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN, again
from tests.no_route import DECIDES, JUDGES, freely, read_by
from tests.nothing_there import NOTHING_THERE, OF_ITS_TEAM


def test_pages_of_a_team_open_to_it_and_to_nobody_who_judges_or_decides(app: Flask, call: CallView) -> None:
    ana = actors.ana()
    application_id = factory.fill(factory.draft(call, ana), ana)
    # Letters, results and complaints are opened so in tests/awards/test_letters.py.
    of_its_team = frozenset(each for each in NOTHING_THERE[OF_ITS_TEAM] if each.startswith("applications."))

    with clock.at(WHILE_OPEN):
        lead = read_by(app, again(ana), application_id, only=of_its_team)
        others = freely(app, application_id, JUDGES | DECIDES, only=of_its_team)

    assert of_its_team - lead.answered == frozenset()
    assert others.answered == frozenset()
