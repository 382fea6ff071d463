"""One act of the record told in words: who, in which role, did what to what, and what each row became."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date as DateType
from sqlalchemy import (
    DateTime,
    Uuid,
    select,
)

from grants.applications import queries as applications
from grants.applications.models import EligibilityBatch
from grants.applications.rules import BatchResult
from grants.awards import queries as awards
from grants.awards.models import Complaint, DecisionLetter, LetterLeftOut
from grants.calls.models import Call
from grants.core import acts, clock
from grants.core.db import MoneyType
from grants.core.money import Money
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import policy
from grants.identity.models import RoleGrant
from grants.identity.states import Role
from grants.oversight import rules
from grants.oversight.queries import places
from grants.oversight.queries.places import Named
from grants.oversight.rules import Change

THE_PROGRAM = "The program"
THE_PROGRAMME = "The programme"
_PEOPLE = frozenset({"organisation", "user_account"})
COMPLAINTS = Complaint.__tablename__
# What tells a team its outcome.
TELLING = frozenset({DecisionLetter.__tablename__, LetterLeftOut.__tablename__})


def key_of(at: datetime, act_id: UUID) -> str:
    """The key by which a list of acts goes on after one of them."""
    return f"{at.astimezone(UTC).isoformat()}.{act_id}"


@dataclass(frozen=True, slots=True)
class Touched:
    """One row an act changed: what it is called, and each field before and after."""

    words: str
    named: Named | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One act as a sentence: who, in which role, did what to what; and, for readers of the record, what changed."""

    id: UUID
    at: datetime
    who: str
    who_named: Named | None
    role: str
    verb: str
    before: str
    subject: Named | None
    subject_words: str
    after: str
    touched: tuple[Touched, ...] = ()
    rows: int = 0
    reason: str | None = None
    first_position: int | None = None
    last_position: int | None = None
    waiting: int = 0
    # What became of what was asked, as it stands when the page is read: no part of the record, and of no file of it.
    by_now: str = ""
    # The outcome a letter of decision told.
    outcome_told: str = ""
    # How often it was done within the same minute, where a page tells that as one.
    times: int = 1

    @property
    def key(self) -> str:
        """The key by which the list goes on after this line."""
        return key_of(self.at, self.id)

    @property
    def sentence(self) -> str:
        """The sentence without its person."""
        subject = self.subject.reference if self.subject else self.subject_words
        return " ".join(part for part in (self.before, subject, self.after) if part)


@reader
def words_for(actor: Actor, user_ids: Sequence[UUID | None], events: Sequence[Any]) -> Asking[Words]:
    """What everything on a page is called: one statement for all of it."""
    objects = {(event.object_kind, event.object_id) for event in events if event.object_id}
    asked_together = {thing for kind, thing in objects if kind == EligibilityBatch.__tablename__}
    wanted = {user_id for user_id in user_ids if user_id} | {thing for _, thing in objects} | set(_pointed_at(events))
    found: list[Asking[Any]] = [
        places.owners.asking(objects),
        places.names.asking(actor, wanted, above=objects),
        applications.batch_results.asking(actor, asked_together),
        awards.outcomes_told.asking({thing for kind, thing in objects if kind in TELLING}),
    ]
    owner, named, batches, outcomes = yield from side_by_side(found)
    return Words(owner, named, batches, outcomes)


def _pointed_at(events: Sequence[Any]) -> Iterator[UUID]:
    for event in events:
        for column, pair in event.changes.items():
            if _points(event.object_kind, column):
                yield from (UUID(value) for value in pair if value)


@dataclass(slots=True)
class Words:
    """What everything on a page is called, and of what is part of something else, that."""

    owner: dict[UUID, UUID]
    named: dict[UUID, Named]
    # What became of what the eligibility desk asked for in one go.
    batches: dict[UUID, BatchResult]
    # Which outcome a letter of decision told, or somebody in its place.
    outcomes_told: dict[UUID, str]

    def of(self, object_id: UUID | None) -> Named | None:
        """The thing itself, or the nearest one above it that has a name."""
        if object_id is None:
            return None
        return self.named.get(object_id) or self.named.get(self.owner.get(object_id, object_id))

    def value(self, kind: str, column: str, value: Any) -> str | None:
        """One audited value in words; None for an id of something without a name."""
        if value is None or rules.is_digest(value):
            return rules.shown(value)
        if _points(kind, column):
            named = self.named.get(UUID(value))
            return named.reference if named else None
        return _typed(kind, column, value)


@functools.cache
def _type(kind: str, column: str) -> Any:
    """What a column of an audited table holds; None where this version has none of that name."""
    table = places.tables().get(kind)
    return table.c[column].type if table is not None and column in table.c else None


def _points(kind: str, column: str) -> bool:
    return isinstance(_type(kind, column), Uuid)


def _typed(kind: str, column: str, value: Any) -> str:
    declared = _type(kind, column)
    if isinstance(declared, MoneyType) and isinstance(value, int):
        return str(Money(value))
    if isinstance(declared, DateTime):
        local = clock.in_zone(datetime.fromisoformat(value))
        return f"{clock.long_date(local.date())}, {local:%H:%M}"
    if isinstance(declared, DateType):
        return clock.long_date(date.fromisoformat(value))
    return rules.value_words(kind, column, value)


@reader
def roles_of(user_ids: Collection[UUID]) -> Asking[dict[UUID, list[RoleGrant]]]:
    found: dict[UUID, list[RoleGrant]] = {}
    statement = select(RoleGrant).where(RoleGrant.user_id.in_(user_ids)).order_by(RoleGrant.role)
    for row in (yield from ask(statement)):
        found.setdefault(row.user_id, []).append(row)
    return found


