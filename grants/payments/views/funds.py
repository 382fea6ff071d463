"""The page of a parent grant's money."""

from __future__ import annotations

from typing import Any

from grants.payments import queries
from grants.payments.views.frame import P, bp
from grants.web import paging
from grants.web.routing import current_actor, page, requires


@bp.get("/parent-grants/<number>/money")
@requires(P.LEDGER_READ)
def fund(number: str) -> Any:
    return page("payments/fund.html", found=queries.fund_money(current_actor(), number, paging.asked()))
