"""The books beside which the pure rules are driven: what the program's legs add up to, and the reference that they have to meet.

Sums are counted here as the ledger counts them; floors and invariants are asked of the program after every step.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from grants.core.money import ZERO, Money
from grants.ledger import rules
from grants.ledger.accounts import Account, Floor
from grants.ledger.rules import Balances, Dimensions, Legs, PartKey, natural
from grants.ledger.rules.proofs import clearing_problems
from grants.payments import rules as paying
from grants.payments.rules import Limits, Partners
from tests.soak.reference import CALL_FLOORS, GRANT_FLOORS, MOVES, Grant, Moves, Place, broken

Amounts = dict[PartKey, Money]
GRANTS = 6
# Entries of these may be mirrored whole; a mirror of the others would contradict a file, a bank or a signature.
MIRRORED = ("E16", "E17", "E18", "E26")
# The accounts whose parts matter: whose commitment, costs, advance and payment it is.
PARTED = (
    Account.LEGALLY_COMMITTED, Account.CONSUMED, Account.PREFINANCING, Account.PAYABLE, Account.RETENTION, Account.GRANT_COSTS,
)  # fmt: skip


class Off(AssertionError):
    """The program and the reference disagree, or an invariant is broken."""


@dataclass
class Order:
    """A payment order on its way: of which grant, how much, and by whose costs."""

    amount: int
    parts: Amounts
    state: str = "ready"
    consumed: Amounts = field(default_factory=dict)


@dataclass
class Life:
    """A grant as it is walked: the reference, and the program's books of it."""

    model: Grant
    dims: Dimensions
    partners: tuple[UUID, ...]
    stage: str = "new"
    # What the program's legs add up to: by account, and by account and part.
    books: Counter[Account] = field(default_factory=Counter)
    parted: dict[Account, Counter[PartKey]] = field(default_factory=dict)
    maxima: dict[UUID | None, Money] = field(default_factory=dict)
    authorised: Counter[UUID | None] = field(default_factory=Counter)
    received: Counter[UUID | None] = field(default_factory=Counter)
    accepted: Counter[UUID | None] = field(default_factory=Counter)
    reports: list[Amounts] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    granted: int = 0
    # What of the pre-financing is payable or paid, and what was approved in addition to it.
    advanced: int = 0
    added: int = 0
    cleared: int = 0
    opened: int = 0

    @property
    def limits(self) -> Limits:
        return Limits(*(Money(each) for each in (self.model.maximum, self.model.ceiling, self.model.prefinancing, self.model.retention, self.model.additional)))  # fmt: skip

    @property
    def found(self) -> Balances:
        return Balances({account: Money(cents) for account, cents in self.books.items()})

    @property
    def standing(self) -> Partners:
        return Partners(self.maxima, *(money(each) for each in (self.authorised, self.received, self.accepted)))

    def of(self, account: Account) -> Amounts:
        """What stands on an account, by partner and category."""
        return {key: Money(cents) for key, cents in self.parted.get(account, {}).items() if cents}


def money(cents: Counter[UUID | None]) -> dict[UUID | None, Money]:
    return {key: Money(each) for key, each in cents.items() if each}