def _places(events: Sequence[Any], words: Words) -> frozenset[UUID]:
    """The calls, applications and grants an act touched or that lie above what it touched; roles are held in these."""
    found = {words.of(event.object_id) for event in events}
    lying = [named for named in found if named and (named.within or named.kind == Call.__tablename__)]
    return frozenset(place for named in lying for place in (named.id, *named.within))


def _role(act: Any, held: Iterable[RoleGrant], where: Collection[UUID]) -> str:
    """The roles this person held then that allow the act in the place it was done in, where the record knows one; empty
    where the record cannot tell."""
    known = acts.REGISTRY.get(act.verb)
    if known is None or known.needs is None or known.needs in policy.EVERYBODY:
        return ""
    allowing = policy.roles_with(known.needs)
    titles = [
        policy.WORDS[Role(row.role)][0]
        for row in held
        if Role(row.role) in allowing
        and (row.object_id is None or not where or row.object_id in where)
        and row.starts_at <= act.done_at
        and (row.ends_before is None or row.ends_before > act.done_at)
        and (not row.needs_confirmation or (row.confirmed_at is not None and row.confirmed_at <= act.done_at))
    ]
    return " or ".join(dict.fromkeys(titles))


def line_of(act: Any, events: Sequence[Any], words: Words, roles: dict[UUID, list[RoleGrant]], *, inner: bool) -> Line:
    known = acts.REGISTRY.get(act.verb)
    before, after = rules.around_subject(known.says if known else "", act.verb)
    subject, fallback = None, ""
    if known is not None and "{subject}" in known.says:
        subject, fallback = _subject(act.verb, events, words)
    person = words.named.get(act.user_id) if act.user_id else None
    line = Line(
        act.id, act.done_at, person.reference if person else THE_PROGRAM, person,
        _role(act, roles.get(act.user_id, []), _places(events, words)), act.verb, before, subject, fallback, after,
    )  # fmt: skip
    results = [words.batches[event.object_id].words for event in events if event.object_id in words.batches]
    told = {words.outcomes_told.get(event.object_id, "") for event in events if act.verb in rules.OUTCOME_TOLD}
    told |= {rules.complaint_told(act.verb, event.changes) for event in events if event.object_kind == COMPLAINTS}
    line = replace(line, by_now=", ".join(results), outcome_told="".join(told))
    first = events[0] if events else None
    if not inner or first is None:
        return line
    return replace(
        line,
        touched=tuple(touched_by(event, words) for event in events if event.changes),
        rows=first.rows,
        reason=first.reason,
        first_position=first.first,
        last_position=first.last,
        waiting=first.rows - first.sealed,
    )


def told_once(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Lines, newest first, with what one person did again within the same minute told once, with how often."""
    found: list[Line] = []
    for line in lines:
        if found and _alike(found[-1]) == _alike(line):
            found[-1] = replace(found[-1], times=found[-1].times + 1)
        else:
            found.append(line)
    return tuple(found)


def _alike(line: Line) -> tuple[object, ...]:
    return line.who, line.verb, line.sentence, line.at.replace(second=0, microsecond=0)


def to_team(line: Line) -> Line:
    """A line as a team reads it: who of the programme handles its complaint is nobody’s business outside."""
    if rules.thing_of(line.verb) != "complaint" or line.verb in rules.COMPLAINT_OF_TEAM:
        return line
    return replace(line, who=THE_PROGRAMME, who_named=None, role="")


def _subject(verb: str, events: Sequence[Any], words: Words) -> tuple[Named | None, str]:
    """What an act was about: the one thing of the kind its verb names, else the one thing of another kind it changed.

    People and organisations come last: many acts touch a person's role on the way.
    """
    thing = rules.thing_of(verb)
    first = places.TABLES.get(thing, thing)
    found: dict[tuple[int, str], dict[UUID, Named]] = {}
    for event in events:
        named = words.of(event.object_id)
        if named is not None:
            order = 0 if event.object_kind == first else 2 if named.kind in _PEOPLE else 1
            found.setdefault((order, event.object_kind), {})[named.id] = named
    for _, kind in sorted(found):
        things_of_kind = found[min(key for key in found if key[1] == kind)]
        if len(things_of_kind) == 1:
            return next(iter(things_of_kind.values())), ""
    if found:
        many = rules.words_of(min(found)[1])
        # One declares about applications: "with several conflict declarations" says nothing.
        return None, f"several {'application' if many == 'conflict declaration' else many}s"
    return None, "something that has no name here" if any(event.object_id for event in events) else ""


def touched_by(event: Any, words: Words, *, raw: bool = False) -> Touched:
    """One row and its changes; ids without a name are left out for people and kept in files (``raw``)."""
    kind, changes = event.object_kind, []
    for column, (before, after) in sorted(event.changes.items()):
        if column == "id" or (before is None and after in ("", [], {}, False)):
            continue
        told = rules.digest_words(before, after)
        if told is not None:
            changes.append(replace(told, label=rules.words_of(column)))
            continue
        said = [words.value(kind, column, value) for value in (before, after)]
        if None in said and not raw:
            continue
        first, second = (
            str(value) if word is None else word for word, value in zip(said, (before, after), strict=True)
        )
        changes.append(Change(rules.words_of(column), first, second))
    return Touched(rules.words_of(kind), words.of(event.object_id), tuple(changes))
