"""The seed of a draw by lot: its SHA-256 for everybody, itself for the act that draws."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.calls.models import CallDrawSeed
from grants.core.db import db
from grants.core.together import Asking, ask, reader


@reader
def draw_sha256(call_id: UUID) -> Asking[str]:
    """The SHA-256 of the seed of a call, in hexadecimal; empty where it has none."""
    rows = yield from ask(select(CallDrawSeed.seed_sha256).where(CallDrawSeed.call_id == call_id))
    return rows[0].seed_sha256 if rows else ""


def draw_seed(call_id: UUID) -> str:
    """The seed itself, for the act that draws: nothing shows it before. Empty where the call has none."""
    return db.session.scalar(select(CallDrawSeed.seed).where(CallDrawSeed.call_id == call_id)) or ""
