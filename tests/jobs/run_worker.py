"""The real worker, in a process of its own, which also knows the jobs of the tests."""

from __future__ import annotations

import sys

import tests.jobs.probes  # noqa: F401 -- registers jobs.probes
from jobs import worker

if __name__ == "__main__":
    sys.exit(worker.main())
