"""The page that says how a figure of a grant's money is made up."""

from __future__ import annotations

from typing import Any

from grants.payments.queries.amounts import explained
from grants.payments.rules.amounts import Figure
from grants.payments.views.frame import P, bp
from grants.web import paging
from grants.web.routing import current_actor, page, requires

FIGURES = ", ".join(f'"{each.value}"' for each in Figure)


@bp.get(f"/grants/<ref>/amounts/<any({FIGURES}):figure>")
@requires(P.AGREEMENT_READ)
def amount(ref: str, figure: str) -> Any:
    return page("payments/amount.html", found=explained(current_actor(), ref, Figure(figure), paging.asked()))
