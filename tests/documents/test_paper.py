"""What every PDF has on its pages: what belongs together stays together, and what is invented says so."""

from __future__ import annotations

import io

from pypdf import PdfReader

from grants.documents.pdf.paper import Paper


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
