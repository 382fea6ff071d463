"""The verifier of the audit record, for whoever does not trust the program: one file, no database, no settings, no program.

``python -m grants.core.audit_offline RECORD --checkpoints CHECKPOINTS --key KEYS`` needs Python, the package
``cryptography`` for signatures, and nothing else of this program; it may be copied away and read whole. The formats are
those of docs/audit.md. The program judges its own database with the same functions, so that both always say the same.
"""

from __future__ import annotations

import argparse
import base64
import email
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

GENESIS = bytes(32)
# The longest line that is read; the memory this needs is a few times as much, however long the file.
LINE_BYTES_MAX = 32 * 1024 * 1024
CHECKPOINT_BYTES_MAX = 64 * 1024 * 1024
NAME = "grants-audit"
_ED25519 = b"\x01"

_LINE = re.compile(
    rb'\{"position":([1-9][0-9]{0,17}),"previous":"([0-9a-f]{64})","hash":"([0-9a-f]{64})","event":(\{.*\})\}',
    re.DOTALL,
)
_B64 = r"[A-Za-z0-9+/]+={0,2}"
_NOTE = re.compile(
    rf"^({NAME}/[0-9a-f]{{16}})\n([1-9][0-9]{{0,17}})\n({_B64})\n"
    rf"made ([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:]{{8}}\.[0-9]{{6}}Z)\n"
    rf"after (0|[1-9][0-9]{{0,17}}) ({_B64})\nkey ({NAME}\+[0-9a-f]{{8}}\+{_B64})\n\n((?:— {NAME} {_B64}(?:\n|\Z))+)",
    re.MULTILINE,
)


# What replies and forwarded mails put before each line.
_QUOTED = re.compile(r"^(?:[ \t]*>)+ ?", re.MULTILINE)
_BEGUN = re.compile(rf"^{NAME}/", re.MULTILINE)
_BEGUN_SOMEWHERE = re.compile(rb"(?:^|\n)[ \t>]*" + NAME.encode() + b"/")
_MAIL = re.compile(rb"\s*(?:From |[!-9;-~]+:[ \t])")
_CHUNK_BYTES = 1024 * 1024


class Unreadable(Exception):
    """A file that is not what it should be; ``str()`` is a sentence."""


class NoCheckpoint(Unreadable):
    """A text in which no checkpoint begins."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not hold: the first position of the record it concerns, where there is one, and a sentence."""

    position: int | None
    words: str


# --- The chain ------------------------------------------------------------------------------------------------------


def chained(previous: bytes, event: bytes) -> bytes:
    """The hash of one position: a leaf mark, the hash before, the length of the event and the event."""
    return hashlib.sha256(b"\x00" + previous + len(event).to_bytes(8, "big") + event).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One sealed position; ``event`` is None where the database has lost it."""

    position: int
    previous: bytes
    hash: bytes
    event: bytes | None


def line_of(entry: Entry) -> bytes:
    """One position as a line of the exported record: the event as the very bytes its hash covers."""
    head = f'{{"position":{entry.position},"previous":"{entry.previous.hex()}","hash":"{entry.hash.hex()}","event":'
    assert entry.event is not None
    return head.encode() + entry.event + b"}\n"


def entries_of(path: Path) -> Iterator[Entry | str]:
    """The positions of an exported record, a line at a time; a sentence in the place of what is none, and then no more."""
    number = 0
    with path.open("rb") as file:
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            if len(line) > LINE_BYTES_MAX:
                yield f"line {number} is longer than {LINE_BYTES_MAX} bytes"
                return
            found = _LINE.fullmatch(line.rstrip(b"\r\n"))
            if found is None:
                yield f"line {number} is not a line of the record"
                return
            yield Entry(int(found[1]), bytes.fromhex(found[2].decode()), bytes.fromhex(found[3].decode()), found[4])


def fault_at(expected: int, head: bytes, entry: Entry | str) -> str:
    """Why what stands at position ``expected``, after ``head``, does not belong there; empty where it does."""
    if isinstance(entry, str):
        return f"Position {expected}: {entry}."
    if entry.position > expected:
        return f"Position {expected} is missing: the chain goes on at {entry.position}."
    if entry.position < expected:
        return f"Position {expected}: position {entry.position} stands there once more."
    if entry.event is None:
        return f"Position {expected}: its event was deleted."
    if entry.previous != head:
        return f"Position {expected} does not follow from the position before it."
    if chained(head, entry.event) != entry.hash:
        return f"Position {expected}: its event is not what was sealed."
    return ""


# --- Checkpoints ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Note:
    """A signed checkpoint: this record had at this moment so many positions, and this was the hash of the last."""

    text: str
    record: str
    position: int
    head: bytes
    made: str
    after_position: int
    after_digest: bytes
    key: str
    signatures: tuple[bytes, ...]

    @property
    def digest(self) -> bytes:
        """What the checkpoint after this one names: the hash of the signed text."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def words(self) -> str:
        return f"the checkpoint of {self.made[:10]} {self.made[11:19]} UTC over {self.position} positions"

    @property
    def sentence(self) -> str:
        """The same as the beginning of one."""
        return f"{self.words[0].upper()}{self.words[1:]}"


