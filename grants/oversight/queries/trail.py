"""The record of who did what, as people read it: acts newest first, what each changed, and where the chain sealed it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    all_,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from grants.awards.models import Selection, SelectionItem
from grants.core import acts, clock, faults
from grants.core.audit import ActRow, AuditEvent, AuditSeal
from grants.core.db import db, folded
from grants.core.errors import quoted
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.core.permissions import Permission as P
from grants.core.text import fold
from grants.core.together import Asking, ask, both, reader
from grants.documents import queries as documents
from grants.documents.models import StatementFigures, StatementRun
from grants.evaluation import queries as evaluation
from grants.evaluation.models import EntityDeclaration
from grants.identity.models import User
from grants.oversight import rules
from grants.oversight.queries import places
from grants.oversight.queries.sentences import Line, key_of, line_of, roles_of, touched_by, words_for
from grants.oversight.rules import Change, TrailFilter

# Rows of one kind that one act shows; an act that loads a register changes hundreds.
ROWS_OF_A_KIND_MAX = 5
CSV_ROWS_MAX = 5_000
CSV_ACTS_TOGETHER = 200
_PLACES = ("application", "call", "grant")


# --- What of the record a person may read -------------------------------------------------------------------------


def _in(kind: str, ids: Collection[UUID], name: str = "in") -> ColumnElement[bool]:
    """The event is of one of these things or of what belongs to them; each use in a statement has its own ``name``."""
    root = _table(kind)
    found = places.beneath(root, ids, name)
    if not places.holds_little(root, ids):
        return tuple_(AuditEvent.object_kind, AuditEvent.object_id).in_(found)
    # As one list of ids the planner looks them up; as rows it expects thousands of them and reads the whole record.
    pairs = found.subquery()
    return and_(
        AuditEvent.object_id == places.any_of(select(pairs.c[1])),
        AuditEvent.object_kind.in_(sorted({table for table, _ in places.below(root)} | places.LOOSELY)),
    )


def _table(kind: str) -> str:
    return places.TABLES.get(kind, kind)


@reader
def not_barred(actor: Actor) -> Asking[list[ColumnElement[bool]]]:
    """No event of a thing this person is barred from, nor of anything that belongs to it.

    What has no place of its own (the moment up to which the books were read for a statement, say) goes with what its
    act touched.
    """
    faults.point("conflict")
    ids = sorted((yield from kept_from.asking(actor)))
    if not ids:
        return []
    beside_it = aliased(AuditEvent)
    touched = exists().where(beside_it.act_id == AuditEvent.act_id, places.among(beside_it.object_id, ids))
    return [
        or_(AuditEvent.object_id.is_(None), AuditEvent.object_id != all_(literal(ids, ARRAY(Uuid)))),
        or_(AuditEvent.object_kind.in_(_placed()), ~touched.correlate(AuditEvent)),
    ]


@reader
def kept_from(actor: Actor) -> Asking[frozenset[UUID]]:
    """The ids of all this person is barred from, and of all that belongs to it.

    What is barred costs one statement, and none without a bar: looked for inside each list, it made every list slow.
    """
    found = [places.beneath(_table(kind), barred, kind) for kind in _PLACES if (barred := actor.barred(kind))]
    if not found:
        return frozenset()
    # Ranks and ties of a list tell of every application in it, and so does its line: by name, and by what is left.
    lists = select(SelectionItem.selection_id).where(SelectionItem.application_id.in_(actor.barred("application")))
    beside = select(SelectionItem.id).where(SelectionItem.selection_id.in_(lists))
    found.append(select(literal(SelectionItem.__tablename__), beside.subquery().c.id))
    found.append(select(literal(Selection.__tablename__), lists.subquery().c.selection_id))
    # What somebody said of an organisation tells of every application it takes part in.
    said = evaluation.said_of_members(actor.barred("application"))
    found.append(select(literal(EntityDeclaration.__tablename__), said.subquery().c.id))
    # So does a statement of a call or of the programme of every pilot in it.
    statements, figures = documents.keeping_away(actor)
    found.append(select(literal(StatementRun.__tablename__), statements.subquery().c.id))
    found.append(select(literal(StatementFigures.__tablename__), figures.subquery().c.id))
    found.append(places.hanging_on(statements, "statements"))
    # What hangs on a thing by a column that may be empty comes without an id.
    return frozenset(row_id for _, row_id in (yield from ask(union_all(*found))) if row_id is not None)


def _placed() -> list[str]:
    return sorted(places.placed(tuple(map(_table, _PLACES))))


def _readable(actor: Actor) -> list[ColumnElement[bool]]:
    """The events this person may read in full; an empty list is everything."""
    conditions = not_barred(actor)
    if actor.everywhere(P.AUDIT_READ):
        return conditions
    reach = [_in(kind, found, "reach") for kind in _PLACES if (found := actor.places(P.AUDIT_READ, kind))]
    if actor.can(P.AUDIT_READ_SYSTEM):
        reach.append(func.split_part(AuditEvent.verb, ".", 1).in_(rules.SYSTEM_THINGS))
    return [*conditions, or_(literal(False), *reach)]


def things(actor: Actor) -> tuple[str, ...]:
    """What the record of this person can be about, for the filter."""
    every = {rules.thing_of(found.verb) for found in acts.REGISTRY.values() if found.module.startswith("grants.")}
    return tuple(sorted(every if actor.can(P.AUDIT_READ) else every & rules.SYSTEM_THINGS))


# --- Lists --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ask:
    """Conditions on acts, and on at least one event of each; the same events are the ones shown."""

    of_act: Sequence[ColumnElement[bool]] = ()
    of_event: Sequence[ColumnElement[bool]] = ()


def record(actor: Actor, asked: TrailFilter, page: Page) -> tuple[tuple[Line, ...], str]:
    """The record this person may read, newest first, ``page.limit`` acts; and a sentence where a filter found nothing."""
    ask, problem = _asked(actor, asked)
    return (() if problem else _lines(actor, ask, page, inner=True)), problem


def story(actor: Actor, kind: str, thing_id: UUID, verbs: Collection[str], page: Page) -> tuple[Line, ...]:
    """What happened to one thing this person may open (the caller made sure): all of it, and what changed, for
    whoever may read the record there; else those acts everybody may know, as sentences."""
    inner = actor.everywhere(P.AUDIT_READ)
    of_event = [*not_barred(actor), _in(kind, {thing_id})]
    return _lines(actor, _Ask([] if inner else [ActRow.verb.in_(verbs)], of_event), page, inner=inner)


@reader
def happened(actor: Actor, condition: ColumnElement[bool], limit: int) -> Asking[tuple[Line, ...]]:
    """The latest acts that meet a condition, as sentences."""
    of_event = yield from not_barred.asking(actor)
    return (yield from _lines.asking(actor, _Ask([condition], of_event), Page(size=limit - 1), inner=False))


def about(kind: str, ids: Collection[UUID]) -> ColumnElement[bool]:
    """The act changed one of these things or what belongs to them."""
    return ActRow.id.in_(select(AuditEvent.act_id).where(_in(kind, ids)))


def _asked(actor: Actor, asked: TrailFilter) -> tuple[_Ask, str]:
    of_act: list[ColumnElement[bool]] = []
    of_event = _readable(actor)
    if asked.thing:
        of_act.append(ActRow.verb.startswith(f"{asked.thing}.", autoescape=True))
    if asked.from_on:
        of_act.append(ActRow.done_at >= _midnight(asked.from_on))
    if asked.to_on:
        of_act.append(ActRow.done_at < _midnight(asked.to_on + timedelta(days=1)))
    if asked.person:
        matches = [folded(each).contains(fold(asked.person), autoescape=True) for each in (User.name, User.email)]
        of_act.append(ActRow.user_id.in_(select(User.id).where(or_(*matches))))
    if asked.reference:
        found = places.find(asked.reference)
        of_event = [*of_event, literal(False) if found is None else _in(found[0], {found[1]})]
        # What this person may read nothing of is answered as what never was.
        if found is None or db.session.scalar(select(AuditEvent.act_id).where(*of_event).limit(1)) is None:
            return (
                _Ask(),
                f"There is nothing {quoted(asked.reference)} here. Write a reference, for example PCP-2022-G-0001.",
            )
    return _Ask(of_act, of_event), ""


def _midnight(day: date) -> datetime:
    return clock.end_of_day(day - timedelta(days=1))


def _after(page: Page) -> list[ColumnElement[bool]]:
    """Acts older than the key; a broken key is as if there were none."""
    text, _, act_id = (page.after or "").rpartition(".")
    try:
        return [
            tuple_(ActRow.done_at, ActRow.id) < tuple_(literal(datetime.fromisoformat(text)), literal(UUID(act_id)))
        ]
    except ValueError:
        return []


@reader
def _lines(actor: Actor, asked: _Ask, page: Page, *, inner: bool) -> Asking[tuple[Line, ...]]:
    """Three statements, however many acts."""
    found = yield from _acts.asking(asked, page)
    events, roles = yield from both(
        _events([act.id for act in found], asked.of_event),
        roles_of.asking({act.user_id for act in found if act.user_id}),
    )
    words = yield from words_for.asking(
        actor, [act.user_id for act in found], [event for rows in events.values() for event in rows]
    )
    return tuple(line_of(act, events.get(act.id, []), words, roles, inner=inner) for act in found)


@reader
def _acts(asked: _Ask, page: Page) -> Asking[Sequence[Any]]:
    """Acts of one page and one more, newest first."""
    statement = select(ActRow.id, ActRow.verb, ActRow.done_at, ActRow.user_id, ActRow.on_behalf_of)
    if asked.of_event:
        statement = statement.where(exists().where(AuditEvent.act_id == ActRow.id, *asked.of_event).correlate(ActRow))
    statement = statement.where(*asked.of_act, *_after(page)).order_by(ActRow.done_at.desc(), ActRow.id.desc())
    return (yield from ask(statement.limit(page.limit)))


def _events(act_ids: Collection[UUID], of_event: Sequence[ColumnElement[bool]]) -> Asking[dict[UUID, list[Any]]]:
    """Up to five rows of each kind for each act, with how many there are and where they are sealed."""
    act = AuditEvent.act_id
    ranked = (
        select(
            AuditEvent.act_id,
            AuditEvent.object_kind,
            AuditEvent.object_id,
            AuditEvent.reason,
            AuditEvent.changes,
            func.row_number().over(partition_by=(act, AuditEvent.object_kind), order_by=AuditEvent.id).label("rank"),
            func.count().over(partition_by=act).label("rows"),
            func.count(AuditSeal.position).over(partition_by=act).label("sealed"),
            func.min(AuditSeal.position).over(partition_by=act).label("first"),
            func.max(AuditSeal.position).over(partition_by=act).label("last"),
        )
        .outerjoin(AuditSeal, AuditSeal.event_id == AuditEvent.id)
        .where(AuditEvent.act_id.in_(act_ids), *of_event)
        .subquery()
    )
    statement = select(ranked).where(ranked.c.rank <= ROWS_OF_A_KIND_MAX).order_by(ranked.c.object_kind, ranked.c.rank)
    found: dict[UUID, list[Any]] = {}
    for row in (yield from ask(statement)):
        found.setdefault(row.act_id, []).append(row)
    return found


# --- As a file ------------------------------------------------------------------------------------------------------

CSV_COLUMNS = (
    *("recorded_at_utc", "person", "role", "verb", "sentence", "kind", "reference", "object_id", "object_version"),
    *("field", "before", "after", "reason", "act", "seal_position", "seal_hash"),
)


def record_rows(
    actor: Actor, asked: TrailFilter, *, acts_together: int = CSV_ACTS_TOGETHER
) -> Iterator[Sequence[object]]:
    """The same list as lines of a table, one for each changed field, of at most 5,000 rows; with its head.

    Page by page, five statements each, so that it goes out while it is made.
    """
    yield CSV_COLUMNS
    ask, problem = _asked(actor, asked)
    left, page = (0 if problem else CSV_ROWS_MAX), Page(size=acts_together)
    while left > 0:
        found = _acts(ask, page)
        acts_here = found[: page.size]
        events = _whole_events([act.id for act in acts_here], ask.of_event, left)
        left -= sum(map(len, events.values()))
        yield from _rows_of(actor, acts_here, events)
        if len(found) <= page.size:
            return
        last = acts_here[-1]
        page = Page(size=acts_together, after=key_of(last.done_at, last.id))


def _whole_events(
    act_ids: Collection[UUID], of_event: Sequence[ColumnElement[bool]], limit: int
) -> dict[UUID, list[Any]]:
    """Every row of each act with its seal, at most ``limit`` together, those of the newest act first."""
    event = AuditEvent
    statement = (
        select(
            *(event.act_id, event.object_kind, event.object_id, event.object_version, event.reason, event.changes),
            *(AuditSeal.position, AuditSeal.hash),
        )
        .join(ActRow, ActRow.id == event.act_id)
        .outerjoin(AuditSeal, AuditSeal.event_id == event.id)
        .where(places.among(event.act_id, act_ids), *of_event)
        .order_by(ActRow.done_at.desc(), ActRow.id.desc(), event.id)
        .limit(limit)
    )
    found: dict[UUID, list[Any]] = {}
    for row in db.session.execute(statement):
        found.setdefault(row.act_id, []).append(row)
    return found


def _rows_of(actor: Actor, found: Sequence[Any], events: Mapping[UUID, list[Any]]) -> Iterator[Sequence[object]]:
    words = words_for(actor, [act.user_id for act in found], [event for rows in events.values() for event in rows])
    roles = roles_of({act.user_id for act in found if act.user_id})
    for act in found:
        of_act = events.get(act.id, [])
        line = line_of(act, of_act, words, roles, inner=False)
        head = (clock.as_utc(act.done_at).isoformat(), line.who, line.role, act.verb, line.sentence)
        for event in of_act:
            touched = touched_by(event, words, raw=True)
            named = touched.named.reference if touched.named else ""
            thing = (event.object_kind, named, str(event.object_id or ""), event.object_version)
            tail = (event.reason, str(act.id), event.position, event.hash.hex() if event.hash else "not yet sealed")
            for change in touched.changes or (Change("", "", ""),):
                yield (*head, *thing, change.label, change.before, change.after, *tail)
