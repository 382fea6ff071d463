"""What the proofs did, told in one table at the end of a soak; each line is written when its proof has ended."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SEED = int(os.environ.get("SEED") or random.randrange(10**9))
LINES: list[tuple[str, str, str, float]] = []


class Tally(Counter[str]):
    """How often each thing happened in one proof."""

    def words(self) -> str:
        return ", ".join(f"{number:,} {name}" for name, number in self.items())


@contextmanager
def told(proof: str, tally: Tally) -> Iterator[None]:
    """Write the line of a proof, held or broken."""
    started = time.monotonic()
    verdict = "BROKEN"
    try:
        yield
        verdict = "held"
    finally:
        LINES.append((proof, verdict, tally.words(), time.monotonic() - started))
        if "SOAK" in os.environ:
            print(f"\n{proof}: {verdict}; {tally.words()}; {LINES[-1][3]:.1f} s", flush=True)


def table() -> list[str]:
    """The lines of all proofs so far, as a table."""
    if not LINES:
        return []
    width = max(len(line[0]) for line in LINES)
    return [f"{proof:<{width}}  {verdict:<6}  {seconds:>7.1f} s  {words}" for proof, verdict, words, seconds in LINES]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table of a soak, at its end; this module is given to it as a plugin."""
    terminalreporter.section("proofs")
    for line in table():
        terminalreporter.write_line(line)
