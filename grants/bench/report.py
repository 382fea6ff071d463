"""The figures as a table for people and as a list for machines, and what they were to reach."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from grants.bench.running import Load, Measured, Rushed

# The fields of the list that is compared, in this order.
FIELDS = ("op", "n", "median_ms", "p95_ms", "sql", "bytes")
SQL_MAX, GROWTH_MAX, LIST_BYTES_MAX, WORKER_MB_MAX = 10, 0.10, 90_000, 110
# What a page of the list may ask, measured by itself.
LIST_SQL_MAX = 8
CSV_ROWS_PER_SECOND_MIN, ASSIGNMENT_SECONDS_MAX = 5_000, 0.3
# What each of these pages is called in the list of targets, by the beginning of its operations' names.
FEW_STATEMENTS = {
    "list of applications": ("applications.first", "applications.last", "applications.search"),
    "application": ("application.detail",),
    "ranking": ("ranking",),
    "payments": ("payments",),
    "start pages": ("home.",),
}
NOT_MEASURED = "not measured"
LIST_PAGES = ("applications.first", "applications.last")

HEAD = ("operation", "n", "median ms", "p95 ms", "SQL", "SQL ms", "bytes", "growth", "rows/s")


def exponent(smaller: Measured, larger: Measured) -> float:
    """By which power of N the median grows: 0 is flat, 1 is linear.

    >>> small = Measured("list", 100, 10.0, 12.0, 5, 1.0, 100, 30)
    >>> round(exponent(small, Measured("list", 1_000, 20.0, 22.0, 5, 1.0, 100, 30)), 2)
    0.3
    """
    return math.log(larger.median_ms / smaller.median_ms) / math.log(larger.n / smaller.n)


def table(found: Sequence[Measured], loads: Sequence[Load], rushed: Sequence[Rushed] = ()) -> str:
    """Every operation at both sizes, with how it grows between them."""
    first = {each.op: each for each in reversed(found)}
    rows = [HEAD, *(_row(each, first[each.op]) for each in sorted(found, key=lambda each: (each.op, each.n)))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(_placed(cell, width, place) for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    lines += [
        f"mixed load at {load.n:,}: {load.clients} clients for {load.seconds:.0f} s, {load.requests} requests, "
        f"{load.rps:.0f} a second, median {load.p50_ms:.0f} ms, p99 {load.p99_ms:.0f} ms, no error"
        for load in loads
    ]
    lines += [
        f"{each.name} at {each.n:,}: {each.people} people, {each.deeds} times in {each.seconds:.0f} s, median "
        f"{each.median_ms:.0f} ms, p95 {each.p95_ms:.0f} ms, longest {each.longest_ms:.0f} ms, none lost, no error"
        for each in rushed
    ]
    return "\n".join(line.rstrip() for line in lines)


def _row(each: Measured, first: Measured) -> tuple[str, ...]:
    return (
        each.op,
        f"{each.n:,}",
        f"{each.median_ms:.1f}",
        f"{each.p95_ms:.1f}",
        "" if each.sql is None else str(each.sql),
        "" if each.sql_ms is None else f"{each.sql_ms:.1f}",
        f"{each.bytes:,}",
        f"{exponent(first, each):+.2f}" if each.n > first.n else "",
        f"{each.rows_per_second:,.0f}" if each.rows_per_second else "",
    )


def _placed(cell: str, width: int, place: int) -> str:
    return cell.rjust(width) if place else cell.ljust(width)


@dataclass(frozen=True)
class Target:
    """What was to be reached, what was, and whether that is enough."""

    name: str
    limit: str
    figure: str
    met: bool


def targets(
    found: Sequence[Measured], about: Mapping[str, object], rushed: Sequence[Rushed] = ()
) -> tuple[Target, ...]:
    """Every target with its figure; one that could not be measured is missed."""
    largest = max((each.n for each in found), default=0)
    at_n = {each.op: each for each in found if each.n == largest}
    return (
        *(_few_statements(title, _named(found, ops)) for title, ops in FEW_STATEMENTS.items()),
        _same_statements(_named(found, tuple(op for ops in FEW_STATEMENTS.values() for op in ops))),
        _growth(found),
        _at_most("list of 60 rows, bytes", LIST_BYTES_MAX, [at_n[op].bytes for op in LIST_PAGES if op in at_n], "{:,.0f}"),
        _at_most("web worker, MB", WORKER_MB_MAX, _number(about, "worker.pss_mb"), "{:,.1f}"),
        _csv(about),
        _assignment(about),
        *(_at_most(f"{each.name}, p95 ms", each.p95_ms_max, [each.p95_ms], "{:,.0f}") for each in rushed),
    )  # fmt: skip


def targets_table(met: Sequence[Target]) -> str:
    """One line for each target; a missed one is no wrong answer."""
    rows = [
        ("target", "limit", "figure", ""),
        *((each.name, each.limit, each.figure, "met" if each.met else "missed") for each in met),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    missed = sum(not each.met for each in met)
    return "\n".join(
        [*lines, f"{len(met) - missed} of {len(met)} targets are met. A missed one does not fail the run; a wrong answer does."]
    )  # fmt: skip


def _named(found: Sequence[Measured], beginnings: tuple[str, ...]) -> list[Measured]:
    return [each for each in found if each.op.startswith(beginnings)]


def _few_statements(title: str, found: Sequence[Measured]) -> Target:
    told = [each.sql for each in found if each.sql is not None]
    complete = told if len(told) == len(found) else []
    return _at_most(f"{title}, SQL statements", SQL_MAX, complete, "{:.0f}")


def _same_statements(found: Sequence[Measured]) -> Target:
    """At both sizes; a page measured at one size only says nothing."""
    taken: dict[str, set[int | None]] = {}
    for each in found:
        taken.setdefault(each.op, set()).add(each.sql)
    sizes = sorted({each.n for each in found})
    grown = sorted(op for op, counts in taken.items() if len(counts) > 1)
    said = f"{len(grown)} of {len(taken)}" + (f": {', '.join(grown)}" if grown else "")
    told = len(sizes) > 1 and not any(None in counts for counts in taken.values())
    between = f" between {sizes[0]:,} and {sizes[-1]:,}" if sizes else ""
    return Target(
        f"pages whose SQL grows{between}", "none", said if told else NOT_MEASURED, told and not grown
    )  # fmt: skip


def _growth(found: Sequence[Measured]) -> Target:
    pairs = [_sizes(found, op) for op in LIST_PAGES]
    grown = [exponent(each[0], each[-1]) for each in pairs if len(each) > 1]
    return _at_most("list of applications, growth exponent", GROWTH_MAX, grown, "{:+.3f}")


def _sizes(found: Sequence[Measured], op: str) -> list[Measured]:
    return sorted((each for each in found if each.op == op), key=lambda each: each.n)


def _csv(about: Mapping[str, object]) -> Target:
    """What a worker writes of the longest list a file holds."""
    rates = _number(about, "list_file.rows_per_second")
    figure = f"{rates[0]:,.0f}" if rates else NOT_MEASURED
    limit = f"at least {CSV_ROWS_PER_SECOND_MIN:,}"
    return Target("list as CSV, rows a second", limit, figure, bool(rates) and rates[0] >= CSV_ROWS_PER_SECOND_MIN)


def _assignment(about: Mapping[str, object]) -> Target:
    """Three of 300 evaluators for each of 1,000 applications; without its certificate no time counts."""
    spent, proved = _number(about, "assignment.seconds"), about.get("assignment.certified") is True
    quick = _at_most("assignment 3 of 300 to 1,000, seconds", ASSIGNMENT_SECONDS_MAX, spent, "{:.2f}")
    return Target(
        quick.name,
        f"{quick.limit}, exact",
        f"{quick.figure}, {'exact' if proved else 'not proved'}",
        quick.met and proved,
    )


def _number(about: Mapping[str, object], name: str) -> list[float]:
    value = about.get(name)
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def _at_most(name: str, limit: float, figures: Sequence[float], words: str) -> Target:
    """The largest figure counts."""
    if not figures:
        return Target(name, f"at most {limit:,}", NOT_MEASURED, met=False)
    return Target(name, f"at most {limit:,}", words.format(max(figures)), max(figures) <= limit)


def write(
    path: Path,
    found: Sequence[Measured],
    loads: Sequence[Load],
    about: Mapping[str, object],
    rushed: Sequence[Rushed] = (),
) -> Path:
    """The list of what was measured, one object for each operation and size, and all else beside it; returns that other file."""
    rounded = [_rounded(asdict(each)) for each in found]
    _put(path, [{name: each[name] for name in FIELDS} for each in rounded])
    more = {
        "operations": rounded,
        "loads": [_rounded(asdict(load)) for load in loads],
        "rushes": [_rounded(asdict(each)) for each in rushed],
        "targets": [asdict(each) for each in targets(found, about, rushed)],
        "other": dict(about),
    }
    beside = path.with_suffix(".more.json")
    _put(beside, more)
    return beside


def _rounded(fields: dict[str, object]) -> dict[str, object]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in fields.items()}


def _put(path: Path, what: object) -> None:
    path.write_text(json.dumps(what, indent=1) + "\n", encoding="utf-8")
