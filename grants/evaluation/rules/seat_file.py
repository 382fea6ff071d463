"""A file of seats: taken along, changed elsewhere, read back line by line and told before anything is written.

Of each application it names, the file says every seat; applications it does not name stay as they are. An application
with a line that cannot be done is left as it is, whole: half a change of a panel of three is nobody’s wish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from grants.core.clock import long_date
from grants.core.errors import Invalid, quoted
from grants.evaluation.rules.heads import columns_of
from grants.evaluation.rules.pool import digest

SEAT_COLUMNS = ("application", "evaluator", "locked", "due", "title", "name", "fit", "state")
SEAT_LINES_MAX = 5_000
# Each seat given is looked at by every check of a seat given by hand.
SEATS_CHANGED_MAX = 200
# Why nobody gets or loses a seat once the evaluators agreed.
SEATS_DECIDED = "The consensus is agreed; who assessed this application no longer changes."
_NEEDED = ("application", "evaluator")
_LOCKED = {"": None, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def past_day_words(due: date, today: date, *, stands: bool = False) -> str:
    """Why nobody takes a seat with that day, in a sentence; empty where it is not over.

    ``stands`` is the day of a seat that is handed over, which whoever takes it would have too.

    >>> past_day_words(date(2020, 1, 1), date(2027, 1, 1))
    '1 January 2020 is over: whoever takes the seat would be late at once. Choose 1 January 2027 or a later day, or leave it empty.'
    >>> past_day_words(date(2027, 1, 1), date(2027, 1, 1))
    ''
    """
    if due >= today:
        return ""
    over = f"{long_date(due)}{', the day of the seat that is handed over,' if stands else ''} is over"
    way_out = f"Choose {long_date(today)} or a later day{'' if stands else ', or leave it empty'}."
    return f"{over}: whoever takes the seat would be late at once. {way_out}"


class SeatDeed(StrEnum):
    """What a line of a file, or a seat it does not name, comes to."""

    GIVEN = "given"
    TAKEN = "taken"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    SAME = "same"
    REFUSED = "refused"

    @property
    def words(self) -> str:
        """As the preview calls it."""
        return {
            "given": "Added", "taken": "Taken away", "locked": "Locked", "unlocked": "Unlocked",
            "same": "Stays as it is", "refused": "Left out",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class StandingSeat:
    """A seat that stands, as a file names it."""

    id: UUID
    name: str
    locked: bool
    submitted: bool
    due: date | None = None


@dataclass(frozen=True, slots=True)
class SeatedApplication:
    """An application whose seats a file may change: its seats by handle; ``decided`` says why none may go."""

    id: UUID
    title: str
    seats: Mapping[str, StandingSeat]
    decided: str = ""


@dataclass(frozen=True, slots=True)
class Takes:
    """Somebody of the pool: how many applications they have or may have, which no sentence tells, and take at most."""

    id: UUID
    name: str
    load: int
    load_max: int
    # Said beside a refusal where not all they have is known to who reads it.
    remark: str = ""


@dataclass(frozen=True, slots=True)
class SeatsKnown:
    """What a plan is made from: applications by reference, the pool by handle, and why somebody cannot sit somewhere."""

    per_application: int
    applications: Mapping[str, SeatedApplication] = field(default_factory=dict)
    pool: Mapping[str, Takes] = field(default_factory=dict)
    # By reference and handle, for those who have no seat there.
    unfit: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskedSeat:
    """One line of a file as it was read; without an evaluator it says that the application has nobody."""

    number: int
    reference: str
    handle: str
    locked: bool | None
    due: date | None
    problem: str = ""
    # The evaluator as the file has it, letter for letter.
    written: str = ""


@dataclass(frozen=True, slots=True)
class SeatChange:
    """What happens to one seat; ``number`` is the line of the file, 0 where it is one the file does not name."""

    number: int
    reference: str
    title: str
    handle: str
    name: str
    deed: SeatDeed
    words: str = ""
    due: date | None = None
    # A seat that is given is locked at once.
    lock: bool = False


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """What a whole file would do, by application."""

    changes: tuple[SeatChange, ...] = ()

    def of(self, *deeds: SeatDeed) -> tuple[SeatChange, ...]:
        """The changes that are one of these."""
        return tuple(one for one in self.changes if one.deed in deeds)

    @property
    def counts(self) -> tuple[tuple[SeatDeed, int], ...]:
        """Each deed with how many seats it is done to."""
        return tuple((deed, len(self.of(deed))) for deed in SeatDeed)

    @property
    def told(self) -> tuple[SeatChange, ...]:
        """What is worth a line: all but what stays as it is."""
        return tuple(one for one in self.changes if one.deed is not SeatDeed.SAME)

    @property
    def written(self) -> tuple[SeatChange, ...]:
        """What would be written."""
        return self.of(SeatDeed.GIVEN, SeatDeed.TAKEN, SeatDeed.LOCKED, SeatDeed.UNLOCKED)

    @property
    def sha256(self) -> bytes:
        """What it would do, as a hash: shown and done are one and the same, or nothing is written."""
        return digest([[one.reference, one.handle, one.deed, one.words, one.due, one.lock] for one in self.changes])


def read_seats(table: Sequence[Sequence[str]]) -> tuple[AskedSeat, ...]:
    """The lines of a table of seats; raises :class:`Invalid` where it is none at all."""
    head = columns_of(table, SEAT_COLUMNS, _NEEDED)
    filled = [(number, row) for number, row in enumerate(table[1:], 2) if any(row)]
    if not filled:
        raise Invalid("The file has no line below its head. Write one line for each seat.")
    if len(filled) > SEAT_LINES_MAX:
        raise Invalid(f"The file has {len(filled)} lines; the limit is {SEAT_LINES_MAX}. Split it by application.")
    lines: list[AskedSeat] = []
    first: dict[tuple[str, str], int] = {}
    for number, row in filled:
        line = _read(number, dict(zip(head, (*row, *[""] * len(head)), strict=False)))
        pair = (line.reference, line.handle)
        if pair in first and not line.problem:
            line = AskedSeat(
                number, *pair, None, None, f"The same seat stands in line {first[pair]} already.", line.written
            )
        first.setdefault(pair, number)
        lines.append(line)
    return tuple(lines)


def _read(number: int, cells: Mapping[str, str]) -> AskedSeat:
    reference, handle = cells["application"].strip().upper(), cells["evaluator"].strip().casefold()
    problems = [] if reference else ["The reference of the application is missing."]
    locked = cells.get("locked", "").strip().casefold()
    if locked not in _LOCKED:
        problems.append(f"{quoted(cells['locked'])}: locked is yes or no.")
    due, day = cells.get("due", "").strip(), None
    try:
        day = date.fromisoformat(due) if due else None
    except ValueError:
        problems.append(f"{quoted(due)}: write the day as 2027-03-31.")
    return AskedSeat(
        number, reference, handle, _LOCKED.get(locked), day, " ".join(problems), cells["evaluator"].strip()
    )


def plan_seats(asked: Sequence[AskedSeat], known: SeatsKnown) -> SeatPlan:
    """What the lines would do to the seats that stand; raises :class:`Invalid` where it is more than one deed takes."""
    by_application: dict[str, list[AskedSeat]] = {}
    for line in asked:
        by_application.setdefault(line.reference, []).append(line)
    left: dict[str, dict[int, str]] = {}
    changes: dict[str, list[SeatChange]] = {}
    for reference, lines in by_application.items():
        changes[reference], problems = _of_application(reference, lines, known)
        if problems:
            left[reference] = problems
    # Who is given too much is found over the whole file; what is left out gives nothing back, so it is looked at again.
    while over := _too_much(changes, left, known):
        left |= over
    done: list[SeatChange] = []
    for reference, lines in by_application.items():
        if reference in left:
            done += _left_out(reference, lines, left[reference], known)
        else:
            done += changes[reference]
    plan = SeatPlan(tuple(done))
    if len(plan.written) > SEATS_CHANGED_MAX:
        raise Invalid(
            f"The file changes {len(plan.written)} seats; one deed changes at most {SEATS_CHANGED_MAX}. "
            "Split it by application, or run the assignment again."
        )
    return plan


def _of_application(
    reference: str, lines: Sequence[AskedSeat], known: SeatsKnown
) -> tuple[list[SeatChange], dict[int, str]]:
    """What the lines of one application do, and by line what cannot be done."""
    problems = {line.number: line.problem for line in lines if line.problem}
    about = known.applications.get(reference)
    if about is None:
        sentence = f"{quoted(reference)} is no application of this call whose seats you may change now."
        for line in lines:
            if reference:
                _also(problems, line.number, sentence)
            if line.handle and line.handle not in known.pool:
                _also(problems, line.number, _nobody(line, known))
        return [], problems
    named = {line.handle: line for line in lines if line.handle}
    found: list[SeatChange] = []
    for line in named.values():
        change, problem = _of_line(line, about, known)
        found.append(change)
        _also(problems, line.number, problem)
    kept: dict[str, list[str]] = {}
    for handle, seat in about.seats.items():
        if handle not in named:
            why = about.decided or ("Locked: unlock it first, or name it in the file." if seat.locked else "")
            if why:
                kept.setdefault(why, []).append(seat.name)
            words = "Has submitted: the sheet stays on the record and counts no more." if seat.submitted else ""
            found.append(SeatChange(0, reference, about.title, handle, seat.name, SeatDeed.TAKEN, words))
    for why, names in kept.items():
        one = len(names) == 1
        lost = "is not named, and cannot lose the seat" if one else "are not named, and cannot lose their seats"
        _also(problems, lines[0].number, f"{', '.join(names)} {lost}. {why}")
    if len(named) > known.per_application:
        _also(
            problems,
            max(line.number for line in named.values()),
            f"The file names {len(named)} evaluators of it; the call has {known.per_application} for each.",
        )
    return found, problems


def _also(problems: dict[int, str], number: int, sentence: str) -> None:
    """All that is wrong with a line is told at once, each thing once."""
    stood = problems.get(number, "")
    if sentence and sentence not in stood:
        problems[number] = f"{stood} {sentence}".strip()


def _of_line(line: AskedSeat, about: SeatedApplication, known: SeatsKnown) -> tuple[SeatChange, str]:
    seat, person = about.seats.get(line.handle), known.pool.get(line.handle)
    name = seat.name if seat else person.name if person else line.written
    base = (line.number, line.reference, about.title, line.handle, name)
    if seat is not None:
        if line.due not in (None, seat.due):
            stands = f"due on {long_date(seat.due)}" if seat.due else "without a day"
            return SeatChange(*base, SeatDeed.SAME), (
                f"{name} has this seat already, {stands}; a file changes no day of a seat that stands. "
                f"Write {seat.due.isoformat() + ' or ' if seat.due else ''}nothing there."
            )
        if line.locked is None or line.locked is seat.locked:
            return SeatChange(*base, SeatDeed.SAME), ""
        return SeatChange(*base, SeatDeed.LOCKED if line.locked else SeatDeed.UNLOCKED), ""
    change = SeatChange(*base, SeatDeed.GIVEN, due=line.due, lock=bool(line.locked))
    if person is None:
        return change, _nobody(line, known)
    kept = known.unfit.get((line.reference, line.handle), "")
    return change, " ".join(each for each in (about.decided, kept) if each)


def _nobody(line: AskedSeat, known: SeatsKnown) -> str:
    same = sorted(handle for handle, one in known.pool.items() if _as_written(one.name) == _as_written(line.handle))
    if same:
        return (
            f"{len(same)} people of this pool are called {quoted(line.written)}. "
            f"Write in the column evaluator which one: {', '.join(same)}."
        )
    return (
        f"{quoted(line.written)} in the column evaluator is nobody of this pool. Write the short name that stands in "
        "that column of the exported file, or the full name of somebody of the pool."
    )


def by_handle(asked: Iterable[AskedSeat], people: Iterable[tuple[str, str]]) -> tuple[AskedSeat, ...]:
    """The lines with the handle where the full name of one person alone was written, ``people`` by handle and name.

    A seat that is named twice so is refused as any other.
    """
    known: dict[str, set[str]] = {}
    for handle, name in people:
        known.setdefault(_as_written(name), set()).add(handle)
    handles = {handle for each in known.values() for handle in each}
    first: dict[tuple[str, str], int] = {}
    lines = []
    for line in asked:
        meant = known.get(_as_written(line.handle), set())
        if line.handle not in handles and len(meant) == 1:
            line = replace(line, handle=min(meant))
        pair = (line.reference, line.handle)
        if pair in first and not line.problem:
            line = replace(line, problem=f"The same seat stands in line {first[pair]} already.")
        first.setdefault(pair, line.number)
        lines.append(line)
    return tuple(lines)


def _as_written(name: str) -> str:
    return " ".join(name.split()).casefold()


def _too_much(
    changes: Mapping[str, Sequence[SeatChange]], left: Mapping[str, Mapping[int, str]], known: SeatsKnown
) -> dict[str, dict[int, str]]:
    loads: Counter[str] = Counter({handle: person.load for handle, person in known.pool.items()})
    given: dict[str, list[SeatChange]] = {}
    for reference, each in changes.items():
        if reference in left:
            continue
        for change in each:
            loads[change.handle] += (change.deed is SeatDeed.GIVEN) - (change.deed is SeatDeed.TAKEN)
            if change.deed is SeatDeed.GIVEN:
                given.setdefault(change.handle, []).append(change)
    found: dict[str, dict[int, str]] = {}
    for handle, more in given.items():
        person = known.pool[handle]
        if loads[handle] > person.load_max:
            sentence = f"{person.name} would have more applications than the {person.load_max} they take at most"
            sentence += f": {person.remark}" if person.remark else "."
            # All of them: which of several the person should have is for the file to say.
            for change in more:
                found.setdefault(change.reference, {})[change.number] = sentence
    return found


def _left_out(
    reference: str, lines: Sequence[AskedSeat], problems: Mapping[int, str], known: SeatsKnown
) -> list[SeatChange]:
    about = known.applications.get(reference)
    numbers = ", ".join(str(number) for number in sorted(problems))
    also = f"Left as it is: the same application has a line that cannot be done ({numbers})."
    return [
        SeatChange(
            line.number, reference, about.title if about else "", line.handle,
            known.pool[line.handle].name if line.handle in known.pool else line.written,
            SeatDeed.REFUSED, problems.get(line.number, also),
        )
        for line in lines
    ]  # fmt: skip
