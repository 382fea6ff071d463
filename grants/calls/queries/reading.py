"""Reads of calls: one call whole, lists by what they are now, what stands beside them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, false, func, or_, select
from sqlalchemy.sql import ColumnElement

from grants.calls import rules
from grants.calls.models import Call, CallDeadline, CallDocument
from grants.calls.queries.contents import content_column, values_read
from grants.calls.rules import (
    NOT_FOUND,
    BudgetPosition,
    CallRow,
    CallTimes,
    CallView,
    Deadline,
    DocumentVersion,
    PublicResults,
)
from grants.calls.states import CallStage, CallState, Confidence, Phase
from grants.core.db import among, as_sent, db, get, ids_sent, locked
from grants.core.errors import NotFound
from grants.core.money import Money
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, Given, Question, ask, both, reader
from grants.identity.queries import offer_role_places
from grants.identity.rules import RolePlace
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.programmes import queries as programmes
from grants.programmes.rules import FundSourceView, FundUse, differing

CALLS_MAX = 500

# Who sees a call that is not published.
SEES_DRAFTS = (Permission.CALL_MANAGE, Permission.CALL_PUBLISH, Permission.BUDGET_AUTHORISE, Permission.AUDIT_READ)


def scope_of(call_id: UUID) -> Scope:
    """Where a call lies, read under its lock."""
    return Scope.of(("call", locked(Call, call_id).id))


def lies_in(call_id: UUID) -> Scope:
    """The same without the lock, for acts that only read."""
    return Scope.of(("call", call_id))


@reader
def call(actor: Actor | None, slug: str) -> Asking[CallView]:
    """One call by its address; a draft is not there for whoever may not prepare it. One statement."""
    for found in (yield from _whole.asking([Given(each, {"slug": slug}) for each in _of_slug()])).values():
        if _may_see(actor, found):
            return found
    raise NotFound


@reader
def call_held(actor: Actor, slug: str, *needs: Permission) -> Asking[CallView]:
    """One call for whoever holds one of these permissions in it; :class:`NotFound` for whoever holds them in others only."""
    found = yield from call.asking(actor, slug)
    if not any(actor.may(each, Scope.of(("call", found.id))) for each in needs):
        raise NotFound
    return found


def is_visible(actor: Actor | None, call_id: UUID) -> bool:
    """Whether this person may see a call."""
    return _may_see(actor, get(Call, call_id))


@reader
def values(actor: Actor, slug: str) -> Asking[Mapping[str, rules.Sourced]]:
    """Every value of a call by its path, for whoever edits it; :class:`NotFound` where this person may not see it."""
    for row in (yield from ask(select(Call.id, Call.published_at, Call.content).where(Call.slug == slug))):
        if _may_see(actor, row):
            return rules.from_json(row.content)
    raise NotFound


@reader
def with_values(actor: Actor, slug: str) -> Asking[tuple[CallView, Mapping[str, rules.Sourced]]]:
    """One call and every value of it by its path; one statement."""
    return (yield from both(call.asking(actor, slug), values.asking(actor, slug)))


def file_text(actor: Actor | None, slug: str) -> str:
    """The call as a call file; what came from the template is left out."""
    found = call(actor, slug)
    fields = rules.from_json(get(Call, found.id).content)
    return rules.call_file(fields, found.deadlines, found.documents, found.zone)


@reader
def call_by_id(call_id: UUID) -> Asking[CallView]:
    """One call for another stage, whatever its state; one statement."""
    found = yield from call_views.asking([call_id])
    if not found:
        raise NotFound
    return found[call_id]


def times_columns() -> tuple[ColumnElement[Any], ...]:
    """When the call of a row is open, for the statement of another stage that joins it: what :func:`times` takes."""
    of_call, deadlines = Call.__table__.c, CallDeadline.__table__.c
    last = (
        select(deadlines.closes_at)
        .where(deadlines.call_id == of_call.id)
        .order_by(deadlines.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return of_call.state.label("call_state"), of_call.zone, of_call.opens_at, last.label("closes_at")


def times(state: str, zone: str, opens_at: datetime | None, closes_at: datetime | None) -> CallTimes:
    """When a call is open, without its content: what a deadline's guard asks."""
    return CallTimes(CallState(state), zone, opens_at, closes_at)


