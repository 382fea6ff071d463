"""Whether the machinery is in order, each check with its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# Free space on the data folder's disk below which the program no longer takes work.
DISK_FREE_BYTES_MIN = 200_000_000

# A job is rung within a second of its commit; the sweeper rings again. This late, nobody is ringing.
UNRUNG_SECONDS_MAX = 300

# A long report may keep every worker busy for some minutes; a letter whose server is away waits for hours.
DUE_SECONDS_MAX, MAIL_SECONDS_MAX, SCHEDULER_SECONDS_MAX = 600, 3_600, 60

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the program needs: whether it is well, what is seen, in words, and whether pages need it to answer."""

    name: str
    well: bool
    words: str
    stops_pages: bool = True


def disk_check(free_bytes: int) -> Check:
    """Whether there is room for another upload and another report."""
    return Check("disk", free_bytes >= DISK_FREE_BYTES_MIN, f"{free_bytes // 1_000_000} MB free")


def migrations_check(applied: str | None, expected: str | None) -> Check:
    """Whether the database has the tables this program was written for."""
    if expected is None:
        return Check("migrations", True, "none yet")
    return Check("migrations", applied == expected, "current" if applied == expected else "not current")


def lasting(seconds: int) -> str:
    """How long something waits, in the largest unit that says it in whole numbers.

    >>> [lasting(seconds) for seconds in (1, 119, 120, 7_200, 75_489_330)]
    ['1 second', '119 seconds', '2 minutes', '2 hours', '873 days']
    """
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), (1, "second"))
    many = seconds // size
    return f"{many} {unit}" if many == 1 else f"{many} {unit}s"


def bell_check(oldest_unrung_seconds: int) -> Check:
    """Whether jobs are handed to the workers: how long the oldest one waits that nobody was told of."""
    well = oldest_unrung_seconds <= UNRUNG_SECONDS_MAX
    words = f"the oldest waits for {lasting(oldest_unrung_seconds)}" if oldest_unrung_seconds else "none waits unrung"
    return Check("jobs", well, words)


# What the jobs that send a checkpoint out are about, and the letter they send.
CHECKPOINT = "audit_checkpoint"
LETTER = "checkpoint"

# One is made each night; later than this, none was.
CHECKPOINT_AGE_MAX = timedelta(hours=30)


def addresses(text: str) -> tuple[str, ...]:
    """The addresses of a setting, with commas between.

    >>> addresses("audit@example.eu, ,court@example.eu")
    ('audit@example.eu', 'court@example.eu')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way a checkpoint left: to whom or where, whether it arrived there (None: it is still on its way), and what is seen."""

    to: str
    arrived: bool | None
    words: str


def checkpoint_check(first_at: datetime | None, made_at: datetime | None, failed: int, now: datetime) -> Check:
    """Whether the record is proved outside of this system: the last checkpoint is of last night, and every copy left."""
    since = made_at or first_at
    if since is None:
        return Check("checkpoints", True, "nothing is on the record yet")
    if failed:
        copies = "1 copy of a checkpoint" if failed == 1 else f"{failed} copies of checkpoints"
        return Check("checkpoints", False, f"{copies} did not leave the system; start those jobs again")
    if now - since > CHECKPOINT_AGE_MAX:
        seen = (
            "none was made yet"
            if made_at is None
            else f"the last one is {(now - since) // timedelta(hours=1)} hours old"
        )
        return Check("checkpoints", False, seen)
    return Check("checkpoints", True, "none yet" if made_at is None else "made and sent")


def machinery_checks(
    *, oldest_due_seconds: int, oldest_mail_seconds: int, scheduler_seen_seconds: int | None
) -> tuple[Check, ...]:
    """What goes on behind pages, which are answered without it: whether workers, mail and the schedule keep up."""
    late = f"the oldest due job waits for {lasting(oldest_due_seconds)}" if oldest_due_seconds else "no job waits"
    letters = (
        f"the oldest letter waits for {lasting(oldest_mail_seconds)}" if oldest_mail_seconds else "no letter waits"
    )
    seen = "never seen" if scheduler_seen_seconds is None else f"seen {lasting(scheduler_seen_seconds)} ago"
    alive = scheduler_seen_seconds is not None and scheduler_seen_seconds <= SCHEDULER_SECONDS_MAX
    return (
        Check("workers", oldest_due_seconds <= DUE_SECONDS_MAX, late, stops_pages=False),
        Check("mail", oldest_mail_seconds <= MAIL_SECONDS_MAX, letters, stops_pages=False),
        Check("schedule", alive, seen, stops_pages=False),
    )


def scans_check(waiting: int, oldest_waiting: datetime | None, at: datetime) -> Check:
    """Whether the virus scanner keeps up with the uploads; pages are answered without it, files are not handed out."""
    if oldest_waiting is None:
        return Check("virus scanner", True, "no upload waits", stops_pages=False)
    seconds = int((at - oldest_waiting).total_seconds())
    words = f"{waiting} {'upload waits' if waiting == 1 else 'uploads wait'}, the oldest for {lasting(max(1, seconds))}"
    return Check("virus scanner", seconds <= DUE_SECONDS_MAX, words, stops_pages=False)
