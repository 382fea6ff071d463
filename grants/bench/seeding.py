"""A database with so many applications, fast: one of each made by acts, then multiplied as rows, then checked.

Only for a throw-away embedded cluster: while copies are loaded no trigger runs, which needs the cluster's own superuser.
Afterwards everything holds again and is looked at: foreign keys, the books by `grants ledger verify`, the record by
`grants audit verify`. Of the record each copy carries the acts that pages tell of an application and a grant (sent,
declared, signed, accepted, paid), with its own ids; how its draft was written, and its mails, are those of the original
alone. Digests of personal texts in those events are the original's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from grants.bench.prototypes import RANKED_SLUG, RANKED_TITLE, Kind, Workshop
from grants.bench.stencils import Connection, Counters, Loader, Progress, orphans
from grants.core import audit
from grants.ledger.triggers import MONTHS_ANEW
from grants.oversight import queries as across

# How many applications one ranked call holds; more applications make more calls.
CALL_SIZE = 1_000
# Small, whatever N is: what score and autosave write to.
SCORED_MIN, SCORED_MAX, DRAFTED = 16, 60, 40
APPLICATIONS_PER_EVALUATOR = 30
RUNS = "assignment_run.number"


@dataclass(frozen=True)
class Seeded:
    """What stands now, and how long it took to get here."""

    n: int
    seconds: float
    rows: int


class SeedError(RuntimeError):
    """The seeded database is not as it must be; the message names the first difference."""


@dataclass
class RankedCall:
    """A call whose applications are ranked: what stands in the holes of its rows, its evaluators, how many it has."""

    slug: str
    words: dict[str, str]
    pool: list[tuple[str, str]]
    applications: int


class Seedbed:
    """Grows an empty database to so many applications, inside the program's application context.

    ``connection`` is the cluster's superuser's; ``n_max`` is the most that will be asked for.
    """

    def __init__(self, connection: Connection, n_max: int, say: Progress) -> None:
        began = time.monotonic()
        self._connection, self._say = connection, say
        self._workshop = Workshop(connection, grants=max(1, n_max // 10))
        self._made = made = self._workshop.make()
        self._settled: Kind | None = None
        say(f"One of each was made by acts ({time.monotonic() - began:.1f} s).")
        self._people = 0
        self._counters, self._chance = Counters(), random.Random(1)
        assert made.granted and made.scored and made.drafted and made.call, "one of each was made"
        self._standing = {kind.title: 1 for kind in (made.granted, made.scored, made.drafted)}
        first = [(str(user), str(seat)) for user, seat in made.evaluators]
        own = {word: word for word in made.call.holes}
        self.calls = {key: call.slug for key, call in made.calls.items()}
        self.ranked = [RankedCall(made.calls["ranked"].slug, own, first, len(made.ranked))]

    def grow(self, n: int) -> Seeded:
        """Until N applications stand: a tenth granted, some being scored, the rest ranked; drafts come on top."""
        began = time.monotonic()
        # What people did since was counted too.
        self._counters = _counters(self._connection)
        made, granted = self._made, max(1, n // 10)
        scored = min(SCORED_MAX, max(SCORED_MIN, n // 5))
        assert made.granted and made.scored and made.drafted, "one of each was made"
        with self._connection.transaction():
            # The superuser's way past every trigger, for this transaction alone.
            self._connection.execute("SET LOCAL session_replication_role = replica")
            self._loader = Loader(self._connection)
            for kind, count in ((made.granted, granted), (made.scored, scored), (made.drafted, DRAFTED)):
                self._counters.last[RUNS] = self._standing[kind.title]
                for number in range(self._standing[kind.title] + 1, count + 1):
                    self._application(kind, number, {})
                self._standing[kind.title] = count
            self._rank(n - granted - scored)
            self._loader.send()
            self._whole()
            _keep_counters(self._connection, self._counters)
        self._say(f"{n} applications were loaded ({time.monotonic() - began:.1f} s).")
        rows = _settle(self._connection)
        for problem in _problems(self._connection):
            raise SeedError(f"The seeded database is not right: {problem}")
        seconds = time.monotonic() - began
        self._say(f"{rows:,} rows stand; keys, ledger and audit were verified ({seconds:.1f} s).")
        return Seeded(n, seconds, rows)

    def draft(self, count: int) -> None:
        """Until so many drafts stand, each complete and with its files: for those who send all at the same time."""
        assert self._made.drafted, "one was made"
        self._alone(self._made.drafted, count)

    def grant(self, count: int) -> None:
        """Until so many grants stand of which a payment waits to be authorised, each with its three requests, orders and all
        that was booked of them; nothing else grows.
        """
        assert self._made.granted, "one was made"
        self._alone(self._made.granted, count)

    def settle(self, count: int) -> None:
        """Until so many grants stand that were paid whole."""
        if self._settled is None:
            self._settled = self._workshop.settle()
            self._standing[self._settled.title] = 1
        self._alone(self._settled, count)

    def _alone(self, kind: Kind, count: int) -> None:
        """Until so many of one kind stand."""
        self._counters = _counters(self._connection)
        with self._connection.transaction():
            self._connection.execute("SET LOCAL session_replication_role = replica")
            self._loader = Loader(self._connection)
            self._counters.last[RUNS] = self._standing[kind.title]
            for number in range(self._standing[kind.title] + 1, count + 1):
                self._application(kind, number, {})
            self._standing[kind.title] = max(count, self._standing[kind.title])
            self._loader.send()
            self._whole()
            _keep_counters(self._connection, self._counters)
        _settle(self._connection)
        for problem in orphans(self._connection):
            raise SeedError(f"The seeded database is not right: {problem}")

    def _whole(self) -> None:
        """What triggers would have kept of all rows, and who of the seeded people can be chosen to sign in."""
        _totals(self._connection)
        for statement in MONTHS_ANEW:
            self._connection.execute(statement.encode())
        for key in {"granted", "settled"} & self._made.calls.keys():
            _sums(self._connection, str(self._made.calls[key].id))
        # No more people to choose from than in a demo: of those here only the ones who draft and who score sign in.
        self._connection.execute(
            "UPDATE user_account SET is_demo = false WHERE is_demo AND (email LIKE '%@bench.example' OR email LIKE '%@bench-experts.example') "
            "AND handle !~ '^iris-moss' AND (handle ~ '-[0-9]{5}$' OR handle !~ '^(nora|oskar|paula)')"
        )

    def _rank(self, wanted: int) -> None:
        """Ranked calls, each filled before the next is made."""
        standing = sum(call.applications for call in self.ranked)
        while standing < wanted:
            call = self.ranked[-1]
            if call.applications >= CALL_SIZE:
                self.ranked.append(call := self._call(len(self.ranked) + 1))
            target = min(CALL_SIZE, call.applications + wanted - standing)
            while len(call.pool) < 3 * target // APPLICATIONS_PER_EVALUATOR:
                call.pool.append(self._evaluator(call))
            self._counters.last[RUNS] = call.applications
            for number in range(call.applications, target):
                kind = self._made.ranked[number % len(self._made.ranked)]
                self._application(kind, standing + number, call.words | self._seats(call, number))
            standing += target - call.applications
            call.applications = target

    def _seats(self, call: RankedCall, number: int) -> dict[str, str]:
        """Three evaluators of the call's pool in the places of the three who assessed the original."""
        chosen = (call.pool[(3 * number + seat) % len(call.pool)] for seat in range(3))
        return {
            str(old): new
            for pair, replaced in zip(self._made.evaluators, chosen, strict=True)
            for old, new in zip(pair, replaced, strict=True)
        }

    def _application(self, kind: Kind, number: int, more: dict[str, str]) -> None:
        """One more application of a kind, with its municipality and its lead."""
        mark = f"{number:05d}"
        words = {
            kind.title: f"{kind.title} {mark}",
            kind.title.lower(): f"{kind.title.lower()} {mark}",
            kind.town: f"{kind.town} {mark}",
            kind.town.lower(): f"{kind.town.lower()} {mark}",
            kind.lead: f"{kind.lead} {mark}",
            kind.email: f"{mark}.{kind.email}",
            kind.handle: f"{kind.handle}-{mark}",
            kind.iban: _iban(self._chance.randrange(10**10)),
        }
        self._loader.add(kind.stencil.stamp(words | more, self._counters, self._chance))

    def _call(self, place: int) -> RankedCall:
        """One more ranked call with its first evaluators."""
        stencil = self._made.call
        assert stencil is not None, "made at the start"
        slug = f"{RANKED_SLUG}-{place:03d}"
        given = {RANKED_TITLE: f"{RANKED_TITLE} {place:03d}", RANKED_SLUG: slug}
        filled = stencil.fill(given, self._counters, self._chance)
        self._loader.add(stencil.lines(filled))
        words = dict(zip(stencil.holes, filled, strict=True))
        call = RankedCall(self.ranked[0].slug.replace(RANKED_SLUG, slug), words, [], 0)
        call.pool.extend(self._evaluator(call) for _ in range(3))
        return call

    def _evaluator(self, call: RankedCall) -> tuple[str, str]:
        """One more person in the pool of a call: the user and the place in the pool."""
        stencil = self._made.evaluator
        assert stencil is not None, "made at the start"
        name, email, handle, *_ = stencil.names
        self._people += 1
        mark = f"{self._people:05d}"
        given = {name: f"{name} {mark}", email: f"{mark}.{email}", handle: f"{handle}-{mark}"}
        filled = stencil.fill(given | call.words, self._counters, self._chance)
        self._loader.add(stencil.lines(filled))
        at = dict(zip(stencil.holes, filled, strict=True))
        user, seat = self._made.evaluators[-1]
        return at[str(user)], at[str(seat)]


