"""The advice beside the ranking by itself: 1,000 applications with 3 sheets each of 300 people, and variance components of 5,802
sheets, in a process of their own."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time

from grants.awards.ranking.advice import advise, expected_ranks
from grants.awards.ranking.variance import Sheet, reml

APPLICATIONS, EVALUATORS, EACH = 1_000, 300, 3
# As many sheets as the preliminary scores of the National Institutes of Health that were published.
SHEETS_MANY, APPLICATIONS_MANY, EVALUATORS_MANY = 5_802, 2_076, 700


def measured() -> dict[str, float]:
    """Seconds of the better of three runs: expected ranks, the whole advice, the variance components; and the most memory."""
    # One thread, as the goals are set; several that wait for each other are slower on a busy machine.
    single = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    answer = subprocess.run([sys.executable, "-m", __name__], capture_output=True, text=True, check=True, env=single)
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def sheets(applications: int, evaluators: int, each: int, most: int) -> list[Sheet]:
    """Half-point scores with true quality, severity and chance, the same at every run."""
    chance = random.Random(1)
    severe = [chance.gauss(0, 0.5) for _ in range(evaluators)]
    found = []
    for row in range(applications):
        quality = chance.gauss(0, 0.7)
        for column in chance.sample(range(evaluators), each):
            score = round(2 * (3 + quality + severe[column] + chance.gauss(0, 0.8))) / 2
            found.append(Sheet(f"{row:05}", f"{column:04}", min(5.0, max(0.0, score))))
    return found[:most]


def _main() -> None:
    asked = sheets(APPLICATIONS, EVALUATORS, EACH, APPLICATIONS * EACH)
    many = sheets(APPLICATIONS_MANY, EVALUATORS_MANY, EACH, SHEETS_MANY)
    spent: dict[str, list[float]] = {"rank_seconds": [], "whole_seconds": [], "reml_seconds": []}
    for _ in range(3):
        began = time.perf_counter()
        expected_ranks(asked)
        ranked = time.perf_counter()
        advise(asked, APPLICATIONS // 5)
        advised = time.perf_counter()
        reml(many)
        ended = time.perf_counter()
        for name, seconds in zip(spent, (ranked - began, advised - ranked, ended - advised), strict=True):
            spent[name].append(seconds)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({name: round(min(taken), 3) for name, taken in spent.items()} | {"mb": round(most)}))


if __name__ == "__main__":
    _main()
