"""Who is at a place now: kept in the queue server for some seconds, never in the record; without that server, nobody is seen.

It decides nothing: whoever may write is asked elsewhere, and two who write at once are told apart by what they were shown.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from uuid import UUID

from redis import Redis

from grants.core.jobs import spared

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
    key = f"presence:{place}"

    def exchanged(server: Redis) -> dict[bytes, bytes]:
        with server.pipeline() as pipeline:
            if said is None:
                pipeline.hdel(key, str(person_id))
            else:
                pipeline.hset(key, str(person_id), said)
                pipeline.expire(key, SECONDS_KEPT)
            pipeline.hgetall(key)
            found: dict[bytes, bytes] = pipeline.execute()[-1]
        return found

    return _others(spared(exchanged) or {}, str(person_id))


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
