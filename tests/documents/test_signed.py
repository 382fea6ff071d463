"""What is read in signed PDFs: intact, whole, on the offered pages; and everything hostile that comes as one."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from reportlab.pdfgen import canvas

from config import BadSettings, Config
from grants.agreements.rules import Findings
from grants.agreements.states import OfferedPages
from grants.cli.doctor import Level, _programme_certificate
from grants.core.errors import Refused
from grants.documents.pdf.signed import certified, read
from tests.documents.certificates import PASSWORD, key_file, signed


def paper(*pages: str) -> bytes:
    written = io.BytesIO()
    drawn = canvas.Canvas(written, invariant=1)
    for words in pages:
        drawn.drawString(100, 700, words)
        drawn.showPage()
    drawn.save()
    return written.getvalue()


OFFERED = paper("Grant agreement", "At most EUR 400,000")


def drawn_over(data: bytes) -> bytes:
    """The same with another text on its first page, as an update after what was there."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    page = writer.root["/Pages"]["/Kids"][0]
    said = generic.StreamObject(stream_data=b"BT /F1 12 Tf 100 700 Td (At most EUR 900,000) Tj ET")
    page[generic.NameObject("/Contents")] = writer.add_object(said)
    writer.update_container(page)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def laid_over(data: bytes) -> bytes:
    """The same with a note lying on its first page."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    page = writer.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject(
        {
            generic.NameObject("/Type"): generic.NameObject("/Annot"),
            generic.NameObject("/Subtype"): generic.NameObject("/FreeText"),
            generic.NameObject("/Contents"): generic.TextStringObject("At most EUR 900,000"),
            generic.NameObject("/Rect"): generic.ArrayObject(
                [generic.NumberObject(each) for each in (100, 690, 300, 720)]
            ),
        }
    )
    page[generic.NameObject("/Annots")] = generic.ArrayObject([writer.add_object(note)])
    writer.update_container(page)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def saved_anew(data: bytes) -> bytes:
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(written)
    return written.getvalue()


def found(tmp_path: Path, data: bytes, offered: bytes = OFFERED) -> Findings:
    mine, theirs = tmp_path / "offered.pdf", tmp_path / "signed.pdf"
    mine.write_bytes(offered)
    theirs.write_bytes(data)
    return read(theirs, mine)


def test_a_signature_on_the_offered_file_holds_and_says_who_gave_it(tmp_path: Path) -> None:
    said = found(tmp_path, signed(OFFERED, qualified=True))

    assert said.pages is OfferedPages.WHOLE and said.problem == "" and said.against(1) == ""
    (field,) = said.fields
    assert (field.signer, field.issuer, field.holds) == ("Maya Mayor", "Invented Authority", True)
    assert field.says_qualified and field.said_at is not None
    assert "calls itself qualified" in field.words and "covers the whole document" in field.words
    assert not found(tmp_path, signed(OFFERED)).fields[0].says_qualified
    assert "1 electronic signatures, and 2 people" in said.against(2)


def test_of_two_signatures_the_first_holds_although_the_second_came_after_it(tmp_path: Path) -> None:
    said = found(tmp_path, signed(signed(OFFERED), "Tom Treasurer", field="Signature2"))

    assert [(each.signer, each.holds) for each in said.fields] == [("Maya Mayor", True), ("Tom Treasurer", True)]
    assert said.against(2) == ""


def test_a_byte_changed_after_it_was_signed_is_found(tmp_path: Path) -> None:
    data = bytearray(signed(OFFERED))
    # In a comment, so that the pages stay what they are.
    data[data.index(b"ReportLab")] ^= 1
    said = found(tmp_path, bytes(data))

    assert [each.is_intact for each in said.fields] == [False]
    assert "does not hold" in said.against(1) and "changed after it was signed" in said.fields[0].words


@pytest.mark.parametrize("change", [drawn_over, laid_over])
def test_pages_changed_after_or_before_the_signature_are_found(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    after = found(tmp_path, change(signed(OFFERED)))
    before = found(tmp_path, signed(change(OFFERED)))

    assert after.pages is before.pages is OfferedPages.OTHER
    assert after.fields[0].is_changed_after and not after.fields[0].holds
    assert before.fields[0].holds
    assert "offered pages unchanged" in after.against(1) and "offered pages unchanged" in before.against(1)


def test_a_signature_of_another_document_is_none_of_this_offer(tmp_path: Path) -> None:
    said = found(tmp_path, signed(paper("Another agreement", "At most EUR 400,000")))

    assert said.fields[0].holds and said.pages is OfferedPages.OTHER and said.against(1)
    assert found(tmp_path, signed(paper("Grant agreement"))).pages is OfferedPages.OTHER


def test_a_file_that_another_program_wrote_anew_has_the_same_pages(tmp_path: Path) -> None:
    said = found(tmp_path, signed(saved_anew(OFFERED)))

    assert said.pages is OfferedPages.SAME and said.against(1) == ""


def test_a_scan_and_an_unsigned_file_have_no_signature(tmp_path: Path) -> None:
    said = found(tmp_path, OFFERED)

    assert said.fields == () and "no electronic signature" in " ".join(said.lines)
    assert "0 electronic signatures" in said.against(1)


@pytest.mark.parametrize(
    "data",
    [
        b"<html><body>signed</body></html>",
        b"",
        b"%PDF-1.7\n" + b"\x00" * 5_000,
        signed(OFFERED)[:-600],
        signed(OFFERED).replace(b"/ByteRange", b"/ByteRabge"),
        signed(OFFERED).replace(b"/Contents <30", b"/Contents <99"),
    ],
    ids=["html", "empty", "zeros", "cut off", "no byte range", "no signature"],
)
def test_whatever_comes_is_answered_and_carries_nothing(tmp_path: Path, data: bytes) -> None:
    said = found(tmp_path, data)

    assert said.against(1) != "" and said.lines


def test_a_locked_file_is_answered(tmp_path: Path) -> None:
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(OFFERED)) as pdf:
        pdf.save(written, encryption=pikepdf.Encryption(owner="a", user="b"))
    said = found(tmp_path, written.getvalue())

    assert said.pages is OfferedPages.UNREAD and "could not read" in said.problem


def test_the_programme_signs_a_file_whose_bytes_stay_in_it(tmp_path: Path) -> None:
    data = certified(OFFERED, key_file("The Programme"), PASSWORD)

    assert data.startswith(OFFERED) and b"/ETSI.CAdES.detached" in data
    said = found(tmp_path, data)
    assert [(each.field, each.signer, each.holds) for each in said.fields] == [("Programme", "The Programme", True)]
    for key, password in ((key_file(), "another"), (b"no such file", PASSWORD)):
        with pytest.raises(Refused, match="grants doctor"):
            certified(OFFERED, key, password)


def test_the_doctor_looks_at_the_files_of_the_certificate(tmp_path: Path) -> None:
    key, password = tmp_path / "programme.p12", tmp_path / "password"
    settings = Config(PROGRAMME_SIGNING_KEY=str(key), PROGRAMME_SIGNING_PASSWORD_FILE=str(password))

    def told() -> list[tuple[Level, str]]:
        return [(each.level, each.words) for each in _programme_certificate(settings)]

    def levels() -> list[Level]:
        return [level for level, _ in told()]

    assert _programme_certificate(Config()) == []
    assert levels() == [Level.RED]
    key.write_bytes(key_file())
    password.write_text(PASSWORD, encoding="utf-8")
    for path in (key, password):
        path.chmod(0o644)
    assert levels() == [Level.WARNING, Level.WARNING, Level.WELL] and "chmod 600" in told()[0][1]
    for path in (key, password):
        path.chmod(0o600)
    assert levels() == [Level.WELL]
    key.write_bytes(key_file(days=10))
    assert levels() == [Level.WARNING]
    key.write_bytes(key_file(days=-1))
    assert levels() == [Level.RED] and "ended on" in told()[0][1]
    password.write_text("another", encoding="utf-8")
    assert levels() == [Level.RED] and "not opened" in told()[0][1]
    with pytest.raises(BadSettings, match="belong together"):
        Config.from_env({"PROGRAMME_SIGNING_KEY": str(key)})
