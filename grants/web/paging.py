"""Which page of a list this request asks for; the values themselves are core's, since queries take and give them."""

from __future__ import annotations

from flask import request

from grants.core.paging import ROWS_ON_A_PAGE, ROWS_ON_A_PAGE_MAX, Page, Rows, cut

__all__ = ["ROWS_ON_A_PAGE", "Page", "Rows", "asked", "cut"]


def asked(usual: int = ROWS_ON_A_PAGE) -> Page:
    """The page of ``?after=...&size=...``; nonsense counts as not asked. Lists of tall rows have fewer on a page."""
    size = request.args.get("size", default=usual, type=int)
    return Page(size=min(max(size, 1), ROWS_ON_A_PAGE_MAX), after=request.args.get("after") or None)
