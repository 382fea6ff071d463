"""The pure rules of money driven at random, step by step, beside the reference model; after every step the invariants hold.

No database: decisions, parts, builders and floors are the program's, the sums are counted here as the ledger counts them.
Every kind of step is tried with amounts that fit, amounts that fit exactly, and amounts a cent too high.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import accumulate
from uuid import UUID

from grants.agreements.states import PaymentKind
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.ledger import rules
from grants.ledger.accounts import Account
from grants.ledger.rules import Legs, PartKey
from grants.payments import rules as paying
from grants.payments.rules import Decision, DecisionInput
from grants.payments.rules.additional import missing
from tests.soak.pure_books import GRANTS, Amounts, Books, Life, Off, Order
from tests.soak.reference import apportioned


class Pure(Books):
    """What is tried at random: every kind of step, with amounts that fit, fit exactly, or are a cent too high."""

    def run(self, steps: int) -> Counter[str]:
        """So many steps that were taken or refused; raises :class:`Off` at the first that is wrong, with the seed and its number."""
        deeds = {
            stage: (tuple(deed for deed, _ in tried), tuple(accumulate(often for _, often in tried)))
            for stage, tried in self._deeds().items()
        }
        while (number := self.tally["taken"] + self.tally["refused"]) < steps:
            place = self.chance.randrange(GRANTS)
            life = self.lives[place]
            tried, often = deeds[life.stage]
            deed = self.chance.choices(tried, cum_weights=often)[0]
            try:
                deed(life)
            except (AssertionError, ValueError) as wrong:
                raise Off(f"seed {self.seed}, step {number}, {deed.__name__}: {wrong}") from wrong
            if life.model.closed:
                self.lives[place] = self._born()
        return self.tally

    # ------------------------------------------------------------------ what may be tried

    def _deeds(self) -> dict[str, tuple[tuple[Callable[[Life], None], int], ...]]:
        """What is tried at each stage of a grant, and how often among the others."""
        always = (
            (self.raise_budget, 1), (self.lower_budget, 1), (self.unknown, 1), (self.funding, 1), (self.charge, 1),
        )  # fmt: skip
        debts = (
            (self.recover, 12), (self.reject_costs, 4), (self.receive, 15), (self.offset, 12), (self.offset_across, 12),
            (self.waive, 2), (self.debt_interest, 3), (self.repay, 15),
        )  # fmt: skip
        paid = ((self.order, 30), (self.bank, 60), (self.late_interest, 2), (self.distribute, 5))
        changed = ((self.amend_up, 5), (self.amend_down, 5), (self.transfer, 8))
        return {
            "new": (*always, (self.reserve, 10)),
            "reserved": (*always, (self.release, 1), (self.sign, 10)),
            "running": (
                *always,
                *paid,
                *changed,
                (self.prefinancing, 15),
                (self.additional, 20),
                (self.interim, 25),
                (self.balance, 5),
            ),
            "settled": (*always, *paid, *debts, (self.close, 10)),
        }

    def raise_budget(self, life: Life) -> None:
        self.simple("E1", self._some(1_000_000_00), life, rules.legs_e1)

    def lower_budget(self, life: Life) -> None:
        """By a little as a rule: a call without money awards nothing."""
        most = self.call.sums["B100"]
        self.simple(
            "E1 lowered",
            self._near(most) if self.chance.random() < 0.1 else self._some(most // 50),
            life,
            rules.legs_e1_lowered,
        )

    def funding(self, _life: Life) -> None:
        self.simple("E25", self._some(10_000_00), None, rules.legs_e25)

    def charge(self, _life: Life) -> None:
        self.simple("E26", self._some(50_00), None, rules.legs_e26)

    def waive(self, life: Life) -> None:
        if owed := life.model.sums["1200"]:
            self.simple("E16", self._near(owed), life, rules.legs_e16)

    def reserve(self, life: Life) -> None:
        amount = self._near(min(self.call.sums["B100"], 2_000_000_00), least=3_00)
        if amount > 0 and self.simple("E2", amount, life, rules.legs_e2):
            life.stage, life.model.maximum = "reserved", amount

    def release(self, life: Life) -> None:
        assert self.simple("E3", life.model.maximum, life, rules.legs_e3)
        life.stage, life.model.maximum = "new", 0

    def sign(self, life: Life) -> None:
        grant, chance = life.model, self.chance
        weights = {str(index): chance.randint(0, 9) + (index == 0) for index in range(len(life.partners))}
        parts = apportioned(grant.maximum, weights)
        life.maxima = {partner: Money(each) for partner, each in zip(life.partners, parts.values(), strict=True)}
        assert self.simple("E4", grant.maximum, life, rules.legs_e4)
        self.awarded += grant.maximum
        assert self.post("E5", grant.maximum, life, rules.legs_e5(list(life.maxima.items()), life.dims))
        grant.ceiling = grant.maximum * chance.choice((80, 90, 100)) // 100
        grant.prefinancing = grant.maximum * chance.choice((0, 40, 80, 100)) // 100
        grant.retention = grant.maximum * chance.choice((0, 5, 10)) // 100
        grant.additional = max(
            min(grant.maximum * chance.choice((0, 10, 20)) // 100, grant.ceiling - grant.prefinancing), 0
        )
        life.stage = "running"

    # ------------------------------------------------------------------ decisions

    def prefinancing(self, life: Life) -> None:
        amount = self._near(min(life.model.prefinancing, life.model.room))
        if not life.model.prefinancing or amount <= 0 or life.granted:
            return
        expected = life.model.decided_prefinancing(amount)
        requested = paying.within(Money(life.model.prefinancing), parts_by_maximum(life))
        parted = self._decided(life, PaymentKind.PREFINANCING, requested, amount, expected is not None)
        if parted is None:
            return
        decision, parts = parted
        legs = rules.legs_e6(named(parts, "approved"), life.dims, retention=named(parts, "retained"))
        assert expected is not None
        self.post_moves("E6", expected, life, legs)
        life.granted += decision.approved.cents
        life.advanced = decision.payable.cents
        self._keep(life, parts)
        if self.chance.random() < 0.15:
            self._cancelled(life, parts)

    def additional(self, life: Life) -> None:
        """The city states what it used of what it was paid in advance, and is paid more of it, once."""
        if life.added or not life.advanced:
            return
        threshold, used = self.chance.choice((50, 70, 100)), self.chance.randint(0, life.advanced)
        whole = life.model.asked_in_addition(threshold, life.advanced, used)
        less = missing(Money(life.advanced), threshold, Money(used))
        assert max(Money(life.model.additional) - less, Money(0)) == Money(whole), "the same is missing in the program"
        room = sum(max(most.cents - life.authorised[key], 0) for key, most in life.maxima.items())
        amount = self._near(min(whole, life.model.room))
        if not 0 < amount <= whole or whole > room:
            return
        expected = life.model.decided_additional(amount)
        most = {key: each - Money(life.authorised[key]) for key, each in life.maxima.items()}
        requested = paying.fitted(Money(whole), parts_by_maximum(life), most)
        parted = self._decided(life, PaymentKind.ADDITIONAL, requested, amount, expected is not None)
        if parted is None:
            return
        decision, parts = parted
        assert expected is not None
        self.post_moves("E6", expected, life, rules.legs_e6(named(parts, "approved"), life.dims))
        life.granted += decision.approved.cents
        life.added = decision.approved.cents
        self.tally["paid in advance once more"] += 1
        self._keep(life, parts)

    def _cancelled(self, life: Life, parts: Iterable[paying.Part]) -> None:
        """Pre-financing that nobody was paid is cancelled: all of it counts as never approved."""
        found = tuple(parts)
        unpaid, retained = named(found, "payable"), named(found, "retained")
        off, kept = total(unpaid.values()).cents, total(retained.values()).cents
        moves = {"2000": -off, "2200": -kept, "1100": -off - kept}
        ahead = paying.held_by(
            Money(off + kept), life.of(Account.PREFINANCING), paying.by_partner(named(found, "approved"))
        )
        self.post_moves("E27", moves, life, rules.legs_e27(unpaid, life.dims, retained=retained, ahead=ahead))
        life.granted -= off + kept
        life.advanced = 0
        for part in found:
            life.authorised[part.organisation_id] -= (part.payable + part.retained).cents
            life.received[part.organisation_id] -= part.payable.cents
        gone = paying.less_cancelled(found, Money(off), Money(kept))
        assert not any(each.payable or each.retained for each in gone), "nothing of it is payable or retained"

    def interim(self, life: Life) -> None:
        """A report is accepted and its request decided: as a whole, or cut."""
        requested = self._costs(life)
        whole = sum(each.cents for each in requested.values())
        approved = whole if self.chance.random() < 0.7 else self.chance.randint(1, whole)
        spread = self._cut(requested, whole, approved)
        over = any(life.accepted[key] + cents > life.maxima[key].cents for key, cents in by_partner(spread).items())
        cash = sum(
            min(cents, max(life.maxima[key].cents - life.authorised[key], 0))
            for key, cents in by_partner(spread).items()
        )
        parted = self._decided(life, PaymentKind.INTERIM, requested, approved, not over)
        if parted is None:
            return
        decision, parts = parted
        moves = life.model.decided_interim(approved, cash)
        if decision.booked:
            wanted = paying.by_partner(named(parts, "cleared"))
            cleared = paying.held_by(decision.cleared, life.of(Account.PREFINANCING), wanted)
            legs = rules.legs_e10(named(parts, "booked"), life.dims, cash=named(parts, "payable"), cleared=cleared)
            self.post_moves("E10", moves, life, legs)
        assert not any(moves.values()) or decision.booked, "nothing booked, and the reference moves"
        life.cleared += decision.cleared.cents
        life.reports.append(named(parts, "approved"))
        self._keep(life, parts, accepted=True)

    def balance(self, life: Life) -> None:
        """The final amount is decided."""
        grant, counted = life.model, sums_of(life.reports)
        whole = min(grant.maximum, sum(each.cents for each in counted.values()))
        requested = paying.fitted(Money(whole), counted, life.maxima)
        approved = whole if self.chance.random() < 0.7 else self.chance.randint(0, whole)
        parted = self._decided(life, PaymentKind.BALANCE, requested, approved, True)
        assert parted is not None
        decision, parts = parted
        expected = grant.decided_balance(approved)
        assert expected is not None
        steps = paying.final_steps(life.found, decision.approved)
        spread = paying.settlement(
            parts, accepted=life.of(Account.GRANT_COSTS), outstanding=life.of(Account.PREFINANCING),
            retention=life.of(Account.RETENTION),
        )  # fmt: skip
        legs: Legs = ()
        if steps.increase:
            legs += rules.legs_e11_parts(spread.change, life.dims, cleared=spread.cleared, payable=spread.owed)
        elif spread.change:
            legs += rules.legs_e11b(spread.taken_back, life.dims, reopened=spread.reopened)
        if steps.retention:
            legs += rules.legs_e12_parts(
                spread.retention, life.dims, absorbed=spread.absorbed, released=spread.released
            )
        life.cleared += min(steps.increase, steps.outstanding).cents + sum(
            each.cents for each in spread.absorbed.values()
        )
        life.opened += steps.decrease.cents
        grant.final, life.stage = approved, "settled"
        if legs or any(expected.values()):
            self.post_moves("E11, E12", expected, life, legs)
        self._keep(life, parts)
        payable, recoverable = decision.payable.cents, decision.recoverable.cents
        assert not (payable and recoverable), "a balance is paid or claimed back, not both"

    def _decided(
        self, life: Life, kind: PaymentKind, requested: Amounts, approved: int, allowed: bool
    ) -> tuple[Decision, tuple[paying.Part, ...]] | None:
        """What the program decides, or None where it refuses; the reference says which it has to be."""
        amount = Money(approved)
        try:
            paying.check_decision(total(requested.values()), DecisionInput(amount, "Less is eligible."), kind)
            spread = paying.approved_of(requested, amount, ())
            if kind is not PaymentKind.PREFINANCING:
                paying.refuse_over_partner(kind, spread, life.standing, {})
            cash = paying.cash_max(kind, spread, life.standing)
            decision = paying.decide(kind, life.found, life.limits, amount, cash_max=cash)
            parts = paying.parts_of(kind, decision, requested, spread, life.standing)
        except (Refused, Invalid) as refusal:
            assert not allowed, f"refused, and the reference allows it: {refusal}"
            self.tally["refused"] += 1
            return None
        assert allowed, "done, and the reference refuses it"
        return decision, parts

    def _keep(self, life: Life, parts: Iterable[paying.Part], *, accepted: bool = False) -> None:
        for part in parts:
            who = part.organisation_id
            life.authorised[who] += (part.payable + part.retained).cents
            life.received[who] += part.payable.cents
            life.accepted[who] += part.approved.cents if accepted else 0

    def _costs(self, life: Life) -> Amounts:
        """Costs of a report: of some partners, in two categories."""
        most = max(life.model.maximum // 3, 1)
        found = {
            (partner, category): Money(self.chance.randint(1, most))
            for partner in life.partners
            for category in ("A", "B")
            if self.chance.random() < 0.5
        }
        return found or {(life.partners[0], "A"): Money(self.chance.randint(1, most))}

    def _cut(self, requested: Amounts, whole: int, approved: int) -> dict[PartKey, int]:
        """How the reference spreads a cut over the parts."""
        if whole == approved:
            return {key: each.cents for key, each in requested.items()}
        keys = {str(index): key for index, key in enumerate(requested)}
        parts = apportioned(approved, {name: requested[key].cents for name, key in keys.items()})
        return {keys[name]: cents for name, cents in parts.items() if cents}

    # ------------------------------------------------------------------ orders

    def order(self, life: Life) -> None:
        """Something payable leaves in a file: what fits, all of it, or a cent too much."""
        payable = life.model.sums["2000"]
        amount = self._near(payable)
        if not payable or amount <= 0:
            return
        parts = within_or_whole(Money(amount), life.of(Account.PAYABLE))
        legs = rules.legs_e7(parts if parts is not None else Money(amount), life.dims)
        if self.post("E7", amount, life, legs):
            assert parts is not None
            life.orders.append(Order(amount, parts, "sent"))

    def bank(self, life: Life) -> None:
        """The bank carries out, rejects or returns an order; what came back is sent again."""
        if not life.orders:
            return
        on_the_way = [each for each in life.orders if each.state != "paid"]
        if not on_the_way and self.chance.random() < 0.9:
            return
        order = self.chance.choice(on_the_way or life.orders)
        amount = order.amount
        match order.state, self.chance.random() < 0.8:
            case "sent", True:
                open_ = {
                    partner: Money(cents) for (partner, _), cents in life.parted[Account.LEGALLY_COMMITTED].items()
                }
                order.consumed = paying.fitted(Money(amount), order.parts, open_)
                legs = rules.legs_e8_parts(order.consumed, self._dims(life), in_transit=order.parts)
                assert self.post("E8", amount, life, legs), "what was sent can be booked"
                order.state = "paid"
            case "sent", False:
                assert self.post("E9a", amount, life, rules.legs_e9a(order.parts, life.dims))
                order.state = "back"
            case "paid", False:
                # Once the partner's share was paid back by a recovery, it is no longer consumed to be opened again.
                held = paying.by_partner(life.of(Account.CONSUMED))
                fits = all(held.get(key, ZERO) >= each for key, each in paying.by_partner(order.consumed).items())
                if fits and self.post("E9b", amount, life, rules.legs_e9b_parts(order.consumed, self._dims(life))):
                    order.state, order.parts = "back", order.consumed
            case "back", _:
                assert self.post("E9c", amount, life, rules.legs_e9c(order.parts, life.dims))
                order.state = "sent"

    # ------------------------------------------------------------------ debts

    def recover(self, life: Life) -> None:
        owed = life.model.sums["1100"]
        if owed:
            uncovered = life.of(Account.PREFINANCING)
            legs = rules.legs_e13(Money(owed), life.dims, uncovered=uncovered)
            assert self.post("E13", owed, life, legs)

    def reject_costs(self, life: Life) -> None:
        """Costs that were accepted are rejected after the balance."""
        if costs := life.model.sums["5000"]:
            amount = max(self._near(costs), 1)
            legs = rules.legs_e13_rejected_costs(Money(amount), life.dims)
            self.post("E13 costs", amount, life, legs, lambda: self._final_less(life, amount))

    def _final_less(self, life: Life, amount: int) -> None:
        assert life.model.final is not None
        life.model.final -= amount

    def receive(self, life: Life) -> None:
        """Money comes back: less than is owed, all of it, or more."""
        owed = life.model.sums["1200"]
        if not owed:
            return
        amount = self._near(owed)
        if amount <= 0:
            return
        settled = min(amount, owed, life.model.sums["B400"])
        reopened = paying.within(Money(settled), paying.by_partner(life.of(Account.CONSUMED)))
        legs = rules.legs_e14(Money(amount), self._dims(life), owed=Money(owed), reopened=list(reopened.items()))
        self.post_moves("E14", life.model.received(amount), life, legs)

    def offset(self, life: Life) -> None:
        amount = self._near(min(life.model.sums["1200"], life.model.sums["2000"]))
        if life.model.sums["1200"] and life.model.sums["2000"]:
            self.simple("E15", amount, life, rules.legs_e15)

    def offset_across(self, life: Life) -> None:
        """A debt of this grant is taken from what another is to be paid."""
        payer = self.chance.choice(self.lives)
        amount = self._near(min(life.model.sums["1200"], payer.model.sums["2000"]))
        if payer is life or amount <= 0 or not life.model.sums["1200"] or not payer.model.sums["2000"]:
            return
        legs = rules.legs_e15_across(Money(amount), payer.dims, debtor=life.dims)
        pays = tuple(leg for leg in legs if leg.dims.grant_id == payer.dims.grant_id)
        owes = tuple(leg for leg in legs if leg.dims.grant_id == life.dims.grant_id)
        rules.refuse_unbalanced(legs)
        if amount > life.model.sums["1200"] or amount > payer.model.sums["2000"]:
            return
        assert self.post("E15 pays", amount, payer, pays) and self.post("E15 owes", amount, life, owes)

    def late_interest(self, life: Life) -> None:
        due = life.model.sums["2300"]
        if not due:
            self.simple("E17", self._some(100_00), life, rules.legs_e17_owed)
        elif self.post("E17 sent", due, life, rules.legs_e17_sent(Money(due), life.dims)):
            if self.chance.random() < 0.3:
                self.post("E17 rejected", due, life, rules.legs_e17_rejected(Money(due), life.dims))
                return
            self.post("E8 outside", due, life, rules.legs_e8_outside_budget(Money(due), self._dims(life)))
            if self.chance.random() < 0.2:
                self.post("E17 returned", due, life, rules.legs_e17_returned(Money(due), self._dims(life)))

    def debt_interest(self, life: Life) -> None:
        due = life.model.sums["1210"]
        if due:
            self.simple("E18 received", self._near(due), life, rules.legs_e18_received)
        elif life.model.sums["1200"]:
            self.simple("E18", self._some(100_00), life, rules.legs_e18_due)

    # ------------------------------------------------------------------ the agreement changes

    def amend_up(self, life: Life) -> None:
        partner = self.chance.choice(life.partners)
        amount = self._near(min(self.call.sums["B100"], life.model.maximum // 5))
        if amount > 0:
            legs = rules.legs_e19([(partner, Money(amount))], life.dims)
            self.post("E19", amount, life, legs, lambda: self._amended(life, partner, amount))

    def amend_down(self, life: Life) -> None:
        """A partner's maximum falls: never below what it consumed, has on its way, or was accepted of it."""
        partner = self.chance.choice(life.partners)
        amount = self._near(self._spare(life, partner))
        ceiling = life.model.maximum - amount < max(life.model.ceiling, life.model.counted, life.model.prefinancing)
        if amount <= 0 or amount > self._spare(life, partner) or ceiling:
            return
        legs = rules.legs_e19_lowered([(partner, Money(amount))], life.dims)
        assert self.post("E19 lowered", amount, life, legs, lambda: self._amended(life, partner, -amount))

    def _amended(self, life: Life, partner: UUID, change: int) -> None:
        life.maxima[partner] += Money(change)
        life.model.maximum += change
        self.awarded += change

    def transfer(self, life: Life) -> None:
        if len(life.partners) < 2:
            return
        giver, taker = self.chance.sample(life.partners, 2)
        amount = self._near(self._spare(life, giver))
        if not 0 < amount <= self._spare(life, giver):
            return
        legs = rules.legs_e20(Money(amount), life.dims, giver=giver, taker=taker)
        self.post_moves("E20", {}, life, legs)
        life.maxima[giver] -= Money(amount)
        life.maxima[taker] += Money(amount)

    def _spare(self, life: Life, partner: UUID) -> int:
        """What of a partner's maximum is neither accepted, authorised nor consumed."""
        open_ = life.parted[Account.LEGALLY_COMMITTED][partner, None]
        bound = max(life.accepted[partner], life.authorised[partner])
        return max(min(life.maxima[partner].cents - bound, open_), 0)

    def close(self, life: Life) -> None:
        """Closed when nothing is open, and refused for the same reasons the reference has."""
        problems = rules.closure_problems("grant", life.found)
        assert (not problems) == life.model.may_close(), f"closure: {problems}"
        if problems:
            self.tally["refused"] += 1
            return
        open_ = life.model.sums["B310"]
        if open_:
            shares = [
                (partner, Money(cents))
                for (partner, _), cents in life.parted[Account.LEGALLY_COMMITTED].items()
                if cents > 0
            ]
            assert self.post(
                "E21", open_, life, rules.legs_e21(shares, life.dims), lambda: self._decommitted(life, open_)
            )
        life.model.closed = True
        self.across += life.model.sums["1220"]
        self._check(life)
        self.tally["grants closed"] += 1

    def _decommitted(self, life: Life, open_: int) -> None:
        self.awarded -= open_
        life.model.decommitted = open_

    # ------------------------------------------------------------------ money without a known reason, and of partners

    def unknown(self, life: Life) -> None:
        """Money comes without a known reason, settles a debt, or goes back."""
        held = self.programme.sums["2400"]
        if held <= 0 or self.chance.random() < 0.5:
            self.simple("E22", self._some(1_000_00), None, rules.legs_e22_received)
        elif (owed := life.model.sums["1200"]) and self.chance.random() < 0.5:
            amount = min(owed, held)
            assert self.simple("E22 identified", amount, life, rules.legs_e22_identified)
        else:
            assert self.simple("E22 repaid", self.chance.randint(1, held), None, rules.legs_e22_repaid)

    def repay(self, life: Life) -> None:
        """What came back above a debt goes back to the city."""
        if (held := life.model.sums["2400"]) > 0:
            assert self.simple("E22 repaid", self._some(held), life, rules.legs_e22_repaid)

    def _hold(self, life: Life) -> None:
        amount = self._some(life.model.sums["B400"])
        self.post("E23", amount, life, rules.legs_e23_received([(life.partners[-1], Money(amount))], life.dims))

    def distribute(self, life: Life) -> None:
        """The coordinator holds a payment for its partners, and passes parts of it on."""
        held = life.model.sums["M100"]
        if not held and life.model.sums["B400"] and len(life.partners) > 1:
            self._hold(life)
        elif held and (amount := self._near(held)) > 0:
            legs = rules.legs_e23_distributed([(life.partners[-1], Money(amount))], life.dims)
            self.post("E23 passed on", amount, life, legs)


def parts_by_maximum(life: Life) -> dict[PartKey, Money]:
    return {(partner, None): maximum for partner, maximum in life.maxima.items()}


def named(parts: Iterable[paying.Part], name: str) -> Amounts:
    """One amount of a decision by partner and category."""
    found = {(each.organisation_id, each.category): getattr(each, name) for each in parts}
    return {key: amount for key, amount in found.items() if amount}


def by_partner(spread: dict[PartKey, int]) -> dict[UUID | None, int]:
    found = Counter[UUID | None]()
    for (partner, _), cents in spread.items():
        found[partner] += cents
    return dict(found)


def sums_of(reports: Iterable[Amounts]) -> Amounts:
    found: Amounts = {}
    for report in reports:
        for key, amount in report.items():
            found[key] = found.get(key, ZERO) + amount
    return found


def within_or_whole(amount: Money, held: Amounts) -> Amounts | None:
    """An amount by the parts that are payable; None where there is not so much."""
    return paying.within(amount, held) if amount.cents <= sum(max(each.cents, 0) for each in held.values()) else None
