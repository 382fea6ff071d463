"""Pages of awards, each in the module of its step; here is what the program takes from them."""

from __future__ import annotations

from grants.awards.views import (
    advice,
    complaints,
    describing,
    letters,
    minutes,
    own_complaint,
    panel,
    public,
    ranking,
    results,
    scenarios,
    selections,
)
from grants.awards.views.frame import NAVIGATION, bp

__all__ = [
    "NAVIGATION",
    "advice",
    "bp",
    "complaints",
    "describing",
    "letters",
    "minutes",
    "own_complaint",
    "panel",
    "public",
    "ranking",
    "results",
    "scenarios",
    "selections",
]