def id_of(actor: Actor | None, slug: str) -> UUID:
    """The id of a call by its address; a draft is not there for whoever may not prepare it."""
    row = db.session.scalars(select(Call).where(Call.slug == slug)).one_or_none()
    if row is None or not _may_see(actor, row):
        raise NotFound
    return row.id


@reader
def calls(actor: Actor | None) -> Asking[tuple[CallRow, ...]]:
    """All calls this person may see, the latest deadline first; one statement."""
    found = yield from ask(listed(actor).limit(CALLS_MAX))
    return tuple(row_of(row, row.closes_at) for row in found)


LAST = (
    select(CallDeadline.call_id, func.max(CallDeadline.closes_at).label("closes_at"))
    .group_by(CallDeadline.call_id)
    .subquery()
)


def listed(actor: Actor | None) -> Select[Any]:
    """Calls this person may see with their last deadline, the latest one first."""
    return (
        select(Call, LAST.c.closes_at)
        .outerjoin(LAST, LAST.c.call_id == Call.id)
        .where(visible(actor))
        .order_by(LAST.c.closes_at.desc().nulls_last(), Call.reference)
    )


def in_phase(rows: Iterable[CallRow], phase: Phase, at: datetime) -> tuple[CallRow, ...]:
    """Those of a list that are in one phase at a moment, in the same order."""
    return tuple(row for row in rows if row.phase(at) is phase)


@reader
def call_views(call_ids: Iterable[UUID] | Select[Any]) -> Asking[dict[UUID, CallView]]:
    """Several calls whole, by id; one statement whatever their number. The ids may come from another table."""
    if isinstance(call_ids, Select):
        return (yield from _whole.asking(_questions(Call.id.in_(call_ids))))
    ids = {"ids": as_sent(set(call_ids))}
    return (yield from _whole.asking([Given(each, ids) for each in _of_ids()]))


_COLUMNS = (
    *(column for column in Call.__table__.c if column.name != "content"),
    content_column().label("content"),
)


def _questions(wanted: ColumnElement[bool]) -> tuple[Select[Any], ...]:
    """What is asked for calls whole: themselves, their deadlines, documents, programmes and funds."""
    ids = select(Call.id).where(wanted)
    return (
        select(*_COLUMNS).where(wanted).order_by(Call.reference),
        select(CallDeadline).where(CallDeadline.call_id.in_(ids)).order_by(CallDeadline.call_id, CallDeadline.number),
        select(CallDocument)
        .where(CallDocument.call_id.in_(ids))
        .order_by(CallDocument.call_id, CallDocument.published_on.desc(), CallDocument.label.desc()),
        programmes.programmes_asked(select(Call.programme_id).where(wanted)),
        programmes.fund_sources_asked(select(Call.fund_source_id).where(wanted)),
    )


# These two stand on nearly every page of a call: put together once.


@functools.cache
def _of_slug() -> tuple[Select[Any], ...]:
    return _questions(Call.slug == bindparam("slug"))


@functools.cache
def _of_ids() -> tuple[Select[Any], ...]:
    return _questions(among(Call.id, ids_sent("ids")))


@reader
def _whole(questions: Sequence[Question]) -> Asking[dict[UUID, CallView]]:
    """Calls with their deadlines, documents, programmes and funds, by id, from the answers to :func:`_questions`; one statement."""
    rows, dates, published, owning, paying = yield questions
    owners, funds = programmes.programmes_of(owning), programmes.fund_sources_of(paying)
    deadlines: dict[UUID, list[CallDeadline]] = {row.id: [] for row in rows}
    for each in dates:
        deadlines[each.call_id].append(each)
    documents: dict[UUID, list[CallDocument]] = {row.id: [] for row in rows}
    for document in published:
        documents[document.call_id].append(document)
    found = {}
    for row in rows:
        fields, content, facts = values_read(row.content)
        fund = _as_opened(row, funds[row.fund_source_id])
        parent = fund.rules
        lines = tuple(deadline_value(each) for each in deadlines[row.id])
        names = {each.name: each.address for each in fields.get("call.sources", NOT_FOUND).value or ()}
        found[row.id] = CallView(
            id=row.id,
            version=row.version,
            reference=row.reference,
            slug=row.slug,
            title=row.title,
            year=row.year,
            published_id=row.published_id,
            programme=owners[row.programme_id],
            fund_source=fund,
            state=CallState(row.state),
            synthetic=row.synthetic,
            zone=row.zone,
            opens_at=row.opens_at,
            deadlines=lines,
            total=row.total_cents,
            results_public_at=row.results_public_at,
            published_at=row.published_at,
            version_number=row.version_number,
            content=content,
            facts=facts,
            documents=tuple(_document(each, names) for each in documents[row.id]),
            missing=(
                *rules.publish_problems(fields, lines, row.zone, parent),
                *rules.stage_problems(fields, row.follows_id),
            )
            if row.state == CallState.DRAFT
            else (),
            support=rules.support_points(fields, parent),
            activities=fields["financial_support.activities"].value or parent.activities,
            opening=rules.opening_of(fields),
            follows_id=row.follows_id,
        )
    return found


