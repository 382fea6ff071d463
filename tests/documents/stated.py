"""What overview, statement and register say is paid of a grant: each is refused where its figures disagree."""

from __future__ import annotations

from datetime import datetime, timedelta

from grants.calls.models import Call
from grants.core.db import db, get
from grants.core.money import Money
from grants.documents.catalogue import named
from grants.documents.rules import Figures, Period
from tests.documents.conftest import OVERVIEW, REGISTER, STATEMENT, column, table
from tests.payments.world import World


def stated(found: World, at: datetime) -> tuple[Money, Money]:
    """What is paid of the grant by its statement and the overview, and what the register of its call nets, known just after."""
    db.session.rollback()
    call, moment = get(Call, found.call_id).reference, at + timedelta(minutes=1)
    overview, register = (named(name).figures(call, moment, Period()) for name in (OVERVIEW, REGISTER))
    paid = dict(statement(found, at).summary)["Paid"]
    rows = table(overview, "Grants")
    place = column(rows, "Grant").index(found.reference)
    assert column(rows, "Paid")[place] == paid
    net = dict(register.summary)["Control total: net of what came back"]
    assert isinstance(paid, Money) and isinstance(net, Money)
    return paid, net


def statement(found: World, at: datetime) -> Figures:
    """The statement of the grant, known just after."""
    return named(STATEMENT).figures(found.reference, at + timedelta(minutes=1), Period())
