"""Whether the books are right: the journal's own checks, the payments', and those that need several stages at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, case, cast, exists, func, select, union_all

from grants.agreements.models import Beneficiary, Grant
from grants.applications.models import Application
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import ZERO, Money
from grants.core.reading import at_once, one_moment
from grants.identity.models import Organisation
from grants.ledger import queries as ledger
from grants.ledger import rules as ledger_rules
from grants.ledger.accounts import Account, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries import Standing
from grants.ledger.rules import Balances, Event
from grants.ledger.rules.proofs import Checked, paid_to_grants
from grants.payments import queries as payments
from grants.payments.models import (
    BankLine,
    Distribution,
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
    PaymentRequest,
    Recovery,
)
from grants.programmes.models import FundSource
from grants.reporting.models import PeriodicReport
from grants.reporting.queries import lines as reports

PROBLEMS_MAX = 100
NOTHING = Balances({})
# Both grow on the side of debits.
COMMITTED = (Account.LEGALLY_COMMITTED, Account.CONSUMED)

# Where each id in a leg must be found. A document is whatever an entry rests on.
DIMENSIONS: Mapping[str, tuple[Any, ...]] = {
    "fund_source_id": (FundSource,),
    "call_id": (Call,),
    "grant_id": (Grant,),
    "organisation_id": (Organisation,),
    "document_id": (
        *(
            Call,
            Application,
            Grant,
            PeriodicReport,
            PaymentRequest,
            PaymentOrder,
            PaymentBatch,
            Recovery,
            BankLine,
            Distribution,
        ),
    ),
    "own_account_id": (OwnAccount,),
}


# What holds by other means: named, so that nobody takes the list above for all there is.
HELD_ELSEWHERE = (
    "I10 for cost categories: not applicable, nothing is moved between them yet.",
    "I11 for budgets and claims, by the rules that compute them and their properties.",
    "I16 for the chain of the record, and I21 for what was signed: by “grants audit verify” and the triggers of the database.",
    "I17 and I18 by the statements, which are compared byte for byte.",
)


def verify_ledger() -> tuple[Problem, ...]:
    """What is wrong in the books now, the first hundred; empty is right."""
    return tuple(problem for each in check_ledger() for problem in each.problems)[:PROBLEMS_MAX]


def check_ledger() -> tuple[Checked, ...]:
    """Every invariant by its number: what was compared, of how many things, what is wrong; or why it does not apply.

    Checked by the journal itself: I1 every entry balances; I2 debits are credits in each ledger, as of every day and as
    known at every moment; I3 a call's budget is the sum of its parts, and floors hold after every entry; I6 net cash is
    what the accounts hold, and offsets between grants cancel out; I7 clearing; I21 entries are what acts posted; and that
    each leg of a call or grant names its parent grant. By reports: I20 no cost is accepted twice. By the payments: I8 the ceiling before the balance; I9 the final
    amount; I11 parts by partner; I12 orders and what was booked for them; I13 files and their orders; I14 the bank's
    balance against the ledger's; I15 four eyes; I16
    each change of state on the record; I19 what is expected, on its way, paid and given back is the maximum; E23
    what coordinators hold for partners and passed on; what is due. Here: I4
    open and consumed commitment is the signed maximum less what was decommitted, and partner maxima add up to it; I5 paid <= committed <= awarded <= budget, as it
    stands and at every moment of both times; I10 no partner consumed more than the own maximum; and that every id a leg
    names is there. All of it is asked of one moment: what is booked meanwhile is not half seen.
    """
    with one_moment():
        stands = ledger.standing()
        found = at_once(lambda: _of_the_journal(stands), lambda: _of_payments(stands))
    return tuple(sorted((each for checked in found for each in checked), key=_place))


def _of_the_journal(stands: Standing) -> list[Checked]:
    own = tuple(ledger.checked(stands))
    named, lost = _dimensions()
    grants = _signed()
    decommitted = _decommitted()
    return [
        *own,
        Checked("I4", "Open and consumed commitment is the signed maximum less what was decommitted; partners add up to it.", len(grants), "grants", tuple(_commitments(grants, decommitted, stands))),
        Checked("I5", "Paid is within committed, committed within awarded, awarded within the budget: now, as of each day, and as known at each moment.", len(stands.calls), "calls", tuple(_calls(grants, decommitted, stands))),
        Checked("I10", "No partner consumed more than the own maximum.", len(grants), "grants", tuple(_consumed())),
        Checked("Ids", "Every id that a leg names is there.", named, "ids", tuple(lost)),
    ]  # fmt: skip


def _of_payments(stands: Standing) -> list[Checked]:
    return [
        *payments.checked(stands),
        payments.passed_on_checked(),
        payments.add_up(clock.today(), stands),
        reports.accepted_twice(),
        payments.due_checked(stands),
    ]


def _place(each: Checked) -> int:
    """By number; what has none comes last."""
    number = each.code.removeprefix("I")
    return int(number) if number.isdecimal() else 100


def _dimensions() -> tuple[int, list[Problem]]:
    """Ids in legs are no foreign keys: each must be a row of the stage that owns it. How many there are, and those lost."""
    number, problems = 0, []
    for name, models in DIMENSIONS.items():
        column = getattr(LedgerLeg, name)
        # Looked through once: how many there are, and those that are nowhere.
        used = select(column.label("id")).where(column.is_not(None)).distinct().cte("used").prefix_with("MATERIALIZED")
        known = union_all(*(select(model.id) for model in models)).subquery()
        lost = select(used.c.id).where(~exists().where(known.c.id == used.c.id)).order_by(used.c.id)
        lost = lost.limit(PROBLEMS_MAX)
        count = select(func.count()).select_from(used).scalar_subquery()
        found, ids = db.session.execute(select(count, func.array(lost.scalar_subquery()))).one()
        number += found
        what = name.removesuffix("_id").replace("_", " ")
        problems += [Problem(f"{what} {each}", f"The ledger names this {what}, but there is none.") for each in ids]
    return number, problems


def _signed() -> Sequence[Any]:
    """Every agreement that entered into force, by reference: what the checks compare of it and no more."""
    statement = select(Grant.id, Grant.reference, Grant.call_id, Grant.maximum).where(Grant.in_force_at.is_not(None))
    return db.session.execute(statement.order_by(Grant.reference)).all()


def _decommitted() -> dict[UUID, Money]:
    """What closures gave back, by grant, reversed ones left out."""
    undone = select(LedgerEntry.reverses_id).where(LedgerEntry.reverses_id.is_not(None)).scalar_subquery()
    cents = cast(LedgerLeg.cents, BigInteger)
    statement = (
        select(LedgerLeg.grant_id, func.sum(case((LedgerLeg.side == Side.DEBIT.value, cents), else_=-cents)))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(
            LedgerEntry.event == Event.DECOMMITTED.value,
            LedgerLeg.account == Account.LEGALLY_COMMITTED.value,
            LedgerEntry.id.not_in(undone),
        )
        .group_by(LedgerLeg.grant_id)
    )
    return {grant_id: Money(abs(int(net))) for grant_id, net in db.session.execute(statement)}


def _commitments(grants: Sequence[Any], decommitted: Mapping[UUID, Money], stands: Standing) -> Iterator[Problem]:
    """I4 for every grant in force or closed: the books carry its maximum, and its partners' maxima add up to it."""
    for grant in grants:
        given_back = decommitted.get(grant.id, ZERO)
        # In cents for all of them; what is wrong is said by the rule.
        if stands.grants.net_cents(grant.id, COMMITTED) != grant.maximum.cents - given_back.cents:
            found = stands.grants.get(grant.id, NOTHING)
            yield from ledger_rules.commitment_problems(
                grant.reference, found, maximum=grant.maximum, decommitted=given_back
            )
    spread = func.coalesce(func.sum(cast(Beneficiary.maximum, BigInteger)), 0)
    statement = (
        select(Grant.reference, Grant.maximum, spread)
        .outerjoin(Beneficiary, Beneficiary.grant_id == Grant.id)
        .where(Grant.in_force_at.is_not(None))
        .group_by(Grant.id)
        .having(spread != cast(Grant.maximum, BigInteger))
        .order_by(Grant.reference)
    )
    for reference, maximum, cents in db.session.execute(statement.limit(PROBLEMS_MAX)):
        yield Problem(reference, f"I4: partners may have {Money(int(cents))} together, the grant {maximum}.")


