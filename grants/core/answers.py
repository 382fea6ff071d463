"""Where a form that was sent led to: the same form sent again is led there too, though its page would refuse it by now.

Machinery, kept for some days. That nothing is *done* twice is not proved here but by the keys of acts (``core/acts.py``).
"""

from __future__ import annotations

import time
import typing
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, Row, Table, delete, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from grants.core import clock
from grants.core.acts import bookkeeping
from grants.core.audit import ActKey
from grants.core.db import Base, db

KEPT = timedelta(days=7)
# So long a second click waits for the first one's answer once its act is done; the answer follows within milliseconds.
WAITS_SECONDS = 1.0
_PAUSE_SECONDS = 0.05
# What a form led to that did its act and was refused another part of it: its own page again.
NOWHERE = ""


class FormAnswer(Base):
    """The page a form led its person to, by the form's key."""

    __tablename__ = "form_answer"

    owner: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary)
    location: Mapped[str]
    answered_at: Mapped[datetime] = mapped_column(index=True)


def keep(owner: str, key: str, digest: bytes, location: str) -> None:
    """Remember it (:data:`NOWHERE` for none), if an act was done under this key; the first answer stands."""
    done = select(literal(owner), literal(key), literal(digest), literal(location), literal(clock.now())).where(
        _done(owner, key)
    )
    names = ["owner", "key", "request_digest", "location", "answered_at"]
    with bookkeeping() as books:
        books.execute(upsert(_table()).from_select(names, done).on_conflict_do_nothing())


def found(owner: str, key: str, digest: bytes) -> str | None:
    """Where the same form led before; None for another form, or where it led nowhere or nothing was done yet."""
    kept = _kept(owner, key)
    return _place(kept, digest) if kept else None


def awaited(owner: str, key: str, digest: bytes) -> str | None:
    """As :func:`found`; where the act is done and its answer is still on its way, wait for it a moment."""
    until = time.monotonic() + WAITS_SECONDS
    while True:
        # What an open transaction read before does not hide what has come since.
        db.session.rollback()
        kept = _kept(owner, key)
        if kept:
            # Of a form with other words there is nothing to wait for: the answer that stands will stay.
            return _place(kept, digest)
        if not db.session.scalar(select(_done(owner, key))) or time.monotonic() >= until:
            return None
        time.sleep(_PAUSE_SECONDS)


def sweep() -> None:
    """Forget old ones: nobody clicks twice a week later."""
    with bookkeeping() as books:
        books.execute(delete(_table()).where(_table().c.answered_at < clock.now() - KEPT))


def _kept(owner: str, key: str) -> Row[str, bytes] | None:
    where = (FormAnswer.owner == owner, FormAnswer.key == key)
    return db.session.execute(select(FormAnswer.location, FormAnswer.request_digest).where(*where)).one_or_none()


def _place(kept: Row[str, bytes], digest: bytes) -> str | None:
    # Of a form with other words, or of one that led nowhere, there is no answer to give again.
    return (kept.location or None) if kept.request_digest == digest else None


def _done(owner: str, key: str) -> typing.Any:
    return select(ActKey.key).where(ActKey.owner == owner, ActKey.key == key).exists()


def _table() -> Table:
    return typing.cast(Table, FormAnswer.__table__)
