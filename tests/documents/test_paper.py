"""What every PDF has on its pages: what belongs together stays together, and what is invented says so."""

from __future__ import annotations

import io
import sys

from pypdf import PdfReader
from reportlab.pdfbase.pdfmetrics import getFont, stringWidth
from reportlab.pdfgen.canvas import Canvas

from grants.documents.pdf.paper import Paper, fonts
from grants.documents.pdf.rows import Letters


def pages(paper: Paper) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(paper.finished())).pages]


def test_what_belongs_together_goes_over_to_the_next_page_together() -> None:
    paper = Paper(title="Agreement", head="Head", foot="Foot")
    for number in range(45):
        paper.paragraph(f"Line {number}")
    with paper.together():
        paper.paragraph("What is agreed")
        paper.gap(20)
        paper.paragraph("Signed")

    first, second = pages(paper)
    assert "Line 44" in first
    assert "What is agreed" in second and "Signed" in second


def test_each_page_of_a_paper_about_invented_things_says_so() -> None:
    for synthetic in (True, False):
        paper = Paper(title="Receipt", head="Head", foot="Foot", synthetic=synthetic)
        for number in range(60):
            paper.paragraph(f"Line {number}")

        assert ["holds synthetic data" in page for page in pages(paper)] == [synthetic] * 2


def test_what_somebody_wrote_is_printed_letter_by_letter_and_reads_no_file() -> None:
    """Marks of all kinds, a picture that lies on this machine and one that lies elsewhere: words, and nothing else."""
    hostile = '<b>Roofs</b> & <img src="file:///etc/passwd"/> <a href="https://evil.example">here</a> &lt;'
    opened: list[str] = []
    paper = Paper(title=hostile, head="Head", foot="Foot")

    def heard(name: str, said: tuple[object, ...]) -> None:
        if watching and name in ("open", "socket.connect", "urllib.Request"):
            opened.append(str(said[0]))

    watching = True
    sys.addaudithook(heard)
    paper.heading(hostile)
    paper.paragraph(hostile)
    paper.prose(hostile)
    paper.facts([("Said", hostile)])
    (words,) = pages(paper)
    watching = False

    assert " ".join(words.split()).count('<b>Roofs</b> & <img src="file:///etc/passwd"/>') == 5
    assert not [each for each in opened if "passwd" in each or "evil" in each]


def test_letters_measured_and_spelt_one_by_one_are_those_of_the_library() -> None:
    fonts()
    canvas, text = Canvas(io.BytesIO()), "Łódź (Αθήνα) \\ Київ\u00a0中 " + "".join(map(chr, range(0x100, 0x250)))
    letters, own = Letters(), Canvas(io.BytesIO())

    for part in ("", "PCP-2022-P-00001", text, text[::-1]):
        assert letters.width(part, "Source", 7.2) == stringWidth(part, "Source", 1) * 7.2
        known = [(subset, canvas._escape(each)) for subset, each in getFont("Source").splitString(part, canvas._doc)]
        assert letters.spelled(part, "Source", own) == known