def _consumed() -> list[Problem]:
    """I10: nobody consumed more than the own maximum."""
    net = case((LedgerLeg.side == Side.DEBIT.value, cast(LedgerLeg.cents, BigInteger)), else_=-cast(LedgerLeg.cents, BigInteger))  # fmt: skip
    used = (
        select(LedgerLeg.grant_id, LedgerLeg.organisation_id, func.sum(net).label("cents"))
        .where(LedgerLeg.account == Account.CONSUMED.value)
        .group_by(LedgerLeg.grant_id, LedgerLeg.organisation_id)
        .subquery()
    )
    own = func.coalesce(cast(Beneficiary.maximum, BigInteger), 0)
    statement = (
        select(Grant.reference, used.c.organisation_id, used.c.cents, own)
        .join(used, used.c.grant_id == Grant.id)
        .outerjoin(
            Beneficiary,
            (Beneficiary.grant_id == Grant.id) & (Beneficiary.organisation_id == used.c.organisation_id),
        )
        .where(Grant.in_force_at.is_not(None), used.c.cents > own)
        .order_by(Grant.reference, used.c.organisation_id)
    )
    return [
        Problem(
            f"{reference}, organisation {organisation_id}",
            f"I10: a partner consumed {Money(int(cents))}; the own maximum is {Money(int(maximum))}.",
        )
        for reference, organisation_id, cents, maximum in db.session.execute(statement.limit(PROBLEMS_MAX))
    ]


def _calls(grants: Sequence[Any], decommitted: Mapping[UUID, Money], stands: Standing) -> Iterator[Problem]:
    """I4 and I5 for every call: by the signed maxima as it stands now, and by the journal at every moment."""
    awarded: dict[UUID, Money] = {}
    for grant in grants:
        awarded[grant.call_id] = awarded.get(grant.call_id, ZERO) + grant.maximum - decommitted.get(grant.id, ZERO)
    found_calls = db.session.execute(select(Call.id, Call.reference).order_by(Call.reference))
    names = {call_id: reference for call_id, reference in found_calls}
    for call_id, reference in names.items():
        if (found := stands.calls.get(call_id)) is not None:
            yield from ledger_rules.order_problems(
                reference,
                paid=paid_to_grants(found),
                committed=found[Account.LEGALLY_COMMITTED] + found[Account.CONSUMED],
                awarded=awarded.get(call_id, ZERO),
                budget=found[Account.BUDGET_AUTHORISED],
            )
    for call_id, problem in ledger.out_of_order():
        place = problem.place.replace(f"call {call_id}", names.get(call_id, f"call {call_id}"))
        yield Problem(place, problem.message)