def record_name(first_hash: bytes) -> str:
    """What a record is called: after the hash of its first position, which nobody can choose."""
    return f"{NAME}/{first_hash.hex()[:16]}"


def note_text(
    record: str, position: int, head: bytes, *, made: str, after: tuple[int, bytes], key: str
) -> str:  # fmt: skip
    """The text of a checkpoint that is signed: name, size and head as transparency logs write them, then three lines of ours."""
    return (
        f"{record}\n{position}\n{_text(head)}\n"
        f"made {made}\nafter {after[0]} {_text(after[1])}\nkey {key}\n"
    )  # fmt: skip


def signature_line(key: str, signature: bytes) -> str:
    """The line under the text: the four bytes that name the key, then the Ed25519 signature (the “signed note” format)."""
    return f"— {NAME} {_text(bytes.fromhex(key.split('+')[1]) + signature)}\n"


def key_text(public: bytes) -> str:
    """A public key on one line: ``grants-audit+1a2b3c4d+base64``, its short hash in the middle."""
    short = hashlib.sha256(NAME.encode() + b"\n" + _ED25519 + public).hexdigest()[:8]
    return f"{NAME}+{short}+{_text(_ED25519 + public)}"


def notes_of(text: str, where: str) -> list[Note]:
    """Every checkpoint in a text, which may be a whole mail; raises :class:`Unreadable` where one is damaged."""
    text = "\n".join(line.rstrip() for line in _QUOTED.sub("", text.lstrip("\ufeff")).splitlines()) + "\n"
    found = [_note(match) for match in _NOTE.finditer(text)]
    begun = _BEGUN.findall(text)
    if not begun:
        raise NoCheckpoint(f"{where} holds no checkpoint.")
    if len(begun) != len(found):
        raise Unreadable(f"{where}: of {len(begun)} checkpoints {len(begun) - len(found)} cannot be read.")
    return found


def _note(match: re.Match[str]) -> Note:
    signed = [line.rpartition(" ")[2] for line in match[8].splitlines()]
    return Note(
        match[0][: match.start(8) - match.start() - 1], match[1], int(match[2]), _bytes(match[3]), match[4],
        int(match[5]), _bytes(match[6]), match[7], tuple(_bytes(line) for line in signed),
    )  # fmt: skip


