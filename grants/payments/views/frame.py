"""The blueprint of payments, its entries in the menu, and how a form that was sent comes back on its page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint

from grants.core.permissions import Permission
from grants.identity import queries as identity
from grants.web.forms import ContestedForm, Form
from grants.web.routing import NavItem, current_actor

bp = Blueprint("payments", __name__)


P = Permission


NAVIGATION = (
    NavItem("Payments", "payments.approvals", (P.PAYMENT_ORDER_READ,), 60),
    NavItem("Ledger", "payments.ledger", (P.LEDGER_READ,), 65),
)


def renew(sent: ContestedForm | None, version: int) -> None:
    """A form that clashed goes out again in sight of what stands now."""
    if sent is not None and sent.clashed:
        sent.try_again(version)


def overtaker(sent: ContestedForm | None, kind: str, object_id: UUID, reference: str) -> Any:
    if sent is None or not sent.clashed:
        return None
    return identity.overtaker(current_actor(), kind, object_id, reference)


def answer_to(sent: ContestedForm | None) -> int:
    if sent is None:
        return 200
    return 409 if sent.clashed else 422


def own_or_fresh(sent: Form | None, kind: type[Form], **values: Any) -> Form:
    return sent if isinstance(sent, kind) else kind(formdata=None, data=values)
