"""One payment from its request to the bank's booking, killed at the steps of every act, and ended all the same."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.core import acts, audit, clock, files
from grants.core.db import db, get
from grants.core.jobs import Job
from grants.core.money import Money, euros
from grants.core.permissions import Actor
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentBatch, PaymentOrder
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.rules.statements.values import BankFile
from grants.payments.services import bank_files
from tests import actors
from tests.payments.bank_statements import debit, file_of, paper
from tests.payments.world import PAYING_IBAN, world
from tests.soak import paying
from tests.soak.killing import COMMIT, COMMITTED, Attempt, Kill, Nursery, half_files, tables
from tests.soak.paying import crew
from tests.soak.racing import Deed
from tests.soak.telling import Tally

# Kills from outside fall somewhere in an act, its end included.
OUTSIDE_SECONDS_MAX = 0.3


def open_request(actor: Any, grant_id: UUID, key: str) -> Any:
    with acts.once(key):
        return services.open_prefinancing(actor, grant_id)


def decide(actor: Any, request_id: UUID, key: str) -> UUID:
    with acts.once(key):
        return paying.decide(actor, request_id, euros(240_000))


def verify(actor: Any, order_id: UUID, key: str) -> UUID:
    with acts.once(key):
        return paying.verify(actor, order_id)


def authorise(actor: Any, order_id: UUID, key: str) -> UUID:
    with acts.once(key):
        return paying.authorise(actor, order_id)


def build(actor: Any, order_id: UUID, given: FileInput, key: str) -> UUID:
    with acts.once(key):
        return services.build(actor, (order_id,), given).id


def make_file(actor: Any, batch_id: UUID, key: str) -> Any:
    with acts.once(key):
        return services.make_batch_file(actor, batch_id)


def send(actor: Any, batch_id: UUID, amount: Money, key: str) -> UUID:
    with acts.once(key):
        return services.send(actor, batch_id, count=1, control_total=amount).id


def reject(actor: Actor, order_id: UUID, on: date, key: str) -> UUID:
    with acts.once(key):
        return services.reject_by_bank(actor, order_id, reason="MS03", on=on).id


def reissue(actor: Actor, order_id: UUID, key: str) -> UUID:
    with acts.once(key):
        return services.reissue(actor, order_id).id


def bring(actor: Actor, data: bytes, key: str) -> UUID:
    incoming = files.receive(FileStorage(io.BytesIO(data), filename="bank.xml"), look=bank_files.look)
    with acts.once(key):
        return services.import_statement(actor, incoming, BankFile.STATEMENT).id


def read(actor: Actor, import_id: UUID, key: str) -> UUID:
    with acts.once(key):
        return services.read_statement(actor, import_id).id


def book(actor: Actor, import_id: UUID, key: str) -> str:
    with acts.once(key):
        return repr(services.book_lines(actor, import_id))


class KilledPayment:
    """The payment; ``samples`` says at how many steps of each act it is killed, None at every one."""

    def __init__(
        self, nursery: Nursery, home: Path, tally: Tally, *, samples: int | None, chance: random.Random
    ) -> None:
        self.nursery, self.home, self.tally = nursery, home, tally
        self.samples, self.chance = samples, chance
        self.grant = world()

    def run(self) -> None:
        """Every act of the payment, each killed and taken up again; then the books are those of one payment."""
        (initiator, *_), (verifier, *_) = crew("initiator"), crew("verifier")
        (authoriser, *_), (accountant, *_) = crew("authoriser"), crew("accountant")
        request_id = self.act(open_request, (actors.program(), self.grant.grant_id)).id
        self.act(decide, (authoriser, request_id), entries=1)
        order_id = self.act(paying.prepare, (initiator, request_id, euros(110_000)))
        self.act(verify, (verifier, order_id))
        self.act(authorise, (authoriser, order_id))
        today = clock.in_zone(clock.now()).date()
        given = FileInput(queries.payable_from_any((order_id,)), FileLayout.XLSX, today)
        batch_id = self.act(build, (accountant, order_id, given))
        assert self._jobs_of(batch_id) == ["queued"], "the list is asked for by the same act, once"
        self.act(make_file, (accountant, batch_id))
        self._list_is_whole(batch_id)
        self.act(send, (accountant, batch_id, euros(110_000)), entries=1)
        self.act(paying.execute, (accountant, order_id, today), entries=2)
        self._comes_back((initiator, verifier, authoriser, accountant), request_id, today)
        assert books.balance(Account.CONSUMED, grant_id=self.grant.grant_id) == euros(210_000)
        assert audit.verify().problem is None

    def _comes_back(self, people: tuple[Actor, Actor, Actor, Actor], request_id: UUID, today: date) -> None:
        """The rest is rejected by the bank, issued again, and told as paid by the bank's own statement."""
        initiator, verifier, authoriser, accountant = people

        def left(order_id: UUID) -> UUID:
            paying.verify(verifier, order_id)
            paying.authorise(authoriser, order_id)
            paying.export(accountant, order_id, euros(100_000))
            return order_id

        first = left(paying.prepare(initiator, request_id, euros(100_000)))
        self.act(reject, (accountant, first, today), entries=1)
        again = left(self.act(reissue, (initiator, first)))
        line = debit(100_000_00, end_to_end_id=get(PaymentOrder, again).end_to_end_id, booked_on=today, value_on=today)
        told = file_of(paper(line, iban=PAYING_IBAN, from_on=today, to_on=today))
        import_id = self.act(bring, (accountant, told))
        self.act(read, (accountant, import_id))
        self.act(book, (accountant, import_id), entries=2)

    def act(self, deed: Deed, words: tuple[Any, ...], *, entries: int = 0) -> Any:
        """Kill one act wherever it can be killed, then do it; returns what it gives back."""
        key, booked, before, stood = uuid4().hex, books.count_entries(), tables(), self._stored()
        told = (*words, key)
        last = self._kill(deed, told, Kill(name=COMMIT))
        assert last.at == COMMIT, last
        for number in self._steps(last.steps):
            # What an act before it left in the store would shorten this one; rows name nothing of it yet.
            for path in sorted(self._stored() - stood, reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            killed = self._kill(deed, told, Kill(number))
            assert killed.steps == number, killed
            assert tables() == before, f"{deed.__name__} killed at step {number}, “{killed.at}”, left something"
            self._holds()
        self._outside(deed, told, before)
        if tables() == before:
            assert self._kill(deed, told, Kill(name=COMMITTED)).at == COMMITTED
        after = tables()
        assert after != before, "what was committed stands although its process died"
        answers = [self.nursery.attempt(deed, told) for _ in range(2)]
        assert answers[0] == answers[1], answers
        assert answers[0].answer is not None and answers[0].answer.kind == "done", answers[0]
        assert tables() == after, "the same key again changes nothing"
        assert books.count_entries() == booked + entries
        self._holds()
        self.tally["acts"] += 1
        return answers[0].answer.value

    def _kill(self, deed: Deed, words: tuple[Any, ...], kill: Kill) -> Attempt:
        attempt = self.nursery.attempt(deed, words, kill)
        assert attempt.killed, f"{deed.__name__} came to its end: {attempt}"
        self.tally["kills"] += 1
        return attempt

    def _steps(self, count: int) -> Sequence[int]:
        """Every step up to the commit, or a sample of them with the first and the last."""
        if self.samples is None or self.samples >= count:
            return range(1, count + 1)
        return sorted({1, count, *self.chance.sample(range(2, count), self.samples - 2)})

    def _outside(self, deed: Deed, words: tuple[Any, ...], before: dict[str, tuple[int, int]]) -> None:
        """Kills at any time, until one comes so late that the act stands."""
        for _ in range(0 if self.samples is not None else 20):
            self.nursery.attempt(deed, words, Kill(seconds=self.chance.uniform(0.001, OUTSIDE_SECONDS_MAX)))
            self.tally["kills at any time"] += 1
            self._holds()
            if tables() != before:
                self.tally["of them after the commit"] += 1
                return

    def _stored(self) -> set[Path]:
        """What lies in the store, its folders too."""
        return {self.home / "files", *(self.home / "files").rglob("*")} if (self.home / "files").exists() else set()

    def _holds(self) -> None:
        assert (books.verify(), queries.verify(), list(half_files(self.home))) == ((), (), [])
        db.session.rollback()

    def _jobs_of(self, batch_id: UUID) -> list[str]:
        db.session.rollback()
        return list(db.session.scalars(select(Job.state).where(Job.unique_key == f"payment_batch:{batch_id}")))

    def _list_is_whole(self, batch_id: UUID) -> None:
        batch = get(PaymentBatch, batch_id)
        assert batch.file_id is not None
        found = files.view(batch.file_id)
        assert files.path(found).stat().st_size == found.size_bytes
        db.session.rollback()
