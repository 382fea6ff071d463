"""Files: what may come in, by content; stored once under their hash; versions kept; nothing half written."""

from __future__ import annotations

import hashlib
import io
import os
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import openpyxl
import pikepdf
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from werkzeug.datastructures import FileStorage

from grants.core import files
from grants.core.acts import WriteOutsideAct, act, once
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileType, FileView, Incoming
from grants.core.permissions import EVERYWHERE, Actor, Permission

MANAGER = Actor(uuid4(), "Ingrid", frozenset({(Permission.CALL_MANAGE.value, EVERYWHERE)}))
THING = uuid4()


@act("probe.attach", needs=Permission.CALL_MANAGE)
def attach(actor: Actor, incoming: Incoming, role: str = "annex", replaces: UUID | None = None) -> FileView:
    return files.keep(incoming, kind="note", object_id=THING, role=role, replaces=replaces)


@act("probe.attach_and_fail", needs=Permission.CALL_MANAGE)
def attach_and_fail(actor: Actor, incoming: Incoming) -> None:
    files.keep(incoming, kind="note", object_id=THING, role="annex")
    raise Refused("No.")


@act("probe.produce", needs=Permission.CALL_MANAGE)
def produce(actor: Actor, data: str) -> FileView:
    return files.keep_bytes(
        data.encode(), name="statement.csv", media_type="text/csv", kind="note", object_id=THING, role="statement"
    )


@act("probe.take_off", needs=Permission.CALL_MANAGE)
def take_off(actor: Actor, file_id: UUID) -> None:
    files.remove(file_id)


def upload(data: bytes, name: str) -> FileStorage:
    return FileStorage(io.BytesIO(data), filename=name)


def received(data: bytes = b"some text\n", name: str = "note.txt") -> Incoming:
    return files.receive(upload(data, name))


# Files as programs make them.


def pdf(change: Callable[[pikepdf.Pdf], None] | None = None, **saving: object) -> bytes:
    target = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        if change is not None:
            change(document)
        document.save(target, **saving)  # type: ignore[arg-type]
    return target.getvalue()


def archive(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return target.getvalue()


def xlsx() -> bytes:
    target = io.BytesIO()
    openpyxl.Workbook().save(target)
    return target.getvalue()


WORD = b'<Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
MACRO = b'<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'


def docx(types: bytes = WORD, **more: bytes) -> bytes:
    return archive({"[Content_Types].xml": types, "word/document.xml": b"<w/>", **more})


def odt(kind: str = "text", **more: bytes) -> bytes:
    mimetype = f"application/vnd.oasis.opendocument.{kind}".encode()
    return archive({"mimetype": mimetype, "content.xml": b"<x/>", **more})


def image(format: str) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, format)
    return target.getvalue()


def huge_png() -> bytes:
    small = bytearray(image("PNG"))
    small[16:24] = (50_000).to_bytes(4, "big") * 2
    small[29:33] = zlib.crc32(bytes(small[12:29])).to_bytes(4, "big")
    return bytes(small)


def bomb() -> bytes:
    return docx(**{"word/media/a": bytes(40_000_000)})


def with_script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


