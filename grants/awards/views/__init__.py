"""Pages of awards, each in the module of its step; here is what the program takes from them."""

from __future__ import annotations

from grants.awards.views import advice, ranking, results, selections
from grants.awards.views.frame import bp

__all__ = ["advice", "bp", "ranking", "results", "selections"]
