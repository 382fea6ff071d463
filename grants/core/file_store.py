"""The bytes of files on the disk: written aside, moved into a place named by their SHA-256, deleted once they are old.

Which of them belong to whom is in rows: ``core/files.py``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from grants.core import home
from grants.core.errors import Refused


def store() -> Path:
    """Where all of them lie."""
    return home.folder() / "files"


def place_of(sha256: str) -> Path:
    """Where kept bytes lie."""
    return store() / sha256[:2] / sha256[2:4] / sha256


def incoming_of(sha256: str) -> Path:
    """Where an upload waits to be kept."""
    return store() / "incoming" / sha256


@contextmanager
def writing() -> Iterator[tuple[Path, IO[bytes]]]:
    """A temporary file that only this user can read, gone again when the block fails."""
    folder = store() / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = folder / f"{uuid4().hex}.part"
    try:
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as file:
            yield temporary, file
    except OSError as error:
        raise Refused(
            f"The file could not be stored: {(error.strerror or 'the disk does not answer').lower()}. Nothing was changed; try again later, and tell your administrator."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def move(source: Path, target: Path) -> None:
    """Put a written file in its place, so that it is there after a power loss too."""
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    os.replace(source, target)
    # The rename itself must survive a power loss before the act's commit says that the file is there.
    for folder in (target.parent, target.parent.parent, store()):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file on the disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def delete_if_old(file: Path, ended: float) -> int:
    """Delete a file last touched before then; 1 where it went."""
    try:
        if file.stat().st_mtime >= ended:
            return 0
        file.unlink()
    except FileNotFoundError:
        return 0
    return 1
