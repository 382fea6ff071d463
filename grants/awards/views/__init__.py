"""Pages of awards, each in the module of its step; here is what the program takes from them."""

from __future__ import annotations

from grants.awards.views import ranking, results, scenarios, selections
from grants.awards.views.frame import bp

__all__ = ["bp", "ranking", "results", "scenarios", "selections"]
