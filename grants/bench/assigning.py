"""The exact assignment by itself: 3 evaluators for each of 1,000 applications out of 300, in a process of its own."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from uuid import UUID

from grants.evaluation import matching

APPLICATIONS, EVALUATORS, EACH = 1_000, 300, 3


def measured() -> dict[str, float | bool]:
    """Seconds, whether the certificate proves the optimum, and the most memory, of the better of three runs."""
    answer = subprocess.run([sys.executable, "-m", __name__], capture_output=True, text=True, check=True)
    found: dict[str, float | bool] = json.loads(answer.stdout)
    return found


def instance() -> matching.Instance:
    """Utilities as of topics and languages: whole numbers up to 1000, the same at every run."""
    chance = random.Random(1)
    applications = tuple(matching.Subject(UUID(int=1_000_000 + number)) for number in range(APPLICATIONS))
    evaluators = tuple(matching.Seatholder(UUID(int=1 + number), load_max=12) for number in range(EVALUATORS))
    pairs = [(one.id, other.id) for one in applications for other in evaluators]
    return matching.Instance(
        applications, evaluators, EACH, {pair: chance.randrange(1_001) for pair in pairs}, seed="bench"
    )


def _main() -> None:
    asked = instance()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The library is loaded once in a worker's life; the first run pays for that.
    spent = []
    for _ in range(3):
        began = time.perf_counter()
        found = matching.assign(asked)
        spent.append(time.perf_counter() - began)
    assert isinstance(found, matching.Matched), "there are enough evaluators"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    proved = matching.verify(asked, found) == ()
    print(json.dumps({"seconds": min(spent), "certified": proved, "mb": most / 1024, "mb_before": before / 1024}))


if __name__ == "__main__":
    _main()
