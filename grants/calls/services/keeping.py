"""What the acts on calls share: rows of a call that are written, and what is looked up for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from uuid import UUID

from grants.calls import queries, rules
from grants.calls.models import Call, CallDeadline, CallDocument
from grants.calls.rules import NOT_FOUND, CallSummary, Deadline, ParentGrant, Sourced
from grants.calls.states import CallKind, CallState
from grants.core.db import db
from grants.core.errors import Problem, Problems
from grants.core.text import fold
from grants.programmes import queries as programme_queries
from grants.programmes import services as programmes
from grants.programmes.rules import NETZEROCITIES, FundSourceInput, ParentRules


def refuse_known(published_id: str | None, sentence: str, place: str) -> None:
    earlier = None if published_id is None else queries.find_published_id(published_id)
    if earlier is not None:
        said = f"{published_id} is here already as {earlier.reference}. Change that call instead."
        raise Problems(sentence, [Problem(place, said)])


def parent_rules_of(call: Call) -> ParentRules:
    """What the parent grant of a call lays down."""
    return programme_queries.fund_source(call.fund_source_id).rules


def followed(name: str | None) -> UUID | None:
    """The call for concepts of that reference or identifier; None where it is not here, which keeps the call closed."""
    found = None if name is None else queries.find_concept_call(name)
    return None if found is None else found.id


def free_slug(title: str, year: int) -> str:
    """``open-call-for-pilot-cities-2022``; a number follows where another call has that address."""
    head = re.split(r"\s+[-–—|]\s+|:\s", title, maxsplit=1)[0]
    stem = re.sub(r"[^a-z0-9]+", "-", fold(head)).strip("-")[:60].strip("-") or "call"
    stem = stem if stem.endswith(str(year)) else f"{stem}-{year}"
    taken = queries.taken_slugs(stem)
    if stem not in taken:
        return stem
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{stem}-{number}") not in taken)


def take_over(call: Call, fields: Mapping[str, Sourced]) -> None:
    """The values, and the columns that follow from them."""
    call.content = rules.to_json(fields)
    call.opens_at = rules.opens_at(fields, call.zone)
    call.pays = rules.kind_of(fields) is CallKind.SUPPORT
    call.total_cents = fields.get("budget.total", NOT_FOUND).value if call.pays else None


def add_deadline(call_id: UUID, deadline: Deadline) -> None:
    db.session.add(
        CallDeadline(
            call_id=call_id,
            number=deadline.number,
            closes_at=deadline.closes_at.astimezone(UTC),
            zone=deadline.zone,
            literal=deadline.literal,
            reason=deadline.reason,
            public_note=deadline.public_note,
            announced_at=deadline.announced_at,
            confidence=deadline.confidence.value,
            source=deadline.source,
        )
    )


def add_document(call_id: UUID, document: rules.DocumentVersion) -> None:
    db.session.add(
        CallDocument(
            call_id=call_id,
            label=document.label,
            published_on=document.published_on,
            what=document.what,
            changes=list(document.changes),
            source=document.source,
            confidence=document.confidence.value,
        )
    )


def summary(call: Call, notes: tuple[str, ...] = ()) -> CallSummary:
    return CallSummary(call.id, call.reference, call.slug, call.title, CallState(call.state), notes)


def fund_source_of(parent: ParentGrant | None) -> UUID:
    """The parent grant that is named; the register learns it here where it is new."""
    given = (
        NETZEROCITIES
        if parent is None
        else FundSourceInput(parent.number, parent.acronym, parent.framework, rules=parent.rules)
    )
    return programmes.ensure_fund_source(given)