def keys_of(text: str, where: str) -> frozenset[str]:
    """The public keys in a text, one a line; raises :class:`Unreadable` where there is none or one is damaged."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip().startswith(f"{NAME}+")]
    damaged = [line for line in lines if _public(line) is None]
    if damaged or not lines:
        raise Unreadable(f"{where} holds {'a damaged key' if damaged else f'no key: a line beginning with {NAME}+'}.")
    return frozenset(lines)


def _public(key: str) -> bytes | None:
    raw = _bytes(key.split("+", 2)[-1])
    return raw[1:] if len(raw) == 33 and raw[:1] == _ED25519 and key_text(raw[1:]) == key else None


def signed_by(note: Note, key: str) -> bool:
    """Whether one of the note's signatures is this key's."""
    return is_signed(note.text, note.signatures, key)


def signature_bytes(line: str) -> bytes:
    """The signature of a line that :func:`signature_line` wrote; none where it is damaged."""
    return _bytes(line)


def is_signed(text: str, signatures: Iterable[bytes], key: str) -> bool:
    """Whether one of these signatures is this key's under this text."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise Unreadable("Signatures are checked with the Python package “cryptography”; install it.") from error
    public = _public(key)
    if public is None:
        return False
    for signature in signatures:
        try:
            if signature[:4].hex() == key.split("+")[1]:
                Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text.encode())
                return True
        except InvalidSignature:
            continue
    return False


@dataclass(frozen=True, slots=True)
class Notes:
    """Checkpoints that were looked at: the sound ones in order, what was wrong with others, how many in between were not given."""

    sound: tuple[Note, ...] = ()
    faults: tuple[Fault, ...] = ()
    not_given: int = 0


def judged(notes: Iterable[Note], keys: frozenset[str]) -> Notes:
    """Check signatures, keys and the order of checkpoints. A key may name its successor, by signing its first checkpoint too.

    Without ``keys`` each checkpoint is only held against the key it names itself.
    """
    sound: list[Note] = []
    faults, not_given = [], 0
    known, retired = set(keys), set[str]()
    for note in sorted({note.text: note for note in notes}.values(), key=lambda note: (note.position, note.made)):
        last = sound[-1] if sound else None
        words = _wrong_with(note, last, known - retired, retired) if keys else _wrong_with(note, last, None, retired)
        if words:
            faults.append(Fault(None, f"{note.sentence} {words}."))
            continue
        if last is not None and note.key != last.key:
            retired.add(last.key)
        not_given += note.after_position > (last.position if last else 0)
        known.add(note.key)
        sound.append(note)
    return Notes(tuple(sound), tuple(faults), not_given)


def _wrong_with(note: Note, last: Note | None, known: set[str] | None, retired: set[str]) -> str:
    short = note.key.split("+")[1]
    if not signed_by(note, note.key):
        return f"is not signed by the key it names, {short}"
    if note.key in retired:
        return f"is signed by key {short}, which another had replaced by then"
    if known is not None and note.key not in known and not any(signed_by(note, key) for key in known):
        return f"is signed by key {short}, which is none of those given"
    if last is None:
        return ""
    if note.record != last.record:
        return f"is of another record, {note.record}, than those before it, {last.record}"
    if note.position == last.position:
        return "contradicts another one over as many positions"
    if note.after_position < last.position or (
        note.after_position == last.position and note.after_digest != last.digest
    ):
        return f"does not follow {last.words}"
    return ""


