"""Programmes and their funds."""

from __future__ import annotations

from datetime import date

import pytest

from grants.core.errors import Invalid, NotAllowed, Refused
from grants.programmes import queries, rules, services
from grants.programmes.rules import FundSourceInput, ProgrammeInput
from tests import actors

pytestmark = pytest.mark.usefixtures("app")


def test_a_programme_and_a_fund_source_are_made_once() -> None:
    made = services.set_up(actors.ingrid(), ProgrammeInput("ECT", "enabling", "Enabling City Transformation"))
    source = services.add_fund_source(actors.ingrid(), FundSourceInput("101121530", "SGA-NZC", "Horizon Europe"))

    assert queries.programme(made.id) == made
    assert queries.programmes_by_id([made.id]) == {made.id: made}
    assert queries.fund_source(source.id) == source
    with pytest.raises(Refused, match="code ECT"):
        services.set_up(actors.ingrid(), ProgrammeInput("ECT", "other", "Other"))
    with pytest.raises(Refused, match="known already"):
        services.add_fund_source(actors.ingrid(), FundSourceInput("101121530", "X", "Y"))


def test_what_is_not_complete_is_named_field_by_field() -> None:
    with pytest.raises(Invalid) as programme:
        rules.checked_programme(ProgrammeInput("pcp", "Pilot Cities", " "))
    with pytest.raises(Invalid) as source:
        rules.checked_fund_source(FundSourceInput(" ", "", "", date(2025, 1, 2), date(2025, 1, 1)))

    assert set(programme.value.problems) == {"code", "slug", "name"}
    assert set(source.value.problems) == {"number", "acronym", "framework", "ends_on"}


def test_only_who_looks_after_programmes_sets_one_up() -> None:
    with pytest.raises(NotAllowed):
        services.set_up(actors.ana(), ProgrammeInput("ECT", "enabling", "Enabling City Transformation"))