def _as_opened(row: Call, fund: FundSourceView) -> FundSourceView:
    """The parent grant with the rules the call was opened with; a draft follows those that stand."""
    return fund if row.parent_rules is None else replace(fund, rules=programmes.kept_rules(row.parent_rules))


_results: list[Callable[[CallView, datetime], PublicResults | None]] = []


def results_come_from(read: Callable[[CallView, datetime], PublicResults | None]) -> None:
    """Take the read of the later stage that knows which applications were selected."""
    _results[:] = [read]


def public_results(found: CallView, at: datetime) -> PublicResults | None:
    """What everybody may read of the results of a call at a moment; None where nothing is public yet."""
    return next((read(found, at) for read in _results), None)


def results_public_at(call_id: UUID) -> datetime | None:
    """From when the results of a call are public, read under its lock; None before they are published."""
    return locked(Call, call_id).results_public_at


def authorised(call_id: UUID) -> Money:
    """What the authorising officer has set as the budget of a call, from the ledger (E1)."""
    return ledger.balance(Account.BUDGET_AUTHORISED, call_id=call_id)


@reader
def free(call_id: UUID) -> Asking[Money]:
    """What of a call's budget is neither reserved nor committed nor consumed."""
    found = yield from ledger.of.asking(accounts=(Account.AVAILABLE,), call_id=call_id)
    return found[Account.AVAILABLE]


def position(call_id: UUID) -> BudgetPosition:
    """Where the budget of a call stands, from the ledger. One statement."""
    found = ledger.of(call_id=call_id)
    return BudgetPosition(
        authorised=found[Account.BUDGET_AUTHORISED],
        free=found[Account.AVAILABLE],
        reserved=found[Account.RESERVED],
        committed=found[Account.COMMITTED] + found[Account.LEGALLY_COMMITTED],
        consumed=found[Account.CONSUMED],
    )


def last_deadline(call_id: UUID) -> CallDeadline | None:
    """The row of the deadline that counts, for an act that holds the call's lock."""
    return db.session.scalars(
        select(CallDeadline).where(CallDeadline.call_id == call_id).order_by(CallDeadline.number.desc()).limit(1)
    ).one_or_none()


def deadlines(call_id: UUID) -> tuple[Deadline, ...]:
    """Every deadline a call ever had, in order."""
    rows = db.session.scalars(select(CallDeadline).where(CallDeadline.call_id == call_id).order_by(CallDeadline.number))
    return tuple(deadline_value(row) for row in rows)


def taken_slugs(stem: str) -> frozenset[str]:
    """The addresses in use that begin with ``stem``."""
    return frozenset(db.session.scalars(select(Call.slug).where(Call.slug.startswith(stem, autoescape=True))))


def find_published_id(published_id: str) -> Call | None:
    """The call of that identifier, where one was imported before."""
    return db.session.scalars(select(Call).where(Call.published_id == published_id)).one_or_none()


def find_concept_call(name: str) -> Call | None:
    """The call for concepts of that reference or identifier, for an act; None where there is none."""
    row = db.session.scalars(
        select(Call).where(or_(Call.reference == name, Call.published_id == name)).order_by(Call.created_at).limit(1)
    ).one_or_none()
    stage = None if row is None else rules.from_json(row.content).get("call.stage", NOT_FOUND).value
    return row if stage is CallStage.CONCEPT else None


@reader
def beside_stage(actor: Actor | None, found: CallView) -> Asking[tuple[CallRow, ...]]:
    """The other half of a two-stage call, where this person may see it: what it follows, or what follows it."""
    if found.content.stage is None:
        return ()
    rows = yield from ask(
        select(Call)
        .where(or_(Call.id == found.follows_id, Call.follows_id == found.id), visible(actor))
        .order_by(Call.created_at)
        .limit(CALLS_MAX)
    )
    return tuple(row_of(row, None) for row in rows)