# --- Both together --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found: how many positions hold, the head they end in, what is proved by checkpoints, and every fault."""

    checked: int
    head: bytes
    record: str
    checkpoints: int
    proved: int
    not_given: int
    keys: int
    faults: tuple[Fault, ...]
    # Names in the folder of checkpoints that hold none; those of other folders, which are not looked into, end in a slash.
    without: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For machines; ``position`` is the first bad one."""
        return {
            "ok": not self.faults,
            "checked": self.checked,
            "head": self.head.hex(),
            "record": self.record,
            "checkpoints": self.checkpoints,
            "proved_up_to": self.proved,
            "checkpoints_not_given": self.not_given,
            "keys_given": self.keys,
            "position": next((fault.position for fault in self.faults if fault.position is not None), None),
            "without_checkpoint": list(self.without),
            "problems": [fault.words for fault in self.faults],
        }

    def sentences(self) -> Iterator[str]:
        """What holds, or what does not, in words; and what was no checkpoint."""
        yield from self._findings()
        for name in self.without:
            yield f"{name} {'is no file and was not looked into' if name.endswith('/') else 'holds no checkpoint'}."

    def _findings(self) -> Iterator[str]:
        if self.faults:
            yield from (fault.words for fault in self.faults)
            yield f"{self.checked} positions before that hold." if self.checked else "No position holds."
            return
        yield f"The chain holds: {self.checked} positions. Its head is {self.head.hex()}."
        if not self.checkpoints:
            yield "No checkpoint was compared: a tail that was cut off, or a record rewritten as a whole, would not be noticed."
            return
        agree = "1 checkpoint agrees" if self.checkpoints == 1 else f"{self.checkpoints} checkpoints agree"
        yield f"{agree} with it; up to position {self.proved} nothing was changed, added or taken out since."
        if self.not_given:
            yield f"{self.not_given} times a checkpoint names one before it that was not given."
        if not self.keys:
            yield "No key was given: whose signatures these are is not known."


def walked(entries: Iterable[Entry | str], notes: Notes, keys: int = 0) -> Report:
    """Recompute the chain over every entry and hold it against the checkpoints; stops at the first bad position."""
    checked, proved, head, record = 0, 0, GENESIS, ""
    waiting = list(notes.sound)
    fault: Fault | None = None
    for entry in entries:
        words = fault_at(checked + 1, head, entry)
        if words:
            fault = Fault(checked + 1, words)
            break
        assert isinstance(entry, Entry)
        record = record or record_name(entry.hash)
        if waiting and waiting[0].record != record:
            fault = Fault(1, _other_record(waiting[0], record))
            break
        if waiting and waiting[0].position == entry.position:
            if waiting[0].head != entry.hash:
                fault = Fault(proved + 1, _rewritten(waiting[0], proved))
                # What was recomputed since the last checkpoint agrees with itself only.
                checked = proved
                break
            waiting.pop(0)
            proved = entry.position
        checked, head = entry.position, entry.hash
    if fault is None:
        fault = _fault_of_end(checked, waiting)
    faults = (*((fault,) if fault else ()), *notes.faults)
    return Report(
        checked, head, record, len(notes.sound) - len(waiting), proved, notes.not_given, keys, faults
    )  # fmt: skip


def _other_record(note: Note, record: str) -> str:
    return (
        f"Position 1: {note.words} is of the record {note.record}, this one is {record}: "
        "it is another record, or it was rewritten from its first position on."
    )


def _rewritten(note: Note, proved: int) -> str:
    return (
        f"Between position {proved + 1} and {note.position} the record was rewritten: "
        f"{note.words} proves that it ended in {note.head.hex()[:16]}… then."
    )


def _fault_of_end(checked: int, waiting: Sequence[Note]) -> Fault | None:
    if not waiting:
        return None
    return Fault(
        checked + 1,
        f"Position {checked + 1} is missing: the record ends at {checked}, "
        f"{waiting[-1].words} proves that {waiting[-1].position} existed.",
    )


def verify_files(record: Path, checkpoints: Path | None = None, keys: Path | None = None) -> Report:
    """Check an exported record, with the checkpoints of a file or of a folder and the public keys of a file."""
    known = keys_of(_decoded(_read(keys, _shown(keys))), _shown(keys)) if keys else frozenset()
    given = given_at(checkpoints) if checkpoints else Given()
    notes = judged(given.notes, known)
    try:
        report = walked(entries_of(record), replace(notes, faults=(*given.faults, *notes.faults)), len(known))
    except OSError as error:
        raise Unreadable(f"{_shown(record)} cannot be read ({error.strerror}).") from error
    if not report.checked and not report.faults:
        report = replace(report, faults=(Fault(1, "Position 1 is missing: the record is empty."),))
    return replace(report, without=given.without)


# --- Files of checkpoints -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Given:
    """What lies in a file or a folder: checkpoints, what looks like one and cannot be read, and the names of what is none."""

    notes: tuple[Note, ...] = ()
    faults: tuple[Fault, ...] = ()
    without: tuple[str, ...] = ()


def given_at(path: Path) -> Given:
    """The checkpoints of a file, or of every file of a folder, whatever its name; none at all is :class:`Unreadable`."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else None
    except OSError as error:
        raise Unreadable(f"{_shown(path)} cannot be read ({error.strerror}).") from error
    if files is None:
        return Given(tuple(notes_at(path)))
    notes: list[Note] = []
    faults: list[Fault] = []
    without: list[str] = []
    for file in files:
        try:
            if not file.is_file():
                without.append(f"{_shown(file.name)}/")
                continue
            notes += notes_at(file, _shown(file.name))
        except NoCheckpoint:
            without.append(_shown(file.name))
        except Unreadable as error:
            faults.append(Fault(None, str(error)))
    if not notes and not faults:
        raise Unreadable(f"{_shown(path)} holds no checkpoint.")
    return Given(tuple(notes), tuple(faults), tuple(without))


