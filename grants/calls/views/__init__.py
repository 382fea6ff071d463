"""Pages of calls, each in the module of its step; here is what the program takes from them."""

from __future__ import annotations

from grants.calls.views import building, corrections, expert_terms, offline, privacy, questions, sessions
from grants.calls.views.building import NAVIGATION, bp

__all__ = ["NAVIGATION", "bp", "building", "corrections", "expert_terms", "offline", "privacy", "questions", "sessions"]
