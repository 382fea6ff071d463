"""Information sessions of a call, and the calendar people put into their own (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from grants.calls.rules.questions import questions_close_at
from grants.calls.rules.values import CallView
from grants.core import clock
from grants.core.errors import Invalid

LENGTH_MAX = timedelta(hours=12)
LINE_OCTETS_MAX = 75


@dataclass(frozen=True, slots=True)
class SessionInput:
    """A session as the programme announces it; times are those of a wall clock in the call's zone."""

    title: str
    starts: datetime
    ends: datetime
    place: str
    link: str = ""
    recording: str = ""
    # One sentence, where it begins after the deadline of the call.
    late_why: str = ""


@dataclass(frozen=True, slots=True)
class CheckedSession:
    """The same with instants, as it is kept."""

    title: str
    starts_at: datetime
    ends_at: datetime
    place: str
    link: str | None
    recording: str | None


@dataclass(frozen=True, slots=True)
class Slides:
    """The file that was shown."""

    file_id: UUID
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as everybody sees it."""

    id: UUID
    version: int
    number: int
    title: str
    starts_at: datetime
    ends_at: datetime
    place: str
    link: str | None
    recording: str | None
    cancelled: bool
    slides: Slides | None = None

    def is_over(self, at: datetime) -> bool:
        """Whether it has ended."""
        return self.ends_at <= at


def checked_session(given: SessionInput, zone: str) -> CheckedSession:
    """A session with its instants; raises :class:`Invalid` with the field of each fault."""
    problems: dict[str, str] = {}
    moments = {}
    for name, local in (("starts", given.starts), ("ends", given.ends)):
        try:
            moments[name] = clock.local_to_utc(local, zone)
        except Invalid as error:
            problems[name] = str(error)
    if not given.title.strip():
        problems["title"] = "Enter a title."
    if not given.place.strip():
        problems["place"] = "Say where it is: a place, or “Online”."
    for name in ("link", "recording"):
        if getattr(given, name).strip() and not _is_address(getattr(given, name).strip()):
            problems[name] = "Enter a web address that begins with https://."
    if not problems and not timedelta() < moments["ends"] - moments["starts"] <= LENGTH_MAX:
        problems["ends"] = "It ends later on the same day, at most 12 hours after it begins."
    if problems:
        raise Invalid("The session is not complete.", problems)
    return CheckedSession(
        given.title.strip(),
        moments["starts"],
        moments["ends"],
        given.place.strip(),
        given.link.strip() or None,
        given.recording.strip() or None,
    )


def refuse_unexplained_lateness(session: CheckedSession, closes_at: datetime | None, zone: str, why: str) -> None:
    """Raises :class:`Invalid` for a session that begins when nothing can be sent any more, unless one sentence says why."""
    if closes_at is None or session.starts_at <= closes_at or why.strip():
        return
    local = clock.in_zone(closes_at, zone)
    sentence = (
        f"It begins after the deadline of the call, {clock.long_date(local.date())}, {local:%H:%M}. "
        "Change the day, or say in one sentence why it is then."
    )
    raise Invalid("The session is after the deadline of the call.", {"late_why": sentence})


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and not any(each.isspace() for each in text)


# --- the calendar -------------------------------------------------------------------------------------------------


def calendar(call: CallView, sessions: Sequence[SessionView], *, address: str, at: datetime) -> bytes:
    """The sessions of a call, the end of questions and the deadline as a calendar file. ``address`` is the call's page."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Pilot Grants//Call//EN", "CALSCALE:GREGORIAN"]
    lines.append(f"X-WR-CALNAME:{_text(call.title)}")
    host = urlsplit(address).hostname or "localhost"
    for session in sessions:
        lines += _event(
            f"{call.reference}-session-{session.number}@{host}",
            session.title,
            session.starts_at,
            session.ends_at,
            at=at,
            location=session.place,
            url=session.link or address,
            sequence=session.version,
            status="CANCELLED" if session.cancelled else "CONFIRMED",
        )
    until = questions_close_at(call)
    if until is not None:
        words = f"Questions are taken until now: {call.title}"
        lines += _event(f"{call.reference}-questions@{host}", words, until, None, at=at, url=address)
    if call.closes_at is not None:
        words = f"Deadline: {call.title}"
        number = len(call.deadlines)
        lines += _event(
            f"{call.reference}-deadline@{host}", words, call.closes_at, None, at=at, url=address, sequence=number
        )
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line)).encode()


def _event(
    uid: str,
    summary: str,
    starts_at: datetime,
    ends_at: datetime | None,
    *,
    at: datetime,
    url: str,
    location: str = "",
    sequence: int = 0,
    status: str = "CONFIRMED",
) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{_moment(at)}",
        f"SEQUENCE:{sequence}",
        f"DTSTART:{_moment(starts_at)}",
        *([f"DTEND:{_moment(ends_at)}"] if ends_at else []),
        f"SUMMARY:{_text(summary)}",
        *([f"LOCATION:{_text(location)}"] if location else []),
        f"URL:{url}",
        f"STATUS:{status}",
        "END:VEVENT",
    ]


def _moment(moment: datetime) -> str:
    return f"{clock.as_utc(moment):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    r"""Text as a calendar writes it (RFC 5545, 3.3.11).

    >>> _text("Lunch; talk, slides\nand coffee")
    'Lunch\\; talk\\, slides\\nand coffee'
    """
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(escaped.splitlines())


def _folded(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 octets, the further ones with a space before; never inside a letter (3.1)."""
    piece = ""
    for letter in line:
        if len((piece + letter).encode()) > LINE_OCTETS_MAX:
            yield piece
            piece = " "
        piece += letter
    yield piece
