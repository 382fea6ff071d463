"""The list of applications alone, at N/100 and at N: first, last and deep pages, searches, every order, by time, CPU and pages read.

Only rows of applications are multiplied here, by the owner of the throw-away cluster, so that a hundred thousand stand within
a minute. They share the frozen content of the few that acts made: nothing here opens one of them.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grants.bench.browsing import Answer, Browser, Wrong
from grants.bench.operations import Operation, at
from grants.bench.ours import MANAGER, ROWS_ON_A_PAGE, Ours
from grants.bench.running import right
from grants.bench.stencils import Connection

TIMES, ROUNDS, WARM = 30, 3, 3
# How many times as long as with a hundredth of the rows.
GROWTH_MAX = 1.2
# One of so many titles has the common word; one in the whole list has the rare one.
COMMON_EVERY = 10
SMALLER = 100
_TICKS_A_SECOND = 100
_PACE = 300_000

# A reference as it reads: what stands before its number, then the number.
_REFERENCE = "rtrim(reference, '0123456789') COLLATE \"C\" {d}, length(reference) {d}, reference {d}"
# Each order as the address names it, and as SQL says it.
ORDERS = {
    "reference": _REFERENCE,
    "title": 'title_key COLLATE "C" {d}, ' + _REFERENCE,
    "city": 'lead_key COLLATE "C" {d}, ' + _REFERENCE,
    "state": 'state COLLATE "C" {d}, ' + _REFERENCE,
    "asked": "coalesce(requested, -1) {d}, " + _REFERENCE,
    "sent": "coalesce(submitted_at, '-infinity') {d}, " + _REFERENCE,
    "since": "state_since {d}, " + _REFERENCE,
}


@dataclass(frozen=True)
class ListMeasured:
    """One page of the list at one size: milliseconds of the answer, of its SQL, of CPU in web and database, how many statements it
    took, and of a fixed loop beside it: by that much the machine itself was slower.
    """

    op: str
    n: int
    median_ms: float
    quickest_ms: float
    sql_ms: float
    web_cpu_ms: float
    database_cpu_ms: float
    statements: int
    pace_ms: float


def grow(connection: Connection, n: int) -> None:
    """Until so many sent applications stand, spread over the calls there are."""
    standing = _number(connection, "SELECT count(*) FROM application WHERE submission_id IS NOT NULL")
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(_more(connection), {"first": standing + 1, "last": n, "every": COMMON_EVERY})
        connection.execute(
            b"INSERT INTO application_partner (id, created_at, version, application_id, organisation_id, position, role, state) "
            b"SELECT gen_random_uuid(), a.created_at, 1, a.id, a.coordinator_id, 0, 'coordinator', 'accepted' "
            b"FROM application a WHERE NOT EXISTS (SELECT 1 FROM application_partner p WHERE p.application_id = a.id)"
        )
        connection.execute(
            b"INSERT INTO application_total (call_id, state, number) SELECT call_id, state, count(*) FROM application "
            b"WHERE submission_id IS NOT NULL GROUP BY call_id, state "
            b"ON CONFLICT (call_id, state) DO UPDATE SET number = excluded.number"
        )
    connection.execute(b"VACUUM ANALYZE application")
    connection.execute(b"VACUUM ANALYZE application_partner")


# What is new in a row; whatever else may not be empty is as in the model.
_NEW = {
    "id": "gen_random_uuid()",
    "version": "1",
    "reference": "'LST-2031-A-' || lpad(i::text, greatest(4, length(i::text)), '0')",
    "title": "t.title",
    "state": "(ARRAY['submitted', 'eligible', 'under_evaluation', 'selected', 'reserve', 'not_funded', 'below_threshold'])[(1 + i %% 7)::int]",
    "submission_id": "m.submission_id",
    "submitted_at": "m.submitted_at + i * interval '37 seconds'",
    "requested": "(250000 + (i * 7919) %% 1250000) * 100",
    "search_text": "lower(t.title)",
    "title_key": "lower(t.title)",
    "lead_key": "'town ' || md5('town' || i)",
    "search_words": "lower(t.title) || ' town ' || md5('town' || i) || ' ' || coalesce(m.search_words, '')",
    "state_since": "m.created_at + ((i * 104729) %% 9000000) * interval '1 second'",
}
_NEEDED = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = 'application'::regclass AND attnum > 0 AND attnotnull AND attgenerated = '' ORDER BY attnum
"""
_MORE = """
    WITH model AS (
        SELECT *, row_number() OVER (ORDER BY reference) - 1 AS place, count(*) OVER () AS models
        FROM application WHERE submission_id IS NOT NULL AND reference NOT LIKE 'LST-%%'
    )
    INSERT INTO application ({columns})
    SELECT {values}
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i
    JOIN model m ON m.place = i %% m.models
    CROSS JOIN LATERAL (
        SELECT initcap(left(md5('title' || i), 12)) || CASE WHEN i %% %(every)s = 0 THEN ' Orchards ' ELSE ' Streets ' END || i AS title
    ) AS t
"""