def _totals(connection: Connection) -> None:
    """How many applications each call was sent, which their trigger would have kept."""
    connection.execute(
        "INSERT INTO application_total (call_id, state, number) SELECT call_id, state, count(*) FROM application "
        "WHERE submission_id IS NOT NULL GROUP BY call_id, state "
        "ON CONFLICT (call_id, state) DO UPDATE SET number = excluded.number"
    )


def _sums(connection: Connection, call_id: str) -> None:
    """The list that was decided over one application was decided over all its copies."""
    connection.execute(
        "UPDATE selection SET used = (SELECT sum(amount) FROM selection_item "
        "WHERE selection_id = selection.id AND outcome = 'selected') WHERE call_id = %s",
        [call_id],
    )


def _counters(connection: Connection) -> Counters:
    found = Counters(dict(connection.execute("SELECT series, last FROM reference_counter").fetchall()))
    for table, column in (
        ("submission", "receipt_number"),
        ("ledger_entry", "number"),
        ("selection_item", "position"),
        ("selection_item", "rank"),
    ):
        found.last[f"{table}.{column}"] = _one(connection, f"SELECT coalesce(max({column}), 0) FROM {table}")
    return found


def _keep_counters(connection: Connection, counters: Counters) -> None:
    for series, last in counters.last.items():
        connection.execute("UPDATE reference_counter SET last = %s WHERE series = %s", [last, series])
    connection.execute(
        "UPDATE reference_counter SET last = %s WHERE series = 'receipt'", [counters.last["submission.receipt_number"]]
    )
    connection.execute(
        "SELECT setval(pg_get_serial_sequence('ledger_entry', 'number'), %s)", [counters.last["ledger_entry.number"]]
    )


def _settle(connection: Connection) -> int:
    """The sealer's inbox, which its trigger would have filled, and what the planner knows."""
    connection.execute(
        "INSERT INTO audit_unsealed SELECT id FROM audit_event e WHERE NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.event_id = e.id) "
        "ON CONFLICT DO NOTHING"
    )
    connection.execute("VACUUM ANALYZE")
    return _one(connection, "SELECT sum(n_live_tup) FROM pg_stat_user_tables")


def _problems(connection: Connection) -> Iterator[str]:
    yield from orphans(connection)
    yield from (str(problem) for problem in across.verify_ledger())
    found = audit.verify().problem
    if found:
        yield found


def _one(connection: Connection, statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    return int(row[0] or 0) if row else 0


def _iban(number: int) -> str:
    """A German account number with right check digits, of a bank that pays nobody."""
    bban = f"12030000{number:010d}"
    return f"DE{98 - int(bban + '131400') % 97:02d}{bban}"
