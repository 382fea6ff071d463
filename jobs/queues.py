"""The queues a worker serves, first things first. How each is treated stands in ``grants.core.jobs.QUEUES``."""

from __future__ import annotations

# A short job, or an upload in quarantine, never waits behind a report; a report, which somebody watches, never behind a day's letters.
ORDER = ("default", "scans", "reports", "mail")