def _may_see(actor: Actor | None, row: Any) -> bool:
    """Whether this person may see the call of a row or view with its id and when it was published."""
    if actor is not None and row.id in actor.barred("call"):
        return False
    if row.published_at is not None:
        return True
    return actor is not None and any(actor.may(each, Scope.of(("call", row.id))) for each in SEES_DRAFTS)


def visible(actor: Actor | None, of: Any = Call) -> ColumnElement[bool]:
    """The WHERE of :func:`_may_see`, for calls or for an alias of them."""
    public: ColumnElement[bool] = of.published_at.is_not(None)
    if actor is None:
        return public
    if any(actor.everywhere(each) for each in SEES_DRAFTS):
        seen: ColumnElement[bool] = or_(public, of.published_at.is_(None))
    else:
        places = frozenset[UUID]().union(*(actor.places(each, "call") for each in SEES_DRAFTS))
        seen = or_(public, of.id.in_(places) if places else false())
    barred = actor.barred("call")
    return seen & of.id.not_in(barred) if barred else seen


def row_of(row: Any, closes_at: datetime | None) -> CallRow:
    envelopes = rules.envelopes_in(row.content)
    return CallRow(
        id=row.id,
        reference=row.reference,
        slug=row.slug,
        title=row.title,
        year=row.year,
        state=CallState(row.state),
        synthetic=row.synthetic,
        zone=row.zone,
        opens_at=row.opens_at,
        closes_at=closes_at,
        total=row.total_cents,
        largest_award=max((each.amount for each in envelopes), default=None),
        results_public_at=row.results_public_at,
    )


def deadline_value(row: CallDeadline) -> Deadline:
    """A row as its frozen value."""
    return Deadline(
        number=row.number,
        closes_at=row.closes_at,
        zone=row.zone,
        literal=row.literal,
        reason=row.reason,
        public_note=row.public_note,
        announced_at=row.announced_at,
        confidence=Confidence(row.confidence),
        source=row.source,
    )


def _document(row: CallDocument, sources: dict[str, str]) -> DocumentVersion:
    return DocumentVersion(
        label=row.label,
        published_on=row.published_on,
        what=row.what,
        changes=tuple(row.changes),
        source=rules.source_address(row.source, sources),
        confidence=Confidence(row.confidence),
    )


def uses_of_fund(actor: Actor, source: FundSourceView) -> tuple[FundUse, ...]:
    """The calls a parent grant pays and this person may see, newest first; what its rules mean for each."""
    rows = db.session.scalars(
        select(Call)
        .where(Call.fund_source_id == source.id, visible(actor))
        .order_by(Call.created_at.desc(), Call.id)
        .limit(CALLS_MAX)
    ).all()
    ids = [row.id for row in rows if row.state == CallState.DRAFT]
    lines: dict[UUID, list[Deadline]] = {each: [] for each in ids}
    for each in db.session.scalars(
        select(CallDeadline).where(CallDeadline.call_id.in_(ids)).order_by(CallDeadline.call_id, CallDeadline.number)
    ):
        lines[each.call_id].append(deadline_value(each))
    return tuple(_use(row, source, tuple(lines.get(row.id, ()))) for row in rows)


def _use(row: Call, source: FundSourceView, lines: tuple[Deadline, ...]) -> FundUse:
    if row.state == CallState.DRAFT:
        fields = rules.from_json(row.content)
        clashes = rules.against_parent(fields, lines, row.zone, source)
        return FundUse(row.reference, row.slug, row.title, row.state, clashes=clashes)
    kept = () if row.parent_rules is None else differing(source.rules, programmes.kept_rules(row.parent_rules))
    return FundUse(row.reference, row.slug, row.title, row.state, kept=kept, opened=row.published_at is not None)


programmes.uses_come_from(uses_of_fund)


def role_places() -> tuple[RolePlace, ...]:
    """The calls a role can be given for, newest first."""
    rows = db.session.execute(
        select(Call.id, Call.reference, Call.title).order_by(Call.created_at.desc(), Call.id).limit(CALLS_MAX)
    )
    return tuple(RolePlace(*row) for row in rows)


offer_role_places("call", role_places)
