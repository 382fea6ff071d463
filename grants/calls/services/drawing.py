"""The seed of a draw by lot: made with the publication of the call, before anybody can know who will be drawn."""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlalchemy import select

from grants.calls.models import CallDrawSeed
from grants.calls.rules import SEED_BYTES, DrawRules, seed_sha256
from grants.core.db import db


def fix_seed(call_id: UUID, rules: DrawRules | None) -> None:
    """Make the seed of a call that draws, once, inside a running act; a call keeps its first."""
    if rules is None or db.session.scalar(select(CallDrawSeed.id).where(CallDrawSeed.call_id == call_id)):
        return
    seed = secrets.token_hex(SEED_BYTES)
    db.session.add(CallDrawSeed(call_id=call_id, seed=seed, seed_sha256=seed_sha256(seed)))