LOCKED = {"encryption": pikepdf.Encryption(user="secret", owner="secret")}
RESTRICTED = {"encryption": pikepdf.Encryption(user="", owner="secret")}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder and the two settings that receiving needs; no database."""
    bare = Flask("bare")
    bare.config.update(GRANTS_HOME=str(tmp_path), UPLOAD_BYTES_MAX=25_000_000)
    with bare.app_context():
        yield tmp_path / "files" / "incoming"


@pytest.mark.usefixtures("folder")
class TestReceiving:
    """What comes in, and what is kept out with a sentence."""

    @pytest.mark.parametrize(
        ("name", "make", "kind"),
        [
            ("plan.pdf", pdf, FileType.PDF),
            ("plan.DOCX", docx, FileType.DOCX),
            ("budget.xlsx", xlsx, FileType.XLSX),
            ("plan.odt", odt, FileType.ODT),
            ("budget.ods", lambda: odt("spreadsheet"), FileType.ODS),
            ("map.png", lambda: image("PNG"), FileType.PNG),
            ("map.jpeg", lambda: image("JPEG"), FileType.JPEG),
            ("costs.csv", lambda: "Stadt;Größe\n".encode("utf-8-sig"), FileType.CSV),
            ("notes.txt", lambda: "Łódź 2 < 3".encode(), FileType.TXT),
        ],
    )
    def test_each_allowed_type_is_known_by_its_content(
        self, name: str, make: Callable[[], bytes], kind: FileType
    ) -> None:
        data = make()

        incoming = received(data, name)

        assert incoming == Incoming(name, files._MEDIA[kind], len(data), hashlib.sha256(data).hexdigest())

    @pytest.mark.parametrize(
        ("name", "make", "words"),
        [
            ("page.pdf", lambda: b"<!DOCTYPE html><script>x</script>", "a web page or XML by its content"),
            ("logo.png", lambda: b'<svg xmlns="x"><script>x</script></svg>', "a drawing .SVG. by its content"),
            ("logo.svg", lambda: b'<?xml version="1.0"?><svg></svg>', "a drawing .SVG. by its content"),
            ("plan.pdf", docx, "is a Word document by its content, but its name ends in “.pdf”"),
            ("plan", pdf, "has no ending. It is a PDF"),
            ("locked.pdf", lambda: pdf(**LOCKED), "locked with a password"),
            ("restricted.pdf", lambda: pdf(**RESTRICTED), "is protected"),
            ("script.pdf", lambda: pdf(with_script), "contains a script"),
            ("broken.pdf", lambda: b"%PDF-1.7\n" + b"x" * 500, "is damaged"),
            ("bomb.docx", bomb, "would grow to"),
            ("macro.docm", lambda: docx(MACRO), "contains macros"),
            ("macro.docx", lambda: docx(**{"word/vbaProject.bin": b"x"}), "contains macros"),
            ("macro.odt", lambda: odt(**{"Basic/Standard/x.xml": b"x"}), "contains macros"),
            ("locked.odt", lambda: odt(**{"META-INF/manifest.xml": b"<m:encryption-data/>"}), "locked with a pass"),
            (
                "old.doc",
                lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
                "password or in an old Office format",
            ),
            ("slides.pptx", lambda: archive({"[Content_Types].xml": b"presentation"}), "cannot be uploaded"),
            ("all.zip", lambda: archive({"a.txt": b"x"}), "is a ZIP archive"),
            ("cut.docx", lambda: docx()[:-30], "is damaged"),
            ("huge.png", huge_png, "is damaged|million pixels"),
            ("cut.png", lambda: image("PNG")[:40], "is damaged"),
            ("tool.exe", lambda: b"MZ" + bytes(600), "cannot be uploaded"),
            ("old.csv", lambda: "Größe".encode("cp1252"), "not in UTF-8"),
            ("bytes.txt", lambda: b"a\x00b", "signs that no text has"),
            ("empty.txt", lambda: b"", "is empty"),
        ],
    )
    def test_what_is_not_what_it_says_is_refused_with_a_sentence(
        self, folder: Path, name: str, make: Callable[[], bytes], words: str
    ) -> None:
        with pytest.raises(Invalid, match=words):
            received(make(), name)

        assert list(folder.iterdir()) == []

    def test_a_type_that_is_not_wanted_here_is_refused_with_those_that_are(self) -> None:
        with pytest.raises(Invalid, match=r"is a PDF; here you can upload \.xlsx, \.ods, \.csv"):
            files.receive(upload(pdf(), "plan.pdf"), allowed=files.SHEETS)

    def test_an_upload_stops_at_its_limit(self) -> None:
        endless = _Endless()

        with pytest.raises(Invalid, match="larger than 1 MB"):
            files.receive(FileStorage(endless, filename="big.txt"), bytes_max=1_000_000)  # type: ignore[arg-type]

        assert endless.given <= 1_000_000 + 2 * files.CHUNK_BYTES

    def test_a_full_disk_is_a_sentence_and_changes_nothing(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(number: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)

        with pytest.raises(Refused, match="no space left on device"):
            received()
        assert list(folder.iterdir()) == []


class _Endless:
    given = 0

    def read(self, size: int) -> bytes:
        self.given += size
        return b"a" * size


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("../../x", "x"),
        ("..\\..\\windows\\plan.pdf", "plan.pdf"),
        ("a\r\nSet-Cookie: b.pdf", "a Set-Cookie_ b.pdf"),
        ("gpj\u202efdp.exe", "gpj fdp.exe"),
        ("  .hidden. ", "hidden"),
        ("", "file"),
        ("/", "file"),
        ("Größe – Łódź.pdf", "Größe – Łódź.pdf"),
        (f"{'x' * 300}.pdf", f"{'x' * 116}.pdf"),
    ],
)
def test_names_are_one_clean_line_without_a_path(typed: str, kept: str) -> None:
    assert files.clean_name(typed) == kept


@given(st.text(max_size=300))
def test_any_name_becomes_one_that_the_database_takes(typed: str) -> None:
    name = files.clean_name(typed)

    assert 0 < len(name) <= files.NAME_CHARACTERS_MAX
    assert all(unicodedata.category(sign)[0] != "C" for sign in name)
    assert not set(name) & set('/\\\n\r\0<>:"|?*')
    assert name not in {".", ".."}
    assert files.clean_name(name) == name


@pytest.mark.usefixtures("app")
class TestKeeping:
    """Inside an act: once under the hash, with its row or not at all."""

    def test_a_kept_file_lies_under_its_hash_readable_by_this_user_only(self, app: Flask) -> None:
        kept = attach(MANAGER, received())

        path = files.path(kept)
        assert path.relative_to(app.config["GRANTS_HOME"]).parts == (
            "files", kept.sha256[:2], kept.sha256[2:4], kept.sha256,
        )  # fmt: skip
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"some text\n", 0o600)
        assert (kept.version_no, kept.created_by) == (1, MANAGER.user_id)

    def test_keeping_belongs_inside_an_act(self) -> None:
        with pytest.raises(WriteOutsideAct):
            files.keep(received(), kind="note", object_id=THING, role="annex")

    def test_a_refused_act_leaves_no_row(self) -> None:
        with pytest.raises(Refused):
            attach_and_fail(MANAGER, received())

        assert files.listed("note", THING) == ()

    def test_the_same_bytes_are_stored_once(self, app: Flask) -> None:
        first = attach(MANAGER, received(name="a.txt"))
        second = attach(MANAGER, received(name="b.txt"))

        assert files.path(first) == files.path(second)
        assert [file.name for file in files.listed("note", THING)] == ["a.txt", "b.txt"]
        assert list((Path(app.config["GRANTS_HOME"]) / "files/incoming").iterdir()) == []

    def test_the_same_form_sent_twice_keeps_one_version(self) -> None:
        with once("k"):
            first = attach(MANAGER, received())
        with once("k"):
            again = attach(MANAGER, received())

        assert again == first
        assert files.listed("note", THING) == (first,)

    def test_the_same_name_becomes_the_next_version_and_the_old_one_stays(self) -> None:
        first = attach(MANAGER, received(b"one"))
        second = attach(MANAGER, received(b"two"))

        assert (second.version_no, files.listed("note", THING)) == (2, (second,))
        assert files.versions(second.id) == (second, first)
        assert files.path(files.view(first.id)).read_bytes() == b"one"

    def test_a_file_may_replace_one_of_another_name_but_only_once(self) -> None:
        first = attach(MANAGER, received(name="draft.txt"))
        final = attach(MANAGER, received(name="final.txt"), replaces=first.id)

        assert files.listed("note", THING, "annex") == (final,)
        assert files.listed("note", THING, "other") == ()

    def test_a_file_taken_off_is_not_listed_and_its_name_is_free(self) -> None:
        first = attach(MANAGER, received(b"one"))
        take_off(MANAGER, first.id)

        assert files.listed("note", THING) == ()
        assert attach(MANAGER, received(b"two")).version_no == 1
        assert files.path(first).read_bytes() == b"one"

    def test_a_produced_file_is_stored_and_versioned_alike(self) -> None:
        first = produce(MANAGER, "a;b")
        again = produce(MANAGER, "a;b")

        assert (first.version_no, again.version_no, first.sha256) == (1, 2, again.sha256)
        assert files.path(again).read_bytes() == b"a;b"

    def test_an_upload_that_waited_too_long_is_asked_for_again(self) -> None:
        incoming = received()
        files.sweep_orphans(timedelta(seconds=-1))

        with pytest.raises(Refused, match="waited too long"):
            attach(MANAGER, incoming)

    def test_the_sweeper_takes_old_orphans_only(self) -> None:
        kept = attach(MANAGER, received(b"kept"))
        with pytest.raises(Refused):
            attach_and_fail(MANAGER, received(b"orphan"))
        received(b"never kept")

        assert files.sweep_orphans() == 0
        yesterday = time.time() - 100_000
        for file in files._store().rglob("*"):
            if file.is_file():
                os.utime(file, (yesterday, yesterday))
        assert files.sweep_orphans() == 2

        assert files.path(kept).read_bytes() == b"kept"

    def test_a_missing_and_a_changed_file_are_found(self) -> None:
        gone = attach(MANAGER, received(b"gone", "gone.txt"))
        changed = attach(MANAGER, received(b"changed", "changed.txt"))
        assert files.verify() == ()
        files.path(gone).unlink()
        files.path(changed).write_bytes(b"other")

        db.session.rollback()
        assert {problem.place for problem in files.verify()} == {"gone.txt", "changed.txt"}
        with pytest.raises(NotFound):
            files.path(gone)
