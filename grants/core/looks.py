"""What a look was asked about, so that the look has an address of its own and “back” leads to it: never the record.

It lies in the queue server for an hour, sealed with a key that only the address holds, for one person and one purpose: the
next look of that person for the same purpose takes its place, so that nobody fills the server by looking. Without that server
the form is answered directly, as before. It decides nothing: what is confirmed is sent again, whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from redis import Redis

from grants.core.jobs import spared

SECONDS_KEPT = 60 * 60
# A longer text is answered directly: the queue server is no store of files.
BYTES_MAX = 1_000_000
NAME_CHARACTERS = 44


def keep(person_id: UUID | None, purpose: str, said: Mapping[str, object]) -> str | None:
    """Keep what was sent, and return the name under which its sender finds it; None where it cannot be kept."""
    from cryptography.fernet import Fernet  # only where somebody looks

    plain = json.dumps(said).encode()
    if len(plain) > BYTES_MAX:
        return None
    name = Fernet.generate_key()
    place, sealed = _place(name, person_id, purpose), Fernet(name).encrypt(plain)

    def put(server: Redis) -> str:
        server.set(place, sealed, ex=SECONDS_KEPT)
        # Of two at once each sees the other's, or is seen by it: one stays.
        older = server.set(_newest(person_id, purpose), place, ex=SECONDS_KEPT, get=True)
        if isinstance(older, bytes):
            server.delete(older)
        return name.decode()

    return spared(put)


def kept(person_id: UUID | None, purpose: str, name: str) -> dict[str, object] | None:
    """What this person sent for that purpose under that name; None where it is gone, or another's."""
    from cryptography.fernet import Fernet, InvalidToken  # only where somebody looks

    if len(name) != NAME_CHARACTERS or not name.isascii():
        return None
    sealed = spared(lambda server: server.get(_place(name.encode(), person_id, purpose)))
    if not isinstance(sealed, bytes):
        return None
    try:
        said: dict[str, object] = json.loads(Fernet(name.encode()).decrypt(sealed))
    except (InvalidToken, ValueError):
        return None
    return said


def _place(name: bytes, person_id: UUID | None, purpose: str) -> str:
    """Where it lies: nothing of the key can be read from it, and nobody else's hand leads there."""
    return "look:" + hashlib.sha256(b"\0".join((name, str(person_id).encode(), purpose.encode()))).hexdigest()


def _newest(person_id: UUID | None, purpose: str) -> str:
    """Where stands which look of this person for that purpose is the newest: where it lies, not what opens it."""
    return "newest-look:" + hashlib.sha256(b"\0".join((str(person_id).encode(), purpose.encode()))).hexdigest()


__all__ = ["SECONDS_KEPT", "keep", "kept"]