class Books:
    """One programme with a call and a handful of grants: every event is taken, or refused, by the program and the reference alike."""

    def __init__(self, seed: int) -> None:
        self.seed, self.chance, self.tally = seed, random.Random(seed), Counter[str]()
        self.call, self.programme = Place(), Place()
        self.fund, self.call_id, self.own_account = self._id(), self._id(), self._id()
        self.call_books, self.floating = Counter[Account](), Counter[Account]()
        self.lives = [self._born() for _ in range(GRANTS)]
        # Of every grant there was, closed ones too: for what holds across grants.
        self.awarded, self.across = 0, 0
        self.post("E1", 50_000_000_00, None, rules.legs_e1(Money(50_000_000_00), self._dims(None)))

    def simple(self, event: str, amount: int, life: Life | None, build: Callable[[Money, Dimensions], Legs]) -> bool:
        """An event of one amount; one in twenty that may be is mirrored at once (E24), and everything stands as before."""
        if amount <= 0:
            return False
        legs = build(Money(amount), self._dims(life))
        done = self.post(event, amount, life, legs)
        if done and event in MIRRORED and self.chance.random() < 0.05:
            assert self.post(event, -amount, life, rules.legs_e24(legs)), "what was just booked can be mirrored"
            self.tally["mirrored"] += 1
        return done

    def post(
        self, event: str, amount: int, life: Life | None, legs: Legs, then: Callable[[], None] = lambda: None
    ) -> bool:
        """Take an event of one amount, or have it refused by a floor: both sides say the same.

        ``then`` is what the act changes beside the books, in the same breath.
        """
        return self._taken(event, MOVES[event], amount, life, legs, then)

    def post_moves(self, event: str, moves: Moves, life: Life, legs: Legs) -> None:
        """Take what a decision books, which no floor refuses."""
        assert self._taken(event, moves, 1, life, legs, lambda: None), "a decision is booked"

    def _taken(
        self, event: str, moves: Moves, amount: int, life: Life | None, legs: Legs, then: Callable[[], None]
    ) -> bool:
        after = [(place, place.after(part, amount), floors) for place, part, floors in self._places(life, moves)]
        allowed = not any(broken(sums, floors) for _, sums, floors in after)
        fits = self._fits(life, legs)
        assert fits == allowed, f"{event} of {amount}: the floors say {fits}, the reference {allowed}"
        if not allowed:
            self.tally["refused"] += 1
            return False
        for place, sums, _ in after:
            dict.update(place.sums, sums)
        self._book(life, legs)
        then()
        self._check(life)
        self.tally[event] += 1
        self.tally["taken"] += 1
        return True

    def _places(self, life: Life | None, moves: Moves) -> Iterable[tuple[Place, Moves, tuple[str, ...]]]:
        """Where the reference counts each account: those of a call, of a grant, and those nobody is known for."""
        of_call = {code: each for code, each in moves.items() if code in CALL_FLOORS}
        rest = {code: each for code, each in moves.items() if code not in CALL_FLOORS}
        yield self.call, of_call, CALL_FLOORS
        yield (self.programme, rest, ()) if life is None else (life.model, rest, GRANT_FLOORS)
        if moves is MOVES["E22 identified"]:
            yield self.programme, {"2400": rest["2400"]}, ()

    def _fits(self, life: Life | None, legs: Legs) -> bool:
        """Whether the program's floors hold after these legs."""
        steps = rules.floor_steps([legs])
        stands = {}
        for step in steps:
            books = self.call_books if step.place == self.call_id else life.books if life else self.floating
            stands[step.account, step.place] = Money(books[step.account]) + step.change
        return all(each >= ZERO for each in rules.stands_after(steps, stands))

    def _book(self, life: Life | None, legs: Legs) -> None:
        rules.refuse_unbalanced(legs)
        rules.refuse_without_fund(legs)
        for leg in legs:
            change = natural(leg.account, leg.debit_cents, leg.credit_cents).cents
            if leg.account.value[0] == "B":
                self.call_books[leg.account] += change
            if life is None:
                self.floating[leg.account] += change
                continue
            life.books[leg.account] += change
            if leg.account in PARTED:
                key = (leg.dims.organisation_id, leg.dims.category)
                life.parted.setdefault(leg.account, Counter())[key] += change

    def _check(self, life: Life | None) -> None:
        """The invariants of what was touched, by the program's rules; and every balance is that of the reference."""
        found = Balances({account: Money(cents) for account, cents in self.call_books.items()})
        problems = [*rules.budget_problems("call", found), *rules.floor_problems("call", found, Floor.CALL)]
        call = self.call.sums
        assert {code: self.call_books[Account(code)] for code in CALL_FLOORS} == {
            code: call[code] for code in CALL_FLOORS
        }
        if life is None:
            assert not problems, problems
            return
        grant, books = life.model, life.found
        assert {code: cents for code, cents in grant.sums.items() if cents} == {
            account.value: cents for account, cents in life.books.items() if cents and account.value not in CALL_FLOORS
        }, f"the reference says {dict(grant.sums)}, the books {dict(life.books)}"
        problems += [*rules.grant_problems("grant", books), *rules.floor_problems("grant", books, Floor.GRANT)]
        if life.stage in {"running", "settled"}:
            problems += rules.commitment_problems(
                "grant", books, maximum=Money(grant.maximum), decommitted=Money(grant.decommitted)
            )
            problems += clearing_problems(
                "grant", granted=Money(life.granted), cleared=Money(life.cleared), opened=Money(life.opened)
            )
        if life.stage == "running":
            problems += rules.ceiling_problems("grant", books, ceiling=Money(grant.ceiling))
        if grant.final is not None:
            problems += rules.final_problems("grant", books, final=Money(grant.final))
        spent = found[Account.CONSUMED]
        problems += rules.order_problems(
            "call", paid=spent, committed=found[Account.LEGALLY_COMMITTED] + spent, awarded=Money(self.awarded),
            budget=found[Account.BUDGET_AUTHORISED],
        )  # fmt: skip
        assert not problems, "; ".join(str(each) for each in problems)
        consumed = paying.by_partner(life.of(Account.CONSUMED))
        assert all(each >= ZERO for each in consumed.values()), "a partner consumed less than nothing"

    # ------------------------------------------------------------------ small help

    def _born(self) -> Life:
        dims = Dimensions(self.fund, self.call_id, self._id())
        return Life(Grant(), dims, tuple(self._id() for _ in range(self.chance.choice((1, 1, 2, 3)))))

    def _dims(self, life: Life | None) -> Dimensions:
        """What the legs of an event are about; the own account falls away on every leg but the bank's."""
        dims = life.dims if life else Dimensions(self.fund, self.call_id)
        return Dimensions(dims.fund_source_id, dims.call_id, dims.grant_id, own_account_id=self.own_account)

    def _id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def _some(self, most: int) -> int:
        return self.chance.randint(1, max(most, 1))

    def _near(self, limit: int, *, least: int = 1) -> int:
        """An amount around a limit: most fit, some exactly, some are a cent too much."""
        kind = self.chance.random()
        if kind < 0.25:
            return limit
        if kind < 0.4:
            return limit + 1
        return self.chance.randint(least, limit) if limit >= least else 0
