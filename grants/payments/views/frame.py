"""The blueprint of payments, its entries in the menu, and how a form that was sent comes back on its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint

from grants.core import clock
from grants.core.permissions import Permission
from grants.identity import queries as identity
from grants.payments import queries
from grants.web.forms import ContestedForm, Form
from grants.web.routing import NavItem, current_actor

bp = Blueprint("payments", __name__)


P = Permission


NAVIGATION = (
    NavItem("Payments", "payments.approvals", (P.PAYMENT_ORDER_READ,), 60),
    NavItem("Ledger", "payments.ledger", (P.LEDGER_READ,), 65),
    NavItem("Forecast", "payments.forecast", (P.LEDGER_READ,), 66),
)


@bp.app_context_processor
def what_was_paid() -> dict[str, Any]:
    """Lent to pages that lie below payments: how often an account was paid to; where the money of a grant is, and goes."""
    return {"payments_to": queries.payments_to, "money_of": money_of}


def money_of(grant_id: UUID) -> Any:
    """The outlook and the strip of a grant today."""
    return queries.grant_strip(grant_id, clock.today())


def overtaker(
    sent: ContestedForm | None, kind: str, object_id: UUID, reference: str
) -> tuple[str, str, datetime] | None:
    """Who was faster than the form that was sent, what they did and when; None where nobody was."""
    if sent is None or not sent.clashed:
        return None
    return identity.overtaker(current_actor(), kind, object_id, reference)


def own_or_fresh(sent: Form | None, kind: type[Form], **values: Any) -> Form:
    """The form that was sent where it is of this kind, as it was typed; else an empty one with these values."""
    return sent if isinstance(sent, kind) else kind(formdata=None, data=values)
