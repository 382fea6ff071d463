"""The queues a worker serves, first things first. How each is treated stands in ``grants.core.jobs.QUEUES``."""

from __future__ import annotations

# A short job never waits behind a mail, and neither behind a long report.
ORDER = ("default", "mail", "reports")
