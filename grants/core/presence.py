"""Who is at a place now: kept in the queue server for some seconds, never in the record; without that server, nobody is seen.

It decides nothing: whoever may write is asked elsewhere, and two who write at once are told apart by what they were shown.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from uuid import UUID

from flask import current_app
from redis.exceptions import RedisError

from grants.core.jobs import queue_server
from grants.core.jobs.rules import BELL_REST_SECONDS

log = logging.getLogger(__name__)

# Somebody who was not heard of for this long has gone.
SECONDS_KEPT = 40


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody at a place; ``spot`` is where in it."""

    person_id: UUID
    name: str
    spot: str


def arrive(place: str, person_id: UUID, name: str, spot: str) -> tuple[Present, ...]:
    """Say that a person is at a spot of a place now, and hear who else is in the place, by name."""
    return _told(place, person_id, json.dumps([name, spot, _now() + SECONDS_KEPT]))


def leave(place: str, person_id: UUID) -> tuple[Present, ...]:
    """Say that a person has gone, and hear who else is there."""
    return _told(place, person_id, None)


def _told(place: str, person_id: UUID, said: str | None) -> tuple[Present, ...]:
    state = current_app.extensions.setdefault("presence_rests_until", {"until": 0.0})
    if not current_app.config["REDIS_URL"] or time.monotonic() < state["until"]:
        return ()
    key = f"presence:{place}"
    try:
        with queue_server().pipeline() as pipeline:
            if said is None:
                pipeline.hdel(key, str(person_id))
            else:
                pipeline.hset(key, str(person_id), said)
                pipeline.expire(key, SECONDS_KEPT)
            pipeline.hgetall(key)
            found = pipeline.execute()[-1]
    except RedisError as error:
        state["until"] = time.monotonic() + BELL_REST_SECONDS
        log.info("nobody's presence is known for a while: %s", type(error).__name__)
        return ()
    return _others(found, str(person_id))


def _others(found: dict[bytes, bytes], own: str) -> tuple[Present, ...]:
    others = []
    for person, said in found.items():
        name, spot, until = json.loads(said)
        if person.decode() != own and until > _now():
            others.append(Present(UUID(person.decode()), name, spot))
    return tuple(sorted(others, key=lambda each: (each.name, each.person_id)))


def _now() -> int:
    # The machine's own time and not an act's: it is of the moment alone, as a lease is.
    return int(time.time())


__all__ = ["SECONDS_KEPT", "Present", "arrive", "leave"]
