"""Which page of a list this request asks for; the values themselves are core's, since queries take and give them."""

from __future__ import annotations

from flask import request

from grants.core.paging import ROWS_ON_A_PAGE, ROWS_ON_A_PAGE_MAX, Page, Rows, cut, paged

__all__ = ["ROWS_ON_A_PAGE", "Page", "Rows", "asked", "cut", "paged"]

# How many rows are wanted stands in the text of a statement, and each text is prepared once on each connection: any size
# that an address may ask for would drive out what others have prepared. Lists are measured with sixty.
SIZES = (20, ROWS_ON_A_PAGE, 60, 100, ROWS_ON_A_PAGE_MAX)


def asked(usual: int = ROWS_ON_A_PAGE) -> Page:
    """The page of ``?after=...&size=...``, in the next larger of a few sizes; nonsense counts as not asked.

    Lists of tall rows have fewer on a page: what is usual there is one of their sizes.
    """
    size = request.args.get("size", default=usual, type=int)
    sizes = sorted({*SIZES, usual})
    return Page(size=next((each for each in sizes if each >= size), sizes[-1]), after=request.args.get("after") or None)
