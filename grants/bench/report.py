"""The figures as a table for people and as a list for machines."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from grants.bench.running import Load, Measured

HEAD = ("operation", "n", "median ms", "p95 ms", "SQL", "SQL ms", "bytes", "growth", "rows/s")


def exponent(smaller: Measured, larger: Measured) -> float:
    """By which power of N the median grows: 0 is flat, 1 is linear.

    >>> small = Measured("list", 100, 10.0, 12.0, 5, 1.0, 100, 30)
    >>> round(exponent(small, Measured("list", 1_000, 20.0, 22.0, 5, 1.0, 100, 30)), 2)
    0.3
    """
    return math.log(larger.median_ms / smaller.median_ms) / math.log(larger.n / smaller.n)


def table(found: Sequence[Measured], loads: Sequence[Load]) -> str:
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


def write(path: Path, found: Sequence[Measured], loads: Sequence[Load], about: dict[str, object]) -> None:
    """A JSON list with one object for each operation and size, the mixed load, and what else was measured."""
    rounded = [
        {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(each).items()}
        for each in found
    ]
    mixed = [
        {"op": "load.mixed", "n": load.n, "median_ms": round(load.p50_ms, 3), "p95_ms": None, "sql": None, "bytes": None,
         "p99_ms": round(load.p99_ms, 3), "rps": round(load.rps, 1), "clients": load.clients}
        for load in loads
    ]  # fmt: skip
    more = [
        {"op": name, "n": None, "median_ms": None, "p95_ms": None, "sql": None, "bytes": None, "value": value}
        for name, value in about.items()
    ]
    path.write_text(json.dumps([*rounded, *mixed, *more], indent=1) + "\n", encoding="utf-8")
