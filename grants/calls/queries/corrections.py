"""Reads of what changes in a published call: its versions, its working copy, and what is publicly known of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.calls import rules
from grants.calls.models import Call, CallOneExtension, CallVersion, CallWorkingCopy
from grants.calls.queries.questions import answers_published
from grants.calls.queries.reading import beside_stage, with_values
from grants.calls.queries.sessions import sessions
from grants.calls.rules import (
    CallContent,
    CallVersionView,
    CallView,
    Change,
    DeadlineDecision,
    Fact,
    OneExtension,
    PublicRecord,
    Sourced,
    VersionKind,
)
from grants.core import encoding
from grants.core.db import db
from grants.core.errors import NotFound, Problem
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.programmes import queries as programme_queries

# A page shows this many versions and corrections; a call has a handful.
VERSIONS_MAX = 200

_COLUMNS = (
    CallVersion.id,
    CallVersion.number,
    CallVersion.correction,
    CallVersion.kind,
    CallVersion.published_at,
    CallVersion.reason,
    CallVersion.changes,
    CallVersion.deadline_decision,
    CallVersion.deadline_reason,
)


# Who reads what a published call would become, in that call: its pages are for no one else.
_SEES_COPIES = (Permission.CALL_MANAGE, Permission.CALL_PUBLISH)


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """What a published call would become: its values, what differs, and what keeps it from being published."""

    call: CallView
    fields: Mapping[str, Sourced]
    facts: tuple[Fact, ...]
    changes: tuple[Change, ...]
    # What is wrong with it as a call, and why it is more than a correction of wording.
    problems: tuple[Problem, ...]
    more_than_wording: tuple[Problem, ...]

    @property
    def is_wording(self) -> bool:
        """Whether all that changed is wording."""
        return bool(self.changes) and not self.more_than_wording

    @property
    def changed(self) -> frozenset[str]:
        """The paths of the parts that differ."""
        return frozenset(change.path for change in self.changes)


@reader
def working_copy(actor: Actor, slug: str, at: datetime) -> Asking[WorkingCopy]:
    """The working copy of a published call; without one, the call as it is published. One statement.

    :class:`NotFound` for whoever neither manages nor publishes this call.
    """
    named = Call.slug == slug
    parts: list[Asking[Any]] = [
        with_values.asking(actor, slug),
        ask(select(CallWorkingCopy.content).join(Call, Call.id == CallWorkingCopy.call_id).where(named)),
        programme_queries.fund_sources_by_id.asking(select(Call.fund_source_id).where(named)),
    ]
    (found, before), stored, parents = yield from side_by_side(parts)
    if not any(actor.may(each, Scope.of(("call", found.id))) for each in _SEES_COPIES):
        raise NotFound
    fields = rules.from_json(stored[0].content) if stored else before
    parent = parents[found.fund_source.id].rules
    changed = rules.changes(before, fields)
    opened = found.opens_at is not None and found.opens_at <= at
    return WorkingCopy(
        call=found,
        fields=fields,
        facts=rules.facts_of(fields),
        changes=changed,
        problems=(
            *rules.fixed_problems(changed, opened=opened),
            *rules.publish_problems(fields, found.deadlines, found.zone, parent),
        ),
        more_than_wording=rules.correction_problems(changed),
    )


def copied(call_id: UUID) -> dict[str, Any] | None:
    """The stored content of a working copy, where there is one."""
    found: dict[str, Any] | None = db.session.scalar(
        select(CallWorkingCopy.content).where(CallWorkingCopy.call_id == call_id)
    )
    return found


def copy_row(call_id: UUID) -> CallWorkingCopy | None:
    """The row of a working copy, for an act that holds the call's lock."""
    return db.session.scalars(select(CallWorkingCopy).where(CallWorkingCopy.call_id == call_id)).one_or_none()


@reader
def public_record(call_id: UUID) -> Asking[PublicRecord]:
    """Every version and correction, newest first, and extensions for one applicant; one statement."""
    versions, extensions = yield from both(
        ask(
            select(*_COLUMNS)
            .where(CallVersion.call_id == call_id)
            .order_by(CallVersion.number.desc(), CallVersion.correction.desc())
            .limit(VERSIONS_MAX)
        ),
        ask(
            select(CallOneExtension.given_at, CallOneExtension.reason)
            .where(CallOneExtension.call_id == call_id)
            .order_by(CallOneExtension.given_at.desc(), CallOneExtension.id)
            .limit(VERSIONS_MAX)
        ),
    )
    return PublicRecord(
        tuple(_view(row) for row in versions), tuple(OneExtension(row.given_at, row.reason) for row in extensions)
    )


@reader
def around(actor: Actor | None, found: CallView) -> Asking[dict[str, Any]]:
    """What stands on the page of a call besides itself, by name: its record, its answers, its sessions, its other half.

    One statement.
    """
    asked: dict[str, Asking[Any]] = {
        "record": public_record.asking(found.id),
        "answers": answers_published.asking(found.id),
        "sessions": sessions.asking(found.id),
        "beside": beside_stage.asking(actor, found),
    }
    return dict(zip(asked, (yield from side_by_side(asked.values())), strict=True))


@reader
def versions_after(call_id: UUID, number: int) -> Asking[tuple[CallVersionView, ...]]:
    """The corrigenda with a higher number, oldest first; one statement."""
    rows = yield from ask(
        select(*_COLUMNS)
        .where(
            CallVersion.call_id == call_id,
            CallVersion.number > number,
            CallVersion.kind == VersionKind.CORRIGENDUM.value,
        )
        .order_by(CallVersion.number)
        .limit(VERSIONS_MAX)
    )
    return tuple(_view(row) for row in rows)


def content_of_version(call_id: UUID, number: int) -> CallContent:
    """What a call asked in one of its versions; :class:`NotFound`."""
    stored = db.session.scalar(
        select(CallVersion.content).where(
            CallVersion.call_id == call_id, CallVersion.number == number, CallVersion.correction == 0
        )
    )
    if stored is None:
        raise NotFound
    return _content(json.dumps(stored))


@lru_cache(maxsize=16)
def _content(stored: str) -> CallContent:
    return rules.content_of(rules.from_json(json.loads(stored)))


def last_correction(call_id: UUID, number: int) -> int:
    """How often the wording of a version was corrected."""
    found = select(func.max(CallVersion.correction)).where(CallVersion.call_id == call_id, CallVersion.number == number)
    return db.session.scalar(found) or 0


def _view(row: Any) -> CallVersionView:
    return CallVersionView(
        id=row.id,
        number=row.number,
        correction=row.correction,
        kind=VersionKind(row.kind),
        published_at=row.published_at,
        reason=row.reason,
        changes=encoding.decode({"value": row.changes}, tuple[Change, ...]),
        deadline=DeadlineDecision(row.deadline_decision) if row.deadline_decision else None,
        deadline_reason=row.deadline_reason,
    )
