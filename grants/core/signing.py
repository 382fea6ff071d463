"""The private key that signs checkpoints: one file, made once, readable by this user only, and replaced without a gap.

Only what makes a checkpoint (a worker, the command line) reads it; the pages of the program never do.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from flask import current_app

from grants.core import audit_offline, home
from grants.core.errors import Refused

FILE = "checkpoint_key"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key at hand: its public part on one line, and what signs with its private part."""

    key: str
    sign: Callable[[bytes], bytes]

    def line(self, text: str) -> str:
        """The signature of a checkpoint's text, as the line that stands under it."""
        return audit_offline.signature_line(self.key, self.sign(text.encode()))


def place() -> Path:
    """Where the private key lies: ``CHECKPOINT_KEY_FILE``, or in the data folder."""
    return place_of(current_app.config["CHECKPOINT_KEY_FILE"], current_app.config["GRANTS_HOME"])


def place_of(configured: str, data: str | Path) -> Path:
    """The same from settings, where no program runs; ``data`` is the data folder."""
    return home.folder_of(configured) if configured else home.folder_of(data) / FILE


def place_of_next() -> Path:
    """Where the key lies that is to follow, until it does."""
    return _beside(place())


def at_hand(known: str | None) -> Signer:
    """The key that signs now. ``known`` is the one the record was signed with last; where there was none, one is made.

    Never made anew where the record knows one: two machines would else sign one record with two keys.
    """
    path = place()
    if known is None and not path.exists():
        _make(path)
    found = _read(path) if path.exists() else None
    if found is not None and known in (None, found.key):
        return found
    following = _beside(path)
    if following.exists() and _read(following).key == known:
        # The key was replaced, and the program ended before the file was.
        put_in_place()
        return _read(path)
    raise Refused(
        f"{path} {'holds another key than' if found else 'is not there: it holds'} the one that signs the checkpoints of this "
        f"record ({(known or '').split('+')[1]}). Copy the file from the machine that has it, or name its place in "
        "CHECKPOINT_KEY_FILE. If it is lost, “grants audit replace-key --lost” makes another."
    )


def successor() -> Signer:
    """The key that is to follow the present one: made beside it, or left there by an attempt that did not end."""
    path = place_of_next()
    if not path.exists():
        _make(path)
    return _read(path)


def put_in_place() -> None:
    """The successor becomes the key; the one before it is gone."""
    path = place()
    try:
        os.replace(_beside(path), path)
        sync(path.parent)
    except OSError as error:
        raise _refusal(path, error) from error


def sync(where: Path) -> None:
    """Have the names in a folder on the disk, as its files are."""
    handle = os.open(where, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_private(path: Path) -> bool:
    """Whether nobody but its user may read the file."""
    return path.stat().st_mode & 0o077 == 0


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.next")


def _make(path: Path) -> None:
    """Linked when whole: of several processes that start at once, all read the first one's key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)
        # A name that a failing machine forgets is a lost key, and by then it may have signed.
        sync(path.parent)
    except OSError as error:
        raise _refusal(path, error) from error
    finally:
        fresh.unlink(missing_ok=True)


def _read(path: Path) -> Signer:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise _refusal(path, error) from error
    except (ValueError, TypeError) as error:
        raise Refused(f"{path} is no private key in PEM form without a password.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Refused(f"{path} is a key of another kind; checkpoints are signed with Ed25519.")
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return Signer(audit_offline.key_text(public), private.sign)


def _refusal(path: Path, error: OSError) -> Refused:
    return Refused(f"The key that signs checkpoints, {path}, cannot be read or written ({error.strerror}).")
