"""Lines of the record for people: what changed, in words, and what one person wrote at one sitting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from grants.dossiers.merging import SITTING

# What is saved by itself while one types: the saves of one person within ten minutes are told as one.
SAVED_WHILE_TYPING = frozenset({"application.save_answer"})


class Told(Protocol):
    """An act as a line: by whom, what, when."""

    @property
    def who(self) -> str: ...
    @property
    def verb(self) -> str: ...
    @property
    def at(self) -> datetime: ...


L = TypeVar("L", bound=Told)


@dataclass(frozen=True, slots=True)
class Sitting(Generic[L]):
    """Acts told in one line: the newest, how many more, and since when."""

    line: L
    more: int
    since: datetime


def in_sittings(lines: Iterable[L]) -> tuple[Sitting[L], ...]:
    """Lines, newest first, with what one person saved while typing told as one; each gap is ten minutes at most."""
    found: list[list[L]] = []
    for line in lines:
        if found and _goes_on(found[-1][-1], line):
            found[-1].append(line)
        else:
            found.append([line])
    return tuple(Sitting(group[0], len(group) - 1, group[-1].at) for group in found)


def _goes_on(newer: Told, line: Told) -> bool:
    """Whether a line belongs to the sitting of the next newer one."""
    return (
        line.verb in SAVED_WHILE_TYPING
        and (newer.verb, newer.who) == (line.verb, line.who)
        and newer.at - line.at <= SITTING
    )


def lines_of_page(lines: Sequence[Told], size: int) -> int:
    """How many of the lines read a page takes, at most ``size``: it ends between two sittings, so that none is told twice.

    A sitting longer than a page is cut all the same.
    """
    if len(lines) <= size or not _goes_on(lines[size - 1], lines[size]):
        return min(size, len(lines))
    end = size - 1
    while end > 0 and _goes_on(lines[end - 1], lines[end]):
        end -= 1
    return end or size


TEXT_SHOWN_MAX = 160


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What of the record is asked for; empty means all. ``to_on`` counts in."""

    person: str = ""
    thing: str = ""
    reference: str = ""
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one row, before and after, in words."""

    label: str
    before: str
    after: str


def thing_of(verb: str) -> str:
    """``payment_order.authorise`` is about a ``payment_order``."""
    return verb.partition(".")[0]


def words_of(name: str) -> str:
    """A table's or a column's name as words for people.

    >>> words_of("payment_order"), words_of("bank_account_id"), words_of("requested_cents")
    ('payment order', 'bank account', 'requested')
    """
    words = name.removesuffix("_id").removesuffix("_cents").replace("_", " ")
    told = {
        "user account": "person", "grant agreement": "grant", "periodic report": "report", "utility": "fit, of 1000",
        "assignment": "seat", "role grant": "role",
    }  # fmt: skip
    return told.get(words, words)


# Columns whose values are words of the program, and what people call some of those.
_NAMED_BY_WORDS = frozenset({"role", "state", "status", "outcome"})
_VALUES = {
    ("role", "assigned_evaluator"): "evaluator of the application",
    ("assignment", "active"): "filled",
    ("assignment", "voided"): "emptied",
}


def value_words(kind: str, column: str, value: Any) -> str:
    """A value of a column as words for people; what is no word of the program stands as it is.

    >>> value_words("role_grant", "role", "assigned_evaluator"), value_words("assignment", "state", "active")
    ('evaluator of the application', 'filled')
    >>> value_words("application", "state", "under_evaluation"), value_words("application", "title", "a_b")
    ('under evaluation', 'a_b')
    """
    if column not in _NAMED_BY_WORDS or not isinstance(value, str):
        return shown(value)
    told = _VALUES.get((column, value)) or _VALUES.get((kind, value))
    return told or value.replace("_", " ")


def around_subject(says: str, verb: str) -> tuple[str, str]:
    """The words before and after the thing an act was about; an act of an older version speaks by its verb.

    >>> around_subject("signed agreement {subject} for the city", "agreement.sign_city")
    ('signed agreement', 'for the city')
    >>> around_subject("", "grant.merge")
    ('did \u201cgrant merge\u201d', '')
    """
    if not says:
        return f"did \u201c{verb.replace('.', ' ').replace('_', ' ')}\u201d", ""
    before, _, after = says.partition("{subject}")
    return before.strip(), after.strip()


def complaint_told(verb: str, changes: Mapping[str, Any]) -> str:
    """What a team was told of its complaint by an act that decided it, or settled the repeated evaluation.

    >>> complaint_told("complaint.decide", {"state": ["under_review", "upheld"]})
    'upheld'
    >>> complaint_told("complaint.admit", {"state": ["received", "admissible"]})
    ''
    """
    column = {"complaint.decide": "state", "complaint.settle": "settled_outcome"}.get(verb, "")
    return str(changes[column][1]).replace("_", " ") if column in changes else ""


def shown(value: Any) -> str:
    """An audited value that is not an amount, a moment or a name, in words; long text is cut."""
    match value:
        case None | "":
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case dict() | list():
            return "details"
    text = str(value)
    return text if len(text) <= TEXT_SHOWN_MAX else f"{text[:TEXT_SHOWN_MAX]}\u2026"


def is_digest(value: Any) -> bool:
    """Whether only a digest of the value was recorded: personal data and long texts."""
    return isinstance(value, str) and value.startswith("sha256:")


def digest_words(before: Any, after: Any) -> Change | None:
    """How a change is told whose words the record does not hold."""
    if not (is_digest(before) or is_digest(after)):
        return None
    return Change(
        "",
        "nothing" if before is None else "a text",
        "removed" if after is None else "text changed" if before else "a text",
    )
