"""The archive of a backup: one tar with the database's dump, the stored files, and a manifest with the hash of each.

Nothing in it is unpacked by a name it chose: a reader knows every name there may be, and refuses the rest.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from grants.local.folder import LocalError

FORMAT = "pilot-grants backup 1"
MANIFEST, DUMP = "manifest.json", "database.dump"
STORED = re.compile(r"files/([0-9a-f]{2})/([0-9a-f]{2})/((?:\1)(?:\2)[0-9a-f]{60})")
HASH = re.compile(r"[0-9a-f]{64}")
MIGRATION = re.compile(r"[0-9]{4}")
MANIFEST_BYTES_MAX = 500_000_000
TEXT_MAX = 200
CHUNK_BYTES = 1024 * 1024


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= TEXT_MAX and (value.isprintable() or not value)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_major(value: object) -> bool:
    return type(value) is int and 0 < value < 1_000


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return False
    return found.tzinfo is not None and found.isoformat() == value


def _is_counts(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_text(name) and _is_count(number) for name, number in value.items())


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and HASH.fullmatch(value) is not None


def _are_hashes(value: object) -> bool:
    return isinstance(value, tuple) and all(map(_is_hash, value)) and len(set(value)) == len(value)


def _are_members(value: object) -> bool:
    return isinstance(value, tuple) and len({member.name for member in value}) == len(value)


# What each field may hold.
_SHAPE: Mapping[str, Callable[[object], bool]] = {
    "program": _is_text,
    "made_at": _is_moment,
    "migration": lambda value: isinstance(value, str) and MIGRATION.fullmatch(value) is not None,
    "server_major": _is_major,
    "dumped_by_major": _is_major,
    "demo_mark": _is_text,
    "audit_position": _is_count,
    "audit_hash": lambda value: value == "" or _is_hash(value),
    "counts": _is_counts,
    "lost": _are_hashes,
    "members": _are_members,
    "format": lambda value: value == FORMAT,
}


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive."""

    name: str
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        known = isinstance(self.name, str) and (self.name == DUMP or STORED.fullmatch(self.name) is not None)
        if not (known and _is_count(self.bytes) and _is_hash(self.sha256)):
            raise ValueError("a member is not what this version writes")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the archive says of itself; the moment and the audit's head are those of the database's snapshot."""

    program: str
    made_at: str
    migration: str
    # Of the server, and of the program that wrote the dump.
    server_major: int
    dumped_by_major: int
    demo_mark: str
    audit_position: int
    audit_hash: str
    counts: Mapping[str, int]
    # Files the database names that were not on the disk, or not with their bytes, when the backup was made.
    lost: Sequence[str] = ()
    members: Sequence[Member] = field(default_factory=tuple)
    format: str = FORMAT

    def __post_init__(self) -> None:
        """Refuse what this program would not have written: whoever reads one may use every field as it stands."""
        for name, right in _SHAPE.items():
            if not right(getattr(self, name)):
                raise ValueError(f"{name} is not what this version writes")
        if bool(self.audit_hash) != bool(self.audit_position):
            raise ValueError("audit_hash does not go with audit_position")

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False).encode()

    def digest(self) -> str:
        """One value that stands for the whole archive: whoever keeps it elsewhere knows this backup again."""
        return hashlib.sha256(self.as_json()).hexdigest()

    @property
    def files(self) -> int:
        return sum(member.name != DUMP for member in self.members)

    @property
    def bytes(self) -> int:
        return sum(member.bytes for member in self.members)


class Writer:
    """An archive being written beside its place; it appears under its name when it is whole, or not at all."""

    def __init__(self, path: Path) -> None:
        self.path, self._fresh = path, path.with_name(f".{path.name}.{os.getpid()}")
        self._members: list[Member] = []
        if path.exists():
            raise LocalError(f"{path} is there already. Choose another name; a backup is never overwritten.")
        try:
            handle = os.open(self._fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise LocalError(f"{path} cannot be written ({error.strerror}).") from error
        self._file = os.fdopen(handle, "wb")
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name: str, source: Path, *, sha256: str = "") -> bool:
        """Add one file; False, and nothing is added, where it is not there or has other bytes than ``sha256``."""
        try:
            with source.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
                if sha256 and found != sha256:
                    return False
                size = file.tell()
                file.seek(0)
                self._put(name, size, file)
        except FileNotFoundError:
            return False
        self._members.append(Member(name, size, found))
        return True

    def finish(self, **said: Any) -> Manifest:
        """Write the manifest, and give the archive its name once it is safe on the disk."""
        manifest = Manifest(members=tuple(self._members), **said)
        data = manifest.as_json()
        self._put(MANIFEST, len(data), io.BytesIO(data))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._take_name()
        return manifest

    def _take_name(self) -> None:
        try:
            try:
                os.link(self._fresh, self.path)
            except FileExistsError:
                raise
            except OSError:
                # A disk without hard links: the name is taken first, and then given its content.
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                os.replace(self._fresh, self.path)
        except FileExistsError as error:
            raise LocalError(
                f"{self.path} appeared meanwhile. Choose another name; a backup is never overwritten."
            ) from error
        self._fresh.unlink(missing_ok=True)
        # The name too must be on the disk.
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def leave(self) -> None:
        """Remove what did not become whole."""
        self._file.close()
        self._fresh.unlink(missing_ok=True)

    def _put(self, name: str, size: int, file: IO[bytes]) -> None:
        self._tar.addfile(_header(name, size), file)


def read(path: Path, *, dump_into: Path, files_into: Path | None = None) -> Manifest:
    """Check every byte of an archive, and copy the dump, and the files where asked, to folders of the reader's own.

    Raises :class:`LocalError` in words; what was copied until then is the reader's to remove.
    """
    try:
        with path.open("rb") as raw, tarfile.open(path, "r:") as tar:
            found, text = _members(tar, _Whole(raw), dump_into, files_into)
    except FileNotFoundError as error:
        raise LocalError(f"{path} is not there.") from error
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise LocalError(f"{path} is not a backup of this program, or was cut short or damaged ({error}).") from error
    except OSError as error:
        raise LocalError(f"{path} cannot be read, or its content cannot be copied ({error.strerror}).") from error
    if text is None:
        raise LocalError(f"{path} was cut short: its manifest, which comes last, is missing.")
    manifest = _manifest(text)
    said = {member.name: member for member in manifest.members}
    for name in sorted(said.keys() | found.keys()):
        if said.get(name) != found.get(name):
            raise LocalError(f"{path} is not what was written: {_difference(name, said.get(name), found.get(name))}.")
    if DUMP not in found:
        raise LocalError(f"{path} has no {DUMP}.")
    if text != manifest.as_json():
        raise LocalError(f"{path} is not what was written: its manifest is spelled in another way.")
    return manifest


class _Whole:
    """The bytes of an archive around its content: they too must be those this program writes, or the hash would not
    stand for the whole file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._end = file, 0

    def before(self, info: tarfile.TarInfo) -> None:
        """The header of a member, right behind the one before it, and what fills its last block."""
        header = _header(info.name, info.size).tobuf(tarfile.PAX_FORMAT)
        if info.offset_data != self._end + len(header) or self._at(self._end, len(header)) != header:
            raise LocalError(f"“{info.name}” has another header in the archive than this program writes.")
        behind = info.offset_data + info.size
        self._end = behind + -behind % tarfile.BLOCKSIZE
        self._zeros(behind, self._end - behind)

    def end(self) -> None:
        """Behind the last member: two empty blocks, filled up to a whole record, and nothing more."""
        whole = self._end + 2 * tarfile.BLOCKSIZE
        whole += -whole % tarfile.RECORDSIZE
        self._zeros(self._end, whole - self._end)
        if self._at(whole, 1):
            raise LocalError("Something was put behind the end of this archive.")

    def _zeros(self, start: int, size: int) -> None:
        if self._at(start, size) != bytes(size):
            raise LocalError(
                "This archive was cut short, or holds bytes between its files that this program never writes."
            )

    def _at(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        return self._file.read(size)


def _header(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


def _members(
    tar: tarfile.TarFile, whole: _Whole, dump_into: Path, files_into: Path | None
) -> tuple[dict[str, Member], bytes | None]:
    found: dict[str, Member] = {}
    text: bytes | None = None
    for info in tar:
        stored = STORED.fullmatch(info.name)
        if not info.isreg() or not (stored or info.name in (MANIFEST, DUMP)):
            raise LocalError(
                f"The archive holds “{info.name[:200]}”, which is no part of a backup. Nothing of it was kept."
            )
        if info.name in found or text is not None:
            raise LocalError(f"The archive holds “{info.name}” in a place where it cannot be. Nothing of it was kept.")
        whole.before(info)
        content = tar.extractfile(info)
        assert content is not None, "a regular file has content"
        if info.name == MANIFEST:
            if info.size > MANIFEST_BYTES_MAX:
                raise LocalError("The manifest is larger than any this program writes.")
            text = content.read()
            continue
        into = files_into if stored else dump_into
        found[info.name] = Member(info.name, *_copied(content, None if into is None else into / info.name))
        if stored and found[info.name].sha256 != stored[3]:
            raise LocalError(f"“{info.name}” has other bytes than its name says: the archive was changed or damaged.")
    if text is not None:
        whole.end()
    return found, text


def _copied(content: IO[bytes], target: Path | None) -> tuple[int, str]:
    """Size and hash of what was read, and written to ``target`` where there is one."""
    digest, size = hashlib.sha256(), 0
    with _opened(target) as file:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    return size, digest.hexdigest()


def _opened(target: Path | None) -> IO[bytes]:
    if target is None:
        return open(os.devnull, "wb")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _manifest(text: bytes) -> Manifest:
    try:
        said = json.loads(text)
        if said.get("format") != FORMAT:
            raise LocalError(
                f"This backup is written as “{str(said.get('format'))[:60]}”; this program reads “{FORMAT}”. Use the "
                "version of the program that made it."
            )
        members = tuple(Member(**member) for member in said.pop("members"))
        return Manifest(members=members, lost=_as_tuple(said.pop("lost")), **said)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LocalError(f"The manifest of this backup cannot be read ({error}).") from error


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _difference(name: str, said: Member | None, found: Member | None) -> str:
    if found is None:
        return f"“{name}” is missing"
    if said is None:
        return f"“{name}” is in it and not in its manifest"
    return f"“{name}” has other bytes than its manifest says"


def stored_files(into: Path) -> Iterator[Path]:
    """What :func:`read` copied of the store."""
    yield from sorted(into.glob("files/??/??/*"))
