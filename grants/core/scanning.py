"""Asking a virus scanner about a file, by the protocol of clamd (INSTREAM), and the verdicts that are kept.

Off unless VIRUS_SCANNER names one. On, an upload is in quarantine until a verdict says it is clean: no answer, half an
answer or one nobody understands leaves it there. Who may record a verdict belongs to the stages above.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app
from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import Row, points_to, state_check

CONNECT_SECONDS, ANSWER_SECONDS = 5, 120
CHUNK_BYTES = 256 * 1024
ANSWER_BYTES_MAX = 4_096
TCP, UNIX = "tcp", "unix"
PORT = 3310


class Verdict(StrEnum):
    """What the scanner said of a file."""

    CLEAN = "clean"
    INFECTED = "infected"


class Clearance(StrEnum):
    """Whether a file may be handed out now."""

    FREE = "free"
    WAITING = "waiting"
    INFECTED = "infected"


class FileScan(Row):
    """One answer of the scanner about one stored file; the newest counts."""

    __tablename__ = "file_scan"
    __table_args__ = (
        state_check(Verdict, "verdict"),
        CheckConstraint("(verdict = 'infected') = (signature IS NOT NULL)", name="infected_has_signature"),
        Index("ix_file_scan_file", "file_id", "created_at"),
    )

    file_id: Mapped[UUID] = mapped_column(points_to("stored_file.id"))
    verdict: Mapped[str]
    # The name the scanner gives what it found.
    signature: Mapped[str | None]
    # The program and the signatures that looked, as the scanner names itself.
    scanner: Mapped[str]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found in a file, and who looked."""

    verdict: Verdict
    signature: str | None
    scanner: str


class ScannerAway(Exception):
    """The scanner gave no answer that counts; ``str()`` says why, and what to do."""


def is_on() -> bool:
    """Whether uploads are scanned here."""
    return bool(current_app.config["VIRUS_SCANNER"])


def clearance(*, uploaded: bool, verdict: str | None) -> Clearance:
    """Whether a file may be handed out: never an infected one, and where a scanner is set no upload it has not cleared."""
    if verdict == Verdict.INFECTED:
        return Clearance.INFECTED
    return Clearance.WAITING if uploaded and verdict is None and is_on() else Clearance.FREE


def who_looks() -> str:
    """How the scanner names itself; raises :class:`ScannerAway`."""
    with _connected() as line:
        line.sendall(b"zVERSION\0")
        return _answer(line)


class State(StrEnum):
    """How it stands with the scanner."""

    OFF = "off"
    ANSWERS = "answers"
    AWAY = "away"


def look() -> tuple[State, str]:
    """Whether a scanner is set and answers now, with what it says of itself or why it does not."""
    if not is_on():
        return State.OFF, "VIRUS_SCANNER is not set: uploads are not scanned for viruses"
    try:
        return State.ANSWERS, who_looks()
    except ScannerAway as error:
        return State.AWAY, str(error)


def scan(path: Path) -> Scanned:
    """Ask about the bytes of a file; raises :class:`ScannerAway` for every answer but a clear one."""
    name = who_looks()
    with _connected() as line, path.open("rb") as file:
        line.sendall(b"zINSTREAM\0")
        try:
            while chunk := file.read(CHUNK_BYTES):
                line.sendall(struct.pack("!L", len(chunk)) + chunk)
            line.sendall(struct.pack("!L", 0))
        except (BrokenPipeError, ConnectionResetError):
            # It hangs up on what is too large for it, and has said so before.
            return _read(_answer(line), name)
        return _read(_answer(line), name)


def _read(answer: str, scanner: str) -> Scanned:
    """``stream: OK`` or ``stream: Eicar-Test-Signature FOUND``; nothing else is a verdict."""
    said = answer.removeprefix("stream: ")
    if said == "OK":
        return Scanned(Verdict.CLEAN, None, scanner)
    found, _, word = said.rpartition(" ")
    if word == "FOUND" and found:
        return Scanned(Verdict.INFECTED, found[:200], scanner)
    if "size limit" in said.lower():
        raise ScannerAway(
            "The virus scanner refuses files of this size. Raise its StreamMaxLength above UPLOAD_BYTES_MAX."
        )
    raise ScannerAway(f"The virus scanner gave no verdict but “{said[:200]}”. Look at its log.")


@contextmanager
def _connected() -> Iterator[socket.socket]:
    """A line to the scanner, closed at the end; every fault of it is one sentence."""
    at = urlsplit(current_app.config["VIRUS_SCANNER"])
    if at.scheme == UNIX:
        family, address = socket.AF_UNIX, at.path
    else:
        family, address = socket.AF_INET, (at.hostname or "127.0.0.1", at.port or PORT)
    try:
        with _dialled(family, address) as line:
            line.settimeout(ANSWER_SECONDS)
            yield line
    except OSError as error:
        why = (error.strerror or "it took too long").lower()
        raise ScannerAway(
            f"The virus scanner at {current_app.config['VIRUS_SCANNER']} does not answer: {why}."
        ) from error


def _dialled(family: socket.AddressFamily, address: str | tuple[str, int]) -> socket.socket:
    if isinstance(address, tuple):
        # By name or number, of either kind of internet address.
        return socket.create_connection(address, timeout=CONNECT_SECONDS)
    line = socket.socket(family, socket.SOCK_STREAM)
    line.settimeout(CONNECT_SECONDS)
    try:
        line.connect(address)
    except OSError:
        line.close()
        raise
    return line


def _answer(line: socket.socket) -> str:
    """What comes until the NUL; raises :class:`ScannerAway` where the line is cut before it."""
    said = b""
    while b"\0" not in said:
        part = line.recv(ANSWER_BYTES_MAX)
        if not part or len(said) > ANSWER_BYTES_MAX:
            raise ScannerAway("The virus scanner broke off in the middle of its answer. Look at its log.")
        said += part
    return said.partition(b"\0")[0].decode("utf-8", "replace").strip()
