"""Rounds of eight processes on one payment: 60 % of what is left is wanted eight times, and paid once."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import func, select

from grants.core import acts, clock
from grants.core.db import db, get
from grants.core.errors import Conflict, Refused
from grants.core.money import ZERO, Money, euros
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentOrder, PaymentOrderSignature, PaymentRequest
from grants.payments.rules import DecisionInput
from grants.payments.states import OrderState
from tests import actors
from tests.payments.world import SEEN, report, world
from tests.soak.racing import PROCESSES, Answers, Racers
from tests.soak.telling import Tally

PARTS = {
    "initiator": (Role.FINANCE_INITIATOR, "Ina Initiator"),
    "verifier": (Role.FINANCE_VERIFIER, "Veit Verifier"),
    "authoriser": (Role.AUTHORISING_OFFICER, "Aurel Authoriser"),
    "manager": (Role.PROGRAMME_MANAGER, "Mara Manager"),
    "chair": (Role.PANEL_CHAIR, "Chiara Chair"),
    "accountant": (Role.ACCOUNTING_OFFICER, "Acco Accountant"),
}
# So many rounds of 60 % leave some cents of 210 000.
ROUNDS_A_GRANT = 12


def prepare(actor: Actor, request_id: UUID, amount: Money, key: str | None = None) -> UUID:
    with acts.once(key):
        return services.prepare(actor, request_id, amount=amount).id


def decide(actor: Actor, request_id: UUID, approved: Money) -> UUID:
    return services.decide(actor, request_id, DecisionInput(approved)).id


def verify(actor: Actor, order_id: UUID) -> UUID:
    return services.verify(actor, order_id, evidence=SEEN).id


def authorise(actor: Actor, order_id: UUID) -> UUID:
    return services.authorise(actor, order_id, evidence=SEEN).id


def export(actor: Actor, order_id: UUID, amount: Money, key: str | None = None) -> UUID:
    with acts.once(key):
        return services.export(actor, (order_id,), control_total=amount).id


def execute(actor: Actor, order_id: UUID, value_on: date, key: str | None = None) -> UUID:
    with acts.once(key):
        return services.execute(actor, order_id, value_on=value_on).id


def crew(part: str) -> list[Actor]:
    """Eight different people for one part."""
    role, name = PARTS[part]
    return [actors.actor(actors.person(f"{name} {number}", role)) for number in range(1, PROCESSES + 1)]


def told_no(answers: Answers, sentence: str) -> None:
    """All but the winner read this sentence."""
    assert {each.said for each in answers.others} == {sentence}, answers.all


class Paying:
    """The grants of the rounds, the people, and what was paid so far."""

    def __init__(self, racers: Racers, tally: Tally) -> None:
        self.racers, self.tally = racers, tally
        self.initiators = crew("initiator")
        self.verifiers = crew("verifier")
        self.authorisers = crew("authoriser")
        self.accountants = crew("accountant")
        self.grants = 0

    def rounds(self, count: int) -> None:
        """So many rounds; a new grant whenever one is nearly paid out, and every book checked at the end of each."""
        for number in range(count):
            if number % ROUNDS_A_GRANT == 0:
                if number:
                    self.end_grant()
                self.begin_grant()
            self.round(number)
        self.end_grant()

    def begin_grant(self) -> None:
        """A new grant; eight authorisers decide its pre-financing at once, and one does."""
        self.grants += 1
        self.grant = world(self.grants)
        opened = services.open_prefinancing(actors.program(), self.grant.grant_id)
        assert opened is not None
        self.request_id, self.paid = opened.id, ZERO
        answers = self._race(decide, self.authorisers, opened.id, euros(240_000))
        assert answers.one_did_it() == opened.id
        told_no(
            answers, "This payment request is approved; it cannot approve now. Reload the page to see what is possible."
        )
        assert self._balance(Account.PAYABLE) == self._payable() == euros(210_000)

    def round(self, number: int) -> None:
        """One order over 60 % of what is left: each of its five steps is tried by eight people, and done by one."""
        entries, left = books.count_entries(), self._left()
        amount = Money(left.cents * 60 // 100)
        order_id = self._same_key(amount) if number % 3 == 2 else self._eight_initiators(amount, left)
        assert self._left() == left - amount

        for deed, people, now in (
            (verify, self.verifiers, "verified; it cannot verify"),
            (authorise, self.authorisers, "authorised; it cannot authorise"),
        ):
            answers = self._race(deed, people, order_id)
            answers.one_did_it()
            told_no(answers, f"This payment order is {now} now. Reload the page to see what is possible.")
        self._race(export, self.accountants, order_id, amount).one_did_it()
        assert self._balance(Account.IN_TRANSIT) == amount
        today = clock.in_zone(clock.now()).date()
        self._race(execute, self.accountants, order_id, today).one_did_it()

        self.paid = self.paid + amount
        assert books.count_entries() == entries + 3, "sent once, booked once, with what it brought for partners"
        assert (self._balance(Account.IN_TRANSIT), self._balance(Account.CONSUMED)) == (ZERO, self.paid)
        assert self._signatures(order_id) == 4
        self.tally["rounds"] += 1

    def _eight_initiators(self, amount: Money, left: Money) -> UUID:
        """Eight people want 60 %: together 480 %, and 60 % are ordered."""
        answers = self._race(prepare, self.initiators, self.request_id, amount)
        order_id = answers.one_did_it()
        rest = left - amount
        told_no(
            answers,
            f"{rest} of {self._payable()} is left to order; {amount} is {amount - rest} more. "
            "Lower the amount, or cancel another order first.",
        )
        return order_id

    def _same_key(self, amount: Money) -> UUID:
        """One person's form arrives eight times: one order, eight times the same answer; with another amount, a conflict."""
        key = uuid4().hex
        words = [(self.initiators[0], self.request_id, amount, key)] * PROCESSES
        answers = self.racers.race(prepare, words)
        assert len(answers.winners) == PROCESSES, answers.all
        (order_id,) = {each.value for each in answers.winners}
        again = self.racers.race(prepare, [(*each[:2], amount - Money(1), key) for each in words])
        assert again.kinds == [Conflict.__name__] * PROCESSES, again.all
        self.tally["forms sent eight times"] += 1
        return order_id

    def end_grant(self) -> None:
        """Eight reports each ask for 60 % of what is left below the ceiling; together they get what is left, to the cent."""
        room = euros(540_000) - books.of(grant_id=self.grant.grant_id).counted_to_ceiling
        wanted = Money(room.cents * 60 // 100)
        asked = []
        for number in range(PROCESSES):
            report_id = report(self.grant, self.grants * PROCESSES + number, wanted)
            opened = services.open_for_report(actors.program(), report_id)
            assert opened is not None
            asked.append(opened.id)
        answers = self.racers.race(
            decide, [(who, each, wanted) for who, each in zip(self.authorisers, asked, strict=True)]
        )
        assert len(answers.winners) == PROCESSES, answers.all
        given = sorted((get(PaymentRequest, each).payable or ZERO for each in asked), reverse=True)
        assert given == [wanted, room - wanted, *[ZERO] * (PROCESSES - 2)]
        assert books.of(grant_id=self.grant.grant_id).counted_to_ceiling == euros(540_000)
        assert (books.verify(), queries.verify()) == ((), ())
        self.tally["ceilings raced to"] += 1

    def _race(self, deed: object, people: list[Actor], *words: object) -> Answers:
        answers = self.racers.race(deed, [(person, *words) for person in people])  # type: ignore[arg-type]  # a deed of above
        self.tally["winners"] += len(answers.winners)
        self.tally["refusals"] += len(answers.others)
        assert {each.kind for each in answers.others} <= {Refused.__name__, Conflict.__name__}, answers.all
        return answers

    def _balance(self, account: Account) -> Money:
        return books.balance(account, grant_id=self.grant.grant_id)

    def _payable(self) -> Money:
        payable = get(PaymentRequest, self.request_id).payable
        assert payable is not None
        return payable

    def _left(self) -> Money:
        ordered = db.session.scalars(
            select(PaymentOrder.amount).where(
                PaymentOrder.request_id == self.request_id, PaymentOrder.state != OrderState.CANCELLED.value
            )
        )
        return self._payable() - sum(ordered, ZERO)

    def _signatures(self, order_id: UUID) -> int:
        signatures = select(func.count()).where(PaymentOrderSignature.order_id == order_id)
        return db.session.scalar(signatures) or 0