def _more(connection: Connection) -> bytes:
    needed = [row[0] for row in connection.execute(_NEEDED.encode()).fetchall()]
    values = {name: f"m.{name}" for name in needed} | _NEW
    return _MORE.format(columns=", ".join(values), values=", ".join(values.values())).encode()


def operations(ours: Ours, connection: Connection) -> Sequence[Operation]:
    """Every page that is measured, with what it must show."""
    size = ROWS_ON_A_PAGE
    address = f"/applications?size={size}"

    def refs(order: str, more: str = "", offset: int = 0) -> list[str]:
        statement = f"SELECT reference FROM application WHERE submission_id IS NOT NULL {more} ORDER BY {order} LIMIT {size} OFFSET {offset}"
        return [row[0] for row in connection.execute(statement.encode()).fetchall()]

    def page(name: str, query: str, rows: list[str], total: int) -> Operation:
        return Operation(f"list.{name}", MANAGER, at(f"{address}&{query}"), ours.list_says(rows, total))

    found = [page("first", "sort=-reference", refs(ORDERS["reference"].format(d="DESC")), ours.total)]
    middle = refs(ORDERS["reference"].format(d="DESC"), offset=ours.total // 2)
    before = refs(ORDERS["reference"].format(d="DESC"), offset=ours.total // 2 - 1)[0]
    found.append(page("middle", f"sort=-reference&after={before}", middle, ours.total))
    for name, order in ORDERS.items():
        up, down = refs(order.format(d="ASC")), refs(order.format(d="DESC"))
        found.append(page(f"by_{name}", f"sort={name}", up, ours.total))
        found.append(page(f"by_{name}.last", f"sort={name}&at=last", down[::-1], ours.total))
    newest = ORDERS["reference"].format(d="DESC")
    one = connection.execute(
        b"SELECT title FROM application WHERE reference LIKE 'LST-%' ORDER BY md5(reference) LIMIT 1"
    ).fetchone()
    assert one is not None, "rows were added"
    word = one[0].split()[0]
    found.append(page("search.one", f"q={word}", refs(newest, f"AND title LIKE '{word}%'"), 1))
    many = _number(connection, "SELECT count(*) FROM application WHERE title LIKE '%% Orchards %%'")
    found.append(page("search.many", "q=orchards", refs(newest, "AND title LIKE '% Orchards %'"), many))
    return found


def measured(
    operation: Operation, n: int, browser: Browser, web: Sequence[int], database: Callable[[], Sequence[int]]
) -> ListMeasured:
    """One page, many times, each answer checked; CPU is that of all web workers and of all servers of the database, in the
    round that took least: in the others the database cleaned up, or the machine had other work.
    """
    for number in range(WARM):
        right(browser, operation, number)
    answers: list[Answer] = []
    rounds: list[tuple[float, float]] = []
    paces: list[float] = []
    for _ in range(ROUNDS):
        paces.append(_pace())
        web_before, database_before = _cpu_ms(web), _cpu_ms(database())
        answers += [right(browser, operation, number) for number in range(TIMES // ROUNDS)]
        rounds.append((_cpu_ms(web) - web_before, _cpu_ms(database()) - database_before))
    web_ms, database_ms = min(rounds, key=sum)
    spent = sorted(answer.seconds * 1_000 for answer in answers)
    sql = [answer.sql_ms for answer in answers if answer.sql_ms is not None]
    counted = [answer.statements for answer in answers if answer.statements is not None]
    return ListMeasured(
        operation.name,
        n,
        statistics.median(spent),
        spent[0],
        min(sql),
        web_ms * ROUNDS / TIMES,
        database_ms * ROUNDS / TIMES,
        statistics.mode(counted),
        min(paces),
    )


def _pace() -> float:
    """What a fixed piece of work takes now, in milliseconds of CPU: virtual cores are not always equally quick."""
    began = time.process_time()
    sum(number * number for number in range(_PACE))
    return (time.process_time() - began) * 1_000


def servers_of(connection: Connection) -> Callable[[], Sequence[int]]:
    """The processes of the database, the one that starts all others first."""
    (own,) = connection.execute(b"SELECT pg_backend_pid()").fetchone() or (0,)
    parent = int(re.search(r"^PPid:\s+(\d+)", Path(f"/proc/{own}/status").read_text(), re.MULTILINE)[1])  # type: ignore[index]  # every process has one
    return lambda: [
        parent, *(int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split() if int(word) != own)
    ]  # fmt: skip


def _cpu_ms(processes: Sequence[int]) -> float:
    """CPU time of these processes so far, as Linux counts it: in hundredths of a second."""
    ticks = 0
    for pid in processes:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            # Ended meanwhile: what it used is in none of both sums.
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1_000 / _TICKS_A_SECOND


def _number(connection: Connection, statement: str) -> int:
    row = connection.execute(statement.replace("%%", "%").encode()).fetchone()
    return int(row[0]) if row else 0


def table(found: Sequence[ListMeasured]) -> str:
    """Each page at both sizes, and how many times as much it took at the larger one."""
    smaller, larger = (size for size in sorted({each.n for each in found}))
    first = {each.op: each for each in found if each.n == smaller}
    head = f"{'page':<24}{'SQL':>4}{'ms':>9}{'':>9}{'x':>6}{'SQL ms':>9}{'':>8}{'x':>6}{'CPU ms':>9}{'':>8}{'x':>6}"
    lines = [head]
    for each in (each for each in found if each.n == larger):
        was = first[each.op]
        lines.append(
            f"{each.op:<24}{each.statements:>4}{was.median_ms:>9.1f}{each.median_ms:>9.1f}{each.median_ms / was.median_ms:>6.2f}"
            f"{was.sql_ms:>9.2f}{each.sql_ms:>8.2f}{each.sql_ms / was.sql_ms:>6.2f}"
            f"{_cpu(was):>9.1f}{_cpu(each):>8.1f}{_cpu(each) / _cpu(was):>6.2f}"
        )
    ratios = [_cpu(each) / _cpu(first[each.op]) for each in found if each.n == larger]
    times = [each.median_ms / first[each.op].median_ms for each in found if each.n == larger]
    paces = [statistics.median(each.pace_ms for each in found if each.n == size) for size in (smaller, larger)]
    lines.append(
        f"From {smaller:,} to {larger:,}: time {statistics.median(times):.2f} times at the median and {max(times):.2f} at most, "
        f"CPU of web and database together {statistics.median(ratios):.2f} and {max(ratios):.2f}; the target is {GROWTH_MAX}. "
        f"A fixed loop beside took {paces[0]:.0f} and {paces[1]:.0f} ms."
    )
    return "\n".join(lines)


def _cpu(each: ListMeasured) -> float:
    return each.web_cpu_ms + each.database_cpu_ms


def check_statements(found: Sequence[ListMeasured], statements_max: int) -> None:
    """No page takes more statements than allowed, or more where there is more; raises :class:`Wrong`."""
    many = {each.op: each.statements for each in found if each.statements > statements_max}
    if many:
        raise Wrong(f"These pages take more than {statements_max} statements: {many}.")