def _shown(path: Path | str) -> str:
    """A path or a name for a terminal: somebody else may have chosen it."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(path))


def notes_at(path: Path, called: str = "") -> list[Note]:
    """The checkpoints of a file: a text, or a mail as mail programs save it."""
    where = called or _shown(path)
    try:
        data = _read(path, where)
    except TooLarge as error:
        if _begins_in(path):
            raise
        raise NoCheckpoint(f"{where} holds no checkpoint.") from error
    if not _MAIL.match(data):
        return notes_of(_decoded(data), where)
    notes: list[Note] = []
    begun = bool(_BEGUN_SOMEWHERE.search(data))
    for text in _parts(data, where):
        try:
            notes += notes_of(text, where)
        except NoCheckpoint:
            continue
    if notes:
        return notes
    if begun:
        raise Unreadable(f"{where} looks like a checkpoint and cannot be read.")
    raise NoCheckpoint(f"{where} holds no checkpoint.")


def _parts(data: bytes, where: str) -> Iterator[str]:
    """The texts of a mail, decoded; the same in HTML only where nothing else is there."""
    try:
        mail = email.message_from_bytes(data)
        leaves = [part for part in mail.walk() if not part.is_multipart()]
        plain = [part for part in leaves if part.get_content_type() != "text/html"]
        for part in plain or leaves:
            content = part.get_payload(decode=True)
            yield _decoded(content if isinstance(content, bytes) else b"")
    except (ValueError, LookupError, RecursionError) as error:
        raise Unreadable(f"{where} is a mail that cannot be taken apart.") from error


class TooLarge(Unreadable):
    """A file larger than any with checkpoints."""


def _read(path: Path, where: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(CHECKPOINT_BYTES_MAX + 1)
    except OSError as error:
        raise Unreadable(f"{where} cannot be read ({error.strerror}).") from error
    if len(data) > CHECKPOINT_BYTES_MAX:
        raise TooLarge(f"{where} is larger than {CHECKPOINT_BYTES_MAX} bytes.")
    return data


def _begins_in(path: Path) -> bool:
    """Whether a checkpoint seems to begin somewhere in a file that is too large to be read whole."""
    before = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if _BEGUN_SOMEWHERE.search(before + chunk):
                return True
            before = chunk[-64:]
    return False


def _decoded(data: bytes) -> str:
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return data.decode("utf-16" if wide else "utf-8", "replace")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    """The bytes, or none where the text is not the one spelling of them."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if _text(data) == text else b""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where everything holds, 1 where something does not or cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m grants.core.audit_offline", description=__doc__)
    parser.add_argument("record", type=Path, help="what “grants export audit” wrote")
    parser.add_argument(
        "--checkpoints", type=Path, help="a file with checkpoints, or a folder of them: texts or saved mails"
    )
    parser.add_argument("--key", type=Path, help="a file with the public keys, one a line")
    parser.add_argument("--json", action="store_true", help="as one JSON object, for machines")
    options = parser.parse_args(arguments)
    try:
        report = verify_files(options.record, options.checkpoints, options.key)
    except Unreadable as error:
        print(json.dumps({"ok": False, "problems": [str(error)]}) if options.json else error)
        return 1
    print(json.dumps(report.as_json()) if options.json else "\n".join(report.sentences()))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
