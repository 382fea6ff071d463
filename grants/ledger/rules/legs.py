"""The legs of every event that is booked, one function for each, as the table of events numbers them.

Amounts are whole cents. Builders take what was decided and return the legs to post; they check that the parts belong
together, not whether the decision is allowed: ceilings and floors are guarded where the rows are locked.

Nothing books E8 outside the budget and E17 yet: their acts come with a later stage, and tests hold the builders until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from grants.core.money import ZERO, Money, total
from grants.ledger.accounts import Account, Side
from grants.ledger.rules.values import Dimensions, Leg, Legs, Line, Parts, Share, mirrored, refuse_unbalanced

DR, CR = Side.DEBIT, Side.CREDIT

# A whole, or the same by partner and category: each part is then a leg of its own.
Spread = Money | Parts


def legs_e1(amount: Money, dims: Dimensions) -> Legs:
    """The call's budget is set, or raised by ``amount``."""
    return _entry((DR, Account.AVAILABLE, amount, dims), (CR, Account.BUDGET_AUTHORISED, amount, dims))


def legs_e1_lowered(amount: Money, dims: Dimensions) -> Legs:
    """The call's budget is lowered by ``amount``, which must be free."""
    return _entry((DR, Account.BUDGET_AUTHORISED, amount, dims), (CR, Account.AVAILABLE, amount, dims))


def legs_e2(amount: Money, dims: Dimensions) -> Legs:
    """The selection decision reserves ``amount``."""
    return _entry((DR, Account.RESERVED, amount, dims), (CR, Account.AVAILABLE, amount, dims))


def legs_e3(amount: Money, dims: Dimensions) -> Legs:
    """A reserve is released: the city declined, or preparation failed."""
    return _entry((DR, Account.AVAILABLE, amount, dims), (CR, Account.RESERVED, amount, dims))


def legs_e4(amount: Money, dims: Dimensions) -> Legs:
    """The budgetary commitment, before anything is signed."""
    return _entry((DR, Account.COMMITTED, amount, dims), (CR, Account.RESERVED, amount, dims))


