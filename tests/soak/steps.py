"""What every step of the walk shares: the grant, its people, how one act is tried, and what must hold after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from types import FunctionType, SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from grants.core import acts, clock
from grants.core.audit import ActKey
from grants.core.db import db
from grants.core.errors import GrantsError, NotAllowed
from grants.core.faults import Fault
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger.accounts import Account
from grants.oversight.queries import verify_ledger
from grants.payments import services
from grants.payments.models import OwnAccount
from grants.payments.states import OwnAccountState
from tests import actors
from tests.payments.world import agnes
from tests.soak.journal import FOR_PARTNERS, Entry, Journal, orders_of
from tests.soak.model import KEPT, Asked, Model
from tests.soak.telling import Tally
from tests.soak.worlds import walked

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
PEOPLE = 5
CIRCUIT = (
    Role.FINANCE_INITIATOR, Role.FINANCE_VERIFIER, Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER,
)  # fmt: skip
# Where an act can break: its guards, the record at its end, and the word that would make it stand.
POINTS = ("audit", "ceiling", "clock", "commit", "file_rules", "four_eyes", "matching", "scope")
# Grants and reports of all walks on one database have numbers of their own.
numbers = count(1)
percents = st.integers(1, 130)
people = st.integers(0, PEOPLE - 1)
picks = st.integers(0, 10_000)
TALLY = Tally()
# How often each deed was done, and refused; and each act of the register by its verb, with who has no role at all.
DONE, REFUSED = Tally(), Tally()
ACTS_DONE, ACTS_REFUSED_TO_NOBODY = Tally(), Tally()
NOTHING = object()
# So many walks are verified whole one by one: it takes longer the more of them one database holds.
WHOLE_UNTIL = 100


def circuit() -> list[Actor]:
    """Five people of whom each could take every step."""
    return [actors.actor(actors.person(f"Omni {number}", *CIRCUIT)) for number in range(PEOPLE)]


class Steps(RuleBasedStateMachine):
    """One grant; each rule tries one act, right or wrong, and the model says which it is."""

    # In whose name each act is tried first where somebody without any role is asked too.
    nobody: Actor | None = None

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.journal = Journal()
        with clock.at(NOW):
            self.grant = walked(next(numbers))
            self.people = circuit()
            opened = self.follows(lambda: services.open_prefinancing(actors.program(), self.grant.grant_id))
            self.lead = actors.give(
                actors.ana().user_id, Role.APPLICATION_LEAD, "application", self.grant.application_id
            )
            self.signatory = actors.give(actors.sid().user_id, Role.SIGNATORY, "application", self.grant.application_id)
            self.partner = agnes(self.grant)
            self.officer, self.authoriser, self.signing = actors.pia(), actors.otto(), actors.greta()
        assert opened is not None
        own = db.session.scalars(select(OwnAccount).where(OwnAccount.state == OwnAccountState.CONFIRMED.value)).one()
        self.account, self.iban = own.id, own.iban
        # What its last statement closed with; the next one begins there, a week later.
        self.closed_with = Money(1_000_000_00)
        self.model = Model(requests=[Asked(opened.id, "prefinancing", 240_000_00)])
        self.done: list[tuple[str, datetime, Callable[[], Any], Any]] = []
        self.crash, self.straight = "", False
        self.entries, self.waived = 0, 0
        self.reversals: list[tuple[UUID, int, UUID]] = []
        self.decided_reversals: set[UUID] = set()
        self.reversed: set[UUID] = set()
        self.amendment, self.amendment_by_city, self.transferred = 0, True, 0
        self.part_gone = False
        self.termination, self.terminated_by_city, self.objected = 0, False, False
        self.wanted_on = self.ends_on = NOW.date()
        self.account_waits_until = NOW.date()
        self.part_held: int | None = None
        self.journal.read()
        TALLY["walks"] += 1

    # ------------------------------------------------------------------ how an act is tried

    def tried(self, allowed: bool | None, deed: Callable[[], Any], name: str = "") -> Any:
        """Do it under a key; the model says whether it is allowed, None where it does not know.

        A second time the same key gives the same answer. Where a crash was asked for, it comes first, and leaves nothing.
        """
        key, name = uuid4().hex, name or _called(deed)
        TALLY["steps"] += 1
        self._refused_to_nobody(deed)
        found = self._crashed(key, deed) if self.crash else NOTHING
        if found is NOTHING:
            found = self._attempt(key, deed)
        if isinstance(found, GrantsError):
            assert not allowed, f"refused, and the model allows it: {found}"
            TALLY["refusals"] += 1
            REFUSED[name] += 1
            return None
        assert allowed is not False, "done, and the model refuses it"
        DONE[name] += 1
        ACTS_DONE[_verb(deed)] += 1
        if not self.straight:
            assert self._attempt(key, deed) == found, "the same key again is the same answer"
        self.done.append((key, self.now, deed, found))
        return found

    def follows(self, deed: Callable[[], Any]) -> Any:
        """What the program does by itself of what was done; it is not refused."""
        self._refused_to_nobody(deed)
        found = self._attempt(uuid4().hex, deed)
        assert not isinstance(found, GrantsError), f"refused to the program: {found}"
        ACTS_DONE[_verb(deed)] += 1
        return found

    def _attempt(self, key: str, deed: Callable[[], Any]) -> Any:
        with clock.at(self.now):
            try:
                with acts.once(key):
                    return deed()
            except GrantsError as refusal:
                return refusal

    def _refused_to_nobody(self, deed: Callable[[], Any]) -> None:
        """The same act in the name of somebody without any role, where that is asked for; once for each act."""
        if self.nobody is None or _verb(deed) in ACTS_REFUSED_TO_NOBODY:
            return
        nobody, (module, name) = self.nobody, deed.__code__.co_names[:2]
        act = getattr(deed.__globals__[module], name)
        theirs = SimpleNamespace(**{name: lambda _, *given, **named: act(nobody, *given, **named)})
        seen = {**deed.__globals__, module: theirs}
        tried = FunctionType(deed.__code__, seen, argdefs=deed.__defaults__, closure=deed.__closure__)
        found = self._attempt("", tried)
        assert isinstance(found, NotAllowed), f"done by nobody: {_verb(deed)}"
        ACTS_REFUSED_TO_NOBODY[_verb(deed)] += 1

    def _crashed(self, key: str, deed: Callable[[], Any]) -> Any:
        """Break in the middle of the act: nothing of it may stand. What it said where it never came there."""
        point, self.crash = self.crash, ""
        try:
            with broken_at(point):
                return self._attempt(key, deed)
        except Fault:
            TALLY["crashes"] += 1
        db.session.rollback()
        assert self.journal.read() == [], "an act that broke posted"
        assert not db.session.scalar(select(func.count()).where(ActKey.key == key)), "an act that broke kept its key"
        self._orders_are_the_model()
        return NOTHING

    def maybe(self, allowed: bool) -> bool | None:
        """Allowed by the model, unless something stands that may be in the way of it."""
        if allowed and (self.model.held is not None or self.model.ending or self.model.moved):
            return None
        return allowed

    def of(self, kept: list[Any], pick: int) -> Any:
        return kept[pick % len(kept)]

    # ------------------------------------------------------------------ what may happen at any time

    @rule(point=st.sampled_from(POINTS))
    def crash_in_the_next(self, point: str) -> None:
        """The next act breaks at this point, and is then tried again under its key."""
        self.crash = point

    @precondition(lambda self: self.done)
    @rule(number=picks)
    def same_key_again(self, number: int) -> None:
        """A form of long ago arrives again: the answer of then, and nothing else."""
        key, then, deed, found = self.of(self.done, number)
        TALLY["repeats"] += 1
        with clock.at(then), acts.once(key):
            assert deed() == found, "an old key is the old answer"

    @precondition(lambda self: self.now < NOW + timedelta(days=90))
    @rule(weeks=st.sampled_from((1, 2, 5, 7)))
    def weeks_pass(self, weeks: int) -> None:
        """Whole weeks, so that banks work that day."""
        self.now += timedelta(weeks=weeks)

    # ------------------------------------------------------------------ what must hold

    def level(self) -> None:
        """What of the commitment is consumed is read off the books; both together are what they were."""
        self.posted()
        sums, found = self.model.sums, self.journal.of(self.grant.grant_id)
        change = found["B400"] - sums[Account.CONSUMED]
        sums[Account.CONSUMED] += change
        sums[Account.LEGALLY_COMMITTED] -= change

    def posted(self) -> list[Entry]:
        """The entries since the last look; what is posted beside them for partners is not counted."""
        db.session.rollback()
        found = self.journal.read()
        self.entries += sum(each.event != FOR_PARTNERS for each in found)
        return found

    @invariant()
    def the_books_are_the_model(self) -> None:
        self.posted()
        found = self.journal.of(self.grant.grant_id)
        assert {each: found[each.value] for each in KEPT} == self.model.sums
        assert self.entries == self.model.entries
        self.journal.holds(self.grant.grant_id, self.grant.call_id, decommitted=self.model.closed)
        self._orders_are_the_model()

    def _orders_are_the_model(self) -> None:
        assert orders_of(self.grant.grant_id) == {each.id: (each.state, each.amount) for each in self.model.orders}

    def teardown(self) -> None:
        """Every invariant of all books; of the thousands of walks of a soak at the end of each twentieth, with those before."""
        db.session.rollback()
        if TALLY["walks"] <= WHOLE_UNTIL or not TALLY["walks"] % 20:
            assert verify_ledger() == ()


@contextmanager
def broken_at(point: str) -> Iterator[None]:
    """Whatever passes this point meets a fault."""

    def broken(session: Session) -> None:
        raise Fault("broken on purpose at its commit")

    if point == "commit":
        event.listen(Session, "before_commit", broken)
    else:
        os.environ["GRANTS_FAULT"] = point
    try:
        yield
    finally:
        if point == "commit":
            event.remove(Session, "before_commit", broken)
        else:
            del os.environ["GRANTS_FAULT"]


def _called(deed: Callable[[], Any]) -> str:
    """The act that a deed of one line calls: the name after that of its module."""
    return deed.__code__.co_names[1]


def _verb(deed: Callable[[], Any]) -> str:
    """The verb of that act in the register."""
    module, name = deed.__code__.co_names[:2]
    found: acts.RegisteredAct = getattr(deed.__globals__[module], name).act
    return found.verb
