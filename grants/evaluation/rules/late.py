"""Assessments that are missing: the list of a call, whom a reminder would reach and with which mail, and who was reminded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from uuid import UUID

from grants.core import clock
from grants.core.paging import Rows
from grants.evaluation.rules.pool import digest
from grants.identity.rules import RenderedMail

# What is due within so long is due soon.
DUE_SOON = timedelta(days=7)
# So many seats go into one deed of reminding.
REMINDED_MAX = 500
# Of the days on which assessments came in the last so many are shown.
DAYS_SHOWN_MAX = 21


class MissingFilter(StrEnum):
    """What the list of missing assessments may be narrowed to."""

    LATE = "late"
    SOON = "soon"
    NO_DAY = "no-day"
    NOT_BEGUN = "not-begun"
    NOT_REMINDED = "not-reminded"

    @property
    def words(self) -> str:
        """As the page calls it."""
        return {
            "late": "Late", "soon": "Due within 7 days", "no-day": "Without a day", "not-begun": "Not begun",
            "not-reminded": "Never reminded",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class MissingSearch:
    """What the list is narrowed to: words of a title, a reference or a name, and one filter."""

    text: str = ""
    only: MissingFilter | None = None


@dataclass(frozen=True, slots=True)
class MissingRow:
    """One seat whose assessment is not submitted."""

    seat_id: UUID
    user_id: UUID
    reference: str
    title: str
    name: str
    handle: str
    due_at: datetime | None
    begun: bool
    must_accept: bool
    # When its page was last open or something in it saved.
    seen_at: datetime | None
    reminders: int
    reminded_at: datetime | None
    reminded_by: str
    # Where it stands in the list: by day, what has none last, then by application and person.
    key: str

    def is_late(self, at: datetime) -> bool:
        """Whether its day has passed."""
        return self.due_at is not None and self.due_at < at


@dataclass(frozen=True, slots=True)
class MissingTotals:
    """The missing assessments of a whole call, counted."""

    missing: int = 0
    late: int = 0
    soon: int = 0
    not_begun: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class DayIn:
    """A day on which assessments came in: how many, and how many are in by then."""

    day: date
    count: int
    by_then: int
    # Days without one since the last on which some came in.
    quiet: int = 0


def days_in(rows: Sequence[tuple[date, int]]) -> tuple[DayIn, ...]:
    """The days on which assessments came in, oldest first, each with how many are in by then; the last of many days.

    >>> [(each.count, each.by_then, each.quiet) for each in days_in([(date(2022, 11, 2), 3), (date(2022, 11, 5), 4)])]
    [(3, 3, 0), (4, 7, 2)]
    """
    sums = accumulate(count for _, count in rows)
    # The first has none before it.
    before = [rows[0][0] - timedelta(days=1), *(day for day, _ in rows)] if rows else []
    every = [
        DayIn(day, count, by_then, (day - last).days - 1)
        for (day, count), by_then, last in zip(rows, sums, before[: len(rows)], strict=True)
    ]
    return tuple(every[-DAYS_SHOWN_MAX:])


@dataclass(frozen=True, slots=True)
class MissingPage:
    """Everything on the page of missing assessments."""

    call_id: UUID
    call_slug: str
    call_title: str
    search: MissingSearch
    rows: Rows[MissingRow]
    totals: MissingTotals
    # When those that are in came in.
    days: tuple[DayIn, ...] = ()

    @property
    def assessments(self) -> int:
        """How many there are to be, those that came in and those that are missing."""
        return self.totals.missing + (self.days[-1].by_then if self.days else 0)


@dataclass(frozen=True, slots=True)
class ReminderLine:
    """One person a reminder would reach, with the very mail; ``again`` where they were reminded within a day."""

    user_id: UUID
    name: str
    rows: tuple[MissingRow, ...]
    mail: RenderedMail
    again: datetime | None = None
    # Left out: reminded within a day, and no reason says why again.
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class ReminderPlan:
    """Whom a reminder would reach, by name; ``gone`` are seats chosen that are nothing to remind of any more.

    ``reason`` says why who was reminded within a day is reminded again.
    """

    lines: tuple[ReminderLine, ...] = ()
    gone: int = 0
    reason: str = ""

    @property
    def reached(self) -> tuple[ReminderLine, ...]:
        """Who would get a mail."""
        return tuple(line for line in self.lines if not line.left_out)

    @property
    def sha256(self) -> bytes:
        """Who would get which words about what and why again so soon, as a hash.

        Shown and sent are one and the same, or nothing is sent.
        """
        return digest(
            [
                [
                    *(str(line.user_id), [str(row.seat_id) for row in line.rows], line.mail.subject, line.mail.text),
                    *(line.again, self.reason if line.again is not None else ""),
                ]
                for line in self.reached
            ]
        )


@dataclass(frozen=True, slots=True)
class ReminderView:
    """That somebody was reminded of an assessment."""

    number: str
    reference: str
    title: str
    name: str
    reminded_at: datetime
    reminded_by: str
    message: str
    reason: str
    # What became of the assessment since: submitted or not, or the seat was emptied.
    outcome: str


@dataclass(frozen=True, slots=True)
class RemindersPage:
    """Who was reminded when and by whom, newest first."""

    call_slug: str
    call_title: str
    rows: Rows[ReminderView]


def due_sentence(due: Sequence[datetime | None], at: datetime) -> str:
    """What a reminder says of the days on which the assessments it counts are due; nothing where none has one.

    >>> from datetime import UTC
    >>> due_sentence([datetime(2022, 11, 18, 22, 59, tzinfo=UTC), None], datetime(2022, 11, 20, tzinfo=UTC))
    'One of them was due on 18 November 2022, 23:59 CET.'
    """
    days = sorted(day for day in due if day is not None)
    if not days:
        return ""
    late = sum(day < at for day in days)
    # The clock of the lists; a mail is read anywhere, so it names it.
    local = clock.in_zone(days[0])
    first = f"{clock.long_date(local.date())}, {local:%H:%M} {clock.zone_letters(days[0], clock.BRUSSELS)}"
    if len(days) == 1:
        return f"{'One of them' if len(due) > len(days) else 'It'} {'was' if late else 'is'} due on {first}."
    if not late:
        return f"The first is due on {first}."
    return f"{late} of them {'is' if late == 1 else 'are'} late: the first was due on {first}."


def to_remind(late: int, not_begun: int, soon: int, title: str) -> tuple[str, str]:
    """What a manager must do about assessments that are missing, and why: of the late ones some are not begun, others due soon are not.

    >>> to_remind(3, 1, 2, "Pilots")
    ('Remind evaluators of 3 late assessments, Pilots', '1 of them is not begun. 2 more are due within 7 days and not begun.')
    >>> to_remind(0, 0, 1, "Pilots")[0]
    'Remind evaluators of 1 assessment that is due within 7 days and not begun, Pilots'
    """

    def some(count: int, one: str, several: str) -> str:
        return f"{count} {one if count == 1 else several}"

    if not late:
        due = some(soon, "assessment that is", "assessments that are")
        return (
            f"Remind evaluators of {due} due within 7 days and not begun, {title}",
            "The ranking waits for their scores.",
        )
    said = [f"{some(not_begun, 'of them is', 'of them are')} not begun." if not_begun else "All of them are begun."]
    if soon:
        said.append(f"{some(soon, 'more is', 'more are')} due within 7 days and not begun.")
    return f"Remind evaluators of {some(late, 'late assessment', 'late assessments')}, {title}", " ".join(said)
