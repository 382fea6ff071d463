"""Reads of the words evaluators of a call accept."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.calls.models import CallExpertTerms
from grants.calls.rules.expert_terms import ExpertTerms, TermsView
from grants.core import encoding
from grants.core.together import Asking, ask, reader

TERMS_MAX = 100


@reader
def expert_terms(call_id: UUID) -> Asking[tuple[TermsView, ...]]:
    """Every version of what evaluators of a call accept, the newest first; one statement."""
    rows = yield from ask(
        select(
            *(CallExpertTerms.number, CallExpertTerms.content, CallExpertTerms.sha256),
            *(CallExpertTerms.created_at, CallExpertTerms.note),
        )
        .where(CallExpertTerms.call_id == call_id)
        .order_by(CallExpertTerms.number.desc())
        .limit(TERMS_MAX)
    )
    return tuple(
        TermsView(
            row.number,
            encoding.decode({"value": row.content}, ExpertTerms) if row.content is not None else None,
            row.sha256,
            row.created_at,
            row.note,
        )
        for row in rows
    )