def legs_e5(maxima: Sequence[Share], dims: Dimensions) -> Legs:
    """The agreement is signed: the open legal commitment of each partner, out of the budgetary commitment."""
    return _entry(
        *((DR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in maxima),
        (CR, Account.COMMITTED, _sum(maxima), dims),
    )


def legs_e19(raised: Sequence[Share], dims: Dimensions) -> Legs:
    """An amendment raises the maxima of partners."""
    return _entry(
        *((DR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in raised),
        (CR, Account.AVAILABLE, _sum(raised), dims),
    )


def legs_e19_lowered(lowered: Sequence[Share], dims: Dimensions) -> Legs:
    """An amendment lowers the maxima of partners; never below what is consumed or in transit."""
    return _entry(
        (DR, Account.AVAILABLE, _sum(lowered), dims),
        *((CR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in lowered),
    )


def legs_e20(amount: Money, dims: Dimensions, *, giver: UUID, taker: UUID) -> Legs:
    """Part of one partner's maximum moves to another."""
    return _entry(
        (DR, Account.LEGALLY_COMMITTED, amount, dims.of(taker)),
        (CR, Account.LEGALLY_COMMITTED, amount, dims.of(giver)),
    )


def legs_e21(still_open: Sequence[Share], dims: Dimensions) -> Legs:
    """Closure: what was committed and never consumed goes back to the call."""
    return legs_e19_lowered(still_open, dims)


def legs_e6(gross: Spread, dims: Dimensions, *, retention: Spread = ZERO) -> Legs:
    """Pre-financing is authorised; a retention is kept out of it.

    >>> [(leg.account.value, leg.amount.cents) for leg in legs_e6(Money(240), Dimensions(), retention=Money(30))]
    [('1100', 240), ('2000', 210), ('2200', 30)]
    """
    return _entry(
        *_spread(DR, Account.PREFINANCING, gross, dims),
        *_spread(CR, Account.PAYABLE, less(gross, retention), dims),
        *_spread(CR, Account.RETENTION, retention, dims),
    )


def legs_e7(amount: Spread, dims: Dimensions) -> Legs:
    """An order leaves in a file: payable becomes money in transit."""
    return _entry(*_spread(DR, Account.PAYABLE, amount, dims), *_spread(CR, Account.IN_TRANSIT, amount, dims))


def legs_e8(consumed: Sequence[Share], dims: Dimensions) -> Legs:
    """The bank books an order: cash goes out, and the commitment of each partner is consumed by its share."""
    return _entry(
        (DR, Account.IN_TRANSIT, _sum(consumed), dims),
        (CR, Account.BANK, _sum(consumed), dims),
        *((DR, Account.CONSUMED, amount, dims.of(partner)) for partner, amount in consumed),
        *((CR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in consumed),
    )


def legs_e8_parts(consumed: Parts, dims: Dimensions, *, in_transit: Spread) -> Legs:
    """The same by partner and category: what was ``in_transit`` is what the order's E7 sent.

    The bank moves one sum to one payee, and the commitment is open for a partner and no category: one leg for each.
    """
    return _entry(
        *_spread(DR, Account.IN_TRANSIT, in_transit, dims),
        (CR, Account.BANK, total(consumed.values()), dims),
        *_spread(DR, Account.CONSUMED, consumed, dims),
        *((CR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in _by_partner(consumed)),
    )


def legs_e8_outside_budget(amount: Money, dims: Dimensions) -> Legs:
    """The bank books interest we owed: cash goes out, no budget is consumed."""
    return _entry((DR, Account.INTEREST_IN_TRANSIT, amount, dims), (CR, Account.BANK, amount, dims))


def legs_e9a(amount: Spread, dims: Dimensions) -> Legs:
    """The bank rejects an order before booking it."""
    return _entry(*_spread(DR, Account.IN_TRANSIT, amount, dims), *_spread(CR, Account.RETURNED, amount, dims))


def legs_e9b(returned: Sequence[Share], dims: Dimensions) -> Legs:
    """The bank returns a booked payment: cash comes back, the commitment opens again."""
    return _entry(
        (DR, Account.BANK, _sum(returned), dims),
        (CR, Account.RETURNED, _sum(returned), dims),
        *_reopened(returned, dims),
    )


def legs_e9b_parts(returned: Parts, dims: Dimensions, *, from_account: Account = Account.BANK) -> Legs:
    """The same by partner and category, as its E8 consumed it; from the unidentified receipts where it was taken for one."""
    return _entry(
        (DR, from_account, total(returned.values()), dims),
        *_spread(CR, Account.RETURNED, returned, dims),
        *((DR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in _by_partner(returned)),
        *_spread(CR, Account.CONSUMED, returned, dims),
    )


def legs_e9c(amount: Spread, dims: Dimensions, *, earlier: Dimensions | None = None) -> Legs:
    """A returned or rejected payment is sent again by a new order; ``earlier`` is what the order that came back is about."""
    return _entry(
        *_spread(DR, Account.RETURNED, amount, earlier or dims), *_spread(CR, Account.IN_TRANSIT, amount, dims)
    )


def legs_e10(accepted: Spread, dims: Dimensions, *, cash: Spread, cleared: Spread | None = None) -> Legs:
    """An interim request is authorised: accepted costs, of which ``cash`` is payable and the rest clears pre-financing.

    ``cleared`` says whose pre-financing that is, where it is not that of whose costs were accepted.
    """
    return _entry(
        *_spread(DR, Account.GRANT_COSTS, accepted, dims),
        *_spread(CR, Account.PAYABLE, cash, dims),
        *_spread(CR, Account.PREFINANCING, less(accepted, cash) if cleared is None else cleared, dims),
    )


def legs_e11(increase: Money, dims: Dimensions, *, outstanding: Money) -> Legs:
    """The final amount is above what was accepted so far: it clears outstanding pre-financing first, the rest is payable."""
    cleared = min(increase, outstanding)
    return legs_e11_parts(increase, dims, cleared=cleared, payable=increase - cleared)


def legs_e11_parts(increase: Spread, dims: Dimensions, *, cleared: Spread, payable: Spread) -> Legs:
    """The same by partner and category; what one has accepted less than so far is taken from it on the other side."""
    return _entry(
        *_spread(DR, Account.GRANT_COSTS, increase, dims),
        *_spread(CR, Account.PREFINANCING, cleared, dims),
        *_spread(CR, Account.PAYABLE, payable, dims),
    )


def legs_e11b(decrease: Spread, dims: Dimensions, *, reopened: Spread | None = None) -> Legs:
    """The final amount is below what was accepted so far: a correcting entry, never an edit.

    ``reopened`` says whose pre-financing stands open again, where some lose what others gain.
    """
    return _entry(
        *_spread(DR, Account.PREFINANCING, decrease if reopened is None else reopened, dims),
        *_spread(CR, Account.GRANT_COSTS, decrease, dims),
    )


def legs_e12(retention: Money, dims: Dimensions, *, outstanding: Money) -> Legs:
    """At the balance the retention absorbs pre-financing not covered, and the rest is released."""
    absorbed = min(retention, outstanding)
    return legs_e12_parts(retention, dims, absorbed=absorbed, released=retention - absorbed)


def legs_e12_parts(retention: Spread, dims: Dimensions, *, absorbed: Spread, released: Spread) -> Legs:
    """The same by partner and category."""
    return _entry(
        *_spread(DR, Account.RETENTION, retention, dims),
        *_spread(CR, Account.PREFINANCING, absorbed, dims),
        *_spread(CR, Account.PAYABLE, released, dims),
    )


def legs_e13(amount: Spread, dims: Dimensions, *, uncovered: Spread | None = None) -> Legs:
    """A recovery order claims back pre-financing that nothing covers; ``uncovered`` says whose, ``amount`` who owes it."""
    return _entry(
        *_spread(DR, Account.RECOVERY_RECEIVABLE, amount, dims),
        *_spread(CR, Account.PREFINANCING, amount if uncovered is None else uncovered, dims),
    )


def legs_e13_rejected_costs(amount: Spread, dims: Dimensions, *, rejected: Spread | None = None) -> Legs:
    """A recovery order claims back costs that were accepted and are rejected later; ``rejected`` says whose, ``amount`` who owes it."""
    return _entry(
        *_spread(DR, Account.RECOVERY_RECEIVABLE, amount, dims),
        *_spread(CR, Account.GRANT_COSTS, amount if rejected is None else rejected, dims),
    )


def legs_e14(
    received: Money, dims: Dimensions, *, owed: Money, interest: Money = ZERO, reopened: Sequence[Share] = ()
) -> Legs:
    """Money comes back for a recovery; ``interest`` of it pays what is due for late payment (E18).

    What is above both is unidentified; ``reopened`` may be spent again.
    """
    settled = min(received, owed)
    return _entry(
        (DR, Account.BANK, received, dims),
        (CR, Account.RECOVERY_RECEIVABLE, settled, dims),
        (CR, Account.INTEREST_RECEIVABLE, interest, dims),
        (CR, Account.UNIDENTIFIED, received - settled - interest, dims),
        *_reopened(reopened, dims),
    )


def legs_e15(
    amount: Spread,
    dims: Dimensions,
    *,
    debt: Dimensions | None = None,
    consumed: Parts | None = None,
    reopened: Sequence[Share] = (),
    returned: Iterable[tuple[Spread, Dimensions]] = (),
) -> Legs:
    """A debt is set off against a payment due on the same grant: no cash moves. ``debt`` is what the debt's leg is about.

    What is due to a partner that does not owe it is ``consumed``, as if it had been paid; who owes has it ``reopened``.
    ``returned`` is what came back of orders that are not issued again: it is payable again first.
    """
    return _entry(
        *_payable_again(returned),
        *_spread(DR, Account.PAYABLE, amount, dims),
        (CR, Account.RECOVERY_RECEIVABLE, _whole(amount), debt or dims),
        *_spread(DR, Account.CONSUMED, consumed or {}, dims),
        *((CR, Account.LEGALLY_COMMITTED, part, dims.of(partner)) for partner, part in _by_partner(consumed or {})),
        *_reopened(reopened, debt or dims),
    )


def legs_e15_across(
    amount: Spread,
    dims: Dimensions,
    *,
    debtor: Dimensions,
    consumed: Parts | None = None,
    reopened: Sequence[Share] = (),
    returned: Iterable[tuple[Spread, Dimensions]] = (),
) -> Legs:
    """A debt of another grant is set off: through an account of its own, so that each grant still balances.

    As if the payment had gone out and come back: the grant that pays has ``consumed`` its commitment, that of the debtor
    is ``reopened``. ``returned`` as within a grant.
    """
    return _entry(
        *_payable_again(returned),
        *_spread(DR, Account.PAYABLE, amount, dims),
        (CR, Account.OFFSET_BETWEEN_GRANTS, _whole(amount), dims),
        (DR, Account.OFFSET_BETWEEN_GRANTS, _whole(amount), debtor),
        (CR, Account.RECOVERY_RECEIVABLE, _whole(amount), debtor),
        *_spread(DR, Account.CONSUMED, consumed or {}, dims),
        *((CR, Account.LEGALLY_COMMITTED, part, dims.of(partner)) for partner, part in _by_partner(consumed or {})),
        *_reopened(reopened, debtor),
    )


def legs_e16(amount: Money, dims: Dimensions) -> Legs:
    """A debt is waived or written off."""
    return _entry((DR, Account.WAIVED, amount, dims), (CR, Account.RECOVERY_RECEIVABLE, amount, dims))


def legs_e16_interest(amount: Money, dims: Dimensions) -> Legs:
    """Interest on a late debt is waived: what was income is a waived debt."""
    return _entry((DR, Account.WAIVED, amount, dims), (CR, Account.INTEREST_RECEIVABLE, amount, dims))


def legs_e17_owed(amount: Money, dims: Dimensions) -> Legs:
    """Late-payment interest is owed to the beneficiary, outside the grant's maximum."""
    return _entry((DR, Account.INTEREST_COSTS, amount, dims), (CR, Account.INTEREST_PAYABLE, amount, dims))


def legs_e17_sent(amount: Money, dims: Dimensions) -> Legs:
    """Late-payment interest leaves in a file, or again after it came back."""
    return _entry((DR, Account.INTEREST_PAYABLE, amount, dims), (CR, Account.INTEREST_IN_TRANSIT, amount, dims))


def legs_e17_rejected(amount: Money, dims: Dimensions) -> Legs:
    """The bank never booked the interest that was sent: it is payable again."""
    return _entry((DR, Account.INTEREST_IN_TRANSIT, amount, dims), (CR, Account.INTEREST_PAYABLE, amount, dims))


def legs_e17_returned(amount: Money, dims: Dimensions, *, from_account: Account = Account.BANK) -> Legs:
    """Interest the bank had booked came back: it is payable again.

    >>> [(leg.account.value, leg.side.value) for leg in legs_e17_returned(Money(5), Dimensions())]
    [('1000', 'debit'), ('2300', 'credit')]
    """
    return _entry((DR, from_account, amount, dims), (CR, Account.INTEREST_PAYABLE, amount, dims))


def legs_e18_due(amount: Money, dims: Dimensions) -> Legs:
    """Interest on a late recovery is due to the programme."""
    return _entry((DR, Account.INTEREST_RECEIVABLE, amount, dims), (CR, Account.INTEREST_INCOME, amount, dims))


def legs_e18_received(amount: Money, dims: Dimensions) -> Legs:
    """Interest on a late recovery is received."""
    return _entry((DR, Account.BANK, amount, dims), (CR, Account.INTEREST_RECEIVABLE, amount, dims))


def legs_e22_received(amount: Money, dims: Dimensions) -> Legs:
    """Money arrives and nobody knows yet what for."""
    return _entry((DR, Account.BANK, amount, dims), (CR, Account.UNIDENTIFIED, amount, dims))


def legs_e22_identified(
    amount: Money, dims: Dimensions, *, interest: Money = ZERO, reopened: Sequence[Share] = ()
) -> Legs:
    """An unidentified receipt turns out to settle a debt, and ``interest`` beside it; ``reopened`` may be spent again.

    All legs carry the debtor's grant.
    """
    return _entry(
        (DR, Account.UNIDENTIFIED, amount + interest, dims),
        (CR, Account.RECOVERY_RECEIVABLE, amount, dims),
        (CR, Account.INTEREST_RECEIVABLE, interest, dims),
        *_reopened(reopened, dims),
    )


def legs_e22_repaid(amount: Money, dims: Dimensions) -> Legs:
    """An unidentified receipt was not the programme's, and goes back to whoever sent it.

    >>> [(leg.account.value, leg.side.value) for leg in legs_e22_repaid(Money(5), Dimensions())]
    [('2400', 'debit'), ('1000', 'credit')]
    """
    return _entry((DR, Account.UNIDENTIFIED, amount, dims), (CR, Account.BANK, amount, dims))


def legs_e23_received(held: Sequence[Share], dims: Dimensions) -> Legs:
    """The coordinator holds what a payment brought for its partners."""
    return _entry(
        *((DR, Account.HELD_BY_COORDINATOR, amount, dims.of(partner)) for partner, amount in held),
        *((CR, Account.MEMO_CONTRA, amount, dims.of(partner)) for partner, amount in held),
    )


def legs_e23_taken_back(held: Sequence[Share], dims: Dimensions) -> Legs:
    """The payment came back: the coordinator never had what it held of it.

    >>> [(leg.account.value, leg.side.value) for leg in legs_e23_taken_back([(None, Money(5))], Dimensions())]
    [('M000', 'debit'), ('M100', 'credit')]
    """
    return _entry(
        *((DR, Account.MEMO_CONTRA, amount, dims.of(partner)) for partner, amount in held),
        *((CR, Account.HELD_BY_COORDINATOR, amount, dims.of(partner)) for partner, amount in held),
    )


def legs_e23_distributed(distributed: Sequence[Share], dims: Dimensions) -> Legs:
    """The coordinator has passed parts on to partners."""
    return _entry(
        *((DR, Account.DISTRIBUTED, amount, dims.of(partner)) for partner, amount in distributed),
        *((CR, Account.HELD_BY_COORDINATOR, amount, dims.of(partner)) for partner, amount in distributed),
    )


def legs_e25(amount: Money, dims: Dimensions) -> Legs:
    """A payment of the parent grant's funder arrives.

    >>> [(leg.account.value, leg.side.value) for leg in legs_e25(Money(5), Dimensions())]
    [('1000', 'debit'), ('3000', 'credit')]
    """
    return _entry((DR, Account.BANK, amount, dims), (CR, Account.FUNDING_RECEIVED, amount, dims))


def legs_e25_identified(amount: Money, dims: Dimensions) -> Legs:
    """An unidentified receipt turns out to be a payment of the funder."""
    return _entry((DR, Account.UNIDENTIFIED, amount, dims), (CR, Account.FUNDING_RECEIVED, amount, dims))


def legs_e26(amount: Money, dims: Dimensions) -> Legs:
    """The bank charges for its services, or a difference of exchange is borne."""
    return _entry((DR, Account.BANK_CHARGES, amount, dims), (CR, Account.BANK, amount, dims))


def legs_e27(
    unpaid: Spread,
    dims: Dimensions,
    *,
    retained: Spread,
    ahead: Spread,
    returned: Iterable[tuple[Spread, Dimensions]] = (),
) -> Legs:
    """Pre-financing that was approved and never paid is cancelled: nobody was paid ahead, and nothing of it is retained.

    ``returned`` is what came back of orders that are not issued again: it is payable again first. ``ahead`` says whose open
    pre-financing all of it was.

    >>> [(leg.account.value, leg.side.value, leg.amount.cents) for leg in legs_e27(Money(7), Dimensions(), retained=Money(1), ahead=Money(8))]
    [('2000', 'debit', 7), ('2200', 'debit', 1), ('1100', 'credit', 8)]
    """
    return _entry(
        *_payable_again(returned),
        *_spread(DR, Account.PAYABLE, unpaid, dims),
        *_spread(DR, Account.RETENTION, retained, dims),
        *_spread(CR, Account.PREFINANCING, ahead, dims),
    )


def legs_e24(original: Iterable[Leg]) -> Legs:
    """The reversal of any entry."""
    return mirrored(original)


def _payable_again(returned: Iterable[tuple[Spread, Dimensions]]) -> list[Line]:
    """What came back of orders that are let go, each with what its order is about."""
    return [
        line
        for amount, of_order in returned
        for line in (
            *_spread(DR, Account.RETURNED, amount, of_order),
            *_spread(CR, Account.PAYABLE, amount, of_order),
        )
    ]


def _reopened(shares: Sequence[Share], dims: Dimensions) -> list[Line]:
    return [
        *((DR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in shares),
        *((CR, Account.CONSUMED, amount, dims.of(partner)) for partner, amount in shares),
    ]


def _entry(*lines: Line) -> Legs:
    """The legs of those lines that are not zero; a negative one or an unbalanced whole is a programmer's error."""
    legs = tuple(
        Leg(account, side, amount, dims if account is Account.BANK else dims.off_the_bank)
        for side, account, amount, dims in lines
        if amount
    )
    refuse_unbalanced(legs)
    return legs


def less(amount: Spread, taken: Spread) -> Spread:
    """What is left of an amount, part by part where it has parts.

    >>> less({(None, "A"): Money(5), (None, "B"): Money(2)}, {(None, "B"): Money(2)})
    {(None, 'A'): Money(cents=5, currency='EUR')}
    """
    if isinstance(amount, Money) and isinstance(taken, Money):
        return amount - taken
    assert isinstance(amount, Mapping) and (isinstance(taken, Mapping) or not taken), "parts are taken from parts"
    gone: Parts = taken if isinstance(taken, Mapping) else {}
    rest = {
        key: amount.get(key, ZERO) - gone.get(key, ZERO)
        for key in (*amount, *(each for each in gone if each not in amount))
    }
    return {key: left for key, left in rest.items() if left}


def _spread(side: Side, account: Account, amount: Spread, dims: Dimensions) -> list[Line]:
    """The whole as one line, or a line for each part; what is taken from a part stands on the other side."""
    if isinstance(amount, Money):
        return [(side, account, amount, dims)]
    return [
        (side if part > ZERO else side.other, account, part if part > ZERO else -part, dims.part(*key))
        for key, part in amount.items()
    ]


def _whole(amount: Spread) -> Money:
    return amount if isinstance(amount, Money) else total(amount.values())


def _by_partner(parts: Parts) -> list[Share]:
    found: dict[UUID | None, Money] = {}
    for (partner, _), amount in parts.items():
        found[partner] = found.get(partner, ZERO) + amount
    return list(found.items())


def _sum(shares: Sequence[Share]) -> Money:
    return total(amount for _, amount in shares)
