"""Pages that belong to no single stage; here is what the program takes from them."""

from __future__ import annotations

from grants.oversight.views import pages, spending
from grants.oversight.views.pages import NAVIGATION, bp

__all__ = ["NAVIGATION", "bp", "pages", "spending"]
