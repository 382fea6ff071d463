"""The exact assignment by itself, each size in a process of its own: 103 x 60, 1,000 x 300 with and without rules on groups and a floor, 10,000 x 2,000."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from dataclasses import replace
from uuid import UUID

from grants.evaluation import matching

APPLICATIONS, EVALUATORS, EACH = 1_000, 300, 3
# Name, applications, evaluators, how often; the first run of a process also loads the library.
CASES = {"": (1_000, 300, 3), "small": (103, 60, 3), "groups": (1_000, 300, 2), "large": (10_000, 2_000, 1)}
COUNTRIES = ("PL", "FR", "DE", "IT", "ES", "SE", "FI", "GR", "RO", "NL", "PT", "CZ", "HU", "DK", "AT", "BE")


def measured() -> dict[str, float | bool]:
    """Seconds, whether the certificate proves the optimum, and the most memory, of the best run of each case."""
    found: dict[str, float | bool] = {}
    for name in CASES:
        command = [sys.executable, "-m", __name__, name]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        # HiGHS says who it is before the figures.
        figures = json.loads(answer.stdout.splitlines()[-1])
        found |= {f"{name}.{key}" if name else key: value for key, value in figures.items()}
    return found


def instance(applications: int = APPLICATIONS, evaluators: int = EVALUATORS) -> matching.Instance:
    """Utilities as of topics and languages: whole numbers up to 1000, the same at every run."""
    chance = random.Random(1)
    people = tuple(
        matching.Seatholder(
            UUID(int=1 + number), EACH * applications // evaluators * 4 // 3, country=COUNTRIES[number % 16],
            organisations=frozenset({str(number // 2)}), roles=frozenset({"finance"} if number % 3 == 0 else ()),
            languages=frozenset({"en", COUNTRIES[number % 5].lower()}),
        )
        for number in range(evaluators)
    )  # fmt: skip
    subjects = tuple(
        matching.Subject(UUID(int=1_000_000 + number), language="pl" if number % 4 == 0 else "en")
        for number in range(applications)
    )
    pairs = [(one.id, other.id) for one in subjects for other in people]
    return matching.Instance(subjects, people, EACH, {pair: chance.randrange(1_001) for pair in pairs}, seed="bench")


def large() -> matching.Instance:
    """The same as arrays: a mapping of twenty million pairs would be most of the memory."""
    import numpy as np

    rows, columns, _ = CASES["large"]
    chance = np.random.default_rng(1)
    grid = matching.Grid(
        tuple(UUID(int=1_000_000 + number) for number in range(rows)),
        tuple(UUID(int=1 + number) for number in range(columns)),
        chance.integers(0, 1_001, (rows, columns), dtype=np.int16), chance.random((rows, columns), np.float32) < 0.88,
    )  # fmt: skip
    subjects = tuple(matching.Subject(one) for one in grid.applications)
    return matching.Instance(
        subjects, tuple(matching.Seatholder(one, 21) for one in grid.evaluators), EACH, seed="bench", grid=grid
    )


def _asked(name: str) -> matching.Instance:
    if name == "large":
        return large()
    asked = instance(*CASES[name][:2])
    if name == "groups":
        return replace(asked, groups=matching.GroupRules(1, 1, ("finance",), needs_reader=True), floor=True)
    return asked


def _main(name: str) -> None:
    asked = _asked(name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The library is loaded once in a worker's life; the first run pays for that.
    spent = []
    for _ in range(CASES[name][2]):
        began = time.perf_counter()
        found = matching.assign(asked)
        spent.append(time.perf_counter() - began)
    assert isinstance(found, matching.Matched), "there are enough evaluators"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    proved = matching.verify(asked, found) == () and found.ideal - found.bound >= 0
    gap = (found.bound - found.total) / max(1, found.bound)
    figures = {"seconds": min(spent), "certified": proved, "mb": most / 1024, "mb_before": before / 1024}
    if name == "groups":
        figures |= {"gap": gap, "from_ideal": (found.ideal - found.total) / found.ideal, "floor": found.floor}
    print(json.dumps(figures))


if __name__ == "__main__":
    _main(sys.argv[1] if len(sys.argv) > 1 else "")
